# SPDX-License-Identifier: MIT
"""
`DOCKER_AUTH_CONFIG`, read as docker reads it.

https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go (parseEnvConfig)
https://github.com/docker/cli/blob/v28.3.0/cli/config/memorystore/store.go
"""

from __future__ import annotations

import json

from ..config.auth_entry import credential_of, folded, is_readable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential


def logins_in(text: str) -> dict[str, Credential | None]:
    """
    Keys of `auths` in *text* to what docker sends for them; None: it goes on anonymously.

    Empty where docker warns of the variable and does without it: over any member but `auth`, an
    entry without one, one that can't be decoded, or anything after the object.  It looks a
    registry up by its own key (`Registry.config_key`), and by no other spelling.
    """
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
