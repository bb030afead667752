# SPDX-License-Identifier: MIT
"""
Waiting for calls that have no deadline of their own.
"""

from __future__ import annotations

import sys
import threading

import pytest

from devcontainer_registry.errors import TransientError
from devcontainer_registry.threads import call_in_thread, within


def no_thread(_):
    raise RuntimeError("can't start new thread")


def test_a_call_that_hangs_is_abandoned():
    over = threading.Event()
    late = TransientError("the cloud is late")

    with pytest.raises(type(late)) as caught:
        within(0.05, over.wait, late=late)
    over.set()

    assert late is caught.value


@pytest.mark.parametrize("is_seen_off", [True, False])
def test_the_result_or_exception_of_a_call_is_passed_on(monkeypatch, is_seen_off):
    for _ in range(2):
        assert "it" == call_in_thread(60, lambda: "it", is_seen_off=is_seen_off)
        with pytest.raises(ZeroDivisionError):
            call_in_thread(60, lambda: 1 / 0, is_seen_off=is_seen_off)
        with pytest.raises(SystemExit):
            call_in_thread(60, lambda: sys.exit(1), is_seen_off=is_seen_off)
        monkeypatch.setattr(threading.Thread, "start", no_thread)


def test_a_timeout_inside_the_call_is_passed_on():
    def call():
        raise TimeoutError("its own")

    with pytest.raises(TimeoutError, match="its own"):
        within(60, call, late=TransientError("late"))


def test_without_a_new_thread_the_call_runs_in_the_caller(monkeypatch):
    monkeypatch.setattr(threading.Thread, "start", no_thread)

    assert threading.get_ident() == within(0.0, threading.get_ident, late=TransientError("late"))
