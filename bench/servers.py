# SPDX-License-Identifier: MIT
"""
The registries that the bench logs in to: our own on loopback, plain or under TLS, and Debian's.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Literal

_HOST = "127.0.0.1"


class Servers:
    """
    Registries that accept *users*, while entered.

    Args:
        users: User names to passwords.
        number: How many.
        front: From the port of a registry to the port that clients are to use.
        folder: For files.
        images: `name:tag` of what each of them holds.

    Attributes:
        names: What clients call them, `host:port`.
        ca_file: What clients are to trust, or None for plain HTTP.
    """

    auth: Literal["basic", "bearer"] = "basic"

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        number: int,
        front: Callable[[int], int],
        folder: Path,
        images: Sequence[str] = (),
    ) -> None:
        self._images = images
        self.names: list[str] = []
        self.ca_file: str | None = None
        self._users = users
        self._number = number
        self._front = front
        self._folder = folder
        self._started: list[LoopbackRegistry] = []
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Servers:
        """
        Start them all.
        """
        for _ in range(self._number):
            self._started.append(
                self._stack.enter_context(
                    LoopbackRegistry(self._users, auth=self.auth, images=self._images, host=_HOST)
                )
            )
        for registry in self._started:
            port = self._front(self._behind(int(registry.registry.rpartition(":")[2])))
            # Also what its challenges name, so that the token endpoint is as far away.
            registry.registry = Registry(f"{_HOST}:{port}")
            self.names.append(registry.registry)
        return self

    def __exit__(self, *_: object) -> None:
        """
        Stop them all.
        """
        self._stack.close()

    def requests(self) -> int:
        """
        How many were answered so far.
        """
        return sum(len(registry.requests) for registry in self._started)

    def _behind(self, port: int) -> int:
        return port


class Basic(Servers):
    """
    Ask for user and password, as a registry with a htpasswd file.
    """


class Bearer(Servers):
    """
    Have a token endpoint, as most registries of clouds.
    """

    auth = "bearer"


class Tls(Servers):
    """
    Ask for user and password under TLS, with a certificate of an authority of the bench's own.
    """

    def __enter__(self) -> Servers:
        """
        Start them all, each behind a server that ends TLS.
        """
        certificate, key, authority = made_certificate(self._folder)
        self.ca_file = str(authority)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._ends = self._stack.enter_context(TlsEnds(context))
        return super().__enter__()

    def _behind(self, port: int) -> int:
        return self._ends.to(port)


class Debian(Servers):
    """
    The `docker-registry` of Debian, with a htpasswd file; one.
    """

    @staticmethod
    def is_here() -> bool:
        return shutil.which("docker-registry") is not None

    def __enter__(self) -> Servers:
        """
        Start it, and wait until it listens.
        """
        import bcrypt  # the `dev` extra; only this needs it

        port = _free_port()
        scratch = self._folder / f"registry-{port}"
        scratch.mkdir()
        lines = [
            f"{name}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()}"
            for name, password in self._users.items()
        ]
        (scratch / "htpasswd").write_text("\n".join(lines), encoding="utf-8")
        (scratch / "config.yml").write_text(
            f"version: 0.1\n"
            f"log: {{level: error, accesslog: {{disabled: true}}}}\n"
            f"storage: {{filesystem: {{rootdirectory: {scratch}/data}}}}\n"
            f"http: {{addr: '{_HOST}:{port}', secret: bench}}\n"
            f"auth: {{htpasswd: {{realm: bench, path: {scratch}/htpasswd}}}}\n",
            encoding="utf-8",
        )
        process = subprocess.Popen(
            ["docker-registry", "serve", str(scratch / "config.yml")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.terminate)
        _wait_for(port, process)
        self.names.append(f"{_HOST}:{self._front(port)}")
        return self


class TlsEnds:
    """
    Servers that end TLS and pass on what was in it, in a thread of their own, while entered.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._servers: list[asyncio.AbstractServer] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> TlsEnds:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def to(self, port: int) -> int:
        return asyncio.run_coroutine_threadsafe(self._listen(port), self._loop).result(timeout=10)

    async def _listen(self, port: int) -> int:
        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            with contextlib.suppress(OSError, asyncio.CancelledError):
                there, back = await asyncio.open_connection(_HOST, port)
                try:
                    await asyncio.gather(pump(reader, back), pump(there, writer))
                finally:
                    writer.close()
                    back.close()

        server = await asyncio.start_server(connected, _HOST, 0, ssl=self._context, backlog=512)
        self._servers.append(server)
        return int(server.sockets[0].getsockname()[1])

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for task in self._tasks.copy():
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            await server.wait_closed()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while content := await reader.read(65536):
            writer.write(content)
            await writer.drain()
    finally:
        writer.close()


def made_certificate(folder: Path, *hosts: str) -> tuple[Path, Path, Path]:
    """
    A certificate for this machine and *hosts*, its key, and the authority that signed it.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = dt.datetime.now(dt.timezone.utc)
    authority_key, key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def begun(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(named(subject))
            .issuer_name(named("bench"))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
        )

    authority = (
        begun("bench", authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(_HOST))]
    names += [x509.DNSName(host) for host in hosts]
    certificate = (
        begun("registry", key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    files = folder / "registry.pem", folder / "registry.key", folder / "authority.pem"
    pem = serialization.Encoding.PEM
    files[0].write_bytes(certificate.public_bytes(pem))
    files[1].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    files[2].write_bytes(authority.public_bytes(pem))
    return files


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind((_HOST, 0))
        return int(sock.getsockname()[1])


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection((_HOST, port), timeout=1):
            return
        time.sleep(0.02)
    msg = "docker-registry does not listen"
    raise RuntimeError(msg)
