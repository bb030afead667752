# SPDX-License-Identifier: MIT
"""
One HTTPS request within a deadline and size limits.

Nothing here tries twice.  What went wrong leaves as one of the package's errors, with the host in
it, and neither the URL's query nor a header nor a body.
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

# All that follows a redirect.  A list of what may, rather than of what may not:
# a header that somebody adds later is then kept back.
_FORWARDED = ("accept", "accept-encoding", "user-agent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """
    An answer, whatever its status.

    Attributes:
        status: The HTTP status.
        headers: Names as sent, and values, in the order sent; one name may come twice.
        body: At most `BODY_MAX` octets; what a refusal says beyond that is cut off.
        url: Whom the last request went to, after redirects.
        redirected: Whether a redirect was followed.
        crossed_hosts: Whether a redirect led to another host or port than the one asked.
        peer: The address that answered, or None where a proxy stands between.
        certificate_ends: When the server's certificate expires, in Unix seconds; None without TLS.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    body: bytes = field(repr=False)
    url: str = field(repr=False)
    redirected: bool = False
    crossed_hosts: bool = False
    peer: str | None = None
    certificate_ends: float | None = None

    def header(self, name: str) -> str | None:
        """
        The first value of the header *name*, in any case, or None.
        """
        return next(iter(self.header_list(name)), None)

    def header_list(self, name: str) -> list[str]:
        """
        Every value of the header *name*, in any case.
        """
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def leads_to(self) -> str | None:
        """
        Where a redirect that was not followed leads: host and path; None where it is no redirect.
        """
        location = self.header("Location")
        if self.status not in _REDIRECTS or not location:
            return None
        target = _parse(self.url).join(location)
        return place(str(target)) if target is not None else "nowhere that can be asked"

    @property
    def is_web_page(self) -> bool:
        """
        Whether the body is HTML or the like: no answer of a registry's API begins with `<`.

        The media type says less: Quay calls its `true` text/html.
        """
        return self.body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<"


class Transport:
    """
    Makes requests, and keeps connections to make the next one cheap.

    One for a whole run; safe to share between threads.  Close it, or use it in a `with`.

    Args:
        environ: For the proxies' variables, `SSL_CERT_FILE` and `SSL_CERT_DIR`; None: the
            process's own.
        certs_d: Folders with one folder of certificates per registry; None: docker's.
        trust: Whom to trust; None: what *environ* and *certs_d* say.
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
        Ask once, and follow the redirects of a GET or HEAD.

        `Authorization` is never sent after a redirect, to the same host neither: what asks for
        another place is no longer the place that was named.

        Args:
            method: `GET`, `HEAD`, `POST`, ...
            url: `https://`, or `http://` for this machine.
            timeout: Seconds for everything, redirects and a slowly dripping body included.
            headers: To send.
            body: To send.
            form: To send instead of *body*, as a form.
            ca_file: Path of a PEM bundle to trust in addition.
            trusted_as: The registry (`host[:port]`) on whose behalf we ask: its certificates in
                certs.d hold for its token server too, as for docker.  None: the host of *url*.
            follow: Whether to follow redirects; else the redirect itself is the answer.

        Raises:
            TransientError: Nobody answered; another try may help.
            UnreachableError: Nobody could be asked, and another try would end the same way.
            RegistryError: `not-a-registry`: what answered speaks no HTTP, or without end.
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
        Close the kept connections.
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
        # num_pools is the number of hosts to keep connections to, and its default is ten.
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
        # Without the URL: whatever made it no URL may be a secret in the wrong place.
        raise login_causes.NO_URL.error()
    return parsed


def _sendable(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not (value.isascii() and value.isprintable()):
            # http.client would say so too, and quote the value.
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
        # `ValueError` is what http.client makes of a chunk of less than nothing.
        # Without the cause: urllib3 quotes the URL, and http.client what the server sent.
        raise failures.sort(exc, url.netloc) from None
    if len(content) > BODY_MAX and answer.status < 400:
        raise login_causes.TOO_LARGE.error(host=url.netloc, size=BODY_MAX // 1024)
    return Response(
        status=answer.status,
        headers=tuple(answer.headers.items()),
        body=content[:BODY_MAX],
        url=str(url),
        peer=getattr(connection, "peer", None),
        certificate_ends=_end_of(getattr(connection, "certificate", None)),
    )


def _end_of(certificate: Mapping[str, Any] | None) -> float | None:
    return ssl.cert_time_to_seconds(certificate["notAfter"]) if certificate else None


def _open(
    pool: HTTPConnectionPool, method: str, url: Url, headers: dict[str, str], body: bytes | None
) -> Any:
    """
    Send the request, and read the headers of its answer.

    A kept connection may be gone, which shows when no octet of an answer comes: one fresh try, as
    Go has it, which is no second try of a credential that somebody has seen and refused.
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
