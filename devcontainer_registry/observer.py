# SPDX-License-Identifier: MIT
"""
Events: observers of them, and logging of them.

The observer is in a context variable, which our threads inherit.  So the steps below a login need
no parameter for it.
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
    Protocol = object  # typing takes 8 ms to import and is not needed at run time


class Observer(Protocol):
    """
    A function that is called with each event as it happens.

    `logging_observer` makes one for the standard library's logging; structlog's methods have this
    shape already, so `observe=log.info` fits.  Events are dotted (`config.replaced`); fields are
    names, counts, seconds and paths, never a secret.  It is called from several threads.  Its
    exceptions do not reach the caller: the function that took it warns once (`RuntimeWarning`).
    """

    def __call__(self, event: str, /, **fields: object) -> None:
        """
        Handle *event*.
        """


def ignore(event: str, /, **fields: object) -> None:
    """
    Do nothing with *event*.
    """


_LISTENER: ContextVar[Observer | None] = ContextVar("listener", default=None)
_SET: ContextVar[str | None] = ContextVar("set", default=None)


class listening:  # noqa: N801  (used as a function, in a `with`)
    """
    Send events to *observe* while entered, also from threads started within; None: to none.
    """

    def __init__(self, observe: Observer | None) -> None:
        self._observe = None if observe is ignore else observe

    def __enter__(self) -> None:
        self._before = _LISTENER.set(self._observe)

    def __exit__(self, *_: object) -> None:
        _LISTENER.reset(self._before)


class about:  # noqa: N801  (as `listening`)
    """
    Add the set's *id* to each event while entered.
    """

    def __init__(self, id: str) -> None:  # noqa: A002  (the name of the field)
        self._id = id

    def __enter__(self) -> None:
        self._before = _SET.set(self._id)

    def __exit__(self, *_: object) -> None:
        _SET.reset(self._before)


def is_observed() -> bool:
    """
    Return whether the observer wants details, which may be costly to compute.

    An observer without them has a false attribute `wants_details`.
    """
    observe = _LISTENER.get()
    return observe is not None and getattr(observe, "wants_details", True)


def tell(event: str, /, **fields: object) -> None:
    """
    Send *event* to the observer; its exceptions are caught.

    `events.py` lists all events and their fields.
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
    Decorate *call* so that its argument `observe` gets the events while it runs.

    The observer's first exception becomes a `RuntimeWarning` at the caller's line after *call*
    ends.  Its text is not shown, since it may quote a secret.
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
        error: First exception of the wrapped observer, or None.
    """

    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self.error: Exception | None = None
        self.wants_details = getattr(observe, "wants_details", True)

    def __call__(self, event: str, /, **fields: object) -> None:
        try:
            self._observe(event, **fields)
        except Exception as exc:  # noqa: BLE001  (a stranger's)
            self.error = self.error or exc


def _described(error: Exception) -> str:
    """
    Return the type of *error*, and the file and line that raised it.
    """
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return type(error).__name__
    return f"{type(error).__name__} at {trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


def since(begun: float) -> float:
    """
    Return the milliseconds since *begun*, by `time.monotonic`.
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
