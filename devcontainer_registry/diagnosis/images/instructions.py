# SPDX-License-Identifier: MIT
"""
Splits a Dockerfile into its instructions.

https://github.com/moby/buildkit/blob/v0.25.0/frontend/dockerfile/parser/parser.go
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ...causes.workspace import configuration as causes
from .variables import shell

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*\Z")
_BLANKS = re.compile(r"[\t\v\f\r ]+")
_DIRECTIVES = frozenset(("syntax", "escape", "check"))
_WITH_HEREDOCS = frozenset(("ADD", "COPY", "RUN"))
_HEREDOC = re.compile(r"\d*<<(-?)\s*([^<]+)\Z")
_HEREDOC_START = re.compile(r"\d*<<\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """
    One instruction.

    Attributes:
        line: Number of its first line, from 1.
        name: In capitals.
        flags: Such as `--from=build`.
        rest: What follows the flags.
    """

    line: int
    name: str
    flags: tuple[str, ...]
    rest: str


class DockerfileError(ValueError):
    """
    A Dockerfile that every builder rejects; the message says why.
    """


class Parser:
    """
    Splits a Dockerfile into instructions.

    Attributes:
        escape: The escape character.
        parsed: The instructions so far.
    """

    def __init__(self, text: str) -> None:
        self.escape = "\\"
        self.parsed: list[Instruction] = []
        self._lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")]
        self._at = 0

    def parse(self) -> None:
        """
        Read all instructions.

        Raises:
            DockerfileError: Every builder rejects the file.
        """
        self._directives()
        while self._at < len(self._lines):
            first = self._at + 1
            line = self._logical_line()
            if not line:
                continue
            name, *more = _BLANKS.split(line.strip(), maxsplit=1)
            flags, rest = _split_flags("".join(more), self.escape)
            one = Instruction(line=first, name=name.upper(), flags=tuple(flags), rest=rest.strip())
            self.parsed.append(one)
            self._skip_heredocs(one, line)

    def _directives(self) -> None:
        seen: set[str] = set()
        for line in self._lines:
            match = _DIRECTIVE.match(line.lstrip())
            key = match[1].lower() if match else ""
            if not match or key not in _DIRECTIVES or key in seen:
                return
            seen.add(key)
            if key == "escape" and match[2] in ("\\", "`"):
                self.escape = match[2]

    def _logical_line(self) -> str:
        """
        Return the next line with its continuations; "" for a comment or an empty line.
        """
        line = self._lines[self._at].lstrip()
        self._at += 1
        if not line or line.startswith("#"):
            return ""
        pieces = []
        while True:
            stripped = line.rstrip(" \t")
            escaped = stripped.endswith(self.escape * 2)
            if not stripped.endswith(self.escape) or escaped:
                pieces.append(line)
                break
            pieces.append(stripped[:-1])
            line = self._next_continuation()
            if not line:
                break
        return "".join(pieces)

    def _next_continuation(self) -> str:
        while self._at < len(self._lines):
            line = self._lines[self._at]
            self._at += 1
            if line.strip() and not line.lstrip().startswith("#"):
                return line
        return ""

    def _skip_heredocs(self, one: Instruction, line: str) -> None:
        # Quotes hide them in a list of strings, too.
        name = (one.rest.split(maxsplit=1) or [""])[0] if one.name == "ONBUILD" else one.name
        if name.upper() not in _WITH_HEREDOCS or "<<" not in line:
            return
        for chomp, end in _heredocs(line):
            while self._at < len(self._lines):
                found = self._lines[self._at]
                self._at += 1
                if (found.lstrip("\t") if chomp else found) == end:
                    break
            else:
                raise DockerfileError(causes.NO_END_OF_HEREDOC.say(line=one.line, end=ascii(end)))


def _heredocs(line: str) -> Iterator[tuple[bool, str]]:
    words = shell.split(line)
    for index, word in enumerate(words):
        # White space may follow the two signs.
        whole = word
        if _HEREDOC_START.match(word) and index + 1 < len(words):
            whole = word + words[index + 1]
        match = _HEREDOC.match(whole)
        if match:
            name = shell.expand(re.sub(r"\$", r"\\$", match[2]), lambda _: None).value
            if name:
                yield match[1] == "-", name


def _split_flags(line: str, escape: str) -> tuple[list[str], str]:
    """
    Split *line* into the flags at its beginning, without quotes, and the rest.
    """
    flags: list[str] = []
    at = 0
    while True:
        while at < len(line) and line[at].isspace():
            at += 1
        if not line.startswith("--", at):
            return flags, line[at:]
        flag, at = _flag(line, at, escape)
        if flag == "--":
            return flags, line[at:]
        flags.append(flag)


def _flag(line: str, at: int, escape: str) -> tuple[str, int]:
    flag = []
    quote = ""
    while at < len(line) and (quote or not line[at].isspace()):
        char = line[at]
        at += 1
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char != escape:
            flag.append(char)
        elif at < len(line):
            flag.append(line[at])
            at += 1
    return "".join(flag), at
