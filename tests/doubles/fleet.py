# SPDX-License-Identifier: MIT
"""
Many hooks at once against an ECR that throttles, on a virtual clock.

What asks and retries is the product's own code; only its clock and ECR are played.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from doubles.virtual_clock import TokenBucket, VirtualClock

from devcontainer_registry import Credential, RegistryError, RegistrySecret, RetryPolicy, Secret
from devcontainer_registry.causes.clouds import aws_refusals
from devcontainer_registry.logins import asking
from devcontainer_registry.logins.outcomes import Job
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import Outcome

HOST = Registry("123456789012.dkr.ecr.eu-west-1.amazonaws.com")
HOOK_TIMEOUT = 15.0  # seconds

# Seconds.  A request that begins before the deadline may end this much after it.
ROUND_TRIP = 0.05


@dataclass(frozen=True, kw_only=True)
class Run:
    """
    Attributes:
        logged_in: Number of hooks that got a password.
        calls: Number of requests to ECR.
        last_end: When the last hook ended, in seconds after its start.
        most_tries: Of one hook.
        codes: Codes of the errors.
    """

    logged_in: int
    calls: int
    last_end: float
    most_tries: int
    codes: frozenset[str]


def simulate(monkeypatch, *, starts, rate, burst, timeout=HOOK_TIMEOUT, refusal=None, seed=1):
    """
    Run one hook for each of *starts*, in seconds.

    Args:
        monkeypatch: Puts the clock in place.
        starts: When each hook asks for the first time.
        rate: Requests per second that ECR answers.
        burst: Requests that it answers at once.
        timeout: Seconds for each hook.
        refusal: Raised for every request within the limit, instead of an answer.
        seed: Of the waits.
    """
    clock = VirtualClock()
    bucket = TokenBucket(rate=rate, burst=burst, clock=clock.monotonic)
    monkeypatch.setattr(asking, "time", clock)
    random.seed(seed)
    retry = RetryPolicy(sleep=clock.sleep)
    hooks = [_Hook(start, timeout, clock, _Ecr(clock, bucket, refusal)) for start in starts]
    clock.run([(hook.start, lambda hook=hook: hook.run(retry)) for hook in hooks])
    errors = [hook.job.error for hook in hooks if hook.job.error is not None]
    return Run(
        logged_in=len(hooks) - len(errors),
        calls=bucket.calls,
        last_end=max(hook.end - hook.start for hook in hooks),
        most_tries=max(hook.job.attempts for hook in hooks),
        codes=frozenset(error.code for error in errors),
    )


class _Ecr:
    def __init__(self, clock, bucket, refusal):
        self._clock, self._bucket, self._refusal = clock, bucket, refusal

    def matches(self, _registry):
        return True

    def exchanges(self, _secret):
        return True

    def authenticate(self, _secret, *, timeout):
        assert timeout > 0
        self._clock.sleep(ROUND_TRIP)
        if not self._bucket.take():
            raise aws_refusals.THROTTLED.error(who="ECR in eu-west-1")
        if self._refusal is not None:
            raise self._refusal
        return Credential(username="AWS", secret=Secret("a password"))


class _Hook:
    def __init__(self, start, timeout, clock, ecr):
        self.start, self.end, self._clock = start, start, clock
        self._deadline = start + timeout
        secret = RegistrySecret(id="ECR", registry=HOST, source="ECR_CONTAINER_REGISTRY_*")
        outcome = Outcome(id="ECR", registry=HOST, source=secret.source, kind="ecr", status="found")
        self.job = Job(0, secret, ecr, outcome)

    def run(self, retry):
        asker = asking._Asker(
            requests=None,
            verified=False,
            retry=retry,
            deadline=self._deadline,
            observe=lambda *_, **__: None,
        )
        try:
            asker._persist(self.job)
        except RegistryError as exc:
            self.job.error = exc
        self.end = self._clock.now
