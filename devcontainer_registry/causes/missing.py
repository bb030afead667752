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
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD and run "
    "devcontainer-registry login, or run docker login {registry}",
)
NO_LOGIN_TO_REGISTRY = Cause(
    "no-login",
    DiscoveryError,
    "no login for {registry}",
    "set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD and run "
    "devcontainer-registry login, or run docker login {registry}",
)
RENAME_AND_LOG_IN = Fix(
    "near-miss", "where a pull needs it", "{fix}, then run devcontainer-registry login"
)
NO_LOGIN_BUT_TYPO = Cause(
    "near-miss",
    DiscoveryError,
    "no login for {registry}: {typo}",
    RENAME_AND_LOG_IN.text,
)
LOGIN_NOT_RUN = Cause(
    "login-not-run",
    DiscoveryError,
    "not logged in to {registry}; {source} is set",
    "run devcontainer-registry login --only {id}",
)
LOGIN_HIDDEN_BY_STORE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks {program} (credsStore) and ignores auths; that helper has no login for {registry}",
    "remove credsStore from config.json, or run login with --store helper",
)
LOGIN_HIDDEN_BY_VSCODE = Cause(
    "hidden-by-credsstore",
    ConfigError,
    "Docker asks VS Code's {program} (credsStore) and ignores auths; it has no login for "
    "{registry}",
    'set "dev.containers.dockerCredentialHelper": false in VS Code and remove credsStore '
    "from config.json",
)
HELPER_HAS_NO_LOGIN = Cause(
    "helper-without-login",
    DiscoveryError,
    "Docker asks {program} ({rule}), which has no login for {registry}",
    "run docker login {registry}, or delete its {rule} entry from {config}",
)
OUR_HELPER_HAS_NO_LOGIN = Cause(
    "not-found",
    DiscoveryError,
    "Docker asks our credential helper, which has no login for {registry}",
    "run devcontainer-registry login",
)
ERASED_BY_LOGOUT = Cause(
    "erased",
    DiscoveryError,
    "docker logout removed the login to {registry} from our credential helper",
    "run devcontainer-registry login",
)
DOCKER_IS_TOO_OLD = Cause(
    "docker-too-old",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG has a login for {registry}, but docker {version} does not read it",
    "run devcontainer-registry login, or install docker 28.3 or later",
)
ONLY_AUTHS = Fix(
    "docker-auth-config",
    "where Docker ignores the variable",
    "run devcontainer-registry login, or leave only auths with an auth for each host in "
    "DOCKER_AUTH_CONFIG",
)
DOCKER_IGNORES_VARIABLE = Cause(
    "docker-auth-config",
    DiscoveryError,
    "Docker ignores DOCKER_AUTH_CONFIG with its login for {registry}: it has members "
    "other than auth",
    ONLY_AUTHS.text,
)
LOGIN_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    DiscoveryError,
    "no login for the spelling {registry}; {config} has one for {key}",
    "write the registry as {host} in image names",
)
LOGIN_FOR_OTHER_PORT = Cause(
    "other-port",
    DiscoveryError,
    "no login for {registry}; {config} has one for {key}, a different registry to Docker",
    "run docker login {registry}, or write the image as {key}/{name}",
)
LOGIN_IN_PODMAN_ONLY = Cause(
    "login-in-podman",
    DiscoveryError,
    "podman's auth.json has a login for {registry}, but Docker does not read it",
    "run docker login {registry}",
)
LOGIN_IN_OTHER_CONFIG = Cause(
    "login-elsewhere",
    DiscoveryError,
    "Docker reads {config} because of DOCKER_CONFIG; the login to {registry} is in {other}",
    "unset DOCKER_CONFIG, or run devcontainer-registry login with it set",
)
LOGIN_OF_OTHER_USER = Cause(
    "login-of-other-user",
    DiscoveryError,
    "Docker reads {config} because of HOME; the login to {registry} is in {other}",
    "run docker as the user who logged in, or log in as this user",
)
EXPIRED_UNSEEN = Cause(
    "secrets-not-visible",
    DiscoveryError,
    "the login to {registry} expired {ago} ago; cannot renew it, because its variables are not "
    "set here",
    "run devcontainer-registry login where they are set",
)
EXPIRED_IN_AUTHS = Cause(
    "expired",
    DiscoveryError,
    "the login to {registry} expired {ago} ago",
    "run devcontainer-registry login",
)
NEW_TOKEN = Fix(
    "token-expired",
    "where docker login saved the token",
    "get a new token and run docker login {registry}",
)
TOKEN_OVER = Cause(
    "token-expired",
    AuthenticationError,
    "the token for {registry} in {source} expired {ago} ago",
    NEW_TOKEN.text,
)
RENEWAL_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: the login to {registry} expired {ago} ago; our helper renews it at the next pull",
    "run devcontainer-registry login --only {id}, then doctor again",
)
FIRST_USE_DUE = Cause(
    "renewal-due",
    UnreachableError,
    "not checked: our helper logs in to {registry} at the next pull",
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
    "where its variables are not set",
    "run devcontainer-registry login in a shell that has its variables",
)
