# SPDX-License-Identifier: MIT
"""
Where DOCKER_CONFIG leads: refused, used with a word, or honoured.
"""

from __future__ import annotations

import os
import subprocess

import pytest
from doubles.homes import GOOD, HERE, Home, Scripted, a_secret, encoded, only

from devcontainer_registry.keychain.resolve import resolve


@pytest.fixture(name="home")
def _home(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return Home(tmp_path / "home")


def login(home, folder, **options):
    home.environ["DOCKER_CONFIG"] = str(folder)
    plugin = Scripted(GOOD)
    options = {"verify": "never", "store": "auths", **options}
    return plugin, home.login([a_secret()], authenticators={"generic": plugin}, **options)


def everything(folder):
    return sorted(os.path.join(top, name) for top, _, names in os.walk(folder) for name in names)


def codes(report):
    return [finding.code for finding in report.findings]


@pytest.mark.parametrize(
    "named",
    [
        "~/.docker",
        "~root/.docker",
        "$HOME/.docker",
        "${HOME}/.docker",
        "/home/$USER/.docker",
        "/work/~/.docker",
        "~",
        "$DOCKER",
        "relative",
        "./relative/deep",
        "../nowhere",
    ],
)
def test_an_unexpanded_folder_is_neither_created_nor_written_to(home, tmp_path, named):
    before = everything(tmp_path)

    plugin, report = login(home, named)

    assert 6 == report.exit_status
    assert "DOCKER_CONFIG" in report.error.message
    assert "absolute" in report.error.hint
    assert 0 == plugin.asked
    assert ("failed", "not-kept") == (only(report).status, only(report).code)
    assert before == everything(tmp_path)
    assert [] == [name for name in os.listdir() if name != "home"]


@pytest.mark.parametrize("named", ["relative", "./relative", "../work/relative"])
def test_a_relative_folder_that_is_there_is_used_with_a_word(home, named):
    os.mkdir("relative")

    _, report = login(home, named)

    assert ["config-relative"] == codes(report)
    assert os.getcwd() in report.findings[0].message
    assert os.path.abspath("relative") in report.findings[0].hint
    assert os.path.exists("relative/config.json")
    assert 0 == report.exit_status


def test_resolve_reads_a_relative_folder_as_docker_does(home):
    os.makedirs("~/.docker")
    with open("~/.docker/config.json", "w", encoding="utf-8") as file:
        file.write(f'{{"auths": {{"{HERE}": {{"auth": "{encoded("bob:s")}"}}}}}}')

    assert "bob" == resolve(HERE, environ={**home.environ, "DOCKER_CONFIG": "~/.docker"}).username
    assert resolve(HERE, environ={**home.environ, "DOCKER_CONFIG": "nowhere"}) is None


def git(*arguments):
    subprocess.run(["git", *arguments], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("ignored", "said"),
    [(None, True), ("docker/", False), ("config.json", False), ("other", True)],
)
def test_a_folder_in_a_checkout_is_a_finding_unless_git_ignores_it(home, tmp_path, ignored, said):
    git("init", "-q", str(tmp_path / "work"))
    if ignored:
        (tmp_path / "work" / ".gitignore").write_text(f"{ignored}\n")

    _, report = login(home, tmp_path / "work" / "docker")

    assert (["config-in-git"] if said else []) == codes(report)
    assert 0 == report.exit_status


def test_a_folder_beside_a_checkout_is_nothing_to_speak_of(home, tmp_path):
    git("init", "-q", str(tmp_path / "work"))

    _, report = login(home, tmp_path / "docker")

    assert [] == codes(report)


def test_without_git_a_checkout_is_a_finding(home, tmp_path, monkeypatch):
    git("init", "-q", str(tmp_path / "work"))
    monkeypatch.setenv("PATH", "/nowhere")

    _, report = login(home, tmp_path / "work" / "docker")

    assert ["config-in-git"] == codes(report)
