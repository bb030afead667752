# SPDX-License-Identifier: MIT
"""
Obtaining a credential again for the helper, from the secrets that are visible to it.
"""

from __future__ import annotations

import time
from dataclasses import replace

from . import authenticators as plugins
from ._ask import Job, RetryPolicy, ask_all
from ._memory import Memory
from ._verdict import vetted
from .discovery import discover
from .errors import AuthenticationError, ConfigError, PluginError, RegistryError
from .helper import NOT_FOUND, has_credential
from .observer import ignore
from .report import Outcome

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .cache import Cache
    from .credentials import Credential, RegistrySecret
    from .registry import Registry

# One more than a single lost packet needs; there is no time for others.
_TRIES = 2

# What an authenticator is told to keep to, of the time that there is; the rest is for the cache.
_SHARE = 0.9


def secret_for(registry: Registry, environ: Mapping[str, str]) -> RegistrySecret | None:
    """
    The set for *registry* that is visible in *environ*.
    """
    return next((s for s in discover(environ).secrets if s.registry == registry), None)


def renew(
    registry: Registry,
    entry: Mapping[str, Any] | None,
    *,
    cache: Cache,
    environ: Mapping[str, str],
    timeout: float,
) -> dict[str, Any]:
    """
    Get a credential for *registry* and keep it; the caller holds the registry's lock.

    Args:
        registry: For whom.
        entry: What is kept; None: nothing.
        cache: Where to keep it.
        environ: Variables, as this process sees them.
        timeout: Seconds.

    Returns:
        The new entry.

    Raises:
        RegistryError: With what the user should know.
    """
    deadline = time.monotonic() + _SHARE * timeout
    kept = dict(entry) if entry is not None and has_credential(entry) else None
    secret = secret_for(registry, environ)
    if secret is None:
        raise _invisible() if kept else RegistryError(NOT_FOUND, code="not-found")
    kind, authenticator = plugins.choose(secret, plugins.load())
    try:
        exchanged = plugins.is_exchange(authenticator, secret)
    except Exception as exc:  # noqa: BLE001  (somebody else's plugin may raise anything)
        # Without its text, which nobody has vetted for secrets.
        raise plugins.failure(kind, f"failed: {type(exc).__name__}") from None
    memory = Memory(cache, "")
    if not exchanged:
        _refuse_static(secret, memory, kept=kept is not None)
    job = Job(0, secret, authenticator, _outcome(secret, kind))
    # A secret that is sent as it is must have been accepted once; a cloud's token is new.
    for _ in ask_all(
        [job],
        environ=environ,
        verified=not exchanged,
        retry=RetryPolicy(attempts=_TRIES),
        deadline=deadline,
        observe=ignore,
    ):
        pass
    error = job.error
    if error is None and job.credential is None:
        error = PluginError(f"no credential came for {registry}", code="plugin-failed")
    if error is not None:
        if isinstance(error, AuthenticationError) and not exchanged:
            memory.note(secret, "refused")  # a hook's next run must not send it again, either
        # Anew: a stranger's may quote the secret, and docker shows what we say.
        raise vetted(error, job) from None
    assert job.credential is not None
    return _kept(kept, secret, job.credential, cache=cache, memory=memory, verified=not exchanged)


def _refuse_static(secret: RegistrySecret, memory: Memory, *, kept: bool) -> None:
    """
    Raise where asking with a static secret can bring nothing, or only harm.
    """
    if kept:
        # What it became is what is kept; a changed one is a login's business.
        raise RegistryError(
            f"{secret.source} holds what was logged in with, which can't be renewed",
            hint="put a new one in its place, and run devcontainer-registry login",
            code="secret-static",
        )
    if memory.recall(secret).was_refused(now=time.time()):
        raise AuthenticationError(
            f"{secret.registry} refused the user name and password of {secret.source} a moment ago",
            hint="put the right ones in their place, and run devcontainer-registry login",
        )


def _kept(
    old: dict[str, Any] | None,
    secret: RegistrySecret,
    credential: Credential,
    *,
    cache: Cache,
    memory: Memory,
    verified: bool,
) -> dict[str, Any]:
    """
    The new entry; on the disk, too, if that takes it: what was obtained works without.
    """
    if credential.issued_at is None:
        credential = replace(credential, issued_at=time.time())
    new = {
        "credential": {"Username": credential.username, "Secret": credential.secret.reveal()},
        "issued_at": credential.issued_at,
        "expires_at": credential.expires_at,
    }
    if old is None:
        memory.note(
            secret, "verified" if verified else "unverified", credential=credential, served=True
        )
        return new
    try:
        # As it is by now: what a login noted while we asked has to stay, or it would take the
        # entry that it wrote for one by hand.
        kept = cache.read(secret.registry) or old
        for member in ("failed_at", "failure", "failure_code", "by_hand"):
            kept.pop(member, None)
        cache.write(secret.registry, {**kept, **new})
    except ConfigError:
        pass  # the next one asks again
    return new


def _invisible() -> RegistryError:
    return RegistryError(
        "the secrets to renew it with are not visible to docker's credential helper",
        hint="run devcontainer-registry login where they are, or set them where docker runs, as "
        "remoteEnv does",
        code="secrets-not-visible",
    )


def _outcome(secret: RegistrySecret, kind: str) -> Outcome:
    return Outcome(
        id=secret.id, registry=secret.registry, source=secret.source, kind=kind, status="found"
    )
