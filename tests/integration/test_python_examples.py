# SPDX-License-Identifier: MIT
"""
The examples in docs/examples/python, run as they are, with the libraries that they are for.
"""

from __future__ import annotations

import hashlib
import os
import sys

import pytest
from doubles.homes import a_set
from parts import needed

from devcontainer_registry.testing import LoopbackRegistry

EXAMPLES = os.path.join(needed.REPOSITORY, "docs", "examples", "python")
USER, PASSWORD = "alice", "in wonder:land"


@pytest.fixture(name="run_example")
def _run_example(client):
    """
    A function that runs an example in the environment of `client`.
    """

    def run(name, *words, **environ):
        return client.run(sys.executable, os.path.join(EXAMPLES, name), *words, **environ)

    return run


@pytest.fixture(name="private_image")
def _private_image(engine, client, registry_htpasswd):
    """
    An image with a shell that only `registry_htpasswd` has.
    """
    image = engine.import_busybox(f"{registry_htpasswd.registry}/team/app:1")
    client.environ.update(DOCKER_HOST=engine.host)
    login = ("login", "--username", USER, "--password-stdin", registry_htpasswd.registry)
    for arguments, stdin in ((login, PASSWORD), (("push", image), "")):
        done = client.docker(*arguments, stdin=stdin)
        assert 0 == done.returncode, done.stderr
    client.docker("logout", registry_htpasswd.registry)
    engine.remove_image(image)
    yield image
    engine.remove_image(image)


def a_login(registry, password=PASSWORD):
    return a_set("CORP", registry, user=USER, password=password)


def test_every_example_has_a_test_that_runs_it():
    assert {
        "asyncio_login.py",
        "docker_pull.py",
        "httpx_manifest.py",
        "testcontainers_private.py",
    } == {name for name in os.listdir(EXAMPLES) if name.endswith(".py")}


@pytest.mark.parametrize(("password", "status"), [(PASSWORD, "ok"), ("wrong", "rejected")])
def test_asyncio_logs_in(run_example, password, status):
    with LoopbackRegistry({USER: PASSWORD}) as there:
        done = run_example("asyncio_login.py", **a_login(there.registry, password))

    assert f"CORP {there.registry} {status}\n" == done.stdout
    assert (status == "rejected") == ("LoginError: login failed: CORP\n  CORP: " in done.stderr)
    assert (status == "ok") == ("INFO:setup:login.succeeded id=CORP" in done.stderr), done.stderr
    assert (0 if status == "ok" else 1) == done.returncode


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_httpx_asks_for_a_manifest(run_example, client, auth):
    with LoopbackRegistry({USER: PASSWORD}, auth=auth, images=("team/app:1",)) as there:
        assert 0 == client.product("login", **a_login(there.registry)).returncode
        words = (there.registry, "team/app", "1")
        done = run_example("httpx_manifest.py", *words)

        assert 0 == done.returncode, done.stderr
        assert done.stdout.startswith("sha256:")
        assert len("sha256:\n") + hashlib.sha256().digest_size * 2 == len(done.stdout)
        assert 0 == there.refusals


def test_docker_py_pulls_a_private_image(run_example, client, private_image):
    registry = private_image.partition("/")[0]
    anonymous = run_example("docker_pull.py", private_image)
    assert 0 == client.product("login", **a_login(registry)).returncode
    # Not with what docker-py would find by itself.
    code = run_example("docker_pull.py", private_image)

    assert 0 != anonymous.returncode
    assert 0 == code.returncode, code.stderr
    assert code.stdout.startswith("sha256:")


def test_testcontainers_starts_a_private_image(run_example, private_image):
    registry = private_image.partition("/")[0]
    words = (private_image, "echo from a private image")
    # Its reaper is an image of Docker Hub.
    environ = {"TESTCONTAINERS_RYUK_DISABLED": "true"}

    refused = run_example(
        "testcontainers_private.py", *words, **a_login(registry, "wrong"), **environ
    )
    done = run_example("testcontainers_private.py", *words, **a_login(registry), **environ)

    assert "LoginError: login failed: CORP" in refused.stderr
    assert 0 == done.returncode, done.stderr
    assert "from a private image\n" == done.stdout
