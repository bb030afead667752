# SPDX-License-Identifier: MIT
"""
The order of it all: find, choose, authenticate, verify, keep, report.

Every registry is asked at once, each in a thread of its own, and what is accepted is kept as soon
as it is known: one registry's failure never stops, delays or hides another's.
"""

from __future__ import annotations

import os
import time
from dataclasses import replace

from . import _codespaces
from . import authenticators as plugins
from ._ask import Job, RetryPolicy, ask_all
from ._delegate import Delegation
from ._hindrance import (
    by_hand,
    not_kept,
    not_ours,
    open_to_others,
    other_helper,
    shut_out,
    store_missing,
    unreadable,
)
from ._keep import Accepted, foreseen, keep, places
from ._memory import REFUSED_FOR, Memory
from ._survey import chosen, incomplete, refuse_mistakes
from ._survey import only as only_of
from ._verdict import verdict
from .cache import Cache
from .configfile import OUR_HELPER, DockerConfig, Document
from .credentials import Finding
from .discovery import Found, discover
from .errors import AuthenticationError, ConfigError, PluginError
from .observer import ignore
from .report import LoginReport, Outcome

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Literal, TypeAlias

    from ._keep import Store
    from ._memory import Recalled
    from .authenticators import Installed
    from .credentials import RegistrySecret
    from .errors import RegistryError
    from .observer import Observer

    Verify: TypeAlias = Literal["changed", "always", "never"]


def login(
    secrets: Iterable[RegistrySecret] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    secrets_file: str | None = None,
    config: DockerConfig | None = None,
    authenticators: Installed | None = None,
    only: Collection[str] = (),
    verify: Verify = "always",
    store: Store = "auto",
    retry: RetryPolicy | None = None,
    timeout: float = 30.0,
    dry_run: bool = False,
    codespaces_wrote: bool = False,
    observe: Observer = ignore,
) -> LoginReport:
    """
    Log in to every registry that the environment has a secret for.

    Blocks until all have answered, *timeout* at the longest: from asyncio, call it with
    `asyncio.to_thread`.  Any number of threads and processes may call it at once.  Who was given
    up gets a second more at the end of the process, and no longer.

    Args:
        secrets: What to log in with; None: what `discover` finds in *environ*.
        environ: All variables, those that say where docker's files are (`HOME`) among them; None:
            the process's own, which the SDKs of the clouds read besides.
        secrets_file: Path of a JSON file of variables, as the dev container CLI takes it.
        config: The file to write; None: where docker looks for it.
        authenticators: By kind; None: all that are installed.
        only: Ids of the sets to use; empty: all of them.
        verify: `always`; `changed`: not again where the same set was accepted, or just refused;
            `never`: the registry isn't asked.
        store: `auths`: into config.json; `helper`: into our cache, and docker asks our helper;
            `auto`: into config.json, and our helper besides where that is needed and safe.
        retry: How often to try again.
        timeout: Seconds for the whole run, running requests included.
        dry_run: Say what would be done; ask nobody, write nothing.
        codespaces_wrote: Whether GitHub Codespaces may have written config.json since the last
            run: what it makes of an access key is then no login by hand.
        observe: Told what happens, as it happens, also from other threads.

    Returns:
        One outcome for each registry.  What a registry, a cloud, a plugin or the file did is in
        there, never raised.

    Raises:
        UnknownSetError: A `ValueError`: *only* names an id that is not there.
        TypeError, ValueError: An argument is none of what is said above.
    """
    refuse_mistakes(secrets, only=only, config=config, verify=verify, store=store)
    # As a default it would be in the signature, and `help(login)` would show every secret.
    environ = os.environ if environ is None else environ
    deadline = time.monotonic() + timeout
    found = discover(environ, secrets_file=secrets_file) if secrets is None else _given(secrets)
    found = only_of(found, only)
    installed: Installed = {}
    if found.secrets:
        installed = plugins.load() if authenticators is None else authenticators
    for kind, plugin in installed.items():
        if isinstance(plugin, PluginError):
            observe("plugin.unusable", kind=kind, code=plugin.code)
    try:
        config = config or DockerConfig.locate(environ)
    except ConfigError as exc:
        return _nowhere(found, installed, exc, observe=observe)
    run = _Run(
        config=config,
        delegation=Delegation(config.path, environ=environ),
        memory=Memory(Cache.locate(environ), config.path),
        environ=environ,
        verify=verify,
        store=store,
        retry=retry or RetryPolicy(),
        deadline=deadline,
        codespaces_wrote=codespaces_wrote,
        observe=observe,
    )
    report = run.report(found, installed, dry_run=dry_run)
    trouble = run.memory.trouble
    if trouble is not None:
        said = Finding(code=trouble.code, message=trouble.message, hint=trouble.hint)
        report = replace(report, findings=(*report.findings, said))
    return report


def _given(secrets: Iterable[RegistrySecret]) -> Found:
    return Found(secrets=tuple(secrets), incomplete=(), findings=())


