# SPDX-License-Identifier: MIT
"""
Results and hashes of each set, kept between runs.

Values are not stored: sets and entries of config.json are compared by keyed hashes.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace

from ..credentials import Credential, Secret, token_claims
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

# Three lifecycle steps of one start with a wrong password must not lock an account.
REFUSED_FOR = 15 * 60.0  # seconds
# Prefixes of the variables in which the clouds' SDKs, and we, look for an identity.
_OF_SDKS = ("AWS_", "AZURE_", "GOOGLE_", "ACTIONS_ID_TOKEN_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """
    What earlier runs recorded for one set.

    Attributes:
        state: Result of the set; None if it is unknown.
        at: Time of that result, in Unix seconds.
        issued_at: When the credential was issued, in Unix seconds.
        expires_at: When the credential expires, in Unix seconds; None if it does not.
        entries: Hashes of the entries that we wrote to this config.json, newest last.
        cached: Credential that our helper serves, or None.
        by_hand: Whether `docker login` stored it after the set was accepted.
        stored_by_hand: Whether `docker login` stored it at any time.
        unreached: Start of the container in which a lifecycle step could not reach the registry,
            and the code of the error; None if there is none.
        hash_of: Returns the keyed hash of a credential, or None without a key.
    """

    state: State | None = None
    at: float = 0.0
    issued_at: float | None = None
    expires_at: float | None = None
    entries: tuple[str, ...] = ()
    cached: Credential | None = None
    by_hand: bool = False
    stored_by_hand: bool = False
    unreached: tuple[str, str] | None = None
    hash_of: Callable[[Credential], str | None] = field(
        default=lambda _: None, compare=False, repr=False
    )

    def was_refused(self, *, now: float) -> bool:
        """
        Whether the set was refused so recently that it must not be sent again.
        """
        return self.state == "refused" and 0 <= now - self.at < REFUSED_FOR

    def is_fresh(self, *, now: float) -> bool:
        """
        Whether the set was accepted and its credential needs no renewal yet.
        """
        issued_at = self.at if self.issued_at is None else self.issued_at
        until = fresh_until(issued_at=issued_at, expires_at=self.expires_at)
        return self.state == "verified" and now < until

    def wrote(self, credential: Credential) -> bool:
        """
        Whether *credential*, found in config.json, was put there by us.
        """
        # Without a recorded hash, nothing can match, and no key is needed.
        return bool(self.entries) and self.hash_of(credential) in self.entries

    def wrote_last(self, credential: Credential) -> bool:
        """
        Whether *credential*, found in config.json, is the last one that we wrote there.
        """
        return bool(self.entries) and self.hash_of(credential) == self.entries[-1]


class Memory:
    """
    Results of earlier runs for one config.json.

    Attributes:
        trouble: First error of the cache, or None.  A login continues without the cache and asks
            the registry again.
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
        Return what earlier runs recorded for *secret*.
        """
        found = self._read(secret.registry)
        entries = found.written(self._config_path)
        cached = _cached(found)
        known = Recalled(
            entries=entries, cached=cached, stored_by_hand=found.by_hand, hash_of=self.entry
        )
        unreached = found.unreached
        if not entries and not found.set_hash and unreached is None:
            return known
        set_hash = self._set(secret)
        if unreached is not None and unreached[0] == set_hash:
            known = replace(known, unreached=unreached[1:])
        if found.set_hash != set_hash:
            return known
        state = found.state
        if state == "refused" and found.identity != self._identity(secret):
            state = None  # another identity was refused
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
        Return the credential that our helper serves for *registry*, or None.
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
        Return *credential*, with its lifetime if it is the last one that we wrote to config.json.
        """
        found = self._read(registry)
        entries = found.written(self._config_path)
        if not entries or self.entry(credential) != entries[-1]:
            return credential
        return replace(credential, issued_at=found.issued_at, expires_at=found.expires_at)

    def entry(self, credential: Credential) -> str | None:
        """
        Return the keyed hash of an entry of config.json; None without a key.
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
        Record the result of *secret*; return whether that worked.

        Args:
            secret: The set.
            state: Its result.
            credential: Its credential; None keeps the cached one.
            written: Whether the credential will be written to config.json.
            served: Whether our helper serves the credential.

        Call it before config.json is written.  If the process is killed in between, one hash is
        left over; otherwise our own entry would look foreign.
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
            # Not after a refusal: the lifetime belongs to the credential that stays.
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

    def note_unreached(self, secret: RegistrySecret, *, start: str, code: str) -> None:
        """
        Remember that the registry of *secret* could not be reached in this *start*, and why.
        """
        set_hash = self._set(secret)
        if set_hash is not None:
            found = self._read(secret.registry)
            noted = found.with_unreached(set_hash=set_hash, start=start, code=code)
            self._write(secret.registry, noted)

    def forget(self, registry: Registry) -> None:
        """
        Remove everything recorded for *registry*.
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
            *_id_token_parts(secret),
        )

    def _identity(self, secret: RegistrySecret) -> str | None:
        """
        Return a hash of the SDKs' identity variables; None for a set with its own credentials.

        Only for refusals: an accepted login lasts until its credential expires, also for a process
        with fewer variables.
        """
        if secret.secret is not None:
            return None
        # The process's own variables: the SDKs read no others.
        told = sorted(item for item in os.environ.items() if item[0].startswith(_OF_SDKS))
        token = secret.id_token.reveal() if secret.id_token is not None else None
        return self._fingerprint("identity", token, *(part for item in told for part in item))

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
    Return the credential of *entry*, with its lifetime.
    """
    return Credential(
        username=entry.username,
        secret=Secret(entry.secret),
        issued_at=entry.issued_at,
        expires_at=entry.expires_at,
    )


def _id_token_parts(secret: RegistrySecret) -> tuple[str, ...]:
    """
    Return the identity that *secret* names, and its token's issuer and subject; may be empty.

    Each job, and Kubernetes each hour, has another token for the same issuer and subject, so the
    token itself is not compared.
    """
    named = {"CLIENT_ID": secret.client_id, "AUDIENCE": secret.audience}
    parts = [f"{member}={value}" for member, value in named.items() if value is not None]
    if secret.id_token is not None:
        claims = token_claims(secret.id_token.reveal())
        parts += [f"{name}={claims.get(name)!a}" for name in ("iss", "sub")]
    return tuple(parts)


def _cached(entry: Entry) -> Credential | None:
    return credential_of(entry) if entry.secret else None
