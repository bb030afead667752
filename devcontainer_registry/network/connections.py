# SPDX-License-Identifier: MIT
"""
Connections of urllib3 that accept the same answers as docker.

Unlike Python's client, Go's accepts interim answers other than 100, more than a hundred headers,
and blanks in a header's name.
"""

from __future__ import annotations

# Used by `ssl` for each host: a codec that cannot be loaded for want of a descriptor would be
# "unknown" for the rest of the process.
import encodings.idna  # noqa: F401
import queue
import ssl
import zlib
from http.client import HTTPException, HTTPResponse, IncompleteRead

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from ..observer import is_observed, tell
from . import failures, sockets
from .urls import shown

TYPE_CHECKING = False

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterable, Iterator
    from typing import Any, BinaryIO

BODY_MAX = 64 * 1024  # octets; more than any token or error needs

# Octets of all headers of one answer; Go's client has the same default of 1 MiB.
# https://pkg.go.dev/net/http#Transport (MaxResponseHeaderBytes)
_HEADERS_MAX = 1024 * 1024
# Maximum interim answers before the final one, as in Go.
_INTERIM_MAX = 5
# http.client accepts at most a hundred headers, and lines of 64 KiB.
_LINES_MAX = 90
_LINE_MAX = 60 * 1024

_MALFORMED = "malformed headers"

# Headers to keep first if there are too many.
_WANTED = (
    "www-authenticate",
    "proxy-authenticate",
    "content-",
    "transfer-encoding",
    "connection",
    "location",
    "docker-",
    "retry-after",
    "date",
)


class TlsSocket(sockets.Bounded, ssl.SSLSocket):
    """
    A TLS socket with this thread's deadline, including its handshake.
    """

    def do_handshake(self, block: bool = False) -> None:
        """
        Do the handshake within the remaining time.
        """
        self.settimeout(sockets.left())
        return super().do_handshake(block)


class TooManyHeadersError(HTTPException):
    """
    Too many headers or interim answers.
    """


class _Lines:
    """
    A stream that yields *lines* and then the rest of *stream*.
    """

    def __init__(self, lines: Iterator[bytes], stream: BinaryIO) -> None:
        self._lines = lines
        self._stream = stream

    def readline(self, limit: int = -1) -> bytes:
        line = next(self._lines, None)
        return self._stream.readline(limit) if line is None else line

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _Response(HTTPResponse):
    """
    An answer with headers parsed as Go does.
    """

    def begin(self) -> None:
        stream = self.fp
        super().begin()
        if isinstance(self.fp, _Lines):
            self.fp = stream

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(_INTERIM_MAX + 1):
            found = super()._read_status()  # type: ignore[misc]  # http.client's own
            lines = _header_lines(self.fp)
            if not 100 <= found[1] < 200 or found[1] == 101:
                self.fp = _Lines(iter([*lines, b"\r\n"]), self.fp)  # type: ignore[assignment]
                return found  # type: ignore[no-any-return]
        msg = "too many interim answers"
        raise TooManyHeadersError(msg)


def _header_lines(stream: BinaryIO) -> list[bytes]:
    """
    Return the header lines in *stream* and consume them.

    As in Go, continuation lines are joined, and a name with a blank is dropped.
    https://github.com/golang/go/blob/go1.22.0/src/net/textproto/reader.go (readMIMEHeader)
    """
    parts: list[list[bytes]] = []
    left = _HEADERS_MAX
    while (line := stream.readline(left + 1)) not in (b"\r\n", b"\n"):
        if not line:
            # Python treats EOF as their end, so a partial answer would look complete.
            raise IncompleteRead(b"")
        left -= len(line)
        if left < 0:
            msg = "too many headers"
            raise TooManyHeadersError(msg)
        if line[:1] in (b" ", b"\t"):
            if not parts:
                raise HTTPException(_MALFORMED)
            parts[-1].append(line.strip())
        else:
            parts.append([line.rstrip(b"\r\n")])
    lines = [b" ".join(each) + b"\r\n" for each in parts]
    if not all(b":" in line for line in lines) or not _has_valid_framing(lines):
        raise HTTPException(_MALFORMED)
    good = [line for line in lines if _is_header(line)]
    wanted = [line for line in good if line.lower().startswith(_WANTED_OCTETS)]
    others = [line for line in good if not line.lower().startswith(_WANTED_OCTETS)]
    return [_shortened(line) for line in [*wanted, *others][:_LINES_MAX]]


def _has_valid_framing(lines: Iterable[bytes]) -> bool:
    """
    Return whether the body's end is unambiguous: one length, or chunks.

    https://github.com/golang/go/blob/go1.22.0/src/net/http/transfer.go (parseTransferEncoding)
    """
    pairs = [line.partition(b":") for line in lines]
    lengths = {value.strip() for name, _, value in pairs if name.lower() == b"content-length"}
    codings = [v.strip().lower() for name, _, v in pairs if name.lower() == b"transfer-encoding"]
    numbered = len(lengths) <= 1 and all(length.isdigit() or not length for length in lengths)
    return codings == [b"chunked"] or (numbered and not codings)


