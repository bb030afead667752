# SPDX-License-Identifier: MIT
"""
Images that a Dockerfile makes its builder pull.

https://github.com/moby/buildkit/blob/v0.25.0/frontend/dockerfile/dockerfile2llb/convert.go
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...causes.workspace import configuration as causes
from ...naming import this_platform
from .instructions import DockerfileError, Instruction, Parser
from .variables import shell
from .variables.text import Text, plain

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .collector import Collector

_SCRATCH = "scratch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """
    How a Dockerfile is built.

    Attributes:
        args: Build arguments by name.
        contexts: Names that stand for something else than an image.
        platform: That is built for, such as `linux/arm64`; None: this machine's.
    """

    args: Mapping[str, Text] = field(default_factory=dict)
    contexts: frozenset[str] = frozenset()
    platform: str | None = None


def context_names(names: Mapping[str, object]) -> frozenset[str]:
    """
    Return the *names* of build contexts as images are compared with them.
    """
    return frozenset(map(_familiar, names))


def collect(text: str, build: Build, collector: Collector, *, path: str, where: str) -> None:
    """
    Collect the images of a Dockerfile.

    Args:
        text: Of the Dockerfile.
        build: How it is built.
        collector: Takes the images and findings.
        path: Of the file that it stands in.
        where: Its name in messages.
    """
    parser = Parser(text)
    try:
        parser.parse()
    except DockerfileError as exc:
        collector.damaged(path, str(exc), where=where)
    else:
        if not any(instruction.name == "FROM" for instruction in parser.parsed):
            collector.damaged(path, causes.NO_FROM.say(), where=where)
    _Stages(parser.escape, build, collector, path, where).collect(parser.parsed)


class _Stages:
    """
    The stages of one Dockerfile.
    """

    def __init__(
        self, escape: str, build: Build, collector: Collector, path: str, where: str
    ) -> None:
        self._escape = escape
        self._build = build
        self._collector = collector
        self._path = path
        self._where = where
        self._args = _platform_args(build.platform)
        self._names: set[str] = set()
        self._count = 0

    def collect(self, instructions: list[Instruction]) -> None:
        """
        Collect the images that *instructions* name.
        """
        stages = [_stage_name(one) for one in instructions if one.name == "FROM"]
        every_name = {name for name in stages if name}
        replaced = False
        for one in instructions:
            if one.name == "FROM":
                name = _stage_name(one)
                # A build context of its name takes the place of a whole stage.
                replaced = name in self._build.contexts
                if not replaced:
                    self._base(one)
                if name:
                    self._names.add(name)
                self._count += 1
            elif one.name == "ARG" and not self._count:
                self._declare(one.rest)
            elif self._count and not replaced:
                for kind, source in _sources(one):
                    # A number is the index of a stage.
                    if source.lower() not in every_name and not source.isdecimal():
                        self._image(plain(source), f"{self._at(one)}: {kind}", expands=False)

    def _at(self, one: Instruction) -> str:
        return f"{self._where}:{one.line}"

    def _base(self, one: Instruction) -> None:
        words = one.rest.split()
        where = f"{self._at(one)}: FROM"
        if len(words) not in (1, 3):
            self._collector.damaged(self._path, causes.FROM_ARGUMENTS.say(), where=where)
            return
        base = shell.expand(words[0], self._args.get, escape=self._escape)
        if (base.value or "").lower() in self._names:
            return
        self._image(base, where, expands=True)

    def _image(self, text: Text, where: str, *, expands: bool) -> None:
        name = text.known
        if name == _SCRATCH or (name is not None and _familiar(name) in self._build.contexts):
            return
        if expands:
            self._collector.add(text, "dockerfile", where)
        else:
            self._collector.add_unexpanded(text.written, "dockerfile", where)

    def _declare(self, rest: str) -> None:
        for word in shell.split(rest, escape=self._escape):
            name, equals, default = word.partition("=")
            given = self._build.args.get(name)
            if given is not None:
                self._args[name] = given
            elif equals:
                self._args[name] = shell.expand(default, self._args.get, escape=self._escape)


def _sources(one: Instruction) -> Iterator[tuple[str, str]]:
    """
    Iterate over what *one* takes files from, and by which flag.
    """
    for flag in one.flags:
        name, _, value = flag.partition("=")
        if one.name == "COPY" and name == "--from" and value:
            yield "COPY --from", value
        elif one.name == "RUN" and name == "--mount":
            source = _mount_source(value)
            if source:
                yield "RUN --mount", source


def _mount_source(options: str) -> str:
    source = ""
    for option in options.split(","):
        key, _, value = option.strip('"').partition("=")
        if key.lower() == "from":
            source = value
    return source


def _stage_name(one: Instruction) -> str:
    words = one.rest.split()
    return words[2].lower() if len(words) == 3 and words[1].lower() == "as" else ""


def _familiar(name: str) -> str:
    """
    Return the image *name* as builders compare it with the names of contexts.
    """
    short = name.lower().removeprefix("docker.io/").removeprefix("library/")
    return short.removesuffix(":latest")


def _platform_args(platform: str | None) -> dict[str, Text]:
    here = this_platform()
    found = {}
    for side, value in (("TARGET", platform or here), ("BUILD", here)):
        system, _, rest = value.partition("/")
        architecture, _, variant = rest.partition("/")
        parts = {"PLATFORM": value, "OS": system, "ARCH": architecture, "VARIANT": variant}
        found.update({f"{side}{part}": plain(text) for part, text in parts.items()})
    return found
