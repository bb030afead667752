# SPDX-License-Identifier: MIT
"""
Checking a credential as `docker login` does.

The protocol: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md and
https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md; where they leave
room, what docker does: https://github.com/moby/moby/blob/v28.2.2/registry/auth.go
"""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass
from urllib.parse import urlencode

from ..errors import AuthenticationError, RegistryError, UnreachableError
from ..registry import repository_in
from . import refusals
from .answers import PULLED, challenge_fault, is_manifest, read_token_answer, refuse_page
from .challenge import check_realm, parse
from .failures import led_away, no_challenge, not_a_registry
from .transport import place
from .urls import Url

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential
    from ..registry import Registry
    from .challenge import Challenge
    from .transport import Response, Transport

# docker's name for itself at token servers.
_CLIENT_ID = "docker"

# Why docker goes on to plain HTTP with a registry on this machine: the port speaks no TLS.
_NO_TLS = ("plain-http", "tls-failed", "connection-reset", "timeout")

# Seconds for that first try over TLS: some servers wait for the end of a line that never comes.
_TLS_HERE_MAX = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    What a registry made of a credential that it did not refuse.

    Attributes:
        verified: Whether the registry proved to have accepted it: the registry itself answered 200
            to it, or to the token that it got with it, at the URL that was asked, and 401 to the
            same request without a login.
        code: None, or `not-checked` (something was not proven), `pull-denied`, `image-not-found`,
            `docker-cannot-read`.
        realm: The host of the token server, where it is not the registry's own.
        message: What *code* means here, in one line.
        hint: What to do about it, beginning with a verb.
    """

    verified: bool
    code: str | None = None
    realm: str | None = None
    message: str = ""
    hint: str = ""


def check(
    registry: Registry,
    credential: Credential,
    *,
    transport: Transport,
    timeout: float,
    image: str | None = None,
    ca_file: str | None = None,
) -> Check:
    """
    Ask *registry* whether it accepts *credential*; with *image*, also whether that can be pulled.

    A refused credential has gone out once.

    Args:
        registry: Whom to ask.
        credential: What to ask about.
        transport: How.
        timeout: Seconds for everything.
        image: An image of that registry; its name may leave the registry out.
        ca_file: Path of a PEM bundle to trust in addition.

    Raises:
        AuthenticationError: The registry or its token server said no.
        TransientError: Nobody answered, or somebody was busy; `retry_after` may say for how long.
        UnreachableError: Nobody could be asked, or whoever could must not be.
        InvalidRegistryError: *image* is none, or another registry's.
        RegistryError: `not-a-registry`: the answer is no registry's.
    """
    return _Conversation(registry, credential, transport, timeout, ca_file).check(image)


class _Conversation:
    """
    The few requests of one check, with what stays the same between them.
    """

    def __init__(
        self,
        registry: Registry,
        credential: Credential,
        transport: Transport,
        timeout: float,
        ca_file: str | None,
    ) -> None:
        self._registry = registry
        self._credential = credential
        self._transport = transport
        self._end = time.monotonic() + timeout
        self._ca_file = ca_file
        self._root = f"https://{registry.api_host}/v2/"
        self._realm: str | None = None
        self._unreadable: Check | None = None

    def check(self, image: str | None) -> Check:
        name, reference = repository_in(image, self._registry) if image else (None, "")
        ping = self._ping()
        if ping.status == 200:
            refuse_page(ping, self._registry)
            return Check(
                verified=False,
                code="not-checked",
                message=f"{self._registry} answers without a login, so nothing was proven",
                hint="set *_IMAGE to a private image, or expect to see at the first pull",
            )
        if ping.status != 401:
            raise refusals.error(ping, self._registry, sent=False)
        identity, realm = self._answer(ping)
        # Also where an image is to be pulled: some token servers give the world's token to a wrong
        # password, and with that a public image can be pulled.
        self._prove_identity(identity)
        if self._unreadable is not None:
            return self._unreadable
        if name is None:
            # Without a login 401, with it 200 at the same URL: see `_prove_identity`.
            return Check(verified=True, realm=self._realm)
        return self._prove_pull(name, reference, identity, realm)

    def _ping(self) -> Response:
        try:
            return self._request("GET", self._root, at_most=self._time_for_tls())
        except UnreachableError as exc:
            if not self._registry.is_loopback or exc.code not in _NO_TLS:
                raise
            first = exc
        self._root = f"http://{self._registry.api_host}/v2/"
        try:
            ping = self._request("GET", self._root)
        except RegistryError as exc:
            # What went wrong with TLS says more, unless there never was any.
            raise (exc if first.code == "plain-http" else first) from None
        if ping.status == 400 and first.code != "plain-http":
            raise first  # how a TLS port answers plain HTTP
        return ping

    def _time_for_tls(self) -> float:
        if not self._registry.is_loopback:
            return float("inf")
        return min(_TLS_HERE_MAX, (self._end - time.monotonic()) / 2)

    def _answer(self, ping: Response) -> tuple[str, tuple[Url, Challenge] | None]:
        """
        The `Authorization` that answers the challenge, and the token server if one was asked.

        Bearer before Basic, as docker has it.
        """
        headers = ping.header_list("WWW-Authenticate")
        challenges = parse(headers)
        bearer = next((c for c in challenges if c.scheme == "bearer"), None)
        basic = next((c for c in challenges if c.scheme == "basic"), None)
        if bearer is not None and bearer.parameters.get("realm"):
            try:
                realm = self._check_realm(bearer.parameters["realm"], ping)
            except UnreachableError:
                if basic is None:
                    raise
            else:
                token = self._token(realm, bearer)
                odd = challenge_fault(headers)
                if self._unreadable is None and odd:
                    self._unreadable = self._oddity(odd)
                return f"Bearer {token}", (realm, bearer)
        if not challenges:
            raise no_challenge(self._registry)
        if basic is None:
            raise not_a_registry(self._registry, "asks for a login in a way that no registry does")
        if ping.crossed_hosts:
            raise led_away(self._registry, place(ping.url))
        if self._credential.is_identity_token:
            raise AuthenticationError(
                f"{self._registry} takes a user name and a password, not an identity token",
                hint="set *_USER and *_PASSWORD",
            )
        return self._basic(), None

    def _check_realm(self, realm: str, ping: Response) -> Url:
        asked = Url.parse(self._root)
        assert asked is not None
        url = check_realm(
            realm,
            registry=self._registry,
            asked=asked,
            crossed_hosts=ping.crossed_hosts,
            peer=ping.peer,
        )
        if not url.same_host(asked):
            self._realm = url.netloc
        return url

    def _token(self, realm: Url, challenge: Challenge, name: str | None = None) -> str:
        query = {"service": service} if (service := challenge.parameters.get("service")) else {}
        if name is not None:
            query["scope"] = f"repository:{name}:pull"
        query["client_id"] = _CLIENT_ID
        if self._credential.is_identity_token:
            form = {"grant_type": "refresh_token", **query}
            form["refresh_token"] = self._credential.secret.reveal()
            response = self._request("POST", str(realm), form=form)
        else:
            query |= {"offline_token": "true", "account": self._credential.username}
            joint = "&" if "?" in realm.target else "?"
            response = self._request(
                "GET",
                f"{realm}{joint}{urlencode(query, errors='surrogateescape')}",
                authorization=self._basic(),
            )
        if response.leads_to is not None:
            # The credential stays behind, so that token would be nobody's.
            raise led_away(realm.netloc, response.leads_to)
        if response.status != 200:
            raise refusals.error(response, self._registry, realm=self._realm)
        return self._read_token(response)

    def _read_token(self, response: Response) -> str:
        who = self._realm or self._registry
        answer = read_token_answer(response.body)
        if answer.token is None:
            raise not_a_registry(who, "sends no token where a token server does")
        if answer.is_nobodys:
            # Some grant the world's token to a wrong password instead of refusing it.
            raise refusals.refused(self._registry, self._realm)
        if answer.oddity:
            self._unreadable = self._oddity(answer.oddity)
        return answer.token

    def _oddity(self, what: str) -> Check:
        who = self._realm or self._registry
        return Check(
            verified=True,
            code="docker-cannot-read",
            realm=self._realm,
            message=f"{self._registry} accepts the login, but docker cannot read it: {what}",
            hint=f"tell whoever runs {who}; docker pull fails until that is mended",
        )

    def _basic(self) -> str:
        pair = f"{self._credential.username}:{self._credential.secret.reveal()}"
        # Bytes of the environment that are no UTF-8 go out as they came in.
        return "Basic " + base64.b64encode(pair.encode("utf-8", "surrogateescape")).decode()

    def _prove_identity(self, authorization: str) -> None:
        """
        Raise unless the registry answers 200 here, where it answered 401 without a login.

        No redirect is followed: what answers elsewhere has not seen the credential.
        """
        response = self._request("GET", self._root, authorization=authorization)
        if response.leads_to is not None:
            raise led_away(self._registry, response.leads_to)
        if response.status != 200:
            raise refusals.error(response, self._registry)
        refuse_page(response, self._registry)

    def _prove_pull(
        self, name: str, reference: str, identity: str, realm: tuple[Url, Challenge] | None
    ) -> Check:
        denied = Check(
            verified=True,
            code="pull-denied",
            realm=self._realm,
            message=f"{self._registry} accepts the login but denies a pull of {name}",
            hint=f"give it permission to read {name}",
        )
        authorization = identity
        if realm is not None:
            # A token of its own: asked for both at once, ghcr.io, Google and GitLab refuse in the
            # same words a login and an image, and the login would have to be sent again to tell.
            try:
                authorization = f"Bearer {self._token(*realm, name)}"
            except AuthenticationError:
                return denied
        url = f"{self._root}{name}/manifests/{reference}"
        # Followed without the login, as registries keep manifests elsewhere, too.
        response = self._request("HEAD", url, authorization=authorization, follow=True)
        if response.status == 200 and is_manifest(response):
            # What ends in a manifest was handed out to this login by the registry.
            return Check(verified=True, realm=self._realm)
        if response.status == 200 or response.redirected:
            where = f" at {place(response.url)}" if response.redirected else ""
            return Check(
                verified=True,
                code="not-checked",
                realm=self._realm,
                message=f"{self._registry} accepts the login; whether {name} can be pulled was not "
                f"proven: the answer{where} is no manifest",
                hint="pull the image to see; a proxy or a sign-in page may answer in between",
            )
        if response.status == 404:
            return Check(
                verified=True,
                code="image-not-found",
                realm=self._realm,
                message=f"{self._registry} has no image {name}:{reference} that this login may see",
                hint="check *_IMAGE, and that the login may read that repository",
            )
        if response.status not in (401, 403):
            raise refusals.error(response, self._registry)
        return denied

    def _request(
        self,
        method: str,
        url: str,
        *,
        authorization: str | None = None,
        form: dict[str, str] | None = None,
        at_most: float = float("inf"),
        follow: bool = False,
    ) -> Response:
        headers = {"Authorization": authorization} if authorization else {}
        if method == "HEAD":
            headers["Accept"] = ", ".join(PULLED)
        return self._transport.request(
            method,
            url,
            headers=headers,
            form=form,
            ca_file=self._ca_file,
            trusted_as=self._registry.api_host,
            timeout=min(at_most, self._end - time.monotonic()),
            follow=follow or authorization is None,
        )
