# SPDX-License-Identifier: MIT
"""
Many logins at the same moment, each a process, into one config.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
from gates import gated
from parts import needed
from runs import set_for

PASSWORD = "in wonder:land"
USERS = {"alice": PASSWORD}
ROUNDS = 5 if os.environ.get("DEVCONTAINER_REGISTRY_SOAK") == "1" else 1

PRODUCT = os.path.join(os.path.dirname(sys.executable), "devcontainer-registry")


class Reader:
    """
    Reads *path* again and again while entered, as a client would that pulls meanwhile.

    Attributes:
        seen: How many entries there were, each time that it changed.
        broken: What could not be parsed.
    """

    def __init__(self, path):
        self.seen, self.broken = [], []
        self._path = path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    def _read(self):
        before = None
        while not self._over.is_set():
            try:
                with open(self._path, "rb") as file:
                    content = file.read()
            except FileNotFoundError:
                # Fifty interpreters are starting; from the first write on, there is no pause.
                self._over.wait(0.005)
                continue
            if content == before:
                continue
            before = content
            try:
                self.seen.append(len(json.loads(content)["auths"]))
            except (ValueError, KeyError):
                self.broken.append(content)


@pytest.mark.parametrize("attempt", range(ROUNDS))
def test_fifty_processes_at_once_keep_fifty_logins_and_the_file_is_whole_all_the_time(
    attempt, client
):
    with gated(50, USERS) as registries, Reader(client.config_path) as reader:
        done = _all_at_once(
            client,
            [
                ([PRODUCT, "login", "--json", "--timeout", "60"], _set(registry))
                for registry in registries
            ],
        )

        told = [json.loads(stdout) for _, stdout, _ in done]
        assert {0} == {status for status, _, _ in done}, (attempt, done)
        assert {"ok"} == {document["registries"][0]["status"] for document in told}
        assert [] == [finding for document in told for finding in document["findings"]]
        assert {r.registry for r in registries} == set(client.config()["auths"])
        assert [] == reader.broken
        assert sorted(reader.seen) == reader.seen
        assert ["config.json"] == os.listdir(os.path.dirname(client.config_path))


def test_what_twenty_processes_remember_is_remembered_by_the_next_one(client):
    with gated(20, USERS) as registries:
        sets = [_set(registry, set_id=f"R{n:02}") for n, registry in enumerate(registries)]
        _all_at_once(client, [([PRODUCT, "hook", "onCreate", "--timeout", "60"], s) for s in sets])
        asked = [len(registry.requests) for registry in registries]
        everything = {name: text for one in sets for name, text in one.items()}

        done = client.product("hook", "postStart", **everything)

        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
        assert asked == [len(registry.requests) for registry in registries]


def test_twenty_at_once_with_docker_login_lose_most_of_them_and_we_lose_none(client):
    needed.program("docker", package="docker.io")
    docker = ["docker", "login", "--username", "alice", "--password-stdin"]
    survivors = []

    for _ in range(3):
        client.run("rm", "-f", client.config_path)
        with gated(20, USERS) as registries:
            commands = [([*docker, registry.registry], {}) for registry in registries]
            done = _all_at_once(client, commands, stdin=PASSWORD)
        assert {0} == {status for status, _, _ in done}, done
        survivors.append(len(client.config().get("auths", {})))
    client.run("rm", "-f", client.config_path)
    with gated(20, USERS) as registries:
        ours = [([PRODUCT, "login", "--timeout", "60"], _set(registry)) for registry in registries]
        _all_at_once(client, ours)

    print(f"of 20 logins at once, docker login keeps {survivors}; we keep 20")
    assert 20 == len(client.config()["auths"])
    assert min(survivors) < 20


def test_eight_processes_with_the_same_set_agree(client):
    with gated(1, USERS) as (registry,):
        done = _all_at_once(client, [([PRODUCT, "login"], _set(registry))] * 8)

        assert [0] * 8 == [status for status, _, _ in done], done
        assert [registry.registry] == list(client.config()["auths"])


def _set(registry, *, set_id="MY"):
    return set_for(registry.registry, "alice", PASSWORD, set_id=set_id)


def _all_at_once(client, commands, *, stdin=""):
    """
    Status, stdout and stderr of each of *commands* (argv and what to add to the environment).
    """
    processes = [
        subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**client.environ, **environ},
        )
        for argv, environ in commands
    ]
    try:
        for process in processes:
            process.stdin.write(stdin)
            process.stdin.close()
            process.stdin = None
        outputs = [process.communicate(timeout=90) for process in processes]
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.communicate()
    return [
        (process.returncode, *output) for process, output in zip(processes, outputs, strict=True)
    ]
