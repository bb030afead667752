# SPDX-License-Identifier: MIT
"""
Events on stderr, by structlog, with nothing secret in them.

An unconfigured structlog prints on stdout, which belongs to reports and to docker's credential
helper protocol; so this module always says where, and nobody else imports structlog.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading

from ..credentials import Secret

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping
    from typing import Any, TextIO

    from ..observer import Observer

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

# The second line of defence: events carry no secrets, but a plugin's might.
_SUSPICIOUS = ("password", "secret", "token", "authorization", "credential", "cookie")
_MASK = "****"

# What a value may hold to be printed as it is; the rest is quoted, controls above all.
_PLAIN = r"[!#-~]+"

# Codes of a terminal: the time, the event, a field's name, a warning; and back to normal.
_DIM, _BOLD, _CYAN, _YELLOW, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[36m", "\x1b[33m", "\x1b[0m"
_TIME_WIDTH, _EVENT_WIDTH = 12, 21


def observer(
    *,
    level: str,
    log_format: str,
    hide: Callable[[str], str],
    colours: bool,
    stream: TextIO | None = None,
) -> Observer:
    """
    What tells events to a person, or to a log collector.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `console`, or `json` with one object a line.
        hide: Masks known secrets in a text.
        colours: For `console`.
        stream: Where to; None: stderr.
    """
    floor = LEVELS[level]
    lock = threading.Lock()
    made: list[Any] = []

    def tell(event: str, /, **fields: object) -> None:
        from ..events import EVENTS  # not where nothing happens

        method = EVENTS[event].level if event in EVENTS else "info"
        if LEVELS[method] < floor:
            return
        with lock:
            if not made:
                to = stream or sys.stderr
                made.append(_logger(to, log_format=log_format, hide=hide, colours=colours))
            getattr(made[0], method)(event, **fields)

    return tell


def _hidden(key: str, value: object, hide: Callable[[str], str]) -> object:
    """
    *value* without secrets, at any depth, before anything quotes and escapes it.
    """
    if isinstance(value, Secret) or any(word in key.lower() for word in _SUSPICIOUS):
        return _MASK
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if isinstance(value, dict):
        return {hide(str(k)): _hidden(str(k), v, hide) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden("", v, hide) for v in value]
    return hide(str(value))


def _logger(stream: TextIO, *, log_format: str, hide: Callable[[str], str], colours: bool) -> Any:
    import structlog  # 60 ms, and most runs have nothing to tell

    def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
        return {key: _hidden(key, value, hide) for key, value in event.items()}

    width = _width(stream)

    def line(_logger: object, _method: str, event: MutableMapping[str, Any]) -> str:
        return _line(event, colours=colours, width=width)

    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            structlog.processors.JSONRenderer() if log_format == "json" else line,
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    )


def _width(stream: TextIO) -> int | None:
    """
    The columns of the terminal *stream*; None: it is none, and no line is wrapped.
    """
    try:
        return os.get_terminal_size(stream.fileno()).columns or None
    except (OSError, ValueError):
        return None


def _line(event: Mapping[str, Any], *, colours: bool, width: int | None) -> str:
    """
    The time (UTC), the name of *event* and its fields, wrapped below the first of them.
    """
    level, name = event["level"], str(event["event"])
    loud = level in ("warning", "error")
    fields = [f"!{level}"] if loud else []
    for key, value in event.items():
        if key not in ("event", "level", "timestamp") and value is not None:
            fields.append(f"{key}={_value(value)}")
    lines, used = [""], 0
    margin = _TIME_WIDTH + 1 + _EVENT_WIDTH + 1
    for field in fields:
        if width and lines[-1] and margin + used + 1 + len(field) > width:
            lines.append("")
            used = 0
        used += len(field) + bool(lines[-1])
        key, sign, value = field.partition("=")
        shown = f"{_CYAN}{key}={_RESET}{value}" if colours and sign else field
        lines[-1] += f" {shown}" if lines[-1] else shown
    time = event["timestamp"][11 : 11 + _TIME_WIDTH]
    name = f"{name:<{_EVENT_WIDTH}}"
    if colours:
        time, name = f"{_DIM}{time}{_RESET}", f"{_YELLOW if loud else _BOLD}{name}{_RESET}"
    return f"{time} {name} " + f"\n{'':<{margin}}".join(lines)


def _value(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(_value, value)) or "none"
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if re.fullmatch(_PLAIN, text) else json.dumps(text)
