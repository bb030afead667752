# SPDX-License-Identifier: MIT
"""
Every state of a config.json, with the command as a process: no entry is ever lost.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from doubles.command_line import document, only, set_for
from doubles.private_user import NOBODY, STRANGER, need_public_python, public_folder
from doubles.servers import gated
from parts import needed
from parts.clients import Client

from devcontainer_registry.testing import LoopbackRegistry

PASSWORD = "in wonder:land"
USERS = {"alice": PASSWORD}
ENTRY = {"auth": base64.b64encode(f"alice:{PASSWORD}".encode()).decode()}
OLD_PASSWORD = "an old secret"
OTHERS = {
    "HttpHeaders": {"X-Meta": "a"},
    "auths": {
        "other.example": {
            "auth": base64.b64encode(f"bob:{OLD_PASSWORD}".encode()).decode(),
            "email": "bob@other.example",
            "nobody knows": [1, None],
        }
    },
    "credHelpers": {"third.example": "third"},
    "nobody knows either": {"deep": [1.5, {}]},
}


@pytest.fixture(name="registry")
def _registry():
    with LoopbackRegistry(USERS) as registry:
        yield registry


@pytest.fixture(name="nobody")
def _nobody():
    """
    A client whose home belongs to the user nobody, and the prefix that runs a command as nobody.
    """
    if os.geteuid() != 0:
        needed.missing("only root can become somebody else")
    setpriv = needed.program("setpriv", package="util-linux")
    become = [setpriv, f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    folder = public_folder()
    client = Client(folder, path=os.environ["PATH"])
    for place in (client.home, os.path.join(client.home, ".docker")):
        os.chown(place, NOBODY, NOBODY)
    works = client.run(*become, sys.executable, "-c", "import devcontainer_registry.commands.cli")
    if works.returncode != 0:
        shutil.rmtree(folder)
        needed.missing("this interpreter is not for everybody to run")
    yield client, become
    shutil.rmtree(folder)


def test_the_first_login_creates_file_and_folder_readable_by_their_owner_only(client, registry):
    folder = os.path.join(client.home, "not", "there", "yet")

    done = _login(client, registry, DOCKER_CONFIG=folder)

    path = os.path.join(folder, "config.json")
    _assert_kept(done, registry)
    assert path == document(done)["config"]
    assert (0o700, 0o600) == (_mode(folder), _mode(path))
    assert {"auths": {registry.registry: ENTRY}} == _load(path)


def test_a_world_readable_file_becomes_private_and_keeps_its_content(client, registry):
    _write(client, json.dumps(OTHERS), mode=0o644)

    done = _login(client, registry)

    _assert_merged(done, client, registry)
    assert 0o600 == _mode(client.config_path)


def test_unknown_keys_their_order_and_numbers_survive(client, registry):
    _write(client, json.dumps(OTHERS).replace("1.5", "1.50"))

    done = _login(client, registry)

    _assert_merged(done, client, registry)
    assert list(OTHERS) == list(client.config())
    assert "1.5" in _read(client).decode()


def test_only_the_byte_order_mark_is_removed(client, registry):
    _write(client, "\ufeff" + json.dumps(OTHERS))

    done = _login(client, registry)

    _assert_merged(done, client, registry)
    assert _read(client).startswith(b"{")


@pytest.mark.parametrize("nothing", ["", "\n", "{}"])
def test_an_empty_file_gets_its_first_login(client, registry, nothing):
    _write(client, nothing)

    done = _login(client, registry)

    _assert_kept(done, registry)
    assert {registry.registry: ENTRY} == client.config()["auths"]


def test_five_thousand_entries_survive(client, registry):
    auths = {
        f"host{number}.example": {"auth": base64.b64encode(f"u:{number}".encode()).decode()}
        for number in range(5000)
    }
    _write(client, json.dumps({**OTHERS, "auths": auths}))

    done = _login(client, registry)

    _assert_kept(done, registry)
    assert {**auths, registry.registry: ENTRY} == client.config()["auths"]


@pytest.mark.parametrize(
    "damaged",
    [
        json.dumps(OTHERS)[:-2],
        json.dumps(OTHERS).replace('"auths":', "'auths':"),
        json.dumps([OTHERS]),
        json.dumps({**OTHERS, "auths": 5}),
        json.dumps(OTHERS).encode().replace(b"bob@", b"b\xff\xfeb@"),
    ],
    ids=["cut off", "no JSON", "a list", "odd auths", "no UTF-8"],
)
def test_a_damaged_file_is_not_changed_and_not_quoted(client, registry, damaged):
    _write(client, damaged)
    before = _read(client)

    told = [
        _login(client, registry),
        client.product("login", **_set(registry)),
        client.product("hook", "postStart", "--strict", **_set(registry)),
    ]
    hook = client.product("hook", "postStart", **_set(registry))

    assert [6, 6, 6, 0] == [done.returncode for done in (*told, hook)]
    assert ("failed", "not-kept") == (only(told[0])["status"], only(told[0])["code"])
    assert "config-damaged" == document(told[0])["error"]["code"]
    assert before == _read(client)
    for done in (*told, hook):
        _assert_secretless(done)


def test_a_file_caught_half_written_is_read_again_and_merged(client):
    whole = json.dumps(OTHERS)

    for _ in range(5):
        _write(client, whole)
        with _Meddling(client.config_path, whole, seconds=0.1) as registry:
            done = _login(client, registry)
        if registry.was_on_time:
            break

    _assert_merged(done, client, registry)


def test_a_symlink_is_kept_and_its_target_is_written(client, registry):
    target = os.path.join(client.home, "dotfiles", "docker.json")
    os.mkdir(os.path.dirname(target))
    _write(client, json.dumps(OTHERS), path=target)
    os.symlink(os.path.join("..", "dotfiles", "docker.json"), client.config_path)

    done = _login(client, registry)

    _assert_merged(done, client, registry)
    assert os.path.join("..", "dotfiles", "docker.json") == os.readlink(client.config_path)
    assert client.config() == _load(target)


def test_a_dangling_symlink_is_kept_and_its_target_is_created(client, registry):
    target = os.path.join(client.home, "dotfiles", "docker.json")
    os.symlink(target, client.config_path)

    done = _login(client, registry)

    _assert_kept(done, registry)
    assert target == os.readlink(client.config_path)
    assert {registry.registry: ENTRY} == _load(target)["auths"]


def test_a_symlink_to_itself_is_reported_and_kept(client, registry):
    os.symlink("config.json", client.config_path)

    done = _login(client, registry)

    _assert_refused(done)
    assert "config.json" == os.readlink(client.config_path)


def test_a_symlink_across_file_systems_is_kept(client, registry):
    shm = "/dev/shm"
    if not os.path.isdir(shm) or os.stat(shm).st_dev == os.stat(client.home).st_dev:
        needed.missing("there is no second file system here")
    folder = tempfile.mkdtemp(dir=shm)
    target = os.path.join(folder, "docker.json")
    _write(client, json.dumps(OTHERS), path=target)
    os.symlink(target, client.config_path)

    done = _login(client, registry)

    try:
        _assert_merged(done, client, registry)
        assert target == os.readlink(client.config_path)
        assert ["docker.json"] == os.listdir(folder)
    finally:
        shutil.rmtree(folder)


def test_a_bind_mounted_file_is_rewritten_in_place_and_reported(client, registry, mounts):
    source = os.path.join(client.home, "hosts.json")
    _write(client, json.dumps(OTHERS), path=source)
    _write(client, "{}")
    inode = os.stat(source).st_ino

    done = _login(
        client,
        registry,
        "--log-level=info",
        "--log-format=json",
        enter=mounts(f"mount --bind {source} {client.config_path}"),
    )

    _assert_kept(done, registry)
    merged = {**OTHERS, "auths": {**OTHERS["auths"], registry.registry: ENTRY}}
    assert merged == _load(source)
    assert inode == os.stat(source).st_ino
    assert ["config.rewritten_in_place"] == [e for e in _events(done) if e.startswith("config.")]


def test_a_read_only_folder_is_reported_and_not_changed(client, registry, mounts):
    _write(client, json.dumps(OTHERS))
    before, folder = _read(client), os.path.dirname(client.config_path)

    done = _login(
        client,
        registry,
        enter=mounts(f"mount --bind {folder} {folder}; mount -o remount,ro,bind {folder}"),
    )

    _assert_refused(done)
    assert before == _read(client)


def test_a_full_disk_does_not_damage_the_file(client, registry, mounts):
    _write(client, json.dumps({**OTHERS, "padding": "x" * 9000}))
    before, folder = _read(client), os.path.dirname(client.config_path)
    kept = os.path.join(client.home, "kept")
    fill = (
        f"cp {client.config_path} {kept}; mount -t tmpfs -o size=16k tmpfs {folder};"
        f" cp {kept} {client.config_path}; rm {kept};"
        f" dd if=/dev/zero of={folder}/filler bs=1k count=64 2>/dev/null || true"
    )

    done = _login(
        client,
        registry,
        enter=mounts(fill, after=f"cp {client.config_path} {kept}; ls {folder} >{kept}.names"),
    )

    _assert_refused(done)
    with open(kept, "rb") as file:
        assert before == file.read()
    with open(f"{kept}.names", encoding="utf-8") as file:
        assert ["config.json", "filler"] == file.read().split()


def test_a_file_keeps_its_owner_when_root_writes_it(client, registry):
    if os.geteuid() != 0:
        needed.missing("only root can give a file away")
    _write(client, json.dumps(OTHERS))
    os.chown(client.config_path, NOBODY, NOBODY)

    done = _login(client, registry)

    _assert_merged(done, client, registry)
    found = os.stat(client.config_path)
    assert (NOBODY, NOBODY) == (found.st_uid, found.st_gid)


def test_a_file_of_another_user_is_not_replaced_without_write_permission(nobody, registry):
    client, become = nobody
    _write(client, json.dumps(OTHERS), mode=0o644)
    before = _read(client)

    done = _login(client, registry, enter=become)

    _assert_refused(done)
    assert before == _read(client)
    assert 0 == os.stat(client.config_path).st_uid


def test_a_folder_of_another_user_is_not_changed(nobody, registry):
    client, become = nobody
    folder = os.path.dirname(client.config_path)
    os.chown(folder, 0, 0)
    os.chmod(folder, 0o755)

    done = _login(client, registry, enter=become)

    _assert_refused(done)
    assert [] == os.listdir(folder)


def test_without_home_docker_config_is_used(client, registry):
    cache = os.path.join(client.home, "cache")

    done = _login(
        client,
        registry,
        enter=["env", "-u", "HOME"],
        # The home in the user database is a real one.
        DEVCONTAINER_REGISTRY_CACHE_DIR=cache,
    )

    _assert_kept(done, registry)
    assert {registry.registry: ENTRY} == client.config()["auths"]


def test_without_home_the_user_database_is_used(client, registry, mounts):
    users = os.path.join(client.home, "passwd")
    _write(client, f"root:x:0:0::{client.home}:/bin/sh\n", path=users, mode=0o644)
    unset = "unset HOME DOCKER_CONFIG"

    done = _login(client, registry, enter=mounts(f"mount --bind {users} /etc/passwd; {unset}"))

    _assert_kept(done, registry)
    assert client.config_path == document(done)["config"]
    assert os.path.isdir(os.path.join(client.home, ".cache", "devcontainer-registry"))


def test_without_home_and_without_a_user_no_registry_is_contacted(nobody, registry):
    need_public_python()
    client, become = nobody
    stranger = [argument.replace(str(NOBODY), str(STRANGER)) for argument in become]

    done = _login(client, registry, enter=[*stranger, "env", "-u", "HOME", "-u", "DOCKER_CONFIG"])

    assert 6 == done.returncode, done.stdout + done.stderr
    assert "config-no-home" == document(done)["error"]["code"]
    assert document(done)["error"]["hint"]
    assert [] == registry.requests


def test_a_docker_config_that_names_a_file_is_reported_before_any_request(client, registry):
    _write(client, json.dumps(OTHERS))
    before = _read(client)

    done = _login(client, registry, DOCKER_CONFIG=client.config_path)

    assert 6 == done.returncode
    assert "docker-config-is-file" == document(done)["error"]["code"]
    assert [] == registry.requests
    assert before == _read(client)


def test_an_error_of_the_file_has_one_line_and_one_fix(client, registry):
    _write(client, json.dumps(OTHERS)[:-2])

    done = client.product("login", **_set(registry))

    lines = done.stdout.splitlines()
    (about,) = [number for number, line in enumerate(lines) if line.startswith("not saved   ")]
    assert 1 == len([line for line in lines[about:] if line.strip().startswith("fix: ")])
    assert "" == done.stderr


class _Meddling(LoopbackRegistry):
    """
    Cuts *path* to its half at the moment that it accepts a login, and makes it whole later.

    Attributes:
        was_on_time: Whether it was whole again about when that was meant to be.
    """

    def __init__(self, path, whole, *, seconds):
        super().__init__(USERS, auth="basic")
        self.was_on_time = False
        self._path, self._whole, self._seconds = path, whole, seconds
        self._thread = None

    def __exit__(self, *exc):
        super().__exit__(*exc)
        if self._thread is not None:
            self._thread.join()

    def _answer(self, method, target, headers, body):
        answer = super()._answer(method, target, headers, body)
        if answer[0] == 200 and self._thread is None:
            with open(self._path, "w", encoding="utf-8") as file:
                file.write(self._whole[: len(self._whole) // 2])
            self._thread = threading.Thread(target=self._make_whole, args=(time.monotonic(),))
            self._thread.start()
        return answer

    def _make_whole(self, began):
        time.sleep(self._seconds)
        with open(self._path, "w", encoding="utf-8") as file:
            file.write(self._whole)
        self.was_on_time = time.monotonic() - began < self._seconds + 0.02


def _login(client, registry, *arguments, enter=(), **environ):
    return client.product(
        "login", "--json", "--store=auths", *arguments, enter=enter, **_set(registry), **environ
    )


def _set(registry):
    return set_for(registry.registry, "alice", PASSWORD)


def _assert_kept(done, registry):
    assert 0 == done.returncode, done.stdout + done.stderr
    outcome = only(done)
    assert ("ok", ["auths"], None) == (outcome["status"], outcome["kept_in"], outcome["code"])
    assert registry.registry == outcome["registry"]
    assert [] == document(done)["findings"]
    _assert_secretless(done)


def _assert_merged(done, client, registry):
    _assert_kept(done, registry)
    merged = {**OTHERS, "auths": {**OTHERS["auths"], registry.registry: ENTRY}}
    assert merged == client.config()
    assert ["config.json"] == os.listdir(os.path.dirname(client.config_path))


def _assert_refused(done):
    assert 6 == done.returncode, done.stdout + done.stderr
    assert ("failed", "not-kept") == (only(done)["status"], only(done)["code"])
    assert document(done)["error"]["code"].startswith(("config-", "disk-full"))
    assert document(done)["error"]["hint"]
    assert not document(done)["changed"]
    _assert_secretless(done)


def _assert_secretless(done):
    said = done.stdout + done.stderr
    secrets = [PASSWORD, OLD_PASSWORD, ENTRY["auth"], OTHERS["auths"]["other.example"]["auth"]]
    assert [] == [secret for secret in secrets if secret in said]


def _events(done):
    return [json.loads(line)["event"] for line in done.stderr.splitlines()]


def _write(client, content, *, path=None, mode=0o600):
    path = path or client.config_path
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    os.chmod(path, mode)


def _read(client):
    with open(client.config_path, "rb") as file:
        return file.read()


def _load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def _mode(path):
    return stat.S_IMODE(os.stat(path).st_mode)


# Many logins at the same moment, each a process, into one config.json.

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
def test_fifty_processes_at_once_save_fifty_logins_and_the_file_is_always_valid(attempt, client):
    with gated(50, USERS) as registries, Reader(client.config_path) as reader:
        done = _all_at_once(
            client,
            [
                ([PRODUCT, "login", "--json", "--timeout", "60"], _a_set(registry))
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


def test_the_cache_of_twenty_processes_is_used_by_the_next_one(client):
    with gated(20, USERS) as registries:
        sets = [_a_set(registry, set_id=f"R{n:02}") for n, registry in enumerate(registries)]
        _all_at_once(client, [([PRODUCT, "hook", "onCreate", "--timeout", "60"], s) for s in sets])
        asked = [len(registry.requests) for registry in registries]
        everything = {name: text for one in sets for name, text in one.items()}

        done = client.product("hook", "postStart", **everything)

        assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
        assert asked == [len(registry.requests) for registry in registries]


def test_twenty_concurrent_docker_logins_lose_most_logins_and_ours_lose_none(client):
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
        ours = [
            ([PRODUCT, "login", "--timeout", "60"], _a_set(registry)) for registry in registries
        ]
        _all_at_once(client, ours)

    print(f"of 20 logins at once, docker login keeps {survivors}; we keep 20")
    assert 20 == len(client.config()["auths"])
    assert min(survivors) < 20


def test_eight_processes_with_the_same_set_save_one_login(client):
    with gated(1, USERS) as (registry,):
        done = _all_at_once(client, [([PRODUCT, "login"], _a_set(registry))] * 8)

        assert [0] * 8 == [status for status, _, _ in done], done
        assert [registry.registry] == list(client.config()["auths"])


def _a_set(registry, *, set_id="MY"):
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


# A lifecycle step is seldom alone: a Feature has a hook, devcontainer.json has one, somebody logs
# in.

ALICE = ("alice", "in wonder:land")
COMMAND = os.path.join(os.path.dirname(sys.executable), "devcontainer-registry")


@pytest.fixture(name="registries")
def _registries():
    """
    Two registries that know alice.
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
def test_two_hooks_at_once_save_both_logins_and_the_next_start_is_quiet(client, registries, steps):
    sets = both(registries)

    for _ in range(5):
        done = ends(*[start(client, COMMAND, "hook", step, **sets) for step in steps])
        assert [("", 0)] * 2 == [end[1:] for end in done]
    asked = [len(registry.requests) for registry in registries]
    quiet = client.product("hook", "postStart", **sets)

    assert {registry.registry for registry in registries} == set(client.config()["auths"])
    assert (0, "", "") == (quiet.returncode, quiet.stdout, quiet.stderr)
    assert asked == [len(registry.requests) for registry in registries]


def test_two_hooks_at_once_with_a_set_each_save_both_logins(client, registries):
    one, other = registries

    for _ in range(5):
        done = ends(
            start(client, COMMAND, "hook", "postCreate", **set_for(one.registry, *ALICE)),
            start(client, COMMAND, "hook", "postCreate", **set_for(other.registry, *ALICE)),
        )
        assert [("", 0)] * 2 == [end[1:] for end in done]
        assert {one.registry, other.registry} == set(client.config()["auths"])
        os.unlink(client.config_path)


def test_the_next_step_restores_a_login_that_docker_login_overwrote(client, registries):
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
def test_a_prebuild_without_secrets_is_silent_and_creates_no_file(client, step, environ):
    os.rmdir(os.path.dirname(client.config_path))
    before = sorted(os.listdir(client.home))

    done = client.product("hook", step, **environ)

    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert before == sorted(os.listdir(client.home))
