# SPDX-License-Identifier: MIT
"""
docker's credential helper protocol: `docker-credential-devcontainer-registry`.

docker starts this at every pull, and a classic `docker build` once per known registry.  So it
imports almost nothing, and uses the network only to renew a credential.

https://github.com/docker/docker-credential-helpers/blob/v0.8.2/credentials/credentials.go
"""

from __future__ import annotations

import errno
import os
import sys
import time

from .cache.entry import Entry
from .cache.fast_json import loads, quoted
from .cache.folder import Cache
from .errors import InvalidRegistryError, RegistryError, in_one_line
from .files import read_all, write_all
from .naming import HELPER_PROGRAM, NOT_FOUND
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

# Texts of docker-credential-helpers, which clients compare.
_NO_SERVER = "no credentials server URL"
_NO_USERNAME = "no credentials username"
_NO_SECRET = "no credentials secret"  # noqa: S105  (a message)
_USAGE = f"Usage: {HELPER_PROGRAM} <store|get|erase|list|version>"

# A renewal may hold the lock until docker must get its answer.
_LOCK_WITHIN = 4.5  # seconds

# Octets.  docker's client sends a URL or a small object; a cloud's password has 3 KB.
_INPUT_MAX = 128 * 1024


def run() -> NoReturn:
    """
    Run the credential helper and end the process.

    Other output of plugins, SDKs or the interpreter is discarded: docker reads all of stdout as the
    answer.  The process ends after the answer, even if a thread still waits for a cloud.
    """
    status = 1
    try:
        out, err = os.dup(1), os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        status = main(out=out, err=err)
    finally:
        os._exit(status)


