# SPDX-License-Identifier: MIT
"""
Root's hook, writing for the remote user by being that user.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
from command import run
from fakes import Home, a_set
from faults import Fine, Refusing
from privately import NOBODY, as_nobody, mounting, need_public_python, public_folder

from devcontainer_registry.commands.become import BecomingError, become

BOB = {"bob": "s3cret-s3cret"}
REMOTE, GROUP, OTHER_GROUP = 12345, 12346, 12347

# As root, in a mount namespace whose user database knows `remote`, who is in `docker`, too.
AS_ROOT = """
import json, os, subprocess, sys

folder, environ, *command = json.loads(sys.argv[1])
for name in ("passwd", "group"):
    subprocess.run(["mount", "--bind", f"{folder}/{name}", f"/etc/{name}"], check=True)
done = subprocess.run(
    [sys.executable, *command], env=environ, capture_output=True, text=True, check=False
)
print(json.dumps([done.returncode, done.stdout, done.stderr]))
"""

WHO = """
import json, os, sys
from devcontainer_registry.commands.become import become

become(sys.argv[1], os.environ)
names = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")
print(json.dumps([os.getresuid(), os.getresgid(), os.getgroups(), list(map(os.getenv, names))]))
for back in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        back()
    except PermissionError:
        continue
    sys.exit("root again")
"""


# What is opened, listed or made in the folder before it is the user who does it.
WATCHED = """
import os, sys

folder, seen = sys.argv.pop(1), []

def watch(event, arguments):
    if event.startswith(("open", "os.")) and os.geteuid() == 0:
        seen.extend(a for a in arguments if isinstance(a, str) and a.startswith(folder))

sys.addaudithook(watch)
from devcontainer_registry.__main__ import main

