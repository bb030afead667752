# SPDX-License-Identifier: MIT
"""
The order of a diagnosis, the same as docker's.
"""

from __future__ import annotations

import os
import threading
from dataclasses import replace
from functools import partial

from ..causes import image as image_causes
from ..causes import network as network_causes
from ..errors import AuthenticationError, RegistryError
from ..network.conversation import Conversation
from ..network.transport import Transport
from ..observer import ignore, observed
from ..registry import Registry
from ..threads import Worker, deadline_after, try_start
from .credential import find_credential
from .engine import Engine
from .identity import set_steps
from .image import ImageCheck
from .login import anonymously, ignored_step, login_step, public_step
from .missing import blamed, why_none
from .network import network_step
from .report import Diagnosis, ImageDiagnosis, Step, failed
from .scene import Scene, Target, configured_target, of_sets, target_of
from .variables import config_step

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ..config.file import DockerConfig
    from ..credentials import Secret
    from ..discovery import Incomplete
    from ..observer import Observer
    from .credential import Answer

# Seconds after the deadline for what keeps to it.
_GRACE = 0.2
_FINDINGS_MAX = 100


@observed
def diagnose(
    images: Iterable[str] = (),
    *,
    environ: Mapping[str, str] | None = None,
    secrets_file: str | None = None,
    config: DockerConfig | None = None,
    workspace: str | None = None,
    push: bool = False,
    timeout: float = 30.0,
    observe: Observer = ignore,
) -> Diagnosis:
    """
    Find out why *images* cannot be pulled, and the fix.

    Read only: it writes neither config.json nor the cache.  A credential goes only to its registry,
    that registry's token server, and the Docker Engine over a local socket, ssh or verified TLS.  A
    refused credential is not sent again.

    Args:
        images: References for `docker pull`, or registries; empty: the images of the dev container
            configuration in *workspace*, and the registries of all sets.
        environ: All variables; None: `os.environ`.
        secrets_file: Path of a JSON file of variables, in the dev container CLI's format.
        config: The config.json to read; None: docker's own.
        workspace: Path of the project's folder; None: the working directory.
        push: Whether to check a push as well.
        timeout: Seconds for everything.
        observe: Called with each step as it ends, also from other threads; see `Observer`.

    Returns:
        One `ImageDiagnosis` for each image.  Failures of a registry, file or engine are never
        raised.

    Raises:
        TypeError: *images* is one text instead of several.
        ValueError: *timeout* is no number of seconds above 0.
    """
    if isinstance(images, str):
        msg = "images takes several references: write images=[...]"
        raise TypeError(msg)
    environ = os.environ if environ is None else environ
    deadline = deadline_after(timeout)
    scene = Scene(environ=environ, secrets_file=secrets_file, config=config, deadline=deadline)
    named = list(dict.fromkeys(images))
    invalid: list[ImageDiagnosis] = []
    targets: list[Target] = []
    for image in named:
        target = target_of(image)
        if target is None:
            invalid.append(_invalid(image))
        else:
            targets.append(target)
    findings, unresolved = scene.found.findings, 0
    if not named:
        from .images import images_of  # imports YAML, only needed without *images*

        configured = images_of(_here() if workspace is None else workspace, environ)
        # A file may be damaged in many places; a few findings are enough.
        unresolved = min(len(configured.findings), _FINDINGS_MAX)
        findings = (*configured.findings[:_FINDINGS_MAX], *findings)
        targets = [*filter(None, map(configured_target, configured.images)), *of_sets(scene)]
        invalid = [_unusable(i) for i in scene.found.incomplete if not (i.registry or i.empty)]
    with Transport(environ=environ) as transport:
        run = _Run(scene, transport, push=push, observe=observe)
        done = run.all(targets)
    return Diagnosis(images=(*done, *invalid), findings=findings, unresolved=unresolved)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:
        return "/nonexistent"  # it was removed, and nothing is configured there


def _invalid(image: str) -> ImageDiagnosis:
    """
    Return the diagnosis of an invalid *image*; it is quoted only if it nearly is a reference.
    """
    error: RegistryError = image_causes.INVALID_IMAGE.error()
    bare = image.rpartition("://")[2].strip("/")
    host, slash, rest = bare.partition("/")
    lower = f"{host}/{rest.lower()}" if slash else bare.lower()
    if bare != image and target_of(bare) is not None:
        error = image_causes.HAS_SCHEME.error(image=image, right=bare)
    elif lower != image and target_of(lower) is not None:
        error = image_causes.UPPER_CASE.error(image=image, right=lower)
    step = failed("image", "not an image reference", error)
    return ImageDiagnosis(image=image, registry=None, steps=(step,))


def _unusable(broken: Incomplete) -> ImageDiagnosis:
    step = failed("variables", broken.source, broken.error, {"set": broken.id})
    return ImageDiagnosis(image=None, registry=None, origin="variables", steps=(step,))


