# SPDX-License-Identifier: MIT
"""
Findings about faults of config.json that hide logins from docker.
"""

from __future__ import annotations

import os

from ..causes import config as causes
from ..causes import credential
from ..errors import ConfigError, InvalidRegistryError, printable
from ..naming import HELPER_PREFIX, OF_VSCODE
from ..registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..credentials import Finding
    from .document import Document
    from .file import DockerConfig


_GIT_MAX = 5.0  # seconds


def findings_after_login(
    config: DockerConfig,
    document: Document | None,
    *,
    kept: Iterable[Registry],
    changed: bool,
    missing_store: str | None,
    in_auths: bool,
    only_auths: bool,
    home: str,
) -> tuple[Finding, ...]:
    """
    Return the findings about *config* after a login.

    Args:
        config: The file.
        document: Its content before the login, or None.
        kept: Registries with a login now.
        changed: Whether the file was written.
        missing_store: Value of `credsStore` if that program is missing; else None.
        in_auths: Whether `auths` holds a login of ours.
        only_auths: Whether some login is only in `auths`.
        home: Path of the home folder.
    """
    found = [] if missing_store is None else [store_missing(missing_store)]
    # Our helper works regardless of `auths`.
    unread = why_unread(config) if only_auths else None
    if unread is not None:
        found.append(unread)
    found += [
        _spelled_otherwise(member, key, registry)
        for registry, member, key in (
            document.spelled_otherwise(dict.fromkeys(kept)) if document is not None else ()
        )
    ]
    if in_auths and config.is_named:
        found += _about_place(config.path)
    if changed and in_auths and config.is_open():
        found.append(open_to_others(config.path))
    if changed and config.shuts_out(home):
        found.append(shut_out(config.path, home))
    return tuple(found)


def _spelled_otherwise(member: str, key: str, registry: Registry) -> Finding:
    in_auths = member == "auths"
    cause = causes.LOGIN_UNDER_OTHER_SPELLING if in_auths else causes.HELPER_UNDER_OTHER_SPELLING
    return cause.finding(key=key, host=registry)


def _about_place(path: str) -> Iterator[Finding]:
    """
    Yield the findings about the folder in DOCKER_CONFIG.
    """
    folder = os.path.dirname(path)
    if not os.path.isabs(folder):
        yield causes.RELATIVE.finding(
            path=printable(folder),
            here=printable(os.getcwd()),
            absolute=printable(os.path.abspath(folder)),
        )
    checkout = _checkout_of(os.path.abspath(folder))
    if checkout is not None and not _is_ignored(os.path.abspath(path), checkout):
        yield causes.IN_GIT.finding(path=printable(path), checkout=printable(checkout))


def _checkout_of(folder: str) -> str | None:
    while not os.path.lexists(os.path.join(folder, ".git")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return None
    return folder


def _is_ignored(path: str, checkout: str) -> bool:
    import subprocess  # needed only if DOCKER_CONFIG is in a git checkout

    # For any owner of the checkout: git runs nothing from it.
    command = ["git", "-c", "safe.directory=*", "-C", checkout, "check-ignore", "-q", "--", path]
    try:
        done = subprocess.run(  # noqa: S603  (git, with a path)
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=_GIT_MAX
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # unknown, so the finding is reported
    return done.returncode == 0


def why_unread(config: DockerConfig) -> Finding | None:
    """
    Return the finding why docker ignores `auths` of *config*, or None.
    """
    try:
        document = config.read()
    except ConfigError:
        return None  # reported when it is written
    return why_unread_in(document, config.path)


def why_unread_in(document: Document, path: str) -> Finding | None:
    """
    Return the finding why docker ignores `auths` of *document* in *path*, or None.
    """
    broken = document.unreadable()
    if broken:
        return unreadable(path, broken[0])
    wrong = document.mistyped
    if wrong:
        first = wrong[0]
        cause = causes.LOGIN_MISTYPED if first.is_login else causes.MEMBER_MISTYPED
        member = printable(first.member)
        return cause.finding(
            path=printable(path),
            member=member,
            found=first.found,
            wanted=first.wanted,
            docker=first.docker,
        )
    return None


def helper_missing(helper: str, *, named_in: str) -> ConfigError:
    """
    Return the error for a missing credential helper.

    Args:
        helper: Its name after `docker-credential-`.
        named_in: Place that names it: `credsStore`, `credHelpers`, or a file.
    """
    program = printable(HELPER_PREFIX + helper)
    return credential.HELPER_MISSING.error(place=named_in, program=program)


def store_missing(store: str) -> Finding:
    """
    Return the finding about a `credsStore` whose program is missing.

    Docker asks it for all other registries, and `docker run` fails without it.  A classic build
    asks it first and then continues without any login.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
    """
    fix = causes.STORE_OF_VSCODE_MISSING if store.startswith(OF_VSCODE) else None
    program = printable(HELPER_PREFIX + store)
    return causes.STORE_MISSING.with_fix(fix).finding(place="credsStore", program=program)


def unreadable(path: str, key: str) -> Finding:
    """
    Return the finding about the invalid entry *key* of `auths`, which hides other entries.

    The fix is not a new login: docker would drop the entries that it had not read.
    """
    try:
        host = Registry(key)
    except InvalidRegistryError:
        return causes.SOME_LOGIN_UNREADABLE.finding(path=printable(path))
    return causes.LOGIN_UNREADABLE.finding(path=printable(path), host=host)


def open_to_others(path: str) -> Finding:
    """
    Return the finding about a config.json with a login that other users can read.

    Another user owns it, or its file system has no modes.
    """
    return causes.OPEN_TO_OTHERS.finding(path=printable(path))


def shut_out(path: str, home: str) -> Finding:
    """
    Return the finding about a config.json that root owns in another user's home.
    """
    folder = printable(os.path.dirname(path))
    return causes.ROOTS_IN_A_HOME.finding(path=printable(path), folder=folder, home=printable(home))
