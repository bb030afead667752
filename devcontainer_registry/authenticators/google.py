# SPDX-License-Identifier: MIT
"""
Google's registries: a key, a token, or application default credentials.
"""

from __future__ import annotations

import re

from ..credentials import Credential, Secret
from ..errors import DiscoveryError
from ..naming import variable
from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# https://cloud.google.com/artifact-registry/docs/docker/authentication
_HOST = re.compile(
    r"(?:[a-z]+\.)?gcr\.io"
    r"|[a-z0-9-]+-docker\.pkg\.dev"
    r"|docker\.[a-z0-9-]+\.rep\.pkg\.dev"
)

_ACCESS_TOKEN = "oauth2accesstoken"  # noqa: S105  (a user name)


class GoogleAuthenticator:
    """
    Passes `_json_key`, `_json_key_base64` and `oauth2accesstoken` on with their passwords.

    Where there are none, logs in with application default credentials.
    """

    ambient = True

    def matches(self, registry: Registry) -> bool:
        """
        `gcr.io` with its mirrors, and Artifact Registry's hosts.
        """
        return _HOST.fullmatch(registry) is not None

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Whether Google is asked: where the set has no user name and no password.
        """
        return secret.username is None and secret.secret is None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        The same user name and password, or an access token of at most one hour.

        Raises:
            DiscoveryError: No application default credentials, or a host that is none of Google's.
            PluginError: The extra `google` is not installed.
        """
        if not self.exchanges(secret):
            return as_it_is(secret)
        if not self.matches(secret.registry):
            # The token opens all of Google Cloud to whoever has it, and _KIND is a variable.
            raise DiscoveryError(
                f"{secret.registry} is no registry of Google's own domains; nothing was sent",
                hint=f"correct {variable(secret.id, 'SERVER')}, or set _USER and _PASSWORD",
                code="no-host-of-google",
            )
        from .clouds import google as google_adc

        token, issued_at, expires_at = google_adc.token(secret, timeout=timeout)
        return Credential(
            username=_ACCESS_TOKEN, secret=Secret(token), issued_at=issued_at, expires_at=expires_at
        )

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        What each of the three user names wants for a password.
        """
        if error.code in ("pull-denied", "image-not-found"):
            return "give the account the role Artifact Registry Reader on the repository"
        if error.code != "rejected":
            return ""
        match secret.username:
            case None:
                return (
                    "give the account of the application default credentials the role Artifact "
                    "Registry Reader, and check that its scopes include cloud-platform"
                )
            case "_json_key":
                return (
                    "give the whole JSON key as the password, with its line breaks; check that it "
                    "is not disabled"
                )
            case "_json_key_base64":
                return "give the base64 of the whole JSON key as the password, in one line"
            case "oauth2accesstoken":
                return (
                    "get a new access token: it lives 60 minutes; a JSON key with the user "
                    "_json_key lasts"
                )
            case _:
                return "use _json_key, _json_key_base64 or oauth2accesstoken as the user name"
