# SPDX-License-Identifier: MIT
"""
Obtaining a credential again for the helper, from the secrets that are visible to it.
"""

from __future__ import annotations

import time

from . import authenticators as plugins
from ._ask import Job, RetryPolicy, ask_all
from .discovery import discover
from .errors import PluginError, RegistryError
from .observer import ignore
from .report import Outcome

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from .cache import Cache
    from .credentials import RegistrySecret
    from .registry import Registry

# The helper's own sentence for "nothing for that host": docker goes on anonymously.
_NOT_FOUND = "credentials not found in native keychain"


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
        entry: What is kept, with a credential past half of its life; None: nothing.
        cache: Where to keep it.
        environ: Variables, as this process sees them.
        timeout: Seconds.

    Returns:
        The new entry.

    Raises:
        RegistryError: With what the user should know.  A failure of the cloud's is remembered, so
            that the next `get` within a minute does not wait for it again.
    """
    secret = next((s for s in discover(environ).secrets if s.registry == registry), None)
    if secret is None:
        raise _invisible(registry, entry)
    kind, authenticator = _chosen(secret)
    job = Job(0, secret, authenticator, _outcome(secret, kind))
    kept = dict(entry or {})
    # A static secret is only served once a registry has accepted it; a cloud's token is new.
    verified = not plugins.is_exchange(authenticator, secret)
    for _ in ask_all(
        [job],
        environ=environ,
        verified=verified,
        retry=RetryPolicy(attempts=2),
        deadline=time.monotonic() + timeout,
        observe=ignore,
    ):
        pass
    if job.error is not None or job.credential is None:
        error = job.error or PluginError(f"no credential came for {registry}")
        failure = f"{error.message}; {error.hint}" if error.hint else error.message
        if "credential" in kept:
            cache.write(registry, {**kept, "failed_at": time.time(), "failure": failure})
        raise error
    for member in ("failed_at", "failure", "by_hand"):
        kept.pop(member, None)
    kept |= {
        "credential": {
            "Username": job.credential.username,
            "Secret": job.credential.secret.reveal(),
        },
        "at": time.time(),
        "issued_at": job.credential.issued_at,
        "expires_at": job.credential.expires_at,
    }
    cache.write(registry, kept)
    return kept


def _invisible(registry: Registry, entry: Mapping[str, Any] | None) -> RegistryError:
    if entry is None or "credential" not in entry:
        return RegistryError(_NOT_FOUND, code="not-found")
    return RegistryError(
        f"the credential for {registry} is past its time, and its secrets are not visible here to "
        "renew it",
        hint="run devcontainer-registry login where they are, or set them in containerEnv",
        code="secrets-not-visible",
    )


def _chosen(secret: RegistrySecret) -> tuple[str, plugins.Authenticator]:
    return plugins.choose(secret, plugins.load())


def _outcome(secret: RegistrySecret, kind: str) -> Outcome:
    return Outcome(
        id=secret.id, registry=secret.registry, source=secret.source, kind=kind, status="found"
    )
