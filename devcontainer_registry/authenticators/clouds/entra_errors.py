# SPDX-License-Identifier: MIT
"""
Errors of azure-identity in words; its texts are never quoted.
"""

from __future__ import annotations

import re

from ...errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from ...naming import INFIX, variable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...credentials import RegistrySecret


# What msal makes of a status without a number of Entra ID's, and RFC 6749, section 4.1.2.1.
_BUSY = re.compile(r"HTTP Error: (?:408|429|5[0-9]{2})|temporarily_unavailable|server_error")


# What a machine's own service answers where it has none, or not the one of AZURE_CLIENT_ID.
_UNASSIGNED = re.compile(r"No identity has been assigned|Token request error: \(invalid_request\)")

_DEPTH_MAX = 10  # exceptions that led to one another


def sort(secret: RegistrySecret, tried: Sequence[BaseException], *, where: str) -> RegistryError:
    """
    The error to raise for *tried*: what each identity met in turn, and the chain's own at the end.
    """
    for exc in tried:
        if code := CODE.search(_texts(exc)):
            return _refused(secret, where, code[1])
    for exc in tried:
        if error := _connection(exc, where):
            return error
    if any(_UNASSIGNED.search(str(exc)) for exc in tried[:-1]):
        return DiscoveryError(
            f"this machine has no managed identity that could log in to {secret.registry}",
            hint="assign one to it; where it has several, set AZURE_CLIENT_ID to the one meant",
            code="identity-missing",
        )
    if any("Token request error:" in str(exc) for exc in tried[:-1]):
        msg = "the service of this machine that gives its managed identity a token is busy"
        return TransientError(msg, hint="try again later", code="entra-busy")
    if any("az login" in str(exc) for exc in tried):
        return DiscoveryError(
            f"az is here, but nobody is signed in who could log in to {secret.registry}",
            hint="run az login, or set AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
            code="identity-missing",
        )
    if all(type(exc).__name__ == "CredentialUnavailableError" for exc in tried[:-1]):
        return DiscoveryError(
            f"{secret.source} has no user name and password, and no Azure identity is here that "
            f"could log in to {secret.registry}",
            hint=f"set {variable(secret.id, 'USER')} and _PASSWORD, or run az login, or set "
            "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
            code="identity-missing",
        )
    return AuthenticationError(
        f"{where} gave no token, for a reason that we don't know",
        hint="run az account get-access-token with the same identity to see its own words",
        code="entra-refused",
    )


def _texts(exc: BaseException) -> str:
    """
    The texts of *exc* and of what led to it: msal keeps a tenant's refusal there only.
    """
    texts = [str(exc)]
    while (before := exc.__cause__ or exc.__context__) is not None and len(texts) < _DEPTH_MAX:
        exc = before
        texts.append(str(exc))
    return "\n".join(texts)


def _refused(secret: RegistrySecret, where: str, code: str) -> RegistryError:
    if code in BUSY:
        msg = f"{where} is busy (AADSTS{code})"
        return TransientError(msg, hint="try again later", code="entra-busy")
    said, hint = REFUSALS.get(
        code,
        (
            "refused to sign this identity in",
            f"look it up at https://login.microsoftonline.com/error?code={code}",
        ),
    )
    return AuthenticationError(
        f"{where} {said} (AADSTS{code})",
        hint=hint.format(set=secret.id + INFIX.removesuffix("_")),
        code="entra-refused",
    )


def _connection(exc: BaseException, where: str) -> RegistryError | None:
    """
    The error for one that is about the way there, or None.
    """
    from azure.core.exceptions import (
        DecodeError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if type(exc).__name__ == "CredentialUnavailableError":
        return None  # a machine without that service, which is no outage
    while exc.__cause__ is not None and not isinstance(
        exc, (DecodeError, ServiceRequestError, ServiceResponseError)
    ):
        exc = exc.__cause__
    if "CERTIFICATE_VERIFY_FAILED" in str(exc):
        return UnreachableError(
            f"the certificate of {where} is not trusted",
            hint="set REQUESTS_CA_BUNDLE to a bundle that holds the proxy's authority",
            code="certificate-untrusted",
        )
    if isinstance(exc, (ServiceRequestError, ServiceResponseError)):
        return TransientError(
            f"{where} can't be reached",
            hint="check the network, HTTPS_PROXY and AZURE_AUTHORITY_HOST",
            code="entra-unreachable",
        )
    if isinstance(exc, DecodeError):
        return TransientError(
            f"{where} answers, but not in JSON",
            hint="look for a proxy or a sign-in page in between, or try again later",
            code="entra-busy",
        )
    if isinstance(exc, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return DiscoveryError(
            "the file that an AZURE_* variable names for signing in can't be read",
            hint="check the path in AZURE_FEDERATED_TOKEN_FILE, and who may read it",
            code="azure-settings",
        )
    status = exc.status_code if isinstance(exc, HttpResponseError) else None
    if (status is not None and (status in (408, 429) or status >= 500)) or _BUSY.search(str(exc)):
        return TransientError(f"{where} is busy", hint="try again later", code="entra-busy")
    return None


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
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
