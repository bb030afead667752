# SPDX-License-Identifier: MIT
"""
What may be loaded where docker, or a container's start, waits for us.

A budget of modules, not of time: a time would fail on a busy machine and pass on a fast one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from fakes import a_set
from faults import Fine
from helping import HERE, HOUR, NAME, Helper

ROOT = Path(__file__).resolve().parent.parent

# Each is read, compiled already, in a third of a millisecond; `_json` and the like are C.
GROUND = {
    "__init__",
    "cache",
    "cache.entry",
    "cache.fast_json",
    "cache.folder",
    "errors",
    "files",
    "helper",
    "naming",
    "registry",
}
BUILT_IN = {"__future__", "_json", "errno", "fcntl", "stat", "time", "posixpath", "genericpath"}

HELPER = """
import sys
before = set(sys.modules)
from devcontainer_registry.helper import main
status = main(["get"], out=2)
"""
HOOK = """
import sys
before = set(sys.modules)
from devcontainer_registry.__main__ import main
sys.argv = ["devcontainer-registry", "hook", "postStart"]
status = main()
"""


@pytest.fixture(name="helper")
def _helper(tmp_path):
    return Helper(tmp_path)


def loaded(helper, code):
    """
    The modules that *code* loads, in an interpreter of its own; ours without the package's name.
    """
    report = "\nassert status == 0, status\nprint(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code + report],
        env={"HOME": helper.home, "PATH": os.environ["PATH"], **helper.environ},
        input=HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stdout.splitlines()[-1].split())
    return {n.removeprefix("devcontainer_registry.") for n in names - {"devcontainer_registry"}} | {
        "__init__"
    }


def test_a_cached_get_loads_the_ground_floor_and_nothing_else(helper):
    helper.keep(age=HOUR)
    helper.see_secrets("up")

    assert set() == loaded(helper, HELPER) - GROUND - BUILT_IN


def test_a_get_that_failed_a_moment_ago_loads_hardly_more(helper):
    helper.keep(left=-1)
    helper.see_secrets("refuses")
    helper.get()

    code = HELPER.replace("status = ", "status = 0 * ")

    assert set() == loaded(helper, code) - GROUND - BUILT_IN - {"logins", "logins.renewal"}


def test_a_hook_that_finds_all_as_it_was_loads_hardly_more(helper):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        helper.environ |= a_set("MY", registry.registry)
        command = [sys.executable, "-m", "devcontainer_registry", "hook", "postStart"]
        env = {"HOME": helper.home, "PATH": os.environ["PATH"], **helper.environ}
        for _ in range(2):
            subprocess.run(command, env=env, check=True, capture_output=True)
        asked = registry.asked

        found = loaded(helper, HOOK)

        assert asked == registry.asked > 0
    assert set() == found - GROUND - BUILT_IN - {
        "__main__",
        "commands",
        "commands.quiet_start",
        "_blake2",
    }


def test_a_hook_without_any_secrets_loads_hardly_more(helper):
    assert set() == loaded(helper, HOOK) - GROUND - BUILT_IN - {
        "__main__",
        "commands",
        "commands.quiet_start",
    }


def test_both_programs_run_from_a_virtual_environment_whose_path_has_a_space(tmp_path):
    # As it is installed: a script with such a path in its first line would not start.
    folder = tmp_path / "a folder with spaces"
    venv.create(folder, with_pip=False)
    (wheel,) = built(tmp_path)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", folder, "install", "--quiet", "--no-deps", wheel],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )

    helper = subprocess.run(
        [folder / "bin" / NAME, "version"], capture_output=True, text=True, check=False
    )
    command = subprocess.run(
        [folder / "bin" / "devcontainer-registry", "hook", "postStart"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )

    assert (0, "") == (helper.returncode, helper.stderr)
    assert helper.stdout.startswith(NAME)
    assert (0, "") == (command.returncode, command.stderr)


def built(folder):
    """
    The wheel of this checkout.
    """
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    return list(folder.glob("*.whl"))
