# SPDX-License-Identifier: MIT
"""
Causes on the way to a password of AWS's.

`{key}` and its kin are what an identity's parts are called, and `{set}` is the prefix of a set's
variables.
"""

from __future__ import annotations

from ...errors import DiscoveryError, RegistryError, TransientError, UnreachableError
from ..cause import Cause, Fix, Reason

# A set that cannot be right.

IDENTITY_AMBIGUOUS = Cause(
    "identity-ambiguous",
    DiscoveryError,
    "{set}_PROFILE and {set}_USER are both set",
    "unset one of them",
)
KEY_OF_TOKEN = Fix(
    "missing-member",
    "where only a session token is set",
    "set {set}_USER and {set}_PASSWORD to that key, or unset the token",
)
TOKEN_WITHOUT_KEY = Cause(
    "missing-member",
    DiscoveryError,
    "{set}_SESSION_TOKEN is set without its access key",
    KEY_OF_TOKEN.text,
)
ROLE_INVALID = Cause(
    "aws-role-invalid",
    DiscoveryError,
    "{set}_ROLE_ARN is not the ARN of a role",
    "write it as arn:aws:iam::ACCOUNT:role/NAME",
)
KEY_SWAPPED = Cause(
    "aws-key-swapped",
    DiscoveryError,
    "{set}_USER and {set}_PASSWORD are swapped; nothing was sent",
    "set {set}_USER to the access key id, and _PASSWORD to the secret key",
)
KEY_MALFORMED = Cause(
    "aws-key-malformed",
    DiscoveryError,
    "{set}_{member} contains a character that no AWS key has",
    "copy {set}_{member} again, as one line",
)
SESSION_TOKEN_MISSING = Cause(
    "session-token-missing",
    DiscoveryError,
    "{set}_USER is a temporary access key and needs a session token",
    "set {token}, or use a long-lived key (AKIA…)",
)
SESSION_TOKEN_MISSING_THERE = Cause(
    "session-token-missing",
    DiscoveryError,
    "{key} is a temporary access key and needs a session token",
    "set {token}, or use a long-lived key (AKIA…)",
)
REGION_MISSING = Cause(
    "region-missing",
    DiscoveryError,
    "cannot tell the AWS region of {host}",
    "set {region} to a region such as eu-west-1",
)

