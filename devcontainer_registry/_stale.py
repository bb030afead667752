# SPDX-License-Identifier: MIT
"""
What the helper does about a credential that is old, or not there: renew it, or serve what it has.
"""

from __future__ import annotations

import time

from .errors import ConfigError, RegistryError
from .helper import (
    ANSWER_WITHIN,
    NOT_FOUND,
    USELESS_BELOW,
    has_credential,
    instant,
    is_fresh,
    told,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from .cache import Cache
    from .registry import Registry

    Entry: TypeAlias = dict[str, Any]

# Classic builds and compose ask for every host, one after the other, and then again.
FAILURE_KEPT_FOR = 60.0  # seconds

# While somebody else asks; a `docker login` by hand may settle it before.
_LOOK_AGAIN = 0.25  # seconds

# To ask a cloud in, loading its SDK included.
_TOO_SHORT = 0.5  # seconds

# Codes of what is so for this process only, and may be otherwise for the next.
_NOT_REMEMBERED = ("not-found", "secrets-not-visible", "cache-locked")


def renewed(
    registry: Registry, entry: Entry | None, *, cache: Cache, environ: Mapping[str, str]
) -> Entry:
    """
    An entry for *registry* that can be served: a new one, or else *entry* while it works.

    Raises:
        RegistryError: Nothing is kept that works, and why there is nothing new.
    """
    give_up = time.monotonic() + ANSWER_WITHIN
    if entry is None:
        from ._renew import secret_for

        if secret_for(registry, environ) is None:  # and so nothing is made for it, either
            raise RegistryError(NOT_FOUND, code="not-found")
    found: Entry | RegistryError | None = _known_failure(entry)
    while found is None:
        try:
            # Many pulls at once ask the cloud once: the others wait here, and find it done.
            with cache.lock(registry, timeout=_LOOK_AGAIN):
                entry = cache.read(registry)
                found = _settled(entry) or _renew(registry, entry, cache, environ, give_up)
        except RegistryError as exc:  # noqa: PERF203  (one try is one look)
            if exc.code != "cache-locked":
                found = exc
                break
            entry = cache.read(registry)
            found = _settled(entry) or (exc if time.monotonic() > give_up else None)
    return found if isinstance(found, dict) else _fallback(registry, entry, found)


def _settled(entry: Entry | None) -> Entry | RegistryError | None:
    """
    What somebody else has come to meanwhile.
    """
    if entry is not None and is_fresh(entry, now=time.time()):
        return entry
    return _known_failure(entry)


def _known_failure(entry: Entry | None) -> RegistryError | None:
    """
    Why there is no use in asking now: it was erased, or failed a moment ago and would again.
    """
    if entry is None:
        return None
    if entry.get("erased") and not has_credential(entry):
        return RegistryError(NOT_FOUND, code="not-found")
    failure, code = entry.get("failure"), entry.get("failure_code")
    if not 0 <= time.time() - instant(entry.get("failed_at")) < FAILURE_KEPT_FOR:
        return None
    return RegistryError(str(failure), code=str(code))


def _renew(
    registry: Registry,
    entry: Entry | None,
    cache: Cache,
    environ: Mapping[str, str],
    give_up: float,
) -> Entry | RegistryError:
    """
    A new entry, by *give_up*; or why not, which is remembered.  The caller holds the lock.
    """
    if give_up - time.monotonic() < _TOO_SHORT:
        # Not the cloud's failure: who had the lock before us used up the time.
        return RegistryError(f"others were busy renewing {registry}", code="cache-locked")
    from ._worker import Worker

    done: list[Entry | RegistryError] = []

    def work() -> None:
        try:
            from ._renew import renew  # the dear part, and only this branch needs it

            timeout = give_up - time.monotonic()
            done.append(renew(registry, entry, cache=cache, environ=environ, timeout=timeout))
        except RegistryError as exc:
            done.append(exc)
        except BaseException as exc:  # noqa: BLE001  (without its text, which nobody has vetted)
            msg = f"renewing it failed: {type(exc).__name__}"
            done.append(RegistryError(msg, hint="report this as a bug"))

    # A plugin may hang where no timeout of ours reaches it, even when it is imported.
    worker = Worker(work)
    worker.start()
    worker.join(max(0.0, give_up - time.monotonic()))
    result = done[0] if done else _too_slow(registry)
    if isinstance(result, RegistryError) and result.code not in _NOT_REMEMBERED:
        failure = {"failed_at": time.time(), "failure": told(result), "failure_code": result.code}
        try:
            cache.write(registry, {**(cache.read(registry) or {}), **failure})
        except ConfigError:
            pass  # it is asked again; what matters is what went wrong first
    return result


def _too_slow(registry: Registry) -> RegistryError:
    return RegistryError(
        f"{registry} or its cloud did not answer in time",
        hint="check the network to it",
        code="timeout",
    )


def _fallback(registry: Registry, entry: Entry | None, failure: RegistryError) -> Entry:
    """
    *entry* while it works, or else the *failure*.
    """
    if entry is None or not has_credential(entry):
        raise failure
    left = instant(entry.get("expires_at")) - time.time()
    if left > USELESS_BELOW:
        return entry
    raise RegistryError(
        f"the login to {registry} {_ended(left)}, and {failure.message}",
        hint=failure.hint,
        code=failure.code,
    )


def _ended(left: float) -> str:
    if left > 0:
        return "has less than a minute left"
    hours, minutes = divmod(round(-left / 60), 60)
    return f"expired {hours} h {minutes} min ago" if hours else f"expired {minutes} min ago"
