# SPDX-License-Identifier: MIT
"""
Plays an issuer of ID tokens: signed JWTs, and its keys over TLS.

`Policy` checks a token as a cloud does, with the keys that the issuer serves.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import socket
import ssl
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.internet import JSON, Authority, tls_server

# https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims
GITHUB = {
    "sub": "repo:corp/app:environment:production",
    "repository": "corp/app",
    "repository_owner": "corp",
    "environment": "production",
    "ref": "refs/heads/main",
    "job_workflow_ref": "corp/app/.github/workflows/image.yml@refs/heads/main",
}
REQUEST_TOKEN = "githubs-request-C4n4ry"
# The host differs from job to job.
GITHUB_HOST = "run-actions-1.actions.githubusercontent.com"
GITHUB_PATH = "/7/idtoken/8/9?api-version=2.0"


class Issuer:
    """
    An issuer; its files live in *folder*.

    Attributes:
        url: What its tokens have for `iss`.
        requests: (path, audience, Authorization) of each request for a token of GitHub's.
        answers: What to answer to these in place of a token, once each.
        issued: Every token that it signed.
    """

    def __init__(self, folder, *, url="https://token.actions.githubusercontent.com"):
        self.url = url
        self.requests, self.answers, self.issued = [], [], []
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        authority = Authority(str(folder))
        self._trusts = ssl.create_default_context(cafile=authority.ca_file)
        self._server = tls_server(self._serve, authority.server_context("issuer.example"))

    def __enter__(self):
        self._port = self._server.__enter__().server_port
        return self

    def __exit__(self, *problem):
        self._server.__exit__(*problem)

    def sign(self, *, aud, lives=300, key=None, **claims):
        """
        Sign a token for *aud* that ends in *lives* seconds; a claim of None is left out.
        """
        now = int(time.time())
        content = {"iss": self.url, "aud": aud, "iat": now, "nbf": now, "exp": now + lives}
        content |= {**GITHUB, **claims}
        content = {name: value for name, value in content.items() if value is not None}
        token = jwt.encode(content, key or self._key, algorithm="RS256", headers={"kid": "1"})
        self.issued.append(token)
        return token

    def _serve(self, _method, target, _headers, _body):
        """
        Its keys, where a cloud reads them.
        """
        if target == "/.well-known/openid-configuration":
            return _json({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"})
        if target != "/jwks":
            return 404, {}, b""
        key = jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key(), as_dict=True)
        return _json({"keys": [{**key, "kid": "1", "use": "sig", "alg": "RS256"}]})

    def get(self, path):
        """
        What the server says at *path*, over verified TLS.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        plain = socket.create_connection(("127.0.0.1", self._port), timeout=10)
        connection.sock = self._trusts.wrap_socket(plain, server_hostname="issuer.example")
        with contextlib.closing(connection):
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())

    def github(self, method, target, headers, _body):
        """
        Answer as GitHub does to a job: a function of an `Internet`.
        """
        at = urlsplit(target)
        query = parse_qs(at.query)
        audience = query.get("audience", [None])[0]
        self.requests.append((at.path, audience, headers.get("Authorization")))
        if self.answers:
            return self.answers.pop(0)
        right = f"Bearer {REQUEST_TOKEN}" == headers.get("Authorization")
        if method != "GET" or not right or query.get("api-version") != ["2.0"]:
            return 401, JSON, b'{"message": "unauthorized"}'
        return _json({"count": 1, "value": self.sign(aud=audience)})

    @property
    def environ(self):
        """
        What GitHub's runner sets in a job that may request a token.
        """
        return {
            "GITHUB_ACTIONS": "true",
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"https://{GITHUB_HOST}{GITHUB_PATH}",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": REQUEST_TOKEN,
        }

    def secrets_in(self, text):
        """
        The tokens that *text* shows, whole or by their claims or signature.
        """
        parts = [part for token in self.issued for part in token.split(".")[1:]]
        forms = [*parts, *(base64.b64encode(part.encode()).decode() for part in parts)]
        return [part for part in [*forms, REQUEST_TOKEN] if part in text]


@dataclass(frozen=True, kw_only=True)
class Policy:
    """
    What a cloud wants of a token.

    Attributes:
        issuer: The `Issuer` that it knows.
        audience: The audience that it accepts.
        subject: The subject that may log in.
    """

    issuer: Issuer
    audience: str
    subject: str = GITHUB["sub"]

    def fault_of(self, token):
        """
        Return what is wrong with *token*, by the name of the claim; None if it may log in.
        """
        claims = jwt.decode(token, options={"verify_signature": False})
        if claims["iss"] != self.issuer.url:
            return "issuer"
        where = urlsplit(self.issuer.get("/.well-known/openid-configuration")["jwks_uri"]).path
        keys = jwt.PyJWKSet.from_dict(self.issuer.get(where))
        key = keys[jwt.get_unverified_header(token)["kid"]]
        try:
            jwt.decode(token, key, algorithms=["RS256"], audience=self.audience)
        except jwt.ExpiredSignatureError:
            return "expired"
        except jwt.InvalidAudienceError:
            return "audience"
        except jwt.InvalidSignatureError:
            return "signature"
        return None if claims["sub"] == self.subject else "subject"


def stranger():
    """
    A key that no issuer publishes.
    """
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _json(document, status=200):
    return status, JSON, json.dumps(document).encode()
