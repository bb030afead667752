# SPDX-License-Identifier: MIT
"""
GitHub's container registry: a user name and a token.
"""

from __future__ import annotations

from ..causes import plugins as causes
from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
# https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
_FINE_GRAINED = "github_pat_"
_INSTALLATION = ("ghs_", "ghu_")  # issued by GitHub: GITHUB_TOKEN of Actions and Codespaces
_CLASSIC = ("ghp_", "gho_")
_BEFORE_PREFIXES = frozenset("0123456789abcdef")  # the format until April 2021: 40 digits


class GhcrAuthenticator:
    """
    Authenticator of GitHub's container registry: passes the token on.

    It names in `explain` what a token cannot do, by its prefix.
    """

    def matches(self, registry: Registry) -> bool:
        """
        Return whether *registry* is `ghcr.io`.
        """
        return registry == "ghcr.io"

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        Return the given user name and token.
        """
        return as_it_is(secret)

    def exchanges(self, secret: RegistrySecret) -> bool:  # noqa: ARG002
        """
        Return False: the token is sent unchanged.
        """
        return False

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Return which token is needed, by the kind of the refused one.
        """
        token = secret.secret.reveal() if secret.secret else ""
        refused = error.code == "rejected"
        if not refused and error.code not in ("pull-denied", "image-not-found"):
            return ""
        if token.startswith(_FINE_GRAINED):
            fix = causes.GHCR_FINE_GRAINED
        elif token.startswith(_INSTALLATION):
            fix = causes.GHCR_INSTALLATION if refused else causes.GHCR_INSTALLATION_MAY_NOT_PULL
        elif not refused:
            fix = causes.GHCR_MAY_NOT_PULL
        elif token.startswith(_CLASSIC) or (
            len(token) == 40 and _BEFORE_PREFIXES.issuperset(token)
        ):
            fix = causes.GHCR_CLASSIC
        else:
            fix = causes.GHCR_NO_TOKEN
        return fix.say()
