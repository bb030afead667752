# SPDX-License-Identifier: MIT
"""
Types of config.json's members in docker's own decoder.

One value of a wrong type makes docker ignore every login in `auths`; helpers still work.
https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (ConfigFile)
https://github.com/docker/cli/blob/v28.2.2/cli/config/types/authconfig.go (AuthConfig)
https://github.com/docker/cli/blob/v20.10.24/cli/config/configfile/file.go (KubernetesConfig)
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import InvalidRegistryError
from ..registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    # A string; an array of a type; an object of any keys with a type; one of named strings.
    Type: TypeAlias = "str | list[Type] | tuple[Type] | frozenset[str]"
    # From a member to a value: what a step is, and its key or number.
    Steps: TypeAlias = "tuple[tuple[str, object], ...]"

_TEXT = "text"
_TEXTS: list[Type] = [_TEXT]
_TEXT_BY_NAME: tuple[Type] = (_TEXT,)

_AUTH = frozenset(
    ("username", "password", "auth", "email", "serveraddress", "identitytoken", "registrytoken")
)
_PROXY = frozenset(("httpproxy", "httpsproxy", "noproxy", "ftpproxy", "allproxy"))

_MEMBERS: dict[str, Type] = {
    "auths": (_AUTH,),
    "httpheaders": _TEXT_BY_NAME,
    "credhelpers": _TEXT_BY_NAME,
    "prunefilters": _TEXTS,
    "proxies": (_PROXY,),
    "clipluginsextradirs": _TEXTS,
    "plugins": (_TEXT_BY_NAME,),
    "aliases": _TEXT_BY_NAME,
    "features": _TEXT_BY_NAME,
    "kubernetes": frozenset(("allnamespaces",)),
    **dict.fromkeys(
        (
            "psformat",
            "imagesformat",
            "networksformat",
            "pluginsformat",
            "volumesformat",
            "statsformat",
            "detachkeys",
            "credsstore",
            "serviceinspectformat",
            "servicesformat",
            "tasksformat",
            "secretformat",
            "configformat",
            "nodesformat",
            "currentcontext",
            "experimental",
            "stackorchestrator",
        ),
        _TEXT,
    ),
}

# Members whose keys are arbitrary.
MERGED = frozenset(name for name, kind in _MEMBERS.items() if isinstance(kind, tuple))

# Versions that read the member, if not all do (measured with 20.10.24 and 28.2.2).
_VERSIONS = {
    "features": "docker 28",
    "kubernetes": "docker 20.10",
    "stackorchestrator": "docker 20.10",
}


@dataclass(frozen=True, slots=True)
class Mistyped:
    """
    A value whose type differs from docker's.

    Attributes:
        member: Its path, such as `features.buildkit`; shows the key of an entry only if it is a
            host.
        found: Its type, such as "a boolean".
        wanted: Type that docker expects.
        docker: "docker", or the version that reads it.
    """

    member: str
    found: str
    wanted: str
    docker: str

    @property
    def is_login(self) -> bool:
        """
        Whether it is part of an entry of `auths`.
        """
        return self.member.lower().startswith("auths.")


def mistyped(content: dict[str, object]) -> list[Mistyped]:
    """
    Return the values in *content* that make docker ignore the logins, in their order.

    `null` counts as absent, and members unknown to docker are skipped.
    """
    found: list[Mistyped] = []
    for key, value in content.items():
        kind = _MEMBERS.get(key.lower())
        if kind is not None:
            docker = _VERSIONS.get(key.lower(), "docker")
            found += [
                Mistyped(_path(key, steps), is_, wanted, docker)
                for steps, is_, wanted in _wrong(value, kind, ())
            ]
    return found


def _wrong(value: object, kind: Type, steps: Steps) -> Iterator[tuple[Steps, str, str]]:
    if _is_right(value, kind):
        return
    wanted = "a text" if isinstance(kind, str) else "an object"
    wanted = "an array" if isinstance(kind, list) else wanted
    if _called(value) != wanted:
        yield steps, _called(value), wanted
    for step, inner, each in _inside(value, kind):
        yield from _wrong(each, inner, (*steps, step))


def _is_right(value: object, kind: Type) -> bool:
    """
    Return whether all of *value* has the type *kind*, as nearly all of every file has.
    """
    if value is None:
        return True
    if isinstance(kind, str):
        return isinstance(value, str)
    if isinstance(kind, list):
        return isinstance(value, list) and all(_is_right(each, kind[0]) for each in value)
    if not isinstance(value, dict):
        return False
    if isinstance(kind, tuple):
        return all(_is_right(each, kind[0]) for each in value.values())
    for key, each in value.items():
        if not isinstance(each, str) and each is not None and key.lower() in kind:
            return False
    return True


def _inside(value: object, kind: Type) -> Iterator[tuple[tuple[str, object], Type, object]]:
    """
    Yield step, type and value of each typed value in *value*.
    """
    if isinstance(value, list) and isinstance(kind, list):
        for number, each in enumerate(value):
            yield ("number", number), kind[0], each
    elif isinstance(value, dict) and isinstance(kind, tuple):
        for key, each in value.items():
            yield ("any", key), kind[0], each
    elif isinstance(value, dict) and isinstance(kind, frozenset):
        for key, each in value.items():
            if key.lower() in kind:
                yield ("known", key), _TEXT, each


def _path(member: str, steps: Steps) -> str:
    """
    Return the path to a value, which nobody needs of the hundreds that are right.
    """
    spelled = {"number": "[{}]", "any": ".{}", "known": ".{}"}
    return member + "".join(
        spelled[kind].format(_shown(str(key)) if kind == "any" else key) for kind, key in steps
    )


def _called(value: object) -> str:
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    return "an object"


# In this order: a Python boolean is a number.
_NAMES = ((bool, "a boolean"), ((int, float), "a number"), (str, "a text"), (list, "an array"))


def _shown(key: str) -> str:
    """
    Return *key* if it is a host or a plain word; otherwise it may be a password.
    """
    try:
        return str(Registry(key))
    except InvalidRegistryError:
        return "(a key)"
