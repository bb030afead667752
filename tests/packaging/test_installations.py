# SPDX-License-Identifier: MIT
"""
The wheel, installed in common places: both programs run, and status names the helper's place.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig

import pytest
from parts import needed

from devcontainer_registry.naming import EVERYWHERE, HELPER_PROGRAM

# The dependencies of this venv, so that none is installed again.
_DEPENDENCIES = sysconfig.get_path("purelib")


@pytest.fixture(name="wheel", scope="module")
def _wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--no-isolation", "--skip-dependency-check"),
            *("--wheel", "--outdir", str(folder), needed.REPOSITORY),
        ],
        check=True,
        capture_output=True,
    )
    (name,) = os.listdir(folder)
    return str(folder / name)


def uv(*argv):
    uv = os.path.join(os.path.dirname(sys.executable), "uv")
    subprocess.run([uv, "--quiet", "--offline", *argv], check=True, capture_output=True)


@pytest.fixture(name="installed")
def _installed(tmp_path, wheel):
    """
    A function that makes a venv of that name with the wheel, and returns its bin folder.
    """

    def install(name):
        folder = str(tmp_path / name)
        uv("venv", "--python", sys.executable, folder)
        uv("pip", "install", "--no-deps", "--python", f"{folder}/bin/python", wheel)
        version = f"python3.{sys.version_info.minor}"
        with open(f"{folder}/lib/{version}/site-packages/dependencies.pth", "w") as file:
            file.write(f"{_DEPENDENCIES}\n")
        return f"{folder}/bin"

    return install


def runs(folder, home, *before):
    """
    Run both programs of *folder*, and return the status's note.
    """
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    environ |= {f"MY_CONTAINER_REGISTRY_{name}": "a.example" for name in ("SERVER", "USER")}

    def run(*argv):
        done = subprocess.run(
            [*before, *argv], env=environ, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout

    assert run(f"{folder}/devcontainer-registry", "--version").startswith("devcontainer-registry ")
    assert run(f"{folder}/{HELPER_PROGRAM}", "version").startswith(HELPER_PROGRAM)
    os.makedirs(home / ".docker")
    (home / ".docker" / "config.json").write_text('{"auths": {"a.example": {"auth": "YTpi"}}}')
    report = json.loads(run(f"{folder}/devcontainer-registry", "status", "--json"))
    return [finding["message"] for finding in report["findings"]]


def expected(folder):
    if any(os.path.exists(os.path.join(place, HELPER_PROGRAM)) for place in EVERYWHERE):
        return []
    return [f"Docker finds our helper only where {folder} is on PATH"]


def test_both_programs_run_from_a_venv_with_a_space_in_its_path(installed, tmp_path):
    folder = installed("my venv")

    assert expected(folder) == runs(folder, tmp_path / "home")


def test_both_programs_run_from_a_read_only_file_system(installed, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    folder = installed("venv")
    venv = os.path.dirname(folder)
    remount = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"'
    script = f'{remount} && ! touch "$0/x" && exec "$@"'

    said = runs(folder, tmp_path / "home", "unshare", "--mount", "sh", "-c", script, venv)

    assert expected(folder) == said


def test_with_pip_install_user_both_programs_run_and_status_names_their_folder(tmp_path, wheel):
    home, python = tmp_path / "home", os.path.realpath(sys.executable)
    home.mkdir()
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index", "--no-deps"]
    subprocess.run(
        [*pip, "--user", "--break-system-packages", wheel],
        env={**os.environ, "HOME": str(home)},
        check=True,
        capture_output=True,
    )
    (site,) = home.glob(".local/lib/*/site-packages")
    (site / "dependencies.pth").write_text(f"{_DEPENDENCIES}\n")

    notes = runs(str(home / ".local" / "bin"), home)

    assert expected(f"{home}/.local/bin") == notes
