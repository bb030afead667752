# SPDX-License-Identifier: MIT
"""
Events: who takes them, and how a program logs them.

Who listens stands in a context variable, which our threads take over: the steps below a login, a
request and a lookup among them, need no parameter for it.
"""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar

TYPE_CHECKING = False

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable
    from typing import ParamSpec, Protocol, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
else:
    Protocol = object  # typing costs 8 ms, and nobody asks this class anything at run time


class Observer(Protocol):
    """
    A function that is called with each event as it happens.

    `logging_observer` makes one for the standard library's logging; structlog's methods have this
    shape already, so `observe=log.info` fits.  Events are dotted (`config.replaced`); fields are
    names, counts, seconds and paths, never a secret.  It is called from several threads, and what
    it raises does not reach the caller: the function that took it warns once (`RuntimeWarning`).
    """

    def __call__(self, event: str, /, **fields: object) -> None:
        """
        Take note of *event*.
        """


def ignore(event: str, /, **fields: object) -> None:
    """
    Do nothing with *event*.
    """


_LISTENER: ContextVar[Observer | None] = ContextVar("listener", default=None)
_SET: ContextVar[str | None] = ContextVar("set", default=None)


class listening:  # noqa: N801  (used as a function, in a `with`)
    """
    Let `tell` reach *observe* within, also from the threads started there; None: nobody.
    """

    def __init__(self, observe: Observer | None) -> None:
        self._observe = None if observe is ignore else observe

    def __enter__(self) -> None:
        self._before = _LISTENER.set(self._observe)

    def __exit__(self, *_: object) -> None:
        _LISTENER.reset(self._before)


class about:  # noqa: N801  (as `listening`)
    """
    Name the set *id* in each event that is told within.
    """

    def __init__(self, id: str) -> None:  # noqa: A002  (the name of the field)
        self._id = id

    def __enter__(self) -> None:
        self._before = _SET.set(self._id)

    def __exit__(self, *_: object) -> None:
        _SET.reset(self._before)


def is_observed() -> bool:
    """
    Whether anybody listens for details, which may be dear to compute.

    An observer without them has a false attribute `wants_details`.
    """
    observe = _LISTENER.get()
    return observe is not None and getattr(observe, "wants_details", True)


def tell(event: str, /, **fields: object) -> None:
    """
    Tell who listens of *event*; an observer that raises breaks nothing.

    Every event and its fields stand in `events.py`.
    """
    observe = _LISTENER.get()
    if observe is None:
        return
    set_id = _SET.get()
    if set_id is not None and "id" not in fields:
        fields = {"id": set_id, **fields}
    try:
        observe(event, **fields)
    except Exception:  # noqa: BLE001, S110  (whatever it is, the login matters more)
        pass


def observed(call: Callable[P, R]) -> Callable[P, R]:
    """
    Let the argument `observe` of *call* hear `tell` while it runs.

    The first exception that it raises is said once *call* is done, by a `RuntimeWarning` at the
    line that called it.  Its text is not shown, since nobody knows what it quotes.
    """

    @functools.wraps(call)
    def observing(*args: P.args, **kwargs: P.kwargs) -> R:
        observe = kwargs.get("observe")
        if observe is None or observe is ignore:
            return call(*args, **kwargs)  # who listens already goes on to
        if not callable(observe):
            msg = "observe is a function: write observe=logging_observer()"
            raise TypeError(msg)
        kwargs["observe"] = guard = _Guard(observe)
        with listening(guard):
            result = call(*args, **kwargs)
        if guard.error is not None:
            import warnings

            message = f"the observer raised {_described(guard.error)}; its events may be incomplete"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        return result

    return observing


class _Guard:
    """
    An observer that never raises.

    Attributes:
        error: What the one behind it raised first.
    """

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self.error: Exception | None = None

    def __call__(self, event: str, /, **fields: object) -> None:
        try:
            self._observe(event, **fields)
        except Exception as exc:  # noqa: BLE001  (a stranger's)
            self.error = self.error or exc


def _described(error: Exception) -> str:
    """
    The type of *error*, and the file and line that raised it.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def since(begun: float) -> float:
    """
    Milliseconds since *begun*, by `time.monotonic`.
    """
    return round((time.monotonic() - begun) * 1000, 1)


def logging_observer(
    logger: logging.Logger | logging.LoggerAdapter[logging.Logger] | None = None,
) -> Observer:
    """
    Return an observer that logs each event with the standard library's logging.

    The message is the event and its fields, as `login.succeeded id=CORP registry=ghcr.io`.  Each
    record has the attribute `event` and one for each field, as `extra` makes them; a name that
    records have already (`name`, `args`) ends in an underscore there.  No record holds a secret.
    The levels are DEBUG, INFO and WARNING, those of docs/events.md.

    Args:
        logger: Where records go; None: the logger `devcontainer_registry`.

    Raises:
        TypeError: *logger* is no logger; a name, for example.
    """
    import logging

    from .events import EVENTS

    if logger is None:
        logger = logging.getLogger("devcontainer_registry")
    if not hasattr(logger, "isEnabledFor"):
        msg = "logger is a logging.Logger: write logging_observer(logging.getLogger(name))"
        raise TypeError(msg)
    taken = {*vars(logging.makeLogRecord({})), "message", "asctime", "event"}

    def log(event: str, /, **fields: object) -> None:
        level = getattr(logging, EVENTS[event].level.upper()) if event in EVENTS else logging.INFO
        if not logger.isEnabledFor(level):
            return
        extra = {f"{name}_" if name in taken else name: value for name, value in fields.items()}
        said = "".join(f" {name}={_shown(value)}" for name, value in fields.items())
        # Not as a format: a path may hold a percent sign.
        logger.log(level, "%s%s", event, said, extra={"event": event, **extra})

    return log


def _shown(value: object) -> str:
    plain = isinstance(value, str) and value.isprintable() and value and " " not in value
    return str(value) if plain else repr(value)
