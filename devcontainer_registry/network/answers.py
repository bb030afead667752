# SPDX-License-Identifier: MIT
"""
Answers of token servers and manifests, read as docker does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from ..causes import login
from ..credentials import token_claims
from .urls import place

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..registry import Registry
    from .transport import Response

# Characters that a bearer token in a header may have.
_SENDABLE = r"[!-~]+"

_UNQUOTED = r"realm\s*=\s*[a-z]+:"
_UNCLOSED = r'="(?:[^"\\]|\\.)*\\?\Z'

# RFC 3339, as Go reads it.
_TIME = r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:[.,]\d+)?(?:Z|[+-]\d{2}:\d{2})"

# Media types that `docker pull` accepts, so that the format causes no error.
PULLED = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_MEDIA_TYPES = {
    *PULLED,
    "application/vnd.docker.distribution.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
}
# https://github.com/opencontainers/image-spec/blob/v1.1.0/descriptor.md#digests
_DIGEST = r"[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[A-Za-z0-9=_-]{32,}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenAnswer:
    """
    Answer of a token server with status 200.

    Attributes:
        token: Bearer token; None if missing or invalid in a header.
        oddity: Why docker cannot parse the answer, or "".
    """

    token: str | None
    oddity: str = ""

    @property
    def is_nobodys(self) -> bool:
        """
        Whether the token is anonymous, by its empty subject.

        https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/jwt.md (sub)
        """
        return token_claims(self.token or "").get("sub") == ""


def read_token_answer(body: bytes) -> TokenAnswer:
    """
    Parse the token in *body*, and note what docker cannot parse.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        return TokenAnswer(token=None)
    token = answer.get("access_token") or answer.get("token")
    # It goes into a header, so it must not contain a line break.
    usable = isinstance(token, str) and re.fullmatch(_SENDABLE, token) is not None
    return TokenAnswer(token=token if usable else None, oddity=_oddity(body, answer))


def is_manifest(response: Response) -> bool:
    """
    Return whether *response* to a HEAD is a manifest, by digest or media type.
    """
    media_type = (response.header("Content-Type") or "").partition(";")[0].strip().lower()
    digest = response.header("Docker-Content-Digest") or ""
    return media_type in _MEDIA_TYPES or (
        re.fullmatch(_DIGEST, digest.strip()) is not None and media_type != "text/html"
    )


def _oddity(body: bytes, answer: Mapping[str, object]) -> str:
    """
    Return why docker cannot parse the token server's *answer*, or "".

    Go decodes it into a struct, so one member of a wrong type makes it fail.
    https://github.com/distribution/distribution/blob/v2.8.3/registry/client/auth/session.go
    """
    if body.startswith(b"\xef\xbb\xbf"):
        return login.HAS_BOM.say()
    for name, value in answer.items():
        # Go's decoder ignores case, and null counts as absent.
        member = name.lower()
        if value is None:
            continue
        if member in ("token", "access_token", "refresh_token") and not isinstance(value, str):
            return login.TOKEN_IS_NO_TEXT.say(member=member)
        if member == "expires_in" and (not isinstance(value, int) or isinstance(value, bool)):
            return login.EXPIRES_IN_IS_NO_NUMBER.say()
        if member == "issued_at" and not (isinstance(value, str) and re.fullmatch(_TIME, value)):
            return login.ISSUED_AT_IS_NO_TIME.say()
    return ""


def challenge_fault(headers: Iterable[str]) -> str:
    """
    Return why docker cannot parse the challenge in *headers*, or "".

    It reads an unquoted URL up to `https` only, and nothing of an unclosed quote.
    https://github.com/distribution/distribution/blob/v2.8.3/registry/client/auth/challenge/authchallenge.go
    """
    for header in headers:
        if re.search(_UNQUOTED, header, re.IGNORECASE):
            return login.REALM_HAS_NO_QUOTES.say()
        if re.search(_UNCLOSED, header, re.DOTALL):
            return login.CHALLENGE_ENDS_IN_QUOTES.say()
    return ""


def refuse_page(response: Response, registry: Registry) -> None:
    """
    Raise if *response* with status 200 is a sign-in page or from another host.
    """
    where = place(response.url)
    if response.is_web_page:
        page = login.WEB_PAGE_ELSEWHERE if response.redirected else login.WEB_PAGE
        raise page.error(host=registry, place=where)
    if response.crossed_hosts:
        raise login.LED_AWAY.error(host=registry, place=where)
