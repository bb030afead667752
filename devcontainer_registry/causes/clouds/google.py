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
    "{source} has no user name and password, and google-auth, which would do without, is not "
    "installed",
    "run pip install 'devcontainer-registry[google]', or set {user} and _PASSWORD",
)
NOT_GOOGLES = Cause(
    "no-host-of-google",
    DiscoveryError,
    "{host} is no registry of Google's own domains; nothing was sent",
    "correct {server}, or set _USER and _PASSWORD",
)
NO_CREDENTIALS = Cause(
    "identity-missing",
    DiscoveryError,
    "{source} has no user name and password, and no application default credentials are here that "
    "could log in to {host}",
    "set {user} and _PASSWORD, or GOOGLE_APPLICATION_CREDENTIALS, or run gcloud auth "
    "application-default login",
)
FILE_UNUSABLE = Cause(
    "google-settings",
    DiscoveryError,
    "the credentials of GOOGLE_APPLICATION_CREDENTIALS can't be read or understood",
    "check that the file is there, and is the whole JSON that Google gave",
)
LOGIN_UNUSABLE = Cause(
    "google-settings",
    DiscoveryError,
    "the credentials of gcloud auth application-default login can't be read or understood",
    "check that the file is there, and is the whole JSON that Google gave",
)

# Google is not reached, or busy.

TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "Google did not answer within {seconds:.0f} seconds",
    "check the network to it, or give it longer with --timeout",
)
NO_METADATA = Cause(
    "google-unreachable",
    TransientError,
    "the metadata server of this machine did not answer",
    "try again later",
)
BUSY = Cause("google-busy", TransientError, "{host} is busy (status {status})", "try again later")

# It says no.

CLOCK_SKEW = Cause(
    "google-refused",
    AuthenticationError,
    "Google says that the time of this machine is off",
    "set this machine's clock",
)
KEY_INVALID = Cause(
    "google-refused",
    AuthenticationError,
    "Google says that the service account's key is not valid any more",
    "make a new key for the account, and set GOOGLE_APPLICATION_CREDENTIALS to it",
)
ACCOUNT_UNKNOWN = Cause(
    "google-refused",
    AuthenticationError,
    "Google does not know this account, or it is disabled",
    "check that the account of GOOGLE_APPLICATION_CREDENTIALS exists and is enabled",
)
SIGN_IN_AGAIN = Cause(
    "google-refused",
    AuthenticationError,
    "Google wants the user to sign in again, by the rules of the organisation",
    "run gcloud auth application-default login again; a service account is not asked",
)
SIGN_IN_EXPIRED = Cause(
    "google-refused",
    AuthenticationError,
    "Google says that the sign-in has expired or was revoked",
    "run gcloud auth application-default login",
)
ACCOUNT_DENIED = Cause(
    "google-refused",
    AuthenticationError,
    "Google does not let this account get tokens",
    "give it the role Service Account Token Creator on the account that it is to be",
)
SCOPE_DENIED = Cause(
    "google-refused",
    AuthenticationError,
    "Google does not grant this account the scope cloud-platform",
    "allow the scope cloud-platform for the account",
)
TOKEN_NOT_EXCHANGED = Cause(
    "google-refused",
    AuthenticationError,
    "Google does not accept this container's own token in exchange",
    "check audience and provider of the workload identity pool in the credential file",
)
NO_TOKEN = Cause(
    "google-refused",
    AuthenticationError,
    "Google gave no token for the application default credentials",
    "run gcloud auth application-default print-access-token to see its own words",
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
    "give the account of the application default credentials the role Artifact Registry Reader, "
    "and check that its scopes include cloud-platform",
)
KEY_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user _json_key",
    "give the whole JSON key as the password, with its line breaks; check that it is not disabled",
)
KEY_IN_BASE64_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user _json_key_base64",
    "give the base64 of the whole JSON key as the password, in one line",
)
TOKEN_REFUSED = Fix(
    "rejected",
    "by Google's registries, to the user oauth2accesstoken",
    "get a new access token: it lives 60 minutes; a JSON key with the user _json_key lasts",
)
USER_UNKNOWN = Fix(
    "rejected",
    "by Google's registries, to another user",
    "use _json_key, _json_key_base64 or oauth2accesstoken as the user name",
)
