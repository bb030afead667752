# SPDX-License-Identifier: MIT
"""
This project's own devcontainer.json; tests/integration has its Feature in a container.
"""

from __future__ import annotations

import json
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(ROOT, ".devcontainer")

with open(os.path.join(FOLDER, "devcontainer.json"), encoding="utf-8") as _file:
    CONFIGURATION = json.loads(re.sub(r"(?m)^\s*//.*$", "", _file.read()))


def test_the_wheel_is_made_in_the_image_and_at_the_path_of_the_container_itself():
    """
    What is made there, `.venv` too, is of use to that Python, and at that path, only.
    """
    here = "/workspaces/${localWorkspaceFolderBasename}"

    command = CONFIGURATION["initializeCommand"]

    assert [CONFIGURATION["image"], "sh", "./dev", "feature"] == command[-4:]
    assert f"--volume=${{localWorkspaceFolder}}:{here}" in command
    assert f"--workdir={here}" in command


def test_it_has_the_feature_with_the_wheel_that_was_made():
    (name, options) = next(iter(CONFIGURATION["features"].items()))

    assert {"version": "devcontainer_registry-*.whl"} == options
    assert os.path.exists(os.path.join(FOLDER, name, "devcontainer-feature.json"))


def test_it_can_start_the_engine_that_the_tests_want():
    assert ("root", True) == (CONFIGURATION["remoteUser"], CONFIGURATION["privileged"])
    assert ["--cgroupns=host"] == CONFIGURATION["runArgs"]
    assert ["type=volume,target=/tmp"] == CONFIGURATION["mounts"]


def test_no_secret_is_part_of_the_container():
    assert {"CORP_CONTAINER_REGISTRY_PASSWORD"} < set(CONFIGURATION["secrets"])
    assert "containerEnv" not in CONFIGURATION
