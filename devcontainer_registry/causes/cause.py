# SPDX-License-Identifier: MIT
"""
The words for one cause of trouble, and what fills them.

Imports nothing of ours: rooms from the lowest to the highest state causes.
"""

from __future__ import annotations

from dataclasses import dataclass

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Generic, TypeVar

    from ..errors import RegistryError

    Kind_co = TypeVar("Kind_co", bound=RegistryError, covariant=True)
else:
    Kind_co = None

    class Generic:  # typing costs 8 ms, and nobody asks for parameters at run time
        """
        Takes parameters, and makes nothing of them.
        """

        __slots__ = ()

        def __class_getitem__(cls, _: object) -> type:
            return cls


@dataclass(frozen=True, slots=True)
class Cause(Generic[Kind_co]):
    """
    The words for one cause; `{name}` in them stands for a fact.

    Attributes:
        code: Stable and kebab-case.
        kind: The class of its error, by which callers branch.
        message: What is wrong, in one line.
        fix: What to do about it, beginning with a verb, or "".
    """

    code: str
    kind: type[Kind_co]
    message: str
    fix: str = ""

    def say(self, **facts: object) -> str:
        """
        Return the message with *facts* filled in.
        """
        return self.message.format(**facts)

    def error(self, *, fix: Fix | None = None, **facts: object) -> Kind_co:
        """
        Return the error that states this cause with *facts* filled in, and *fix* for its fix.
        """
        hint = (self.fix if fix is None else fix.text).format(**facts)
        return self.kind(self.say(**facts), hint=hint, code=self.code)

    def finding(
        self, *, variable: str | None = None, fix: Fix | None = None, **facts: object
    ) -> Finding:
        """
        Return the finding that states this cause with *facts* filled in, and *fix* for its fix.
        """
        return Finding.of(self.error(fix=fix, **facts), variable=variable)


@dataclass(frozen=True, slots=True)
class Fix:
    """
    The fix for causes of one code where more is known than the cause itself says.

    Attributes:
        code: Of those causes; "" where it may be any.
        where: What is known, in words that follow the code.
        text: As `Cause.fix`.
    """

    code: str
    where: str
    text: str

    def say(self, **facts: object) -> str:
        """
        Return the text with *facts* filled in.
        """
        return self.text.format(**facts)


@dataclass(frozen=True, slots=True)
class Reason:
    """
    Words that fill one placeholder of several causes.

    Attributes:
        fills: The name of that placeholder.
        text: Part of a sentence; `{name}` in it stands for a fact.
    """

    fills: str
    text: str

    def say(self, **facts: object) -> str:
        """
        Return the text with *facts* filled in.
        """
        return self.text.format(**facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """
    Something worth saying about a variable.

    Attributes:
        code: Stable and kebab-case; docs/codes.md lists them all.
        message: What was seen, in one line without any value.
        hint: What to do, beginning with a verb, or "".
        variable: The variable's name, where it is about one.
    """

    code: str
    message: str
    hint: str = ""
    variable: str | None = None

    @classmethod
    def of(cls, error: RegistryError, *, variable: str | None = None) -> Finding:
        """
        Return what *error* says, as a finding.
        """
        return cls(code=error.code, message=error.message, hint=error.hint, variable=variable)
