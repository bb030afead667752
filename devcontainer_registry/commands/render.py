# SPDX-License-Identifier: MIT
"""
Reports as lines at 80 columns.
"""

from __future__ import annotations

from ..errors import printable
from ..report import instant
from .output.table import WIDTH, Columns, Table, wrapped

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

    from ..logins.status import Standing, StatusReport
    from ..registry import Registry
    from ..report import LoginReport, Outcome
    from .output.table import Word

_WORDS = {
    "ok": ("logged in", "32"),
    "unchanged": ("unchanged", "2"),
    "unverified": ("unverified", "33"),
    "rejected": ("refused", "31"),
    "incomplete": ("incomplete", "33"),
    "skipped": ("skipped", "33"),
    "broken": ("broken", "31"),
    "failed": ("failed", "31"),
    "found": ("found", "32"),
}
_LOGOUT_WORDS = {
    "ok": ("logged out", "32"),
    "unchanged": ("no login", "2"),
    "skipped": ("left alone", "33"),
}
_WORDS_BY_CODE = {"pull-denied": "denied", "image-not-found": "no image"}
_NOT_KEPT = "not-kept"


def lines(
    report: LoginReport,
    *,
    colours: bool = False,
    quiet: bool = False,
    summary: bool = False,
    columns: Columns | None = None,
    printed: Mapping[str, Sequence[str]] | None = None,
) -> Iterator[str]:
    """
    *report* at 80 columns: what went well, then what is worth a note, then what needs a fix.

    Args:
        report: What happened.
        colours: ANSI, around the first word only.
        quiet: Only what changed or needs doing.
        summary: End with how many registries docker can log in to, and which sets to fix.
        columns: Those of the lines that have been printed already.
        printed: Those lines, by id of the set; they are not repeated.
    """
    shown = [each for each in report.outcomes if not quiet or is_news(each)]
    table = Table(columns, colours=colours)
    for outcome in shown:
        table.columns.add(outcome.id, outcome.registry or "")
    said = {(finding.code, finding.hint) for finding in report.findings if not finding.variable}
    for stage in (_went_well, _is_noted, _is_trouble):
        for outcome in filter(stage, shown):
            rows = list(_outcome_lines(outcome, table, said))
            if rows != (printed or {}).get(outcome.id):
                yield from rows
        if stage is _is_noted:
            for finding in report.findings:
                yield from table.line(("note", "33"), detail=finding.message, fix=finding.hint)
    trouble = report.error
    if trouble is not None:
        yield from table.line(("not saved", "31"), detail=trouble.message, fix=trouble.hint)
    if summary and shown:
        yield from _summary(report)


def success_line(
    columns: Columns,
    *,
    set_id: str,
    registry: Registry,
    realm: str | None,
    expires_at: float | None,
    colours: bool = False,
) -> list[str]:
    """
    Lines for a verified login.
    """
    table = Table(columns, colours=colours)
    return list(table.line(_WORDS["ok"], set_id, registry, _life(realm, expires_at)))


def logout_lines(report: LoginReport, *, colours: bool = False) -> Iterator[str]:
    """
    *report* of a logout at 80 columns.
    """
    table = Table(colours=colours)
    for outcome in report.outcomes:
        table.columns.add("", outcome.registry or "")
    for outcome in report.outcomes:
        error = outcome.error
        absent = outcome.status == "unchanged"
        message, fix = f"{'in' if absent else 'from'} {outcome.source}", ""
        if error is not None:
            message, fix = error.message, error.hint
        word = _LOGOUT_WORDS[outcome.status]
        yield from table.line(word, "", outcome.registry or "", message, fix=fix)
    if report.error is not None:
        yield from table.line(("failed", "31"), detail=report.error.message, fix=report.error.hint)


def is_news(outcome: Outcome) -> bool:
    """
    Whether a container's log deserves a line about it.
    """
    if outcome.code == "not-configured" or (outcome.implicit and outcome.status == "skipped"):
        return False
    return outcome.status != "unchanged" and not outcome.is_known


