# SPDX-License-Identifier: MIT
"""
JSON text of config.json, read strictly and laid out as docker's.
"""

from __future__ import annotations

import json

from ..errors import ConfigError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TypeGuard


class DamagedError(ConfigError):
    """
    A file that is no JSON, or not what docker makes of it.
    """

    code = "config-damaged"


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
            parse_float=_finite,
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
    except ValueError:
        fault = "has a number with more digits than any program reads"
    # Out here, so that it has no context: the parser's error carries the whole text, secrets
    # included.
    raise damaged(where, fault)


def dumps(value: object) -> bytes:
    """
    The text of *value* as docker lays it out: tabs, no newline at the end.

    Raises:
        DamagedError: It is nested more deeply than Python's stack.
    """
    try:
        text = json.dumps(value, indent="\t", ensure_ascii=False)
    except RecursionError:
        text = ""
    if not text:
        raise damaged("config.json", "is nested too deeply")
    # What UTF-8 cannot say is half a surrogate pair, and can only stand inside a string, where
    # Python's own escape for it is JSON's, too.
    return text.encode("utf-8", "backslashreplace")


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
    return value is None or isinstance(value, str)


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


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        # Written again, it would be no JSON.
        msg = "has a number that is too large"
        raise _NotJSONError(msg)
    return value
