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
from .entra_codes import BUSY, CODE, REFUSALS

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
