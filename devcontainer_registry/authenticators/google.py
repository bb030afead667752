# SPDX-License-Identifier: MIT
"""
Google's registries: a key, a token, or application default credentials.
"""

from __future__ import annotations

import re

from ..causes.clouds import google as causes
from ..credentials import Credential, Secret
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
            server = variable(secret.id, "SERVER")
            raise causes.NOT_GOOGLES.error(host=secret.registry, server=server)
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
            return causes.PULL_DENIED.say()
        if error.code != "rejected":
            return ""
        match secret.username:
            case None:
                return causes.CREDENTIALS_REFUSED.say()
            case "_json_key":
                return causes.KEY_REFUSED.say()
            case "_json_key_base64":
                return causes.KEY_IN_BASE64_REFUSED.say()
            case "oauth2accesstoken":
                return causes.TOKEN_REFUSED.say()
            case _:
                return causes.USER_UNKNOWN.say()
