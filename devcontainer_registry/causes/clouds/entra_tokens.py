# SPDX-License-Identifier: MIT
"""
Causes at Entra ID for the ID token of a set.

`{id_token}` is what the token is called, `{issuer}` and `{audience}` are its claims.
"""

from __future__ import annotations

from ...errors import AuthenticationError
from ..cause import Cause, Fix

# The fixes for refusals that other identities have, too.
FIXES: dict[str, Fix] = {
    "70021": Fix(
        "entra-70021",
        "where the set names the application",
        "add one with its issuer, subject and audience, which doctor shows, to the application in "
        "{set}_CLIENT_ID",
    ),
    "700016": Fix(
        "entra-700016",
        "where the set names the application",
        "check {set}_CLIENT_ID, and that {set}_TENANT is its tenant",
    ),
    "700024": Fix(
        "entra-700024",
        "where the set names the application",
        "check the clock, and get a new token: run the CI job again, or check what renews the "
        "token's file",
    ),
    "700027": Fix(
        "entra-700027",
        "where the set names the application",
        "check the keys that {issuer} publishes, and get a new token",
    ),
    "700211": Fix(
        "entra-700211",
        "where the set names the application",
        "set the issuer of the federated credential to {issuer}, exactly so",
    ),
    "700212": Fix(
        "entra-700212",
        "where the set names the application",
        "get a token for {expected}, or set the audience of the federated credential to {audience}",
    ),
    "700213": Fix(
        "entra-700213",
        "where the set names the application",
        "set the subject of the federated credential to the one that doctor shows",
    ),
    "7002138": Fix(
        "entra-7002138",
        "where the set names the application",
        "spell its subject exactly as doctor shows it",
    ),
    "7000229": Fix(
        "entra-7000229",
        "where the set names the application",
        "run az ad sp create --id with the value of {set}_CLIENT_ID",
    ),
    "90002": Fix(
        "entra-90002",
        "where the set names the application",
        "check {set}_TENANT, and that it belongs to the registry's cloud",
    ),
    "900023": Fix(
        "entra-900023",
        "where the set names the application",
        "set {set}_TENANT to the tenant's id or domain",
    ),
}

# By number: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
# 90061 and 900612: https://azure.github.io/azure-workload-identity/docs/known-issues.html
REFUSALS: dict[str, Cause[AuthenticationError]] = {
    "50027": Cause(
        "entra-50027",
        AuthenticationError,
        "Entra ID says that {id_token} is not valid (AADSTS50027)",
        "get a new token from {issuer}; do not change or shorten it",
    ),
    "70021": Cause(
        "entra-70021",
        AuthenticationError,
        "no federated credential in Entra ID matches {id_token} (AADSTS70021)",
        FIXES["70021"].text,
    ),
    "700016": Cause(
        "entra-700016",
        AuthenticationError,
        "this Entra ID tenant does not know the application in {set}_CLIENT_ID (AADSTS700016)",
        FIXES["700016"].text,
    ),
    "700024": Cause(
        "entra-700024",
        AuthenticationError,
        "{id_token} is not valid now (AADSTS700024)",
        FIXES["700024"].text,
    ),
    "700027": Cause(
        "entra-700027",
        AuthenticationError,
        "Entra ID rejected the signature of {id_token} (AADSTS700027)",
        FIXES["700027"].text,
    ),
    "700211": Cause(
        "entra-700211",
        AuthenticationError,
        "no federated credential in Entra ID has the issuer {issuer} (AADSTS700211)",
        FIXES["700211"].text,
    ),
    "700212": Cause(
        "entra-700212",
        AuthenticationError,
        "Entra ID expects the audience {expected}, but {id_token} has {audience} (AADSTS700212)",
        FIXES["700212"].text,
    ),
    "700213": Cause(
        "entra-700213",
        AuthenticationError,
        "no federated credential in Entra ID has the subject of {id_token} (AADSTS700213)",
        FIXES["700213"].text,
    ),
    "90061": Cause(
        "entra-90061",
        AuthenticationError,
        "Entra ID cannot reach {issuer} (AADSTS90061)",
        "make {issuer}/.well-known/openid-configuration and its keys reachable from the internet",
    ),
    "900612": Cause(
        "entra-900612",
        AuthenticationError,
        "Entra ID cannot read the keys of {issuer} (AADSTS900612)",
        "check the keys (jwks_uri) that {issuer} publishes",
    ),
}
# The usual audience, which the federated credential does not have.
SET_AUDIENCE = Fix(
    "entra-700212",
    "where it is the expected one",
    "set the audience of the federated credential to {audience}",
)
AUDIENCE_UNKNOWN = Cause(
    "entra-700212",
    AuthenticationError,
    "no federated credential in Entra ID has the audience {audience} (AADSTS700212)",
    SET_AUDIENCE.text,
)
COMPARE_CLAIMS = Fix(
    "entra-no-token",
    "where the set names the application",
    "check the federated credential of the application against the claims that doctor shows",
)
NO_NUMBER = Cause(
    "entra-no-token",
    AuthenticationError,
    "Entra ID sent no token for {id_token}, and gave no known reason",
    COMPARE_CLAIMS.text,
)
