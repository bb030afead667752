# SPDX-License-Identifier: MIT
"""
Concurrent requests and retries: attempts, waits and the deadline.
"""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
import threading
import time

import pytest
from doubles.homes import GOOD, Hanging, Scripted, Told, Waits, a_secret

from devcontainer_registry import Credential, DiscoveryError, RegistrySecret, Secret
from devcontainer_registry.authenticators.generic import GenericAuthenticator
from devcontainer_registry.errors import AuthenticationError, ThrottledError, TransientError
from devcontainer_registry.logins.asking import RetryPolicy, ask_all
from devcontainer_registry.logins.outcomes import Job
from devcontainer_registry.network import sockets
from devcontainer_registry.network.trust import Trust
from devcontainer_registry.observer import ignore
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import Outcome
from devcontainer_registry.testing import LoopbackRegistry
from devcontainer_registry.threads import Worker


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


def test_no_jobs_give_no_results():
    assert [] == asked()


def test_every_job_is_yielded_once():
    jobs = [job(Scripted(GOOD), place=n, set_id=f"S{n}") for n in range(50)]

    came = [one for batch in asked(*jobs) for one in batch]

    assert sorted(range(50)) == sorted(one.place for one in came)
    assert all(one.credential is GOOD for one in came)


def test_all_registries_are_asked_at_the_same_time():
    together = threading.Barrier(20, timeout=10)

    class Meeting(Scripted):
        def authenticate(self, secret, *, timeout):
            together.wait()
            return super().authenticate(secret, timeout=timeout)

    jobs = [job(Meeting(GOOD), set_id=f"S{n}") for n in range(20)]
    asked(*jobs)

    assert [None] * 20 == [one.error for one in jobs]


def test_a_finished_job_is_yielded_while_others_hang():
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
def test_the_deadline_may_be_infinite(timeout):
    one = job(Scripted(GOOD))

    asked(one, timeout=timeout)

    assert (GOOD, None) == (one.credential, one.error)


def test_a_job_that_begins_after_the_deadline_has_no_seconds_left_and_not_fewer():
    """
    As on a machine with too much to do: a person was told "up to -11 s".
    """
    told = queue.SimpleQueue()

    asked(job(Scripted(GOOD)), timeout=-11, observe=lambda _, **fields: told.put(fields))

    assert 0 == told.get(timeout=60)["seconds"]


def test_an_unfinished_job_ends_with_a_timeout_at_the_deadline():
    hanging = Hanging()
    one = job(hanging)

    asked(one, timeout=0.1)
    hanging.over.set()

    assert isinstance(one.error, TransientError)
    assert "timeout" == one.error.code


@pytest.mark.parametrize("attempts", [1, 2, 4])
def test_the_number_of_attempts_is_limited(attempts):
    waits = Waits()
    plugin = Scripted(TransientError("busy"))

    asked(job(plugin), retry=RetryPolicy(attempts=attempts, sleep=waits))

    assert attempts == plugin.asked
    assert attempts - 1 == len(waits)


def test_a_throttled_request_is_tried_more_often():
    waits = Waits()
    plugin = Scripted(ThrottledError("busy"))

    asked(job(plugin), retry=RetryPolicy(sleep=waits), timeout=1000)

    assert 10 == plugin.asked


def test_an_outage_after_a_throttled_request_ends_the_tries():
    plugin = Scripted(*[ThrottledError("busy")] * 4, TransientError("down"))

    asked(job(plugin), retry=RetryPolicy(sleep=Waits()), timeout=1000)

    assert 5 == plugin.asked


def test_waits_grow_with_full_jitter_up_to_the_longest():
    for _ in range(20):
        waits = Waits()
        policy = RetryPolicy(attempts=7, first_wait=0.5, max_wait=4.0, sleep=waits)
        asked(job(Scripted(TransientError("busy"))), retry=policy, timeout=1000)

        most = [0.5, 1.0, 2.0, 4.0, 4.0, 4.0]
        assert len(most) == len(waits)
        assert all(0 <= wait <= limit for wait, limit in zip(waits, most, strict=True)), waits


def test_no_attempt_starts_after_the_deadline():
    waits = Waits()
    policy = RetryPolicy(attempts=100, first_wait=3600, max_wait=7200, sleep=waits)

    asked(job(Scripted(TransientError("busy"))), retry=policy, timeout=0.05)

    assert sum(waits) < 0.05


def test_the_last_error_is_the_one_that_is_reported():
    one = job(Scripted(TransientError("busy"), AuthenticationError("no")))

    asked(one)

    assert (2, "no") == (one.attempts, one.error.message)


