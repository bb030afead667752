# SPDX-License-Identifier: MIT
"""
Sockets with a deadline.

A socket's timeout restarts with each byte, so a server that sends one byte per second could block
for hours.  These sockets use the remaining time before each wait.
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


# Per thread, since threads share connections one after the other.
_LOCAL = _Local()


@contextlib.contextmanager
def until(at: float) -> Iterator[None]:
    """
    Set this thread's deadline to *at*, by `time.monotonic`, while entered.
    """
    before, _LOCAL.at = _LOCAL.at, at
    try:
        yield
    finally:
        _LOCAL.at = before


def left() -> float:
    """
    Return the seconds until this thread's deadline.

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
    Mixin for sockets, plain or TLS, with this thread's deadline.
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
    A TCP socket with this thread's deadline.
    """


@contextlib.contextmanager
def ahead(host: str, port: int, *, timeout: float) -> Iterator[None]:
    """
    Connect in advance for the first `connect` of this thread while entered.

    The connection is made while modules are imported (60 ms or more), within *timeout* seconds.  It
    never raises; `connect` does.
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
    Connect to *host*; each address gets a share of the time.

    Raises:
        OSError: `socket.gaierror` if it cannot be resolved, `TimeoutError`, or the error of the
            last address.
    """
    if _LOCAL.ahead is not None and _LOCAL.ahead[:2] == (host, port):
        (_, _, made), _LOCAL.ahead = _LOCAL.ahead, None
        if isinstance(made, OSError):
            raise made
        return made
    addresses = _resolve(host, port)
    error: OSError = socket.gaierror(socket.EAI_NONAME, "no address")
    for tried, (family, kind, protocol, _, address) in enumerate(addresses):
        # One address that drops packets must not use up all the time.
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
    Resolve *host* within the deadline; a lookup has no timeout of its own.
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
    Return the system's or OpenSSL's name for *exc*, such as `ECONNREFUSED`.
    """
    if isinstance(exc, TimeoutError):
        return "timeout"
    if isinstance(exc, socket.gaierror):
        names = (name for name in dir(socket) if name.startswith("EAI_"))
        return next((n for n in names if getattr(socket, n) == exc.errno), "gaierror")
    # For a TLS error, OpenSSL's name, if any.
    reason = getattr(exc, "verify_message", None) or getattr(exc, "reason", None)
    if isinstance(reason, str):
        return reason
    number = exc.errno if isinstance(exc, OSError) else None
    return errno.errorcode.get(number or 0, type(exc).__name__)


def within(call: Callable[[], T]) -> T:
    """
    Return or raise the result of *call* if it ends before this thread's deadline.

    For calls without a timeout, such as a lookup, or a read from a dead file server.

    Raises:
        TimeoutError: The deadline passed.
    """
    # A hanging call may be abandoned at exit, since it is not inside OpenSSL.
    return call_in_thread(left(), call, is_seen_off=False)


def _look_up(host: str, port: int) -> list[Any]:
    try:
        return socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM)
    except UnicodeError:
        # Every name is ASCII.  It is encoded here to avoid importing a codec.
        raise socket.gaierror(socket.EAI_NONAME, "not a host name") from None
