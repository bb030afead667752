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
from ..cause import Cause, Fix

# Before anybody is asked.

EXTRA_MISSING = Cause(
    "extra-missing",
    PluginError,
    "{source} has no user name and password, and the package azure-identity is not installed",
    "run pip install 'devcontainer-registry[{extra}]', or set {user} and _PASSWORD",
)
SETTINGS = Cause(
    "azure-settings",
    DiscoveryError,
    "cannot use the AZURE_* variables to log in to {host}",
    "check AZURE_TENANT_ID, AZURE_AUTHORITY_HOST, AZURE_TOKEN_CREDENTIALS and {tenant}",
)
FILE_OF_AZURE = Fix(
    "azure-settings",
    "where a file cannot be read",
    "check AZURE_FEDERATED_TOKEN_FILE and the permissions of that file",
)
FILE_UNREADABLE = Cause(
    "azure-settings",
    DiscoveryError,
    "cannot read a file that an AZURE_* variable names",
    FILE_OF_AZURE.text,
)

# Nobody vouches for this container.

ASSIGN_ONE = Fix(
    "identity-missing",
    "on a machine in Azure",
    "assign a managed identity to it; if it has several, set AZURE_CLIENT_ID to the right one",
)
NO_MANAGED_IDENTITY = Cause(
    "identity-missing",
    DiscoveryError,
    "this machine has no managed identity for {host}",
    ASSIGN_ONE.text,
)
SIGN_IN = Fix(
    "identity-missing",
    "where the Azure CLI is installed",
    "run az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
)
NOBODY_SIGNED_IN = Cause(
    "identity-missing",
    DiscoveryError,
    "the Azure CLI is not signed in",
    SIGN_IN.text,
)
NO_IDENTITY = Cause(
    "identity-missing",
    DiscoveryError,
    "{source} has no user name and password, and there is no Azure identity here",
    "set {user} and _PASSWORD, run az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and "
    "AZURE_CLIENT_SECRET",
)

# Entra ID is not reached, or busy.

TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "Entra ID at {authority} timed out after {seconds:.0f} seconds",
    "check the network, or allow more time with --timeout",
)
UNREACHABLE = Cause(
    "entra-unreachable",
    TransientError,
    "cannot reach Entra ID at {authority}",
    "check the network, HTTPS_PROXY and AZURE_AUTHORITY_HOST",
)
CA_OF_ENTRA = Fix(
    "certificate-untrusted",
    "at Entra ID",
    "set REQUESTS_CA_BUNDLE to a PEM file with the certificate authority, such as the proxy's",
)
UNTRUSTED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of Entra ID at {authority} comes from an unknown certificate authority",
    CA_OF_ENTRA.text,
)
INTERCEPTED = Fix(
    "entra-busy", "where the answer is not JSON", "look for a proxy or sign-in page in between"
)
NOT_JSON = Cause(
    "entra-busy",
    TransientError,
    "the server at {authority} does not answer as Entra ID does",
    INTERCEPTED.text,
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
    "this machine's managed identity service is busy",
    "try again later",
)

