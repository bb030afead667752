# SPDX-License-Identifier: MIT
"""
Carry out the fix that doctor prints; then a real engine pulls the image.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import pytest
from doubles.failing_pulls import CASES
from doubles.worlds import PASSWORD, USER, World

FIXES = {}


def fix(name):
    """
    Register the actions of a person who follows the fix of the case *name*.
    """

    def register(carry_out):
        assert name in CASES
        FIXES[name] = carry_out
        return carry_out

    return register


class Person:
    """
    A person at a shell of *world*, with the real commands.
    """

    def __init__(self, world, engine, path):
        self.world = world
        programs = os.path.dirname(sys.executable)
        self.shell = {
            **world.environ,
            "PATH": f"{world.bin}:{programs}:{path}",
            "DOCKER_HOST": engine.host,
        }

    def run(self, command, *, stdin=""):
        done = subprocess.run(
            command if isinstance(command, list) else shlex.split(command),
            env=self.shell,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def command_in(self, hint, start):
        """
        Run the command in *hint* that begins with *start*, as it is printed.
        """
        found = re.search(rf"{re.escape(start)}[^,;]*", hint)
        assert found, hint
        command = re.split(r" where | to log | in a shell| with it", found[0])[0]
        if command.startswith("docker login"):
            command += f" --username {USER} --password-stdin"
        status, said = self.run(command, stdin=PASSWORD)
        assert 0 == status, said

    def pull(self):
        (image,) = self.world.images
        status, said = self.run(["docker", "pull", image])
        if status == 0:
            self.run(["docker", "rmi", "--force", image])
        return status, said

    def doctor(self):
        (image,) = self.world.images
        status, said = self.run(["devcontainer-registry", "doctor", image, "--json"])
        return status, json.loads(said)["images"][0]

    def edit(self, change):
        with open(self.world.config_path, encoding="utf-8-sig") as file:
            document = json.load(file)
        change(document)
        self.world.config(document)

    def keep_in_auths(self, **more):
        self.world.logged_in(self.world.names["R"], **more)


for _name in ("login was not run", "secret has changed since", "renewal is due"):

    @fix(_name)
    def _login(person, hint):
        person.command_in(hint, "devcontainer-registry login --only CORP")


for _name in ("first login is the helpers", "docker ignores its variable"):

    @fix(_name)
    def _plain_login(person, hint):
        person.command_in(hint, "devcontainer-registry login")


for _name in ("our helper has no login", "login was erased", "renewal sees no secrets"):

    @fix(_name)
    def _login_where_the_variables_are(person, hint):
        person.world.set(person.world.names["R"])
        person.shell.update(person.world.environ, PATH=person.shell["PATH"])
        person.command_in(hint, "devcontainer-registry login")


@fix("tag is not there")
def _pull_the_nearest(person, hint):
    person.command_in(hint, "docker pull")
    person.world.images = [hint.rpartition(" ")[2]]


for _name in ("only podman is logged in", "login is for another port", "nobody logged in"):

    @fix(_name)
    def _docker_login(person, hint):
        person.command_in(hint, "docker login")


for _name in ("password by hand is wrong", "entry is a bearer token"):

    @fix(_name)
    def _logout_and_login(person, hint):
        person.command_in(hint, "docker logout")
        person.run(
            ["docker", "login", person.world.names["R"], "-u", USER, "--password-stdin"],
            stdin=PASSWORD,
        )


@fix("image is public")
def _logout(person, hint):
    person.command_in(hint, "docker logout")


@fix("config is cut off")
def _repair(person, hint):
    assert "repair it" in hint
    person.keep_in_auths()


@fix("config has a byte order mark")
def _save_without_it(person, hint):
    assert "save it as UTF-8 without a byte order mark" == hint
    person.edit(lambda _: None)


@fix("config has a boolean")
def _remove_the_member(person, hint):
    assert "or remove it" in hint
    person.edit(lambda document: document.pop("experimental"))


@fix("neighbour is no base64")
def _remove_the_entry(person, hint):
    assert hint.startswith("remove that entry")
    person.edit(lambda document: document["auths"].pop("other.example"))


for _name in ("store is not installed", "store hides the login"):

    @fix(_name)
    def _remove_the_store(person, hint):
        assert "remove" in hint
        person.edit(lambda document: document.pop("credsStore"))


@fix("helper is not installed")
def _remove_the_helper(person, hint):
    assert "remove it from config.json" in hint
    person.keep_in_auths()


@fix("password is empty")
def _set_the_password(person, hint):
    assert hint.startswith("set CORP_CONTAINER_REGISTRY_PASSWORD")
    person.shell["CORP_CONTAINER_REGISTRY_PASSWORD"] = PASSWORD
    person.run("devcontainer-registry login")


@fix("password is misspelled")
def _rename(person, hint):
    message = person.doctor()[1]["cause"]["message"]
    before, after = re.search(r"(\S+) looks like a typo for (\S+)$", message).groups()
    assert hint.startswith("rename it, ")
    person.shell[after] = person.shell.pop(before)
    person.command_in(hint, "devcontainer-registry login")


for _name in ("login is in the home", "variable names a file"):

    @fix(_name)
    def _unset(person, hint):
        assert "DOCKER_CONFIG" in hint
        del person.shell["DOCKER_CONFIG"]


@fix("password of the set is wrong")
def _update_and_login(person, hint):
    assert hint.startswith("check CORP_CONTAINER_REGISTRY_USER and _PASSWORD")
    assert USER == person.shell["CORP_CONTAINER_REGISTRY_USER"]
    person.shell["CORP_CONTAINER_REGISTRY_PASSWORD"] = PASSWORD
    status, said = person.run("devcontainer-registry login")
    assert 0 == status, said


@pytest.fixture(name="world")
def _world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.mark.parametrize("name", FIXES)
def test_the_fix_that_is_printed_makes_the_pull_work(name, world, engine, clean_path):
    build, code, *_ = CASES[name]
    build(world)
    person = Person(world, engine, clean_path)

    before, _ = person.pull()
    _, found = person.doctor()
    assert code == found["cause"]["code"]
    assert 0 != before or name in WORKS_ANYHOW

    FIXES[name](person, found["cause"]["hint"])

    status, said = person.pull()
    assert 0 == status, said
    status, found = person.doctor()
    assert (0, None) == (status, found["cause"])


# docker pull works in these cases, and doctor does not deny it: our helper gets the login at the
# pull; a missing other helper stops the other commands; Docker decodes an entry at random.
WORKS_ANYHOW = (
    "renewal is due",
    "first login is the helpers",
    "store is not installed",
    "neighbour is no base64",
)


def test_at_least_twenty_fixes_are_tested():
    assert len(FIXES) >= 20
