# SPDX-License-Identifier: MIT
"""
Rules 1, 2, 3, 4 and 8 by which config.json is edited: what is written, and what is left alone.
"""

from __future__ import annotations

import json
import os
import shutil

import pytest
from configs import (
    ENTRY,
    FOREIGN,
    HOST,
    LOGIN,
    Told,
    config_at,
    content,
    mode_of,
    parsed,
    put,
)

from devcontainer_registry.errors import ConfigError
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


# Rule 1


def test_what_is_not_ours_survives_in_its_order(path):
    put(path, FOREIGN)

    config_at(path).store({HOST: LOGIN})

    after = parsed(path)
    assert list(FOREIGN) == list(after)
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


def test_numbers_and_half_characters_keep_their_value(path):
    put(path, b'{"a": [1.10, 1E2, -0.0, 123456789012345678901234567890], "b": "\\ud800\\u00e9"}')

    config_at(path).store({HOST: LOGIN})

    assert b"1.1,\n\t\t100.0,\n\t\t-0.0,\n\t\t123456789012345678901234567890" in content(path)
    assert "\ud800é" == parsed(path)["b"]


def test_the_file_is_laid_out_as_docker_does(path):
    config_at(path).store({HOST: LOGIN})

    assert json.dumps({"auths": {HOST: ENTRY}}, indent="\t").encode() == content(path)


def test_five_thousand_entries_survive(path):
    before = {"auths": {f"r{i}.example": {"auth": "am9lOnNlY3JldA=="} for i in range(5000)}}
    put(path, before)

    config_at(path).store({HOST: LOGIN})

    after = parsed(path)["auths"]
    del after[HOST]
    assert before["auths"] == after


# Rule 2


def test_a_second_run_does_not_touch_the_file(path):
    put(path, FOREIGN)
    config = config_at(path)
    config.store({HOST: LOGIN})
    before = os.stat(path)

    changed = config.store({HOST: LOGIN})

    after = os.stat(path)
    assert not changed
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_file_laid_out_differently_is_not_touched_for_its_layout(path):
    put(path, json.dumps({"auths": {HOST: ENTRY}}, indent=7).encode())
    before = content(path)

    changed = config_at(path).store({HOST: LOGIN})

    assert not changed
    assert before == content(path)


def test_forgetting_what_is_not_there_makes_no_folder(tmp_path):
    path = tmp_path / "none" / "config.json"

    changed = config_at(path).forget([HOST])

    assert not changed
    assert not path.parent.exists()


# Rule 3


def test_file_and_folder_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "new" / "docker" / "config.json"
    mask = os.umask(0)
    try:
        config_at(path).store({HOST: LOGIN})
    finally:
        os.umask(mask)

    assert (0o600, 0o700, 0o700) == (
        mode_of(path),
        mode_of(path.parent),
        mode_of(path.parent.parent),
    )


def test_the_old_file_is_replaced_not_written_into(path):
    put(path, FOREIGN)
    with open(path, "rb") as reader:
        told = Told()

        config_at(path).store({HOST: LOGIN}, observe=told)

        assert FOREIGN == json.loads(reader.read())
    assert ["config.replaced"] == told


def test_nothing_is_left_behind_when_the_change_fails(path):
    put(path, FOREIGN)

    def change(document):
        document.set_auth(HOST, LOGIN)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        config_at(path).edit(change)

    assert FOREIGN == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_what_a_killed_run_left_is_swept_away_and_nothing_else(path):
    folder = os.path.dirname(path)
    ours = "config.json.devcontainer-registry-0123456789abcdef"
    theirs = ["config.json.devcontainer-registry-before-upgrade", "config.json123"]
    for name in (ours, *theirs):
        put(os.path.join(folder, name), b"{")

    config_at(path).store({HOST: LOGIN})

    assert sorted([*theirs, "config.json"]) == sorted(os.listdir(folder))


def test_a_file_open_to_others_is_closed_once_it_holds_a_login(path):
    put(path, {})
    os.chmod(path, 0o644)
    config = config_at(path)

    config.delegate({HOST: OUR_HELPER})
    before = mode_of(path)
    config.store({HOST: LOGIN})

    assert (0o644, 0o600) == (before, mode_of(path))


# Rule 4


@pytest.mark.parametrize("relative", [True, False])
def test_a_symlink_stays_a_symlink(path, tmp_path, relative):
    target = tmp_path / "dotfiles" / "config.json"
    put(target, FOREIGN)
    os.symlink("../dotfiles/config.json" if relative else target, path)

    config_at(path).store({HOST: LOGIN})

    assert os.path.islink(path)
    assert ENTRY == parsed(target)["auths"][HOST]
    assert ["config.json"] == os.listdir(target.parent)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_dangling_symlink_gets_its_target(path, tmp_path):
    target = tmp_path / "not" / "yet" / "config.json"
    os.symlink(target, path)

    config_at(path).store({HOST: LOGIN})

    assert os.path.islink(path)
    assert {"auths": {HOST: ENTRY}} == parsed(target)
    assert 0o600 == mode_of(target)


def test_a_symlink_across_file_systems_stays_a_symlink(path):
    other = "/dev/shm"
    if not os.path.isdir(other) or os.stat(other).st_dev == os.stat(os.path.dirname(path)).st_dev:
        pytest.skip("there is no second file system")
    folder = os.path.join(other, f"devcontainer-registry-test-{os.getpid()}")
    os.mkdir(folder, 0o700)
    try:
        os.symlink(os.path.join(folder, "config.json"), path)

        config_at(path).store({HOST: LOGIN})

        assert os.path.islink(path)
        assert ENTRY == parsed(path)["auths"][HOST]
    finally:
        shutil.rmtree(folder)


def test_a_symlink_that_leads_back_to_itself_is_an_error(path):
    os.symlink("config.json", path)

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({HOST: LOGIN})

    assert path in caught.value.message
    assert os.path.islink(path)


# Rule 8


@pytest.mark.parametrize("value", ["gcloud", ""])
@pytest.mark.parametrize("spelling", ["https://index.docker.io/v1/", "docker.io"])
def test_somebody_elses_helper_is_not_evicted(path, value, spelling):
    put(path, {"credHelpers": {spelling: value}})

    changed = config_at(path).delegate({Registry("docker.io"): OUR_HELPER})

    assert not changed
    assert {"credHelpers": {spelling: value}} == parsed(path)


def test_forgetting_removes_our_helper_and_nobody_elses(path):
    hub = Registry("docker.io")
    put(path, {"auths": {}, "credHelpers": {"quay.io": "gcloud", HOST: OUR_HELPER}})
    config = config_at(path)
    config.delegate({hub: OUR_HELPER})

    config.forget([hub, HOST, Registry("quay.io")])

    assert {"auths": {}, "credHelpers": {"quay.io": "gcloud"}} == parsed(path)


def test_a_helper_without_a_name_is_refused(path):
    with pytest.raises(ConfigError):
        config_at(path).delegate({HOST: ""})

    assert not os.path.exists(path)
