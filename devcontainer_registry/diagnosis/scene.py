# SPDX-License-Identifier: MIT
"""
Inputs that all steps of a diagnosis share, read once.
"""

from __future__ import annotations

import os
import re
import subprocess
import time
from dataclasses import dataclass, replace

from .. import authenticators as plugins
from ..cache.folder import Cache
from ..cache.memory import Memory
from ..config.file import DockerConfig, Document
from ..credentials import RegistrySecret
from ..discovery import discover
from ..errors import ConfigError, InvalidRegistryError, PluginError, RegistryError
from ..files import find_program
from ..keychain.target import parse_target
from ..registry import Registry, split_image

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..authenticators import Authenticator
    from ..discovery import Incomplete
    from .images import FoundImage
    from .report import Origin

# Files that container engines create in every container, and variables of attached editors.
_MARKS = ("/.dockerenv", "/run/.containerenv")
_VERSION_MAX = 5.0  # seconds
_VARIABLES = ("REMOTE_CONTAINERS", "CODESPACES", "DEVPOD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """
    An image or registry to diagnose.

    Attributes:
        image: Reference as given; None if a registry was named.
        registry: Spelled as docker looks it up (see `config_key`).
        name: The repository, or "".
        reference: Tag or digest, or "".
        origin: Source that named it.
        where: Place in the configuration, or "".
    """

    image: str | None
    registry: Registry
    name: str = ""
    reference: str = ""
    origin: Origin = "argument"
    where: str = ""

    @property
    def is_digest(self) -> bool:
        """
        Whether the reference is a digest.
        """
        return ":" in self.reference


class Scene:
    """
    The environment, config.json and the cache, read only.

    Attributes:
        environ: All variables.
        found: Sets of variables and their faults.
        config: The config.json, or None if it cannot be located.
        document: Its content, or None if it cannot be read.
        config_error: Why it cannot be located or read, or None.
        cache: Cache that our helper reads.
        memory: Results of earlier runs.
        now: Current time, in Unix seconds.
        deadline: Deadline by `time.monotonic`.
    """

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        secrets_file: str | None,
        config: DockerConfig | None,
        deadline: float,
    ) -> None:
        self.environ = environ
        self.deadline = deadline
        self.now = time.time()
        self.found = discover(environ, secrets_file=secrets_file)
        self.cache = Cache.locate(environ)
        self.config: DockerConfig | None = None
        self.document: Document | None = None
        self.config_error: ConfigError | None = None
        try:
            self.config = config or DockerConfig.locate(environ)
            self.document = self.config.read()
            self.config_error = self.config.refusal
        except ConfigError as exc:
            self.config_error = exc
        self.memory = Memory(self.cache, self.config_path)
        self._installed: plugins.Installed | None = None

    @property
    def config_path(self) -> str:
        """
        Path of config.json; "" if it cannot be located.
        """
        return self.config.path if self.config is not None else ""

    @property
    def in_container(self) -> bool:
        """
        Whether this process runs in a container.
        """
        return any(map(os.path.exists, _MARKS)) or any(map(self.environ.get, _VARIABLES))

    def left(self) -> float:
        """
        Seconds until the deadline, at least a tenth.
        """
        return max(0.1, self.deadline - time.monotonic())

    def home(self, path: str) -> str:
        """
        Return *path* with `~` for the home folder.
        """
        home = self.environ.get("HOME", "").rstrip("/")
        return f"~{path[len(home) :]}" if home and path.startswith(f"{home}/") else path

    def docker_version(self) -> str:
        """
        Return the version of the docker command on PATH; "" if there is none.
        """
        program = find_program("docker", self.environ)
        if program is None:
            return ""
        try:
            done = subprocess.run(  # noqa: S603  (the docker that the user would run)
                [program, "--version"],
                check=False,
                capture_output=True,
                text=True,
                env=dict(self.environ),
                stdin=subprocess.DEVNULL,
                timeout=min(_VERSION_MAX, self.left()),
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        found = re.search(r"\b(\d+\.\d+[\w.+~-]*)", done.stdout)
        return found[1] if found else ""

    def facts_of(self, target: Target) -> dict[str, object]:
        """
        Return the facts about *target* that most causes need.
        """
        registry, secret = target.registry, self.secret_of(target.registry)
        return {
            "registry": registry if registry == "docker.io" else registry.config_key,
            "name": target.name or "it",
            "config": self.home(self.config_path) or "config.json",
            "id": secret.id if secret is not None else "<ID>",
        }

    def secret_of(self, registry: Registry) -> RegistrySecret | None:
        """
        Return the set for *registry*, or None.
        """
        return next((s for s in self.found.secrets if s.registry == registry), None)

    def incomplete_of(self, registry: Registry) -> Incomplete | None:
        """
        Return the unusable set for *registry*, or None.
        """
        return next(
            (i for i in self.found.incomplete if i.registry == registry and not i.empty), None
        )

    def authenticator_of(self, secret: RegistrySecret) -> Authenticator | None:
        """
        Return the built-in authenticator for *secret*; a diagnosis runs no plugins.
        """
        if self._installed is None:
            self._installed = {
                kind: plugin
                for kind, plugin in plugins.load([plugins.FALLBACK], give_up=self.deadline).items()
                if isinstance(plugin, PluginError) or plugins.is_ours(plugin)
            }
        try:
            return plugins.choose(secret, self._installed)[1]
        except RegistryError:
            return None


def target_of(image: str) -> Target | None:
    """
    Return the target of *image*, a reference or a registry; None if it is neither.
    """
    scheme, _, rest = image.rpartition("://")
    if scheme and rest.strip("/").partition("/")[2]:
        return None  # a URL with a path; only a registry's URL is accepted
    try:
        registry, name = parse_target(image)
        reference = split_image(image)[2] if name else ""
    except InvalidRegistryError:
        return None
    if not name:
        return Target(image=None, registry=registry)
    return Target(image=image, registry=registry, name=name, reference=reference)


def of_sets(scene: Scene) -> list[Target]:
    """
    Return targets for the registries of all sets.
    """
    found = [s.registry for s in scene.found.secrets]
    found += [i.registry for i in scene.found.incomplete if i.registry and not i.empty]
    return [Target(image=None, registry=r, origin="variables") for r in dict.fromkeys(found)]


def configured_target(found: FoundImage) -> Target | None:
    """
    Return the target of *found*, an image in the configuration.
    """
    target = target_of(found.reference)
    # It is an image, even if it looks like a registry.
    if target is None or not target.name:
        return None
    return replace(target, origin=found.origin, where=found.where)
