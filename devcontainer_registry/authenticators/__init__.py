# SPDX-License-Identifier: MIT
"""
Which authenticator speaks for a registry.

An authenticator turns what the environment gave us into what the registry accepts.  It is a class
with two methods, registered as an entry point in the group `devcontainer_registry.authenticators`;
the entry point's name is its *kind*.  Built-in kinds are registered the same way.
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
    Protocol = object  # typing costs 8 ms, and nobody asks this class anything at run time

GROUP = "devcontainer_registry.authenticators"
FALLBACK = "generic"

# Seconds for strangers' modules, where nobody says how long a login may take.
_LOAD_WITHIN = 10.0


class Authenticator(Protocol):
    """
    Speaks for the registries that it matches.

    Three more members may be there and are looked up with a default:

    `ambient: bool = False`
        Whether it can log in without a user name and a password, because the platform
        vouches for the container.
    `exchanges(secret) -> bool`, by default False
        Whether `authenticate` asks somebody, so that a failure leaves nothing to keep.
    `explain(secret, error) -> str`, by default ""
        The hint for an *error* that the registry gave after `authenticate`: what this kind of
        registry means by it, beginning with a verb.
    """

    def matches(self, registry: Registry) -> bool:
        """
        Whether *registry* is of this kind, by an anchored pattern and nothing else.
        """

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        What *registry* accepts, within *timeout* seconds.

        Raises:
            DiscoveryError: The secret can't be right, which is known without asking.
            AuthenticationError: The cloud said no.
            TransientError: The cloud could not be asked; only this is tried again.
            UnreachableError: Nor will it be, however often we try.
        """


def load(
    kinds: Collection[str] = (), *, give_up: float | None = None
) -> dict[str, Authenticator | PluginError]:
    """
    Every installed kind; one that can't be loaded as its `PluginError`, for whoever needs it.

    Args:
        kinds: Of those that others wrote, load these only, which is all that is needed where every
            set names its kind; empty: all of them.
        give_up: By `time.monotonic`: a stranger's module that hangs is given up well before; None:
            after some seconds.
    """
    # 20 ms, most of it for modules that requests need, too.
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
            # One after the other: modules look at each other half-made otherwise.
            found[kind] = within(seconds, partial(_strangers, point), late=hangs(kind, seconds))
        except PluginError as exc:
            found[kind] = exc
    return dict(sorted(found.items()))


def _loaded(point: EntryPoint) -> Any:
    return point.load()()


def _strangers(point: EntryPoint) -> Any:
    try:
        return _loaded(point)
    except BaseException as exc:  # noqa: BLE001  (it is somebody else's module, and its thread)
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
    Who may speak for *secrets*, strangers behind the deadline *give_up*, by `time.monotonic`.

    Args:
        secrets: Where each names its kind, nobody else's module is loaded.
        given: Used in place of what is installed.
        give_up: None: after some seconds.
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
    The kind for *secret*, and who speaks for it.

    In order of precedence: the kind that the secret names; the only one that matches its
    registry; `generic`.  One that fails when it is asked has not matched, and *observe* is told.

    Raises:
        PluginError: It names a kind that is missing or broken, or two kinds match.
    """
    kind = secret.kind or _only_match(secret, installed, observe)
    chosen = installed.get(kind)
    if chosen is None:
        known = ", ".join(sorted(installed))
        # Not quoted: what sits in the wrong variable may be a password.
        cause = causes.KIND_UNKNOWN if secret.kind else causes.NOBODY_SERVES
        raise cause.error(kind=variable(secret.id, "KIND"), host=secret.registry, known=known)
    if isinstance(chosen, PluginError):
        raise chosen
    why = "variable" if secret.kind else "fallback" if kind == FALLBACK else "host"
    tell("authenticator.chosen", id=secret.id, registry=secret.registry, kind=kind, why=why)
    return kind, chosen


def is_ambient(authenticator: Authenticator) -> bool:
    """
    Whether *authenticator* can do without a user name and a password.
    """
    return bool(getattr(authenticator, "ambient", False))


def is_exchange(authenticator: Authenticator, secret: RegistrySecret) -> bool:
    """
    Whether *authenticator* asks somebody for the credential, rather than passing *secret* on.
    """
    exchanges = getattr(authenticator, "exchanges", None)
    return bool(exchanges(_bare(secret))) if exchanges is not None else False


def passes_on(authenticator: Authenticator, secret: RegistrySecret) -> bool:
    """
    Whether *authenticator*, one of ours, only passes *secret* on, at once and asking nobody.

    A stranger that says so is not taken at its word: it may hang all the same.
    """
    return is_ours(authenticator) and not is_exchange(authenticator, secret)


def explain(authenticator: Authenticator, secret: RegistrySecret, error: RegistryError) -> str:
    """
    What this kind of registry means by *error*, or "".
    """
    said = getattr(authenticator, "explain", None)
    return str(said(_bare(secret), error)) if said is not None else ""


def authenticate(
    authenticator: Authenticator, secret: RegistrySecret, *, timeout: float
) -> Credential:
    """
    What *authenticator* makes of *secret* within *timeout* seconds; see the protocol.
    """
    begun = time.monotonic()
    credential = authenticator.authenticate(_bare(secret), timeout=timeout)
    tell("credential.obtained", id=secret.id, registry=secret.registry, ms=since(begun))
    return credential


def _bare(secret: RegistrySecret) -> RegistrySecret:
    """
    *secret*, whose registry is named without `:443`: no kind is another for that.
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
        except Exception as exc:  # noqa: BLE001  (a stranger's fault, and nobody else's trouble)
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
        # It may be the one that serves this registry: `generic` would send what was never meant
        # to be sent as it is.
        if error.code == "plugin-hangs":
            raise error
    return FALLBACK
