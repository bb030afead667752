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

from ...errors import AuthenticationError, TransientError, UnreachableError
from .aws_names import fill

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ...errors import RegistryError
    from .aws_names import Names

_PUBLIC = "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * for {owner}"

# code: (its outcome's code, what {where} does, what to do)
_UNKNOWN_KEY = (
    "aws-key-unknown",
    "does not know the access key id",
    "check that {key} exists, is active, and belongs to the AWS partition of {set}_SERVER",
)
_BAD_SIGNATURE = (
    "aws-key-mismatch",
    "says that the secret access key does not fit the access key id",
    "check {secret}, also for white space and lost characters",
)
_EXPIRED = (
    "aws-token-expired",
    "says that the session token has expired",
    "renew {key}, {secret} and {token}; a secret that is to last needs a long-lived key or a role",
)
_UNSIGNED = (
    "aws-unsigned",
    "got the request without its signature",
    "look for a proxy that strips the Authorization header",
)
_INCOMPLETE = (
    "aws-signature-incomplete",
    "could not read the signature",
    "check {key} for characters that an access key id does not have",
)
_REFUSALS = {
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidSignatureException": _BAD_SIGNATURE,
    "SignatureDoesNotMatch": _BAD_SIGNATURE,
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "MissingAuthenticationToken": _UNSIGNED,
    "MissingAuthenticationTokenException": _UNSIGNED,
    "IncompleteSignature": _INCOMPLETE,
    "IncompleteSignatureException": _INCOMPLETE,
    "OptInRequired": (
        "aws-region-disabled",
        "says that the account has not enabled this region",
        "enable the region for the account, or correct {set}_SERVER",
    ),
    "SubscriptionRequired": (
        "aws-not-subscribed",
        "says that the account has not subscribed to this service",
        "finish the account's registration with AWS, payment included",
    ),
    "UnsupportedCommandException": (
        "aws-not-offered",
        "does not offer logins in this region",
        "correct {set}_SERVER: ECR Public has one host, public.ecr.aws",
    ),
}
_REFUSALS["SubscriptionRequiredException"] = _REFUSALS["SubscriptionRequired"]

# The same for calls that come before ECR's, where they mean something else.
_BY_OPERATION = {
    "AssumeRole": {
        "AccessDenied": (
            "aws-role-denied",
            "denied the action sts:AssumeRole",
            "allow it on {role} for {owner}, in a policy of theirs and in the role's trust policy",
        ),
        "ValidationError": (
            "aws-role-invalid",
            "says that this is not a role",
            "check {role}: arn:aws:iam::ACCOUNT:role/NAME",
        ),
        "RegionDisabledException": (
            "aws-sts-disabled",
            "is not active in this region for the account",
            "activate STS for the region in the account's settings of IAM",
        ),
    },
    "AssumeRoleWithWebIdentity": {
        "AccessDenied": (
            "aws-web-identity-denied",
            "denied the action sts:AssumeRoleWithWebIdentity",
            "allow the token's issuer, audience and subject in the trust policy of {role}",
        ),
        "ExpiredTokenException": (
            "aws-web-identity-expired",
            "says that the web identity token has expired",
            "renew the file of the token, which AWS_WEB_IDENTITY_TOKEN_FILE or the profile names",
        ),
        "InvalidIdentityToken": (
            "aws-web-identity-invalid",
            "does not accept the web identity token",
            "add the token's issuer to the account's identity providers in IAM",
        ),
        "IDPRejectedClaim": (
            "aws-web-identity-rejected",
            "says that the identity provider rejected the web identity token",
            "get a new token from the identity provider",
        ),
    },
    "GetRoleCredentials": {
        "ForbiddenException": (
            "aws-sso-denied",
            "does not give that account and role to this user",
            "check sso_account_id and sso_role_name of the profile, and the user's assignments",
        ),
        "ResourceNotFoundException": (
            "aws-sso-unknown-role",
            "does not know that account or role",
            "check sso_account_id and sso_role_name of the profile",
        ),
    },
}

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

