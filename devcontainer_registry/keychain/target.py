# SPDX-License-Identifier: MIT
"""
The registry of an image, as docker looks it up.
"""

from __future__ import annotations

from ..errors import InvalidRegistryError
from ..registry import Registry, split_image


def parse_target(target: str) -> tuple[Registry, str]:
    """
    Return the registry and the repository (or "") of *target*, an image or a registry.

    Raises:
        InvalidRegistryError: *target* is neither.
    """
    if isinstance(target, Registry):
        return target, ""
    if "://" in target:
        return Registry(target), ""
    host, slash, _ = target.strip().partition("/")
    if not slash and _is_host(host):
        try:
            return Spelled.of(Registry(target), host), ""
        except InvalidRegistryError:
            pass  # an image of Docker Hub with a dot in its name: my.app:latest
    registry, repository, _ = split_image(target)
    return Spelled.of(registry, host), repository


class Spelled(Registry):
    """
    A registry that an image reference spells with upper-case letters.
    """

    spelling = ""

    @classmethod
    def of(cls, registry: Registry, host: str) -> Registry:
        """
        Return *registry*, with *host* as its key if only upper case differs.
        """
        if host == registry or host.lower() != registry:
            return registry
        spelled = str.__new__(cls, registry)
        spelled.spelling = host
        return spelled

    @property
    def config_key(self) -> str:
        """
        Docker's key: the host as spelled in the image reference.
        """
        return self.spelling

    @property
    def spellings(self) -> tuple[str, ...]:
        """
        Only that key.
        """
        return (self.spelling,)


def _is_host(text: str) -> bool:
    name = text.partition(":")[0]
    return "." in name or name == "localhost" or text.startswith("[")
