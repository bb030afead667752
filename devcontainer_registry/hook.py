# SPDX-License-Identifier: MIT
"""
What a lifecycle step needs: a login that never stops a container from starting.

https://containers.dev/implementors/json_reference/#lifecycle-scripts
"""

from __future__ import annotations

from dataclasses import replace

from ._login import login
from .errors import RegistryError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from .report import LoginReport, Outcome

STEPS = ("onCreate", "updateContent", "postCreate", "postStart", "postAttach")

# A container start waits for us.
TIMEOUT = 15.0  # seconds

# What these two write is in the snapshot that a prebuild takes.
_IN_SNAPSHOT = ("onCreate", "updateContent")


def run(step: str, **settings: Any) -> LoginReport:
    """
    Log in, as the lifecycle step *step* wants it.

    Args:
        step: One of `STEPS`.
        settings: As `login` takes them; *verify* is `changed` and *timeout* is 15 s unless given.
    """
    report = login(**{"verify": "changed", "timeout": TIMEOUT, **settings})
    if step not in _IN_SNAPSHOT:
        return report
    return replace(report, outcomes=tuple(_with_warning(o, step) for o in report.outcomes))


def has_news(report: LoginReport) -> bool:
    """
    Whether anything is to be said: a prebuild without secrets is silent, and so is a quiet start.
    """
    from .render import is_news

    news = any(map(is_news, report.outcomes))
    return news or report.error is not None or bool(report.findings)


def _with_warning(outcome: Outcome, step: str) -> Outcome:
    if outcome.status != "ok" or not outcome.kept_in or outcome.code is not None:
        return outcome
    warning = RegistryError(
        f"kept during {step}, so a prebuild's snapshot would carry it to everybody",
        hint="run the hook as postCreateCommand and postStartCommand instead",
        code="written-in-snapshot",
    )
    return replace(outcome, code=warning.code, error=warning)
