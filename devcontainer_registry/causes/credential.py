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
    "{program} gave no answer within {seconds:g} s",
    "run echo {server} | {program} get to see what it waits for",
)
HELPER_NOT_STARTED = Cause(
    "helper-failed",
    ConfigError,
    "{program} can't be started: {reason}",
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
    "{program} answered something else than a credential",
    "run echo {server} | {program} get to see why",
)
LOGIN_OF_PODMAN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "{path} has an entry for {host} that cannot be decoded",
    "remove that entry, or make its auth the padded base64 of USER:PASSWORD",
)
FILE_OF_PODMAN_UNREADABLE = Cause(
    "config-error",
    ConfigError,
    "{path} can't be read: {reason}",
    "let this user read it, or unset REGISTRY_AUTH_FILE",
)
FILE_OF_PODMAN_DAMAGED = Cause(
    "config-damaged",
    ConfigError,
    "{path} is damaged: it is not JSON",
    "repair it, or move it away",
)

# Our helper.

OUR_HELPER_MISSING = Cause(
    "helper-missing",
    ConfigError,
    "{program} is not on PATH",
    "install the package where docker runs, or use --store auths",
)
OUR_HELPER_HANGS = Cause(
    "helper-failed",
    ConfigError,
    "{program} does not answer within {seconds:.1f} s",
    "run {name} version to see why, or use --store auths",
)
OUR_HELPER_FAILS = Cause(
    "helper-failed",
    ConfigError,
    "{program} does not run",
    "run {name} version to see why, or use --store auths",
)
NOT_EVERYWHERE = Reason("obstacle", "{program} is not in {places}")
NOT_FOR_EVERYBODY = Reason("obstacle", "{program} can't be run by everybody")
HANGS_ELSEWHERE = Reason(
    "obstacle",
    "{program} does not answer within {seconds:.1f} s with a PATH of {places} only",
)
FAILS_ELSEWHERE = Reason("obstacle", "{program} does not run with a PATH of {places} only")
IS_MOUNTED = Reason(
    "obstacle", "config.json or its folder is a mount, and the other side may lack the helper"
)
ANONYMOUS_IS_BETTER = Reason(
    "obstacle", "an anonymous pull from it works, and one with an expired login does not"
)
HELPERS_FORBIDDEN = Reason(
    "obstacle", "its credHelpers entry is empty, which tells docker to ask no helper"
)
CACHE_UNWRITABLE = Reason("obstacle", "our cache can't be written to")

SOME_MAY_NOT_FIND_HELPER = Cause(
    "helper-not-everywhere",
    RegistryError,
    "some processes may not find the helper, since {obstacle}",
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
    "nothing renews it, since {obstacle}",
    "run the hook again at each start, as postStartCommand",
)
HELPER_CANNOT_BE_ASKED = Cause(
    "not-delegated",
    ConfigError,
    "our helper can't be asked for it, since {obstacle}",
    "correct that, or use --store auths",
)

# A login that docker does not see, or another that it sees.

_NO_STORE = "remove credsStore from config.json, or install the helper that it names"

HIDDEN = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "written, but docker asks {program} and will not see it",
    'set "dev.containers.dockerCredentialHelper": false in VS Code, or remove credsStore from '
    "config.json",
)
HIDDEN_DESPITE_HELPER = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "written, but docker asks {program} and will not see it, and our helper can't be asked "
    "instead, since {obstacle}",
    HIDDEN.fix,
)
HIDDEN_BY_MISSING = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "written, but docker asks {program}, which is not on PATH, and will not see it",
    _NO_STORE,
)
HIDDEN_BY_MISSING_DESPITE_HELPER = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "written, but docker asks {program}, which is not on PATH, and will not see it, and our helper "
    "can't be asked instead, since {obstacle}",
    _NO_STORE,
)
HIDDEN_BY_MISSING_OF_VSCODE = Fix(
    "hidden-by-credsstore", "where credsStore names a helper of VS Code's", HIDDEN.fix
)
HIDDEN_BY_STORE = Cause(
    "hidden-by-credsstore",
    RegistryError,
    "what we wrote is hidden: docker asks {program}",
    "run login with --store helper, or turn the credsStore off",
)
OTHER_HELPER = Cause(
    "other-helper",
    RegistryError,
    "docker asks {program} for it",
    "delete its credHelpers entry from config.json to use this login",
)
NOT_REPLACED = Cause(
    "not-ours",
    RegistryError,
    "config.json has a login for it that {source} does not replace",
    "set {server}, _USER and _PASSWORD to replace it",
)
LOGIN_BY_HAND = Cause(
    "login-by-hand",
    RegistryError,
    "a later docker login to {host} is kept until the secret changes",
    "run docker logout {host} to go back to {source}",
)
# With code and fix of the finding that says why.
UNREAD = Cause(
    "login-unreadable", RegistryError, "saved, but docker reads no login from that config.json"
)

