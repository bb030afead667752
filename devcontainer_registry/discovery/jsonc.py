# SPDX-License-Identifier: MIT
"""
JSON with comments and trailing commas.
"""

from __future__ import annotations

import re

# A string, or what is to be left out.  Each alternative also ends at the end of the text, so that
# no input makes the search start over and over.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def plain_json(text: str) -> str:
    """
    *text* without comments and trailing commas, and with its line numbers as they were.
    """

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else "\n" * found.count("\n") + " "

    return _LAST_COMMA.sub(blank, _COMMENT.sub(blank, text))
