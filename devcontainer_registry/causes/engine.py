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
    "no Docker Engine answers at {address}, which {named} names",
    "start it, or correct {named}",
)
NO_CONTEXT = Cause(
    "engine-no-context",
    UnreachableError,
    "{named} names the docker context {context}, which does not exist",
    "run docker context ls, and docker context use with one of them",
)
CERTIFICATE = Cause(
    "engine-certificate",
    UnreachableError,
    "this machine trusts the certificate of {registry}, and the Docker Engine does not",
    "put its CA certificate at /etc/docker/certs.d/{registry}/ca.crt on the machine of the engine",
)
CERTIFICATE_DATES = Cause(
    "engine-clock",
    UnreachableError,
    "for the Docker Engine the certificate of {registry} is expired or not yet valid",
    "correct the clock of the machine of the engine; restart Docker Desktop or WSL",
)
NAME = Cause(
    "engine-name-not-resolved",
    UnreachableError,
    "this machine resolves {registry}, and the Docker Engine cannot",
    'correct the DNS of the machine of the engine, or set "dns" in its daemon.json',
)
PROXY = Cause(
    "engine-proxy",
    UnreachableError,
    "the Docker Engine cannot reach its proxy {proxy}",
    'correct "proxies" in the engine\'s daemon.json, or add {registry} to its no-proxy',
)
CONNECTION = Cause(
    "engine-cannot-connect",
    UnreachableError,
    "this machine reaches {registry}, and the Docker Engine cannot{proxy}",
    "check the firewall and the proxy of the machine of the engine",
)
TIMEOUT = Cause(
    "engine-timeout",
    UnreachableError,
    "the Docker Engine got no answer from {registry} in time{proxy}",
    "check the firewall, the DNS and the proxy of the machine of the engine",
)
PLAIN_HTTP = Cause(
    "engine-plain-http",
    UnreachableError,
    "{registry} speaks plain HTTP, which the Docker Engine takes from loopback addresses only",
    'put TLS in front of it, or add it to "insecure-registries" in the engine\'s daemon.json',
)
REFUSED = Cause(
    "engine-refused",
    AuthenticationError,
    "{registry} lets this machine read {name}, and denies it to the Docker Engine{proxy}",
    "check whether the registry lets in the engine's address",
)
NOT_FOUND = Cause(
    "engine-not-found",
    AuthenticationError,
    "{name} exists, and does not exist for the Docker Engine: it resolves {registry} to another "
    "server{proxy}",
    "compare the DNS, the proxy and the mirrors of the machine of the engine with this one",
)
OTHER = Cause(
    "engine-failed",
    UnreachableError,
    "this machine can read {name}, and the Docker Engine cannot: status {status}",
    "run docker pull {image} and look at the engine's log",
)
