# SPDX-License-Identifier: MIT
"""
What is remembered of a set between runs: was it accepted, when, and what did we write for it.

The values themselves are not: a set and an entry of config.json are known by keyed hashes.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from .credentials import Credential, Secret
from .errors import ConfigError
from .helper import instant

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeAlias

    from .cache import Cache
    from .credentials import RegistrySecret
    from .registry import Registry

    State: TypeAlias = Literal["verified", "refused", "unverified"]

# Three lifecycle steps of one container start must not lock an account.
REFUSED_FOR = 15 * 60.0  # seconds
# The share of its life below which a credential is obtained again, as Amazon's ECR helper does.
_RENEW_BELOW = 0.5

# An editor may write back a config.json that it read minutes ago: entries of that time are ours.
_ENTRIES_MAX = 8

# How the variables begin in which the clouds' SDKs look for an identity.
_OF_SDKS = ("AWS_", "AZURE_", "GOOGLE_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """
    What the last runs left for one set.

    Attributes:
        state: How the set fared; None: nothing is known of it, or of another set only.
        at: When, in Unix seconds.
        issued_at: Of the credential, in Unix seconds.
        expires_at: Of the credential, in Unix seconds; None: it does not expire.
        entries: Hashes of what we wrote into this config.json, newest last.
        cached: What our helper would answer, or None.
        by_hand: Whether `docker login` gave that to our helper after the set was accepted.
    """

    state: State | None = None
    at: float = 0.0
    issued_at: float | None = None
    expires_at: float | None = None
    entries: tuple[str, ...] = ()
    cached: Credential | None = None
    by_hand: bool = False

    def was_refused(self, *, now: float) -> bool:
        """
        Whether it was refused so lately that asking again would only do harm.
        """
        return self.state == "refused" and 0 <= now - self.at < REFUSED_FOR

    def is_fresh(self, *, now: float) -> bool:
        """
        Whether it was accepted, and over half of the credential's life is left.
        """
        if self.state != "verified":
            return False
        if self.expires_at is None:
            return True
        issued_at = self.at if self.issued_at is None else self.issued_at
        return self.expires_at - now > _RENEW_BELOW * (self.expires_at - issued_at)


class Memory:
    """
    Recalls and notes, for one config.json.

    Attributes:
        trouble: The first reason why something could not be recalled or noted.  A login goes on
            without: it asks once more than it need have.
    """

    def __init__(
        self, cache: Cache, config_path: str, *, now: Callable[[], float] = time.time
    ) -> None:
        self.trouble: ConfigError | None = None
        self._cache = cache
        self._config_path = config_path
        self._now = now

    def recall(self, secret: RegistrySecret) -> Recalled:
        """
        What is known of *secret*.
        """
        found = self._read(secret.registry)
        entries = tuple(_strings(_mapping(found.get("wrote")).get(self._config_path)))
        cached = _cached(found)
        if not entries and not found.get("set"):
            return Recalled(cached=cached)
        if found.get("set") != self._set(secret):
            return Recalled(entries=entries, cached=cached)
        state = found.get("state")
        if state == "refused" and found.get("identity") != self._identity(secret):
            state = None  # it was somebody else who was refused
        return Recalled(
            state=state if state in ("verified", "refused", "unverified") else None,
            at=_number(found.get("at")) or 0.0,
            issued_at=_number(found.get("issued_at")),
            expires_at=_number(found.get("expires_at")),
            entries=entries,
            cached=cached,
            by_hand=bool(found.get("by_hand")),
        )

    def cached(self, registry: Registry) -> Credential | None:
        """
        What our helper would answer for *registry*.
        """
        return _cached(self._read(registry))

    def wrote(self, registry: Registry, credential: Credential) -> bool:
        """
        Whether *credential*, found in config.json, was put there by us.
        """
        found = self._read(registry)
        entries = _strings(_mapping(found.get("wrote")).get(self._config_path))
        return bool(entries) and self.entry(credential) in entries

    def with_life(self, registry: Registry, credential: Credential) -> Credential:
        """
        *credential*, found in config.json, with its life if it is the last that we wrote there.
        """
        found = self._read(registry)
        entries = _strings(_mapping(found.get("wrote")).get(self._config_path))
        if not entries or self.entry(credential) != entries[-1]:
            return credential
        return replace(
            credential,
            issued_at=_number(found.get("issued_at")),
            expires_at=_number(found.get("expires_at")),
        )

    def entry(self, credential: Credential) -> str | None:
        """
        The hash by which an entry of config.json is known; None where none can be had.
        """
        return self._fingerprint("entry", credential.username, credential.secret.reveal())

    def note(
        self,
        secret: RegistrySecret,
        state: State,
        *,
        credential: Credential | None = None,
        written: bool = False,
        served: bool = False,
    ) -> bool:
        """
        Remember how *secret* fared; whether that could be done.

        Args:
            secret: Of whom.
            state: How it fared.
            credential: What it became; None: what is kept stays as it is.
            written: Whether that is about to be written into config.json.
            served: Whether our helper is to answer it.

        Before it is written, on purpose: killed between the two, the next run finds a hash too
        many, not an entry that it takes for somebody else's.
        """
        identity = self._set(secret)
        if identity is None:
            return False
        found = self._read(secret.registry)
        wrote = dict(_mapping(found.get("wrote")))
        entry = self.entry(credential) if written and credential is not None else None
        if entry is not None:
            others = [e for e in _strings(wrote.get(self._config_path)) if e != entry]
            wrote[self._config_path] = [*others, entry][-_ENTRIES_MAX:]
        noted = {"set": identity, "state": state, "at": self._now(), "wrote": wrote}
        noted["identity"] = self._identity(secret) if state == "refused" else None
        if credential is not None:
            # Not after a refusal: the life is that of the credential that is still kept.
            noted |= {"issued_at": credential.issued_at, "expires_at": credential.expires_at}
            for member in ("credential", "by_hand", "failed_at", "failure"):
                found.pop(member, None)
        if served and credential is not None:
            noted["credential"] = {
                "Username": credential.username,
                "Secret": credential.secret.reveal(),
            }
        return self._write(secret.registry, {**found, **noted})

    def forget(self, registry: Registry) -> None:
        """
        Drop everything about *registry*.
        """
        try:
            self._cache.forget(registry)
        except ConfigError as exc:
            self._note_trouble(exc)

    def _set(self, secret: RegistrySecret) -> str | None:
        return self._fingerprint(
            "set",
            secret.registry,
            secret.username,
            secret.secret.reveal() if secret.secret is not None else None,
            secret.kind,
            secret.region,
            secret.session_token.reveal() if secret.session_token is not None else None,
            secret.role_arn,
            secret.profile,
            secret.tenant,
            secret.ca_file,
            secret.image,
        )

    def _identity(self, secret: RegistrySecret) -> str | None:
        """
        What an SDK is told of who we are, hashed; None for a set that says so itself.

        Of use for a refusal only: a login that was accepted holds until its credential expires,
        also for a process that sees fewer variables.
        """
        if secret.secret is not None:
            return None
        # The process's own: the SDKs read no others.
        told = sorted(item for item in os.environ.items() if item[0].startswith(_OF_SDKS))
        return self._fingerprint("identity", *(part for item in told for part in item))

    def _fingerprint(self, *parts: str | None) -> str | None:
        try:
            return self._cache.fingerprint(*parts)
        except ConfigError as exc:
            self._note_trouble(exc)
            return None

    def _read(self, registry: Registry) -> dict[str, Any]:
        try:
            return self._cache.read(registry) or {}
        except ConfigError as exc:
            self._note_trouble(exc)
            return {}

    def _write(self, registry: Registry, entry: dict[str, Any]) -> bool:
        try:
            self._cache.write(registry, entry)
        except ConfigError as exc:
            self._note_trouble(exc)
            return False
        return True

    def _note_trouble(self, exc: ConfigError) -> None:
        if self.trouble is None:
            self.trouble = exc


def _cached(entry: dict[str, Any]) -> Credential | None:
    kept = _mapping(entry.get("credential"))
    username, secret = kept.get("Username"), kept.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        return None
    return Credential(
        username=username,
        secret=Secret(secret),
        issued_at=_number(entry.get("issued_at")),
        expires_at=_number(entry.get("expires_at")),
    )


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _strings(value: object) -> list[str]:
    return [v for v in value if isinstance(v, str)] if isinstance(value, list) else []


def _number(value: object) -> float | None:
    return None if value is None else instant(value)
