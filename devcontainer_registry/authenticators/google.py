# SPDX-License-Identifier: MIT
"""
Google's registries: a service account's key or an access token as it is.
"""

from __future__ import annotations

import re

from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# https://cloud.google.com/artifact-registry/docs/docker/authentication
_HOST = re.compile(
    r"(?:[a-z]+\.)?gcr\.io"
    r"|[a-z0-9-]+-docker\.pkg\.dev"
    r"|docker\.[a-z0-9-]+\.rep\.pkg\.dev"
)


class GoogleAuthenticator:
    """
    Passes `_json_key`, `_json_key_base64` and `oauth2accesstoken` on with their passwords.
    """

    def matches(self, registry: Registry) -> bool:
        """
        `gcr.io` with its mirrors, and Artifact Registry's hosts.
        """
        return _HOST.fullmatch(registry) is not None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        The same user name and password.
        """
        return as_it_is(secret)

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        What each of the three user names wants for a password.
        """
        if error.code in ("pull-denied", "image-not-found"):
            return "give the account the role Artifact Registry Reader on the repository"
        if error.code != "rejected":
            return ""
        match secret.username:
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
