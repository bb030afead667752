# SPDX-License-Identifier: MIT
"""
Network failures as errors, and whether to try again.
"""

from __future__ import annotations

import re
import socket
import ssl
from http.client import BadStatusLine, HTTPException, IncompleteRead, RemoteDisconnected

from ..errors import RegistryError, TransientError, UnreachableError, limit_error

# X509_V_ERR_*: https://github.com/openssl/openssl/blob/openssl-3.0.0/include/openssl/x509_vfy.h.in
_NOT_YET_VALID, _EXPIRED = 9, 10
_UNTRUSTED = (2, 18, 19, 20, 21, 24, 27, 28)
_WRONG_HOST = (62, 64)

# What OpenSSL makes of an answer that is no TLS; the name changed with its versions.
_NOT_TLS = (
    "WRONG_VERSION_NUMBER",
    "HTTP_REQUEST",
    "UNKNOWN_PROTOCOL",
    "PACKET_LENGTH_TOO_LONG",
    "RECORD_LAYER_FAILURE",
)

_TUNNEL_STATUS = re.compile(r"Tunnel connection failed: (\d{3})\b")


def sort(exc: BaseException, host: str) -> RegistryError:
    """
    The error to raise for *exc*, met while asking *host*.

    Quotes nothing of *exc*: libraries put URLs, headers and bodies into their messages.
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
        return not_a_registry(host, "answers, but not in HTTP")
    return _connection(exc, host)


_HUNG_UP = (ssl.SSLEOFError, ssl.SSLZeroReturnError)


def not_a_registry(host: str, why: str) -> RegistryError:
    """
    *host* answered what no registry answers; *why* completes the sentence.
    """
    return RegistryError(
        f"{host} {why}",
        hint="check the spelling of the registry, and that a registry listens there",
        code="not-a-registry",
    )


def no_challenge(host: str) -> RegistryError:
    """
    The error for *host*, whose 401 has no `WWW-Authenticate`.
    """
    return RegistryError(
        f"{host} asks for a login and does not say how: its answer has no WWW-Authenticate",
        hint="check the spelling of the registry; a proxy in between may drop that header",
        code="not-a-registry",
    )


def led_away(host: str, where: str) -> UnreachableError:
    """
    The error for *host*, which redirects to *where* once it was sent a credential.
    """
    return UnreachableError(
        f"{host} redirects to {where}, where the credential does not follow",
        hint="check the spelling of the registry; a proxy or sign-in page may stand in between",
        code="redirect-refused",
    )


def is_unanswered(exc: BaseException) -> bool:
    """
    Whether *exc* says that the connection ended before any octet of an answer.
    """
    return isinstance(_root(exc), (RemoteDisconnected, ConnectionResetError, BrokenPipeError))


def proxy(exc: BaseException, *, name: str, host: str) -> UnreachableError:
    """
    The error to raise for *exc*, met while asking the proxy *name* for *host*.
    """
    match = _TUNNEL_STATUS.search(str(exc)) if isinstance(exc, OSError) else None
    status = int(match[1]) if match else None
    hung_up = isinstance(exc, OSError)  # `RemoteDisconnected` is one, too
    if status is None and hung_up:
        return TransientError(
            f"the proxy {name} on the way to {host} cannot be reached",
            hint="check HTTPS_PROXY, and add the registry to NO_PROXY if none is needed",
            code="proxy-unreachable",
        )
    if status is not None and status >= 500:
        return TransientError(
            f"the proxy {name} cannot reach {host} (status {status})",
            hint="check that the registry is up, and add it to NO_PROXY if no proxy is needed",
            code="proxy-unreachable",
        )
    return refused_by_proxy(name, host, status)


def refused_by_proxy(name: str, host: str, status: int | None) -> UnreachableError:
    """
    A proxy that does not let us through to *host*; *status* is its answer, None: not HTTP.
    """
    hint = "allow the registry's host at the proxy, or add it to NO_PROXY"
    if status == 407:
        hint = "set user and password in HTTPS_PROXY: http://user:password@proxy:port"
    what = f"status {status}" if status else "an answer that is not a proxy's"
    return UnreachableError(
        f"the proxy {name} does not let us through to {host} ({what})",
        hint=hint,
        code="proxy-refused",
    )


def _root(exc: BaseException) -> BaseException:
    # urllib3 wraps what happened, as an argument or as the cause.
    while True:
        inner = next((arg for arg in exc.args if isinstance(arg, BaseException)), exc.__cause__)
        if inner is None:
            return exc
        exc = inner


def _certificate(code: int, host: str) -> UnreachableError:
    name = host.rpartition(":")[0] or host if not host.endswith("]") else host
    if code == _EXPIRED:
        what, why, hint = "expired", "has expired", "renew it, or check this machine's clock"
    elif code == _NOT_YET_VALID:
        what, why, hint = "not-yet-valid", "is not valid yet", "check this machine's clock"
    elif code in _WRONG_HOST:
        what, why = "wrong-host", "is for another name"
        hint = f"use the name that the certificate is for, or issue one for {name}"
    elif code in _UNTRUSTED:
        what, why = "untrusted", "is not signed by anybody whom this machine trusts"
        hint = f"set *_CA_FILE, or put the authority at /etc/docker/certs.d/{host}/ca.crt"
    else:
        what, why, hint = "invalid", f"is not valid (OpenSSL's code {code})", "replace it"
    return UnreachableError(
        f"the certificate of {host} {why}", hint=hint, code=f"certificate-{what}"
    )


def _tls(exc: ssl.SSLError, host: str) -> UnreachableError:
    if exc.reason in _NOT_TLS:
        return UnreachableError(
            f"{host} does not speak TLS there, most likely it speaks plain HTTP",
            hint="use the port that speaks HTTPS; plain HTTP is for registries on localhost only",
            code="plain-http",
        )
    return UnreachableError(
        f"{host} and we do not agree on TLS ({exc.reason or type(exc).__name__})",
        hint="check that it offers TLS 1.2 or later, and whether it asks for a client certificate",
        code="tls-failed",
    )


def _connection(exc: BaseException, host: str) -> TransientError:
    limit = limit_error(exc)
    if limit is not None:
        return limit
    if isinstance(exc, socket.gaierror):
        what, why, hint = "name-not-resolved", "has no address", "check its spelling and the DNS"
    elif isinstance(exc, TimeoutError):
        what, why = "timeout", "did not answer in time"
        hint = "check firewall and proxy, or allow more time with --timeout"
    elif isinstance(exc, ConnectionRefusedError):
        what, why = "connection-refused", "refuses the connection"
        hint = "check the port, and that the registry is running"
    elif isinstance(exc, (ConnectionError, BadStatusLine, IncompleteRead, *_HUNG_UP)):
        what, why = "connection-reset", "hung up in the middle"
        hint = "check firewall and proxy between here and the registry"
    else:
        what, why, hint = "unreachable", "cannot be reached", "check network, firewall and proxy"
    return TransientError(f"{host} {why}", hint=hint, code=what)
