# SPDX-License-Identifier: MIT
"""
The registry of an image, as docker looks it up.
"""

from __future__ import annotations

from ..errors import InvalidRegistryError
from ..registry import Registry, split_image


def parse_target(target: str) -> tuple[Registry, str]:
    """
    The registry that *target*, an image reference or a registry, names, and the repository or "".

    Raises:
        InvalidRegistryError: It is neither.
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
            pass  # an image of Docker Hub with a dot in its name, such as my.app:latest
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
        docker's key: the host as the image reference has it.
        """
        return self.spelling

    @property
    def spellings(self) -> tuple[str, ...]:
        """
        That key, and no other.
        """
        return (self.spelling,)


def _is_host(text: str) -> bool:
    name = text.partition(":")[0]
    return "." in name or name == "localhost" or text.startswith("[")
