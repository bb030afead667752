# SPDX-License-Identifier: MIT
"""
Remarks about values that were stripped or look wrong.
"""

from __future__ import annotations

from ..causes import variables as causes
from ..credentials import is_aws_key_id
from ..errors import InvalidRegistryError
from ..naming import variable
from ..registry import Registry
from .environment import Value
from .members import clean

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..credentials import Finding
    from ..errors import DiscoveryError
    from .environment import Layer

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids

# Documented by GitHub and Docker Hub, so not worth a remark.
_EXACT_URLS = ("https://index.docker.io/v1/", "https://index.docker.io/v1")

# By dropped parts: scheme, path.
_STRIPPED = {
    (True, False): causes.SCHEME_STRIPPED,
    (False, True): causes.PATH_STRIPPED,
    (True, True): causes.SCHEME_AND_PATH_STRIPPED,
}


def remarks(
    set_id: str, layer: Layer, values: Mapping[str, Value | DiscoveryError]
) -> Iterator[Finding]:
    """
    Yield findings about the set *set_id*, whose members in *layer* are *values*.
    """
    for member, value in values.items():
        if isinstance(value, Value):
            yield from _spelling(member, value)
            name = variable(set_id, member)
            if value.variable == name and value.text and layer.variables.get(f"{name}_FILE"):
                yield causes.FILE_SHADOWED.finding(variable=f"{name}_FILE", name=name)
    if layer.label == ".env-secrets":
        yield causes.NOT_IN_ENVIRONMENT.finding(
            variable=variable(set_id, "SERVER"), members=variable(set_id, "*")
        )


def _spelling(member: str, value: Value) -> Iterator[Finding]:
    name, text = value.variable, clean(member, value.text, from_file=value.from_file)
    if member != "PASSWORD" and text != value.text:
        yield causes.EDGES_STRIPPED.finding(variable=name, name=name)
    if member == "SERVER":
        yield from _more_than_a_host(name, text)
    if member == "PASSWORD" and any(
        edge.isspace() or edge in "\"'" for edge in text[:1] + text[-1:]
    ):
        # Kept: it may be part of the password.
        yield causes.EDGES_KEPT.finding(variable=name, name=name)
    if member == "PASSWORD" and is_aws_key_id(text):
        yield causes.SWAPPED.finding(variable=name, name=name)


def server_host(server: str) -> str:
    """
    Return the host in *server*, in its original case.
    """
    return server.rpartition("://")[2].partition("/")[0]


def _host(server: str) -> Registry | None:
    try:
        return Registry(server)
    except InvalidRegistryError:
        return None


def _more_than_a_host(name: str, server: str) -> Iterator[Finding]:
    if server.lower() in _EXACT_URLS:
        return
    scheme, separator, rest = server.rpartition("://")
    host = _host(server)
    dropped = bool(scheme and separator), "/" in rest
    if any(dropped):
        fix = causes.HOST_ALONE if host is None else None
        cause = _STRIPPED[dropped].with_fix(fix)
        yield cause.finding(variable=name, name=name, host=host)
    if host is not None and host != server_host(server) and host == server_host(server).lower():
        yield causes.UPPER_CASE.finding(variable=name, name=name, host=host)
