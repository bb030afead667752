# SPDX-License-Identifier: MIT
"""
Azure Container Registry: a password, or the container's identity.
"""

from __future__ import annotations

import time
from dataclasses import replace

from ..causes.clouds import acr as causes
from ..credentials import Credential, Secret, token_claims, token_expiry
from ..errors import AuthenticationError
from ..identities import named
from ..identities.hosts import is_acr
from ..naming import variable
from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# User name that marks the password as a token of the registry.
# https://learn.microsoft.com/azure/container-registry/container-registry-authentication
_NOBODY = "00000000-0000-0000-0000-000000000000"

# Lifetime of a refresh token without an expiry: https://github.com/Azure/acr/issues/191
_REFRESH_TOKEN_LIFE = 3 * 3600.0  # seconds


class AcrAuthenticator:
    """
    Authenticator of Azure Container Registry: passes passwords on, or uses an identity.

    That is the application that the set names, with an ID token, or the container's own.
    """

    ambient = True

    def matches(self, registry: Registry) -> bool:
        """
        Return whether *registry* is `NAME.azurecr.io` or in a sovereign cloud's domain.
        """
        return is_acr(registry)

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Return whether Entra ID is asked: if the set has neither user name nor password.
        """
        return secret.username is None and secret.secret is None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        Return the given user name and password, or a refresh token for Entra ID's access token.

        The registry accepts an admin user, a service principal and a repository token directly.

        Raises:
            DiscoveryError: There is no identity, or the host is not Azure's.
            PluginError: The extra `azure` is not installed.
        """
        trouble = named.problem(secret, "acr")
        if trouble is not None:
            raise trouble
        if not self.exchanges(secret):
            credential = as_it_is(secret)
            # `az acr login --expose-token` prints a token that expires.
            if credential.username != _NOBODY:
                return credential
            return replace(credential, expires_at=_expiry(credential.secret.reveal()))
        if not self.matches(secret.registry):
            # The token is valid at every registry of that identity, and _KIND may name any host.
            server = variable(secret.id, "SERVER")
            raise causes.NOT_AZURES.error(host=secret.registry, server=server)
        from .clouds import entra

        end = time.monotonic() + timeout
        access_token = entra.token(secret, timeout=timeout)
        return _exchange(secret, access_token, timeout=end - time.monotonic())

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Return the fix for a refusal, by the kind of login.
        """
        match error.code:
            case "rejected" if secret.username == _NOBODY:
                password = variable(secret.id, "PASSWORD")
                return causes.ACR_TOKEN_REFUSED.say(password=password)
            case "rejected" if not self.exchanges(secret):
                return causes.ACR_PASSWORD_REFUSED.say()
            case "pull-denied":
                return causes.ACR_PULL_DENIED.say()
            case "ip-not-allowed":
                return causes.ACR_IP_NOT_ALLOWED.say()
            case _:
                return ""


def _exchange(secret: RegistrySecret, access_token: str, *, timeout: float) -> Credential:
    """
    Exchange Entra ID's *access_token* for a refresh token of the registry.

    https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
    """
    from ..network import refusals
    from ..network.transport import Transport

    with Transport() as transport:
        response = transport.request(
            "POST",
            f"https://{secret.registry}/oauth2/exchange",
            form={
                "grant_type": "access_token",
                "service": str(secret.registry),
                "access_token": access_token,
            },
            ca_file=secret.ca_file,
            timeout=timeout,
        )
    if response.status != 200:
        error = refusals.error(response, secret.registry)
        if isinstance(error, AuthenticationError) and error.code == "rejected":
            raise _refused(secret, response.status)
        raise error
    token = refusals.json_object(response.body).get("refresh_token")
    if not isinstance(token, str) or not token:
        raise causes.NO_REFRESH_TOKEN.error(host=secret.registry)
    now = time.time()
    return Credential(
        username=_NOBODY,
        secret=Secret(token),
        issued_at=now,
        expires_at=_expiry(token) or now + _REFRESH_TOKEN_LIFE,
    )


def _refused(secret: RegistrySecret, status: int) -> AuthenticationError:
    """
    Return the error for a valid identity that the registry refuses.
    """
    cause = causes.EXCHANGE_FORBIDDEN if status == 403 else causes.EXCHANGE_REFUSED
    if status != 403 and secret.client_id is not None:
        cause = causes.EXCHANGE_REFUSED_TO_APPLICATION
    client, tenant = variable(secret.id, "CLIENT_ID"), variable(secret.id, "TENANT")
    return cause.error(host=secret.registry, client=client, tenant=tenant)


def _expiry(token: str) -> float | None:
    """
    Return when the JWT *token* expires, in Unix seconds; None if unknown.
    """
    return token_expiry(token_claims(token))
