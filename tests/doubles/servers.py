# SPDX-License-Identifier: MIT
"""
Registries that do what registries do on a bad day, on loopback.

All are context managers with `registry`, and with `asked`: how many requests came, or how many
connections where there is no more to a request.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import socket
import socketserver
import ssl
import struct
import tempfile
import threading
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from doubles.internet import Authority, tls_server

from devcontainer_registry.network.transport import Transport
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry, Request


class Fine(LoopbackRegistry):
    """
    Nothing is wrong with it.
    """

    @property
    def asked(self):
        return len(self.requests)


class Refusing(Fine):
    """
    Knows nobody: 401 to whatever it is sent.
    """

    def __init__(self, **options):
        super().__init__({}, **options)


class Busy(Fine):
    """
    Answers the first *times* requests with *status*, and is fine afterwards.

    Args:
        path: Only those for this path count; None: all.
        retry_after: The header of that name.
    """

    def __init__(self, users, *, times=2, status=503, retry_after=None, path=None, **options):
        super().__init__(users, **options)
        self._left, self._status, self._path = times, status, path
        self._headers = {} if retry_after is None else {"Retry-After": retry_after}
        self._lock = threading.Lock()

    def _answer(self, method, target, headers, body):
        path = target.partition("?")[0]
        with self._lock:
            busy = self._left > 0 and self._path in (None, path)
            self._left -= busy
        if not busy:
            return super()._answer(method, target, headers, body)
        self.requests.append(Request(method=method, path=path, user=None, status=self._status))
        return self._status, self._headers, b"busy\n"


class Answering(Fine):
    """
    The same answer to everything: `missing()` and `web_page()` are two.
    """

    def __init__(self, status, headers, body, **options):
        super().__init__({}, **options)
        self._always = status, headers, body

    def _answer(self, method, target, headers, body):  # noqa: ARG002  (a fake of one answer)
        path = target.partition("?")[0]
        self.requests.append(Request(method=method, path=path, user=None, status=self._always[0]))
        return self._always


def missing():
    """
    404 everywhere, as from a web server that is no registry.
    """
    return Answering(404, {"Content-Type": "text/plain"}, b"404 page not found\n")


def web_page():
    """
    200 and HTML everywhere, as from a captive portal.
    """
    return Answering(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><title>Log in</title>")


class BadCertificate:
    """
    A registry at `localhost:PORT` whose certificate is from an authority that nobody trusts.

    Attributes:
        ca_file: That authority's certificate, for who wants to trust it after all.
    """

    def __init__(self, users):
        self._users = users
        self._stack = contextlib.ExitStack()
        self._requests = []
        self.registry = self.ca_file = None

    def __enter__(self):
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        authority = Authority(folder, name="Nobody's authority")
        # Basic only: the token endpoint of the plain registry inside is not to be named outside.
        inner = LoopbackRegistry(self._users, auth="basic")
        self._requests = inner.requests
        self._stack.enter_context(inner)
        server = tls_server(inner._answer, authority.server_context("localhost"))
        port = self._stack.enter_context(server).server_port
        self.registry, self.ca_file = Registry(f"localhost:{port}"), authority.ca_file
        return self

    def __exit__(self, *_):
        self._stack.close()

    @property
    def asked(self):
        return len(self._requests)


class _Raw(socketserver.ThreadingTCPServer):
    """
    Below HTTP: each connection is given to `behave`, which may use it until `over` is set.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), socketserver.BaseRequestHandler)
        self.over = threading.Event()
        self.asked = 0
        self.registry = Registry(f"localhost:{self.server_address[1]}")
        self._loop = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self):
        self._loop.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.shutdown()
        self._loop.join()
        self.server_close()

    def finish_request(self, request, client_address):  # noqa: ARG002  (socketserver's)
        self.asked += 1
        with contextlib.suppress(OSError):  # the client gave up
            self.behave(request)

    def behave(self, connection):
        raise NotImplementedError


class Hanging(_Raw):
    """
    Takes connections and says nothing.
    """

    def behave(self, connection):  # noqa: ARG002  (that is the fault)
        self.over.wait()


