# SPDX-License-Identifier: MIT
"""
The examples in hooks/README.md are the files that lie beside it, and do what it says.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from fakes import Home
from faults import Fine, Refusing

from devcontainer_registry import discover

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOOKS = os.path.join(ROOT, "hooks")
EXAMPLES = os.path.join(HOOKS, "examples")
BOB = {"bob": "s3cret-s3cret"}

SET = {f"CORP_CONTAINER_REGISTRY_{member}" for member in ("SERVER", "USER", "PASSWORD")}
STEPS = ("onCreate", "updateContent", "postCreate", "postStart", "postAttach")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def files():
    for folder, _, names in os.walk(EXAMPLES):
        for name in names:
            if "__pycache__" not in folder:
                yield os.path.relpath(os.path.join(folder, name), EXAMPLES)


README = read(HOOKS, "README.md")
FILES = sorted(files())
CONFIGURATIONS = [path for path in FILES if path.endswith("devcontainer.json")]


@pytest.mark.parametrize("path", FILES)
def test_an_example_is_in_the_readme_as_it_is_in_its_file(path):
    shown = re.findall(
        rf"^\[`[^`]+`\]\(examples/{re.escape(path)}\):\n\n```\w+\n(.*?)^```",
        README,
        re.MULTILINE | re.DOTALL,
    )

    assert [read(EXAMPLES, path)] == shown


def test_what_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert len(FILES) < len(links)
    assert [] == [link for link in links if not os.path.exists(os.path.join(HOOKS, link))]


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_nothing_is_logged_in_where_a_prebuild_would_carry_it_away(path):
    configuration = json.loads(read(EXAMPLES, path))

    for step in ("onCreateCommand", "updateContentCommand"):
        assert "hook" not in configuration.get(step, "")
        assert "log_in" not in configuration.get(step, "")
    assert not SET & set(configuration.get("containerEnv", {}))


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_every_step_that_an_example_names_is_one(path):
    configuration = json.loads(read(EXAMPLES, path))
    commands = [configuration.get(f"{step}Command", "") for step in STEPS]

    for step, command in zip(STEPS, commands, strict=True):
        for named in re.findall(r"hook (\w+)", command):
            assert step == named
        for script in re.findall(r"\.devcontainer/hooks/(\S+)", command):
            assert f"hook {step} " in read(HOOKS, script)
    if "features" not in configuration:
        assert commands[2]
        assert commands[3]


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_a_feature_that_an_example_names_is_where_it_says(path):
    for feature, options in features(path).items():
        folder = os.path.join(ROOT, ".devcontainer", feature)
        known = json.loads(read(folder, "devcontainer-feature.json"))["options"]
        assert set(options) <= set(known)


def features(path):
    """
    The Features that the example *path* names; for one of its own, those that it depends on.
    """
    found = {}
    for feature, options in json.loads(read(EXAMPLES, path)).get("features", {}).items():
        own = os.path.join(EXAMPLES, os.path.dirname(path), feature, "devcontainer-feature.json")
        depends = json.loads(read(own))["dependsOn"] if os.path.exists(own) else {feature: options}
        found.update(depends)
    return found


def variables(path):
    """
    The variables that the example *path* gives or asks for.
    """
    text = read(EXAMPLES, path)
    if path.endswith(".env"):
        return dict(line.split("=", 1) for line in text.splitlines())
    document = json.loads(text)
    return document.get("secrets") or document.get("remoteEnv") or document


@pytest.mark.parametrize(
    "path",
    [
        "cli/secrets.json",
        "codespaces/.devcontainer/devcontainer.json",
        "devpod/registry.env",
        "vscode/.devcontainer/devcontainer.json",
    ],
)
def test_the_variables_of_an_example_are_one_whole_set(path):
    names = variables(path)

    found = discover(dict.fromkeys(names, "corp.example"), codespaces_file="/nowhere/.env-secrets")

    assert SET == set(names)
    assert ["CORP"] == [secret.id for secret in found.secrets]
    assert ((), ()) == (found.incomplete, found.findings)


def test_every_variable_of_vs_code_is_its_namesake():
    for name, value in variables("vscode/.devcontainer/devcontainer.json").items():
        assert f"${{localEnv:{name}}}" == value


def test_the_script_for_envbuilder_shows_no_secret_on_its_command_line(tmp_path):
    """
    With a docker that tells what it was given, and our own command.
    """
    home = Home(tmp_path)
    ours = os.path.dirname(sys.executable)
    os.mkdir(tmp_path / "bin")
    docker = tmp_path / "bin" / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nprintenv ENVBUILDER_DOCKER_CONFIG_BASE64\n')
    docker.chmod(0o755)
    with Fine(BOB) as registry:
        sets = dict(zip(sorted(SET), ("s3cret-s3cret", registry.registry, "bob"), strict=True))
        environ = {**home.environ, **sets, "PATH": f"{tmp_path}/bin:{ours}:{os.environ['PATH']}"}
        home.login(sets=sets)
        done = subprocess.run(
            ["sh", os.path.join(EXAMPLES, "envbuilder", "run.sh")],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )

    *arguments, config = done.stdout.splitlines()
    assert SET <= set(arguments)
    assert not [text for text in arguments if "s3cret" in text or config in text]
    assert "eyJ" == config[:3]


@pytest.mark.parametrize(("registry", "word"), [(lambda: Fine(BOB), "ok"), (Refusing, "rejected")])
def test_the_script_in_python_says_how_it_went_and_never_fails(tmp_path, registry, word):
    with registry() as there:
        sets = dict(zip(sorted(SET), ("s3cret-s3cret", there.registry, "bob"), strict=True))
        done = subprocess.run(
            [sys.executable, os.path.join(EXAMPLES, "python", ".devcontainer", "log_in.py")],
            env={**Home(tmp_path).environ, **sets, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"CORP {word} {there.registry}")
    assert "s3cret" not in done.stdout
