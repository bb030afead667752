# SPDX-License-Identifier: MIT
"""
Rule 6 under load: many processes, one config.json, and somebody who reads all the while.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time

import pytest
from configs import FOREIGN, HOST, LOGIN, config_at, content, parsed, put
from privately import SOAK

from devcontainer_registry.registry import Registry

_PROCESSES = 50

_LOGIN = """
import sys
from configs import LOGIN
from configs import Config
from devcontainer_registry.registry import Registry
path, host = sys.argv[1:]
config = Config(path)
print("ready", flush=True)
sys.stdin.readline()
config.store({Registry(host): LOGIN}, timeout=60)
"""


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


@pytest.mark.parametrize("attempt", range(5 if SOAK else 1))
def test_fifty_logins_at_once_keep_fifty_entries(path, attempt):
    put(path, FOREIGN)
    hosts = [f"r{attempt}-{number}.example" for number in range(_PROCESSES)]
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(__file__)}
    logins = [
        subprocess.Popen(
            [sys.executable, "-c", _LOGIN, path, host],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for host in hosts
    ]

    with _Reader(path) as reader:
        for login in logins:
            assert b"ready\n" == login.stdout.readline()
        for login in logins:
            login.stdin.close()
        statuses = [login.wait() for login in logins]
    for login in logins:
        login.stdout.close()

    assert [0] * _PROCESSES == statuses
    assert [] == reader.broken
    assert reader.looks > _PROCESSES
    after = parsed(path)
    kept = [host for host in hosts if after["auths"].pop(host, None)]
    assert hosts == kept
    assert FOREIGN == after
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_threads_of_one_process_do_not_lose_each_others_logins(path):
    hosts = [Registry(f"r{number}.example") for number in range(8)]
    config = config_at(path, sleep=time.sleep)
    threads = [threading.Thread(target=config.store, args=({host: LOGIN},)) for host in hosts]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(hosts) == set(parsed(path)["auths"])


def test_a_login_and_somebody_who_takes_no_lock_lose_nothing_unsaid(path):
    """
    docker writes without looking: either our login is there, or `store` said that it is not.
    """
    put(path, FOREIGN)
    config = config_at(path)
    before = content(path)

    def observe(_, /, **__):
        put(path, before)

    with pytest.raises(Exception, match="somebody else"):
        config.store({HOST: LOGIN}, observe=observe)

    assert config.read().auth(HOST) is None


class _Reader:
    """
    Reads the file all the while, as docker would, and keeps what was no JSON.
    """

    def __init__(self, path):
        self.path = path
        self.looks = 0
        self.broken = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _read(self):
        while not self._done.wait(0.0005):
            raw = content(self.path)
            self.looks += 1
            try:
                json.loads(raw)
            except ValueError:
                self.broken.append(raw)
