# SPDX-License-Identifier: MIT
"""
What an answer means for the outcome, in words that can be shown to anybody.

An authenticator may be a stranger's, and its errors may quote what it was given: no error gets
into a report but as a new one, without its cause, with every value of the set masked.
"""

from __future__ import annotations

import time
from dataclasses import replace

from .. import authenticators as plugins
from ..errors import (
    AuthenticationError,
    DiscoveryError,
    InvalidRegistryError,
    RegistryError,
    UnreachableError,
)
from ..registry import split_image
from .masking import masked, shapes

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..credentials import Credential, RegistrySecret
    from ..report import Outcome
    from .asking import Job

# What the members of a set are called where a login comes from elsewhere.
_CALLED = {
    "DOCKER_AUTH_CONFIG": {
        "USER and *_PASSWORD": "user name and password in DOCKER_AUTH_CONFIG",
        "USER": "the user name in DOCKER_AUTH_CONFIG",
        "PASSWORD": "the password in DOCKER_AUTH_CONFIG",
        "SERVER": "the host in DOCKER_AUTH_CONFIG",
    },
    "CI_REGISTRY": {
        "USER": "CI_REGISTRY_USER",
        "PASSWORD": "CI_REGISTRY_PASSWORD",
        "SERVER": "CI_REGISTRY",
    },
}

# A shorter user name, such as AWS, would be found in half of all sentences.
_USERNAME_MIN = 8


def verdict(job: Job) -> Outcome:
    """
    The outcome of *job*, before anything is kept: `ok` and `unverified` may be.
    """
    outcome = replace(
        job.outcome,
        attempts=job.attempts,
        elapsed=(job.finished or time.monotonic()) - job.started,
        expires_at=job.credential.expires_at if job.credential is not None else None,
    )
    if job.error is not None:
        return _troubled(job, outcome, job.error)
    if job.check is None:
        return replace(outcome, status="ok")
    outcome = replace(outcome, status="ok", verified=job.check.verified, realm=job.check.realm)
    if job.check.code is None:
        return outcome
    said = RegistryError(job.check.message, hint=job.check.hint, code=job.check.code)
    said = _said(job, said)
    return replace(outcome, code=said.code, error=said)


def _troubled(job: Job, outcome: Outcome, error: RegistryError) -> Outcome:
    error = _said(job, error)
    outcome = replace(outcome, code=error.code, error=error)
    match error:
        case AuthenticationError():
            return replace(outcome, status="rejected")
        case DiscoveryError() | InvalidRegistryError():
            return replace(outcome, status="incomplete")
        case UnreachableError() if _may_be_kept(job):
            return replace(outcome, status="unverified")
        case _:
            return replace(outcome, status="failed")


def _may_be_kept(job: Job) -> bool:
    # A cloud's token that no registry has seen is worth nothing that the next run would not get.
    if job.credential is None:
        return False
    try:
        return not plugins.is_exchange(job.authenticator, job.secret)
    except Exception:  # noqa: BLE001  (a plugin that cannot say is taken at its worst)
        return False


def _said(job: Job, error: RegistryError) -> RegistryError:
    """
    *error* anew, with what the registry's kind knows of it for a hint.
    """
    try:
        explained = job.hint or plugins.explain(job.authenticator, job.secret, error)
        hint = explained or error.hint
    except Exception:  # noqa: BLE001  (a plugin's word too many must not cost the outcome)
        hint = error.hint
    return vetted(error, job, hint=hint)


def vetted(error: RegistryError, job: Job, *, hint: str | None = None) -> RegistryError:
    """
    *error* anew: one line, without its cause, and with every value of *job*'s set masked.

    Args:
        error: Perhaps a stranger's.
        job: Whose error it is.
        hint: In place of its own.
    """
    names = _names(job.secret, job.credential)
    hint = error.hint if hint is None else hint
    called = _CALLED.get(job.secret.id, {}) if job.secret.implicit else {}
    # The nearest class of our own, since a stranger's may hold anything.
    kind: type[RegistryError] = next(
        k for k in type(error).__mro__ if k.__module__ == RegistryError.__module__
    )
    return kind(
        _as_called(_one_line(masked(str(error.message), names)), job.secret.id, called),
        hint=_as_called(_one_line(masked(str(hint), names)), job.secret.id, called),
        code=_one_line(masked(str(error.code), names)),
    )


def _as_called(text: str, set_id: str, called: Mapping[str, str]) -> str:
    """
    *text*, which names the members of a set, for a login that comes from elsewhere.
    """
    for member, name in called.items():
        text = text.replace(f"*_{member}", name)
        text = text.replace(f"{set_id}_CONTAINER_REGISTRY_{member}", name)
    return text


def _names(secret: RegistrySecret, credential: Credential | None) -> dict[str, str]:
    """
    What to show instead of each value of *secret*: the name of its variable; `****` for a secret.
    """
    prefix = f"{secret.id}_CONTAINER_REGISTRY_"
    members = {
        "USER": secret.username if len(secret.username or "") >= _USERNAME_MIN else None,
        "REGION": secret.region,
        "ROLE_ARN": secret.role_arn,
        "PROFILE": secret.profile,
        "TENANT": secret.tenant,
        "CA_FILE": secret.ca_file,
    }
    names = {value: prefix + member for member, value in members.items() if value}
    if secret.image:
        names |= dict.fromkeys(_spellings(secret.image), f"{prefix}IMAGE")
    for hidden in (secret.secret, secret.session_token, credential and credential.secret):
        if hidden:
            names |= dict.fromkeys(shapes(hidden.reveal(), username=secret.username), "****")
    # A registry is shown in every line, so nothing of its name is a secret.
    return {value: name for value, name in names.items() if value not in secret.registry}


def _spellings(image: str) -> tuple[str, ...]:
    try:
        _, name, reference = split_image(image)
    except InvalidRegistryError:
        return (image,)
    return (image, f"{name}:{reference}", name)


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
