# SPDX-License-Identifier: MIT
"""
Causes in authenticators, ours and others'.
"""

from __future__ import annotations

from ..errors import DiscoveryError, PluginError, RegistryError, TransientError
from .cause import Cause, Fix

# Choosing one.

KIND_UNKNOWN = Cause(
    "plugin-missing",
    PluginError,
    "{kind} does not name an authenticator",
    "set {kind} to one of {known}, or unset it",
)
NOBODY_SERVES = Cause(
    "plugin-missing",
    PluginError,
    "no authenticator supports {host}",
    "set {kind} to one of {known}, or unset it",
)
CONTESTED = Cause(
    "plugin-contested",
    PluginError,
    "more than one authenticator claims {host}: {kinds}",
    "set {kind} to one of these",
)
UNINSTALL_ONE = Fix(
    "plugin-contested", "where two packages share a name", "uninstall one of these packages"
)
NAME_CONTESTED = Cause(
    "plugin-contested",
    PluginError,
    "two packages install an authenticator called {kind}",
    UNINSTALL_ONE.text,
)
BROKEN = Cause(
    "plugin-broken",
    PluginError,
    "cannot load the authenticator {kind}: {error}",
    "repair or uninstall the package of {module}",
)

# Asking it.

HANGS = Cause(
    "plugin-hangs",
    PluginError,
    "the authenticator {kind} did not answer within {seconds:.0f} s",
    "repair or uninstall its package, or set _KIND to another authenticator",
)
HANGS_A_MOMENT = Cause(
    "plugin-hangs",
    PluginError,
    "the authenticator {kind} timed out",
    "repair or uninstall its package, or set _KIND to another authenticator",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "the authenticator {authenticator} timed out",
    "check the network, or allow more time with --timeout",
)
FAILED = Cause(
    "plugin-failed",
    PluginError,
    "the authenticator {kind} failed: {error}",
    "report this to the authenticator's author",
)
NO_CREDENTIAL = Cause(
    "plugin-failed",
    PluginError,
    "the authenticator {kind} returned no credential",
    "report this to the authenticator's author",
)
NOTHING_CAME = Cause(
    "plugin-failed", RegistryError, "the authenticator got no credential for {host}"
)

# What all of ours need.

NO_USER_AND_PASSWORD = Cause(
    "missing-member",
    DiscoveryError,
    "{source} has no user name and password for {host}",
    "set {user} and {password} in this container's secrets or environment",
)
NO_USER_AND_PASSWORD_HERE = Fix(
    "missing-member",
    "where a cloud identity cannot replace them",
    "set {user} and {password} in this container's secrets or environment",
)
CLOUD_KEY_FOR_STRANGER = Cause(
    "cloud-key-for-foreign-host",
    DiscoveryError,
    "{user} is a cloud's key, but {host} is not that cloud's registry; nothing was sent",
    "correct {server}, or set {kind} to the registry's kind",
)

# What the well-known registries take.

WEB_SITE = Fix("", "where a registry's web site is named", "set {server} to {meant}")
DOCKER_HUB = Fix(
    "rejected",
    "by docker.io",
    "use a Docker Hub access token as the password",
)
GITLAB = Fix(
    "rejected",
    "by registry.gitlab.com",
    "use a deploy token, or a personal access token with the scope read_registry",
)
QUAY = Fix(
    "rejected",
    "by quay.io",
    "use a robot account's full name, organisation+robot, and its token",
)
DIGITALOCEAN = Fix(
    "rejected",
    "by registry.digitalocean.com",
    "use an API token as both user name and password",
)
HARBOR = Fix(
    "rejected",
    "for a Harbor robot account",
    "check in Harbor that the robot account is enabled and valid, and refresh its secret",
)
GHCR_FINE_GRAINED = Fix(
    "rejected",
    "by ghcr.io, with a fine-grained token",
    "use a classic personal access token with read:packages, not a fine-grained one",
)
GHCR_INSTALLATION = Fix(
    "rejected",
    "by ghcr.io, with a GitHub installation token",
    "restart the codespace to get a new GITHUB_TOKEN",
)
GHCR_INSTALLATION_MAY_NOT_PULL = Fix(
    "pull-denied",
    "by ghcr.io, to a GitHub installation token",
    "in the package's settings, give this repository read access under Manage Codespaces access",
)
GHCR_MAY_NOT_PULL = Fix(
    "pull-denied",
    "by ghcr.io",
    "give the token read:packages and SSO authorization, and its user access to the package",
)
GHCR_NO_TOKEN = Fix(
    "rejected",
    "by ghcr.io, with something that is not a GitHub token",
    "use a classic personal access token (ghp_…) with read:packages as the password",
)
GHCR_CLASSIC = Fix(
    "rejected",
    "by ghcr.io, with a classic token",
    "create a new classic personal access token with read:packages, or write:packages to push",
)
