# SPDX-License-Identifier: MIT
"""
One HTTPS request within a deadline and size limits.

Requests are not retried.  Failures are this package's errors.  They name the host, but no query,
header or body.
"""

from __future__ import annotations

import os
import ssl
import threading
import time
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from urllib.parse import urlencode

from urllib3 import HTTPConnectionPool, PoolManager, ProxyManager, Timeout
from urllib3.exceptions import HTTPError

from ..causes import login as login_causes
from ..causes import network as network_causes
from ..errors import RegistryError, UnreachableError
from ..observer import since, tell
from . import failures, sockets
from .connections import BODY_MAX, HttpPool, HttpsPool, TlsSocket, drop_idle, read_body
from .proxies import chosen_for
from .trust import Trust
from .urls import Url, check_redirect, place

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from .proxies import Proxy

_REDIRECTS_MAX = 5
_REDIRECTS = (301, 302, 303, 307, 308)

# Only these headers are sent after a redirect.  It is an allow list, so that new headers are not
# sent.
_FORWARDED = ("accept", "accept-encoding", "user-agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    An answer with any status.

    Attributes:
        status: The HTTP status.
        headers: Pairs of name and value, as sent; a name may repeat.
        body: At most `BODY_MAX` octets; a longer refusal is cut off.
        url: URL of the last request, after redirects.
        redirected: Whether a redirect was followed.
        crossed_hosts: Whether a redirect led to another host or port.
        peer: Address that answered, or None through a proxy.
        certificate: The server's certificate as `ssl` parses it; None without TLS.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    redirected: bool = False
    crossed_hosts: bool = False
    peer: str | None = None
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)

    def header(self, name: str) -> str | None:
        """
        Return the first value of the header *name*, ignoring case, or None.
        """
        return next(iter(self.header_list(name)), None)

    def header_list(self, name: str) -> list[str]:
        """
        Return all values of the header *name*, ignoring case.
        """
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def certificate_ends(self) -> float | None:
        """
        When the server's certificate expires, in Unix seconds; None without TLS.
        """
        return ssl.cert_time_to_seconds(self.certificate["notAfter"]) if self.certificate else None

    @property
    def leads_to(self) -> str | None:
        """
        Target of a redirect that was not followed, as host and path; else None.
        """
        location = self.header("Location")
        if self.status not in _REDIRECTS or not location:
            return None
        target = _parse(self.url).join(location)
        return place(str(target)) if target is not None else "nowhere that can be asked"

    @property
    def is_web_page(self) -> bool:
        """
        Whether the body is HTML: no answer of a registry's API begins with `<`.

        The media type is unreliable: Quay sends `true` as text/html.
        """
        return self.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


