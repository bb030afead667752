# SPDX-License-Identifier: MIT
"""
The variable that a misspelled name was meant to be.

The distance is the number of edits: one letter too many, too few, wrong, or swapped with the next
(optimal string alignment, the restricted Damerau-Levenshtein distance):
https://doi.org/10.1145/363958.363994
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..naming import INFIX, resembles_a_set, variable
from .members import MEMBERS, set_id

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

# Words from other tools.  They may well be another tool's variables, so a synonym counts only
# beside another variable of its set.
_SYNONYMS = {
    "REGISTRY": "SERVER",
    "URL": "SERVER",
    "URI": "SERVER",
    "HOST": "SERVER",
    "HOSTNAME": "SERVER",
    "ENDPOINT": "SERVER",
    "ADDRESS": "SERVER",
    "LOGIN_SERVER": "SERVER",
    "USERNAME": "USER",
    "PASS": "PASSWORD",
    "PASSWD": "PASSWORD",
    "TOKEN": "PASSWORD",
    "OIDC_TOKEN": "ID_TOKEN",
    "IDENTITY_TOKEN": "ID_TOKEN",
    "TENANT_ID": "TENANT",
}

# English words one edit from a member: likewise only beside another variable of the set.
_OTHER_WORDS = frozenset(
    {"IMAGES", "KINDS", "PROFILES", "REGIONS", "SERVE", "SERVED", "SERVERS", "SERVES", "SEVER"}
    | {"TENANTS", "USE", "USED", "USERS", "USES"}
)

# Variables that programs make of other names: inputs of Terraform, settings of npm, inputs of
# GitHub Actions; and the settings of this package.
_OTHERS_PREFIXES = ("TF_VAR_", "NPM_", "INPUT_", "DEVCONTAINER_")

_LENGTH_MAX = 256  # characters; a longer name is not a typo
_EDITS_MAX = 2

# A cell of the alignment is edits * _EDIT + _LENGTH_MAX - start: fewer edits win, then the
# later start, which leaves the longer id.
_EDIT = 1024

_MIDDLE = INFIX.strip("_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Typo:
    """
    A variable whose name looks like a misspelled variable of a set.

    Attributes:
        written: Its name.
        set_id: The id of the set; "" where the name has none.
        member: One of `MEMBERS`.
        suffix: `_FILE` or "".
        is_weak: The name may well be another tool's: it counts only beside another variable of
            the set.
    """

    written: str
    set_id: str
    member: str
    suffix: str = ""
    is_weak: bool = False

    @property
    def meant(self) -> str:
        """
        The right name, with `<ID>` for a missing id.
        """
        return variable(self.set_id or "<ID>", self.member) + self.suffix


def typo_of(name: str, *, set_ids: Collection[str] = ()) -> Typo | None:
    """
    Return what *name* was probably meant to be, or None.

    It accepts up to two edits in `_CONTAINER_REGISTRY_`, one in a member, two in a member of eight
    letters or more, and two in all.  It also accepts another tool's word for a member, any case, an
    invalid id, and no id.

    Args:
        name: Of a variable.
        set_ids: Ids of the sets that there are.  They decide where an edit beside the id leaves
            more than one.
    """
    # What cannot be printed cannot be reported.
    if not resembles_a_set(name) or not name.isascii() or not name.isprintable():
        return None
    text = name.upper().replace("-", "_").replace("REGISTRIES", "REGISTRYS")
    if len(name) > _LENGTH_MAX or text.startswith(_OTHERS_PREFIXES) or set_id(name):
        return None
    best = _align(text)
    if best is None:
        return None
    edits, start, word = best
    tail = name[start:]
    if edits and not tail.islower() and sum(map(str.islower, tail)) > 1:
        return None  # .NET's ContainerRegistry__Server
    base = word.removesuffix("_FILE") if word not in _WORDS else word
    identifier = _identifier(name, text, start, set_ids)
    has_middle = f"{_MIDDLE}_" in text
    if not identifier and not has_middle:
        return None
    return Typo(
        written=name,
        set_id=identifier,
        member=_WORDS[base],
        suffix=word[len(base) :],
        is_weak=base in _SYNONYMS or (has_middle and text.endswith(_OTHER_WORD_ENDINGS)),
    )


_WORDS: Mapping[str, str] = {**{member: member for member in MEMBERS}, **_SYNONYMS}
_OTHER_WORD_ENDINGS = tuple(f"{_MIDDLE}_{word}" for word in _OTHER_WORDS)


def _align(text: str) -> tuple[int, int, str] | None:
    """
    Return how the end of *text* reads best: the edits, where the infix starts, and the word.
    """
    row = [_LENGTH_MAX - start for start in range(len(text) + 1)]
    infix = _extend((row, row, ""), INFIX, text)
    if infix is None:
        return None
    found = []
    for base in _WORDS:
        allowed = _edits_allowed(base, text)
        state = _extend(infix, base, text)
        for word in (base, f"{base}_FILE"):
            if word != base and state is not None:
                state = _extend(state, "_FILE", text)
            if state is None:
                break
            edits, rest = divmod(state[1][-1], _EDIT)
            if edits <= allowed:
                found.append((edits, base in _SYNONYMS, _LENGTH_MAX - rest, word))
    if not found:
        return None
    edits, _, start, word = min(found)
    return edits, start, word


def _edits_allowed(base: str, text: str) -> int:
    has_infix = INFIX in text
    if base in _SYNONYMS:
        # A short one is one edit from too many other words.
        return int(len(base) > 4 or text.removesuffix("_FILE").endswith(base))
    # Without its id, a name lacks the first underscore besides.
    return 1 if has_infix and len(base) < 8 else _EDITS_MAX


def _extend(
    state: tuple[list[int], list[int], str], letters: str, text: str
) -> tuple[list[int], list[int], str] | None:
    """
    Extend an alignment with *text* by *letters*; None where too many edits are needed.

    A state is the last two rows, and the letter of the last.
    """
    earlier, row, last = state
    for letter in letters:
        new = [row[0] + _EDIT]
        for place, written in enumerate(text):
            cost = min(row[place] + _EDIT * (written != letter), row[place + 1] + _EDIT)
            cost = min(cost, new[place] + _EDIT)
            if place and written == last and text[place - 1] == letter != last:
                cost = min(cost, earlier[place - 1] + _EDIT)
            new.append(cost)
        if min(new) >= (_EDITS_MAX + 1) * _EDIT:
            return None
        earlier, row, last = row, new, letter
    return earlier, row, last


def _identifier(name: str, text: str, start: int, set_ids: Collection[str]) -> str:
    written = name[:start]
    if text[start : start + 2] != "_C":
        # The edit is beside the id, and may have taken a letter of it or left one there.
        candidates = (written, written[:-1], written[:-2], written[:-2] + written[-1:])
        written = next((one for one in candidates if one in set_ids), written)
    written = written.rstrip("_")
    has_upper_infix = name[start : start + len(_MIDDLE)].isupper()
    if not has_upper_infix or (written not in set_ids and written.upper() in set_ids):
        written = written.upper()
    identifier = re.sub(r"[^A-Za-z0-9_]", "_", written)
    return f"_{identifier}" if identifier[:1].isdigit() else identifier
