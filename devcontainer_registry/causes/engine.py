# SPDX-License-Identifier: MIT
"""
Causes of a pull that fails in the Docker Engine only.
"""

from __future__ import annotations

from ..errors import AuthenticationError, UnreachableError
from .cause import Cause

NO_PERMISSION = Cause(
    "engine-no-permission",
    UnreachableError,
    "permission denied on the Docker Engine's socket {socket}",
    "add this user to the socket's group ({group}) and log in again, or use sudo",
)
UNREACHABLE = Cause(
    "engine-unreachable",
    UnreachableError,
    "no Docker Engine answers at {address} ({named})",
    "start Docker, or correct {named}",
)
NO_CONTEXT = Cause(
    "engine-no-context",
    UnreachableError,
    "{named} names the docker context {context}, which does not exist",
    "run docker context ls, then docker context use with one of these",
)
CERTIFICATE = Cause(
    "engine-certificate",
    UnreachableError,
    "this machine trusts the certificate of {registry}, but the Docker Engine does not",
    "put its CA certificate at /etc/docker/certs.d/{registry}/ca.crt on the engine's machine",
)
CERTIFICATE_DATES = Cause(
    "engine-clock",
    UnreachableError,
    "the Docker Engine says that the certificate of {registry} expired or is not yet valid",
    "correct the clock of the engine's machine; restart Docker Desktop or WSL",
)
NAME = Cause(
    "engine-name-not-resolved",
    UnreachableError,
    "this machine can resolve {registry}, but the Docker Engine cannot",
    'correct the DNS of the engine\'s machine, or set "dns" in its daemon.json',
)
PROXY = Cause(
    "engine-proxy",
    UnreachableError,
    "the Docker Engine cannot reach its proxy {proxy}",
    'correct "proxies" in the engine\'s daemon.json, or add {registry} to its no-proxy list',
)
CONNECTION = Cause(
    "engine-cannot-connect",
    UnreachableError,
    "this machine can reach {registry}, but the Docker Engine cannot{proxy}",
    "check the firewall and proxy of the engine's machine",
)
TIMEOUT = Cause(
    "engine-timeout",
    UnreachableError,
    "the Docker Engine timed out while asking {registry}{proxy}",
    "check the firewall, DNS and proxy of the engine's machine",
)
PLAIN_HTTP = Cause(
    "engine-plain-http",
    UnreachableError,
    "{registry} speaks plain HTTP, which the Docker Engine accepts only from loopback addresses",
    'use TLS, or add {registry} to "insecure-registries" in the engine\'s daemon.json',
)
REFUSED = Cause(
    "engine-refused",
    AuthenticationError,
    "{registry} lets this machine read {name}, but not the Docker Engine{proxy}",
    "check whether the registry allows the engine's address",
)
NOT_FOUND = Cause(
    "engine-not-found",
    AuthenticationError,
    "{name} exists, but the Docker Engine asks another server for {registry} and finds "
    "nothing{proxy}",
    "compare the DNS, proxy and mirrors of the engine's machine with this one",
)
OTHER = Cause(
    "engine-failed",
    UnreachableError,
    "this machine can read {name}, but the Docker Engine cannot (status {status})",
    "run docker pull {image} and check the engine's log",
)
