# SPDX-License-Identifier: MIT
"""
Options of the command line, and usage errors.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys

from .log import LEVELS
from .output.table import complaint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

_PREFIX = "DEVCONTAINER_REGISTRY_"
_VERIFY = ("changed", "always", "never")
_STORE = ("auto", "auths", "helper")

_USAGE_STATUS = 2

STATUSES = """\
exit status:
  0  success, or nothing to do
  1  a bug, or the command cannot run here
  2  wrong usage
  3  no login, or a set of variables is incomplete
  4  a registry or a cloud refused
  5  a registry could not be reached or verified
  6  config.json could not be written, or a setting in it overrides the login
"""


class Parser(argparse.ArgumentParser):
    """
    Shows a wrong command line without the word that is wrong, which may be a secret.
    """

    def error(self, message: str) -> NoReturn:
        """
        Print the usage and what is wrong, and end with status 2.
        """
        self.print_usage(sys.stderr)
        raise usage_error(_unquoted(message))


# How argparse quotes the word that it does not like; the ones that it would like come later.
_QUOTED = re.compile(r"(['\"])(?:\\.|(?!\1).)*\1")
_UNKNOWN = "unrecognized arguments"
_OPTION = re.compile("--[a-z][a-z-]*|-[a-z]")


def _unquoted(message: str) -> str:
    """
    The *message* of argparse's without the word that it is about: `--password`'s, say.
    """
    if not message.startswith(_UNKNOWN):
        return _QUOTED.sub("****", message, count=1)
    words = (word.partition("=")[0] for word in message.removeprefix(f"{_UNKNOWN}:").split())
    return f"{_UNKNOWN}: {' '.join(w if _OPTION.fullmatch(w) else '****' for w in words)}"


class Version(argparse.Action):
    """
    Prints the version; argparse's own would read the metadata at each start, for 20 ms.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        """
        Print it, and end.
        """
        from .. import __version__

        print(f"devcontainer-registry {__version__}")  # noqa: T201
        parser.exit()


def add_command(
    commands: argparse._SubParsersAction[Parser],
    name: str,
    run: Callable[[argparse.Namespace, Mapping[str, str]], int],
    text: str,
) -> argparse.ArgumentParser:
    """
    Add the command *name* to *commands*, and return its parser.
    """
    parser = commands.add_parser(
        name, help=text, description=text.capitalize() + ".", allow_abbrev=False
    )
    parser.set_defaults(run=run)
    return parser


def add_help_command(
    commands: argparse._SubParsersAction[Parser], parser: argparse.ArgumentParser
) -> None:
    """
    Add the command `help`, which prints what `--help` prints.
    """
    known = dict(commands.choices)

    def run(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
        (known[arguments.command] if arguments.command else parser).print_help()
        return 0

    helping = add_command(commands, "help", run, "show the help of a command")
    helping.add_argument("command", nargs="?", choices=known, metavar="COMMAND")


def add_login_options(
    parser: argparse.ArgumentParser, environ: Mapping[str, str], *, verify: str, timeout: str
) -> None:
    """
    Add the options of a login.
    """
    add_source_options(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="use only the set with this ID; may be repeated",
    )
    parser.add_argument(
        "--verify",
        type=_one_of(_VERIFY),
        default=_setting(environ, "VERIFY", verify),
        metavar="WHEN",
        help=f"{either(_VERIFY)} (default: {verify})",
    )
    parser.add_argument(
        "--store",
        type=_one_of(_STORE),
        default=_setting(environ, "STORE", "auto"),
        metavar="WHERE",
        help=f"{either(_STORE)} (default: auto)",
    )
    add_timeout(parser, environ, timeout)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done; no network, no changes"
    )


def add_timeout(parser: argparse.ArgumentParser, environ: Mapping[str, str], timeout: str) -> None:
    """
    Add the option that bounds the whole run.
    """
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=_setting(environ, "TIMEOUT", timeout),
        metavar="SECONDS",
        help=f"for the whole run (default: {timeout})",
    )


def add_doctor_options(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """
    Add the arguments and options of a diagnosis.
    """
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="as docker pull takes it; default: the images of the dev container configuration here "
        "and the registries of all sets",
    )
    parser.add_argument("--push", action="store_true", help="check whether a push is allowed, too")
    parser.add_argument(
        "--share",
        action="store_true",
        help="replace hosts, users, paths and images by placeholders, for a public issue",
    )
    add_source_options(parser)
    add_timeout(parser, environ, "30")


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """
    Add the options that say where variables come from.
    """
    parser.add_argument(
        "--secrets-file",
        metavar="FILE",
        help="JSON file of variables, as for the dev container CLI",
    )


def add_output_options(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """
    Add the options that say how results and events are shown.
    """
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    parser.add_argument(
        "--log-level",
        type=_one_of(tuple(LEVELS)),
        default=_setting(environ, "LOG_LEVEL", "warning"),
        metavar="LEVEL",
        help=f"{either(tuple(LEVELS))} (default: warning)",
    )
    parser.add_argument(
        "--log-format",
        type=_one_of(("console", "json")),
        default="console",
        metavar="FORMAT",
        help="console or json (default: console)",
    )


class _Setting(str):
    """
    What a variable says, until the command line says otherwise.
    """

    __slots__ = ("variable",)
    variable: str


def _setting(environ: Mapping[str, str], name: str, default: str) -> str:
    found = _Setting(environ.get(_PREFIX + name) or default)
    found.variable = _PREFIX + name if environ.get(_PREFIX + name) else ""
    return found


def _expected(what: str, text: str) -> argparse.ArgumentTypeError:
    # Without *text*: whatever stands in the wrong place may be a secret.
    variable = getattr(text, "variable", "")
    return argparse.ArgumentTypeError(f"expected {what}" + (variable and f" in {variable}"))


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    # A type rather than argparse's `choices`, since those don't check what a variable set.
    def choice(text: str) -> str:
        if text not in choices:
            raise _expected(either(choices), text)
        return text

    return choice


def either(choices: Sequence[str]) -> str:
    """
    Return *choices* in words: `a, b or c`.
    """
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise _expected("seconds, above 0 and up to 3600", text)
    return seconds


def complain(message: str) -> None:
    """
    Print *message* on stderr, as an error of the command.
    """
    with contextlib.suppress(OSError):  # as a disk that is full
        print(complaint(message), file=sys.stderr)  # noqa: T201


def usage_error(message: str) -> SystemExit:
    """
    Complain, and return what ends the command with status 2.
    """
    complain(message)
    return SystemExit(_USAGE_STATUS)
