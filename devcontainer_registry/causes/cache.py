# SPDX-License-Identifier: MIT
"""
Causes in the cache folder.
"""

from __future__ import annotations

from ..errors import ConfigError
from .cause import Cause, Fix

_ANOTHER = "remove it, or set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder that only you use"
_WRITABLE = "set DEVCONTAINER_REGISTRY_CACHE_DIR to a writable folder on a local disk"

CLOSE_FOLDER = Fix("cache-refused", "where the folder is open to others", "run chmod 700 {folder}")

ROOTS_HOME = Fix(
    "cache-refused",
    "where root uses the home folder of another user",
    "run this as that user, or set HOME to a folder of root's own",
)

# What is not to be trusted.
REFUSED = {
    "no folder": Cause(
        "cache-refused", ConfigError, "the cache {path} is a link or not a folder", _ANOTHER
    ),
    "not ours": Cause(
        "cache-refused", ConfigError, "the cache {path} belongs to another user", _ANOTHER
    ),
    "shared": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} is a folder that others use too",
        "remove it, or set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder that only you use",
    ),
    "open folder": Cause(
        "cache-refused",
        ConfigError,
        "others can open the cache {folder}",
        CLOSE_FOLDER.text,
    ),
    "not root's": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} belongs to the owner of this home folder, not to root",
        ROOTS_HOME.text,
    ),
    "link": Cause("cache-refused", ConfigError, "the cache {path} is a link", _ANOTHER),
    "too large": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} is too large",
        _ANOTHER,
    ),
    "not our file": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} belongs to another user or is not a file",
        _ANOTHER,
    ),
    "open file": Cause("cache-refused", ConfigError, "others can open the cache {path}", _ANOTHER),
}

# What cannot be done.
FAILED = {
    "make": Cause(
        "cache-failed", ConfigError, "cannot create the cache {path}: {reason}", _WRITABLE
    ),
    "open": Cause("cache-failed", ConfigError, "cannot open the cache {path}: {reason}", _WRITABLE),
    "read": Cause("cache-failed", ConfigError, "cannot read the cache {path}: {reason}", _WRITABLE),
    "write": Cause(
        "cache-failed", ConfigError, "cannot write the cache {path}: {reason}", _WRITABLE
    ),
    "lock": Cause("cache-failed", ConfigError, "cannot lock the cache {path}: {reason}", _WRITABLE),
}
NO_LOCKS = Cause(
    "cache-failed",
    ConfigError,
    "cannot lock the cache folder {folder}: {reason}",
    "set DEVCONTAINER_REGISTRY_CACHE_DIR to a writable folder on a local disk",
)
REMOVE_FOLDER = Fix(
    "cache-failed", "where the key is damaged", "remove the folder; the next run creates it again"
)
NO_KEY = Cause(
    "cache-failed",
    ConfigError,
    "the key in {path} cannot be read",
    REMOVE_FOLDER.text,
)
LOCKED = Cause(
    "cache-locked",
    ConfigError,
    "another process is still working on {host}",
    "try again in a moment",
)