def test_an_observer_that_fails_delays_no_login():
    def broken(event, /, **fields):  # noqa: ARG001  (an observer's)
        raise RuntimeError

    one = job(Scripted(GOOD))
    asked(one, observe=broken)

    assert one.error is not None


def test_retries_are_reported_with_their_reason():
    told = Told()

    asked(job(Scripted(TransientError("busy", code="throttled"), GOOD)), observe=told)

    ((_, fields),) = [one for one in told if one[0] == "login.retried"]
    assert (1, "throttled") == (fields["attempt"], fields["code"])


# Early connections, made while the HTTP modules are still being imported.


class Listener:
    """
    A port that takes connections and answers nothing.
    """

    def __enter__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.port = self.socket.getsockname()[1]
        return self

    def __exit__(self, *_):
        self.socket.close()

    def connections(self):
        """
        Return the number of pending connections, and close each.
        """
        self.socket.settimeout(0.05)
        count = 0
        while True:
            try:
                self.socket.accept()[0].close()
            except TimeoutError:
                return count
            count += 1


@pytest.fixture(name="listener")
def _listener():
    with Listener() as listener:
        yield listener


def test_the_first_connect_uses_the_early_connection(listener):
    with sockets.ahead("127.0.0.1", listener.port, timeout=5):
        first = sockets.connect("127.0.0.1", listener.port)
        second = sockets.connect("127.0.0.1", listener.port)

    ports = {first.getpeername()[1], second.getpeername()[1]}
    assert first is not second
    assert {listener.port} == ports
    assert 2 == listener.connections()
    first.close()
    second.close()


def test_an_unused_early_connection_is_closed(listener):
    with sockets.ahead("127.0.0.1", listener.port, timeout=5):
        taken, _ = listener.socket.accept()

    taken.settimeout(5)
    assert b"" == taken.recv(1)
    taken.close()


def test_an_early_connection_is_used_for_its_host_and_port_only(listener):
    with (
        Listener() as other,
        sockets.ahead("127.0.0.1", listener.port, timeout=5),
        sockets.connect("127.0.0.1", other.port) as connected,
    ):
        assert other.port == connected.getpeername()[1]


def test_an_error_of_an_early_connection_is_raised_once_by_connect(listener):
    port = listener.port
    listener.socket.close()

    with sockets.ahead("127.0.0.1", port, timeout=5), Listener() as other:
        with pytest.raises(ConnectionRefusedError):
            sockets.connect("127.0.0.1", port)
        sockets.connect("127.0.0.1", other.port).close()


def ask(registry, authenticator, *, username="someone", environ=None):
    secret = RegistrySecret(
        id="ONE",
        registry=Registry(registry),
        source="ONE_*",
        username=username,
        secret=Secret("right"),
    )
    outcome = Outcome(
        id="ONE", registry=secret.registry, source="ONE_*", kind="generic", status="found"
    )
    job = Job(0, secret, authenticator, outcome)
    batches = ask_all(
        [job],
        environ=environ or {},
        verified=True,
        retry=RetryPolicy(attempts=1),
        deadline=time.monotonic() + 10,
        observe=ignore,
    )
    list(batches)
    return job


class Stranger:
    """
    A plugin that does not declare that it passes secrets on: it may request, import, and refuse.
    """

    def matches(self, _):
        return False

    def authenticate(self, _, **__):
        raise DiscoveryError("not this one", hint="take another")


@pytest.mark.parametrize(
    ("authenticator", "username"),
    [(GenericAuthenticator(), "AKIAIOSFODNN7EXAMPLE"), (Stranger(), "someone")],
)
def test_no_early_connection_is_made_for_an_invalid_secret(listener, authenticator, username):
    job = ask(f"127.0.0.1:{listener.port}", authenticator, username=username)

    assert isinstance(job.error, DiscoveryError)
    assert 1 == job.attempts
    assert 0 == listener.connections()


def test_no_early_connection_bypasses_a_proxy(monkeypatch):
    connected = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: connected.append(address[:2]))
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, port, **_: [(2, 1, 6, "", (host.decode(), port))]
    )

    ask(
        "registry.example",
        GenericAuthenticator(),
        environ={"HTTPS_PROXY": "http://proxy.example:1"},
    )

    assert {("proxy.example", 1)} == set(connected)


def test_a_login_with_an_early_connection_sends_no_extra_request():
    with LoopbackRegistry({"someone": "right"}, auth="basic", host="127.0.0.1") as registry:
        job = ask(registry.registry, GenericAuthenticator())

        assert job.check is not None
        assert job.check.verified
        assert Credential(username="someone", secret=Secret("right")) == job.credential
        assert ["/v2/", "/v2/"] == [request.path for request in registry.requests]


