# SPDX-License-Identifier: MIT
"""
Checking a credential as `docker login` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import AuthenticationError
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
        return Check(
            verified=False,
            code="not-checked",
            message=f"{registry} answers without a login, so nothing was proven",
            hint="set *_IMAGE to a private image, or expect to see at the first pull",
        )
    # Also where an image is to be pulled: some token servers give the world's token to a wrong
    # password, and with that a public image can be pulled.
    conversation.log_in(ping)
    if conversation.oddity:
        who = conversation.realm or registry
        return Check(
            verified=True,
            code="docker-cannot-read",
            realm=conversation.realm,
            message=f"{registry} accepts the login, but docker cannot read it: "
            f"{conversation.oddity}",
            hint=f"tell whoever runs {who}; docker pull fails until that is mended",
        )
    if not name:
        # Without a login 401, with it 200 at the same URL: see `Conversation.log_in`.
        return Check(verified=True, realm=conversation.realm)
    return _check_pull(conversation, name, reference)


def _check_pull(conversation: Conversation, name: str, reference: str) -> Check:
    registry, realm = conversation.registry, conversation.realm
    denied = Check(
        verified=True,
        code="pull-denied",
        realm=realm,
        message=f"{registry} accepts the login but denies a pull of {name}",
        hint=f"give it permission to read {name}",
    )
    try:
        authorization = conversation.authorize(name, "pull")
    except AuthenticationError:
        return denied
    response = conversation.manifest(name, reference, authorization)
    if response.status == 200 and is_manifest(response):
        # What ends in a manifest was handed out to this login by the registry.
        return Check(verified=True, realm=realm)
    if response.status == 200 or response.redirected:
        where = f" at {place(response.url)}" if response.redirected else ""
        return Check(
            verified=True,
            code="not-checked",
            realm=realm,
            message=f"{registry} accepts the login; whether {name} can be pulled was not "
            f"proven: the answer{where} is no manifest",
            hint="pull the image to see; a proxy or a sign-in page may answer in between",
        )
    if response.status == 404:
        return Check(
            verified=True,
            code="image-not-found",
            realm=realm,
            message=f"{registry} has no image {name}:{reference} that this login may see",
            hint="check *_IMAGE, and that the login may read that repository",
        )
    if response.status not in (401, 403):
        raise refusals.error(response, registry)
    return denied
