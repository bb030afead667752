# SPDX-License-Identifier: MIT
"""
Words and variables of Dockerfile instructions.

https://github.com/moby/buildkit/blob/v0.25.0/frontend/dockerfile/shell/lex.go
https://github.com/moby/buildkit/blob/v0.25.0/frontend/dockerfile/parser/line_parsers.go
"""

from __future__ import annotations

import re

from .text import DEPTH_MAX, LENGTH_MAX, Expansion, MalformedError, Text, is_default_wanted

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .text import Lookup

_SPECIAL = "@*#?-$!0"
# Characters of a value that a pattern is matched against, since matching is quadratic.
_PATTERN_MAX = 256
_TOKEN = re.compile(r"\\?.", re.DOTALL)
_WILD = {"*": ".*", "?": "."}


def expand(word: str, lookup: Lookup, *, escape: str = "\\") -> Text:
    """
    Return the *word* of an instruction with quotes removed and variables replaced.

    Args:
        word: As written.
        lookup: Value of a variable, or None if it is not set.
        escape: The escape character of the Dockerfile.
    """
    if len(word) > LENGTH_MAX:
        return Text(written=word, value=None)
    reader = _Reader(word, lookup, escape)
    try:
        value = reader.read("", raw=False, depth=0)
    except MalformedError:
        return Text(written=word, value=None)
    return reader.expansion.text(word, value)


def split(line: str, *, escape: str = "\\") -> list[str]:
    """
    Split *line* at white space outside of quotes; quotes and escapes stay.
    """
    return [word for word in _words(line, escape) if word]


def _words(line: str, escape: str) -> Iterator[str]:
    word: list[str] = []
    quote, at = "", 0
    while at < len(line):
        char = line[at]
        at += 1
        if not quote and char.isspace():
            yield "".join(word)
            word = []
            continue
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        elif char == escape and quote != "'":
            if at == len(line):
                break
            word.append(char)
            char = line[at]
            at += 1
        word.append(char)
    yield "".join(word)


class _Reader:
    """
    A reader of one word.
    """

    def __init__(self, word: str, lookup: Lookup, escape: str) -> None:
        self.expansion = Expansion()
        self._word = word
        self._lookup = lookup
        self._escape = escape
        self._at = 0

    def read(self, stop: str, *, raw: bool, depth: int) -> str:
        """
        Read up to *stop*, or to the end if *stop* is empty.
        """
        if depth > DEPTH_MAX:
            raise MalformedError
        pieces: list[str] = []
        while char := self._next():
            if char == stop:
                return "".join(pieces)
            if char == "$":
                pieces.append(self._dollar(depth))
            elif char == "'":
                pieces.append(self._single_quoted())
            elif char == '"':
                pieces.append(self._double_quoted(depth))
            elif char == self._escape:
                pieces.append(self.expansion.taken((char if raw else "") + self._next()))
            else:
                pieces.append(self.expansion.taken(char))
        if stop:
            raise MalformedError
        return "".join(pieces)

    def _peek(self) -> str:
        return self._word[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char

    def _single_quoted(self) -> str:
        end = self._word.find("'", self._at)
        if end < 0:
            raise MalformedError
        inner = self._word[self._at : end]
        self._at = end + 1
        return self.expansion.taken(inner)

    def _double_quoted(self, depth: int) -> str:
        pieces: list[str] = []
        while char := self._next():
            if char == '"':
                return "".join(pieces)
            if char == "$":
                pieces.append(self._dollar(depth))
                continue
            if char == self._escape and self._peek() in ('"', "$", self._escape):
                char = self._next()
            pieces.append(self.expansion.taken(char))
        raise MalformedError

    def _dollar(self, depth: int) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._value(name) if name else self.expansion.taken("$")
        self._next()
        name = self._name()
        operator = self._next()
        if not name:
            raise MalformedError
        if operator == "}":
            return self._value(name)
        colon = operator == ":"
        if colon:
            operator = self._next()
        if operator in ("#", "%") and not colon:
            return self._trimmed(name, operator, depth)
        if operator not in ("-", "+", "?"):
            raise MalformedError
        return self._with_default(name, operator, depth, or_empty=colon)

    def _with_default(self, name: str, operator: str, depth: int, *, or_empty: bool) -> str:
        outer = self.expansion.unset
        # What only the default needs is not missing if the default is not used.
        inner: list[str] = []
        self.expansion.unset = inner
        word = self.read("}", raw=False, depth=depth + 1)
        self.expansion.unset = outer
        absent = is_default_wanted(self._lookup(name), or_empty=or_empty)
        if absent == (operator == "-") and operator != "?":
            outer.extend(inner)
            return word
        if not absent and operator != "+":
            return self._value(name)
        if operator == "?":
            outer.append(name)
        return ""

    def _trimmed(self, name: str, operator: str, depth: int) -> str:
        greedy = self._peek() == operator
        if greedy:
            self._next()
        pattern = _pattern(self.read("}", raw=True, depth=depth + 1))
        value = self._value(name)
        if len(value) > _PATTERN_MAX:
            raise MalformedError
        lengths = range(len(value) + 1)
        for length in reversed(lengths) if greedy else lengths:
            cut = length if operator == "#" else len(value) - length
            piece = value[:cut] if operator == "#" else value[cut:]
            if pattern.fullmatch(piece):
                return value[cut:] if operator == "#" else value[:cut]
        return value

    def _name(self) -> str:
        first = self._peek()
        if first and first in _SPECIAL:
            return self._next()
        start = self._at
        digits = first.isdigit()
        while (char := self._peek()) and (
            char.isdigit() if digits else char.isalnum() or char == "_"
        ):
            self._at += 1
        return self._word[start : self._at]

    def _value(self, name: str) -> str:
        return self.expansion.value_of(name, self._lookup(name))


def _pattern(text: str) -> re.Pattern[str]:
    """
    Return *text*, a pattern of `*`, `?` and escaped characters, as a regular expression.

    Raises:
        MalformedError: It is long, or could take long to match.
    """
    if len(text) > _PATTERN_MAX or text.count("*") > 1:
        raise MalformedError
    return re.compile(_TOKEN.sub(_as_regex, text), re.DOTALL)


def _as_regex(token: re.Match[str]) -> str:
    return _WILD.get(token[0]) or re.escape(token[0].removeprefix("\\") or token[0])
