# SPDX-License-Identifier: MIT
"""
A distance that is not there: TCP proxies on loopback that hold back what passes them.

A real connection costs a round trip before the first byte may be sent.  A client on loopback is
through at once, so its first bytes are held back for as long as that would have taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any


class Distance:
    """
    Proxies of one event loop in one thread, as many as needed, while entered.

    Args:
        one_way: Seconds that a byte takes; the round-trip time is twice that.

    Attributes:
        connections: How many were made so far.
    """

    def __init__(self, one_way: float) -> None:
        self.one_way = one_way
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.AbstractServer] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    def __enter__(self) -> Distance:
        """
        Start the loop.
        """
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """
        Close all proxies and whatever passes through them.
        """
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def to(self, port: int) -> int:
        """
        The port of a new proxy in front of *port*.
        """
        found: int = self._run(self._listen(port))
        return found

    def _run(self, task: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(timeout=10)

    async def _listen(self, port: int) -> int:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                await self._pass_on(port, reader, writer)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, backlog=512)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _pass_on(
        self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.connections += 1
        shaken = asyncio.get_running_loop().time() + 2 * self.one_way
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = (
            asyncio.ensure_future(self._carry(reader, back, not_before=shaken + self.one_way)),
            asyncio.ensure_future(self._carry(there, writer, not_before=0.0)),
        )
        try:
            await asyncio.gather(*ways)
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            back.close()
            # All the way: the loop may end right after this.
            ends = writer.wait_closed(), back.wait_closed()
            await asyncio.gather(*ways, *ends, return_exceptions=True)

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, not_before: float
    ) -> None:
        clock = asyncio.get_running_loop().time
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, content = await under_way.get()
                await asyncio.sleep(max(0.0, due - clock()))
                if not content:
                    break
                writer.write(content)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()

        arriving = asyncio.ensure_future(arrive())
        try:
            while True:
                content = await reader.read(65536)
                under_way.put_nowait((max(clock() + self.one_way, not_before), content))
                if not content:
                    break
            await arriving
        finally:
            arriving.cancel()
            await asyncio.gather(arriving, return_exceptions=True)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks.copy():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()
