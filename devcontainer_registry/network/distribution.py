# SPDX-License-Identifier: MIT
"""
Check of a credential, as `docker login` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..causes import image as image_causes
from ..causes import login as login_causes
from ..errors import AuthenticationError, RegistryError
from ..registry import repository_in
from . import refusals
from .answers import is_manifest
from .conversation import Conversation
from .urls import place

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Credential
    from ..registry import Registry
    from .transport import Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """
    Result for a credential that the registry did not refuse.

    Attributes:
        verified: Whether acceptance is proven: the registry itself answered 200 with the credential
            or its token, and 401 to the same request without a login.
        code: None, or `not-checked` (not proven), `pull-denied`, `image-not-found`,
            `docker-cannot-read`.
        realm: Host of the token server, if it is not the registry's.
        message: Explanation of *code*, in one line.
        hint: The fix, beginning with a verb.
    """

    verified: bool
    code: str | None = None
    realm: str | None = None
    message: str = ""
    hint: str = ""


def check(
    registry: Registry,
    credential: Credential,
    *,
    transport: Transport,
    timeout: float,
    image: str | None = None,
    ca_file: str | None = None,
) -> Check:
    """
    Check that *registry* accepts *credential* and, with *image*, that it can be pulled.

    A refused credential is sent once.

    Args:
        registry: Registry to contact.
        credential: Credential to check.
        transport: Sends the requests.
        timeout: Seconds for all requests.
        image: Image of that registry, with or without the registry's name.
        ca_file: Path of an additional PEM bundle to trust.

    Raises:
        AuthenticationError: The registry or its token server refused.
        TransientError: No answer, or the server was busy; see `retry_after`.
        UnreachableError: The server cannot be reached, or must not get the credential.
        InvalidRegistryError: *image* is invalid or of another registry.
        RegistryError: `not-a-registry`: the answer is not a registry's.
    """
    name, reference = repository_in(image, registry) if image else ("", "")
    conversation = Conversation(
        registry, credential, transport=transport, timeout=timeout, ca_file=ca_file
    )
    ping = conversation.ping()
    if ping.status == 200:
        return _remark(login_causes.NOT_CHECKED.error(host=registry), verified=False)
    # Also with an image: some token servers issue an anonymous token for a wrong password, which
    # can pull a public image.
    conversation.log_in(ping)
    realm = conversation.realm
    if conversation.oddity:
        odd = login_causes.DOCKER_CANNOT_READ.error(
            host=registry, oddity=conversation.oddity, realm=realm or registry
        )
        return _remark(odd, realm=realm)
    if not name:
        # 401 without and 200 with the login at the same URL: see `Conversation.log_in`.
        return Check(verified=True, realm=realm)
    said = _check_pull(conversation, name, reference)
    # The registry served the manifest to this login.
    return Check(verified=True, realm=realm) if said is None else _remark(said, realm=realm)


def _remark(said: RegistryError, *, verified: bool = True, realm: str | None = None) -> Check:
    return Check(
        verified=verified, code=said.code, realm=realm, message=said.message, hint=said.hint
    )


def _check_pull(conversation: Conversation, name: str, reference: str) -> RegistryError | None:
    """
    Return why a pull of *name* was not proven to work; None if it was.
    """
    facts = {"host": conversation.registry, "name": name, "reference": reference}
    denied = image_causes.PULL_DENIED.error(**facts)
    try:
        authorization = conversation.authorize(name, "pull")
    except AuthenticationError:
        return denied
    response = conversation.manifest(name, reference, authorization)
    if response.status == 200 and is_manifest(response):
        return None
    if response.redirected:
        return image_causes.NO_MANIFEST_ELSEWHERE.error(**facts, place=place(response.url))
    if response.status == 200:
        return image_causes.NO_MANIFEST.error(**facts)
    if response.status == 404:
        return image_causes.IMAGE_NOT_FOUND.error(**facts)
    if response.status not in (401, 403):
        raise refusals.error(response, conversation.registry)
    return denied