# Who forbids what an own policy may well allow, in AWS's words.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
_FORBIDDERS = (
    ("service control policy", "a service control policy of the AWS organisation"),
    ("resource control policy", "a resource control policy of the AWS organisation"),
    ("permissions boundary", "a permissions boundary"),
    ("VPC endpoint policy", "the policy of the VPC endpoint"),
    ("session policy", "the policy of the session"),
    ("explicit deny", "an explicit deny in a policy"),
)
_ACTION = re.compile(r"to perform: ((?:ecr|ecr-public|sts):[A-Za-z]{3,40})\b")


def refused(
    operation: str, response: Mapping[str, Any], *, where: str, names: Names
) -> RegistryError:
    """
    The error for *response*, a refusal of the call *operation* as botocore parses it.

    Args:
        operation: `GetAuthorizationToken`, or a call on the way to an identity.
        response: With AWS's code, text and status.
        where: Whom the call went to, if it was ECR's: "ECR in eu-west-1".
        names: What the identity's parts are called.
    """
    error, metadata = response.get("Error", {}), response.get("ResponseMetadata", {})
    code, text = str(error.get("Code", "")), str(error.get("Message", ""))
    status = metadata.get("HTTPStatusCode", 0)
    who = _who(operation, where)
    if code in _THROTTLED or status == 429:
        return _again(f"{who} throttles the account's requests", metadata, "try again later")
    if code in _BROKEN or status >= 500:
        return _again(
            f"{who} has a failure of its own",
            metadata,
            "try again later; see health.aws.amazon.com",
        )
    if code in _CLOCK_CODES or _CLOCK.search(text):
        return AuthenticationError(
            f"{who} says that the request's time is off",
            hint="set this machine's clock; AWS tolerates 5 minutes",
            code="clock-skew",
        )
    own = _BY_OPERATION.get(operation, {}).get(code)
    if own is None and code in ("AccessDeniedException", "AccessDenied"):
        return _denied(operation, text, who, names)
    if own is None and (not code or code.isdecimal() or code == "Unknown"):
        return UnreachableError(
            f"something that is not AWS answered for {who} (status {status})",
            hint="look for a proxy or firewall on the way, and check AWS_ENDPOINT_URL",
            code="not-aws",
        )
    # What an endpoint calls its errors is its own affair until it looks like a name.
    name = code if re.fullmatch(r"[A-Za-z0-9.]{1,64}", code) else "an unknown code"
    outcome, said, hint = own or _REFUSALS.get(
        code,
        ("aws-refused", f"refused: {name}", "look the code up in AWS's list of common errors"),
    )
    return AuthenticationError(fill(f"{who} {said}", names), hint=fill(hint, names), code=outcome)


def _denied(operation: str, text: str, who: str, names: Names) -> AuthenticationError:
    named = _ACTION.search(text)
    service = "ecr-public" if who == "ECR Public" else "ecr"
    action = named[1] if named else f"{service}:{operation}"
    hint = _PUBLIC if who == "ECR Public" else f"allow {action} on * for {{owner}}"
    said = f"{who} denied the action {action}"
    for words, forbidder in _FORBIDDERS:
        if words in text:
            said = f"{said}: {forbidder} forbids it"
            hint = f"ask who keeps that policy to allow {action} for {{owner}}"
            break
    return AuthenticationError(said, hint=fill(hint, names), code="aws-denied")


def _who(operation: str, where: str) -> str:
    if operation.startswith("AssumeRole"):
        return "AWS STS"
    if operation == "GetRoleCredentials":
        return "IAM Identity Center"
    if operation == "CreateOAuth2Token":
        return "AWS Sign-In"
    return where if operation == "GetAuthorizationToken" else "AWS"


def _again(message: str, metadata: Mapping[str, Any], hint: str) -> TransientError:
    error = TransientError(message, hint=hint, code="busy")
    wait = str(metadata.get("HTTPHeaders", {}).get("retry-after", ""))
    if wait.isdecimal() and len(wait) < 6:
        error.retry_after = float(wait)
    return error
