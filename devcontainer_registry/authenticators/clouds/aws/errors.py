# SPDX-License-Identifier: MIT
"""
Errors of AWS's SDK in the user's words, with the fix.

The texts of errors are never quoted: they may hold a URL with a password, a header, or the output
of a `credential_process`.  In the texts, `{set}` is the prefix of a set's variables, filled in
later; other words in braces are those of `Names`.
"""

from __future__ import annotations

import os
import re
import sys
from urllib.parse import urlsplit

from ....causes.clouds import aws as causes
from ....causes.network import UNNAMED_PROXY
from ....network import failures
from ....network.proxies import host_of
from .names import SET
from .refusals import refused

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ....errors import DiscoveryError, RegistryError
    from .names import Names


class NeedsCodeError(Exception):
    """
    A profile needs the code of a second factor, and botocore would prompt for it.
    """


def explain(exc: BaseException, *, where: str, names: Names) -> RegistryError:
    """
    Return the error for *exc*, any exception of the SDK.

    Args:
        exc: Raised by a call or by the search for an identity.
        where: Target of a call to ECR, such as "ECR in eu-west-1"; else None.
        names: Words for the identity.
    """
    response, operation = getattr(exc, "response", None), getattr(exc, "operation_name", None)
    if isinstance(response, dict) and operation is not None:
        return refused(operation, response, where=where, names=names)
    kinds = [kind.__name__ for kind in type(exc).__mro__]
    kwargs = getattr(exc, "kwargs", {})
    if "endpoint_url" in kwargs or "proxy_url" in kwargs or "HTTPClientError" in kinds:
        return _unreached(kwargs, where)
    if "CredentialRetrievalError" in kinds and kwargs.get("provider") in causes.RETRIEVAL:
        return causes.RETRIEVAL[kwargs["provider"]].error(**names.facts)
    if "PartialCredentialsError" in kinds:
        return _partial(str(kwargs.get("cred_var")))
    if "ConfigParseError" in kinds or "ConfigNotFound" in kinds:
        is_there = "ConfigParseError" in kinds
        cause = causes.CONFIG_UNREADABLE if is_there else causes.CONFIG_MISSING
        return cause.error(path=str(kwargs.get("path")))
    if isinstance(exc, OSError):
        return _unreadable(exc, names)
    for kind in kinds:
        if kind in causes.LOCAL:
            return causes.LOCAL[kind].error(python=sys.executable, **names.facts)
    if "EndpointProviderError" in kinds or "BaseEndpointResolverError" in kinds:
        return causes.NO_ENDPOINT.error(endpoint=where, **names.facts)
    return causes.SDK_FAILED.error(endpoint=where, error=kinds[0])


def _unreached(kwargs: Mapping[str, Any], where: str) -> RegistryError:
    """
    Return the error for a call without an answer, as for any registry.
    """
    cause = kwargs.get("error")
    if not isinstance(cause, BaseException):
        cause = OSError()
    host = _host(str(kwargs.get("endpoint_url", ""))) or where
    if "proxy_url" in kwargs:
        inner = next((arg for arg in cause.args if isinstance(arg, BaseException)), cause)
        name = host_of(str(kwargs["proxy_url"])) or UNNAMED_PROXY.say()
        return failures.proxy(inner, name=name, host=where)
    return reworded(failures.sort(cause, host))


def reworded(error: RegistryError) -> RegistryError:
    """
    Return *error*, of a request without an answer, with what to do about it at AWS.
    """
    bundle = os.environ.get("AWS_CA_BUNDLE")
    if bundle and error.code in ("unreachable", "tls-failed") and not _holds_certificate(bundle):
        return causes.BUNDLE_UNUSABLE.error()
    fix = _FIXES.get(error.code)
    if fix is not None:
        error.hint = fix.say(set=SET)
    return error


_FIXES = {
    "certificate-untrusted": causes.UNTRUSTED,
    "name-not-resolved": causes.UNREACHED,
    "connection-refused": causes.UNREACHED,
    "unreachable": causes.UNREACHED,
    "timeout": causes.LATE,
    "not-a-registry": causes.STRANGER,
    "plain-http": causes.STRANGER,
}


def _holds_certificate(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return b"-----BEGIN CERTIFICATE-----" in file.read()
    except OSError:
        return False


def _host(url: str) -> str:
    # Without user part and path.
    try:
        return urlsplit(url).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def _partial(variable: str) -> DiscoveryError:
    # Only the name of a variable or of a key in a file is passed on.
    named = re.fullmatch(r"[A-Za-z_]{1,40}", variable) is not None
    return causes.KEY_INCOMPLETE.error(part=variable if named else causes.SECRET_KEY.say())


def _unreadable(exc: OSError, names: Names) -> DiscoveryError:
    named = os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE")
    if named and exc.filename == named:
        return causes.WEB_IDENTITY_MISSING.error()
    return causes.FILE_UNREADABLE.error(**names.facts)
