# SPDX-License-Identifier: MIT
"""
Limits on the answers that the clouds' SDKs read.

A body is cut off at the limit and is then no valid answer.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

BODY_MAX = 64 * 1024  # octets; the longest answer with a token has a tenth


def cut(answer: Any, **options: Any) -> bytes:
    """
    Read urllib3's *answer*, at most `BODY_MAX` octets; *options* as for its `read`.

    Not by its `stream`: before urllib3 2.8 that reads the size of a chunk however long it is.
    """
    body = b""
    while len(body) < BODY_MAX and (part := answer.read(BODY_MAX - len(body), **options)):
        body += part
    return body


def limit_botocore(session: Any) -> None:
    """
    Limit the bodies that clients of *session* read, credential providers included.
    """
    create = session.create_client

    def create_client(*args: Any, **options: Any) -> Any:
        client = create(*args, **options)
        endpoint = client._endpoint  # noqa: SLF001  (no way round, and so below)
        endpoint.http_session = _HttpSession(endpoint.http_session)
        return client

    session.create_client = create_client


def limit_provider(provider: Any) -> None:
    """
    Limit the bodies that botocore's *provider* reads from instance and container metadata.
    """
    for name in ("_role_fetcher", "_fetcher"):
        fetcher: Any = getattr(provider, name, None)
        if hasattr(fetcher, "_session"):
            fetcher._session = _HttpSession(fetcher._session)  # noqa: SLF001


class _HttpSession:
    """
    botocore's session with a limit on bodies.
    """

    def __init__(self, session: Any) -> None:
        self._session = session

    def send(self, request: Any) -> Any:
        from botocore import exceptions
        from urllib3.exceptions import ReadTimeoutError

        request.stream_output = True  # botocore reads all of it otherwise
        response = self._session.send(request)
        try:
            response._content = cut(response.raw)  # noqa: SLF001
        except ReadTimeoutError as exc:
            raise exceptions.ReadTimeoutError(endpoint_url=request.url, error=exc) from exc
        except Exception as exc:
            raise exceptions.ConnectionClosedError(
                endpoint_url=request.url, error=exc, request=request
            ) from exc
        finally:
            response.raw.close()
        return response

    def close(self) -> None:
        self._session.close()


def limited_requests(**options: Any) -> Any:
    """
    Return a transport for azure-core with a limit on bodies.

    Behind a proxy it sends each packet at once.  urllib3 does that only without one, and a body in
    a packet of its own then waits for the proxy to acknowledge the head: up to 40 ms.
    """
    import functools
    import socket

    import requests
    from azure.core.pipeline.transport import RequestsTransport

    class Session(requests.Session):
        def send(self, request: Any, **settings: Any) -> Any:
            response: Any = super().send(request, **{**settings, "stream": True})
            response._content = cut(response.raw, decode_content=True)  # noqa: SLF001
            response._content_consumed = True  # noqa: SLF001
            response.close()
            return response

    class Transport(RequestsTransport):  # type: ignore[misc]
        session: Any

        def open(self) -> None:
            if not self.session and not self._has_been_opened:
                self.session = Session()
                self._init_session(self.session)
                at_once = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
                for adapter in self.session.adapters.values():
                    adapter.proxy_manager_for = functools.partial(
                        adapter.proxy_manager_for, socket_options=at_once
                    )
            super().open()

    return Transport(**options)
