# SPDX-License-Identifier: MIT
"""
Answers a request from the sets in the environment.

A set with a password is handed over as it is: the pull that follows asks the registry.  Other sets
are exchanged at their cloud, and that is remembered for the next process, unless a pod's token came
with the request: a cache by registry would give one pod's credential to another.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .. import authenticators as plugins
from ..cache.entry import USELESS_BELOW, Entry
from ..cache.memory import credential_of
from ..causes import export as export_causes
from ..causes.kubernetes import kubelet as causes
from ..discovery import discover
from ..errors import ConfigError, RegistryError
from ..logins.asking import RetryPolicy, ask_all
from ..logins.candidates import chosen
from ..logins.outcomes import Job, verdict
from ..naming import variable
from ..observer import tell
from . import remembered
from .pods import with_token
from .protocol import no_login, response, seconds_to_keep

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..cache.folder import Cache
    from ..credentials import Credential, RegistrySecret
    from ..discovery import Found
    from ..registry import Registry
    from .protocol import Request

# As for the credential helper: pods that start together must not ask a cloud that is down for each.
_FAILURE_KEPT_FOR = 60.0  # seconds


def provide(
    request: Request,
    environ: Mapping[str, str],
    *,
    secrets_file: str | None,
    give_up: float,
) -> str:
    """
    Return the response to *request*.

    Args:
        request: What the kubelet asks.
        environ: Variables with sets.
        secrets_file: Path of a JSON file with sets, or None.
        give_up: Deadline by `time.monotonic`.

    Raises:
        RegistryError: There is a set for the registry, and why it gives no credential; or a set
            is so incomplete that it may be the one.
    """
    if request.registry is None:
        return no_login(request)
    # Before anything is read; what changes meanwhile is not remembered.
    seen = [] if request.token else remembered.looked_at(environ, secrets_file)
    # Not Codespaces' file: this is a node, on which that path is nobody's.
    found = discover(environ, secrets_file=secrets_file, codespaces_file="")
    secret = _set_for(request.registry, found)
    if secret is None:
        return no_login(request)
    outcome, authenticator = chosen(secret, plugins.installed_for([secret], give_up=give_up))
    if authenticator is None:
        assert outcome.error is not None
        raise outcome.error
    if request.token:
        secret = with_token(secret, request, kind=outcome.kind, authenticator=authenticator)
    job = Job(0, secret, authenticator, outcome)
    try:
        state = None
        if seen and plugins.is_exchange(authenticator, secret):
            state = _State.of(seen, environ, secrets_file)
        if state is not None:
            credential = state.kept(job, give_up=give_up)
        else:
            credential = _asked(job, environ, give_up=give_up)
    except RegistryError as exc:
        if request.token:
            raise _of_pod(exc, secret) from None
        raise
    return _response(request, credential)


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """
    The cache, and a keyed hash of what stood in the variables and files at the start.
    """

    cache: Cache
    digest: str
    environ: Mapping[str, str] = field(repr=False)
    secrets_file: str | None

    @classmethod
    def of(
        cls, seen: list[str], environ: Mapping[str, str], secrets_file: str | None
    ) -> _State | None:
        """
        Return the state for what was *seen*; None if nothing can be remembered.
        """
        cache = remembered.locate(environ)
        if cache is None:
            return None
        try:
            digest = cache.fingerprint(*seen)
        except ConfigError as exc:
            tell("kubelet.not_cached", code=exc.code)
            return None
        return cls(cache=cache, digest=digest, environ=environ, secrets_file=secrets_file)

    def kept(self, job: Job, *, give_up: float) -> Credential:
        """
        Return the credential of an earlier process, or a new one by *give_up*.
        """
        registry = job.secret.registry
        try:
            # Processes of several pulls wait here for one request.
            with self.cache.lock(registry, timeout=max(0.1, give_up - time.monotonic() - 1)):
                return self._credential(job, give_up=give_up)
        except ConfigError as exc:
            tell("kubelet.not_cached", code=exc.code)
        return _asked(job, self.environ, give_up=give_up)

    def _credential(self, job: Job, *, give_up: float) -> Credential:
        registry, now = job.secret.registry, time.time()
        entry = Entry.read(self.cache, registry)
        if entry.set_hash != self.digest:
            entry = Entry()
        if entry.is_servable(now=now):
            return credential_of(entry)
        failure = entry.failure(now=now, within=_FAILURE_KEPT_FOR)
        if failure is None:
            try:
                credential = _asked(job, self.environ, give_up=give_up)
            except RegistryError as exc:
                failure = exc
                self._write(registry, entry.with_failure(exc, at=time.time()))
            else:
                self._write(registry, _entry_of(credential))
                return credential
        if entry.works(now=time.time()):
            return credential_of(entry)
        raise failure

    def _write(self, registry: Registry, entry: Entry) -> None:
        try:
            known = remembered.known_digest(self.cache, self.environ, self.secrets_file)
            if known == self.digest:
                at = time.time()
                noted = entry.with_result("unverified", set_hash=known, identity=None, at=at)
                noted.write(self.cache, registry)
        except ConfigError as exc:
            tell("kubelet.not_cached", code=exc.code)


def _entry_of(credential: Credential) -> Entry:
    return Entry().with_credential(
        credential.username,
        credential.secret.reveal(),
        issued_at=time.time() if credential.issued_at is None else credential.issued_at,
        expires_at=credential.expires_at,
    )


def _set_for(registry: Registry, found: Found) -> RegistrySecret | None:
    """
    Return the set for *registry*; logins that a platform sets are not meant for a node.

    Raises:
        DiscoveryError: The set for *registry* is incomplete, or one that does not say for which.
    """
    host = registry.without_default_port
    # The one with that very port first.
    of_host = [
        secret
        for secret in sorted(found.secrets, key=lambda secret: secret.registry != registry)
        if secret.registry.without_default_port == host and not secret.implicit
    ]
    if of_host:
        return of_host[0]
    for broken in found.incomplete:
        # To say that there is no login would hide the reason.
        may_be_it = broken.registry is None or broken.registry.without_default_port == host
        if may_be_it and not (broken.implicit or broken.empty):
            raise broken.error
    return None


def _asked(job: Job, environ: Mapping[str, str], *, give_up: float) -> Credential:
    """
    Return what the authenticator of *job* gives by *give_up*.
    """
    for _ in ask_all(
        [job],
        environ=environ,
        verified=False,
        retry=RetryPolicy(),
        deadline=give_up,
        observe=tell,
    ):
        pass
    outcome = verdict(job)
    if outcome.status == "ok" and job.credential is not None:
        return job.credential
    if outcome.error is None or outcome.code == "timeout":
        raise causes.TIMED_OUT.error(host=job.secret.registry)
    raise outcome.error


def _of_pod(error: RegistryError, secret: RegistrySecret) -> RegistryError:
    """
    Return *error* about the ID token of *secret*, which no variable holds.
    """
    name, said = variable(secret.id, "ID_TOKEN"), causes.POD_TOKEN.say()
    message, hint = (text.replace(name, said) for text in (error.message, error.hint))
    return type(error)(message, hint=hint, code=error.code)


def _response(request: Request, credential: Credential) -> str:
    """
    Return the response with *credential*, which is all that the kubelet hands on.
    """
    username, password, now = credential.username, credential.secret.reveal(), time.time()
    if credential.is_identity_token:
        raise _cannot_use(request, export_causes.IS_IDENTITY_TOKEN.say())
    try:
        f"{username}{password}".encode()
    except UnicodeEncodeError:
        why = export_causes.IS_NOT_UTF8.say()
        raise _cannot_use(request, why) from None
    if credential.seconds_left(now=now) <= USELESS_BELOW:
        raise causes.EXPIRED.error(host=request.registry)
    seconds = seconds_to_keep(
        issued_at=now if credential.issued_at is None else credential.issued_at,
        expires_at=credential.expires_at,
        now=now,
    )
    return response(request, username, password, seconds=seconds)


def _cannot_use(request: Request, why: str) -> RegistryError:
    return causes.NOT_FOR_KUBELET.error(host=request.registry, why=why)
