# SPDX-License-Identifier: MIT
"""
Serves a cached credential, and renews it when due.

A fresh credential is served from the cache.  After half of its lifetime, it is renewed under the
lock of its registry, so that parallel pulls cause one request.  A failed renewal is recorded for a
minute; meanwhile a credential that still works is served.
"""

from __future__ import annotations

import time

from ..cache.entry import Entry
from ..causes import credential as causes
from ..causes import plugins as plugin_causes
from ..errors import ConfigError, RegistryError

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..cache.entry import State
    from ..cache.folder import Cache
    from ..cache.memory import Memory
    from ..credentials import Credential, RegistrySecret
    from ..registry import Registry
    from ..report import Outcome
    from .outcomes import Job

# A `get` must not hang a `docker build`, which asks for every host, one after the other: 5 seconds
# in all, of which an interpreter on a busy machine needs its part to start.
ANSWER_WITHIN = 4.5  # seconds

# Classic builds and compose ask for every host, one after the other, and then again.
FAILURE_KEPT_FOR = 60.0  # seconds

# While another process renews; a `docker login` may end it earlier.
_LOOK_AGAIN = 0.25  # seconds

# Minimum time for a request to a cloud, including the import of its SDK.
_TOO_SHORT = 0.5  # seconds

# One retry covers a lost packet; there is no time for more.
_TRIES = 2

# Share of the time for the authenticator; the rest is for the cache.
_SHARE = 0.9

# Codes of failures that depend on this process only.
_NOT_REMEMBERED = ("not-found", "secrets-not-visible")


def serve(
    registry: Registry,
    cache: Cache,
    environ: Mapping[str, str],
    *,
    timeout: float = ANSWER_WITHIN,
) -> Entry:
    """
    Return an entry for *registry* whose credential can be served, renewed if that is due.

    Args:
        registry: Registry of the credential.
        cache: Cache with its entry.
        environ: Variables that may hold the secrets for a renewal.
        timeout: Seconds for a renewal.

    Raises:
        RegistryError: There is no usable credential, and why the renewal failed.  Its code is
            `not-found` if nothing is saved and no set applies.
    """
    entry = Entry.read(cache, registry)
    if entry.is_servable(now=time.time()):
        return entry
    if entry.is_empty and _secret_for(registry, environ) is None:
        raise _not_found()  # and so nothing is made for it, either
    give_up = time.monotonic() + timeout
    result: Entry | RegistryError | None = _known_failure(entry)
    while result is None:
        try:
            # Parallel pulls wait here for one renewal.
            with cache.lock(registry, timeout=_LOOK_AGAIN):
                entry = Entry.read(cache, registry)
                result = _settled(entry) or _renew(registry, entry, cache, environ, give_up)
        except RegistryError as exc:  # noqa: PERF203  (one try is one look)
            if exc.code != "cache-locked":
                result = exc
                break
            entry = Entry.read(cache, registry)
            result = _settled(entry) or (_busy(registry) if time.monotonic() > give_up else None)
    return result if isinstance(result, Entry) else _fallback(registry, entry, result)


def _settled(entry: Entry) -> Entry | RegistryError | None:
    """
    Return the result of another process, if any.
    """
    return entry if entry.is_servable(now=time.time()) else _known_failure(entry)


def _known_failure(entry: Entry) -> RegistryError | None:
    """
    Return why a request is useless: the login was erased, or a renewal just failed.
    """
    if entry.is_erased:
        return _not_found()
    return entry.failure(now=time.time(), within=FAILURE_KEPT_FOR)


def _renew(
    registry: Registry, entry: Entry, cache: Cache, environ: Mapping[str, str], give_up: float
) -> Entry | RegistryError:
    """
    Return a new entry by *give_up*, or why not, which is remembered.  The caller holds the lock.
    """
    left = give_up - time.monotonic()
    if left < _TOO_SHORT:
        return _busy(registry)
    from ..observer import tell
    from ..threads import within

    tell("renewal.started", registry=registry)
    late = causes.RENEWAL_TIMED_OUT.error(host=registry)
    try:
        # A plugin may hang beyond our timeouts, even during its import.
        return within(
            left,
            lambda: _obtain(
                registry, entry, cache=cache, environ=environ, timeout=give_up - time.monotonic()
            ),
            late=late,
        )
    except RegistryError as exc:
        result = exc
    except BaseException as exc:  # noqa: BLE001  (without its text, which nobody has vetted)
        result = causes.RENEWAL_FAILED.error(error=type(exc).__name__)
    if result.code not in _NOT_REMEMBERED:
        try:
            # Read it again: a refusal was recorded there.
            current = Entry.read(cache, registry)
            current.with_failure(result, at=time.time()).write(cache, registry)
        except ConfigError:
            pass  # it is asked again; the first error matters
    return result


