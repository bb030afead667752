# SPDX-License-Identifier: MIT
"""
What GitHub Codespaces itself writes into config.json, from the same sets.

After onCreate and before postCreate, and never in a prebuild: USER and PASSWORD as they are, and
for Amazon's registries the token that it got for the access key.
https://docs.github.com/en/codespaces/reference/allowing-your-codespace-to-access-a-private-registry
"""

from __future__ import annotations

from ..naming import is_codespaces

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import Credential, RegistrySecret

# ECR's only user: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
_TOKEN_USERNAME = "AWS"  # noqa: S105  (a user name)

# Before these, Codespaces has just written.  Not postAttach: by then somebody may have logged in.
_STEPS = ("postCreate", "postStart")


def has_just_written(step: str, environ: Mapping[str, str]) -> bool:
    """
    Whether Codespaces may have written config.json since our last step, and nobody by hand.
    """
    return step in _STEPS and is_codespaces(environ)


def is_its(entry: Credential, secret: RegistrySecret, *, kind: str | None) -> bool:
    """
    Whether *entry* is what Codespaces makes of *secret*, an access key at kind `ecr`.
    """
    if kind != "ecr" or secret.secret is None or secret.username == _TOKEN_USERNAME:
        return False
    as_it_is = (entry.username, entry.secret) == (secret.username, secret.secret)
    return as_it_is or entry.username == _TOKEN_USERNAME
