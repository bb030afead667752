# SPDX-License-Identifier: MIT
"""
Causes in the cache folder.
"""

from __future__ import annotations

from ..errors import ConfigError
from .cause import Cause

_ANOTHER = "remove it, or set DEVCONTAINER_REGISTRY_CACHE_DIR to another folder"
_WRITABLE = "set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder that can be written"

# What is not to be trusted.
REFUSED = {
    "no folder": Cause(
        "cache-refused", ConfigError, "the cache {path} is a link, or no folder", _ANOTHER
    ),
    "not ours": Cause(
        "cache-refused", ConfigError, "the cache {path} belongs to another user", _ANOTHER
    ),
    "shared": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} is a folder that others use",
        "set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder of its own",
    ),
    "open folder": Cause(
        "cache-refused",
        ConfigError,
        "the cache {folder} is open to others",
        "run chmod 700 {folder}",
    ),
    "not root's": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} belongs to the user of this home, not to root",
        "run this as that user, or give root a HOME of its own",
    ),
    "link": Cause("cache-refused", ConfigError, "the cache {path} is a link", _ANOTHER),
    "too large": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} is larger than anything we write",
        _ANOTHER,
    ),
    "not our file": Cause(
        "cache-refused",
        ConfigError,
        "the cache {path} belongs to another user, or is no file",
        _ANOTHER,
    ),
    "open file": Cause(
        "cache-refused", ConfigError, "the cache {path} is open to others", _ANOTHER
    ),
}

# What cannot be done.
FAILED = {
    "make": Cause(
        "cache-failed", ConfigError, "the cache {path} cannot be made: {reason}", _WRITABLE
    ),
    "open": Cause(
        "cache-failed", ConfigError, "the cache {path} cannot be opened: {reason}", _WRITABLE
    ),
    "read": Cause(
        "cache-failed", ConfigError, "the cache {path} cannot be read: {reason}", _WRITABLE
    ),
    "write": Cause(
        "cache-failed", ConfigError, "the cache {path} cannot be written: {reason}", _WRITABLE
    ),
    "lock": Cause(
        "cache-failed", ConfigError, "the cache {path} can't be locked: {reason}", _WRITABLE
    ),
}
NO_LOCKS = Cause(
    "cache-failed",
    ConfigError,
    "the cache {folder} can't be locked: {reason}",
    "set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder on a local disk",
)
NO_KEY = Cause(
    "cache-failed",
    ConfigError,
    "{path} gives no key back",
    "remove the folder; it is made anew",
)
LOCKED = Cause(
    "cache-locked",
    ConfigError,
    "another process held the lock for {host} for too long",
    "try again in a moment",
)
