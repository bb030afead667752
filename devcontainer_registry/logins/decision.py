# SPDX-License-Identifier: MIT
"""
The decision about one registry: ask, write, or leave it alone.

`decide` runs twice for each set: before the request, and again under the lock of config.json with
the accepted credential, since the file may have changed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from ..cache.memory import REFUSED_FOR
from ..causes import credential as causes
from ..credentials import Credential
from ..naming import HELPER_PREFIX, OUR_HELPER
from .outcomes import broken_helper, by_hand, not_ours, other_helper

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from ..cache.memory import Recalled
    from ..config.delegation import Delegation
    from ..config.file import Document
    from ..credentials import RegistrySecret
    from ..errors import AuthenticationError
    from ..registry import Registry
    from ..report import Outcome, Place

    Store: TypeAlias = Literal["auto", "auths", "helper"]
    Verify: TypeAlias = Literal["changed", "always", "never"]

# https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html: no login needed.
_NEVER_DELEGATED = ("public.ecr.aws", "ecr-public.aws.com")

# ECR's only user: https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry_auth.html
_ECR_USERNAME = "AWS"

_NOWHERE: frozenset[Place] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """
    Options of the user, and conditions of this machine.

    Attributes:
        delegation: Conditions for using our credential helper.
        store: Where to save a login; see `login`.
        verify: Whether to ask a registry again; see `login`.
        codespaces_wrote: Whether GitHub Codespaces may have written config.json since the last run.
    """

    delegation: Delegation
    store: Store = "auto"
    verify: Verify = "always"
    codespaces_wrote: bool = False

    def replaces(self, secret: RegistrySecret) -> bool:
        """
        Return whether *secret* replaces another program's helper: a set in a private copy does.
        """
        return self.delegation.in_copy and not secret.implicit


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    Docker's login for one registry at the start of the run.

    Attributes:
        auth: Login in `auths`, or None.
        cached: Credential that our helper served, or None.
    """

    auth: Credential | None
    cached: Credential | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """
    Places to save a login.

    Attributes:
        auths: Whether to save it in config.json.
        helper: Whether to save it in our cache and name our helper in config.json.
        obstacle: Why our helper is needed but not used, as part of a sentence.
    """

    auths: bool
    helper: bool
    obstacle: str | None = None


def decide(
    secret: RegistrySecret,
    outcome: Outcome,
    *,
    document: Document | None,
    recalled: Recalled,
    policy: Policy,
    accepted: Credential | None = None,
    seen: Seen | None = None,
) -> Outcome | Write | None:
    """
    Decide what to do about the registry of *secret*.

    Args:
        secret: The set.
        outcome: Outcome so far.
        document: Current config.json; None if it cannot be read.
        recalled: Results of earlier runs for the set.
        policy: Options and conditions.
        accepted: Credential to write; None before the request.
        seen: Docker's login at the start of the run; None if unknown.

    Returns:
        The outcome if there is nothing to do: another login stays, or nothing changed.  Otherwise
        None before the request, and the places for *accepted* after it.
    """
    if document is not None:
        theirs = _somebody_elses(
            secret,
            outcome,
            document,
            recalled,
            policy=policy,
            accepted=accepted,
            seen=seen,
        )
        if theirs is not None:
            return theirs
    if accepted is None:
        return _as_before(secret, outcome, document, recalled, policy)
    assert document is not None
    if outcome.status == "unverified":
        served = document.helper(secret.registry) == OUR_HELPER
        previous = recalled.cached if served else document.auth(secret.registry)
        if previous is not None:
            # The existing login may be valid, and this one is unverified.
            same = _same(previous, accepted)
            kept_in = places(document, secret.registry) if same else _NOWHERE
            return replace(outcome, kept_in=kept_in)
    return _placement(secret.registry, outcome, document, policy, accepted)


def foreseen(outcome: Outcome, document: Document, *, policy: Policy) -> Outcome:
    """
    Return the outcome of a dry run, with the places for the login.

    Its expiry, a reason to use our helper, is unknown before the login.
    """
    assert outcome.registry is not None
    where = _placement(outcome.registry, outcome, document, policy, None)
    if not isinstance(where, Write):
        return where
    kept_in: list[Place] = ["auths"] if where.auths else []
    if where.helper:
        kept_in.append("credHelpers")
    return replace(outcome, kept_in=frozenset(kept_in))


def places(document: Document, registry: Registry) -> frozenset[Place]:
    """
    Return the parts of *document* with a login for *registry* or with our helper.
    """
    found: list[Place] = []
    if document.auth(registry) is not None:
        found.append("auths")
    if document.helper(registry) == OUR_HELPER:
        found.append("credHelpers")
    return frozenset(found)


def is_never_delegated(registry: Registry) -> bool:
    """
    Return whether *registry* never needs our helper: anonymous pulls work after expiry.
    """
    return registry.without_default_port in _NEVER_DELEGATED


