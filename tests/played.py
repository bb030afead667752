# SPDX-License-Identifier: MIT
"""
Plays registries whose real ones a test cannot have; `documented` says how each of them answers.

Each holds `team/app:1`, which its one user may pull, and `team/secret:1`, which nobody may.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from internet import Internet

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
