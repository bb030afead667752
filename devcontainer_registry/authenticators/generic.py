# SPDX-License-Identifier: MIT
"""
User name and password, sent as they are.
"""

from __future__ import annotations

from ..credentials import Credential, is_aws_key_id
from ..errors import DiscoveryError
from ..naming import variable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# Long-lived and temporary access key ids.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
_GOOGLE_KEY_USERS = ("_json_key", "_json_key_base64")

_HINTS = {
    "docker.io": "use an access token of Docker Hub as the password; an account with two-factor "
    "login or single sign-on takes nothing else",
    "registry.gitlab.com": "use a deploy token, or a personal access token with read_registry",
    "quay.io": "use a robot account's name, in full as organisation+robot, and its token",
    "registry.digitalocean.com": "use an API token as both user name and password",
}


# A web site for its registry.
_MEANT = {
    "docker.com": "docker.io",
    "hub.docker.com": "docker.io",
    "github.com": "ghcr.io",
    "gitlab.com": "registry.gitlab.com",
}

# Harbor's hosts are anybody's, but nobody else calls its robots so.
# https://goharbor.io/docs/2.11.0/administration/robot-accounts/
_HARBOR_HINT = (
    "check in Harbor that the robot account is enabled and has not expired, and refresh its secret"
)


class GenericAuthenticator:
    """
    Passes on what it was given.  It claims nobody, and serves those whom nobody else claims.
    """

    def matches(self, registry: Registry) -> bool:  # noqa: ARG002  (the protocol's)
        """
        Never: it is chosen where nothing else is.
        """
        return False

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        The same user name and password.

        Raises:
            DiscoveryError: The user name is a cloud's key (code `cloud-key-for-foreign-host`): a
                slip in SERVER would send it to a stranger.
        """
        if secret.kind != "generic" and _is_cloud_key(secret.username or ""):
            raise DiscoveryError(
                f"{variable(secret.id, 'USER')} is a cloud's key, but {secret.registry} is "
                "no registry of that cloud; nothing was sent",
                hint=f"correct {variable(secret.id, 'SERVER')}, or set "
                f"{variable(secret.id, 'KIND')} to the registry's kind",
                code="cloud-key-for-foreign-host",
            )
        return as_it_is(secret)

    def exchanges(self, secret: RegistrySecret) -> bool:  # noqa: ARG002
        """
        Never: what the set holds is what the registry takes.
        """
        return False

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        What the well-known registries take for a password, and what they are called.
        """
        meant = _MEANT.get(secret.registry)
        if meant is not None:
            return f"set {variable(secret.id, 'SERVER')} to {meant}, the registry's name"
        if error.code != "rejected":
            return ""
        if (secret.username or "").startswith("robot$"):
            return _HARBOR_HINT
        return _HINTS.get(secret.registry, "")


def as_it_is(secret: RegistrySecret) -> Credential:
    """
    The credential that is *secret* itself.

    Raises:
        DiscoveryError: There is no user name and password, and this kind can't do without.
    """
    if secret.username is None or secret.secret is None:
        raise DiscoveryError(
            f"{secret.source} has no user name and password for {secret.registry}",
            hint=f"set {variable(secret.id, 'USER')} and _PASSWORD",
        )
    return Credential(username=secret.username, secret=secret.secret)


def _is_cloud_key(username: str) -> bool:
    return is_aws_key_id(username) or username in _GOOGLE_KEY_USERS
