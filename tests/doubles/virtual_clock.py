# SPDX-License-Identifier: MIT
"""
A clock on which hours pass in a moment, and a service that throttles by it.
"""

from __future__ import annotations

import heapq
import itertools
import threading


class VirtualClock:
    """
    Runs threads one at a time; each sleeps on this clock, and the next to wake up goes on.

    The same start gives the same run: no thread ever depends on the machine's own clock.

    Attributes:
        now: Seconds since the start.
    """

    def __init__(self):
        self.now = 0.0
        self._sleepers = []
        self._order = itertools.count()
        self._all_done = threading.Event()

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        turn = self._enqueue(self.now + seconds)
        self._wake_next()
        turn.wait()

    def run(self, works):
        """
        Call each of *works*, pairs of a start in seconds and a function, in a thread of its own.
        """
        size = threading.stack_size(256 * 1024)
        try:
            for start, work in works:
                turn = self._enqueue(start)
                threading.Thread(target=self._take_turn, args=(turn, work), daemon=True).start()
        finally:
            threading.stack_size(size)
        self._wake_next()
        self._all_done.wait()

    def _take_turn(self, turn, work):
        turn.wait()
        try:
            work()
        finally:
            self._wake_next()

    def _enqueue(self, at):
        turn = threading.Event()
        heapq.heappush(self._sleepers, (at, next(self._order), turn))
        return turn

    def _wake_next(self):
        if not self._sleepers:
            self._all_done.set()
            return
        at, _, turn = heapq.heappop(self._sleepers)
        self.now = max(self.now, at)
        turn.set()


class TokenBucket:
    """
    A limit on requests: *burst* at once, and *rate* per second after that.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html

    Attributes:
        calls: Number of requests.
        refused: Number of those that were over the limit.
    """

    def __init__(self, *, rate, burst, clock):
        self.calls = self.refused = 0
        self._rate, self._burst, self._clock = rate, burst, clock
        self._level, self._at = burst, clock()
        self._lock = threading.Lock()

    def take(self):
        """
        Count one request, and return whether it is within the limit.
        """
        with self._lock:
            now = self._clock()
            self._level = min(self._burst, self._level + (now - self._at) * self._rate)
            self._at = now
            self.calls += 1
            if self._level >= 1:
                self._level -= 1
                return True
            self.refused += 1
            return False
