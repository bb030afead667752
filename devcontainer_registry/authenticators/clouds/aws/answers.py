# SPDX-License-Identifier: MIT
"""
Answers of AWS, shared by sets with the same request.
"""

from __future__ import annotations

import threading
import time

from ....causes.clouds.aws import TIMED_OUT
from ....errors import TransientError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from ....credentials import Credential
    from ....errors import RegistryError

    Answer: TypeAlias = Credential | RegistryError

# Seconds for which an answer is shared.  A program may use one authenticator for days.
_SHARED_FOR = 10.0


class Answers:
    """
    Shared answers of AWS: sets with the same request cause one call.

    Refusals are shared as well: a refused key is sent once per run.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._known: dict[object, _Answer] = {}

    def get(self, key: object, ask: Callable[[float], Answer], *, end: float) -> Answer:
        """
        Return the answer for *key*; call *ask* unless another thread does or just did.

        Args:
            key: Identifies the request.
            ask: Called with the remaining seconds.
            end: Deadline by `time.monotonic`.
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
        Return whether the answer is valid for a request that started at *began*.

        A transient failure is valid only for those who were waiting for it.
        """
        if isinstance(self.answer, TransientError):
            return self.at >= began
        return began - self.at < _SHARED_FOR
