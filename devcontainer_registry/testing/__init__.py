# SPDX-License-Identifier: MIT
"""
A registry on loopback, for tests and the `demo` command.

It lives in this process, keeps everything in memory, and holds images that clients can pull.
`AuthenticatorContract` has the tests that every authenticator must pass.
"""

from __future__ import annotations

import base64
import json
import secrets
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

from ..registry import Registry, is_loopback_host
from .image import built
from .loopback import LoopbackServer

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from email.message import Message
    from typing import Literal

    from .contract import AuthenticatorContract
    from .loopback import Answer

    Form = Mapping[str, list[str]]

__all__ = ["AuthenticatorContract", "LoopbackRegistry", "Request"]

_TOKEN_LIFE = 300  # seconds; sent to the client, not enforced


def __getattr__(name: str) -> object:
    if name != "AuthenticatorContract":
        msg = f"module {__name__} has no attribute {name}"
        raise AttributeError(msg)
    from .contract import AuthenticatorContract  # unittest, which the demo does not need

    return AuthenticatorContract


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    An answered request, without its secrets.

    Attributes:
        method: `GET`, `HEAD`, `POST`.
        path: Without the query, which may hold a secret.
        user: The authenticated user, or None.  A refused user name is not recorded: at some
            registries it is a token.
        status: HTTP status of the answer.
        refused: Whether the request carried a credential or token that was refused.
    """

    method: str
    path: str
    user: str | None
    status: int
    refused: bool = False


class LoopbackRegistry:
    """
    A registry on loopback, which runs while its context manager is entered.

    Args:
        users: Passwords by user name.
        auth: `basic`, or `bearer` with a token endpoint of its own.  The endpoint answers GET and
            POST, and issues refresh tokens on request.
        images: `name:tag` of each image to serve.  The images are tiny, and docker can pull them.
        host: `localhost`, or an address in 127.0.0.0/8.
        latency: Seconds to wait before each answer.

    Attributes:
        registry: `host:port`.
        requests: Answered requests, in order.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        *,
        auth: Literal["basic", "bearer"] = "bearer",
        images: Iterable[str] = ("demo/hello:latest",),
        host: str = "localhost",
        latency: float = 0.0,
    ) -> None:
        if not is_loopback_host(host) or ":" in host:
            msg = "a LoopbackRegistry listens on localhost or in 127.0.0.0/8 only"
            raise ValueError(msg)
        self.requests: list[Request] = []
        self._users, self._auth, self._latency = dict(users), auth, latency
        self._content = built(images)
        self._tokens: dict[str, tuple[str, set[str]]] = {}  # token: user, scopes
        self._refresh_tokens: dict[str, str] = {}  # token: user
        address = "127.0.0.1" if host == "localhost" else host
        self._server = LoopbackServer(self._answer, address=address)
        self.registry: Registry = Registry(f"{host}:{self._server.server_port}")

    def __enter__(self) -> LoopbackRegistry:
        """
        Start the server.
        """
        self._server.__enter__()
        return self

    def __exit__(self, *exc: object) -> None:
        """
        Stop the server and close every connection.
        """
        self._server.__exit__(*exc)

    @property
    def refusals(self) -> int:
        """
        Number of requests with a refused credential or token.
        """
        return sum(request.refused for request in self.requests)

    def _answer(self, method: str, target: str, headers: Message, body: bytes) -> Answer:
        time.sleep(self._latency)
        path, _, query = target.partition("?")
        asks_token = self._auth == "bearer" and path == "/token"
        posted = asks_token and method == "POST"
        form = parse_qs(body.decode("latin-1") if posted else query)
        user, scheme = self._who(headers, form if posted else {})
        answer = self._token(user, form) if asks_token else self._read(path, user, headers)
        refused = scheme is not None and user is None
        self.requests.append(
            Request(method=method, path=path, user=user, status=answer[0], refused=refused)
        )
        return answer

    def _who(self, headers: Message, form: Form) -> tuple[str | None, str | None]:
        """
        Return the authenticated user and the scheme used; None for each that is missing.
        """
        scheme, _, proof = headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self._tokens.get(proof, (None,))[0], "bearer"
        if "refresh_token" in form:
            return self._refresh_tokens.get(form["refresh_token"][0]), "refresh_token"
        if "password" in form:
            name, password = form.get("username", [""])[0], form["password"][0]
        elif scheme:
            name, password = _decoded(proof)
        else:
            return None, None
        return (name if self._users.get(name) == password else None), "basic"

    def _token(self, user: str | None, form: Form) -> Answer:
        if user is None:
            return _refusal(401, "UNAUTHORIZED", "incorrect username or password")
        scopes = {scope for line in form.get("scope", []) for scope in line.split()}
        token = secrets.token_urlsafe()
        self._tokens[token] = user, {_pull(name) for name in map(_pulled, scopes) if name}
        answer: dict[str, object] = {"token": token, "access_token": token}
        answer["expires_in"] = _TOKEN_LIFE
        if form.get("offline_token") == ["true"] or form.get("access_type") == ["offline"]:
            answer["refresh_token"] = offline = secrets.token_urlsafe()
            self._refresh_tokens[offline] = user
        return 200, {"Content-Type": "application/json"}, json.dumps(answer).encode()

    def _read(self, path: str, user: str | None, headers: Message) -> Answer:
        scheme, _, proof = headers.get("Authorization", "").partition(" ")
        # /v2/<name>/manifests/<reference>; a name may contain slashes.
        repository = path[4:].rsplit("/", 2)[0] if path.count("/") > 3 else ""
        if not path.startswith("/v2/"):
            return _refusal(404, "UNSUPPORTED", "not a path of the registry")
        if user is None or scheme.lower() != self._auth:
            error = "invalid_token" if scheme.lower() == "bearer" else ""
            return self._challenge(repository, error=error)
        scoped = self._auth == "bearer" and bool(repository)
        if scoped and _pull(repository) not in self._tokens[proof][1]:
            return self._challenge(repository, error="insufficient_scope")
        if path == "/v2/":
            return 200, {"Content-Type": "application/json"}, b"{}"
        return self._content.get(path) or _refusal(404, "MANIFEST_UNKNOWN", "not held here")

    def _challenge(self, repository: str, *, error: str) -> Answer:
        status, headers, body = _refusal(401, "UNAUTHORIZED", "authentication required")
        challenge = 'Basic realm="loopback"'
        if self._auth == "bearer":
            challenge = f'Bearer realm="http://{self.registry}/token",service="{self.registry}"'
            challenge += f',scope="{_pull(repository)}"' if repository else ""
            challenge += f',error="{error}"' if error else ""
        return status, {**headers, "WWW-Authenticate": challenge}, body


def _decoded(basic: str) -> tuple[str, str]:
    try:
        text = base64.b64decode(basic).decode()
    except ValueError:
        return "", ""  # nobody
    name, _, password = text.partition(":")
    return name, password


def _pull(repository: str) -> str:
    return f"repository:{repository}:pull"


def _pulled(scope: str) -> str:
    """
    Return the repository that *scope* asks to pull, or "".
    """
    kind, _, rest = scope.partition(":")
    name, _, actions = rest.rpartition(":")
    return name if kind == "repository" and "pull" in actions.split(",") else ""


def _refusal(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]})
    return status, {"Content-Type": "application/json"}, body.encode()