# What the SDK raises before it asks anybody, by the name of the class, as older ones lack some.
LOCAL: dict[str, Cause[DiscoveryError]] = {
    "ProfileNotFound": Cause(
        "aws-profile-missing",
        DiscoveryError,
        "the AWS profile that {profile} names does not exist here",
        "correct {profile}, or add the profile to ~/.aws/config",
    ),
    "InfiniteLoopConfigError": Cause(
        "aws-profile-loop",
        DiscoveryError,
        "the AWS profiles of {profile} refer to each other in a loop",
        "correct source_profile in ~/.aws/config",
    ),
    "InvalidConfigError": Cause(
        "aws-profile-incomplete",
        DiscoveryError,
        "the AWS profile of {profile} is incomplete, or its source_profile or credential_source is",
        "run aws sts get-caller-identity --profile with that profile to see what is missing",
    ),
    "SSOTokenLoadError": Cause(
        "aws-sso-missing",
        DiscoveryError,
        "the AWS profile of {profile} is not signed in",
        "run aws sso login with that profile in this container",
    ),
    "UnauthorizedSSOTokenError": Cause(
        "aws-sso-expired",
        DiscoveryError,
        "the single sign-on session of {profile} expired",
        "run aws sso login with that profile in this container",
    ),
    "TokenRetrievalError": Cause(
        "aws-sso-expired",
        DiscoveryError,
        "the single sign-on session of {profile} expired and could not be renewed",
        "run aws sso login with that profile in this container",
    ),
    "LoginTokenLoadError": Cause(
        "aws-login-missing",
        DiscoveryError,
        "the AWS profile of {profile} has no aws login session here",
        "run aws login --remote with that profile in this container",
    ),
    "LoginRefreshRequired": Cause(
        "aws-login-expired",
        DiscoveryError,
        "the aws login session of {profile} expired",
        "run aws login --remote with that profile in this container",
    ),
    "LoginInsufficientPermissions": Cause(
        "aws-login-denied",
        DiscoveryError,
        "AWS denied signin:CreateOAuth2Token to the profile of {profile}",
        "attach the policy SignInLocalDevelopmentAccess to the identity that ran aws login",
    ),
    "LoginError": Cause(
        "aws-login-refused",
        DiscoveryError,
        "AWS did not renew the aws login session of {profile}",
        "run aws login --remote with that profile in this container",
    ),
    "MissingDependencyException": Cause(
        "aws-sdk-incomplete",
        DiscoveryError,
        "the AWS profile of {profile} uses aws login, which needs the Python package awscrt",
        "run {python} -m pip install 'botocore[crt]'",
    ),
    "InvalidIMDSEndpointError": Cause(
        "aws-endpoint-invalid",
        DiscoveryError,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT is not a URL",
        "correct or unset it",
    ),
    "InvalidRegionError": Cause(
        "region-invalid",
        DiscoveryError,
        "the AWS region is not valid",
        "set {set}_REGION to a region such as eu-west-1",
    ),
    "NeedsCodeError": Cause(
        "aws-mfa",
        DiscoveryError,
        "the AWS profile of {profile} asks for a multi-factor code",
        "use a profile with aws sso login, or a role that needs no code",
    ),
}
AGENT_OF_CONTAINER = Fix(
    "aws-metadata-unreachable",
    "in a container with an agent",
    "check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and that the agent behind it runs",
)
RETRIEVAL: dict[str, Cause[RegistryError]] = {
    "custom-process": Cause(
        "aws-process-failed",
        DiscoveryError,
        "the credential_process of {profile} failed",
        "run the profile's credential_process by hand to see why",
    ),
    "container-role": Cause(
        "aws-metadata-unreachable",
        UnreachableError,
        "the container credentials endpoint returned no credentials",
        AGENT_OF_CONTAINER.text,
    ),
    "iam-role": Cause(
        "aws-metadata-unreachable",
        UnreachableError,
        "the instance metadata returned no credentials",
        "give the instance a role, and set its metadata hop limit to 2",
    ),
}

# The same, without a class of its own.

