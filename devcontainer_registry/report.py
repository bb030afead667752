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

# Exit statuses, the one to report first: config.json, refused, not reached, incomplete.
WORST_FIRST = (6, 4, 5, 3)

# Codes of what another run, at another place or time, would get.
_STALE = frozenset({"expired", "secrets-not-visible"})

# Codes of outcomes that are `ok` as far as the registry goes, and what they still cost.
_NOT_PULLABLE = {"pull-denied": 4, "image-not-found": 4, "docker-cannot-read": 5}
# Codes that are config.json's trouble, whatever the status.
_NOT_IN_CONFIG = frozenset(
    {"hidden-by-credsstore", "not-kept", "config-mistyped", "login-unreadable"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    How it went for one registry.

    Attributes:
        id: Of the set, or the name of an implicit source.
        registry: None where the set could not even be read.
        source: The variables, by name.
        kind: The authenticator's name; None where none was chosen.
        status: `found` and `incomplete` before anybody is asked; the others afterwards.  `broken`:
            docker asks a credential helper that is not there.
        kept_in: The parts of config.json that hold it now (before: that would).
        stays: Whether it was not kept, and a login from before is there still.
        verified: Whether the registry accepted it, now or the last time that it was asked.
        expires_at: Unix seconds; None: not known to expire.
        attempts: How often anybody was asked.
        elapsed: Seconds from the first try to the answer.
        realm: The host of the token server, where that is not the registry itself.
        code: Of what there is to say, whatever the status; None: nothing.
        error: The same in words, with what to do.
        is_known: Whether an earlier step of the same start of the container failed in the same way.
        implicit: From a source that nobody asked for; it never changes the exit status.
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
        What this outcome alone would make the command's exit status.
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
        config: Path of the config.json that was to be written; "" where there is no home for it.
        changed: Whether it was written.
        outcomes: One for each set and implicit source, explicit ones first.
        findings: What else is worth saying about variables.
        error: What went wrong with config.json itself.
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
    Return the exit status to report out of *statuses*; 0 where none is a trouble.
    """
    return next((status for status in WORST_FIRST if status in statuses), 0)


def exit_status_of(error: RegistryError) -> int:
    """
    Return what *error* alone would make the exit status.
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
