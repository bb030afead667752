# SPDX-License-Identifier: MIT
"""
A string of a configuration and the variables in it.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

# Characters.  A file of a few lines can double a value with each of them.
LENGTH_MAX = 16 * 1024
# Defaults within defaults.
DEPTH_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """
    A string of a configuration.

    Attributes:
        written: As the file has it.
        value: With variables replaced; None if that fails.
        unset: Variables that *value* needs and that have no value; they count as empty in it.
        file: The file, relative to the workspace, or "".
    """

    written: str
    value: str | None
    unset: tuple[str, ...] = ()
    file: str = ""

    @property
    def known(self) -> str | None:
        """
        The value, if it is complete.
        """
        return None if self.unset else self.value


if TYPE_CHECKING:
    Lookup = Callable[[str], Text | None]


class MalformedError(ValueError):
    """
    A variable is written wrongly, or its value is too long.
    """


class Expansion:
    """
    The pieces of a value while its variables are replaced.

    Attributes:
        unset: Variables without a value.
    """

    def __init__(self, limit: int = LENGTH_MAX) -> None:
        self.unset: list[str] = []
        self._left = limit

    def taken(self, piece: str) -> str:
        """
        Return *piece*, and count its length.

        Raises:
            MalformedError: The value is too long.
        """
        self._left -= len(piece)
        if self._left < 0:
            raise MalformedError
        return piece

    def value_of(self, name: str, found: Text | None) -> str:
        """
        Return the value that *found* gives to the variable *name*, and note if there is none.

        Raises:
            MalformedError: The value itself is malformed, or the whole is too long.
        """
        if found is None:
            self.unset.append(name)
            return ""
        if found.value is None:
            raise MalformedError
        self.unset.extend(found.unset)
        return self.taken(found.value)

    def text(self, written: str, value: str, *, file: str = "") -> Text:
        """
        Return the finished text.
        """
        unset = tuple(dict.fromkeys(self.unset))
        return Text(written=written, value=value, unset=unset, file=file)


def plain(text: str, *, file: str = "") -> Text:
    """
    Return *text* as one without variables.
    """
    return Text(written=text, value=text, file=file)


def is_default_wanted(found: Text | None, *, or_empty: bool) -> bool:
    """
    Whether a default replaces *found*: it is not set or, with *or_empty*, is empty.
    """
    return found is None or (or_empty and found.value == "")