UNREADABLE = Cause(
    "login-unreadable",
    RegistryError,
    "docker cannot read its entry, and drops other logins over it",
    "remove it, or make its auth the padded base64 of USER:PASSWORD",
)
REGISTRY_TOKEN = Cause(
    "registry-token",
    ConfigError,
    "config.json has a registrytoken for {host}, which is no user name and password",
    "run docker logout {host}, and log in again",
)
KEPT_IN_SNAPSHOT = Cause(
    "written-in-snapshot",
    RegistryError,
    "kept during {step}, so a prebuild's snapshot would carry it to everybody",
    "run the hook as postCreateCommand and postStartCommand instead",
)
LOGIN_KEPT_IN_SNAPSHOT = Cause(
    "written-in-snapshot",
    RegistryError,
    "the login of {host} was kept during {step}, so a prebuild's snapshot would carry it to "
    "everybody",
    "run the hook as postCreateCommand and postStartCommand instead",
)

# What is remembered, and what is renewed.

HELPER_HAS_NOTHING = Cause(
    "not-found",
    RegistryError,
    "our helper is asked, and has nothing for it",
    "run devcontainer-registry login",
)
EXPIRED = Cause(
    "expired", RegistryError, "the credential has expired", "run devcontainer-registry login"
)
RENEWED_NEXT = Fix("expired", "where our helper can renew it", "it is renewed at the next pull")

REFUSED_BEFORE = Cause(
    "refused-before",
    AuthenticationError,
    "{host} refused this secret at {at}; not asked again before {until}",
    "correct {source}; a changed secret is tried at once",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "{registry} did not answer in time",
    "check the network to it, or give it longer with --timeout",
)
RENEWAL_TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "{host} or its cloud did not answer in time",
    "check the network to it",
)
RENEWAL_FAILED = Cause(
    "failed", RegistryError, "renewing it failed: {error}", "report this as a bug"
)
RENEWAL_BUSY = Cause("cache-locked", TransientError, "others were busy renewing {host}")
SECRET_STATIC = Cause(
    "secret-static",
    RegistryError,
    "{source} holds what was logged in with, which can't be renewed",
    "put a new one in its place, and run devcontainer-registry login",
)
# What docker compares, and takes for "anonymous".
NOT_FOUND = Cause("not-found", RegistryError, naming.NOT_FOUND)
SECRETS_NOT_VISIBLE = Cause(
    "secrets-not-visible",
    RegistryError,
    "the secrets to renew it with are not visible to docker's credential helper",
    "run devcontainer-registry login where they are, or set them where docker runs, as remoteEnv "
    "does",
)
ENDS_NOW = Reason("end", "has less than a minute left")
ENDED_MINUTES_AGO = Reason("end", "expired {minutes} min ago")
ENDED_HOURS_AGO = Reason("end", "expired {hours} h {minutes} min ago")
OVER = Reason("message", "the login to {host} {end}, and {message}")

# What is given to our helper.

NOT_STORED = Cause(
    "failed",
    RegistryError,
    "store takes a JSON object in UTF-8, with ServerURL, Username and Secret",
)
TOO_MUCH_GIVEN = Cause("failed", RegistryError, "more than {count} octets were given")
HELPER_BUG = Cause("failed", RegistryError, "{program} failed: {error}", "report this as a bug")
