# SPDX-License-Identifier: MIT
"""
Reasons why docker has no login for a registry.
"""

from __future__ import annotations

import os
from dataclasses import replace

from ..causes import login as login_causes
from ..causes import missing as missing_causes
from ..config.file import DockerConfig
from ..discovery import entries_in, logins_in
from ..errors import ConfigError, DiscoveryError, RegistryError
from ..identities.named import problem
from ..keychain.podman import login_of_podman
from ..registry import Registry
from .report import moment
from .variables import near_miss, password_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..causes.cause import Cause
    from ..credentials import Finding
    from .report import Step
    from .scene import Scene, Target

_AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
_HELPER_MAX = 5.0  # seconds


def why_none(scene: Scene, target: Target) -> RegistryError:
    """
    Return the most likely reason why docker has no login for the registry of *target*.
    """
    return _Reasons(scene, target).first()


def blamed(steps: list[Step], why: RegistryError, unread: RegistryError | None) -> list[Step]:
    """
    Return *steps* with the step marked as failed that *why* belongs to.
    """
    name = "credential"
    if why is unread:
        name = "config"
    elif isinstance(why, DiscoveryError):
        of_set = [step for step in steps if step.name in ("variables", "identity")]
        name = next((s.name for s in of_set if s.facts.get("code") == why.code), name)
    return [
        replace(step, status="fail", error=why) if step.name == name else step for step in steps
    ]


class _Reasons:
    def __init__(self, scene: Scene, target: Target) -> None:
        self._scene = scene
        self._target = target
        self._registry = target.registry
        self._facts = scene.facts_of(target)
        self.secret = scene.secret_of(target.registry)

    def first(self) -> RegistryError:
        """
        Return the most likely reason.
        """
        return (
            self._of_set()
            or self._elsewhere()
            or self._of_variables()
            or self._none().error(**self._facts)
        )

    def _none(self) -> Cause[DiscoveryError]:
        named = self._target.name
        return missing_causes.NO_LOGIN if named else missing_causes.NO_LOGIN_TO_REGISTRY

    def _of_set(self) -> RegistryError | None:
        """
        Return the fault of the registry's set, or its last refusal.
        """
        scene, secret = self._scene, self.secret
        broken = scene.incomplete_of(self._registry)
        if broken is not None:
            return self._typo(broken.error) if broken.error.code == "near-miss" else broken.error
        if secret is None:
            return None
        trouble = problem(secret)
        if trouble is not None:
            return trouble
        recalled = scene.memory.recall(secret)
        if recalled.state == "refused":
            return login_causes.SET_REFUSED_BEFORE.error(
                **self._facts,
                source=secret.source,
                time=moment(recalled.at, now=scene.now),
                password=password_of(secret),
            )
        elsewhere = self._elsewhere()
        return elsewhere or missing_causes.LOGIN_NOT_RUN.error(**self._facts, source=secret.source)

    def _of_variables(self) -> RegistryError | None:
        """
        Return faults of variables that may belong to this registry.
        """
        scene = self._scene
        near = near_miss(scene)
        if near is not None:
            return self._typo(near)
        unknown = [i for i in scene.found.incomplete if i.registry is None]
        return unknown[0].error if unknown else None

    def _typo(self, near: RegistryError | Finding) -> RegistryError:
        return missing_causes.NO_LOGIN_BUT_TYPO.error(
            **self._facts, typo=near.message, fix=near.hint
        )

    def _elsewhere(self) -> RegistryError | None:
        """
        Return the error for a login in a place that docker does not read.
        """
        scene, registry, facts = self._scene, self._registry, self._facts
        text = scene.environ.get(_AUTH_CONFIG, "")
        if text and not logins_in(text) and self._stands_in(text):
            return missing_causes.DOCKER_IGNORES_VARIABLE.error(**facts)
        for key in self._other_keys():
            same_host = key.lower() == registry.config_key.lower()
            cause = (
                missing_causes.LOGIN_UNDER_OTHER_SPELLING
                if same_host
                else missing_causes.LOGIN_FOR_OTHER_PORT
            )
            return cause.error(**facts, key=key, host=key)
        other = self._other_config()
        if other is not None:
            named = "DOCKER_CONFIG" in scene.environ
            cause = (
                missing_causes.LOGIN_IN_OTHER_CONFIG
                if named
                else missing_causes.LOGIN_OF_OTHER_USER
            )
            return cause.error(**facts, other=other)
        try:
            plain = Registry(str(registry))
            login = login_of_podman(plain, self._target.name, scene.environ, _HELPER_MAX)
        except RegistryError:
            login = None
        return missing_causes.LOGIN_IN_PODMAN_ONLY.error(**facts) if login is not None else None

    def _stands_in(self, text: str) -> bool:
        try:
            return self._registry.config_key in entries_in(text)
        except ValueError:
            return False

    def _other_keys(self) -> list[str]:
        document = self._scene.document
        if document is None:
            return []
        own = self._registry.config_key
        host = str(self._registry).partition(":")[0].lower()
        return [
            key
            for key in document.login_keys()
            if key != own and key.partition(":")[0].lower() == host
        ]

    def _other_config(self) -> str | None:
        """
        Return the path of another config.json with the login, or None.
        """
        scene = self._scene
        homes = [scene.environ.get("HOME", ""), _home_of(os.getuid()), _home_of(0)]
        own = os.path.realpath(scene.config_path) if scene.config_path else ""
        for home in dict.fromkeys(filter(None, homes)):
            path = os.path.join(home, ".docker", "config.json")
            if os.path.realpath(path) == own:
                continue
            try:
                document = DockerConfig(path).read()
            except (ConfigError, OSError):
                continue
            if document.has_login(self._registry) or document.helper(self._registry):
                return scene.home(path)
        return None


def _home_of(user: int) -> str:
    import pwd

    try:
        return pwd.getpwuid(user).pw_dir
    except KeyError:
        return ""
