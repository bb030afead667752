# SPDX-License-Identifier: MIT
"""
Causes of an export or a logout that does nothing.
"""

from __future__ import annotations

from ..errors import ConfigError, RegistryError
from .cause import Cause, Reason

# Whose logins.

NOT_OURS = Cause(
    "not-ours",
    RegistryError,
    "the login of {host} was not saved by this tool",
    "export what devcontainer-registry login keeps; log in with a set of three variables",
)
NOT_OURS_TO_REMOVE = Cause(
    "not-ours",
    RegistryError,
    "config.json has a login for it that we did not write",
    "run docker logout {host} to remove that one",
)
NOT_LOGGED_IN = Cause(
    "not-logged-in",
    RegistryError,
    "no login of {host} is kept here",
    "run devcontainer-registry login",
)
NOTHING = Cause(
    "nothing-to-export",
    RegistryError,
    "no login is kept here, so there is nothing to export",
    "run devcontainer-registry login",
)
EXPIRED = Cause(
    "expired",
    RegistryError,
    "the credential of {host} has expired",
    "run devcontainer-registry login where its secrets are",
)

# What a format cannot carry.

NOT_EXPORTABLE = Cause(
    "not-exportable",
    RegistryError,
    "{format} can't carry the login of {host}: {why}",
    "choose another format, or name the other registries only",
)
IS_IDENTITY_TOKEN = Reason("why", "it is an identity token")
LACKS_A_PART = Reason("why", "it has no user name or no password")
HAS_A_MARK = Reason("why", "it has a comma or a bar")
HAS_A_COLON = Reason("why", "it has a colon in its user name")
HAS_A_LINE_END = Reason("why", "it has a line end or a NUL")
IS_NOT_UTF8 = Reason("why", "it has octets that are no UTF-8")
TOO_LARGE = Cause(
    "not-exportable",
    RegistryError,
    "a Kubernetes secret holds at most 1 MiB",
    "name fewer registries",
)

# Where it is not to go.

_OUTPUT = "use --output FILE, which makes it for you alone; or --force"

EXPOSED_ON_TERMINAL = Cause(
    "exposed",
    RegistryError,
    "stdout is a terminal, and would show the secrets",
    _OUTPUT,
)
EXPOSED_IN_FILE = Cause("exposed", RegistryError, "stdout is a file that others may read", _OUTPUT)
OUTPUT_OF_OTHERS = Cause(
    "output-refused",
    ConfigError,
    "{path} belongs to another user",
    "name another file",
)
OUTPUT_IS_LINK = Cause("output-refused", ConfigError, "{path} is a link", "name another file")
OUTPUT_IS_NO_FILE = Cause("output-refused", ConfigError, "{path} is no file", "name another file")
OUTPUT_UNWRITABLE = Cause(
    "output-refused",
    ConfigError,
    "{path} can't be written: {reason}",
    "name another file",
)
