# SPDX-License-Identifier: MIT
"""
Completion in real shells, and the man page; both are made from the parser.
"""

from __future__ import annotations

import importlib.util
import os
import pty
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from doubles.command_line import environ, run
from doubles.homes import Home, a_set

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAMS = os.path.dirname(sys.executable)
# How each shell loads the script.
BEGIN = {
    "bash": 'eval "$(devcontainer-registry completion bash)"',
    "zsh": 'autoload -U compinit; compinit -D; eval "$(devcontainer-registry completion zsh)"',
}
INTERACTIVE = {"bash": ["bash", "--norc", "--noprofile", "-i"], "zsh": ["zsh", "-f", "-i"]}
SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def completed(home, shell, line, *, until, sets=None):
    """
    Type *line* into *shell* with the key TAB behind it, run it, and wait for *until*.
    """
    if shutil.which(shell) is None and not os.environ.get("CI"):
        pytest.skip(f"no {shell} here")
    variables = {**environ(home, sets), "TERM": "dumb", "PS1": "$ "}
    variables["PATH"] = f"{PROGRAMS}:{variables['PATH']}"
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        INTERACTIVE[shell],
        env=variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    written = b""
    try:
        for typed, awaited in ((f"{BEGIN[shell]}; echo be''gun\n", "begun"), (line, until)):
            os.write(ours, typed.encode())
            deadline = time.monotonic() + 60
            while awaited.encode() not in written.replace(b"\r", b""):
                assert time.monotonic() < deadline, written
                written += os.read(ours, 65536)
    finally:
        os.close(ours)
        process.kill()
        process.wait()
    return written.decode()


def asked_of_fish(home, line, sets=None):
    """
    Return fish's completions for *line*.
    """
    if shutil.which("fish") is None and not os.environ.get("CI"):
        pytest.skip("no fish here")
    variables = environ(home, sets)
    variables["PATH"] = f"{PROGRAMS}:{variables['PATH']}"
    done = subprocess.run(
        ["fish", "-c", 'devcontainer-registry completion fish | source; complete -C "$argv"', line],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [row.partition("\t")[0] for row in done.stdout.splitlines()]


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_command_is_completed(home, shell):
    line = "devcontainer-registry help statu\t\n"

    assert "did you mean" not in completed(
        home, shell, line, until="usage: devcontainer-registry status"
    )


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_id_of_a_set_is_completed(home, shell):
    sets = a_set("CORP", "corp.example")
    line = "devcontainer-registry login --dry-run --only CO\t\n"

    assert "no such set" not in completed(home, shell, line, until="corp.example", sets=sets)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_command_of_a_run_is_completed(home, shell):
    home.program("a-program-of-mine")
    path = f"{home.environ.pop('PATH')}:{os.environ['PATH']}"
    line = "devcontainer-registry run --dry-run -- a-program-of\t\n"

    shown = completed(home, shell, line, until="dry run: nothing", sets={"PATH": path})

    assert "run --dry-run -- a-program-of-mine" in shown


def test_fish_completes_commands_values_ids_and_saved_registries(home):
    Cache(home.cache).write(Registry("saved.example"), {"at": 0.0})
    sets = a_set("CORP", "corp.example")

    for line, offered in (
        ("statu", "status"),
        ("login --sto", "--store"),
        ("login --store hel", "helper"),
        ("hook postSt", "postStart"),
        ("login --only CO", "CORP"),
        ("logout sav", "saved.example"),
        ("run -- devcontainer-registry statu", "status"),
    ):
        assert [offered] == asked_of_fish(home, f"devcontainer-registry {line}", sets)


def test_completion_asks_for_names_only_and_never_shows_a_secret(home):
    sets = a_set("CORP", "corp.example", password="s3cret-s3cret")
    ids = run(home, "completion", "ids", sets=sets)
    registries = run(home, "completion", "registries", sets=sets)

    assert (0, "CORP\n", "") == (ids.status, ids.stdout, ids.stderr)
    assert (0, "", "") == (registries.status, registries.stdout, registries.stderr)


def test_a_shell_without_a_script_is_wrong_usage(home):
    ran = run(home, "completion", "tcsh")

    assert 2 == ran.status
    assert "bash, zsh or fish" in ran.stderr


def _shells():
    pytest.importorskip("shtab")
    spec = importlib.util.spec_from_file_location("shells", ROOT / "docs" / "shells.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="argparse words its usage by version")
def test_the_scripts_and_the_man_page_are_made_from_the_parser(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")

    for path, text in _shells().pages().items():
        kept = ROOT / path.relative_to(ROOT)
        assert kept.read_text(encoding="utf-8") == text, "run ./dev docs"


def test_the_man_page_is_read_by_man_without_a_warning_and_in_80_columns():
    if shutil.which("man") is None:
        pytest.skip("no man here")
    page = ROOT / "docs" / "man" / "devcontainer-registry.1"
    done = subprocess.run(
        ["man", "--warnings=w", "-l", str(page)],
        env={"PATH": os.environ["PATH"], "MANWIDTH": "80", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "" == done.stderr
    assert [] == [line for line in done.stdout.splitlines() if len(line) > 80]
    for section in ("COMMANDS", "EXIT STATUS", "EXAMPLES"):
        assert f"\n{section}\n" in done.stdout
