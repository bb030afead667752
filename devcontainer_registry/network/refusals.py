# SPDX-License-Identifier: MIT
"""
Answers other than 200 as errors, with the fix.

A body is parsed but never quoted: it may repeat the request.
"""

from __future__ import annotations

import email.utils
import json
import re
import time

from ..causes import login
from ..causes.network import UNNAMED_PROXY
from .failures import refused_by_proxy

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ..errors import AuthenticationError, RegistryError, TransientError
    from ..registry import Registry
    from .transport import Response

# ACR's firewall: https://learn.microsoft.com/azure/container-registry/container-registry-troubleshoot-access
_FIREWALL = rb"client with ip '?([0-9a-fA-F:.]{2,45})'? is not allowed access"

# ECR: https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
_EXPIRED = rb"authorization token has expired"

_SECONDS = r"[0-9]{1,9}"


def error(
    response: Response,
    registry: Registry,
    *,
    realm: str | None = None,
    sent: bool = True,
    now: float | None = None,
) -> RegistryError:
    """
    Return the error for *response*.

    Args:
        response: Answer of *registry* or its token server.
        registry: The registry.
        realm: Host of the token server, if that answered and is not the registry's.
        sent: Whether the request held the credential.
        now: Unix seconds, for a `Retry-After` that is a date; None: the clock.
    """
    status = response.status
    who = realm or registry
    if status in (401, 403):
        return _denied(response, registry, realm, sent=sent)
    if status == 400 and sent:
        # A token endpoint may refuse like this (RFC 6749, section 5.2), and so does ECR if the
        # request without the credential got a 401: https://github.com/aws/aws-cli/issues/5317
        return refused(registry, realm)
    if status == 407:
        return refused_by_proxy(UNNAMED_PROXY.say(), who, status)
    if status in (408, 429) or status >= 500:
        return _busy(response, who, now)
    strange = login.STRANGE_STATUS_TO_CREDENTIAL if sent else login.STRANGE_STATUS
    return strange.error(host=who, status=status)


def refused(registry: Registry, realm: str | None = None) -> AuthenticationError:
    """
    Return the error for a refused credential.
    """
    cause = login.REFUSED_BY_TOKEN_SERVER if realm else login.REFUSED
    return cause.error(host=registry, realm=realm)


def json_object(body: bytes) -> dict[str, Any]:
    """
    Return the JSON object in *body*, or an empty one.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _denied(
    response: Response, registry: Registry, realm: str | None, *, sent: bool
) -> RegistryError:
    firewall = re.search(_FIREWALL, response.body, re.IGNORECASE)
    if firewall:
        return login.IP_NOT_ALLOWED.error(host=registry, address=firewall[1].decode())
    if re.search(_EXPIRED, response.body, re.IGNORECASE):
        return login.TOKEN_EXPIRED.error(host=registry)
    if not sent:
        return login.NETWORK_REFUSED.error(host=registry, status=response.status)
    return refused(registry, realm)


def _busy(response: Response, who: str, now: float | None) -> TransientError:
    cause = login.THROTTLED if response.status == 429 else login.BUSY
    exc = cause.error(host=who, status=response.status)
    exc.retry_after = _retry_after(response.header("Retry-After"), now)
    return exc


def _retry_after(value: str | None, now: float | None) -> float | None:
    """
    Return the seconds in a `Retry-After`, a number or a date (RFC 9110, section 10.2.3).
    """
    if value is None:
        return None
    if re.fullmatch(_SECONDS, value.strip()):
        return float(value)
    at = seconds_of(value)
    return None if at is None else max(0.0, at - (time.time() if now is None else now))


def seconds_of(date: str | None) -> float | None:
    """
    Return a header's date (RFC 9110, section 5.6.7) in Unix seconds, or None.
    """
    try:
        return email.utils.parsedate_to_datetime(date or "").timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
