# SPDX-License-Identifier: MIT
"""
Images that the services of a Compose project pull.

https://github.com/compose-spec/compose-go/blob/v2.9.1/types/project.go
"""

from __future__ import annotations

import os

from ....causes.workspace import configuration as causes
from ....errors import printable
from .. import dockerfile
from ..variables.text import Text, plain
from .file import Environment, is_remote
from .loader import Loader

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..collector import Collector
    from .file import Service

_SERVICES_MAX = 1000
_IMAGE_CONTEXT = "docker-image://"
_SERVICE = "service:"
_SHARED_NAMESPACES = ("network_mode", "ipc", "pid", "uts", "cgroup")


def collect(
    paths: Sequence[str],
    collector: Collector,
    environ: Mapping[str, str],
    *,
    main: str | None,
    selected: Sequence[str],
    where: str,
) -> None:
    """
    Collect the images of a Compose project.

    Args:
        paths: Of its files; later ones override earlier ones.
        collector: Takes the images and findings.
        environ: Variables of the process.
        main: The service that is the dev container.
        selected: The services that are started with it; empty: all without an inactive profile.
        where: What names the files, for findings.
    """
    if not paths:
        return
    directory = os.path.dirname(paths[0])
    environment = Environment.of_process(environ).with_file(
        os.path.join(directory, ".env"), collector, where=where, optional=True
    )
    services = Loader(collector).load(paths, directory, environment, where)
    if len(services) > _SERVICES_MAX:
        collector.damaged(paths[0], causes.TOO_MANY_SERVICES.say(limit=_SERVICES_MAX))
        return
    profiles = environment.get("COMPOSE_PROFILES") or plain("")
    active = {name.strip() for name in (profiles.value or "").split(",")}
    project = _Project(services, active, collector, environ.get("DOCKER_DEFAULT_PLATFORM"))
    project.collect(main, selected, where)


class _Project:
    """
    The merged services of a project.
    """

    def __init__(
        self,
        services: Mapping[str, Service],
        profiles: set[str],
        collector: Collector,
        platform: str | None,
    ) -> None:
        self._services = services
        self._profiles = profiles
        self._collector = collector
        self._platform = platform

    def collect(self, main: str | None, selected: Sequence[str], where: str) -> None:
        """
        Collect the images of the services that run.
        """
        started = [*selected] or [n for n in self._services if self._is_enabled(n)]
        running = self._running([*started, *([main] if main else [])], where)
        built = {
            image.value
            for name in running
            if "build" in self._services[name]
            and isinstance(image := self._services[name].get("image"), Text)
        }
        for name, service in self._services.items():
            if name in running:
                self._service(name, service, built)

    def _is_enabled(self, name: str) -> bool:
        wanted = self._services[name].get("profiles")
        names = {one.value for one in wanted} if isinstance(wanted, list) else set()
        return not names or "*" in self._profiles or bool(names & self._profiles)

    def _running(self, names: Sequence[str], where: str) -> set[str]:
        running: set[str] = set()
        pending = [(name, where) for name in names]
        while pending:
            name, asking = pending.pop()
            if name in running:
                continue
            if name not in self._services:
                if self._services:
                    self._collector.say(
                        causes.SERVICE_UNKNOWN, where=asking, service=printable(name)
                    )
                continue
            running.add(name)
            service = self._services[name]
            pending.extend((one, str(service["where"])) for one in self._needed_by(service))
        return running

    def _needed_by(self, service: Service) -> Iterator[str]:
        depends = service.get("depends_on")
        for name, required in depends.items() if isinstance(depends, dict) else ():
            if required or (name in self._services and self._is_enabled(name)):
                yield name
        for text in _texts(service.get("links")):
            yield text.partition(":")[0]
        for text in _texts(service.get("volumes_from")):
            if not text.startswith("container:"):
                yield text.partition(":")[0]
        shared = [service.get(member) for member in _SHARED_NAMESPACES]
        build = service.get("build")
        contexts = build.get("additional_contexts") if isinstance(build, dict) else None
        for text in _texts([*shared, *(contexts.values() if isinstance(contexts, dict) else ())]):
            if text.startswith(_SERVICE):
                yield text.removeprefix(_SERVICE)

    def _service(self, name: str, service: Service, built: set[str | None]) -> None:
        image, build = service.get("image"), service.get("build")
        policy = next(_texts([service.get("pull_policy")]), "")
        if isinstance(build, dict):
            self._build(name, service, build)
        elif isinstance(image, Text) and policy not in ("never", "build"):
            is_built = image.known in built  # by another service
            if not is_built:
                self._collector.add(image, "compose", _where(image, name))
        volumes = service.get("volumes")
        for text in volumes if isinstance(volumes, list) else ():
            if text.known not in self._services:
                self._collector.add(text, "compose", _where(text, name))

    def _build(self, name: str, service: Service, build: dict[str, object]) -> None:
        where = str(service["where"])
        contexts = build.get("additional_contexts")
        contexts = contexts if isinstance(contexts, dict) else {}
        images = [one for one in contexts.values() if (one.value or "").startswith(_IMAGE_CONTEXT)]
        for one in images:
            self._collector.add(_without_scheme(one), "compose", _where(one, name))
        args = build.get("args")
        platforms = [service.get("platform"), *_list(build.get("platforms"))]
        how = dockerfile.Build(
            args={key: one for key, one in args.items() if one} if isinstance(args, dict) else {},
            contexts=dockerfile.context_names(contexts),
            platform=next(_texts(platforms), self._platform),
        )
        inline = build.get("dockerfile_inline")
        if isinstance(inline, Text):
            if not self._collector.is_unresolved(inline, where):
                self._dockerfile(
                    inline.value or "", how, inline.file, f"{where}: dockerfile_inline"
                )
            return
        context = _text(build.get("context"), str(build["directory"]))
        file = _text(build.get("dockerfile"), "Dockerfile")
        if any(self._collector.is_unresolved(text, where) for text in (context, file)):
            return
        if is_remote(context.value or ""):
            if not images:
                self._collector.say(causes.REMOTE, where=where, what=causes.BUILD_CONTEXT.say())
            return
        path = os.path.normpath(os.path.join(context.value or "", file.value or ""))
        content = self._collector.read(path, where=where)
        if content is not None:
            text = content.decode("utf-8", "replace")
            self._dockerfile(text, how, path, self._collector.name(path))

    def _dockerfile(self, text: str, how: dockerfile.Build, path: str, where: str) -> None:
        path = os.path.join(self._collector.workspace, path)
        dockerfile.collect(text, how, self._collector, path=path, where=where)


def _texts(values: object) -> Iterator[str]:
    for one in _list(values):
        if isinstance(one, Text) and one.known:
            yield one.known


def _text(value: object, default: str) -> Text:
    return value if isinstance(value, Text) and value.value else plain(default)


def _list(values: object) -> list[object]:
    return values if isinstance(values, list) else []


def _without_scheme(text: Text) -> Text:
    return Text(
        written=text.written.removeprefix(_IMAGE_CONTEXT),
        value=text.value and text.value.removeprefix(_IMAGE_CONTEXT),
        unset=text.unset,
        file=text.file,
    )


def _where(text: Text, name: str) -> str:
    return f"{text.file}: service {printable(name)}"
