# SPDX-License-Identifier: MIT
"""
An internet of the tests' own: hosts with certificates, behind a proxy, all on loopback.

Who is given `Internet.environ` asks for `https://ghcr.io/` and reaches a function of the test.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import os
import secrets
import select
import socket
import socketserver
import ssl
import tempfile
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from devcontainer_registry.testing.loopback import LoopbackServer


class Authority:
    """
    A certificate authority that nobody else trusts; its files live in *folder*.

    Args:
        folder: For its files.
        name: Of the authority.
        start: When the certificates of servers begin, from now.
        end: When they end.
        self_signed: Whether a server signs for itself.
    """

    def __init__(
        self,
        folder,
        *,
        name="Authority of the tests",
        start=dt.timedelta(days=-1),
        end=dt.timedelta(days=7),
        self_signed=False,
    ):
        self._folder = folder
        self._life, self._self_signed = (start, end), self_signed
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
        life = (dt.timedelta(days=-400), dt.timedelta(days=400)) if ca else self._life
        itself = self._self_signed and not ca
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if itself else self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(today + life[0])
            .not_valid_after(today + life[1])
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
        return builder.sign(key if itself else self._key, hashes.SHA256())

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
    disable_nagle_algorithm = True

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
            # Or a body in a packet of its own waits 40 ms for a delayed ACK.
            there.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            _relay(self.connection, there)


def _relay(here, there):
    while True:
        for ready in select.select([here, there], [], [])[0]:
            content = ready.recv(65536)
            if hasattr(socket, "TCP_QUICKACK"):
                # Behind a proxy urllib3 sends a body when the head is acknowledged: 40 ms later.
                ready.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            if not content:
                return
            (there if ready is here else here).sendall(content)


# Plays registries whose real ones a test cannot have; `documented` says how each of them answers.
#
# Each holds `team/app:1`, which its one user may pull, and `team/secret:1`, which nobody may.

ALLOWED, DENIED, MISSING = "team/app", "team/secret", "team/nothing"

_V2 = {"Docker-Distribution-Api-Version": "registry/2.0"}
JSON = {"Content-Type": "application/json"}


def errors(status, code, message, **more):
    body = json.dumps({"errors": [{"code": code, "message": message, **more}]})
    return status, {**JSON, **_V2}, body.encode()


def plain(status, text, media_type="text/plain; charset=utf-8"):
    return status, {"Content-Type": media_type, **_V2}, text.encode()


# https://github.com/distribution/distribution/blob/v2.8.3/registry/api/errcode/register.go
_NOBODY = errors(401, "UNAUTHORIZED", "authentication required")
_NOT_FOUND = errors(404, "MANIFEST_UNKNOWN", "manifest unknown")


@dataclass(frozen=True, kw_only=True)
class Played:
    """
    How one registry answers.

    Attributes:
        server: What users put into `_SERVER`.
        host: Where `/v2/` is; and *realm*, the token endpoint, or "" for Basic.
        challenge: To who comes with nothing to `/v2/`.
        scoped: The same below `/v2/<repository>/`, which `{repository}` stands for.
        nobody: What goes along with a challenge.
        wrong: To a wrong password.
        posted: To a POST of a password to the token endpoint.
        refreshes: Whether a POST of the password as a refresh token works.
        granted: The token endpoint's answer; `{token}` stands for the token.
        denied_token: To a token's request for what may not be pulled; None: a token without it.
        denied, denied_challenge: To the request for what may not be pulled.
        missing: To the request for what is not there.
        takes_basic: Whether, at a Bearer registry, `/v2/` takes user and password, too.
        basic: To a user and password that it did not take; None: as to nobody.
        bad_token: To a token that is none; None: as to nobody.
    """

    name: str
    server: str
    host: str
    username: str
    password: str
    challenge: str
    wrong: tuple
    realm: str = ""
    scoped: str = ""
    nobody: tuple = _NOBODY
    posted: tuple = errors(405, "UNSUPPORTED", "method not allowed")
    granted: dict = field(default_factory=lambda: {"token": "{token}"})
    denied_token: tuple | None = None
    denied: tuple = _NOBODY
    denied_challenge: str = ""
    missing: tuple = _NOT_FOUND
    takes_basic: bool = False
    basic: tuple | None = None
    bad_token: tuple | None = None
    refreshes: bool = False


@dataclass(frozen=True, kw_only=True)
class Seen:
    """
    One request: *username* is what was sent, whether it was right or not; its password is not kept.
    """

    host: str
    method: str
    path: str
    username: str | None
    status: int


class PlayedInternet(Internet):
    """
    An `Internet` in which *registries* are.

    Attributes:
        requests: What was `Seen`, in order.
    """

    def __init__(self, *registries):
        self.requests = []
        hosts = {}
        for registry in registries:
            playing = _Playing(registry, self.requests)
            hosts.update(dict.fromkeys(playing.hosts, playing.answer))
        super().__init__(hosts)

    def seen(self, host):
        """
        What *host* was asked.
        """
        return [request for request in self.requests if request.host == host]


class _Playing:
    def __init__(self, registry, requests):
        self._registry, self._requests = registry, requests
        self._realm = urlsplit(registry.realm)
        self._scopes = {}  # token: repositories that it may pull
        self.hosts = {registry.host, self._realm.hostname or registry.host}

    def answer(self, method, target, headers, body):
        host = headers["Host"].partition(":")[0]
        parts = urlsplit(target)
        form = parse_qs(body.decode() if method == "POST" else parts.query)
        scheme, proof = headers.get("Authorization", " ").split(" ", 1)
        username, password = _decoded(proof) if scheme == "Basic" else (None, None)
        if method == "POST":
            username = form.get("username", [None])[0]
        if (host, parts.path) == (self._realm.hostname, self._realm.path):
            answer = self._token(method, form, username, password)
        elif host == self._registry.host and parts.path.startswith("/v2/"):
            answer = self._read(parts.path, scheme, proof)
        else:
            answer = plain(404, "404 page not found")
        seen = Seen(host=host, method=method, path=parts.path, username=username, status=answer[0])
        self._requests.append(seen)
        return answer

    def _token(self, method, form, username, password):
        registry = self._registry
        if method == "POST":
            if not registry.refreshes or "refresh_token" not in form:
                return registry.posted
            username, password = registry.username, form["refresh_token"][0]
        if username is None:
            return registry.nobody
        if (username, password) != (registry.username, registry.password):
            return registry.wrong
        scopes = " ".join(form.get("scope", [])).split()
        repositories = {scope.split(":")[1] for scope in scopes if scope.endswith(":pull")}
        if DENIED in repositories and registry.denied_token is not None:
            return registry.denied_token
        token = secrets.token_urlsafe()
        self._scopes[token] = repositories - {DENIED}
        body = json.dumps(registry.granted).replace("{token}", token)
        return 200, JSON, body.encode()

    def _read(self, path, scheme, proof):
        registry = self._registry
        repository = path[4:].rpartition("/manifests/")[0]
        if not scheme:
            return self._challenge(repository)
        if scheme == "Bearer" and proof not in self._scopes:
            return registry.bad_token or self._challenge(repository)
        if scheme == "Basic":
            right = _decoded(proof) == (registry.username, registry.password)
            if registry.realm and not (right and registry.takes_basic):
                return registry.basic or self._challenge(repository)
            if not right:
                return registry.wrong
        if not repository:
            return 200, {**JSON, **_V2}, b"{}"
        if repository == DENIED:
            return _with(registry.denied, registry.denied_challenge.format(repository=repository))
        # At ECR Public, whose scope is no repository's, any token reads all.
        scoped = scheme == "Bearer" and (registry.scoped or registry.challenge).endswith('pull"')
        if scoped and repository not in self._scopes[proof]:
            return self._challenge(repository)
        if path != f"/v2/{ALLOWED}/manifests/1":
            return registry.missing
        manifest = b'{"schemaVersion":2}'
        return 200, {"Content-Type": "application/vnd.oci.image.manifest.v1+json", **_V2}, manifest

    def _challenge(self, repository):
        registry = self._registry
        challenge = registry.challenge
        if repository and registry.scoped:
            challenge = registry.scoped.format(repository=repository)
        return _with(registry.nobody, challenge)


def _with(answer, challenge):
    status, headers, body = answer
    return status, {**headers, **({"Www-Authenticate": challenge} if challenge else {})}, body


def _decoded(basic):
    name, _, password = base64.b64decode(basic).decode().partition(":")
    return name, password
