# SPDX-License-Identifier: MIT
"""
Writes accepted credentials to config.json and the cache.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace

from ..causes import credential as causes
from ..errors import ConfigChangedError, ConfigError
from ..naming import HELPER_PREFIX, OUR_HELPER
from .decision import Write, decide, is_never_delegated, places
from .outcomes import hidden, not_delegated, not_everywhere, not_kept

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..cache.entry import State
    from ..cache.memory import Memory
    from ..config.file import DockerConfig, Document
    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..observer import Observer
    from ..report import Outcome
    from .decision import Policy, Seen

# Minimum time to write an accepted login, even after the deadline.
_LOCK_MIN = 1.0  # seconds
# The same while other processes of this package write, one after the other.
_QUEUE_MAX = 10.0  # seconds
_TRIES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """
    An accepted credential to save.

    Attributes:
        secret: Set of the credential.
        credential: Accepted or unverified credential.
        outcome: Outcome so far: `ok` or `unverified`.
        seen: Docker's login at the start of the run; None if unknown.
    """

    secret: RegistrySecret
    credential: Credential
    outcome: Outcome
    seen: Seen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """
    Result of `keep`: outcomes in order, whether the file changed, and the error.
    """

    outcomes: Sequence[Outcome]
    changed: bool
    error: RegistryError | None


def keep(
    accepted: Sequence[Accepted],
    *,
    config: DockerConfig,
    memory: Memory,
    policy: Policy,
    deadline: float,
    observe: Observer,
) -> Kept:
    """
    Write all accepted credentials to *config* in one edit.

    Args:
        accepted: Credentials to write.
        config: File to write.
        memory: Records each entry before it is written.
        policy: Where to save, and whether our helper may be used.
        deadline: Deadline of the run, by `time.monotonic`.
        observe: Gets events.
    """
    decided: list[Outcome] = []

    def change(document: Document) -> None:
        decided[:] = [_keep_one(one, document, memory=memory, policy=policy) for one in accepted]

    try:
        changed = amend(config, change, deadline=deadline, observe=observe)
    except (ConfigChangedError, ConfigError) as exc:
        return Kept(outcomes=[not_kept(o.outcome) for o in accepted], changed=False, error=exc)
    return Kept(outcomes=decided, changed=changed, error=None)


def amend(
    config: DockerConfig,
    change: Callable[[Document], None],
    *,
    deadline: float,
    observe: Observer,
) -> bool:
    """
    Edit *config*; start over if another program wrote at the same time.

    After the deadline, wait for the lock as long as others write: hundreds of processes that start
    together reach the deadline together.

    Returns:
        Whether the file changed.

    Raises:
        ConfigError: It cannot be read or written.
        ConfigChangedError: Another program kept writing it.
    """
    tries_left = _TRIES_MAX
    give_up = max(deadline, time.monotonic()) + _QUEUE_MAX
    while True:
        before = _version(config.path)
        try:
            return config.edit(
                change, timeout=max(_LOCK_MIN, deadline - time.monotonic()), observe=observe
            )
        except ConfigChangedError:
            tries_left -= 1
            if not tries_left:
                raise
        except ConfigError as exc:
            stuck = exc.code != "config-locked" or _version(config.path) == before
            if stuck or time.monotonic() >= give_up:
                raise


def _version(path: str) -> tuple[int, int] | None:
    """
    Return what differs after each write of the file *path*; None if there is no file.
    """
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _keep_one(one: Accepted, document: Document, *, memory: Memory, policy: Policy) -> Outcome:
    if policy.replaces(one.secret) and one.outcome.status == "ok":
        registry = one.secret.registry
        for name in {*document.helpers(registry).values()} - {OUR_HELPER}:
            document.remove_helper(registry, name)
    decided = decide(
        one.secret,
        one.outcome,
        document=document,
        recalled=memory.recall(one.secret),
        policy=policy,
        accepted=one.credential,
        seen=one.seen,
    )
    if not isinstance(decided, Write):
        return one.outcome if decided is None else decided
    try:
        return _Writing(one, document, memory=memory, policy=policy).write(decided)
    except ConfigError as exc:
        # Docker's format cannot hold this one; the others are not affected.
        return replace(one.outcome, status="failed", code=exc.code, error=exc)


class _Writing:
    """
    Writer of one credential to config.json, our cache, or both.
    """

    def __init__(
        self, one: Accepted, document: Document, *, memory: Memory, policy: Policy
    ) -> None:
        self.one = one
        self.registry = one.secret.registry
        self.document = document
        self.memory = memory
        self.delegation = policy.delegation

    def write(self, where: Write) -> Outcome:
        """
        Write it to the places of *where*; return the outcome.

        Raises:
            ConfigError: It cannot be saved there; nothing has changed.
        """
        if not where.auths:
            return self._into_cache_only()
        # Check the format first: an entry that docker cannot hold must not be recorded.
        self.document.set_auth(self.registry, self.one.credential)
        obstacle = where.obstacle
        if where.helper:
            obstacle = self._delegate(written=True)
            if obstacle is None:
                return self._kept()
        self.document.remove_helper(self.registry, OUR_HELPER)
        if not self._note(written=True, served=False):
            # With an outdated record, the new entry would count as a login by hand.
            self.memory.forget(self.registry)
        if self.document.asked_for(self.registry) == "credsStore":
            store = self.document.creds_store or ""
            there = self.delegation.found(HELPER_PREFIX + store) is not None
            return hidden(self._kept(), store, there=there, why_not=obstacle)
        # ECR Public needs no helper: anonymous pulls work after this expires.
        if obstacle is None or is_never_delegated(self.registry):
            return self._kept()
        return not_delegated(self._kept(), obstacle)

    def _into_cache_only(self) -> Outcome:
        obstacle = self._delegate(written=False)
        if obstacle is not None:
            raise causes.HELPER_CANNOT_BE_ASKED.error(obstacle=obstacle)
        self.document.remove_auth(self.registry)
        outcome = self._kept()
        refusal = self.delegation.refusal
        if refusal is None or outcome.code is not None:
            return outcome  # a failing pull is more important
        return not_everywhere(outcome, refusal)

    def _delegate(self, *, written: bool) -> str | None:
        """
        Make docker ask our helper; return the obstacle, or None.
        """
        if "" in self.document.helpers(self.registry).values():
            return causes.HELPERS_FORBIDDEN.say()
        # In this order: a helper without the credential would hide the login in `auths`.
        if not self._note(written=written, served=True):
            return causes.CACHE_UNWRITABLE.say()  # reported as a finding
        self.document.set_helper(self.registry, OUR_HELPER)
        return None

    def _note(self, *, written: bool, served: bool) -> bool:
        # The next start checks an image again that could not be pulled.
        proven = self.one.outcome.verified and self.one.outcome.code is None
        state: State = "verified" if proven else "unverified"
        return self.memory.note(
            self.one.secret, state, credential=self.one.credential, written=written, served=served
        )

    def _kept(self) -> Outcome:
        return replace(self.one.outcome, kept_in=places(self.document, self.registry))
