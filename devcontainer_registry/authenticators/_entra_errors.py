# SPDX-License-Identifier: MIT
"""
Why Entra ID gave no token, from what azure-identity raised; its texts are read and never quoted.
"""

from __future__ import annotations

from ..errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from ._aadsts import BUSY, CODE, REFUSALS

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..credentials import RegistrySecret


def sort(secret: RegistrySecret, tried: Sequence[BaseException], *, where: str) -> RegistryError:
    """
    The error to raise for *tried*: what each identity met in turn, and the chain's own at the end.
    """
    for exc in tried:
        if code := CODE.search(str(exc)):
            return _refused(secret, where, code[1])
    for exc in tried:
        if error := _connection(exc, where):
            return error
    unassigned = any("No identity has been assigned" in str(exc) for exc in tried)
    if unassigned:
        return DiscoveryError(
            f"this machine has no managed identity that could log in to {secret.registry}",
            hint="assign one to it; where it has several, set AZURE_CLIENT_ID to the one meant",
            code="identity-missing",
        )
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
            hint=f"set {secret.id}_CONTAINER_REGISTRY_USER and _PASSWORD, or run az login, or set "
            "AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET",
            code="identity-missing",
        )
    return AuthenticationError(
        f"{where} gave no token, for a reason that we don't know",
        hint="run az account get-access-token with the same identity to see its own words",
        code="entra-refused",
    )


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
        hint=hint.format(set=f"{secret.id}_CONTAINER_REGISTRY"),
        code="entra-refused",
    )


def _connection(exc: BaseException, where: str) -> RegistryError | None:
    """
    The error for one that is about the way there, or None.
    """
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    unavailable = type(exc).__name__ == "CredentialUnavailableError"
    while exc.__cause__ is not None and not isinstance(
        exc, (ServiceRequestError, ServiceResponseError)
    ):
        exc = exc.__cause__
    if unavailable:
        return None  # a machine without that service, which is no outage
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
    status = exc.status_code if isinstance(exc, HttpResponseError) else None
    if status is not None and (status in (408, 429) or status >= 500):
        msg = f"{where} is busy (status {status})"
        return TransientError(msg, hint="try again later", code="entra-busy")
    return None
