# SPDX-License-Identifier: MIT
"""
Events on stderr, by structlog, with nothing secret in them.

An unconfigured structlog prints on stdout, which belongs to reports and to docker's credential
helper protocol; so this module always says where, and nobody else imports structlog.
"""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from typing import Any

    from ..observer import Observer

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

# What is worth a line when nobody asked for more; the rest are `info`.  The report says how it
# all ended, so a failed login is no warning here.
_LEVEL_OF = {
    "config.restored": "warning",
    "login.started": "debug",
    "plugin.unusable": "warning",
    "secret.found": "debug",
}

# The second line of defence: events carry no secrets, but a plugin's might.
_SUSPICIOUS = ("password", "secret", "token", "authorization", "credential", "cookie")
_MASK = "****"


def observer(*, level: str, log_format: str, hide: Callable[[str], str], colours: bool) -> Observer:
    """
    What tells events to a person, or to a log collector.

    Args:
        level: `debug`, `info`, `warning` or `error`.
        log_format: `console`, or `json` with one object a line.
        hide: Masks known secrets in a text.
        colours: For `console`.
    """
    floor = LEVELS[level]
    lock = threading.Lock()
    made: list[Any] = []

    def tell(event: str, /, **fields: object) -> None:
        method = _LEVEL_OF.get(event, "info")
        if LEVELS[method] < floor:
            return
        with lock:
            if not made:
                made.append(_logger(log_format=log_format, hide=hide, colours=colours))
            getattr(made[0], method)(event, **fields)

    return tell


def _hidden(key: str, value: object, hide: Callable[[str], str]) -> object:
    """
    *value* without secrets, at any depth, before anything quotes and escapes it.
    """
    if any(word in key.lower() for word in _SUSPICIOUS):
        return _MASK
    if isinstance(value, (bool, int, float, type(None))):
        return value
    if isinstance(value, dict):
        return {hide(str(k)): _hidden(str(k), v, hide) for k, v in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden("", v, hide) for v in value]
    return hide(str(value))


def _logger(*, log_format: str, hide: Callable[[str], str], colours: bool) -> Any:
    import structlog  # 60 ms, and most runs have nothing to tell

    def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Any:
        return {key: _hidden(key, value, hide) for key, value in event.items()}

    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=colours)
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redact,
            renderer,
        ],
        wrapper_class=structlog.BoundLogger,
        context_class=dict,
    )
