# SPDX-License-Identifier: MIT
"""
The package as somebody else's dependency: in threads, under asyncio, in an odd interpreter.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from fakes import a_set, encoded

import devcontainer_registry as package
from devcontainer_registry.testing import LoopbackRegistry

BOB = {"bob": "s3cret-s3cret"}


@pytest.fixture(name="environ")
def _environ(tmp_path):
    """
    A home whose config.json sends one registry to a helper, which answers with whom it was asked.
    """
    program = tmp_path / "bin" / "docker-credential-echo"
    program.parent.mkdir()
    answer = 'printf \'{"Username":"bob","Secret":"%s"}\' "$(cat)"'
    program.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    program.chmod(0o755)
    config = tmp_path / ".docker" / "config.json"
    config.parent.mkdir()
    document = {
        "auths": {"kept.example": {"auth": encoded("bob:kept")}},
        "credHelpers": {"asked.example": "echo"},
    }
    config.write_text(json.dumps(document), encoding="utf-8")
    return {"HOME": str(tmp_path), "PATH": f"{program.parent}:/usr/bin:/bin"}


def found(image, environ):
    return package.resolve(image, environ=environ).secret.reveal()


def test_many_threads_find_each_what_they_asked_for(environ):
    images = ["asked.example/app", "kept.example/app"] * 20

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda image: found(image, environ), images))

    assert ["asked.example", "kept"] * 20 == answers


def test_many_threads_log_in_and_nothing_is_lost(environ):
    with LoopbackRegistry(BOB) as one, LoopbackRegistry(BOB) as two:
        sets = {**a_set("ONE", one.registry), **a_set("TWO", two.registry)}

        with ThreadPoolExecutor(8) as threads:
            reports = list(
                threads.map(
                    lambda name: package.login(environ={**environ, **sets}, only=[name]),
                    ["ONE", "TWO"] * 4,
                )
            )

    assert {"ok"} == {outcome.status for report in reports for outcome in report.outcomes}
    path = os.path.join(environ["HOME"], ".docker", "config.json")
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    assert {"kept.example", one.registry, two.registry} == kept["auths"].keys()
    assert {"asked.example": "echo"} == kept["credHelpers"]


def test_a_second_login_of_a_process_is_as_good_as_the_first(environ):
    with LoopbackRegistry(BOB) as registry:
        environ |= a_set("ONE", registry.registry)

        statuses = [
            [outcome.status for outcome in package.login(environ=environ, verify=verify).outcomes]
            for verify in ("changed", "changed", "always")
        ]

    assert [["ok"], ["unchanged"], ["ok"]] == statuses


def test_asyncio_goes_on_while_a_thread_asks(environ):
    async def main():
        async def tick():
            for _ in range(10):
                await asyncio.sleep(0)

        asking = (asyncio.to_thread(found, "asked.example/app", environ) for _ in range(5))
        return (await asyncio.gather(tick(), *asking))[1:]

    assert ["asked.example"] * 5 == asyncio.run(main())


def test_the_process_s_own_environment_is_neither_asked_nor_changed(environ, monkeypatch):
    others = {"auths": {"kept.example": {"auth": encoded("eve:other")}}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(others))
    monkeypatch.setenv("DOCKER_CONFIG", "/nonexistent")
    before = dict(os.environ)

    assert "kept" == found("kept.example/app", environ)
    assert before == dict(os.environ)


@pytest.mark.parametrize(
    "options", [["-OO"], ["-I"], ["-X", "dev", "-W", "error"], ["-W", "error", "-s", "-E"]]
)
def test_threads_may_be_the_first_to_use_it_in_any_interpreter(environ, options):
    script = f"""
import threading
barrier, said = threading.Barrier(6), []
def ask(place):
    barrier.wait()
    try:
        import devcontainer_registry as package
        if place % 2:
            package.login(environ={environ!r}, verify="never", timeout=5)
        said.append(package.resolve("asked.example/app", environ={environ!r}).secret.reveal())
    except BaseException as exc:
        said.append(repr(exc))
threads = [threading.Thread(target=ask, args=(place,)) for place in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(set(said))
"""
    done = subprocess.run(
        [sys.executable, *options, "-c", script], capture_output=True, text=True, check=False
    )

    assert (0, "{'asked.example'}\n", "") == (done.returncode, done.stdout, done.stderr)
