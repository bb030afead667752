# SPDX-License-Identifier: MIT
"""
Requests of google-auth, sent through our own transport.
"""

from __future__ import annotations

import http.client
import os
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from ...causes.clouds.google import BUSY
from ...network.sockets import reason_of
from ...network.urls import shown
from ...observer import since, tell
from .bodies import BODY_MAX

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...network.transport import Transport

# google-auth asks it for a project's name, which no registry needs.
_PROJECTS = "cloudresourcemanager.googleapis.com"

_METADATA_MAX = 2.0  # seconds; it is on the same machine or missing


@dataclass(frozen=True, slots=True)
class Answer:
    """
    An answer as google-auth reads it: `google.auth.transport.Response`.
    """

    status: int
    headers: Mapping[str, str]
    data: bytes


class Asker:
    """
    Sends google-auth's requests with our trust, proxies and deadline.

    It is a `google.auth.transport.Request`.  Failures are this package's errors, which google-auth
    does not catch, so it does not retry.
    """

    def __init__(self, transport: Transport, end: float) -> None:
        self._transport, self._end = transport, end

    def __call__(
        self,
        url: str,
        method: str = "GET",
        body: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: object,
    ) -> Answer:
        left = self._end - time.monotonic()
        seconds = left if timeout is None else min(left, timeout)
        content = body.encode() if isinstance(body, str) else body
        parts = urlsplit(url)
        if parts.hostname == _PROJECTS:
            return Answer(404, {}, b"{}")
        if parts.scheme == "http" and parts.netloc in _metadata_hosts():
            answer = _ask_metadata(method, url, content, headers, seconds)
        else:
            response = self._transport.request(
                method, url, headers=headers, body=content, timeout=seconds
            )
            answer = Answer(response.status, _lower(response.headers), response.body)
        if answer.status in (408, 429) or answer.status >= 500:
            raise BUSY.error(host=parts.hostname, status=answer.status)
        return answer


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


def _metadata_hosts() -> tuple[str, ...]:
    # https://github.com/googleapis/google-auth-library-python/blob/v2.29.0/google/auth/environment_vars.py
    named = (
        os.environ.get(name)
        for name in ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP")
    )
    return ("metadata.google.internal", "169.254.169.254", *filter(None, named))


class NoMetadataError(Exception):
    """
    Google's metadata server did not answer.
    """


def _ask_metadata(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str] | None, seconds: float
) -> Answer:
    """
    Ask the metadata server of the machine, over plain HTTP without a proxy.
    """
    parts = urlsplit(url)
    begun = time.monotonic()
    asked = {"provider": "google", "operation": "metadata", "host": shown(parts.hostname or "")}
    connection = http.client.HTTPConnection(
        parts.netloc, timeout=max(0.1, min(seconds, _METADATA_MAX))
    )
    try:
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        content = answer.read(BODY_MAX)
    except (OSError, http.client.HTTPException) as exc:
        tell("cloud.answered", **asked, result=reason_of(exc), ms=since(begun))
        # Without the cause: only its absence matters.
        raise NoMetadataError from None
    finally:
        connection.close()
    tell("cloud.answered", **asked, result=str(answer.status), ms=since(begun))
    return Answer(answer.status, _lower(answer.getheaders()), content)
