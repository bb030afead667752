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
    "{kind} names no authenticator",
    "set {kind} to one of {known}, or unset it",
)
NOBODY_SERVES = Cause(
    "plugin-missing",
    PluginError,
    "no authenticator serves {host}",
    "set {kind} to one of {known}, or unset it",
)
CONTESTED = Cause(
    "plugin-contested",
    PluginError,
    "{host} is claimed by {kinds}",
    "set {kind} to one of them",
)
NAME_CONTESTED = Cause(
    "plugin-contested",
    PluginError,
    "two distributions bring an authenticator called {kind}",
    "remove one of them",
)
BROKEN = Cause(
    "plugin-broken",
    PluginError,
    "the authenticator {kind} can't be loaded: {error}",
    "repair or remove the distribution of {module}",
)

# Asking it.

HANGS = Cause(
    "plugin-hangs",
    PluginError,
    "the authenticator {kind} did not answer within {seconds:.0f} s",
    "repair or remove its distribution, or set _KIND to another",
)
HANGS_A_MOMENT = Cause(
    "plugin-hangs",
    PluginError,
    "the authenticator {kind} did not answer in time",
    "repair or remove its distribution, or set _KIND to another",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "the authenticator {authenticator} did not answer in time",
    "check the network to it, or give it longer with --timeout",
)
FAILED = Cause(
    "plugin-failed",
    PluginError,
    "the authenticator {kind} failed: {error}",
    "report this to the authors of the authenticator",
)
NO_CREDENTIAL = Cause(
    "plugin-failed",
    PluginError,
    "the authenticator {kind} returned no credential",
    "report this to the authors of the authenticator",
)
NOTHING_CAME = Cause("plugin-failed", RegistryError, "no credential came for {host}")

# What all of ours need.

NO_USER_AND_PASSWORD = Cause(
    "missing-member",
    DiscoveryError,
    "{source} has no user name and password for {host}",
    "set {user} and _PASSWORD",
)
NO_USER_AND_PASSWORD_HERE = Fix(
    "missing-member",
    "where nobody could be asked without them",
    "set {user} and {password} in the secrets or environment of this container",
)
CLOUD_KEY_FOR_STRANGER = Cause(
    "cloud-key-for-foreign-host",
    DiscoveryError,
    "{user} is a cloud's key, but {host} is no registry of that cloud; nothing was sent",
    "correct {server}, or set {kind} to the registry's kind",
)

# What the well-known registries take.

WEB_SITE = Fix("", "for the web site of a registry", "set {server} to {meant}, the registry's name")
DOCKER_HUB = Fix(
    "rejected",
    "by docker.io",
    "use an access token of Docker Hub as the password; an account with two-factor login or single "
    "sign-on takes nothing else",
)
GITLAB = Fix(
    "rejected",
    "by registry.gitlab.com",
    "use a deploy token, or a personal access token with read_registry",
)
QUAY = Fix(
    "rejected",
    "by quay.io",
    "use a robot account's name, in full as organisation+robot, and its token",
)
DIGITALOCEAN = Fix(
    "rejected",
    "by registry.digitalocean.com",
    "use an API token as both user name and password",
)
HARBOR = Fix(
    "rejected",
    "for a robot of Harbor's",
    "check in Harbor that the robot account is enabled and has not expired, and refresh its secret",
)
GHCR_FINE_GRAINED = Fix(
    "rejected",
    "by ghcr.io, with a fine-grained token",
    "use a classic personal access token with read:packages; ghcr.io takes no fine-grained one",
)
GHCR_INSTALLATION = Fix(
    "rejected",
    "by ghcr.io, with a token of GitHub's own",
    "restart the codespace for a fresh GITHUB_TOKEN; it pulls only, pushing needs a classic token "
    "with write:packages",
)
GHCR_INSTALLATION_MAY_NOT_PULL = Fix(
    "pull-denied",
    "by ghcr.io, to a token of GitHub's own",
    "give this repository read access under the package's settings, Manage Codespaces access",
)
GHCR_MAY_NOT_PULL = Fix(
    "pull-denied",
    "by ghcr.io",
    "give the token read:packages and single sign-on, and its user access to the package",
)
GHCR_NO_TOKEN = Fix(
    "rejected",
    "by ghcr.io, with what is none of GitHub's tokens",
    "use a classic personal access token with read:packages, which begins with ghp_; a password, "
    "or another registry's token, is not taken",
)
GHCR_CLASSIC = Fix(
    "rejected",
    "by ghcr.io, with a classic token",
    "make a new classic personal access token with read:packages (write:packages to push)",
)
