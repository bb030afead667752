# SPDX-License-Identifier: MIT
"""
Network failures as errors, and whether to try again.
"""

from __future__ import annotations

import re
import socket
import ssl
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected

from ..causes import login, network
from ..errors import RegistryError, TransientError, UnreachableError, limit_error

# X509_V_ERR_*: https://github.com/openssl/openssl/blob/openssl-3.0.0/include/openssl/x509_vfy.h.in
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNTRUSTED = (2, 18, 19, 20, 21, 24, 27, 28)
_WRONG_HOST = (62, 64)

# OpenSSL's errors for an answer that is not TLS, in several versions.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)

_TUNNEL_STATUS = r"Tunnel connection failed: (\d{3})\b"


def sort(exc: BaseException, host: str) -> RegistryError:
    """
    Return the error for *exc*, raised by a request to *host*.

    It quotes nothing of *exc*: messages of libraries hold URLs, headers and bodies.
    """
    exc = _root(exc)
    if isinstance(exc, RegistryError):
        return exc
    if isinstance(exc, ssl.SSLCertVerificationError):
        return _certificate(exc.verify_code, host)
    if isinstance(exc, ssl.SSLError) and not isinstance(exc, _HUNG_UP):
        return _tls(exc, host)
    broken = isinstance(exc, (HTTPException, ValueError))
    if broken and not isinstance(exc, (RemoteDisconnected, IncompleteRead)):
        return login.SPEAKS_NO_HTTP.error(host=host)
    return _connection(exc, host)


_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def is_unanswered(exc: BaseException) -> bool:
    """
    Return whether the connection ended before any octet of an answer.
    """
    return isinstance(_root(exc), (RemoteDisconnected, ConnectionResetError, BrokenPipeError))


def proxy(exc: BaseException, *, name: str, host: str) -> UnreachableError:
    """
    Return the error for *exc*, raised by a request to *host* through the proxy *name*.
    """
    match = re.search(_TUNNEL_STATUS, str(exc)) if isinstance(exc, OSError) else None
    status = int(match[1]) if match else None
    hung_up = isinstance(exc, OSError)  # `RemoteDisconnected` is one, too
    if status is None and hung_up:
        return network.PROXY_UNREACHABLE.error(proxy=name, host=host)
    if status is not None and status >= 500:
        return network.PROXY_CANNOT_REACH.error(proxy=name, host=host, status=status)
    return refused_by_proxy(name, host, status)


def refused_by_proxy(name: str, host: str, status: int | None) -> UnreachableError:
    """
    Return the error for a proxy that refuses *host*; *status* None: it is not HTTP.
    """
    cause = network.PROXY_REFUSED if status else network.PROXY_SPEAKS_NO_HTTP
    if status == 407:
        cause = network.PROXY_WANTS_LOGIN
    return cause.error(proxy=name, host=host, status=status)


def _root(exc: BaseException) -> BaseException:
    # urllib3 wraps the original error as an argument or as the cause.
    while True:
        inner = next((arg for arg in exc.args if isinstance(arg, BaseException)), exc.__cause__)
        if inner is None:
            return exc
        exc = inner


def _certificate(code: int, host: str) -> UnreachableError:
    if code == _EXPIRED:
        cause = network.CERTIFICATE_EXPIRED
    elif code == _NOT_YET_VALID:
        cause = network.CERTIFICATE_NOT_YET_VALID
    elif code in _WRONG_HOST:
        cause = network.CERTIFICATE_WRONG_HOST
    elif code in _UNTRUSTED:
        cause = network.CERTIFICATE_UNTRUSTED
    else:
        cause = network.CERTIFICATE_INVALID
    return cause.error(host=host, number=code)


def _tls(exc: ssl.SSLError, host: str) -> UnreachableError:
    if exc.reason in _NOT_TLS:
        return network.PLAIN_HTTP.error(host=host)
    return network.TLS_FAILED.error(host=host, reason=exc.reason or type(exc).__name__)


def _connection(exc: BaseException, host: str) -> TransientError:
    limit = limit_error(exc)
    if limit is not None:
        return limit
    if isinstance(exc, socket.gaierror):
        cause = network.NAME_NOT_RESOLVED
    elif isinstance(exc, TimeoutError):
        cause = network.TIMED_OUT
    elif isinstance(exc, ConnectionRefusedError):
        cause = network.CONNECTION_REFUSED
    elif isinstance(exc, (ConnectionError, BadStatusLine, IncompleteRead, *_HUNG_UP)):
        cause = network.CONNECTION_RESET
    else:
        cause = network.UNREACHABLE
    return cause.error(host=host)
