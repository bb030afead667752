# SPDX-License-Identifier: MIT
"""
GitHub's container registry: a user name and a token.
"""

from __future__ import annotations

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
            return (
                "use a classic personal access token with read:packages; ghcr.io takes no "
                "fine-grained one"
            )
        if token.startswith(_INSTALLATION):
            if not refused:
                return (
                    "give this repository read access under the package's settings, "
                    "Manage Codespaces access"
                )
            return (
                "restart the codespace for a fresh GITHUB_TOKEN; it pulls only, pushing needs a "
                "classic token with write:packages"
            )
        if not refused:
            return (
                "give the token read:packages and single sign-on, and its user access to the "
                "package"
            )
        old = len(token) == 40 and _BEFORE_PREFIXES.issuperset(token)
        if not token.startswith(_CLASSIC) and not old:
            return (
                "use a classic personal access token with read:packages, which begins with ghp_; "
                "a password, or another registry's token, is not taken"
            )
        return (
            "make a new classic personal access token with read:packages (write:packages to push)"
        )
