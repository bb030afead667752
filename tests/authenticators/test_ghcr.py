# SPDX-License-Identifier: MIT
"""
What a token of GitHub's can't do, from its shape and from the registry's answer.
"""

from __future__ import annotations

import pytest
from doubles.documents import GHCR
from doubles.internet import Internet, PlayedInternet

from devcontainer_registry import login
from devcontainer_registry.authenticators.ghcr import GhcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import AuthenticationError, RegistryError
from devcontainer_registry.registry import Registry

CLASSIC = "ghp_C4naryThatNobodyMaySee"
REFUSED = AuthenticationError("wrong user name or password")
PULL_DENIED = RegistryError("denied", code="pull-denied")


def a_secret(token=CLASSIC):
    return RegistrySecret(
        id="GHCR",
        registry=Registry("ghcr.io"),
        source="GHCR_CONTAINER_REGISTRY_*",
        username="ann",
        secret=Secret(token),
    )


def test_a_token_is_passed_on():
    credential = GhcrAuthenticator().authenticate(a_secret(), timeout=1)

    assert ("ann", CLASSIC) == (credential.username, credential.secret.reveal())
    assert not GhcrAuthenticator().exchanges(a_secret())


NO_TOKEN = "use a classic personal access token (ghp_…) with read:packages as the password"

# By the kind of the token and of the refusal.
HINTS = [
    (
        "github_pat_x",
        REFUSED,
        ("use a classic personal access token with read:packages, not a fine-grained one"),
    ),
    (
        "ghs_x",
        REFUSED,
        ("restart the codespace to get a new GITHUB_TOKEN"),
    ),
    (
        "ghu_x",
        PULL_DENIED,
        (
            "in the package's settings, give this repository read access under Manage "
            "Codespaces access"
        ),
    ),
    (
        "ghp_x",
        REFUSED,
        (
            "create a new classic personal access token with read:packages, or "
            "write:packages to push"
        ),
    ),
    (
        "ghp_x",
        PULL_DENIED,
        ("give the token read:packages and SSO authorization, and its user access to the package"),
    ),
    (
        "gho_x",
        REFUSED,
        (
            "create a new classic personal access token with read:packages, or "
            "write:packages to push"
        ),
    ),
    (
        "0123456789abcdef0123456789abcdef01234567",
        REFUSED,
        (
            "create a new classic personal access token with read:packages, or "
            "write:packages to push"
        ),
    ),
    *(
        (
            secret,
            REFUSED,
            NO_TOKEN,
        )
        for secret in ("dckr_pat_x", "hunter2", "glpat-x", "0123", "")
    ),
]


@pytest.mark.parametrize(("token", "error", "hint"), HINTS)
def test_each_kind_of_token_has_its_own_hint(token, error, hint):
    assert hint == GhcrAuthenticator().explain(a_secret(token), error)


@pytest.mark.parametrize("token", [CLASSIC, "ghs_x", "hunter2"])
@pytest.mark.parametrize("code", ["timeout", "not-a-registry", "not-checked"])
def test_what_is_no_refusal_gets_no_hint(token, code):
    assert "" == GhcrAuthenticator().explain(a_secret(token), RegistryError("x", code=code))


@pytest.mark.parametrize("password", [CLASSIC, "dckr_pat_another", "hunter2hunter2"])
@pytest.mark.parametrize("right", [True, False])
def test_a_token_goes_to_ghcr_and_nowhere_else(tmp_path, monkeypatch, password, right):
    asked = []

    def api(*request):
        asked.append(request)
        return 200, {"X-OAuth-Scopes": "repo"}, b"{}"

    played = PlayedInternet(GHCR)
    environ = {
        "GHCR_CONTAINER_REGISTRY_SERVER": "ghcr.io",
        "GHCR_CONTAINER_REGISTRY_USER": GHCR.username,
        "GHCR_CONTAINER_REGISTRY_PASSWORD": GHCR.password if right else password,
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
    }
    with Internet({**played._hosts, "api.github.com": api}) as internet:
        for name, value in internet.environ.items():
            monkeypatch.setenv(name, value)
        report = login(environ={**environ, **internet.environ}, store="auths")

    (outcome,) = report.outcomes
    assert ("ok" if right else "rejected") == outcome.status
    assert [] == asked
