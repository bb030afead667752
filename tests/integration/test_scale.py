# SPDX-License-Identifier: MIT
"""
50 real processes against an ECR that throttles, beside the simulation of 2,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from doubles.clouds import KEY, KEY_ID, PlayedAws, as_json
from doubles.fleet import HOST, simulate
from doubles.virtual_clock import TokenBucket

COUNT = 50
RATE, BURST = 8, 8


class ThrottlingAws(PlayedAws):
    """
    Attributes:
        bucket: Its limit.
        times: When each request came, by `time.monotonic`.
    """

    def __init__(self):
        super().__init__()
        self.bucket = TokenBucket(rate=RATE, burst=BURST, clock=time.monotonic)
        self.times = []

    def _answer(self, method, target, headers, body):
        self.times.append(time.monotonic())
        if not self.bucket.take():
            return as_json({"__type": "ThrottlingException", "message": "Rate exceeded"}, 400)
        return super()._answer(method, target, headers, body)


def test_50_processes_at_once_all_log_in_with_as_many_requests_as_simulated(tmp_path, monkeypatch):
    members = {"SERVER": HOST, "USER": KEY_ID, "PASSWORD": KEY}
    sets = {f"E_CONTAINER_REGISTRY_{name}": text for name, text in members.items()}
    program = os.path.join(os.path.dirname(__file__), "fleet_of_processes.py")
    with ThrottlingAws() as cloud:
        done = subprocess.run(
            [sys.executable, program, str(tmp_path), str(COUNT)],
            env={"PATH": os.environ["PATH"], **cloud.environ, **sets},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    assert (0, "") == (done.returncode, done.stderr)
    outcomes = [report["registries"][0] for report in json.loads(done.stdout)]
    assert {"ok"} == {outcome["status"] for outcome in outcomes}
    attempts = [outcome["attempts"] for outcome in outcomes]
    # Every request is one that a report counts: nothing else retries.
    assert sum(attempts) == cloud.bucket.calls

    starts = _first_requests(cloud.times, outcomes)
    simulated = [
        simulate(monkeypatch, starts=starts, rate=RATE, burst=BURST, timeout=120, seed=seed)
        for seed in range(30)
    ]
    assert all(run.logged_in == COUNT for run in simulated)
    calls = [run.calls for run in simulated]
    print(f"{cloud.bucket.calls} requests; simulated: {min(calls)} to {max(calls)}")
    assert 0.8 * min(calls) <= cloud.bucket.calls <= 1.2 * max(calls), sorted(calls)
    assert max(attempts) <= max(run.most_tries for run in simulated) + 1


def _first_requests(times, outcomes):
    """
    When the processes asked for the first time: as many of the earliest requests.

    A process may retry before another one has started, so this is early by a little.
    """
    begun = min(times)
    return [at - begun for at in sorted(times)[: len(outcomes)]]
