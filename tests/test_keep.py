# SPDX-License-Identifier: MIT
"""
Keeping what was accepted: what gets into config.json, and starting over where others were faster.
"""

from __future__ import annotations

import time

import pytest
from fakes import GOOD, HERE, Home, Told, a_secret

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.cache.memory import Memory
from devcontainer_registry.config.delegation import Delegation
from devcontainer_registry.errors import ConfigChangedError, ConfigError
from devcontainer_registry.logins.decision import Policy
from devcontainer_registry.logins.keeping import Accepted, amend, keep
from devcontainer_registry.observer import ignore
from devcontainer_registry.report import Outcome


class Overtaken:
    """
    A config.json that somebody else writes first, *times* times.
    """

    path = "/nowhere/config.json"

    def __init__(self, config, times):
        self._config, self._times, self.edits = config, times, 0

    def edit(self, change, *, timeout, observe):
        self.edits += 1
        if self.edits <= self._times:
            change(self._config.read())
            msg = "somebody else wrote it"
            raise ConfigChangedError(msg)
        return self._config.edit(change, timeout=timeout, observe=observe)


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def accepted(secret=None, status="ok"):
    secret = secret or a_secret()
    outcome = Outcome(
        id=secret.id,
        registry=secret.registry,
        source=secret.source,
        kind="generic",
        status=status,
        verified=status == "ok",
        implicit=secret.implicit,
    )
    return Accepted(secret=secret, credential=GOOD, outcome=outcome)


def kept(home, *ones, config=None, deadline=5.0):
    return keep(
        ones,
        config=config or home.docker,
        memory=Memory(Cache(home.cache), home.config),
        policy=Policy(delegation=Delegation(home.config, environ={}), store="auths"),
        deadline=time.monotonic() + deadline,
        observe=ignore,
    )


def test_a_write_by_somebody_else_is_not_overwritten(home):
    config = Overtaken(home.docker, times=3)

    found = kept(home, accepted(), config=config)

    assert (True, None, 4) == (found.changed, found.error, config.edits)
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


def test_somebody_who_never_stops_writing_is_given_up_on(home):
    config = Overtaken(home.docker, times=1000)

    found = kept(home, accepted(), config=config)

    assert ["not-kept"] == [outcome.code for outcome in found.outcomes]
    assert isinstance(found.error, ConfigChangedError)
    assert not found.changed
    assert config.edits < 20


def test_what_is_decided_is_decided_from_the_file_as_it_is_written(home):
    class Taking(Overtaken):
        def edit(self, change, *, timeout, observe):
            try:
                return super().edit(change, timeout=timeout, observe=observe)
            except ConfigChangedError:
                home.write({"credHelpers": {HERE: "theirs"}})
                raise

    found = kept(home, accepted(), config=Taking(home.docker, times=1))

    assert [("skipped", "other-helper")] == [(o.status, o.code) for o in found.outcomes]
    assert {} == home.auths


def test_what_is_there_already_says_that_it_is_kept(home):
    kept(home, accepted())

    found = kept(home, accepted(status="unverified"))

    assert [frozenset({"auths"})] == [outcome.kept_in for outcome in found.outcomes]
    assert not found.changed


def test_a_lock_that_is_not_given_back_is_waited_for_no_longer_than_the_run(home):
    home.write({})
    started = time.monotonic()

    def blocked(_):
        found.append(kept(home, accepted(), deadline=0.2))

    found = []
    home.docker.edit(blocked, observe=Told())

    assert ["not-kept"] == [outcome.code for outcome in found[0].outcomes]
    assert time.monotonic() - started < 3


def test_amend_raises_what_only_the_caller_can_say(home):
    def change(_):
        msg = "full"
        raise ConfigError(msg)

    with pytest.raises(ConfigError, match="full"):
        amend(home.docker, change, deadline=0, observe=ignore)
