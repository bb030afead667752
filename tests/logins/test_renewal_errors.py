# SPDX-License-Identifier: MIT
"""
The kind of a failed renewal reaches the caller: `export` or `resolve`.
"""

from __future__ import annotations

import time

import pytest
from doubles.homes import HERE, Exchanging, Home, a_set

from devcontainer_registry import authenticators as plugins
from devcontainer_registry.cache.entry import Entry
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.errors import AuthenticationError, TransientError, UnreachableError
from devcontainer_registry.keychain.resolve import resolve
from devcontainer_registry.logins.export import export

FAILURES = {
    "timeout": (TransientError("timed out while asking it", code="timeout"), 5),
    "unreachable": (UnreachableError("its certificate is not trusted"), 5),
    "refusal": (AuthenticationError("the cloud said no"), 4),
}


@pytest.fixture(name="home")
def _home(tmp_path):
    home = Home(tmp_path)
    home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    return home


def expired(home, error=None):
    now = time.time()
    entry = Entry().with_credential(
        "AWS", "the-old-one", issued_at=now - 43200, expires_at=now - 60
    )
    if error is not None:
        entry = entry.with_failure(error, at=now)
    entry.write(Cache(home.cache), HERE)


@pytest.mark.parametrize("why", FAILURES)
@pytest.mark.parametrize("remembered", [False, True], ids=["just now", "a moment ago"])
def test_export_has_the_exit_status_of_a_failed_renewal(home, monkeypatch, why, remembered):
    error, status = FAILURES[why]
    expired(home, error if remembered else None)
    monkeypatch.setattr(plugins, "load", lambda *_, **__: {"played": Exchanging(error)})
    sets = a_set("MY", HERE, KIND="played")

    report = export("docker-config", environ={**home.environ, **sets})

    assert status == report.exit_status
    (exported,) = report.registries
    assert isinstance(exported.error, type(error))
    assert exported.error.code == error.code


@pytest.mark.parametrize("why", FAILURES)
def test_resolve_raises_the_error_class_of_a_failed_renewal(home, monkeypatch, why):
    error, _ = FAILURES[why]
    expired(home)
    monkeypatch.setattr(plugins, "load", lambda *_, **__: {"played": Exchanging(error)})
    sets = a_set("MY", HERE, KIND="played")

    with pytest.raises(type(error)):
        resolve(f"{HERE}/app", environ={**home.environ, **sets})
