# SPDX-License-Identifier: MIT
"""
Causes of an export or a logout that does nothing.
"""

from __future__ import annotations

from ..errors import ConfigError, RegistryError
from .cause import Cause, Fix, Reason

# Whose logins.

LOG_IN_WITH_A_SET = Fix(
    "not-ours", "on export", "set three variables for it and run devcontainer-registry login"
)
NOT_OURS = Cause(
    "not-ours",
    RegistryError,
    "the login to {host} was not saved by this tool",
    LOG_IN_WITH_A_SET.text,
)
LOG_OUT_WITH_DOCKER = Fix("not-ours", "on logout", "run docker logout {host} to remove it")
NOT_OURS_TO_REMOVE = Cause(
    "not-ours",
    RegistryError,
    "in config.json, not written by this tool",
    LOG_OUT_WITH_DOCKER.text,
)
NOT_LOGGED_IN = Cause(
    "not-logged-in",
    RegistryError,
    "not logged in to {host}",
    "run devcontainer-registry login",
)
NOTHING = Cause(
    "nothing-to-export",
    RegistryError,
    "no saved logins; nothing to export",
    "run devcontainer-registry login",
)
EXPIRED = Cause(
    "expired",
    RegistryError,
    "the credential for {host} expired",
    "run devcontainer-registry login",
)

# What a format cannot carry.

NOT_EXPORTABLE = Cause(
    "not-exportable",
    RegistryError,
    "{format} cannot hold the login to {host}: {why}",
    "choose another format, or name fewer registries",
)
IS_IDENTITY_TOKEN = Reason("why", "it is an identity token")
LACKS_A_PART = Reason("why", "it has no user name or no password")
HAS_A_MARK = Reason("why", "it contains a comma or a vertical bar")
HAS_A_COLON = Reason("why", "its user name contains a colon")
HAS_A_LINE_END = Reason("why", "it contains a line break or a NUL")
IS_NOT_UTF8 = Reason("why", "it is not UTF-8")
TOO_LARGE = Cause(
    "not-exportable",
    RegistryError,
    "a Kubernetes secret holds at most 1 MiB",
    "choose another format, or name fewer registries",
)

# Where it is not to go.

_OUTPUT = "use --output FILE, or --force"

EXPOSED_ON_TERMINAL = Cause(
    "exposed",
    RegistryError,
    "stdout is a terminal and would show the secrets",
    _OUTPUT,
)
EXPOSED_IN_FILE = Cause(
    "exposed", RegistryError, "other users can read the file on stdout", _OUTPUT
)
OUTPUT_OF_OTHERS = Cause(
    "output-refused",
    ConfigError,
    "{path} belongs to another user",
    "name another file",
)
OUTPUT_IS_LINK = Cause("output-refused", ConfigError, "{path} is a link", "name another file")
OUTPUT_IS_NO_FILE = Cause(
    "output-refused", ConfigError, "{path} exists, but is not a regular file", "name another file"
)
OUTPUT_UNWRITABLE = Cause(
    "output-refused",
    ConfigError,
    "cannot write {path}: {reason}",
    "name another file",
)
