# SPDX-License-Identifier: MIT
"""
Connections made while what makes requests is still being imported.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time

import pytest

from devcontainer_registry import Credential, DiscoveryError, RegistrySecret, Secret
from devcontainer_registry.authenticators.generic import GenericAuthenticator
from devcontainer_registry.logins.asking import Job, RetryPolicy, ask_all
from devcontainer_registry.network import sockets
from devcontainer_registry.network.trust import Trust
from devcontainer_registry.observer import ignore
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import Outcome
from devcontainer_registry.testing import LoopbackRegistry


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
        How many wait to be taken; each is closed.
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


def test_the_first_connect_takes_the_connection_made_ahead(listener):
    with sockets.ahead("127.0.0.1", listener.port, timeout=5):
        first = sockets.connect("127.0.0.1", listener.port)
        second = sockets.connect("127.0.0.1", listener.port)

    ports = {first.getpeername()[1], second.getpeername()[1]}
    assert first is not second
    assert {listener.port} == ports
    assert 2 == listener.connections()
    first.close()
    second.close()


def test_a_connection_that_nobody_takes_is_closed(listener):
    with sockets.ahead("127.0.0.1", listener.port, timeout=5):
        taken, _ = listener.socket.accept()

    taken.settimeout(5)
    assert b"" == taken.recv(1)
    taken.close()


def test_a_connection_ahead_is_for_its_host_and_port_alone(listener):
    with (
        Listener() as other,
        sockets.ahead("127.0.0.1", listener.port, timeout=5),
        sockets.connect("127.0.0.1", other.port) as connected,
    ):
        assert other.port == connected.getpeername()[1]


def test_what_went_wrong_ahead_is_raised_once_and_by_connect(listener):
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
    A plugin that says nothing of passing on: it may ask, import, and refuse.
    """

    def matches(self, _):
        return False

    def authenticate(self, _, **__):
        raise DiscoveryError("not this one", hint="take another")


@pytest.mark.parametrize(
    ("authenticator", "username"),
    [(GenericAuthenticator(), "AKIAIOSFODNN7EXAMPLE"), (Stranger(), "someone")],
)
def test_nobody_is_connected_to_where_the_secret_is_refused_first(
    listener, authenticator, username
):
    job = ask(f"127.0.0.1:{listener.port}", authenticator, username=username)

    assert isinstance(job.error, DiscoveryError)
    assert 1 == job.attempts
    assert 0 == listener.connections()


def test_nobody_is_connected_to_directly_where_a_proxy_stands(monkeypatch):
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


def test_a_login_ahead_makes_no_connection_more():
    with LoopbackRegistry({"someone": "right"}, auth="basic", host="127.0.0.1") as registry:
        job = ask(registry.registry, GenericAuthenticator())

        assert job.check is not None
        assert job.check.verified
        assert Credential(username="someone", secret=Secret("right")) == job.credential
        assert ["/v2/", "/v2/"] == [request.path for request in registry.requests]


def test_threads_import_nothing_while_the_rest_is_imported(tmp_path):
    """
    dataclasses looks at a half-made typing: such a login failed once in ten.
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


def test_who_exits_while_the_store_is_being_read_waits_for_that():
    """
    At exit the C library takes OpenSSL apart, under a thread that is inside it.
    """
    trust = Trust({})
    before = set(threading.enumerate())

    with trust._lock:
        trust.prepare()
        (reader,) = set(threading.enumerate()) - before
    reader.join()

    assert not reader.daemon


def test_who_was_given_up_does_not_crash_the_command(tmp_path):
    """
    A thread at work in OpenSSL, as one with a server that goes on and on.
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
