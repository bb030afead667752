# SPDX-License-Identifier: MIT
"""
Images that the dev containers of a workspace pull.

https://containers.dev/implementors/spec/
"""

from __future__ import annotations

import os

from ...causes.workspace import configuration as causes
from . import dockerfile, features
from .collector import Collector, FoundImage, FoundImages
from .project import services
from .variables.devcontainer import Variables
from .variables.text import Text, plain

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FoundImage", "FoundImages", "images_of"]

_FOLDER = ".devcontainer"
_FILE = "devcontainer.json"
_IMAGE_CONTEXT = "docker-image://"


def images_of(workspace: str, environ: Mapping[str, str]) -> FoundImages:
    """
    Find each image that a dev container configuration of *workspace* pulls.

    Only files are read.  What cannot be read or resolved is a finding, never an exception.

    Args:
        workspace: The folder that holds the configurations.
        environ: Variables that the files may refer to.
    """
    workspace = os.path.abspath(workspace)
    collector = Collector(workspace)
    for path in _configurations(workspace, collector):
        config = collector.read_json(path)
        if config is not None:
            _Configuration(config, path, collector, environ).collect()
    return collector.found


def _configurations(workspace: str, collector: Collector) -> Iterator[str]:
    folder = os.path.join(workspace, _FOLDER)
    yield os.path.join(folder, _FILE)
    yield os.path.join(workspace, ".devcontainer.json")
    try:
        names = sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return
    except OSError as exc:
        collector.unreadable(folder, exc, where=collector.name(folder))
        return
    for name in names:
        if os.path.isdir(os.path.join(folder, name)):
            yield os.path.join(folder, name, _FILE)


class _Configuration:
    """
    One devcontainer.json.
    """

    def __init__(
        self, config: dict[str, object], path: str, collector: Collector, environ: Mapping[str, str]
    ) -> None:
        self._config = config
        self._path = path
        self._folder = os.path.dirname(path)
        self._file = collector.name(path)
        self._collector = collector
        self._environ = environ
        folder = config.get("workspaceFolder")
        self._variables = Variables(
            collector.workspace, path, folder if isinstance(folder, str) else None, environ
        )

    def collect(self) -> None:
        """
        Collect the images of this configuration.
        """
        build = self._member(self._config, "build", dict) or {}
        file = self._config.get("dockerFile", build.get("dockerfile"))
        # In the order of the dev container CLI, where more than one is there.
        if file is not None:
            self._dockerfile(file, build)
        elif "image" in self._config:
            image = self._text(self._config["image"], "image")
            if image is not None:
                self._collector.add(image, "image", f"{self._file}: image")
        elif self._config.get("dockerComposeFile") is not None:
            self._compose()
        found = self._member(self._config, "features", dict)
        features.collect(found or {}, self._collector, folder=self._folder, file=self._file)

    def _compose(self) -> None:
        files = self._config["dockerComposeFile"]
        texts = self._texts(files, "dockerComposeFile")
        paths = [path for one in texts if (path := self._resolved(one, "dockerComposeFile"))]
        service = self._text(self._config.get("service"), "service")
        wanted = self._texts(self._config.get("runServices"), "runServices")
        services.collect(
            self._default_compose_files() if files == [] else paths,
            self._collector,
            self._environ,
            main=service.known if service else None,
            selected=[text.known for text in wanted if text.known],
            where=self._file,
        )

    def _default_compose_files(self) -> list[str]:
        """
        Return the files that Compose takes where `dockerComposeFile` names none.
        """
        workspace = self._collector.workspace
        named = self._environ.get("COMPOSE_FILE")
        if named:
            return [os.path.join(workspace, name) for name in named.split(os.pathsep)]
        first = os.path.join(workspace, "docker-compose.yml")
        override = os.path.join(workspace, "docker-compose.override.yml")
        return [first, override] if os.path.isfile(override) else [first]

    def _dockerfile(self, file: object, build: Mapping[str, object]) -> None:
        text = self._text(file, "build.dockerfile")
        path = self._resolved(text, "build.dockerfile") if text else None
        content = self._collector.read(path, where=self._file) if path else None
        if path is None or content is None:
            return
        args = dict(self._args(build))
        options = self._texts(build.get("options"), "build.options")
        given = _Options([option.value or "" for option in options], self._environ)
        for reference in given.contexts.values():
            if reference.startswith(_IMAGE_CONTEXT):
                image = plain(reference.removeprefix(_IMAGE_CONTEXT))
                self._collector.add(image, "dockerfile", f"{self._file}: build.options")
        dockerfile.collect(
            content.decode("utf-8", "replace"),
            dockerfile.Build(
                args={**args, **given.args},
                contexts=dockerfile.context_names(given.contexts),
                platform=given.platform or self._environ.get("DOCKER_DEFAULT_PLATFORM"),
            ),
            self._collector,
            path=path,
            where=self._collector.name(path),
        )

    def _args(self, build: Mapping[str, object]) -> Iterator[tuple[str, Text]]:
        for name, value in (self._member(build, "args", dict, inside="build.") or {}).items():
            if isinstance(value, (str, int, float)) and not isinstance(value, bool):
                yield name, self._variables.expand(str(value))
            elif value is not None:
                yield name, plain(str(value).lower())

    def _resolved(self, text: Text, member: str) -> str | None:
        """
        Return the path that *text* names; None and a finding if it cannot be known.
        """
        if text.known:
            return os.path.normpath(os.path.join(self._folder, text.known))
        if not self._collector.is_unresolved(text, f"{self._file}: {member}"):
            self._collector.damaged(self._path, causes.MEMBER_NO_FILE.say(member=member))
        return None

    def _text(self, value: object, member: str) -> Text | None:
        if isinstance(value, str):
            return self._variables.expand(value, file=self._file)
        if value is not None:
            self._collector.damaged(self._path, causes.MEMBER_NO_STRING.say(member=member))
        return None

    def _texts(self, value: object, member: str) -> list[Text]:
        values = value if isinstance(value, list) else [value]
        return [text for one in values if (text := self._text(one, member)) is not None]

    def _member(
        self,
        owner: Mapping[str, object],
        name: str,
        kind: type[dict[str, object]],
        inside: str = "",
    ) -> dict[str, object] | None:
        value = owner.get(name)
        if isinstance(value, kind):
            return value
        if value is not None:
            self._collector.damaged(self._path, causes.MEMBER_NO_OBJECT.say(member=inside + name))
        return None


class _Options:
    """
    Options for docker build that change which images it pulls.

    Attributes:
        args: Build arguments.
        contexts: Additional build contexts.
        platform: To build for, or None.
    """

    def __init__(self, options: list[str], environ: Mapping[str, str]) -> None:
        self.args: dict[str, Text] = {}
        self.contexts: dict[str, str] = {}
        self.platform: str | None = None
        words = iter(options)
        for word in words:
            name, equals, value = word.partition("=")
            if name not in ("--build-arg", "--build-context", "--platform"):
                continue
            value = value if equals else next(words, "")
            key, given, text = value.partition("=")
            if name == "--platform":
                self.platform = value.partition(",")[0]
            elif name == "--build-context":
                self.contexts[key] = text
            elif given or key in environ:
                self.args[key] = plain(text if given else environ[key])
