# SPDX-License-Identifier: MIT
"""
Outcomes of a registry's answer, and of obstacles to saving.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace

from .. import authenticators as plugins
from ..causes import credential as causes
from ..causes import plugins as plugin_causes
from ..causes.config import NOT_WRITTEN
from ..config.findings import helper_missing
from ..errors import (
    AuthenticationError,
    DiscoveryError,
    InvalidRegistryError,
    RegistryError,
    UnreachableError,
    printable,
)
from ..naming import HELPER_PREFIX, OF_VSCODE, variable
from .masking import vetted

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..authenticators import Authenticator
    from ..credentials import Credential, Finding, RegistrySecret
    from ..network.distribution import Check
    from ..report import Outcome


# Findings that make docker ignore every login in `auths`.
_UNREAD = ("config-mistyped", "login-unreadable")


class Job:
    """
    A running login to one registry.

    Its thread fills it in; `ask_all` hands it back, when *give_up* by `time.monotonic` has passed
    at the latest.
    """

    def __init__(
        self,
        place: int,
        secret: RegistrySecret,
        authenticator: Authenticator,
        outcome: Outcome,
        *,
        give_up: float = math.inf,
    ) -> None:
        self.place = place
        self.secret = secret
        self.authenticator = authenticator
        self.outcome = outcome
        self.give_up = give_up
        self.started = time.monotonic()
        self.finished: float | None = None
        self.attempts = 0
        self.credential: Credential | None = None
        self.check: Check | None = None
        self.error: RegistryError | None = None


def timeout_of(job: Job) -> RegistryError:
    """
    Return the error of *job* after the deadline passed.
    """
    # Without a credential, only the plugin has sent requests.
    asked_plugin = (
        job.attempts and job.credential is None and not plugins.is_ours(job.authenticator)
    )
    if asked_plugin:
        return plugin_causes.TIMED_OUT.error(authenticator=job.outcome.kind)
    return causes.TIMED_OUT.error(registry=job.secret.registry)


def verdict(job: Job) -> Outcome:
    """
    Return the outcome of *job* before it is saved; `ok` and `unverified` may be saved.
    """
    outcome = replace(
        job.outcome,
        attempts=job.attempts,
        elapsed=(job.finished or time.monotonic()) - job.started,
        expires_at=job.credential.expires_at if job.credential is not None else None,
    )
    if job.error is not None:
        return _troubled(job, outcome, job.error)
    if job.check is None:
        return replace(outcome, status="ok")
    outcome = replace(outcome, status="ok", verified=job.check.verified, realm=job.check.realm)
    if job.check.code is None:
        return outcome
    said = RegistryError(job.check.message, hint=job.check.hint, code=job.check.code)
    said = _said(job, said)
    return replace(outcome, code=said.code, error=said)


def _troubled(job: Job, outcome: Outcome, error: RegistryError) -> Outcome:
    error = _said(job, error)
    outcome = replace(outcome, code=error.code, error=error)
    match error:
        case AuthenticationError():
            return replace(outcome, status="rejected")
        case DiscoveryError() | InvalidRegistryError():
            return replace(outcome, status="incomplete")
        case UnreachableError() if _may_be_kept(job):
            return replace(outcome, status="unverified")
        case _:
            return replace(outcome, status="failed")


def _may_be_kept(job: Job) -> bool:
    # An unverified token of a cloud is not worth saving: the next run can get another.
    if job.credential is None:
        return False
    try:
        return not plugins.is_exchange(job.authenticator, job.secret)
    except Exception:  # noqa: BLE001  (a plugin that cannot say is taken at its worst)
        return False


def _said(job: Job, error: RegistryError) -> RegistryError:
    """
    Return a copy of *error* with the hint of the registry's kind.
    """
    try:
        explained = plugins.explain(job.authenticator, job.secret, error)
        hint = explained or error.hint
    except Exception:  # noqa: BLE001  (a plugin's word too many must not cost the outcome)
        hint = error.hint
    return vetted(error, job.secret, job.credential, hint=hint)


def other_helper(outcome: Outcome, helper: str) -> Outcome:
    """
    Return the outcome if docker asks another program's *helper*, which is never replaced.
    """
    return _skipped(outcome, causes.OTHER_HELPER.error(program=printable(HELPER_PREFIX + helper)))


def broken_helper(outcome: Outcome, helper: str) -> Outcome:
    """
    Return the outcome if docker asks another program's *helper*, which is missing.
    """
    error = helper_missing(helper, named_in="credHelpers")
    return replace(outcome, status="broken", code=error.code, error=error)


def not_ours(outcome: Outcome) -> Outcome:
    """
    Return the outcome of an implicit login if there is a login that we did not write.
    """
    server = variable(_id_for(outcome), "SERVER")
    return _skipped(outcome, causes.NOT_REPLACED.error(source=outcome.source, server=server))


def by_hand(outcome: Outcome) -> Outcome:
    """
    Return the outcome if config.json has a newer login by hand.
    """
    error = causes.LOGIN_BY_HAND.error(host=outcome.registry, source=outcome.source)
    return _skipped(outcome, error)


def not_kept(outcome: Outcome) -> Outcome:
    """
    Return the outcome if config.json cannot be written.
    """
    error = NOT_WRITTEN.error()
    return replace(outcome, status="failed", code=error.code, error=error)


def _id_for(outcome: Outcome) -> str:
    return "GHCR" if outcome.registry == "ghcr.io" else "MY"


def not_everywhere(outcome: Outcome, refusal: str) -> Outcome:
    """
    Return the outcome if some process may not find our helper, for the reason *refusal*.
    """
    return _remarked(outcome, causes.SOME_MAY_NOT_FIND_HELPER.error(obstacle=refusal))


def hidden(outcome: Outcome, store: str, *, there: bool, why_not: str | None) -> Outcome:
    """
    Return the outcome if docker asks the `credsStore` instead.

    Args:
        outcome: Outcome so far.
        store: Value of `credsStore`.
        there: Whether its program exists.
        why_not: Why our helper is not used, as part of a sentence; None if it was not requested.
    """
    fix = causes.HIDDEN_BY_HELPER_OF_VSCODE if store.startswith(OF_VSCODE) else None
    if there:
        cause = causes.HIDDEN_DESPITE_HELPER if why_not else causes.HIDDEN
    else:
        cause = causes.HIDDEN_BY_MISSING_DESPITE_HELPER if why_not else causes.HIDDEN_BY_MISSING
    program = printable(HELPER_PREFIX + store)
    return _remarked(outcome, cause.with_fix(fix).error(program=program, obstacle=why_not))


def unread(outcome: Outcome, findings: Iterable[Finding]) -> Outcome:
    """
    Return *outcome* with the finding that makes docker ignore its login in `auths`.
    """
    why = next((finding for finding in findings if finding.code in _UNREAD), None)
    if why is None or outcome.kept_in != {"auths"} or outcome.status not in ("ok", "unchanged"):
        return outcome
    error = causes.UNREAD.error()
    error.code, error.hint = why.code, why.hint
    return _remarked(outcome, error)


def not_delegated(outcome: Outcome, why_not: str) -> Outcome:
    """
    Return the outcome if our helper is needed but not used, for the reason *why_not*.
    """
    if outcome.code is not None:
        return outcome
    return _remarked(outcome, causes.NOTHING_RENEWS.error(obstacle=why_not))


def _skipped(outcome: Outcome, error: RegistryError) -> Outcome:
    return replace(outcome, status="skipped", code=error.code, error=error)


def _remarked(outcome: Outcome, error: RegistryError) -> Outcome:
    return replace(outcome, code=error.code, error=error)
