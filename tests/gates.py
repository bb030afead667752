# SPDX-License-Identifier: MIT
"""
Registries that hold their answers back until so many have asked: then all write at one moment.
"""

from __future__ import annotations

import contextlib
import threading

from devcontainer_registry.testing import LoopbackRegistry


class Gate:
    """
    Opens once *number* different registries were asked, or after *seconds* at the latest.
    """

    def __init__(self, number, *, seconds):
        self._number, self._seconds = number, seconds
        self._who, self._lock, self._open = set(), threading.Lock(), threading.Event()

    def wait(self, who):
        with self._lock:
            self._who.add(who)
            if len(self._who) == self._number:
                self._open.set()
        if not self._open.wait(self._seconds):
            self._open.set()


class Gated(LoopbackRegistry):
    """
    Answers who proved to be somebody when *gate* lets it.
    """

    def __init__(self, users, *, gate, **options):
        super().__init__(users, auth="basic", **options)
        self._gate = gate

    def _answer(self, method, target, headers, body):
        if headers.get("Authorization"):
            self._gate.wait(self.registry)
        return super()._answer(method, target, headers, body)


@contextlib.contextmanager
def gated(number, users, *, seconds=8.0):
    """
    *number* registries behind one gate.

    It opens in less than the ten seconds that the command gives one try.
    """
    gate = Gate(number, seconds=seconds)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Gated(users, gate=gate)) for _ in range(number)]
