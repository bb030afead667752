# SPDX-License-Identifier: MIT
"""
Details of a certificate that this machine does not accept.

It opens a TLS connection without verification, sends nothing secret, and closes it.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

from ..network import sockets
from ..network.proxies import proxy_for
from ..network.refusals import seconds_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from typing import Any

    from ..registry import Registry

# X509_V_FLAG_NO_CHECK_TIME, which Python has no name for.
# https://github.com/openssl/openssl/blob/openssl-3.0.0/include/openssl/x509_vfy.h.in
_NO_CHECK_TIME = 0x200000
_ANSWER_MAX = 16 * 1024  # octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """
    A server's certificate.

    Attributes:
        starts: Start of its validity, in Unix seconds.
        ends: End of its validity, in Unix seconds.
        issuer: Name of the issuer.
        is_self_signed: Whether the server issued it itself.
        names: Hosts for which it is valid.
        server_time: Time of the server's clock, in Unix seconds; None if unknown.
    """

    starts: float
    ends: float
    issuer: str
    is_self_signed: bool
    names: tuple[str, ...]
    server_time: float | None = None


def read_certificate(
    registry: Registry, environ: Mapping[str, str], *, timeout: float
) -> Certificate | None:
    """
    Return the certificate of *registry*, through the proxy of *environ*, or None.
    """
    try:
        with sockets.until(time.monotonic() + timeout):
            leaf, server_time = _leaf(registry, environ)
            decoded = _decoded(leaf, registry, environ)
    except (OSError, ValueError):
        return None
    if not decoded:
        return None
    names = [value for kind, value in decoded.get("subjectAltName", ()) if kind != "email"]
    return Certificate(
        starts=ssl.cert_time_to_seconds(decoded["notBefore"]),
        ends=ssl.cert_time_to_seconds(decoded["notAfter"]),
        issuer=_name(decoded.get("issuer", ())),
        is_self_signed=decoded.get("issuer") == decoded.get("subject"),
        names=tuple(names or [_name(decoded.get("subject", ()))]),
        server_time=server_time,
    )


def _leaf(registry: Registry, environ: Mapping[str, str]) -> tuple[bytes, float | None]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        _connected(registry, environ) as raw,
        context.wrap_socket(raw, server_hostname=registry.hostname) as wrapped,
    ):
        leaf = wrapped.getpeercert(binary_form=True) or b""
        wrapped.settimeout(sockets.left())
        host = registry.api_host
        wrapped.sendall(f"HEAD /v2/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        return leaf, _date_in(_head(wrapped))


def _decoded(leaf: bytes, registry: Registry, environ: Mapping[str, str]) -> Mapping[str, Any]:
    # Python decodes only verified certificates, so trust this one, whatever its dates.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VerifyFlags(_NO_CHECK_TIME)
    context.load_verify_locations(cadata=leaf)
    with (
        _connected(registry, environ) as raw,
        context.wrap_socket(raw, server_hostname=registry.hostname) as wrapped,
    ):
        return wrapped.getpeercert() or {}


def _connected(registry: Registry, environ: Mapping[str, str]) -> socket.socket:
    proxy = proxy_for(registry.hostname, registry.port, environ)
    if proxy is None:
        raw = sockets.connect(registry.hostname, registry.port)
        raw.settimeout(sockets.left())
        return raw
    host, _, port = proxy.url.partition("://")[2].rpartition(":")
    raw = sockets.connect(host.strip("[]"), int(port))
    raw.settimeout(sockets.left())
    target = f"{registry.api_host.partition(':')[0]}:{registry.port}"
    secret = f"Proxy-Authorization: {proxy.authorization}\r\n" if proxy.authorization else ""
    raw.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{secret}\r\n".encode())
    if b" 200" not in _head(raw).partition(b"\r\n")[0]:
        raw.close()
        raise OSError
    return raw


def _head(stream: socket.socket) -> bytes:
    """
    Return the head of an answer, without its body.
    """
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _ANSWER_MAX:
        octet = stream.recv(1)  # only the head: TLS may follow it
        if not octet:
            break
        head += octet
    return head


def _date_in(head: bytes) -> float | None:
    for line in head.decode("latin-1").splitlines():
        name, _, value = line.partition(":")
        if name.lower() == "date":
            return seconds_of(value)
    return None


def _name(parts: Any) -> str:
    """
    Return the common name in a decoded distinguished name, else its last part.
    """
    pairs = [pair for part in parts for pair in part]
    named = dict(pairs)
    name = named.get("commonName") or named.get("organizationName") or "an unnamed authority"
    text = str(name)
    return text if text.isprintable() and len(text) <= 100 else ascii(text)[:100]
