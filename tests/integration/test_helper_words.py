# SPDX-License-Identifier: MIT
"""
What a person reads from docker where our helper can't answer, and that docker works where it can.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from helping import Helper
from parts.dockers import Dockers
from parts.localbin import put_our_helper_on_path

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.testing import LoopbackRegistry

LIFE = 12 * 3600  # seconds
# Without a login; `run` and a classic build in Debian's dockers, 20.10 and 26, and not in 28.
GOES_ON = ("pull", "run", "build")
OLD, NEW = "of-the-cloud", "the-new-one"

# Why there is no new login, and what to do: what the cloud said, in the words of `helping`.
WHY_NOT = {
    "unseen": "the secrets to renew it with are not visible to docker's credential helper; "
    "run devcontainer-registry login where they are, or set them where docker runs, as "
    "remoteEnv does",
    "down": "the cloud is down; wait for it",
    "refuses": "the cloud said no; give it the right to",
}


class Docker:
    """
    docker, sent to our helper for a *registry* whose logins a cloud gives.
    """

    def __init__(self, client, engine, registry, folder):
        self.registry = registry.registry
        self._client, self._dockers = client, Dockers(client, engine)
        put_our_helper_on_path(client, os.path.join(folder, "helpers"))
        with open(client.config_path, "w", encoding="utf-8") as file:
            json.dump({"credHelpers": {self.registry: "devcontainer-registry"}}, file)
        self._cloud = Helper(folder)

    def run(self, command, *, left, cloud="unseen"):
        """
        Do *command* with an image whose login has so many seconds *left*.
        """
        now = time.time()
        Cache.locate(self._client.environ).write(
            self.registry,
            {
                "credential": {"Username": "AWS", "Secret": OLD},
                "issued_at": now + left - LIFE,
                "expires_at": now + left,
            },
        )
        if cloud != "unseen":
            self._cloud.see_secrets(cloud)
            self._client.environ |= {
                **self._cloud.environ,
                "MY_CONTAINER_REGISTRY_SERVER": self.registry,
                "MY_CONTAINER_REGISTRY_KIND": "played",
            }
        return self._dockers.run(command, f"{self.registry}/demo/hello")


@pytest.fixture(name="registry")
def _registry(engine):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    with LoopbackRegistry({"AWS": OLD}) as registry:
        yield registry


@pytest.fixture(name="docker")
def _docker(client, engine, registry, tmp_path):
    return Docker(client, engine, registry, str(tmp_path))


@pytest.fixture(name="renewed")
def _renewed(client, engine, tmp_path):
    """
    As `docker`, of a registry that accepts `NEW` and nothing else.
    """
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    with LoopbackRegistry({"AWS": NEW}) as registry:
        yield Docker(client, engine, registry, str(tmp_path))


def said_by_us(done):
    """
    The lines that are ours; docker may ask more than once, and each time it is the same.
    """
    lines = done.stderr.splitlines()
    return {line for line in lines if line.startswith("devcontainer-registry")}


# The image has no program, so `run` and `compose up` would not end well whatever we did.
@pytest.mark.parametrize(
    ("left", "cloud"),
    [(LIFE, "unseen"), (15 * 60, "unseen"), (15 * 60, "down"), (15 * 60, "refuses")],
)
@pytest.mark.parametrize("command", ["pull", "build"])
def test_docker_gets_what_still_works_and_nobody_is_told_anything(docker, command, left, cloud):
    done = docker.run(command, left=left, cloud=cloud)

    assert 0 == done.returncode, done.stderr
    assert set() == said_by_us(done)


@pytest.mark.parametrize(
    ("command", "left"),
    [("pull", 15 * 60), ("pull", 50), ("pull", -3600), ("build", 50), ("buildkit", 50)],
)
def test_docker_gets_a_new_one_where_the_cloud_is_up(renewed, command, left):
    done = renewed.run(command, left=left, cloud="up")

    assert 0 == done.returncode, done.stderr
    assert set() == said_by_us(done)


@pytest.mark.parametrize("cloud", WHY_NOT)
@pytest.mark.parametrize("command", ["pull", "run", "build", "buildkit", "compose up"])
def test_docker_shows_why_there_is_nothing_that_works_and_what_to_do(docker, command, cloud):
    done = docker.run(command, left=50, cloud=cloud)

    line = f"the login to {docker.registry} has less than a minute left, and {WHY_NOT[cloud]}"
    assert 0 != done.returncode
    assert {f"devcontainer-registry: {line}"} == said_by_us(done), done.stderr
    # Where docker gives up on it, it quotes what it got on stdout as well.
    assert command in GOES_ON or f"out: `{line}`" in done.stderr, done.stderr
    assert OLD not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["pull", "run", "build"])
def test_docker_shows_since_when_there_is_nothing_that_works(docker, command):
    done = docker.run(command, left=-3600)

    line = f"the login to {docker.registry} expired 1 h 0 min ago, and {WHY_NOT['unseen']}"
    assert 0 != done.returncode
    assert {f"devcontainer-registry: {line}"} == said_by_us(done), done.stderr
