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
    "{set}_PROFILE and {set}_USER name two identities",
    "unset one of them",
)
TOKEN_WITHOUT_KEY = Cause(
    "missing-member",
    DiscoveryError,
    "{set}_SESSION_TOKEN is there without the access key that it belongs to",
    "set {set}_USER and {set}_PASSWORD to that key, or unset it",
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
    "{set}_{member} holds a character that no AWS key has",
    "copy {set}_{member} anew, as one line",
)
SESSION_TOKEN_MISSING = Cause(
    "session-token-missing",
    DiscoveryError,
    "{set}_USER is a temporary access key, which works only with its session token",
    "set {set}_SESSION_TOKEN, or use a long-lived key (AKIA…)",
)
SESSION_TOKEN_MISSING_THERE = Cause(
    "session-token-missing",
    DiscoveryError,
    "{key} is a temporary one, which works only with its session token",
    "set {token}, or use a long-lived key (AKIA…)",
)
REGION_MISSING = Cause(
    "region-missing",
    DiscoveryError,
    "{host} does not tell its AWS region",
    "set {region}, such as eu-west-1",
)

# What the SDK raises before it asks anybody, by the name of the class, as older ones lack some.
LOCAL: dict[str, Cause[DiscoveryError]] = {
    "ProfileNotFound": Cause(
        "aws-profile-missing",
        DiscoveryError,
        "{profile} names a profile that this container does not have",
        "correct {profile}, or add the profile to ~/.aws/config",
    ),
    "InfiniteLoopConfigError": Cause(
        "aws-profile-loop",
        DiscoveryError,
        "the profiles of {profile} go round in a circle",
        "correct source_profile in ~/.aws/config",
    ),
    "InvalidConfigError": Cause(
        "aws-profile-incomplete",
        DiscoveryError,
        "the profile of {profile} is incomplete, or its source_profile or credential_source is",
        "run aws sts get-caller-identity with that profile, which says what is missing",
    ),
    "SSOTokenLoadError": Cause(
        "aws-sso-missing",
        DiscoveryError,
        "nobody has signed in for the single sign-on profile of {profile}",
        "run aws sso login with that profile in this container",
    ),
    "UnauthorizedSSOTokenError": Cause(
        "aws-sso-expired",
        DiscoveryError,
        "the single sign-on session of {profile} has expired",
        "run aws sso login with that profile in this container",
    ),
    "TokenRetrievalError": Cause(
        "aws-sso-expired",
        DiscoveryError,
        "the single sign-on session of {profile} has expired and could not be renewed",
        "run aws sso login with that profile in this container",
    ),
    "LoginTokenLoadError": Cause(
        "aws-login-missing",
        DiscoveryError,
        "this container has no session of aws login for the profile of {profile}",
        "run aws login --remote with that profile in this container",
    ),
    "LoginRefreshRequired": Cause(
        "aws-login-expired",
        DiscoveryError,
        "the session of aws login for the profile of {profile} has expired",
        "run aws login --remote with that profile in this container",
    ),
    "LoginInsufficientPermissions": Cause(
        "aws-login-denied",
        DiscoveryError,
        "AWS denied the action signin:CreateOAuth2Token to the profile of {profile}",
        "attach AWS's policy SignInLocalDevelopmentAccess to the identity that ran aws login",
    ),
    "LoginError": Cause(
        "aws-login-refused",
        DiscoveryError,
        "AWS did not renew the session of aws login for the profile of {profile}",
        "run aws login --remote with that profile in this container",
    ),
    "MissingDependencyException": Cause(
        "aws-sdk-incomplete",
        DiscoveryError,
        "the profile of {profile} uses aws login, for which botocore needs its part awscrt",
        "run {python} -m pip install 'botocore[crt]'",
    ),
    "InvalidIMDSEndpointError": Cause(
        "aws-endpoint-invalid",
        DiscoveryError,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT is no URL",
        "correct or unset AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ),
    "InvalidRegionError": Cause(
        "region-invalid",
        DiscoveryError,
        "the AWS region is not a region's name",
        "correct {set}_REGION, such as eu-west-1",
    ),
    "NeedsCodeError": Cause(
        "aws-mfa",
        DiscoveryError,
        "the profile of {profile} asks for a code of a second factor",
        "use a profile with aws sso login, or a role whose trust policy asks for no code",
    ),
}
RETRIEVAL: dict[str, Cause[RegistryError]] = {
    "custom-process": Cause(
        "aws-process-failed",
        DiscoveryError,
        "the credential_process of {profile} failed",
        "run the credential_process of the profile by hand to see why",
    ),
    "container-role": Cause(
        "aws-metadata-unreachable",
        UnreachableError,
        "the container's credentials endpoint gave none",
        "check AWS_CONTAINER_CREDENTIALS_FULL_URI or _RELATIVE_URI, and that its agent runs",
    ),
    "iam-role": Cause(
        "aws-metadata-unreachable",
        UnreachableError,
        "the instance metadata gave no credentials",
        "give the instance a role, and let containers reach its metadata (hop limit 2)",
    ),
}

# The same, without a class of its own.

PROFILE_WITHOUT_KEYS = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "the profile that {set}_PROFILE names holds no credentials for {endpoint}",
    "add keys, a role or single sign-on to the profile in ~/.aws",
)
NO_CREDENTIALS = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "no AWS credentials for {endpoint}: not in AWS_ACCESS_KEY_ID, ~/.aws, a single sign-on, a web "
    "identity, container or instance metadata",
    "set {set}_USER and {set}_PASSWORD to an access key, or {set}_PROFILE to a profile",
)
NO_CREDENTIALS_NOR_METADATA = Cause(
    "aws-no-credentials",
    DiscoveryError,
    "no AWS credentials for {endpoint}: not in AWS_ACCESS_KEY_ID, ~/.aws, a single sign-on, a web "
    "identity, container or instance metadata (switched off)",
    NO_CREDENTIALS.fix,
)
KEY_INCOMPLETE = Cause(
    "aws-key-incomplete",
    DiscoveryError,
    "the AWS credentials of this container have an access key id but no {part}",
    "set it beside the access key id, or remove that one, too",
)
SECRET_KEY = Reason("part", "the secret access key")
CONFIG_UNREADABLE = Cause(
    "aws-config-broken",
    DiscoveryError,
    "the file {path} can't be read as AWS's configuration",
    "repair it, move it away, or correct AWS_CONFIG_FILE",
)
CONFIG_MISSING = Cause(
    "aws-config-broken",
    DiscoveryError,
    "the file {path} is not there",
    "repair it, move it away, or correct AWS_CONFIG_FILE",
)
FILE_UNREADABLE = Cause(
    "aws-config-broken",
    DiscoveryError,
    "a file or program that {profile} needs can't be opened",
    "check web_identity_token_file and credential_process in ~/.aws/config, and who may read that "
    "file",
)
WEB_IDENTITY_MISSING = Cause(
    "aws-web-identity-missing",
    DiscoveryError,
    "the file that AWS_WEB_IDENTITY_TOKEN_FILE names can't be read",
    "mount the token into this container, or unset AWS_WEB_IDENTITY_TOKEN_FILE",
)
SDK_FAILED = Cause(
    "aws-config-broken",
    DiscoveryError,
    "{endpoint} can't be asked: the SDK of AWS raised {error}",
    "check the variables that begin with AWS_, and ~/.aws/config",
)
NO_ENDPOINT = Cause(
    "aws-no-endpoint",
    DiscoveryError,
    "AWS has no endpoint of this kind for {endpoint}",
    "check {set}_SERVER, AWS_USE_FIPS_ENDPOINT and AWS_USE_DUALSTACK_ENDPOINT, or set "
    "AWS_ENDPOINT_URL_ECR",
)
ENDPOINT_INVALID = Cause(
    "aws-endpoint-invalid",
    DiscoveryError,
    "the endpoint that AWS_ENDPOINT_URL or its like gives for {service} is no URL",
    "write it as https://host, or unset AWS_ENDPOINT_URL",
)