class Recovering(_Raw):
    """
    Takes connections and says nothing until `target` is set; then passes them on to it.
    """

    target = None

    def behave(self, connection):
        if self.target is None:
            self.over.wait()
            return
        with socket.create_connection(("127.0.0.1", self.target.port)) as other:
            back = threading.Thread(target=pump, args=(other, connection), daemon=True)
            back.start()
            pump(connection, other)
            back.join()


class Resetting(_Raw):
    """
    Reads what it is asked, and drops the connection with an RST.
    """

    def behave(self, connection):
        connection.recv(65536)
        # RFC 9293, 3.6: closed without lingering, the connection is reset rather than finished.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


class Dripping(_Raw):
    """
    Answers as it should, one byte each *interval* seconds: never silent, and never done.
    """

    def __init__(self, *, interval=0.05):
        super().__init__()
        self._interval = interval

    def behave(self, connection):
        connection.recv(65536)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + bytes(1000000):
            connection.sendall(bytes([byte]))
            if self.over.wait(self._interval):
                return


# Small scripted servers on loopback: HTTP, HTTPS, a CONNECT proxy, and a world of made-up hosts.
#
# A world is one CA, some TLS servers, and a proxy that leads each host name to its server; so a
# test asks `https://registry.example` and nothing leaves this machine.

REASONS = {200: "OK", 401: "Unauthorized", 404: "Not Found"}


@dataclass
class WireRequest:
    """
    What a server was asked.
    """

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def authorization(self):
        return self.headers.get("authorization")


@dataclass
class Answer:
    """
    What it says; `headers` is a list of pairs, since one name may come twice.
    """

    status: int = 200
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b"{}"


class Server:
    """
    Answers each request with what *handler* returns: an `Answer`, or a function of the socket.
    """

    def __init__(self, handler, *, context=None):
        self.handler = handler
        self.context = context
        self.seen: list[WireRequest] = []
        self.connections = 0
        self._stopped = threading.Event()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def netloc(self):
        return f"127.0.0.1:{self.port}"

    @property
    def stopped(self):
        return self._stopped

    def _start(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            if self._stopped.is_set():
                raw.close()
                return
            self.connections += 1
            self._start(self._serve, raw)

    def _serve(self, raw):
        sock = raw
        self._open.add(raw)
        try:
            if self.context is not None:
                sock = self.context.wrap_socket(raw, server_side=True)
                self._open.add(sock)
            self.talk(sock)
        except OSError:
            pass
        finally:
            self._open.discard(raw)
            self._open.discard(sock)
            sock.close()
            raw.close()

    def talk(self, sock):
        with sock.makefile("rb") as stream:
            if stream.peek(1)[:1] == b"\x16":  # TLS, where none is spoken; Go answers so, too
                sock.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\nnot over TLS\n")
                return
            while (request := read_request(stream)) is not None:
                self.seen.append(request)
                answer = self.handler(request)
                if callable(answer):
                    answer(sock)
                    return
                sock.sendall(render(answer, head_only=request.method == "HEAD"))

    def close(self):
        self._stopped.set()
        # Closing does not wake `accept` up everywhere; a connection does.
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
        self._listener.close()
        for sock in list(self._open):
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


class Proxy(Server):
    """
    A CONNECT proxy that leads *routes*' names to ports here.
    """

    def __init__(self, routes, *, status=200):
        self.routes = routes
        self.status = status
        super().__init__(handler=None)

    def talk(self, sock):
        with sock.makefile("rb", buffering=0) as stream:
            request = read_request(stream)
        if request is None:
            return
        self.seen.append(request)
        self._lead(request, sock)

    def _lead(self, request, sock):
        port = self.routes.get(request.target)
        status = 502 if port is None else self.status
        if status != 200:
            sock.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
            return
        sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as there:
            self._open.add(there)
            back = threading.Thread(target=pump, args=(there, sock), daemon=True)
            back.start()
            pump(sock, there)
            back.join(5)
            self._open.discard(there)


def pump(source, sink):
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    for sock in (source, sink):
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def read_request(stream):
    line = stream.readline(65537).decode("latin-1").strip()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers = {}
    while header := stream.readline(65537).decode("latin-1").strip():
        name, _, value = header.partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return WireRequest(method, target, headers, body)


def render(answer, *, head_only=False):
    reason = REASONS.get(answer.status, "Whatever")
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers]
    lines.append(f"Content-Length: {len(answer.body)}")
    head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
    return head if head_only else head + answer.body


