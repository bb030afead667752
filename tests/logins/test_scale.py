# SPDX-License-Identifier: MIT
"""
Many dev containers that start at once: docs/scale.md has its figures from here.
"""

from __future__ import annotations

import dataclasses
import pathlib
import random
import re

import pytest
from doubles.clouds import KEY, KEY_ID, PRINCIPAL, ROLE, Azure, PlayedAws
from doubles.documents import ECR
from doubles.fleet import HOOK_TIMEOUT, HOST, ROUND_TRIP, simulate
from doubles.internet import PlayedInternet

from devcontainer_registry import AuthenticationError, login
from devcontainer_registry.testing import LoopbackRegistry

PAGE = pathlib.Path(__file__).parents[2] / "docs" / "scale.md"

# ECR's default quota, and the limit that its page on error messages has: requests per second, and
# at once.
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
# https://docs.aws.amazon.com/AmazonECR/latest/userguide/common-errors.html
DEFAULT = {"rate": 500, "burst": 500}
LOW = {"rate": 20, "burst": 200}

AT_ONCE = [0.0] * 2000
_RANDOM = random.Random(1)
IN_FIVE_MINUTES = sorted(_RANDOM.uniform(0, 300) for _ in range(10000))


@pytest.fixture(name="run")
def _run(monkeypatch):
    return lambda starts, **limits: simulate(monkeypatch, starts=starts, **limits)


def test_2000_hooks_at_once_all_log_in_within_their_deadline(run):
    done = run(AT_ONCE, **DEFAULT)

    assert 2000 == done.logged_in
    assert done.last_end <= HOOK_TIMEOUT + ROUND_TRIP
    assert_page_has(done, "2,000 at once", "500")


def test_10000_hooks_in_five_minutes_need_one_request_each(run):
    done = run(IN_FIVE_MINUTES, **DEFAULT)

    assert (10000, 10000, 1) == (done.logged_in, done.calls, done.most_tries)
    assert_page_has(done, "10,000 in 5 minutes", "500")


@pytest.mark.parametrize("starts", [AT_ONCE, IN_FIVE_MINUTES[:3000]], ids=["at once", "spread"])
def test_hooks_over_the_limit_end_within_their_deadline_and_use_all_that_the_limit_allows(
    run, starts
):
    done = run(starts, **LOW)

    # What a bucket of 200 and 20 a second gives until the last deadline.
    seconds = max(starts) + HOOK_TIMEOUT
    allowed = min(len(starts), 200 + 20 * seconds)
    assert 0.9 * allowed <= done.logged_in <= allowed
    assert done.last_end <= HOOK_TIMEOUT + ROUND_TRIP
    assert done.codes <= {"busy"}
    if starts is AT_ONCE:
        assert_page_has(done, "2,000 at once", "20, and 200 at once")


def test_a_refused_identity_is_sent_once_by_each_of_2000_hooks(run):
    """
    A retry could lock the account out.
    """
    refused = AuthenticationError("no", hint="", code="rejected")

    done = run(AT_ONCE, rate=2000, burst=2000, refusal=refused)

    assert (0, 2000, 1) == (done.logged_in, done.calls, done.most_tries)
    assert {"rejected"} == done.codes


def test_a_simulation_is_repeatable(run):
    assert run(AT_ONCE[:200], rate=20, burst=20) == run(AT_ONCE[:200], rate=20, burst=20)


@pytest.mark.parametrize(
    ("kind", "auth", "image"),
    [
        ("registry that asks for a password (Basic)", "basic", None),
        ("registry with a token server (Bearer)", "bearer", None),
        ("Bearer, with `_IMAGE`", "bearer", "team/app:1"),
    ],
)
def test_the_page_has_the_requests_of_a_login(tmp_path, kind, auth, image):
    with LoopbackRegistry({"me": "a password"}, auth=auth, images=["team/app:1"]) as server:
        environ = {"HOME": str(tmp_path), **members(server.registry, "me", "a password")}
        if image is not None:
            environ["E_CONTAINER_REGISTRY_IMAGE"] = f"{server.registry}/{image}"
        logged_in(environ)
        asked = [request.path for request in server.requests]
        logged_in(environ, verify="changed")

        tokens = asked.count("/token")
        assert [len(asked) - tokens, tokens, "0"] == numbers_of(kind)
        assert len(asked) == len(server.requests)


@pytest.mark.parametrize("role", [None, ROLE])
def test_the_page_has_the_requests_of_a_login_to_ecr(tmp_path, monkeypatch, role):
    host = dataclasses.replace(
        ECR,
        name=HOST,
        server=HOST,
        host=HOST,
        password=f"token-of-{'ASIAASSUMEROLE000000' if role else KEY_ID}",
        challenge=f'Basic realm="https://{HOST}/",service="ecr.amazonaws.com"',
    )
    with PlayedAws() as aws, PlayedInternet(host) as internet:
        environ = {"HOME": str(tmp_path), **members(HOST, KEY_ID, KEY), **internet.environ}
        if role is not None:
            environ["E_CONTAINER_REGISTRY_ROLE_ARN"] = role
        for name, value in aws.environ.items():
            monkeypatch.setenv(name, value)
        logged_in(environ)

    asked = [call.action for call in aws.calls]
    said = ["1 to STS", "1 to ECR"] if role else ["1 to ECR"]
    kind = "ECR with `_ROLE_ARN`" if role else "ECR with a key pair"
    assert len(said) == len(asked)
    assert [len(internet.requests), 0, ", ".join(said)] == numbers_of(kind)


def test_the_page_has_the_requests_of_a_login_to_acr(tmp_path, monkeypatch):
    with Azure() as azure:
        for name, value in {**azure.environ, **PRINCIPAL}.items():
            monkeypatch.setenv(name, value)
        environ = {"HOME": str(tmp_path), **members(azure.registry), **azure.environ}
        logged_in(environ)

    to_registry = [path for host, path in azure.requests if host == azure.registry]
    tokens = to_registry.count("/oauth2/token")
    to_entra = len(azure.requests) - len(to_registry)
    expected = [len(to_registry) - tokens, tokens, f"{to_entra} to Entra ID"]
    assert expected == numbers_of("ACR with a cloud identity")


def members(server, user=None, password=None):
    found = {"SERVER": server, "USER": user, "PASSWORD": password}
    return {f"E_CONTAINER_REGISTRY_{name}": str(text) for name, text in found.items() if text}


def logged_in(environ, **options):
    report = login(environ=environ, store="auths", **options)
    assert report.ok, report.outcomes


def numbers_of(kind):
    """
    The page's numbers of requests for *kind*: to the registry, its token server and the cloud.
    """
    registry, token_server, cloud = next(row[1:] for row in rows() if row[0] == kind)
    return [int(registry), int(token_server), cloud]


def rows():
    return [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]


def assert_page_has(done, hooks, limit):
    """
    The page's row for *hooks* and *limit* has what was simulated, to a twentieth.
    """
    row = next(row for row in rows() if row[:2] == [hooks, limit])
    said = [float(re.sub("[^0-9.]", "", cell)) for cell in row[2:5]]
    assert pytest.approx([done.logged_in, done.calls, done.last_end], rel=0.05) == said
