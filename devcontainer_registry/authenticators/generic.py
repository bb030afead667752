# SPDX-License-Identifier: MIT
"""
User name and password, sent unchanged.
"""

from __future__ import annotations

from ..causes import plugins as causes
from ..credentials import Credential, is_aws_key_id
from ..naming import variable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# Long-lived and temporary access key ids.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_GOOGLE_KEY_USERS = ("_json_key", "_json_key_base64")

_FIXES = {
    "docker.io": causes.DOCKER_HUB,
    "registry.gitlab.com": causes.GITLAB,
    "quay.io": causes.QUAY,
    "registry.digitalocean.com": causes.DIGITALOCEAN,
}


# Registries by the web site that people name instead.
_MEANT = {
    "docker.com": "docker.io",
    "hub.docker.com": "docker.io",
    "github.com": "ghcr.io",
    "gitlab.com": "registry.gitlab.com",
}

# Harbor runs on any host, but only its robot accounts have this prefix.
# https://goharbor.io/docs/2.11.0/administration/robot-accounts/
_HARBOR_ROBOT = "robot$"


class GenericAuthenticator:
    """
    Authenticator for every registry that no other kind matches: passes the password on.
    """

    def matches(self, registry: Registry) -> bool:  # noqa: ARG002  (the protocol's)
        """
        Return False: this kind is the fallback.
        """
        return False

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        Return the given user name and password.

        Raises:
            DiscoveryError: The user name is a cloud's key (`cloud-key-for-foreign-host`): with a
                typo in SERVER, it would reach another host.
        """
        if secret.kind != "generic" and _is_cloud_key(secret.username or ""):
            raise causes.CLOUD_KEY_FOR_STRANGER.error(
                host=secret.registry,
                user=variable(secret.id, "USER"),
                server=variable(secret.id, "SERVER"),
                kind=variable(secret.id, "KIND"),
            )
        return as_it_is(secret)

    def exchanges(self, secret: RegistrySecret) -> bool:  # noqa: ARG002
        """
        Return False: the password is sent unchanged.
        """
        return False

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Return which kind of password a well-known registry wants.
        """
        meant = _MEANT.get(secret.registry)
        if meant is not None:
            return causes.WEB_SITE.say(server=variable(secret.id, "SERVER"), meant=meant)
        if error.code != "rejected":
            return ""
        if (secret.username or "").startswith(_HARBOR_ROBOT):
            return causes.HARBOR.say()
        known = _FIXES.get(secret.registry)
        return known.say() if known is not None else ""


def as_it_is(secret: RegistrySecret) -> Credential:
    """
    Return the user name and password of *secret* as a credential.

    Raises:
        DiscoveryError: User name or password is missing.
    """
    if secret.username is None or secret.secret is None:
        raise causes.NO_USER_AND_PASSWORD.error(
            source=secret.source,
            host=secret.registry,
            user=variable(secret.id, "USER"),
            password=variable(secret.id, "PASSWORD"),
        )
    return Credential(username=secret.username, secret=secret.secret)


def _is_cloud_key(username: str) -> bool:
    return is_aws_key_id(username) or username in _GOOGLE_KEY_USERS
