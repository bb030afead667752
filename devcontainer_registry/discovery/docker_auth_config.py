# SPDX-License-Identifier: MIT
"""
`DOCKER_AUTH_CONFIG`, read as docker reads it.

https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go (parseEnvConfig)
https://github.com/docker/cli/blob/v28.3.0/cli/config/memorystore/store.go
"""

from __future__ import annotations

import json

from ..causes import variables as causes
from ..config.auth_entry import credential_of, folded, is_readable
from ..credentials import RegistrySecret
from ..errors import InvalidRegistryError
from ..registry import Registry
from .members import fault

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..credentials import Credential, Finding
    from .environment import Environment

_DOCKER = "DOCKER_AUTH_CONFIG"


def logins_in(text: str) -> dict[str, Credential | None]:
    """
    Return docker's logins in *text* by key of `auths`; a value of None means anonymous.

    Empty if docker warns and ignores the variable: for any member but `auth`, an entry without one,
    an invalid one, or text after the object.  docker looks up only a registry's own key
    (`Registry.config_key`).
    """
    if not text:
        return {}
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(document, dict) or folded(document).keys() - {"auths"}:
        return {}
    auths = folded(document).get("auths") or {}
    if not isinstance(auths, dict) or not all(map(_is_usable, auths.values())):
        return {}
    return {key: credential_of(entry) for key, entry in auths.items()}


def _is_usable(entry: object) -> bool:
    if not isinstance(entry, dict):
        return False
    members = folded(entry)
    return members.keys() == {"auth"} and bool(members["auth"]) and is_readable(entry)


def entries_in(text: str) -> dict[str, Credential | None]:
    """
    Return all logins in *text* by key of `auths`; a value of None is an unusable entry.

    More than docker reads: other tools write other members, which a login can use.

    Raises:
        ValueError: It is not a JSON object with `auths`.  The text is not quoted.
    """
    try:
        entries = json.loads(text)["auths"].items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Without the cause: the parser's message comes with the text.
        msg = "no JSON with `auths`"
        raise ValueError(msg) from None
    return {
        key: credential_of(entry) if isinstance(entry, dict) and is_readable(entry) else None
        for key, entry in entries
    }


def of_docker(environment: Environment) -> Iterator[RegistrySecret | Finding]:
    """
    Yield the logins in `DOCKER_AUTH_CONFIG`, and findings about it.
    """
    found = environment.first(_DOCKER)
    if found is None:
        return
    layer, text = found
    try:
        entries = entries_in(text)
    except ValueError:
        yield causes.DOCKERS_NOT_JSON.finding(variable=_DOCKER)
        return
    secrets: dict[Registry, RegistrySecret] = {}
    unusable = 0
    # Keys that are a plain host first: docker prefers them.
    for key, login in sorted(entries.items(), key=lambda item: "/" in item[0]):
        registry = _registry(key)
        if login is None or registry is None or not _can_log_in(login):
            unusable += 1
            continue
        secrets.setdefault(
            registry,
            RegistrySecret(
                id=_DOCKER,
                registry=registry,
                source=layer.named(_DOCKER),
                username=login.username,
                secret=login.secret,
                implicit=True,
            ),
        )
    if unusable:
        yield causes.DOCKERS_ENTRIES_UNUSABLE.finding(variable=_DOCKER, count=unusable)
    yield from secrets.values()


def _can_log_in(login: Credential) -> bool:
    username, secret = login.username, login.secret.reveal()
    return bool(username and secret) and not (fault("USER", username) or fault("PASSWORD", secret))


def _registry(server: str) -> Registry | None:
    try:
        return Registry(server)
    except InvalidRegistryError:
        return None
