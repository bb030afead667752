# SPDX-License-Identifier: MIT
"""
The requests to one registry, as docker makes them.

The protocol: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md and
https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/token.md; where they leave
room, what docker does: https://github.com/moby/moby/blob/v28.2.2/registry/auth.go
"""

from __future__ import annotations

import time
from urllib.parse import urlencode

from ..causes import login as causes
from ..credentials import basic_authorization
from ..errors import RegistryError, UnreachableError
from ..observer import is_observed, tell
from . import refusals
from .answers import PULLED, challenge_fault, read_token_answer, refuse_page
from .challenge import check_realm, parse
from .urls import Url, place, shown

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential
    from ..registry import Registry
    from .challenge import Challenge
    from .transport import Response, Transport

# docker's name for itself at token servers.
_CLIENT_ID = "docker"

# Errors after which docker uses plain HTTP with a local registry.
_NO_TLS = ("plain-http", "tls-failed", "connection-reset", "timeout")

# Seconds for that first try over TLS: some servers wait for a line that never ends.
_TLS_HERE_MAX = 5.0


class Conversation:
    """
    Requests to one registry with one credential, which is not sent again after a refusal.

    Attributes:
        registry: The registry.
        realm: Host of the token server, if it is not the registry's.
        oddity: Why docker cannot parse an answer, or "".
        is_ignored: Whether the token server ignored a wrong credential and issued an anonymous
            token.  docker then reads public images only.
    """

    def __init__(
        self,
        registry: Registry,
        credential: Credential | None,
        *,
        transport: Transport,
        timeout: float,
        ca_file: str | None = None,
    ) -> None:
        """
        Prepare the conversation; no request is sent yet.

        Args:
            registry: Registry to contact.
            credential: Credential to log in with; None: anonymous.
            transport: Sends the requests.
            timeout: Seconds for all requests.
            ca_file: Path of an additional PEM bundle to trust.
        """
        self.registry = registry
        self.realm: str | None = None
        self.oddity = ""
        self.is_ignored = False
        self._credential = credential
        self._transport = transport
        self._end = time.monotonic() + timeout
        self._ca_file = ca_file
        self._root = f"https://{registry.api_host}/v2/"
        self._identity: str | None = None
        self._challenge: tuple[Url, Challenge] | None = None

    def ping(self) -> Response:
        """
        Request `/v2/` without a login, to see whether this is a registry and how to log in.

        Returns:
            The answer: status 200 if no login is needed, else 401.

        Raises:
            RegistryError: Any other result.
        """
        ping = self._ping()
        if ping.status == 200:
            refuse_page(ping, self.registry)
        elif ping.status != 401:
            raise refusals.error(ping, self.registry, sent=False)
        return ping

    def log_in(self, ping: Response) -> None:
        """
        Answer the challenge of `ping`, and check that the registry accepts the credential.

        It does if it answers 200 to a request that got 401 without a login.  Redirects are not
        followed: another host has not seen the credential.

        Raises:
            RegistryError: It refuses, or the result is unknown.
        """
        self._identity = self._answer(ping)
        assert self._identity is not None
        response = self._request("GET", self._root, authorization=self._identity)
        if response.leads_to is not None:
            raise causes.LED_AWAY.error(host=self.registry, place=response.leads_to)
        if response.status != 200:
            self.is_ignored = response.status == 401 and self._challenge is not None
            raise refusals.error(response, self.registry)
        refuse_page(response, self.registry)

    def read_challenge(self, ping: Response) -> None:
        """
        Record the challenge of `ping` for anonymous requests.
        """
        self._identity = self._answer(ping)

    @property
    def asks_for_login(self) -> bool:
        """
        Whether the registry asked for a login; otherwise docker sends none.
        """
        return self._identity is not None or self._challenge is not None

    def without_login(self) -> Conversation:
        """
        Return an anonymous conversation with the same registry.
        """
        return Conversation(
            self.registry,
            None,
            transport=self._transport,
            timeout=self._end - time.monotonic(),
            ca_file=self._ca_file,
        )

    def authorize(self, name: str, *actions: str) -> str | None:
        """
        Return the `Authorization` for *actions* on the repository *name*, or None.

        It uses a separate token: if login and image are requested together, ghcr.io, Google and
        GitLab refuse both with the same text.

        Raises:
            RegistryError: The token server refuses or cannot be reached.
        """
        if self._challenge is None:
            return self._identity
        scope = f"repository:{name}:{','.join(actions)}"
        return f"Bearer {self._token(*self._challenge, scope)}"

    def manifest(self, name: str, reference: str, authorization: str | None) -> Response:
        """
        Request the headers of the manifest *reference* in the repository *name*.

        Redirects are followed without the login: registries may store manifests elsewhere.
        """
        url = f"{self._root}{name}/manifests/{reference}"
        accept = ", ".join(PULLED)
        return self._request("HEAD", url, authorization=authorization, accept=accept, follow=True)

    def request(
        self, method: str, path: str, authorization: str | None, *, accept: str = ""
    ) -> Response:
        """
        Send another request for *path* below `/v2/`.
        """
        url = f"{self._root}{path}"
        return self._request(method, url, authorization=authorization, accept=accept)

    def _ping(self) -> Response:
        try:
            return self._request("GET", self._root, at_most=self._time_for_tls())
        except UnreachableError as exc:
            if not self.registry.is_loopback or exc.code not in _NO_TLS:
                raise
            first = exc
        self._root = f"http://{self.registry.api_host}/v2/"
        try:
            ping = self._request("GET", self._root)
        except RegistryError as exc:
            # The TLS error is more specific, if there was TLS.
            raise (exc if first.code == "plain-http" else first) from None
        if ping.status == 400 and first.code != "plain-http":
            raise first  # typical answer of a TLS port to plain HTTP
        return ping

    def _time_for_tls(self) -> float:
        if not self.registry.is_loopback:
            return float("inf")
        return min(_TLS_HERE_MAX, (self._end - time.monotonic()) / 2)

    def _answer(self, ping: Response) -> str | None:
        """
        Return the `Authorization` for the challenge, and record the token server.

        Bearer wins over Basic, as in docker.
        """
        headers = ping.header_list("WWW-Authenticate")
        challenges = parse(headers)
        _tell_of(challenges, self.registry)
        bearer = next((c for c in challenges if c.scheme == "bearer"), None)
        basic = next((c for c in challenges if c.scheme == "basic"), None)
        if bearer is not None and bearer.parameters.get("realm"):
            try:
                realm = self._check_realm(bearer.parameters["realm"], ping)
            except UnreachableError:
                if basic is None:
                    raise
            else:
                self._challenge = realm, bearer
                if self._credential is None:
                    return None
                token = self._token(realm, bearer)
                self.oddity = self.oddity or challenge_fault(headers)
                return f"Bearer {token}"
        if not challenges:
            raise causes.NO_CHALLENGE.error(host=self.registry)
        if basic is None:
            raise causes.STRANGE_CHALLENGE.error(host=self.registry)
        if ping.crossed_hosts:
            raise causes.LED_AWAY.error(host=self.registry, place=place(ping.url))
        return self._pair()

    def _pair(self) -> str | None:
        if self._credential is None:
            return None
        if self._credential.is_identity_token:
            raise causes.WANTS_PASSWORD.error(host=self.registry)
        return self._basic(self._credential)

    def _check_realm(self, realm: str, ping: Response) -> Url:
        asked = Url.parse(self._root)
        assert asked is not None
        url = check_realm(
            realm,
            registry=self.registry,
            asked=asked,
            crossed_hosts=ping.crossed_hosts,
            peer=ping.peer,
        )
        if not url.same_host(asked):
            self.realm = url.netloc
        return url

    def _token(self, realm: Url, challenge: Challenge, scope: str = "") -> str:
        credential = self._credential
        query = {"service": service} if (service := challenge.parameters.get("service")) else {}
        if scope:
            query["scope"] = scope
        query["client_id"] = _CLIENT_ID
        how = "anonymous" if credential is None else "basic"
        if credential is not None and credential.is_identity_token:
            how = "refresh"
        where = {"registry": self.registry, "realm": realm.netloc, "scope": shown(scope) or None}
        tell("token.requested", **where, how=how)
        if credential is not None and credential.is_identity_token:
            form = {"grant_type": "refresh_token", **query}
            form["refresh_token"] = credential.secret.reveal()
            response = self._request("POST", str(realm), form=form)
        else:
            basic = None
            if credential is not None:
                query |= {"offline_token": "true", "account": credential.username}
                basic = self._basic(credential)
            joint = "&" if "?" in realm.target else "?"
            url = f"{realm}{joint}{urlencode(query, errors='surrogateescape')}"
            response = self._request("GET", url, authorization=basic)
        if response.leads_to is not None:
            # The redirect drops the credential, so the token would be anonymous.
            raise causes.LED_AWAY.error(host=realm.netloc, place=response.leads_to)
        if response.status != 200:
            raise refusals.error(response, self.registry, realm=self.realm)
        return self._read_token(response)

    def _read_token(self, response: Response) -> str:
        answer = read_token_answer(response.body)
        if answer.token is None:
            raise causes.NO_TOKEN.error(host=self.realm or self.registry)
        if answer.is_nobodys and self._credential is not None:
            # Some issue an anonymous token for a wrong password.
            self.is_ignored = True
            raise refusals.refused(self.registry, self.realm)
        self.oddity = self.oddity or answer.oddity
        return answer.token

    @staticmethod
    def _basic(credential: Credential) -> str:
        return basic_authorization(credential.username, credential.secret.reveal())

    def _request(
        self,
        method: str,
        url: str,
        *,
        authorization: str | None = None,
        form: dict[str, str] | None = None,
        at_most: float = float("inf"),
        follow: bool = False,
        accept: str = "",
    ) -> Response:
        headers = {"Authorization": authorization} if authorization else {}
        if accept:
            headers["Accept"] = accept
        return self._transport.request(
            method,
            url,
            headers=headers,
            form=form,
            ca_file=self._ca_file,
            trusted_as=self.registry.api_host,
            timeout=min(at_most, self._end - time.monotonic()),
            follow=follow or authorization is None,
        )


def _tell_of(challenges: list[Challenge], registry: Registry) -> None:
    for challenge in challenges if is_observed() else ():
        # Its parameters are the server's words.
        said = challenge.parameters
        realm = Url.parse(said.get("realm", ""))
        tell(
            "challenge.received",
            registry=registry,
            scheme=shown(challenge.scheme),
            realm=realm.netloc if realm is not None else None,
            service=shown(said["service"]) if "service" in said else None,
            scope=shown(said["scope"]) if "scope" in said else None,
        )
