# SPDX-License-Identifier: MIT
"""
An entry of `auths`, decoded and encoded as docker does.

https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (encodeAuth, decodeAuth)
"""

from __future__ import annotations

import base64
import binascii
import re

from ..causes import config as causes
from ..credentials import Credential, Secret
from .json_text import is_object, is_text

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

# User name beside an identity token.  docker never sends it, but refuses an entry without one, and
# containers/image skips an `auth` without a colon.  Azure documents this name for its tokens:
# https://learn.microsoft.com/azure/container-registry/container-registry-authentication
_NOBODY = "00000000-0000-0000-0000-000000000000"

# Members that hold the login; all others of an entry stay.
CREDENTIAL_MEMBERS = frozenset({"auth", "username", "password", "identitytoken", "registrytoken"})


_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*")


def auth_entry(credential: Credential) -> dict[str, object]:
    """
    Return the entry of `auths` for *credential*, as docker writes it.

    Raises:
        ConfigError: The user name is empty or has a colon, at which docker would cut it; or docker
            would read another secret back.
    """
    user, secret = credential.username, credential.secret.reveal()
    cause = None
    if not user or ":" in user:
        cause = causes.USER_NOT_STORABLE
    elif not secret:
        cause = causes.PASSWORD_EMPTY
    elif secret.strip("\x00") != secret:
        cause = causes.PASSWORD_WITH_NUL
    elif not _is_sayable(user) or not _is_sayable(secret):
        cause = causes.HALF_A_CHARACTER
    elif credential.is_identity_token and not _is_utf8(secret):
        # A token is written as JSON text, which cannot hold undecodable octets.
        cause = causes.TOKEN_NOT_UTF8
    if cause is not None:
        raise cause.error()
    if credential.is_identity_token:
        return {"auth": _encoded(f"{_NOBODY}:"), "identitytoken": secret}
    return {"auth": _encoded(f"{user}:{secret}")}


def credential_of(entry: dict[str, object]) -> Credential | None:
    """
    Return the credential that docker reads in *entry*; None if there is none or it is invalid.
    """
    members = folded(entry)
    token, auth = members.get("identitytoken"), members.get("auth")
    if isinstance(auth, str) and auth:
        pair = _decoded(auth)
        if pair is None:
            return None  # docker ignores the whole file here; no login either way
    else:
        user, password = members.get("username"), members.get("password")
        pair = (
            user if isinstance(user, str) else "",
            password if isinstance(password, str) else "",
        )
    if isinstance(token, str) and token:
        # docker ignores the other members beside one.
        return Credential.identity_token(Secret(token))
    return Credential(username=pair[0], secret=Secret(pair[1])) if all(pair) else None


def is_readable(entry: object) -> bool:
    """
    Return whether docker can read *entry*; if not, it ignores other entries as well.

    docker decodes entries in random order and keeps those decoded before the failure.
    """
    if entry is None:
        return True
    if not is_object(entry):
        return False
    # One pass: each lookup reads all entries.
    auth: object = None
    for name, value in entry.items():
        lower = name.lower()
        if lower == "auth":
            auth = value
        # `is_text`, without a call for each.
        if not isinstance(value, str) and value is not None and lower in CREDENTIAL_MEMBERS:
            return False
    octets = _octets(str(auth)) if auth else b"user:"
    return octets is not None and octets.find(b":") > 0


def is_decodable(entry: dict[str, object]) -> bool:
    """
    Return whether the members of *entry* are strings and `auth` is base64.
    """
    members = folded(entry)
    return _has_texts(members) and _octets(str(members.get("auth") or "")) is not None


def _has_texts(members: dict[str, object]) -> bool:
    return all(is_text(value) for name, value in members.items() if name in CREDENTIAL_MEMBERS)


def keys_by_host(keys: Iterable[str]) -> dict[str, str]:
    """
    Return the first of *keys* for each host that is not the whole key.
    """
    found: dict[str, str] = {}
    for key in keys:
        if "/" in key:
            found.setdefault(_host_of(key), key)
    return found


def _host_of(key: str) -> str:
    """
    Return the host that docker reads in *key*: a URL's host, or the part before the first slash.

    Like Go's parser, it drops the user and query of a URL, and the brackets of an IPv6 address
    without a port.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/file_store.go
    (ConvertToHostname)
    """
    scheme, separator, rest = key.partition("://")
    if not separator or not _SCHEME.fullmatch(scheme):
        return key.partition("/")[0]
    authority = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].removesuffix(":")
    return authority[1:-1] if authority.endswith("]") else authority


def folded(members: dict[str, object]) -> dict[str, object]:
    """
    Return *members* by lower-case name: Go's decoder ignores case.
    """
    return {name.lower(): value for name, value in members.items()}


def _encoded(text: str) -> str:
    # Standard alphabet and padded: docker ignores the whole file over an unpadded one.
    # surrogateescape keeps octets of the environment that are not UTF-8.
    return base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")


def _octets(auth: str) -> bytes | None:
    # Go's decoder skips line ends only; Python's also accepts excess padding.
    text = auth if auth.isprintable() else auth.translate({10: None, 13: None})
    try:
        return base64.b64decode(text, validate=True) if len(text) % 4 == 0 else None
    except (binascii.Error, ValueError):
        return None


def _decoded(auth: str) -> tuple[str, str] | None:
    octets = _octets(auth)
    if octets is None:
        return None
    user, colon, password = octets.decode("utf-8", "surrogateescape").partition(":")
    return (user, password.strip("\x00")) if user and colon else None


def _is_sayable(text: str) -> bool:
    try:
        octets = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    # Octets that form a character would be read back as that character.
    return octets.decode("utf-8", "surrogateescape") == text


def _is_utf8(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
