# SPDX-License-Identifier: MIT
"""
The stamp of a quiet start, and each change that invalidates it.
"""

from __future__ import annotations

import os
import time

import pytest
from doubles.homes import GOOD, Home, Scripted, a_secret, a_set

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands import quiet_start
from devcontainer_registry.registry import Registry

HOOK = ("hook", "postStart")
NAME = "docker-credential-devcontainer-registry"


@pytest.fixture(name="home")
def _home(tmp_path):
    """
    A home with a login, a helper on PATH and variables of every kind.
    """
    home = Home(tmp_path / "home")
    os.makedirs(home.path)
    home.login([a_secret()], authenticators={"generic": Scripted(GOOD)}, verify="never")
    for name in ("bin", "more"):
        os.mkdir(tmp_path / name)
    install(tmp_path / "bin" / NAME)
    (tmp_path / "password").write_text("s3cret-s3cret")
    (tmp_path / "secrets.json").write_text("{}")
    home.environ.update(
        a_set("ACR", "registry.example", PASSWORD_FILE=tmp_path / "password"),
        PATH=f"{tmp_path}/bin:{tmp_path}/more",
        GITHUB_TOKEN="ghs_token",
        LANG="C.UTF-8",
    )
    return home


def install(path):
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)


def stamped(home, *argv):
    """
    Leave a stamp, as a run without changes does.
    """
    argv = argv or HOOK
    quiet_start.remember(argv, home.environ, before=quiet_start.digest(argv, home.environ))
    assert quiet_start.is_quiet(argv, home.environ)


def rewrite(path, *, text=None, keep=()):
    """
    Write *path* anew, with its time and its place as they were where *keep* says so.
    """
    found, old = os.stat(path), path.read_text()
    if "inode" not in keep:
        path.rename(path.with_name("old"))
    path.write_text(old if text is None else text)
    if "time" in keep:
        os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


