# SPDX-License-Identifier: MIT
"""
JSON with comments and trailing commas.
"""

from __future__ import annotations

import re

# A string, or a part to remove.  Each alternative also matches at the end of the text, so that
# matching stays linear.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def plain_json(text: str) -> str:
    """
    Return *text* without comments and trailing commas; line numbers stay.
    """

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else "\n" * found.count("\n") + " "

    return _LAST_COMMA.sub(blank, _COMMENT.sub(blank, text))