# It says no, by its number: https://learn.microsoft.com/entra/identity-platform/reference-error-codes
REFUSALS = {
    "50020": Cause(
        "entra-50020",
        AuthenticationError,
        "the user belongs to another Entra ID tenant (AADSTS50020)",
        "set {set}_TENANT to the registry's tenant, or invite the user to it",
    ),
    "50034": Cause(
        "entra-50034",
        AuthenticationError,
        "Entra ID does not know this user (AADSTS50034)",
        "run az login as a user of the registry's tenant",
    ),
    "50053": Cause(
        "entra-50053",
        AuthenticationError,
        "Entra ID locked this account after too many wrong passwords (AADSTS50053)",
        "wait or have it unlocked, and correct the password before you try again",
    ),
    "50055": Cause(
        "entra-50055",
        AuthenticationError,
        "the user's Entra ID password expired (AADSTS50055)",
        "change the password, then run az login",
    ),
    "50057": Cause(
        "entra-50057",
        AuthenticationError,
        "the user's Entra ID account is disabled (AADSTS50057)",
        "have the account enabled",
    ),
    "50076": Cause(
        "entra-50076",
        AuthenticationError,
        "Entra ID asks this user for multi-factor authentication (AADSTS50076)",
        "run az login --tenant with the registry's tenant, or use a service principal",
    ),
    "50079": Cause(
        "entra-50079",
        AuthenticationError,
        "Entra ID requires this user to set up multi-factor authentication (AADSTS50079)",
        "set it up at https://aka.ms/mfasetup and run az login, or use a service principal",
    ),
    "50105": Cause(
        "entra-50105",
        AuthenticationError,
        "this user is not assigned to the Entra ID application (AADSTS50105)",
        "assign the user to it under Enterprise applications, Users and groups",
    ),
    "50126": Cause(
        "entra-50126",
        AuthenticationError,
        "wrong Entra ID user name or password (AADSTS50126)",
        "correct AZURE_USERNAME and AZURE_PASSWORD, or use a service principal",
    ),
    "50173": Cause(
        "entra-50173",
        AuthenticationError,
        "the Entra ID sign-in was revoked, perhaps after a password change (AADSTS50173)",
        "run az login",
    ),
    "500011": Cause(
        "entra-500011",
        AuthenticationError,
        "this Entra ID tenant has no container registries (AADSTS500011)",
        "set {set}_TENANT to the tenant that the registry's subscription trusts",
    ),
    "53003": Cause(
        "entra-53003",
        AuthenticationError,
        "Conditional Access in Entra ID blocks this sign-in (AADSTS53003)",
        "ask the tenant's administrator to allow this identity from this network",
    ),
    "65001": Cause(
        "entra-65001",
        AuthenticationError,
        "the Entra ID application has no consent (AADSTS65001)",
        "ask the tenant's administrator to grant consent to it",
    ),
    "70021": Cause(
        "entra-70021",
        AuthenticationError,
        "no federated credential in Entra ID matches this container's token (AADSTS70021)",
        "add a federated credential with its issuer and subject to the application in "
        "AZURE_CLIENT_ID",
    ),
    "70043": Cause(
        "entra-70043",
        AuthenticationError,
        "the Entra ID sign-in reached the tenant's time limit (AADSTS70043)",
        "run az login",
    ),
    "700016": Cause(
        "entra-700016",
        AuthenticationError,
        "this Entra ID tenant does not know the application in AZURE_CLIENT_ID (AADSTS700016)",
        "check AZURE_CLIENT_ID, and that AZURE_TENANT_ID or {set}_TENANT is its tenant",
    ),
    "700024": Cause(
        "entra-700024",
        AuthenticationError,
        "this container's federated token is not valid now (AADSTS700024)",
        "check the clock, and that the file in AZURE_FEDERATED_TOKEN_FILE is renewed before "
        "it expires",
    ),
    "700027": Cause(
        "entra-700027",
        AuthenticationError,
        "Entra ID rejected the signature of the client certificate (AADSTS700027)",
        "upload the certificate in AZURE_CLIENT_CERTIFICATE_PATH to the application",
    ),
    "700082": Cause(
        "entra-700082",
        AuthenticationError,
        "the Entra ID sign-in was unused for too long (AADSTS700082)",
        "run az login, or use a service principal",
    ),
    # These three at https://github.com/Azure/azure-workload-identity/issues/1200
    "700211": Cause(
        "entra-700211",
        AuthenticationError,
        "no federated credential in Entra ID has the issuer of this container's token "
        "(AADSTS700211)",
        "set the issuer of the federated credential to the cluster's OIDC issuer URL",
    ),
    "700212": Cause(
        "entra-700212",
        AuthenticationError,
        "no federated credential in Entra ID has the audience of this container's token "
        "(AADSTS700212)",
        "set the audience of the federated credential to api://AzureADTokenExchange",
    ),
    "700213": Cause(
        "entra-700213",
        AuthenticationError,
        "no federated credential in Entra ID has the subject of this container's token "
        "(AADSTS700213)",
        "set its subject to system:serviceaccount:NAMESPACE:NAME of this pod",
    ),
    # https://github.com/Azure/login/issues/517
    "7002138": Cause(
        "entra-7002138",
        AuthenticationError,
        "the subject of the federated credential differs in upper and lower case (AADSTS7002138)",
        "spell its subject exactly as in this container's token",
    ),
    "7000112": Cause(
        "entra-7000112",
        AuthenticationError,
        "the Entra ID application is disabled (AADSTS7000112)",
        "have the application enabled",
    ),
    "7000215": Cause(
        "entra-7000215",
        AuthenticationError,
        "the Entra ID client secret is wrong (AADSTS7000215)",
        "set AZURE_CLIENT_SECRET to the secret's value, not its id",
    ),
    "7000222": Cause(
        "entra-7000222",
        AuthenticationError,
        "the Entra ID client secret expired (AADSTS7000222)",
        "create a new secret for the application, and set AZURE_CLIENT_SECRET to it",
    ),
    "7000229": Cause(
        "entra-7000229",
        AuthenticationError,
        "the Entra ID application has no service principal in this tenant (AADSTS7000229)",
        "run az ad sp create --id with the value of AZURE_CLIENT_ID",
    ),
    "90002": Cause(
        "entra-90002",
        AuthenticationError,
        "Entra ID does not know this tenant (AADSTS90002)",
        "check AZURE_TENANT_ID or {set}_TENANT, and that it belongs to the registry's cloud",
    ),
    "900023": Cause(
        "entra-900023",
        AuthenticationError,
        "the Entra ID tenant is not a tenant's id or domain (AADSTS900023)",
        "set AZURE_TENANT_ID or {set}_TENANT to the tenant's id or domain",
    ),
}
OTHER_NUMBER = Cause(
    "entra-refused",
    AuthenticationError,
    "Entra ID refused this identity (AADSTS{number})",
    "look it up at https://login.microsoftonline.com/error?code={number}",
)
NO_NUMBER = Cause(
    "entra-no-token",
    AuthenticationError,
    "Entra ID sent no token, and gave no known reason",
    "run az account get-access-token with the same identity to see its message",
)
