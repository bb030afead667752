# SPDX-License-Identifier: MIT
"""
JSON text in and out, so that what we do not touch comes out as it went in.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring

from .errors import ConfigError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard


class DamagedError(ConfigError):
    """
    A file that is no JSON, or not what docker makes of it.
    """

    code = "config-damaged"


class Number(str):
    """
    A number as it is spelled; as a float, 1e400 would come out as Infinity.
    """

    __slots__ = ()


def loads(raw: bytes, *, where: str) -> object:
    """
    Parse *raw*, the content of the file *where*, more strictly than `json` does.

    Raises:
        DamagedError: It is no JSON, or has a key twice.  The message has the line, and quotes
            nothing.
    """
    try:
        return json.loads(
            raw.decode("utf-8"),
            parse_int=Number,
            parse_float=Number,
            parse_constant=_refuse,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        fault = f"is not UTF-8 (line {line})"
    except json.JSONDecodeError as exc:
        fault = f"is not valid JSON (line {exc.lineno}, column {exc.colno})"
    except _NotJSONError as exc:
        fault = str(exc)
    except RecursionError:
        fault = "is nested too deeply"
    # Out here, so that it has no context: the parser's error carries the whole text, secrets
    # included.
    raise damaged(where, fault)


def dumps(value: object) -> bytes:
    """
    The text of *value* as docker lays it out: tabs, no newline at the end.

    Our own writer, since `json` has no way to write a number as it was spelled.  Its indenting
    one is Python as well, so no time is lost.

    Raises:
        DamagedError: It is nested more deeply than Python's stack.
    """
    pieces: list[str] = []
    try:
        _write(value, "\n", pieces.append)
    except RecursionError:
        pieces = []
    if not pieces:
        raise damaged("config.json", "is nested too deeply")
    # What UTF-8 cannot say is half a surrogate pair, and can only stand inside a string, where
    # Python's own escape for it is JSON's, too.
    return "".join(pieces).encode("utf-8", "backslashreplace")


def damaged(where: str, fault: str) -> DamagedError:
    """
    The error that says that *where* has *fault*.
    """
    return DamagedError(f"{where} {fault}", hint="repair it, or move it away")


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """
    Whether *value* is a JSON object.
    """
    return isinstance(value, dict)


def is_text(value: object) -> TypeGuard[str | None]:
    """
    Whether *value* is a JSON string, or null, which Go reads as one that is not there.
    """
    return value is None or (isinstance(value, str) and not isinstance(value, Number))


class _NotJSONError(ValueError):
    """
    Something that Python's parser takes and we do not.
    """


def _refuse(_: str) -> object:
    msg = "is not valid JSON (a number that is none)"
    raise _NotJSONError(msg)


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # One of the two would not survive our writing, and whose would it be?
        msg = "has one key twice in the same object"
        raise _NotJSONError(msg)
    return members


def _write(value: object, newline: str, put: Callable[[str], object]) -> None:
    if is_object(value) and value:
        inner = newline + "\t"
        mark = "{"
        for key, member in value.items():
            put(mark + inner + encode_basestring(key) + ": ")
            _write(member, inner, put)
            mark = ","
        put(newline + "}")
    elif isinstance(value, list) and value:
        inner = newline + "\t"
        mark = "["
        for member in value:
            put(mark + inner)
            _write(member, inner, put)
            mark = ","
        put(newline + "]")
    elif isinstance(value, Number):
        put(str(value))
    elif isinstance(value, str):
        put(encode_basestring(value))
    else:
        put(json.dumps(value))
