# SPDX-License-Identifier: MIT
"""
Error numbers of Entra ID in words, with the fix.

https://learn.microsoft.com/entra/identity-platform/reference-error-codes
"""

from __future__ import annotations

import re

CODE = re.compile(r"AADSTS([0-9]{5,9})")

# The resource is not there in this tenant, as the registries' own audience may be.
NO_SUCH_RESOURCE = "(AADSTS500011)"

# Worth another try.
BUSY = frozenset({"50087", "50196", "90006", "90012", "90020", "90024", "90025", "90033"})

# Numbers to what completes "Entra ID at HOST …", and what to do; `{set}` is the set's prefix.
REFUSALS = {
    "50020": (
        "says that this user belongs to another tenant",
        "set {set}_TENANT to the registry's tenant, or invite the user there",
    ),
    "50034": (
        "does not know this user",
        "sign in again with az login, as a user of the registry's tenant",
    ),
    "50053": (
        "has locked this account after too many wrong passwords",
        "wait, or have it unlocked, and correct the password before the next try",
    ),
    "50055": ("says that the user's password has expired", "change the password, then az login"),
    "50057": ("says that the user's account is disabled", "have the account enabled"),
    "50076": (
        "wants a second factor from this user",
        "run az login --tenant with the registry's tenant; a container needs a service principal",
    ),
    "50079": (
        "wants this user to set up a second factor",
        "sign in at https://aka.ms/mfasetup, then az login; a container needs a service principal",
    ),
    "50105": (
        "says that this user is not assigned to the application",
        "assign the user to it under Enterprise applications, Users and groups",
    ),
    "50126": (
        "says that user name and password do not fit",
        "correct AZURE_USERNAME and AZURE_PASSWORD, or use a service principal",
    ),
    "50173": (
        "says that the sign-in was revoked, as after a change of password",
        "run az login again",
    ),
    "500011": (
        "knows in this tenant no registries to sign in to",
        "set {set}_TENANT to the tenant that the registry's subscription trusts",
    ),
    "53003": (
        "blocks this sign-in by Conditional Access",
        "have the tenant's policy allow this identity from this network",
    ),
    "65001": (
        "lacks a consent to this application",
        "have an administrator of the tenant grant consent to it",
    ),
    "70021": (
        "finds no federated credential that fits this container's token",
        "add a federated credential with its issuer and subject to AZURE_CLIENT_ID's application",
    ),
    "70043": (
        "says that the sign-in has ended, by the tenant's limit on its length",
        "run az login once more",
    ),
    "700016": (
        "does not know the application of AZURE_CLIENT_ID in this tenant",
        "check AZURE_CLIENT_ID, and that AZURE_TENANT_ID or {set}_TENANT is its tenant",
    ),
    "700024": (
        "says that this container's federated token is not valid now",
        "check the clock, and that AZURE_FEDERATED_TOKEN_FILE is renewed as it expires",
    ),
    "700027": (
        "does not accept the signature of the client's certificate",
        "upload the certificate of AZURE_CLIENT_CERTIFICATE_PATH to the application",
    ),
    "700082": (
        "says that the sign-in was not used for too long",
        "run az login anew, or use a service principal",
    ),
    # These three at https://github.com/Azure/azure-workload-identity/issues/1200
    "700211": (
        "finds no federated credential with the issuer of this container's token",
        "set the issuer of the federated credential to the cluster's OIDC issuer URL",
    ),
    "700212": (
        "finds no federated credential with the audience of this container's token",
        "set the audience of the federated credential to api://AzureADTokenExchange",
    ),
    "700213": (
        "finds no federated credential with the subject of this container's token",
        "set its subject to system:serviceaccount:NAMESPACE:NAME of this pod",
    ),
    # https://github.com/Azure/login/issues/517
    "7002138": (
        "finds a federated credential whose subject differs in upper and lower case",
        "spell its subject exactly as this container's token has it",
    ),
    "7000112": ("says that the application is disabled", "have the application enabled"),
    "7000215": (
        "says that the client secret is wrong",
        "set AZURE_CLIENT_SECRET to the secret's value, which is not its id",
    ),
    "7000222": (
        "says that the client secret has expired",
        "make a new secret for the application, and set AZURE_CLIENT_SECRET to it",
    ),
    "7000229": (
        "knows the application, but it has no service principal in this tenant",
        "make one with az ad sp create --id and the AZURE_CLIENT_ID",
    ),
    "90002": (
        "does not know this tenant",
        "check AZURE_TENANT_ID or {set}_TENANT, and that it is of the registry's cloud",
    ),
    "900023": (
        "takes this for no tenant's name",
        "set AZURE_TENANT_ID or {set}_TENANT to the tenant's id or domain",
    ),
}
