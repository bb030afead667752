# SPDX-License-Identifier: MIT
"""
Causes of trouble around a command that runs with private logins.
"""

from __future__ import annotations

from ...errors import ConfigError, RegistryError
from ..cause import Cause

NO_FOLDER = Cause(
    "run-folder-failed",
    ConfigError,
    "cannot create a private folder in {place}: {reason}",
    "set TMPDIR to a folder that you own",
)
NO_SAFE_PLACE = Cause(
    "run-folder-failed",
    ConfigError,
    "{place} is not safe for a private folder: other users can replace files in it",
    "set TMPDIR to a folder that you own",
)
NOT_COPIED = Cause(
    "run-folder-failed",
    ConfigError,
    "cannot write the private folder {path}: {reason}",
    "set TMPDIR to a folder that you own",
)
LEFT_OVER = Cause(
    "run-folder-left",
    ConfigError,
    "cannot remove all of {path}: {reason}",
    "run sudo rm -rf {path}",
)
NOT_FOUND = Cause(
    "command-not-found",
    RegistryError,
    "{command} was not found",
    "install it, or check how it is spelled and PATH",
)
NOT_EXECUTABLE = Cause(
    "command-not-executable",
    RegistryError,
    "cannot run {command}: {reason}",
    "name a program that you can execute",
)
NOT_STARTED = Cause(
    "command-not-started",
    RegistryError,
    "the command was not started",
    "correct the above, or use --keep-going",
)
ASSIGNMENT = Cause(
    "command-is-variable",
    RegistryError,
    "the command begins with a variable, not with a program",
    "set variables before devcontainer-registry, or use env after --",
)
