# SPDX-License-Identifier: MIT
"""
Lines in columns, for a terminal of 80.
"""

from __future__ import annotations

import os
import textwrap

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TextIO, TypeAlias

    # A word, and its colour in ANSI.
    Word: TypeAlias = tuple[str, str]

WIDTH = 80
_WORD_WIDTH = 12
# Longer names (ECR's have 44 letters and more) don't push the others' texts to the right.
_NAME_MAX = 28
# A text that has less room than this beside the names, and does not fit, goes below them.
_DETAIL_MIN = 34


def has_colours(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """
    Whether *stream* is a terminal whose user wants colours (https://no-color.org).
    """
    environ = os.environ if environ is None else environ
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


class Columns:
    """
    Widths of the columns of ids and registries, in characters.
    """

    def __init__(self) -> None:
        self.id = self.name = 0

    def add(self, set_id: str, name: str) -> None:
        """
        Make room for one more line.
        """
        self.id = max(self.id, len(set_id))
        if len(name) <= _NAME_MAX:
            self.name = max(self.name, len(name))


class Table:
    """
    Prints lines with the same columns.
    """

    def __init__(self, columns: Columns | None = None, *, colours: bool) -> None:
        self.columns = columns or Columns()
        self._colours = colours

    def line(
        self, word: Word, set_id: str = "", name: str = "", detail: str = "", *, fix: str = ""
    ) -> Iterator[str]:
        """
        Yield a line in columns, and below it what to do.
        """
        text, colour = word
        head = text.ljust(_WORD_WIDTH)
        if set_id:
            head += set_id.ljust(self.columns.id) + "  "
        if name:
            head += name.ljust(self.columns.name) + "  "
        room = WIDTH - len(head)
        rows = [detail]
        if len(detail) > room:
            rows = wrapped(detail, room) if room >= _DETAIL_MIN else [""]
        yield f"{self._paint(text, colour)}{head[len(text) :]}{rows[0]}".rstrip()
        for row in rows[1:]:
            yield " " * len(head) + row
        if rows == [""]:
            yield from self.below(detail)
        if fix:
            yield from self.below(f"fix: {fix}")

    def below(self, text: str) -> Iterator[str]:
        """
        Yield *text* under the columns that follow the word.
        """
        indent = " " * _WORD_WIDTH
        for number, row in enumerate(wrapped(text, WIDTH - _WORD_WIDTH - 5)):
            yield indent + ("     " if number and text.startswith("fix: ") else "") + row

    def _paint(self, word: str, colour: str) -> str:
        return f"\x1b[{colour}m{word}\x1b[0m" if self._colours else word


def complaint(message: str, *, fix: str = "") -> str:
    """
    Return an error of the command and its fix, at 80 columns.
    """
    said = wrapped(f"devcontainer-registry: {message}", WIDTH - 2)
    said += wrapped(f"fix: {fix}", WIDTH - 4) if fix else []
    return "\n  ".join(said)


def wrapped(text: str, width: int) -> list[str]:
    """
    *text* in lines of at most *width* columns, words whole.
    """
    if len(text) <= width and text.isprintable() and text.strip():
        return [text.rstrip()]  # as below, in a thousandth of the time
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)
