# SPDX-License-Identifier: MIT
"""
Rules 5, 6 and 7 by which config.json is edited: against others, and against half a file.
"""

from __future__ import annotations

import errno
import fcntl
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
    Waits,
    config_at,
    content,
    parsed,
    put,
)
from privately import NOBODY, as_nobody, mounting, public_folder

from devcontainer_registry.errors import ConfigChangedError, ConfigError


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


@pytest.fixture(name="shared")
def _shared():
    folder = public_folder()
    yield folder
    shutil.rmtree(folder)


# Rule 5 (more of it in test_configfile_crash.py)

_BIND = """
import os, subprocess, sys
from configs import *
path, source = sys.argv[1:]
subprocess.run(["mount", "--bind", source, path], check=True)
told = Told()
assert config_at(path).store({HOST: LOGIN}, observe=told)
assert not config_at(path).store({HOST: LOGIN}, observe=told)
print(*told)
rescue = os.path.join(os.path.dirname(os.path.dirname(path)), "rescue")
print(*os.listdir(rescue), oct(os.stat(rescue).st_mode))
"""


def test_a_bind_mounted_file_is_rewritten_in_place(path, tmp_path):
    source = tmp_path / "host.json"
    put(source, FOREIGN)
    put(path, b"")
    before = os.stat(source).st_ino

    told, rescue = mounting(_BIND, path, source).splitlines()

    after = parsed(source)
    assert "config.rewritten_in_place" == told
    assert "0o40700" == rescue
    assert before == os.stat(source).st_ino
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_file_that_may_be_written_in_a_folder_that_may_not_is_rewritten_in_place(shared):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chown(path, NOBODY, NOBODY)
    rescue = os.path.join(shared, "rescue")
    os.mkdir(rescue, 0o700)
    os.chown(rescue, NOBODY, NOBODY)

    def login():
        told = Told()
        config_at(path).store({HOST: LOGIN}, observe=told)
        return list(told)

    told = as_nobody(login)

    assert ["config.rewritten_in_place"] == told
    assert ENTRY == parsed(path)["auths"][HOST]
    assert [] == os.listdir(rescue)


def test_no_copy_goes_where_somebody_else_could_read_it(shared):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chown(path, NOBODY, NOBODY)
    os.mkdir(os.path.join(shared, "rescue"), 0o777)

    def login():
        try:
            config_at(path).store({HOST: LOGIN})
        except ConfigError as exc:
            return exc.code

    assert "cache-refused" == as_nobody(login)
    assert FOREIGN == parsed(path)


# Rule 6


def test_a_write_by_somebody_else_is_not_overwritten(path):
    put(path, FOREIGN)
    theirs = {"auths": {"new.example": {"auth": "am9lOnNlY3JldA=="}}}

    def change(document):
        put(path, theirs)
        document.set_auth(HOST, LOGIN)

    with pytest.raises(ConfigChangedError):
        config_at(path).edit(change)

    assert theirs == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_file_that_appears_meanwhile_is_not_overwritten(path):
    def change(document):
        put(path, FOREIGN)
        document.set_auth(HOST, LOGIN)

    with pytest.raises(ConfigChangedError):
        config_at(path).edit(change)

    assert FOREIGN == parsed(path)


def test_a_write_right_after_ours_is_noticed(path):
    """
    Somebody read before us and writes after us: our login is gone, and must not be reported kept.
    """
    config = config_at(path)

    def observe(event, /, **_):
        if event == "config.replaced":
            put(path, FOREIGN)

    with pytest.raises(ConfigChangedError):
        config.store({HOST: LOGIN}, observe=observe)

    assert FOREIGN == parsed(path)


def test_the_lock_is_waited_for_as_long_as_was_said(path):
    put(path, FOREIGN)
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)

        with pytest.raises(ConfigError) as caught:
            config_at(path, clock=lambda: now[0], sleep=sleep).store({HOST: LOGIN}, timeout=5)

        assert "config-locked" == caught.value.code
        assert 5 == pytest.approx(now[0])
        assert FOREIGN == parsed(path)
    finally:
        os.close(folder)


