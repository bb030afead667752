# SPDX-License-Identifier: MIT
"""
Being told what happens, as it happens, without a logging library.

Who listens stands in a context variable, which our threads take over: the steps below a login, a
request and a lookup among them, need no parameter for it.
"""

from __future__ import annotations

import functools
import time
from contextvars import ContextVar

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec, Protocol, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")
else:
    Protocol = object  # typing costs 8 ms, and nobody asks this class anything at run time


class Observer(Protocol):
    """
    Told what happens, as it happens.

    The shape of a structlog method on purpose: `observe=log.info` fits.  Events are dotted and
    past (`config.replaced`); fields are names, counts, seconds and paths, never a secret.
    """

    def __call__(self, event: str, /, **fields: object) -> None:
        """
        Take note of *event*.
        """


def ignore(event: str, /, **fields: object) -> None:
    """
    Be told, and do nothing.
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
    """

    @functools.wraps(call)
    def observing(*args: P.args, **kwargs: P.kwargs) -> R:
        observe = kwargs.get("observe")
        if observe is None or observe is ignore:
            return call(*args, **kwargs)  # who listens already goes on to
        with listening(observe):  # type: ignore[arg-type]
            return call(*args, **kwargs)

    return observing


def since(begun: float) -> float:
    """
    Milliseconds since *begun*, by `time.monotonic`.
    """
    return round((time.monotonic() - begun) * 1000, 1)