def test_threads_import_nothing_while_the_main_thread_imports(tmp_path):
    """
    dataclasses can see a half-imported typing: one login in ten failed that way.
    """
    code = """
        import sys, threading
        strange = set()
        def watch(event, args):
            if event == "import" and threading.current_thread() is not threading.main_thread():
                strange.add(args[0])
        sys.addaudithook(watch)
        from devcontainer_registry import login
        report = login()
        assert ["ok"] == [outcome.status for outcome in report.outcomes], report
        # The codec for the names of TLS servers comes later, when all else is there.
        assert strange <= {"encodings.idna", "stringprep"}, strange
    """
    with LoopbackRegistry({"someone": "right"}, host="127.0.0.1") as registry:
        environ = {
            "HOME": str(tmp_path),
            "ONE_CONTAINER_REGISTRY_SERVER": registry.registry,
            "ONE_CONTAINER_REGISTRY_USER": "someone",
            "ONE_CONTAINER_REGISTRY_PASSWORD": "right",
        }

        done = subprocess.run(
            [sys.executable, "-c", "if True:" + code],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )

    assert (0, "") == (done.returncode, done.stderr)


def test_an_exit_waits_for_the_thread_that_reads_the_trust_store():
    """
    At exit the C library takes OpenSSL apart, under a thread that is inside it.
    """
    trust = Trust({})
    before = set(threading.enumerate())

    with trust._lock:
        trust.prepare()
        (reader,) = set(threading.enumerate()) - before
    reader.join()

    # At exit, a process waits a moment for each Worker.
    assert isinstance(reader, Worker)


def test_an_abandoned_thread_does_not_crash_the_command(tmp_path):
    """
    A thread stays busy in OpenSSL, as with a server that never finishes its answer.
    """
    (tmp_path / "busy.py").write_text(
        "import ssl, threading\n"
        "def forever():\n"
        "    while True:\n"
        "        ssl.create_default_context()\n"
        "threading.Thread(target=forever, daemon=True).start()\n"
    )
    code = "import busy, sys; from devcontainer_registry.__main__ import main; sys.exit(main())"
    environ = {"HOME": str(tmp_path), "PYTHONPATH": str(tmp_path)}

    ran = [
        subprocess.run(
            [sys.executable, "-c", code, "list"],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        for _ in range(10)
    ]

    assert {(0, "no secrets found\n", "")} == {(r.returncode, r.stdout, r.stderr) for r in ran}


# A script that ends right after a login that abandoned a thread.

# What is registered first is called last: `ended` is looked at when all else is done.
SCRIPT = """
import atexit, threading
import devcontainer_registry as registry
from devcontainer_registry import threads
from devcontainer_registry.threads import within

{grace}
ended, leaving = [], threading.Event()
atexit.register(lambda: print(ended, flush=True))

class Slow:
    def matches(self, host):
        return True

    def authenticate(self, secret, *, timeout):
        def work():
            {waits}
            ended.append("ended")

        {call}
        return registry.Credential(username="someone", secret=registry.Secret("x"))

report = registry.login(
    [
        registry.RegistrySecret(
            id="ONE",
            registry=registry.Registry("registry.example"),
            source="ONE_*",
            username="someone",
            secret=registry.Secret("x"),
        )
    ],
    environ={{"HOME": {home!r}}},
    authenticators={{"generic": Slow()}},
    verify="never",
    timeout=0.2,
    retry=registry.RetryPolicy(attempts=1),
)
print(report.outcomes[0].code, flush=True)
# Registered last, and called first.
atexit.register(leaving.set)
"""


def run(home, *, waits, call="work()", grace=""):
    script = SCRIPT.format(home=str(home), waits=waits, call=call, grace=grace)
    return subprocess.run(
        [sys.executable, "-c", script],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=40,
    )


@pytest.mark.parametrize(
    "call", ["work()", "within(0.1, work, late=registry.TransientError('x', code='timeout'))"]
)
def test_an_abandoned_thread_may_finish_before_the_process_exits(tmp_path, call):
    """
    A thread inside OpenSSL while the C library takes that apart is a segmentation fault.
    """
    # No second is too short for a machine that has other things to do.
    done = run(tmp_path, waits="leaving.wait()", call=call, grace="threads._GRACE = 30")

    assert (0, "timeout\n['ended']\n", "") == (done.returncode, done.stdout, done.stderr)


def test_a_hanging_thread_does_not_keep_the_process_alive(tmp_path):
    done = run(tmp_path, waits="threading.Event().wait()")

    assert (0, "timeout\n[]\n", "") == (done.returncode, done.stdout, done.stderr)
