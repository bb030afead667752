# SPDX-License-Identifier: MIT
"""
Built-in authenticators, and whether others are installed.

`importlib.metadata` finds others; its import and its search take longer than all else that a login
does by itself.  Hardly anybody has any, which a look at the entry points' files shows.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

GROUP = "devcontainer_registry.authenticators"

# Module and class of each kind, as in the entry points of our own distribution.
BUILT_IN = {
    "acr": ("acr", "AcrAuthenticator"),
    "ecr": ("ecr", "EcrAuthenticator"),
    "generic": ("generic", "GenericAuthenticator"),
    "ghcr": ("ghcr", "GhcrAuthenticator"),
    "google": ("google", "GoogleAuthenticator"),
}

_OURS = "devcontainer_registry-"

# Of a distribution, in a folder of the path.
# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_METADATA = (".dist-info", ".egg-info")


def built_in(kind: str) -> Any:
    """
    Return the built-in authenticator of *kind*.
    """
    from importlib import import_module

    module, name = BUILT_IN[kind]
    return getattr(import_module(f".{module}", __package__), name)()


def may_have_others(path: Sequence[str] | None = None) -> bool:
    """
    Return whether `importlib.metadata` may find authenticators of other distributions.

    Args:
        path: Where distributions are; None: `sys.path`.
    """
    # By default, only the finder of folders knows distributions.
    finders = [finder for finder in sys.meta_path if hasattr(finder, "find_distributions")]
    if len(finders) > 1:
        return True
    return any(map(_may_hold_others, sys.path if path is None else path))


def _may_hold_others(folder: str) -> bool:
    try:
        names = os.listdir(folder or ".")
    except (FileNotFoundError, NotADirectoryError):
        return os.path.exists(folder)  # such as a zip file, which may hold some
    except OSError:
        return False  # nobody can read it
    for name in names:
        if name.endswith(".egg"):
            return True
        if not name.endswith(_METADATA) or name.startswith(_OURS):
            continue
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), "rb") as file:
                if GROUP.encode() in file.read():
                    return True
        except OSError:
            continue  # most have none
    return False
