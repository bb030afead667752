# SPDX-License-Identifier: MIT
"""
Causes of a failing pull, each made for real and named by the diagnosis.
"""

from __future__ import annotations

import socket

import pytest
from doubles.failing_pulls import CASES
from doubles.worlds import World


@pytest.fixture(name="world")
def _world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture(name="peers")
def _peers(monkeypatch):
    """
    The ports of this machine to which connections are made.
    """
    seen = set()
    connect = socket.socket.connect

    def note(self, address):
        if self.family != socket.AF_UNIX:
            seen.add(address[1])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    return seen


@pytest.mark.parametrize("name", CASES)
def test_a_cause_is_named_with_its_fix(name, world, peers):
    build, code, message, fix, exit_status = CASES[name]
    build(world)
    before = world.snapshot()
    peers.clear()

    diagnosis = world.diagnose()

    error = diagnosis.cause
    assert error is not None
    assert (code, world.filled(message)) == (error.code, error.message)
    assert world.filled(fix) == error.hint
    assert exit_status == diagnosis.exit_status
    assert not diagnosis.ok
    # Nothing was written, nobody else was talked to, nor sent a wrong password twice.
    assert before == world.snapshot()
    assert peers <= world.ports() if world.internet is None else True
    assert world.strangers() <= {"unknown.example"}
    assert world.refusals() <= 1


def test_no_two_causes_have_the_same_words():
    messages = [message for name, (_, _, message, _, _) in CASES.items() if "unseen" not in name]

    assert len(set(messages)) == len(messages) >= 60


def test_a_missing_helper_stops_the_other_commands_and_not_docker_pull(world):
    world.logged_in(world.registry(), credsStore="gone")

    (image,) = world.diagnose().images

    assert "helper-missing" == image.cause.code
    assert (False, True) == (image.ok, image.can_be_pulled)


def test_a_wrong_login_that_the_registry_ignores_is_no_obstacle(world):
    world.registry(public=("team/app",), ignoring=True)
    world.logged_in(world.names["R"], password="of-last-year")

    (image,) = world.diagnose().images

    assert (None, True) == (image.cause, image.can_be_pulled)
    (login,) = (step for step in image.steps if step.name == "login")
    assert "note" == login.status
    assert "which is wrong" in login.message


def test_what_was_not_checked_is_not_said_to_fail(world):
    build, *_ = CASES["renewal is due"]
    build(world)

    (image,) = world.diagnose().images

    assert (False, None) == (image.ok, image.can_be_pulled)
    assert "skipped" == image.steps[-1].status


def test_what_we_saved_says_when(world):
    from devcontainer_registry.logins.login import login

    world.set(world.registry())
    assert login(environ=world.environ).ok

    (image,) = world.diagnose().images

    (credential,) = (step for step in image.steps if step.name == "credential")
    assert credential.message.startswith("from auths, saved by us today ")
    assert image.ok
