# SPDX-License-Identifier: MIT
"""
Step 5: a login with the credential that docker would send.
"""

from __future__ import annotations

from ..causes import login as login_causes
from ..causes import missing as missing_causes
from ..causes.cause import ANY_ID
from ..errors import AuthenticationError, RegistryError
from ..network.answers import is_manifest
from .report import Step, failed, moment
from .variables import explained, hint_of, password_of, with_hint

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..network.conversation import Conversation
    from ..network.transport import Response
    from .credential import Answer
    from .scene import Scene, Target


def login_step(
    scene: Scene, target: Target, answer: Answer, conversation: Conversation, ping: Response
) -> Step:
    """
    Log in once with the credential that docker would send.
    """
    registry = conversation.registry
    if answer.credential is None:
        try:
            if ping.status == 401:
                conversation.read_challenge(ping)
        except RegistryError as exc:
            return failed("login", exc.message, exc)
        return Step(name="login", status="ok", message="none: asked without one")
    if ping.status == 200:
        message = f"{registry} answers without a login: not checked"
        return Step(name="login", status="skipped", message=message)
    refused = _refused_before(scene, answer)
    try:
        if refused is not None:
            raise refused
        conversation.log_in(ping)
    except AuthenticationError as exc:
        error = exc if exc is refused else _refused(scene, target, answer, exc)
        seen = exc.message if exc is not refused else "refused before; not sent again"
        return failed("login", seen, error)
    except RegistryError as exc:
        return failed("login", exc.message, exc)
    facts = {"realm": conversation.realm}
    message = f"{registry} accepts the login"
    if conversation.realm:
        message += f" through {conversation.realm}"
    return Step(name="login", status="ok", message=message, facts=facts)


def _refused_before(scene: Scene, answer: Answer) -> AuthenticationError | None:
    """
    Return the error if the credential was refused a moment ago: a retry may lock the account.
    """
    secret = answer.secret
    if secret is None or not answer.is_of_set:
        return None
    recalled = scene.memory.recall(secret)
    if not recalled.was_refused(now=scene.now):
        return None
    error = login_causes.SET_REFUSED_BEFORE.error(
        registry=secret.registry,
        source=secret.source,
        time=moment(recalled.at, now=scene.now),
        password=password_of(secret),
        id=secret.id,
    )
    assert isinstance(error, AuthenticationError)
    return error


def _refused(
    scene: Scene, target: Target, answer: Answer, error: AuthenticationError
) -> RegistryError:
    """
    Return the cause of a refusal, by the source and shape of the credential.
    """
    secret, registry = answer.secret, target.registry
    facts: dict[str, object] = {
        "registry": registry,
        "place": answer.place,
        "config": scene.home(scene.config_path),
        "name": target.name,
    }
    if error.code != "rejected":
        # It says itself why.
        if secret is not None:
            hint = error.hint.replace(ANY_ID, secret.id)
        else:
            expired = error.code == "token-expired"
            hint = missing_causes.NEW_TOKEN.say(registry=registry) if expired else ""
        return with_hint(error, hint)
    if secret is not None:
        facts |= {"source": secret.source, "id": secret.id, "password": password_of(secret)}
        if not answer.is_of_set:
            return login_causes.SENDS_OLD_LOGIN.error(**facts)
        hint = hint_of(scene, secret)
        if hint:
            knows = explained(scene, secret, "rejected")
            error = login_causes.REFUSED_SET_OF_KIND.error(**facts, hint=hint)
            return with_hint(error, knows)
        return login_causes.REFUSED_SET.error(**facts)
    by_helper = answer.rule in ("credHelpers", "credsStore")
    return (login_causes.REFUSED_BY_HELPER if by_helper else login_causes.REFUSED_BY_HAND).error(
        **facts
    )


def anonymously(target: Target, conversation: Conversation) -> Conversation | None:
    """
    Return an anonymous conversation if *target* is readable without a login, else None.
    """
    anonymous = conversation.without_login()
    try:
        ping = anonymous.ping()
        if ping.status == 401:
            anonymous.read_challenge(ping)
        authorization = anonymous.authorize(target.name, "pull")
        response = anonymous.manifest(target.name, target.reference, authorization)
    except RegistryError:
        return None
    return anonymous if response.status == 200 and is_manifest(response) else None


def ignored_step(target: Target, answer: Answer) -> Step:
    """
    Return the login step for a wrong login that the registry ignores.
    """
    message = f"{target.registry} ignores the login from {answer.place}, which is wrong"
    return Step(name="login", status="note", message=message)


def public_step(target: Target, answer: Answer, last: Step) -> Step:
    """
    Return the failed login step *last* for an image that is readable without a login.
    """
    facts = {"registry": target.registry, "place": answer.place}
    fix = None
    if answer.secret is not None:
        fix = login_causes.REFUSED_BUT_PUBLIC_OF_SET
        facts["password"] = password_of(answer.secret)
    elif answer.rule not in ("auths", "none"):
        fix = login_causes.REFUSED_BUT_PUBLIC_OF_HELPER
    error = login_causes.REFUSED_BUT_PUBLIC.with_fix(fix).error(**facts)
    return failed("login", last.message, error)
