# SPDX-License-Identifier: MIT
"""
Causes at Google's workload identity federation.

The set names the provider and its token.
`{id_token}` is what the token is called, `{issuer}` and `{audience}` are its claims.
"""

from __future__ import annotations

from ...errors import AuthenticationError
from ..cause import Cause, Fix

AUDIENCE_UNUSUAL = Cause(
    "google-id-token-audience",
    AuthenticationError,
    "Google expects the audience {expected}, but {id_token} has {audience}",
    "get a token for the expected audience, or add {audience} to the provider's allowed audiences",
)
# The usual audience, which the provider's own list leaves out.
ALLOW_NAME = Fix(
    "google-id-token-audience",
    "where it is the provider's own name",
    "remove the provider's list of allowed audiences, or add {audience} to it",
)
AUDIENCE_UNKNOWN = Cause(
    "google-id-token-audience",
    AuthenticationError,
    "the workload identity provider does not accept its own name as the audience of {id_token}",
    ALLOW_NAME.text,
)
_ISSUER = Cause(
    "google-id-token-issuer",
    AuthenticationError,
    "the workload identity provider is for another issuer than {issuer}",
    "set the provider's issuer URI to {issuer}, or correct {set}_AUDIENCE",
)
_KEYS = Cause(
    "google-id-token-keys",
    AuthenticationError,
    "Google cannot read the keys of {issuer}",
    "make {issuer}/.well-known/openid-configuration and its keys reachable from the internet, or "
    "upload the keys to the provider",
)
_CONDITION = Cause(
    "google-id-token-condition",
    AuthenticationError,
    "the attribute condition of the workload identity provider rejects {id_token}",
    "correct the condition; doctor shows the claims that it looks at",
)
_EXPIRED = Cause(
    "google-id-token-expired",
    AuthenticationError,
    "Google says that {id_token} is too old",
    "get a new token: run the CI job again, or check what renews the token's file",
)
_SIGNATURE = Cause(
    "google-id-token-signature",
    AuthenticationError,
    "Google rejected the signature of {id_token}",
    "check the keys that {issuer} publishes, and get a new token",
)
_TOO_LONG = Cause(
    "google-subject-too-long",
    AuthenticationError,
    "the attribute google.subject is longer than 127 bytes for {id_token}",
    "map google.subject to a shorter claim, such as assertion.project_path, in the provider",
)
_MAPPING = Cause(
    "google-id-token-mapping",
    AuthenticationError,
    "the attribute mapping of the workload identity provider does not fit {id_token}",
    "map google.subject to a claim that doctor shows, such as assertion.sub",
)
_PROVIDER = Cause(
    "google-provider-unknown",
    AuthenticationError,
    "Google does not know the workload identity provider in {set}_AUDIENCE, or it is disabled",
    "check the project number, the pool and the provider in {set}_AUDIENCE",
)
_API = Cause(
    "google-api-disabled",
    AuthenticationError,
    "the IAM Service Account Credentials API is disabled in the account's project",
    "run gcloud services enable iamcredentials.googleapis.com in that project",
)
_IMPERSONATION = Cause(
    "google-impersonation-denied",
    AuthenticationError,
    "Google does not let the pool use the service account in {set}_CLIENT_ID",
    "give the token's subject, which doctor shows, the role Workload Identity User on that account",
)
_ACCOUNT = Cause(
    "google-service-account-unknown",
    AuthenticationError,
    "Google does not know the service account in {set}_CLIENT_ID",
    "check the email address in {set}_CLIENT_ID",
)
NO_TOKEN = Cause(
    "google-id-token-refused",
    AuthenticationError,
    "Google sent no token for {id_token}",
    "check the workload identity provider against the claims that doctor shows",
)

# Words of Google's answers, ignoring case, in their order.
# https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation
# https://github.com/google-github-actions/auth/blob/v2.1.3/docs/TROUBLESHOOTING.md
# https://docs.gitlab.com/ci/cloud_services/google_cloud/#troubleshooting
REFUSALS = (
    (r"audience in id token", AUDIENCE_UNUSUAL),
    (r"issuer in id token", _ISSUER),
    (r"error connecting to the given credential's issuer", _KEYS),
    (r"rejected by the attribute condition", _CONDITION),
    (r"stale to sign-in|expired", _EXPIRED),
    (r"signature", _SIGNATURE),
    (r"127 bytes", _TOO_LONG),
    (r"mapped attribute|attribute mapping|google\.subject", _MAPPING),
    (r"invalid_target|invalid value for \\*\"audience", _PROVIDER),
    (r"service_disabled|has not been used in project", _API),
    (r"iam\.serviceaccounts\.getaccesstoken", _IMPERSONATION),
    (r"gaia id not found|account not found", _ACCOUNT),
)
