# SPDX-License-Identifier: MIT
"""
Step 6: the image.
"""

from __future__ import annotations

import difflib
import json
import re
from dataclasses import replace
from urllib.parse import urlencode

from ..causes import image as image_causes
from ..causes import missing as missing_causes
from ..credentials import token_claims
from ..errors import AuthenticationError, RegistryError
from ..naming import this_platform
from ..network import refusals
from ..network.answers import PULLED, is_manifest
from ..network.conversation import Conversation
from ..network.urls import Url, place
from .report import Step, failed
from .variables import explained, with_hint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..network.transport import Response
    from .credential import Answer
    from .scene import Scene, Target

_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
# Tags per answer.  A tag has at most 128 characters, so the answer fits the limit.
_TAGS = 400
_PAGES_MAX = 10


class ImageCheck:
    """
    The image check of one target.
    """

    def __init__(
        self, scene: Scene, target: Target, answer: Answer, conversation: Conversation
    ) -> None:
        self._scene = scene
        self._target = target
        self._answer = answer
        self._talk = conversation
        self._facts: dict[str, object] = {
            "registry": target.registry,
            "name": target.name,
            "tag": target.reference,
            "digest": target.reference,
            "place": answer.place,
        }

    def step(self, *, push: bool) -> Step:
        """
        Check that docker can read the manifest and, with *push*, write to the repository.
        """
        target = self._target
        try:
            authorization = self._talk.authorize(target.name, "pull")
            response = self._talk.manifest(target.name, target.reference, authorization)
            if response.status == 200 and is_manifest(response):
                return self._readable(response, authorization, push=push)
            return self._unreadable(response, authorization)
        except AuthenticationError:
            return self._denied("the token server refuses it")
        except RegistryError as exc:
            return failed("image", exc.message, exc)

    def _readable(self, response: Response, authorization: str | None, *, push: bool) -> Step:
        target = self._target
        digest = (response.header("Docker-Content-Digest") or "").strip()
        media_type = (response.header("Content-Type") or "").partition(";")[0].strip()
        facts: dict[str, object] = {"digest": digest, "media_type": media_type}
        if media_type in _INDEXES:
            missing = self._without_platform(authorization)
            if missing is not None:
                return missing
        message = f"{target.name}{'@' if target.is_digest else ':'}{target.reference} is there"
        if push:
            return self._with_push(message, facts)
        return Step(name="image", status="ok", message=message, facts=facts)

    def _unreadable(self, response: Response, authorization: str | None) -> Step:
        target, status = self._target, response.status
        seen = f"HEAD manifests/{target.reference}: {status}"
        if status in (401, 403):
            return self._denied(seen)
        if status == 404 and not response.redirected:
            seen, error = self._absent(seen, authorization)
            return failed("image", seen, error, {"nearest": self._facts.get("nearest", [])})
        if status == 200 or response.redirected:
            where = f" (at {place(response.url)})" if response.redirected else ""
            error = image_causes.NOT_A_MANIFEST.error(**self._facts, where=where)
            return failed("image", seen, error)
        raise refusals.error(response, self._talk.registry)

    def _denied(self, seen: str) -> Step:
        answer = self._answer
        if answer.credential is None:
            error = answer.why_none or missing_causes.NO_LOGIN.error(**self._facts)
            return failed("image", "denied without a login", error)
        if not self._talk.asks_for_login:
            return failed("image", seen, image_causes.LOGIN_NOT_ASKED_FOR.error(**self._facts))
        secret = answer.secret if answer.is_of_set else None
        knows = explained(self._scene, secret, "pull-denied") if secret is not None else ""
        if knows and secret is not None:
            facts = {**self._facts, "source": secret.source}
            error = with_hint(image_causes.PULL_DENIED_OF_KIND.error(**facts), knows)
            return failed("image", seen, error)
        return failed("image", seen, image_causes.PULL_DENIED_TO_USER.error(**self._facts))

    def _absent(self, seen: str, authorization: str | None) -> tuple[str, RegistryError]:
        """
        Return the cause: the tag, the digest or the repository is missing.
        """
        target = self._target
        status, tags = self._tags(authorization)
        if tags:
            near = difflib.get_close_matches(target.reference, tags, n=3, cutoff=0.0)
            if target.is_digest:  # which is spelled like no tag
                near = ["latest"] if "latest" in tags else tags[-1:]
            facts = {**self._facts, "nearest": ", ".join(near), "first": near[0]}
            cause = (
                image_causes.DIGEST_NOT_FOUND if target.is_digest else image_causes.TAG_NOT_FOUND
            )
            self._facts["nearest"] = near
            return f'no tag "{target.reference}" among {len(tags)}', cause.error(**facts)
        if self._answer.credential is None:
            why = self._answer.why_none
            # A reason why docker has no login is more likely the cause.
            if why is not None and why.code != "no-login":
                return seen, why
            return seen, image_causes.NOT_FOUND_ANONYMOUSLY.error(**self._facts)
        if status == 200:
            return seen, image_causes.REPOSITORY_EMPTY.error(**self._facts)
        if status == 404:
            return seen, image_causes.REPOSITORY_NOT_FOUND.error(**self._facts)
        return seen, image_causes.IMAGE_NOT_SEEN.error(**self._facts)

    def _tags(self, authorization: str | None) -> tuple[int, list[str]]:
        """
        Return the tags of the repository, a few thousand at most, and the status.
        """
        name, tags, last, status = self._target.name, [], "", 0
        for _ in range(_PAGES_MAX):
            query = urlencode({"n": _TAGS, **({"last": last} if last else {})})
            response = self._talk.request("GET", f"{name}/tags/list?{query}", authorization)
            status = status or response.status
            if response.status != 200:
                break
            found = refusals.json_object(response.body).get("tags")
            page = [t for t in found if _is_tag(t)] if isinstance(found, list) else []
            tags += page
            if not response.header("Link") or not page or page[-1] == last:
                break
            last = page[-1]
        return status, tags

    def _without_platform(self, authorization: str | None) -> Step | None:
        """
        Return the failed step if the index has no image for this platform, else None.
        """
        target, wanted = self._target, _wanted_platform(self._scene.environ)
        path, accept = f"{target.name}/manifests/{target.reference}", ", ".join(PULLED)
        try:
            response = self._talk.request("GET", path, authorization, accept=accept)
        except RegistryError:
            return None  # it exists; its content is up to the engine
        platforms = _platforms_in(response.body) if response.status == 200 else []
        if not platforms or any(_serves(each, wanted) for each in platforms):
            return None
        shown = ", ".join(platforms[:6])
        facts = {**self._facts, "wanted": wanted, "platforms": shown, "first": platforms[0]}
        return failed("image", f"no manifest for {wanted}", image_causes.NO_PLATFORM.error(**facts))

    # Pushing.

    def _with_push(self, message: str, facts: dict[str, object]) -> Step:
        may = self._may_push()
        facts["push"] = may
        if may is None:
            error = image_causes.PUSH_NOT_CHECKED.error(**self._facts)
            seen = f"{message}; push: not checked"
            return replace(failed("image", seen, error, facts), status="skipped")
        if may:
            return Step(name="image", status="ok", message=f"{message}; push allowed", facts=facts)
        return failed("image", "push denied", image_causes.PUSH_DENIED.error(**self._facts))

    def _may_push(self) -> bool | None:
        """
        Check whether a push is allowed: by the token's claim, or by an upload that is cancelled.
        """
        name = self._target.name
        try:
            authorization = self._talk.authorize(name, "pull", "push")
        except AuthenticationError:
            return False
        token = (authorization or "").removeprefix("Bearer ")
        claimed = _actions_in(token, name)
        if claimed is not None:
            return "push" in claimed or "*" in claimed
        try:
            opened = self._talk.request("POST", f"{name}/blobs/uploads/", authorization)
            if opened.status in (401, 403):
                return False
            upload = _upload_of(opened) if opened.status == 202 else None
            if upload is None:
                return None
            closed = self._talk.request("DELETE", upload, authorization)
        except RegistryError:
            return None
        return True if 200 <= closed.status < 300 else None


