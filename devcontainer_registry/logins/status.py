# SPDX-License-Identifier: MIT
"""
The login that docker uses for each registry.

Read only: no network requests, and no helper is run.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from ..cache.entry import Entry
from ..cache.folder import Cache
from ..cache.memory import Memory
from ..causes import credential as causes
from ..config.delegation import helper_elsewhere
from ..config.file import DockerConfig
from ..config.findings import helper_missing
from ..discovery import discover
from ..errors import ConfigError, RegistryError, printable
from ..files import find_program
from ..naming import HELPER_PREFIX, OUR_HELPER
from ..registry import Registry
from ..report import NoTruthValue, error_document, instant_or_none

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from ..config.file import Document
    from ..credentials import Finding, RegistrySecret

    Rule: TypeAlias = Literal["auths", "credsStore", "credHelpers", "none"]


# Codes of faults that hide a login from docker.
_BROKEN = frozenset({"helper-missing", "hidden-by-credsstore", "login-unreadable", "cache-refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """
    Status of one registry.

    Attributes:
        id: Id of its set in this environment, or "".
        registry: The registry.
        rule: Part of config.json that docker uses for it; `none` if there is none.
        helper: Credential helper that docker asks, or None.
        kept_in: Places of our credential: `auths`, `cache`.
        ours: Whether docker gets the login that we wrote.
        verified_at: When the registry accepted our login, in Unix seconds.
        refused_at: When the registry refused the last set that was tried, in Unix seconds.
        expires_at: Expiry in Unix seconds; None if unknown.
        source: Variables of its set in this environment, by name, or None.
        error: Fault of the registry's login, or None.
    """

    id: str = ""
    registry: Registry
    rule: Rule
    helper: str | None = None
    kept_in: tuple[str, ...] = ()
    ours: bool = False
    verified_at: float | None = None
    refused_at: float | None = None
    expires_at: float | None = None
    source: str | None = None
    error: RegistryError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport(NoTruthValue):
    """
    Which login Docker uses for each registry.

    Attributes:
        config: Path of config.json.
        standings: Registries in the order of config.json, then those only in the cache or in sets.
        error: Why config.json cannot be read, or None.
        findings: Remarks, such as the place of our helper.
    """

    config: str
    standings: tuple[Standing, ...]
    error: RegistryError | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def exit_status(self) -> int:
        """
        Exit status: 6 if config.json cannot be read, else 0.
        """
        return 6 if self.error is not None else 0

    @property
    def check_status(self) -> int:
        """
        Exit status of `--check`: 6 a login is hidden or a helper is broken, 3 a login is missing.
        """
        codes = {each.error.code for each in self.standings if each.error is not None}
        if self.error is not None or codes & _BROKEN:
            return 6
        lacking = any(each.rule == "none" and each.source for each in self.standings)
        return 3 if codes or lacking else 0

    @property
    def ok(self) -> bool:
        """
        Whether Docker gets every login that is known here, as `status --check` tells.
        """
        return self.check_status == 0

    def to_dict(self) -> dict[str, Any]:
        """
        Return the JSON document that `status --json` prints; nothing in it is secret.
        """
        return {
            "version": 1,
            "config": self.config,
            "error": error_document(self.error),
            "registries": [
                {
                    "id": standing.id or None,
                    "registry": standing.registry,
                    "rule": standing.rule,
                    "helper": standing.helper,
                    "kept_in": list(standing.kept_in),
                    "ours": standing.ours,
                    "source": standing.source,
                    "verified_at": instant_or_none(standing.verified_at),
                    "refused_at": instant_or_none(standing.refused_at),
                    "expires_at": instant_or_none(standing.expires_at),
                    "code": standing.error.code if standing.error is not None else None,
                    "error": error_document(standing.error),
                }
                for standing in self.standings
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def status(
    *,
    environ: Mapping[str, str] | None = None,
    config: DockerConfig | None = None,
    secrets_file: str | None = None,
    now: float | None = None,
) -> StatusReport:
    """
    Return the status of every registry in config.json, our cache or *environ*.

    Args:
        environ: Variables that locate the files, and sets; None: `os.environ`.
        config: The config.json to read; None: docker's own.
        secrets_file: Path of a JSON file of variables.
        now: Current time in Unix seconds; None: the clock.
    """
    environ = os.environ if environ is None else environ
    try:
        config = config or DockerConfig.locate(environ)
    except ConfigError as exc:
        return StatusReport(config="", standings=(), error=exc)
    cache = Cache.locate(environ)
    sources = {s.registry: s for s in discover(environ, secrets_file=secrets_file).secrets}
    try:
        document = config.read()
    except ConfigError as exc:
        return StatusReport(config=config.path, standings=(), error=exc)
    remembered: list[Registry] = []
    trouble: ConfigError | None = None
    try:
        remembered = cache.registries()
    except ConfigError as exc:
        trouble = exc  # reported for each registry
    look = _Look(
        document=document,
        config=config.path,
        cache=cache,
        memory=Memory(cache, config.path),
        remembered=frozenset(remembered),
        trouble=trouble,
        environ=environ,
        sources=sources,
        now=time.time() if now is None else now,
    )
    known = dict.fromkeys((*document.registries(), *remembered, *sources))
    elsewhere = helper_elsewhere(environ) if known else None
    return StatusReport(
        config=config.path,
        standings=tuple(map(look.at, known)),
        findings=() if elsewhere is None else (elsewhere,),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """
    Inputs of a status report.
    """

    document: Document
    config: str
    cache: Cache
    memory: Memory
    remembered: frozenset[Registry]
    trouble: ConfigError | None
    environ: Mapping[str, str]
    sources: Mapping[Registry, RegistrySecret]
    now: float

    def at(self, registry: Registry) -> Standing:
        """
        Return the status of *registry*.
        """
        remembered, error = self._recall(registry)
        wrote = self._wrote(registry, remembered)
        cached, state = remembered.has_credential, remembered.state
        rule: Rule
        rule, helper = self.document.rule(registry)
        if rule == "auths" and not self.document.has_login(registry):
            rule = "none"
        ours = cached if helper == OUR_HELPER else rule == "auths" and wrote
        secret = self.sources.get(registry)
        return Standing(
            id=secret.id if secret is not None else "",
            registry=registry,
            rule=rule,
            helper=helper,
            kept_in=(*(("auths",) if wrote else ()), *(("cache",) if cached else ())),
            ours=ours,
            verified_at=remembered.at if state == "verified" and (wrote or cached) else None,
            refused_at=remembered.at if state == "refused" else None,
            expires_at=remembered.expires_at if ours else None,
            source=secret.source if secret is not None else None,
            error=error
            or self._trouble(registry, rule, helper, remembered, ours=ours, wrote=wrote),
        )

    def _recall(self, registry: Registry) -> tuple[Entry, RegistryError | None]:
        if registry not in self.remembered:
            return Entry(), self.trouble
        try:
            return Entry.read(self.cache, registry), None
        except ConfigError as exc:
            return Entry(), exc

    def _wrote(self, registry: Registry, remembered: Entry) -> bool:
        # Most entries are foreign and need not be decoded.
        if not remembered.written(self.config):
            return False
        entry = self.document.auth(registry)
        return entry is not None and self.memory.wrote(registry, entry)

    def _trouble(
        self,
        registry: Registry,
        rule: Rule,
        helper: str | None,
        remembered: Entry,
        *,
        ours: bool,
        wrote: bool,
    ) -> RegistryError | None:
        program = HELPER_PREFIX + (helper or "")
        if helper is not None and find_program(program, self.environ) is None:
            return helper_missing(helper, named_in=rule)
        if rule == "credsStore" and wrote:
            return causes.HIDDEN_BY_STORE.error(program=printable(program))
        if helper is None and not self.document.reads(registry):
            return causes.UNREADABLE.error()
        if helper == OUR_HELPER and not ours:
            return causes.HELPER_HAS_NOTHING.error()
        expires_at = remembered.expires_at if ours else None
        if expires_at is not None and expires_at <= self.now:
            renewable = helper == OUR_HELPER and registry in self.sources
            return causes.EXPIRED.with_fix(causes.RENEWED_NEXT if renewable else None).error()
        return None
