# SPDX-License-Identifier: MIT
"""
Where `--store` keeps a login, and where it does not.
"""

from __future__ import annotations

import json
import os
import sys

import pytest

from devcontainer_registry import login
from devcontainer_registry._delegate import Delegation
from devcontainer_registry.testing import LoopbackRegistry

NAME = "docker-credential-devcontainer-registry"


@pytest.fixture(name="registry")
def _registry():
    with LoopbackRegistry({"ann": "a-password"}) as registry:
        yield registry


@pytest.fixture(name="environ")
def _environ(tmp_path, registry):
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / NAME).symlink_to(os.path.join(os.path.dirname(sys.executable), NAME))
    return {
        "HOME": str(tmp_path / "home"),
        "PATH": str(folder),
        "A_CONTAINER_REGISTRY_SERVER": registry.registry,
        "A_CONTAINER_REGISTRY_USER": "ann",
        "A_CONTAINER_REGISTRY_PASSWORD": "a-password",
    }


def kept(report):
    with open(report.config, encoding="utf-8") as file:
        return json.load(file)


def test_helper_keeps_no_secret_in_config_json(environ, registry):
    report = login(environ=environ, store="helper")

    assert {"credHelpers": {registry.registry: "devcontainer-registry"}} == kept(report)


def test_helper_takes_away_what_another_store_left(environ):
    login(environ=environ, store="auths")
    login(environ=environ, store="helper", verify="changed")

    report = login(environ=environ, store="helper", verify="changed")

    assert ["credHelpers"] == list(kept(report).keys() - {"auths"})
    assert not kept(report).get("auths")
    assert "unchanged" == report.outcomes[0].status


def test_auths_takes_the_helper_away(environ):
    login(environ=environ, store="helper")

    report = login(environ=environ, store="auths")

    assert not kept(report).get("credHelpers")
    assert kept(report)["auths"]


def test_an_image_that_is_not_there_is_said_with_every_store(environ, registry):
    environ["A_CONTAINER_REGISTRY_IMAGE"] = f"{registry.registry}/none/such:1"

    report = login(environ=environ, store="helper")

    assert ("image-not-found", 4) == (report.outcomes[0].code, report.exit_status)


def test_helper_is_refused_where_nobody_finds_it(environ):
    report = login(environ={**environ, "PATH": "/nonexistent"}, store="helper")

    assert ("failed", "helper-missing") == (report.outcomes[0].status, report.outcomes[0].code)


def test_somebody_elses_helper_is_never_evicted(environ, registry):
    path = os.path.join(environ["HOME"], ".docker", "config.json")
    os.makedirs(os.path.dirname(path))
    theirs = {"credHelpers": {registry.registry: "pass"}}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(theirs, file)

    reports = [login(environ=environ, store=store) for store in ("auto", "auths", "helper")]

    assert ["other-helper"] * 3 == [report.outcomes[0].code for report in reports]
    assert theirs == kept(reports[0])


@pytest.mark.parametrize("kind", ["folder", "not for all", "silent"])
def test_a_helper_that_not_everybody_can_run_is_a_reason_not_to_delegate(tmp_path, kind):
    place = tmp_path / "usr-local-bin"
    place.mkdir()
    program = place / NAME
    if kind != "folder":
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755 if kind == "silent" else 0o700)

    delegation = Delegation(str(tmp_path / "config.json"), environ={}, places=[str(place)])

    assert NAME in delegation.refusal


def test_a_helper_that_everybody_can_run_may_be_named(tmp_path):
    place = tmp_path / "usr-local-bin"
    place.mkdir()
    program = place / NAME
    program.write_text(f"#!/bin/sh\necho {NAME} v1\n")
    program.chmod(0o755)

    delegation = Delegation(str(tmp_path / "config.json"), environ={}, places=[str(place)])

    assert delegation.refusal is None


@pytest.mark.parametrize("what", ["config.json", ""])
def test_a_mount_is_a_reason_not_to_delegate(tmp_path, what):
    place = tmp_path / "usr-local-bin"
    place.mkdir()
    (place / NAME).write_text(f"#!/bin/sh\necho {NAME} v1\n")
    (place / NAME).chmod(0o755)
    point = os.path.join(tmp_path, what) if what else str(tmp_path)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"36 35 98:0 / {point} rw - ext4 /dev/root rw\n")

    delegation = Delegation(
        str(tmp_path / "config.json"), environ={}, places=[str(place)], mounts=str(mounts)
    )

    assert "mount" in delegation.refusal


def test_a_relative_folder_of_path_and_a_folder_of_that_name_are_no_helper(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / NAME).symlink_to("/bin/true")
    (tmp_path / "other" / NAME).mkdir(parents=True)

    delegation = Delegation("config.json", environ={"PATH": f"bin:{tmp_path}/other"})

    assert not delegation.is_on_path
