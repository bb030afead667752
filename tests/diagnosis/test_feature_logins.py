# SPDX-License-Identifier: MIT
"""
Logins for Features, which the dev container CLI looks up in an order of its own.
"""

from __future__ import annotations

import json
import os

import pytest
from doubles.worlds import PASSWORD, USER, World


@pytest.fixture(name="world")
def _world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def diagnosed(world):
    """
    The Feature of a configuration, which is the image of *world*.
    """
    (image,) = world.images
    folder = os.path.join(world.home, "workspace")
    os.makedirs(folder)
    with open(os.path.join(folder, ".devcontainer.json"), "w", encoding="utf-8") as file:
        json.dump({"features": {image: {}}}, file)
    world.images = []
    world.options["workspace"] = folder
    (found,) = (each for each in world.diagnose().images if each.origin == "feature")
    return found, {step.name: step for step in found.steps}


def test_the_variable_of_the_dev_container_cli_comes_first(world):
    registry = world.registry()
    world.logged_in(registry, password="of-last-year")
    world.environ["DEVCONTAINERS_OCI_AUTH"] = f"other|x|y,{registry}|{USER}|{PASSWORD}"

    found, steps = diagnosed(world)

    assert found.ok
    assert "from DEVCONTAINERS_OCI_AUTH" == steps["credential"].message


def test_the_login_that_docker_would_send_comes_second(world):
    world.logged_in(world.registry())

    found, steps = diagnosed(world)

    assert found.ok
    assert "from auths" == steps["credential"].message


def test_a_refused_login_is_left_out_at_the_second_try(world):
    world.registry(public=("team/app",))
    world.logged_in(world.names["R"], password="of-last-year")

    found, steps = diagnosed(world)

    assert found.ok
    assert "note" == steps["login"].status
    assert world.refusals() <= 1


def test_a_token_of_github_is_used_for_its_own_registry_only(world):
    world.environ["GITHUB_TOKEN"] = "ghu_madeUp"
    world.registry()

    found, steps = diagnosed(world)

    assert not found.ok
    assert steps["credential"].message.startswith("none")
