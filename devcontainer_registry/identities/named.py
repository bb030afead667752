# SPDX-License-Identifier: MIT
"""
The identity that a set names.
"""

from __future__ import annotations

from .hosts import cloud_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret


def names_identity(secret: RegistrySecret) -> bool:
    """
    Return whether *secret* names whom to become with an ID token, and holds no other secret.

    That is `ROLE_ARN` at AWS, `TENANT` and `CLIENT_ID` at Entra ID, and `AUDIENCE` at Google; each
    at a registry of that cloud only.
    """
    if holds_secret(secret):
        return False
    match cloud_of(secret):
        case "ecr":
            return secret.role_arn is not None
        case "acr":
            return secret.tenant is not None and secret.client_id is not None
        case "google":
            return secret.audience is not None
        case _:
            return False


def holds_secret(secret: RegistrySecret) -> bool:
    """
    Return whether *secret* has a user name, a password or an AWS profile, so another identity.
    """
    return any(one is not None for one in (secret.username, secret.secret, secret.profile))
