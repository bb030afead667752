# SPDX-License-Identifier: MIT
"""
The command doctor: its text and its JSON document.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from doubles import failing_pulls, worlds
from doubles.failing_pulls import CASES
from doubles.homes import encoded
from doubles.worlds import PASSWORD, USER, World

from devcontainer_registry.commands.doctor import lines
from devcontainer_registry.diagnosis.sharing import without_names

COLOURS = re.compile(r"\x1b\[\d+m")


@pytest.fixture(name="world")
def _world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def doctor(world, *arguments, **environ):
    done = subprocess.run(
        [sys.executable, "-m", "devcontainer_registry", "doctor", *arguments],
        env={**world.environ, "PYTHONWARNINGS": "error", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=world.home,
    )
    assert "" == done.stderr
    return done.returncode, done.stdout


def test_a_healthy_image_gives_seven_lines_and_a_count(world):
    registry = world.registry()
    world.logged_in(registry)
    port = world.names["PORT"]

    status, said = doctor(world, *world.images)

    assert 0 == status
    assert (
        f"  ok    variables   none for {registry}\n"
        "  ok    config      ~/.docker/config.json\n"
        "  ok    credential  from auths\n"
        f"  ok    network     127.0.0.1:{port}, plain HTTP, clock +0 s\n"
        f"  ok    login       {registry} accepts the login\n"
        "  ok    image       team/app:1 is there\n"
        "  -     engine      no Docker Engine here: not checked\n"
        "\n"
        "1 of 1 image can be pulled\n"
    ) == said.replace("clock +1 s", "clock +0 s")


def test_a_refused_login_ends_in_cause_and_fix(world):
    registry = world.registry()
    world.set(registry, password="of-last-year")
    world.logged_in(registry, password="of-last-year")

    status, said = doctor(world, *world.images)

    assert 4 == status
    assert said.endswith(
        "FAIL  login       wrong user name or password\n  -     image, engine: not "
        f"checked\n\nCause: {registry} refused the user name or password in\n       "
        "CORP_CONTAINER_REGISTRY_*\nFix:   check CORP_CONTAINER_REGISTRY_USER and _PASSWORD; "
        "they may have expired\n\n0 of 1 image can be pulled\n"
    )


def test_images_that_fail_for_one_cause_share_its_line(world):
    registry = world.registry()
    world.logged_in(registry)
    images = [f"{registry}/team/app:1", f"{registry}/team/ap:1", f"{registry}/team/ap:2"]

    status, said = doctor(world, *images, "localhost:1/x:1")

    assert 4 == status
    assert 2 == said.count("Cause:")
    assert f"  ok    {registry}/team/app:1\n" in said
    assert f"\n{registry}/team/ap:1\n{registry}/team/ap:2\n" in said
    assert said.endswith("\n\n1 of 4 images can be pulled\n")


def test_the_registries_of_all_sets_are_checked_by_default(world):
    registry = world.registry()
    world.set(registry)
    world.set("localhost:1", "DOWN")
    world.environ["TYPO_CONTAINER_REGISTRY_USER"] = "x"
    world.config(
        {"auths": {r: {"auth": encoded(f"{USER}:{PASSWORD}")} for r in (registry, "localhost:1")}}
    )

    status, said = doctor(world)

    assert 5 == status
    assert "TYPO_CONTAINER_REGISTRY_SERVER" in said
    assert said.endswith("1 of 3 logins accepted\n")


def test_a_run_without_anything_to_check_says_so(world):
    assert (
        0,
        "nothing to check: no image was named, and no registry has a set of variables\n",
    ) == doctor(world)


@pytest.mark.parametrize("name", CASES)
def test_no_line_is_longer_than_eighty_columns_nor_shows_a_secret(name, world):
    CASES[name][0](world)

    diagnosis = world.diagnose()

    said = list(lines(diagnosis))
    # A word without a space cannot be wrapped.
    assert [] == [line for line in said if len(line) > 80 and " " in line.strip()[9:]]
    assert [] == [line for line in said if line.rstrip() != line]
    text = "\n".join(said) + json.dumps(diagnosis.to_dict()) + repr(diagnosis)
    for secret in (PASSWORD, "of-last-year", encoded(f"{USER}:{PASSWORD}")):
        assert secret not in text
    assert re.search(r"^Fix:   \S", "\n".join(said), re.MULTILINE)


# Those with a login of ours need a set of their own.
@pytest.mark.parametrize("name", [name for name in CASES if "saved" not in name])
def test_a_user_name_that_is_a_token_is_never_shown(name, world, monkeypatch):
    # The cases' own user is short and common; this one could be a token.
    monkeypatch.setattr(failing_pulls, "USER", "t0ken-as-a-user-name")
    monkeypatch.setattr(worlds, "USER", "t0ken-as-a-user-name")
    monkeypatch.setattr(worlds.World.logged_in, "__defaults__", ("t0ken-as-a-user-name", PASSWORD))
    CASES[name][0](world)

    diagnosis = world.diagnose()

    assert "t0ken" not in "\n".join(lines(diagnosis)) + json.dumps(diagnosis.to_dict())


def test_a_registry_cannot_steer_the_terminal(world):
    tags = json.dumps({"tags": ["1\x1b[2J", "1.2", "\u202e1"]}).encode()
    listed = 200, {"Content-Type": "application/json"}, tags
    world.logged_in(world.registry(paths={"/v2/team/app/tags/list": listed}))
    world.ask("team/app", "1.3")

    said = list(lines(world.diagnose()))

    assert any("nearest: 1.2" in line for line in said)
    assert [] == [line for line in said if not line.isprintable()]


def test_the_document_has_every_step_with_its_facts(world):
    world.logged_in(world.registry())

    status, said = doctor(world, *world.images, "--json")

    found = json.loads(said)
    assert (0, 1, True) == (status, found["version"], found["ok"])
    (image,) = found["images"]
    assert {
        "image",
        "registry",
        "origin",
        "where",
        "by_host",
        "ok",
        "can_be_pulled",
        "cause",
        "steps",
    } == image.keys()
    steps = {step["step"]: step for step in image["steps"]}
    assert [
        "variables",
        "config",
        "credential",
        "network",
        "login",
        "image",
        "engine",
    ] == list(steps)
    assert {"step", "status", "message", "facts", "code"} == steps["image"].keys()
    assert "auths" == steps["credential"]["facts"]["rule"]
    assert steps["image"]["facts"]["digest"].startswith("sha256:")


@pytest.mark.parametrize("name", CASES)
def test_a_shareable_report_names_no_registry_or_user(name, world):
    CASES[name][0](world)

    diagnosis = without_names(world.diagnose(), world.environ)

    said = "\n".join(lines(diagnosis)) + json.dumps(diagnosis.to_dict())
    names = [world.home, "team/app", "CORP_CONTAINER", world.names.get("R", "corp.example")]
    names += [world.names.get("PROXY", "corp.example"), "Corp CA", "of the tests", "other.example"]
    names += ["registry.example", "credential-gone", "credential-angry", "192.0.2", "1.2, 1"]
    names += ["/nowhere/", world.names.get("DIGEST", "corp.example")]
    assert [] == [name for name in names if name != "localhost:1" and name in said], said


def test_a_shareable_report_of_a_configuration_names_no_file_or_service(world):
    registry = world.registry()
    world.logged_in(registry)
    folder = os.path.join(world.home, "secret-project")
    os.mkdir(folder)
    with open(os.path.join(world.home, ".devcontainer.json"), "w", encoding="utf-8") as file:
        json.dump({"dockerComposeFile": "secret-project/compose.yml", "service": "payroll"}, file)
    with open(os.path.join(folder, "compose.yml"), "w", encoding="utf-8") as file:
        file.write(
            f"services: {{payroll: {{image: '{registry}/team/ap:1'}}, "
            "audit: {image: 'merger.example/${ACQUIRED_COMPANY}'}}"
        )

    status, said = doctor(world, "--share")
    _, document = doctor(world, "--share", "--json")

    assert 4 == status
    for text in ("secret-project", "payroll", "merger", "ACQUIRED", "team/ap", registry):
        assert text not in said + document


def test_a_registry_without_a_login_is_not_said_to_accept_one(world):
    registry = world.registry(ping=(200, {}, b"{}"))
    world.set(registry)
    world.logged_in(registry)

    status, said = doctor(world)

    assert 0 == status
    assert said.endswith("0 of 1 login accepted; 1 not checked\n")


def test_images_without_a_login_share_one_cause(world):
    registry = world.registry()

    _, said = doctor(world, f"{registry}/team/app:1", f"{registry}/team/other:1")

    assert 1 == said.count("Cause:")


def test_the_same_name_has_the_same_placeholder(world):
    registry = world.registry()
    world.logged_in(registry, user="somebody")

    _, said = doctor(
        world, f"{registry}/team/app:1", f"{registry}/team/app:1.2", "--share", "--json"
    )

    first, second = json.loads(said)["images"]
    assert first["registry"] == second["registry"] == "registry-1.example"
    assert first["image"] != second["image"]
    assert "somebody" not in said


def test_only_a_terminal_gets_colours(world):
    world.logged_in(world.registry())
    _, plain = doctor(world, *world.images)

    coloured = "\n".join(lines(world.diagnose(), colours=True)) + "\n"

    assert COLOURS.search(coloured)
    assert not COLOURS.search(plain)
    assert re.sub(r"clock \+\d", "", COLOURS.sub("", coloured)) == re.sub(r"clock \+\d", "", plain)


def test_the_images_of_the_configuration_here_are_checked(world):
    registry = world.registry()
    world.logged_in(registry)
    folder = os.path.join(world.home, ".devcontainer")
    os.mkdir(folder)
    with open(os.path.join(folder, "Dockerfile"), "w", encoding="utf-8") as file:
        file.write(f"FROM {registry}/team/app:1\nCOPY --from={registry}/team/ap:1 /a /b\n")
    with open(os.path.join(folder, "devcontainer.json"), "w", encoding="utf-8") as file:
        file.write('{"build": {"dockerfile": "Dockerfile"}} // with a comment')

    status, said = doctor(world)

    assert 4 == status
    assert f"  ok    {registry}/team/app:1  (.devcontainer/Dockerfile:1: FROM" in said
    assert f"\n{registry}/team/ap:1  (.devcontainer/Dockerfile:2: COPY --from" in said
    assert said.endswith("\n\n1 of 2 images can be pulled\n")


def test_an_image_that_cannot_be_resolved_is_reported_and_counted(world):
    registry = world.registry()
    world.logged_in(registry)
    with open(os.path.join(world.home, ".devcontainer.json"), "w", encoding="utf-8") as file:
        json.dump({"image": f"{registry}/${{localEnv:TEAM}}/app"}, file)

    status, said = doctor(world)

    assert 5 == status
    assert "TEAM" in said
    assert said.endswith("\n\n1 not resolved\n")


def test_a_deleted_working_directory_has_no_configuration(world):
    world.set(world.registry())
    world.logged_in(world.names["R"])
    gone = os.path.join(world.home, "gone")
    script = (
        f"import os, sys; os.mkdir({gone!r}); os.chdir({gone!r}); os.rmdir({gone!r}); "
        "os.execv(sys.executable, [sys.executable, '-m', 'devcontainer_registry', 'doctor'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        env=world.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.endswith("1 of 1 login accepted\n")
