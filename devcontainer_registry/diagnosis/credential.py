# SPDX-License-Identifier: MIT
"""
Step 3: the credential that docker would send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ..cache.entry import Entry
from ..cache.memory import credential_of as credential_in
from ..causes import credential as credential_causes
from ..causes import missing as missing_causes
from ..config.auth_entry import credential_of, folded
from ..credentials import Credential, RegistrySecret, Secret, token_claims, token_expiry
from ..discovery import logins_in
from ..errors import ConfigError, RegistryError, printable
from ..files import find_program
from ..keychain.other_helpers import ask_helper
from ..naming import HELPER_PREFIX, HELPER_PROGRAM, OF_VSCODE, OUR_HELPER
from ..registry import Registry
from .report import Step, moment, span
from .variables import expiry_of, password_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..causes.cause import Cause
    from .report import Status
    from .scene import Scene, Target

_HELPER_MAX = 5.0  # seconds
# Its token lasts an hour and has no issue time.
# https://cloud.google.com/artifact-registry/docs/docker/authentication#token
_GOOGLE_TOKEN = "oauth2accesstoken"  # noqa: S105  (a user name)
_AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
# The first docker that reads it: https://docs.docker.com/engine/release-notes/28/#2830
_READS_AUTH_CONFIG = (28, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    The source that docker asks for a registry, and its answer.

    Attributes:
        step: The step to report.
        credential: Credential that docker would send; None: docker sends none.
        place: Its source, for messages.
        rule: Part of docker's configuration that applies, or `none`.
        secret: Set for the registry, or None.
        is_of_set: Whether the credential comes from the set.
        why_none: Why there is no credential; None: `missing.why_none` finds the reason.
        goes_on: Whether `docker pull` continues although the step failed.
    """

    step: Step
    credential: Credential | None = None
    place: str = ""
    rule: str = "none"
    secret: RegistrySecret | None = None
    is_of_set: bool = False
    why_none: RegistryError | None = None
    goes_on: bool = False


def find_credential(scene: Scene, target: Target, unread: RegistryError | None) -> Answer:
    """
    Return the source that docker asks for *target*, and its answer.

    Args:
        scene: Files and variables to read.
        target: The image or registry.
        unread: Why docker reads no login from config.json, or None.
    """
    look = _Look(scene, target)
    answer = look.up(unread)
    return replace(answer, secret=look.secret)


