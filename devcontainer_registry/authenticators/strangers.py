# SPDX-License-Identifier: MIT
"""
Authenticators that others wrote, kept to a deadline.

Whatever a stranger's code does, it hangs, exits or raises in a thread of its own: a login waits for
it as long as it has time, and never asks again where it did not answer once.
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

# What one may take, in seconds: of the first half of a login, so that the others have the rest.
_ANSWER_MAX = 5.0

# For a word about an outcome, once all time is used up.
_LAST_WORD = 0.05  # seconds


def share(give_up: float, *, among: int = 1) -> float:
    """
    The seconds that one of *among* strangers gets of what is left until *give_up*.
    """
    return max(_LAST_WORD, min(_ANSWER_MAX, (give_up - time.monotonic()) / 2 / among))


def hangs(kind: str, seconds: float) -> PluginError:
    """
    The error for an authenticator that did not answer for *seconds*.
    """
    cause = causes.HANGS if seconds >= 1 else causes.HANGS_A_MOMENT
    return cause.error(kind=kind, seconds=seconds)


def is_ours(authenticator: object) -> bool:
    """
    Whether *authenticator* came with this package.
    """
    module = type(authenticator).__module__
    return module.startswith(f"{__package__}.") and module != __name__


def kept_to(give_up: float, installed: Mapping[str, Any]) -> dict[str, Any]:
    """
    *installed*, with all that is a stranger's behind the deadline *give_up*, by `time.monotonic`.
    """
    return {
        kind: found
        if isinstance(found, (PluginError, Stranger)) or is_ours(found)
        else Stranger(kind, found, give_up)
        for kind, found in installed.items()
    }


class Stranger:
    """
    An authenticator whose members answer in time, or raise a `PluginError`.
    """

    def __init__(self, kind: str, authenticator: Any, give_up: float) -> None:
        self._kind = kind
        self._authenticator = authenticator
        self._give_up = give_up
        self._hung: dict[str, PluginError] = {}

    @property
    def ambient(self) -> bool:
        """
        As the protocol has it.
        """
        try:
            return self._ask("ambient", lambda its: bool(getattr(its, "ambient", False)))
        except PluginError:
            raise
        except Exception as exc:  # noqa: BLE001  (nobody expects that of an attribute)
            raise causes.FAILED.error(kind=self._kind, error=type(exc).__name__) from None

    def matches(self, registry: Registry) -> bool:
        """
        As the protocol has it.
        """
        return self._ask("matches", lambda its: bool(its.matches(registry)))

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        As the protocol has it.
        """
        return self._ask(
            "exchanges", lambda its: hasattr(its, "exchanges") and bool(its.exchanges(secret))
        )

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        As the protocol has it.
        """
        return self._ask(
            "explain",
            lambda its: str(its.explain(secret, error)) if hasattr(its, "explain") else "",
        )

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        As the protocol has it; whoever calls it does so in a thread with a deadline.
        """
        credential: Credential = self._authenticator.authenticate(secret, timeout=timeout)
        return credential

    def _ask(self, member: str, call: Callable[[Any], T]) -> T:
        """
        What *call* returns for the authenticator, if it does so in time.
        """

        def guarded() -> T:
            try:
                return call(self._authenticator)
            except Exception:
                raise
            except BaseException as exc:  # noqa: BLE001  (an exit, which is only its thread's)
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
