# SPDX-License-Identifier: MIT
"""
Many registries in one process of their own, so that they share no interpreter with the bench.

Each is a port of 127.0.0.1 and asks for user and password.  One event loop serves them all: a
thousand threads would take the time that is to be measured.
"""

from __future__ import annotations

import asyncio
import base64
import json
import resource
import subprocess
import sys
from functools import partial

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import IO

USER, PASSWORD = "someone", "not-a-secret"

_HOST = "127.0.0.1"
_PROOF = b"authorization: basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).lower()

# Clients try TLS first, and know from a status line that this is plain HTTP.
_NOT_HTTP = b"HTTP/1.0 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
_ACCEPTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_ASKS = (
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="bench"\r\n'
    b"Content-Length: 0\r\n\r\n"
)


class Crowd:
    """
    That process, while entered.

    Args:
        number: How many registries.

    Attributes:
        names: What clients call them, `host:port`.
    """

    def __init__(self, number: int) -> None:
        self._number = number
        self.names: list[str] = []

    def __enter__(self) -> Crowd:
        """
        Start it, and wait until all listen.
        """
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.names = [f"{_HOST}:{port}" for port in self._told()]
        return self

    def __exit__(self, *_: object) -> None:
        """
        End it.
        """
        _end_of(self._process.stdin).close()
        self._process.wait(timeout=10)

    def accepted(self) -> list[int]:
        """
        Return how many logins each accepted since the last call, in the order of `names`.
        """
        given = _end_of(self._process.stdin)
        given.write(b"\n")
        given.flush()
        return self._told()

    def _told(self) -> list[int]:
        numbers: list[int] = json.loads(_end_of(self._process.stdout).readline())
        return numbers


def _end_of(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


class _Connection(asyncio.Protocol):
    """
    A connection to the registry *place*, whose accepted logins are counted in *accepted*.
    """

    def __init__(self, place: int, accepted: list[int]) -> None:
        self._place = place
        self._accepted = accepted
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._received[:1].isalpha():
            self._transport.write(_NOT_HTTP)
            self._transport.close()
            return
        while True:
            head, separator, rest = self._received.partition(b"\r\n\r\n")
            if not separator:
                return
            self._received = rest
            is_accepted = _PROOF in head.lower()
            self._accepted[self._place] += is_accepted
            self._transport.write(_ACCEPTED if is_accepted else _ASKS)


async def _serve(number: int) -> None:
    loop = asyncio.get_running_loop()
    accepted = [0] * number
    servers = [
        await loop.create_server(partial(_Connection, place, accepted), _HOST, 0, backlog=512)
        for place in range(number)
    ]
    print(json.dumps([server.sockets[0].getsockname()[1] for server in servers]), flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(accepted), flush=True)
        accepted[:] = [0] * number


if __name__ == "__main__":
    # Each listens, and each is connected to.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(_serve(int(sys.argv[1])))
