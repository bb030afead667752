# SPDX-License-Identifier: MIT
"""
Errors of azure-identity as causes; its texts are never quoted.
"""

from __future__ import annotations

import re

from ...causes.clouds import entra as causes
from ...causes.clouds import entra_tokens as token_causes
from ...identities.source import audience_of
from ...identities.tokens import shown
from ...naming import prefix, variable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...credentials import RegistrySecret
    from ...errors import RegistryError
    from ...identities.tokens import IdToken


# Texts of msal for a status without an error number, and RFC 6749, section 4.1.2.1.
_BUSY = re.compile(r"HTTP Error: (?:408|429|5[0-9]{2})|temporarily_unavailable|server_error")


# Answers of the machine's service without an identity, or without that of AZURE_CLIENT_ID.
_UNASSIGNED = re.compile(r"No identity has been assigned|Token request error: \(invalid_request\)")

_DEPTH_MAX = 10  # exceptions in a chain


def sort(
    secret: RegistrySecret,
    tried: Sequence[BaseException],
    *,
    authority: str,
    id_token: IdToken | None = None,
) -> RegistryError:
    """
    Return the error for *tried*: the failure of each identity, and the chain's at the end.
    """
    for exc in tried:
        if code := CODE.search(_texts(exc)):
            return _refused(secret, authority, code[1], id_token)
    for exc in tried:
        if error := _connection(exc, authority):
            return error
    if id_token is not None:
        return token_causes.NO_NUMBER.error(authority=authority, **id_token.words)
    if any(_UNASSIGNED.search(str(exc)) for exc in tried[:-1]):
        return causes.NO_MANAGED_IDENTITY.error(host=secret.registry)
    if any("Token request error:" in str(exc) for exc in tried[:-1]):
        return causes.MANAGED_IDENTITY_BUSY.error()
    if any("az login" in str(exc) for exc in tried):
        return causes.NOBODY_SIGNED_IN.error(host=secret.registry)
    if all(type(exc).__name__ == "CredentialUnavailableError" for exc in tried[:-1]):
        user = variable(secret.id, "USER")
        return causes.NO_IDENTITY.error(source=secret.source, host=secret.registry, user=user)
    return causes.NO_NUMBER.error(authority=authority)


def _texts(exc: BaseException) -> str:
    """
    Return the texts of *exc* and its causes, where msal keeps a tenant's refusal.
    """
    texts = [str(exc)]
    while (before := exc.__cause__ or exc.__context__) is not None and len(texts) < _DEPTH_MAX:
        exc = before
        texts.append(str(exc))
    return "\n".join(texts)


def _refused(
    secret: RegistrySecret, authority: str, code: str, id_token: IdToken | None
) -> RegistryError:
    if code in BUSY:
        return causes.BUSY_BY_NUMBER.error(authority=authority, number=code)
    facts = {"authority": authority, "number": code, "set": prefix(secret.id)}
    cause = causes.REFUSALS.get(code, causes.OTHER_NUMBER)
    if id_token is not None:
        facts |= id_token.words
        facts["expected"] = shown(audience_of(secret, "acr"))
        cause = token_causes.REFUSALS.get(code, cause.with_fix(token_causes.FIXES.get(code)))
        if code == "700212" and facts["audience"] == facts["expected"]:
            cause = token_causes.AUDIENCE_UNKNOWN
    return cause.error(**facts)


def _connection(exc: BaseException, authority: str) -> RegistryError | None:
    """
    Return the error for a failed connection, or None.
    """
    from azure.core.exceptions import (
        DecodeError,
        HttpResponseError,
        ServiceRequestError,
        ServiceResponseError,
    )

    if type(exc).__name__ == "CredentialUnavailableError":
        return None  # a machine without that service; not an outage
    while exc.__cause__ is not None and not isinstance(
        exc, (DecodeError, ServiceRequestError, ServiceResponseError)
    ):
        exc = exc.__cause__
    if "CERTIFICATE_VERIFY_FAILED" in str(exc):
        return causes.UNTRUSTED.error(authority=authority)
    if isinstance(exc, (ServiceRequestError, ServiceResponseError)):
        return causes.UNREACHABLE.error(authority=authority)
    if isinstance(exc, DecodeError):
        return causes.NOT_JSON.error(authority=authority)
    if isinstance(exc, (FileNotFoundError, PermissionError, IsADirectoryError)):
        return causes.FILE_UNREADABLE.error()
    status = exc.status_code if isinstance(exc, HttpResponseError) else None
    if (status is not None and (status in (408, 429) or status >= 500)) or _BUSY.search(str(exc)):
        return causes.BUSY.error(authority=authority)
    return None


# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
CODE = re.compile(r"AADSTS([0-9]{5,9})")

# The tenant does not know the resource, such as the registries' audience.
NO_SUCH_RESOURCE = "(AADSTS500011)"

# Worth a retry.
BUSY = frozenset({"50087", "50196", "90006", "90012", "90020", "90024", "90025", "90033"})
