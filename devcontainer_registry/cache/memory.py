# SPDX-License-Identifier: MIT
"""
Memory of each set between runs: its result and its hashes.

The values themselves are not: a set and an entry of config.json are known by keyed hashes.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

from ..credentials import Credential, Secret
from ..errors import ConfigError
from ..observer import tell
from .entry import Entry, fresh_until

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..credentials import RegistrySecret
    from ..registry import Registry
    from .entry import State
    from .folder import Cache

# Three lifecycle steps of one container start must not lock an account.
REFUSED_FOR = 15 * 60.0  # seconds
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
        stored_by_hand: Whether `docker login` gave it that, be it before this set was tried.
        hash_of: The keyed hash of a credential; None where none can be had.
    """

    state: State | None = None
    at: float = 0.0
    issued_at: float | None = None
    expires_at: float | None = None
    entries: tuple[str, ...] = ()
    cached: Credential | None = None
    by_hand: bool = False
    stored_by_hand: bool = False
    hash_of: Callable[[Credential], str | None] = field(
        default=lambda _: None, compare=False, repr=False
    )

    def was_refused(self, *, now: float) -> bool:
        """
        Whether it was refused so lately that asking again would only do harm.
        """
        return self.state == "refused" and 0 <= now - self.at < REFUSED_FOR

    def is_fresh(self, *, now: float) -> bool:
        """
        Whether it was accepted, and its credential is not due to be renewed.
        """
        issued_at = self.at if self.issued_at is None else self.issued_at
        until = fresh_until(issued_at=issued_at, expires_at=self.expires_at)
        return self.state == "verified" and now < until

    def wrote(self, credential: Credential) -> bool:
        """
        Whether *credential*, found in config.json, was put there by us.
        """
        # Without a hash of ours there is nothing to compare, and so no key to be made.
        return bool(self.entries) and self.hash_of(credential) in self.entries

    def wrote_last(self, credential: Credential) -> bool:
        """
        Whether *credential*, found in config.json, is the last that we put there.
        """
        return bool(self.entries) and self.hash_of(credential) == self.entries[-1]


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
        entries = found.written(self._config_path)
        cached = _cached(found)
        known = Recalled(
            entries=entries, cached=cached, stored_by_hand=found.by_hand, hash_of=self.entry
        )
        if not entries and not found.set_hash:
            return known
        if found.set_hash != self._set(secret):
            return known
        state = found.state
        if state == "refused" and found.identity != self._identity(secret):
            state = None  # it was somebody else who was refused
        return replace(
            known,
            state=state,
            at=found.at or 0.0,
            issued_at=found.issued_at,
            expires_at=found.expires_at,
            by_hand=found.by_hand,
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
        entries = self._read(registry).written(self._config_path)
        return bool(entries) and self.entry(credential) in entries

    def with_life(self, registry: Registry, credential: Credential) -> Credential:
        """
        *credential*, found in config.json, with its life if it is the last that we wrote there.
        """
        found = self._read(registry)
        entries = found.written(self._config_path)
        if not entries or self.entry(credential) != entries[-1]:
            return credential
        return replace(credential, issued_at=found.issued_at, expires_at=found.expires_at)

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
        set_hash = self._set(secret)
        if set_hash is None:
            return False
        noted = self._read(secret.registry).with_result(
            state,
            set_hash=set_hash,
            identity=self._identity(secret) if state == "refused" else None,
            at=self._now(),
        )
        if credential is not None:
            # Not after a refusal: the life is that of the credential that is still kept.
            life = {"issued_at": credential.issued_at, "expires_at": credential.expires_at}
            if served:
                username, password = credential.username, credential.secret.reveal()
                noted = noted.with_credential(username, password, **life)
            else:
                noted = noted.with_life(**life)
            entry = self.entry(credential) if written else None
            if entry is not None:
                noted = noted.with_written(self._config_path, entry)
        return self._write(secret.registry, noted)

    def forget(self, registry: Registry) -> None:
        """
        Drop everything about *registry*.
        """
        try:
            if self._cache.forget(registry):
                tell("cache.removed", registry=registry)
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

    def _read(self, registry: Registry) -> Entry:
        try:
            return Entry.read(self._cache, registry)
        except ConfigError as exc:
            self._note_trouble(exc)
            return Entry()

    def _write(self, registry: Registry, entry: Entry) -> bool:
        try:
            entry.write(self._cache, registry)
        except ConfigError as exc:
            self._note_trouble(exc)
            return False
        return True

    def _note_trouble(self, exc: ConfigError) -> None:
        if self.trouble is None:
            self.trouble = exc


def credential_of(entry: Entry) -> Credential:
    """
    The credential of *entry*, which has one, with its life.
    """
    return Credential(
        username=entry.username,
        secret=Secret(entry.secret),
        issued_at=entry.issued_at,
        expires_at=entry.expires_at,
    )


def _cached(entry: Entry) -> Credential | None:
    return credential_of(entry) if entry.secret else None
