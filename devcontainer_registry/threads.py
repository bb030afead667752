# SPDX-License-Identifier: MIT
"""
Threads with a deadline, and their end at exit.
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

# For an import in a thread that a limit of the machine may end: without it, Python hands a module
# whose import has failed to the threads that waited for it.
import_lock = threading.Lock()

# Seconds to wait at exit; a thread that meets its deadline ends in a tenth of that.
_GRACE = 1.0


class Worker(threading.Thread):
    """
    A daemon thread that the process waits for briefly at exit.

    The C library tears OpenSSL down at exit, and a thread inside it then crashes: one in four
    scripts that ended while an abandoned thread read a CA bundle.
    """

    def __init__(self, work: Callable[..., object], *args: object) -> None:
        """
        Prepare to call *work* with *args* after `start`.
        """
        # With who listens to events (`observer.py`).
        super().__init__(target=copy_context().run, args=(work, *args), daemon=True)
        # Once, however many there are.
        atexit.unregister(_see_off)
        atexit.register(_see_off)


def _see_off() -> None:
    """
    Wait for all workers, for a second at most.
    """
    give_up = time.monotonic() + _GRACE
    for thread in threading.enumerate():
        if isinstance(thread, Worker):
            thread.join(max(0.0, give_up - time.monotonic()))


def deadline_after(timeout: float) -> float:
    """
    Return the time by `time.monotonic` that is *timeout* seconds from now.

    Raises:
        ValueError: *timeout* is no number of seconds above 0.
    """
    given: object = timeout  # by a script that no type checker has seen
    number = isinstance(given, (int, float)) and not isinstance(given, bool)
    # Also false for NaN; the upper bound is that of the locks and events that take what is left.
    if not number or not 0 < timeout <= threading.TIMEOUT_MAX:
        msg = "timeout is a number of seconds above 0, such as 30.0"
        raise ValueError(msg)
    return time.monotonic() + timeout


class LateError(TimeoutError):
    """
    A call did not end in time.
    """


def try_start(thread: threading.Thread) -> bool:
    """
    Start *thread*; return False if a limit on processes (`ulimit -u`, cgroups) prevents it.
    """
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def call_in_thread(seconds: float, call: Callable[[], T], *, is_seen_off: bool = True) -> T:
    """
    Return what *call* returns, or raise what it raises, if it does so within *seconds*.

    If no thread can be started, it runs in this thread without a deadline.

    Args:
        seconds: Seconds to wait.
        call: Goes on in its thread when it is given up.
        is_seen_off: Whether the process waits for it briefly at exit (`Worker`).

    Raises:
        LateError: It did not end in time.
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
        seconds: Seconds to wait.
        call: Goes on in its thread when it is given up.
        late: Raised when the time is over.
    """
    try:
        return call_in_thread(seconds, call)
    except LateError:
        raise late from None
