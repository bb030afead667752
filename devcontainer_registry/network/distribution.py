# SPDX-License-Identifier: MIT
"""
Checking a credential as `docker login` does.
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
    What a registry made of a credential that it did not refuse.

    Attributes:
        verified: Whether the registry proved to have accepted it: the registry itself answered 200
            to it, or to the token that it got with it, at the URL that was asked, and 401 to the
            same request without a login.
        code: None, or `not-checked` (something was not proven), `pull-denied`, `image-not-found`,
            `docker-cannot-read`.
        realm: The host of the token server, where it is not the registry's own.
        message: What *code* means here, in one line.
        hint: What to do about it, beginning with a verb.
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
    Ask *registry* whether it accepts *credential*; with *image*, also whether that can be pulled.

    A refused credential has gone out once.

    Args:
        registry: Whom to ask.
        credential: What to ask about.
        transport: How.
        timeout: Seconds for everything.
        image: An image of that registry; its name may leave the registry out.
        ca_file: Path of a PEM bundle to trust in addition.

    Raises:
        AuthenticationError: The registry or its token server said no.
        TransientError: Nobody answered, or somebody was busy; `retry_after` may say for how long.
        UnreachableError: Nobody could be asked, or whoever could must not be.
        InvalidRegistryError: *image* is none, or another registry's.
        RegistryError: `not-a-registry`: the answer is no registry's.
    """
    name, reference = repository_in(image, registry) if image else ("", "")
    conversation = Conversation(
        registry, credential, transport=transport, timeout=timeout, ca_file=ca_file
    )
    ping = conversation.ping()
    if ping.status == 200:
        return _remark(login_causes.NOT_CHECKED.error(host=registry), verified=False)
    # Also where an image is to be pulled: some token servers give the world's token to a wrong
    # password, and with that a public image can be pulled.
    conversation.log_in(ping)
    realm = conversation.realm
    if conversation.oddity:
        odd = login_causes.DOCKER_CANNOT_READ.error(
            host=registry, oddity=conversation.oddity, realm=realm or registry
        )
        return _remark(odd, realm=realm)
    if not name:
        # Without a login 401, with it 200 at the same URL: see `Conversation.log_in`.
        return Check(verified=True, realm=realm)
    said = _check_pull(conversation, name, reference)
    # What ends in a manifest was handed out to this login by the registry.
    return Check(verified=True, realm=realm) if said is None else _remark(said, realm=realm)


def _remark(said: RegistryError, *, verified: bool = True, realm: str | None = None) -> Check:
    return Check(
        verified=verified, code=said.code, realm=realm, message=said.message, hint=said.hint
    )


def _check_pull(conversation: Conversation, name: str, reference: str) -> RegistryError | None:
    """
    Why *name* was not proven to be there for a pull; None: it was.
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