CHANGES = {
    "a variable of a set": lambda home, _: home.environ.update(ACR_CONTAINER_REGISTRY_USER="eve"),
    "a set more": lambda home, _: home.environ.update(a_set("HUB", "hub.example")),
    "a set less": lambda home, _: home.environ.pop("ACR_CONTAINER_REGISTRY_USER"),
    "a near miss": lambda home, _: home.environ.update(acr_container_registry_user="eve"),
    "a typo in REGISTRY": lambda home, _: home.environ.update(ACR_CONTAINER_REGISTY_KIND="acr"),
    "a typo in CONTAINER": lambda home, _: home.environ.update(ACR_CONTANER_REGSTRY_KIND="acr"),
    "a token": lambda home, _: home.environ.update(GITHUB_TOKEN="ghs_other"),
    "whose token": lambda home, _: home.environ.update(GITHUB_USER="octocat"),
    "whose GitHub": lambda home, _: home.environ.update(GITHUB_SERVER_URL="https://git.example"),
    "docker's variable": lambda home, _: home.environ.update(DOCKER_AUTH_CONFIG="{}"),
    "a codespace": lambda home, _: home.environ.update(CODESPACES="true"),
    "another config.json": lambda home, tmp: home.environ.update(DOCKER_CONFIG=str(tmp)),
    "the file of a variable": lambda _, tmp: rewrite(tmp / "password", text="wr0ng"),
    "config.json's time": lambda home, _: os.utime(home.config),
    "config.json's size": lambda _, tmp: rewrite(
        tmp / "home/.docker/config.json", text="{}", keep=("inode", "time")
    ),
    "config.json's place": lambda _, tmp: rewrite(tmp / "home/.docker/config.json", keep=("time",)),
    "what was kept": lambda home, _: os.utime(f"{home.cache}/registry.example.json"),
    "something else was kept": lambda home, _: Cache(home.cache).write(Registry("new.example"), {}),
    "the helper": lambda _, tmp: (tmp / "bin" / NAME).unlink(),
    "whether the helper runs": lambda _, tmp: (tmp / "bin" / NAME).chmod(0o644),
    "another helper": lambda _, tmp: install(tmp / "more" / NAME),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_start_is_not_quiet_after_a_change(home, tmp_path, change):
    stamped(home)

    change(home, tmp_path)

    assert not quiet_start.is_quiet(HOOK, home.environ)


@pytest.mark.parametrize("words", [("--secrets-file=F",), ("--secrets-file", "F")])
def test_a_change_in_a_secrets_file_is_noticed(home, tmp_path, words):
    argv = (*HOOK, *(word.replace("F", str(tmp_path / "secrets.json")) for word in words))
    stamped(home, *argv)

    rewrite(tmp_path / "secrets.json", text='{"A": "B"}')

    assert not quiet_start.is_quiet(argv, home.environ)


def test_other_options_need_a_stamp_of_their_own(home):
    stamped(home, *HOOK, "--only", "ACR")

    assert not quiet_start.is_quiet((*HOOK, "--only", "HUB"), home.environ)
    assert not quiet_start.is_quiet(HOOK, home.environ)


def test_a_change_in_the_config_json_of_docker_config_is_noticed(home, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    home.environ["DOCKER_CONFIG"] = str(tmp_path)
    stamped(home)

    (tmp_path / "config.json").unlink()

    assert not quiet_start.is_quiet(HOOK, home.environ)


def test_unrelated_changes_do_not_end_the_quiet(home):
    stamped(home)

    home.environ.update(LANG="de_DE.UTF-8", PWD="/workspaces")
    with open(f"{home.cache}/.registry.example.json.tmp", "w", encoding="utf-8"):
        pass

    assert quiet_start.is_quiet(HOOK, home.environ)


@pytest.mark.parametrize("step", ["postCreate", "postStart", "postAttach"])
def test_the_steps_after_the_snapshot_share_a_stamp(home, step):
    stamped(home)

    assert quiet_start.is_quiet(("hook", step), home.environ)


@pytest.mark.parametrize(
    "argv",
    [
        *[("hook", step) for step in ("onCreate", "updateContent", "preCreate")],
        ("hook",),
        (),
        ("login", "postStart"),
        *[
            (*HOOK, option)
            for option in (
                *("--json", "--dry-run", "--log-level=debug", "--log-format=json", "-h"),
                *("--verify=changed", "--user=vscode", "--help"),
            )
        ],
    ],
    ids=" ".join,
)
def test_a_run_with_output_is_not_quiet_and_leaves_no_stamp(home, argv):
    before = quiet_start.digest(argv, home.environ)

    quiet_start.remember(argv, home.environ, before=before)
    left = Cache(home.cache).stamp()
    Cache(home.cache).set_stamp(f"{before} {time.time() + 60}")

    assert left is None
    assert not quiet_start.is_quiet(argv, home.environ)


@pytest.mark.parametrize(
    ("name", "value", "quiet"),
    [
        ("DEVCONTAINER_REGISTRY_VERIFY", "always", False),
        ("DEVCONTAINER_REGISTRY_VERIFY", "never", False),
        ("DEVCONTAINER_REGISTRY_VERIFY", "changed", True),
        ("DEVCONTAINER_REGISTRY_LOG_LEVEL", "debug", False),
        ("DEVCONTAINER_REGISTRY_LOG_LEVEL", "info", False),
        ("DEVCONTAINER_REGISTRY_LOG_LEVEL", "warning", True),
    ],
)
def test_a_setting_that_asks_for_output_is_not_quiet(home, name, value, quiet):
    home.environ[name] = value

    quiet_start.remember(HOOK, home.environ, before=quiet_start.digest(HOOK, home.environ))

    assert quiet == quiet_start.is_quiet(HOOK, home.environ)


def test_a_change_during_the_run_leaves_no_stamp(home):
    before = quiet_start.digest(HOOK, home.environ)
    os.utime(home.config)

    quiet_start.remember(HOOK, home.environ, before=before)

    assert Cache(home.cache).stamp() is None


def test_a_stamp_that_cannot_be_written_is_no_error(home):
    os.mkdir(f"{home.cache}/.quiet")

    quiet_start.remember(HOOK, home.environ, before=quiet_start.digest(HOOK, home.environ))

    assert not quiet_start.is_quiet(HOOK, home.environ)


def test_without_a_key_no_start_is_quiet_and_no_key_is_made(tmp_path):
    home = Home(tmp_path)
    environ = {**home.environ, **a_set("ACR", "registry.example")}

    assert quiet_start.digest(HOOK, environ) is None
    quiet_start.remember(HOOK, environ, before=None)
    assert not quiet_start.is_quiet(HOOK, environ)
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("stamp", ["", "x", "{digest}", "{digest} soon", "{digest} 1", "x {later}"])
def test_a_damaged_or_expired_stamp_is_ignored(home, stamp):
    digest = quiet_start.digest(HOOK, home.environ)
    Cache(home.cache).set_stamp(stamp.format(digest=digest, later=time.time() + 60))

    assert not quiet_start.is_quiet(HOOK, home.environ)


def test_a_cache_folder_behind_a_symlink_is_ignored(home):
    stamped(home)

    os.rename(home.cache, f"{home.cache}-moved")
    os.symlink(f"{home.cache}-moved", home.cache)

    assert not quiet_start.is_quiet(HOOK, home.environ)
    assert quiet_start.digest(HOOK, home.environ) is None


def test_a_secrets_file_that_names_other_files_is_never_quiet(home, tmp_path):
    argv = (*HOOK, f"--secrets-file={tmp_path / 'secrets.json'}")
    (tmp_path / "secrets.json").write_text('{"ACR_CONTAINER_REGISTRY_PASSWORD_FILE": "/a"}')

    assert quiet_start.digest(argv, home.environ) is None


def test_a_file_that_is_too_large_for_a_login_is_never_read(home, tmp_path):
    with open(tmp_path / "secrets.json", "r+b") as file:
        file.truncate(1 << 40)  # more than any machine has memory for

    assert (
        quiet_start.digest((*HOOK, f"--secrets-file={tmp_path / 'secrets.json'}"), home.environ)
        is None
    )


def test_a_pipe_as_secrets_file_is_never_quiet(home, tmp_path):
    os.mkfifo(tmp_path / "pipe")

    assert quiet_start.digest((*HOOK, f"--secrets-file={tmp_path / 'pipe'}"), home.environ) is None


@pytest.mark.parametrize(
    ("entries", "until"),
    [
        ([{}], "inf"),
        ([{"issued_at": 1000.0, "expires_at": 3000.0}], "2000"),
        ([{"at": 2000.0, "expires_at": 3000.0}], "2500"),
        ([{"issued_at": 1000.0, "at": 2000.0, "expires_at": 3000.0}], "2000"),
        ([{"expires_at": 3000.0}], "2940"),
        ([{}, {"at": 0.0, "expires_at": 8000.0}, {"at": 0.0, "expires_at": 6000.0}], "3000"),
    ],
)
def test_a_stamp_lasts_until_the_first_credential_is_to_be_renewed(home, entries, until):
    for number, entry in enumerate(entries):
        Cache(home.cache).write(Registry(f"{number}.example"), entry)

    quiet_start.remember(HOOK, home.environ, before=quiet_start.digest(HOOK, home.environ))

    assert until == Cache(home.cache).stamp().partition(" ")[2]


@pytest.mark.parametrize(
    ("environ", "quiet"),
    [
        ({"PATH": "/bin", "CODESPACES": "true", "GITHUB_USER": "octocat"}, True),
        ({"GITHUB_TOKEN": "ghs_token"}, False),
        ({"DOCKER_AUTH_CONFIG": "{}"}, False),
        ({"CI_REGISTRY": "registry.example"}, False),
        ({"acr_container_registry_user": "eve"}, False),
        ({"CORP_CONTAINER_REGISTY_SERVER": "registry.example"}, False),
        ({"CORP_CONTANER_REGSTRY_SERVER": "registry.example"}, False),
        ({"REMOTE_CONTAINERS": "true", "REMOTE_CONTAINERS_IPC": "/tmp/ipc-1.sock"}, True),
    ],
)
@pytest.mark.parametrize("step", ["onCreate", "updateContent", *HOOK[1:], "postAttach"])
def test_a_step_without_any_relevant_variable_is_quiet_at_once(tmp_path, environ, quiet, step):
    environ = {**Home(tmp_path).environ, **environ}

    assert quiet == quiet_start.is_quiet(("hook", step), environ)


@pytest.mark.parametrize(
    "argv", [("hook", "nonsense"), ("login", "postStart"), (*HOOK, "--nonsense")]
)
def test_wrong_usage_without_any_relevant_variable_is_not_quiet(tmp_path, argv):
    assert not quiet_start.is_quiet(argv, Home(tmp_path).environ)
