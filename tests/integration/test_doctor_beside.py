# SPDX-License-Identifier: MIT
"""
Fifteen common causes: the output of docker pull, skopeo and doctor, as a page of the docs.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from doubles.failing_pulls import CASES
from doubles.worlds import World
from parts import needed

PAGE = Path(__file__).parents[2] / "docs" / "beside.md"
WRITING = os.environ.get("DEVCONTAINER_REGISTRY_DOCS") == "1"

COMMON = {
    "password is empty": "a secret is empty",
    "password is misspelled": "a variable's name has a typo",
    "login was not run": "nobody has logged in yet",
    "nobody logged in": "there is no secret at all",
    "config is cut off": "config.json is damaged",
    "config has a boolean": "config.json has a value of another type",
    "store hides the login": "a `credsStore` hides the login",
    "helper is not installed": "a credential helper is not installed",
    "our helper has no login": "the credential helper has no login",
    "image is spelled otherwise": "the image spells the registry otherwise",
    "password by hand is wrong": "the password is wrong",
    "tag is not there": "the tag does not exist",
    "repository is not there": "the repository does not exist",
    "login may not read it": "the login may not read the image",
    "nothing listens": "nothing listens there",
}

_HEAD = """\
---
myst:
  html_meta:
    description: "What docker, skopeo and doctor print for fifteen causes of a failing pull."
---

# What docker, skopeo and doctor say

Fifteen common causes of a failing pull, made for real, and what three commands print about them.
A test makes this page.

"""


def _said(text, world):
    """
    Return the last line of *text* without the parts that change from run to run.
    """
    lines = [line for line in text.strip().splitlines() if line.strip()]
    line = lines[-1] if lines else ""
    line = re.sub(r'time="[^"]*" level=\w+ msg="(.*)"', r"\1", line).replace('\\"', '"')
    line = line.replace(world.home, "~").replace(f":{world.names.get('PORT')}", ":PORT")
    line = re.sub(r"sha256:[0-9a-f]+", "sha256:…", line)
    line = re.sub(r"127\.0\.0\.1:\d+->127\.0\.0\.1:PORT", "127.0.0.1:PORT", line)
    return line.replace("|", "\\|").replace("<", "&lt;")


def _row(name, world, engine, clean_path):
    world.auth = "basic"  # as most private registries answer
    CASES[name][0](world)
    (image,) = world.images
    environ = {
        **world.environ,
        "PATH": f"{world.bin}:{clean_path}",
        "DOCKER_HOST": engine.host,
        "XDG_RUNTIME_DIR": world.home,
    }
    told = []
    for command in (
        ["docker", "pull", image],
        ["skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{image}"],
    ):
        done = subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        told.append(_said(done.stderr, world) if done.returncode else "works")
    cause = world.diagnose().cause
    return [COMMON[name], *told, _said(cause.message, world), _said(cause.hint, world)]


@pytest.fixture(name="rows", scope="module")
def _rows(engine, clean_path, tmp_path_factory):
    rows = []
    for name in COMMON:
        world = World(tmp_path_factory.mktemp("world"))
        try:
            rows.append(_row(name, world, engine, clean_path))
        finally:
            world.close()
    return rows


def _versions(engine):
    docker = needed.program("docker", package="docker.io")
    skopeo = needed.program("skopeo", package="skopeo")
    served = subprocess.run(
        [docker, "version", "--format", "{{.Client.Version}}, engine {{.Server.Version}}"],
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_HOST": engine.host},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    version = subprocess.run([skopeo, "--version"], capture_output=True, text=True, check=True)
    return f"docker {served}; {version.stdout.strip()}"


def test_the_page_quotes_the_three_commands(rows, engine):
    versions = _versions(engine)
    lines = ["| cause | docker pull | skopeo | doctor | fix |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    page = f"{_HEAD}With {versions}.\n\n" + "\n".join(lines) + "\n"
    if WRITING:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")

    written = PAGE.read_text(encoding="utf-8")

    if versions in written:
        assert written == page
    # Other versions have other messages; ours are always the same.
    ours = [line.split(" | ")[3:] for line in page.splitlines() if line.startswith("| ")]
    assert ours == [line.split(" | ")[3:] for line in written.splitlines() if line.startswith("| ")]


def test_doctor_gives_each_failure_its_own_cause(rows):
    assert len({row[3] for row in rows}) == len(rows) == 15


def test_docker_gives_several_failures_the_same_message(rows):
    assert len({row[1] for row in rows}) < len(rows)