class Transport:
    """
    Sends requests and reuses connections.

    Use one per run.  Thread-safe.  Close it, or use it as a context manager.

    Args:
        environ: Variables for proxies, `SSL_CERT_FILE` and `SSL_CERT_DIR`; None: `os.environ`.
        certs_d: Folders with a folder of certificates per registry; None: docker's.
        trust: Certificate authorities to trust; None: from *environ* and *certs_d*.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        certs_d: Sequence[str] | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._environ = environ = os.environ if environ is None else environ
        self._trust = trust or Trust(environ, certs_d)
        self._pools: dict[tuple[Proxy | None, ssl.SSLContext | None], PoolManager] = {}
        self._lock = threading.Lock()
        self._told: set[str] = set()  # hosts whose proxy was told

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        form: Mapping[str, str] | None = None,
        ca_file: str | None = None,
        trusted_as: str | None = None,
        follow: bool = True,
    ) -> Response:
        """
        Send one request, and follow redirects of a GET or HEAD.

        `Authorization` is never sent after a redirect, not even to the same host.

        Args:
            method: `GET`, `HEAD`, `POST`, ...
            url: `https://`, or `http://` for this machine.
            timeout: Seconds for everything, including redirects and a slow body.
            headers: Headers to send.
            body: Body to send.
            form: Form to send instead of *body*.
            ca_file: Path of an additional PEM bundle to trust.
            trusted_as: Registry (`host[:port]`) whose certificates in certs.d to use, as docker
                does for its token server.  None: the host of *url*.
            follow: Whether to follow redirects; otherwise the redirect is the answer.

        Raises:
            TransientError: There was no answer; a retry may help.
            UnreachableError: The server cannot be reached, and a retry cannot help.
            RegistryError: `not-a-registry`: the answer is not HTTP, or too long.
        """
        wanted = _sendable({"Accept-Encoding": "identity", "User-Agent": "devcontainer-registry"})
        wanted |= _sendable(headers or {})
        if form is not None:
            body = urlencode(form, errors="surrogateescape").encode()
            wanted["Content-Type"] = "application/x-www-form-urlencoded"
        at = _parse(url)
        redirected = crossed = False
        with sockets.until(time.monotonic() + timeout):
            for _ in range(_REDIRECTS_MAX + 1):
                pool = self._pool(at, trusted_as or at.netloc, ca_file)
                asked = {"method": method, "host": at.netloc, "path": at.path}
                begun = time.monotonic()
                try:
                    response = _ask(pool, method, at, wanted, body)
                except RegistryError as exc:
                    tell("request.failed", **asked, code=exc.code, ms=since(begun))
                    if isinstance(exc, UnreachableError):
                        raise self._trust.explained(exc) from None
                    raise
                tell("request.answered", **asked, status=response.status, ms=since(begun))
                response = replace(response, redirected=redirected, crossed_hosts=crossed)
                location = response.header("Location")
                may_follow = follow and method in _SAFE
                if response.status not in _REDIRECTS or not location or not may_follow:
                    return response
                target = check_redirect(at, at.join(location))
                wanted = {k: v for k, v in wanted.items() if k.lower() in _FORWARDED}
                tell("request.redirected", host=at.netloc, to=target.netloc)
                redirected, crossed = True, crossed or not at.same_host(target)
                at = target
        raise login_causes.REDIRECTS_IN_CIRCLES.error(host=_parse(url).netloc)

    def close(self) -> None:
        """
        Close all connections.
        """
        with self._lock:
            managers = list(self._pools.values())
            self._pools.clear()
        for manager in managers:
            manager.clear()

    def __enter__(self) -> Transport:
        """
        Itself.
        """
        return self

    def __exit__(self, *exc_info: object) -> None:
        """
        Close it.
        """
        self.close()

    def _pool(self, url: Url, trusted_as: str, ca_file: str | None) -> HTTPConnectionPool:
        proxy: Proxy | None = None
        context: ssl.SSLContext | None = None
        if url.scheme == "https":
            proxy, why = chosen_for(url.hostname, url.port, self._environ)
            if url.netloc not in self._told:
                self._told.add(url.netloc)
                address = proxy.url.partition("://")[2] if proxy else None
                event = "proxy.chosen" if proxy else "proxy.bypassed"
                tell(event, host=url.netloc, proxy=address, why=why)
            context = self._trust.context(trusted_as, ca_file=ca_file)
        elif not url.is_loopback:
            raise network_causes.INSECURE.error(host=url.netloc)
        with self._lock:
            manager = self._pools.get((proxy, context))
            if manager is None:
                manager = self._pools[proxy, context] = self._manager(proxy, context)
            return manager.connection_from_host(url.host, url.port, url.scheme)

    def _manager(self, proxy: Proxy | None, context: ssl.SSLContext | None) -> PoolManager:
        # num_pools is the number of hosts with reusable connections; its default is ten.
        options: dict[str, Any] = {"num_pools": 1000, "maxsize": 8}
        if context is not None:
            context.sslsocket_class = TlsSocket
            options["ssl_context"] = context
        if proxy is None:
            manager = PoolManager(**options)
        else:
            secret = {"Proxy-Authorization": proxy.authorization} if proxy.authorization else {}
            manager = ProxyManager(
                proxy.url, proxy_headers=secret, proxy_ssl_context=context, **options
            )
        manager.pool_classes_by_scheme = {"http": HttpPool, "https": HttpsPool}
        return manager


_SAFE = ("GET", "HEAD")


def _parse(url: str) -> Url:
    parsed = Url.parse(url)
    if parsed is None:
        # Without the URL: it may hold a misplaced secret.
        raise login_causes.NO_URL.error()
    return parsed


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            # http.client would raise as well, but quote the value.
            msg = f"the header {name} holds a character that cannot be sent"
            raise ValueError(msg)
    return dict(headers)


def _ask(
    pool: HTTPConnectionPool,
    method: str,
    url: Url,
    headers: dict[str, str],
    body: bytes | None,
) -> Response:
    try:
        answer = _open(pool, method, url, headers, body)
        connection = getattr(answer, "connection", None)
        content = read_body(answer)
    except (HTTPError, HTTPException, OSError, ValueError) as exc:
        # http.client raises `ValueError` for a chunk of negative size. Without the cause: urllib3
        # quotes the URL, and http.client what the server sent.
        raise failures.sort(exc, url.netloc) from None
    if len(content) > BODY_MAX and answer.status < 400:
        raise login_causes.TOO_LARGE.error(host=url.netloc, size=BODY_MAX // 1024)
    return Response(
        status=answer.status,
        headers=tuple(answer.headers.items()),
        body=content[:BODY_MAX],
        url=str(url),
        peer=getattr(connection, "peer", None),
        certificate=getattr(connection, "certificate", None),
    )


def _open(
    pool: HTTPConnectionPool, method: str, url: Url, headers: dict[str, str], body: bytes | None
) -> Any:
    """
    Send the request and read the headers of the answer.

    A reused connection may be stale: then no octet of an answer arrives, and the request is sent
    once more, as in Go.  The server has not seen the credential yet.
    """
    for fresh in (False, True):
        made = pool.num_connections
        try:
            left = sockets.left()
            return pool.urlopen(
                method,
                url.target,
                body=body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=Timeout(connect=left, read=left),
                preload_content=False,
                decode_content=False,
            )
        except (HTTPError, HTTPException, OSError) as exc:
            was_kept = pool.num_connections == made and method in _SAFE
            if fresh or not was_kept or not failures.is_unanswered(exc):
                raise
            drop_idle(pool)
    raise AssertionError  # the second try returns or raises
