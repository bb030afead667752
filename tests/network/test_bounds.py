# SPDX-License-Identifier: MIT
"""
Answers without end: nobody's memory pays for them.

Memory is measured as the peak of a process of its own.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from doubles import faults
from doubles import servers as wire
from doubles.clouds import KEY, KEY_ID, PRINCIPAL

from devcontainer_registry.network import challenge

MIB = 1024 * 1024
BARE_MAX = 60 * MIB  # without an SDK
SDK_MAX = 250 * MIB  # which is what one of them takes to import, and half as much again

# `ru_maxrss` begins with what the process that forked this one had.
LOGIN = """
import json, os, resource, sys
from devcontainer_registry import login
report = login(environ=dict(os.environ), timeout=float(sys.argv[1]))
(outcome,) = report.outcomes
if os.path.exists("/proc/self/status"):
    with open("/proc/self/status") as status:
        peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
else:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([outcome.status, outcome.code, peak]))
"""


@pytest.fixture(name="world")
def _world(tmp_path):
    with wire.world(tmp_path / "world") as made:
        yield made


@pytest.fixture(name="run")
def _run(tmp_path):
    """
    Logs in, in a process of its own: status, code and peak memory.
    """

    def run(server, *, timeout=30, login=("bob", "s3cret-s3cret"), **environ):
        inherited = {k: os.environ[k] for k in ("PATH", "PYTHONPATH") if k in os.environ}
        sets = {"A_CONTAINER_REGISTRY_SERVER": server}
        if login:
            sets["A_CONTAINER_REGISTRY_USER"], sets["A_CONTAINER_REGISTRY_PASSWORD"] = login
        done = subprocess.run(
            [sys.executable, "-c", LOGIN, str(timeout)],
            env={**inherited, "HOME": str(tmp_path), **sets, **environ},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert "" == done.stderr
        return json.loads(done.stdout)

    return run


def endless(head, part):
    """
    *head*, and *part* again and again until the other side hangs up.
    """
    fault = faults.endless(head, part)
    return lambda _request: fault


UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
BODY = b"x" * 65536


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (UNAUTHORIZED + b"X: ", BODY),
        (UNAUTHORIZED, b"X: y\r\n" * 10000),
        (UNAUTHORIZED + b"X: y\r\n", b" y\r\n" * 10000),
        (b"", b"HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" * 1000),
        (UNAUTHORIZED + b"WWW-Authenticate: ", b"a," * 30000),
        (UNAUTHORIZED, b'WWW-Authenticate: Bearer realm="https://a.example/"\r\n' * 1000),
    ],
    ids=["long line", "many", "folded", "interim", "challenges in one", "many challenges"],
)
def test_an_endless_head_is_cut_off(world, run, head, part):
    server = world.here(endless(head, part))

    status, code, peak = run(server.netloc)

    assert ("failed", "not-a-registry") == (status, code)
    assert peak < BARE_MAX


@pytest.mark.parametrize("status", [200, 401])
@pytest.mark.parametrize("coding", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_an_endless_body_is_cut_off(world, run, status, coding):
    part = (b"10000\r\n" + BODY + b"\r\n") if coding else BODY
    head = b"HTTP/1.1 %d Whatever\r\n%s\r\n" % (status, coding)
    server = world.here(endless(head, part))

    assert run(server.netloc)[2] < BARE_MAX


@pytest.mark.parametrize(
    "headers",
    [
        [b"WWW-Authenticate: " + b"a," * 400_000],
        [b"WWW-Authenticate: " + b"a " * 400_000],
        [b"WWW-Authenticate: " + b"=" * 900_000],
        [b"WWW-Authenticate: Bearer " + b",".join(b"k%d=v" % i for i in range(90_000))],
        [b"WWW-Authenticate: Basic"] * 18_000,
        [b"X-%d: y" % i for i in range(24_000)],
        [b'WWW-Authenticate: Bearer realm="' + b"\\a" * 400_000],
    ],
    ids=["commas", "words", "equals", "parameters", "challenges", "names", "escapes"],
)
def test_the_largest_head_costs_little(world, run, headers):
    head = UNAUTHORIZED + b"\r\n".join(headers) + b"\r\nContent-Length: 0\r\n\r\n"
    server = world.here(lambda _request: lambda sock: sock.sendall(head))

    assert run(server.netloc)[2] < BARE_MAX


def test_the_number_of_challenges_is_limited():
    assert 32 == len(challenge.parse(["Basic"] * 1000))
    assert 32 == len(challenge.parse([", ".join(["Basic"] * 1000)]))
    many = ", ".join(f"k{i}=v" for i in range(1000))
    assert 32 == len(challenge.parse([f"Bearer {many}"])[0].parameters)


HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TROUBLE = ("failed", "rejected", "incomplete")


@pytest.mark.parametrize(
    ("head", "part"),
    [
        (OK + b"\r\n", BODY),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n" + BODY + b"\r\n"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", BODY),
        (OK + b"Content-Length: 99999999999\r\n\r\n", BODY),
    ],
    ids=["closing", "chunked", "refusing", "long"],
)
def test_an_endless_answer_of_aws_is_cut_off(world, run, head, part):
    server = world.here(endless(head, part))

    status, _, peak = run(HOST, login=(KEY_ID, KEY), AWS_ENDPOINT_URL=f"http://{server.netloc}")

    assert status in TROUBLE
    assert peak < SDK_MAX


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://{}"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://{}/container"},
        {
            "AWS_ROLE_ARN": "arn:aws:iam::222222222222:role/pull",
            "AWS_WEB_IDENTITY_TOKEN_FILE": "{}",
        },
    ],
    ids=["instance", "container", "web identity"],
)
def test_an_endless_answer_of_who_vouches_for_us_is_cut_off(world, run, tmp_path, variables):
    without_end = endless(OK + b"\r\n", BODY)
    role = "/latest/meta-data/iam/security-credentials/"
    sane = {"/latest/api/token": wire.Answer(body=b"token"), role: wire.Answer(body=b"role")}
    server = world.here(lambda asked: sane.get(asked.path) or without_end(asked))
    token = tmp_path / "token"
    token.write_text("token")
    filled = {
        name: text.format(token if name.endswith("_FILE") else server.netloc)
        for name, text in variables.items()
    }

    status, _, peak = run(HOST, login=None, AWS_ENDPOINT_URL=f"http://{server.netloc}", **filled)

    assert status in TROUBLE
    assert peak < SDK_MAX


@pytest.mark.parametrize("status", [200, 400])
def test_an_endless_answer_of_entra_is_cut_off(world, run, status):
    head = b"HTTP/1.1 %d Whatever\r\nContent-Type: application/json\r\n\r\n" % status
    world.host("login.microsoftonline.com", endless(head, BODY))

    outcome, _, peak = run("example.azurecr.io", login=None, **PRINCIPAL, **world.environ)

    assert outcome in TROUBLE
    assert peak < SDK_MAX


def test_an_endless_answer_of_google_is_cut_off(world, run, tmp_path):
    world.host("oauth2.googleapis.com", endless(OK + b"\r\n", BODY))
    person = {"type": "authorized_user", "client_id": "a", "client_secret": "b"}
    path = tmp_path / "person.json"
    path.write_text(json.dumps({**person, "refresh_token": "c"}))
    variables = {"GOOGLE_APPLICATION_CREDENTIALS": str(path), **world.environ}

    outcome, _, peak = run("europe-docker.pkg.dev", login=None, **variables)

    assert outcome in TROUBLE
    assert peak < SDK_MAX


def test_an_endless_answer_of_google_s_metadata_is_cut_off(world, run):
    server = world.here(endless(OK + b"Metadata-Flavor: Google\r\n\r\n", BODY))

    outcome, _, peak = run("europe-docker.pkg.dev", login=None, GCE_METADATA_HOST=server.netloc)

    assert outcome in TROUBLE
    assert peak < SDK_MAX
