# SPDX-License-Identifier: MIT
"""
Causes on the way to a host, from DNS to TLS.
"""

from __future__ import annotations

import errno

from ..errors import LIMITS, TransientError, UnreachableError
from .cause import Cause, Fix, Reason

# DNS and TCP.

NAME_NOT_RESOLVED = Cause(
    "name-not-resolved",
    TransientError,
    "cannot resolve {host}",
    "check the spelling and the DNS",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "{host} timed out",
    "check the network, or allow more time with --timeout",
)
CONNECTION_REFUSED = Cause(
    "connection-refused",
    TransientError,
    "{host} refused the connection",
    "check the port, and that the registry is running",
)
CONNECTION_RESET = Cause(
    "connection-reset",
    TransientError,
    "{host} closed the connection",
    "check the firewall and the proxy",
)
UNREACHABLE = Cause(
    "unreachable",
    TransientError,
    "cannot reach {host}",
    "check the network, the firewall and the proxy",
)

# The proxy.

PROXY_UNREACHABLE = Cause(
    "proxy-unreachable",
    TransientError,
    "cannot reach the proxy {proxy} for {host}",
    "check HTTPS_PROXY, or add the registry to NO_PROXY",
)
PROXY_CANNOT_REACH = Cause(
    "proxy-unreachable",
    TransientError,
    "the proxy {proxy} cannot reach {host} (status {status})",
    "check HTTPS_PROXY, or add the registry to NO_PROXY",
)
PROXY_REFUSED = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} refuses requests to {host} (status {status})",
    "allow the registry's host at the proxy, or add it to NO_PROXY",
)
LOGIN_OF_PROXY = Fix(
    "proxy-refused",
    "where the proxy requires a login",
    "set HTTPS_PROXY to http://USER:PASSWORD@HOST:PORT",
)
PROXY_WANTS_LOGIN = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} for {host} requires a login (status 407)",
    LOGIN_OF_PROXY.text,
)
PROXY_SPEAKS_NO_HTTP = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} for {host} does not answer as a proxy",
    "allow the registry's host at the proxy, or add it to NO_PROXY",
)
PROXY_UNSUPPORTED = Cause(
    "proxy-unsupported",
    UnreachableError,
    "{name} is not the URL of an HTTP proxy",
    "write it as http://USER:PASSWORD@HOST:PORT, and percent-encode special characters "
    "in the password: %40 for @, %2F for /",
)
UNNAMED_PROXY = Reason("proxy", "from the environment")

# TLS.

PLAIN_HTTP = Cause(
    "plain-http",
    UnreachableError,
    "{host} does not speak TLS on this port; it probably speaks plain HTTP",
    "use the HTTPS port; plain HTTP works only for registries on localhost",
)
TLS_FAILED = Cause(
    "tls-failed",
    UnreachableError,
    "{host} and this machine have no common TLS version or cipher ({reason})",
    "check that it supports TLS 1.2 or later, and whether it requires a client certificate",
)
INSECURE = Cause(
    "insecure",
    UnreachableError,
    "{host} would be contacted over plain HTTP, without encryption",
    "use https; plain HTTP works only for registries on localhost",
)
CERTIFICATE_EXPIRED = Cause(
    "certificate-expired",
    UnreachableError,
    "the certificate of {host} expired",
    "renew the certificate, or correct this machine's clock",
)
CERTIFICATE_NOT_YET_VALID = Cause(
    "certificate-not-yet-valid",
    UnreachableError,
    "the certificate of {host} is not yet valid",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CERTIFICATE_WRONG_HOST = Cause(
    "certificate-wrong-host",
    UnreachableError,
    "the certificate of {host} is for another host",
    "use a name in the certificate, or issue one for {host}",
)
CERTIFICATE_UNTRUSTED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} comes from an unknown certificate authority",
    "put the CA certificate at /etc/docker/certs.d/{host}/ca.crt, or set "
    "<ID>_CONTAINER_REGISTRY_CA_FILE",
)
NO_BUNDLE = Fix(
    "certificate-untrusted",
    "where SSL_CERT_FILE names no usable file",
    "set SSL_CERT_FILE to a readable PEM file, or unset it",
)
CERTIFICATE_INVALID = Cause(
    "certificate-invalid",
    UnreachableError,
    "the certificate of {host} is not valid (OpenSSL error {number})",
    "replace the certificate",
)
CA_FILE_EMPTY = Cause(
    "ca-file",
    UnreachableError,
    "the CA file {path} contains no certificate",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
)
CA_FILE_UNREADABLE = Cause(
    "ca-file",
    UnreachableError,
    "cannot read the CA file {path}",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
)
CA_FILE_OF_VARIABLE = Cause(
    "ca-file",
    UnreachableError,
    "cannot read the CA file that {name} names",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
)
CLIENT_CERTIFICATE = Cause(
    "client-certificate",
    UnreachableError,
    "cannot use the client certificate {path} with its key",
    "name a readable PEM file: text with -----BEGIN CERTIFICATE-----",
)
HANGING_MOUNT = Fix(
    "timeout",
    "where certificate files cannot be read in time",
    "check <ID>_CONTAINER_REGISTRY_CA_FILE, SSL_CERT_FILE and certs.d for a hanging mount",
)
CERTIFICATES_LATE = Cause(
    "timeout",
    TransientError,
    "reading the certificate files for {host} timed out",
    HANGING_MOUNT.text,
)

