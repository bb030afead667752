# SPDX-License-Identifier: MIT
"""
Transcripts of each command and of common failures, at 80 columns.

`DEVCONTAINER_REGISTRY_DOCS=1` writes docs/transcripts/ anew.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import sys
import tempfile

import pytest
from doubles.failing_pulls import CASES
from doubles.homes import a_set, encoded
from doubles.private_user import as_nobody
from doubles.servers import Refusing
from doubles.worlds import PASSWORD, USER, World

from devcontainer_registry.commands import cli
from devcontainer_registry.commands.output import progress

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "docs", "transcripts")
WRITES = bool(os.environ.get("DEVCONTAINER_REGISTRY_DOCS"))

# Replace the parts that differ between runs with text of the same length: lines wrap at 80.
VARYING = (
    (r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?", lambda m: re.sub(r"\d", "0", m[0])),
    (r"\b\d\d:\d\d:\d\dZ", "00:00:00Z"),
    (r"today \d\d:\d\d", "today 00:00"),
    (r"clock \+\d s", "clock +0 s"),
)

MORNINGS = {
    "wrong-password": "password of the set is wrong",
    "expired-token": "saved login has expired",
    "credsstore-hides-the-login": "store hides the login",
    "helper-missing": "helper is not installed",
    "damaged-config": "config is cut off",
    "unknown-certificate-authority": "authority is unknown",
    "clock": "clock is ahead",
    "proxy": "proxy forbids",
    "denied-image": "login may not read it",
    "missing-tag": "tag is not there",
    "dns": "name is not known",
}


@pytest.fixture(name="world")
def _world():
    # A path of constant length, since lines are wrapped.
    folder = tempfile.mkdtemp(prefix="dr-", dir="/tmp")
    world = World(folder)
    yield world
    world.close()
    shutil.rmtree(folder)


def _call(function):
    return function()


def _captured(words):
    """
    Return the output of the command on both streams, in order, and its exit status.
    """
    with (
        io.TextIOWrapper(io.BytesIO(), write_through=True) as stream,
        contextlib.redirect_stdout(stream),
        contextlib.redirect_stderr(stream),
    ):
        try:
            status = cli.main(list(words))
        except SystemExit as exc:
            status = exc.code or 0
        return stream.buffer.getvalue().decode(), status


class Terminal:
    """
    Runs commands in this process, and records their output on a terminal.
    """

    def __init__(self, world, monkeypatch):
        self.world = world
        self.lines = []
        self._monkeypatch = monkeypatch

    def run(self, *words, user=None):
        with self._monkeypatch.context() as patch:
            patch.setattr(os, "environ", dict(self.world.environ))
            printed, status = (user or _call)(lambda: _captured(words))
        self.lines += [f"$ devcontainer-registry {' '.join(words)}", *printed.splitlines()]
        self.lines += [f"[exit status {status}]", ""]

    def text(self):
        text = "\n".join(self.lines)
        text = text.replace(os.path.dirname(self.world.home), "/tmp/dr-00000000")
        ports = dict.fromkeys(re.findall(r"(?:localhost|127\.0\.0\.1):(\d{5})\b", text))
        for number, port in enumerate(ports):
            text = re.sub(rf"\b{port}\b", f"{50001 + number}", text)
        for pattern, replacement in VARYING:
            text = re.sub(pattern, replacement, text)
        return text


@pytest.fixture(name="terminal")
def _terminal(world, monkeypatch):
    # The tests have another installation path than a user's helper.
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr(sys, "argv", ["/usr/bin/devcontainer-registry"])
    # A slow machine prints no more than a fast one.
    monkeypatch.setattr(progress, "_SILENT_MAX", 600.0)
    return Terminal(world, monkeypatch)


def compare(terminal, name):
    """
    Compare the output with the transcript *name*, or write it.
    """
    text = terminal.text()
    assert PASSWORD not in text
    assert max(map(len, text.splitlines())) <= 80
    path = os.path.join(FOLDER, f"{name}.txt")
    if WRITES:
        os.makedirs(FOLDER, exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    # argparse formats its help differently in each version of Python.
    if name != "help" or sys.version_info[:2] == (3, 11):
        with open(path, encoding="utf-8") as file:
            assert file.read() == text


@pytest.mark.parametrize("name", MORNINGS)
def test_several_failures_match_their_transcript(name, world, terminal):
    build, *_ = CASES[MORNINGS[name]]
    build(world)
    terminal.run("doctor", *world.images)
    if "CORP_CONTAINER_REGISTRY_SERVER" not in world.environ:
        world.set(world.names["R"])
    terminal.run("login", "--timeout", "5")

    compare(terminal, f"morning-{name}")


def test_a_config_of_another_user_matches_its_transcript(world, terminal):
    world.set(world.registry())
    world.config({"auths": {}})  # root's, and for root alone
    for folder in (os.path.dirname(world.home), world.home, os.path.dirname(world.config_path)):
        os.chmod(folder, 0o755)
    terminal.run("doctor", *world.images, user=as_nobody)
    terminal.run("login", user=as_nobody)

    compare(terminal, "morning-wrong-owner")


def test_every_transcript_file_belongs_to_a_test():
    mornings = {f"morning-{name}.txt" for name in (*MORNINGS, "wrong-owner")}

    assert mornings | {f"{name}.txt" for name in COMMANDS} == set(os.listdir(FOLDER))


def _sets(world):
    world.set(world.registry(), "ACR")
    refusing = world.enter(Refusing(auth="basic"))
    world.environ.update(a_set("CORP", refusing.registry))
    world.set("registry.example", "TYPO")
    world.environ["TYPO_CONTAINER_REGISTRY_SERVR"] = world.environ.pop(
        "TYPO_CONTAINER_REGISTRY_SERVER"
    )


def _login(world, terminal):
    _sets(world)
    terminal.run("login")


def _hook(world, terminal):
    _sets(world)
    terminal.run("hook", "postCreate")
    terminal.run("hook", "postStart")
    terminal.run("hook", "poststart", "--stroe", "helper")


def _list(world, terminal):
    _sets(world)
    terminal.run("list")


def _status(world, terminal):
    _sets(world)
    terminal.run("status")
    terminal.run("login")
    terminal.run("status", "--check")


def _doctor(world, terminal):
    _sets(world)
    terminal.run("login", "--only", "ACR")
    terminal.run("doctor", *world.images)


def _logout(world, terminal):
    _sets(world)
    terminal.run("login", "--only", "ACR")
    terminal.run("logout", "--all")


def _export(world, terminal):
    _sets(world)
    terminal.run("login", "--only", "ACR")
    terminal.run("export", "--format", "docker-config")
    # The one command that prints a login.
    base64 = encoded(f"{USER}:{PASSWORD}")
    terminal.lines = [line.replace(base64, "*" * len(base64)) for line in terminal.lines]


def _help(world, terminal):  # noqa: ARG001  (all have both)
    terminal.run("help")
    terminal.run("help", "login")
    terminal.run("help", "hook")
    terminal.run("help", "doctor")
    terminal.run("stauts")
    terminal.run("login", "--stroe", "helper")


def _demo(world, terminal):  # noqa: ARG001  (all have both)
    terminal.run("demo")


COMMANDS = {
    "login": _login,
    "hook": _hook,
    "list": _list,
    "status": _status,
    "doctor": _doctor,
    "logout": _logout,
    "export": _export,
    "help": _help,
    "demo": _demo,
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_matches_its_transcript(name, world, terminal):
    COMMANDS[name](world, terminal)

    compare(terminal, name)
