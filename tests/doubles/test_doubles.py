# SPDX-License-Identifier: MIT
""" """

from __future__ import annotations

import base64
import http.client
import importlib.util
import json
import os
import shutil
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from doubles import documents as documented
from doubles import servers as faults
from doubles.internet import ALLOWED, DENIED, MISSING, Internet, PlayedInternet

from devcontainer_registry.testing.loopback import LoopbackServer

USERS = {"ann": "secret"}


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_refusing_one_refuses_every_credential(auth):
    path = "/token" if auth == "bearer" else "/v2/"

    with faults.Refusing(auth=auth) as fault:
        statuses = [_ask(fault, path, headers={"Authorization": "Basic YTpi"})[0] for _ in range(2)]

    assert ([401, 401], 2) == (statuses, fault.refusals)


def test_a_dripping_one_is_never_silent_and_never_done():
    with faults.Dripping(interval=0.001) as fault:
        connection = http.client.HTTPConnection(str(fault.registry), timeout=5)
        connection.request("GET", "/v2/")
        answer = connection.getresponse()
        first = answer.read(10)
        connection.close()
        answer.close()

    assert (200, bytes(10)) == (answer.status, first)


def test_a_bad_certificate_is_not_trusted_unless_one_says_so():
    with faults.BadCertificate(USERS) as fault:
        with pytest.raises(ssl.SSLCertVerificationError):
            _ask(fault, context=ssl.create_default_context())

        status, _, _ = _ask(fault, context=ssl.create_default_context(cafile=fault.ca_file))

    assert (401, 1) == (status, fault.asked)


def test_a_distance_costs_a_connection_and_each_round_trip(distance):
    with _echo() as server, distance(0.05) as far:
        connection = http.client.HTTPConnection("127.0.0.1", far.to(server.server_port), timeout=5)
        times = []
        for _ in range(6):
            start = time.monotonic()
            connection.request("GET", "/")
            connection.getresponse().read()
            times.append(time.monotonic() - start)
        connection.close()

    # Two round trips of 100 ms for the first, with what makes the connection; one for the others.
    # How much longer it takes is the machine's affair.
    assert times[0] > 0.19
    assert min(times[1:]) > 0.09
    assert 1 == far.connections


def test_a_hundred_distances_are_no_longer_than_one(distance):
    with _echo() as server, distance(0.05) as far:
        ports = [far.to(server.server_port) for _ in range(100)]
        start = time.monotonic()
        threads = [threading.Thread(target=_get, args=(port,)) for port in ports]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - start

    assert 100 == far.connections
    assert took < 100 * 0.2  # one after the other


