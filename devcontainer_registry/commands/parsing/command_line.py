# SPDX-License-Identifier: MIT
"""
The parser of the whole command line.

The man page and the completion scripts are made from it, too (`./dev docs`).
"""

from __future__ import annotations

import argparse

from .completion import LISTS, SHELLS
from .examples import EXAMPLES, STATUSES
from .options import (
    VALUES,
    add_doctor_options,
    add_export_options,
    add_json_option,
    add_log_options,
    add_login_options,
    add_run_options,
    add_source_options,
)
from .settings import ATTACH_TIMEOUT, STEPS, TIMEOUT, either, one_of
from .usage import Parser, is_forgiving

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

PROGRAM = "devcontainer-registry"


class Version(argparse.Action):
    """
    Prints the version; argparse's own would read the metadata at each start, for 20 ms.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """
        Print it, and end.
        """
        from ... import __version__

        print(f"{PROGRAM} {__version__}")  # noqa: T201
        parser.exit()


def parser_for(words: Sequence[str], environ: Mapping[str, str]) -> Parser:
    """
    Return the parser for the command *words*; its namespace has the `verb`.

    Where they begin with a command, the parser knows no other: all of them take 5 ms.
    The namespace's `warnings` are the wrong values that a forgiving hook replaces.
    """
    parser = Parser(
        prog=PROGRAM,
        description="Log a dev container in to its private registries,\n"
        "from the secrets in its environment.",
        epilog=f"{EXAMPLES['']}\n{STATUSES}",
    )
    parser.add_argument("-V", "--version", action=Version, nargs=0, help="print the version")
    parser.commands = tuple(_COMMANDS)
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser, prog=PROGRAM
    )
    first = words[0] if words else ""
    # `help` shows any of them.
    wanted = [first] if first in _COMMANDS and first != "help" else [*_COMMANDS]
    for name in wanted:
        _add_options(_add(commands, name, _COMMANDS[name]), name, words, environ)
    if "help" in wanted:
        commands.choices["help"].set_defaults(parser=parser, parsers=dict(commands.choices))
    return parser


_COMMANDS = {
    "login": "log in to every registry with a secret",
    "hook": "log in from a lifecycle command; exits 0 unless --strict",
    "run": "run a command with private logins, and remove them afterwards",
    "list": "show the variables that are set, and what is wrong with them",
    "status": "show which login Docker uses for each registry, and when it expires",
    "doctor": "find out why an image cannot be pulled",
    "logout": "remove the logins that this tool saved",
    "export": "print the saved logins in another tool's format",
    "kubelet": "answer the kubelet as its image credential provider",
    "demo": "try a login with two temporary local registries",
    "completion": "print the completion script of a shell",
    "help": "show the help of a command",
}


def _add(commands: Any, name: str, text: str) -> Parser:
    more = f"\n{VALUES}" if name in ("login", "hook", "run") else ""
    command: Parser = commands.add_parser(
        name,
        help=text,
        description=text[0].upper() + text[1:] + ".",
        epilog=EXAMPLES[name] + more,
    )
    command.set_defaults(verb=name)
    return command


def _add_options(
    command: Parser, name: str, words: Sequence[str], environ: Mapping[str, str]
) -> None:
    warnings: list[str] | None = None
    if name == "hook":
        found: list[str] = []
        command.set_defaults(warnings=found)
        warnings = found if is_forgiving(words) else None
        _add_hook_options(command, environ, warnings)
    elif name in _OWN_OPTIONS:
        _OWN_OPTIONS[name](command, environ)
    if name in ("completion", "help"):
        return
    if name not in ("kubelet", "run"):  # whose stdout is another program's
        add_json_option(command)
    add_log_options(command, environ, warnings)


def _add_hook_options(hook: Parser, environ: Mapping[str, str], warnings: list[str] | None) -> None:
    hook.add_argument(
        "step", type=one_of(STEPS, any_case=True), choices=STEPS, metavar="STEP", help=either(STEPS)
    )
    hook.add_argument("--user", metavar="NAME", help="run as this user (root only)")
    hook.add_argument("--strict", action="store_true", help="exit as login does, not always 0")
    timeout = f"{TIMEOUT:g}, for postAttach {ATTACH_TIMEOUT:g}"
    add_login_options(
        hook, environ, verify="changed", timeout=timeout, warnings=warnings, by_step=True
    )


def _add_status_options(status: Parser) -> None:
    add_source_options(status)
    status.add_argument(
        "--check",
        action="store_true",
        help="exit 6 for a hidden login or a broken helper, 3 where docker would get no login",
    )


def _add_logout_options(logout: Parser) -> None:
    logout.add_argument("registries", nargs="*", metavar="REGISTRY", help="such as ghcr.io")
    logout.add_argument("--all", action="store_true", help="every registry with a saved login")


def _add_shell(completion: Parser) -> None:
    completion.add_argument(
        "shell",
        type=one_of((*SHELLS, *LISTS), shown=SHELLS),
        choices=(*SHELLS, *LISTS),
        metavar="SHELL",
        help=either(SHELLS),
    )


def _add_command(helping: Parser) -> None:
    names = tuple(_COMMANDS)
    helping.add_argument("command", nargs="?", type=one_of(names), choices=names, metavar="COMMAND")


_OWN_OPTIONS: Mapping[str, Callable[[Parser, Mapping[str, str]], None]] = {
    "login": lambda parser, environ: add_login_options(
        parser, environ, verify="always", timeout="30"
    ),
    "run": add_run_options,
    "list": lambda parser, _: add_source_options(parser),
    "status": lambda parser, _: _add_status_options(parser),
    "doctor": add_doctor_options,
    "logout": lambda parser, _: _add_logout_options(parser),
    "export": lambda parser, _: add_export_options(parser),
    "kubelet": lambda parser, _: add_source_options(parser),
    "completion": lambda parser, _: _add_shell(parser),
    "help": lambda parser, _: _add_command(parser),
}