_WANTED_OCTETS = tuple(name.encode() for name in _WANTED)


def _is_header(line: bytes) -> bool:
    name, colon, _ = line.partition(b":")
    return bool(colon and name) and not any(octet <= 32 or octet >= 127 for octet in name)


def _shortened(line: bytes) -> bytes:
    return line if len(line) <= _LINE_MAX else line[:_LINE_MAX] + b"\r\n"


class _HttpConnection(HTTPConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _HttpsConnection(HTTPSConnection):
    response_class = _Response

    def _new_conn(self) -> socket.socket:
        return _connect(self)

    def _tunnel(self) -> None:
        # Check first: urllib3 drops the tunnel when it fails.
        host = _name(self._tunnel_host or "", self._tunnel_port)
        try:
            super()._tunnel()
        except (HTTPException, OSError) as exc:
            # Without the cause, which quotes the proxy.
            raise failures.proxy(exc, name=_name(self.host, self.port), host=host) from None
        tell("proxy.tunnel_opened", host=host, proxy=_name(self.host, self.port))

    def connect(self) -> None:
        host = _name(self._tunnel_host or self.host, self._tunnel_port or self.port)
        try:
            super().connect()
            # Read in `_ask`, as `peer` is.
            self.certificate = self.sock.getpeercert()  # type: ignore[union-attr]  # TLS by now
            if is_observed():
                _tell_of_tls(host, self.sock, self.certificate)
        except (HTTPError, HTTPException, OSError) as exc:
            if isinstance(exc, ssl.SSLError):
                tell("tls.failed", host=host, reason=sockets.reason_of(exc))
            if self.proxy and not self.has_connected_to_proxy:
                host = _name(self.host, self.port)
            raise failures.sort(exc, host) from None  # as in `_ask`


def _connect(connection: HTTPConnection) -> socket.socket:
    try:
        sock = sockets.connect(connection.host, connection.port)
        if not connection.proxy:
            connection.peer = sock.getpeername()[0]  # type: ignore[attr-defined]  # read in `_ask`
        return sock
    except OSError as exc:
        name = _name(connection.host, connection.port)
        if connection.proxy:
            raise failures.proxy(exc, name=name, host=connection._tunnel_host or "") from None  # noqa: SLF001
        raise failures.sort(exc, name) from exc


def _tell_of_tls(host: str, sock: Any, certificate: Any) -> None:
    tell(
        "tls.negotiated",
        host=host,
        version=sock.version(),
        subject=_common_name(certificate.get("subject", ())),
        issuer=_common_name(certificate.get("issuer", ())),
        expires=certificate.get("notAfter", ""),
    )


def _common_name(names: Iterable[Iterable[tuple[str, str]]]) -> str:
    """
    The common name in *names*, or else the organization.
    """
    known = {kind: shown(value) for name in names for kind, value in name}
    return known.get("commonName") or known.get("organizationName", "")


def _name(host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, 443) else f"{host}:{port}"


class HttpPool(HTTPConnectionPool):
    """
    Connections to one host, over plain HTTP.
    """

    ConnectionCls = _HttpConnection


class HttpsPool(HTTPSConnectionPool):
    """
    Connections to one host, over TLS.
    """

    ConnectionCls = _HttpsConnection


def drop_idle(pool: HTTPConnectionPool) -> None:
    """
    Close the idle connections of *pool*: they may be stale as well.
    """
    idle: queue.LifoQueue[Any] | None = pool.pool
    while idle is not None:
        try:
            connection = idle.get_nowait()
        except queue.Empty:
            return
        if connection is not None:
            connection.close()


def read_body(answer: Any) -> bytes:
    """
    Read and decompress the body of *answer*, up to one octet over the limit.

    The connection is reused only if the body was read completely.
    """
    return _plain(_read(answer), answer.headers.get("Content-Encoding", ""))


def _plain(content: bytes, encoding: str) -> bytes:
    """
    Decompress *content*, up to one octet over the limit; servers may compress unasked.
    """
    windows = {"gzip": 31, "x-gzip": 31, "deflate": 47}.get(encoding.strip().lower())
    if windows is None or not content:
        return content
    try:
        return zlib.decompressobj(windows).decompress(content, BODY_MAX + 1)
    except zlib.error as exc:
        msg = "not what Content-Encoding says"
        raise HTTPException(msg) from exc


def _read(answer: Any) -> bytes:
    """
    Read the body, up to one octet over the limit; keep the connection if it was complete.
    """
    content = b""
    try:
        while len(content) <= BODY_MAX:
            part: bytes = answer.read(BODY_MAX + 1 - len(content), decode_content=False)
            if not part:
                answer.release_conn()
                return content
            content += part
    except BaseException:
        answer.close()
        raise
    answer.close()
    return content
