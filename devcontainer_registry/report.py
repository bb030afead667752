# SPDX-License-Identifier: MIT
"""
The report of a login: one outcome for each registry.
"""

from __future__ import annotations

from dataclasses import dataclass

from .credentials import Finding
from .errors import (
    AuthenticationError,
    ConfigError,
    DiscoveryError,
    PluginError,
    RegistryError,
    UnreachableError,
)
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Literal, TypeAlias

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How it went for one registry.

    Attributes:
        id: Id of the set, or the name of an implicit source.
        registry: The registry; None if the set does not name a valid one.
        source: Variables of the set, by name.
        kind: Name of the authenticator; None if none was chosen.
        status: `found` and `incomplete` before anybody is asked; the others afterwards.  `broken`:
            docker asks a credential helper that is not there.
        kept_in: The parts of config.json that hold it now (before: that would).
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
    def exit_status(self) -> int:
        """
        Exit status of the command for this outcome alone.
        """
        if self.implicit or self.code == "not-configured":
            return 0
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
class LoginReport:
    """
    How a login went.

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
        0 all well or nothing to do, 3 a set is incomplete, 4 refused, 5 not reached, 6 config.json.
        """
        seen = {outcome.exit_status for outcome in self.outcomes}
        # Whom nobody asked for, nobody needs config.json for.
        if self.error is not None and not (
            self.outcomes and all(outcome.implicit for outcome in self.outcomes)
        ):
            seen.add(6)
        return worst(seen)

    @property
    def ok(self) -> bool:
        """
        Whether all is well, or there was nothing to do.
        """
        return self.exit_status == 0


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
