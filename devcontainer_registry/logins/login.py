# SPDX-License-Identifier: MIT
"""
The order of a login: find, choose, ask, keep, report.

All registries are asked at once, each in its own thread.  An accepted login is saved at once.  One
registry's failure never stops, delays or hides another's.
"""

from __future__ import annotations

import math
import os
import time
from dataclasses import dataclass, field, replace

from .. import authenticators as plugins
from ..cache.folder import Cache
from ..cache.memory import Memory
from ..config.delegation import Delegation
from ..config.file import DockerConfig, Document
from ..config.findings import findings_after_login, why_unread_in
from ..credentials import Finding
from ..discovery import Found, discover
from ..errors import ConfigError, PluginError, UnreachableError
from ..naming import HELPER_PREFIX
from ..observer import ignore, observed, tell
from ..report import LoginReport, Outcome
from ..threads import deadline_after
from .asking import RetryPolicy, ask_all
from .candidates import chosen, incomplete, nowhere, refuse_mistakes
from .candidates import only as only_of
from .decision import Policy, Seen, decide, foreseen, places
from .keeping import Accepted, keep
from .outcomes import Job, unread, verdict

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from ..authenticators import Installed
    from ..credentials import RegistrySecret
    from ..errors import RegistryError
    from ..observer import Observer
    from ..registry import Registry
    from .decision import Store, Verify


# Timeout for a registry that an earlier step of the same start could not reach.
_SECOND_TRY_MAX = 3.0  # seconds


@observed
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
    container_start: str | None = None,
    observe: Observer = ignore,
) -> LoginReport:
    """
    Log in to every registry for which the environment has a set of variables.

    Blocks until all registries have answered, for at most *timeout*.  With asyncio, use
    `asyncio.to_thread`.  Safe to call from several threads and processes at once.  At exit, the
    process waits up to a second for abandoned threads.

    Args:
        secrets: Sets to log in with; None: those that `discover` finds in *environ*.
        environ: All variables, including `HOME` and `DOCKER_CONFIG`, which locate docker's files;
            None: `os.environ`.  The clouds' SDKs always read `os.environ`.
        secrets_file: Path of a JSON file of variables, in the dev container CLI's format.
        config: The config.json to write; None: docker's own.
        authenticators: Authenticators by kind; None: all installed ones.
        only: Ids of the sets to use; empty: all.
        verify: `always`; `changed`: skip a set that was accepted before or just refused; `never`:
            save without asking the registry.
        store: `auths`: save in config.json; `helper`: save in our cache, which our credential
            helper serves; `auto`: save in config.json, and also use our helper if that is needed
            and safe.
        retry: Number of tries and waits between them; None: the default.
        timeout: Seconds for the whole run, including running requests.
        dry_run: Report what would be done, without requests and writes.
        codespaces_wrote: Whether GitHub Codespaces may have written config.json since the last
            run.  Its entry for an access key then does not count as a login by hand.
        container_start: Identifies the container start of this lifecycle step.  A registry that an
            earlier step could not reach gets 3 s, and `Outcome.is_known` is set if it fails again.
            None: every registry gets the whole *timeout*.
        observe: Called with each event as it happens, also from other threads; see `Observer`.

    Returns:
        A report with one outcome for each registry.  Failures of a registry, cloud, plugin or file
        are in the report; `raise_for_status` of the report raises them.

    Raises:
        UnknownSetError: A `ValueError`: *only* names an id that is not there.
        TypeError, ValueError: An argument is invalid.  Both are raised before any file is opened
            and before any network request.
    """
    refuse_mistakes(secrets, only=only, config=config, verify=verify, store=store)
    # Not a default argument: `help(login)` would show every secret.
    environ = os.environ if environ is None else environ
    deadline = deadline_after(timeout)
    found = discover(environ, secrets_file=secrets_file) if secrets is None else _given(secrets)
    found = only_of(found, only)
    installed: Installed = {}
    if found.secrets:
        installed = plugins.installed_for(found.secrets, authenticators, give_up=deadline)
    for kind, plugin in installed.items():
        if isinstance(plugin, PluginError):
            observe("plugin.unusable", kind=kind, code=plugin.code)
    try:
        config = config or DockerConfig.locate(environ)
        if config.refusal is not None:
            raise config.refusal
    except ConfigError as exc:
        return nowhere(found, installed, exc, observe=observe)
    run = _Run(
        config=config,
        memory=Memory(Cache.locate(environ), config.path),
        policy=Policy(
            delegation=Delegation(
                config.path, environ=environ, give_up=deadline, in_copy=config.is_copy
            ),
            store=store,
            verify=verify,
            codespaces_wrote=codespaces_wrote,
        ),
        environ=environ,
        retry=retry or RetryPolicy(),
        deadline=deadline,
        container_start=container_start,
        observe=observe,
    )
    report = run.report(found, installed, dry_run=dry_run)
    trouble = run.memory.trouble
    if trouble is not None:
        report = replace(report, findings=(*report.findings, Finding.of(trouble)))
    return report


