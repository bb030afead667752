# SPDX-License-Identifier: MIT
"""
Certificate authorities that a connection to a registry trusts.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import ssl
import threading
import weakref
from dataclasses import dataclass, field

from ..causes import network as causes
from ..files import read_regular
from ..threads import Worker, try_start
from . import sockets

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..errors import UnreachableError

_FILE_MAX = 4 * 1024 * 1024  # bytes; a system's bundle has 256 KiB

_CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")

_ETC = "/etc/docker/certs.d"

# Bundles of distributions.  Only used if the default paths of this Python's OpenSSL do not exist.
# https://github.com/golang/go/blob/go1.22.0/src/crypto/x509/root_linux.go
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class Trust:
    """
    TLS contexts of one run, each built once.

    Thread-safe: a slow file delays only its own context.

    Args:
        environ: Variables for `SSL_CERT_FILE`, `SSL_CERT_DIR` and the home of rootless docker.
        certs_d: Folders with a folder per registry; None: docker's and rootless docker's.
    """

    def __init__(self, environ: Mapping[str, str], certs_d: Sequence[str] | None = None) -> None:
        self._environ = environ
        self._certs_d = _default_certs_d(environ) if certs_d is None else tuple(certs_d)
        # Reading the system's store takes milliseconds, so all registries share one context.
        self._slots: dict[tuple[str, str | None], _Slot] = {}
        self._lock = threading.Lock()
        self._store: _Slot | None = None  # so that it stays in `_STORES`

    def prepare(self) -> None:
        """
        Start reading the system's store in a thread: OpenSSL takes 30 ms.
        """
        try_start(Worker(self._prepare))  # it is read on demand instead

    def _prepare(self) -> None:
        with contextlib.suppress(Exception):  # `context` raises it again
            self.context("")

    def context(self, host: str, *, ca_file: str | None = None) -> ssl.SSLContext:
        """
        Return the TLS context for *host*, a registry's `host[:port]`.

        It always verifies.  *ca_file* and certs.d for *host* are trusted in addition to the
        system's store.

        Raises:
            UnreachableError: `ca-file` or `client-certificate`: a file cannot be used.
            TransientError: `timeout`: files could not be read before this thread's deadline.
        """
        with self._lock:
            slot = self._slots.setdefault((host, ca_file), _Slot())
        try:
            with slot.held():
                if slot.context is None:
                    slot.context = self._build(host, ca_file)
                return slot.context
        except TimeoutError:
            raise causes.CERTIFICATES_LATE.error(host=host or "TLS") from None

    def explained(self, error: UnreachableError) -> UnreachableError:
        """
        Return *error*, with the reason if a variable without a bundle leaves no authority.
        """
        named = self._environ.get("SSL_CERT_FILE")
        if error.code != "certificate-untrusted" or not named:
            return error
        try:
            usable = _has_certificate(sockets.within(lambda: _read(named)))
        except OSError:
            usable = False
        if usable:
            return error
        return type(error)(error.message, hint=causes.NO_BUNDLE.say(), code=error.code)

    def _build(self, host: str, ca_file: str | None) -> ssl.SSLContext:
        own: list[_File] = []
        if host or ca_file:
            own = sockets.within(lambda: _own_files(host, self._certs_d, ca_file))
            if not own:
                return self.context("")
        system, folder = sockets.within(lambda: _system_files(self._environ))
        if own:
            return _loaded(system, folder, own)
        with _STORES_LOCK:
            self._store = store = _STORES.setdefault((folder, *system.items()), _Slot())
        with store.held():
            store.context = store.context or _loaded(system, folder, own)
            return store.context


class _Slot:
    """
    A context and the lock to build it.
    """

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.context: ssl.SSLContext | None = None

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """
        Hold the lock, or raise `TimeoutError` at this thread's deadline.
        """
        if not self.lock.acquire(timeout=sockets.left()):
            raise TimeoutError
        try:
            yield
        finally:
            self.lock.release()


# By a system's files, while a `Trust` has them: a cloud's login would load them again, for 20 ms.
_STORES: weakref.WeakValueDictionary[tuple[object, ...], _Slot] = weakref.WeakValueDictionary()
_STORES_LOCK = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """
    A certificate file of a registry; with *key*, our client certificate.
    """

    path: str
    content: bytes = field(repr=False)
    key: str | None = None
    is_required: bool = False


def bundle_for_sdk(environ: Mapping[str, str], *names: str) -> str | None:
    """
    Return the path of the CA bundle for an SDK, the same that all other requests use.

    Args:
        environ: All variables.
        names: The SDK's variables, which win over `SSL_CERT_FILE`.

    Returns:
        Path of a regular file, or None.

    Raises:
        UnreachableError: `ca-file`: one of *names* names a file that cannot be read.
    """
    for name in names:
        if environ.get(name):
            check_bundle(name, environ[name])
            return environ[name]
    paths = ssl.get_default_verify_paths()
    candidates = (environ.get("SSL_CERT_FILE"), paths.cafile, paths.openssl_cafile, *_BUNDLES)
    return next((path for path in candidates if path and os.path.isfile(path)), None)


def check_bundle(variable: str, path: str) -> None:
    try:
        if not os.path.isdir(path):
            sockets.within(lambda: _read(path))
    except OSError:
        raise causes.CA_FILE_OF_VARIABLE.error(name=variable) from None


def _read(path: str) -> bytes:
    try:
        return read_regular(path, limit=_FILE_MAX)[0]
    except ValueError as exc:
        raise OSError(errno.EINVAL, "not a path") from exc


def _default_certs_d(environ: Mapping[str, str]) -> tuple[str, ...]:
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    # Rootless docker's first, since it belongs to the user.
    # https://github.com/moby/moby/blob/v28.2.2/registry/config.go (CertsDir)
    return (os.path.join(config, "docker", "certs.d"), _ETC) if config else (_ETC,)


def _system_files(environ: Mapping[str, str]) -> tuple[dict[str, bytes], str | None]:
    """
    Return the system's store, by path, and the folder that OpenSSL searches for other authorities.
    """
    # Not `load_default_certs`: it reads `os.environ`, and *environ* may differ.
    paths = ssl.get_default_verify_paths()
    file = environ.get("SSL_CERT_FILE") or paths.openssl_cafile
    named = environ.get("SSL_CERT_DIR")
    folder = None if named or not os.path.isdir(paths.openssl_capath) else paths.openssl_capath
    if not os.path.isfile(file) and folder is None and not named:
        file = next(filter(os.path.isfile, _BUNDLES), file)
    files = [file]
    for parent in named.split(":") if named else ():
        # Read all files in it, as Go does; OpenSSL would block on a pipe.
        with contextlib.suppress(OSError):
            files += [os.path.join(parent, name) for name in sorted(os.listdir(parent))]
    contents = {}
    for path in files:
        # OpenSSL and Go ignore it; a missing authority then fails verification.
        with contextlib.suppress(OSError):
            contents[path] = _read(path)
    return contents, folder


def _own_files(host: str, certs_d: Sequence[str], ca_file: str | None) -> list[_File]:
    files: list[_File] = []
    for parent in certs_d:
        folder = os.path.join(parent, host)
        if host and os.path.isdir(folder):
            files += _certs_d_files(folder)
    if ca_file:
        files.append(_File(path=ca_file, content=_required(ca_file), is_required=True))
    return files


def _certs_d_files(folder: str) -> Iterator[_File]:
    """
    Yield `*.crt` as authorities, and `*.cert` with `*.key` as client certificates, as docker does.

    https://github.com/moby/moby/blob/v28.2.2/registry/registry.go (loadTLSConfig)
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as exc:
        raise causes.CA_FILE_UNREADABLE.error(path=folder) from exc
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".crt"):
            # docker also skips a file without a certificate.
            yield _File(path=path, content=_required(path))
        elif name.endswith(".cert"):
            key = path.removesuffix(".cert") + ".key"
            try:
                # OpenSSL takes paths only, and would block on a pipe.
                content = _read(path) + _read(key)[:0]
            except OSError:
                raise causes.CLIENT_CERTIFICATE.error(path=path) from None
            yield _File(path=path, content=content, key=key)


