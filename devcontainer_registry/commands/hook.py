# SPDX-License-Identifier: MIT
"""
A login for lifecycle hooks, which never stops a start.

https://containers.dev/implementors/json_reference/#lifecycle-scripts
"""

from __future__ import annotations

import os
from dataclasses import replace

from ..causes import credential as causes
from ..logins.candidates import UnknownSetError
from ..logins.login import login
from ..naming import is_codespaces
from ..report import LoginReport
from .parsing.settings import ATTACH_TIMEOUT, TIMEOUT
from .render import is_news

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


# Before these, GitHub Codespaces has just written the same sets.  Not postAttach: by then somebody
# may have logged in by hand.
_AFTER_CODESPACES = ("postCreate", "postStart")

# What these two write is in the snapshot that a prebuild takes.
_IN_SNAPSHOT = ("onCreate", "updateContent")

# Said beside what is news, and no news at every start: nothing has to be done about it.
_NO_NEWS = frozenset({"stripped"})


def run(step: str, **settings: Any) -> LoginReport:
    """
    Log in, as the lifecycle step *step* wants it.

    Args:
        step: One of `parsing.settings.STEPS`.
        settings: As `login` takes them; *verify* is `changed` and *timeout* is 15 s, for postAttach
            5 s, unless given, and *only* may name sets that are not there: a prebuild has no
            user's secrets.

    Raises:
        UnknownSetError: *only* has a typo of a set that is there.
    """
    settings = {"verify": "changed", "timeout": timeout_of(step), **settings}
    settings["container_start"] = container_start()
    environ = settings.get("environ", os.environ)
    settings["codespaces_wrote"] = codespaces_has_written(step, environ)
    try:
        report = login(**settings)
    except UnknownSetError as exc:
        if exc.meant:
            raise  # a typo, not a set that is still to come
        there = [one for one in settings["only"] if one in exc.known]
        if not there:
            return LoginReport(config="", changed=False, outcomes=())
        report = login(**{**settings, "only": there})
    return _with_warnings(report, step) if is_in_snapshot(step) else report


def timeout_of(step: str) -> float:
    """
    Return the seconds that *step* may take unless the user says otherwise.
    """
    return ATTACH_TIMEOUT if step == "postAttach" else TIMEOUT


def is_in_snapshot(step: str) -> bool:
    """
    Whether a prebuild's snapshot holds what *step* writes.
    """
    return step in _IN_SNAPSHOT


def container_start() -> str | None:
    """
    Return what identifies this start of the container; None where that cannot be told.

    The kernel's boot id, and when process 1 started, in clock ticks since then (proc(5)).
    """
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        with open("/proc/1/stat", encoding="utf-8", errors="replace") as file:
            # The name of the program stands in parentheses and may hold anything.
            members = file.read().rpartition(")")[2].split()
        return f"{boot} {members[19]}"
    except (OSError, IndexError):
        return None


def codespaces_has_written(step: str, environ: Mapping[str, str]) -> bool:
    """
    Whether GitHub Codespaces may have written config.json since our last step, and nobody by hand.
    """
    return step in _AFTER_CODESPACES and is_codespaces(environ)


def has_news(report: LoginReport) -> bool:
    """
    Whether anything is to be said: a prebuild without secrets is silent, and so is a quiet start.
    """
    told = any(finding.code not in _NO_NEWS for finding in report.findings)
    return told or any(map(is_news, report.outcomes)) or report.error is not None


def found_all_as_it_was(report: LoginReport) -> bool:
    """
    Whether the next run would find the same and say nothing, as long as nothing changes.
    """
    known = any(outcome.is_known for outcome in report.outcomes)  # and is tried again
    return not (known or has_news(report) or report.changed)


def _with_warnings(report: LoginReport, step: str) -> LoginReport:
    """
    *report*, with a word about each secret that was kept: more people than its owner may get it.
    """
    outcomes = []
    findings = list(report.findings)
    for outcome in report.outcomes:
        if outcome.status not in ("ok", "unverified") or not outcome.kept_in:
            outcomes.append(outcome)
        elif outcome.code is None:
            warning = causes.KEPT_IN_SNAPSHOT.error(step=step)
            outcomes.append(replace(outcome, code=warning.code, error=warning))
        else:
            # Its place is taken, and neither may hide the other.
            outcomes.append(outcome)
            kept = causes.LOGIN_KEPT_IN_SNAPSHOT.finding(host=outcome.registry, step=step)
            findings.append(kept)
    return replace(report, outcomes=tuple(outcomes), findings=tuple(findings))
