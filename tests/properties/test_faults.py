# SPDX-License-Identifier: MIT
"""
Rules that hold for any fault of a registry, its token server, a proxy or AWS.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import tracemalloc

import pytest
from doubles.clouds import KEY, KEY_ID
from doubles.faults import (
    ANSWERS,
    BASIC,
    CHALLENGES,
    ELSEWHERE,
    HOST,
    MIB,
    RAW,
    READ_BY_GO,
    REDIRECTS,
    SECRET,
    STEPS,
    TOKEN,
    TOKEN_BODIES,
    TOKENS,
    USER,
    Faulty,
    FaultyProxy,
)
from doubles.homes import Home, a_set
from doubles.servers import Answer, Server
from doubles.servers import world as made_up_world

from devcontainer_registry import RetryPolicy
from devcontainer_registry.testing import LoopbackRegistry

TIMEOUT = 2.0  # seconds
OVER = 0.3  # seconds
MEMORY_MAX = 60 * MIB
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
OTHERS = {"carol": "an0ther-s3cret"}
OF_THE_REGISTRY = (
    "docker-cannot-read",
    "image-not-checked",
    "image-not-found",
    "network-refused",
    "not-checked",
    "pull-denied",
    "rejected",
)
SECRETS = (SECRET, BASIC, TOKEN, KEY, *OTHERS.values())

CASES = [
    *[(step, name, fault) for step in STEPS for name, fault in RAW.items()],
    *[(step, name, fault) for step in STEPS for name, fault in ANSWERS.items()],
    *[(step, name, fault) for step in STEPS for name, fault in REDIRECTS.items()],
    *[
        ("ping", f"challenge: {name}", Answer(401, [("WWW-Authenticate", c) for c in challenges]))
        for name, challenges in CHALLENGES.items()
    ],
    *[("token", f"token: {n}", Answer(200, body=body)) for n, body in TOKEN_BODIES.items()],
    *[("proxy", name, fault) for name, fault in RAW.items()],
    *[("proxy", name, fault) for name, fault in ANSWERS.items() if name != "status 200"],
    *[("aws", name, fault) for name, fault in RAW.items()],
    *[("aws", name, fault) for name, fault in ANSWERS.items()],
]


class Lateness:
    """
    Measures the longest delay with which a thread of this process wakes up.
    """

    def __init__(self):
        self.worst = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _watch(self):
        while not self._over.is_set():
            began = time.monotonic()
            self._over.wait(0.01)
            self.worst = max(self.worst, time.monotonic() - began - 0.01)


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    with made_up_world(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture(name="others", scope="module")
def _others():
    with LoopbackRegistry(OTHERS) as basic, LoopbackRegistry(OTHERS, auth="bearer") as bearer:
        yield basic, bearer


# From a TLS socket that is reset before its handshake: Python's ssl does not close it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("step", "name", "fault"), CASES, ids=[f"{s}: {n}" for s, n, _ in CASES])
def test_each_fault_ends_in_an_honest_outcome(  # noqa: PLR0917
    world, others, tmp_path, monkeypatch, step, name, fault
):
    faulty = Faulty(step, fault)
    world.host(HOST, faulty.registry)
    world.host(TOKENS, faulty.tokens)
    world.host(ELSEWHERE, faulty.elsewhere)
    environ = dict(world.environ)
    server, user, password = HOST, USER, SECRET
    with contextlib.ExitStack() as stack:
        if step == "proxy":
            proxy = FaultyProxy(world.routes, f"{HOST}:443", fault)
            stack.callback(proxy.close)
            environ["HTTPS_PROXY"] = f"http://127.0.0.1:{proxy.port}"
        if step == "aws":
            cloud = Server(faulty.cloud)
            stack.callback(cloud.close)
            monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{cloud.netloc}")
            server, user, password = ECR, KEY_ID, KEY
        home, told = Home(tmp_path), []
        sets = {
            **a_set("BAD", server, user=user, password=password),
            **({} if step == "aws" else {"BAD_CONTAINER_REGISTRY_IMAGE": f"{HOST}/team/app:1"}),
            **a_set("ONE", others[0].registry, user="carol", password=OTHERS["carol"]),
            **a_set("TWO", others[1].registry, user="carol", password=OTHERS["carol"]),
        }
        tracemalloc.start()
        stack.callback(tracemalloc.stop)
        with Lateness() as lateness:
            began = time.monotonic()
            report = home.login(
                sets={**environ, **sets},
                timeout=TIMEOUT,
                retry=RetryPolicy(sleep=lambda _: None),
                observe=lambda event, **fields: told.append(f"{event} {fields}"),
            )
            took = time.monotonic() - began
        peak = tracemalloc.get_traced_memory()[1]

    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    bad = outcomes["BAD"]
    print(bad.status, bad.code, bad.verified, bad.error)

    # Others are untouched.
    for set_id in ("ONE", "TWO"):
        assert ("ok", True) == (outcomes[set_id].status, outcomes[set_id].verified)
    kept = json.loads(home.text)["auths"]
    assert {str(other.registry) for other in others} <= kept.keys()
    # In time, apart from delays of the machine.
    assert took <= TIMEOUT + OVER + 10 * lateness.worst
    # Its memory is bounded.
    assert peak < MEMORY_MAX
    # Verified means that the registry itself accepted this credential.
    if bad.verified:
        assert faulty.proven or (step == "proof" and name in READ_BY_GO)
    # It is reported in one line, with the host and a fix.
    if bad.code is None:
        # A manifest may be stored on another host, and is valid from there.
        kept_elsewhere = step == "image" and any(who == ELSEWHERE for who, _ in faulty.sent)
        assert kept_elsewhere or (step == "proof" and name in READ_BY_GO)
    else:
        assert bad.code not in ("failed", "plugin-failed")
        assert "\n" not in bad.error.message
        # The line begins with the registry, so that its own refusals need not name it.
        assert bad.registry == server
        its_own = bad.code in OF_THE_REGISTRY
        assert its_own or any(who in bad.error.message for who in _who(step)), bad.error.message
        assert bad.error.hint
    # No other host received a secret.
    for who, request in faulty.sent:
        seen = f"{request.target} {request.headers} {request.body!r}"
        # A token server may be anywhere, if the registry names it.
        named = who == ELSEWHERE and step == "ping" and name.startswith("challenge")
        assert named or who in (HOST, TOKENS, "aws") or not any(s in seen for s in SECRETS), seen
        assert named or who == TOKENS or BASIC not in seen
    # A refused login is not sent again.
    if name in ("status 401", "status 403") and step in ("token", "proof"):
        credentials = [request for _, request in faulty.sent if BASIC in str(request.headers)]
        assert 1 == len(credentials)
    # No output shows a secret.
    hint = bad.error.hint if bad.error is not None else ""
    shown = f"{report!r} {report.outcomes} {bad.error!r} {bad.error} {hint} {told}"
    assert not any(secret in shown for secret in SECRETS)


def _who(step):
    if step == "aws":
        return ("AWS", "ECR", "127.0.0.1", ECR)
    return (HOST, TOKENS, ELSEWHERE, "127.0.0.1")


def test_there_are_at_least_300_different_faults():
    assert len(CASES) >= 300
    assert len(CASES) == len({(step, name) for step, name, _ in CASES})
    assert os.path.basename(__file__) == "test_faults.py"
