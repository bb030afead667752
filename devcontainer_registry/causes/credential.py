# SPDX-License-Identifier: MIT
"""
Causes with a credential on its way to docker.
"""

from __future__ import annotations

from .. import naming
from ..errors import (
    AuthenticationError,
    ConfigError,
    RegistryError,
    TransientError,
)
from .cause import Cause, Fix, Reason

# Who answers docker, and is not there, or does not answer.

HELPER_MISSING = Cause(
    "helper-missing",
    ConfigError,
    "{place} names {program}, which is not on PATH",
    "install it, or remove it from {place}",
)
HELPER_HANGS = Cause(
    "helper-hangs",
    ConfigError,
    "{program} did not answer within {seconds:g} s",
    "run echo {server} | {program} get to see what it waits for",
)
HELPER_NOT_STARTED = Cause(
    "helper-failed",
    ConfigError,
    "cannot start {program}: {reason}",
    "run echo {server} | {program} get to see why",
)
HELPER_FAILED = Cause(
    "helper-failed",
    ConfigError,
    "{program} failed with status {status}",
    "run echo {server} | {program} get to see why",
)
HELPER_TALKS_NONSENSE = Cause(
    "helper-failed",
    ConfigError,
    "{program} did not return a credential",
    "run echo {server} | {program} get to see why",
)
LOGIN_OF_PODMAN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "cannot decode the entry for {host} in {path}",
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
)
FILE_OF_PODMAN_UNREADABLE = Cause(
    "podman-config-unreadable",
    ConfigError,
    "cannot read {path}: {reason}",
    "give this user read permission, or unset REGISTRY_AUTH_FILE",
)
FILE_OF_PODMAN_DAMAGED = Cause(
    "config-damaged",
    ConfigError,
    "{path} is not valid JSON",
    "repair it, or move it away",
)

# Our helper.

INSTALL_OURS = Fix(
    "helper-missing",
    "for our own helper",
    "install devcontainer-registry where Docker runs, or use --store auths",
)
OUR_HELPER_MISSING = Cause(
    "helper-missing",
    ConfigError,
    "{program} is not on PATH",
    INSTALL_OURS.text,
)
RUN_OURS = Fix(
    "helper-failed", "for our own helper", "run {name} version to see why, or use --store auths"
)
OUR_HELPER_HANGS = Cause(
    "helper-failed",
    ConfigError,
    "{program} did not answer within {seconds:.1f} s",
    RUN_OURS.text,
)
OUR_HELPER_FAILS = Cause(
    "helper-failed",
    ConfigError,
    "{program} does not run",
    RUN_OURS.text,
)
NOT_EVERYWHERE = Reason("obstacle", "{program} is not in {places}")
NOT_FOR_EVERYBODY = Reason("obstacle", "other users cannot run {program}")
HANGS_ELSEWHERE = Reason(
    "obstacle",
    "{program} does not answer within {seconds:.1f} s if PATH is only {places}",
)
FAILS_ELSEWHERE = Reason("obstacle", "{program} does not run if PATH is only {places}")
IS_MOUNTED = Reason(
    "obstacle", "config.json is a mount, and the other side may not have our helper"
)
ANONYMOUS_IS_BETTER = Reason(
    "obstacle", "anonymous pulls work, and an expired login would break them"
)
HELPERS_FORBIDDEN = Reason("obstacle", "its credHelpers entry is empty, so Docker asks no helper")
CACHE_UNWRITABLE = Reason("obstacle", "the cache cannot be written")

SOME_MAY_NOT_FIND_HELPER = Cause(
    "helper-not-everywhere",
    RegistryError,
    "some processes may not find our helper: {obstacle}",
    "install it in /usr/local/bin, or use --store auto",
)
HELPER_ELSEWHERE = Cause(
    "helper-elsewhere",
    ConfigError,
    "Docker finds our helper only where {folder} is on PATH",
    "run sudo ln -sf {path} /usr/local/bin/",
)
HELPER_TEMPORARY = Cause(
    "helper-temporary",
    ConfigError,
    "uvx runs a temporary copy in {folder}, whose helper Docker cannot keep using",
    "install the package with uv tool install, pipx or pip",
)
NOTHING_RENEWS = Cause(
    "not-delegated",
    RegistryError,
    "nothing renews this login: {obstacle}",
    "run the hook as postStartCommand, so that each start renews it",
)
STORE_IN_AUTHS = Fix("not-delegated", "with --store helper", "use --store auths")
HELPER_CANNOT_BE_ASKED = Cause(
    "not-delegated",
    ConfigError,
    "cannot use our helper: {obstacle}",
    STORE_IN_AUTHS.text,
)

# A login that docker does not see, or another that it sees.

_NO_STORE = "remove credsStore from config.json, or run login with --store helper"

