# SPDX-License-Identifier: MIT
"""
ID tokens, which say who a job or a pod is.

They are JSON Web Tokens of an issuer that the cloud trusts.
The signature is for the cloud to check.  The token is a secret; its claims are not, and a cloud's
policy is written from them.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass, field

from ..causes.clouds import identities as causes
from ..credentials import Secret, token_expiry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# Three parts in base64url, as RFC 7515 writes them: fit for a header and a form.
_JWT = r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+"

# Clocks differ; the clouds allow some minutes.
_LEEWAY = 60.0  # seconds

# Issuers, subjects and audiences; longer or other texts are not shown.
_SHOWN = r"[A-Za-z0-9._:/@*+=~#%,()\[\] -]{1,512}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdToken:
    """
    One ID token.

    Attributes:
        token: The token itself.
        name: The variable that holds it, or its issuer, for messages.
        source: The same for events: `ID_TOKEN` or `github-actions`.
        claims: What it says, unchecked.
    """

    token: Secret
    name: str
    source: str
    claims: Mapping[str, object] = field(repr=False, compare=False)

    @property
    def expires_at(self) -> float | None:
        """
        Its expiry in Unix seconds, or None.
        """
        return token_expiry(self.claims)

    @property
    def words(self) -> dict[str, str]:
        """
        Its name, issuer and audience, to fill a cause.
        """
        audience = self.claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        return {
            "id_token": self.name,
            "issuer": shown(self.claims.get("iss")),
            "audience": " or ".join(map(shown, audiences)) or shown(None),
        }


def read(token: Secret, *, name: str, source: str) -> IdToken:
    """
    Return *token* with its claims.

    Raises:
        DiscoveryError: It is not a JWT, or it has expired.
    """
    claims = _claims(token.reveal())
    if claims is None:
        fix = causes.IS_A_PATH if token.reveal().startswith("/") else None
        raise causes.MALFORMED.with_fix(fix).error(token=name)
    found = IdToken(token=token, name=name, source=source, claims=claims)
    late = time.time() - (found.expires_at or float("inf"))
    if late > _LEEWAY:
        raise causes.EXPIRED.error(token=name, ago=_span(late))
    return found


def is_jwt(text: str) -> bool:
    """
    Return whether *text* is a JWT.
    """
    return _claims(text) is not None


def shown(claim: object) -> str:
    """
    Return *claim* for a message, if it is one line of the characters that claims have.
    """
    if claim is None:
        return causes.NO_CLAIM.say()
    if isinstance(claim, (bool, int)):
        claim = str(claim).lower()
    is_fit = isinstance(claim, str) and re.fullmatch(_SHOWN, claim) and not is_jwt(claim)
    return str(claim) if is_fit else causes.ODD_CLAIM.say()


def _claims(text: str) -> dict[str, object] | None:
    if not re.fullmatch(_JWT, text):
        return None
    parts: list[dict[str, object]] = []
    for part in text.split(".")[:2]:
        try:
            content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        except (ValueError, RecursionError):
            return None
        if not isinstance(content, dict):
            return None
        parts.append(content)
    return parts[1]


def _span(seconds: float) -> str:
    if seconds < 7200:
        return f"{seconds / 60:.0f} minutes"
    return f"{seconds / 3600:.0f} hours" if seconds < 172800 else f"{seconds / 86400:.0f} days"