FILL_PROFILE = Fix(
    "aws-no-credentials",
    "where a profile is named",
    "add keys, a role or single sign-on to the profile in ~/.aws/config",
)
PROFILE_WITHOUT_KEYS = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "the AWS profile that {set}_PROFILE names has no credentials",
    FILL_PROFILE.text,
)
NO_CREDENTIALS = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "no AWS credentials found for {endpoint}",
    "set {set}_USER and {set}_PASSWORD to an access key, or {set}_PROFILE to a profile",
)
NO_CREDENTIALS_NOR_METADATA = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "no AWS credentials found for {endpoint}; instance metadata is switched off",
    NO_CREDENTIALS.fix,
)
ALLOW_GITHUB = Fix(
    "aws-no-credentials",
    "in GitHub Actions, where a role is named",
    "add permissions: id-token: write to the workflow's job",
)
KEY_INCOMPLETE = Cause(
    "aws-key-incomplete",
    DiscoveryError,
    "this container's AWS credentials have an access key id but no {part}",
    "set the missing part, or remove the access key id",
)
SECRET_KEY = Reason("part", "the secret access key")
CONFIG_UNREADABLE = Cause(
    "aws-config-broken",
    DiscoveryError,
    "{path} is not a valid AWS configuration file",
    "correct or remove it, or correct AWS_CONFIG_FILE",
)
CONFIG_MISSING = Cause(
    "aws-config-broken",
    DiscoveryError,
    "{path} does not exist",
    "correct or remove it, or correct AWS_CONFIG_FILE",
)
FILES_OF_PROFILE = Fix(
    "aws-config-broken",
    "where the profile names a file or program",
    "check web_identity_token_file and credential_process in ~/.aws/config, and their permissions",
)
FILE_UNREADABLE = Cause(
    "aws-config-broken",
    DiscoveryError,
    "cannot open a file or program that {profile} needs",
    FILES_OF_PROFILE.text,
)
WEB_IDENTITY_MISSING = Cause(
    "aws-web-identity-missing",
    DiscoveryError,
    "cannot read the file that AWS_WEB_IDENTITY_TOKEN_FILE names",
    "mount the token into this container, or unset AWS_WEB_IDENTITY_TOKEN_FILE",
)
ALL_OF_AWS = Fix(
    "aws-config-broken",
    "where the SDK gives no reason",
    "check the variables that begin with AWS_, and ~/.aws/config",
)
SDK_FAILED = Cause(
    "aws-config-broken",
    DiscoveryError,
    "the AWS SDK failed for {endpoint}: {error}",
    ALL_OF_AWS.text,
)
NO_ENDPOINT = Cause(
    "aws-no-endpoint",
    DiscoveryError,
    "AWS has no such endpoint for {endpoint}",
    "check {set}_SERVER, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or set "
    "AWS_ENDPOINT_URL_ECR",
)
ENDPOINT_INVALID = Cause(
    "aws-endpoint-invalid",
    DiscoveryError,
    "the endpoint URL for {service} is not valid",
    "correct or unset it",
)
ENDPOINT_NOT_TLS = Cause(
    "aws-endpoint-invalid",
    DiscoveryError,
    "the endpoint URL for sts is not an https URL; nothing was sent",
    "correct or unset it",
)

# Nobody answers, or not as AWS does.

NO_TOKEN = Cause(
    "not-aws",
    RegistryError,
    "the server that answered for {endpoint} sent no token",
    "check AWS_ENDPOINT_URL, and look for a proxy or firewall in between",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "AWS timed out",
    "check the network, or allow more time with --timeout",
)
SOURCE_TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "the AWS identity source for {endpoint} timed out after {seconds:.0f} seconds",
    "check the network, or allow more time with --timeout",
)
BUNDLE_UNUSABLE = Cause(
    "ca-file",
    UnreachableError,
    "AWS_CA_BUNDLE does not name a file with certificates",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
)
UNTRUSTED = Fix(
    "certificate-untrusted",
    "by AWS",
    "set AWS_CA_BUNDLE to a PEM file with the certificate authority, such as the proxy's",
)
UNREACHED = Fix(
    "unreachable",
    "at AWS",
    "check the region in {set}_SERVER, the network, the proxy and AWS_ENDPOINT_URL",
)
LATE = Fix(
    "timeout",
    "by AWS",
    "check the network, the proxy and AWS_ENDPOINT_URL, or allow more time with --timeout",
)
STRANGER = Fix(
    "not-a-registry",
    "where AWS should answer",
    "check AWS_ENDPOINT_URL, and look for a proxy or firewall in between",
)

# What ECR means by its own refusals, once AWS has given a token.

ECR_TOKEN_EXPIRED = Fix(
    "token-expired", "by ECR", "set {set}_PASSWORD to a new token from {command}; it lasts 12 hours"
)
ECR_PASSWORD_REFUSED = Fix(
    "rejected", "by ECR, to the user AWS", "set {set}_PASSWORD to the output of {command}"
)
# The token is new, so it is for elsewhere, or stopped on its way.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
ECR_TOKEN_REFUSED = Fix(
    "rejected",
    "by ECR",
    "check the account and the region in {set}_SERVER, and the policy of a VPC endpoint",
)
ECR_PULL_DENIED = Fix(
    "pull-denied",
    "by ECR",
    "allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:BatchCheckLayerAvailability on "
    "the repository",
)