def _loaded(system: Mapping[str, bytes], folder: str | None, own: list[_File]) -> ssl.SSLContext:
    """
    Return a context that trusts *system*, *folder* and *own*, all of which have been read.
    """
    # No read can hang: OpenSSL must not be active when the process ends.
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As in Go and docker: the common name is ignored, and every certificate in the store is an
    # anchor, including intermediates.
    context.hostname_checks_common_name = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    for path, content in system.items():
        _trust_system(context, path, content)
    if folder is not None:
        context.load_verify_locations(capath=folder)
    for file in own:
        if file.key is not None:
            _load_pair(context, file.path, file.key)
        elif not _trust(context, file.content) and file.is_required:
            raise causes.CA_FILE_EMPTY.error(path=file.path)
    return context


def _required(path: str) -> bytes:
    try:
        return _read(path)
    except OSError as exc:
        raise causes.CA_FILE_UNREADABLE.error(path=path) from exc


def _trust_system(context: ssl.SSLContext, path: str, content: bytes) -> None:
    """
    Trust the certificates in the file *path*, which has *content*.

    OpenSSL reads a file without Python's lock: a system's store takes it 20 ms.
    """
    try:
        context.load_verify_locations(cafile=path)
    except (OSError, ValueError):
        # One of them is invalid.
        _trust(context, content)


def _trust(context: ssl.SSLContext, content: bytes) -> bool:
    """
    Trust the certificates in *content*; return whether there are any.

    An invalid one is skipped, as in Go.
    """
    blocks = [block.decode("ascii", "replace") for block in _CERTIFICATE.findall(content)]
    try:
        if blocks:
            context.load_verify_locations(cadata="\n".join(blocks))
    except (ssl.SSLError, ValueError):
        # Each of them, to the last.
        return sum(_trust_one(context, block) for block in blocks) > 0
    return bool(blocks)


def _trust_one(context: ssl.SSLContext, block: str) -> bool:
    try:
        context.load_verify_locations(cadata=block)
    except (ssl.SSLError, ValueError):
        return False
    return True


def _has_certificate(content: bytes) -> bool:
    return _trust(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), content)


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    try:
        # Pass a password, since OpenSSL would prompt for one and hang.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError):
        # Without the cause: OpenSSL's text may quote a line of the key.
        raise causes.CLIENT_CERTIFICATE.error(path=certificate) from None
