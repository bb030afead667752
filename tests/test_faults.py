# SPDX-License-Identifier: MIT
from __future__ import annotations

import http.client
import importlib.util
import os
import ssl
import threading
import time

import faults
import pytest

from devcontainer_registry.testing.loopback import LoopbackServer

USERS = {"ann": "secret"}


def test_a_fine_one_is_fine():
    with faults.Fine(USERS) as fault:
        status, _, _ = _ask(fault)

    assert (401, 1) == (status, fault.asked)


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_refusing_one_refuses_every_credential(auth):
    path = "/token" if auth == "bearer" else "/v2/"

    with faults.Refusing(auth=auth) as fault:
        statuses = [_ask(fault, path, headers={"Authorization": "Basic YTpi"})[0] for _ in range(2)]

    assert ([401, 401], 2) == (statuses, fault.refusals)


def test_a_busy_one_is_fine_after_two_requests():
    with faults.Busy(USERS) as fault:
        statuses = [_ask(fault)[0] for _ in range(4)]

    assert [503, 503, 401, 401] == statuses


def test_a_busy_one_says_when_to_come_back():
    with faults.Busy(USERS, times=1, status=429, retry_after="1") as fault:
        status, headers, _ = _ask(fault)

    assert (429, "1") == (status, headers["Retry-After"])


def test_a_busy_one_can_be_busy_at_one_path_only():
    with faults.Busy(USERS, times=1, path="/token") as fault:
        statuses = [_ask(fault, path)[0] for path in ("/v2/", "/token", "/token")]

    assert [401, 503, 401] == statuses


@pytest.mark.parametrize(("kind", "expected"), [(faults.missing, 404), (faults.web_page, 200)])
def test_one_that_is_no_registry_answers_the_same_to_all(kind, expected):
    with kind() as fault:
        answers = [_ask(fault, path) for path in ("/v2/", "/token?scope=x")]

    assert [expected, expected] == [status for status, _, _ in answers]
    assert ["/v2/", "/token"] == [request.path for request in fault.requests]


def test_a_hanging_one_says_nothing():
    with faults.Hanging() as fault, pytest.raises(TimeoutError):
        _ask(fault, timeout=0.2)

    assert 1 == fault.asked


def test_a_resetting_one_resets():
    with faults.Resetting() as fault, pytest.raises(ConnectionResetError):
        _ask(fault)

    assert 1 == fault.asked


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


@pytest.mark.parametrize("kind", [faults.Hanging, faults.Dripping])
def test_a_client_that_waits_does_not_keep_a_fault_from_ending(kind):
    start = time.monotonic()
    with kind() as fault:
        connection = http.client.HTTPConnection(str(fault.registry), timeout=5)
        connection.request("GET", "/v2/")
    connection.close()

    assert time.monotonic() - start < 1


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
    assert times[0] > 0.19
    assert 0.09 < min(times[1:]) < 0.19
    assert 1 == far.connections


def test_a_distance_carries_much_and_whole(distance):
    content = os.urandom(3_000_000)

    with _echo(content) as server, distance(0.02) as far:
        connection = http.client.HTTPConnection("127.0.0.1", far.to(server.server_port), timeout=5)
        connection.request("GET", "/")
        body = connection.getresponse().read()
        connection.close()

    assert content == body


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
    assert took < 100 * 0.2 / 4


@pytest.fixture(name="distance", scope="module")
def _distance():
    path = os.path.join(os.path.dirname(__file__), "..", "bench", "latency.py")
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