def main(argv: Sequence[str] | None = None, *, out: int = 1, err: int = 2) -> int:
    """
    Answer one verb, and return the exit status: 0, or 1 with the reason.

    Args:
        argv: The verb; None: `sys.argv`.
        out: Descriptor that docker reads.
        err: Descriptor for messages to the user.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    verb = _VERBS.get(arguments[0]) if len(arguments) == 1 else None
    if verb is None:
        _write(out, _USAGE)
        return 1
    if os.environ.get("DEVCONTAINER_REGISTRY_LOG_LEVEL") == "debug":
        verb = _logged(arguments[0], verb, err)
    try:
        answer = verb(_given() if arguments[0] in _READING else "", os.environ)
    except RegistryError as exc:
        reason = in_one_line(exc)
    except Exception as exc:  # noqa: BLE001  (a traceback could quote what was read)
        reason = in_one_line(_bug(exc))
    else:
        if answer:
            _write(out, answer)
        return 0
    # Printed twice: docker reads stdout but drops it in a pull; stderr reaches the user.
    _write(out, reason)
    if reason not in (NOT_FOUND, _NO_SERVER, _NO_USERNAME):
        _write(err, f"devcontainer-registry: {reason}")
    return 1


def get(given: str, environ: Mapping[str, str]) -> str:
    """
    Return the credential for the URL *given*, as docker reads it.

    Raises:
        RegistryError: There is none (`NOT_FOUND`), or it expired.
    """
    url, registry = _asked_for(given)
    cache = Cache.locate(environ)
    entry = Entry.read(cache, registry)
    if not entry.is_servable(now=time.time()):
        from .logins.renewal import (
            serve,  # so most pulls import nothing more
        )

        entry = serve(registry, cache, environ)
    username, secret = quoted(entry.username), quoted(entry.secret)
    return f'{{"ServerURL":{quoted(url)},"Username":{username},"Secret":{secret}}}'


def store(given: str, environ: Mapping[str, str]) -> str:
    """
    Save the credential of `docker login`, until it is erased or its set changes.
    """
    try:
        members = loads(given)
        given.encode()  # half a character would become another one
    except (ValueError, RecursionError):
        members = None
    if not isinstance(members, dict):
        # Without the cause, which would quote the secret.
        from .causes.credential import NOT_STORED

        raise NOT_STORED.error() from None
    # Go's decoder, which other helpers use, ignores case.
    folded = {name.lower(): value for name, value in members.items()}
    url, username, secret = (_text(folded.get(k)) for k in ("serverurl", "username", "secret"))
    if not url.strip():
        raise RegistryError(_NO_SERVER)
    if not username:
        raise RegistryError(_NO_USERNAME)
    if not secret:
        # Some clients would send an empty password and be refused.
        raise RegistryError(_NO_SECRET)
    registry = Registry(url)
    cache = Cache.locate(environ)
    with cache.lock(registry, timeout=_LOCK_WITHIN):
        entry = Entry.read(cache, registry)
        entry.with_login_by_hand(username, secret, at=time.time()).write(cache, registry)
    return ""


def erase(given: str, environ: Mapping[str, str]) -> str:
    """
    Erase the credential for the URL *given*; it may not exist.

    It stays erased until the next login, so that a pull after `docker logout` does not log in
    again.
    """
    _, registry = _asked_for(given)
    cache = Cache.locate(environ)
    if not Entry.read(cache, registry).is_empty:
        with cache.lock(registry, timeout=_LOCK_WITHIN):
            Entry.erased().write(cache, registry)
    return ""


def listing(_given: str, environ: Mapping[str, str]) -> str:
    """
    Return the URLs with a credential, and their user names.
    """
    cache = Cache.locate(environ)
    names = []
    for registry in cache.registries():
        try:
            entry = Entry.read(cache, registry)
        except RegistryError:  # one damaged entry must not hide the others
            continue
        if entry.has_credential:
            names.append(f"{quoted(registry.config_key)}:{quoted(entry.username)}")
    return f"{{{','.join(names)}}}"


def version(_given: str, _environ: Mapping[str, str]) -> str:
    """
    Return name, package and version, as docker's helpers print them.
    """
    from . import __version__

    return f"{HELPER_PROGRAM} (devcontainer-registry) v{__version__}"


def _bug(exc: Exception) -> RegistryError:
    """
    Return the error for *exc*, without its text, which could quote what was read.
    """
    try:
        from .causes.credential import HELPER_BUG
    except Exception:  # noqa: BLE001  (a machine that gives no file or memory for it, say)
        return RegistryError(type(exc).__name__)
    return HELPER_BUG.error(program=HELPER_PROGRAM, error=type(exc).__name__)


def _logged(
    name: str, verb: Callable[[str, Mapping[str, str]], str], err: int
) -> Callable[[str, Mapping[str, str]], str]:
    """
    *verb*, which tells its events on the descriptor *err*; stdout is docker's.
    """
    from .commands.hiding import Hider
    from .commands.log import observer
    from .observer import listening, since, tell

    def call(given: str, environ: Mapping[str, str]) -> str:
        begun, code = time.monotonic(), None
        stream = open(os.dup(err), "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
        observe = observer(
            level="debug", log_format="console", hide=Hider(environ), colours=False, stream=stream
        )
        with stream, listening(observe):
            try:
                return verb(given, environ)
            except RegistryError as exc:
                code = exc.code
                raise
            except BaseException as exc:
                code = type(exc).__name__
                raise
            finally:
                tell("helper.answered", verb=name, ok=code is None, code=code, ms=since(begun))

    return call


def _asked_for(given: str) -> tuple[str, Registry]:
    url = given.strip()
    if not url:
        raise RegistryError(_NO_SERVER)
    try:
        return url, Registry(url)
    except InvalidRegistryError:
        # There is no credential for an invalid registry.
        raise RegistryError(NOT_FOUND) from None


def _given() -> str:
    """
    Read all of stdin.
    """
    try:
        return read_all(0, limit=_INPUT_MAX).decode("utf-8", "surrogateescape")
    except OSError as exc:
        if exc.errno != errno.EFBIG:
            raise
    from .causes.credential import TOO_MUCH_GIVEN

    raise TOO_MUCH_GIVEN.error(count=_INPUT_MAX)


def _write(descriptor: int, line: str) -> None:
    # Not with Python's streams: no encoding can fail, and no buffer stays unwritten.
    write_all(descriptor, f"{line}\n".encode("utf-8", "replace"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_VERBS: dict[str, Callable[[str, Mapping[str, str]], str]] = {
    "get": get,
    "store": store,
    "erase": erase,
    "list": listing,
    "version": version,
}
_READING = ("get", "store", "erase")
