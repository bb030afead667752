# SPDX-License-Identifier: MIT
"""
An entry of the cache: its members and its freshness.

This is the only module that knows the members of a cache file.  The credential helper reads one at
every pull, and the quick check of a start reads all, so imports must stay cheap.
"""

from __future__ import annotations

from ..errors import RegistryError, error_named

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from ..registry import Registry
    from .folder import Cache

    State: TypeAlias = Literal["verified", "refused", "unverified"]

# Two limits.  Renew early: ECR's tokens live 12 hours, and Amazon's helper renews at 6.  If that
# fails, a token that still works beats an error.
RENEW_BELOW = 0.5  # fraction of its lifetime left
USELESS_BELOW = 60.0  # seconds left for docker to reach the registry

# An editor may write back a config.json that it read minutes ago, so older entries count as ours.
_WRITTEN_MAX = 8

# Members that describe the credential and are replaced with it.
_OF_CREDENTIAL = (
    "credential",
    "issued_at",
    "expires_at",
    "by_hand",
    "erased",
    "failed_at",
    "failure",
)

_STATES = ("verified", "refused", "unverified")


def fresh_until(*, issued_at: float | None, expires_at: float | None) -> float:
    """
    Return when to renew a credential, in Unix seconds; infinite if it does not expire.

    At half of its lifetime, or a minute before it expires, whichever comes first.
    """
    if expires_at is None:
        return float("inf")
    life = 0.0 if issued_at is None else expires_at - issued_at
    return expires_at - max(USELESS_BELOW, RENEW_BELOW * life)


