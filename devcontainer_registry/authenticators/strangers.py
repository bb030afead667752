# SPDX-License-Identifier: MIT
"""
Plugins' authenticators, each call limited by a deadline.

A plugin may hang, exit or raise; it does so in a thread of its own.  A login waits for it while
there is time, and does not call it again after a timeout.
"""

from __future__ import annotations

import time

from ..causes import plugins as causes
from ..errors import PluginError
from ..threads import within

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from ..credentials import Credential, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry

    T = TypeVar("T")

# Seconds for one plugin: part of the first half of a login, to leave time for others.
_ANSWER_MAX = 5.0

# Minimum time for `explain`, even after the deadline.
_LAST_WORD = 0.05  # seconds


def share(give_up: float, *, among: int = 1) -> float:
    """
    Return the seconds until *give_up* that one of *among* plugins may use.
    """
    return max(_LAST_WORD, min(_ANSWER_MAX, (give_up - time.monotonic()) / 2 / among))


def hangs(kind: str, seconds: float) -> PluginError:
    """
    Return the error for an authenticator that did not return within *seconds*.
    """
    cause = causes.HANGS if seconds >= 1 else causes.HANGS_A_MOMENT
    return cause.error(kind=kind, seconds=seconds)


def is_ours(authenticator: object) -> bool:
    """
    Return whether *authenticator* is built in.
    """
    module = type(authenticator).__module__
    return module.startswith(f"{__package__}.") and module != __name__


def kept_to(give_up: float, installed: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return *installed* with every plugin limited by *give_up*, by `time.monotonic`.
    """
    return {
        kind: found
        if isinstance(found, (PluginError, Stranger)) or is_ours(found)
        else Stranger(kind, found, give_up)
        for kind, found in installed.items()
    }


class Stranger:
    """
    A plugin's authenticator whose calls return in time or raise `PluginError`.
    """

    def __init__(self, kind: str, authenticator: Any, give_up: float) -> None:
        self._kind = kind
        self._authenticator = authenticator
        self._give_up = give_up
        self._hung: dict[str, PluginError] = {}

    @property
    def ambient(self) -> bool:
        """
        See the protocol.
        """
        try:
            return self._ask("ambient", lambda its: bool(getattr(its, "ambient", False)))
        except PluginError:
            raise
        except Exception as exc:  # noqa: BLE001  (an attribute may raise as well)
            raise causes.FAILED.error(kind=self._kind, error=type(exc).__name__) from None

    def matches(self, registry: Registry) -> bool:
        """
        See the protocol.
        """
        return self._ask("matches", lambda its: bool(its.matches(registry)))

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        See the protocol.
        """
        return self._ask(
            "exchanges", lambda its: hasattr(its, "exchanges") and bool(its.exchanges(secret))
        )

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        See the protocol.
        """
        return self._ask(
            "explain",
            lambda its: str(its.explain(secret, error)) if hasattr(its, "explain") else "",
        )

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        See the protocol; the caller runs it in a thread with a deadline.
        """
        credential: Credential = self._authenticator.authenticate(secret, timeout=timeout)
        return credential

    def _ask(self, member: str, call: Callable[[Any], T]) -> T:
        """
        Return the result of *call* on the authenticator, if it returns in time.
        """

        def guarded() -> T:
            try:
                return call(self._authenticator)
            except Exception:
                raise
            except BaseException as exc:  # noqa: BLE001  (SystemExit ends only its thread)
                raise causes.FAILED.error(kind=self._kind, error=type(exc).__name__) from None

        if member in self._hung:
            raise self._hung[member]
        seconds = share(self._give_up)
        late = hangs(self._kind, seconds)
        try:
            return within(seconds, guarded, late=late)
        except PluginError as exc:
            if exc is late:
                self._hung[member] = late
            raise
