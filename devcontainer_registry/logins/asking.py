# SPDX-License-Identifier: MIT
"""
Parallel requests to all registries, with retries.

Only this module retries, and only by the type of the error.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass

from ..authenticators import authenticate, passes_on
from ..causes import plugins
from ..credentials import is_usable
from ..errors import RegistryError, ThrottledError, TransientError, UnreachableError, limit_error
from ..network import sockets as clock
from ..network.proxies import proxy_for
from ..observer import Observer, about
from ..threads import Worker, import_lock, try_start
from .masking import vetted
from .outcomes import timeout_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import tenacity

    from ..network.transport import Transport
    from .outcomes import Job

# One try must not use up the time for retries.
_TRY_MAX = 10.0  # seconds

# What arrives within this of each other is handed on at once: each write costs an fsync.
_LINGER = 0.05  # seconds

# A deadline may be never, for which no lock has a number.
_WAIT_MAX = 3600.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """
    How often to try again after a `TransientError`.

    Attributes:
        attempts: Maximum number of tries.
        throttled_attempts: The same after a `ThrottledError`.
        first_wait: Seconds before the second try; doubles each time, with full jitter.
        max_wait: Maximum seconds between tries.
        sleep: Waits for the given seconds.
    """

    attempts: int = 4
    throttled_attempts: int = 10
    first_wait: float = 0.5
    max_wait: float = 8.0
    sleep: Callable[[float], None] = time.sleep


def ask_all(
    jobs: Sequence[Job],
    *,
    environ: Mapping[str, str],
    verified: bool,
    retry: RetryPolicy,
    deadline: float,
    observe: Observer,
) -> Iterator[list[Job]]:
    """
    Ask for all *jobs* at once, and hand them back as they are done, some at a time.

    Args:
        jobs: Filled in when they come back: a credential, a check, an error, or several of these.
        environ: Variables that name proxies and trust.
        verified: Whether to check each credential at its registry.
        retry: Number of tries and waits.
        deadline: By `time.monotonic`: what isn't done by then comes back with a timeout.
        observe: Gets events, from several threads.
    """
    if not jobs:
        return
    requests = _Requests(environ)
    asker = _Asker(
        requests=requests, verified=verified, retry=retry, deadline=deadline, observe=observe
    )
    answers: queue.SimpleQueue[Job] = queue.SimpleQueue()
    unasked: list[Job] = []
    for job in jobs:
        ahead = verified and requests.may_go_ahead(job)
        # Daemon threads: a hanging name server cannot be interrupted.
        if not try_start(Worker(asker.work, job, answers, ahead)):
            unasked.append(job)
    if verified:
        requests.prepare()
    else:
        # Import before two SDKs start: dataclasses fails on a half-initialised module.
        import typing  # noqa: F401
    requests.ready.set()
    waiting = dict.fromkeys(jobs)
    for batch in _in_turn(asker, unasked, answers):
        for job in batch:
            del waiting[job]
        yield batch
    yield from _as_they_come(waiting, answers, deadline)
    if all(job.finished for job in jobs):
        requests.close()


def _in_turn(
    asker: _Asker, jobs: Sequence[Job], answers: queue.SimpleQueue[Job]
) -> Iterator[list[Job]]:
    """
    Run *jobs* in this thread until the deadline, if no thread could be started.
    """
    for job in jobs:
        if time.monotonic() >= asker.deadline:
            return
        if not try_start(Worker(asker.work, job, answers, False)):
            asker.work(job, answers, ahead=False)
            yield [answers.get_nowait() for _ in range(answers.qsize())]


def _as_they_come(
    waiting: dict[Job, None], answers: queue.SimpleQueue[Job], deadline: float
) -> Iterator[list[Job]]:
    """
    Yield jobs as they finish, and with a timeout those whose time is up.
    """
    batch: list[Job] = []
    hurried = any(job.give_up < deadline for job in waiting)
    while waiting:
        due = min(deadline, *(job.give_up for job in waiting)) if hurried else deadline
        left = max(0.0, due - time.monotonic())
        try:
            job = answers.get(timeout=min(left, _LINGER if batch else _WAIT_MAX))
        except queue.Empty:
            overdue = [job for job in waiting if min(deadline, job.give_up) <= time.monotonic()]
            for job in overdue:
                job.error = timeout_of(job)
                del waiting[job]
            yield [*batch, *overdue]
            batch = []
            continue
        if job in waiting:  # otherwise it was abandoned
            del waiting[job]
            batch.append(job)
    if batch:
        yield batch


class _Requests:
    """
    What makes requests, imported by one thread while the first connections are under way.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.ready = threading.Event()
        self._environ = environ
        self._error: RegistryError | None = None
        self._transport: Transport | None = None

    @property
    def transport(self) -> Transport:
        """
        The one of this run, when it is ready.
        """
        if self._error is not None:
            raise self._error
        assert self._transport is not None
        return self._transport

    def prepare(self) -> None:
        """
        Import the modules: 100 ms, the time of two round trips.

        If a limit of the machine prevents it, each request raises the error.
        """
        try:
            self._prepare()
        except (OSError, MemoryError, ImportError) as exc:
            limit = limit_error(exc)
            if limit is None:
                raise
            # Not retried: a half-initialised module stays so.
            self._error = UnreachableError(limit.message, hint=limit.hint, code=limit.code)

    def _prepare(self) -> None:
        from ..network.trust import Trust

        trust = Trust(self._environ)
        trust.prepare()
        from ..network import distribution  # noqa: F401  (for the threads)
        from ..network.transport import Transport

        self._transport = Transport(environ=self._environ, trust=trust)

    def may_go_ahead(self, job: Job) -> bool:
        """
        Return whether to connect before the credential is ready.

        Not where a secret is to be refused before anything is sent, nor where a proxy stands.
        A credential that is passed on as it is stands in *job* afterwards: a connection that
        takes all of the time leaves none to get it, and it is what a report may keep.
        """
        registry = job.secret.registry
        try:
            if not passes_on(job.authenticator, job.secret):
                return False
            credential = authenticate(job.authenticator, job.secret, timeout=_TRY_MAX)
            if not is_usable(credential):
                return False
            job.credential = credential
            return proxy_for(registry.hostname, registry.port, self._environ) is None
        except Exception:  # noqa: BLE001  (which is met again, and said, in its own thread)
            return False

    def close(self) -> None:
        """
        Close all connections.
        """
        if self._transport is not None:
            self._transport.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    """
    State that the threads share.
    """

    requests: _Requests
    verified: bool
    retry: RetryPolicy
    deadline: float
    observe: Observer

    def work(self, job: Job, answers: queue.SimpleQueue[Job], ahead: bool) -> None:
        """
        Run *job* to its end and return it, whatever happens.
        """
        registry = job.secret.registry
        first: contextlib.AbstractContextManager[None] = contextlib.nullcontext()
        if ahead:
            first = clock.ahead(registry.hostname, registry.port, timeout=self._time_left(job))
        try:
            with about(job.secret.id), first:
                self.requests.ready.wait()
                seconds = round(max(0.0, min(self.deadline, job.give_up) - time.monotonic()), 1)
                self.observe("login.started", id=job.secret.id, registry=registry, seconds=seconds)
                self._persist(job)
        except RegistryError as exc:
            job.error = exc
        except BaseException as exc:  # a plugin may raise anything
            here = threading.current_thread() is threading.main_thread()
            if here and isinstance(exc, KeyboardInterrupt):
                raise  # Ctrl-C, not a plugin
            # Without its text, which may hold a secret.
            name = type(exc).__name__
            job.error = limit_error(exc) or plugins.FAILED.error(kind=job.outcome.kind, error=name)
        job.finished = time.monotonic()
        answers.put(job)

    def _persist(self, job: Job) -> None:
        """
        Run *job* with retries.
        """
        try:
            self._try(job)
        except TransientError as exc:
            self._try_again(job, exc)

    def _try_again(self, job: Job, error: TransientError) -> None:
        with import_lock:
            import tenacity  # imports asyncio (40 ms), and most logins need no retry
        first = [error]

        def once_more() -> None:
            # tenacity counts the first try as its own.
            if first:
                raise first.pop()
            self._try(job)

        jittered = tenacity.wait_random_exponential(
            multiplier=self.retry.first_wait, max=self.retry.max_wait
        )

        def wait(state: tenacity.RetryCallState) -> float:
            return max(getattr(_error(state), "retry_after", None) or 0.0, jittered(state))

        def stop(state: tenacity.RetryCallState) -> bool:
            too_late = time.monotonic() + state.upcoming_sleep >= min(self.deadline, job.give_up)
            throttled = isinstance(_error(state), ThrottledError)
            limit = self.retry.throttled_attempts if throttled else self.retry.attempts
            return too_late or state.attempt_number >= limit

        def tell(state: tenacity.RetryCallState) -> None:
            failed = _error(state)
            self.observe(
                "login.retried",
                registry=job.secret.registry,
                attempt=state.attempt_number,
                wait=round(state.upcoming_sleep, 3),
                code=vetted(failed, job.secret, job.credential).code
                if isinstance(failed, RegistryError)
                else None,
            )

        tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TransientError),
            wait=wait,
            stop=stop,
            sleep=self.retry.sleep,
            before_sleep=tell,
            reraise=True,
        )(once_more)

    def _try(self, job: Job) -> None:
        job.attempts += 1
        if job.credential is None:
            credential = authenticate(job.authenticator, job.secret, timeout=self._time_left(job))
            if not is_usable(credential):
                raise plugins.NO_CREDENTIAL.error(kind=job.outcome.kind)
            job.credential = credential
        if not self.verified:
            return
        transport = self.requests.transport
        from ..network.distribution import check

        job.check = check(
            job.secret.registry,
            job.credential,
            transport=transport,
            image=job.secret.image,
            ca_file=job.secret.ca_file,
            timeout=self._time_left(job),
        )

    def _time_left(self, job: Job) -> float:
        return max(0.1, min(_TRY_MAX, min(self.deadline, job.give_up) - time.monotonic()))


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
