# SPDX-License-Identifier: MIT
"""
Wrong usage: the error, and the parser that raises it.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys

from ...discovery.nearest import nearest
from ..output.table import complaint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any, NoReturn

STATUS = 2


class UsageError(Exception):
    """
    Wrong usage.  Its text never has the word that is wrong, which may be a secret.

    Attributes:
        fix: What to do, or "".
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class Parser(argparse.ArgumentParser):
    """
    An argument parser that suggests what was meant, and repeats no unknown word.
    """

    def __init__(self, **settings: Any) -> None:
        settings.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(allow_abbrev=False, **settings)
        # Set by `add_commands`: the names of the subcommands of this parser.
        self.commands: Iterable[str] = ()
        # Whether the words after `--` are a command of its own.
        self.takes_command = False

    def parse_known_args(  # type: ignore[override]  # never called without words
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """
        Parse *args*; an unknown option or command is an error before anything else is.

        argparse alone would take an unknown option's value for the next argument.
        """
        if self.takes_command:
            return self._parse_with_command(list(args), namespace), []
        self._refuse_unknown(args)
        parsed, extra = super().parse_known_args(args, namespace)
        if extra:
            self.error("too many arguments")
        return parsed, extra

    def _parse_with_command(
        self, words: list[str], namespace: argparse.Namespace | None
    ) -> argparse.Namespace:
        """
        Parse the words before the first `--`; those after it are the namespace's `child`.
        """
        usage = f"write {self.prog} [OPTION]... -- COMMAND [ARG]..."
        if "--" not in words and not {"-h", "--help"} & set(words):
            raise UsageError("the command, after --, is missing", fix=usage)
        end = words.index("--") if "--" in words else len(words)
        self._refuse_unknown(words[:end])
        parsed, extra = super().parse_known_args(words[:end], namespace)
        if parsed.child or extra:
            raise UsageError("the command must come after --", fix=usage)
        parsed.child = words[end + 1 :]
        if not parsed.child:
            raise UsageError("the command, after --, is missing", fix=usage)
        return parsed

    def error(self, message: str) -> NoReturn:
        """
        Raise `UsageError`.
        """
        # argparse quotes the word that it does not take.
        message = re.sub(_QUOTED, "****", message, count=1).removeprefix("argument ")
        fix = "" if "did you mean" in message else self._help_hint()
        raise UsageError(message, fix=fix)

    def _refuse_unknown(self, words: Sequence[str]) -> None:
        for word in words:
            if word == "--":
                return
            if not word.startswith("-") or word == "-" or re.match(_NUMBER, word):
                if self.commands:
                    if word not in self.commands:
                        self._unknown("unknown command", word, self.commands, quote='"')
                    return
                continue
            option = word.partition("=")[0]
            known = self._option_string_actions
            if option not in known and (word.startswith("--") or word[:2] not in known):
                self._unknown("unknown option", option, known)

    def _unknown(self, what: str, word: str, known: Iterable[str], quote: str = "") -> NoReturn:
        meant = nearest(word, known)
        said = f"; did you mean {quote}{meant}{quote}?" if meant else ""
        raise UsageError(what + said, fix="" if meant else self._help_hint())

    def _help_hint(self) -> str:
        return f"run {self.prog} --help"


_QUOTED = r"(['\"])(?:\\.|(?!\1).)*\1"
_NUMBER = r"-[0-9.]"


def complain(message: str, *, fix: str = "") -> None:
    """
    Print *message* on stderr, as an error of the command.
    """
    with contextlib.suppress(OSError):  # as a disk that is full
        print(complaint(message, fix=fix), file=sys.stderr)  # noqa: T201


def is_forgiving(words: Sequence[str]) -> bool:
    """
    Whether the command *words* is a hook that must not stop a container's start.
    """
    return list(words[:1]) == ["hook"] and "--strict" not in words
