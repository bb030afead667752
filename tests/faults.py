# SPDX-License-Identifier: MIT
"""
Registries that do what registries do on a bad day, on loopback.

All are context managers with `registry`, and with `asked`: how many requests came, or how many
connections where there is no more to a request.
"""

from __future__ import annotations

import contextlib
import socket
import socketserver
import struct
import tempfile
import threading

from internet import Authority, tls_server

from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry, Request


class Fine(LoopbackRegistry):
    """
    Nothing is wrong with it.
    """

    @property
    def asked(self):
        return len(self.requests)


class Refusing(Fine):
    """
    Knows nobody: 401 to whatever it is sent.
    """

    def __init__(self, **options):
        super().__init__({}, **options)


class Busy(Fine):
    """
    Answers the first *times* requests with *status*, and is fine afterwards.

    Args:
        path: Only those for this path count; None: all.
        retry_after: The header of that name.
    """

    def __init__(self, users, *, times=2, status=503, retry_after=None, path=None, **options):
        super().__init__(users, **options)
        self._left, self._status, self._path = times, status, path
        self._headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._lock = threading.Lock()

    def _answer(self, method, target, headers, body):
        path = target.partition("?")[0]
        with self._lock:
            busy = self._left > 0 and self._path in (None, path)
            self._left -= busy
        if not busy:
            return super()._answer(method, target, headers, body)
        self.requests.append(Request(method=method, path=path, user=None, status=self._status))
        return self._status, self._headers, b"busy\n"


class Answering(Fine):
    """
    The same answer to everything: `missing()` and `web_page()` are two.
    """

    def __init__(self, status, headers, body, **options):
        super().__init__({}, **options)
        self._always = status, headers, body

    def _answer(self, method, target, headers, body):  # noqa: ARG002  (a fake of one answer)
        path = target.partition("?")[0]
        self.requests.append(Request(method=method, path=path, user=None, status=self._always[0]))
        return self._always


def missing():
    """
    404 everywhere, as from a web server that is no registry.
    """
    return Answering(404, {"Content-Type": "text/plain"}, b"404 page not found\n")


def web_page():
    """
    200 and HTML everywhere, as from a captive portal.
    """
    return Answering(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Log in</title>")


class BadCertificate:
    """
    A registry at `localhost:PORT` whose certificate is from an authority that nobody trusts.

    Attributes:
        ca_file: That authority's certificate, for who wants to trust it after all.
    """

    def __init__(self, users):
        self._users = users
        self._stack = contextlib.ExitStack()
        self._requests = []
        self.registry = self.ca_file = None

    def __enter__(self):
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        authority = Authority(folder, name="Nobody's authority")
        # Basic only: the token endpoint of the plain registry inside is not to be named outside.
        inner = LoopbackRegistry(self._users, auth="basic")
        self._requests = inner.requests
        self._stack.enter_context(inner)
        server = tls_server(inner._answer, authority.server_context("localhost"))
        port = self._stack.enter_context(server).server_port
        self.registry, self.ca_file = Registry(f"localhost:{port}"), authority.ca_file
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def asked(self):
        return len(self._requests)


class _Raw(socketserver.ThreadingTCPServer):
    """
    Below HTTP: each connection is given to `behave`, which may use it until `over` is set.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.over = threading.Event()
        self.asked = 0
        self.registry = Registry(f"localhost:{self.server_address[1]}")
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._loop.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self._loop.join()
        self.server_close()

    def finish_request(self, request, client_address):  # noqa: ARG002  (socketserver's)
        self.asked += 1
        with contextlib.suppress(OSError):  # the client gave up
            self.behave(request)

    def behave(self, connection):
        raise NotImplementedError


class Hanging(_Raw):
    """
    Takes connections and says nothing.
    """

    def behave(self, connection):  # noqa: ARG002  (that is the fault)
        self.over.wait()


class Resetting(_Raw):
    """
    Reads what it is asked, and drops the connection with an RST.
    """

    def behave(self, connection):
        connection.recv(65536)
        # RFC 9293, 3.6: closed without lingering, the connection is reset rather than finished.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


class Dripping(_Raw):
    """
    Answers as it should, one byte each *interval* seconds: never silent, and never done.
    """

    def __init__(self, *, interval=0.05):
        super().__init__()
        self._interval = interval

    def behave(self, connection):
        connection.recv(65536)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000000):
            connection.sendall(bytes([byte]))
            if self.over.wait(self._interval):
                return
