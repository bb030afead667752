# SPDX-License-Identifier: MIT
"""
Refusals of AWS by error code, with the fix.

AWS's own texts are not quoted: they name accounts and principals.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html (Errors)
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html (Errors)
https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
"""

from __future__ import annotations

import re

from ....causes.clouds import aws_refusals as causes
from ....errors import TransientError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ....causes.cause import Cause
    from ....errors import AuthenticationError, RegistryError
    from .names import Names

# https://github.com/boto/botocore/blob/1.35.0/botocore/retries/standard.py
_THROTTLED = frozenset(
    {
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    }
)
_BROKEN = frozenset(
    {
        "IDPCommunicationError",
        "InternalFailure",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServerException",
        "ServiceUnavailable",
    }
)
_CLOCK_CODES = frozenset({"RequestExpired", "RequestTimeTooSkewed"})
_CLOCK = re.compile(r"signature (?:expired|not yet current)", re.IGNORECASE)

_ACTION = re.compile(r"to perform: ((?:ecr|ecr-public|sts):[A-Za-z]{3,40})\b")


def refused(
    operation: str, response: Mapping[str, Any], *, where: str, names: Names
) -> RegistryError:
    """
    Return the error for *response*, a refusal of *operation* as parsed by botocore.

    Args:
        operation: `GetAuthorizationToken`, or a call on the way to an identity.
        response: AWS's code, text and status.
        where: Target of a call to ECR, such as "ECR in eu-west-1"; else None.
        names: Words for the identity.
    """
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, text = str(error.get("Code", "")), str(error.get("Message", ""))
    status = metadata.get("HTTPStatusCode", 0)
    who = _who(operation, where)
    of_token = names.web is not None and operation == "AssumeRoleWithWebIdentity"
    if of_token and (refusal := _of_token(code, text, names)) is not None:
        error_of = refusal.error(who=who, **names.facts)
        return _again(error_of, metadata) if isinstance(error_of, TransientError) else error_of
    if code in _THROTTLED or status == 429:
        return _again(causes.THROTTLED.error(who=who), metadata)
    if code in _BROKEN or status >= 500:
        return _again(causes.BROKEN.error(who=who), metadata)
    if code in _CLOCK_CODES or _CLOCK.search(text):
        return causes.CLOCK_SKEW.error(who=who)
    own = causes.BY_OPERATION.get(operation, {}).get(code)
    if own is None and code in ("AccessDeniedException", "AccessDenied"):
        return _denied(operation, text, who, names)
    if own is None and (not code or code.isdecimal() or code == "Unknown"):
        return causes.NOT_AWS.error(who=who, status=status)
    # Use an error code only if it looks like a name.
    name = code if re.fullmatch(r"[A-Za-z0-9.]{1,64}", code) else causes.UNKNOWN_CODE.say()
    cause = own or causes.REFUSALS.get(code, causes.OTHERWISE)
    return cause.error(who=who, code=name, **names.facts)


def _of_token(code: str, text: str, names: Names) -> Cause[RegistryError] | None:
    """
    Return the cause of a refusal of the set's own ID token, or None for AWS's common ones.
    """
    if code == "InvalidIdentityToken":
        if causes.WRONG_AUDIENCE in text:
            is_usual = names.facts["audience"] == names.facts["expected"]
            return causes.AUDIENCE_UNKNOWN if is_usual else causes.AUDIENCE_UNUSUAL
        for words, cause in causes.INVALID_TOKENS.items():
            if words in text:
                return cause
    return causes.WITH_ID_TOKEN.get(code)


def _denied(operation: str, text: str, who: str, names: Names) -> AuthenticationError:
    named = _ACTION.search(text)
    public = who == "ECR Public"
    action = named[1] if named else f"{'ecr-public' if public else 'ecr'}:{operation}"
    for words, forbidder in causes.FORBIDDERS.items():
        if words in text:
            return causes.FORBIDDEN.error(
                who=who, action=action, forbidder=forbidder.say(), **names.facts
            )
    fix = causes.DENIED_BY_PUBLIC if public else None
    return causes.DENIED.with_fix(fix).error(who=who, action=action, **names.facts)


def _who(operation: str, where: str) -> str:
    if operation.startswith("AssumeRole"):
        return "AWS STS"
    if operation == "GetRoleCredentials":
        return "IAM Identity Center"
    if operation == "CreateOAuth2Token":
        return "AWS Sign-In"
    return where if operation == "GetAuthorizationToken" else "AWS"


def _again(error: TransientError, metadata: Mapping[str, Any]) -> TransientError:
    wait = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    if wait.isdecimal() and len(wait) < 6:
        error.retry_after = float(wait)
    return error
