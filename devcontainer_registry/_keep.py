# SPDX-License-Identifier: MIT
"""
What goes into config.json, decided under its lock from what is in it then.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from .errors import ConfigChangedError, ConfigError, RegistryError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ._memory import Memory, State
    from .configfile import DockerConfig, Document
    from .credentials import Credential, RegistrySecret
    from .observer import Observer
    from .report import Outcome

# The value of `credHelpers` that names our own helper.
OUR_HELPER = "devcontainer-registry"

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
    store: str,
    deadline: float,
    observe: Observer,
) -> Kept:
    """
    Write what was accepted into *config*, all of it at once.

    Args:
        accepted: What to write.
        config: Where to.
        memory: Told of each entry before it is written.
        store: `auto` also says where docker would rather ask a helper.
        deadline: Of the run, by `time.monotonic`.
        observe: Told what happens.
    """
    decided: list[Outcome] = []

    def change(document: Document) -> None:
        decided[:] = [_decide(one, document, memory=memory, store=store) for one in accepted]

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


def _decide(one: Accepted, document: Document, *, memory: Memory, store: str) -> Outcome:
    registry, outcome = one.secret.registry, one.outcome
    other = document.helper(registry)
    if other and other != OUR_HELPER:
        return other_helper(outcome, other)
    entry = document.auth(registry)
    if one.secret.implicit and entry is not None and not memory.wrote(registry, entry):
        return not_ours(outcome)
    if outcome.status == "unverified" and entry is not None:
        # What is there may be right, and nobody knows that this is.
        same = (entry.username, entry.secret) == (one.credential.username, one.credential.secret)
        return replace(outcome, kept_in=frozenset({"auths"} if same else ()))
    try:
        document.set_auth(registry, one.credential)
    except ConfigError as exc:
        # docker's format can't carry this one; the others are not to suffer for it.
        return replace(outcome, status="failed", code=exc.code, error=exc)
    # An image that could not be pulled is looked at again at the next start.
    checked: State = "verified" if outcome.verified and outcome.code is None else "unverified"
    memory.note(one.secret, checked, credential=one.credential, written=True)
    outcome = replace(outcome, kept_in=frozenset({"auths"}))
    if document.asked_for(registry) == "credsStore":
        return _hidden(outcome, document.creds_store or "")
    return _not_delegated(outcome) if store == "auto" else outcome


def other_helper(outcome: Outcome, helper: str) -> Outcome:
    """
    The outcome where docker asks somebody else's *helper*, which we never evict.
    """
    error = RegistryError(
        f"docker asks docker-credential-{helper} for it",
        hint="remove its credHelpers entry from config.json to let us answer",
        code="other-helper",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def not_ours(outcome: Outcome) -> Outcome:
    """
    The outcome where an implicit source meets a login that we did not write.
    """
    error = RegistryError(
        f"config.json has a login for it that {outcome.source} does not replace",
        hint=f"set {_id_for(outcome)}_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD to replace it",
        code="not-ours",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def by_hand(outcome: Outcome) -> Outcome:
    """
    The outcome where a login is in config.json that came after the one that we wrote.
    """
    error = RegistryError(
        f"somebody logged in to {outcome.registry} by hand since; that login stays until the "
        "secret changes",
        hint=f"run docker logout {outcome.registry} to go back to {outcome.source}",
        code="login-by-hand",
    )
    return replace(outcome, status="skipped", code=error.code, error=error)


def not_kept(outcome: Outcome) -> Outcome:
    """
    The outcome where config.json takes nothing.
    """
    error = RegistryError(
        "config.json could not be written",
        hint="see what is said about config.json",
        code="not-kept",
    )
    return replace(outcome, status="failed", code=error.code, error=error)


def _id_for(outcome: Outcome) -> str:
    return "GHCR" if outcome.registry == "ghcr.io" else "MY"


def _hidden(outcome: Outcome, store: str) -> Outcome:
    error = RegistryError(
        f"written, but docker asks docker-credential-{store} instead and will not see it",
        hint='set "dev.containers.dockerCredentialHelper": false in VS Code, or remove credsStore '
        "from config.json",
        code="hidden-by-credsstore",
    )
    return replace(outcome, code=error.code, error=error)


def _not_delegated(outcome: Outcome) -> Outcome:
    if outcome.expires_at is None or outcome.code is not None:
        return outcome
    error = RegistryError(
        "nothing renews it: docker-credential-devcontainer-registry is not in /usr/local/bin or "
        "/usr/bin",
        hint="run the hook again at each start, as postStartCommand",
        code="not-delegated",
    )
    return replace(outcome, code=error.code, error=error)