class Entry:
    """
    Immutable state of one registry; a change returns a new `Entry`.

    All members of the cache file are optional.  A member of the wrong type counts as absent.

        set          keyed hash of the set that was tried last
        state        "verified", "refused" or "unverified": what became of that set
        at           when that was, in Unix seconds
        identity     keyed hash of the cloud identity that was refused, for a set without a secret
        wrote        {path of a config.json: [keyed hashes of what we wrote there, newest last]}
        credential   {"Username": ..., "Secret": ...}, which our helper answers
        issued_at    of the credential, in Unix seconds
        expires_at   of the credential, in Unix seconds; absent or null: it does not expire
        by_hand      true: `docker login` gave the credential to our helper
        erased       true: `docker logout` took it away
        failed_at    when the last renewal failed, in Unix seconds
        failure      {"kind": ..., "message": ..., "hint": ..., "code": ...}: how it failed
        unreached    {"set": keyed hash, "start": ..., "code": ...}: the last start of the container
                     in which a lifecycle step could not reach the registry with that set, and why
    """

    __slots__ = ("_members",)

    def __init__(self, members: Mapping[str, Any] | None = None) -> None:
        self._members: Mapping[str, Any] = {} if members is None else members

    @classmethod
    def read(cls, cache: Cache, registry: Registry) -> Entry:
        """
        Read the entry of *registry* from *cache*; an empty entry if there is none.
        """
        return cls(cache.read(registry))

    def write(self, cache: Cache, registry: Registry) -> None:
        """
        Write this entry for *registry* to *cache*.
        """
        cache.write(registry, self._members)

    @property
    def is_empty(self) -> bool:
        """
        Whether the entry is empty.
        """
        return not self._members

    @property
    def username(self) -> str:
        """
        User name of the credential; "" if there is none.
        """
        return _text(_mapping(self._members.get("credential")).get("Username"))

    @property
    def secret(self) -> str:
        """
        Secret of the credential, in clear text; "" if there is none.
        """
        return _text(_mapping(self._members.get("credential")).get("Secret"))

    @property
    def has_credential(self) -> bool:
        """
        Whether there is a credential that is not empty: clients would send an empty one.
        """
        return bool(self.username and self.secret)

    @property
    def issued_at(self) -> float | None:
        """
        When the credential was issued, in Unix seconds; None if unknown.
        """
        return _instant(self._members.get("issued_at"))

    @property
    def expires_at(self) -> float | None:
        """
        When the credential expires, in Unix seconds; None if it does not.
        """
        found = self._members.get("expires_at")
        # An invalid time counts as long ago.
        return None if found is None else _instant(found) or 0.0

    @property
    def state(self) -> State | None:
        """
        Result of the last set that was tried.
        """
        found = self._members.get("state")
        return found if isinstance(found, str) and found in _STATES else None  # type: ignore[return-value]

    @property
    def at(self) -> float | None:
        """
        When that set was tried, in Unix seconds.
        """
        return _instant(self._members.get("at"))

    @property
    def set_hash(self) -> str:
        """
        Keyed hash of the last set that was tried; "" if there is none.
        """
        return _text(self._members.get("set"))

    @property
    def identity(self) -> str | None:
        """
        Keyed hash of the refused cloud identity.
        """
        return _text(self._members.get("identity")) or None

    @property
    def by_hand(self) -> bool:
        """
        Whether `docker login` stored the credential in our helper.
        """
        return bool(self._members.get("by_hand"))

    @property
    def is_erased(self) -> bool:
        """
        Whether `docker logout` removed the credential, and no login followed.
        """
        return bool(self._members.get("erased")) and not self.has_credential

    @property
    def fresh_until(self) -> float:
        """
        When to renew the credential, in Unix seconds.
        """
        begun = self.at if self.issued_at is None else self.issued_at
        return fresh_until(issued_at=begun, expires_at=self.expires_at)

    def is_servable(self, *, now: float) -> bool:
        """
        Whether there is a fresh credential, so that no renewal is needed.
        """
        return self.has_credential and now < self.fresh_until

    def works(self, *, now: float) -> bool:
        """
        Whether there is a credential that lasts until docker has reached the registry.
        """
        expires_at = self.expires_at
        return self.has_credential and (expires_at is None or expires_at - now > USELESS_BELOW)

    def written(self, config_path: str) -> tuple[str, ...]:
        """
        Return keyed hashes of the entries that we wrote to *config_path*, newest last.
        """
        found = _mapping(self._members.get("wrote")).get(config_path)
        return tuple(h for h in found if isinstance(h, str)) if isinstance(found, list) else ()

    def failure(self, *, now: float, within: float) -> RegistryError | None:
        """
        Return why the last renewal failed, if that was at most *within* seconds ago.
        """
        failed_at = _instant(self._members.get("failed_at"))
        found = _mapping(self._members.get("failure"))
        if failed_at is None or not found or not 0 <= now - failed_at < within:
            return None
        kind, message, hint, code = (
            _text(found.get(member)) for member in ("kind", "message", "hint", "code")
        )
        return error_named(kind)(message, hint=hint, code=code or None)

    @property
    def unreached(self) -> tuple[str, str, str] | None:
        """
        The set, the start of the container and the code of the last failure to reach the registry.
        """
        found = _mapping(self._members.get("unreached"))
        set_hash, start, code = (_text(found.get(member)) for member in ("set", "start", "code"))
        return (set_hash, start, code) if set_hash and start else None

    def with_credential(
        self,
        username: str,
        secret: str,
        *,
        issued_at: float | None,
        expires_at: float | None,
    ) -> Entry:
        """
        Return the entry with a new credential, which our helper serves.
        """
        credential = {"Username": username, "Secret": secret}
        life = {"issued_at": issued_at, "expires_at": expires_at}
        return self._changed(_OF_CREDENTIAL, credential=credential, **life)

    def with_credential_of(self, other: Entry) -> Entry:
        """
        Return the entry with the credential of *other* and its lifetime.
        """
        life = {"issued_at": other.issued_at, "expires_at": other.expires_at}
        return self.with_credential(other.username, other.secret, **life)

    def with_life(self, *, issued_at: float | None, expires_at: float | None) -> Entry:
        """
        Return the entry with the lifetime of a new credential that our helper does not serve.
        """
        return self._changed(_OF_CREDENTIAL, issued_at=issued_at, expires_at=expires_at)

    def with_login_by_hand(self, username: str, secret: str, *, at: float) -> Entry:
        """
        Return the entry with a credential that `docker login` stored in our helper.
        """
        credential = {"Username": username, "Secret": secret}
        return self._changed(_OF_CREDENTIAL, credential=credential, by_hand=True, at=at)

    @classmethod
    def erased(cls) -> Entry:
        """
        Return the entry that `docker logout` leaves: no credential, and a mark that says so.
        """
        return cls({"erased": True})

    def with_result(self, state: State, *, set_hash: str, identity: str | None, at: float) -> Entry:
        """
        Return the entry with the result of a set.
        """
        dropped = ("unreached",)
        return self._changed(dropped, set=set_hash, state=state, at=at, identity=identity)

    def with_unreached(self, *, set_hash: str, start: str, code: str) -> Entry:
        """
        With the start of the container in which the registry could not be reached, and the code.
        """
        return self._changed(unreached={"set": set_hash, "start": start, "code": code})

    def with_written(self, config_path: str, entry_hash: str) -> Entry:
        """
        Return the entry with one more login that we wrote to *config_path*.
        """
        others = [known for known in self.written(config_path) if known != entry_hash]
        wrote = {
            **_mapping(self._members.get("wrote")),
            config_path: [*others, entry_hash][-_WRITTEN_MAX:],
        }
        return self._changed(wrote=wrote)

    def with_failure(self, error: RegistryError, *, at: float) -> Entry:
        """
        Return the entry with the failure of a renewal.
        """
        failure = {
            "kind": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
            "code": error.code,
        }
        return self._changed(failed_at=at, failure=failure)

    def _changed(self, dropped: tuple[str, ...] = (), **members: object) -> Entry:
        kept = {name: self._members[name] for name in self._members if name not in dropped}
        return Entry({**kept, **members})


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _instant(value: object) -> float | None:
    """
    Return *value* as Unix seconds; None if it is not a time.
    """
    usable = isinstance(value, (int, float)) and 0 <= value < 1e12
    return float(value) if usable else None  # type: ignore[arg-type]  # narrowed above
