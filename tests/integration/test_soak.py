# SPDX-License-Identifier: MIT
"""
Many logins over many registries, with faults and kills, beside a writer without a lock.

A thousand of them in `./dev long`, which prints the figures; a few in an ordinary run.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from doubles.homes import Home, a_set
from doubles.private_user import SOAK
from doubles.servers import Busy, Fine, Refusing, Resetting, web_page

REGISTRIES = 200 if SOAK else 24
LOGINS = 1000 if SOAK else 40
WARM = 200 if SOAK else 20
USERS = {"bob": "s3cret-s3cret"}

# docker login in a loop: read, add, replace.
WRITER = """
import json, os, random, sys, time
path, stop = sys.argv[1:]
number = 0
while not os.path.exists(stop):
    time.sleep(random.random() / 50)
    with open(path) as file:
        config = json.load(file)
    config.setdefault("auths", {})[f"theirs{number}.example"] = {}
    with open(f"{path}.theirs", "w") as file:
        json.dump(config, file)
    os.rename(f"{path}.theirs", path)
    number += 1
print(number)
"""


@pytest.fixture(name="registries", scope="module")
def _registries():
    """
    Most of them work; each of the others has its own fault.
    """
    rng = random.Random(1)
    with contextlib.ExitStack() as stack:
        made = []
        for number in range(REGISTRIES):
            faulty = number % 5 == 4
            kind = rng.choice([Refusing, Resetting, web_page, lambda: Busy(USERS, times=10**9)])
            made.append(stack.enter_context(kind() if faulty else Fine(USERS)))
        yield made


def sets_of(chosen):
    return {
        name: value
        for number, registry in chosen
        for name, value in a_set(f"R{number}", registry.registry).items()
    }


def test_failed_and_killed_logins_lose_no_other_login(registries, tmp_path):
    home = Home(tmp_path)
    home.write({"auths": {}, "HttpHeaders": {"X-Meta": "a"}})
    folder, stop = Path(home.config).parent, tmp_path / "stop"
    rng = random.Random(2)
    plans = [
        (rng.sample(list(enumerate(registries)), rng.randint(1, 5)), rng.random(), rng.random())
        for _ in range(LOGINS)
    ]
    environ = {"HOME": home.path, "PATH": os.environ["PATH"]}
    accepted, killed, lock = set(), [0], threading.Lock()

    def run(plan):
        chosen, fate, after = plan
        with subprocess.Popen(
            [sys.executable, "-m", "devcontainer_registry", "login", "--json", "--timeout=20"],
            env={**environ, **sets_of(chosen)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as login:
            if fate < 0.2:
                # The moment does not matter: nothing may be lost at any time.
                time.sleep(after / 2)
                login.send_signal(signal.SIGKILL)
            out, err = login.communicate()
        assert b"Traceback" not in err
        with lock:
            if login.returncode == -signal.SIGKILL:
                killed[0] += 1
                return
            for outcome in json.loads(out)["registries"]:
                if outcome["status"] in ("ok", "unchanged"):
                    accepted.add(outcome["registry"])

    with subprocess.Popen(
        [sys.executable, "-c", WRITER, home.config, str(stop)], stdout=subprocess.PIPE
    ) as writer:
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for done in [pool.submit(run, plan) for plan in plans]:
                done.result()
        stop.touch()
        theirs = int(writer.communicate()[0])
    # A program that reads before we write and writes afterwards removes our entry.
    overwritten = accepted - json.loads(home.text)["auths"].keys()
    # The next start restores it, and removes the files of a killed process.
    run((list(enumerate(registries)), 1.0, 0.0))

    kept = json.loads(home.text)
    print(f"{LOGINS} logins over {REGISTRIES} registries, {killed[0]} killed; {theirs} writes of")
    print(f"others, which took {len(overwritten)} of {len(accepted)} away until the next login")
    assert {"X-Meta": "a"} == kept["HttpHeaders"]
    assert [] == sorted(accepted - kept["auths"].keys())
    assert [] == [n for n in range(theirs) if f"theirs{n}.example" not in kept["auths"]]
    assert ["config.json"] == os.listdir(folder)
    cache = sorted(os.listdir(home.cache))
    assert [] == [name for name in cache if name.startswith(".") and name != ".quiet"]


# Logs in repeatedly, to some of the registries, and prints its memory use.
AGAIN = """
import gc, json, os, random, sys, threading
from devcontainer_registry import RetryPolicy, login
hosts, warm, more = sys.argv[1].split(), int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(3)
def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
for number in range(1, warm + more + 1):
    sets = {}
    for chosen in rng.sample(range(len(hosts)), rng.randint(1, 5)):
        name = f"R{chosen}_CONTAINER_REGISTRY_"
        sets |= {name + "SERVER": hosts[chosen], name + "USER": "bob"}
        sets |= {name + "PASSWORD": "s3cret-s3cret"}
    login(environ={**os.environ, **sets}, timeout=20, retry=RetryPolicy(sleep=lambda _: None))
    if number in (warm, warm + more):
        gc.collect()
        files = len(os.listdir("/proc/self/fd"))
        print(json.dumps([files, threading.active_count(), resident()]))
"""


def test_repeated_logins_in_one_process_leak_no_memory(registries, tmp_path):
    hosts = " ".join(str(each.registry) for each in registries)
    done = subprocess.run(
        [sys.executable, "-c", AGAIN, hosts, str(WARM), str(LOGINS)],
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    (files, threads, memory), (files_then, threads_then, memory_then) = map(
        json.loads, done.stdout.splitlines()
    )
    print(f"after {WARM} and {LOGINS + WARM} logins: files {files} and {files_then}, threads")
    print(f"{threads} and {threads_then}, memory {memory} and {memory_then} KiB")
    assert (files, threads) == (files_then, threads_then)
    assert memory_then < memory + 16 * 1024
