# SPDX-License-Identifier: MIT
"""
The command `run`: private logins for another command, which leave nothing behind.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
import sys

import pytest
from doubles.homes import a_set, encoded
from doubles.private_user import as_nobody
from doubles.runs import Runner, command
from doubles.servers import Fine

from devcontainer_registry.cache.entry import Entry
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands.running import folder as folders
from devcontainer_registry.commands.running.auth_file import auth_json
from devcontainer_registry.commands.running.copies import without_logins
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.registry import Registry

PASSWORD = "s3cret-s3cret"
PAIR = encoded(f"bob:{PASSWORD}")
OTHERS = encoded("ann:hers")
OURS = "devcontainer-registry"


@pytest.fixture(name="runner")
def _runner(tmp_path):
    runner = Runner(tmp_path)
    yield runner
    runner.remove()


@pytest.fixture(name="registry", scope="module")
def _registry():
    with Fine({"bob": PASSWORD}) as server:
        yield server.registry


@pytest.fixture(name="sets")
def _sets(registry):
    return a_set("CORP", registry)


def holds(folder, *texts):
    """
    Return the files below *folder* that hold one of *texts*.
    """
    found = []
    for above, _, files in os.walk(folder):
        for name in files:
            path = os.path.join(above, name)
            with open(path, "rb") as file:
                content = file.read()
            found += [path for text in texts if text.encode() in content]
    return found


# What the command has, and what is left.


def test_the_command_has_private_logins_and_the_users_files_stay_as_they_are(
    runner, registry, sets
):
    runner.home.write({"auths": {"other.example": {"auth": OTHERS}}, "currentContext": "desktop"})
    docker = os.path.dirname(runner.home.config)
    os.makedirs(os.path.join(docker, "contexts", "meta"))
    before = runner.home.text

    seen = runner.look(sets=sets)

    private = os.path.join(seen["folder"], "docker")
    assert (runner.place, "0o700") == (os.path.dirname(seen["folder"]), seen["mode"])
    assert {
        "docker": "0o700",
        "docker/config.json": "0o600",
        "docker/contexts": os.path.join(docker, "contexts"),
        "auth.json": "0o600",
    }.items() <= seen["files"].items()
    assert {private, os.path.join(seen["folder"], "cache")} == {
        seen["environ"][name] for name in ("DOCKER_CONFIG", "DEVCONTAINER_REGISTRY_CACHE_DIR")
    }
    assert "DEVCONTAINERS_OCI_AUTH" not in seen["environ"]
    wanted = {"other.example": {"auth": OTHERS}, registry: {"auth": PAIR}}
    assert {"auths": wanted, "currentContext": "desktop"} == seen["config"]
    assert {"auths": wanted} == seen["auth"]
    assert PASSWORD not in "".join(seen["argv"])
    # Afterwards.
    assert before == runner.home.text
    assert not os.path.exists(runner.home.cache)
    assert [] == runner.folders()
    for place in (runner.home.path, runner.memory, runner.disk):
        assert [] == holds(place, PASSWORD, PAIR)


def test_what_the_user_has_set_is_passed_on(runner, sets):
    given = {"DEVCONTAINERS_OCI_AUTH": "x.example|u|p", "FOO": "bär"}

    seen = runner.look(sets={**sets, **given})

    assert given.items() <= seen["environ"].items()


def test_stdout_is_the_commands_and_a_success_prints_nothing(runner, sets):
    done = runner.run("--", "echo", "hello", sets=sets)

    assert (0, "hello\n", "") == (done.returncode, done.stdout, done.stderr)


def test_our_own_commands_in_a_run_use_its_private_logins(runner, registry, sets):
    done = runner.run("--", sys.executable, "-m", "devcontainer_registry", "status", sets=sets)

    assert f"auths       CORP  {registry}  in config.json, verified" in done.stdout
    assert not os.path.exists(runner.home.config)


def test_without_secrets_the_command_runs_and_the_fix_is_printed(runner):
    done = runner.run("--", "echo", "hello")

    assert (0, "hello\n") == (done.returncode, done.stdout)
    assert "no secrets found" in done.stderr
    assert "<ID>_CONTAINER_REGISTRY_SERVER" in done.stderr


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_secrets_file_is_used_and_named_to_the_credential_helper(
    runner, registry, sets, tmp_path, way
):
    path = tmp_path / "secrets.json"
    path.write_text(json.dumps(sets))
    named = os.path.relpath(path)

    if way == "option":
        seen = runner.look("--secrets-file", named)
    else:
        seen = runner.look(sets={"DEVCONTAINER_REGISTRY_SECRETS_FILE": named})

    assert {registry: {"auth": PAIR}} == seen["config"]["auths"]
    assert str(path) == seen["environ"]["DEVCONTAINER_REGISTRY_SECRETS_FILE"]
    assert PASSWORD not in json.dumps(seen["environ"])


def test_a_dry_run_starts_nothing(runner, sets):
    done = runner.run("--dry-run", "--", "echo", "hello", sets=sets)

    assert (0, "") == (done.returncode, done.stdout)
    assert "found       CORP" in done.stderr
    assert "dry run: nothing was started" in done.stderr
    assert [] == runner.folders()


# Failures before the command.


def failing(name, registry):
    """
    Return the variables of a login that fails, what is printed, and the status.
    """
    return {
        "refused": (a_set("CORP", registry, password="wrong"), "refused     CORP", 4),
        "unreachable": (a_set("CORP", "127.0.0.1:1"), "unverified  CORP", 5),
        "incomplete": (a_set("CORP", registry, password=""), "incomplete  CORP", 3),
        "damaged": (a_set("CORP", registry), "is not valid JSON", 6),
        "setting": ({"DEVCONTAINER_REGISTRY_STOER": "auths"}, "did you mean", 2),
    }[name]


@pytest.mark.parametrize("name", ["refused", "unreachable", "incomplete", "damaged", "setting"])
def test_a_login_that_fails_prints_its_fix_and_the_command_is_not_started(runner, registry, name):
    sets, said, status = failing(name, registry)
    if name == "damaged":
        runner.home.write("{")

    done = runner.run("--timeout=1", "--", "echo", "hello", sets=sets)

    assert (status, "") == (done.returncode, done.stdout)
    assert said in " ".join(done.stderr.split("\n  "))
    if name != "setting":
        assert "fix:" in done.stderr
        assert "the command was not started" in done.stderr
    assert [] == runner.folders()


@pytest.mark.parametrize("options", [[], ["--keep-going"]])
def test_only_a_command_that_starts_has_a_login_that_was_saved_unverified(runner, options):
    sets = a_set("CORP", "127.0.0.1:1")

    done = runner.run("--timeout=1", *options, "--", "true", sets=sets)

    assert ("saved unverified" in done.stderr) is bool(options)


def test_the_users_config_is_named_where_it_is_damaged_and_not_the_copy(runner, sets):
    runner.home.write('{"auths": {"x.example": {"auth": "not base64"}}}')

    done = runner.run("--", "true", sets=sets)

    assert 6 == done.returncode
    assert runner.home.config in " ".join(done.stderr.split())
    assert folders.PREFIX not in done.stderr


def test_keep_going_starts_the_command_with_the_logins_that_work(runner, registry):
    other = registry.replace("localhost", "127.0.0.1")
    sets = {**a_set("CORP", registry), **a_set("BAD", other, password="wrong")}
    done = runner.run("--keep-going", "--", "sh", "-c", "cat $DOCKER_CONFIG/config.json", sets=sets)

    assert 0 == done.returncode
    assert {"auths": {registry: {"auth": PAIR}}} == json.loads(done.stdout)
    assert "refused     BAD" in done.stderr
    assert "not started" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [[], ["docker", "build", "--tag", "x"], ["ls", "--", "x"], ["--"], ["--keep-going", "ls"]],
)
def test_a_command_line_without_a_command_after_two_hyphens_is_wrong_usage(runner, words):
    done = runner.run(*words)

    assert (2, "") == (done.returncode, done.stdout)
    assert "write devcontainer-registry run [OPTION]... -- COMMAND [ARG]..." in done.stderr


def test_an_option_after_two_hyphens_is_the_commands(runner, sets):
    done = runner.run("--", "echo", "--only", "--", "-x", sets=sets)

    assert "--only -- -x\n" == done.stdout


# How it ends.


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["sh", "-c", "kill -9 $$"], 137, ""),
        (["sh", "-c", "kill -TERM $$"], 143, ""),
        (["no-such-program"], 127, "no-such-program was not found"),
        ([""], 127, "the command was not found"),
        (["/dev/null/x"], 126, "cannot run /dev/null/x: Not a directory"),
        (["/etc/passwd"], 126, "cannot run /etc/passwd: Permission denied"),
    ],
)
def test_the_exit_status_is_that_of_a_shell(runner, words, status, said):
    done = runner.run("--keep-going", "--", *words)

    assert status == done.returncode
    assert said in done.stderr
    assert [] == runner.folders()


def test_a_variable_in_the_place_of_the_command_is_not_quoted(runner):
    done = runner.run("--", f"CORP_PASSWORD={PASSWORD}", "ls")

    assert 127 == done.returncode
    assert "begins with a variable" in done.stderr
    assert PASSWORD not in done.stderr


def test_a_script_without_an_interpreter_line_is_run_as_a_shell_runs_it(runner, tmp_path):
    script = tmp_path / "script"
    script.write_text('echo "$1"\n')
    script.chmod(0o755)

    done = runner.run("--", str(script), "hello")

    assert (0, "hello\n") == (done.returncode, done.stdout)


def test_the_command_has_the_descriptors_of_the_caller_and_one_of_ours(runner, sets):
    reading, writing = os.pipe()
    os.write(writing, b"from the caller")
    os.close(writing)
    script = f"import os; print(os.read({reading}, 99).decode(), len(os.listdir('/proc/self/fd')))"
    try:
        done = runner.run("--", sys.executable, "-c", script, sets=sets, pass_fds=[reading])
    finally:
        os.close(reading)

    # Three, the caller's, the lock, and the one that lists them.
    assert "from the caller 6\n" == done.stdout


def test_the_lock_is_in_no_place_of_a_standard_stream_that_the_caller_closed(runner, sets):
    script = "test -e /proc/self/fd/0 && echo open || echo closed"
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" <&-', "sh", *command("--", "sh", "-c", script)],
        env=runner.variables(sets),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )

    assert (0, "closed\n") == (done.returncode, done.stdout)


# Whose login it is.


def test_a_set_replaces_another_programs_helper_in_the_copy(runner, registry, sets):
    config = {"credHelpers": {registry: "of-somebody", "x.example": "of-somebody"}}
    runner.home.write(config)

    seen = runner.look(sets=sets)

    assert {"x.example": "of-somebody"} == seen["config"]["credHelpers"]
    assert {registry: {"auth": PAIR}} == seen["config"]["auths"]
    assert config == json.loads(runner.home.text)


def test_a_set_that_is_refused_leaves_the_users_helper_in_the_copy(runner, registry):
    runner.home.write({"credHelpers": {registry: "of-somebody"}})
    done = runner.run(
        "--keep-going",
        *("--", "sh", "-c", "cat $DOCKER_CONFIG/config.json"),
        sets=a_set("CORP", registry, password="wrong"),
    )

    assert {"credHelpers": {registry: "of-somebody"}} == json.loads(done.stdout)


def test_a_login_of_the_platform_never_replaces_another_programs_helper(runner, registry):
    runner.home.write({"credHelpers": {registry: "of-somebody"}})
    of_gitlab = {
        "CI_REGISTRY": registry,
        "CI_REGISTRY_USER": "bob",
        "CI_REGISTRY_PASSWORD": PASSWORD,
    }

    done = runner.run("--", "sh", "-c", "cat $DOCKER_CONFIG/config.json", sets=of_gitlab)

    assert {"credHelpers": {registry: "of-somebody"}} == json.loads(done.stdout)


def test_our_helper_comes_before_a_store_and_before_an_empty_entry(runner, registry, sets):
    """
    A `credsStore` hides `auths` from docker; an empty entry makes podman fail.
    """
    runner.home.program("docker-credential-somebody")
    path = f"{runner.home.environ.pop('PATH')}:{os.environ['PATH']}"
    runner.home.write({"credsStore": "somebody", "credHelpers": {registry: ""}})

    seen = runner.look(sets={**sets, "PATH": path})

    assert {registry: OURS} == seen["config"]["credHelpers"]
    assert {registry: OURS} == seen["auth"]["credHelpers"]
    # This installation's helper is found first, and no other program of its folder.
    assert f"{seen['folder']}/bin:{path}" == seen["environ"]["PATH"]
    assert ["bin/docker-credential-devcontainer-registry"] == [
        name for name in seen["files"] if name.startswith("bin/")
    ]


def test_with_the_helper_as_the_store_no_file_of_a_client_holds_the_password(
    runner, registry, sets
):
    seen = runner.look("--store=helper", sets=sets)

    assert {"credHelpers": {registry: OURS}} == seen["config"] == seen["auth"]


def test_a_login_that_our_helper_has_for_another_registry_still_works(runner, sets):
    other = Registry("other.example")
    Entry().with_credential("ann", "hers", issued_at=None, expires_at=None).write(
        Cache(runner.home.cache), other
    )
    runner.home.write({"credHelpers": {other: OURS}})

    done = runner.run(
        *("--", "sh", "-c", "echo other.example | docker-credential-devcontainer-registry get"),
        sets=sets,
    )

    assert {"ServerURL": other, "Username": "ann", "Secret": "hers"} == json.loads(done.stdout)


def test_docker_auth_config_loses_the_registries_of_sets_and_no_other(runner, registry, sets):
    other = registry.replace("localhost", "127.0.0.1")
    entries = {registry: {"auth": OTHERS}, other: {"auth": PAIR}}
    done = runner.run(
        *("--", "sh", "-c", 'printf %s "$DOCKER_AUTH_CONFIG"'),
        sets={**sets, "DOCKER_AUTH_CONFIG": json.dumps({"auths": entries})},
    )

    assert {"auths": {other: {"auth": PAIR}}} == json.loads(done.stdout)
    assert "" == done.stderr


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ('{"auths": {"a.example": {"auth": "eA=="}}}', ""),
        ('{"auths": {"https://a.example/v2/": {"auth": "eA=="}}}', ""),
        ('{"auths": {}, "x": 1}', '{"auths": {}, "x": 1}'),
        ("not JSON", "not JSON"),
    ],
)
def test_docker_auth_config_is_only_changed_where_it_names_a_set(text, left):
    assert left == without_logins(text, [Registry("a.example")])


# The file of podman, skopeo and buildah.


def merged(tmp_path, *, own=None, docker=None, registries=(), named=False):
    folder = tmp_path / ".config" / "containers"
    folder.mkdir(parents=True)
    (folder / "auth.json").write_text(json.dumps(own or {}))
    path = tmp_path / "config.json"
    path.write_text(json.dumps(docker or {}))
    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}
    if named:
        environ["REGISTRY_AUTH_FILE"] = str(folder / "auth.json")
    content, troubles = auth_json(environ, DockerConfig(str(path)), map(Registry, registries))
    assert [] == troubles
    return json.loads(content)


A, B, C = ({"auth": base64.b64encode(f"{name}:x".encode()).decode()} for name in "abc")


def test_the_file_has_the_users_own_logins_and_then_those_of_docker(tmp_path):
    own = {"auths": {"a.example": A, "b.example/team": A}}
    docker = {"auths": {"a.example": B, "a.example/team": B, "b.example": B, "empty.example": {}}}

    assert {"a.example": A, "b.example/team": A, "b.example": B} == merged(
        tmp_path, own=own, docker=docker
    )["auths"]


def test_a_helper_of_docker_does_not_hide_a_login_of_the_users_own(tmp_path):
    own = {"auths": {"a.example/team": A}, "credHelpers": {"b.example": "one"}}
    docker = {
        "auths": {"b.example": B},
        "credHelpers": {"a.example": "two", "c.example": "two", "d.example": ""},
    }

    assert {
        "auths": {"a.example/team": A},
        "credHelpers": {"b.example": "one", "c.example": "two"},
    } == merged(tmp_path, own=own, docker=docker)


def test_no_other_file_counts_where_the_user_names_one(tmp_path):
    docker = {"auths": {"a.example": B, "b.example": B}}

    found = merged(tmp_path, own={"auths": {"c.example": C}}, docker=docker, named=True)

    assert {"auths": {"c.example": C}} == found


def test_a_login_of_the_run_replaces_the_users_login_and_helper(tmp_path):
    hub = "https://index.docker.io/v1/"
    own = {"auths": {"a.example": A, "docker.io": A}, "credHelpers": {"a.example": "one"}}
    docker = {"auths": {"a.example": B, hub: B}, "credHelpers": {hub: OURS}}

    found = merged(tmp_path, own=own, docker=docker, registries=["a.example", hub], named=True)

    assert {
        "auths": {"a.example": B, "docker.io": B},
        "credHelpers": {"docker.io": OURS},
    } == found


def test_a_damaged_file_of_podman_is_reported_and_the_command_runs(runner, registry, sets):
    path = os.path.join(runner.memory, "containers", "auth.json")
    os.mkdir(os.path.dirname(path))
    with open(path, "w", encoding="utf-8") as file:
        file.write("{")

    done = runner.run("--", "sh", "-c", "cat $REGISTRY_AUTH_FILE", sets=sets)

    assert {"auths": {registry: {"auth": PAIR}}} == json.loads(done.stdout)
    assert path in " ".join(done.stderr.split())


# The folder.


def test_all_that_the_command_has_written_is_removed_and_no_link_is_followed(runner, sets):
    keep = os.path.join(runner.home.path, "keep")
    os.makedirs(keep)
    with open(os.path.join(keep, "file"), "w", encoding="utf-8"):
        pass
    script = f"""\
