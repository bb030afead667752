# SPDX-License-Identifier: MIT
"""
A JSON reader that is cheap to import.

It uses json's own parser in C without its Python modules.  `import json` loads `re`, `enum` and
`functools`, and takes more than half as long as starting the interpreter.
"""

from __future__ import annotations

try:
    import _json as _parser
except ImportError:  # not CPython
    _parser = None  # type: ignore[assignment]  # which `_scanner` then finds

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any


class _Settings:
    """
    Settings of json's parser: the defaults of `json.loads`.
    """

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}  # noqa: RUF012  (read by the parser, which fills its own)


def _scanner() -> Any:
    try:
        return _parser.make_scanner(_Settings)  # type: ignore[arg-type]  # any object with these
    except (AttributeError, TypeError):
        # Not CPython, or a future one that needs more settings.
        return None


_scan = _scanner()


def loads(text: str) -> Any:
    """
    Parse *text* with the results and errors of `json.loads`.
    """
    if _scan is not None:
        found, end = None, -1
        try:
            found, end = _scan(text, 0)
        except Exception:  # noqa: BLE001, S110  (SystemError in 3.11: it lacks its error's class)
            pass
        if end == len(text):
            return found
    # Damaged, or with white space around it: let json handle it.
    import json

    return json.loads(text)


def quoted(text: str) -> str:
    """
    Return *text* as a JSON string in ASCII.
    """
    if _scan is not None:
        return _parser.encode_basestring_ascii(text)
    import json

    return json.dumps(text)
