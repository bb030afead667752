# SPDX-License-Identifier: MIT
"""
The shared types: `Secret`, `RegistrySecret`, `Credential` and `Finding`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .causes.cause import Finding
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import NoReturn

# `Finding` is re-exported.
__all__ = ("Credential", "Finding", "RegistrySecret", "Secret")

# User name with which a helper returns an identity (refresh) token; not a placeholder.
# https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/native_store.go
IDENTITY_TOKEN_USERNAME = "<token>"  # noqa: S105  (a user name)


class Secret:
    """
    A string that only `reveal` shows.

    Its `repr` is `Secret(****)`, whatever the string; logs, tracebacks, debuggers and test runners
    show that.  Every way of making a text of it raises `TypeError`: `str`, `format`, f-strings,
    `%s`, `bytes`, `+` and `encode`.  An HTTP client that is given a `Secret` for a password would
    otherwise send the mask as the password.  Pickling raises `TypeError`, too.
    """

    __slots__ = ("__reveal",)

    def __init__(self, value: str) -> None:
        # Not in an attribute: serializers and debuggers list attributes.
        self.__reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """
        Return the string itself.
        """
        return self.__reveal()

    def __repr__(self) -> str:
        """
        Return the same text for every secret, so that not even the length shows.
        """
        return "Secret(****)"

    def __str__(self) -> NoReturn:
        """
        Raise `TypeError`: call `reveal` for the string.
        """
        msg = "a Secret is no text: pass secret.reveal(), or show repr(secret)"
        raise TypeError(msg)

    def __format__(self, spec: str) -> NoReturn:
        """
        Raise `TypeError`, as `str` does; `{secret!r}` is masked.
        """
        self.__str__()

    def __bytes__(self) -> NoReturn:  # noqa: PLE0308  (it returns nothing)
        """
        Refuse, as `str` does.
        """
        self.__str__()

    def __add__(self, other: object) -> NoReturn:
        """
        Refuse, as `str` does.
        """
        self.__str__()

    __radd__ = __add__

    def encode(self, *_: object) -> NoReturn:
        """
        Raise `TypeError`, as `str` does: clients call it to encode text.
        """
        self.__str__()

    def __bool__(self) -> bool:
        """
        Whether the string is not empty.
        """
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        """
        Return whether *other* is a `Secret` with the same string.
        """
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        """
        Return the hash of the string, which Python salts in each process.
        """
        return hash((Secret, self.reveal()))

    def __reduce__(self) -> NoReturn:
        """
        Raise `TypeError`: a pickle may end in a file, a queue or a log.
        """
        msg = "a Secret cannot be pickled or copied out of its process"
        raise TypeError(msg)

    def __copy__(self) -> Secret:
        """
        Itself; it never changes.
        """
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        """
        Itself; it never changes.
        """
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrySecret:
    """
    One set of variables: the secrets for one registry.

    Its `repr` shows no value of a variable, since any may hold a password by mistake.

    Attributes:
        id: `<ID>` of `<ID>_CONTAINER_REGISTRY_SERVER`, or the name of an implicit source.
        registry: Registry of the set.
        source: Variables of the set, by name.
        username: User name; None: use the cloud identity of the container (an IAM role).
        secret: Password or token; None likewise.
        kind: Authenticator named by the user; None: chosen by registry.
        region: AWS region, if the host does not contain it.
        session_token: AWS session token for an `ASIA…` key.
        role_arn: AWS role to assume before asking ECR.
        profile: AWS profile to use.
        tenant: Entra ID tenant for the ACR exchange.
        client_id: Application of Entra ID, or service account of Google, to become.
        audience: Audience of the ID token; at Google the provider that accepts it.
        id_token: Signed statement of an issuer (JWT) about who this is, for a cloud to accept.
        ca_file: Path of a PEM bundle to trust for this registry.
        image: Image of that registry whose pull to check.
        implicit: Whether the platform set it (`GITHUB_TOKEN`, `CI_REGISTRY`,
            `DOCKER_AUTH_CONFIG`).  It never replaces an entry that we did not write, and never
            affects the exit status.
    """

    id: str
    registry: Registry
    source: str
    username: str | None = field(default=None, repr=False)
    secret: Secret | None = None
    kind: str | None = field(default=None, repr=False)
    region: str | None = field(default=None, repr=False)
    session_token: Secret | None = None
    role_arn: str | None = field(default=None, repr=False)
    profile: str | None = field(default=None, repr=False)
    tenant: str | None = field(default=None, repr=False)
    client_id: str | None = field(default=None, repr=False)
    audience: str | None = field(default=None, repr=False)
    id_token: Secret | None = None
    ca_file: str | None = field(default=None, repr=False)
    image: str | None = field(default=None, repr=False)
    implicit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """
    A user name and secret that docker sends to a registry, perhaps with an expiry.

    `basic_auth`, `authorization` and `docker_auth_config` give it in the shapes that clients take.
    What they return is plain text: pass it on, and do not log or store it.

    Attributes:
        username: User name; `<token>` if *secret* is an identity token.
        secret: Password or identity token.
        issued_at: Issue time in Unix seconds, or None if unknown.
        expires_at: Expiry in Unix seconds, or None if unknown.
    """

    username: str
    secret: Secret
    issued_at: float | None = None
    expires_at: float | None = None

    @classmethod
    def identity_token(
        cls, token: Secret, *, issued_at: float | None = None, expires_at: float | None = None
    ) -> Credential:
        """
        Return a credential with an OAuth2 refresh token instead of a password.
        """
        return cls(
            username=IDENTITY_TOKEN_USERNAME,
            secret=token,
            issued_at=issued_at,
            expires_at=expires_at,
        )

    @property
    def is_identity_token(self) -> bool:
        """
        Whether *secret* is an identity token rather than a password.
        """
        return self.username == IDENTITY_TOKEN_USERNAME

    def basic_auth(self) -> tuple[str, str]:
        """
        Return `(user name, password)`, as requests and httpx take it for `auth=`.

        Raises:
            ValueError: The secret is an identity token, which no registry takes as a password; or
                the user name has a colon, which Basic authentication cannot carry.
        """
        if self.is_identity_token:
            msg = "an identity token is no password: use docker_auth_config() with a Docker client"
            raise ValueError(msg)
        if ":" in self.username:
            msg = "Basic authentication cannot carry a user name with a colon"
            raise ValueError(msg)
        return self.username, self.secret.reveal()

    def authorization(self) -> str:
        """
        Return the value of the `Authorization` header: `Basic`, and user name and password.

        Both are UTF-8 before they become base64 (RFC 7617).  Most registries take the header at
        their token server only, whose address is in the `WWW-Authenticate` of a 401.

        Raises:
            ValueError: As for `basic_auth`.
        """
        return basic_authorization(*self.basic_auth())

    def docker_auth_config(self) -> dict[str, str]:
        """
        Return what docker-py takes for `auth_config=`, in `images.pull` and its like.

        The keys are `username` and `password`, or `identitytoken` alone for an identity token.
        https://docs.docker.com/reference/api/engine/#section/Authentication
        """
        if self.is_identity_token:
            return {"identitytoken": self.secret.reveal()}
        return {"username": self.username, "password": self.secret.reveal()}

    def seconds_left(self, *, now: float | None = None) -> float:
        """
        Return the seconds until it expires: negative afterwards, infinite if it does not.
        """
        if self.expires_at is None:
            return float("inf")
        return self.expires_at - (time.time() if now is None else now)


def basic_authorization(username: str, password: str) -> str:
    """
    Return the value of an `Authorization` header of the scheme `Basic`.
    """
    import base64

    # Bytes of the environment that are no UTF-8 go out as they came in.
    pair = f"{username}:{password}".encode("utf-8", "surrogateescape")
    return "Basic " + base64.b64encode(pair).decode()


def is_usable(found: object) -> bool:
    """
    Return whether *found*, from a plugin, is a valid `Credential`.
    """
    if not isinstance(found, Credential):
        return False
    words: tuple[object, object] = (found.username, found.secret)
    typed = isinstance(words[0], str) and isinstance(words[1], Secret)
    return typed and all(words) and all(map(_is_instant, (found.issued_at, found.expires_at)))


def is_aws_key_id(text: str) -> bool:
    """
    Return whether *text* has the shape of an AWS access key id, long-lived or temporary.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
    """
    tail = text[4:]
    return (
        text[:4] in ("AKIA", "ASIA")
        and len(tail) == 16
        and tail.isalnum()
        and tail == (tail.upper() if tail.isascii() else "")
    )


def token_claims(token: str) -> dict[str, object]:
    """
    Return the claims of the JWT *token*; empty if it is not a JWT.

    The signature is not checked: the token goes back to its issuer.
    """
    import base64
    import json

    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def token_expiry(claims: Mapping[str, object]) -> float | None:
    """
    Return when a JWT with *claims* expires, in Unix seconds; None if they do not say.
    """
    end = claims.get("exp")
    if not isinstance(end, (int, float)) or isinstance(end, bool):
        return None
    # Compared first: an integer may be too large for a float.
    return float(end) if 0 <= end < 1e11 else None


def _is_instant(at: object) -> bool:
    # Up to the year 9999, the last that dates can show.
    return at is None or (isinstance(at, (int, float)) and 0 <= at < 253402300800)