def _given(secrets: Iterable[RegistrySecret]) -> Found:
    return Found(secrets=tuple(secrets), incomplete=(), findings=())


@dataclass(kw_only=True)
class _Run:
    """
    State of one login.

    Attributes:
        unread_code: Code of why docker ignores `auths` of config.json, or None.
        seen: Docker's login for each registry at the start of the run; it may change meanwhile.
        unreached: Sets that an earlier step of this start could not log in with, and the code.
    """

    config: DockerConfig
    memory: Memory
    policy: Policy
    environ: Mapping[str, str]
    retry: RetryPolicy
    deadline: float
    container_start: str | None
    observe: Observer
    changed: bool = False
    read_error: RegistryError | None = None
    write_error: RegistryError | None = None
    unread_code: str | None = None
    seen: dict[Registry, Seen] = field(default_factory=dict)
    unreached: dict[str, str] = field(default_factory=dict)

    def report(self, found: Found, installed: Installed, *, dry_run: bool) -> LoginReport:
        """
        Run the login.
        """
        document = self._peek() if found.secrets else None
        outcomes: list[Outcome] = []
        jobs: list[Job] = []
        for secret in found.secrets:
            outcome, authenticator = chosen(secret, installed, observe=self.observe)
            if authenticator is not None:
                outcome = self._before(secret, outcome, document)
                if outcome.status == "found" and not dry_run:
                    give_up = math.inf
                    if secret.id in self.unreached:
                        give_up = time.monotonic() + _SECOND_TRY_MAX
                    place = len(outcomes)
                    jobs.append(Job(place, secret, authenticator, outcome, give_up=give_up))
                elif outcome.status == "found":
                    outcome = foreseen(outcome, document or Document(), policy=self.policy)
            outcomes.append(outcome)
        for broken in found.incomplete:
            self.observe("secret.incomplete", id=broken.id, code=broken.error.code)
        for batch in ask_all(
            jobs,
            environ=self.environ,
            verified=self.policy.verify != "never",
            retry=self.retry,
            deadline=self.deadline,
            observe=self.observe,
        ):
            for place, outcome in self._done(batch):
                outcomes[place] = outcome
        findings = findings_after_login(
            self.config,
            document,
            kept=[o.registry for o in outcomes if o.registry and o.status in ("ok", "unchanged")],
            changed=self.changed,
            missing_store=self._missing_store(document, outcomes),
            in_auths=any("auths" in outcome.kept_in for outcome in outcomes),
            only_auths=any(outcome.kept_in == {"auths"} for outcome in outcomes) and not dry_run,
            home=self.environ.get("HOME", ""),
        )
        outcomes = [unread(outcome, findings) for outcome in outcomes]
        return LoginReport(
            config=self.config.path,
            changed=self.changed,
            outcomes=tuple(
                _beside(outcome, document) for outcome in (*outcomes, *incomplete(found))
            ),
            findings=(*found.findings, *findings),
            error=self.write_error or self.read_error,
        )

    def _missing_store(self, document: Document | None, outcomes: Iterable[Outcome]) -> str | None:
        store = document.creds_store if document is not None else None
        # The hidden registries report it.
        if store is None or any(outcome.code == "hidden-by-credsstore" for outcome in outcomes):
            return None
        return None if self.policy.delegation.found(HELPER_PREFIX + store) else store

    def _peek(self) -> Document | None:
        try:
            document = self.config.read()
        except ConfigError as exc:
            # Another program may be writing the file; a later successful write clears this.
            self.read_error = exc
            return None
        unread = why_unread_in(document, self.config.path)
        self.unread_code = unread.code if unread is not None else None
        return document

    def _before(
        self, secret: RegistrySecret, outcome: Outcome, document: Document | None
    ) -> Outcome:
        """
        Return the outcome that is known without a request; `found` if one is needed.
        """
        recalled = self.memory.recall(secret)
        self.observe("secret.found", id=secret.id, registry=secret.registry, source=secret.source)
        if recalled.unreached is not None and recalled.unreached[0] == self.container_start:
            self.unreached[secret.id] = recalled.unreached[1]
        if document is not None:
            registry = secret.registry
            self.seen[registry] = Seen(auth=document.auth(registry), cached=recalled.cached)
        decided = decide(secret, outcome, document=document, recalled=recalled, policy=self.policy)
        decided = decided if isinstance(decided, Outcome) else outcome
        action = "ask" if decided.status == "found" else decided.status
        tell(
            "login.decided",
            id=secret.id,
            registry=secret.registry,
            action=action,
            code=decided.code,
        )
        return decided

    def _done(self, jobs: Sequence[Job]) -> Iterable[tuple[int, Outcome]]:
        """
        Save the accepted logins of *jobs*, and return the outcomes.
        """
        outcomes = {job.place: verdict(job) for job in jobs}
        accepted = {
            job.place: Accepted(
                secret=job.secret,
                credential=job.credential,
                outcome=outcomes[job.place],
                seen=self.seen.get(job.secret.registry),
            )
            for job in jobs
            if job.credential is not None and outcomes[job.place].status in ("ok", "unverified")
        }
        if accepted:
            kept = keep(
                list(accepted.values()),
                config=self.config,
                memory=self.memory,
                policy=self.policy,
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
            elif isinstance(outcome.error, UnreachableError) or outcome.code == "timeout":
                outcomes[job.place] = self._unreached(job, outcome)
            self.observe(
                "login.succeeded" if outcome.status == "ok" else "login.failed",
                id=outcome.id,
                registry=outcome.registry,
                status=outcome.status,
                code=outcome.code or self.unread_code,
                kept_in=sorted(outcome.kept_in),
                verified=outcome.verified,
                expires_at=outcome.expires_at,
                realm=outcome.realm,
                attempts=outcome.attempts,
                elapsed=round(outcome.elapsed, 3),
            )
        return outcomes.items()

    def _unreached(self, job: Job, outcome: Outcome) -> Outcome:
        """
        Return *outcome*, recorded for this container start, and marked if it was known.
        """
        if self.container_start is None or outcome.code is None:
            return outcome
        known = self.unreached.get(job.secret.id) == outcome.code
        if not known:
            self.memory.note_unreached(job.secret, start=self.container_start, code=outcome.code)
        return replace(outcome, is_known=known)


def _beside(outcome: Outcome, document: Document | None) -> Outcome:
    """
    Return *outcome*, with `stays` set if *document* still has an earlier login.
    """
    in_vain = outcome.status in ("rejected", "unverified", "incomplete", "failed")
    if not in_vain or outcome.kept_in or outcome.registry is None or document is None:
        return outcome
    return replace(outcome, stays=bool(places(document, outcome.registry)))
