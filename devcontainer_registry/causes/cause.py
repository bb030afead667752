# SPDX-License-Identifier: MIT
"""
The words for one cause of trouble.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..credentials import Finding
from ..errors import RegistryError


@dataclass(frozen=True, slots=True)
class Cause:
    """
    The words for one cause; `{name}` in them stands for a fact.

    Attributes:
        code: Stable and kebab-case.
        kind: The class of its error, by which callers branch.
        message: What is wrong, in one line.
        fix: What to do about it, beginning with a verb, or "".
    """

    code: str
    kind: type[RegistryError]
    message: str
    fix: str = ""

    def error(self, **facts: object) -> RegistryError:
        """
        Return the error that states this cause with *facts* filled in.
        """
        return self.kind(
            self.message.format(**facts), hint=self.fix.format(**facts), code=self.code
        )

    def finding(self, *, variable: str | None = None, **facts: object) -> Finding:
        """
        Return the finding that states this cause with *facts* filled in.
        """
        return Finding(
            code=self.code,
            message=self.message.format(**facts),
            hint=self.fix.format(**facts),
            variable=variable,
        )
