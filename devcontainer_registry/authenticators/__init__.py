# SPDX-License-Identifier: MIT
"""
Which authenticator speaks for a registry.

An authenticator turns what the environment gave us into what the registry accepts.  It is a class
with two methods, registered as an entry point in the group `devcontainer_registry.authenticators`;
the entry point's name is its *kind*.  Built-in kinds are registered the same way.
"""

from __future__ import annotations

from dataclasses import replace

from ..errors import PluginError, RegistryError
from ..naming import variable
from ..observer import ignore

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol, TypeAlias

    from ..credentials import Credential, RegistrySecret
    from ..observer import Observer
    from ..registry import Registry

    Installed: TypeAlias = "Mapping[str, Authenticator | PluginError]"
else:
    Protocol = object  # typing costs 8 ms, and nobody asks this class anything at run time

GROUP = "devcontainer_registry.authenticators"
FALLBACK = "generic"


class Authenticator(Protocol):
    """
    Speaks for the registries that it matches.

    Three more members may be there and are looked up with a default:

    `ambient: bool = False`
        Whether it can log in without a user name and a password, because the platform
        vouches for the container.
    `exchanges(secret) -> bool`, by default False
        Whether `authenticate` asks somebody, so that a failure leaves nothing to keep.  Where it
        says False, `authenticate` gives back user name and password at once, asking nobody: it may
        then be called twice, and is connected for early.
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


def load() -> dict[str, Authenticator | PluginError]:
    """
    Every installed kind; one that can't be loaded as its `PluginError`, for whoever needs it.
    """
    # 20 ms, most of it for modules that requests need, too.
    from importlib.metadata import entry_points

    found: dict[str, Authenticator | PluginError] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        known = found.get(point.name)
        if known is not None:
            found[point.name] = _contested_name(point.name)
            continue
        try:
            found[point.name] = point.load()()
        except (Exception, SystemExit) as exc:  # noqa: BLE001  (it is somebody else's module)
            found[point.name] = PluginError(
                f"the authenticator {point.name} can't be loaded: {type(exc).__name__}",
                hint=f"repair or remove the distribution of {point.value.partition(':')[0]}",
                code="plugin-broken",
            )
    return found


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
        raise PluginError(
            # Not quoted: what sits in the wrong variable may be a password.
            f"{variable(secret.id, 'KIND')} names no authenticator"
            if secret.kind
            else f"no authenticator serves {secret.registry}",
            hint=f"set {variable(secret.id, 'KIND')} to one of {known}, or unset it",
            code="plugin-missing",
        )
    if isinstance(chosen, PluginError):
        raise chosen
    return kind, chosen


def failure(kind: str | None, how: str) -> PluginError:
    """
    The error for an authenticator that does not keep to the protocol: *how*, as a predicate.
    """
    return PluginError(
        f"the authenticator {kind} {how}",
        hint="report this to the authors of the authenticator",
        code="plugin-failed",
    )


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
    Whether *authenticator* says that it asks nobody, and only passes *secret* on or refuses it.
    """
    return hasattr(authenticator, "exchanges") and not is_exchange(authenticator, secret)


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
    return authenticator.authenticate(_bare(secret), timeout=timeout)


def _bare(secret: RegistrySecret) -> RegistrySecret:
    """
    *secret*, whose registry is named without `:443`: no kind is another for that.
    """
    registry = secret.registry.without_default_port
    return secret if registry == secret.registry else replace(secret, registry=registry)


def _only_match(secret: RegistrySecret, installed: Installed, observe: Observer) -> str:
    claims = []
    for kind, authenticator in installed.items():
        if isinstance(authenticator, PluginError):
            continue
        try:
            matches = bool(authenticator.matches(secret.registry.without_default_port))
        except Exception as exc:  # noqa: BLE001  (a stranger's fault, and nobody else's trouble)
            observe("plugin.unusable", kind=kind, error=type(exc).__name__)
            continue
        if matches:
            claims.append(kind)
    if len(claims) > 1:
        raise PluginError(
            f"{secret.registry} is claimed by {' and '.join(sorted(claims))}",
            hint=f"set {variable(secret.id, 'KIND')} to one of them",
            code="plugin-contested",
        )
    return claims[0] if claims else FALLBACK


def _contested_name(kind: str) -> PluginError:
    return PluginError(
        f"two distributions bring an authenticator called {kind}",
        hint="remove one of them",
        code="plugin-contested",
    )
