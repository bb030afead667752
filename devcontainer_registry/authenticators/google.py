# SPDX-License-Identifier: MIT
"""
Google's registries: a key, a token, or application default credentials.
"""

from __future__ import annotations

from ..causes.clouds import google as causes
from ..credentials import Credential, Secret
from ..identities import named
from ..identities.hosts import is_google
from ..naming import variable
from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

_ACCESS_TOKEN = "oauth2accesstoken"  # noqa: S105  (a user name)


class GoogleAuthenticator:
    """
    Authenticator of Google's registries: passes keys and tokens on, or uses the cloud identity.

    The user names are `_json_key`, `_json_key_base64` and `oauth2accesstoken`.  Without a user name
    and password, it uses the workload identity pool that the set names, with an ID token, or
    application default credentials.
    """

    ambient = True

    def matches(self, registry: Registry) -> bool:
        """
        Return whether *registry* is `gcr.io`, one of its mirrors, or Artifact Registry.
        """
        return is_google(registry)

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Return whether Google is asked: if the set has neither user name nor password.
        """
        return secret.username is None and secret.secret is None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        Return the given user name and password, or an access token valid for up to one hour.

        Raises:
            DiscoveryError: There are no application default credentials, or the host is not
                Google's.
            PluginError: The extra `google` is not installed.
        """
        trouble = named.problem(secret, "google")
        if trouble is not None:
            raise trouble
        if not self.exchanges(secret):
            return as_it_is(secret)
        if not self.matches(secret.registry):
            # The token grants access to all of Google Cloud, and _KIND may name any host.
            server = variable(secret.id, "SERVER")
            raise causes.NOT_GOOGLES.error(host=secret.registry, server=server)
        from .clouds import google as google_adc

        token, issued_at, expires_at = google_adc.token(secret, timeout=timeout)
        return Credential(
            username=_ACCESS_TOKEN, secret=Secret(token), issued_at=issued_at, expires_at=expires_at
        )

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Return which password each of the three user names needs.
        """
        if error.code in ("pull-denied", "image-not-found"):
            return causes.PULL_DENIED.say()
        if error.code != "rejected":
            return ""
        match secret.username:
            case None if secret.audience is not None:
                client = variable(secret.id, "CLIENT_ID")
                return causes.PRINCIPAL_REFUSED.say(client=client)
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
