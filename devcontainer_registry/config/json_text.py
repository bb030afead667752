# SPDX-License-Identifier: MIT
"""
JSON text of config.json, parsed and formatted as docker does.
"""

from __future__ import annotations

import json
import re

from ..causes import config as causes

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, TypeGuard

    from ..errors import DamagedError


def loads(raw: bytes, *, where: str) -> tuple[object, DamagedError | None]:
    """
    Parse *raw*, the content of the file *where*, as docker's decoder reads it.

    Go stops after the first value, uses the last of two equal members, and replaces invalid UTF-8
    with U+FFFD.

    Returns:
        The value, and why rewriting it would lose content, or None.

    Raises:
        DamagedError: It is not JSON.  The message has the line number and no content.
    """
    faults: list[DamagedError] = []
    twins: list[Members] = []
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as exc:
        line = raw.count(bytes([10]), 0, exc.start) + 1
        faults.append(causes.NOT_UTF8.error(path=where, line=line))
        text = raw.decode("utf-8", "replace")
    try:
        decoder = _decoder(faults, twins, where)
        value, end = decoder.raw_decode(text, len(text) - len(text.lstrip(_BLANKS)))
    except json.JSONDecodeError as exc:
        fault = causes.NOT_JSON.error(path=where, line=exc.lineno, column=exc.colno)
    except _NotJSONError:
        fault = causes.NUMBER_IS_NONE.error(path=where)
    except RecursionError:
        fault = causes.NESTED_TOO_DEEPLY.error(path=where)
    else:
        if text[end:].strip(_BLANKS):
            faults.append(causes.TEXT_AFTER_END.error(path=where, **_place(text, end)))
        if twins or _has_twins(value):
            faults += _key_twice(text[:end], where)  # slow, so only used to find the line
        return value, next(iter(faults), None)
    # Raised here, without context: the parser's error holds the whole text with its secrets.
    raise fault


def dumps(value: object) -> bytes:
    """
    Return *value* as docker formats it: tabs, no newline at the end.

    Raises:
        DamagedError: It is nested too deeply for Python's stack.
    """
    try:
        text = json.dumps(value, indent="\t", ensure_ascii=False)
    except RecursionError:
        text = ""
    if not text:
        raise causes.NESTED_TOO_DEEPLY.error(path="config.json")
    # Only half a surrogate pair cannot be encoded.  It is inside a string, where Python's escape is
    # valid JSON.
    return text.encode("utf-8", "backslashreplace")


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """
    Return whether *value* is a JSON object.
    """
    return isinstance(value, dict)


def is_text(value: object) -> TypeGuard[str | None]:
    """
    Return whether *value* is a JSON string or null, which Go reads as absent.
    """
    return value is None or isinstance(value, str)


class _NotJSONError(ValueError):
    """
    JSON that Python's parser accepts and Go's does not.
    """


def _refuse(_: str) -> object:
    raise _NotJSONError


def _decoder(faults: list[DamagedError], twins: list[Members], where: str) -> json.JSONDecoder:
    def number(text: str) -> float:
        value = float(text)
        if value in (float("inf"), float("-inf")):
            faults.append(causes.NUMBER_TOO_LARGE.error(path=where))
        return value

    def integer(text: str) -> int:
        try:
            return int(text)
        except ValueError:
            faults.append(causes.NUMBER_TOO_LONG.error(path=where))
            return 0

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        twins.append(Members(pairs))
        return twins[-1]

    return json.JSONDecoder(
        parse_float=number, parse_int=integer, parse_constant=_refuse, object_pairs_hook=members
    )


class Members(dict):  # type: ignore[type-arg]  # of any JSON
    """
    A JSON object with a repeated name, and the list of its members.
    """

    def __init__(self, pairs: list[tuple[str, object]]) -> None:
        super().__init__(pairs)
        self.pairs = pairs


def _has_twins(value: object) -> bool:
    """
    Return whether two members of the object *value* differ only in case.
    """
    return is_object(value) and len({key.lower() for key in value}) < len(value)


_BLANKS = " \t\r\n"
_NAMED = ("auths", "credhelpers", "credsstore")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]', re.DOTALL)


def _key_twice(text: str, where: str) -> list[DamagedError]:
    """
    Return why *text* of the file *where* cannot be rewritten if an object repeats a key, or None.

    Members of config.json itself are compared like Go does, ignoring case.
    """
    seen: list[set[str] | None] = []
    last: re.Match[str] | None = None
    for token in _TOKEN.finditer(text):
        word = token[0]
        if word == "{":
            seen.append(set())
        elif word == "[":
            seen.append(None)
        elif word in "}]":
            seen.pop()
        elif word == ":" and last is not None and seen and seen[-1] is not None:
            key: str = json.loads(last[0], strict=False)
            folded = key.lower() if len(seen) == 1 else key
            if folded in seen[-1]:
                named = len(seen) == 1 and folded in _NAMED
                cause = causes.MEMBER_TWICE if named else causes.KEY_TWICE
                return [cause.error(path=where, member=key, **_place(text, last.start()))]
            seen[-1].add(folded)
        last = token
    return []


def _place(text: str, at: int) -> dict[str, Any]:
    line = text.count("\n", 0, at) + 1
    return {"line": line, "column": at - text.rfind("\n", 0, at)}
