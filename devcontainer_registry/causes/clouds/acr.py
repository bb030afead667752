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
    "{host} is not an Azure registry; nothing was sent",
    "set {server} to NAME.azurecr.io, or set _USER and _PASSWORD",
)
ALLOW_NETWORK = Fix(
    "exchange-rejected",
    "where ACR knows the identity",
    "give the identity the role AcrPull, and allow this network in the registry's network rules",
)
EXCHANGE_FORBIDDEN = Cause(
    "exchange-rejected",
    AuthenticationError,
    "the registry forbids this container's Entra ID identity to log in",
    ALLOW_NETWORK.text,
)
EXCHANGE_REFUSED = Cause(
    "exchange-rejected",
    AuthenticationError,
    "the registry rejected this container's Entra ID identity",
    "give the identity the role AcrPull; check that AZURE_TENANT_ID or {tenant} is the "
    "registry's tenant",
)
ALLOW_APPLICATION = Fix(
    "exchange-rejected",
    "where the set names an application",
    "give the application the role AcrPull; check that {tenant} is the registry's tenant",
)
EXCHANGE_REFUSED_TO_APPLICATION = Cause(
    "exchange-rejected",
    AuthenticationError,
    "the registry rejected the Entra ID application in {client}",
    ALLOW_APPLICATION.text,
)
NO_REFRESH_TOKEN = Cause(
    "not-a-registry",
    RegistryError,
    "{host} sent no refresh token",
    "check the spelling of the registry; a proxy or sign-in page may have answered instead",
)
ACR_TOKEN_REFUSED = Fix(
    "rejected",
    "by ACR, to one of its own tokens",
    "set {password} to a new token from az acr login --expose-token; it lasts 3 hours",
)
ACR_PASSWORD_REFUSED = Fix(
    "rejected",
    "by ACR, to a user name and a password",
    "check that the service principal's secret is still valid, or that the registry's "
    "admin user is enabled",
)
ACR_PULL_DENIED = Fix(
    "pull-denied",
    "by ACR",
    "give the identity the role AcrPull, or Container Registry Repository Reader if the "
    "registry uses repository permissions",
)
ACR_IP_NOT_ALLOWED = Fix(
    "ip-not-allowed", "by ACR", "add this container's address to the registry's network rules"
)
