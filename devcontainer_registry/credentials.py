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
    from collections.abc import Callable
    from typing import NoReturn

# `Finding` is re-exported.
__all__ = ("Credential", "Finding", "RegistrySecret", "Secret")

# User name with which a helper returns an identity (refresh) token; not a placeholder.
# https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/native_store.go
IDENTITY_TOKEN_USERNAME = "<token>"  # noqa: S105  (a user name)


class Secret:
    """
    A string that shows itself only to `reveal`.

    Its `repr`, `str` and format are `Secret(****)`, it is no `str`, and pickling it raises: what
    nobody printed on purpose is not printed.
    """

    __slots__ = ("__reveal",)

    def __init__(self, value: str) -> None:
        # In no attribute: serializers other than pickle, debuggers and their kin list those.
        self.__reveal: Callable[[], str] = lambda: value

    def reveal(self) -> str:
        """
        The string itself.
        """
        return self.__reveal()

    def __repr__(self) -> str:
        """
        Always the same text, so that not even the length shows.
        """
        return "Secret(****)"

    def __bool__(self) -> bool:
        """
        Whether there is anything to reveal.
        """
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        """
        Whether *other* is a `Secret` that holds the same.
        """
        return isinstance(other, Secret) and self.reveal() == other.reveal()

    def __hash__(self) -> int:
        """
        As a string's, which Python salts anew in each process.
        """
        return hash((Secret, self.reveal()))

    def __reduce__(self) -> NoReturn:
        """
        Refuse: a pickle is a file, a queue or a log to be.
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
    ca_file: str | None = field(default=None, repr=False)
    image: str | None = field(default=None, repr=False)
    implicit: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """
    A user name and secret that docker sends to a registry, perhaps with an expiry.

    Attributes:
        username: `<token>` where *secret* is an identity token.
        secret: A password or an identity token.
        issued_at: Unix seconds, or None where nobody said.
        expires_at: Unix seconds; None: it does not expire, as far as anybody said.
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

    def seconds_left(self, *, now: float | None = None) -> float:
        """
        Return the seconds until it expires: negative afterwards, infinite if it does not.
        """
        if self.expires_at is None:
            return float("inf")
        return self.expires_at - (time.time() if now is None else now)


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


def _is_instant(at: object) -> bool:
    # Up to the year 9999, the last that dates can show.
    return at is None or (isinstance(at, (int, float)) and 0 <= at < 253402300800)
