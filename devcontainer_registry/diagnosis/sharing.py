# SPDX-License-Identifier: MIT
"""
A diagnosis without names, fit for a public issue.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..credentials import Finding
from ..naming import INFIX
from ..registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .report import Diagnosis, ImageDiagnosis, Step

# Names that are public anyway.
_COMMON = frozenset({"docker.io", "registry-1.docker.io", "latest", "localhost", "nobody", "AWS"})
# Facts that name something, and what is put in their place.
_NAMED = {
    "realm": "realm",
    "address": "address",
    "set": "SET",
    "path": "path",
    "nearest": "tag",
    "issuer": "authority",
    "digest": "digest",
    "mirrors": "mirror",
    "insecure": "registry",
    "socket": "path",
}


def without_names(diagnosis: Diagnosis, environ: Mapping[str, str]) -> Diagnosis:
    """
    Return *diagnosis* with placeholders for hosts, users, paths, images and sets.

    The same name has the same placeholder everywhere.  Codes, states and times stay.
    """
    hide = _Hider(environ)
    for image in diagnosis.images:
        hide.learn_image(image)
    for text in _texts(diagnosis):
        hide.learn_sets(text)
    findings = tuple(
        Finding(
            code=each.code,
            message=hide(each.message),
            hint=hide(each.hint),
            variable=hide(each.variable) if each.variable else None,
        )
        for each in diagnosis.findings
    )
    return replace(diagnosis, images=tuple(map(hide.image, diagnosis.images)), findings=findings)


def _texts(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        yield finding.message
    for image in diagnosis.images:
        for step in image.steps:
            yield step.message
            yield step.error.message if step.error is not None else ""


class _Hider:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None
        home = environ.get("HOME", "").rstrip("/")
        if home:
            self._placeholders[home] = "/home/user"

    def learn_image(self, image: ImageDiagnosis) -> None:
        if image.registry is not None:
            self._learn(image.registry, "registry", end=".example")
            self._learn(image.registry.partition(":")[0], "registry", end=".example")
        if image.image is not None:
            self._learn(image.image, "image")
            name, _, tag = image.image.partition("@")[0].rpartition(":")
            name = name if name and "/" not in tag else image.image.partition("@")[0]
            self._learn(name, "image")
            repository = name.partition("/")[2] if image.registry and "/" in name else name
            self._learn(repository, "repository")
            if tag and "/" not in tag:
                self._learn(tag, "tag")
        for step in image.steps:
            for fact, value in step.facts.items():
                for each in value if isinstance(value, (list, tuple)) else (value,):
                    if fact in _NAMED and isinstance(each, str):
                        self._learn(each, _NAMED[fact])
                    if fact == "proxy" and isinstance(each, str):
                        self._learn(each.partition(" ")[0], "proxy")

    def learn_sets(self, text: str) -> None:
        """
        Take note of the sets whose variables *text* names.
        """
        for set_id in re.findall(rf"([A-Za-z0-9_]+?){INFIX}", text):
            self._learn(set_id, "SET")

    def _learn(self, text: str, kind: str, *, end: str = "") -> None:
        # A digit or two would be replaced in counts and times, and says nothing of anybody.
        if (
            (len(text) < 3 and kind != "SET")
            or text in _COMMON
            or text in self._placeholders
            or text.isdigit()
        ):
            return
        self._counts[kind] = self._counts.get(kind, 0) + 1
        joint = "" if kind == "SET" else "-"
        self._placeholders[text] = f"{kind}{joint}{self._counts[kind]}{end}"
        self._pattern = None

    def __call__(self, text: str) -> str:
        if self._pattern is None:
            longest = sorted(self._placeholders, key=len, reverse=True)
            # A set's name stands before an underscore.
            words = "|".join(map(re.escape, longest)) or r"(?!)"
            self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")
        hidden = self._pattern.sub(lambda match: self._placeholders[match[0]], text)
        return re.sub(r"\b\d{1,3}(?:\.\d{1,3}){3}\b", "ADDRESS", hidden)

    def image(self, image: ImageDiagnosis) -> ImageDiagnosis:
        return replace(
            image,
            image=self(image.image) if image.image is not None else None,
            registry=Registry(self(image.registry)) if image.registry is not None else None,
            where=self(image.where),
            steps=tuple(map(self._step, image.steps)),
        )

    def _step(self, step: Step) -> Step:
        error = step.error
        if error is not None:
            error = type(error)(self(error.message), hint=self(error.hint), code=error.code)
        return replace(
            step,
            message=self(step.message),
            facts={name: self._fact(value) for name, value in step.facts.items()},
            error=error,
        )

    def _fact(self, value: object) -> object:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, (list, tuple)):
            return [self._fact(each) for each in value]
        return value
