# SPDX-License-Identifier: MIT
"""
Loads the files of a Compose project: merges, includes and extends.

https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/loader.go
"""

from __future__ import annotations

import os

from ....causes.workspace import configuration as causes
from ....errors import printable
from ..compose import RESET, Override, YamlError, documents
from ..variables.text import Text
from .file import ComposeFile, Environment, is_remote, merge

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..collector import Collector
    from ..compose import Value
    from .file import Service

_INCLUDES_MAX = 30


class Loader:
    """
    Loads the services of one project.

    Args:
        collector: Takes the findings.
    """

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._extended: dict[tuple[str, Environment], ComposeFile | None] = {}

    def load(
        self,
        paths: Sequence[str],
        directory: str,
        environment: Environment,
        where: str,
        including: tuple[str, ...] = (),
    ) -> dict[str, Service]:
        """
        Return the services of the files *paths* by name, merged.
        """
        services: dict[str, object] = {}
        for path in paths:
            for members in self._documents(path, where):
                file = ComposeFile(path, directory, environment, self._collector)
                file.add_services(members.get("services"))
                included = self._included(file, members.get("include"), (*including, path))
                file.add_included(included)
                own: dict[str, object] = dict.fromkeys(file.removed, RESET)
                for name in list(file.services):
                    service = self._resolved(name, file)
                    own[name] = Override(service) if name in file.replaced else service
                is_override = isinstance(members.get("services"), Override)
                services = merge({} if is_override else services, own)
        return {name: found for name, found in services.items() if isinstance(found, dict)}

    def _documents(self, path: str, where: str) -> Iterator[dict[str, Value]]:
        content = self._collector.read(path, where=where)
        if content is None:
            return
        try:
            found = documents(content.decode("utf-8-sig"))
        except YamlError as exc:
            self._collector.damaged(path, str(exc))
            return
        except UnicodeDecodeError:
            self._collector.damaged(path, causes.NOT_UTF_8.say())
            return
        for document in found:
            if isinstance(document, dict):
                yield document
            elif document is not None:
                self._collector.damaged(path, causes.NOT_A_MAPPING.say())

    def _included(
        self, file: ComposeFile, entries: Value, including: tuple[str, ...]
    ) -> dict[str, object]:
        found: dict[str, object] = {}
        for entry in entries if isinstance(entries, list) else [entries] if entries else []:
            members = entry if isinstance(entry, dict) else {"path": entry}
            names = file.texts("include", members.get("path"))
            paths = [path for text in names if (path := self._path(file, text, "include"))]
            if not paths:
                continue
            if paths[0] in including:
                self._collector.damaged(file.path, causes.INCLUDES_ITSELF.say())
            elif len(including) > _INCLUDES_MAX:
                self._collector.damaged(file.path, causes.INCLUDES_TOO_DEEP.say())
            else:
                directory = os.path.dirname(paths[0])
                for text in file.texts("project_directory", members.get("project_directory")):
                    directory = self._path(file, text, "project_directory") or directory
                environment = self._environment(file, members.get("env_file"), directory)
                services = self.load(paths, directory, environment, file.name, including)
                found = merge(found, services)
        return found

    def _environment(self, file: ComposeFile, env_files: Value, directory: str) -> Environment:
        environment = file.environment
        if env_files is None:
            path = os.path.join(directory, ".env")
            return environment.with_file(path, self._collector, where=file.name, optional=True)
        for text in file.texts("env_file", env_files):
            own = self._path(file, text, "env_file")
            if own and own != os.devnull:
                environment = environment.with_file(
                    own, self._collector, where=file.name, optional=False
                )
        return environment

    def _path(self, file: ComposeFile, text: Text, member: str) -> str | None:
        where = f"{file.name}: {member}"
        if text.known and is_remote(text.known):
            what = causes.REMOTE_MEMBER.say(member=member, name=printable(text.written))
            self._collector.say(causes.REMOTE, where=file.name, what=what)
        elif text.known:
            return os.path.normpath(os.path.join(file.directory, text.known))
        elif not self._collector.is_unresolved(text, where):
            self._collector.damaged(file.path, causes.MEMBER_NO_FILE.say(member=member))
        return None

    def _resolved(self, name: str, file: ComposeFile) -> Service:
        """
        Return the service *name* of *file* with all that it extends.
        """
        chain: list[tuple[ComposeFile, str, Service]] = []
        seen: set[tuple[str, str]] = set()
        base: Service = {}
        asking: tuple[ComposeFile, str] = file, file.name
        while True:
            if name in file.resolved:
                base = file.resolved[name]
                break
            service = file.services.get(name)
            if service is None:
                where = asking[1]
                self._collector.say(causes.SERVICE_UNKNOWN, where=where, service=printable(name))
                break
            if (file.path, name) in seen:
                problem = causes.EXTENDS_ITSELF.say(service=printable(name))
                self._collector.damaged(file.path, problem)
                break
            seen.add((file.path, name))
            chain.append((file, name, service))
            extends = service.get("extends")
            following = self._extends(file, extends) if isinstance(extends, dict) else None
            if following is None:
                break
            asking = file, str(service["where"])
            file, name = following
        for owner, own_name, service in reversed(chain):
            members = {key: one for key, one in service.items() if key != "extends"}
            # Tags are of one service, and not of those that extend it.
            base = merge(merge({}, base), members, keep_tags=True)
            owner.resolved[own_name] = base
        return base

    def _extends(
        self, file: ComposeFile, extends: dict[str, object]
    ) -> tuple[ComposeFile, str] | None:
        service, other = extends.get("service"), extends.get("file")
        if not isinstance(service, Text) or not service.known:
            if isinstance(service, Text):
                self._collector.is_unresolved(service, f"{file.name}: extends")
            return None
        if not isinstance(other, Text):
            return file, service.known
        path = self._path(file, other, "extends")
        found = self._extended_file(file, path) if path else None
        return (found, service.known) if found else None

    def _extended_file(self, file: ComposeFile, path: str) -> ComposeFile | None:
        if path == file.path:
            return file
        key = path, file.environment
        if key not in self._extended:
            found = None
            for members in self._documents(path, file.name):
                if found is None:
                    folder = os.path.dirname(path)
                    found = ComposeFile(path, folder, file.environment, self._collector)
                found.add_services(members.get("services"))
            self._extended[key] = found
        return self._extended[key]
