# SPDX-License-Identifier: MIT
"""
Azure Container Registry: a password, or the container's identity.
"""

from __future__ import annotations

import re
import time
from dataclasses import replace

from ..causes.clouds import acr as causes
from ..credentials import Credential, Secret, token_claims
from ..errors import AuthenticationError
from ..naming import variable
from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# 5 to 50 letters and digits, and in newer registries a hash behind a hyphen.  Data endpoints
# (NAME.REGION.data.azurecr.io) serve blobs and take no login.
# https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal
_HOST = re.compile(r"[a-z0-9]{5,50}(?:-[a-z0-9]+)?\.azurecr\.(?:io|cn|us|de)")

# The user name that says that the password is one of the registry's own tokens.
# https://learn.microsoft.com/azure/container-registry/container-registry-authentication
_NOBODY = "00000000-0000-0000-0000-000000000000"

# Of a refresh token that does not say: https://github.com/Azure/acr/issues/191
_REFRESH_TOKEN_LIFE = 3 * 3600.0  # seconds


class AcrAuthenticator:
    """
    Passes user name and password on; where there are none, logs in as this container's identity.
    """

    ambient = True

    def matches(self, registry: Registry) -> bool:
        """
        `NAME.azurecr.io` and the sovereign clouds' domains.
        """
        return _HOST.fullmatch(registry) is not None

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Whether Entra ID is asked: where the set has no user name and no password.
        """
        return secret.username is None and secret.secret is None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        The same user name and password, or the registry's refresh token for Entra ID's.

        Admin user, service principal and repository token are passwords that the registry takes.

        Raises:
            DiscoveryError: No identity, or a host that is none of Azure's.
            PluginError: The extra `azure` is not installed.
        """
        if not self.exchanges(secret):
            credential = as_it_is(secret)
            # What `az acr login --expose-token` printed is a token that ends.
            if credential.username != _NOBODY:
                return credential
            return replace(credential, expires_at=_expiry(credential.secret.reveal()))
        if not self.matches(secret.registry):
            # The token would be good at every registry of that identity, and _KIND is a variable.
            server = variable(secret.id, "SERVER")
            raise causes.NOT_AZURES.error(host=secret.registry, server=server)
        from .clouds import entra

        end = time.monotonic() + timeout
        access_token = entra.token(secret, timeout=timeout)
        return _exchange(secret, access_token, timeout=end - time.monotonic())

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        What a refusal means for each of the ways to log in.
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
    The registry's refresh token for Entra ID's *access_token*.

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
    The error for an identity that Entra ID vouches for, and the registry does not take.
    """
    cause = causes.EXCHANGE_FORBIDDEN if status == 403 else causes.EXCHANGE_REFUSED
    return cause.error(host=secret.registry, tenant=variable(secret.id, "TENANT"))


def _expiry(token: str) -> float | None:
    """
    When the JWT *token* ends, in Unix seconds, or None where it is none or does not say.
    """
    end = token_claims(token).get("exp")
    return float(end) if isinstance(end, (int, float)) else None