def _nowhere(
    found: Found, installed: Installed, error: ConfigError, *, observe: Observer
) -> LoginReport:
    """
    The report where there is no place to write to, so that nobody need be asked.
    """
    outcomes = []
    for secret in found.secrets:
        outcome, authenticator = chosen(secret, installed, observe=observe)
        outcomes.append(outcome if authenticator is None else not_kept(outcome))
    return LoginReport(
        config="",
        changed=False,
        outcomes=(*outcomes, *incomplete(found)),
        findings=found.findings,
        error=error if found.secrets else None,
    )


class _Run:
    """
    One login: everything that its steps share.
    """

    def __init__(
        self,
        *,
        config: DockerConfig,
        delegation: Delegation,
        memory: Memory,
        environ: Mapping[str, str],
        verify: Verify,
        store: Store,
        retry: RetryPolicy,
        deadline: float,
        codespaces_wrote: bool,
        observe: Observer,
    ) -> None:
        self.config = config
        self.delegation = delegation
        self.memory = memory
        self.environ = environ
        self.verify: Verify = verify
        self.store: Store = store
        self.retry = retry
        self.deadline = deadline
        self.codespaces_wrote = codespaces_wrote
        self.observe = observe
        self.changed = False
        self.read_error: RegistryError | None = None
        self.write_error: RegistryError | None = None

    def report(self, found: Found, installed: Installed, *, dry_run: bool) -> LoginReport:
        """
        Go through it all.
        """
        document = self._peek() if found.secrets else None
        outcomes: list[Outcome] = []
        jobs: list[Job] = []
        for secret in found.secrets:
            outcome, authenticator = chosen(secret, installed, observe=self.observe)
            if authenticator is not None:
                outcome = self._before(secret, outcome, document)
                if outcome.status == "found" and not dry_run:
                    jobs.append(Job(len(outcomes), secret, authenticator, outcome))
                elif outcome.status == "found":
                    outcome = foreseen(
                        outcome,
                        document or Document(),
                        store=self.store,
                        delegation=self.delegation,
                    )
            outcomes.append(outcome)
        for broken in found.incomplete:
            self.observe("secret.incomplete", id=broken.id, code=broken.error.code)
        for batch in ask_all(
            jobs,
            environ=self.environ,
            verified=self.verify != "never",
            retry=self.retry,
            deadline=self.deadline,
            observe=self.observe,
        ):
            for place, outcome in self._done(batch):
                outcomes[place] = outcome
        return LoginReport(
            config=self.config.path,
            changed=self.changed,
            outcomes=tuple(
                _beside(outcome, document) for outcome in (*outcomes, *incomplete(found))
            ),
            findings=(
                *found.findings,
                *self._store_missing(document, outcomes),
                *self._unreadable(outcomes),
                *self._open_to_others(outcomes),
                *self._shut_out(),
            ),
            error=self.write_error or self.read_error,
        )

    def _store_missing(
        self, document: Document | None, outcomes: Iterable[Outcome]
    ) -> Iterable[Finding]:
        store = document.creds_store if document is not None else None
        # Whom it hides says so already.
        said = any(outcome.code == "hidden-by-credsstore" for outcome in outcomes)
        if store is not None and not said:
            there = self.delegation.found(f"docker-credential-{store}") is not None
            return () if there else (store_missing(store),)
        return ()

    def _unreadable(self, outcomes: Iterable[Outcome]) -> Iterable[Finding]:
        # Our helper is asked whatever stands in `auths`.
        if not any(outcome.kept_in == {"auths"} for outcome in outcomes):
            return ()
        try:
            # Once more: what was broken may have been the entry that we replaced.
            broken = self.config.read().unreadable()
        except ConfigError:
            return ()
        return (unreadable(self.config.path, broken[0]),) if broken else ()

    def _open_to_others(self, outcomes: Iterable[Outcome]) -> Iterable[Finding]:
        written = self.changed and any("auths" in outcome.kept_in for outcome in outcomes)
        return (open_to_others(self.config.path),) if written and self.config.is_open() else ()

    def _shut_out(self) -> Iterable[Finding]:
        home = self.environ.get("HOME", "")
        shuts_out = self.changed and self.config.shuts_out(home)
        return (shut_out(self.config.path, home),) if shuts_out else ()

    def _peek(self) -> Document | None:
        try:
            return self.config.read()
        except ConfigError as exc:
            # Somebody may be writing it just now: it counts unless a write goes well later.
            self.read_error = exc
            return None

    def _before(
        self, secret: RegistrySecret, outcome: Outcome, document: Document | None
    ) -> Outcome:
        """
        What is known without asking: `found` where somebody has to be asked.
        """
        recalled = self.memory.recall(secret)
        self.observe("secret.found", id=secret.id, registry=secret.registry, source=secret.source)
        if document is not None:
            settled = self._settled(secret, outcome, document, recalled)
            if settled is not None:
                return settled
        now = time.time()
        if self.verify == "changed" and recalled.was_refused(now=now):
            at = _clock(recalled.at)
            refused = AuthenticationError(
                f"{secret.registry} refused this secret at {at}; not asked again before "
                f"{_clock(recalled.at + REFUSED_FOR)}",
                hint=f"correct {secret.source}; a changed secret is tried at once",
                code="refused-before",
            )
            return replace(outcome, status="rejected", code=refused.code, error=refused)
        return outcome

    def _settled(
        self, secret: RegistrySecret, outcome: Outcome, document: Document, recalled: Recalled
    ) -> Outcome | None:
        helpers = document.helpers(secret.registry).values()
        other = next((helper for helper in helpers if helper and helper != OUR_HELPER), None)
        if other is not None:
            return other_helper(outcome, other)
        if document.helper(secret.registry) == OUR_HELPER:
            settled = self._settled_with_helper(outcome, recalled)
            if settled is None or settled.status != "unchanged":
                return settled
            beside = document.auth(secret.registry)
            if self.store == "helper":
                stale = beside is not None and self.memory.wrote(secret.registry, beside)
            else:
                stale = beside is None
            # Another --store left it so: `helper` keeps no secret there, and `auto` does.
            return None if stale else replace(settled, kept_in=places(document, secret.registry))
        entry = document.auth(secret.registry)
        if entry is None:
            kept_from_us = secret.implicit and document.has_login(secret.registry)
            return not_ours(outcome) if kept_from_us else None
        # Without a hash of ours there is nothing to compare, and so no key to be made.
        known = self.memory.entry(entry) if recalled.entries else None
        if secret.implicit and known not in recalled.entries:
            return not_ours(outcome)
        if recalled.state is not None and recalled.entries and known not in recalled.entries:
            if self.codespaces_wrote and _codespaces.is_its(entry, secret, kind=outcome.kind):
                return None  # replaced, then, once the registry has accepted ours
            return by_hand(outcome)
        newest = bool(recalled.entries) and known == recalled.entries[-1]
        fresh = newest and recalled.is_fresh(now=time.time())
        visible = document.asked_for(secret.registry) == "auths"
        if self.verify == "changed" and fresh and visible and self.store != "helper":
            return replace(_unchanged(outcome, recalled), kept_in=frozenset({"auths"}))
        return None

    def _settled_with_helper(self, outcome: Outcome, recalled: Recalled) -> Outcome | None:
        if recalled.by_hand:
            # Out of reach with the helper that was given it, whose entry breaks `docker run`.
            return by_hand(outcome) if self.delegation.trouble is None else None
        fresh = recalled.is_fresh(now=time.time()) and recalled.cached is not None
        if self.verify != "changed" or not fresh or self.store == "auths":
            return None
        # A helper that is gone breaks `docker run`: what follows then takes its entry away.
        if self.delegation.trouble is not None:
            return None
        if self.store == "auto" and self.delegation.refusal is not None:
            return None
        return _unchanged(outcome, recalled)

    def _done(self, jobs: Sequence[Job]) -> Iterable[tuple[int, Outcome]]:
        """
        The outcomes of *jobs*, after what can be kept of them has been kept.
        """
        outcomes = {job.place: verdict(job) for job in jobs}
        accepted = {
            job.place: Accepted(
                secret=job.secret, credential=job.credential, outcome=outcomes[job.place]
            )
            for job in jobs
            if job.credential is not None and outcomes[job.place].status in ("ok", "unverified")
        }
        if accepted:
            kept = keep(
                list(accepted.values()),
                config=self.config,
                memory=self.memory,
                store=self.store,
                delegation=self.delegation,
                deadline=self.deadline,
                observe=self.observe,
            )
            outcomes.update(zip(accepted, kept.outcomes, strict=True))
            self.changed = self.changed or kept.changed
            self.read_error = None
            self.write_error = kept.error or self.write_error
        for job in jobs:
            outcome = outcomes[job.place]
            if outcome.status == "rejected":
                self.memory.note(job.secret, "refused")
            self.observe(
                "login.succeeded" if outcome.status == "ok" else "login.failed",
                id=outcome.id,
                registry=outcome.registry,
                status=outcome.status,
                code=outcome.code,
                attempts=outcome.attempts,
                elapsed=round(outcome.elapsed, 3),
            )
        return outcomes.items()


def _beside(outcome: Outcome, document: Document | None) -> Outcome:
    """
    *outcome*, which may not have been kept, with what *document* has from before.
    """
    in_vain = outcome.status in ("rejected", "unverified", "incomplete", "failed")
    if not in_vain or outcome.kept_in or outcome.registry is None or document is None:
        return outcome
    return replace(outcome, stays=bool(places(document, outcome.registry)))


def _unchanged(outcome: Outcome, recalled: Recalled) -> Outcome:
    return replace(outcome, status="unchanged", verified=True, expires_at=recalled.expires_at)


def _clock(at: float) -> str:
    return time.strftime("%H:%M:%SZ", time.gmtime(at))
