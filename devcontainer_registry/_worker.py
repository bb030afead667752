# SPDX-License-Identifier: MIT
"""
Threads that may be given up, and what the end of the process owes them.
"""

from __future__ import annotations

import atexit
import threading
import time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

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
        super().__init__(target=work, args=args, daemon=True)
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