def _somebody_elses(
    secret: RegistrySecret,
    outcome: Outcome,
    document: Document,
    recalled: Recalled,
    *,
    policy: Policy,
    accepted: Credential | None,
    seen: Seen | None,
) -> Outcome | None:
    """
    Return the outcome if another helper or a login by hand takes precedence, or None.
    """
    registry = secret.registry
    entry = document.auth(registry)
    ours = entry is not None and recalled.wrote(entry)
    not_to_replace = secret.implicit and document.has_login(registry) and not ours
    other = document.other_helper(registry) if not policy.replaces(secret) else None
    if other is not None and policy.delegation.found(HELPER_PREFIX + other) is None:
        return broken_helper(outcome, other)
    if other is not None:
        return other_helper(outcome, other)
    if document.helper(registry) == OUR_HELPER:
        # docker asks our helper, regardless of `auths`.
        meanwhile = (
            recalled.stored_by_hand
            and seen is not None
            and not _same(recalled.cached, seen.cached)
            and not _same(recalled.cached, accepted)
        )
        stays = recalled.by_hand or meanwhile
        # Out of reach with the helper that was given it, whose entry breaks `docker run`.
        if stays and policy.delegation.trouble is None:
            return by_hand(outcome)
        return not_ours(outcome) if not_to_replace and accepted is not None else None
    if not_to_replace:
        return not_ours(outcome)
    if entry is None or ours or _same(entry, accepted):
        return None
    if policy.codespaces_wrote and is_of_codespaces(entry, secret, kind=outcome.kind):
        return None  # replaced, then, once the registry has accepted ours
    since_ours = recalled.state is not None and bool(recalled.entries)
    meanwhile = (
        seen is not None
        and not _same(entry, seen.auth)
        and recalled.hash_of(entry) is not None  # without the cache, its origin is unknown
    )
    return by_hand(outcome) if since_ours or meanwhile else None


def is_of_codespaces(entry: Credential, secret: RegistrySecret, *, kind: str | None) -> bool:
    """
    Return whether *entry* is what GitHub Codespaces writes for *secret*: a key or its token.

    It writes after onCreate and before postCreate, and never in a prebuild.
    https://docs.github.com/en/codespaces/reference/allowing-your-codespace-to-access-a-private-registry
    """
    if kind != "ecr" or secret.secret is None or secret.username == _ECR_USERNAME:
        return False
    return _same(entry, Credential(username=secret.username or "", secret=secret.secret)) or (
        entry.username == _ECR_USERNAME
    )


def _as_before(
    secret: RegistrySecret,
    outcome: Outcome,
    document: Document | None,
    recalled: Recalled,
    policy: Policy,
) -> Outcome | None:
    """
    Return the outcome if a request is not needed or would not help, or None.
    """
    if policy.verify != "changed":
        return None
    now = time.time()
    if document is not None and recalled.is_fresh(now=now):
        kept_in = _holds(document, secret.registry, recalled, policy)
        if kept_in:
            return replace(
                outcome,
                status="unchanged",
                verified=True,
                expires_at=recalled.expires_at,
                kept_in=kept_in,
            )
    refused = refused_before(secret, recalled, now=now)
    if refused is None:
        return None
    return replace(outcome, status="rejected", code=refused.code, error=refused)


def refused_before(
    secret: RegistrySecret, recalled: Recalled, *, now: float
) -> AuthenticationError | None:
    """
    Return the error if *secret* was just refused and must not be sent again, or None.
    """
    if not recalled.was_refused(now=now):
        return None
    return causes.REFUSED_BEFORE.error(
        host=secret.registry,
        source=secret.source,
        at=_clock(recalled.at),
        until=_clock(recalled.at + REFUSED_FOR),
    )


def _holds(
    document: Document, registry: Registry, recalled: Recalled, policy: Policy
) -> frozenset[Place]:
    """
    Return the places where docker finds the accepted login, if they match the policy.
    """
    entry = document.auth(registry)
    if document.helper(registry) != OUR_HELPER:
        newest = entry is not None and recalled.wrote_last(entry)
        visible = document.asked_for(registry) == "auths" and policy.store != "helper"
        return frozenset({"auths"}) if newest and visible else _NOWHERE
    # A missing helper breaks `docker run`; later steps remove its entry.
    if recalled.cached is None or policy.store == "auths" or policy.delegation.trouble is not None:
        return _NOWHERE
    if policy.store == "auto" and policy.delegation.refusal is not None:
        return _NOWHERE
    # Another --store left it so: `helper` keeps no secret in `auths`, and `auto` does.
    ours = entry is not None and recalled.wrote(entry)
    stale = ours if policy.store == "helper" else entry is None
    return _NOWHERE if stale else places(document, registry)


def _placement(
    registry: Registry,
    outcome: Outcome,
    document: Document,
    policy: Policy,
    accepted: Credential | None,
) -> Outcome | Write:
    """
    Return the places for a login, or the outcome if the chosen store is impossible.
    """
    if policy.store == "helper":
        trouble = policy.delegation.trouble
        if trouble is not None:
            return replace(outcome, status="failed", code=trouble.code, error=trouble)
        return Write(auths=False, helper=True)
    expires = accepted is not None and accepted.expires_at is not None
    if policy.store == "auths" or not (expires or document.is_up_to_store(registry)):
        return Write(auths=True, helper=False)
    obstacle = policy.delegation.refusal
    if is_never_delegated(registry) and not policy.delegation.in_copy:
        obstacle = causes.ANONYMOUS_IS_BETTER.say()
    return Write(auths=True, helper=obstacle is None, obstacle=obstacle)


def _same(one: Credential | None, other: Credential | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.username, one.secret) == (other.username, other.secret)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%SZ", time.gmtime(at))