import os
os.chdir(os.environ["DOCKER_CONFIG"])
os.mkfifo("pipe")
for _ in range(1500):
    os.symlink({keep!r}, "link")
    os.mkdir("deep")
    os.chdir("deep")
"""

    done = runner.run("--", sys.executable, "-c", script, sets=sets)

    assert (0, "") == (done.returncode, done.stderr)
    assert [] == runner.folders()
    assert ["file"] == os.listdir(keep)


def as_a_user(function):
    """
    Return what *function* returns for a user without root's rights, so that modes count.
    """
    return as_nobody(function) if os.geteuid() == 0 else function()


def _folder_with_closed_subfolders():
    folder = folders.PrivateFolder.create({})
    for path, mode in (("read-only/below", 0o500), ("read-only", 0o500), ("closed", 0)):
        whole = os.path.join(folder.path, path)
        os.makedirs(whole, exist_ok=True)
        with open(os.path.join(whole, "file"), "w", encoding="utf-8"):
            pass
        os.chmod(whole, mode)
    return folder


def test_folders_that_cannot_be_written_or_read_are_removed_as_well():
    def remove():
        folder = _folder_with_closed_subfolders()
        return folder.remove(), os.path.exists(folder.path)

    assert (None, False) == as_a_user(remove)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave something for another user")
def test_what_cannot_be_removed_is_named_and_everything_else_is_removed():
    path = as_nobody(lambda: folders.PrivateFolder.create({}).path)
    theirs = os.path.join(path, "of-root")
    os.mkdir(theirs)
    for place in (theirs, path):
        with open(os.path.join(place, "auth.json"), "w", encoding="utf-8"):
            pass

    def remove():
        error = folders.PrivateFolder(path, os.open(path, os.O_RDONLY)).remove()
        return error.message, error.hint, os.listdir(path)

    try:
        assert (
            f"cannot remove all of {path}: Permission denied",
            f"run sudo rm -rf {path}",
            ["of-root"],
        ) == as_nobody(remove)
    finally:
        shutil.rmtree(path)


def leave_folder(runner, *, uid=None):
    """
    Leave a folder behind, as a run that was killed does.
    """
    path = os.path.join(runner.place, f"{folders.PREFIX}{os.geteuid()}-{os.urandom(4).hex()}")
    os.mkdir(path, 0o700)
    with open(os.path.join(path, "auth.json"), "w", encoding="utf-8") as file:
        file.write(PAIR)
    if uid is not None:
        os.chown(path, uid, uid)
    return path


def test_the_next_run_removes_what_a_killed_one_has_left(runner):
    leave_folder(runner)

    runner.run("--", "true")

    assert [] == runner.folders()


def test_a_folder_whose_lock_is_held_is_not_removed(runner):
    path = leave_folder(runner)
    held = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        runner.run("--", "true")
    finally:
        os.close(held)

    assert [path] == runner.folders()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_another_users_folder_is_not_removed(runner):
    path = leave_folder(runner, uid=12345)

    runner.run("--", "true")

    assert [path] == runner.folders()


def test_a_link_in_the_place_of_a_folder_is_not_followed(runner):
    kept = os.path.join(runner.home.path, "kept")
    os.makedirs(os.path.join(kept, "inside"))
    os.symlink(kept, os.path.join(runner.place, f"{folders.PREFIX}{os.geteuid()}-0"))

    runner.run("--", "true")

    assert ["inside"] == os.listdir(kept)


def test_a_folder_that_others_can_replace_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_IN_MEMORY", "/nonexistent")
    monkeypatch.setattr(folders, "_TEMPORARY", str(tmp_path))
    tmp_path.chmod(0o777)

    with pytest.raises(ConfigError) as caught:
        folders.PrivateFolder.create({})

    assert "run-folder-failed" == caught.value.code
    assert "other users can replace files" in caught.value.message


def test_the_next_place_is_used_where_the_first_one_does_not_work(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_IN_MEMORY", "/nonexistent")
    monkeypatch.setattr(folders, "_TEMPORARY", str(tmp_path))

    folder = folders.PrivateFolder.create({"TMPDIR": str(tmp_path / "missing")})

    assert str(tmp_path) == os.path.dirname(folder.path)
    assert folder.remove() is None
    assert [] == os.listdir(tmp_path)


def test_a_run_without_any_place_for_its_folder_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_IN_MEMORY", "/nonexistent")
    monkeypatch.setattr(folders, "_TEMPORARY", str(tmp_path / "missing"))

    with pytest.raises(ConfigError) as caught:
        folders.PrivateFolder.create({})

    assert "set TMPDIR to a folder that you own" == caught.value.hint
