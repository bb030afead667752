# SPDX-License-Identifier: MIT
"""
Causes at Entra ID, which gives the tokens of Azure.
"""

from __future__ import annotations

from ...errors import (
    AuthenticationError,
    DiscoveryError,
    PluginError,
    TransientError,
    UnreachableError,
)
from ..cause import Cause

# Before anybody is asked.

EXTRA_MISSING = Cause(
    "extra-missing",
    PluginError,
    "{source} has no user name and password, and azure-identity, which would do without, is not "
    "installed",
    "run pip install 'devcontainer-registry[azure]', or set {user} and _PASSWORD",
)
SETTINGS = Cause(
    "azure-settings",
    DiscoveryError,
    "the AZURE_* variables can't be used to log in to {host}",
    "check the spelling of AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, AZURE_TOKEN_CREDENTIALS and "
    "{tenant}",
)
FILE_UNREADABLE = Cause(
    "azure-settings",
    DiscoveryError,
    "the file that an AZURE_* variable names for signing in can't be read",
    "check the path in AZURE_FEDERATED_TOKEN_FILE, and who may read it",
)

# Nobody vouches for this container.

NO_MANAGED_IDENTITY = Cause(
    "identity-missing",
    DiscoveryError,
    "this machine has no managed identity that could log in to {host}",
    "assign one to it; where it has several, set AZURE_CLIENT_ID to the one meant",
)
NOBODY_SIGNED_IN = Cause(
    "identity-missing",
    DiscoveryError,
    "az is here, but nobody is signed in who could log in to {host}",
    "run az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
)
NO_IDENTITY = Cause(
    "identity-missing",
    DiscoveryError,
    "{source} has no user name and password, and no Azure identity is here that could log in to "
    "{host}",
    "set {user} and _PASSWORD, or run az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and "
    "AZURE_CLIENT_SECRET",
)

# Entra ID is not reached, or busy.

TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "Entra ID at {authority} did not answer within {seconds:.0f} seconds",
    "check the network to it, or give it longer with --timeout",
)
UNREACHABLE = Cause(
    "entra-unreachable",
    TransientError,
    "Entra ID at {authority} can't be reached",
    "check the network, HTTPS_PROXY and AZURE_AUTHORITY_HOST",
)
UNTRUSTED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of Entra ID at {authority} is not trusted",
    "set REQUESTS_CA_BUNDLE to a bundle that holds the proxy's authority",
)
NOT_JSON = Cause(
    "entra-busy",
    TransientError,
    "Entra ID at {authority} answers, but not in JSON",
    "look for a proxy or a sign-in page in between, or try again later",
)
BUSY = Cause("entra-busy", TransientError, "Entra ID at {authority} is busy", "try again later")
BUSY_BY_NUMBER = Cause(
    "entra-busy",
    TransientError,
    "Entra ID at {authority} is busy (AADSTS{number})",
    "try again later",
)
MANAGED_IDENTITY_BUSY = Cause(
    "entra-busy",
    TransientError,
    "the service of this machine that gives its managed identity a token is busy",
    "try again later",
)

