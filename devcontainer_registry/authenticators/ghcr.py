# SPDX-License-Identifier: MIT
"""
GitHub's container registry: any user name, and a token that may read packages.
"""

from __future__ import annotations

from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# https://docs.github.com/en/packages/working-with-a-github-packages-registry/working-with-the-container-registry
_FINE_GRAINED = "github_pat_"
_INSTALLATION = "ghs_"


class GhcrAuthenticator:
    """
    Passes the token on, and knows what it can't do.
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

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Which token would do, by the kind of the one that did not.
        """
        token = secret.secret.reveal() if secret.secret else ""
        if token.startswith(_FINE_GRAINED):
            return (
                "use a classic personal access token with read:packages; ghcr.io takes no "
                "fine-grained one"
            )
        if error.code in ("pull-denied", "image-not-found"):
            if token.startswith(_INSTALLATION):
                return (
                    "give this repository read access under the package's settings, "
                    "Manage Codespaces access"
                )
            return "give the token read:packages and single sign-on, and its user access to the package"
        if error.code != "rejected":
            return ""
        if token.startswith(_INSTALLATION):
            return (
                "restart the codespace for a fresh GITHUB_TOKEN; it pulls only, pushing needs a "
                "classic token with write:packages"
            )
        return (
            "make a new classic personal access token with read:packages (write:packages to push)"
        )
