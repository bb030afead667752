# SPDX-License-Identifier: MIT
"""
Masks secrets in errors, as the last line of defence.
"""

from __future__ import annotations

import base64
import re

from ..causes.cause import ANY_ID
from ..credentials import Secret
from ..errors import InvalidRegistryError, RegistryError
from ..naming import INFIX, variable
from ..registry import split_image

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..credentials import Credential, RegistrySecret

# Shorter values would mask ordinary text.
_LENGTH_MIN = 4
# A line of a longer secret, such as a JSON key, is masked by itself.
_LINE_MIN = 16

# Names for the members of a login that is not from a set.
_CALLED = {
    "DOCKER_AUTH_CONFIG": {
        "USER and _PASSWORD": "the user name and password in DOCKER_AUTH_CONFIG",
        "USER": "the user name in DOCKER_AUTH_CONFIG",
        "PASSWORD": "the password in DOCKER_AUTH_CONFIG",
        "SERVER": "the host in DOCKER_AUTH_CONFIG",
    },
    "CI_REGISTRY": {
        "USER and _PASSWORD": "CI_REGISTRY_USER and CI_REGISTRY_PASSWORD",
        "USER": "CI_REGISTRY_USER",
        "PASSWORD": "CI_REGISTRY_PASSWORD",
        "SERVER": "CI_REGISTRY",
    },
}

# A refusal names the audience that the cloud expects.  In one of these forms it is an audience, and
# not a secret in the wrong variable.
_PUBLIC_AUDIENCE = (
    r"(?:https?://|api://|urn:|//iam\.googleapis\.com/)[!-~]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+"
)

# A short user name, such as AWS, would match ordinary text.
_USERNAME_MIN = 8


def masked(text: str, names: Mapping[str, str]) -> str:
    """
    Return *text* with each key of *names* replaced by its value, the longest first.
    """
    for value in sorted(names, key=len, reverse=True):
        if len(value) >= _LENGTH_MIN:
            text = text.replace(value, names[value])
    return text


def shapes(secret: str, *, username: str | None = None) -> Iterator[str]:
    """
    Yield the forms of *secret* in texts: plain, quoted, encoded, line by line.

    With *username* also as `auths` and the Authorization header hold them.
    """
    import json
    from urllib.parse import quote, quote_plus

    yield secret
    yield from (line for line in secret.splitlines() if len(line) >= _LINE_MIN)
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    octets = secret.encode("utf-8", "surrogateescape")
    yield from (quote(octets), quote(octets, safe=""), quote_plus(octets))
    plain = [octets]
    if username is not None:
        plain.append(f"{username}:".encode("utf-8", "surrogateescape") + octets)
    for each in plain:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(each).decode()
            yield encode(each).decode().rstrip("=")


def vetted(
    error: RegistryError,
    secret: RegistrySecret,
    credential: Credential | None,
    *,
    hint: str | None = None,
) -> RegistryError:
    """
    Return a copy of *error* in one line, without its cause and with all secrets masked.

    Errors of a plugin may quote secrets, so every error in a report passes through here.

    Args:
        error: Error, perhaps of a plugin.
        secret: The set that it is about.
        credential: Credential of the set, or None.
        hint: Replaces the hint of *error*.
    """
    names = _names(secret, credential)
    hint = error.hint if hint is None else hint
    # "" is the prefix of every member.
    called = _CALLED.get(secret.id, {}) if secret.implicit else {"": variable(secret.id, "")}
    # The nearest class of this package, since a plugin's class may hold anything.
    kind: type[RegistryError] = next(
        k for k in type(error).__mro__ if k.__module__ == RegistryError.__module__
    )
    return kind(
        _as_called(_one_line(masked(_text(error.message), names)), secret.id, called),
        hint=_as_called(_one_line(masked(_text(hint), names)), secret.id, called),
        code=_one_line(masked(_text(error.code), names)),
    )


def _text(said: object) -> str:
    """
    *said*, by a stranger who may have put a `Secret` there, which has no `str`.
    """
    return repr(said) if isinstance(said, Secret) else str(said)


def _as_called(text: str, set_id: str, called: Mapping[str, str]) -> str:
    """
    Return *text* with the variables of a set as they are *called* where it comes from.
    """
    for member, name in called.items():
        text = text.replace(variable(ANY_ID, member), name)
        text = text.replace(variable(set_id, member), name)
    return text


def _names(secret: RegistrySecret, credential: Credential | None) -> dict[str, str]:
    """
    Return the replacement for each value of *secret*: its variable, or `****`.
    """
    prefix = secret.id + INFIX
    members = {
        "USER": secret.username if len(secret.username or "") >= _USERNAME_MIN else None,
        "REGION": secret.region,
        "ROLE_ARN": secret.role_arn,
        "PROFILE": secret.profile,
        "TENANT": secret.tenant,
        "CLIENT_ID": secret.client_id,
        "AUDIENCE": None
        if re.fullmatch(_PUBLIC_AUDIENCE, secret.audience or "")
        else secret.audience,
        "CA_FILE": secret.ca_file,
    }
    names = {value: prefix + member for member, value in members.items() if value}
    if secret.image:
        names |= dict.fromkeys(_spellings(secret.image), f"{prefix}IMAGE")
    for hidden in (
        secret.secret,
        secret.session_token,
        secret.id_token,
        credential and credential.secret,
    ):
        if hidden:
            names |= dict.fromkeys(shapes(hidden.reveal(), username=secret.username), "****")
    # The registry's name is always shown, so no part of it is masked.
    return {value: name for value, name in names.items() if value not in secret.registry}


def _spellings(image: str) -> tuple[str, ...]:
    try:
        _, name, reference = split_image(image)
    except InvalidRegistryError:
        return (image,)
    return (image, f"{name}:{reference}", name)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
