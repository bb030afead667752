# SPDX-License-Identifier: MIT
"""
The ID token of a set: its own, or GitHub's.
"""

from __future__ import annotations

from ..causes.clouds import identities as causes
from ..naming import variable
from . import github, tokens

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import RegistrySecret
    from ..errors import DiscoveryError
    from .tokens import IdToken

# What each cloud wants by default.
# https://github.com/aws-actions/configure-aws-credentials/blob/v4.0.2/README.md#audience
# https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
AWS_AUDIENCE = "sts.amazonaws.com"
_ENTRA = {
    "us": "api://AzureADTokenExchangeUSGov",
    "cn": "api://AzureADTokenExchangeChina",
}
_ENTRA_GLOBAL = "api://AzureADTokenExchange"


def audience_of(secret: RegistrySecret, kind: str) -> str:
    """
    Return the audience of an ID token for *secret* at the cloud *kind*.
    """
    if kind == "google":
        from .named import provider_of

        # The one that a provider accepts without further settings:
        # https://cloud.google.com/iam/docs/workload-identity-federation-with-deployment-pipelines
        return f"https:{provider_of(secret)}"
    if secret.audience is not None:
        return secret.audience
    if kind == "acr":
        return _ENTRA.get(secret.registry.without_default_port.rpartition(".")[2], _ENTRA_GLOBAL)
    return AWS_AUDIENCE


def obtain(
    secret: RegistrySecret,
    kind: str,
    *,
    timeout: float,
    environ: Mapping[str, str] | None = None,
) -> IdToken:
    """
    Return the ID token for *secret*: its own, or one of GitHub Actions for its audience.

    Args:
        secret: A set that names an identity.
        kind: Of its cloud.
        timeout: Seconds for a request to GitHub.
        environ: Variables; None: `os.environ`.

    Raises:
        DiscoveryError: There is no token, or it is malformed or expired.
        RegistryError: GitHub issued none; see `github.request`.
    """
    if secret.id_token is not None:
        name = variable(secret.id, "ID_TOKEN")
        return tokens.read(secret.id_token, name=name, source="ID_TOKEN")
    if github.is_here(environ):
        return github.request(audience_of(secret, kind), timeout=timeout, environ=environ)
    raise missing(secret, environ=environ)


def missing(secret: RegistrySecret, *, environ: Mapping[str, str] | None = None) -> DiscoveryError:
    """
    Return the error for a set that names an identity, and has no token.
    """
    fix = causes.ALLOW_GITHUB if github.is_job(environ) else None
    name = variable(secret.id, "ID_TOKEN")
    return causes.MISSING.with_fix(fix).error(source=secret.source, token=name)
