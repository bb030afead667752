# SPDX-License-Identifier: MIT
"""
The report of a diagnosis: steps, cause and fix.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from ..errors import RegistryError
from ..registry import Registry
from ..report import NoTruthValue, error_document, exit_status_of, instant, worst

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Literal, TypeAlias

    from ..credentials import Finding

    Status: TypeAlias = Literal["ok", "note", "fail", "skipped"]
    StepName: TypeAlias = Literal[
        "variables", "identity", "config", "credential", "network", "login", "image", "engine"
    ]
    Origin: TypeAlias = Literal[
        "argument", "image", "dockerfile", "compose", "feature", "variables"
    ]

# Facts that are Unix seconds.
_INSTANTS = ("at", "saved_at", "expires_at", "certificate_ends")

STEPS: tuple[StepName, ...] = (
    "variables",
    "identity",
    "config",
    "credential",
    "network",
    "login",
    "image",
    "engine",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """
    One step of a pull.

    Attributes:
        name: Name of the step.
        status: `ok`; `note`: see `message`; `fail`; `skipped`: not checked.
        message: Result, in one line.
        facts: The same for programs, without secrets.
        error: Cause and fix if the step failed or was not checked, else None.
    """

    name: StepName
    status: Status
    message: str
    facts: Mapping[str, object] = field(default_factory=dict)
    error: RegistryError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageDiagnosis(NoTruthValue):
    """
    Diagnosis of one image or registry.

    Attributes:
        image: Reference as given; None if only a registry was checked.
        registry: Registry of the image; None if the reference is invalid.
        origin: Source that named it: an argument, the configuration, or a set of variables.
        where: Place in the configuration, or "".
        steps: In docker's order, up to the first that failed.
        by_host: Whether this is a container and its host pulled the image.
    """

    image: str | None
    registry: Registry | None
    origin: Origin = "argument"
    where: str = ""
    steps: tuple[Step, ...] = ()
    by_host: bool = False

    @property
    def failed(self) -> Step | None:
        """
        The step that failed or could not be checked, or None.
        """
        return next((step for step in self.steps if step.error is not None), None)

    @property
    def cause(self) -> RegistryError | None:
        """
        Why the pull fails, with the fix in `hint`; None if it works.
        """
        return self.failed.error if self.failed is not None else None

    @property
    def ok(self) -> bool:
        """
        Whether every docker command can pull the image.
        """
        return self.failed is None

    @property
    def can_be_pulled(self) -> bool | None:
        """
        Whether `docker pull` works, even if other commands fail; None if not checked.
        """
        failed = self.failed
        if failed is None:
            return True
        if failed.status == "skipped":
            return None
        last = self.steps[-1]
        return last.name in ("image", "engine") and last.error is None

    @property
    def exit_status(self) -> int:
        """
        Exit status for this image alone.
        """
        return exit_status_of(self.cause) if self.cause is not None else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis(NoTruthValue):
    """
    Why images can or cannot be pulled.

    Attributes:
        images: One for each checked image or registry.
        findings: Remarks about the configuration and variables.
        unresolved: Number of *findings*, the first ones, about files and images of the
            configuration that could not be read or resolved.
    """

    images: tuple[ImageDiagnosis, ...]
    findings: tuple[Finding, ...] = ()
    unresolved: int = 0

    @property
    def steps(self) -> tuple[Step, ...]:
        """
        Steps of the first image that cannot be pulled, else of the first.
        """
        shown = [*(image for image in self.images if not image.ok), *self.images]
        return shown[0].steps if shown else ()

    @property
    def cause(self) -> RegistryError | None:
        """
        Why the first failing image cannot be pulled; None if all can.
        """
        return next((image.cause for image in self.images if image.cause is not None), None)

    @property
    def fix(self) -> str:
        """
        Fix for `cause`, beginning with a verb; "" if there is none.
        """
        return self.cause.hint if self.cause is not None else ""

    @property
    def ok(self) -> bool:
        """
        Whether every image can be pulled.
        """
        return all(image.ok for image in self.images) and not self.unresolved

    @property
    def exit_status(self) -> int:
        """
        0 every image can be pulled, 3 no login, 4 refused, 5 not reached, 6 config.json.
        """
        return worst({*(i.exit_status for i in self.images), 5 if self.unresolved else 0})

    def to_dict(self) -> dict[str, Any]:
        """
        Return the JSON document that `doctor --json` prints; nothing in it is secret.
        """
        return {
            "version": 1,
            "ok": self.ok,
            "unresolved": self.unresolved,
            "images": [
                {
                    "image": image.image,
                    "registry": image.registry,
                    "origin": image.origin,
                    "where": image.where or None,
                    "by_host": image.by_host,
                    "ok": image.ok,
                    "can_be_pulled": image.can_be_pulled,
                    "cause": error_document(image.cause),
                    "steps": [
                        {
                            "step": step.name,
                            "status": step.status,
                            "message": step.message,
                            "facts": _facts(step.facts),
                            "code": step.error.code if step.error is not None else None,
                        }
                        for step in image.steps
                    ],
                }
                for image in self.images
            ],
            "findings": [finding.to_dict() for finding in self.findings],
        }


def _facts(facts: Mapping[str, object]) -> dict[str, object]:
    return {
        name: instant(value) if name in _INSTANTS and isinstance(value, (int, float)) else value
        for name, value in facts.items()
    }


def failed(
    name: StepName, seen: str, error: RegistryError, facts: Mapping[str, object] | None = None
) -> Step:
    """
    Return the failed step *name* with the text *seen* and its cause.
    """
    facts = {**(facts or {}), "code": error.code}
    return Step(name=name, status="fail", message=seen, facts=facts, error=error)


_DAY = 86400.0  # seconds


def span(seconds: float) -> str:
    """
    Return *seconds* in its largest unit: `3 h`, `61 days`.
    """
    seconds = abs(seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def moment(at: float, *, now: float) -> str:
    """
    Return the time *at* in this machine's zone: `today 09:12`, or a date with it.
    """
    then, today = time.localtime(at), time.localtime(now)
    clock = time.strftime("%H:%M", then)
    if then[:3] == today[:3]:
        return f"today {clock}"
    return f"{date(at)} {clock}"


def date(at: float) -> str:
    """
    Return the date of *at* in ISO 8601.
    """
    return time.strftime("%Y-%m-%d", time.localtime(at))
