# SPDX-License-Identifier: MIT
"""
Causes that AWS itself states, by its own codes.

`{who}` is the service; `{key}` and its kin are what an identity's parts are called, and `{set}` is
the prefix of a set's variables.
"""

from __future__ import annotations

from ...errors import (
    AuthenticationError,
    RegistryError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from ..cause import Cause, Fix, Reason

_UNKNOWN_KEY = Cause(
    "aws-key-unknown",
    AuthenticationError,
    "{who} does not know the access key id",
    "check that {key} exists, is active, and belongs to the AWS partition of {set}_SERVER",
)
_BAD_SIGNATURE = Cause(
    "aws-key-mismatch",
    AuthenticationError,
    "{who} says that the secret access key is wrong",
    "check {secret} for white space and missing characters",
)
_EXPIRED = Cause(
    "aws-token-expired",
    AuthenticationError,
    "{who} says that the session token expired",
    "renew {key}, {secret} and {token}, or use a long-lived key or a role",
)
_UNSIGNED = Cause(
    "aws-unsigned",
    AuthenticationError,
    "{who} received the request without its signature",
    "look for a proxy that strips the Authorization header",
)
_INCOMPLETE = Cause(
    "aws-signature-incomplete",
    AuthenticationError,
    "{who} could not read the signature",
    "check {key} for characters that an access key id cannot have",
)
_NOT_SUBSCRIBED = Cause(
    "aws-not-subscribed",
    AuthenticationError,
    "{who} says that the account is not subscribed to this service",
    "complete the account's registration with AWS, including payment",
)
_STS_DISABLED = Cause(
    "aws-sts-disabled",
    AuthenticationError,
    "{who} is not active in this region for the account",
    "activate STS for this region in the account's IAM settings",
)
REFUSALS: dict[str, Cause[AuthenticationError]] = {
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
    "OptInRequired": Cause(
        "aws-region-disabled",
        AuthenticationError,
        "{who} says that this region is not enabled for the account",
        "enable the region for the account, or correct {set}_SERVER",
    ),
    "SubscriptionRequired": _NOT_SUBSCRIBED,
    "UnsupportedCommandException": Cause(
        "aws-not-offered",
        AuthenticationError,
        "{who} offers no logins in this region",
        "correct {set}_SERVER; ECR Public has one host, public.ecr.aws",
    ),
    "SubscriptionRequiredException": _NOT_SUBSCRIBED,
}

# The same for calls that come before ECR's, where they mean something else.
BY_OPERATION: dict[str, dict[str, Cause[AuthenticationError]]] = {
    "AssumeRole": {
        "AccessDenied": Cause(
            "aws-role-denied",
            AuthenticationError,
            "{who} denied sts:AssumeRole",
            "allow sts:AssumeRole on {role} for {owner}, in its policy and in the role's trust "
            "policy",
        ),
        "ValidationError": Cause(
            "aws-role-invalid",
            AuthenticationError,
            "{who} says that this is not a role",
            "write it as arn:aws:iam::ACCOUNT:role/NAME",
        ),
        "RegionDisabledException": _STS_DISABLED,
    },
    "AssumeRoleWithWebIdentity": {
        "AccessDenied": Cause(
            "aws-web-identity-denied",
            AuthenticationError,
            "{who} denied sts:AssumeRoleWithWebIdentity",
            "allow the token's issuer, audience and subject in the trust policy of {role}",
        ),
        "ExpiredTokenException": Cause(
            "aws-web-identity-expired",
            AuthenticationError,
            "{who} says that the web identity token expired",
            "renew the token file that AWS_WEB_IDENTITY_TOKEN_FILE or the profile names",
        ),
        "InvalidIdentityToken": Cause(
            "aws-web-identity-invalid",
            AuthenticationError,
            "{who} rejected the web identity token",
            "add the token's issuer to the account's identity providers in IAM",
        ),
        "IDPRejectedClaim": Cause(
            "aws-web-identity-rejected",
            AuthenticationError,
            "{who} says that the identity provider rejected the web identity token",
            "get a new token from the identity provider",
        ),
    },
    "GetRoleCredentials": {
        "ForbiddenException": Cause(
            "aws-sso-denied",
            AuthenticationError,
            "{who} does not give this user that account and role",
            "check the profile's sso_account_id and sso_role_name, and the user's assignments",
        ),
        "ResourceNotFoundException": Cause(
            "aws-sso-unknown-role",
            AuthenticationError,
            "{who} does not know that account or role",
            "check the profile's sso_account_id and sso_role_name",
        ),
    },
}

# The same for the ID token of a set.
# https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
WITH_ID_TOKEN: dict[str, Cause[RegistryError]] = {
    "AccessDenied": Cause(
        "aws-id-token-denied",
        AuthenticationError,
        "{who} denied sts:AssumeRoleWithWebIdentity to {id_token}",
        "allow its issuer, audience and subject, which doctor shows, in the trust policy of {role}",
    ),
    "ExpiredTokenException": Cause(
        "aws-id-token-expired",
        AuthenticationError,
        "{who} says that {id_token} expired",
        "get a new token: run the CI job again, or check what renews the token's file",
    ),
    "InvalidIdentityToken": Cause(
        "aws-id-token-invalid",
        AuthenticationError,
        "{who} rejected {id_token}",
        "check that IAM has an identity provider for {issuer}, and that its keys are current",
    ),
    "IDPRejectedClaim": Cause(
        "aws-id-token-rejected",
        AuthenticationError,
        "{who} says that {issuer} rejected {id_token}",
        "get a new token: run the CI job again, or check what renews the token's file",
    ),
    "IDPCommunicationError": Cause(
        "aws-id-token-unreachable",
        TransientError,
        "{who} could not reach {issuer}",
        "try again later; AWS reads the issuer's keys over the internet",
    ),
    "RegionDisabledException": _STS_DISABLED,
}
# What the texts of InvalidIdentityToken say.
# https://github.com/aws-actions/configure-aws-credentials/issues/1309
WRONG_AUDIENCE = "Incorrect token audience"
AUDIENCE_UNUSUAL: Cause[RegistryError] = Cause(
    "aws-id-token-audience",
    AuthenticationError,
    "{who} expects the audience {expected}, but {id_token} has {audience}",
    "get a token for {expected}, or add {audience} to the identity provider in IAM",
)
ADD_AUDIENCE = Fix(
    "aws-id-token-audience",
    "where it is the expected one",
    "add {audience} to the audiences of the identity provider {issuer} in IAM",
)
AUDIENCE_UNKNOWN: Cause[RegistryError] = Cause(
    "aws-id-token-audience",
    AuthenticationError,
    "{who} does not accept the audience {audience} of {id_token}",
    ADD_AUDIENCE.text,
)
INVALID_TOKENS: dict[str, Cause[RegistryError]] = {
    # https://github.com/aws-actions/configure-aws-credentials/issues/280
    "No OpenIDConnect provider found": Cause(
        "aws-id-token-issuer",
        AuthenticationError,
        "the AWS account has no identity provider for {issuer}",
        "add {issuer} to the account's identity providers in IAM, with the audience {audience}",
    ),
    # https://docs.gitlab.com/ci/cloud_services/aws/#troubleshooting
    "Couldn't retrieve verification key": Cause(
        "aws-id-token-keys",
        AuthenticationError,
        "{who} cannot read the keys of {issuer}",
        "make {issuer}/.well-known/openid-configuration and its keys reachable from the internet",
    ),
}

OTHERWISE = Cause(
    "aws-refused",
    AuthenticationError,
    "{who} refused: {code}",
    "look up this code in the AWS list of common errors",
)
UNKNOWN_CODE = Reason("code", "an unknown code")
DENIED = Cause(
    "aws-denied",
    AuthenticationError,
    "{who} denied {action}",
    "allow {action} on * for {owner}",
)
DENIED_BY_PUBLIC = Fix(
    "aws-denied",
    "by ECR Public",
    "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * for {owner}",
)
ASK_OWNER = Fix(
    "aws-denied",
    "where a policy of others forbids it",
    "ask the owner of that policy to allow {action} for {owner}",
)
FORBIDDEN = Cause(
    "aws-denied",
    AuthenticationError,
    "{who} denied {action}: {forbidder} forbids it",
    ASK_OWNER.text,
)
# Who forbids what an own policy may well allow, by AWS's words for it.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
FORBIDDERS = {
    "service control policy": Reason(
        "forbidder", "a service control policy of the AWS organisation"
    ),
    "resource control policy": Reason(
        "forbidder", "a resource control policy of the AWS organisation"
    ),
    "permissions boundary": Reason("forbidder", "a permissions boundary"),
    "VPC endpoint policy": Reason("forbidder", "the policy of the VPC endpoint"),
    "session policy": Reason("forbidder", "the policy of the session"),
    "explicit deny": Reason("forbidder", "an explicit deny in a policy"),
}
THROTTLED = Cause(
    "busy", ThrottledError, "{who} is throttling the account's requests", "try again later"
)
BROKEN = Cause(
    "busy",
    TransientError,
    "{who} has an internal error",
    "try again later",
)
CLOCK_SKEW = Cause(
    "clock-skew",
    AuthenticationError,
    "{who} says that this machine's clock is wrong",
    "correct this machine's clock",
)
NOT_AWS = Cause(
    "not-aws",
    UnreachableError,
    "a server that is not AWS answered for {who} (status {status})",
    "check AWS_ENDPOINT_URL, and look for a proxy or firewall in between",
)
