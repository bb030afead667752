# SPDX-License-Identifier: MIT
"""
Threads with a deadline, and what happens at exit.
"""

from __future__ import annotations

import atexit
import threading
import time
from contextvars import copy_context

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

# Seconds.  Whoever keeps to its deadline is done within a tenth of that, and nobody waits longer
# for one that does not.
_GRACE = 1.0


class Worker(threading.Thread):
    """
    A thread that never keeps the process, but that a process about to end gives a moment.

    The C library takes OpenSSL apart at exit, and a thread inside it then is a segmentation fault:
    one in four scripts that ended while an abandoned thread read a CA bundle.
    """

    def __init__(self, work: Callable[..., object], *args: object) -> None:
        """
        Prepare to call *work* with *args*; `start` does.
        """
        # With who listens to events (`observer.py`).
        super().__init__(target=copy_context().run, args=(work, *args), daemon=True)
        # Once, however many there are.
        atexit.unregister(_see_off)
        atexit.register(_see_off)


def _see_off() -> None:
    """
    Wait for all of them, for a second at most.
    """
    give_up = time.monotonic() + _GRACE
    for thread in threading.enumerate():
        if isinstance(thread, Worker):
            thread.join(max(0.0, give_up - time.monotonic()))


class LateError(TimeoutError):
    """
    What was waited for is still going on.
    """


def try_start(thread: threading.Thread) -> bool:
    """
    Start *thread*; return False where a limit on processes (`ulimit -u`, cgroups) forbids it.
    """
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def call_in_thread(seconds: float, call: Callable[[], T], *, is_seen_off: bool = True) -> T:
    """
    Return what *call* returns, or raise what it raises, if it does so within *seconds*.

    Where no thread can be started, it runs in this one without a deadline: a late answer is better
    than none.

    Args:
        seconds: To wait.
        call: Goes on in its thread when it is given up.
        is_seen_off: Whether a process about to end gives it a moment (`Worker`).

    Raises:
        LateError: It did not.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(call())
        except BaseException as exc:  # noqa: BLE001  (raised again, where it is waited for)
            failed.append(exc)

    thread: threading.Thread = Worker(work)
    if not is_seen_off:
        thread = threading.Thread(target=copy_context().run, args=(work,), daemon=True)
    if not try_start(thread):
        return call()
    thread.join(max(0.0, seconds))
    if failed:
        raise failed[0]
    if done:
        return done[0]
    raise LateError


def within(seconds: float, call: Callable[[], T], *, late: Exception) -> T:
    """
    Return what *call* returns, or raise what it raises, if it does so within *seconds*.

    For SDKs that have no deadline: several waits in a row, and a program or two in between.

    Args:
        seconds: To wait.
        call: Goes on in its thread when it is given up.
        late: Raised when the time is over.
    """
    try:
        return call_in_thread(seconds, call)
    except LateError:
        raise late from None