@pytest.fixture(name="distance", scope="module")
def _distance():
    path = os.path.join(os.path.dirname(__file__), "..", "..", "bench", "latency.py")
    spec = importlib.util.spec_from_file_location("latency", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.Distance


def _echo(content=b"here"):
    return LoopbackServer(lambda *_: (200, {}, content))


def _get(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def _ask(fault, path="/v2/", *, headers=None, timeout=5.0, context=None):
    if context is None:
        connection = http.client.HTTPConnection(str(fault.registry), timeout=timeout)
    else:
        connection = http.client.HTTPSConnection(
            str(fault.registry), timeout=timeout, context=context
        )
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


BEARER = [registry for registry in documented.ALL if registry.realm]
EACH = pytest.mark.parametrize("registry", documented.ALL, ids=lambda registry: registry.name)


def test_every_registry_that_users_name_is_played():
    expected = {
        "Docker Hub",
        "ghcr.io",
        "ACR",
        "Container Registry",
        "Artifact Registry",
        "GitLab",
        "Quay",
        "Harbor",
        "DigitalOcean",
        "ECR",
        "ECR Public",
        "Artifactory",
    }

    actual = {registry.name for registry in documented.ALL}

    assert expected == actual


@EACH
def test_docker_logs_in_with_what_is_right(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        done = _docker_login(internet, registry, registry.password, tmp_path)

    assert (0, []) == (done.returncode, internet.unknown_hosts), done.stderr
    assert registry.username in {seen.username for seen in internet.requests}
    assert 200 == internet.seen(registry.host)[-1].status


@EACH
def test_docker_is_refused_with_what_is_wrong(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        done = _docker_login(internet, registry, "wrong", tmp_path)

    assert 1 == done.returncode
    assert registry.wrong[0] in {seen.status for seen in internet.requests}
    assert not (tmp_path / "config.json").exists()


@EACH
def test_skopeo_reads_what_may_be_pulled_and_nothing_else(registry, tmp_path):
    with PlayedInternet(registry) as internet:
        codes = [
            _skopeo_inspect(internet, registry, name, tmp_path).returncode
            for name in (ALLOWED, DENIED, MISSING)
        ]

    # Newer skopeos have a status of its own for what is not there.
    assert codes in ([0, 1, 1], [0, 1, 2])


@EACH
def test_each_challenge_names_a_host_that_is_there(registry):
    with PlayedInternet(registry) as internet:
        status, headers, _ = _played_ask(internet, f"https://{registry.host}/v2/")

        assert 401 == status
        assert registry.challenge == headers["Www-Authenticate"]
        assert registry.realm in registry.challenge
        if registry.realm:
            assert 200 == _played_ask(internet, registry.realm, registry, registry.password)[0]


@pytest.mark.parametrize("registry", BEARER, ids=lambda registry: registry.name)
def test_a_posted_password_is_answered_as_the_registry_does(registry):
    form = {"grant_type": "password", "username": "ann", "password": "any"}

    with PlayedInternet(registry) as internet:
        status, _, body = _played_ask(internet, registry.realm, data=urlencode(form).encode())

    assert (registry.posted[0], registry.posted[2]) == (status, body)


def test_a_host_can_have_a_certificate_that_nobody_trusts():
    with (
        Internet({"bad.example": lambda *_: (200, {}, b"")}, untrusted={"bad.example"}) as internet,
        pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"),
    ):
        _played_ask(internet, "https://bad.example/v2/")


def test_what_was_seen_holds_the_name_and_never_the_password():
    with PlayedInternet(documented.HARBOR) as internet:
        _played_ask(internet, documented.HARBOR.realm, documented.HARBOR, "wrong-secret")

        assert "robot$team" in repr(internet.requests)
        assert "wrong-secret" not in repr(internet.requests)


def _played_ask(internet, url, registry=None, password="", data=None):
    context = ssl.create_default_context(cafile=internet.environ["SSL_CERT_FILE"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": internet.environ["HTTPS_PROXY"]}),
        urllib.request.HTTPSHandler(context=context),
    )
    headers = {}
    if registry is not None:
        basic = base64.b64encode(f"{registry.username}:{password}".encode()).decode()
        headers["Authorization"] = f"Basic {basic}"
    try:
        with opener.open(urllib.request.Request(url, data=data, headers=headers)) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers, exc.read()


def _environ(internet, folder):
    return {
        **internet.environ,
        # Where docker finds docker-credential-pass, it takes it by itself.
        "PATH": "/nonexistent",
        "HOME": str(folder),
        "DOCKER_CONFIG": str(folder),
        "DOCKER_HOST": "unix:///nonexistent",
        "SSL_CERT_DIR": "/nonexistent",
    }


def _docker_login(internet, registry, password, folder):
    command = [shutil.which("docker"), "login", "--username", registry.username, "--password-stdin"]
    return subprocess.run(
        [*command, registry.server],
        input=password,
        env=_environ(internet, folder),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _skopeo_inspect(internet, registry, name, folder):
    host = "docker.io" if registry.host == "registry-1.docker.io" else registry.host
    auth = base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()
    auths = folder / "auth.json"
    auths.write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    command = [shutil.which("skopeo"), "inspect", "--raw", "--authfile", str(auths)]
    return subprocess.run(
        [*command, f"docker://{host}/{name}:1"],
        env=_environ(internet, folder),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
