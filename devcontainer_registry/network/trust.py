# SPDX-License-Identifier: MIT
"""
Certificate authorities that a connection to a registry trusts.
"""

from __future__ import annotations

import os
import re
import ssl
import threading

from ..errors import UnreachableError
from ..files import read_regular

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ETC = "/etc/docker/certs.d"

# Where distributions keep their bundle.  Only asked where this Python's OpenSSL was built for
# another machine, and so looks at places that do not exist.
# https://github.com/golang/go/blob/go1.22.0/src/crypto/x509/root_linux.go
_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


# Octets.  A distribution's bundle is 250 KB.
_SIZE_MAX = 16 * 1024 * 1024

_CERTIFICATE = re.compile(
    rb"-----BEGIN (X509 |TRUSTED |)CERTIFICATE-----[^-]*-----END \1CERTIFICATE-----"
)


class Trust:
    """
    The TLS contexts of one run, each built once.

    Safe to share between threads.

    Args:
        environ: For `SSL_CERT_FILE`, `SSL_CERT_DIR` and the home of rootless docker.
        certs_d: Folders with one folder per registry; None: docker's and rootless docker's.
    """

    def __init__(self, environ: Mapping[str, str], certs_d: Sequence[str] | None = None) -> None:
        self._environ = environ
        self._certs_d = _default_certs_d(environ) if certs_d is None else tuple(certs_d)
        # Reading the system's store takes milliseconds: a hundred registries share one context.
        self._contexts: dict[tuple[str, str | None] | None, ssl.SSLContext] = {}
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """
        Begin to read the system's store, in a thread of its own: OpenSSL needs 30 ms for it.
        """
        # No daemon: who exits meanwhile waits for it.  The C library takes OpenSSL apart at exit,
        # and a thread inside it then is a segmentation fault (seen in 21 of 100 short runs).
        threading.Thread(target=self.context, args=("",)).start()

    def context(self, host: str, *, ca_file: str | None = None) -> ssl.SSLContext:
        """
        The context for connections made on behalf of *host*, a registry's `host[:port]`.

        Always verifies.  *ca_file*, and what certs.d has for *host*, are trusted in addition to
        the system's store, never instead of it.

        Raises:
            UnreachableError: `ca-file` or `client-certificate`: a file that cannot be used.
        """
        folders = [
            folder
            for parent in self._certs_d
            if host and os.path.isdir(folder := os.path.join(parent, host))
        ]
        key = (host, ca_file) if folders or ca_file else None
        with self._lock:
            found = self._contexts.get(key)
        if found is None:
            # Outside the lock: a file on a mount that hangs must hold up no other registry.
            found = self._build(folders, ca_file)
            with self._lock:
                found = self._contexts.setdefault(key, found)
        return found

    def explained(self, error: UnreachableError) -> UnreachableError:
        """
        *error*, with the reason where nobody is trusted because a variable names no bundle.
        """
        named = self._environ.get("SSL_CERT_FILE")
        if error.code != "certificate-untrusted" or not named:
            return error
        try:
            _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), named)
        except (OSError, ValueError):
            hint = "let SSL_CERT_FILE name a readable PEM file with certificates, or unset it"
            return UnreachableError(error.message, hint=hint, code=error.code)
        return error

    def _build(self, folders: Sequence[str], ca_file: str | None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # verifies chain and name
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # As Go, and so docker, has it: a certificate's common name is no host name, and whatever
        # the user put into the store is an anchor, an intermediate too.
        context.hostname_checks_common_name = False
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.set_alpn_protocols(["http/1.1"])
        _load_system_store(context, self._environ)
        for folder in folders:
            _load_certs_d(context, folder)
        if ca_file:
            _load_ca_file(context, ca_file)
        return context


def bundle_for_sdk(environ: Mapping[str, str], *names: str) -> str | None:
    """
    Return the bundle for an SDK that takes a path: what everything else here trusts.

    Args:
        environ: All variables.
        names: Variables of the SDK's own, which win over `SSL_CERT_FILE`.

    Returns:
        The path of a regular file, or None where there is none.
    """
    paths = ssl.get_default_verify_paths()
    named = next((environ[name] for name in (*names, "SSL_CERT_FILE") if environ.get(name)), None)
    candidates = (named, paths.cafile, paths.openssl_cafile, *_BUNDLES)
    return next((path for path in candidates if path and os.path.isfile(path)), None)


def _default_certs_d(environ: Mapping[str, str]) -> tuple[str, ...]:
    home = environ.get("HOME", "")
    config = environ.get("XDG_CONFIG_HOME") or (os.path.join(home, ".config") if home else "")
    # Rootless docker's first, as it is the user's own.
    # https://github.com/moby/moby/blob/v28.2.2/registry/config.go (CertsDir)
    return (os.path.join(config, "docker", "certs.d"), _ETC) if config else (_ETC,)


def _load_system_store(context: ssl.SSLContext, environ: Mapping[str, str]) -> None:
    # Not `load_default_certs`: it reads this process's environment, and ours may be another.
    paths = ssl.get_default_verify_paths()
    named = environ.get("SSL_CERT_FILE")
    file = named or paths.openssl_cafile
    folder = environ.get("SSL_CERT_DIR") or paths.openssl_capath
    if not os.path.isfile(file) and not os.path.isdir(folder):
        file = next(filter(os.path.isfile, _BUNDLES), file)
    try:
        _load(context, file)
    except (OSError, ValueError):
        # OpenSSL and Go both go on with the folder; what is missing then shows as a certificate
        # that nobody vouches for.
        pass
    if os.path.isdir(folder):
        context.load_verify_locations(capath=folder)


def _load_certs_d(context: ssl.SSLContext, folder: str) -> None:
    """
    Load `*.crt` as authorities, and `*.cert` with `*.key` as what we show, as docker does.

    https://github.com/moby/moby/blob/v28.2.2/registry/registry.go (loadTLSConfig)
    """
    try:
        names = sorted(os.listdir(folder))
    except OSError as exc:
        raise _unusable(folder, "cannot be read", code="ca-file") from exc
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".crt"):
            try:
                _load(context, path)
            except ValueError:
                # No certificate in it; docker passes over it, too.
                continue
            except OSError as exc:
                raise _unusable(path, "cannot be read", code="ca-file") from exc
        elif name.endswith(".cert"):
            _load_pair(context, path, path.removesuffix(".cert") + ".key")


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    for path in (certificate, key):
        if os.path.exists(path) and not os.path.isfile(path):
            raise _unusable(certificate, "cannot be used with its key", code="client-certificate")
    try:
        # A password, since OpenSSL would ask the terminal for one, and hang.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError):
        # Without the cause: OpenSSL's text adds nothing, and may quote a line of the key.
        raise _unusable(
            certificate, "cannot be used with its key", code="client-certificate"
        ) from None


