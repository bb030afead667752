# SPDX-License-Identifier: MIT
"""
Remarks about values that were stripped or look mistaken.
"""

from __future__ import annotations

from ..credentials import Finding, is_aws_key_id
from ..errors import InvalidRegistryError
from ..naming import variable
from ..registry import Registry
from .environment import Value
from .members import clean

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..errors import DiscoveryError
    from .environment import Layer

# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids

# What GitHub and Docker Hub tell people to set, so nothing to remark on.
_EXACT_URLS = ("https://index.docker.io/v1/", "https://index.docker.io/v1")


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
                yield Finding(
                    code="shadowed",
                    message=f"{name}_FILE is not read, since {name} is set",
                    hint="unset one of the two",
                    variable=f"{name}_FILE",
                )
    if layer.label == ".env-secrets":
        yield Finding(
            code="not-in-environment",
            message=f"{variable(set_id, '*')} is among the codespace's secrets, "
            "but not in this process's environment",
            hint="stop and start the codespace to bring it into the environment",
            variable=variable(set_id, "SERVER"),
        )


def _spelling(member: str, value: Value) -> Iterator[Finding]:
    name, text = value.variable, clean(member, value.text, from_file=value.from_file)
    if member != "PASSWORD" and text != value.text:
        yield Finding(
            code="stripped",
            message=f"{name} has white space or quotes around it, which are left out",
            hint="set it again without them",
            variable=name,
        )
    if member == "SERVER":
        yield from _more_than_a_host(name, text)
    if member == "PASSWORD" and any(
        edge.isspace() or edge in "\"'" for edge in text[:1] + text[-1:]
    ):
        # Kept: a password may really begin or end so, and then only it would be accepted.
        yield Finding(
            code="edge-space",
            message=f"{name} begins or ends with white space or a quote, which is kept",
            hint="set it again without, unless the password has it",
            variable=name,
        )
    if member == "PASSWORD" and is_aws_key_id(text):
        yield Finding(
            code="swapped",
            message=f"{name} holds what looks like an AWS access key id",
            hint="put the access key id into _USER and the secret access key into _PASSWORD",
            variable=name,
        )


def server_host(server: str) -> str:
    """
    The host in *server*, in the case in which it stands there.
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
    dropped = ["scheme"] if scheme and separator else []
    dropped += ["path"] if "/" in rest else []
    if dropped:
        yield Finding(
            code="stripped",
            message=f"{name} holds more than a host: dropped its {' and '.join(dropped)}",
            hint=f"set {name} to {host or 'the host alone'}",
            variable=name,
        )
    if host is not None and host != server_host(server) and host == server_host(server).lower():
        yield Finding(
            code="upper-case",
            message=f"{name} has upper-case letters; docker looks a login up under the spelling of "
            "the image name",
            hint=f"write {host} in lower case in image names",
            variable=name,
        )
