# SPDX-License-Identifier: MIT
"""
A kind that asks what a refusal means: when it may, and that it costs nobody anything.
"""

from __future__ import annotations

import threading
import time

import pytest
from fakes import GOOD, Home, Scripted, a_secret

from devcontainer_registry.errors import AuthenticationError, RegistryError, TransientError
from devcontainer_registry.logins.asking import RetryPolicy
from devcontainer_registry.threads import within

REFUSED = AuthenticationError("registry.example refused", hint="its own hint")


class Inquiring(Scripted):
    """
    Answers an inquiry with *found*, which may be an exception, or an event to wait for.
    """

    def __init__(self, *script, found="what was found out"):
        super().__init__(*script)
        self._found = found
        self.inquiries = []

    def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
        return "explained"

    def inquire(self, secret, error, *, timeout):
        self.inquiries.append((secret.id, error.code, timeout))
        if isinstance(self._found, threading.Event):
            self._found.wait(10)
            return "too late"
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


def outcome_of(plugin, tmp_path, **more):
    report = Home(tmp_path).login(
        [a_secret()], authenticators={"generic": plugin}, verify="never", **more
    )
    return report.outcomes[0]


def test_a_refusal_is_inquired_and_the_answer_is_the_hint(tmp_path):
    plugin = Inquiring(REFUSED)

    outcome = outcome_of(plugin, tmp_path)

    assert ("rejected", "what was found out") == (outcome.status, outcome.error.hint)
    ((set_id, code, timeout),) = plugin.inquiries
    assert ("ACR", "rejected") == (set_id, code)
    assert 0 < timeout <= 3


@pytest.mark.parametrize(
    "word", [GOOD, RegistryError("strange", code="not-a-registry"), TransientError("busy")]
)
def test_what_is_no_refusal_is_not_inquired(tmp_path, word):
    plugin = Inquiring(word)

    outcome_of(plugin, tmp_path, retry=RetryPolicy(attempts=1))

    assert [] == plugin.inquiries


@pytest.mark.parametrize("found", ["", RuntimeError("s3cret-s3cret"), SystemExit(3)])
def test_an_inquiry_that_finds_nothing_leaves_what_was_explained(tmp_path, found):
    outcome = outcome_of(Inquiring(REFUSED, found=found), tmp_path)

    assert ("rejected", "explained") == (outcome.status, outcome.error.hint)


def test_what_an_inquiry_says_is_masked(tmp_path):
    outcome = outcome_of(Inquiring(REFUSED, found="try s3cret-s3cret"), tmp_path)

    assert "try ****" == outcome.error.hint


def test_an_inquiry_that_hangs_costs_the_hint_and_not_the_outcome(tmp_path):
    over = threading.Event()
    began = time.monotonic()

    outcome = outcome_of(Inquiring(REFUSED, found=over), tmp_path, timeout=0.5)
    took = time.monotonic() - began
    over.set()

    assert ("rejected", "explained") == (outcome.status, outcome.error.hint)
    assert took < 3


def test_a_call_that_hangs_is_left_in_time():
    over = threading.Event()

    with pytest.raises(TransientError) as caught:
        within(0.05, lambda: over.wait(10), who="the cloud")
    over.set()

    assert "timeout" == caught.value.code


def test_what_a_call_returns_or_raises_comes_through():
    assert "it" == within(5, lambda: "it", who="the cloud")
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0, who="the cloud")
