# SPDX-License-Identifier: MIT
"""
Removing what we wrote, and nothing else.
"""

from __future__ import annotations

import json
import os

import pytest
from command import run
from fakes import HERE, Home, Told, a_secret, encoded

from devcontainer_registry.logins.logout import logout
from devcontainer_registry.registry import Registry

OTHER = Registry("other.example")


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def out(home, *registries, **options):
    return logout(registries or None, environ=home.environ, **options)


def statuses(report):
    return {outcome.registry: outcome.status for outcome in report.outcomes}


def test_what_we_wrote_is_removed_and_forgotten(home):
    home.login([a_secret(), a_secret("B", OTHER)], verify="never")

    report = out(home, HERE)

    assert {HERE: "ok"} == statuses(report)
    assert [OTHER] == list(home.auths)
    assert report.changed
    assert ["key", f"{OTHER}.json"] == sorted(os.listdir(home.cache))


def test_all_is_all_that_we_wrote(home):
    home.write({"auths": {"theirs.example": {"auth": encoded("a:b")}}, "other": 1})
    home.login([a_secret(), a_secret("B", OTHER)], verify="never")

    report = out(home)

    assert {HERE: "ok", OTHER: "ok"} == statuses(report)
    assert {"theirs.example": "a:b"} == home.auths
    assert 1 == json.loads(home.text)["other"]


def test_what_somebody_else_wrote_stays(home):
    home.write({"auths": {HERE: {"auth": encoded("a:b")}}})
    before = home.text

    report = out(home, HERE)

    assert {HERE: "skipped"} == statuses(report)
    assert "not-ours" == report.outcomes[0].code
    assert (before, False, 0) == (home.text, report.changed, report.exit_status)


def test_a_login_by_hand_since_stays_and_is_still_known_not_to_be_ours(home):
    home.login([a_secret()], verify="never")
    home.write({"auths": {HERE: {"auth": encoded("by:hand")}}})

    report = out(home)

    assert {HERE: "skipped"} == statuses(report)
    assert {HERE: "by:hand"} == home.auths
    assert ["skipped"] == [o.status for o in home.login([a_secret()], verify="never").outcomes]


def test_where_there_is_no_login_there_is_nothing_to_do(home, tmp_path):
    report = out(home, HERE)

    assert ({HERE: "unchanged"}, 0) == (statuses(report), report.exit_status)
    assert [] == os.listdir(tmp_path)


def test_our_helper_goes_and_another_stays(home):
    home.login([a_secret()], verify="never")
    helpers = {HERE: "devcontainer-registry", "theirs.example": "ecr-login"}
    home.write({**json.loads(home.text), "credHelpers": helpers})

    out(home, HERE)

    assert {"theirs.example": "ecr-login"} == json.loads(home.text)["credHelpers"]


def test_a_damaged_file_is_left_and_nothing_is_forgotten(home):
    home.login([a_secret()], verify="never")
    home.write("{")

    report = out(home)

    assert (6, "{") == (report.exit_status, home.text)
    assert f"{HERE}.json" in os.listdir(home.cache)


def test_a_login_after_a_logout_is_as_the_first(home):
    home.login([a_secret()], verify="never")
    out(home)

    report = home.login([a_secret()], verify="never", observe=Told())

    assert ["ok"] == [outcome.status for outcome in report.outcomes]


def test_a_registry_may_be_spelled_as_docker_prints_it(home):
    home.login([a_secret(registry="docker.io")], verify="never")

    ran = run(home, "logout", "https://index.docker.io/v1/")

    assert (0, "logged out  docker.io  from config.json\n") == (ran.status, ran.stdout)
    assert {} == home.auths


def test_the_command_says_what_was_done(home):
    home.login([a_secret()], verify="never")

    ran = run(home, "logout", HERE, OTHER)
    again = run(home, "logout", "--all")

    assert ["logged out", "no login"] == [line[:12].strip() for line in ran.stdout.splitlines()]
    assert ["from config.json", "in config.json"] == [
        line[12:].split(maxsplit=1)[1] for line in ran.stdout.splitlines()
    ]
    assert (0, "nothing to log out of\n") == (again.status, again.stdout)
