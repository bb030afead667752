# SPDX-License-Identifier: MIT
"""
Causes at registries of Azure.
"""

from __future__ import annotations

from ...errors import AuthenticationError, DiscoveryError, RegistryError
from ..cause import Cause, Fix

NOT_AZURES = Cause(
    "no-host-of-azure",
    DiscoveryError,
    "{host} is no registry of Azure's own domains; nothing was sent",
    "set {server} to NAME.azurecr.io, or set _USER and _PASSWORD",
)
EXCHANGE_FORBIDDEN = Cause(
    "exchange-rejected",
    AuthenticationError,
    "{host} knows this container's identity in Entra ID, and forbids it to log in",
    "give the identity the role AcrPull on this registry, and ask who keeps its network rules",
)
EXCHANGE_REFUSED = Cause(
    "exchange-rejected",
    AuthenticationError,
    "{host} refused this container's identity in Entra ID",
    "give the identity the role AcrPull on this registry; check that AZURE_TENANT_ID or {tenant} "
    "is the registry's tenant",
)
NO_REFRESH_TOKEN = Cause(
    "not-a-registry",
    RegistryError,
    "{host} gives no refresh token in exchange",
    "check the spelling of the registry, and that a registry listens there",
)
ACR_TOKEN_REFUSED = Fix(
    "rejected",
    "by ACR, to one of its own tokens",
    "set {password} anew from az acr login --expose-token; it lives 3 hours",
)
ACR_PASSWORD_REFUSED = Fix(
    "rejected",
    "by ACR, to a user name and a password",
    "check that the service principal's secret has not expired, or that the registry's admin user "
    "is enabled",
)
ACR_PULL_DENIED = Fix(
    "pull-denied",
    "by ACR",
    "give the identity the role AcrPull on this registry, or Container Registry Repository Reader "
    "where it has repository permissions",
)
ACR_IP_NOT_ALLOWED = Fix(
    "ip-not-allowed", "by ACR", "add this container's address to the registry's network rules"
)
