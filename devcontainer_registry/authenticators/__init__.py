# SPDX-License-Identifier: MIT
"""
Authenticators, and the choice of one for a registry.

An authenticator turns the secrets of a set into a credential that the registry accepts.  It is a
class with two methods, registered as an entry point in the group
`devcontainer_registry.authenticators`; the entry point's name is its *kind*.  Built-in kinds are
registered the same way.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from ..causes import plugins as causes
from ..errors import PluginError, RegistryError
from ..naming import variable
from ..observer import ignore, since, tell
from ..threads import within
from .installed import BUILT_IN, built_in, may_have_others
from .installed import GROUP as GROUP
from .strangers import hangs as hangs
from .strangers import is_ours as is_ours
from .strangers import kept_to, share

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from importlib.metadata import EntryPoint
    from typing import Any, Protocol, TypeAlias

    from ..credentials import Credential, RegistrySecret
    from ..observer import Observer
    from ..registry import Registry

    Installed: TypeAlias = "Mapping[str, Authenticator | PluginError]"
else:
    Protocol = object  # typing takes 8 ms to import and is not needed at run time

FALLBACK = "generic"

# Seconds to import plugins if the caller sets no deadline.
_LOAD_WITHIN = 10.0


class Authenticator(Protocol):
    """
    Protocol of an authenticator: turns a set into a credential for the registries it matches.

    Three more members are optional:

    `ambient: bool = False`
        Whether it can log in without a user name and password, with the identity of the container's
        cloud.
    `exchanges(secret) -> bool`, by default False
        Whether `authenticate` requests the credential from a server, so that a failure leaves
        nothing to save.
    `explain(secret, error) -> str`, by default ""
        The fix for an *error* of the registry after `authenticate`, beginning with a verb.
    """

    def matches(self, registry: Registry) -> bool:
        """
        Return whether this kind serves *registry*, by an anchored pattern of its name only.
        """

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        Return the credential for *secret* within *timeout* seconds.

        Raises:
            DiscoveryError: The secret is invalid; no request was sent.
            AuthenticationError: The cloud refused the secret; never retried.
            TransientError: The cloud was unreachable or busy; the only error that is retried.
            UnreachableError: The cloud cannot be reached, and a retry cannot help.
        """


def load(
    kinds: Collection[str] = (), *, give_up: float | None = None
) -> dict[str, Authenticator | PluginError]:
    """
    Load every installed authenticator by kind; one that cannot be loaded is its `PluginError`.

    Args:
        kinds: Plugins to load, if every set names its kind; empty: all.  Built-in kinds are always
            loaded.
        give_up: Deadline by `time.monotonic`; a plugin that hangs is abandoned well before.  None:
            after some seconds.
    """
    if not may_have_others():
        return {kind: built_in(kind) for kind in BUILT_IN}
    from importlib.metadata import entry_points

    give_up = time.monotonic() + _LOAD_WITHIN if give_up is None else give_up
    found: dict[str, Authenticator | PluginError] = {}
    strangers: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if found.pop(point.name, None) or strangers.pop(point.name, None):
            found[point.name] = causes.NAME_CONTESTED.error(kind=point.name)
        elif point.value.startswith(f"{__name__}."):
            found[point.name] = _loaded(point)
        elif not kinds or point.name in kinds:
            strangers[point.name] = point
    for waiting, (kind, point) in enumerate(strangers.items()):
        seconds = share(give_up, among=len(strangers) - waiting)
        try:
            # One after the other: parallel imports may see half-initialised modules.
            found[kind] = within(seconds, partial(_strangers, point), late=hangs(kind, seconds))
        except PluginError as exc:
            found[kind] = exc
    return dict(sorted(found.items()))


def _loaded(point: EntryPoint) -> Any:
    return point.load()()


def _strangers(point: EntryPoint) -> Any:
    try:
        return _loaded(point)
    except BaseException as exc:  # noqa: BLE001  (a plugin may raise anything)
        return causes.BROKEN.error(
            kind=point.name, error=type(exc).__name__, module=point.value.partition(":")[0]
        )