main()
sys.exit(", ".join(seen) or 0)
"""


class Machine:
    """
    Root's home and the remote user's, and a user database that knows both.
    """

    def __init__(self):
        self.folder = public_folder()
        self.roots = os.path.join(self.folder, "root")
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.roots, 0o700)
        os.mkdir(self.home, 0o755)
        os.chown(self.home, REMOTE, GROUP)
        self._write(
            "passwd",
            f"root:x:0:0:root:{self.roots}:/bin/sh\n"
            f"remote:x:{REMOTE}:{GROUP}:remote:{self.home}:/bin/sh\n",
        )
        self._write("group", f"root:x:0:\nremote:x:{GROUP}:\ndocker:x:{OTHER_GROUP}:remote\n")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *command, **environ):
        """
        Exit status, stdout and stderr of Python with *command*, started by root.
        """
        environ = {
            "HOME": self.roots,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "error",
            **environ,
        }
        return json.loads(mounting(AS_ROOT, json.dumps([self.folder, environ, *command])))

    def hook(self, *arguments, **environ):
        return self.run("-m", "devcontainer_registry", "hook", *arguments, **environ)


@pytest.fixture(name="machine")
def _machine():
    need_public_python()
    machine = Machine()
    yield machine
    shutil.rmtree(machine.folder)


def owners(folder):
    return {
        (status.st_uid, status.st_gid)
        for path, folders, files in os.walk(folder)
        for status in (os.lstat(os.path.join(path, name)) for name in folders + files)
    }


@pytest.mark.parametrize("name", ["remote", str(REMOTE)])
def test_root_is_the_user_in_every_respect_and_for_good(machine, name):
    status, out, err = machine.run("-c", WHO, name, XDG_RUNTIME_DIR="/run/user/0")

    assert 0 == status, err
    users, groups, others, names = json.loads(out)
    assert [REMOTE] * 3 == users
    assert [GROUP] * 3 == groups
    assert {GROUP, OTHER_GROUP} == set(others)
    assert [machine.home, "remote", "remote", None, None] == names


def test_roots_hook_writes_what_is_the_users(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        status, out, err = machine.hook("postCreate", "--user", "remote", **sets)

    assert (0, "") == (status, err)
    assert out.startswith("logged in")
    assert {(REMOTE, GROUP)} == owners(machine.home)
    assert {".docker", ".cache"} == set(os.listdir(machine.home))
    assert [] == os.listdir(machine.roots)
    config = os.stat(os.path.join(machine.home, ".docker", "config.json"))
    assert 0o600 == stat.S_IMODE(config.st_mode)


def test_no_file_is_opened_by_root(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        sets["DOCKER_CONFIG"] = os.path.join(machine.home, "docker")
        command = ("-c", WATCHED, machine.folder, "hook", "postCreate")
        by_user = machine.run(*command, "--user", "remote", **sets)
        by_root = machine.run(*command, **sets)

    assert "logged in" in by_user[1]
    assert (0, "") == (by_user[0], by_user[2])
    assert 1 == by_root[0]  # that is, the watch sees what it is to see


def test_the_second_start_is_silent_for_the_user_and_looks_at_nothing_of_roots(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        machine.hook("postCreate", "--user", "remote", **sets)
        # A stamp of root's own, with which root's start would be quiet.
        machine.hook("postStart", **sets)
        machine.hook("postStart", **sets)
        asked = registry.asked
        quiet = machine.hook("postStart", "--user=remote", **sets)
        os.unlink(os.path.join(machine.home, ".docker", "config.json"))
        removed = machine.hook("postStart", "--user=remote", **sets)

    assert [0, "", ""] == quiet
    assert asked < registry.asked
    assert removed[1].startswith("logged in")


def test_a_link_of_the_users_leads_root_nowhere(machine):
    os.symlink(machine.roots, os.path.join(machine.home, ".docker"))
    os.lchown(os.path.join(machine.home, ".docker"), REMOTE, GROUP)

    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        status, out, _ = machine.hook("postCreate", "--user", "remote", "--strict", **sets)

    assert 6 == status
    assert "hint:" in out
    assert [] == os.listdir(machine.roots)


def test_a_secrets_file_that_only_root_may_read_is_not_read(machine):
    path = os.path.join(machine.folder, "secrets.json")
    with Fine(BOB) as registry:
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(a_set("ACR", registry.registry), file)
        options = ["postCreate", "--strict", "--secrets-file", path]
        by_root = machine.hook(*options)
        shutil.rmtree(os.path.join(machine.roots, ".docker"))
        by_user = machine.hook(*options, "--user", "remote")

    assert 0 == by_root[0]
    assert 3 == by_user[0]
    assert "secrets" in by_user[1]
    assert not os.path.exists(os.path.join(machine.home, ".docker"))


@pytest.mark.parametrize("options", [[], ["--strict"]])
@pytest.mark.parametrize("name", ["nobody-knows-whom", "", "-1", "4000000000", "99999999999999"])
def test_a_user_that_is_not_there_is_wrong_usage(tmp_path, options, name):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        ran = run(Home(tmp_path), "hook", "postCreate", f"--user={name}", *options, sets=sets)

    assert (2, "", 0) == (ran.status, ran.stdout, registry.asked)
    assert "no such user" in ran.stderr
    assert name == "" or name not in ran.stderr
    assert [] == os.listdir(tmp_path)


# As root, with a standard library in root's home.
PRIVATE = """
import os, subprocess, sys, sysconfig

home, *command = sys.argv[1:]
stdlib = sysconfig.get_path("stdlib")
private = os.path.join(home, "lib", os.path.basename(stdlib))
os.makedirs(private)
subprocess.run(["mount", "--bind", stdlib, private], check=True)
packages = os.pathsep.join(path for path in sys.path if not path.startswith(stdlib))
environ = {**os.environ, "PYTHONHOME": home, "PYTHONPATH": packages}
os.execve(sys.executable, [sys.executable, "-m", "devcontainer_registry", *command], environ)
"""


def test_a_python_that_only_root_can_read_is_said_to_be_so(machine):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        hook = ["-c", PRIVATE, machine.roots, "hook", "postCreate"]
        status, out, err = machine.run(*hook, "--user", "remote", **sets)

    assert (2, "", 0) == (status, out, registry.asked)
    assert "that user cannot read this Python" in err
    assert "install it where everybody can" in err


def refused(name):
    try:
        become(name, {})
    except BecomingError as exc:
        return str(exc)
    return None


def test_only_root_may_become_somebody_else():
    assert "only root may become another user" == as_nobody(lambda: refused("root"))


def test_who_is_the_user_already_stays_as_they_are():
    assert None is as_nobody(lambda: refused(str(NOBODY)))


def test_where_root_has_no_right_to_it_that_is_wrong_usage(tmp_path):
    """
    A user namespace with root alone: a rootless container's root may be nobody else.
    """
    alone = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace to be had")
    hook = [sys.executable, "-m", "devcontainer_registry", "hook", "postStart"]
    done = subprocess.run(
        [*alone, *hook, f"--user={NOBODY}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert "root may not become another user here" in done.stderr
