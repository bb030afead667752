# SPDX-License-Identifier: MIT
"""
Causes at Google: its tokens, and its registries.
"""

from __future__ import annotations

from ...errors import AuthenticationError, DiscoveryError, PluginError, TransientError
from ..cause import Cause, Fix

# Before anybody is asked.

EXTRA_MISSING = Cause(
    "extra-missing",
    PluginError,
    "{source} has no user name and password, and the package google-auth is not installed",
    "run pip install 'devcontainer-registry[{extra}]', or set {user} and _PASSWORD",
)
NOT_GOOGLES = Cause(
    "no-host-of-google",
    DiscoveryError,
    "{host} is not a Google registry; nothing was sent",
    "correct {server}, or set _USER and _PASSWORD",
)
DEFAULT_CREDENTIALS = Fix(
    "identity-missing",
    "at Google",
    "set {user} and _PASSWORD, set GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth "
    "application-default login",
)
NO_CREDENTIALS = Cause(
    "identity-missing",
    DiscoveryError,
    "{source} has no user name and password, and there are no Google application default "
    "credentials",
    DEFAULT_CREDENTIALS.text,
)
FILE_UNUSABLE = Cause(
    "google-settings",
    DiscoveryError,
    "cannot read the credentials that GOOGLE_APPLICATION_CREDENTIALS names",
    "check that the file exists and holds the whole JSON from Google",
)
LOGIN_UNUSABLE = Cause(
    "google-settings",
    DiscoveryError,
    "cannot read the credentials from gcloud auth application-default login",
    "check that the file exists and holds the whole JSON from Google",
)

# An identity that a set names.

PROVIDER_INVALID = Cause(
    "google-audience-invalid",
    DiscoveryError,
    "{audience} is not the full resource name of a workload identity provider",
    "write it as //iam.googleapis.com/projects/NUMBER/locations/global/workloadIdentityPools/POOL/"
    "providers/PROVIDER, with the number of the project",
)
NOT_AN_ACCOUNT = Cause(
    "google-account-invalid",
    DiscoveryError,
    "{client} is not the email address of a service account",
    "write it as NAME@PROJECT.iam.gserviceaccount.com, or unset it",
)

# Google is not reached, or busy.

TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "Google timed out after {seconds:.0f} seconds",
    "check the network, or allow more time with --timeout",
)
NO_METADATA = Cause(
    "google-unreachable",
    TransientError,
    "this machine's metadata server did not answer",
    "try again later",
)
BUSY = Cause("google-busy", TransientError, "{host} is busy (status {status})", "try again later")

# It says no.

CLOCK_SKEW = Cause(
    "clock-skew",
    AuthenticationError,
    "Google says that this machine's clock is wrong",
    "correct this machine's clock",
)
KEY_INVALID = Cause(
    "google-key-invalid",
    AuthenticationError,
    "the service account's key is no longer valid",
    "create a new key for the account, and set GOOGLE_APPLICATION_CREDENTIALS to it",
)
ACCOUNT_UNKNOWN = Cause(
    "google-account-unknown",
    AuthenticationError,
    "Google does not know this account, or it is disabled",
    "check that the account in GOOGLE_APPLICATION_CREDENTIALS exists and is enabled",
)
SIGN_IN_AGAIN = Cause(
    "google-login-expired",
    AuthenticationError,
    "the organisation requires the user to sign in to Google again",
    "run gcloud auth application-default login",
)
SIGN_IN_EXPIRED = Cause(
    "google-login-expired",
    AuthenticationError,
    "the Google sign-in expired or was revoked",
    "run gcloud auth application-default login",
)
ACCOUNT_DENIED = Cause(
    "google-account-denied",
    AuthenticationError,
    "Google does not let this account create tokens",
    "give it the role Service Account Token Creator on the target account",
)
SCOPE_DENIED = Cause(
    "google-scope-denied",
    AuthenticationError,
    "Google does not grant this account the scope cloud-platform",
    "allow the scope cloud-platform for the account",
)
TOKEN_NOT_EXCHANGED = Cause(
    "google-exchange-rejected",
    AuthenticationError,
    "Google rejected this container's own token",
    "check the audience and provider of the workload identity pool in the credential file",
)
NO_TOKEN = Cause(
    "google-refused",
    AuthenticationError,
    "Google sent no token for the application default credentials",
    "run gcloud auth application-default print-access-token to see its message",
)

# What its registries want for a password.

PULL_DENIED = Fix(
    "pull-denied",
    "by Google's registries",
    "give the account the role Artifact Registry Reader on the repository",
)
CREDENTIALS_REFUSED = Fix(
    "rejected",
    "by Google's registries, to application default credentials",
    "give that account the role Artifact Registry Reader and the scope cloud-platform",
)
PRINCIPAL_REFUSED = Fix(
    "rejected",
    "by Google's registries, to what an ID token became",
    "give the pool's principal, or the service account in {client}, the role Artifact Registry "
    "Reader",
)
KEY_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user _json_key",
    "use the whole JSON key with its line breaks as the password; check that it is enabled",
)
KEY_IN_BASE64_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user _json_key_base64",
    "use the base64 of the whole JSON key, in one line, as the password",
)
TOKEN_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user oauth2accesstoken",
    "get a new access token; it lasts 60 minutes, a JSON key with the user _json_key lasts longer",
)
USER_UNKNOWN = Fix(
    "rejected",
    "by Google's registries, to another user",
    "use _json_key, _json_key_base64 or oauth2accesstoken as the user name",
)
