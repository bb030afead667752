# SPDX-License-Identifier: MIT
"""
A credential of an earlier process, for the same variables.

Only what a cloud gave is remembered: a password of a set is handed over as it stands there now.
The kubelet starts this for each answer, so imports must stay cheap.
"""

from __future__ import annotations

import os

from ..cache.entry import Entry
from ..cache.folder import Cache
from ..errors import ConfigError
from ..files import read_regular
from ..naming import INFIX, SECRETS_FILE_VARIABLE, resembles_a_set

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..registry import Registry

# Below the folder of the credential helper's cache, which answers docker, perhaps with a login by
# hand; no pod of this node is to get that.
_FOLDER = "kubelet"

# Where the clouds' SDKs look for an identity, and we.
_IDENTITIES = ("AWS_", "AZURE_", "GOOGLE_", "ACTIONS_ID_TOKEN_")
_SETTINGS = "DEVCONTAINER_REGISTRY_"

# Octets.  Larger files are read, but what comes of them is not remembered.
_SIZE_MAX = 1024 * 1024


def locate(environ: Mapping[str, str]) -> Cache | None:
    """
    Return the cache for the kubelet; None if it has no place: no home folder, say.
    """
    folder = os.path.join(Cache.locate(environ).path, _FOLDER)
    return Cache(folder, home=environ.get("HOME") or None) if os.path.isabs(folder) else None


def fresh(
    registry: Registry, environ: Mapping[str, str], secrets_file: str | None, *, now: float
) -> Entry | None:
    """
    Return a credential for *registry* that needs no renewal, if it came from these variables.
    """
    cache = locate(environ)
    if cache is None:
        return None
    try:
        entry = Entry.read(cache, registry)
        if not entry.is_servable(now=now):
            return None
        same = entry.set_hash == known_digest(cache, environ, secrets_file)
    except ConfigError:
        return None  # then there is no cache
    return entry if same else None


def known_digest(cache: Cache, environ: Mapping[str, str], secrets_file: str | None) -> str | None:
    """
    Return the keyed hash of `looked_at`; None if there is no key yet, or if that is empty.
    """
    parts = looked_at(environ, secrets_file)
    return cache.known_fingerprint(*parts) if parts else None


def looked_at(environ: Mapping[str, str], secrets_file: str | None) -> list[str]:
    """
    Return all that a credential depends on: variables, files, this version.

    Empty if that is not known in full: a file is too large, or names more files.
    """
    try:
        return list(_parts(environ, secrets_file or environ.get(SECRETS_FILE_VARIABLE) or ""))
    except (OSError, ValueError):
        return []


def _parts(environ: Mapping[str, str], secrets_file: str) -> Iterator[str]:
    # A new version may ask otherwise.
    version = os.stat(__file__)
    yield f"{version.st_mtime_ns} {version.st_size}"
    for name in sorted(environ):
        if name.startswith(_SETTINGS) and INFIX not in name:
            continue  # a setting of this tool, no part of an identity
        if resembles_a_set(name) or name.startswith(_IDENTITIES):
            yield f"{name}={environ[name]}"
            if INFIX in name and name.endswith("_FILE") and environ[name]:
                yield _content(environ[name])
    yield "secrets file"
    if secrets_file:
        text = _content(secrets_file)
        if "_FILE" in text:
            msg = "it names more files"
            raise ValueError(msg)
        yield text


def _content(path: str) -> str:
    return read_regular(path, limit=_SIZE_MAX)[0].decode("utf-8", "surrogateescape")