def status_lines(report: StatusReport, *, colours: bool = False) -> Iterator[str]:
    """
    How things stand, at 80 columns: the part of config.json that docker follows comes first.
    """
    table = Table(colours=colours)
    for standing in report.standings:
        table.columns.add(standing.id, standing.registry)
    for standing in report.standings:
        error = standing.error
        colour = "31" if error is not None else "32" if standing.ours else "2"
        set_id = standing.id.ljust(table.columns.id)
        word = (standing.rule, colour)
        yield from table.line(word, set_id, standing.registry, _standing(standing))
        if error is not None:
            yield from table.below(error.message)
            yield from table.below(f"fix: {error.hint}")
    trouble = report.error
    if trouble is not None:
        yield from table.line(("not read", "31"), detail=trouble.message, fix=trouble.hint)
    for finding in report.findings:
        yield from table.line(("note", "33"), detail=finding.message, fix=finding.hint)


def _went_well(outcome: Outcome) -> bool:
    return outcome.ok or outcome.status == "found"


def _is_noted(outcome: Outcome) -> bool:
    return not (outcome.exit_status or _went_well(outcome))


def _is_trouble(outcome: Outcome) -> bool:
    return outcome.exit_status != 0


def _outcome_lines(
    outcome: Outcome, table: Table, said: Container[tuple[str | None, str]]
) -> Iterator[str]:
    """
    Yield the lines for *outcome*; a code and fix that are *said* elsewhere are not repeated.
    """
    message, fix = _message_of(outcome)
    below = ""
    if _went_well(outcome) and outcome.verified:
        message, below = _life(outcome.realm, outcome.expires_at), message
    elif outcome.status == "found":
        message, below = f"{outcome.kind}, from {outcome.source}", message
    elif outcome.status == "ok" and not message:
        message = "not verified"
    if (outcome.code, fix) in said:
        fix = ""
    yield from table.line(_word(outcome), outcome.id, outcome.registry or "", message)
    if below:
        yield from table.below(below)
    if outcome.status == "unverified" and outcome.kept_in:
        yield from table.below("saved unverified; there was no earlier login")
    if outcome.stays:
        yield from table.below("the previous login was kept")
    if fix:
        yield from table.below(f"fix: {fix}")


def _word(outcome: Outcome) -> Word:
    """
    The word for *outcome* and its colour; "logged in" only where docker uses a verified login.
    """
    if outcome.code == _NOT_KEPT:
        return ("accepted" if outcome.verified else "not saved"), "31"
    if outcome.status in ("ok", "unchanged"):
        if not outcome.ok:
            return _WORDS_BY_CODE.get(outcome.code or "", "not usable"), "31"
        if not outcome.verified:
            return "saved", "33"
    return _WORDS[outcome.status]


def _message_of(outcome: Outcome) -> tuple[str, str]:
    if outcome.error is None:
        return "", ""
    if outcome.code == _NOT_KEPT:
        return ("not saved" if outcome.verified else ""), ""
    return outcome.error.message, outcome.error.hint


def _life(realm: str | None, expires_at: float | None) -> str:
    said = [f"through {realm}"] if realm else []
    if expires_at is not None:
        said.append(f"until {instant(expires_at)}")
    return ", ".join(said)


def _summary(report: LoginReport) -> Iterator[str]:
    sets = [o for o in report.outcomes if not o.implicit and o.code != "not-configured"]
    if len(sets) < 2:
        return
    usable = [outcome for outcome in sets if outcome.ok]
    good = sum(outcome.verified for outcome in usable)
    said = f"{good} of {len(sets)} logged in"
    if len(usable) > good:
        said += f", {len(usable) - good} saved but not verified"
    fixes = ["config.json"] if report.error is not None else []
    fixes += [o.id for o in sets if o.exit_status and o.code != _NOT_KEPT]
    if fixes:
        said += f"; fix {', '.join(fixes)}"
    yield from wrapped(said, WIDTH)


def _standing(standing: Standing) -> str:
    if standing.helper is not None:
        said = [printable(f"docker-credential-{standing.helper}")]
    elif standing.rule == "none":
        would = standing.source is not None and standing.refused_at is None
        said = [f"not logged in; run login to use {standing.source}" if would else "not logged in"]
    else:
        said = ["in config.json" if standing.ours else "in config.json, not written by this tool"]
    if standing.ours and standing.verified_at is not None:
        said.append(f"verified {instant(standing.verified_at)}")
    elif standing.ours and standing.refused_at is None:
        said.append("not verified")
    if standing.expires_at is not None:
        said.append(f"until {instant(standing.expires_at)}")
    if standing.refused_at is not None:
        refused = standing.source or "the secret that was tried last"
        said.append(f"{refused} was refused at {instant(standing.refused_at)}")
    return ", ".join(said)
