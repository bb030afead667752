# SPDX-License-Identifier: MIT
"""
Rule 3 and rule 5 against `kill -9`: nothing lost, never half a file.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import subprocess
import sys

import crashing
import pytest
from configs import ENTRY, FOREIGN, HOST, LOGIN, Told, Waits, config_at, content, parsed, put
from privately import SOAK, mounting

from devcontainer_registry.config import safe_write
from devcontainer_registry.config.rescue import Rescue
from devcontainer_registry.errors import ConfigError

_ROUNDS = 300 if SOAK else 30

_OLD = json.dumps(FOREIGN).encode()
_NEW = json.dumps({**FOREIGN, "auths": {HOST: ENTRY, **FOREIGN["auths"]}}, indent="\t").encode()

_BOUND = """
import subprocess, sys
import crashing
from configs import FOREIGN, put
path, source, count = sys.argv[1:]
put(source, FOREIGN)
subprocess.run(["mount", "--bind", source, path], check=True)
crashing.rounds(path, int(count))
"""


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


@pytest.fixture(name="rescue")
def _rescue(tmp_path, path):
    return Rescue(str(tmp_path / "rescue"), os.path.realpath(path))


def test_a_kill_at_any_moment_leaves_a_whole_file(path):
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(crashing.__file__)}

    done = subprocess.run(
        [sys.executable, crashing.__file__, "rounds", path, str(_ROUNDS)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"rounds {_ROUNDS} torn 0 restored 0" == done.stdout.splitlines()[-1]


def test_a_kill_at_any_moment_of_a_rewrite_in_place_costs_nothing(path, tmp_path):
    put(path, b"")

    told = mounting(_BOUND, path, tmp_path / "host.json", _ROUNDS, timeout=600)

    assert f"rounds {_ROUNDS} " in told


@pytest.mark.parametrize(("old", "new"), [(_OLD, _NEW), (_NEW, _OLD)])
def test_a_rewrite_cut_off_after_any_octet_is_undone_by_the_next_run(path, rescue, old, new):
    size = max(len(old), len(new))
    states = [old + b"\n" * extra for extra in range(size - len(old) + 1)]
    states += [new.ljust(size, b"\n")[:cut] + old.ljust(size, b"\n")[cut:] for cut in range(size)]
    whole = [json.loads(old), json.loads(new)]

    for state in states:
        put(path, state)
        rescue.keep(old, new)

        config_at(path).edit(lambda _: None)

        assert parsed(path) in whole
        assert not os.path.exists(rescue.path)


def test_no_copy_is_kept_in_a_folder_that_others_use(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(ConfigError) as caught:
        Rescue(str(shared), "/config.json").keep(b"{}", b"{}")

    assert "cache-refused" == caught.value.code
    assert 0o1777 == stat.S_IMODE(shared.stat().st_mode)
    assert [] == list(shared.iterdir())


def test_a_cut_that_is_valid_json_is_undone_as_well(path, rescue):
    """
    Same length, and the cut inside a password: no parser would notice.
    """
    old, new = (b'{"auths": {"a": {"auth": "%s"}}}' % (c * 40) for c in (b"A", b"B"))
    torn = new[:40] + old[40:]
    put(path, torn)
    rescue.keep(old, new)
    told = Told()

    config_at(path).edit(lambda _: None, observe=told)

    assert ["config.restored"] == told
    assert old == content(path)


@pytest.mark.parametrize("torn", [b"", b"{", b"\0" * 100])
def test_a_file_lost_to_a_power_cut_gets_its_old_content_back(path, rescue, torn):
    put(path, torn)
    rescue.keep(_OLD, _NEW)
    told = Told()

    config_at(path).store({HOST: LOGIN}, observe=told)

    after = parsed(path)
    assert ["config.restored", "config.replaced"] == told
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


def test_a_reader_sees_the_old_content_of_a_torn_file(path, rescue):
    put(path, b"")
    rescue.keep(_NEW, _OLD)

    found = config_at(path).read()

    assert LOGIN == found.auth(HOST)
    assert b"" == content(path)


def test_what_somebody_wrote_since_is_not_undone(path, rescue):
    theirs = {"auths": {"new.example": {"auth": "am9lOnNlY3JldA=="}}}
    put(path, theirs)
    rescue.keep(_OLD, _NEW)

    config_at(path).edit(lambda _: None)

    assert theirs == parsed(path)


def test_a_copy_does_not_come_back_once_the_file_was_seen_whole(path, rescue):
    put(path, FOREIGN)
    rescue.keep(_NEW, _OLD)
    config_at(path).edit(lambda _: None)
    put(path, b"")

    config_at(path).edit(lambda _: None)

    assert b"" == content(path)


def test_a_copy_that_a_killed_run_had_not_finished_is_removed(path, rescue):
    put(path, FOREIGN)
    put(rescue.path + ".new", b"half")

    config_at(path).edit(lambda _: None)

    assert [] == os.listdir(os.path.dirname(rescue.path))


def test_a_file_that_was_removed_on_purpose_stays_removed(path, rescue):
    rescue.keep(_OLD, _NEW)

    config_at(path).edit(lambda _: None)

    assert not os.path.exists(path)


@pytest.mark.parametrize("planted", [b"", b"x", b"devcontainer-registry rescue 1 x\n{}", "link"])
def test_a_copy_that_is_not_ours_is_not_believed(path, rescue, planted, tmp_path):
    put(path, b"{")
    put(rescue.path, b"")
    os.unlink(rescue.path)
    if planted == "link":
        put(tmp_path / "planted", b"devcontainer-registry rescue 1 2\n{}{}")
        os.symlink(tmp_path / "planted", rescue.path)
    else:
        put(rescue.path, planted)

    with pytest.raises(ConfigError):
        config_at(path).store({HOST: LOGIN})

    assert b"{" == content(path)


def test_the_copy_is_on_the_disk_before_the_file_is_touched(path, rescue, monkeypatch):
    """
    Killed between the two; the kill is an exception here that nobody is asked to clean up after.
    """
    put(path, FOREIGN)
    old = content(path)
    seen = []

    def pwrite(*_):
        seen.append((content(path), os.path.exists(rescue.path), os.stat(rescue.path).st_mode))
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(OSError, match="gone"):
        _rewrite(path, _NEW, rescue)

    assert (old, True, 0o100600) == seen[0]
    assert os.path.exists(rescue.path)  # putting the old content back failed, too
    monkeypatch.undo()
    config_at(path, sleep=Waits()).edit(lambda _: None)
    assert FOREIGN == parsed(path)


def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_content_all_the_while(
    path, rescue, monkeypatch
):
    """
    A full disk takes a part first and refuses the rest: so the space is taken before the content.
    """
    put(path, _OLD)
    pwrite, seen = os.pwrite, []

    def full(fd, octets, offset):
        seen.append(content(path))
        if not (room := len(_OLD) - offset):
            raise OSError(errno.ENOSPC, "full")
        return pwrite(fd, octets[:room], offset)

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(OSError, match="full"):
        _rewrite(path, _NEW, rescue)

    assert {_OLD} == {*seen, content(path)}
    assert not os.path.exists(rescue.path)


def test_a_rewrite_that_fails_half_way_is_undone_at_once(path, rescue, monkeypatch):
    put(path, _OLD)
    pwrite, calls = os.pwrite, []

    def failing(fd, octets, offset):
        calls.append(offset)
        if len(calls) == 3:
            raise OSError(errno.EIO, "gone")
        return pwrite(fd, octets[:100], offset) if len(calls) == 2 else pwrite(fd, octets, offset)

    monkeypatch.setattr(os, "pwrite", failing)

    with pytest.raises(OSError, match="gone"):
        _rewrite(path, _NEW, rescue)

    assert [len(_OLD), 0, 100, 0] == calls
    assert _OLD == content(path)
    assert not os.path.exists(rescue.path)


def _rewrite(path, new, rescue):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        before = safe_write.look("config.json", folder=folder)
        safe_write.rewrite(
            "config.json",
            new,
            folder=folder,
            before=before,
            mode=0o600,
            path=path,
            rescue=rescue,
        )
    finally:
        os.close(folder)
