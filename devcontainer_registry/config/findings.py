# SPDX-License-Identifier: MIT
"""
Findings about config.json: what keeps docker from its logins.
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
    What there is to say of *config* after a login.

    Args:
        config: The file.
        document: What it held before, or None.
        kept: The registries that docker has a login for by now.
        changed: Whether it was written.
        missing_store: What `credsStore` names, where there is no such program; else None.
        in_auths: Whether it holds a login of ours.
        only_auths: Whether docker finds some login in `auths` and nowhere else.
        home: The home folder.
    """
    found = [] if missing_store is None else [store_missing(missing_store)]
    # Our helper is asked whatever stands in `auths`.
    unread = why_unread(config) if only_auths else None
    if unread is not None:
        found.append(unread)
    found += [
        _spelled_otherwise(member, key, registry)
        for registry in dict.fromkeys(kept)
        for member, key in (document.spelled_otherwise(registry) if document is not None else ())
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
    Yield what there is to say of the folder that DOCKER_CONFIG names.
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
    import subprocess  # only where DOCKER_CONFIG leads into a checkout

    # Whoever owns the checkout, since nothing of it is run.
    command = ["git", "-c", "safe.directory=*", "-C", checkout, "check-ignore", "-q", "--", path]
    try:
        done = subprocess.run(  # noqa: S603  (git, with a path)
            command, check=False, capture_output=True, stdin=subprocess.DEVNULL, timeout=_GIT_MAX
        )
    except (OSError, subprocess.TimeoutExpired):
        return False  # nobody can say, and so it is said
    return done.returncode == 0


def why_unread(config: DockerConfig) -> Finding | None:
    """
    Return why docker finds no login in `auths` of *config*, or None.
    """
    try:
        document = config.read()
    except ConfigError:
        return None  # said where it was to be written
    return why_unread_in(document, config.path)


def why_unread_in(document: Document, path: str) -> Finding | None:
    """
    Return why docker finds no login in `auths` of *document*, the content of *path*, or None.
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
            login=member,
            found=first.found,
            wanted=first.wanted,
            docker=first.docker,
        )
    return None


def helper_missing(helper: str, *, named_in: str) -> ConfigError:
    """
    The error for a credential helper that is named and not there.

    Args:
        helper: What follows `docker-credential-`.
        named_in: Where it is named: `credsStore`, `credHelpers`, or a file.
    """
    program = printable(HELPER_PREFIX + helper)
    return credential.HELPER_MISSING.error(place=named_in, program=program)


def store_missing(store: str) -> Finding:
    """
    What there is to say of a `credsStore` whose program is gone, also where it hides nothing.

    It is asked for everybody else, and `docker run` fails where it can't be.  A classic build
    asks it first, and then goes on without any login.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
    """
    fix = causes.STORE_OF_VSCODE_MISSING if store.startswith(OF_VSCODE) else None
    program = printable(HELPER_PREFIX + store)
    return causes.STORE_MISSING.with_fix(fix).finding(program=program)


def unreadable(path: str, key: str) -> Finding:
    """
    What there is to say of the entry *key* of `auths`, at which docker stops to read the others.

    Not to log in there again: docker would keep nothing of what it had not read by then.
    """
    try:
        host = Registry(key)
    except InvalidRegistryError:
        return causes.SOME_LOGIN_UNREADABLE.finding(path=printable(path))
    return causes.LOGIN_UNREADABLE.finding(path=printable(path), host=host)


def open_to_others(path: str) -> Finding:
    """
    What there is to say of a config.json that holds a login and can't be closed.

    It is somebody else's, or on a file system that has no modes.
    """
    return causes.OPEN_TO_OTHERS.finding(path=printable(path))


def shut_out(path: str, home: str) -> Finding:
    """
    What there is to say of a config.json of root's in the home of somebody else.
    """
    folder = printable(os.path.dirname(path))
    return causes.ROOTS_IN_A_HOME.finding(path=printable(path), folder=folder, home=printable(home))
