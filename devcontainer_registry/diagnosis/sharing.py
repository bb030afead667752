# SPDX-License-Identifier: MIT
"""
A diagnosis without names, fit for a public issue.
"""

from __future__ import annotations

import re
from dataclasses import replace

from ..credentials import Finding
from ..naming import HELPER_PREFIX, INFIX, OF_VSCODE, OUR_HELPER
from ..registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .report import Diagnosis, ImageDiagnosis, Step

# Public names.
_COMMON = frozenset(
    {"docker.io", "registry-1.docker.io", "auth.docker.io", "latest", "localhost"}
    | {"sts.amazonaws.com", "iam.googleapis.com", "token.actions.githubusercontent.com"}
)
_COMMON_PATHS = (
    "/etc/docker/",
    "/home/user",
    "/usr/bin",
    "/usr/local/bin",
    "/v2/",
    "/var/run/docker.sock",
    ".devcontainer.json",
    ".devcontainer/devcontainer.json",
    ".devcontainer/Dockerfile",
)
_COMMON_HELPERS = (OUR_HELPER, OF_VSCODE, "pass", "secretservice", "ecr-login", "gcr", "gcloud")
# Claims of ID tokens that are the same for everybody, and what the others are called.
_COMMON_CLAIMS = (
    "https://token.actions.githubusercontent.com",
    "https://gitlab.com",
    "sts.amazonaws.com",
    "api://AzureADTokenExchange",
    "api://AzureADTokenExchangeUSGov",
    "api://AzureADTokenExchangeChina",
    "branch",
    "tag",
    "true",
    "false",
)
_CLAIMS = {"iss": "issuer", "sub": "subject", "aud": "audience"}
# Facts with names, and their placeholders.
_NAMED = {
    "realm": "realm",
    "address": "address",
    "set": "SET",
    "path": "path",
    "nearest": "tag",
    "issuer": "authority",
    "names": "host",
    "digest": "digest",
    "mirrors": "mirror",
    "insecure": "registry",
    "proxy": "proxy",
}

# Files that look like hosts.
_HOST = re.compile(
    r"(?<![\w./-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+"
    r"(?!(?:json|crt|pem|key|sock|ya?ml)\b)[a-z]{2,}(?::\d+)?(?![\w.-])"
)
_PATH = re.compile(r"(?<![\w.~])/[^\s,;:'\"()]+")
_HELPER = re.compile(rf"{HELPER_PREFIX}([\w.+-]+)")
_SET = re.compile(rf"([A-Za-z0-9_]+?){INFIX}")
_ADDRESS = re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b|\[[0-9a-f:]+\]")


def without_names(diagnosis: Diagnosis, environ: Mapping[str, str]) -> Diagnosis:
    """
    Return *diagnosis* with placeholders for hosts, paths, images, helpers and sets.

    A name has the same placeholder everywhere.  Codes, states and times stay.  Quotes from a
    configuration are left out.
    """
    hide = _Hider(environ)
    for image in diagnosis.images:
        hide.learn_image(image)
    for text in _texts(diagnosis):
        hide.learn_text(text)
    findings = [
        Finding(
            code=each.code,
            message=hide(each.message),
            hint=hide(each.hint),
            variable=hide(each.variable) if each.variable else None,
        )
        for each in diagnosis.findings[diagnosis.unresolved :]
    ]
    quoting = diagnosis.findings[: diagnosis.unresolved]
    unshown = [Finding(code=each.code, message=each.code) for each in quoting]
    return replace(
        diagnosis,
        images=tuple(map(hide.image, diagnosis.images)),
        findings=(*unshown, *findings),
    )


def _texts(diagnosis: Diagnosis) -> Iterator[str]:
    """
    Yield all visible text, except quotes from a configuration.
    """
    for finding in diagnosis.findings[diagnosis.unresolved :]:
        yield from (finding.message, finding.hint)
    for image in diagnosis.images:
        for step in image.steps:
            yield step.message
            if step.error is not None:
                yield from (step.error.message, step.error.hint)


class _Hider:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._placeholders: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._pattern: re.Pattern[str] | None = None
        home = environ.get("HOME", "").rstrip("/")
        if home:
            self._placeholders[home] = "/home/user"

    def learn_image(self, image: ImageDiagnosis) -> None:
        """
        Register the names in *image* and in the facts of its steps.
        """
        if image.registry is not None:
            self._learn(image.registry, "registry", end=".example")
            self._learn(image.registry.partition(":")[0], "registry", end=".example")
        if image.image is not None:
            self._learn_reference(image.image)
        if image.where:
            file, _, rest = image.where.partition(":")
            self._learn(file, "path")
            self._learn(rest.partition(" service ")[2], "service")
        for step in image.steps:
            for fact, value in step.facts.items():
                for each in value if isinstance(value, (list, tuple)) else (value,):
                    if fact in _NAMED and isinstance(each, str):
                        self._learn(
                            each.partition(" ")[0] if fact == "proxy" else each, _NAMED[fact]
                        )

    def _learn_reference(self, image: str) -> None:
        bare, _, digest = image.partition("@")
        name, colon, tag = bare.rpartition(":")
        if not colon or "/" in tag:
            name, tag = bare, ""
        self._learn(image, "image")
        self._learn(name, "image")
        self._learn(name.partition("/")[2] or name, "repository")
        self._learn(tag, "tag")
        self._learn(digest, "digest")

    def learn_text(self, text: str) -> None:
        """
        Register sets, helpers, paths and hosts in *text* that are in no fact.
        """
        for set_id in _SET.findall(text):
            self._learn(set_id, "SET")
        for helper in _HELPER.findall(text):
            if not helper.startswith(_COMMON_HELPERS):
                self._learn(helper, "helper")
        for path in _PATH.findall(text):
            self._learn(path, "path")
        for host in _HOST.findall(text):
            self._learn(host, "host")

    def _learn(self, text: str, kind: str, *, end: str = "") -> None:
        # One or two digits identify nothing, and would also match counts and times.
        too_short = len(text) < 3 and kind != "SET"
        if too_short or text in _COMMON or text in self._placeholders or text.isdigit():
            return
        if kind == "path" and text.startswith(_COMMON_PATHS):
            return
        self._counts[kind] = self._counts.get(kind, 0) + 1
        joint = "" if kind == "SET" else "-"
        self._placeholders[text] = f"{kind}{joint}{self._counts[kind]}{end}"
        self._pattern = None

    def __call__(self, text: str) -> str:
        if self._pattern is None:
            longest = sorted(self._placeholders, key=len, reverse=True)
            # The name of a set precedes an underscore.
            words = "|".join(map(re.escape, longest)) or r"(?!)"
            self._pattern = re.compile(rf"(?<![A-Za-z0-9])(?:{words})(?![A-Za-z0-9])")
        hidden = self._pattern.sub(lambda match: self._placeholders[match[0]], text)
        return _ADDRESS.sub("ADDRESS", hidden)

    def image(self, image: ImageDiagnosis) -> ImageDiagnosis:
        """
        Return *image* with placeholders.
        """
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

    def _claim(self, name: str, value: str) -> str:
        """
        Return *value* of the claim *name* of an ID token; every issuer's own words are hidden.
        """
        if value in _COMMON_CLAIMS:
            return value
        kind = _CLAIMS.get(name, name)
        self._learn(value, kind)
        return self._placeholders.get(value, kind)

    def _fact(self, value: object) -> object:
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {name: self._claim(name, each) for name, each in value.items()}
        if isinstance(value, (list, tuple)):
            return [self._fact(each) for each in value]
        return value