# Nobody answers, or not as AWS does.

NO_TOKEN = Cause(
    "not-aws",
    RegistryError,
    "what answered for {endpoint} gave no token",
    "check AWS_ENDPOINT_URL, and look for a proxy on the way",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "AWS did not answer in time",
    "check network, proxy and AWS_ENDPOINT_URL, or give it longer with --timeout",
)
SOURCE_TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "the source of the AWS identity for {endpoint} did not answer within {seconds:.0f} seconds",
    "check the network to it, or give it longer with --timeout",
)
BUNDLE_UNUSABLE = Cause(
    "ca-file",
    UnreachableError,
    "AWS_CA_BUNDLE names no file with certificates",
    "correct AWS_CA_BUNDLE, or unset it for the trust of this machine",
)
UNTRUSTED = Fix(
    "certificate-untrusted",
    "by AWS",
    "set AWS_CA_BUNDLE to a PEM file that holds the authority, such as the proxy's",
)
UNREACHED = Fix(
    "unreachable",
    "by AWS, whatever keeps it from being reached",
    "check the region in {set}_SERVER, network, proxy and AWS_ENDPOINT_URL",
)
LATE = Fix(
    "timeout",
    "by AWS",
    "check network, proxy and AWS_ENDPOINT_URL, or allow more time with --timeout",
)
STRANGER = Fix(
    "not-a-registry",
    "where AWS should answer",
    "check AWS_ENDPOINT_URL, and look for a proxy on the way",
)

# What ECR means by its own refusals, once AWS has given a token.

ECR_TOKEN_EXPIRED = Fix(
    "token-expired", "by ECR", "set {set}_PASSWORD anew from {command}; it lives 12 hours"
)
ECR_PASSWORD_REFUSED = Fix(
    "rejected", "by ECR, to the user AWS", "set {set}_PASSWORD to the output of {command}"
)
# The token is new, so it is for elsewhere, or stopped on its way.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors-docker.html
ECR_TOKEN_REFUSED = Fix(
    "rejected",
    "by ECR",
    "AWS took the identity and gave a token: check the account and the region in {set}_SERVER, and "
    "the policy of a VPC endpoint",
)
ECR_PULL_DENIED = Fix(
    "pull-denied",
    "by ECR",
    "allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and ecr:BatchCheckLayerAvailability on "
    "the repository",
)
