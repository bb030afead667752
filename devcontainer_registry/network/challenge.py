# SPDX-License-Identifier: MIT
"""
`WWW-Authenticate` challenges, and which realm may get a credential.

The grammar is RFC 9110, section 11.6.1.  Parsing is lenient and never fails.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

from ..causes import login
from .urls import Url, is_inside

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..registry import Registry

_CHALLENGES_MAX = 32
_PARAMETERS_MAX = 32  # of one challenge
_LENGTH_MAX = 128 * 1024  # characters of one header; the parser needs a hundred bytes for each

_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

_GAP = re.compile(r"[\s,]*")
_WORD = re.compile(_NAME)
_TOKEN68 = re.compile(r"[ \t]+([A-Za-z0-9._~+/-]+=*)[ \t]*(?=,|\Z)")
# An unquoted value may exceed a token: Google sends `service=gcr.io`, others send URLs.
_PARAMETER = re.compile(
    rf'({_NAME})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)(?:"|\\?\Z)|([^\s,"]*))', re.DOTALL
)
_ESCAPE = r"\\(.)"


@dataclass(frozen=True, slots=True)
class Challenge:
    """
    One authentication scheme that a server offers.

    Attributes:
        scheme: Lower-cased: `bearer`, `basic`, ...
        parameters: Values by lower-case name; the first one counts.
        token68: Value that some schemes send instead of parameters.
    """

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    token68: str | None = None


def parse(headers: Iterable[str]) -> list[Challenge]:
    """
    Parse the values of `WWW-Authenticate` into challenges, in order, up to a limit.
    """
    found = (challenge for header in headers for challenge in _parse_one(header[:_LENGTH_MAX]))
    return list(islice(found, _CHALLENGES_MAX))


def _parse_one(header: str) -> Iterator[Challenge]:
    at = 0
    while True:
        at = _end(_GAP.match(header, at), at)
        word = _WORD.match(header, at)
        if word is None:
            if at >= len(header):
                return
            at += 1  # invalid; skip it
            continue
        at = word.end()
        token68 = _TOKEN68.match(header, at)
        if token68:
            at = token68.end()
            yield Challenge(word[0].lower(), token68=token68[1])
            continue
        parameters: dict[str, str] = {}
        while len(parameters) < _PARAMETERS_MAX and (
            parameter := _PARAMETER.match(header, _end(_GAP.match(header, at), at))
        ):
            at = parameter.end()
            parameters.setdefault(parameter[1].lower(), _value(parameter))
        yield Challenge(word[0].lower(), parameters)


def _end(match: re.Match[str] | None, otherwise: int) -> int:
    return match.end() if match else otherwise


def _value(parameter: re.Match[str]) -> str:
    quoted: str | None = parameter[2]
    return parameter[3] if quoted is None else re.sub(_ESCAPE, r"\1", quoted, flags=re.DOTALL)


# Token servers of large registries.  No other is accepted for them.
_REALMS = {
    # https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md
    "docker.io": "auth.docker.io",
    "registry-1.docker.io": "auth.docker.io",
    # https://github.com/deitch/docker_registry2/issues/14 (a recorded challenge)
    "registry.gitlab.com": "gitlab.com",
    # https://github.com/digitalocean/openapi/issues/75 (GET /v2/registry/auth)
    "registry.digitalocean.com": "api.digitalocean.com",
}
_REALM_IS_ITSELF = (
    # https://github.com/jdx/mise/pull/9273 (challenge of ghcr.io)
    r"ghcr\.io"
    # https://github.com/quay/claircore/pull/879
    r"|quay\.io"
    # https://github.com/cloudflare/serverless-registry/pull/122
    r"|(?:[a-z0-9-]+\.)?gcr\.io"
    # https://github.com/apple/containerization/pull/901
    r"|[a-z0-9-]+-docker\.pkg\.dev"
    # https://github.com/Azure/acr/blob/main/docs/Token-BasicAuth.md
    r"|[a-z0-9-]+\.azurecr\.(?:io|cn|us|de)"
    # https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html (token request)
    r"|public\.ecr\.aws"
)


def check_realm(
    realm: str, *, registry: Registry, asked: Url, crossed_hosts: bool, peer: str | None = None
) -> Url:
    """
    Return the token server of *realm* if it may receive a credential for *registry*.

    Accepted are `https` URLs; a registry on this machine may name a server on this machine, over
    `http` too.  The registry's own host is accepted at any port.  Another host is accepted only if
    the registry itself named it, over verified TLS; an address inside the network only from a
    registry that is there itself, and a link-local one, where clouds keep their metadata, never.
    For the registries in the list above, only the host listed.

    Args:
        realm: From the challenge.
        registry: Registry of the credential.
        asked: URL of the registry that sent the challenge.
        crossed_hosts: Whether the challenge came after a redirect to another host.
        peer: Address that answered, or None if unknown.

    Raises:
        UnreachableError: `realm-refused`.  Nothing was sent.
    """
    url = Url.parse(realm)
    if url is None:
        raise login.REALM_IS_NO_URL.error(host=registry)
    own = url.host == asked.host and not crossed_hosts
    inside = asked.is_inside or (peer is not None and is_inside(peer))
    name = registry.removesuffix(":443")
    listed = _REALMS.get(name, name if re.fullmatch(_REALM_IS_ITSELF, name) else None)
    both_here = registry.is_loopback and url.is_loopback
    if listed is not None and (url.scheme, url.netloc) != ("https", listed):
        why = login.REALM_IS_NOT_ITS_OWN
    elif url.scheme != "https" and not both_here:
        why = login.REALM_WITHOUT_TLS
    elif url.is_link_local and not own:
        why = login.REALM_IS_LINK_LOCAL
    elif url.is_inside and not own and not inside:
        why = login.REALM_IS_INSIDE
    elif not own and crossed_hosts:
        why = login.REALM_AFTER_REDIRECT
    elif not own and asked.scheme != "https" and not both_here:
        why = login.REALM_IS_UNPROVEN
    else:
        return url
    raise why.error(host=registry, realm=url.netloc, own=listed)
