# SPDX-License-Identifier: MIT
"""
Errors of this package, and which of them are retried.

    RegistryError
    ├── InvalidRegistryError    not the name of a registry
    ├── DiscoveryError          a set of variables is incomplete or invalid
    ├── LoginError              a login failed for some registries; it carries the report
    ├── AuthenticationError     the registry or the cloud refused; a retry cannot help
    ├── UnreachableError        the server cannot be reached, and a retry cannot help
    │   └── TransientError      no answer, or the server was busy: the only one retried
    │       ├── ThrottledError  the server limits an account's requests: retried more often
    │       └── ConfigChangedError
    │                           config.json changed between our read and our write
    ├── ConfigError             config.json or the cache cannot be read, parsed or written
    │   └── DamagedError        config.json is not JSON, or has the wrong structure
    └── PluginError             an authenticator is missing, broken, or contested

`login` never raises these for one registry: each becomes the outcome of its registry.
"""

from __future__ import annotations

import errno
import os


class RegistryError(Exception):
    """
    Base class of the errors that this package raises on purpose.

    Attributes:
        message: What happened, in one line without secrets.
        hint: The fix, beginning with a verb, or "".
        code: Stable and kebab-case; docs/codes.md lists them all.
    """

    code: str = "failed"

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def to_dict(self) -> dict[str, str]:
        """
        Return `code`, `message` and `hint`, as JSON documents have an error.
        """
        return {"code": self.code, "message": self.message, "hint": self.hint}

    def __reduce__(self) -> tuple[object, ...]:
        # The default would call `cls(message)` and lose the keyword arguments.
        return _rebuild, (type(self), self.message, self.hint, self.code)


def _rebuild(kind: type[RegistryError], message: str, hint: str, code: str) -> RegistryError:
    return kind(message, hint=hint, code=code)


def error_named(name: str) -> type[RegistryError]:
    """
    Return the error class *name*; `RegistryError` if there is none.
    """
    found = globals().get(name)
    known = isinstance(found, type) and issubclass(found, RegistryError)
    return found if known else RegistryError  # type: ignore[return-value]  # checked above


def in_one_line(error: RegistryError) -> str:
    """
    Return message and hint of *error* in one line.
    """
    said = f"{error.message}; {error.hint}" if error.hint else error.message
    return " ".join(said.split())


def printable(name: str) -> str:
    """
    Return *name* of a file or program, escaped for a message.
    """
    # It must not add lines to the message or control the terminal.
    return name if name.isprintable() else ascii(name)


class InvalidRegistryError(RegistryError):
    """
    The text is not the `host[:port]` of a registry.
    """

    code = "invalid-server"


class DiscoveryError(RegistryError):
    """
    A set of variables is incomplete or invalid.
    """

    code = "missing-member"


class AuthenticationError(RegistryError):
    """
    The registry or the cloud refused the credential.

    Never retried: accounts get locked, and Docker Hub has rate limits.
    """

    code = "rejected"


class UnreachableError(RegistryError):
    """
    The registry or cloud cannot be reached, and a retry cannot help.

    Examples: an unknown certificate authority, a proxy or a firewall that refuses.
    """

    code = "unreachable"


class TransientError(UnreachableError):
    """
    The registry or cloud did not answer or was busy; the only error that is retried.

    Attributes:
        retry_after: Seconds to wait, as requested by the server, or None.
    """

    code = "unreachable"
    retry_after: float | None = None


class ThrottledError(TransientError):
    """
    The server limits the requests of a whole account, and refused one without judging it.

    Retried more often than others: when many containers start at once, most have to wait.
    """

    code = "busy"


class ConfigChangedError(TransientError):
    """
    Another program wrote config.json between our read and our write.
    """

    code = "config-changed"


class ConfigError(RegistryError):
    """
    config.json or our cache cannot be read, parsed or written.
    """

    code = "config-error"


class DamagedError(ConfigError):
    """
    config.json is not JSON, or has the wrong structure.
    """

    code = "config-damaged"


class PluginError(RegistryError):
    """
    An authenticator is missing or broken, or two claim one registry.
    """

    code = "plugin-missing"


# Texts of causes used below `causes`, which imports them: (code, message, fix).

# Raised by `registry`.
NOT_A_HOST = (
    "invalid-server",
    "not the name of a registry: expected host or host:port",
    "name the host alone, such as ghcr.io or localhost:5000",
)
NOT_AN_IMAGE = (
    "invalid-image",
    "not an image reference",
    "write it as docker pull does: registry/repository:tag",
)
ANOTHER_REGISTRYS_IMAGE = (
    "invalid-image",
    "the image is on {host}, not on {registry}",
    "write it as docker pull does: registry/repository:tag",
)

# Here, since a process without file descriptors cannot load another module.
LIMITS = {
    errno.EMFILE: (
        "too-many-open-files",
        "this process has reached its limit of {count} open files and connections",
        "run ulimit -n 256",
    ),
    errno.ENFILE: (
        "too-many-open-files",
        "this machine has reached its limit of open files and connections",
        "close programs that hold many open, or raise fs.file-max",
    ),
    errno.ENOMEM: (
        "no-memory",
        "out of memory",
        "give the container more memory, or raise ulimit -v",
    ),
}


def limit_error(exc: BaseException) -> TransientError | None:
    """
    Return the error for *exc* if a limit on open files or memory caused it, else None.
    """
    number = exc.errno if isinstance(exc, OSError) else None
    if isinstance(exc, ImportError) and os.strerror(errno.EMFILE) in str(exc):
        number = errno.EMFILE  # of a library that it needs
    elif isinstance(exc, MemoryError):
        number = errno.ENOMEM
    if number not in LIMITS:
        return None
    code, message, fix = LIMITS[number]
    count = os.sysconf("SC_OPEN_MAX")
    return TransientError(message.format(count=count), hint=fix, code=code)
