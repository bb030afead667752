# SPDX-License-Identifier: MIT
"""
The workflow of CONTRIBUTING.md.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
from parts import needed

with open(os.path.join(needed.REPOSITORY, "CONTRIBUTING.md"), encoding="utf-8") as _file:
    TEXT = _file.read()
COMMANDS = re.findall(r"^```sh\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL)


def exists(path):
    return os.path.exists(os.path.join(needed.REPOSITORY, path))


@pytest.fixture(name="checkout")
def _checkout(tmp_path):
    """
    A repository with this project's package, tests and settings, and the venv that runs here.
    """
    folder = tmp_path / "checkout"
    for name in ("devcontainer_registry", "tests", "docs"):
        shutil.copytree(
            os.path.join(needed.REPOSITORY, name),
            folder / name,
            ignore=shutil.ignore_patterns("__pycache__", "_build"),
        )
    shutil.copy(os.path.join(needed.REPOSITORY, "pyproject.toml"), folder)
    (folder / ".venv" / "bin").mkdir(parents=True)
    for program in ("pytest", "python"):
        script = folder / ".venv" / "bin" / program
        module = "-m pytest " if program == "pytest" else ""
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {module}"$@"\n')
        script.chmod(0o755)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(
        folder,
        "-c",
        "user.name=ann",
        "-c",
        "user.email=ann@example",
        "commit",
        "--quiet",
        "-m",
        "a",
    )
    return folder


def git(folder, *argv):
    subprocess.run(["git", "-C", str(folder), *argv], check=True, capture_output=True)


def typed(command, folder):
    environ = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_the_test_passes_then_fails_with_the_rule_broken_then_passes_again(checkout):
    run, break_it, undo = (
        next(command for command in COMMANDS if sign in command)
        for sign in ("test_ghcr.py", "sed -i", "git checkout")
    )

    before = typed(run, checkout)
    broken = typed(break_it, checkout)
    red = typed(run, checkout)
    undone = typed(undo, checkout)
    after = typed(run, checkout)

    assert (0, 0) == (before.returncode, broken.returncode), before.stdout + broken.stderr
    assert 1 == red.returncode
    assert " failed" in red.stdout
    assert (0, 0) == (undone.returncode, after.returncode), undone.stderr + after.stdout


def test_the_page_of_codes_is_rewritten_without_changes(checkout):
    page = (checkout / "docs" / "codes.md").read_text()

    done = typed(next(command for command in COMMANDS if "codes.py" in command), checkout)

    assert 0 == done.returncode, done.stderr
    assert page == (checkout / "docs" / "codes.md").read_text()


def test_each_command_in_the_text_exists():
    verbs = {command.split()[1] for command in COMMANDS if command.startswith("./dev ")}
    verbs |= set(re.findall(r"`\./dev (\w+)`", TEXT))
    usage = subprocess.run(
        ["sh", os.path.join(needed.REPOSITORY, "dev"), "help"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert {"setup", "test", "fmt"} <= verbs
    assert [] == [verb for verb in sorted(verbs - {"help"}) if f"./dev {verb}" not in usage]


def test_each_path_in_the_text_exists():
    named = set(re.findall(r"`((?:devcontainer_registry|docs|tests|\.ci)/[\w./-]*)`", TEXT))
    named |= set(re.findall(r"\]\(([\w./-]+)\)", TEXT))
    later = {".ci/repository.txt", "devcontainer_registry/authenticators/NAME.py"}

    assert later < named
    assert [] == [path for path in sorted(named - later) if not exists(path)]
