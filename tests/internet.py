# SPDX-License-Identifier: MIT
"""
An internet of the tests' own: hosts with certificates, behind a proxy, all on loopback.

Who is given `Internet.environ` asks for `https://ghcr.io/` and reaches a function of the test.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import select
import socket
import socketserver
import ssl
import tempfile
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devcontainer_registry.testing.loopback import LoopbackServer


class Authority:
    """
    A certificate authority that nobody else trusts; its files live in *folder*.
    """

    def __init__(self, folder, *, name="Authority of the tests"):
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        certificate = self._signed(self._name, self._key, ca=True)
        self.ca_file = self._write("ca.pem", certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(self, *names):
        """
        A TLS context with a certificate for *names*.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._signed(subject, key, names=names)
        pem = certificate.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._write(f"{names[0]}.pem", pem))
        return context

    def _signed(self, subject, key, *, names=(), ca=False):
        # Python 3.13 verifies strictly (RFC 5280), so key identifiers and usage must be there.
        today = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today - dt.timedelta(days=1))
            .not_valid_after(today + dt.timedelta(days=7))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(_usage(ca=ca), critical=True)
        )
        if names:
            alternatives = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
            builder = builder.add_extension(alternatives, critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def _write(self, name, content):
        path = os.path.join(self._folder, name)
        with open(path, "wb") as file:
            file.write(content)
        return path


def _usage(*, ca):
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=ca,
        crl_sign=ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@contextlib.contextmanager
def tls_server(answer, context):
    """
    A `LoopbackServer` that speaks TLS by *context*.
    """
    server = LoopbackServer(answer)
    # The handshake in the connection's thread, or a client that is silent would stop all others.
    server.socket = context.wrap_socket(
        server.socket, server_side=True, do_handshake_on_connect=False
    )
    with server:
        yield server


class Internet:
    """
    Hosts that answer as their functions do, while entered as a context manager.

    Args:
        hosts: Host names to functions (method, target, headers, body) -> (status, headers, body).
        untrusted: Those of them whose certificates are another authority's.

    Attributes:
        environ: What to merge into an environment so that a program lives here.
        unknown_hosts: Whom somebody asked for in vain, in order.
    """

    def __init__(self, hosts, *, untrusted=()):
        self._hosts, self._untrusted = dict(hosts), frozenset(untrusted)
        self._stack = contextlib.ExitStack()
        self.unknown_hosts = []
        self.environ = {}

    def __enter__(self):
        ours, theirs = (
            Authority(self._stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(2)
        )
        ports = {}
        for host, answer in self._hosts.items():
            authority = theirs if host in self._untrusted else ours
            server = tls_server(answer, authority.server_context(host))
            ports[host] = self._stack.enter_context(server).server_port
        proxy = self._stack.enter_context(_Proxy(ports, self.unknown_hosts))
        self.environ = {
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.server_address[1]}",
            "SSL_CERT_FILE": ours.ca_file,
        }
        return self

    def __exit__(self, *_):
        self._stack.close()


class _Proxy(socketserver.ThreadingTCPServer):
    """
    An HTTP proxy that knows CONNECT, and a few ports of this machine by other names.
    """

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, ports, unknown_hosts):
        self.ports, self.unknown_hosts = ports, unknown_hosts
        super().__init__(("127.0.0.1", 0), _Tunnel)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # a tunnel whose end went away


class _Tunnel(socketserver.StreamRequestHandler):
    rbufsize = 0  # what follows the head is the tunnel's, so nothing may be read ahead

    def handle(self):
        method, target, *_ = self.rfile.readline(4096).decode("latin-1").split()
        while self.rfile.readline(4096).strip():
            pass
        host, _, port = target.rpartition(":")
        if method != "CONNECT" or port != "443" or host not in self.server.ports:
            self.server.unknown_hosts.append(host or target)
            self.wfile.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with socket.create_connection(("127.0.0.1", self.server.ports[host])) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(self.connection, there)


def _relay(here, there):
    while True:
        for ready in select.select([here, there], [], [])[0]:
            content = ready.recv(65536)
            if not content:
                return
            (there if ready is here else here).sendall(content)