def _obtain(
    registry: Registry, entry: Entry, *, cache: Cache, environ: Mapping[str, str], timeout: float
) -> Entry:
    """
    Get a new credential for *registry*, by the rules of a login, and keep it.
    """
    from .. import authenticators as plugins  # dear, as is all of a login
    from ..cache.memory import Memory
    from .candidates import chosen
    from .outcomes import Job

    deadline = time.monotonic() + _SHARE * timeout
    secret = _secret_for(registry, environ)
    if secret is None:
        raise causes.SECRETS_NOT_VISIBLE.error() if entry.has_credential else _not_found()
    outcome, authenticator = chosen(secret, plugins.installed_for([secret], give_up=deadline))
    if authenticator is None:
        raise _error_of(outcome)
    try:
        exchanged = plugins.is_exchange(authenticator, secret)
    except Exception as exc:  # noqa: BLE001  (somebody else's plugin may raise anything)
        # Without its text, which may hold a secret.
        failed = plugin_causes.FAILED.error(kind=outcome.kind, error=type(exc).__name__)
        raise failed from None
    memory = Memory(cache, "")
    if not exchanged:
        _refuse_static(secret, memory, kept=entry.has_credential)
    job = Job(0, secret, authenticator, outcome)
    credential = _asked(job, memory, environ=environ, exchanged=exchanged, deadline=deadline)
    new = Entry().with_credential(
        credential.username,
        credential.secret.reveal(),
        issued_at=credential.issued_at,
        expires_at=credential.expires_at,
    )
    if not entry.has_credential:
        state: State = "unverified" if exchanged else "verified"
        memory.note(secret, state, credential=credential, served=True)
        return new
    try:
        # Read it again: a parallel login may have recorded its entry, which would otherwise count
        # as one by hand.
        Entry.read(cache, registry).with_credential_of(new).write(cache, registry)
    except ConfigError:
        pass  # the new credential works; the next pull asks again
    return new


def _refuse_static(secret: RegistrySecret, memory: Memory, *, kept: bool) -> None:
    """
    Raise if a request with a static secret is useless or harmful.
    """
    from .decision import refused_before

    if kept:
        # Its credential is already cached; `login` handles a changed one.
        raise causes.SECRET_STATIC.error(source=secret.source)
    refused = refused_before(secret, memory.recall(secret), now=time.time())
    if refused is not None:
        raise refused


def _asked(
    job: Job, memory: Memory, *, environ: Mapping[str, str], exchanged: bool, deadline: float
) -> Credential:
    from dataclasses import replace

    from ..observer import tell
    from .asking import RetryPolicy, ask_all
    from .outcomes import verdict

    # A static secret must have been accepted before; a cloud's token is new.
    for _ in ask_all(
        [job],
        environ=environ,
        verified=not exchanged,
        retry=RetryPolicy(attempts=_TRIES, throttled_attempts=_TRIES),
        deadline=deadline,
        observe=tell,
    ):
        pass
    outcome = verdict(job)
    if outcome.status == "rejected" and not exchanged:
        memory.note(job.secret, "refused")  # the next hook must not send it again either
    if outcome.status != "ok" or job.credential is None:
        raise _error_of(outcome)
    if job.credential.issued_at is None:
        return replace(job.credential, issued_at=time.time())
    return job.credential


def _secret_for(registry: Registry, environ: Mapping[str, str]) -> RegistrySecret | None:
    """
    Return the set for *registry* in *environ*.
    """
    from ..discovery import discover

    return next((s for s in discover(environ).secrets if s.registry == registry), None)


def _fallback(registry: Registry, entry: Entry, failure: RegistryError) -> Entry:
    """
    Return *entry* if it still works; otherwise raise *failure*.
    """
    now = time.time()
    if not entry.has_credential:
        raise failure
    if entry.works(now=now):
        return entry
    end = _ended((entry.expires_at or 0.0) - now)
    message = causes.OVER.say(host=registry, end=end, message=failure.message)
    raise type(failure)(message, hint=failure.hint, code=failure.code)


def _ended(left: float) -> str:
    if left > 0:
        return causes.ENDS_NOW.say()
    hours, minutes = divmod(round(-left / 60), 60)
    ended = causes.ENDED_HOURS_AGO if hours else causes.ENDED_MINUTES_AGO
    return ended.say(hours=hours, minutes=minutes)


def _error_of(outcome: Outcome) -> RegistryError:
    if outcome.error is not None:
        return outcome.error
    return plugin_causes.NOTHING_CAME.error(host=outcome.registry)


def _not_found() -> RegistryError:
    return causes.NOT_FOUND.error()


def _busy(registry: Registry) -> RegistryError:
    # Not the cloud's failure: waiting for the lock used up the time.
    return causes.RENEWAL_BUSY.error(host=registry)