def _is_tag(found: object) -> bool:
    # Other texts may control the terminal.
    return (
        isinstance(found, str)
        and re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,127}", found, re.ASCII) is not None
    )


def _actions_in(token: str, name: str) -> list[str] | None:
    """
    Return the actions on the repository *name* that *token* claims; None if unknown.

    https://github.com/distribution/distribution/blob/v2.8.3/docs/spec/auth/jwt.md (access)
    """
    access = token_claims(token).get("access")
    if not isinstance(access, list):
        return None
    return [
        str(action)
        for grant in access
        if isinstance(grant, dict) and grant.get("name") == name
        for action in grant.get("actions") or ()
    ]


def _upload_of(response: Response) -> str | None:
    """
    Return the path below `/v2/` of the upload in *response* if it is on the same host, or None.
    """
    asked = Url.parse(response.url)
    location = response.header("Location")
    target = asked.join(location) if asked is not None and location else None
    if asked is None or target is None or not asked.same_origin(target):
        return None
    return target.target.removeprefix("/v2/") if target.target.startswith("/v2/") else None


def _platforms_in(body: bytes) -> list[str]:
    try:
        manifests = json.loads(body)["manifests"]
        found = [each["platform"] for each in manifests if "platform" in each]
        names = [f"{p['os']}/{p['architecture']}" for p in found]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
    # Attestations are in the index as well.
    return [
        n
        for n in dict.fromkeys(names)
        if re.fullmatch(r"[\w.-]+/[\w.-]+", n) and "unknown" not in n
    ]


def _wanted_platform(environ: Mapping[str, str]) -> str:
    named = environ.get("DOCKER_DEFAULT_PLATFORM", "")
    if re.fullmatch(r"[\w.-]+/[\w.-]+(/[\w.-]+)?", named):
        return named
    return this_platform()


def _serves(offered: str, wanted: str) -> bool:
    return wanted == offered or wanted.startswith(f"{offered}/")
