# SPDX-License-Identifier: MIT
"""
The words for one cause of trouble, and what fills them.

Imports nothing: rooms from the lowest to the highest state causes, and so does what docker starts,
when it fails.
"""

from __future__ import annotations

TYPE_CHECKING = False

# Stands for the id of a set in the names of its variables.
ANY_ID = "<ID>"

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def _fill(text: str, facts: Mapping[str, object]) -> str:
    filled = text.format(**facts)
    # Most errors are raised where no set is known; `logins.masking` fills it in there.
    return filled.replace(ANY_ID, str(facts["id"])) if "id" in facts else filled


class Cause(Generic[Kind_co]):
    """
    The words for one cause; `{name}` in them stands for a fact, and `<ID>` for the fact `id`.

    Attributes:
        code: Stable and kebab-case.
        kind: The class of its error, by which callers branch.
        message: What is wrong, in one line.
        fix: What to do about it, beginning with a verb, or "".
    """

    __slots__ = ("code", "fix", "kind", "message")

    def __init__(self, code: str, kind: type[Kind_co], message: str, fix: str = "") -> None:
        self.code = code
        self.kind = kind
        self.message = message
        self.fix = fix

    def say(self, **facts: object) -> str:
        """
        Return the message with *facts* filled in.
        """
        return _fill(self.message, facts)

    def with_fix(self, fix: Fix | None) -> Cause[Kind_co]:
        """
        Return this cause with *fix* in place of its own; itself where that is None.
        """
        return self if fix is None else Cause(self.code, self.kind, self.message, fix.text)

    def error(self, **facts: object) -> Kind_co:
        """
        Return the error that states this cause with *facts* filled in.
        """
        return self.kind(self.say(**facts), hint=_fill(self.fix, facts), code=self.code)

    def finding(self, *, variable: str | None = None, **facts: object) -> Finding:
        """
        Return the finding that states this cause with *facts* filled in.
        """
        return Finding.of(self.error(**facts), variable=variable)


class Fix:
    """
    The fix for causes of one code where more is known than the cause itself says.

    Attributes:
        code: Of those causes; "" where it may be any.
        where: What is known, in words that follow the code.
        text: As `Cause.fix`.
    """

    __slots__ = ("code", "text", "where")

    def __init__(self, code: str, where: str, text: str) -> None:
        self.code = code
        self.where = where
        self.text = text

    def say(self, **facts: object) -> str:
        """
        Return the text with *facts* filled in.
        """
        return _fill(self.text, facts)


class Reason:
    """
    Words that fill one placeholder of several causes.

    Attributes:
        fills: The name of that placeholder.
        text: Part of a sentence; `{name}` in it stands for a fact.
    """

    __slots__ = ("fills", "text")

    def __init__(self, fills: str, text: str) -> None:
        self.fills = fills
        self.text = text

    def say(self, **facts: object) -> str:
        """
        Return the text with *facts* filled in.
        """
        return _fill(self.text, facts)


class Finding:
    """
    Something worth saying about a variable.

    Attributes:
        code: Stable and kebab-case; docs/codes.md lists them all.
        message: What was seen, in one line without any value.
        hint: What to do, beginning with a verb, or "".
        variable: The variable's name, where it is about one.
    """

    __slots__ = ("code", "hint", "message", "variable")

    def __init__(
        self, *, code: str, message: str, hint: str = "", variable: str | None = None
    ) -> None:
        self.code = code
        self.message = message
        self.hint = hint
        self.variable = variable

    @classmethod
    def of(cls, error: RegistryError, *, variable: str | None = None) -> Finding:
        """
        Return what *error* says, as a finding.
        """
        return cls(code=error.code, message=error.message, hint=error.hint, variable=variable)

    def to_dict(self) -> dict[str, str | None]:
        """
        Return the attributes by name, as JSON documents have a finding.
        """
        return {
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
            "variable": self.variable,
        }

    def _members(self) -> tuple[str | None, ...]:
        return self.code, self.message, self.hint, self.variable

    def __eq__(self, other: object) -> bool:
        """
        Whether *other* is a finding that says the same.
        """
        return isinstance(other, Finding) and self._members() == other._members()

    def __hash__(self) -> int:
        """
        Of all that it says.
        """
        return hash(self._members())

    def __repr__(self) -> str:
        """
        All that it says.
        """
        members = ", ".join(f"{name}={getattr(self, name)!r}" for name in sorted(self.__slots__))
        return f"Finding({members})"
