# SPDX-License-Identifier: MIT
"""
The identity that a set names, and whether it is whole.
"""

from __future__ import annotations

import re

from ..causes.clouds import google as google_causes
from ..causes.clouds import identities as causes
from ..errors import DiscoveryError
from ..naming import variable
from .hosts import CLOUDS, cloud_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..causes.cause import Reason
    from ..credentials import RegistrySecret

# https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token (audience): with the
# project's number.  The pages of other tools write it with `https:`, or from `projects/` on.
_PROVIDER = (
    r"(?:(?:https:)?//iam\.googleapis\.com/)?"
    r"(projects/[0-9]+/locations/[a-z0-9-]+/workloadIdentityPools/[a-z0-9-]{2,63}"
    r"/providers/[a-z0-9-]{2,63})"
)
# https://cloud.google.com/iam/docs/service-account-types
_ACCOUNT = r"[a-z0-9.-]+@[a-z0-9.-]+\.gserviceaccount\.com"

# Kinds of ours that log in with a stored secret only; a plugin may take a token.
_WITHOUT = ("generic", "ghcr")


def names_identity(secret: RegistrySecret) -> bool:
    """
    Return whether *secret* names a cloud identity for an ID token, and holds no other secret.

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


def problem(secret: RegistrySecret, kind: str | None = None) -> DiscoveryError | None:
    """
    Return why *secret* cannot log in with an ID token as it says, or None; no request is made.

    Args:
        secret: The set.
        kind: Of its registry; None: the one that it names, or that of its host.
    """
    kind = kind or cloud_of(secret) or secret.kind or _WITHOUT[0]
    found = next(_problems(secret, kind), None)
    if found is not None:
        found.__traceback__ = None
    return found


def holds_secret(secret: RegistrySecret) -> bool:
    """
    Return whether *secret* has a user name, a password or an AWS profile, so another identity.
    """
    return _stored(secret) is not None


def provider_of(secret: RegistrySecret) -> str | None:
    """
    Return the full resource name of Google's provider in `AUDIENCE`, or None if it is not one.
    """
    match = re.fullmatch(_PROVIDER, secret.audience or "", re.ASCII)
    return f"//iam.googleapis.com/{match[1]}" if match else None


def _stored(secret: RegistrySecret) -> str | None:
    """
    Return the member of *secret* that is an identity by itself, or None.
    """
    members = {"USER": secret.username, "PASSWORD": secret.secret, "PROFILE": secret.profile}
    return next((member for member, value in members.items() if value is not None), None)


def _problems(secret: RegistrySecret, kind: str) -> Iterator[DiscoveryError]:
    # The most telling first.
    present = [m for m, value in _new_members(secret, kind).items() if value is not None]
    if not present or (kind not in CLOUDS and kind not in _WITHOUT):
        return
    one = variable(secret.id, present[0])
    if kind in _WITHOUT:
        fix = causes.ECR_BY_KIND if kind == "generic" else None
        yield causes.NOT_TAKEN.with_fix(fix).error(
            host=secret.registry, one=one, kind=variable(secret.id, "KIND")
        )
        return
    stored = _stored(secret)
    if stored is not None:
        yield causes.TWO_IDENTITIES.error(one=one, other=variable(secret.id, stored))
    for member, (value, what) in _needed(secret, kind).items():
        if value is None:
            missing = variable(secret.id, member)
            yield causes.INCOMPLETE.error(one=one, missing=missing, what=what.say())
    if kind == "google":
        yield from _google_problems(secret)
    yield from _token_problem(secret)


def _new_members(secret: RegistrySecret, kind: str) -> dict[str, object]:
    """
    Return the members with which a set says that it logs in with an ID token.
    """
    return {
        "ID_TOKEN": secret.id_token,
        "AUDIENCE": secret.audience,
        # It means nothing to AWS.
        "CLIENT_ID": secret.client_id if kind != "ecr" else None,
    }


def _needed(secret: RegistrySecret, kind: str) -> dict[str, tuple[str | None, Reason]]:
    """
    Return the members that name an identity at *kind*, with their values and what they are.
    """
    if kind == "ecr":
        return {"ROLE_ARN": (secret.role_arn, causes.ROLE)}
    if kind == "google":
        return {"AUDIENCE": (secret.audience, causes.PROVIDER)}
    return {
        "TENANT": (secret.tenant, causes.TENANT),
        "CLIENT_ID": (secret.client_id, causes.CLIENT_ID),
    }


def _google_problems(secret: RegistrySecret) -> Iterator[DiscoveryError]:
    if provider_of(secret) is None:
        yield google_causes.PROVIDER_INVALID.error(audience=variable(secret.id, "AUDIENCE"))
    if secret.client_id and not re.fullmatch(_ACCOUNT, secret.client_id, re.ASCII):
        yield google_causes.NOT_AN_ACCOUNT.error(client=variable(secret.id, "CLIENT_ID"))


def _token_problem(secret: RegistrySecret) -> Iterator[DiscoveryError]:
    if secret.id_token is None:
        return
    from . import tokens  # most sets have none

    try:
        tokens.read(secret.id_token, name=variable(secret.id, "ID_TOKEN"), source="ID_TOKEN")
    except DiscoveryError as exc:
        yield exc
