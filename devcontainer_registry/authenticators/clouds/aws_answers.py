# SPDX-License-Identifier: MIT
"""
Answers of a cloud, shared by sets that ask the same.
"""

from __future__ import annotations

import threading
import time

from ...causes.clouds.aws import TIMED_OUT
from ...errors import TransientError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ...credentials import Credential
    from ...errors import RegistryError

    Answer: TypeAlias = Credential | RegistryError

# Seconds for which an answer is shared.  An authenticator lives as long as a run, but nothing stops
# a program from using one for days.
_SHARED_FOR = 10.0


class Answers:
    """
    What AWS said, so that several sets that ask the same ask once.

    Also a refusal: nobody sends a refused key twice in a run.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[object, _Answer] = {}

    def get(self, key: object, ask: Callable[[float], Answer], *, end: float) -> Answer:
        """
        The answer to *key*, from *ask* unless somebody asks or asked just now.

        Args:
            key: What is asked.
            ask: Called with the seconds that are left.
            end: By `time.monotonic`.
        """
        began = time.monotonic()
        with self._guard:
            known = self._known.setdefault(key, _Answer())
        if not known.lock.acquire(timeout=max(0.0, end - began)):
            return TIMED_OUT.error()
        try:
            if known.answer is None or not known.holds_for(began):
                known.answer = ask(max(0.1, end - time.monotonic()))
                known.at = time.monotonic()
            return known.answer
        finally:
            known.lock.release()


class _Answer:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.answer: Answer | None = None
        self.at = 0.0

    def holds_for(self, began: float) -> bool:
        """
        Whether it answers who began to ask at *began*.

        One that may be better next time answers only those who were waiting for it.
        """
        if isinstance(self.answer, TransientError):
            return self.at >= began
        return began - self.at < _SHARED_FOR
