# SPDX-License-Identifier: MIT
"""
Other people's credential helpers, and the ways in which they let one down.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from doubles.homes import HERE as PATH_HERE
from doubles.homes import Home
from doubles.patience import LONG

from devcontainer_registry.config.delegation import Delegation
from devcontainer_registry.credentials import Secret
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.files import find_program
from devcontainer_registry.keychain.other_helpers import ask_helper
from devcontainer_registry.keychain.resolve import resolve
from devcontainer_registry.logins.status import status

HERE = "registry.example"
CANARY = "s3cret-s3cret"
ANSWER = json.dumps({"ServerURL": HERE, "Username": "bob", "Secret": CANARY})


class Programs:
    """
    A folder of helpers, and asking them.
    """

    def __init__(self, folder):
        self.folder = str(folder / "bin")
        os.mkdir(self.folder)
        self.environ = {"PATH": f"{self.folder}:/usr/bin:/bin"}

    def add(self, name, script, *, mode=0o755, first="#!/bin/sh"):
        path = os.path.join(self.folder, f"docker-credential-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{first}\n{script}\n")
        os.chmod(path, mode)

    def ask(self, name="other", *, timeout=5.0):
        return ask_helper(name, HERE, environ=self.environ, timeout=timeout)

    def trouble(self, name="other", *, timeout=5.0):
        """
        The code of what goes wrong; which never says what the helper printed.
        """
        with pytest.raises(ConfigError) as caught:
            self.ask(name, timeout=timeout)
        error = caught.value
        assert error.hint
        assert CANARY not in f"{error.message} {error.hint} {error.__cause__!r}"
        assert error.__cause__ is None or isinstance(error.__cause__, OSError)
        return error.code


@pytest.fixture(name="programs")
def _programs(tmp_path):
    return Programs(tmp_path)


def test_it_is_asked_with_get_for_the_server_on_stdin(programs):
    programs.add("other", f"echo \"$1 $(cat)\" > {programs.folder}/heard; echo '{ANSWER}'")

    found = programs.ask()

    assert ("bob", Secret(CANARY)) == (found.username, found.secret)
    with open(f"{programs.folder}/heard", encoding="utf-8") as heard:
        assert f"get {HERE}\n" == heard.read()


def test_it_sees_the_environment_it_was_given_and_nothing_else(programs, monkeypatch):
    monkeypatch.setenv("ANOTHER", "x")
    programs.environ["MINE"] = "bob"
    programs.add("other", 'echo "{\\"Username\\": \\"$MINE$ANOTHER\\", \\"Secret\\": \\"s\\"}"')

    assert "bob" == programs.ask().username


def test_a_helper_that_does_not_read_its_input_can_answer(programs):
    programs.add("other", f"exec <&-; echo '{ANSWER}'")

    assert "bob" == programs.ask().username


def test_stderr_of_a_helper_is_ignored(programs, capfd):
    programs.add("other", f"echo {CANARY} >&2; echo '{ANSWER}'")

    programs.ask()

    assert ("", "") == capfd.readouterr()


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_not_found_is_no_trouble(programs, end):
    programs.add("other", f"printf %s 'credentials not found in native keychain{end}'; exit 1")

    assert None is programs.ask()


@pytest.mark.parametrize(
    "answer",
    [
        '{"Username": "", "Secret": ""}',
        '{"Username": "", "Secret": "s"}',
        '{"Username": "bob", "Secret": ""}',
        '{"Secret": "s"}',
        '{"Username": "bob"}',
        "{}",
    ],
)
def test_without_both_there_is_nothing_to_send(programs, answer):
    """
    As for docker; and DevPod's helper says so when it fails.
    """
    programs.add("other", f"echo '{answer}'")

    assert None is programs.ask()


@pytest.mark.parametrize(
    "script",
    [
        f'echo \'{{"username": "bob", "SECRET": "{CANARY}"}}\'',
        f'echo \'{{"Username": "eve", "USERNAME": "bob", "Secret": "{CANARY}"}}\'',
        f"echo; echo ' {ANSWER}'; echo and more",
        f"printf %s '{ANSWER}{ANSWER}'",
    ],
)
def test_an_answer_is_read_as_docker_reads_it(programs, script):
    programs.add("other", script)

    found = programs.ask()

    assert ("bob", Secret(CANARY)) == (found.username, found.secret)


def test_an_identity_token_is_distinguished_from_a_password(programs):
    programs.add("other", 'echo \'{"Username": "<token>", "Secret": "r"}\'')

    assert programs.ask().is_identity_token


@pytest.mark.parametrize(
    "script",
    [
        f"echo {CANARY}",
        f"echo '{ANSWER}'; exit 3",
        f"echo 'credentials not found: {CANARY}'; exit 1",
        f"echo noise; echo '{ANSWER}'",
        ":",
        "exit 1",
        "kill -9 $$",
        "kill -11 $$",
        f"echo '[\"{CANARY}\"]'",
        f'echo \'{{"Username": "bob", "Secret": ["{CANARY}"]}}\'',
        f'echo \'{{"Username": 5, "Secret": "{CANARY}"}}\'',
        "printf '\\377\\376\\000'",
        "yes '[' | head -c 200000 | tr -d '\\n'",
        f"yes {CANARY} | head -c 104857600",
        f"yes {CANARY}",
    ],
)
def test_what_is_no_credential_is_a_failure_and_not_quoted(programs, script):
    programs.add("other", script)

    assert "helper-failed" == programs.trouble()


def test_what_cannot_be_started_is_a_failure(programs):
    programs.add("other", "x", first="\x7fELF")
    programs.add("alien", "x", first="#!/nonexistent/interpreter")

    assert ["helper-failed", "helper-failed"] == [programs.trouble(), programs.trouble("alien")]


@pytest.mark.parametrize(
    "script",
    [
        "sleep 60",
        "exec >&-; sleep 60",
        "sleep 60 & sleep 60",
        f"echo '{ANSWER}'; sleep 60",
        "while :; do echo; sleep 0.05; done",
        "trap '' TERM INT HUP; sleep 60",
        # Out of reach, and with our pipe in its hand.
        "setsid sleep 60 & exit 0",
    ],
)
def test_one_that_hangs_is_given_up(programs, script):
    programs.add("other", script)
    began = time.monotonic()

    assert "helper-hangs" == programs.trouble(timeout=0.4)
    assert time.monotonic() - began < LONG


@pytest.mark.parametrize("timeout", [float("inf"), 1e12])
def test_one_may_be_given_for_ever(programs, timeout):
    programs.add("other", f"cat >/dev/null; echo '{ANSWER}'")

    assert "bob" == programs.ask(timeout=timeout).username


def test_its_children_end_with_it(programs):
    pids = os.path.join(programs.folder, "pids")
    programs.add("other", f"sleep 60 & echo $! > {pids}; wait")

    programs.trouble(timeout=0.5)

    with open(pids, encoding="utf-8") as file:
        child = int(file.read())
    assert _ends(child)


@pytest.mark.parametrize("name", ["none", "", "../bin/x", "a/b", "nul\0", "not-executable"])
def test_one_that_is_not_there_is_missing(programs, name):
    programs.add("not-executable", "x", mode=0o644)

    assert "helper-missing" == programs.trouble(name)


def test_a_name_with_a_slash_is_no_path(programs, monkeypatch):
    folder = os.path.join(programs.folder, "docker-credential-a")
    os.mkdir(folder)
    programs.add("a/b", f"echo '{ANSWER}'")
    monkeypatch.chdir(programs.folder)

    assert "helper-missing" == programs.trouble("a/b")


@pytest.mark.parametrize("path", ["", ".", ":", "bin", "./bin", "::"])
def test_nothing_is_taken_from_the_folder_one_is_in(programs, monkeypatch, path):
    programs.add("other", f"echo '{ANSWER}'")
    monkeypatch.chdir(os.path.dirname(programs.folder) if "bin" in path else programs.folder)
    programs.environ["PATH"] = path

    assert "helper-missing" == programs.trouble()


def _ends(pid):
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
                # Somebody else's to wait for: a zombie has ended, too.
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except FileNotFoundError:
            return True
        time.sleep(0.01)
    return False


# Programs on PATH: where docker finds one, and where nobody looks.

NAME = "docker-credential-theirs"
SCRIPT = '#!/bin/sh\necho \'{"ServerURL":"x","Username":"u","Secret":"s"}\'\n'


@pytest.fixture(name="folders")
def _folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("relative", "absolute", "empty"):
        (tmp_path / name).mkdir()
    for name in ("relative", "absolute"):
        program = tmp_path / name / NAME
        program.write_text(SCRIPT)
        program.chmod(0o755)
    (tmp_path / "empty" / NAME).mkdir()
    here = tmp_path / NAME
    here.write_text(SCRIPT)
    here.chmod(0o755)
    return tmp_path


# As docker 28 does, which is Go's os/exec: a relative folder that has the program ends the search.
PATHS = {
    "{absolute}": True,
    "relative": False,
    "relative:{absolute}": False,
    "{absolute}:relative": True,
    "nothing:{absolute}": True,
    "": False,
    ":{absolute}": False,
    "{empty}:{absolute}": True,
    "/nowhere": False,
}


@pytest.mark.parametrize("path", PATHS)
def test_everybody_finds_the_same_program_on_path(folders, path):
    named = path.format(absolute=folders / "absolute", empty=folders / "empty")
    home = Home(folders / "home")
    home.write({"credHelpers": {PATH_HERE: "theirs"}})
    environ = {**home.environ, "PATH": f"{named}:/nowhere" if named else "."}
    found = str(folders / "absolute" / NAME) if PATHS[path] else None

    assert found == find_program(NAME, environ)
    assert found == Delegation(home.config, environ=environ).found(NAME)
    (standing,) = status(environ=environ).standings
    said = None if PATHS[path] else "helper-missing"
    assert said == (standing.error and standing.error.code)
    if PATHS[path]:
        environ["PATH"] += f"{os.pathsep}/usr/bin{os.pathsep}/bin"
        assert "u" == resolve(PATH_HERE, environ=environ).username
    else:
        with pytest.raises(ConfigError) as raised:
            resolve(PATH_HERE, environ=environ)
        assert "helper-missing" == raised.value.code


@pytest.mark.parametrize("name", ["", "../absolute/docker-credential-theirs", "a\0b"])
def test_a_name_that_is_a_path_finds_nothing(folders, name):
    assert find_program(name, {"PATH": str(folders / "absolute")}) is None
