# SPDX-License-Identifier: MIT
"""
Export of the credentials that a login saved.

Only our own logins are exported.  It exports all or nothing: a partial export would replace a
complete one, and fail at a later pull.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass

from ..cache.entry import USELESS_BELOW, Entry
from ..cache.folder import Cache
from ..cache.memory import Memory, credential_of
from ..causes import export as causes
from ..config.file import DockerConfig
from ..credentials import Credential, Secret
from ..errors import ConfigError, RegistryError
from ..naming import OUR_HELPER
from ..registry import Registry, registries_of
from ..report import NoTruthValue, exit_status_of, worst
from .export_formats import DEFAULT_NAME, FORMATS, oversize, refusal, written
from .renewal import serve

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..config.file import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """
    Result for one registry.

    Attributes:
        registry: The registry.
        expires_at: Expiry of the credential, in Unix seconds; None if unknown.
        error: Why it cannot be exported, or None.
    """

    registry: Registry
    expires_at: float | None = None
    error: RegistryError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportReport(NoTruthValue):
    """
    Result of an export.

    Attributes:
        content: Text in the chosen format; None after an error.
        registries: One result each, in the given order, or by name.
        error: Any other error, or None.
    """

    content: Secret | None
    registries: tuple[Exported, ...] = ()
    error: RegistryError | None = None

    @property
    def ok(self) -> bool:
        """
        Whether there is a *content*.
        """
        return self.exit_status == 0

    @property
    def exit_status(self) -> int:
        """
        Exit status: 0 ok, 3 nothing to export in this format, 4 refused, 5 expired, 6 config.json.
        """
        errors = [self.error, *(each.error for each in self.registries)]
        seen = {exit_status_of(error) for error in errors if error is not None}
        return worst(seen)


def export(
    form: str,
    registries: Iterable[str] | None = None,
    *,
    name: str = DEFAULT_NAME,
    namespaces: Iterable[str] = (),
    environ: Mapping[str, str] | None = None,
    config: DockerConfig | None = None,
    now: float | None = None,
) -> ExportReport:
    """
    Export the credentials that this package saved, in the format *form*.

    A credential that our helper serves is renewed first, after half of its lifetime.

    Args:
        form: `docker-config`, `containers-auth`, `kubernetes-secret`, `envbuilder` or
            `devcontainers-oci-auth`.
        registries: Names such as `ghcr.io` or `localhost:5000`; None: all with a login of ours.
        name: The name of the Kubernetes secret.
        namespaces: Its namespaces.  None: the manifest names no namespace.  Several: the manifest
            is a `List` with one secret each.
        environ: Variables that locate the files, and sets for renewals; None: `os.environ`.
        config: The config.json to read; None: docker's own.
        now: Current time in Unix seconds; None: the clock.

    Returns:
        A report with the text as a `Secret` in `content`, or the reason why there is none.  Errors
        of a file, registry or cloud are in it, never raised.

    Raises:
        InvalidRegistryError: One of *registries* is not the name of a registry.
        TypeError: *registries* is a string instead of several.
        ValueError: *form* is unknown.
    """
    if form not in FORMATS:
        msg = f"form is one of {', '.join(FORMATS)}"
        raise ValueError(msg)
    named = None if registries is None else registries_of(registries)
    environ = os.environ if environ is None else environ
    cache = Cache.locate(environ)
    try:
        config = config or DockerConfig.locate(environ)
        look = _Look(
            document=config.read(),
            cache=cache,
            memory=Memory(cache, config.path),
            environ=environ,
            now=time.time() if now is None else now,
        )
        wanted = _kept(look) if named is None else named
    except ConfigError as exc:
        return ExportReport(content=None, error=exc)
    if not wanted:
        return ExportReport(content=None, error=causes.NOTHING.error())
    credentials: dict[Registry, Credential] = {}
    exported = []
    for registry in wanted:
        try:
            credentials[registry] = found = look.credential(registry)
        except RegistryError as exc:
            exported.append(Exported(registry=registry, error=exc))
            continue
        why_not = refusal(form, registry, found)
        exported.append(Exported(registry=registry, expires_at=found.expires_at, error=why_not))
    if any(each.error is not None for each in exported):
        return ExportReport(content=None, registries=tuple(exported))
    text = written(form, credentials, name=name, namespaces=namespaces)
    # The limit is that of one secret, in however many namespaces it is.
    too_large = oversize(form, written(form, credentials, name=name))
    return ExportReport(
        content=None if too_large else Secret(text),
        registries=tuple(exported),
        error=too_large,
    )


def _kept(look: _Look) -> list[Registry]:
    return [registry for registry in look.cache.registries() if look.is_ours(registry)]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """
    Inputs of an export.
    """

    document: Document
    cache: Cache
    memory: Memory
    environ: Mapping[str, str]
    now: float

    def is_ours(self, registry: Registry) -> bool:
        """
        Return whether this package saved a credential for *registry*.
        """
        if self._is_served(registry):
            # A login by hand belongs to the user.
            kept = Entry.read(self.cache, registry)
            return kept.has_credential and not kept.by_hand
        entry = self.document.auth(registry)
        return entry is not None and self.memory.wrote(registry, entry)

    def credential(self, registry: Registry) -> Credential:
        """
        Return the credential that we saved for *registry*.

        Raises:
            RegistryError: There is none, or it expired.
        """
        if not self.is_ours(registry):
            raise self._not_ours(registry)
        if self._is_served(registry):
            found = credential_of(serve(registry, self.cache, self.environ))
        else:
            found = self._written(registry)
        if found.seconds_left(now=self.now) <= USELESS_BELOW:
            raise causes.EXPIRED.error(host=registry)
        return found

    def _written(self, registry: Registry) -> Credential:
        entry = self.document.auth(registry)
        assert entry is not None
        found = self.memory.with_life(registry, entry)
        remembered = Entry.read(self.cache, registry)
        if found.expires_at is None and remembered.expires_at is not None:
            # An older entry that an editor restored, with an unknown lifetime.
            raise causes.EXPIRED.error(host=registry)
        return found

    def _is_served(self, registry: Registry) -> bool:
        return self.document.helper(registry) == OUR_HELPER

    def _not_ours(self, registry: Registry) -> RegistryError:
        if self.document.entry(registry) or self.document.helper(registry):
            return causes.NOT_OURS.error(host=registry)
        return causes.NOT_LOGGED_IN.error(host=registry)
