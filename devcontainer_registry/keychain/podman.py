# SPDX-License-Identifier: MIT
"""
The `auth.json` of podman, skopeo and buildah.

https://github.com/containers/image/blob/v5.31.0/docs/containers-auth.json.5.md
https://github.com/containers/image/blob/v5.31.0/pkg/docker/config/config.go
"""

from __future__ import annotations

import errno
import json
import os
import sys

from ..causes import credential as causes
from ..config.auth_entry import credential_of, folded, is_decodable
from ..errors import printable
from ..files import read_regular
from .other_helpers import ask_helper

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..credentials import Credential
    from ..registry import Registry

# octets
_SIZE_MAX = 16 * 1024 * 1024


def login_of_podman(
    registry: Registry, repository: str, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    """
    Return the login that podman, skopeo and buildah use for *repository*, or None.

    In order of precedence:

    1. `$REGISTRY_AUTH_FILE`, and no other if it is set;
    2. `$XDG_RUNTIME_DIR/containers/auth.json`; `/run/containers/UID/auth.json` without that;
    3. `$XDG_CONFIG_HOME/containers/auth.json`, by default in `~/.config`.

    Raises:
        ConfigError: The file, or the entry in it, is damaged; or its helper is missing or fails.
    """
    for path in auth_files(environ):
        document = folded(loaded(path))
        helper = _object(document.get("credhelpers")).get(registry)
        if isinstance(helper, str) and helper:
            credential = ask_helper(helper, registry, environ=environ, timeout=timeout)
        else:
            auths = _object(document.get("auths"))
            key = next(_keys(auths, registry, repository), None)
            credential = None if key is None else _login(auths[key], registry, path)
        # A file without a login leaves it to the next one.
        if credential is not None:
            return credential
    return None


def _keys(auths: Mapping[str, object], registry: Registry, repository: str) -> Iterator[str]:
    """
    Return the keys of *auths* that match *repository*, the most specific first.
    """
    while repository:
        yield from auths.keys() & {f"{registry}/{repository}"}
        repository = repository.rpartition("/")[0]
    # containers/image accepts the host of Docker Hub's API; docker does not.
    names = (str(registry), *registry.spellings, registry.api_host)
    yield from (name for name in names if name in auths)
    for key in auths:
        scheme, separator, rest = key.partition("://")
        # A path is part of a repository unless the key has a scheme.
        if separator and scheme in ("http", "https") and rest.partition("/")[0] in names:
            yield key


def _login(entry: object, registry: Registry, path: str) -> Credential | None:
    entry = {} if entry is None else entry
    if not isinstance(entry, dict) or not is_decodable(entry):
        raise causes.LOGIN_OF_PODMAN_UNREADABLE.error(path=printable(path), host=registry)
    # Only these two members count, and the token only beside `auth`.  `{}` marks a login that a
    # helper holds.
    members = {k: v for k, v in folded(entry).items() if k in ("auth", "identitytoken")}
    return credential_of(members) if members.get("auth") else None


def auth_files(environ: Mapping[str, str]) -> list[str]:
    """
    Return the paths at which podman, skopeo and buildah look for logins, in their order.
    """
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        return [named]
    home = environ.get("HOME") or os.path.expanduser("~")
    configured = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    files = [os.path.join(configured, "containers", "auth.json")]
    runtime = environ.get("XDG_RUNTIME_DIR")
    if runtime:
        files.insert(0, os.path.join(runtime, "containers", "auth.json"))
    elif sys.platform == "linux":
        # No login session, as in most containers.
        of_user = f"/run/containers/{os.getuid()}/auth.json"
        # A default path may be unreadable for this user; that is no error.
        files = [of_user, *files] if os.path.exists(of_user) else files
    return files


def loaded(path: str) -> dict[str, Any]:
    """
    Return the content of the auth.json at *path*; empty if it does not exist.

    Raises:
        ConfigError: It cannot be read, or is damaged.
    """
    try:
        text = read_regular(path, limit=_SIZE_MAX)[0] or b"{}"
    except FileNotFoundError:
        return {}
    except OSError as exc:
        if exc.errno == errno.EINVAL:
            return {}  # such as a pipe, on which podman would block
        reason = os.strerror(exc.errno or 0)
        raise causes.FILE_OF_PODMAN_UNREADABLE.error(path=printable(path), reason=reason) from exc
    try:
        return _object(json.loads(text))
    except (ValueError, RecursionError):
        pass
    # Raised here, without context: the parser's error holds the whole text.
    raise causes.FILE_OF_PODMAN_DAMAGED.error(path=printable(path))


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
