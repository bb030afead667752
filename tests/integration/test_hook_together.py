# SPDX-License-Identifier: MIT
"""
A lifecycle step is seldom alone: a Feature has a hook, devcontainer.json has one, somebody logs in.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest
from runs import set_for

from devcontainer_registry.testing import LoopbackRegistry

ALICE = ("alice", "in wonder:land")
COMMAND = os.path.join(os.path.dirname(sys.executable), "devcontainer-registry")


@pytest.fixture(name="registries")
def _registries():
    """
    Two that know alice.
    """
    with LoopbackRegistry(dict([ALICE])) as one, LoopbackRegistry(dict([ALICE])) as other:
        yield one, other


def start(client, *command, stdin=subprocess.DEVNULL, **environ):
    return subprocess.Popen(
        command,
        env={**client.environ, **environ},
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=client.home,
    )


def ends(*processes):
    return [(*process.communicate(timeout=60), process.returncode) for process in processes]


def both(registries):
    one, other = registries
    return {
        **set_for(one.registry, *ALICE, set_id="ONE"),
        **set_for(other.registry, *ALICE, set_id="OTHER"),
    }


@pytest.mark.parametrize("steps", [("postCreate", "postCreate"), ("postCreate", "postStart")])
def test_two_hooks_at_once_keep_both_and_leave_a_quiet_start(client, registries, steps):
    sets = both(registries)

    for _ in range(5):
        done = ends(*[start(client, COMMAND, "hook", step, **sets) for step in steps])
        assert [("", 0)] * 2 == [end[1:] for end in done]
    asked = [len(registry.requests) for registry in registries]
    quiet = client.product("hook", "postStart", **sets)

    assert {registry.registry for registry in registries} == set(client.config()["auths"])
    assert (0, "", "") == (quiet.returncode, quiet.stdout, quiet.stderr)
    assert asked == [len(registry.requests) for registry in registries]


def test_two_hooks_at_once_with_a_set_each_keep_both(client, registries):
    one, other = registries

    for _ in range(5):
        done = ends(
            start(client, COMMAND, "hook", "postCreate", **set_for(one.registry, *ALICE)),
            start(client, COMMAND, "hook", "postCreate", **set_for(other.registry, *ALICE)),
        )
        assert [("", 0)] * 2 == [end[1:] for end in done]
        assert {one.registry, other.registry} == set(client.config()["auths"])
        os.unlink(client.config_path)


def test_the_next_step_repairs_what_a_docker_login_overwrote(client, registries):
    """
    docker reads the file, asks its registry, writes the file, and takes no lock.

    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (Save)
    """
    ours, _ = registries
    sets = set_for(ours.registry, *ALICE)
    with LoopbackRegistry(dict([ALICE]), latency=1.0) as theirs:
        by_hand = start(
            client,
            *("docker", "login", theirs.registry, "-u", ALICE[0], "--password-stdin"),
            stdin=subprocess.PIPE,
        )
        by_hand.stdin.write(ALICE[1])
        by_hand.stdin.close()
        wait_until(lambda: theirs.requests or by_hand.poll() is not None)
        during = client.product("hook", "postCreate", **sets)
        by_hand.stdin = None
        ((_, said, status),) = ends(by_hand)

    after = client.product("hook", "postStart", **sets)

    assert (0, 0, 0) == (status, during.returncode, after.returncode), said
    assert during.stdout.startswith("logged in")
    assert {ours.registry, theirs.registry} == set(client.config()["auths"])


def wait_until(answers):
    end = time.monotonic() + 30
    while not answers():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.mark.parametrize("step", ["onCreate", "updateContent", "postCreate", "postStart"])
@pytest.mark.parametrize(
    "environ",
    [
        {},
        # Not granted to the repository, or `${localEnv:X}` of what is not there.
        set_for("", "", ""),
        {"DEVCONTAINER_REGISTRY_STORE": "helper"},
        {"CODESPACES": "true", "GITHUB_USER": "octocat"},
    ],
    ids=["none", "empty", "setting", "codespace"],
)
def test_a_prebuild_without_secrets_is_silent_and_makes_nothing(client, step, environ):
    os.rmdir(os.path.dirname(client.config_path))
    before = sorted(os.listdir(client.home))

    done = client.product("hook", step, **environ)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert before == sorted(os.listdir(client.home))
