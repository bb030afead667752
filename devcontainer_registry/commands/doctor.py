# SPDX-License-Identifier: MIT
"""
The command `doctor`.
"""

from __future__ import annotations

import json
import sys

from ..diagnosis.diagnose import diagnose
from ..diagnosis.report import STEPS
from ..errors import printable
from .output.table import has_colours, wrapped

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator, Mapping

    from ..credentials import Finding
    from ..diagnosis.report import Diagnosis, ImageDiagnosis, Step
    from ..observer import Observer

_WIDTH = 80
_STATUS_WIDTH = 6
_NAME_WIDTH = 12
_CLAIM_COLUMN = 8
_WORDS = {
    "ok": ("ok", "32"),
    "note": ("note", "33"),
    "fail": ("FAIL", "31"),
    "skipped": ("-", "2"),
}
# Facts that are times.


def run(arguments: argparse.Namespace, environ: Mapping[str, str], *, observe: Observer) -> int:
    """
    Diagnose, print the result, and return the exit status.
    """
    diagnosis = diagnose(
        arguments.images,
        environ=environ,
        secrets_file=arguments.secrets_file,
        push=arguments.push,
        timeout=arguments.timeout,
        observe=observe,
    )
    status = diagnosis.exit_status
    if arguments.share:
        from ..diagnosis.sharing import without_names

        diagnosis = without_names(diagnosis, environ)
    if arguments.json:
        said: Iterable[str] = [json.dumps(diagnosis.to_dict(), indent=2)]
    else:
        said = lines(diagnosis, push=arguments.push, colours=has_colours(sys.stdout, environ))
    for line in said:
        sys.stdout.write(line + "\n")
    return status


def lines(diagnosis: Diagnosis, *, push: bool = False, colours: bool = False) -> Iterator[str]:
    """
    *diagnosis* at 80 columns: the steps, the cause and the fix, and how many can be pulled.
    """
    page = _Page(colours=colours)
    if len(diagnosis.images) == 1:
        if diagnosis.images[0].where:
            yield _title(diagnosis.images[0])
        yield from page.whole(diagnosis.images[0])
    else:
        for image in diagnosis.images:
            if image.ok:
                yield from page.summary(image)
        for group in _of_one_cause(diagnosis.images):
            yield ""
            yield from (_title(image) for image in group)
            yield from page.whole(group[0])
    for finding in _unsaid(diagnosis):
        yield from page.labelled("Note:", finding.message)
        if finding.hint:
            yield from page.labelled("Fix:", finding.hint)
    if not diagnosis.images and not diagnosis.unresolved:
        yield "nothing to check: no image was named, and no registry has a set of variables"
        return
    yield ""
    said = [_count(diagnosis.images, push=push)] if diagnosis.images else []
    said += [f"{diagnosis.unresolved} not resolved"] if diagnosis.unresolved else []
    yield "; ".join(said)


def _unsaid(diagnosis: Diagnosis) -> list[Finding]:
    """
    The findings of a diagnosis that failed, but for those that a step or a cause is about.
    """
    if diagnosis.ok and diagnosis.images:
        return []
    # Of the configuration, nothing else speaks.
    alone = diagnosis.findings[: diagnosis.unresolved]
    said = [step.message for image in diagnosis.images for step in image.steps]
    said += [image.cause.message for image in diagnosis.images if image.cause is not None]
    return [
        finding
        for finding in diagnosis.findings
        if finding in alone
        or not any(finding.message in text or (finding.variable or "\0") in text for text in said)
    ]


def _of_one_cause(images: Iterable[ImageDiagnosis]) -> list[list[ImageDiagnosis]]:
    """
    The images that cannot be pulled, by their cause.
    """
    groups: dict[tuple[str, ...], list[ImageDiagnosis]] = {}
    for image in images:
        cause = image.cause
        if cause is not None:
            groups.setdefault((cause.code, cause.message, cause.hint), []).append(image)
    return list(groups.values())


def _title(image: ImageDiagnosis) -> str:
    name = image.image or (str(image.registry) if image.registry is not None else "variables")
    name = printable(name)
    about = "; the host fetched it" if image.by_host else ""
    return f"{name}  ({image.where}{about})" if image.where else name


def _count(images: Iterable[ImageDiagnosis], *, push: bool) -> str:
    named = [image for image in images if image.image is not None]
    others = [image for image in images if image.image is None]
    said = []
    if named:
        can = [image.can_be_pulled for image in named]
        what = "pulled and pushed" if push else "pulled"
        said.append(f"{can.count(True)} of {len(can)} image{'s' * (len(can) != 1)} can be {what}")
        if None in can:
            said.append(f"{can.count(None)} not checked")
    if others:
        logins = [_login_of(image) for image in others]
        good = logins.count("ok")
        said.append(f"{good} of {len(logins)} login{'s' * (len(logins) != 1)} accepted")
        if "skipped" in logins:
            said.append(f"{logins.count('skipped')} not checked")
    return "; ".join(said)


def _login_of(image: ImageDiagnosis) -> str:
    """
    The status of the login step; "fail" where it was not reached.
    """
    return next((step.status for step in image.steps if step.name == "login"), "fail")


class _Page:
    def __init__(self, *, colours: bool) -> None:
        self._colours = colours

    def whole(self, image: ImageDiagnosis) -> Iterator[str]:
        """
        The steps of *image*, then cause and fix.
        """
        for step in image.steps:
            yield from self.step(step)
        reached = {step.name for step in image.steps}
        # Few sets have an identity of their own.
        missing = [name for name in STEPS if name not in reached and name != "identity"]
        if image.image is None and image.registry is not None:
            missing = [name for name in missing if name not in ("image", "engine")]
        if missing and not image.ok:
            yield f"  {self._word('skipped')}{', '.join(missing)}: not checked"
        if image.cause is not None:
            yield ""
            yield from self.labelled("Cause:", image.cause.message)
            yield from self.labelled("Fix:", image.cause.hint)

    def step(self, step: Step) -> Iterator[str]:
        """
        One step, wrapped.
        """
        head = f"  {self._word(step.status)}{step.name:<{_NAME_WIDTH}}"
        column = 2 + _STATUS_WIDTH + _NAME_WIDTH
        first, *more = wrapped(step.message, _WIDTH - column) or [""]
        yield f"{head}{first}".rstrip()
        yield from (" " * column + line for line in more)
        claims = step.facts.get("claims")
        if isinstance(claims, dict):
            # Whole, since they are copied into a policy.
            yield from (f"{'':<{_CLAIM_COLUMN}}{name:<18}{claims[name]}" for name in claims)

    def summary(self, image: ImageDiagnosis) -> Iterator[str]:
        """
        One line for an image that can be pulled, and what is worth noting of it.
        """
        yield f"  {self._word('ok')}{_title(image)}"
        for step in image.steps:
            if step.status == "note" and step.name not in ("credential", "variables"):
                yield from self.step(step)

    def labelled(self, label: str, text: str) -> Iterator[str]:
        """
        *text* behind *label*, wrapped.
        """
        column = 7
        first, *more = wrapped(text, _WIDTH - column) or [""]
        yield f"{label:<{column}}{first}".rstrip()
        yield from (" " * column + line for line in more)

    def _word(self, status: str) -> str:
        word, colour = _WORDS[status]
        padding = " " * (_STATUS_WIDTH - len(word))
        return (f"\x1b[{colour}m{word}\x1b[0m" if self._colours else word) + padding
