# SPDX-License-Identifier: MIT
"""
Sockets that keep to a deadline.

A socket's own timeout starts anew with each byte; a server that sends one byte a second would hold
us for hours.  These ask, before each wait, how much of the whole is left.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time

from ..observer import is_observed, since, tell
from ..threads import call_in_thread

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, TypeVar

    T = TypeVar("T")

    _AnySocket = socket.socket
else:
    _AnySocket = object  # beside a socket of either kind, `super()` is that socket


class _Local(threading.local):
    at: float | None = None
    ahead: tuple[str, int, Socket | OSError] | None = None


# Of the thread, since a kept connection serves one thread's request now and another's later.
_LOCAL = _Local()


@contextlib.contextmanager
def until(at: float) -> Iterator[None]:
    """
    Let this thread's waits end at *at*, on `time.monotonic`'s clock.
    """
    before, _LOCAL.at = _LOCAL.at, at
    try:
        yield
    finally:
        _LOCAL.at = before


def left() -> float:
    """
    Seconds until this thread's deadline.

    Raises:
        TimeoutError: It has passed.
    """
    if _LOCAL.at is None:
        return 30.0
    seconds = _LOCAL.at - time.monotonic()
    if seconds <= 0:
        raise TimeoutError
    return seconds


class Bounded(_AnySocket):
    """
    What keeps a socket, plain or TLS, to this thread's deadline.
    """

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().recv_into(*args, **kwargs)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().recv(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().sendall(*args, **kwargs)


class Socket(Bounded, socket.socket):
    """
    A TCP socket that keeps to this thread's deadline.
    """


@contextlib.contextmanager
def ahead(host: str, port: int, *, timeout: float) -> Iterator[None]:
    """
    Connect now for the first `connect` of this thread within, which takes what became of it.

    For who still has to import what makes the request: 60 ms and more, in which a connection
    gets made, within *timeout* seconds.  Never raises; `connect` does.
    """
    try:
        with until(time.monotonic() + timeout):
            made: Socket | OSError = connect(host, port)
    except OSError as exc:
        made = exc
    _LOCAL.ahead = host, port, made
    try:
        yield
    finally:
        if _left_over() and isinstance(made, Socket):
            made.close()


def _left_over() -> bool:
    kept, _LOCAL.ahead = _LOCAL.ahead, None
    return kept is not None


def connect(host: str, port: int) -> Socket:
    """
    Connect to *host*, trying its addresses in turn, each for its share of the time.

    Raises:
        OSError: `socket.gaierror` where it has no address, `TimeoutError`, or what the last
            address answered.
    """
    if _LOCAL.ahead is not None and _LOCAL.ahead[:2] == (host, port):
        (_, _, made), _LOCAL.ahead = _LOCAL.ahead, None
        if isinstance(made, OSError):
            raise made
        return made
    addresses = _resolve(host, port)
    error: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        # A share each, or one address that swallows packets would cost the others their turn.
        share = left() / (len(addresses) - tried)
        sock = Socket(family, kind, protocol)
        begun = time.monotonic()
        try:
            sock.settimeout(share)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as exc:
            sock.close()
            error = exc
            facts = {"address": address[0], "port": port, "reason": reason_of(exc)}
            tell("connection.failed", host=host, **facts, ms=since(begun))
        else:
            tell("connection.opened", host=host, address=address[0], port=port, ms=since(begun))
            return sock
    raise error


def _resolve(host: str, port: int) -> list[Any]:
    """
    Look *host* up; a lookup knows no timeout.
    """
    begun = time.monotonic()
    try:
        found = within(lambda: _look_up(host, port))
    except OSError as exc:
        tell("dns.failed", host=host, reason=reason_of(exc), ms=since(begun))
        raise
    if is_observed():
        addresses = list(dict.fromkeys(address[0] for *_, address in found))
        tell("dns.resolved", host=host, addresses=addresses, ms=since(begun))
    return found


def reason_of(exc: BaseException) -> str:
    """
    The system's or OpenSSL's name for *exc*, such as `ECONNREFUSED` or `EAI_NONAME`.
    """
    if isinstance(exc, TimeoutError):
        return "timeout"
    if isinstance(exc, socket.gaierror):
        names = (name for name in dir(socket) if name.startswith("EAI_"))
        return next((n for n in names if getattr(socket, n) == exc.errno), "gaierror")
    # Of an error of TLS: OpenSSL's name, where there is one.
    reason = getattr(exc, "verify_message", None) or getattr(exc, "reason", None)
    if isinstance(reason, str):
        return reason
    number = exc.errno if isinstance(exc, OSError) else None
    return errno.errorcode.get(number or 0, type(exc).__name__)


def within(call: Callable[[], T]) -> T:
    """
    What *call* returns or raises, if it does so before this thread's deadline.

    For what knows no timeout, such as a lookup, or a file of a server that is gone.

    Raises:
        TimeoutError: It did not.
    """
    # What hangs may outlive us, and nobody waits for it at exit: it is not inside OpenSSL.
    return call_in_thread(left(), call, is_seen_off=False)


def _look_up(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    except UnicodeError:
        # Every name that gets here is ASCII, and encoded here: the codec that would do it
        # otherwise is a module to import.
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
