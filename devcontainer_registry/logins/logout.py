# SPDX-License-Identifier: MIT
"""
Removes the logins that this package wrote.
"""

from __future__ import annotations

import os
from dataclasses import replace

from ..cache.folder import Cache
from ..cache.memory import Memory
from ..causes.export import NOT_OURS_TO_REMOVE
from ..config.file import DockerConfig
from ..errors import ConfigChangedError, ConfigError
from ..naming import OUR_HELPER
from ..observer import ignore, observed
from ..registry import registries_of
from ..report import LoginReport, Outcome
from ..threads import deadline_after
from .keeping import amend

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..config.file import Document
    from ..observer import Observer
    from ..registry import Registry


@observed
def logout(
    registries: Iterable[str] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    config: DockerConfig | None = None,
    timeout: float = 30.0,
    observe: Observer = ignore,
) -> LoginReport:
    """
    Remove our logins to *registries* from config.json, and their cache entries.

    Args:
        registries: Names such as `ghcr.io` or `localhost:5000`; None: all with a login of ours.
        environ: Variables that locate the files; None: `os.environ`.
        config: The config.json to edit; None: docker's own.
        timeout: Seconds to wait for other processes that are writing it.
        observe: Called with each event; see `Observer`.

    Returns:
        A report with one outcome for each registry: `ok` if an entry was removed, `unchanged` if
        there was none, `skipped` if another program wrote it.  Errors of files are in its `error`,
        never raised.

    Raises:
        InvalidRegistryError: One of *registries* is not the name of a registry.
        TypeError: *registries* is a string instead of several.
        ValueError: *timeout* is not a positive number of seconds.
    """
    named = None if registries is None else registries_of(registries)
    deadline = deadline_after(timeout)
    environ = os.environ if environ is None else environ
    cache = Cache.locate(environ)
    try:
        config = config or DockerConfig.locate(environ)
        wanted = list(cache.registries() if named is None else named)
    except ConfigError as exc:
        return LoginReport(config="", changed=False, outcomes=(), error=exc)
    memory = Memory(cache, config.path)
    outcomes: list[Outcome] = []

    def change(document: Document) -> None:
        outcomes[:] = [_remove(registry, document, memory) for registry in wanted]

    try:
        if os.path.lexists(config.path):
            changed = bool(wanted) and amend(config, change, deadline=deadline, observe=observe)
        else:
            # The folder is not created for a search.
            change(config.read())
            changed = False
    except (ConfigError, ConfigChangedError) as exc:
        return LoginReport(config=config.path, changed=False, outcomes=(), error=exc)
    for outcome in outcomes:
        if outcome.registry is not None and outcome.status != "skipped":
            memory.forget(outcome.registry)
    return LoginReport(
        config=config.path, changed=changed, outcomes=tuple(outcomes), error=memory.trouble
    )


def _remove(registry: Registry, document: Document, memory: Memory) -> Outcome:
    outcome = Outcome(id="", registry=registry, source="config.json", kind=None, status="ok")
    served = document.helper(registry) == OUR_HELPER
    document.remove_helper(registry, OUR_HELPER)
    entry = document.auth(registry)
    if entry is not None and memory.wrote(registry, entry):
        document.remove_auth(registry)
        return outcome
    if entry is None or served:
        return replace(outcome, status="ok" if served else "unchanged")
    error = NOT_OURS_TO_REMOVE.error(host=registry)
    return replace(outcome, status="skipped", code=error.code, error=error)
