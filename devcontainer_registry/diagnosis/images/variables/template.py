# SPDX-License-Identifier: MIT
"""
Variables of Compose files, and the .env files that define them.

https://github.com/compose-spec/compose-go/blob/v2.9.1/template/template.go
https://github.com/compose-spec/compose-go/blob/v2.9.1/dotenv/parser.go
"""

from __future__ import annotations

import re

from .text import DEPTH_MAX, LENGTH_MAX, Expansion, MalformedError, Text, is_default_wanted, plain

TYPE_CHECKING = False

if TYPE_CHECKING:
    from .text import Lookup

_NAME = "[_a-zA-Z][_a-zA-Z0-9]*"
_DOLLAR = re.compile(rf"\$(?:(?P<escaped>\$)|(?P<named>{_NAME})|(?P<brace>\{{))")
_BRACE = re.compile(r"[{}]")
_BRACED = re.compile(rf"({_NAME})(?:(:?)([-+?])(.*))?", re.DOTALL)

_DOTENV_KEY = re.compile(r"(?:export[^\S\n]+)?([\w.\-\[\]]+)[^\S\n]*([=:]|\n|\Z)[^\S\n]*")
_DOTENV_ESCAPE = re.compile(r"\\([abcfnrtv$\"\\])")
_ESCAPES = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "$": "$$",
    '"': '"',
    "\\": "\\",
}


def expand(text: str, lookup: Lookup, *, file: str = "", limit: int = LENGTH_MAX) -> Text:
    """
    Return *text* of a Compose file with its variables replaced.

    Args:
        text: As written.
        lookup: Value of a variable, or None if it is not set.
        file: The file, for messages.
        limit: Characters; a longer value is malformed.
    """
    expansion = Expansion(limit)
    if len(text) > limit:
        return Text(written=text, value=None, file=file)
    try:
        value = _expanded(text, lookup, expansion, 0)
    except MalformedError:
        return Text(written=text, value=None, file=file)
    return expansion.text(text, value, file=file)


def _expanded(text: str, lookup: Lookup, expansion: Expansion, depth: int) -> str:
    if depth > DEPTH_MAX:
        raise MalformedError
    pieces, at = [], 0
    while match := _DOLLAR.search(text, at):
        pieces.append(expansion.taken(text[at : match.start()]))
        at = match.end()
        if match["escaped"]:
            pieces.append(expansion.taken("$"))
        elif match["named"]:
            pieces.append(expansion.value_of(match["named"], lookup(match["named"])))
        else:
            end = _closing(text, at)
            pieces.append(_braced(text[at:end], lookup, expansion, depth))
            at = end + 1
    pieces.append(expansion.taken(text[at:]))
    return "".join(pieces)


def _closing(text: str, at: int) -> int:
    level = 1
    for brace in _BRACE.finditer(text, at):
        level += 1 if brace[0] == "{" else -1
        if not level:
            return brace.start()
    raise MalformedError


def _braced(inner: str, lookup: Lookup, expansion: Expansion, depth: int) -> str:
    match = _BRACED.fullmatch(inner)
    if not match:
        raise MalformedError
    name, colon, operator, word = match.groups()
    found = lookup(name)
    if operator is None:
        return expansion.value_of(name, found)
    absent = is_default_wanted(found, or_empty=bool(colon))
    if operator == "+":
        return "" if absent else _expanded(word, lookup, expansion, depth + 1)
    if not absent:
        return expansion.value_of(name, found)
    if operator == "-":
        return _expanded(word, lookup, expansion, depth + 1)
    expansion.unset.append(name)
    return ""


def read_dotenv(text: str, lookup: Lookup) -> tuple[dict[str, Text], int | None]:
    """
    Read the variables of a .env file.

    Args:
        text: Of the file.
        lookup: Variables that win over the file's own within it.

    Returns:
        The variables by name, and the number of the first line that cannot be read, or None.
    """
    found: dict[str, Text] = {}

    def value_of(name: str) -> Text | None:
        known = lookup(name)
        return found.get(name) if known is None else known

    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif text[at] == "#":
            end = text.find("\n", at)
            at = len(text) if end < 0 else end
        else:
            match = _DOTENV_KEY.match(text, at)
            after = _dotenv_value(text, match, value_of, found) if match else None
            if after is None:
                return found, text.count("\n", 0, at) + 1
            at = after
    return found, None


def _dotenv_value(
    text: str, match: re.Match[str], lookup: Lookup, found: dict[str, Text]
) -> int | None:
    """
    Put the variable of *match* into *found*; return where the next line begins.
    """
    name, at = match[1], match.end()
    if match[2] not in ("=", ":"):
        # A name alone takes the value that the process has.
        known = lookup(name)
        if known is not None:
            found[name] = known
        return at
    quote = text[at : at + 1]
    if quote not in ('"', "'") or not quote:
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        value = text[at:end].partition(" #")[0].rstrip()
        found[name] = expand(value, lookup)
        return end
    end = at + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" else 1
    if end >= len(text):
        return None
    value = text[at + 1 : end].replace(f"\\{quote}", quote)
    if quote == "'":
        found[name] = plain(value)
    else:
        value = _DOTENV_ESCAPE.sub(lambda escape: _ESCAPES.get(escape[1], escape[0]), value)
        found[name] = expand(value, lookup)
    return end + 1
