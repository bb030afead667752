# SPDX-License-Identifier: MIT
"""
What goes into config.json, decided under its lock from what is in it then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ._hindrance import hidden, not_delegated, not_everywhere, not_kept, not_ours, other_helper
from .configfile import OUR_HELPER
from .errors import ConfigChangedError, ConfigError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Literal, TypeAlias

    from ._delegate import Delegation
    from ._memory import Memory, State
    from .configfile import DockerConfig, Document
    from .credentials import Credential, RegistrySecret
    from .errors import RegistryError
    from .observer import Observer
    from .registry import Registry
    from .report import Outcome, Place

    Store: TypeAlias = Literal["auto", "auths", "helper"]

# https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html: no login needed.
_NEVER_DELEGATED = ("public.ecr.aws", "ecr-public.aws.com")

# However late it is: what was accepted deserves a moment to be written.
_LOCK_MIN = 1.0  # seconds
_TRIES_MAX = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """
    A credential to keep, and the outcome so far: `ok` or `unverified`.
    """

    secret: RegistrySecret
    credential: Credential
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """
    The outcomes of what was to be kept, in its order; whether the file changed; what is wrong.
    """

    outcomes: Sequence[Outcome]
    changed: bool
    error: RegistryError | None


def keep(
    accepted: Sequence[Accepted],
    *,
    config: DockerConfig,
    memory: Memory,
    store: Store,
    delegation: Delegation,
    deadline: float,
    observe: Observer,
) -> Kept:
    """
    Write what was accepted into *config*, all of it at once.

    Args:
        accepted: What to write.
        config: Where to.
        memory: Told of each entry before it is written.
        store: `auths`, `helper`, or `auto`, which asks *delegation* where a helper is needed.
        delegation: Whether our helper may be named.
        deadline: Of the run, by `time.monotonic`.
        observe: Told what happens.
    """
    decided: list[Outcome] = []

    def change(document: Document) -> None:
        decided[:] = [
            _decide(one, document, memory=memory, store=store, delegation=delegation)
            for one in accepted
        ]

    try:
        changed = amend(config, change, deadline=deadline, observe=observe)
    except (ConfigChangedError, ConfigError) as exc:
        return Kept(outcomes=[not_kept(o.outcome) for o in accepted], changed=False, error=exc)
    return Kept(outcomes=decided, changed=changed, error=None)


def foreseen(
    outcome: Outcome, document: Document, *, store: Store, delegation: Delegation
) -> Outcome:
    """
    The outcome of a dry run, with where a login would be kept.

    Whether it expires, which is a reason to ask our helper, is not known before it is there.
    """
    registry = outcome.registry
    assert registry is not None
    if store == "helper":
        trouble = delegation.trouble
        if trouble is not None:
            return replace(outcome, status="failed", code=trouble.code, error=trouble)
        return replace(outcome, kept_in=frozenset({"credHelpers"}))
    asked = store == "auto" and _is_up_to_store(registry, document)
    if asked and registry not in _NEVER_DELEGATED and delegation.refusal is None:
        return replace(outcome, kept_in=frozenset({"auths", "credHelpers"}))
    return replace(outcome, kept_in=frozenset({"auths"}))


def amend(
    config: DockerConfig,
    change: Callable[[Document], None],
    *,
    deadline: float,
    observe: Observer,
) -> bool:
    """
    Edit *config*, from its new content once more where somebody who takes no lock was faster.

    Returns:
        Whether the file changed.

    Raises:
        ConfigError: It can't be read or written.
        ConfigChangedError: Somebody else wrote it again and again.
    """
    for tries_left in reversed(range(_TRIES_MAX)):
        try:
            return config.edit(
                change, timeout=max(_LOCK_MIN, deadline - time.monotonic()), observe=observe
            )
        except ConfigChangedError:  # noqa: PERF203  (a try is a write)
            if not tries_left:
                raise
    raise AssertionError  # the last try returns or raises


def _decide(
    one: Accepted, document: Document, *, memory: Memory, store: Store, delegation: Delegation
) -> Outcome:
    registry, outcome = one.secret.registry, one.outcome
    other = next((h for h in document.helpers(registry).values() if h and h != OUR_HELPER), None)
    if other is not None:
        return other_helper(outcome, other)
    beside = document.auth(registry)
    ours = beside is not None and memory.wrote(registry, beside)
    if one.secret.implicit and document.has_login(registry) and not ours:
        return not_ours(outcome)
    served = document.helper(registry) == OUR_HELPER
    entry = memory.cached(registry) if served else beside
    if outcome.status == "unverified" and entry is not None:
        # What is there may be right, and nobody knows that this is.
        same = (entry.username, entry.secret) == (one.credential.username, one.credential.secret)
        return replace(outcome, kept_in=places(document, registry) if same else frozenset())
    place = _Placing(one, document, memory=memory, delegation=delegation)
    try:
        return place.helper() if store == "helper" else place.auths(automatic=store == "auto")
    except ConfigError as exc:
        # docker's format can't carry this one; the others are not to suffer for it.
        return replace(outcome, status="failed", code=exc.code, error=exc)


class _Placing:
    """
    One credential on its way into config.json, our cache, or both.
    """

    def __init__(
        self, one: Accepted, document: Document, *, memory: Memory, delegation: Delegation
    ) -> None:
        self.one = one
        self.registry = one.secret.registry
        self.outcome = one.outcome
        self.document = document
        self.memory = memory
        self.delegation = delegation

    def helper(self) -> Outcome:
        """
        Into our cache only, as asked for by name: no secret in config.json.
        """
        if self.delegation.trouble is not None:
            raise self.delegation.trouble
        why_not = self._delegate(written=False)
        if why_not is not None:
            raise ConfigError(
                f"our helper can't be asked for it, since {why_not}",
                hint="mend that, or use --store auths",
                code="not-delegated",
            )
        self.document.remove_auth(self.registry)
        outcome = self._kept()
        refusal = self.delegation.refusal
        if refusal is None or outcome.code is not None:
            return outcome  # that an image can't be pulled is worse
        return not_everywhere(outcome, refusal)

    def auths(self, *, automatic: bool) -> Outcome:
        """
        Into config.json, and, where that is *automatic*, into our cache if docker should ask it.
        """
        # Before anything is noted: what docker's format can't carry is not to be remembered.
        self.document.set_auth(self.registry, self.one.credential)
        why_not = None
        expires = self.one.credential.expires_at is not None
        if automatic and (expires or _is_up_to_store(self.registry, self.document)):
            why_not = self._obstacle() or self._delegate(written=True)
            if why_not is None:
                return self._kept()
        self.document.remove_helper(self.registry, OUR_HELPER)
        if not self._note(written=True, served=False):
            # An old memory would take what is written now for a login by hand, for good.
            self.memory.forget(self.registry)
        if self.document.asked_for(self.registry) == "credsStore":
            store = self.document.creds_store or ""
            there = self.delegation.found(f"docker-credential-{store}") is not None
            return hidden(self._kept(), store, there=there, why_not=why_not)
        # Without a helper ECR Public is as it should be: anonymous pulls work when this expires.
        if why_not is None or self.registry in _NEVER_DELEGATED:
            return self._kept()
        return not_delegated(self._kept(), why_not)

    def _obstacle(self) -> str | None:
        if self.registry in _NEVER_DELEGATED:
            return "an anonymous pull from it works, and one with an expired login does not"
        return self.delegation.refusal

    def _delegate(self, *, written: bool) -> str | None:
        """
        Have docker ask our helper; why that can't be, in words that follow "since".
        """
        if "" in self.document.helpers(self.registry).values():
            return "its credHelpers entry is empty, which tells docker to ask no helper"
        # In this order: a helper that is asked and has nothing would hide what is in `auths`.
        if not self._note(written=written, served=True):
            return "our cache can't be written to"  # the report has a finding about that
        self.document.set_helper(self.registry, OUR_HELPER)
        return None

    def _note(self, *, written: bool, served: bool) -> bool:
        # An image that could not be pulled is looked at again at the next start.
        proven = self.outcome.verified and self.outcome.code is None
        state: State = "verified" if proven else "unverified"
        return self.memory.note(
            self.one.secret, state, credential=self.one.credential, written=written, served=served
        )

    def _kept(self) -> Outcome:
        return replace(self.outcome, kept_in=places(self.document, self.registry))


def _is_up_to_store(registry: Registry, document: Document) -> bool:
    """
    Whether docker asks a `credsStore` for *registry*, or would if it were not for our helper.
    """
    # An empty entry says: not the store.
    return document.creds_store is not None and document.helper(registry) != ""


def places(document: Document, registry: Registry) -> frozenset[Place]:
    """
    The parts of *document* that hold a login for *registry*, or name our helper for it.
    """
    found: list[Place] = []
    if document.auth(registry) is not None:
        found.append("auths")
    if document.helper(registry) == OUR_HELPER:
        found.append("credHelpers")
    return frozenset(found)
