# SPDX-License-Identifier: MIT
"""
The quick check whether a lifecycle hook has nothing to do.

A container's start waits for its hooks, and nearly all of them find everything as it was.  A run
that found it so leaves a stamp: a keyed hash of all that it looked at.  The next one compares.
"""

from __future__ import annotations

import os
import time

from ..cache.entry import Entry
from ..cache.folder import Cache
from ..errors import ConfigError
from ..files import read_regular
from ..naming import CODESPACES_SECRETS, HELPER_PROGRAM, resembles_a_set

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

# After these nothing goes into a snapshot, and so nothing is to be warned of.
_STEPS = ("postCreate", "postStart", "postAttach")

# Options with which a run has something to print, asks in any case, or is somebody else's: whose
# stamp it would be is only known after `--user` has been obeyed.
_LOUD = ("--json", "--dry-run", "--log-level", "--log-format", "--verify", "--user", "-h", "--help")

# Variables that what is found depends on, besides those of `_may_say_something`.
_VARIABLES = frozenset(
    {
        "CODESPACES",
        "DOCKER_AUTH_CONFIG",
        "DOCKER_CONFIG",
        "GITHUB_SERVER_URL",
        "GITHUB_TOKEN",
        "GITHUB_USER",
        "HOME",
    }
)
_TOKENS = ("DOCKER_AUTH_CONFIG", "GITHUB_TOKEN")
# Octets of a file of variables; what is larger is not read by a login, either.
_SIZE_MAX = 16 * 1024 * 1024


def is_quiet(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """
    Whether the command *argv* (without the program) is a hook that would find all as it was.
    """
    if _has_nothing(argv, environ):
        return True
    if not _may_be_quiet(argv, environ):
        return False
    try:
        stamp = Cache.locate(environ).stamp()
        if stamp is None:
            return False
        seen, _, until = stamp.partition(" ")
        return time.time() < float(until) and seen == digest(argv, environ)
    except (ConfigError, ValueError):
        return False  # whatever it is, the long way round says so


def remember(argv: Sequence[str], environ: Mapping[str, str], *, before: str | None) -> None:
    """
    Leave a stamp after a run that found all as it was.

    Args:
        argv: The command, without the program.
        environ: Its variables.
        before: `digest` at the start of the run; what is no longer so was not looked at.
    """
    if before is None or not _may_be_quiet(argv, environ):
        return
    try:
        if digest(argv, environ) == before:
            cache = Cache.locate(environ)
            cache.set_stamp(f"{before} {_until(cache):.0f}")
    except (ConfigError, OSError):
        return  # a stamp less, and the next start is slower


def digest(argv: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """
    A keyed hash of all that a hook looks at; None where there is no key yet.
    """
    try:
        return Cache.locate(environ).known_fingerprint(*_looked_at(argv, environ))
    except (ConfigError, OSError):
        return None


def _has_nothing(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    """
    Whether there is no variable at all that says anything: a prebuild, most of the time.
    """
    return (
        len(argv) == 2
        and argv[0] == "hook"
        and argv[1] in ("onCreate", "updateContent", *_STEPS)
        and not any(name in _TOKENS or _may_say_something(name) for name in environ)
        and not os.path.exists(CODESPACES_SECRETS)
    )


def _may_say_something(name: str) -> bool:
    """
    Whether the variable *name* may be of a set, perhaps with a typo, or a setting.
    """
    return "REGISTRY" in name.upper() or resembles_a_set(name)


def _may_be_quiet(argv: Sequence[str], environ: Mapping[str, str]) -> bool:
    return (
        len(argv) >= 2
        and argv[0] == "hook"
        and argv[1] in _STEPS
        and not any(word.partition("=")[0] in _LOUD for word in argv)
        and environ.get("DEVCONTAINER_REGISTRY_VERIFY", "") in ("", "changed")
        and environ.get("DEVCONTAINER_REGISTRY_LOG_LEVEL", "") in ("", "warning", "error")
    )


def _looked_at(argv: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    # A new version may look at more.
    yield _file(__file__)
    yield from argv[2:]
    files = [word.rpartition("=")[2] for word in argv[2:]]
    for name in sorted(environ):
        if name in _VARIABLES or _may_say_something(name):
            yield f"{name}={environ[name]}"
            if name.endswith("_FILE"):
                files.append(environ[name])
    home = environ.get("HOME") or os.path.expanduser("~")
    folder = environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    if any(map(_leads_on, (CODESPACES_SECRETS, *files))):
        msg = "what is looked at names more to look at"
        raise OSError(msg)
    yield from map(_file, (os.path.join(folder, "config.json"), CODESPACES_SECRETS, *files))
    # What was kept, and a helper that has gone: docker would get nothing.
    cache = Cache.locate(environ).path
    for name in sorted(os.listdir(cache)):
        if not name.startswith("."):
            yield f"{name} {_file(os.path.join(cache, name))}"
    for place in environ.get("PATH", os.defpath).split(os.pathsep):
        yield str(os.access(os.path.join(place, HELPER_PROGRAM), os.X_OK))


def _leads_on(path: str) -> bool:
    """
    Whether a file of variables names further files, or *path* is no file whose changes show.
    """
    try:
        text, _ = read_regular(path, limit=_SIZE_MAX)
    except FileNotFoundError:
        return False  # not there, which is looked at as such
    except (OSError, ValueError):
        return True
    return b"_FILE" in text


def _file(path: str) -> str:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ""
    return f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"


def _until(cache: Cache) -> float:
    """
    When the first credential that is kept is due to be renewed, in Unix seconds.
    """
    entries = (Entry.read(cache, registry) for registry in cache.registries())
    return min((entry.fresh_until for entry in entries), default=float("inf"))
