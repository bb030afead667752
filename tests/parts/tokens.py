# SPDX-License-Identifier: MIT
"""
A token server for the distribution registry, with every way of asking that the spec has.

https://github.com/distribution/distribution/blob/v2.8.2/docs/spec/auth/token.md
https://github.com/distribution/distribution/blob/v2.8.2/docs/spec/auth/oauth.md
https://github.com/distribution/distribution/blob/v2.8.2/docs/spec/auth/jwt.md
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import json
import os
import secrets
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from .ca import private_pem

ISSUER = "a test's own issuer"
SERVICE = "a test's own registry"
_LIFE = 300  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """
    One request for a token.

    Attributes:
        grant: `basic` (GET), `password` or `refresh_token` (POST), `none`.
        user: Whom it was for; None: nobody was named, or the refresh token is unknown.
        secret: The password or refresh token that came with it.
        scopes: As asked for.
        offline: Whether a refresh token was asked for.
        status: As answered.
    """

    method: str
    grant: str
    user: str | None
    secret: str | None
    service: str | None
    scopes: tuple[str, ...]
    offline: bool
    status: int


class TokenServer:
    """
    Signs tokens (RS256) for *users* on a loopback port.

    Args:
        folder: A folder for the certificate that the registry is to trust.
        users: Names and passwords.
        refresh: Whether a refresh token is given to who asks for one.
        post: Whether POST is known; without it the answer is 404, as from older servers.
        denied: Repositories to which nobody gets access: their scope is left out of a token that
            is given all the same, as real token servers do.
    """

    def __init__(self, folder, users, *, refresh=False, post=True, denied=()):
        self.users = dict(users)
        self.refresh = refresh
        self.post = post
        self.denied = set(denied)
        self.requests = []
        self._refresh_tokens = {}
        self._lock = threading.Lock()
        self._key, self._kid, self.bundle = _signer(str(folder))
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.tokens = self
        self.realm = f"http://localhost:{self._server.server_address[1]}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def registry_auth(self):
        """
        The `auth` section of a registry that trusts it.
        """
        return {
            "token": {
                "realm": self.realm,
                "service": SERVICE,
                "issuer": ISSUER,
                "rootcertbundle": self.bundle,
            }
        }

    def refusals(self):
        """
        User and secret of each request that was refused: one for each time they were sent.
        """
        return [(r.user, r.secret) for r in self.requests if r.status == 401 and r.secret]

    def revoke(self):
        """
        Forget every refresh token.
        """
        with self._lock:
            self._refresh_tokens.clear()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, method, query, form, basic):
        """
        Status and JSON for one request, which is recorded.
        """
        fields = form if method == "POST" else query
        grant, user, secret = self._who(method, form, basic)
        # A GET repeats `scope`, a POST separates scopes by spaces.
        scopes = tuple(scope for text in fields.get("scope", []) for scope in text.split(" "))
        offline = "true" in query.get("offline_token", []) or "offline" in form.get(
            "access_type", []
        )
        status, body = self._decide(grant, user, secret, scopes, offline=offline)
        if method == "POST" and not self.post:
            status, body = 404, {"errors": [{"code": "UNSUPPORTED"}]}
        record = TokenRequest(
            method=method,
            grant=grant,
            user=user,
            secret=secret,
            service=fields.get("service", [None])[0],
            scopes=scopes,
            offline=offline,
            status=status,
        )
        with self._lock:
            self.requests.append(record)
        return status, body

    def _who(self, method, form, basic):
        if method == "GET":
            return ("basic", *basic) if basic else ("none", None, None)
        grant = form.get("grant_type", ["none"])[0]
        if grant == "refresh_token":
            token = form.get("refresh_token", [""])[0]
            return grant, self._refresh_tokens.get(token), token
        return grant, form.get("username", [None])[0], form.get("password", [None])[0]

    def _decide(self, grant, user, secret, scopes, *, offline):
        if grant == "refresh_token":
            known = user is not None
        else:
            known = secret is not None and self.users.get(user) == secret
        if not known:
            return 401, {"errors": [{"code": "UNAUTHORIZED", "message": "not known"}]}
        token = self._sign(user, scopes)
        body = {"token": token, "access_token": token, "expires_in": _LIFE}
        if grant == "refresh_token":
            body["refresh_token"] = secret
        elif self.refresh and offline:
            body["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh_tokens[body["refresh_token"]] = user
        return 200, body

    def _sign(self, user, scopes):
        access = []
        for scope in scopes:
            kind, _, rest = scope.partition(":")
            name, _, actions = rest.rpartition(":")
            if name not in self.denied:
                access.append({"type": kind, "name": name, "actions": actions.split(",")})
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user,
            "aud": SERVICE,
            "exp": now + _LIFE,
            "nbf": now - 5,
            "iat": now,
            "jti": secrets.token_hex(8),
            "access": access,
        }
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._kid})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds; an idle connection must not outlive the tests

    def do_GET(self):
        self._answer("GET", {})

    def do_POST(self):
        self._answer("POST", parse_qs(self._body().decode()))

    def log_message(self, *_):
        pass

    def _answer(self, method, form):
        query = parse_qs(urlsplit(self.path).query)
        status, answer = self.server.tokens.answer(method, query, form, self._basic())
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _basic(self):
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return None
        user, _, password = base64.b64decode(value).decode().partition(":")
        return user, password

    def _body(self):
        # The devcontainer CLI posts in chunks, which http.server leaves to us.
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body


def _signer(folder):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, ISSUER)])
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    os.makedirs(folder, exist_ok=True)
    bundle = os.path.join(folder, "issuer.crt")
    with open(bundle, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))
    return private_pem(key), _key_id(key.public_key()), bundle


def _key_id(public):
    """
    The registry's name for *public*: 240 bits of its SHA-256, in base32, by fours.

    https://github.com/docker/libtrust/blob/master/util.go (keyIDFromCryptoKey)
    """
    der = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    text = base64.b32encode(hashlib.sha256(der).digest()[:30]).decode()
    return ":".join(text[i : i + 4] for i in range(0, len(text), 4))
