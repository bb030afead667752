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
_INSTALLATION = ("ghs_", "ghu_")  # of GitHub's own: Actions' GITHUB_TOKEN, and Codespaces'
_CLASSIC = ("ghp_", "gho_")
_BEFORE_PREFIXES = frozenset("0123456789abcdef")  # 40 of these, until April 2021


class GhcrAuthenticator:
    """
    Passes the token on, and tells from its shape what it can't do.

    The token goes to ghcr.io only: what stands there may be another registry's password.
    """

    def matches(self, registry: Registry) -> bool:
        """
        Exactly `ghcr.io`.
        """
        return registry == "ghcr.io"

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        The same user name and token.
        """
        return as_it_is(secret)

    def exchanges(self, secret: RegistrySecret) -> bool:  # noqa: ARG002
        """
        Never: what the set holds is what the registry takes.
        """
        return False

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Which token would do, by the kind of the one that did not.
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
