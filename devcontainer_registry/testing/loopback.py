# SPDX-License-Identifier: MIT
"""
An HTTP server on loopback.
"""

from __future__ import annotations

import socket
import socketserver
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from email.message import Message
    from typing import Any

    # Status, headers, body; `Content-Length` is added.
    Answer = tuple[int, dict[str, str], bytes]

_BODY_MAX = 65536  # bytes; a token request has a few hundred


class LoopbackServer(ThreadingHTTPServer):
    """
    `http.server` for tests: starts at once, serves a hundred clients, and closes completely.

    Args:
        answer: Called from many threads with method, target, headers and body.
        address: IPv4 address to listen on; the port is chosen by the system.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        answer: Callable[[str, str, Message, bytes], Answer],
        *,
        address: str = "127.0.0.1",
    ) -> None:
        self.answer = answer
        self._connections: set[Any] = set()
        super().__init__((address, 0), _Handler)
        # The default polling interval of 0.5 seconds would delay closing.
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def server_bind(self) -> None:
        """
        Bind without resolving this machine's name, which can take seconds.
        """
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "localhost", self.server_address[1]

    def __enter__(self) -> LoopbackServer:
        """
        Start the server.
        """
        self._loop.start()
        return self

    def __exit__(self, *_: object) -> None:
        """
        Stop the server and close idle connections.
        """
        if self._loop.ident is not None:
            self.shutdown()
            self._loop.join()
        self.server_close()
        for connection in tuple(self._connections):
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)

    def process_request(self, request: Any, client_address: Any) -> None:
        """
        Record the connection before its thread starts, so that closing finds it.
        """
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """
        Forget the connection.
        """
        super().shutdown_request(request)
        self._connections.discard(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """
        Print nothing: clients may disconnect at any time.
        """


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    protocol_version = "HTTP/1.1"  # keep-alive
    # Also for a request that is not HTTP: BuildKit and containerd detect a registry without TLS by
    # the status line.
    default_request_version = "HTTP/1.0"
    server_version, sys_version = "loopback", ""
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet, or a client's delayed ACK costs 40 ms
    timeout = 60  # seconds that a connection may be idle

    def do_GET(self) -> None:
        body = self._body()
        status, headers, content = self.server.answer(self.command, self.path, self.headers, body)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815  (http.server's)

    def log_message(self, *_: object) -> None:
        pass

    def _body(self) -> bytes:
        """
        Return the request's body, chunked or not: the dev container CLI sends chunks.
        """
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(_BODY_MAX).partition(b";")[0], 16):
            body += self._read(size)
            self.rfile.readline(_BODY_MAX)
        while self.rfile.readline(_BODY_MAX).strip():
            pass  # trailers and the final empty line
        return body

    def _read(self, size: int) -> bytes:
        if not 0 <= size <= _BODY_MAX:
            # The body cannot be read, so the next request cannot either; `handle_error` is silent.
            msg = "too much to read"
            raise ValueError(msg)
        return self.rfile.read(size)
