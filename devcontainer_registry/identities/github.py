# SPDX-License-Identifier: MIT
"""
The ID token of GitHub Actions, requested in a job.

A job with the permission `id-token: write` may do so: the runner sets the two variables.  The
documentation names them for the runner only, so in a codespace they are ignored.
https://docs.github.com/en/actions/reference/security/oidc#methods-for-requesting-the-oidc-token
https://github.com/actions/runner/pull/1287
"""

from __future__ import annotations

import os
from urllib.parse import quote

from ..causes.clouds import identities as causes
from ..credentials import Secret
from ..naming import is_codespaces
from . import tokens

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .tokens import IdToken

_URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
_TOKEN = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  (a variable's name)


def is_here(environ: Mapping[str, str] | None = None) -> bool:
    """
    Return whether this job may request an ID token.
    """
    environ = os.environ if environ is None else environ
    return bool(environ.get(_URL) and environ.get(_TOKEN)) and not is_codespaces(environ)


def is_job(environ: Mapping[str, str] | None = None) -> bool:
    """
    Return whether this is a job of GitHub Actions, with or without that permission.
    """
    environ = os.environ if environ is None else environ
    return environ.get("GITHUB_ACTIONS", "").lower() == "true"


def request(audience: str, *, timeout: float, environ: Mapping[str, str] | None = None) -> IdToken:
    """
    Request an ID token for *audience*, within *timeout* seconds.

    Raises:
        DiscoveryError: The URL is not one with https; nothing was sent.
        AuthenticationError: GitHub refused.
        TransientError: It was unreachable or busy.
        UnreachableError: It cannot be reached, and a retry cannot help.
        RegistryError: What answered is not GitHub.
    """
    from ..network import refusals  # dear, and not where the token is the set's own
    from ..network.transport import Transport
    from ..network.urls import Url

    environ = os.environ if environ is None else environ
    at = Url.parse(environ.get(_URL, ""))
    if at is None or at.scheme != "https":
        # Not quoted: the variable may hold anything.
        raise causes.GITHUBS_ADDRESS.error()
    bearer = environ.get(_TOKEN, "")
    if not (bearer.isascii() and bearer.isprintable()):
        raise causes.GITHUBS_TOKEN.error()
    joint = "&" if "?" in at.target else "?"
    with Transport(environ=environ) as transport:
        response = transport.request(
            "GET",
            f"{at}{joint}audience={quote(audience, safe='')}",
            headers={"Authorization": f"Bearer {bearer}"},
            timeout=timeout,
            # It is for this host only.
            follow=False,
        )
    if response.status in (408, 429) or response.status >= 500:
        raise causes.GITHUB_BUSY.error(host=at.netloc, status=response.status)
    if response.status in (400, 401, 403, 404):
        raise causes.GITHUBS_REFUSAL.error(host=at.netloc, status=response.status)
    value = refusals.json_object(response.body).get("value") if response.status == 200 else None
    if not isinstance(value, str) or not tokens.is_jwt(value):
        raise causes.GITHUBS_ANSWER.error(host=at.netloc)
    return tokens.read(Secret(value), name=causes.GITHUB.say(), source="github-actions")
