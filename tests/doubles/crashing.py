# SPDX-License-Identifier: MIT
"""
Killing whoever edits config.json, again and again; run as a program, so that it can be put into a
mount namespace.

    python crashing.py write PATH             edit without end
    python crashing.py rounds PATH COUNT      start that, kill it, look at the file; COUNT times
"""

from __future__ import annotations

import itertools
import json
import os
import random
import subprocess
import sys
import time

from doubles.configs import FOREIGN, Told, config_at, content, put

from devcontainer_registry.config.file import Document
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.registry import Registry

_HOSTS = [Registry(f"r{i}.example") for i in range(40)]
_OCTETS = 400  # of each password, so that the file is many pages long


def write(path):
    config = config_at(path)
    for number in itertools.count(os.getpid()):
        # The same length every time, every other round: a cut in the middle is then valid JSON.
        letter = chr(ord("a") + number % 26)
        password = Secret(letter * (_OCTETS + number // 7 % 2 * 99))
        login = Credential(username="jane", secret=password)
        if number % 5 == 0:
            config.forget(_HOSTS[:20])
        config.store(dict.fromkeys(_HOSTS[number % 2 :], login))
        print("written", flush=True)


def rounds(path, count):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    if not os.path.exists(path) or not content(path):
        put(path, FOREIGN)
    restored = torn = 0
    for _ in range(count):
        writer = subprocess.Popen([sys.executable, __file__, "write", path], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"written\n"
        time.sleep(rng.random() * 0.03)
        writer.kill()
        writer.wait()
        writer.stdout.close()
        torn += not _is_whole(content(path))
        told = Told()
        config_at(path).edit(lambda _: None, observe=told)
        restored += "config.restored" in told
        after = content(path)
        assert _is_whole(after), after
        _check_nothing_is_lost(json.loads(after))
        left = [name for name in os.listdir(os.path.dirname(path)) if name != "config.json"]
        assert left == [], left
    print(f"rounds {count} torn {torn} restored {restored}")


def _is_whole(raw):
    try:
        config = json.loads(raw)
    except ValueError:
        return False
    return all(_is_whole_entry(config["auths"].get(host)) for host in _HOSTS)


def _is_whole_entry(entry):
    if entry is None:
        return True
    raw = json.dumps({"auths": {_HOSTS[0]: entry}}).encode()
    found = Document.parse(raw, where="here").auth(_HOSTS[0])
    return found is not None and len(set(found.secret.reveal())) == 1


def _check_nothing_is_lost(config):
    config["auths"] = {k: v for k, v in config["auths"].items() if k not in _HOSTS}
    assert config == FOREIGN, config


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write(sys.argv[2])
    else:
        rounds(sys.argv[2], int(sys.argv[3]))
