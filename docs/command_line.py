# SPDX-License-Identifier: MIT
"""
The parser of the command line, for the page that Sphinx makes from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from devcontainer_registry.commands.parsing.command_line import parser_for

if TYPE_CHECKING:
    import argparse


def parser() -> argparse.ArgumentParser:
    """
    Return the parser as it is where no variable changes a default.
    """
    return parser_for([], {})
