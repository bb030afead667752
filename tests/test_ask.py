# SPDX-License-Identifier: MIT
"""
Asking all at once, and again: attempts, waits and the deadline.
"""

from __future__ import annotations

import threading
import time

import pytest
from fakes import GOOD, Hanging, Scripted, Told, Waits, a_secret

from devcontainer_registry.errors import AuthenticationError, TransientError
from devcontainer_registry.logins.asking import Job, RetryPolicy, ask_all
from devcontainer_registry.observer import ignore
from devcontainer_registry.report import Outcome


def job(authenticator, *, place=0, set_id="ACR"):
    secret = a_secret(set_id, f"{set_id.lower()}.example")
    outcome = Outcome(
        id=set_id, registry=secret.registry, source=secret.source, kind="generic", status="found"
    )
    return Job(place, secret, authenticator, outcome)


def asked(*jobs, timeout=30.0, retry=None, observe=ignore):
    """
    The batches in which *jobs* came back.
    """
    return list(
        ask_all(
            jobs,
            environ={},
            verified=False,
            retry=retry or RetryPolicy(sleep=Waits()),
            deadline=time.monotonic() + timeout,
            observe=observe,
        )
    )


def test_nothing_to_ask_is_nothing_done():
    assert [] == asked()


def test_every_job_comes_back_once():
    jobs = [job(Scripted(GOOD), place=n, set_id=f"S{n}") for n in range(50)]

    came = [one for batch in asked(*jobs) for one in batch]

    assert sorted(range(50)) == sorted(one.place for one in came)
    assert all(one.credential is GOOD for one in came)


def test_all_are_asked_at_the_same_time():
    together = threading.Barrier(20, timeout=10)

    class Meeting(Scripted):
        def authenticate(self, secret, *, timeout):
            together.wait()
            return super().authenticate(secret, timeout=timeout)

    jobs = [job(Meeting(GOOD), set_id=f"S{n}") for n in range(20)]
    asked(*jobs)

    assert [None] * 20 == [one.error for one in jobs]


def test_who_is_done_is_handed_on_while_others_hang():
    hanging = Hanging()
    slow, quick = job(hanging, set_id="SLOW"), job(Scripted(GOOD), set_id="QUICK")
    batches = ask_all(
        [slow, quick],
        environ={},
        verified=False,
        retry=RetryPolicy(sleep=Waits()),
        deadline=time.monotonic() + 20,
        observe=ignore,
    )

    first = next(batches)
    hanging.over.set()
    rest = [one for batch in batches for one in batch]

    assert ([quick], [slow]) == (first, rest)


@pytest.mark.parametrize("timeout", [float("inf"), 1e12])
def test_a_deadline_may_be_never(timeout):
    one = job(Scripted(GOOD))

    asked(one, timeout=timeout)

    assert (GOOD, None) == (one.credential, one.error)


def test_who_is_not_done_by_the_deadline_comes_back_with_a_timeout():
    hanging = Hanging()
    one = job(hanging)

    asked(one, timeout=0.1)
    hanging.over.set()

    assert isinstance(one.error, TransientError)
    assert "timeout" == one.error.code


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_there_are_so_many_tries_and_no_more(attempts):
    waits = Waits()
    plugin = Scripted(TransientError("busy"))

    asked(job(plugin), retry=RetryPolicy(attempts=attempts, sleep=waits))

    assert attempts == plugin.asked
    assert attempts - 1 == len(waits)


def test_waits_grow_with_full_jitter_up_to_the_longest():
    for _ in range(20):
        waits = Waits()
        policy = RetryPolicy(attempts=7, first_wait=0.5, max_wait=4.0, sleep=waits)
        asked(job(Scripted(TransientError("busy"))), retry=policy, timeout=1000)

        most = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
        assert len(most) == len(waits)
        assert all(0 <= wait <= limit for wait, limit in zip(waits, most, strict=True)), waits


def test_no_try_starts_after_the_deadline():
    waits = Waits()
    policy = RetryPolicy(attempts=100, first_wait=3600, max_wait=7200, sleep=waits)

    asked(job(Scripted(TransientError("busy"))), retry=policy, timeout=0.05)

    assert sum(waits) < 0.05


def test_the_last_error_is_the_one_that_is_told():
    one = job(Scripted(TransientError("busy"), AuthenticationError("no")))

    asked(one)

    assert (2, "no") == (one.attempts, one.error.message)


def test_an_observer_that_fails_holds_nobody_up():
    def broken(event, /, **fields):  # noqa: ARG001  (an observer's)
        raise RuntimeError

    one = job(Scripted(GOOD))
    asked(one, observe=broken)

    assert one.error is not None


def test_retries_are_told_with_their_reason():
    told = Told()

    asked(job(Scripted(TransientError("busy", code="throttled"), GOOD)), observe=told)

    ((_, fields),) = [one for one in told if one[0] == "login.retried"]
    assert (1, "throttled") == (fields["attempt"], fields["code"])
