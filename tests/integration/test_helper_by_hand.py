# SPDX-License-Identifier: MIT
"""
`docker login` and `docker logout` by hand, where our helper is what docker asks.
"""

from __future__ import annotations

import json
import os

import pytest
from parts.localbin import HELPER, put_our_helper_on_path
from runs import only, set_for

from devcontainer_registry.testing import LoopbackRegistry

ANN = ("ann", "of-the-set")
BOB = ("bob", "by-hand")
EVE = ("eve", "of-the-new-set")


class ByHand:
    """
    A client with a login of our helper's as Ann, and a registry that knows Bob and Eve, too.
    """

    def __init__(self, client, registry, engine):
        self.client, self._registry, self._engine = client, registry, engine
        self.registry = str(registry.registry)
        self.environ = set_for(self.registry, *ANN)

    def docker(self, *arguments, **options):
        return self.client.docker(*arguments, DOCKER_HOST=self._engine.host, **options)

    def log_in(self, password=BOB[1]):
        given = ("login", self.registry, "--username", BOB[0], "--password-stdin")
        return self.docker(*given, stdin=password)

    def served(self):
        """
        What our helper answers, or why it does not.
        """
        done = self.client.run(HELPER, "get", stdin=self.registry)
        return json.loads(done.stdout) if done.returncode == 0 else done.stdout.strip()

    def who_pulls(self):
        """
        As whom docker gets the image; None: it does not.
        """
        self._registry.requests.clear()
        image = f"{self.registry}/demo/hello"
        try:
            done = self.docker("pull", image)
        finally:
            self._engine.remove_image(image)
        users = {request.user for request in self._registry.requests if request.user}
        assert (done.returncode == 0) == bool(users), done.stderr
        return users.pop() if users else None


@pytest.fixture(name="by_hand", params=["basic", "bearer"])
def _by_hand(request, client, engine, tmp_path):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    put_our_helper_on_path(client, tmp_path / "helpers")
    with LoopbackRegistry(dict((ANN, BOB, EVE)), auth=request.param) as registry:
        one = ByHand(client, registry, engine)
        done = client.product("login", "--store", "helper", **one.environ)
        assert 0 == done.returncode, done.stdout
        # As auto leaves it: the same login in `auths`, for whoever does not find our helper.
        client.log_in_by_hand(one.registry, *ANN)
        assert ANN[0] == one.who_pulls()
        yield one


def test_a_login_by_hand_is_what_is_served_and_sent(by_hand):
    """
    A registry that gives tokens gives docker one to keep instead of the password.
    """
    done = by_hand.log_in()

    served = by_hand.served()
    assert (0, "Login Succeeded\n", "") == (done.returncode, done.stdout, done.stderr)
    assert (by_hand.registry, "bob") == (served["ServerURL"], by_hand.who_pulls())
    assert served["Username"] in ("bob", "<token>")
    assert {by_hand.registry: {}} == by_hand.client.config()["auths"]


def test_a_login_by_hand_that_is_refused_leaves_what_was_served(by_hand):
    before = by_hand.served()

    done = by_hand.log_in("wrong")

    assert 0 != done.returncode
    assert before == by_hand.served()
    assert "ann" == by_hand.who_pulls()


def test_a_login_by_hand_is_not_undone_by_the_next_start(by_hand):
    by_hand.log_in()

    done = by_hand.client.product(
        "hook", "postStart", "--json", "--store", "helper", **by_hand.environ
    )

    assert ("skipped", "login-by-hand") == (only(done)["status"], only(done)["code"])
    assert "bob" == by_hand.who_pulls()


def test_a_set_that_changed_replaces_a_login_by_hand(by_hand):
    by_hand.log_in()

    changed = set_for(by_hand.registry, *EVE)
    done = by_hand.client.product("hook", "postStart", "--json", "--store", "helper", **changed)

    assert "ok" == only(done)["status"]
    assert "eve" == by_hand.who_pulls()


@pytest.mark.parametrize("after_a_login", [False, True])
def test_docker_logout_forgets_it(by_hand, after_a_login):
    if after_a_login:
        by_hand.log_in()

    done = by_hand.docker("logout", by_hand.registry)

    assert (0, "") == (done.returncode, done.stderr)
    assert "credentials not found in native keychain" == by_hand.served()
    assert by_hand.who_pulls() is None
    cache = os.path.join(by_hand.client.home, ".cache", "devcontainer-registry")
    for name in os.listdir(cache):
        with open(os.path.join(cache, name), "rb") as file:
            content = file.read()
        assert ANN[1].encode() not in content, name
        assert BOB[1].encode() not in content, name


def test_after_a_logout_by_hand_the_set_logs_in_again(by_hand):
    by_hand.log_in()
    by_hand.docker("logout", by_hand.registry)

    done = by_hand.client.product("login", "--store", "helper", **by_hand.environ)

    assert 0 == done.returncode, done.stdout
    assert "ann" == by_hand.who_pulls()


HUB = ("docker.io", "index.docker.io", "https://index.docker.io/v1/")


@pytest.mark.parametrize("named", [(), *((spelling,) for spelling in HUB)])
def test_docker_logout_forgets_docker_hub_under_each_of_its_names(client, tmp_path, named):
    put_our_helper_on_path(client, tmp_path / "helpers")
    options = ("--store", "helper", "--verify", "never")
    kept = client.product("login", "--json", *options, **set_for("docker.io", *ANN))
    before = {client.run(HELPER, "get", stdin=spelling).returncode for spelling in HUB}

    done = client.docker("logout", *named)

    assert (["credHelpers"], {0}) == (only(kept)["kept_in"], before)
    assert (0, "") == (done.returncode, done.stderr)
    assert {"credentials not found in native keychain\n"} == {
        client.run(HELPER, "get", stdin=spelling).stdout for spelling in HUB
    }
