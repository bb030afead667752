# SPDX-License-Identifier: MIT
"""
What GitHub Codespaces itself writes into config.json is told from what somebody did by hand.
"""

from __future__ import annotations

import pytest
from fakes import a_secret

from devcontainer_registry.commands import hook
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.discovery.environment import read
from devcontainer_registry.logins.decision import is_of_codespaces
from devcontainer_registry.naming import is_codespaces

KEY = {"user": "AKIAIOSFODNN7EXAMPLE", "password": "wJalrXUtnFEMI"}
AS_IT_IS = (KEY["user"], KEY["password"])
TOKEN = ("AWS", "a token of Amazon's")


@pytest.mark.parametrize(
    ("login", "members", "kind", "its"),
    [
        (AS_IT_IS, KEY, "ecr", True),
        (TOKEN, KEY, "ecr", True),
        (("eve", KEY["password"]), KEY, "ecr", False),
        ((KEY["user"], "an older key"), KEY, "ecr", False),
        # With a token in the set, or without a key, it has nothing to exchange.
        (TOKEN, {"user": "AWS", "password": "another"}, "ecr", False),
        (TOKEN, {"user": None, "password": None}, "ecr", False),
        # Elsewhere it writes the set as it is, and that is what we would write.
        (TOKEN, KEY, "generic", False),
        (AS_IT_IS, KEY, "generic", False),
        (TOKEN, KEY, None, False),
    ],
)
def test_its_is_what_it_makes_of_an_access_key(login, members, kind, its):
    username, secret = login
    entry = Credential(username=username, secret=Secret(secret))

    assert its == is_of_codespaces(entry, a_secret("ECR", "corp.example", **members), kind=kind)


@pytest.mark.parametrize(
    ("environ", "steps"),
    [
        ({"CODESPACES": "true"}, ["postCreate", "postStart"]),
        ({"CODESPACES": "false"}, []),
        ({"CODESPACES": ""}, []),
        ({}, []),
    ],
)
def test_it_writes_in_a_codespace_after_on_create(environ, steps):
    assert steps == [step for step in hook.STEPS if hook.codespaces_has_written(step, environ)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("", False), ("1", False)],
)
def test_codespaces_is_told_whatever_the_case(value, expected):
    environ = {"CODESPACES": value}

    assert expected == is_codespaces(environ)
    assert expected == hook.codespaces_has_written("postStart", environ)
    assert expected == read(environ).in_codespaces
