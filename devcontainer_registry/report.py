# SPDX-License-Identifier: MIT
"""
The report of a login: one outcome for each registry.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from types import MappingProxyType

from .causes.login import LOGIN_FAILED
from .credentials import Finding
from .errors import (
    AuthenticationError,
    ConfigError,
    DiscoveryError,
    PluginError,
    RegistryError,
    UnreachableError,
    in_one_line,
)
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any, Literal, NoReturn, TypeAlias

    Status: TypeAlias = Literal[
        "ok",
        "unchanged",
        "unverified",
        "rejected",
        "incomplete",
        "skipped",
        "broken",
        "failed",
        "found",
    ]
    Place: TypeAlias = Literal["auths", "credHelpers"]

# Exit statuses by priority: config.json, refused, unreachable, incomplete.
WORST_FIRST = (6, 4, 5, 3)

# Codes that another run may not get.
_STALE = frozenset({"expired", "secrets-not-visible"})

# Exit statuses for codes of accepted logins with a problem.
_NOT_PULLABLE = {"pull-denied": 4, "image-not-found": 4, "docker-cannot-read": 5}
# Codes of faults of config.json, for any status.
_NOT_IN_CONFIG = frozenset(
    {"hidden-by-credsstore", "not-kept", "config-mistyped", "login-unreadable"}
)


class NoTruthValue:
    """
    The base of reports: `bool` of one raises `TypeError`.

    `if report:` could ask whether all is well, or whether there is anything in it, and a report of
    failures would answer the second.  So the caller has to say which: `report.ok`, or `len`.
    """

    __slots__ = ()

    def __bool__(self) -> NoReturn:
        """
        Raise `TypeError`, which names `ok`.
        """
        name = type(self).__name__
        msg = f"a {name} is neither true nor false: ask for its .ok, or whether it `is None`"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(NoTruthValue):
    """
    Result for one registry.

    Attributes:
        id: Id of the set, or the name of an implicit source.
        registry: The registry; None if the set does not name a valid one.
        source: Variables of the set, by name.
        kind: Name of the authenticator; None if none was chosen.
        status: `found` and `incomplete` before any request; the others afterwards.  `broken`:
            docker asks a credential helper that is missing.
        kept_in: Parts of config.json that hold the login; in a dry run, that would hold it.
        stays: Whether an earlier login was kept instead.
        verified: Whether the registry accepted the login, now or at its last check.
        expires_at: Expiry in Unix seconds; None if unknown.
        attempts: Number of tries.
        elapsed: Seconds from the first try to the result.
        realm: Host of the token server, if it is not the registry's.
        code: Code of `error`, for any status; None if there is nothing to report.
        error: Message and fix, or None.
        is_known: Whether an earlier step of the same start of the container failed in the same way.
        implicit: Whether the platform set the login, not the user; it never affects the exit
            status.
    """

    id: str
    registry: Registry | None
    source: str
    kind: str | None
    status: Status
    kept_in: frozenset[Place] = frozenset()
    stays: bool = False
    verified: bool = False
    expires_at: float | None = None
    attempts: int = 0
    elapsed: float = 0.0
    realm: str | None = None
    code: str | None = None
    error: RegistryError | None = None
    is_known: bool = False
    implicit: bool = False

    @property
    def ok(self) -> bool:
        """
        Whether Docker can pull with it now: `ok` or `unchanged`, and nothing stands in its way.
        """
        return self.status in ("ok", "unchanged") and self._trouble == 0

    @property
    def exit_status(self) -> int:
        """
        Exit status of the command for this outcome alone.
        """
        return 0 if self.implicit or self.code == "not-configured" else self._trouble

    @property
    def _trouble(self) -> int:
        """
        Exit status if it were an explicit set.
        """
        if self.code in _NOT_IN_CONFIG or isinstance(self.error, ConfigError):
            return 6
        match self.status:
            case "ok" | "unchanged":
                return _NOT_PULLABLE.get(self.code or "", 0)
            case "rejected":
                return 4
            case "incomplete":
                return 3
            case "failed" if isinstance(self.error, (PluginError, DiscoveryError)):
                return 3
            case "unverified" | "failed":
                return 5
            case _:
                return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginReport(NoTruthValue):
    """
    Report of a login.  Iterate over it for its outcomes; `len` counts them.

    It has no truth value, since its length would make it misleading.  Use `ok`.

    Attributes:
        config: Path of config.json; "" if it cannot be located.
        changed: Whether config.json was written.
        outcomes: One for each set and implicit source, explicit ones first.
        findings: Remarks about variables and config.json.
        error: Error of config.json itself, or None.
    """

    config: str
    changed: bool
    outcomes: tuple[Outcome, ...]
    findings: tuple[Finding, ...] = ()
    error: RegistryError | None = None

    @property
    def exit_status(self) -> int:
        """
        Exit status: 0 ok, 3 a set is incomplete, 4 refused, 5 unreachable, 6 config.json.
        """
        seen = {outcome.exit_status for outcome in self.outcomes}
        # Implicit logins do not need config.json.
        if self.error is not None and not (
            self.outcomes and all(outcome.implicit for outcome in self.outcomes)
        ):
            seen.add(6)
        return worst(seen)

    @property
    def ok(self) -> bool:
        """
        Whether every login works, or there was nothing to do.
        """
        return self.exit_status == 0

    def __iter__(self) -> Iterator[Outcome]:
        """
        The outcomes, explicit ones first.
        """
        return iter(self.outcomes)

    def __len__(self) -> int:
        """
        Number of outcomes.
        """
        return len(self.outcomes)

    @property
    def by_registry(self) -> Mapping[Registry, Outcome]:
        """
        The outcome of each registry, by `host` or `host:port`; read only.

        Sets whose SERVER cannot be read have no registry and are left out: `outcomes` has them.
        Of several outcomes for one registry it is the first that is `ok`, else the first.
        """
        found: dict[Registry, Outcome] = {}
        for outcome in self.outcomes:
            registry = outcome.registry
            if registry is None or (registry in found and (found[registry].ok or not outcome.ok)):
                continue
            found[registry] = outcome
        return MappingProxyType(found)

    def raise_for_status(self) -> None:
        """
        Raise the failures, if there are any: nothing is raised where `ok` is true.

        Raises:
            LoginError: Its `report` is this report; its text has a line for each failure with the
                cause and the fix, and no secret.
        """
        if not self.ok:
            raise LoginError(self)

    def to_dict(self) -> dict[str, Any]:
        """
        Return the JSON document that `login --json` prints; nothing in it is secret.

        Times are ISO 8601 in UTC, `elapsed_ms` is in milliseconds, and errors have a `code`, a
        `message` and a `hint`.
        """
        return {
            "version": 1,
            "config": self.config,
            "changed": self.changed,
            "error": error_document(self.error),
            "registries": [
                {
                    "id": outcome.id,
                    "registry": outcome.registry,
                    "kind": outcome.kind,
                    "source": outcome.source,
                    "status": outcome.status,
                    "kept_in": sorted(outcome.kept_in),
                    "stays": outcome.stays,
                    "verified": outcome.verified,
                    "expires_at": instant_or_none(outcome.expires_at),
                    "attempts": outcome.attempts,
                    "elapsed_ms": round(outcome.elapsed * 1000),
                    "realm": outcome.realm,
                    "code": outcome.code,
                    "error": error_document(outcome.error),
                }
                for outcome in self.outcomes
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }


class LoginError(RegistryError):
    """
    Some registries of a login failed: what `LoginReport.raise_for_status` raises.

    Its text has a line for each failure below its `message`.

    Attributes:
        report: The whole report.
        details: One line for each failure: the set's id, the cause and the fix.
    """

    code = "login-failed"

    def __init__(self, report: LoginReport) -> None:
        failures = [
            (outcome.id or str(outcome.registry), outcome.error)
            for outcome in report.outcomes
            if outcome.exit_status != 0
        ]
        if report.error is not None:
            failures.append(("config.json", report.error))
        names = ", ".join(name for name, _ in failures)
        super().__init__(LOGIN_FAILED.say(names=names), hint=LOGIN_FAILED.fix)
        self.report = report
        self.details = tuple(
            f"{name}: {in_one_line(error)}" for name, error in failures if error is not None
        )

    def __str__(self) -> str:
        """
        The message, and below it the details.
        """
        return "\n  ".join((self.message, *self.details))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.report,)


def instant(at: float) -> str:
    """
    Return the Unix time *at* as ISO 8601, in UTC.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def instant_or_none(at: float | None) -> str | None:
    """
    Return the Unix time *at* as ISO 8601, in UTC; None for None.
    """
    return None if at is None else instant(at)


def error_document(error: RegistryError | None) -> dict[str, str] | None:
    """
    Return *error* as JSON documents have it; None for None.
    """
    return None if error is None else error.to_dict()


def worst(statuses: Collection[int]) -> int:
    """
    Return the most important exit status of *statuses*; 0 if all are.
    """
    return next((status for status in WORST_FIRST if status in statuses), 0)


def exit_status_of(error: RegistryError) -> int:
    """
    Return the exit status for *error* alone.
    """
    match error:
        case ConfigError():
            return 6
        case AuthenticationError():
            return 4
        case UnreachableError():
            return 5
        case _:
            return 5 if error.code in _STALE else 3
