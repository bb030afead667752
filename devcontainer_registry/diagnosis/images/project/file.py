# SPDX-License-Identifier: MIT
"""
Services of one Compose file, in one shape for every notation.

https://github.com/compose-spec/compose-spec/blob/main/spec.md
"""

from __future__ import annotations

import dataclasses
import os

from ....causes.workspace import configuration as causes
from ....errors import printable
from ..compose import RESET, Override, Reset, shown
from ..variables import template
from ..variables.text import LENGTH_MAX, Text, plain

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    from ..collector import Collector
    from ..compose import Value

    # The members of a service that are used, as the Compose specification names them: `Text`,
    # `bool`, lists and mappings of these, `RESET` and `Override`.
    Service: TypeAlias = dict[str, object]

_INLINE_MAX = 256 * 1024
_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@")


class Environment:
    """
    The variables that a Compose file may refer to.
    """

    def __init__(self, variables: Mapping[str, Text]) -> None:
        self._variables = variables

    @classmethod
    def of_process(cls, environ: Mapping[str, str]) -> Environment:
        """
        Return the variables of a process.
        """
        return cls({name: plain(value) for name, value in environ.items()})

    def with_file(
        self, path: str, collector: Collector, *, where: str, optional: bool
    ) -> Environment:
        """
        Return these variables and those of the .env file *path*, over which these win.
        """
        if optional and not os.path.isfile(path):
            return self
        content = collector.read(path, where=where, optional=optional)
        if content is None:
            return self
        text = content.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
        found, line = template.read_dotenv(text, self.get)
        if line is not None:
            collector.damaged(path, causes.NO_ASSIGNMENT.say(line=line))
        return Environment({**found, **self._variables})

    def get(self, name: str) -> Text | None:
        """
        Return the value of *name*, or None if it is not set.
        """
        return self._variables.get(name)