class _Run:
    """
    State of one diagnosis, shared by its threads.
    """

    def __init__(
        self, scene: Scene, transport: Transport, *, push: bool, observe: Observer
    ) -> None:
        self._scene = scene
        self._transport = transport
        self._push = push
        self._observe = observe
        self._engine = Engine(scene)
        self._engine_ready = threading.Event()
        self._steps: dict[Target, tuple[Step, ...]] = {}
        self._crashes: list[Exception] = []

    def all(self, targets: Sequence[Target]) -> list[ImageDiagnosis]:
        """
        Diagnose all *targets*, in their order; all registries at once.
        """
        hosts: dict[str, dict[tuple[str, bool], list[Target]]] = {}
        for target in targets:
            # Docker looks the host up as it is spelled; the dev container CLI in its own order.
            key = target.registry.config_key, target.origin == "feature"
            hosts.setdefault(str(target.registry), {}).setdefault(key, []).append(target)
        if any(target.name for target in targets):
            looking = Worker(self._look_for_engine)
            if not try_start(looking):
                self._look_for_engine()
        self._at_once([partial(self._host, list(each.values())) for each in hosts.values()])
        if self._crashes:
            raise self._crashes[0]
        return [
            ImageDiagnosis(
                image=target.image,
                registry=Registry(str(target.registry)),
                origin=target.origin,
                where=target.where,
                by_host=bool(target.where) and self._scene.in_container,
                steps=self._steps.get(target) or (_late(target),),
            )
            for target in targets
        ]

    def _look_for_engine(self) -> None:
        try:
            self._engine.look()
        finally:
            self._engine_ready.set()

    def _host(self, groups: Sequence[Sequence[Target]]) -> None:
        """
        Diagnose the groups of one host in turn, so that a refused login is not sent again.
        """
        refused: dict[tuple[str, Secret], Step] = {}
        for group in groups:
            self._registry(group, refused)

    def _registry(self, targets: Sequence[Target], refused: dict[tuple[str, Secret], Step]) -> None:
        """
        Run the steps that the images of one registry share, then the steps of each image.
        """
        scene, first = self._scene, targets[0]
        config, unread = config_step(scene, first.registry)
        answer = find_credential(scene, first, unread)
        steps = [*set_steps(scene, first.registry), config, answer.step]
        if not any(t.name for t in targets) and _is_anonymous(answer):
            # Without an image there is nothing to pull anonymously: the missing login is the cause.
            steps = blamed(steps, answer.why_none or why_none(scene, first), unread)
        conversation = Conversation(
            first.registry,
            answer.credential,
            transport=self._transport,
            timeout=scene.left(),
            ca_file=answer.secret.ca_file if answer.secret is not None else None,
        )
        if answer.goes_on or not _has_failed(steps):
            network, ping = network_step(scene, conversation)
            steps.append(network)
            if ping is not None:
                steps.append(
                    _once(
                        refused,
                        answer,
                        partial(login_step, scene, first, answer, conversation, ping),
                    )
                )
        self._tell(first, steps)
        for target in targets:
            self._steps[target] = tuple(steps)
        broken = next((step for step in steps if step.error is not None), None)
        goes_on = broken is None or (broken is answer.step and answer.goes_on)
        then = self._image if goes_on and _has_login(steps) else self._public
        self._at_once([partial(then, t, answer, conversation, unread) for t in targets if t.name])

    def _public(
        self,
        target: Target,
        answer: Answer,
        conversation: Conversation,
        unread: RegistryError | None,
    ) -> None:
        """
        Check whether *target* is readable without a login after the login failed.
        """
        *steps, last = self._steps[target]
        if last.name != "login" or last.facts.get("code") == "refused-before":
            return
        anonymous = anonymously(target, conversation)
        if anonymous is None:
            return
        # The dev container CLI retries without the login.
        if not conversation.is_ignored and target.origin != "feature":
            self._steps[target] = (*steps, public_step(target, answer, last))
            return
        self._steps[target] = (*steps, ignored_step(target, answer))
        self._image(target, replace(answer, credential=None), anonymous, unread)

    def _image(
        self,
        target: Target,
        answer: Answer,
        conversation: Conversation,
        unread: RegistryError | None,
    ) -> None:
        shared = list(self._steps[target])
        if _is_anonymous(answer) and answer.why_none is None:
            answer = replace(answer, why_none=why_none(self._scene, target))
        steps = [ImageCheck(self._scene, target, answer, conversation).step(push=self._push)]
        if steps[-1].status != "fail":
            self._engine_ready.wait(self._scene.left())
            steps.append(self._engine.step(target, answer.credential))
        self._tell(target, steps)
        why = steps[-1].error
        if why is not None and why is answer.why_none:
            shared = blamed(shared, why, unread)
        self._steps[target] = (*shared, *steps)

    def _tell(self, target: Target, steps: Iterable[Step]) -> None:
        for step in steps:
            self._observe(
                "doctor.step",
                registry=target.registry,
                step=step.name,
                status=step.status,
                code=step.error.code if step.error is not None else None,
            )

    def _at_once(self, calls: Sequence[Callable[[], object]]) -> None:
        """
        Make all *calls*, each in a thread, and wait for them until the deadline.
        """
        here = list(calls[:1])
        threads = []
        for call in calls[1:]:
            thread = Worker(self._guarded, call)
            if try_start(thread):
                threads.append(thread)
            else:
                here.append(call)
        for call in here:
            self._guarded(call)
        for thread in threads:
            thread.join(self._scene.left() + _GRACE)

    def _guarded(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as exc:  # noqa: BLE001  (a bug, which `all` raises again)
            self._crashes.append(exc)


def _once(
    refused: dict[tuple[str, Secret], Step], answer: Answer, log_in: Callable[[], Step]
) -> Step:
    """
    Return the step of *log_in*, or the earlier one that refused the same credential.
    """
    credential = answer.credential
    if credential is None:
        return log_in()
    key = credential.username, credential.secret
    step = refused.get(key) or log_in()
    if isinstance(step.error, AuthenticationError):
        refused[key] = step
    return step


def _is_anonymous(answer: Answer) -> bool:
    return answer.credential is None and answer.step.status != "fail"


def _has_failed(steps: Iterable[Step]) -> bool:
    return any(step.error is not None for step in steps)


def _has_login(steps: Sequence[Step]) -> bool:
    return steps[-1].name == "login" and steps[-1].error is None


def _late(target: Target) -> Step:
    error = network_causes.OUT_OF_TIME.error(registry=target.registry)
    return failed("network", "no answer in time", error)