def test_a_lock_that_is_let_go_is_taken_and_said(path):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds
        if now[0] > 1:
            fcntl.flock(folder, fcntl.LOCK_UN)

    told = Told()
    try:
        config_at(path, clock=lambda: now[0], sleep=sleep).store({HOST: LOGIN}, observe=told)
    finally:
        os.close(folder)

    assert ["config.lock_waited", "config.replaced"] == told


def test_nothing_is_written_where_there_are_no_locks(path, monkeypatch):
    put(path, FOREIGN)

    def flock(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({HOST: LOGIN})

    assert "config-unlockable" == caught.value.code
    assert FOREIGN == parsed(path)


# Rule 7

DAMAGED = {
    "half": b'{"auths": {"ghcr.io": {"auth": "c2VjcmV0Y2FuYXJ5',
    "tail": b'{"auths": {}} secretcanary',
    "list": b'["secretcanary"]',
    "auths": b'{"auths": "secretcanary"}',
    "helpers": b'{"credHelpers": ["secretcanary"]}',
    "helper": b'{"credHelpers": {"secretcanary": 5}}',
    "store": b'{"credsStore": {"secretcanary": 5}}',
    "twice": b'{"secretcanary": 1, "secretcanary": 2}',
    "twice-by-case": b'{"auths": {}, "AUTHS": {"secretcanary": {}}}',
    "latin-1": b'{"secretcanary": "\xe9"}',
    "nan": b'{"secretcanary": NaN}',
    "nul": b'{"secretcanary": "\0"}',
    "deep": b'{"secretcanary": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_left_alone_named_and_not_quoted(path, kind):
    put(path, DAMAGED[kind])
    config = config_at(path)

    for use in (config.read, lambda: config.store({HOST: LOGIN})):
        with pytest.raises(ConfigError) as caught:
            use()

        error = caught.value
        assert path in error.message
        assert "config-damaged" == error.code
        assert "secretcanary" not in f"{error!r} {error.hint}"
        assert "c2VjcmV0" not in f"{error!r} {error.hint}"
        assert (None, None) == (error.__cause__, error.__context__)
    assert DAMAGED[kind] == content(path)


def test_the_line_of_the_fault_is_told(path):
    put(path, b'{\n\t"auths": {\n\t\t"a": oops\n')

    with pytest.raises(ConfigError) as caught:
        config_at(path).read()

    assert "line 3, column 8" in caught.value.message


@pytest.mark.parametrize("caught", [b"", b'{"auths": {"ghcr'])
def test_a_file_caught_while_it_is_written_is_read_once_more(path, caught):
    put(path, caught)
    waits = Waits(lambda: put(path, FOREIGN))

    config_at(path, sleep=waits).store({HOST: LOGIN})

    after = parsed(path)
    assert 1 == len(waits)
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


@pytest.mark.parametrize("nothing", [b"", b" \n", b"{}", b'{"auths": null}', b"\xef\xbb\xbf"])
def test_an_empty_file_gets_its_first_login(path, nothing):
    put(path, nothing)

    config_at(path).store({HOST: LOGIN})

    assert {"auths": {HOST: ENTRY}} == parsed(path)


def test_a_byte_order_mark_is_dropped_since_docker_cannot_read_it(path):
    put(path, b"\xef\xbb\xbf" + json.dumps({"auths": {HOST: ENTRY}}).encode())

    changed = config_at(path).store({HOST: LOGIN})

    assert changed
    assert {"auths": {HOST: ENTRY}} == parsed(path)
    assert not config_at(path).store({HOST: LOGIN})


def test_a_file_too_large_to_be_one_is_left_alone(path):
    with open(path, "wb") as file:
        file.truncate(17 * 1024 * 1024)

    with pytest.raises(ConfigError):
        config_at(path).store({HOST: LOGIN})

    assert 17 * 1024 * 1024 == os.stat(path).st_size