def _load_ca_file(context: ssl.SSLContext, path: str) -> None:
    try:
        _load(context, path)
    except OSError as exc:
        raise _unusable(path, "cannot be read", code="ca-file") from exc
    except ValueError:
        raise _unusable(path, "holds no certificate", code="ca-file") from None


def _load(context: ssl.SSLContext, path: str) -> None:
    """
    Trust the certificates in the PEM file *path*.

    Not by OpenSSL's own reading, which would wait for a pipe for ever.

    Raises:
        OSError: It cannot be read, or is no regular file.
        ValueError: It holds no certificate.
    """
    content, _ = read_regular(path, limit=_SIZE_MAX)
    found = [match.group() for match in _CERTIFICATE.finditer(content)]
    if not found:
        msg = "no certificate"
        raise ValueError(msg)
    try:
        context.load_verify_locations(cadata=b"\n".join(found).decode("ascii"))
    except ssl.SSLError:
        # Without the cause, which only says "no certificate or crl found" in OpenSSL's words.
        msg = "no certificate that OpenSSL can read"
        raise ValueError(msg) from None


def _unusable(path: str, why: str, *, code: str) -> UnreachableError:
    what = "CA file" if code == "ca-file" else "client certificate"
    return UnreachableError(
        f"the {what} {path} {why}",
        hint="give a readable file in PEM format: text with -----BEGIN CERTIFICATE-----",
        code=code,
    )
