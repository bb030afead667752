# SPDX-License-Identifier: MIT
"""
URLs, parsed and checked once.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from ..causes.login import REDIRECT_NOWHERE, REDIRECT_REFUSED
from ..registry import is_loopback_host

_PORTS = {"http": 80, "https": 443}

# Stricter than RFC 3986: no user part, no backslash, only ASCII.  Parsers disagree about those,
# which could send a credential to the wrong host.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[!-~]*)?",
    re.IGNORECASE | re.ASCII,
)

# Characters that a Location or realm may have, and a request line may hold.
_SAFE = "%!$&'()*+,/:;=?@[]~"


@dataclass(frozen=True, slots=True)
class Url:
    """
    An `http` or `https` URL without user part or fragment.

    Attributes:
        scheme: `http` or `https`.
        host: Lower-cased; an IPv6 address keeps its brackets.
        port: Port, explicit or the scheme's default.
        target: Path and query, as in a request line.
    """

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, text: str) -> Url | None:
        """
        Parse *text*; return None if it is not such a URL.
        """
        head, mark, query = text.partition("?")
        match = _URL.fullmatch(head)
        if match is None or "#" in text or "\\" in text or not _is_visible(query):
            return None
        scheme = match["scheme"].lower()
        port = int(match["port"]) if match["port"] else _PORTS[scheme]
        host = match["host"].lower()
        if not 0 < port < 65536 or not _is_host(host):
            return None
        return cls(scheme, host, port, (match["path"] or "/") + mark + query)

    def join(self, location: str) -> Url | None:
        """
        Return the target of a redirect to *location*, or None if it is invalid.
        """
        # http.client reads headers as Latin-1; bytes beyond ASCII are escaped again.
        reference = quote(location.partition("#")[0].encode("latin-1", "replace"), safe=_SAFE)
        try:
            return Url.parse(urljoin(str(self), reference))
        except ValueError:
            return None

    @property
    def path(self) -> str:
        """
        Path for events, without secrets and query.
        """
        return shown(self.target.partition("?")[0])

    @property
    def netloc(self) -> str:
        """
        `host`, with `:port` unless it is the scheme's default.
        """
        return self.host if self.port == _PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def hostname(self) -> str:
        """
        The host without brackets.
        """
        return self.host.strip("[]")

    @property
    def is_loopback(self) -> bool:
        """
        Whether the host is literally this machine.
        """
        return is_loopback_host(self.hostname)

    @property
    def is_inside(self) -> bool:
        """
        Whether the host is a private address, or this machine.

        Includes link-local addresses (metadata of clouds), loopback, and IPv6 addresses that embed
        one.
        """
        return is_inside(self.hostname)

    @property
    def is_link_local(self) -> bool:
        """
        Whether the host is a link-local address, or another address of cloud metadata.
        """
        address = _address(self.hostname)
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return self.hostname in _METADATA or (address is not None and address.is_link_local)

    def same_origin(self, other: Url) -> bool:
        """
        Return whether *other* has the same scheme, host and port.
        """
        return (self.scheme, self.host, self.port) == (other.scheme, other.host, other.port)

    def same_host(self, other: Url) -> bool:
        """
        Return whether *other* has the same host and port.
        """
        return (self.host, self.port) == (other.host, other.port)

    def __str__(self) -> str:
        """
        The whole URL.
        """
        return f"{self.scheme}://{self.netloc}{self.target}"


_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052, section 2.1


# Names and addresses of the clouds' metadata services, beside the link-local ones:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
# https://cloud.google.com/compute/docs/metadata/querying-metadata
# https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
_METADATA = ("fd00:ec2::254", "metadata.google.internal", "100.100.100.200", "168.63.129.16")


def is_inside(hostname: str) -> bool:
    """
    Return whether *hostname* is a private address, or this machine.
    """
    if is_loopback_host(hostname) or hostname.endswith(".localhost"):
        return True
    address = _address(hostname)
    if isinstance(address, ipaddress.IPv6Address):
        # Some IPv6 addresses embed an IPv4 address.
        return bool(not address.is_global or address.sixtofour or address in _NAT64)
    return address is not None and not address.is_global


def _address(hostname: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(hostname.partition("%")[0])
    except ValueError:
        return None


def place(url: str) -> str:
    """
    Return host and path of *url* for messages; the query may hold a secret.
    """
    return url.partition("://")[2].partition("?")[0].removesuffix("/")


def shown(text: str) -> str:
    """
    Return *text* from a server for events, with `****` for possible secrets.

    Long parts that are no digest, and escaped parts, are masked.
    """
    return _PART.sub(lambda m: m[0] if _MAY_BE_SHOWN.fullmatch(m[0]) else "****", text[:500])


# Names of repositories, services and scopes, digests and versions.
_PART = re.compile(r"[^/:, ]+")
_MAY_BE_SHOWN = re.compile(r"[A-Za-z0-9._@*()'-]{1,39}|[0-9a-f]{64}")


def check_redirect(source: Url, target: Url | None) -> Url:
    """
    Return *target* if a redirect from *source* to it is safe.

    Raises:
        UnreachableError: `redirect-refused`: it leads from a public name to a private address, or
            from HTTPS to HTTP.
    """
    if target is not None and (
        source.same_origin(target)
        or (source.is_loopback and target.is_loopback)
        or (target.scheme == "https" and (not target.is_inside or source.same_host(target)))
    ):
        return target
    if target is None:
        raise REDIRECT_NOWHERE.error(host=source.netloc)
    # Only the host: the rest of a location may hold a secret.
    where = f"{target.scheme}://{target.netloc}"
    raise REDIRECT_REFUSED.error(host=source.netloc, place=where)


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _is_host(host: str) -> bool:
    if host.startswith("["):
        try:
            ipaddress.IPv6Address(host[1:-1])
        except ValueError:
            return False
        return True
    labels = host.split(".")
    if not all(0 < len(label) <= 63 for label in labels) or len(host) > 253:
        return False
    # Resolvers accept 127.1, 0x7f.1 and 2130706433 as addresses; they are refused here.
    last = labels[-1]
    if last.isdigit() or last.startswith("0x"):
        try:
            ipaddress.IPv4Address(host)
        except ValueError:
            return False
    return True
