# SPDX-License-Identifier: MIT
"""
A clock for SDKs that have none: several waits in a row, and a program or two in between.
"""

from __future__ import annotations

from .._worker import Worker
from ..errors import TransientError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def within(seconds: float, call: Callable[[], T], *, who: str) -> T:
    """
    What *call* returns or raises, if it does so within *seconds*.

    Raises:
        TransientError: It did not; *who* is who kept us waiting.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def work() -> None:
        try:
            done.append(call())
        except BaseException as exc:  # noqa: BLE001  (raised again, where it is waited for)
            failed.append(exc)

    # A daemon: what does not end by itself must not keep the process.
    thread = Worker(work)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if done:
        return done[0]
    msg = f"{who} did not answer within {seconds:.0f} seconds"
    raise TransientError(
        msg, hint="check the network to it, or give it longer with --timeout", code="timeout"
    )