HIDDEN = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "saved, but Docker asks {program} instead",
    _NO_STORE,
)
HIDDEN_DESPITE_HELPER = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "saved, but Docker asks {program} instead. Our helper cannot take over: {obstacle}",
    _NO_STORE,
)
HIDDEN_BY_MISSING = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "saved, but Docker asks {program} instead, which is not on PATH",
    _NO_STORE,
)
HIDDEN_BY_MISSING_DESPITE_HELPER = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "saved, but Docker asks {program} instead, which is not on PATH. Our helper cannot "
    "take over: {obstacle}",
    _NO_STORE,
)
HIDDEN_BY_HELPER_OF_VSCODE = Fix(
    "hidden-by-credsstore",
    "where credsStore names a helper of VS Code's",
    'set "dev.containers.dockerCredentialHelper": false in VS Code and remove credsStore from '
    "config.json",
)
HIDDEN_BY_STORE = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "Docker asks {program} instead of using this login",
    _NO_STORE,
)
OTHER_HELPER = Cause(
    "other-helper",
    RegistryError,
    "Docker asks {program} for this registry",
    "delete its credHelpers entry from config.json to use this login",
)
NOT_REPLACED = Cause(
    "not-ours",
    RegistryError,
    "config.json already has a login for this registry; {source} does not replace it",
    "set {server}, _USER and _PASSWORD to replace it",
)
LOGIN_BY_HAND = Cause(
    "login-by-hand",
    RegistryError,
    "a later docker login is in use, until the secret changes",
    "run docker logout {host} to use {source} again",
)
# With code and fix of the finding that says why.
UNREAD = Cause(
    "login-unreadable",
    RegistryError,
    "saved, but Docker ignores every login in this config.json",
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
)

UNREADABLE = Cause(
    "login-unreadable",
    RegistryError,
    "Docker cannot read this entry, and ignores other logins too",
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
)
REGISTRY_TOKEN = Cause(
    "registry-token",
    ConfigError,
    "config.json has a registrytoken for {host}, not a user name and password",
    "run docker logout {host}, then log in again",
)
KEPT_IN_SNAPSHOT = Cause(
    "written-in-snapshot",
    RegistryError,
    "saved during {step}: in a prebuild, everyone who uses the snapshot gets this login",
    "run the hook as postCreateCommand and postStartCommand instead",
)
LOGIN_KEPT_IN_SNAPSHOT = Cause(
    "written-in-snapshot",
    RegistryError,
    "the login to {host} was saved during {step}: in a prebuild, everyone who uses the "
    "snapshot gets it",
    "run the hook as postCreateCommand and postStartCommand instead",
)

# What is remembered, and what is renewed.

HELPER_HAS_NOTHING = Cause(
    "not-found",
    RegistryError,
    "Docker asks our helper, which has no login",
    "run devcontainer-registry login",
)
EXPIRED = Cause(
    "expired", RegistryError, "the credential expired", "run devcontainer-registry login"
)
RENEWED_NEXT = Fix("expired", "where our helper can renew it", "pull again; our helper renews it")

REFUSED_BEFORE = Cause(
    "refused-before",
    AuthenticationError,
    "{host} refused this secret at {at}; next try after {until}",
    "update {source}; a changed secret is tried at once",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "timed out while asking {registry}",
    "check the network, or allow more time with --timeout",
)
PULL_AGAIN = Fix("timeout", "where our helper renews a login", "check the network and pull again")
RENEWAL_TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "{host} or its cloud timed out",
    PULL_AGAIN.text,
)
RENEWAL_FAILED = Cause("failed", RegistryError, "renewal failed: {error}", "report this as a bug")
RENEWAL_BUSY = Cause(
    "cache-locked", TransientError, "other processes are renewing {host}", "try again in a moment"
)
SECRET_STATIC = Cause(
    "secret-static",
    RegistryError,
    "{source} contains a static secret, which cannot be renewed",
    "update it and run devcontainer-registry login",
)
# What docker compares, and takes for "anonymous".
NOT_FOUND = Cause("not-found", RegistryError, naming.NOT_FOUND)
SECRETS_NOT_VISIBLE = Cause(
    "secrets-not-visible",
    RegistryError,
    "cannot renew: its variables are not set here",
    "run devcontainer-registry login where they are set",
)
ENDS_NOW = Reason("end", "has less than a minute left")
ENDED_MINUTES_AGO = Reason("end", "expired {minutes} min ago")
ENDED_HOURS_AGO = Reason("end", "expired {hours} h {minutes} min ago")
OVER = Reason("message", "the login to {host} {end}; {message}")

# What is given to our helper.

NOT_STORED = Cause(
    "failed",
    RegistryError,
    "store takes UTF-8 JSON with ServerURL, Username and Secret",
)
TOO_MUCH_GIVEN = Cause("failed", RegistryError, "the input is longer than {count} bytes")
HELPER_BUG = Cause("failed", RegistryError, "{program} failed: {error}", "report this as a bug")
