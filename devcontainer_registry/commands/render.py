# SPDX-License-Identifier: MIT
"""
Reports as lines for people and as JSON for programs.
"""

from __future__ import annotations

import os
import textwrap
import time

from ..errors import printable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any, TextIO

    from ..credentials import Finding
    from ..errors import RegistryError
    from ..logins.status import Standing, StatusReport
    from ..report import LoginReport, Outcome

_WIDTH = 80
_WORD_WIDTH = 12
# Longer names (ECR's have 44 letters and more) get a line to themselves, and don't push the
# others' texts to the right.
_NAME_MAX = 28

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
# The same for a logout.
LOGOUT_WORDS = {
    "ok": ("logged out", "32"),
    "unchanged": ("no login", "2"),
    "skipped": ("left alone", "33"),
}


def has_colours(stream: TextIO, environ: Mapping[str, str] | None = None) -> bool:
    """
    Whether *stream* is a terminal whose user wants colours (https://no-color.org).
    """
    environ = os.environ if environ is None else environ
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def lines(
    report: LoginReport,
    *,
    colours: bool = False,
    words: Mapping[str, tuple[str, str]] | None = None,
    quiet: bool = False,
) -> Iterator[str]:
    """
    *report* at 80 columns: a line for each registry, and below it what to do.

    Args:
        report: What happened.
        colours: ANSI, around the first word only.
        words: For each status its word and its colour, where they are not a login's.
        quiet: Only what changed or needs doing.
    """
    style = _Style(words or _WORDS, colours=colours)
    outcomes = [o for o in report.outcomes if not quiet or is_news(o)]
    width = _width(map(_name, outcomes))
    for outcome in outcomes:
        word, colour = style.words[outcome.status]
        yield from style.entry(word, colour, _name(outcome).ljust(width), _detail(outcome))
        if outcome.status in ("ok", "unchanged", "found") and outcome.error is not None:
            yield from style.below(_short(outcome, outcome.error))
        if outcome.status == "unverified" and outcome.kept_in:
            yield from style.below("saved unverified; there was no earlier login")
        if outcome.stays:
            yield from style.below("the previous login was kept")
        if outcome.error is not None and outcome.error.hint:
            yield from style.below(f"hint: {outcome.error.hint}")
    for finding in report.findings:
        yield from style.entry("note", "33", "", finding.message)
        if finding.hint:
            yield from style.below(f"hint: {finding.hint}")
    if report.error is not None:
        yield from style.entry("not written", "31", "", report.error.message)
        if report.error.hint:
            yield from style.below(f"hint: {report.error.hint}")


def is_news(outcome: Outcome) -> bool:
    """
    Whether a container's log deserves a line about it.
    """
    if outcome.code == "not-configured" or (outcome.implicit and outcome.status == "skipped"):
        return False
    return outcome.status != "unchanged"


def document(report: LoginReport) -> dict[str, Any]:
    """
    *report* as JSON's `login --json` and its kin print it.
    """
    return {
        "version": 1,
        "config": report.config,
        "changed": report.changed,
        "error": error_document(report.error),
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
                "expires_at": _instant(outcome.expires_at),
                "attempts": outcome.attempts,
                "elapsed_ms": round(outcome.elapsed * 1000),
                "realm": outcome.realm,
                "code": outcome.code,
                "error": error_document(outcome.error),
            }
            for outcome in report.outcomes
        ],
        "findings": findings_document(report.findings),
    }


def findings_document(findings: Iterable[Finding]) -> list[dict[str, str | None]]:
    """
    *findings* for programs.
    """
    return [
        {
            "code": finding.code,
            "message": finding.message,
            "hint": finding.hint,
            "variable": finding.variable,
        }
        for finding in findings
    ]


def status_lines(report: StatusReport, *, colours: bool = False) -> Iterator[str]:
    """
    How things stand, at 80 columns: the part of config.json that docker follows comes first.
    """
    style = _Style({}, colours=colours)
    width = _width(standing.registry for standing in report.standings)
    for standing in report.standings:
        colour = "31" if standing.error is not None else "32" if standing.ours else "2"
        yield from style.entry(
            standing.rule, colour, standing.registry.ljust(width), _standing(standing)
        )
        if standing.error is not None:
            yield from style.below(f"{standing.error.code}: {standing.error.message}")
            yield from style.below(f"hint: {standing.error.hint}")
    if report.error is not None:
        yield from style.entry("not read", "31", "", report.error.message)
        if report.error.hint:
            yield from style.below(f"hint: {report.error.hint}")
    for finding in report.findings:
        yield from style.entry("note", "33", "", finding.message)
        yield from style.below(f"hint: {finding.hint}")


