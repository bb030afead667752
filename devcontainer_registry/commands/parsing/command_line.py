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
    from collections.abc import Mapping, Sequence
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

    The namespace's `warnings` are the wrong values that a forgiving hook replaces.
    """
    parser = Parser(
        prog=PROGRAM,
        description="Log a dev container in to its private registries,\n"
        "from the secrets in its environment.",
        epilog=f"{EXAMPLES['']}\n{STATUSES}",
    )
    parser.add_argument("-V", "--version", action=Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(
        title="commands", metavar="COMMAND", required=True, parser_class=Parser
    )
    warnings: list[str] = []

    login = _add(commands, "login", "log in to every registry with a secret")
    add_login_options(login, environ, verify="always", timeout="30")
    hook = _add(commands, "hook", "log in from a lifecycle command; exits 0 unless --strict")
    hook.set_defaults(warnings=warnings)
    lenient = warnings if is_forgiving(words) else None
    _add_hook_options(hook, environ, lenient)
    run = _add(commands, "run", "run a command with private logins, and remove them afterwards")
    add_run_options(run, environ)
    found = _add(commands, "list", "show the variables that are set, and what is wrong with them")
    add_source_options(found)
    status = _add(
        commands, "status", "show which login Docker uses for each registry, and when it expires"
    )
    add_source_options(status)
    status.add_argument(
        "--check",
        action="store_true",
        help="exit 6 for a hidden login or a broken helper, 3 where docker would get no login",
    )
    add_doctor_options(_add(commands, "doctor", "find out why an image cannot be pulled"), environ)
    logout = _add(commands, "logout", "remove the logins that this tool saved")
    logout.add_argument("registries", nargs="*", metavar="REGISTRY", help="such as ghcr.io")
    logout.add_argument("--all", action="store_true", help="every registry with a saved login")
    add_export_options(_add(commands, "export", "print the saved logins in another tool's format"))
    kubelet = _add(commands, "kubelet", "answer the kubelet as its image credential provider")
    add_source_options(kubelet)
    _add(commands, "demo", "try a login with two temporary local registries")
    for name, command in commands.choices.items():
        if name not in ("kubelet", "run"):  # whose stdout is another program's
            add_json_option(command)
        add_log_options(command, environ, lenient if name == "hook" else None)
    completion = _add(commands, "completion", "print the completion script of a shell")
    completion.add_argument(
        "shell",
        type=one_of((*SHELLS, *LISTS), shown=SHELLS),
        choices=(*SHELLS, *LISTS),
        metavar="SHELL",
        help=either(SHELLS),
    )
    helping = _add(commands, "help", "show the help of a command")
    names = tuple(commands.choices)
    helping.add_argument("command", nargs="?", type=one_of(names), choices=names, metavar="COMMAND")
    helping.set_defaults(parser=parser, parsers=dict(commands.choices))
    parser.commands = names
    return parser


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
