# SPDX-License-Identifier: MIT
"""
The proxy for a host, by docker's rules.

https://github.com/golang/net/blob/v0.24.0/http/httpproxy/proxy.go
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field

from ..causes.network import PROXY_UNSUPPORTED
from ..registry import is_loopback_host

TYPE_CHECKING = False

if TYPE_CHECKING:
    import ipaddress
    from collections.abc import Mapping

_PORTS = {"http": 80, "https": 443}

# Parse a proxy strictly: a slash in the user part would end it, and its password would be resolved
# as a host, or shown.  So no @ may follow the address.
_PROXY = (
    r"(?:(?P<scheme>https?)://)?"
    r"(?:(?P<user>(?:[A-Za-z0-9._:~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})*)@)?"
    r"(?P<address>(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]+)?)"
    r"(?:[/?#][^@]*)?"
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """
    A proxy; its `repr` never shows the password.

    Attributes:
        url: `scheme://host:port`, without the user part.
        authorization: The value of `Proxy-Authorization`, or None.
    """

    url: str
    authorization: str | None = field(default=None, repr=False)


def proxy_for(host: str, port: int, environ: Mapping[str, str]) -> Proxy | None:
    """
    Return the proxy for HTTPS requests to *host* (without brackets), or None.

    Requests to this machine use no proxy.

    Raises:
        UnreachableError: `proxy-unsupported`: the variable is invalid.  Its value is not quoted,
            since it may hold a password.
    """
    return chosen_for(host, port, environ)[0]


def chosen_for(host: str, port: int, environ: Mapping[str, str]) -> tuple[Proxy | None, str]:
    """
    As `proxy_for`, and why: the variable that says so, `loopback`, or `unset`: none names one.
    """
    variable = next((name for name in ("HTTPS_PROXY", "https_proxy") if environ.get(name)), None)
    if variable is None:
        return None, "unset"
    if is_loopback_host(host):
        return None, "loopback"
    exempting = next((name for name in ("NO_PROXY", "no_proxy") if environ.get(name)), "")
    if exempting and _is_exempt(host, port, environ[exempting]):
        return None, exempting
    proxy = _parse(environ[variable].strip())
    if proxy is None:
        raise PROXY_UNSUPPORTED.error(name=variable)
    return proxy, variable


def host_of(value: str) -> str:
    """
    Return `host:port` of the proxy *value*, its only part to show; "" if invalid.
    """
    proxy = _parse(value.strip())
    return proxy.url.partition("://")[2] if proxy else ""


def _parse(value: str) -> Proxy | None:
    match = re.fullmatch(_PROXY, value, re.IGNORECASE)
    if match is None:
        return None
    scheme = (match["scheme"] or "http").lower()
    host, port = _host_and_port(match["address"])
    if not host:
        return None
    url = f"{scheme}://{host}:{port or _PORTS[scheme]}"
    user = match["user"]
    if user is None:
        return Proxy(url)
    from urllib.parse import unquote_to_bytes  # imports `ipaddress` (10 ms), rarely needed

    name, _, password = user.partition(":")
    pair = unquote_to_bytes(name) + b":" + unquote_to_bytes(password)
    return Proxy(url, f"Basic {base64.b64encode(pair).decode()}")


def _host_and_port(address: str) -> tuple[str, int | None]:
    """
    Split `host[:port]`; return `("", None)` if invalid.  An IPv6 address keeps its brackets.
    """
    host, colon, port = address.rpartition(":")
    if not colon or address.endswith("]"):
        return address, None
    if not port.isdigit() or len(port) > 5 or not 0 < int(port) < 65536:
        return "", None
    return host, int(port)


def _is_exempt(host: str, port: int, no_proxy: str) -> bool:
    return any(
        _matches(entry, host.lower(), port)
        for entry in no_proxy.lower().replace(" ", ",").split(",")
        if entry
    )


def _matches(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    address = _address(host)
    network = _network(entry) if address else None
    if address and network:
        return address in network
    name, wanted = _host_and_port(entry) if _address(entry) is None else (entry, None)
    if not name or (wanted is not None and wanted != port):
        return False
    if address:
        return _address(name.strip("[]")) == address
    name = name.removeprefix("*")
    # A leading dot excludes the name itself; without one, it is included.
    return host.endswith(name) if name.startswith(".") else f".{host}".endswith(f".{name}")


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    import ipaddress  # as in `_parse`

    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    import ipaddress  # as in `_parse`

    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
