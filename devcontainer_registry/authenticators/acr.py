# SPDX-License-Identifier: MIT
"""
Azure Container Registry: admin user, service principal and repository token as they are.
"""

from __future__ import annotations

import re

from .generic import as_it_is

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

# 5 to 50 letters and digits, and in newer registries a hash behind a hyphen.  Data endpoints
# (NAME.REGION.data.azurecr.io) serve blobs and take no login.
# https://learn.microsoft.com/azure/container-registry/container-registry-get-started-portal
_HOST = re.compile(r"[a-z0-9]{5,50}(?:-[a-z0-9]+)?\.azurecr\.(?:io|cn|us|de)")


class AcrAuthenticator:
    """
    Passes user name and password on; all three of ACR's password logins are plain ones.
    """

    def matches(self, registry: Registry) -> bool:
        """
        `NAME.azurecr.io` and the sovereign clouds' domains.
        """
        return _HOST.fullmatch(registry) is not None

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:  # noqa: ARG002
        """
        The same user name and password.
        """
        return as_it_is(secret)

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:  # noqa: ARG002
        """
        What a refusal means for each of the three.
        """
        match error.code:
            case "rejected":
                return (
                    "check that the service principal's secret has not expired, or that the "
                    "registry's admin user is enabled"
                )
            case "pull-denied":
                return "give the identity the role AcrPull on this registry"
            case "ip-not-allowed":
                return "add this container's address to the registry's network rules"
            case _:
                return ""
