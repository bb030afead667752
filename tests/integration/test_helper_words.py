# SPDX-License-Identifier: MIT
"""
What a person reads from docker where our helper can't answer, and that docker works where it can.
"""

from __future__ import annotations

import json
import os
import sys
import time

import pytest

from devcontainer_registry.cache import Cache
from devcontainer_registry.testing import LoopbackRegistry

NAME = "docker-credential-devcontainer-registry"
LIFE = 12 * 3600  # seconds


@pytest.fixture(name="registry")
def _registry(engine):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    with LoopbackRegistry({"AWS": "of-the-cloud"}) as registry:
        yield registry


@pytest.fixture(name="docker")
def _docker(client, engine, registry, tmp_path):
    """
    A function that keeps a credential with so many seconds left, and runs docker.
    """
    helpers = tmp_path / "helpers"
    helpers.mkdir()
    os.symlink(os.path.join(os.path.dirname(sys.executable), NAME), helpers / NAME)
    client.environ |= {
        "PATH": f"{helpers}:{client.environ['PATH']}",
        "DOCKER_HOST": engine.host,
        "DOCKER_BUILDKIT": "0",
    }
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump({"credHelpers": {str(registry.registry): "devcontainer-registry"}}, file)
    image = f"{registry.registry}/demo/hello"

    def run(command, *, left):
        now = time.time()
        Cache.locate(client.environ).write(
            registry.registry,
            {
                "credential": {"Username": "AWS", "Secret": "of-the-cloud"},
                "issued_at": now + left - LIFE,
                "expires_at": now + left,
            },
        )
        if command == "build":
            return client.docker("build", "-", stdin=f"FROM {image}\n")
        return client.docker(command, image)

    yield run
    engine.remove_image(image)


@pytest.mark.parametrize("left", [LIFE, 15 * 60])
@pytest.mark.parametrize("command", ["pull", "build"])
def test_docker_gets_what_still_works_and_nobody_is_told_anything(docker, command, left):
    done = docker(command, left=left)

    assert 0 == done.returncode, done.stderr
    assert "devcontainer-registry" not in done.stderr


@pytest.mark.parametrize("left", [50, -3600])
@pytest.mark.parametrize("command", ["pull", "run", "build"])
def test_docker_shows_why_there_is_nothing_that_works_and_what_to_do(
    docker, registry, command, left
):
    done = docker(command, left=left)

    assert 0 != done.returncode
    lines = [line for line in done.stderr.splitlines() if line.startswith("devcontainer-registry:")]
    # docker may ask more than once; each time it is the same line.
    assert 1 == len(set(lines)), done.stderr
    assert str(registry.registry) in lines[0]
    assert ("expired 1 h 0 min ago" if left < 0 else "less than a minute") in lines[0]
    assert "run devcontainer-registry login" in lines[0]
    assert "of-the-cloud" not in done.stdout + done.stderr
