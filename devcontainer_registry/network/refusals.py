# SPDX-License-Identifier: MIT
"""
Answers other than 200 as errors, with the fix.

A body is read for what it means and never quoted: it may repeat what was sent.
"""

from __future__ import annotations

import email.utils
import json
import re
import time

from ..errors import AuthenticationError, TransientError, UnreachableError
from .failures import not_a_registry, refused_by_proxy

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ..errors import RegistryError
    from ..registry import Registry
    from .transport import Response

# ACR's firewall: https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access
_FIREWALL = re.compile(
    rb"client with ip '?([0-9a-fA-F:.]{2,45})'? is not allowed access", re.IGNORECASE
)

# ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
_EXPIRED = re.compile(rb"authorization token has expired", re.IGNORECASE)

_SECONDS = re.compile(r"[0-9]{1,9}")


def error(
    response: Response,
    registry: Registry,
    *,
    realm: str | None = None,
    sent: bool = True,
    now: float | None = None,
) -> RegistryError:
    """
    The error to raise for *response*.

    Args:
        response: Of *registry*, or of its token server.
        registry: Who was asked.
        realm: The host of the token server, where that answered and is not the registry's own.
        sent: Whether it had been sent the credential.
        now: Unix seconds, for a `Retry-After` that is a date; None: the clock.
    """
    status = response.status
    who = realm or registry
    if status in (401, 403):
        return _denied(response, registry, realm, sent=sent)
    if status == 400 and sent:
        # A token endpoint may refuse so (RFC 6749, section 5.2), and ECR does, where the same
        # request without the credential was a 401: https://github.com/aws/aws-cli/issues/5317
        return refused(registry, realm)
    if status == 407:
        return refused_by_proxy("from the environment", who, status)
    if status in (408, 429) or status >= 500:
        return _busy(response, who, now)
    what = "the credential" if sent else "the question how to log in"
    return not_a_registry(who, f"answers {what} with status {status}, as no registry does")


def refused(registry: Registry, realm: str | None = None) -> AuthenticationError:
    """
    The error for a credential that was refused.
    """
    who = f"{realm}, the token server of {registry}," if realm else str(registry)
    return AuthenticationError(
        f"{who} refused the credential",
        hint="check *_USER and *_PASSWORD, and whether they have expired",
    )


def json_object(body: bytes) -> dict[str, Any]:
    """
    The JSON object in *body*; empty where there is none.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _denied(
    response: Response, registry: Registry, realm: str | None, *, sent: bool
) -> RegistryError:
    firewall = _FIREWALL.search(response.body)
    if firewall:
        return UnreachableError(
            f"{registry} does not let in the address {firewall[1].decode()}",
            hint="add that address to the registry's firewall, or connect from inside its network",
            code="ip-not-allowed",
        )
    if _EXPIRED.search(response.body):
        return AuthenticationError(
            f"{registry} says that the token has expired",
            hint="get a new one; an ECR token lasts 12 hours, an access key renews it by itself",
            code="token-expired",
        )
    if not sent:
        return AuthenticationError(
            f"{registry} refuses even the question how to log in (status {response.status})",
            hint="check that this network may reach the registry",
            # Not `rejected`, for which the kinds know hints about a credential: none was sent.
            code="network-refused",
        )
    return refused(registry, realm)


def _busy(response: Response, who: str, now: float | None) -> TransientError:
    if response.status == 429:
        what, code, hint = "asks us to come back later", "throttled", "wait before the next try"
    else:
        what, code, hint = "is busy or broken", "busy", "try again, or ask whoever runs it"
    exc = TransientError(f"{who} {what} (status {response.status})", hint=hint, code=code)
    exc.retry_after = _retry_after(response.header("Retry-After"), now)
    return exc


def _retry_after(value: str | None, now: float | None) -> float | None:
    """
    Seconds; from seconds or from a date (RFC 9110, section 10.2.3).
    """
    if value is None:
        return None
    if _SECONDS.fullmatch(value.strip()):
        return float(value)
    try:
        at = email.utils.parsedate_to_datetime(value).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return max(0.0, at - (time.time() if now is None else now))