class ComposeFile:
    """
    One Compose file.

    Args:
        path: Of the file.
        directory: Its project directory, which paths in it are relative to.
        environment: Variables that it may refer to.
        collector: Takes the findings.

    Attributes:
        services: Services by name; extended ones are not resolved yet.
        resolved: Services by name, with what they extend.
        replaced: Services that replace those of earlier files.
        removed: Services that are removed from those of earlier files.
    """

    def __init__(
        self, path: str, directory: str, environment: Environment, collector: Collector
    ) -> None:
        self.path = path
        self.directory = directory
        self.environment = environment
        self.services: dict[str, Service] = {}
        self.resolved: dict[str, Service] = {}
        self.replaced: set[str] = set()
        self.removed: set[str] = set()
        self.name = collector.name(path)
        self._collector = collector
        self._where = self.name
        self._readers: dict[str, Callable[[str, Value], object]] = {
            "image": self._string,
            "platform": self._string,
            "pull_policy": self._string,
            "network_mode": self._string,
            "ipc": self._string,
            "pid": self._string,
            "uts": self._string,
            "cgroup": self._string,
            "profiles": self._strings,
            "links": self._strings,
            "volumes_from": self._strings,
            "depends_on": self._depends_on,
            "volumes": self._image_volumes,
            "extends": self._extends,
            "build": self._build,
        }
        self._build_readers: dict[str, Callable[[str, Value], object]] = {
            "context": self._context,
            "dockerfile": self._string,
            "dockerfile_inline": self._inline,
            "args": self._arguments,
            "additional_contexts": self._contexts,
            "platforms": self._strings,
        }

    def add_services(self, members: Value) -> None:
        """
        Add the `services` of a document.
        """
        members = members.value if isinstance(members, Override) else members
        if members is None or isinstance(members, Reset):
            return
        if not isinstance(members, dict):
            problem = causes.MEMBER_NO_MAPPING.say(member="services")
            self._collector.damaged(self.path, problem)
            return
        for name, body in members.items():
            self._where = f"{self.name}: service {printable(name)}"
            service = self._tagged(name, {} if body is None else body, self._service)
            if isinstance(service, Reset):
                self.removed.add(name)
            elif isinstance(service, Override):
                self.replaced.add(name)
                service = service.value
            if isinstance(service, dict):
                self.services[name] = service

    def add_included(self, services: Mapping[str, object]) -> None:
        """
        Add the *services* of included files; those of this file override them.
        """
        merged = merge(services, self.services, keep_tags=True)
        self.services = {name: one for name, one in merged.items() if isinstance(one, dict)}

    def text(self, member: str, value: Value) -> Text | None:
        """
        Return the string *value* with its variables replaced; None and a finding if it is none.
        """
        if isinstance(value, str):
            return template.expand(value, self.environment.get, file=self.name)
        self._no_string(member)
        return None

    def texts(self, member: str, value: Value) -> list[Text]:
        """
        Return the strings of *value*, a string or a list.
        """
        values = value if isinstance(value, list) else [] if value is None else [value]
        return [text for one in values if (text := self.text(member, one)) is not None]

    def _no_string(self, member: str) -> None:
        problem = causes.MEMBER_NO_STRING.say(member=printable(member))
        self._collector.damaged(self.path, problem, where=self._where)

    def _tagged(self, member: str, value: Value, read: Callable[[str, Value], object]) -> object:
        if isinstance(value, Override):
            found = self._tagged(member, value.value, read)
            return found if found is None or found is RESET else Override(found)
        return value if value is None or isinstance(value, Reset) else read(member, value)

    def _members(
        self, value: dict[str, Value], readers: Mapping[str, Callable[[str, Value], object]]
    ) -> dict[str, object]:
        found = {}
        for name, read in readers.items():
            if name in value:
                one = self._tagged(name, value[name], read)
                if one is not None:
                    found[name] = one
        return found

    def _service(self, _member: str, value: Value) -> object:
        if isinstance(value, dict):
            return {"where": self._where, **self._members(value, self._readers)}
        problem = causes.MEMBER_NO_MAPPING.say(member="it")
        self._collector.damaged(self.path, problem, where=self._where)
        return None

    def _string(self, member: str, value: Value) -> object:
        return self.text(member, value)

    def _strings(self, member: str, value: Value) -> object:
        return self.texts(member, value)

    def _depends_on(self, member: str, value: Value) -> object:
        if isinstance(value, dict):
            return {
                name: not (isinstance(body, dict) and body.get("required") is False)
                for name, body in value.items()
            }
        return {text.value: True for text in self.texts(member, value) if text.value}

    def _image_volumes(self, member: str, value: Value) -> object:
        volumes = value if isinstance(value, list) else []
        sources = [
            self.text(member, one.get("source"))
            for one in volumes
            if isinstance(one, dict) and one.get("type") == "image"
        ]
        return [source for source in sources if source]

    def _extends(self, member: str, value: Value) -> object:
        if isinstance(value, dict):
            return self._members(value, {"service": self._string, "file": self._string})
        service = self.text(member, value)
        return None if service is None else {"service": service}

    def _build(self, member: str, value: Value) -> object:
        # Without a context it is the project directory.
        if isinstance(value, dict):
            found = self._members(value, self._build_readers)
            return {"directory": self.directory, **found}
        context = self._context(member, value)
        return None if context is None else {"directory": self.directory, "context": context}

    def _context(self, member: str, value: Value) -> object:
        text = self.text(member, value)
        if text is None or not text.value or is_remote(text.value):
            return text
        path = os.path.normpath(os.path.join(self.directory, text.value))
        return dataclasses.replace(text, value=path)

    def _inline(self, member: str, value: Value) -> object:
        if not isinstance(value, str) or len(value) <= LENGTH_MAX:
            return self.text(member, value)
        lookup = self.environment.get
        return template.expand(value, lookup, file=self.name, limit=_INLINE_MAX)

    def _contexts(self, member: str, value: Value) -> object:
        return {name: text for name, text in self._pairs(member, value).items() if text}

    def _arguments(self, member: str, value: Value) -> object:
        # One without a value takes that of the environment, and else keeps its default.
        return {
            name: self.environment.get(name) if text is None else text
            for name, text in self._pairs(member, value).items()
        }

    def _pairs(self, member: str, value: Value) -> dict[str, Text | None]:
        found: dict[str, Text | None] = {}
        if isinstance(value, dict):
            for name, one in value.items():
                if isinstance(one, (dict, list, Reset, Override)):
                    self._no_string(f"{member}.{name}")
                else:
                    found[name] = None if one is None else self.text(member, shown(one))
            return found
        for text in self.texts(member, value):
            name, equals, rest = (text.value or "").partition("=")
            found[name] = dataclasses.replace(text, value=rest) if equals else None
        return found


def is_remote(context: str) -> bool:
    """
    Whether the build *context* is a URL or a git repository.
    """
    return "://" in context or context.startswith(_REMOTE)


def merge(
    base: Mapping[str, object], over: Mapping[str, object], *, keep_tags: bool = False
) -> dict[str, object]:
    """
    Return *base* with the values of *over*, as Compose merges files.

    Args:
        base: Of earlier files.
        over: Of a later file.
        keep_tags: Whether `RESET` and `Override` stay, since a merge with earlier files follows.
    """
    merged = dict(base)
    for name, value in over.items():
        old = merged.get(name)
        old = old.value if isinstance(old, Override) else old
        if isinstance(value, (Reset, Override)):
            merged[name] = value
            if not keep_tags:
                _apply(merged, name, value)
        elif isinstance(value, dict):
            merged[name] = merge(old if isinstance(old, dict) else {}, value, keep_tags=keep_tags)
        elif isinstance(value, list) and isinstance(old, list):
            merged[name] = old + value
        else:
            merged[name] = value
    return merged


def _apply(merged: dict[str, object], name: str, tag: Reset | Override) -> None:
    if isinstance(tag, Reset):
        del merged[name]
    else:
        merged[name] = merge({}, tag.value) if isinstance(tag.value, dict) else tag.value