def status_document(report: StatusReport) -> dict[str, Any]:
    """
    *report* as `status --json` prints it.
    """
    return {
        "version": 1,
        "config": report.config,
        "error": error_document(report.error),
        "registries": [
            {
                "registry": standing.registry,
                "rule": standing.rule,
                "helper": standing.helper,
                "kept_in": list(standing.kept_in),
                "ours": standing.ours,
                "source": standing.source,
                "verified_at": _instant(standing.verified_at),
                "refused_at": _instant(standing.refused_at),
                "expires_at": _instant(standing.expires_at),
                "code": standing.error.code if standing.error is not None else None,
                "error": error_document(standing.error),
            }
            for standing in report.standings
        ],
        "findings": findings_document(report.findings),
    }


def instant(at: float) -> str:
    """
    Unix seconds as ISO 8601, in UTC.
    """
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))


def complaint(message: str, *, hint: str = "") -> str:
    """
    What is wrong with how a command was called, at 80 columns.
    """
    said = wrapped(f"devcontainer-registry: {message}", _WIDTH - 2)
    said += wrapped(f"hint: {hint}", _WIDTH - 4) if hint else []
    return "\n  ".join(said)


class _Style:
    def __init__(self, words: Mapping[str, tuple[str, str]], *, colours: bool) -> None:
        self.words = words
        self._colours = colours

    def entry(self, word: str, colour: str, name: str, detail: str) -> Iterator[str]:
        head = f"{word:<{_WORD_WIDTH}}{name}"
        start = _WORD_WIDTH + len(name) + 2 if name else _WORD_WIDTH
        first = self._paint(word, colour) + head[len(word) :]
        if len(name) > _NAME_MAX and start + len(detail) > _WIDTH:
            yield first.rstrip()
            yield from self.below(detail)
            return
        rows = wrapped(detail, _WIDTH - start) or [""]
        gap = "  " if name else ""
        yield f"{first}{gap}{rows[0]}".rstrip()
        for more in rows[1:]:
            yield " " * start + more

    def below(self, text: str) -> Iterator[str]:
        indent = " " * _WORD_WIDTH
        for number, line in enumerate(wrapped(text, _WIDTH - _WORD_WIDTH - 2)):
            yield indent + ("  " if number and text.startswith("hint: ") else "") + line

    def _paint(self, word: str, colour: str) -> str:
        return f"\x1b[{colour}m{word}\x1b[0m" if self._colours else word


def wrapped(text: str, width: int) -> list[str]:
    """
    *text* in lines of at most *width* columns, words whole.
    """
    if len(text) <= width and text.isprintable() and text.strip():
        return [text.rstrip()]  # as below, in a thousandth of the time
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False)


def _width(names: Iterable[str]) -> int:
    return max((len(name) for name in names if len(name) <= _NAME_MAX), default=0)


def _name(outcome: Outcome) -> str:
    return outcome.registry or outcome.id


def _detail(outcome: Outcome) -> str:
    if outcome.status not in ("ok", "unchanged", "found"):
        return _with_source(outcome.error.message if outcome.error is not None else "", outcome)
    # Only who logs out has no kind.
    absent = outcome.status == "unchanged" and outcome.kind is None
    said = f"{'in' if absent else 'from'} {outcome.source}"
    if outcome.status == "found":
        return f"{said} ({outcome.kind})"
    if outcome.realm:
        said += f" through {outcome.realm}"
    if outcome.kept_in and not outcome.verified and outcome.code is None:
        said += ", not verified"
    if outcome.expires_at is not None:
        said += f", until {instant(outcome.expires_at)}"
    return said


def _with_source(message: str, outcome: Outcome) -> str:
    """
    *message*, and which set it is about, unless it says so.

    The name of the registry may not do: where it came from a secrets file, the dev container CLI
    masks it in its log.
    """
    if f"{outcome.id}_" in message or outcome.source in message:
        return message
    return f"{message} ({outcome.source})".lstrip()


def _short(outcome: Outcome, error: RegistryError) -> str:
    return f"{outcome.code}: {error.message}"


def _standing(standing: Standing) -> str:
    if standing.helper is not None:
        said = [printable(f"docker-credential-{standing.helper}")]
    elif standing.rule == "none":
        would = standing.source is not None and standing.refused_at is None
        said = [f"not logged in; {standing.source} would" if would else "not logged in"]
    else:
        said = ["config.json, by us" if standing.ours else "config.json, by somebody else"]
    if standing.ours and standing.verified_at is not None:
        said.append(f"verified {instant(standing.verified_at)}")
    elif standing.ours and standing.refused_at is None:
        said.append("not verified")
    if standing.expires_at is not None:
        said.append(f"until {instant(standing.expires_at)}")
    if standing.refused_at is not None:
        refused = standing.source or "the secret that was tried last"
        said.append(f"{refused} was refused {instant(standing.refused_at)}")
    return ", ".join(said)


def _instant(at: float | None) -> str | None:
    return None if at is None else instant(at)


def error_document(error: RegistryError | None) -> dict[str, str] | None:
    """
    *error* for programs.
    """
    if error is None:
        return None
    return {"code": error.code, "message": error.message, "hint": error.hint}