# It says no, by its number: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
REFUSALS = {
    "50020": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that this user belongs to another tenant (AADSTS50020)",
        "set {set}_TENANT to the registry's tenant, or invite the user there",
    ),
    "50034": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} does not know this user (AADSTS50034)",
        "sign in again with az login, as a user of the registry's tenant",
    ),
    "50053": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} has locked this account after too many wrong passwords "
        "(AADSTS50053)",
        "wait, or have it unlocked, and correct the password before the next try",
    ),
    "50055": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the user's password has expired (AADSTS50055)",
        "change the password, then az login",
    ),
    "50057": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the user's account is disabled (AADSTS50057)",
        "have the account enabled",
    ),
    "50076": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} wants a second factor from this user (AADSTS50076)",
        "run az login --tenant with the registry's tenant; a container needs a service principal",
    ),
    "50079": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} wants this user to set up a second factor (AADSTS50079)",
        "sign in at https://aka.ms/mfasetup, then az login; a container needs a service principal",
    ),
    "50105": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that this user is not assigned to the application "
        "(AADSTS50105)",
        "assign the user to it under Enterprise applications, Users and groups",
    ),
    "50126": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that user name and password do not fit (AADSTS50126)",
        "correct AZURE_USERNAME and AZURE_PASSWORD, or use a service principal",
    ),
    "50173": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the sign-in was revoked, as after a change of password "
        "(AADSTS50173)",
        "run az login again",
    ),
    "500011": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} knows in this tenant no registries to sign in to (AADSTS500011)",
        "set {set}_TENANT to the tenant that the registry's subscription trusts",
    ),
    "53003": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} blocks this sign-in by Conditional Access (AADSTS53003)",
        "have the tenant's policy allow this identity from this network",
    ),
    "65001": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} lacks a consent to this application (AADSTS65001)",
        "have an administrator of the tenant grant consent to it",
    ),
    "70021": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} finds no federated credential that fits this container's token "
        "(AADSTS70021)",
        "add a federated credential with its issuer and subject to AZURE_CLIENT_ID's application",
    ),
    "70043": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the sign-in has ended, by the tenant's limit on its "
        "length (AADSTS70043)",
        "run az login once more",
    ),
    "700016": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} does not know the application of AZURE_CLIENT_ID in this tenant "
        "(AADSTS700016)",
        "check AZURE_CLIENT_ID, and that AZURE_TENANT_ID or {set}_TENANT is its tenant",
    ),
    "700024": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that this container's federated token is not valid now "
        "(AADSTS700024)",
        "check the clock, and that AZURE_FEDERATED_TOKEN_FILE is renewed as it expires",
    ),
    "700027": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} does not accept the signature of the client's certificate "
        "(AADSTS700027)",
        "upload the certificate of AZURE_CLIENT_CERTIFICATE_PATH to the application",
    ),
    "700082": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the sign-in was not used for too long (AADSTS700082)",
        "run az login anew, or use a service principal",
    ),
    # These three at https://github.com/Azure/azure-workload-identity/issues/1200
    "700211": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} finds no federated credential with the issuer of this "
        "container's token (AADSTS700211)",
        "set the issuer of the federated credential to the cluster's OIDC issuer URL",
    ),
    "700212": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} finds no federated credential with the audience of this "
        "container's token (AADSTS700212)",
        "set the audience of the federated credential to api://AzureADTokenExchange",
    ),
    "700213": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} finds no federated credential with the subject of this "
        "container's token (AADSTS700213)",
        "set its subject to system:serviceaccount:NAMESPACE:NAME of this pod",
    ),
    # https://github.com/Azure/login/issues/517
    "7002138": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} finds a federated credential whose subject differs in upper and "
        "lower case (AADSTS7002138)",
        "spell its subject exactly as this container's token has it",
    ),
    "7000112": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the application is disabled (AADSTS7000112)",
        "have the application enabled",
    ),
    "7000215": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the client secret is wrong (AADSTS7000215)",
        "set AZURE_CLIENT_SECRET to the secret's value, which is not its id",
    ),
    "7000222": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} says that the client secret has expired (AADSTS7000222)",
        "make a new secret for the application, and set AZURE_CLIENT_SECRET to it",
    ),
    "7000229": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} knows the application, but it has no service principal in this "
        "tenant (AADSTS7000229)",
        "make one with az ad sp create --id and the AZURE_CLIENT_ID",
    ),
    "90002": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} does not know this tenant (AADSTS90002)",
        "check AZURE_TENANT_ID or {set}_TENANT, and that it is of the registry's cloud",
    ),
    "900023": Cause(
        "entra-refused",
        AuthenticationError,
        "Entra ID at {authority} takes this for no tenant's name (AADSTS900023)",
        "set AZURE_TENANT_ID or {set}_TENANT to the tenant's id or domain",
    ),
}
OTHER_NUMBER = Cause(
    "entra-refused",
    AuthenticationError,
    "Entra ID at {authority} refused to sign this identity in (AADSTS{number})",
    "look it up at https://login.microsoftonline.com/error?code={number}",
)
NO_NUMBER = Cause(
    "entra-refused",
    AuthenticationError,
    "Entra ID at {authority} gave no token, for a reason that we don't know",
    "run az account get-access-token with the same identity to see its own words",
)
