# SPDX-License-Identifier: MIT
"""
`--store auto` where some docker does not find our helper: every command goes on working.

And what of docker's would not, had it been sent there: the reason for all of auto's caution.
"""

from __future__ import annotations

import json
import os
import shutil

import pytest
from helping import Helper
from parts.clients import Client
from parts.dockers import Dockers
from parts.localbin import HELPER, LocalBin
from runs import only

USER = ("AWS", "the-new-one")
EVERYTHING = list(Dockers.COMMANDS)

# Without the helper that config.json names, BuildKit and newer dockers' `run` fail, but where the
# client drops the failure and sends what is in `auths`: in a pull, and in the one look at all
# registries that a classic build begins with.  In Debian's dockers, 20.10 and 26, `run` does, too.
# https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
WITHOUT_ITS_HELPER = {"pull", "compose build"}
# In 28's and 26's docker, a classic build does so as well; 20.10's then has no login at all.
CLASSIC = {"build"}


class Place:
    """
    A container with a /usr/local/bin of its own, and two registries with a private image each.

    For the first, a cloud gives logins that live 12 hours, and so need to be renewed.
    """

    def __init__(self, client, engine, local_bin, registries, folder):
        self.client, self.engine, self.local_bin = client, engine, local_bin
        self.registry, self.other = (registry.registry for registry in registries)
        self.image, self.others_image = (f"{r.registry}/team/app:1" for r in registries)
        client.environ["PATH"] = f"/usr/local/bin:{client.environ['PATH']}"
        cloud = Helper(folder)
        cloud.see_secrets()
        self.secrets = cloud.set_for(self.registry)
        for registry, image in ((self.registry, self.image), (self.other, self.others_image)):
            client.log_in_by_hand(registry, *USER)
            engine.import_busybox(image)
            pushed = client.docker("push", image, DOCKER_HOST=engine.host)
            engine.remove_image(image)
            assert 0 == pushed.returncode, pushed.stderr
        os.unlink(client.config_path)
        client.log_in_by_hand(self.other, *USER)

    def write(self, config):
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def log_in(self, *command):
        done = self.client.product(
            *(command or ("login",)), "--json", enter=self.local_bin.enter, **self.secrets
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return only(done)

    def dockers(self, client=None, enter=None):
        """
        Its docker, unless another *client* is named, that is elsewhere.
        """
        enter = self.local_bin.enter if enter is None else enter
        return Dockers(client or self.client, self.engine, enter=enter)


@pytest.fixture(name="place")
def _place(client, engine, start_registry, tmp_path):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    (tmp_path / "local").mkdir()
    (tmp_path / "cloud").mkdir()
    registries = [start_registry(dict([USER])) for _ in range(2)]
    with LocalBin(tmp_path / "local") as local_bin:
        yield Place(client, engine, local_bin, registries, tmp_path / "cloud")


def told(outcome):
    return outcome["status"], outcome["kept_in"], outcome["code"]


def test_nothing_works_without_a_login(place):
    assert [] == place.dockers().working(place.image)


def test_everything_works_through_our_helper_alone_where_docker_is_sent_to_it(place):
    place.local_bin.install_helper()

    outcome = place.log_in()

    assert ("ok", ["auths", "credHelpers"], None) == told(outcome)
    place.write({"credHelpers": place.client.config()["credHelpers"]})
    assert EVERYTHING == place.dockers().working(place.image)


def test_everything_works_where_our_helper_is_nowhere(place):
    outcome = place.log_in()

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert EVERYTHING == place.dockers().working(place.image)


@pytest.mark.parametrize("mounted", ["file", "folder"])
def test_everything_works_on_both_sides_of_a_config_json_that_is_a_hosts(place, mounted, tmp_path):
    """
    The container has our helper, and the host that it has config.json from lacks it.
    """
    host = Client(tmp_path / "host", path=place.client.environ["PATH"])
    shutil.copy(place.client.config_path, host.config_path)
    sides = [
        path if mounted == "file" else os.path.dirname(path)
        for path in (host.config_path, place.client.config_path)
    ]
    place.local_bin.install_helper()
    bound = place.client.run("mount", "--bind", *sides, enter=place.local_bin.enter)
    assert 0 == bound.returncode, bound.stderr
    lacking = place.dockers(host, enter=())
    having = place.dockers()

    outcome = place.log_in()

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert {place.other, place.registry} == set(host.config()["auths"])
    assert EVERYTHING == lacking.working(place.image)
    assert 0 == having.run("run", place.image).returncode


def test_what_docker_does_without_the_helper_that_it_was_sent_to(place):
    """
    Other registries are not touched by it, but for a classic build of an old docker.
    """
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()

    done = {name: place.dockers().run(name, place.image) for name in EVERYTHING}

    failed = {name for name in EVERYTHING if done[name].returncode != 0}
    assert failed.isdisjoint(WITHOUT_ITS_HELPER)
    assert all(HELPER in done[name].stderr for name in failed - CLASSIC)
    others = place.dockers().working(place.others_image)
    assert {*EVERYTHING} - {*others} == failed & CLASSIC


def test_the_next_start_without_our_helper_mends_everything(place):
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()

    outcome = place.log_in("hook", "postStart")

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert EVERYTHING == place.dockers().working(place.image)


def test_it_mends_what_a_login_by_hand_left_to_a_helper_that_is_gone_then(place):
    """
    That login can't be had any more: it was kept for our helper, and nowhere else.
    """
    place.local_bin.install_helper()
    place.log_in()
    given = json.dumps({"ServerURL": place.registry, "Username": "bob", "Secret": "by-hand"})
    stored = place.client.run(HELPER, "store", stdin=given, enter=place.local_bin.enter)
    by_hand = place.log_in("hook", "postStart")
    place.local_bin.remove_helper()

    outcome = place.log_in("hook", "postStart")

    assert 0 == stored.returncode, stored.stdout
    assert "login-by-hand" == by_hand["code"]
    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert 0 == place.dockers().run("run", place.image).returncode


@pytest.mark.parametrize("gone", ["after", "before"])
def test_a_logout_leaves_nothing_that_needs_our_helper(place, gone):
    place.local_bin.install_helper()
    place.log_in()
    if gone == "before":
        place.local_bin.remove_helper()

    done = place.client.product("logout", "--all", "--json", enter=place.local_bin.enter)

    if gone == "after":
        place.local_bin.remove_helper()
    assert 0 == done.returncode, done.stdout + done.stderr
    assert [place.other] == list(place.client.config()["auths"])
    place.client.log_in_by_hand(place.registry, *USER)
    assert 0 == place.dockers().run("run", place.image).returncode


def test_a_container_that_has_its_image_needs_no_helper(place):
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()
    place.client.docker("pull", place.image, DOCKER_HOST=place.engine.host)

    done = place.dockers().run("run", place.image)

    assert 0 == done.returncode, done.stderr
