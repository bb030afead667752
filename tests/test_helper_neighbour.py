# SPDX-License-Identifier: MIT
"""
A neighbour who plants things where our helper reads: refused with one line, or a miss; never
followed, never served.
"""

from __future__ import annotations

import json
import os
import stat
import time

import pytest
from helping import HERE, NOT_FOUND, OLD, Helper, answered, reason

USER = 12345
THEIRS = json.dumps(
    {"version": 1, "registry": HERE, "credential": {"Username": "eve", "Secret": "planted"}}
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(name="helper")
def _helper(tmp_path):
    helper = Helper(tmp_path)
    helper.keep()
    return helper


@pytest.fixture(name="path")
def _path(helper):
    """
    Where the entry is.
    """
    return os.path.join(helper.cache.path, f"{HERE}.json")


def refused(helper):
    """
    The one line with which every verb that reads the entry refuses it.
    """
    said = reason(helper.get())
    assert helper.cache.path in said
    assert "planted" not in said
    assert "bug" not in said
    return said


def planted(path, text=THEIRS, *, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return str(path)


def test_a_link_in_its_place_is_not_followed(helper, path, tmp_path):
    os.unlink(path)
    os.symlink(planted(tmp_path / "theirs"), path)

    assert "link" in refused(helper)
    assert THEIRS == (tmp_path / "theirs").read_text()


def test_a_link_in_its_place_is_not_written_through_either(helper, path, tmp_path):
    os.unlink(path)
    os.symlink(planted(tmp_path / "theirs"), path)

    ran = helper.store(HERE, "bob", "s3cret")

    assert "link" in reason(ran)
    assert THEIRS == (tmp_path / "theirs").read_text()


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "/dev/stdin", "nowhere", "."])
def test_wherever_a_link_leads_it_is_refused(helper, path, target):
    os.unlink(path)
    os.symlink(target, path)

    assert "link" in refused(helper)


def test_a_link_in_place_of_the_folder_is_not_followed(helper, tmp_path):
    os.rename(helper.cache.path, tmp_path / "moved")
    os.symlink(tmp_path / "moved", helper.cache.path)

    assert "link" in refused(helper)
    assert "link" in reason(helper.store(HERE, "bob", "s3cret"))
    assert "link" in reason(helper.run("list"))
    assert "link" in reason(helper.run("erase", given=HERE))


def test_a_link_in_place_of_the_lock_is_not_followed(helper, tmp_path):
    os.symlink(tmp_path / "made", os.path.join(helper.cache.path, f".{HERE}.lock"))
    helper.keep(left=-1)
    helper.see_secrets()

    assert "lock" in refused(helper)
    assert not (tmp_path / "made").exists()


@needs_root
def test_another_users_file_is_refused(helper, path):
    os.chown(planted(path), USER, USER)

    assert "somebody else" in refused(helper)


@needs_root
def test_another_users_file_by_a_hard_link_is_refused(helper, path, tmp_path):
    os.chown(planted(tmp_path / "theirs"), USER, USER)
    os.unlink(path)
    os.link(tmp_path / "theirs", path)

    assert "somebody else" in refused(helper)


def test_a_second_name_of_our_file_does_not_see_what_is_written_later(helper, path, tmp_path):
    os.link(path, tmp_path / "second")

    helper.store(HERE, "bob", "a-new-secret")

    assert "a-new-secret" not in (tmp_path / "second").read_text()
    assert "bob" == answered(helper.get())["Username"]


@needs_root
def test_another_users_folder_is_refused(helper):
    os.chown(helper.cache.path, USER, USER)

    assert "somebody else" in refused(helper)
    assert "somebody else" in reason(helper.store(HERE, "bob", "s3cret"))
    assert "somebody else" in reason(helper.run("list"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o606, 0o601])
def test_a_file_that_others_could_read_or_change_is_refused(helper, path, mode):
    os.chmod(path, mode)

    assert "open to others" in refused(helper)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o711])
def test_a_folder_that_others_could_enter_is_refused_until_it_is_closed(helper, mode):
    os.chmod(helper.cache.path, mode)

    said = refused(helper)

    assert f"chmod 700 {helper.cache.path}" in said
    helper.store(HERE, "bob", "s3cret")
    assert 0o700 == stat.S_IMODE(os.stat(helper.cache.path).st_mode)
    assert "bob" == answered(helper.get())["Username"]


def _pipe(path):
    os.mkfifo(path, 0o600)


def _folder(path):
    os.mkdir(path, 0o700)


def _device(path):
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zero


@pytest.mark.parametrize("make", [_pipe, _folder, pytest.param(_device, marks=needs_root)])
def test_what_is_no_file_is_refused_and_not_waited_for(helper, path, make):
    os.unlink(path)
    make(path)
    began = time.monotonic()

    assert "no file" in refused(helper)
    assert time.monotonic() - began < 3


def test_an_enormous_file_is_refused_and_not_read(helper, path):
    with open(path, "r+b") as file:
        file.truncate(1 << 40)

    assert "larger" in refused(helper)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        THEIRS[:-1],
        THEIRS[: len(THEIRS) // 2],
        THEIRS + "}",
        "null",
        "[]",
        THEIRS.replace('"version": 1', '"version": 2'),
        THEIRS.replace(HERE, "other.example"),
        "[" * 100_000,
        '{"a":' * 40_000,
        "\ufeff" + THEIRS,
        "\udcff",
        '{"version": 1' + "0" * 5000 + "}",
    ],
)
def test_a_damaged_file_is_a_miss(helper, path, text):
    with open(path, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))

    ran = helper.get()

    assert (1, NOT_FOUND, "") == (ran.status, ran.stdout, ran.stderr)


def test_damage_stays_with_one_registry(helper):
    planted(os.path.join(helper.cache.path, "other.example.json"), "{")
    os.symlink("/etc/passwd", os.path.join(helper.cache.path, "third.example.json"))
    planted(os.path.join(helper.cache.path, "not a host.json"), "{}")

    assert OLD == answered(helper.get())
    assert {HERE: "AWS"} == helper.run("list").document


@needs_root
def test_root_reads_the_folder_of_the_user_whose_home_it_is_in_and_leaves_nothing_there(helper):
    helper.keep(left=3600)
    helper.see_secrets()
    for folder, folders, files in os.walk(helper.home):
        for name in (*folders, *files, "."):
            os.chown(os.path.join(folder, name), USER, USER)
    before = sorted(os.listdir(helper.cache.path))

    assert OLD == answered(helper.get())
    assert "not to root" in reason(helper.store(HERE, "bob", "s3cret"))
    assert before == sorted(os.listdir(helper.cache.path))