def installed_for(
    secrets: Collection[RegistrySecret],
    given: Installed | None = None,
    *,
    give_up: float | None = None,
) -> Installed:
    """
    Return the authenticators for *secrets*, with plugins limited by the deadline *give_up*.

    Args:
        secrets: Sets; if each names its kind, only those plugins are loaded.
        given: Authenticators to use instead of the installed ones.
        give_up: Deadline by `time.monotonic`; None: after some seconds.
    """
    give_up = time.monotonic() + _LOAD_WITHIN if give_up is None else give_up
    if given is None:
        named = {secret.kind for secret in secrets if secret.kind}
        given = load(named if all(s.kind for s in secrets) else (), give_up=give_up)
    return kept_to(give_up, given)


def choose(
    secret: RegistrySecret, installed: Installed, *, observe: Observer = ignore
) -> tuple[str, Authenticator]:
    """
    Return the kind and the authenticator for *secret*.

    In order of precedence: the kind that the set names; the only one that matches its registry;
    `generic`.  One that raises does not match, and *observe* gets an event.

    Raises:
        PluginError: The named kind is missing or broken, or two kinds match.
    """
    kind = secret.kind or _only_match(secret, installed, observe)
    chosen = installed.get(kind)
    if chosen is None:
        known = ", ".join(sorted(installed))
        # Not quoted: the variable may hold a password by mistake.
        cause = causes.KIND_UNKNOWN if secret.kind else causes.NOBODY_SERVES
        raise cause.error(kind=variable(secret.id, "KIND"), host=secret.registry, known=known)
    if isinstance(chosen, PluginError):
        raise chosen
    why = "variable" if secret.kind else "fallback" if kind == FALLBACK else "host"
    tell("authenticator.chosen", id=secret.id, registry=secret.registry, kind=kind, why=why)
    return kind, chosen


def is_ambient(authenticator: Authenticator) -> bool:
    """
    Return whether *authenticator* works without a user name and password.
    """
    return bool(getattr(authenticator, "ambient", False))


def is_exchange(authenticator: Authenticator, secret: RegistrySecret) -> bool:
    """
    Return whether *authenticator* requests the credential rather than passing *secret* on.
    """
    exchanges = getattr(authenticator, "exchanges", None)
    return bool(exchanges(_bare(secret))) if exchanges is not None else False


def passes_on(authenticator: Authenticator, secret: RegistrySecret) -> bool:
    """
    Return whether *authenticator* is built in and only passes *secret* on, without a request.

    A plugin never counts, since it may hang.
    """
    return is_ours(authenticator) and not is_exchange(authenticator, secret)


def explain(authenticator: Authenticator, secret: RegistrySecret, error: RegistryError) -> str:
    """
    Return the fix of this kind of registry for *error*, or "".
    """
    said = getattr(authenticator, "explain", None)
    return str(said(_bare(secret), error)) if said is not None else ""


def authenticate(
    authenticator: Authenticator, secret: RegistrySecret, *, timeout: float
) -> Credential:
    """
    Call `authenticate` of *authenticator*; see the protocol.
    """
    begun = time.monotonic()
    credential = authenticator.authenticate(_bare(secret), timeout=timeout)
    tell("credential.obtained", id=secret.id, registry=secret.registry, ms=since(begun))
    return credential


def _bare(secret: RegistrySecret) -> RegistrySecret:
    """
    Return *secret* with its registry named without `:443`, which does not affect its kind.
    """
    registry = secret.registry.without_default_port
    return secret if registry == secret.registry else replace(secret, registry=registry)


def _only_match(secret: RegistrySecret, installed: Installed, observe: Observer) -> str:
    claims, errors = [], []
    for kind, authenticator in installed.items():
        if isinstance(authenticator, PluginError):
            errors.append(authenticator)
            continue
        try:
            if authenticator.matches(secret.registry.without_default_port):
                claims.append(kind)
        except PluginError as exc:
            errors.append(exc)
            observe("plugin.unusable", kind=kind, code=exc.code)
        except Exception as exc:  # noqa: BLE001  (a broken plugin must not affect others)
            observe("plugin.unusable", kind=kind, error=type(exc).__name__)
    if len(claims) > 1:
        raise causes.CONTESTED.error(
            host=secret.registry,
            kinds=" and ".join(sorted(claims)),
            kind=variable(secret.id, "KIND"),
        )
    if claims:
        return claims[0]
    for error in errors:
        # It may be the one for this registry: `generic` would send a secret unchanged that must be
        # exchanged.
        if error.code == "plugin-hangs":
            raise error
    return FALLBACK
