# SPDX-License-Identifier: MIT
"""
Nobody answers at all, and the time is short: what is known is kept.
"""

from __future__ import annotations

import contextlib
import socket
import threading

import pytest
from doubles.homes import Home, a_secret, only

from devcontainer_registry.registry import Registry


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


@contextlib.contextmanager
def blackhole():
    """
    A port of this machine whose queue is full, so that Linux drops every SYN.
    """
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = listener.getsockname()[1]
        while True:
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
            sock.settimeout(1)
            try:
                sock.send(b"x")  # waits for the connection
            except OSError:
                break
        yield Registry(f"127.0.0.1:{port}")


@contextlib.contextmanager
def silent_name_server(monkeypatch):
    """
    A lookup that ends with the test; a resolver cannot be pointed elsewhere but as root.
    """
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(60) and [])
    try:
        yield Registry("registry.example")
    finally:
        over.set()


@pytest.mark.parametrize("timeout", [0.3, 1.0, 3.0])
@pytest.mark.parametrize("proxy", [False, True])
def test_a_port_that_swallows_everything_leaves_the_credential_unverified(home, timeout, proxy):
    with blackhole() as registry:
        server = Registry("registry.example") if proxy else registry
        sets = {"HTTPS_PROXY": f"http://{registry}"} if proxy else {}
        report = home.login([a_secret(registry=server)], timeout=timeout, sets=sets)

    assert "unverified" == only(report).status
    assert {str(server): "bob:s3cret-s3cret"} == home.auths


@pytest.mark.parametrize("timeout", [0.3, 2.0])
def test_a_name_server_that_is_silent_leaves_the_credential_unverified(home, timeout, monkeypatch):
    with silent_name_server(monkeypatch) as registry:
        report = home.login([a_secret(registry=registry)], timeout=timeout)

    assert ("unverified", "timeout") == (only(report).status, only(report).code)
    assert {str(registry): "bob:s3cret-s3cret"} == home.auths