class _Look:
    def __init__(self, scene: Scene, target: Target) -> None:
        self._scene = scene
        self._target = target
        self._registry = target.registry
        # The cache uses the host alone, however an image spells it.
        self._host = Registry(str(target.registry))
        self.secret = scene.secret_of(target.registry)
        self._facts = scene.facts_of(target)

    def up(self, unread: RegistryError | None) -> Answer:
        scene, registry = self._scene, self._registry
        found = self._of_dev_container_cli() if self._target.origin == "feature" else None
        if found is not None:
            return self._found(found, "DEVCONTAINERS_OCI_AUTH", "DEVCONTAINERS_OCI_AUTH")
        login = logins_in(scene.environ.get(_AUTH_CONFIG, "")).get(registry.config_key)
        too_old = self._docker_that_ignores_it() if login is not None else None
        if login is not None and too_old is None:
            return self._found(login, _AUTH_CONFIG, _AUTH_CONFIG)
        if unread is not None or scene.document is None:
            return self._none("none", unread)
        rule, helper = scene.document.rule(registry)
        if helper == OUR_HELPER and find_program(HELPER_PROGRAM, scene.environ) is not None:
            return self._of_our_helper(rule)
        if helper is not None:
            return self._of_helper(rule, helper)
        return self._of_entry(scene.document.entry(registry), too_old)

    def _of_entry(self, entry: dict[str, object] | None, too_old: RegistryError | None) -> Answer:
        if entry and folded(entry).get("registrytoken"):
            return self._registry_token()
        credential = credential_of(entry) if entry else None
        if credential is not None:
            return self._of_auths(credential)
        token = self._scene.environ.get("GITHUB_TOKEN")
        if self._target.origin == "feature" and self._registry == "ghcr.io" and token:
            github = Credential(username="USERNAME", secret=Secret(token))
            return self._found(github, "GITHUB_TOKEN", "GITHUB_TOKEN")
        return self._none("none", too_old)

    # What is found.

    def _found(
        self, credential: Credential, rule: str, place: str, *, saved: float | None = None
    ) -> Answer:
        scene = self._scene
        ends = credential.expires_at or self._expiry_in(credential)
        is_of_set = self._is_of_set(credential, saved=saved is not None)
        said = f"from {place}"
        if saved is not None:
            said += f", saved by this tool {moment(saved, now=scene.now)}"
        if ends is not None and ends <= scene.now:
            return self._expired(scene.now - ends, rule, place, saved=saved, is_of_set=is_of_set)
        if ends is not None:
            said += f", expires in {span(ends - scene.now)}"
        elif credential.username == _GOOGLE_TOKEN:
            said += ", expiry unknown"
        differs = self.secret is not None and not is_of_set and saved is None
        if self.secret is not None and differs:
            said += f"; not the login of {self.secret.source}"
        # Not the user name: at some registries it is the token.
        facts: dict[str, object] = {"rule": rule, "expires_at": ends}
        facts |= {"saved_at": saved, "of_set": is_of_set}
        return Answer(
            step=Step(
                name="credential", status="note" if differs else "ok", message=said, facts=facts
            ),
            credential=credential,
            place=place,
            rule=rule,
            is_of_set=is_of_set,
        )

    def _is_of_set(self, credential: Credential, *, saved: bool) -> bool:
        secret = self.secret
        if secret is None:
            return False
        if secret.secret is not None and secret.secret == credential.secret:
            return True
        # A cloud's token cannot be compared with the set.
        return saved and secret.username != credential.username

    def _expiry_in(self, credential: Credential) -> float | None:
        if credential.is_identity_token:
            return token_expiry(token_claims(credential.secret.reveal()))
        as_set = RegistrySecret(
            id="TOKEN",
            registry=self._host,
            source="",
            username=credential.username,
            secret=credential.secret,
        )
        return expiry_of(self._scene, as_set)

    def _expired(
        self, ago: float, rule: str, place: str, *, saved: float | None, is_of_set: bool
    ) -> Answer:
        facts = {**self._facts, "ago": span(ago), "source": place}
        cause: Cause[RegistryError]
        if saved is not None:
            unseen = missing_causes.EXPIRED_UNSEEN_IN_AUTHS if self.secret is None else None
            cause = missing_causes.EXPIRED_IN_AUTHS.with_fix(unseen)
        else:
            cause = missing_causes.TOKEN_OVER
            if is_of_set and self.secret is not None:
                cause = cause.with_fix(missing_causes.TOKEN_OVER_OF_SET)
                facts["password"] = password_of(self.secret)
        return self._failed(cause.error(**facts), f"expired {span(ago)} ago", rule, place)

    def _of_auths(self, credential: Credential) -> Answer:
        scene = self._scene
        saved = None
        if scene.memory.wrote(self._host, credential):
            credential = scene.memory.with_life(self._host, credential)
            saved = self._entry().at
        return self._found(credential, "auths", "auths", saved=saved)

    def _entry(self) -> Entry:
        try:
            return Entry.read(self._scene.cache, self._host)
        except ConfigError:
            return Entry()

    def _of_our_helper(self, rule: str) -> Answer:
        """
        Return the answer of our helper without a renewal.
        """
        scene = self._scene
        entry = self._entry()
        place = f"our credential helper ({rule})"
        if entry.is_erased:
            return self._none(rule, missing_causes.ERASED_BY_LOGOUT.error(**self._facts))
        if entry.has_credential and entry.works(now=scene.now):
            return self._found(credential_in(entry), rule, place, saved=entry.at or scene.now)
        if not entry.has_credential and self.secret is None:
            return self._none(rule, missing_causes.OUR_HELPER_HAS_NO_LOGIN.error(**self._facts))
        if not entry.has_credential:
            due = missing_causes.FIRST_USE_DUE.error(**self._facts)
            return self._failed(
                due, "no login yet; the helper gets one", rule, place, status="skipped"
            )
        ago = span(scene.now - (entry.expires_at or scene.now))
        if self.secret is not None:
            due = missing_causes.RENEWAL_DUE.error(**self._facts, ago=ago)
            seen = f"expired {ago} ago; renewed at the next pull"
            return self._failed(due, seen, rule, place, status="skipped")
        unseen = missing_causes.EXPIRED_UNSEEN.error(**self._facts, ago=ago)
        seen = f"expired {ago} ago; its variables are not set here"
        return self._failed(unseen, seen, rule, place)

    def _of_helper(self, rule: str, helper: str) -> Answer:
        scene = self._scene
        program = printable(HELPER_PREFIX + helper)
        place = f"{program} ({rule})"
        timeout = round(min(_HELPER_MAX, scene.left()), 1)
        try:
            credential = ask_helper(
                helper, self._registry.config_key, environ=scene.environ, timeout=timeout
            )
        except RegistryError as exc:
            return self._fallen_back(exc, _seen_of(exc, program), rule)
        if credential is not None:
            return self._found(credential, rule, place)
        facts = {**self._facts, "program": program, "rule": rule}
        assert scene.document is not None
        if rule == "credsStore" and scene.document.has_login(self._registry):
            vscode = helper.startswith(OF_VSCODE)
            hidden = (
                missing_causes.LOGIN_HIDDEN_BY_VSCODE
                if vscode
                else missing_causes.LOGIN_HIDDEN_BY_STORE
            )
            return self._none(rule, hidden.error(**facts), seen=f"{program} has no login")
        none = missing_causes.HELPER_HAS_NO_LOGIN.error(**facts)
        return self._none(rule, none, seen=f"{program} has no login")

    # What is not found.

    def _failed(
        self, error: RegistryError, seen: str, rule: str, place: str, *, status: Status = "fail"
    ) -> Answer:
        facts = {"rule": rule, "code": error.code}
        step = Step(name="credential", status=status, message=seen, facts=facts, error=error)
        return Answer(step=step, rule=rule, place=place)

    def _fallen_back(self, exc: RegistryError, seen: str, rule: str) -> Answer:
        """
        Return the answer for a failing helper: docker pull uses `auths`, other commands fail.

        https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/native_store.go (Get)
        """
        assert self._scene.document is not None
        message = exc.message.replace("config.json", rule, 1)
        said = missing_causes.OTHERS_FAIL.say(message=message)
        error = type(exc)(said, hint=exc.hint, code=exc.code)
        credential = self._scene.document.auth(self._registry)
        answer = self._failed(error, seen, rule, "auths")
        return replace(
            answer,
            credential=credential,
            why_none=None if credential is not None else error,
            is_of_set=credential is not None and self._is_of_set(credential, saved=False),
            goes_on=True,
        )

    def _registry_token(self) -> Answer:
        error = credential_causes.REGISTRY_TOKEN.error(host=self._registry)
        return self._failed(error, "a registrytoken in auths", "auths", "auths")

    def _none(self, rule: str, why: RegistryError | None, *, seen: str = "none") -> Answer:
        step = Step(
            name="credential",
            status="note",
            message=f"{seen}; Docker asks without a login",
            facts={"rule": rule},
        )
        return Answer(step=step, rule=rule, why_none=why)

    # Clients.

    def _of_dev_container_cli(self) -> Credential | None:
        """
        Return the login in `DEVCONTAINERS_OCI_AUTH`: `HOST|USER|TOKEN`, separated by commas.

        https://github.com/devcontainers/cli/blob/v0.80.0/src/spec-configuration/httpOCIRegistry.ts
        """
        for each in self._scene.environ.get("DEVCONTAINERS_OCI_AUTH", "").split(","):
            host, _, pair = each.partition("|")
            user, _, token = pair.partition("|")
            if host == self._registry and user and token:
                return Credential(username=user, secret=Secret(token))
        return None

    def _docker_that_ignores_it(self) -> RegistryError | None:
        version = self._scene.docker_version()
        numbers = tuple(map(int, re.findall(r"\d+", version)[:2]))
        if not version or numbers >= _READS_AUTH_CONFIG:
            return None
        return missing_causes.DOCKER_IS_TOO_OLD.error(**self._facts, version=version)


def _seen_of(error: RegistryError, program: str) -> str:
    words = {
        "helper-missing": "is not on PATH",
        "helper-hangs": f"gave no answer within {_HELPER_MAX:.0f} s",
    }
    return f"{program} {words.get(error.code, 'failed')}"
