# SPDX-License-Identifier: MIT
"""
What is remembered of one registry, however odd its members are.
"""

from __future__ import annotations

import itertools

import pytest
from doubles.homes import HERE, Home, a_set

from devcontainer_registry.cache.entry import Entry, fresh_until
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands import quiet_start
from devcontainer_registry.errors import (
    AuthenticationError,
    ConfigError,
    PluginError,
    RegistryError,
    TransientError,
    UnreachableError,
)

HOOK = ("hook", "postStart")
NOW = 1_800_000_000.0
ODD = [None, "text", "", [], {}, True, -1, 10**400, float("inf"), float("nan")]


@pytest.mark.parametrize("member", ["issued_at", "expires_at", "at"])
@pytest.mark.parametrize("value", ODD, ids=repr)
def test_odd_times_of_an_entry_stop_no_quiet_start(tmp_path, member, value):
    home = Home(tmp_path)
    home.write({})
    entry = {"issued_at": 1000.0, "expires_at": 3000.0, "at": 1000.0, member: value}
    cache = Cache(home.cache)
    cache.write(HERE, entry)

    cache.fingerprint("a key")
    environ = {**home.environ, **a_set("MY", HERE)}

    quiet_start.remember(HOOK, environ, before=quiet_start.digest(HOOK, environ))

    until = float(cache.stamp().partition(" ")[2])
    assert quiet_start.is_quiet(HOOK, environ) == (until == float("inf"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *itertools.product(
            ["credential", "wrote", "set", "state", "failure", "failed_at", "by_hand"], ODD
        )
    ],
)
def test_odd_members_of_an_entry_are_tolerated(name, value):
    entry = Entry({name: value})

    assert not entry.has_credential
    assert not entry.is_servable(now=NOW)
    assert () == entry.written("/config.json")
    assert entry.failure(now=NOW, within=60) is None
    assert entry.with_written("/config.json", "hash").written("/config.json") == ("hash",)


@pytest.mark.parametrize(
    ("issued", "expires", "until"),
    [
        (None, None, float("inf")),
        (0.0, None, float("inf")),
        (0.0, 43200.0, 21600.0),
        (0.0, 100.0, 40.0),  # a minute before its end
        (None, 100.0, 40.0),
        (200.0, 100.0, 40.0),  # issued after its end, says a clock that was wrong
    ],
)
def test_a_credential_is_fresh_until_half_of_its_life_or_its_last_minute(issued, expires, until):
    assert until == fresh_until(issued_at=issued, expires_at=expires)


@pytest.mark.parametrize(
    "kind",
    [AuthenticationError, UnreachableError, TransientError, ConfigError, PluginError],
)
def test_a_failed_renewal_is_remembered_with_its_kind(kind):
    failed = Entry().with_failure(kind("no", hint="do this", code="a-code"), at=NOW)

    found = failed.failure(now=NOW + 59, within=60)

    assert type(found) is kind
    assert ("no", "do this", "a-code") == (found.message, found.hint, found.code)
    assert failed.failure(now=NOW + 60, within=60) is None
    assert failed.failure(now=NOW - 1, within=60) is None


def test_a_plugins_own_kind_of_error_is_remembered_as_the_base():
    class StrangeError(RegistryError):
        pass

    found = Entry().with_failure(StrangeError("no"), at=NOW).failure(now=NOW, within=60)

    assert type(found) is RegistryError


def test_a_new_credential_drops_what_belonged_to_the_old_one():
    old = Entry({"erased": True}).with_failure(RegistryError("no"), at=NOW)

    new = old.with_credential("AWS", "token", issued_at=NOW, expires_at=NOW + 60)

    assert ("AWS", "token", NOW, NOW + 60) == (
        new.username,
        new.secret,
        new.issued_at,
        new.expires_at,
    )
    assert not new.by_hand
    assert new.failure(now=NOW, within=60) is None
    by_hand = new.with_login_by_hand("jane", "hers", at=NOW)
    assert by_hand.by_hand
    assert by_hand.expires_at is None
    assert Entry.erased().is_erased
    assert not by_hand.is_erased
