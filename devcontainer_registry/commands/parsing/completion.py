# SPDX-License-Identifier: MIT
"""
The command `completion`: scripts for shells, and names for them.

The scripts are made by shtab from the parser (`./dev docs`), so that no user has to install it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

SHELLS = ("bash", "zsh", "fish")
# What the scripts of the shells ask for.
LISTS = ("ids", "registries")

_SCRIPTS = os.path.join(os.path.dirname(__file__), "scripts")


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """
    Print the script of a shell, or one of `LISTS`, a name on each line.
    """
    if arguments.shell in LISTS:
        names = _ids(environ) if arguments.shell == "ids" else _registries(environ)
        sys.stdout.write("".join(f"{name}\n" for name in sorted(names)))
        return 0
    path = os.path.join(_SCRIPTS, f"devcontainer-registry.{arguments.shell}")
    with open(path, encoding="utf-8") as file:
        sys.stdout.write(file.read())
    return 0


def _ids(environ: Mapping[str, str]) -> Iterable[str]:
    from ...discovery import discover

    found = discover(environ)
    return {one.id for one in found.secrets} | {one.id for one in found.incomplete}


def _registries(environ: Mapping[str, str]) -> Iterable[str]:
    from ...cache.folder import Cache
    from ...errors import ConfigError

    try:
        return Cache.locate(environ).registries()
    except ConfigError:
        return ()  # nothing is saved, so there is nothing to complete
