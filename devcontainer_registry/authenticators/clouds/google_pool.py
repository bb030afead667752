# SPDX-License-Identifier: MIT
"""
Google's workload identity federation: an ID token becomes an access token.

https://cloud.google.com/iam/docs/workload-identity-federation
"""

from __future__ import annotations

import re

from ...causes.clouds import google_tokens as causes
from ...identities.named import provider_of
from ...identities.source import audience_of
from ...identities.tokens import shown
from ...naming import prefix

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ...credentials import RegistrySecret
    from ...errors import AuthenticationError
    from ...identities.tokens import IdToken

# Not from a file, so that no credential configuration chooses where the token goes.
_TOKENS = "https://sts.googleapis.com/v1/token"
# https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
_ACCOUNTS = "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts"
_JWT = "urn:ietf:params:oauth:token-type:jwt"


def credentials(secret: RegistrySecret, id_token: IdToken, *, scope: str) -> Any:
    """
    Return google-auth's credentials for *id_token* at the provider in `AUDIENCE`.

    With `CLIENT_ID` they are those of that service account, which the pool may impersonate.
    """
    from google.auth import identity_pool

    class Supplier(identity_pool.SubjectTokenSupplier):
        def get_subject_token(self, _context: Any, _request: Any) -> str:
            return id_token.token.reveal()

    account = None
    if secret.client_id is not None:
        account = f"{_ACCOUNTS}/{secret.client_id}:generateAccessToken"
    made: Any = identity_pool.Credentials
    return made(
        provider_of(secret),
        _JWT,
        token_url=_TOKENS,
        subject_token_supplier=Supplier(),
        service_account_impersonation_url=account,
        scopes=[scope],
    )


def refused(exc: Exception, secret: RegistrySecret, id_token: IdToken) -> AuthenticationError:
    """
    Return the error for *exc*, whose text is searched and never quoted.
    """
    facts = {
        **id_token.words,
        "expected": shown(audience_of(secret, "google")),
        "set": prefix(secret.id),
    }
    for words, cause in causes.REFUSALS:
        if re.search(words, str(exc), re.IGNORECASE):
            is_usual = facts["audience"] == facts["expected"]
            if cause is causes.AUDIENCE_UNUSUAL and is_usual:
                cause = causes.AUDIENCE_UNKNOWN  # noqa: PLW2901
            return cause.error(**facts)
    return causes.NO_TOKEN.error(**facts)