class WireAuthority:
    """
    A certificate authority of the test's own, written below *folder*.
    """

    def __init__(self, folder, name="Test CA"):
        self.folder = str(folder)
        os.makedirs(self.folder, exist_ok=True)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = self._sign(self._name, self._key.public_key(), authority=True)
        self.path = os.path.join(self.folder, "ca.crt")
        with open(self.path, "wb") as file:
            file.write(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, *names, days=1, starts=-1):
        """
        Paths of a certificate for *names*, and of its key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._sign(
            subject, key.public_key(), names=names, days=days, starts=starts, authority=False
        )
        stem = os.path.join(self.folder, f"{x509.random_serial_number()}")
        with open(f"{stem}.cert", "wb") as file:
            file.write(certificate.public_bytes(serialization.Encoding.PEM))
        with open(f"{stem}.key", "wb") as file:
            file.write(
                key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )
        return f"{stem}.cert", f"{stem}.key"

    def context(self, *names, **options):
        """
        A server's TLS context with a certificate for *names*.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(*names, **options))
        return context

    def _sign(self, subject, public_key, *, names=(), days=1, starts=-1, authority):
        now = dt.datetime.now(dt.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + dt.timedelta(days=min(starts, days - 1)))
            .not_valid_after(now + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def general_name(name):
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class World:
    """
    Hosts that are not there, reached over TLS through a proxy that is.
    """

    def __init__(self, folder):
        self.authority = WireAuthority(folder)
        self.routes: dict[str, int] = {}
        self.proxy = Proxy(self.routes)
        self._servers: list[Server] = [self.proxy]
        self._transports: list[Transport] = []

    def host(self, name, handler, *, port=443, authority=None, **certificate):
        """
        A server that answers as `https://name:port`.
        """
        bare = name.strip("[]")
        context = (authority or self.authority).context(bare, **certificate)
        server = Server(handler, context=context)
        self._servers.append(server)
        self.routes[f"{name}:{port}"] = server.port
        return server

    def here(self, handler, *, tls=False, names=("127.0.0.1", "localhost")):
        """
        A server on this machine's own address.
        """
        server = Server(handler, context=self.authority.context(*names) if tls else None)
        self._servers.append(server)
        return server

    def add(self, server):
        self._servers.append(server)
        return server

    @property
    def environ(self):
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self.proxy.port}",
            "SSL_CERT_FILE": self.authority.path,
        }

    def transport(self, *, certs_d=(), **environ):
        """
        A transport that trusts the world's authority and goes through its proxy.
        """
        merged = {k: v for k, v in {**self.environ, **environ}.items() if v is not None}
        transport = Transport(environ=merged, certs_d=certs_d)
        self._transports.append(transport)
        return transport

    def close(self):
        for transport in self._transports:
            transport.close()
        for server in self._servers:
            server.close()


@contextlib.contextmanager
def world(folder):
    made = World(folder)
    try:
        yield made
    finally:
        made.close()


# Registries that hold their answers back until so many have asked: then all write at one moment.


class Gate:
    """
    Opens once *number* different registries were asked, or after *seconds* at the latest.
    """

    def __init__(self, number, *, seconds):
        self._number, self._seconds = number, seconds
        self._who, self._lock, self._open = set(), threading.Lock(), threading.Event()

    def wait(self, who):
        with self._lock:
            self._who.add(who)
            if len(self._who) == self._number:
                self._open.set()
        if not self._open.wait(self._seconds):
            self._open.set()


class Gated(LoopbackRegistry):
    """
    Answers who proved to be somebody when *gate* lets it.
    """

    def __init__(self, users, *, gate, **options):
        super().__init__(users, auth="basic", **options)
        self._gate = gate

    def _answer(self, method, target, headers, body):
        if headers.get("Authorization"):
            self._gate.wait(self.registry)
        return super()._answer(method, target, headers, body)


@contextlib.contextmanager
def gated(number, users, *, seconds=8.0):
    """
    *number* registries behind one gate.

    It opens in less than the ten seconds that the command gives one try.
    """
    gate = Gate(number, seconds=seconds)
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Gated(users, gate=gate)) for _ in range(number)]