# Limits of the machine: worded in `errors`, for a process that can load no other module.

TOO_MANY_OPEN_FILES = Cause(LIMITS[errno.EMFILE][0], TransientError, *LIMITS[errno.EMFILE][1:])
FEWER_FILES = Fix(
    "too-many-open-files", "where the whole machine is at its limit", LIMITS[errno.ENFILE][2]
)
NO_FILE_LEFT = Cause(LIMITS[errno.ENFILE][0], TransientError, *LIMITS[errno.ENFILE][1:])
NO_MEMORY = Cause(LIMITS[errno.ENOMEM][0], TransientError, *LIMITS[errno.ENOMEM][1:])

# A diagnosis knows more.

CERTIFICATE_VALID_FROM = Cause(
    "certificate-not-yet-valid",
    UnreachableError,
    "the certificate of {host} is valid from {start}; this clock says {now}",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CERTIFICATE_EXPIRED_ON = Cause(
    "certificate-expired",
    UnreachableError,
    "the certificate of {host} expired on {end}",
    "renew the certificate, or correct this machine's clock",
)
CLOCK_AHEAD = Cause(
    "clock-wrong",
    UnreachableError,
    "this clock says {now}, {days} days ahead of {host}, so its certificate looks expired",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CA_OF_ENGINE = Fix(
    "certificate-untrusted",
    "where the Docker Engine pulls",
    "put the CA certificate at /etc/docker/certs.d/{host}/ca.crt, also on the Docker "
    "Engine's machine{set}",
)
CERTIFICATE_SELF_SIGNED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} is self-signed",
    CA_OF_ENGINE.text,
)
CERTIFICATE_OF_UNKNOWN_CA = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} comes from the unknown certificate authority {issuer}",
    CA_OF_ENGINE.text,
)
CA_OF_PROXY = Fix(
    "certificate-untrusted",
    "where a proxy answers in its place",
    "add the CA certificate of {issuer} to this system's trust store, or {host} to NO_PROXY",
)
CERTIFICATE_OF_INTERCEPTOR = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the proxy {proxy} answers for {host} with a certificate from the unknown authority {issuer}",
    CA_OF_PROXY.text,
)
CERTIFICATE_OF_OTHER_HOST = Cause(
    "certificate-wrong-host",
    UnreachableError,
    "the certificate of {host} is for {names}",
    "use a name in the certificate, or issue one for {host}",
)
OUT_OF_TIME = Cause(
    "timeout",
    UnreachableError,
    "{registry} did not answer before the time was up",
    "check the network, or allow more time with --timeout",
)
