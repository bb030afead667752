# SPDX-License-Identifier: MIT
"""
Twenty registries, five of them on a bad day, by the command as a process.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass

import faults
import pytest
from parts.clients import Client
from runs import by_id, document, set_for

PASSWORD = "in wonder:land"
USERS = {"alice": PASSWORD}
LATENCY = 0.3  # seconds before each answer of the fifteen
TIMEOUT = 6  # seconds for the whole run, which the one that hangs uses up
GRACE = 3  # seconds for an interpreter to start and a file to be written, on a busy machine

TROUBLES = ("BUSY", "CERT", "HANG", "RESET", "WRONG")
EXPECTED = {
    "BUSY": ("ok", None),
    "CERT": ("unverified", "certificate-untrusted"),
    "HANG": ("unverified", "timeout"),
    "RESET": ("unverified", "connection-reset"),
    "WRONG": ("rejected", "rejected"),
}


class Answering(faults.Fine):
    """
    Fine, and remembers when it answered first and last.
    """

    def __init__(self, users, **options):
        super().__init__(users, **options)
        self.began = self.ended = None

    def _answer(self, method, target, headers, body):
        if self.began is None:
            self.began = time.monotonic()
        answer = super()._answer(method, target, headers, body)
        self.ended = time.monotonic()
        return answer


@dataclass(frozen=True, kw_only=True)
class Day:
    """
    How the run went.

    Attributes:
        seconds: From the command's start to its end.
        fine: The fifteen, by their sets' ids.
        bad: The others, likewise.
        client: Whose config.json was written.
    """

    client: Client
    done: object
    seconds: float
    fine: dict[str, Answering]
    bad: dict[str, object]


def _registries(stack):
    fine = {
        f"FINE{number:02}": stack.enter_context(Answering(USERS, latency=LATENCY))
        for number in range(15)
    }
    bad = {
        "WRONG": stack.enter_context(faults.Refusing()),
        "HANG": stack.enter_context(faults.Hanging()),
        "RESET": stack.enter_context(faults.Resetting()),
        "BUSY": stack.enter_context(faults.Busy(USERS, times=2, status=503)),
        "CERT": stack.enter_context(faults.BadCertificate(USERS)),
    }
    return fine, bad


def _sets(registries):
    return {
        name: text
        for set_id, registry in registries.items()
        for name, text in set_for(registry.registry, "alice", PASSWORD, set_id=set_id).items()
    }


@pytest.fixture(name="day", scope="module")
def _day(_bare_process, _clean_path, tmp_path_factory):
    """
    One run for all who look at it: it lasts as long as the one that hangs.
    """
    client = Client(tmp_path_factory.mktemp("client"), path=_clean_path)
    with contextlib.ExitStack() as stack:
        fine, bad = _registries(stack)
        began = time.monotonic()
        done = client.product(
            "login", "--json", "--timeout", str(TIMEOUT), **_sets({**bad, **fine})
        )
        seconds = time.monotonic() - began
        yield Day(client=client, done=done, seconds=seconds, fine=fine, bad=bad)


def test_fifteen_are_logged_in_to_in_the_time_of_one_while_five_are_in_trouble(day):
    outcomes = by_id(day.done)
    fine = [outcomes[set_id] for set_id in day.fine]
    # What one login alone is made of: a few answers, one after another.
    one = max(len(registry.requests) for registry in day.fine.values()) * LATENCY

    assert {("ok", True, 1)} == {(o["status"], o["verified"], o["attempts"]) for o in fine}
    # All were asked before any of them had got its last answer: nobody waited for anybody.
    assert max(r.began for r in day.fine.values()) < min(r.ended for r in day.fine.values())
    assert max(o["elapsed_ms"] for o in fine) < 3 * one * 1000
    assert {r.registry for r in day.fine.values()} <= set(day.client.config()["auths"])


def test_each_trouble_is_told_by_itself_with_a_hint_of_its_own(day):
    outcomes = by_id(day.done)
    troubled = [outcomes[set_id]["error"] for set_id in TROUBLES if set_id != "BUSY"]

    assert EXPECTED == {
        set_id: (outcomes[set_id]["status"], outcomes[set_id]["code"]) for set_id in TROUBLES
    }
    assert len(troubled) == len({error["message"] for error in troubled})
    assert len(troubled) == len({error["hint"] for error in troubled} - {""})
    assert 4 == day.done.returncode


def test_what_may_help_is_tried_again_and_what_cannot_is_not(day):
    outcomes = by_id(day.done)

    attempts = {set_id: outcomes[set_id]["attempts"] for set_id in TROUBLES}

    assert (1, 1, 3, 4) == tuple(attempts[name] for name in ("WRONG", "CERT", "BUSY", "RESET"))
    assert 1 == day.bad["WRONG"].refusals
    assert 0 == day.bad["CERT"].asked
    assert 4 <= day.bad["RESET"].asked


def test_the_whole_run_ends_within_its_timeout(day):
    assert day.seconds < TIMEOUT + GRACE


def test_who_could_not_be_asked_is_kept_where_there_was_nothing_and_nobody_refused_is(day):
    outcomes = by_id(day.done)

    kept = {set_id for set_id, outcome in outcomes.items() if outcome["kept_in"]}

    assert {*day.fine, "BUSY", "CERT", "HANG", "RESET"} == kept
    assert {str(outcomes[set_id]["registry"]) for set_id in kept} == set(
        day.client.config()["auths"]
    )
    assert document(day.done)["error"] is None


def test_a_person_reads_a_line_for_each_and_a_hint_for_each_trouble(client):
    with contextlib.ExitStack() as stack:
        fine, bad = _registries(stack)
        done = client.product("login", "--timeout", "4", **_sets({**bad, **fine}))

    lines = done.stdout.splitlines()
    for registry in (*fine.values(), *bad.values()):
        assert 1 == len([line for line in lines if line[12:].startswith(f"{registry.registry} ")])
    assert 4 == len([line for line in lines if line.strip().startswith("hint: ")])
    assert max(map(len, lines)) <= 80


def test_a_hook_lets_the_container_start_all_the_same(client):
    with contextlib.ExitStack() as stack:
        _, bad = _registries(stack)
        began = time.monotonic()
        done = client.product("hook", "postStart", "--timeout", "3", **_sets(bad))
        seconds = time.monotonic() - began

    assert 0 == done.returncode
    assert seconds < 3 + GRACE
