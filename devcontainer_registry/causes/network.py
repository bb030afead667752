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
    "check its spelling and the DNS",
)
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "{host} did not answer in time",
    "check firewall and proxy, or allow more time with --timeout",
)
CONNECTION_REFUSED = Cause(
    "connection-refused",
    TransientError,
    "{host} refuses the connection",
    "check the port, and that the registry is running",
)
CONNECTION_RESET = Cause(
    "connection-reset",
    TransientError,
    "{host} closed the connection",
    "check firewall and proxy between here and the registry",
)
UNREACHABLE = Cause(
    "unreachable",
    TransientError,
    "{host} cannot be reached",
    "check network, firewall and proxy",
)

# The proxy.

PROXY_UNREACHABLE = Cause(
    "proxy-unreachable",
    TransientError,
    "the proxy {proxy} on the way to {host} cannot be reached",
    "check HTTPS_PROXY, and add the registry to NO_PROXY if none is needed",
)
PROXY_CANNOT_REACH = Cause(
    "proxy-unreachable",
    TransientError,
    "the proxy {proxy} cannot reach {host} (status {status})",
    "check that the registry is up, and add it to NO_PROXY if no proxy is needed",
)
PROXY_REFUSED = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} does not let us through to {host} (status {status})",
    "allow the registry's host at the proxy, or add it to NO_PROXY",
)
PROXY_WANTS_LOGIN = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} does not let us through to {host} (status 407)",
    "set user and password in HTTPS_PROXY: http://user:password@proxy:port",
)
PROXY_SPEAKS_NO_HTTP = Cause(
    "proxy-refused",
    UnreachableError,
    "the proxy {proxy} does not let us through to {host} (an answer that is not a proxy's)",
    "allow the registry's host at the proxy, or add it to NO_PROXY",
)
PROXY_UNSUPPORTED = Cause(
    "proxy-unsupported",
    UnreachableError,
    "{name} is not the URL of an HTTP proxy",
    "write it as http://user:password@proxy.example:3128, with %2F for a / in the password, %40 "
    "for @, %23 for #, %3F for ?, %25 for % and %20 for a space",
)
UNNAMED_PROXY = Reason("proxy", "from the environment")

# TLS.

PLAIN_HTTP = Cause(
    "plain-http",
    UnreachableError,
    "{host} does not speak TLS there, most likely it speaks plain HTTP",
    "use the port that speaks HTTPS; plain HTTP is for registries on localhost only",
)
TLS_FAILED = Cause(
    "tls-failed",
    UnreachableError,
    "{host} and this machine have no TLS version or cipher in common ({reason})",
    "check that it offers TLS 1.2 or later, and whether it asks for a client certificate",
)
INSECURE = Cause(
    "insecure",
    UnreachableError,
    "{host} would be asked over plain HTTP, which is not encrypted",
    "use https; plain HTTP is for registries on localhost only",
)
CERTIFICATE_EXPIRED = Cause(
    "certificate-expired",
    UnreachableError,
    "the certificate of {host} has expired",
    "renew it, or check this machine's clock",
)
CERTIFICATE_NOT_YET_VALID = Cause(
    "certificate-not-yet-valid",
    UnreachableError,
    "the certificate of {host} is not valid yet",
    "check this machine's clock",
)
CERTIFICATE_WRONG_HOST = Cause(
    "certificate-wrong-host",
    UnreachableError,
    "the certificate of {host} is for another host",
    "use the name that the certificate is for, or issue one for {name}",
)
CERTIFICATE_UNTRUSTED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} comes from an unknown certificate authority",
    "set *_CA_FILE, or put the authority at /etc/docker/certs.d/{host}/ca.crt",
)
NO_BUNDLE = Fix(
    "certificate-untrusted",
    "where SSL_CERT_FILE names no bundle",
    "let SSL_CERT_FILE name a readable PEM file with certificates, or unset it",
)
CERTIFICATE_INVALID = Cause(
    "certificate-invalid",
    UnreachableError,
    "the certificate of {host} is not valid (OpenSSL's code {number})",
    "replace it",
)
CA_FILE_EMPTY = Cause(
    "ca-file",
    UnreachableError,
    "the CA file {path} holds no certificate",
    "give a readable file in PEM format: text with -----BEGIN CERTIFICATE-----",
)
CA_FILE_UNREADABLE = Cause(
    "ca-file",
    UnreachableError,
    "the CA file {path} cannot be read",
    "give a readable file in PEM format: text with -----BEGIN CERTIFICATE-----",
)
CA_FILE_OF_VARIABLE = Cause(
    "ca-file",
    UnreachableError,
    "the CA file that {name} names cannot be read",
    "let {name} name a readable file in PEM format",
)
CLIENT_CERTIFICATE = Cause(
    "client-certificate",
    UnreachableError,
    "the client certificate {path} cannot be used with its key",
    "give a readable file in PEM format: text with -----BEGIN CERTIFICATE-----",
)
CERTIFICATES_LATE = Cause(
    "timeout",
    TransientError,
    "the certificate files for {host} could not be read in time",
    "check *_CA_FILE, SSL_CERT_FILE and certs.d for a mount that hangs, or allow more time with "
    "--timeout",
)

# Limits of the machine: worded in `errors`, for a process that can load no other module.

TOO_MANY_OPEN_FILES = Cause(LIMITS[errno.EMFILE][0], TransientError, *LIMITS[errno.EMFILE][1:])
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
    "ask the administrator of {host} to renew its certificate",
)
CLOCK_AHEAD = Cause(
    "clock-wrong",
    UnreachableError,
    "this clock says {now}, {days} days after {host}'s, so that its certificate looks expired",
    "correct the host's clock; restart Docker Desktop or WSL",
)
CERTIFICATE_SELF_SIGNED = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} is self-signed",
    "put it at /etc/docker/certs.d/{host}/ca.crt, on the machine of the Docker Engine, too{set}",
)
CERTIFICATE_OF_UNKNOWN_CA = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the certificate of {host} comes from the unknown certificate authority {issuer}",
    "put the CA certificate of {issuer} at /etc/docker/certs.d/{host}/ca.crt, on the machine of "
    "the Docker Engine, too{set}",
)
CERTIFICATE_OF_INTERCEPTOR = Cause(
    "certificate-untrusted",
    UnreachableError,
    "the proxy {proxy} answers for {host} with a certificate of the unknown authority {issuer}",
    "add the CA certificate of {issuer} to this system's store, or {host} to NO_PROXY",
)
CERTIFICATE_OF_OTHER_HOST = Cause(
    "certificate-wrong-host",
    UnreachableError,
    "the certificate of {host} is for {names}",
    "use a name that the certificate is for, or have one issued for {host}",
)
OUT_OF_TIME = Cause(
    "timeout",
    UnreachableError,
    "no answer from {registry} before the time was over",
    "check the network to it, or allow more time with --timeout",
)
