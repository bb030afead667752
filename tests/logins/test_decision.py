# SPDX-License-Identifier: MIT
"""
A login by hand during a request: the same decision before and under the lock.
"""

from __future__ import annotations

import json
import time

import pytest
from doubles.homes import GOOD, HERE, Exchanging, Home, Scripted, a_secret, encoded, only

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands import hook
from devcontainer_registry.commands.parsing.settings import STEPS
from devcontainer_registry.config.delegation import Delegation
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.discovery.environment import read
from devcontainer_registry.logins.decision import is_of_codespaces
from devcontainer_registry.naming import is_codespaces

MINE = "jane:by-hand-by-hand"


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


class Overtaken(Exchanging):
    """
    An authenticator that calls *happens* while it answers.
    """

    def __init__(self, word, happens):
        super().__init__(word)
        self._happens = happens

    def authenticate(self, secret, *, timeout):
        self._happens()
        return super().authenticate(secret, timeout=timeout)


def login_by_hand(home, pair=MINE, key=HERE):
    """
    Write *pair* as `docker login` does.
    """
    try:
        document = json.loads(home.text)
    except FileNotFoundError:
        document = {}
    document.setdefault("auths", {})[key] = {"auth": encoded(pair)}
    home.write(document)


def token(number):
    now = time.time()
    return Credential(
        username="AWS", secret=Secret(f"token-{number}"), issued_at=now, expires_at=now + 43200
    )


def login(home, plugin, **options):
    return only(
        home.login([a_secret()], authenticators={"generic": plugin}, verify="never", **options)
    )


@pytest.mark.parametrize("before", ["nothing", "another by hand", "ours", "ours, replaced"])
def test_a_login_by_hand_during_a_request_is_kept(home, before):
    if before == "another by hand":
        login_by_hand(home, "old:old-old-old")
    elif before != "nothing":
        login(home, Scripted(GOOD), store="auths")
    secret = a_secret(password="a-new-secret") if before == "ours, replaced" else a_secret()

    outcome = only(
        home.login(
            [secret],
            authenticators={"generic": Overtaken(token(1), lambda: login_by_hand(home))},
            verify="never",
        )
    )

    assert ("skipped", "login-by-hand") == (outcome.status, outcome.code)
    assert {HERE: MINE} == home.auths


def test_a_login_by_hand_through_our_helper_during_a_request_is_kept(home, monkeypatch):
    home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    cache = Cache(home.cache)
    monkeypatch.setattr(Delegation, "trouble", None)

    def by_hand():
        username, secret = MINE.split(":")
        credential = {"Username": username, "Secret": secret}
        cache.write(HERE, {"credential": credential, "by_hand": True, "at": time.time()})

    outcome = login(home, Overtaken(token(1), by_hand))

    assert ("skipped", "login-by-hand") == (outcome.status, outcome.code)
    assert "by-hand-by-hand" == cache.read(HERE)["credential"]["Secret"]


def test_a_login_by_hand_with_the_same_credential_is_ours(home):
    pair = f"{GOOD.username}:{GOOD.secret.reveal()}"

    outcome = login(home, Overtaken(GOOD, lambda: login_by_hand(home, pair)))

    assert ("ok", {"auths"}) == (outcome.status, outcome.kept_in)
    assert {HERE: pair} == home.auths


def test_a_login_by_hand_to_another_registry_during_a_request_has_no_effect(home):
    outcome = login(home, Overtaken(GOOD, lambda: login_by_hand(home, key="other.example")))

    assert ("ok", {"auths"}) == (outcome.status, outcome.kept_in)
    assert {HERE, "other.example"} == set(home.auths)


def test_a_login_of_ours_by_another_process_during_a_request_is_replaced(home):
    def another():
        assert "ok" == login(home, Scripted(token(1)), store="auths").status

    outcome = login(home, Overtaken(token(2), another), store="auths")

    assert ("ok", {"auths"}) == (outcome.status, outcome.kept_in)
    assert {HERE: "AWS:token-2"} == home.auths


def test_another_helper_that_is_configured_during_a_request_is_kept(home):
    def named():
        home.write({"credHelpers": {HERE: "theirs"}})

    home.program("docker-credential-theirs")

    outcome = login(home, Overtaken(GOOD, named))

    assert ("skipped", "other-helper") == (outcome.status, outcome.code)
    assert {} == home.auths


def test_a_login_that_codespaces_writes_during_a_request_is_replaced(home):
    secret = a_secret("ECR", user="AKIAIOSFODNN7EXAMPLE", password="the-key-the-key")

    outcome = only(
        home.login(
            [secret],
            authenticators={
                "ecr": Claimed(token(2), lambda: login_by_hand(home, "AWS:codespaces-token"))
            },
            verify="never",
            store="auths",
            codespaces_wrote=True,
        )
    )

    assert "ok" == outcome.status
    assert {HERE: "AWS:token-2"} == home.auths


class Claimed(Overtaken):
    """
    One that claims every registry.
    """

    def matches(self, registry):  # noqa: ARG002  (the protocol's)
        return True


# Logins that GitHub Codespaces writes into config.json are distinguished from logins by hand.

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
def test_an_entry_that_codespaces_made_from_an_access_key_is_recognised(login, members, kind, its):
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
def test_codespaces_writes_its_logins_after_on_create(environ, steps):
    assert steps == [step for step in STEPS if hook.codespaces_has_written(step, environ)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("", False), ("1", False)],
)
def test_codespaces_is_recognised_in_any_letter_case(value, expected):
    environ = {"CODESPACES": value}

    assert expected == is_codespaces(environ)
    assert expected == hook.codespaces_has_written("postStart", environ)
    assert expected == read(environ).in_codespaces
