# SPDX-License-Identifier: MIT
"""
The scripts for devcontainer.json: a lifecycle step that exits 127 would stop all later ones.
"""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "hooks")
STEPS = {
    "on-create.sh": "onCreate",
    "post-create.sh": "postCreate",
    "post-start.sh": "postStart",
    "post-attach.sh": "postAttach",
}


@pytest.fixture(name="path")
def _path(tmp_path):
    """
    A PATH that has a shell and nothing else.
    """
    (tmp_path / "bin").mkdir()
    os.symlink("/bin/sh", tmp_path / "bin" / "sh")
    return tmp_path / "bin"


def run(script, path, *arguments):
    return subprocess.run(
        [os.path.join(FOLDER, script), *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def install(path, text, mode=0o755):
    (path / "devcontainer-registry").write_text(text)
    (path / "devcontainer-registry").chmod(mode)


def test_there_is_a_script_for_each_step_that_has_one():
    assert sorted(STEPS) == sorted(n for n in os.listdir(FOLDER) if n.endswith(".sh"))
    for name in STEPS:
        assert os.stat(os.path.join(FOLDER, name)).st_mode & stat.S_IXOTH


@pytest.mark.parametrize("script", STEPS)
def test_a_missing_command_is_one_line_and_no_failure(path, script):
    done = run(script, path)

    assert (0, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "hint: pip install devcontainer-registry" in done.stderr


@pytest.mark.parametrize("script", STEPS)
@pytest.mark.parametrize("interpreter", ["nowhere", "python"], ids=["127", "126"])
def test_a_command_whose_interpreter_does_not_run_is_no_failure(path, script, interpreter):
    (path / "python").write_text("")  # there, but not to be executed
    install(path, f"#!{path}/{interpreter}\n")

    done = run(script, path)

    assert 0 == done.returncode
    assert "hint: pip install devcontainer-registry" in done.stderr


@pytest.mark.parametrize(("script", "step"), STEPS.items())
def test_the_step_and_the_arguments_are_passed_on(path, script, step):
    install(path, '#!/bin/sh\nprintf "<%s>" "$@"\n')

    done = run(script, path, "--only", "two words", "*")

    assert (0, f"<hook><{step}><--only><two words><*>") == (done.returncode, done.stdout)


@pytest.mark.parametrize("script", STEPS)
@pytest.mark.parametrize("status", [0, 1, 2, 4, 6])
def test_the_exit_status_is_the_commands(path, script, status):
    install(path, f"#!/bin/sh\nexit {status}\n")

    assert status == run(script, path, "--strict").returncode
