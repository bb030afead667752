# SPDX-License-Identifier: MIT
"""
The registries of ACME, a made-up company: an API key becomes a password for half an hour.
"""

from __future__ import annotations

import json
import os
import re
import time

from devcontainer_registry import Credential, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
)

_HOST = re.compile(r"[a-z]{2}\.registry\.acme\.example")


class AcmeAuthenticator:
    """
    Exchanges the API key in the set's password; the user name is the account's.
    """

    def matches(self, registry):
        """
        `COUNTRY.registry.acme.example`.
        """
        return _HOST.fullmatch(registry) is not None

    def exchanges(self, secret):  # noqa: ARG002  (the protocol's)
        """
        Always: a key is no password.
        """
        return True

    def authenticate(self, secret, *, timeout):
        """
        A password that lives as long as ACME says.

        Raises:
            DiscoveryError: There is no key.
            AuthenticationError: ACME does not take it.
            TransientError: ACME is busy, or can't be reached.
        """
        if secret.username is None or secret.secret is None:
            raise DiscoveryError(
                f"{secret.source} has no API key for {secret.registry}",
                hint=f"set {secret.id}_CONTAINER_REGISTRY_USER to the account and _PASSWORD to "
                "its key",
            )
        answer = _asked(secret, timeout=timeout)
        try:
            content = json.loads(answer.body)
            password, lives = content["password"], float(content["seconds"])
        except (ValueError, KeyError, TypeError):
            # Without the cause: it may quote the password.
            msg = "ACME answers with no password"
            raise RegistryError(msg, hint="check ACME_TOKEN_URL", code="not-a-registry") from None
        now = time.time()
        return Credential(
            username=secret.username,
            secret=Secret(password),
            issued_at=now,
            expires_at=now + lives,
        )

    def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
        """
        What ACME calls the permission to pull.
        """
        return "let the account take things off the shelf" if error.code == "pull-denied" else ""


def _asked(secret, *, timeout):
    # Here, since whoever only asks whom this kind serves need not wait for it.
    from devcontainer_registry.network.transport import Transport

    url = os.environ.get("ACME_TOKEN_URL", "https://login.acme.example/token")
    with Transport() as transport:
        form = {"account": secret.username, "key": secret.secret.reveal()}
        answer = transport.request("POST", url, form=form, timeout=timeout)
    if answer.status in (401, 403):
        msg = "ACME does not take the API key"
        raise AuthenticationError(msg, hint=f"set {secret.id}_CONTAINER_REGISTRY_PASSWORD anew")
    if answer.status == 429 or answer.status >= 500:
        raise TransientError("ACME is busy", hint="try again later", code="busy")
    return answer
