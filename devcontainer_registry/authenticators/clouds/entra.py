# SPDX-License-Identifier: MIT
"""
Access tokens of Entra ID, through azure-identity.
"""

from __future__ import annotations

import logging
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...causes.clouds import entra as causes
from ...errors import AuthenticationError
from ...identities import named, source
from ...naming import variable
from ...network.proxies import proxy_for
from ...network.trust import bundle_for_sdk
from ...network.urls import shown
from ...observer import since, tell
from ...threads import within
from .bodies import limited_requests
from .entra_errors import NO_SUCH_RESOURCE, sort

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ...credentials import RegistrySecret
    from ...errors import DiscoveryError
    from ...identities.tokens import IdToken

# Audience of registries only, in every cloud.  A registry may refuse tokens for all of Azure (`az
# acr config authentication-as-arm`). DEFAULT_AUDIENCE in
# sdk/containerregistry/azure-containerregistry/azure/containerregistry/ _helpers.py at
# https://github.com/Azure/azure-sdk-for-python/tree/azure-containerregistry_1.2.0
_AUDIENCE = "https://containerregistry.azure.net"

_PROBE_MAX = 5.0  # seconds to connect; a local service answers in milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """
    One of Azure's clouds.

    Attributes:
        authority: Host of Entra ID; `AZURE_AUTHORITY_HOST` wins.
        manager: Audience of the resource manager.
    """

    authority: str
    manager: str


# https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
# https://learn.microsoft.com/azure/china/resources-developer-guide
# Azure Germany was closed on 29 October 2021.
_CLOUDS = {
    "io": Cloud(
        authority="login.microsoftonline.com", manager="https://management.core.windows.net"
    ),
    "cn": Cloud(
        authority="login.chinacloudapi.cn", manager="https://management.core.chinacloudapi.cn"
    ),
    "us": Cloud(
        authority="login.microsoftonline.us", manager="https://management.core.usgovcloudapi.net"
    ),
    "de": Cloud(
        authority="login.microsoftonline.de", manager="https://management.core.cloudapi.de"
    ),
}


def token(secret: RegistrySecret, *, timeout: float) -> str:
    """
    Return an access token for the registries of *secret*'s cloud; *timeout* in seconds.

    Identities, in order of precedence: the service principal of `AZURE_CLIENT_ID` with its secret
    or certificate, the workload identity of `AZURE_FEDERATED_TOKEN_FILE`, the managed identity of
    the machine, and the user of az, PowerShell or azd.  `AZURE_TOKEN_CREDENTIALS` restricts them,
    as in azure-identity.  A set that names an application is that application, with an ID token,
    and no other.

    Raises:
        PluginError: azure-identity is not installed (`extra-missing`).
        DiscoveryError: There is no identity (`identity-missing`), or the AZURE_* variables are
            invalid (`azure-settings`).
        AuthenticationError: Entra ID refused (`entra-` and the number of AADSTS).
        TransientError: It was unreachable or busy.
        UnreachableError: It cannot be reached, and a retry cannot help.
    """
    cloud = _CLOUDS[secret.registry.rpartition(".")[2]]
    # requests would misread a broken value.
    proxy_for(_authority(cloud), 443, os.environ)
    _quiet()
    _check_installed(secret)
    late = causes.TIMED_OUT.error(authority=_authority(cloud), seconds=timeout)
    federated = named.names_identity(secret)
    end = time.monotonic() + timeout
    id_token = source.obtain(secret, "acr", timeout=timeout) if federated else None
    if id_token is not None:
        tell("cloud.identity_chosen", provider="entra", source=id_token.source)
    left = max(0.1, end - time.monotonic())
    return within(left, lambda: _asked(secret, cloud, id_token, timeout=left), late=late)


def _authority(cloud: Cloud) -> str:
    return os.environ.get("AZURE_AUTHORITY_HOST") or cloud.authority


def _check_installed(secret: RegistrySecret) -> None:
    try:
        import azure.identity  # noqa: F401  (300 ms, and only a login without a password pays)
    except ImportError:
        # Without the cause: it shows only paths of this machine.
        user = variable(secret.id, "USER")
        raise causes.EXTRA_MISSING.error(source=secret.source, user=user, extra="azure") from None


def _quiet() -> None:
    # Their warnings become errors here; otherwise Python would also print them to stderr.
    for name in ("azure", "msal"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())


def _asked(
    secret: RegistrySecret, cloud: Cloud, id_token: IdToken | None, *, timeout: float
) -> str:
    try:
        return _once(secret, cloud, _AUDIENCE, id_token, timeout=timeout)
    except AuthenticationError as exc:
        if NO_SUCH_RESOURCE not in exc.message:
            raise
    # A tenant may not know the registries' audience.
    return _once(secret, cloud, cloud.manager, id_token, timeout=timeout)


def _once(
    secret: RegistrySecret,
    cloud: Cloud,
    audience: str,
    id_token: IdToken | None,
    *,
    timeout: float,
) -> str:
    from azure.core.exceptions import ClientAuthenticationError

    tried: list[BaseException] = []
    begun = time.monotonic()
    # A variable may name the host, and hold anything.
    host = shown(urlsplit(f"//{_authority(cloud).rpartition('://')[2]}").hostname or "")
    asked = {"provider": "entra", "operation": "get_token", "host": host}
    try:
        if id_token is not None:
            chain = _application(secret, cloud, id_token, timeout=timeout)
        else:
            chain = _chain(secret, cloud, tried, timeout=timeout)
    except ValueError:
        # Without the cause, which quotes the variable's value.
        raise _unusable(secret) from None
    try:
        with chain:
            options = {"tenant_id": secret.tenant} if secret.tenant and not id_token else {}
            found = str(chain.get_token(f"{audience}/.default", **options).token)
            tell("cloud.answered", **asked, result="ok", ms=since(begun))
            return found
    except ClientAuthenticationError as exc:
        tell("cloud.answered", **asked, result=type(exc).__name__, ms=since(begun))
        # Without the cause: it quotes answers at length.
        failures = [*tried, exc]
        raise sort(secret, failures, authority=_authority(cloud), id_token=id_token) from None
    except ValueError:
        raise _unusable(secret) from None  # as above


def _chain(
    secret: RegistrySecret, cloud: Cloud, tried: list[BaseException], *, timeout: float
) -> Any:
    """
    Return azure-identity's chain; failures are recorded in *tried*.
    """
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    options = _options(cloud, timeout=timeout)
    options["additionally_allowed_tenants"] = ["*"] if secret.tenant else None
    tenant = {"workload_identity_tenant_id": secret.tenant} if secret.tenant else {}
    chain = DefaultAzureCredential(process_timeout=max(1, int(timeout)), **tenant, **options)
    credentials = list(chain.credentials)
    client_id = os.environ.get("AZURE_CLIENT_ID")
    client_secret = os.environ.get("AZURE_CLIENT_SECRET")
    if secret.tenant and client_id and client_secret and not os.environ.get("AZURE_TENANT_ID"):
        # The default chain reads the tenant from the environment only.
        principal = ClientSecretCredential(secret.tenant, client_id, client_secret, **options)
        credentials.insert(0, principal)
    chain.credentials = tuple(_Noted(credential, tried) for credential in credentials)
    return chain


def _application(secret: RegistrySecret, cloud: Cloud, id_token: IdToken, *, timeout: float) -> Any:
    """
    Return the application that *secret* names, with a federated credential for *id_token*.

    https://learn.microsoft.com/entra/workload-id/workload-identity-federation
    """
    from azure.identity import ClientAssertionCredential

    assert secret.tenant is not None
    assert secret.client_id is not None
    return ClientAssertionCredential(
        secret.tenant,
        secret.client_id,
        id_token.token.reveal,
        **_options(cloud, timeout=timeout),
    )


def _options(cloud: Cloud, *, timeout: float) -> dict[str, Any]:
    options: dict[str, Any] = {
        "authority": _authority(cloud),
        # No retries here.
        "retry_total": 0,
        "connection_timeout": min(timeout, _PROBE_MAX),
        "read_timeout": timeout,
        "connection_verify": bundle_for_sdk(os.environ, "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
        or True,
    }
    options["transport"] = limited_requests(**options)
    return options


# requests' variables for its CA bundle.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class _Noted:
    """
    A credential that records its failure: the chain passes on only texts, without causes.
    """

    def __init__(self, credential: Any, tried: list[BaseException]) -> None:
        self._credential, self._tried = credential, tried

    def get_token(self, *scopes: str, **options: Any) -> Any:
        try:
            return self._credential.get_token(*scopes, **options)
        except Exception as exc:
            self._tried.append(exc)
            raise

    def __enter__(self) -> _Noted:
        self._credential.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._credential.__exit__(*exc_info)


def _unusable(secret: RegistrySecret) -> DiscoveryError:
    tenant = variable(secret.id, "TENANT")
    return causes.SETTINGS.error(host=secret.registry, tenant=tenant)
