# SPDX-License-Identifier: MIT
"""
What AWS refuses, in its own words, and what the user reads then: class, code, line and hint.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from aws_played import ROLE

from devcontainer_registry.errors import AuthenticationError, DiscoveryError, TransientError

ECR, STS, SSO = "GetAuthorizationToken", "AssumeRole", "GetRoleCredentials"
WEB = "AssumeRoleWithWebIdentity"

USER, PASSWORD = "E_CONTAINER_REGISTRY_USER", "E_CONTAINER_REGISTRY_PASSWORD"
TOKEN = "E_CONTAINER_REGISTRY_SESSION_TOKEN"
SERVER, ROLE_ARN = "E_CONTAINER_REGISTRY_SERVER", "E_CONTAINER_REGISTRY_ROLE_ARN"

PROFILE = "E_CONTAINER_REGISTRY_PROFILE"

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method."
)
BUSY = "try again later"
_BOTH = (
    "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * for the owner of "
    f"{USER}"
)
DENIED = "User: arn:aws:iam::1:user/dev is not authorized to perform: {} on resource: * {}"


def denied(action, why="because no identity-based policy allows it"):
    return DENIED.format(action, why)


# Call, code and text of AWS; then class, code, line and hint.
REFUSALS = [
    (
        (
            ECR,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        AuthenticationError,
        "aws-key-unknown",
        "ECR in eu-west-1 does not know the access key id",
        f"check that {USER} exists, is active, and belongs to the AWS partition of {SERVER}",
    ),
    (
        (ECR, "InvalidSignatureException", MISMATCH),
        AuthenticationError,
        "aws-key-mismatch",
        "ECR in eu-west-1 says that the secret access key does not fit the access key id",
        f"check {PASSWORD}, also for white space and lost characters",
    ),
    (
        (
            ECR,
            "InvalidSignatureException",
            "Signature expired: 20261124T0800Z is now earlier than 2",
        ),
        AuthenticationError,
        "clock-skew",
        "ECR in eu-west-1 says that the request's time is off",
        "set this machine's clock; AWS tolerates 5 minutes",
    ),
    (
        (ECR, "ExpiredTokenException", "The security token included in the request is expired"),
        AuthenticationError,
        "aws-token-expired",
        "ECR in eu-west-1 says that the session token has expired",
        (
            f"renew {USER}, {PASSWORD} and {TOKEN}; a secret that is to last needs a long-lived "
            "key or a role"
        ),
    ),
    (
        (ECR, "AccessDeniedException", denied("ecr:GetAuthorizationToken")),
        AuthenticationError,
        "aws-denied",
        "ECR in eu-west-1 denied the action ecr:GetAuthorizationToken",
        f"allow ecr:GetAuthorizationToken on * for the owner of {USER}",
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied(
                "ecr:GetAuthorizationToken", "with an explicit deny in a service control policy"
            ),
        ),
        AuthenticationError,
        "aws-denied",
        (
            "ECR in eu-west-1 denied the action ecr:GetAuthorizationToken: "
            "a service control policy of "
            "the AWS organisation forbids it"
        ),
        f"ask who keeps that policy to allow ecr:GetAuthorizationToken for the owner of {USER}",
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied("ecr:GetAuthorizationToken", "because no permissions boundary allows it"),
        ),
        AuthenticationError,
        "aws-denied",
        (
            "ECR in eu-west-1 denied the action ecr:GetAuthorizationToken: a permissions boundary "
            "forbids it"
        ),
        f"ask who keeps that policy to allow ecr:GetAuthorizationToken for the owner of {USER}",
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied(
                "ecr:GetAuthorizationToken", "with an explicit deny in an identity-based policy"
            ),
        ),
        AuthenticationError,
        "aws-denied",
        (
            "ECR in eu-west-1 denied the action ecr:GetAuthorizationToken: an explicit deny "
            "in a policy forbids it"
        ),
        f"ask who keeps that policy to allow ecr:GetAuthorizationToken for the owner of {USER}",
    ),
    (
        (ECR, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        AuthenticationError,
        "aws-unsigned",
        "ECR in eu-west-1 got the request without its signature",
        "look for a proxy that strips the Authorization header",
    ),
    (
        (ECR, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements"),
        AuthenticationError,
        "aws-signature-incomplete",
        "ECR in eu-west-1 could not read the signature",
        f"check {USER} for characters that an access key id does not have",
    ),
    (
        (ECR, "OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
        AuthenticationError,
        "aws-region-disabled",
        "ECR in eu-west-1 says that the account has not enabled this region",
        f"enable the region for the account, or correct {SERVER}",
    ),
    (
        (ECR, "SubscriptionRequiredException", "The AWS Access Key Id needs a subscription"),
        AuthenticationError,
        "aws-not-subscribed",
        "ECR in eu-west-1 says that the account has not subscribed to this service",
        "finish the account's registration with AWS, payment included",
    ),
    (
        (ECR, "ThrottlingException", "Rate exceeded"),
        TransientError,
        "busy",
        "ECR in eu-west-1 throttles the account's requests",
        BUSY,
    ),
    (
        (ECR, "ServerException", "oops", 500),
        TransientError,
        "busy",
        "ECR in eu-west-1 has a failure of its own",
        f"{BUSY}; see health.aws.amazon.com",
    ),
    (
        (ECR, "InvalidParameterException", "no"),
        AuthenticationError,
        "aws-refused",
        "ECR in eu-west-1 refused: InvalidParameterException",
        "look the code up in AWS's list of common errors",
    ),
    (
        (ECR, "<b>s3cret</b>", "no"),
        AuthenticationError,
        "aws-refused",
        "ECR in eu-west-1 refused: an unknown code",
        "look the code up in AWS's list of common errors",
    ),
    (
        (STS, "AccessDenied", denied("sts:AssumeRole")),
        AuthenticationError,
        "aws-role-denied",
        "AWS STS denied the action sts:AssumeRole",
        (
            f"allow it on the role in {ROLE_ARN} for the owner of {USER}, in a policy of theirs "
            "and in the role's trust policy"
        ),
    ),
    (
        (STS, "InvalidClientTokenId", "The security token included in the request is invalid."),
        AuthenticationError,
        "aws-key-unknown",
        "AWS STS does not know the access key id",
        f"check that {USER} exists, is active, and belongs to the AWS partition of {SERVER}",
    ),
    (
        (STS, "SignatureDoesNotMatch", MISMATCH),
        AuthenticationError,
        "aws-key-mismatch",
        "AWS STS says that the secret access key does not fit the access key id",
        f"check {PASSWORD}, also for white space and lost characters",
    ),
    (
        (STS, "SignatureDoesNotMatch", "Signature not yet current: 20261124T0800Z is still later"),
        AuthenticationError,
        "clock-skew",
        "AWS STS says that the request's time is off",
        "set this machine's clock; AWS tolerates 5 minutes",
    ),
    (
        (STS, "ExpiredToken", "The security token included in the request is expired"),
        AuthenticationError,
        "aws-token-expired",
        "AWS STS says that the session token has expired",
        (
            f"renew {USER}, {PASSWORD} and {TOKEN}; a secret that is to last needs a long-lived "
            "key or a role"
        ),
    ),
    (
        (STS, "ValidationError", f"{ROLE} is invalid"),
        AuthenticationError,
        "aws-role-invalid",
        "AWS STS says that this is not a role",
        f"check the role in {ROLE_ARN}: arn:aws:iam::ACCOUNT:role/NAME",
    ),
    (
        (STS, "RegionDisabledException", "STS is not activated in this region"),
        AuthenticationError,
        "aws-sts-disabled",
        "AWS STS is not active in this region for the account",
        "activate STS for the region in the account's settings of IAM",
    ),
    (
        (STS, "Throttling", "Rate exceeded"),
        TransientError,
        "busy",
        "AWS STS throttles the account's requests",
        BUSY,
    ),
    (
        (STS, "InternalFailure", "oops", 500),
        TransientError,
        "busy",
        "AWS STS has a failure of its own",
        f"{BUSY}; see health.aws.amazon.com",
    ),
]

# The same of ECR Public.
PUBLIC_REFUSALS = [
    (
        (ECR, "AccessDeniedException", denied("ecr-public:GetAuthorizationToken")),
        AuthenticationError,
        "aws-denied",
        "ECR Public denied the action ecr-public:GetAuthorizationToken",
        _BOTH,
    ),
    (
        (ECR, "AccessDeniedException", denied("sts:GetServiceBearerToken")),
        AuthenticationError,
        "aws-denied",
        "ECR Public denied the action sts:GetServiceBearerToken",
        _BOTH,
    ),
    (
        (ECR, "UnsupportedCommandException", "no"),
        AuthenticationError,
        "aws-not-offered",
        "ECR Public does not offer logins in this region",
        f"correct {SERVER}: ECR Public has one host, public.ecr.aws",
    ),
]

# Of a web identity, which the environment names.
WEB_REFUSALS = [
    (
        (WEB, "AccessDenied", denied("sts:AssumeRoleWithWebIdentity"), 403),
        AuthenticationError,
        "aws-web-identity-denied",
        "AWS STS denied the action sts:AssumeRoleWithWebIdentity",
        (
            "allow the token's issuer, audience and subject in the trust policy of the role of "
            "AWS_PROFILE or AWS_ROLE_ARN"
        ),
    ),
    (
        (WEB, "ExpiredTokenException", "Token expired"),
        AuthenticationError,
        "aws-web-identity-expired",
        "AWS STS says that the web identity token has expired",
        "renew the file of the token, which AWS_WEB_IDENTITY_TOKEN_FILE or the profile names",
    ),
    (
        (WEB, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        AuthenticationError,
        "aws-web-identity-invalid",
        "AWS STS does not accept the web identity token",
        "add the token's issuer to the account's identity providers in IAM",
    ),
    (
        (WEB, "IDPRejectedClaim", "no", 403),
        AuthenticationError,
        "aws-web-identity-rejected",
        "AWS STS says that the identity provider rejected the web identity token",
        "get a new token from the identity provider",
    ),
]

# Of a single sign-on, whose profile the set names.
SSO_REFUSALS = [
    (
        (SSO, "UnauthorizedException", "Session token not found or invalid", 401),
        DiscoveryError,
        "aws-sso-expired",
        f"the single sign-on session of {PROFILE} has expired",
        "run aws sso login with that profile in this container",
    ),
    (
        (SSO, "ForbiddenException", "No access", 403),
        AuthenticationError,
        "aws-sso-denied",
        "IAM Identity Center does not give that account and role to this user",
        ("check sso_account_id and sso_role_name of the profile, and the user's assignments"),
    ),
    (
        (SSO, "ResourceNotFoundException", "no", 404),
        AuthenticationError,
        "aws-sso-unknown-role",
        "IAM Identity Center does not know that account or role",
        "check sso_account_id and sso_role_name of the profile",
    ),
]

# AWS's other names for a cause that is above by its first one.
OTHER_NAMES = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "SubscriptionRequired": "SubscriptionRequiredException",
    "RequestExpired": "clock",
    "RequestTimeTooSkewed": "clock",
    **dict.fromkeys(
        (
            "LimitExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "TooManyRequestsException",
        ),
        "ThrottlingException",
    ),
    **dict.fromkeys(
        (
            "IDPCommunicationError",
            "InternalFailure",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
        ),
        "ServerException",
    ),
}
