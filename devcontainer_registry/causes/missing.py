# SPDX-License-Identifier: MIT
"""
Causes of a login that docker does not find.
"""

from __future__ import annotations

from ..errors import AuthenticationError, ConfigError, DiscoveryError, UnreachableError
from .cause import Cause, Fix

NO_LOGIN = Cause(
    "no-login",
    DiscoveryError,
    "no login for {registry}, and the image is not public",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD for {registry} and run "
    "devcontainer-registry login, or run docker login {registry}",
)
NO_LOGIN_TO_REGISTRY = Cause(
    "no-login",
    DiscoveryError,
    "no login for {registry}",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD for {registry} and run "
    "devcontainer-registry login, or run docker login {registry}",
)
NO_LOGIN_BUT_TYPO = Cause(
    "near-miss",
    DiscoveryError,
    "no login for {registry}: {typo}",
    "{fix}, then run devcontainer-registry login",
)
LOGIN_NOT_RUN = Cause(
    "login-not-run",
    DiscoveryError,
    "no login for {registry} is saved yet; {source} is set",
    "run devcontainer-registry login --only {id}",
)
LOGIN_HIDDEN_BY_STORE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks {program} (credsStore), which has no login for {registry}; the login in auths is "
    "ignored",
    "install our helper in /usr/local/bin and run devcontainer-registry login, or remove "
    "credsStore from {config}",
)
LOGIN_HIDDEN_BY_VSCODE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks VS Code's {program} (credsStore), which has no login for {registry}; the login in "
    "auths is ignored",
    "install our helper in /usr/local/bin and run devcontainer-registry login, or in VS Code set "
    '"dev.containers.dockerCredentialHelper": false',
)
HELPER_HAS_NO_LOGIN = Cause(
    "helper-without-login",
    DiscoveryError,
    "no login for {registry} in {program} ({rule}), which Docker asks",
    "run docker login {registry}, or delete its {rule} entry from {config}",
)
OUR_HELPER_HAS_NO_LOGIN = Cause(
    "not-found",
    DiscoveryError,
    "no login for {registry} in our credential helper, which Docker asks",
    "run devcontainer-registry login where the variables of its set are visible",
)
ERASED_BY_LOGOUT = Cause(
    "erased",
    DiscoveryError,
    "no login for {registry}: docker logout removed it from our credential helper",
    "run devcontainer-registry login to log in again",
)
DOCKER_IS_TOO_OLD = Cause(
    "docker-too-old",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG has a login for {registry}, and docker {version} does not read it",
    "run devcontainer-registry login, which saves it where every docker looks, or install docker "
    "28.3 or later",
)
DOCKER_IGNORES_VARIABLE = Cause(
    "docker-auth-config",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG has a login for {registry}, and docker ignores the variable: it holds more "
    "than an auth for each host",
    "run devcontainer-registry login, or leave only auths with an auth each in DOCKER_AUTH_CONFIG",
)
LOGIN_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    DiscoveryError,
    "no login for {registry} as the image spells it; {config} has one for {key}",
    "write the image as {key}/{name}",
)
LOGIN_FOR_OTHER_PORT = Cause(
    "other-port",
    DiscoveryError,
    "no login for {registry}; {config} has one for {key}, which Docker takes for another registry",
    "run docker login {registry}, or write the image as {key}/{name}",
)
LOGIN_IN_PODMAN_ONLY = Cause(
    "login-in-podman",
    DiscoveryError,
    "podman has a login for {registry} in auth.json, which Docker does not read",
    "run docker login {registry}",
)
LOGIN_IN_OTHER_CONFIG = Cause(
    "login-elsewhere",
    DiscoveryError,
    "DOCKER_CONFIG makes Docker read {config}; the login for {registry} is in {other}",
    "unset DOCKER_CONFIG, or run devcontainer-registry login with it set",
)
LOGIN_OF_OTHER_USER = Cause(
    "login-of-other-user",
    DiscoveryError,
    "HOME makes Docker read {config}; the login for {registry} is in {other}",
    "run docker as the user who logged in, or log in as this one",
)
EXPIRED_UNSEEN = Cause(
    "secrets-not-visible",
    DiscoveryError,
    "the login for {registry} expired {ago} ago, and the helper cannot see {variables} here",
    "run devcontainer-registry login, in a shell that has {variables}",
)
EXPIRED_IN_AUTHS = Cause(
    "expired",
    DiscoveryError,
    "the login for {registry} that devcontainer-registry saved expired {ago} ago",
    "run devcontainer-registry login --only {id}",
)
TOKEN_OVER = Cause(
    "token-expired",
    AuthenticationError,
    "the token for {registry} from {source} expired {ago} ago",
    "get a new one and run docker login {registry}",
)
RENEWAL_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: the login for {registry} expired {ago} ago, and our helper renews it at the next "
    "pull",
    "run devcontainer-registry login --only {id}, then doctor again",
)
FIRST_USE_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: our helper gets its first login for {registry} at the next pull",
    "run devcontainer-registry login --only {id}, then doctor again",
)
TOKEN_OVER_OF_SET = Fix(
    "token-expired",
    "where it is of a set",
    "update {password}, then run devcontainer-registry login",
)

# docker pull goes on without the helper.

OTHERS_FAIL = Cause(
    "helper-failed",
    ConfigError,
    "{message}: docker run, build and compose fail",
    "{fix}",
)
EXPIRED_UNSEEN_IN_AUTHS = Fix(
    "expired",
    "where no variables for it are visible",
    "run devcontainer-registry login, in a shell that has its variables",
)
