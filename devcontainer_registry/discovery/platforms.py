# SPDX-License-Identifier: MIT
"""
Implicit logins, which a platform sets in the environment.

In order of precedence for one registry:

1. `DOCKER_AUTH_CONFIG`, which docker 28.3 and later prefers to config.json:
   https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
2. `CI_REGISTRY`, `CI_REGISTRY_USER`, `CI_REGISTRY_PASSWORD`, as GitLab's jobs have them:
   https://docs.gitlab.com/ci/variables/predefined_variables/
3. `GITHUB_TOKEN` for ghcr.io, in a codespace of github.com.
"""

from __future__ import annotations

from ..causes import variables as causes
from ..credentials import RegistrySecret, Secret
from ..errors import InvalidRegistryError
from ..registry import Registry
from .members import fault, unwrapped, without_line_ending

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..credentials import Finding
    from .environment import Environment

GHCR = Registry("ghcr.io")

_GITLAB = ("CI_REGISTRY", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD")
_GITHUB = "GITHUB_TOKEN"

# GitHub ignores the user name; git sends this one.
# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
_ANY_USER = "x-access-token"


def implicit_secrets(environment: Environment) -> Iterator[RegistrySecret | Finding]:
    """
    Yield the platform's logins, the preferred one of a registry first, and findings.

    Faults are findings: the user did not ask for these logins, so they must not fail a run.
    """
    yield from _of_gitlab(environment)
    github_com = unwrapped(environment.layers[0].variables.get("GITHUB_SERVER_URL", ""))
    if environment.in_codespaces and github_com.rstrip("/") in ("", "https://github.com"):
        found = github_token(environment, set_id=_GITHUB, implicit=True)
        if found is not None:
            yield found


def github_token(
    environment: Environment, *, set_id: str, implicit: bool
) -> RegistrySecret | Finding | None:
    """
    Return `GITHUB_TOKEN` as a login to ghcr.io, or None.

    Args:
        environment: Variables to search.
        set_id: `<ID>` for reports.
        implicit: Whether it comes from the platform and not from a set.
    """
    found = environment.first(_GITHUB)
    if found is None:
        return None
    layer, text = found
    token = unwrapped(text)
    if not token:
        return None
    problem = fault("SESSION_TOKEN", token)
    if problem:
        return causes.GITHUBS_UNUSABLE.finding(variable=_GITHUB, fault=problem.say())
    user = unwrapped(layer.variables.get("GITHUB_USER", ""))
    if not user or fault("USER", user):
        user = _ANY_USER
    return RegistrySecret(
        id=set_id,
        registry=GHCR,
        source=layer.named(_GITHUB),
        username=user,
        secret=Secret(token),
        implicit=implicit,
    )


def _of_gitlab(environment: Environment) -> Iterator[RegistrySecret | Finding]:
    found = environment.first(_GITLAB[0])
    if found is None:
        return
    layer, server = found
    user = unwrapped(layer.variables.get(_GITLAB[1], ""))
    password = without_line_ending(layer.variables.get(_GITLAB[2], ""))
    if not user and not password:
        # A `CI_REGISTRY` outside a job, without a login.
        return
    for name, member, text in zip(_GITLAB[1:], ("USER", "PASSWORD"), (user, password), strict=True):
        problem = fault(member, text) if text else causes.EMPTY_OR_MISSING
        if problem:
            yield causes.GITLABS_UNUSABLE.finding(variable=name, name=name, fault=problem.say())
            return
    registry = _registry(unwrapped(server))
    if registry is None:
        yield causes.GITLABS_IS_NO_REGISTRY.finding(variable=_GITLAB[0])
        return
    yield RegistrySecret(
        id=_GITLAB[0],
        registry=registry,
        source=layer.named("CI_REGISTRY_*"),
        username=user,
        secret=Secret(password),
        implicit=True,
    )


def _registry(server: str) -> Registry | None:
    try:
        return Registry(server)
    except InvalidRegistryError:
        return None
