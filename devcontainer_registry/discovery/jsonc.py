# SPDX-License-Identifier: MIT
"""
JSON with comments and trailing commas.
"""

from __future__ import annotations

import re

# A string, or a part to remove.  Each alternative also matches at the end of the text, so that
# matching stays linear.
_STRING = r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)'
_COMMENT = rf"{_STRING}|//[^\n]*|/\*.*?(?:\*/|\Z)"
_LAST_COMMA = rf"{_STRING}|,(?=\s*[}}\]])"


def plain_json(text: str) -> str:
    """
    Return *text* without comments and trailing commas; line numbers stay.
    """

    def blank(match: re.Match[str]) -> str:
        found = match[0]
        return found if found.startswith('"') else "\n" * found.count("\n") + " "

    text = re.sub(_COMMENT, blank, text, flags=re.DOTALL)
    return re.sub(_LAST_COMMA, blank, text, flags=re.DOTALL)
