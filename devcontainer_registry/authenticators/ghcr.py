# SPDX-License-Identifier: MIT
"""
GitHub's container registry: a user name and a token.
"""

from __future__ import annotations

import re

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

# https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api
_API = "https://api.github.com/"

# https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
_SCOPE = re.compile(r"[a-z_]{1,20}(?::[a-z_]{1,20})?")
_MAY_READ = frozenset({"read:packages", "write:packages", "delete:packages"})


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
        return (
            "make a new classic personal access token with read:packages (write:packages to push)"
        )

    def inquire(self, secret: RegistrySecret, error: RegistryError, *, timeout: float) -> str:
        """
        What GitHub's API says of a classic token that did not do.

        The token goes to `api.github.com` and nowhere else, and only once the registry refused it
        or an image: a login that works costs no request more.
        """
        token = secret.secret.reveal() if secret.secret else ""
        known = token.startswith((_FINE_GRAINED, *_INSTALLATION))
        if known or secret.registry != "ghcr.io" or not token.isascii() or not token.isprintable():
            return ""
        if error.code not in ("rejected", "pull-denied", "image-not-found"):
            return ""
        from ..errors import RegistryError as Failed
        from ..network.transport import Transport

        with Transport() as transport:
            try:
                answer = transport.request(
                    "GET", _API, headers={"Authorization": f"Bearer {token}"}, timeout=timeout
                )
            except Failed:
                return ""  # no word from there is no news
        if answer.crossed_hosts:
            return ""  # the token stayed behind, so this is about nobody
        if answer.status == 401:
            return (
                "make a new classic personal access token with read:packages; GitHub does not "
                "know this one any more"
            )
        scopes = answer.header("X-OAuth-Scopes")
        if answer.status != 200 or scopes is None:
            return ""
        known_scopes = frozenset(filter(_SCOPE.fullmatch, map(str.strip, scopes.split(","))))
        return _advice(known_scopes, refused=error.code == "rejected")


def _advice(scopes: frozenset[str], *, refused: bool) -> str:
    if not scopes & _MAY_READ:
        has = ", ".join(sorted(scopes)[:6]) or "none"
        return f"add the scope read:packages to the token; its scopes are: {has}"
    if refused:
        return (
            "authorize the token for single sign-on in the organisation (Configure SSO); it has "
            "read:packages already"
        )
    return (
        "give the token's user read access in the package's settings, and authorize the token for "
        "single sign-on; it has read:packages already"
    )
