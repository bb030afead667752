# SPDX-License-Identifier: MIT
"""
An `auth.json`: the user's own logins, and a run's.

podman, skopeo and buildah read the one that `REGISTRY_AUTH_FILE` names and no other.
https://github.com/containers/image/blob/v5.31.0/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import json

from ...config.auth_entry import folded
from ...errors import ConfigError, InvalidRegistryError
from ...keychain.podman import auth_files, loaded
from ...naming import OUR_HELPER
from ...registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...config.file import DockerConfig


def auth_json(
    environ: Mapping[str, str], config: DockerConfig, registries: Iterable[Registry]
) -> tuple[bytes, list[ConfigError]]:
    """
    Return the content of the file, and why files of the user could not be read.

    Args:
        environ: Variables that lead to the user's files.
        config: The config.json with the logins of the run.
        registries: Those whose login there replaces the user's.
    """
    merged, troubles = _AuthFile(), []
    for path in auth_files(environ):
        try:
            merged.add(loaded(path))
        except ConfigError as exc:  # noqa: PERF203  (one of three files)
            troubles.append(exc)
    try:
        document = config.read()
    except ConfigError:
        return merged.dump(), troubles  # the login has reported it
    if not environ.get("REGISTRY_AUTH_FILE"):
        # Without the variable they would read this one last.
        merged.add(json.loads(document.dump()))
    for registry in registries:
        merged.replace(
            registry,
            document.entry(registry),
            is_delegated=document.helper(registry) == OUR_HELPER,
        )
    return merged.dump(), troubles


class _AuthFile:
    """
    Several files in one, in which each registry has the login of the first file that has one.
    """

    def __init__(self) -> None:
        self._auths: dict[str, object] = {}
        self._helpers: dict[str, str] = {}

    def add(self, document: Mapping[str, object]) -> None:
        """
        Add what *document* has and no earlier one hides.
        """
        members = folded(dict(document))
        auths, helpers = (_mapping(members.get(name)) for name in ("auths", "credhelpers"))
        known, asked = tuple(self._auths), frozenset(self._helpers)
        for written, entry in auths.items():
            key = _key(written)
            hidden = key.partition("/")[0] in asked or any(_is_in(key, one) for one in known)
            # An empty entry says that a helper has the login.
            if not hidden and folded(_mapping(entry)).get("auth"):
                self._auths.setdefault(key, entry)
        for host, name in helpers.items():
            # They would run a helper without a name, and fail.
            hidden = host in asked or any(_is_in(one, host) for one in known)
            if not hidden and isinstance(name, str) and name:
                self._helpers[host] = name

    def replace(
        self, registry: Registry, entry: dict[str, object] | None, *, is_delegated: bool
    ) -> None:
        """
        Replace the login of *registry*; those for parts of it stay.
        """
        name = str(registry)
        for key in {*registry.spellings, registry.api_host, name}:
            self._helpers.pop(key, None)
            self._auths.pop(key, None)
        if entry:
            self._auths[name] = entry
        if is_delegated:
            self._helpers[name] = OUR_HELPER

    def dump(self) -> bytes:
        """
        Return the text of the file.
        """
        document = {"auths": self._auths, "credHelpers": self._helpers}
        return json.dumps({k: v for k, v in document.items() if v}, indent="\t").encode()


def _key(written: str) -> str:
    """
    Return the key of `auths` as podman writes it: a host, perhaps with a path, without a scheme.
    """
    if "://" not in written:
        return written
    try:
        return str(Registry(written))
    except InvalidRegistryError:
        return written


def _is_in(key: str, whole: str) -> bool:
    return key == whole or key.startswith(f"{whole}/")


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
