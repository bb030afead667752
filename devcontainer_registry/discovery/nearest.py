# SPDX-License-Identifier: MIT
"""
Find the known word that is nearest to an unknown one.

An unknown word may be a secret in the wrong place: only known words are ever shown.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

_EDITS_MAX = 2
_PREFIX_MIN = 3  # letters; fewer begin too many words
_LENGTH_MAX = 64  # characters; a longer word is not a typo


def nearest(word: str, known: Iterable[str]) -> str | None:
    """
    Return the one of *known* that *word* resembles, or None.

    Two edits are allowed, one in four characters, none in three: ACR is not ECR.  Case never
    counts.  The beginning of a known word counts, and a known word with more behind it.
    """
    if len(word) > _LENGTH_MAX:
        return None
    written = word.casefold()
    letters = len(written.strip("-"))
    allowed = min(_EDITS_MAX, max(len(written) - 3, 0))
    found = []
    for one in known:
        right = one.casefold()
        count = edits(written, right)
        shorter = min(letters, len(right.strip("-")))
        if count <= allowed or count == 0:
            found.append((count, one))
        elif shorter >= _PREFIX_MIN and (right.startswith(written) or written.startswith(right)):
            found.append((_EDITS_MAX + 1, one))
    return min(found)[1] if found else None


def edits(left: str, right: str) -> int:
    """
    Return how many letters are added, dropped, replaced or swapped with the next.

    The optimal string alignment distance: https://doi.org/10.1145/363958.363994
    """
    if abs(len(left) - len(right)) > _EDITS_MAX:
        return _EDITS_MAX + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, letter in enumerate(left):
        new = [i + 1]
        for j, other in enumerate(right):
            cost = min(row[j] + (letter != other), row[j + 1] + 1, new[j] + 1)
            if i and j and letter == right[j - 1] and left[i - 1] == other:
                cost = min(cost, before[j - 1] + 1)
            new.append(cost)
        before, row = row, new
    return row[-1]
