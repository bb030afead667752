# SPDX-License-Identifier: MIT
"""
Logins that a platform puts into the environment by itself.

In order of precedence for one registry:

1. `DOCKER_AUTH_CONFIG`, since docker 28.3 and later takes it before its own file:
   https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
2. `CI_REGISTRY`, `CI_REGISTRY_USER`, `CI_REGISTRY_PASSWORD`, as GitLab's jobs have them:
   https://docs.gitlab.com/ci/variables/predefined_variables/
3. `GITHUB_TOKEN` for ghcr.io, in a codespace of github.com.
"""

from __future__ import annotations

import base64
import json

from ..credentials import IDENTITY_TOKEN_USERNAME, Finding, RegistrySecret, Secret
from ..errors import InvalidRegistryError
from ..registry import Registry
from .members import fault, unwrapped, without_line_ending

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .environment import Environment

GHCR = Registry("ghcr.io")

_DOCKER = "DOCKER_AUTH_CONFIG"
_GITLAB = ("CI_REGISTRY", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD")
_GITHUB = "GITHUB_TOKEN"

# GitHub looks at the token alone; this is what git sends with one.
# https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/authenticating-as-a-github-app-installation
_ANY_USER = "x-access-token"


def implicit_secrets(environment: Environment) -> Iterator[RegistrySecret | Finding]:
    """
    Yield what the platform gave us, the first of a registry winning, and what is wrong with it.

    Trouble is a `Finding` here: nobody asked for these logins, so none of them may fail a run.
    """
    yield from of_docker(environment)
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
    `GITHUB_TOKEN` as a login to ghcr.io; None where there is none.

    Args:
        environment: Where to look for it.
        set_id: Under which `<ID>` it is to be reported.
        implicit: Whether nobody asked for it.
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
        return _trouble(_GITHUB, f"{_GITHUB} {problem[1]}", "let the platform set it")
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
        # A project's own `CI_REGISTRY` outside of a job: nothing to log in with was meant.
        return
    for name, member, text in zip(_GITLAB[1:], ("USER", "PASSWORD"), (user, password), strict=True):
        problem = fault(member, text) if text else ("", "is empty or missing")
        if problem:
            yield _trouble(name, f"{name} {problem[1]}", f"set {name} in the environment")
            return
    registry = _registry(unwrapped(server))
    if registry is None:
        yield _trouble(
            _GITLAB[0], f"{_GITLAB[0]} is not the name of a registry", "give the host alone"
        )
        return
    yield RegistrySecret(
        id=_GITLAB[0],
        registry=registry,
        source=layer.named("CI_REGISTRY_*"),
        username=user,
        secret=Secret(password),
        implicit=True,
    )


def of_docker(environment: Environment) -> Iterator[RegistrySecret | Finding]:
    """
    Yield the logins of docker's own variable, and what is wrong with it.
    """
    found = environment.first(_DOCKER)
    if found is None:
        return
    layer, text = found
    hint = 'write it as {"auths": {"HOST": {"auth": "BASE64 OF USER:PASSWORD"}}}'
    try:
        entries = json.loads(text)["auths"].items()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        # Without the cause: the parser's message comes with the text.
        yield _trouble(_DOCKER, f"{_DOCKER} cannot be used: no JSON with `auths`", hint)
        return
    secrets: dict[Registry, RegistrySecret] = {}
    unusable = 0
    # A key that is the host alone first: docker looks for it before it compares host names.
    for key, entry in sorted(entries, key=lambda item: "/" in item[0]):
        login, registry = _login(entry), _registry(key)
        if login is None or registry is None:
            # `{}` is what docker leaves behind when a helper has the login.
            unusable += entry != {}
            continue
        secrets.setdefault(
            registry,
            RegistrySecret(
                id=_DOCKER,
                registry=registry,
                source=layer.named(_DOCKER),
                username=login[0],
                secret=Secret(login[1]),
                implicit=True,
            ),
        )
    if unusable:
        yield _trouble(_DOCKER, f"{unusable} of the entries of {_DOCKER} cannot be used", hint)
    yield from secrets.values()


def _registry(server: str) -> Registry | None:
    try:
        return Registry(server)
    except InvalidRegistryError:
        return None


def _login(entry: object) -> tuple[str, str] | None:
    """
    User name and secret of one entry of `auths`, in the order in which docker prefers them.
    """
    members = entry.items() if isinstance(entry, dict) else ()
    texts = {name: text for name, text in members if isinstance(text, str)}
    user, secret = texts.get("username", ""), texts.get("password", "")
    if texts.get("auth"):
        if len(texts["auth"]) % 4:
            # Go's decoder takes only what is padded right; Python's forgives too much padding.
            return None
        try:
            decoded = base64.b64decode(texts["auth"], validate=True).decode()
        except ValueError:
            # Without the cause: a decoder's message quotes what it decodes.
            return None
        user, _, secret = decoded.partition(":")
        secret = secret.rstrip("\0")
    if texts.get("identitytoken"):
        user, secret = IDENTITY_TOKEN_USERNAME, texts["identitytoken"]
    if not user or not secret or fault("USER", user) or fault("PASSWORD", secret):
        return None
    return user, secret


def _trouble(name: str, message: str, hint: str) -> Finding:
    code = "docker-auth-config" if name == _DOCKER else "implicit-unusable"
    return Finding(code=code, message=message, hint=hint, variable=name)
