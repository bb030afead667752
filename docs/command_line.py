# SPDX-License-Identifier: MIT
"""
The parser of the command line, for the page that Sphinx makes from it.
"""

from __future__ import annotations

import argparse
import textwrap

from devcontainer_registry.commands.parsing.command_line import parser_for


def parser() -> argparse.ArgumentParser:
    """
    Return the parser as it is where no variable changes a default.
    """
    found = parser_for([], {})
    for action in found._actions:  # noqa: SLF001  (argparse shows its commands nowhere else)
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for command in action.choices.values():
                command.epilog = literal(command.epilog or "")
    return found


def literal(text: str) -> str:
    """
    Return *text* as a literal block: its columns are spaces.
    """
    return f"::\n\n{textwrap.indent(text, '    ')}"
