# SPDX-License-Identifier: MIT
"""
The output of a login while it runs, and after Ctrl-C.
"""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
import threading

import pytest
from doubles.command_line import environ, run, run_on_terminal
from doubles.homes import Home, a_set
from doubles.servers import Fine, Hanging, Refusing

from devcontainer_registry.commands.output import progress as output
from devcontainer_registry.commands.output.progress import Progress

BOB = {"bob": "s3cret-s3cret"}


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def test_a_terminal_shows_each_success_before_the_last_registry_has_answered(home):
    with Fine(BOB) as fine, Refusing() as refusing, Hanging() as hanging:
        sets = {
            **a_set("GOOD", fine.registry),
            **a_set("BAD", refusing.registry),
            **a_set("SLOW", hanging.registry),
        }
        _, written = run_on_terminal(home, "login", "--timeout", "2", sets=sets)

    success = written.index("logged in\x1b[0m   GOOD  ")
    assert success < written.rindex("asking SLOW, ")
    assert written.rindex("asking SLOW, ") < written.index("refused\x1b[0m     BAD")
    assert 1 == written.count("logged in\x1b[0m")
    assert written.rstrip().endswith("1 of 3 logged in; fix BAD, SLOW")


def test_a_log_states_the_longest_wait_before_the_first_answer(capsys, monkeypatch):
    monkeypatch.setattr(output, "_SILENT_MAX", 0.05)
    told = threading.Event()
    monkeypatch.setattr(sys.stderr, "flush", told.set)
    progress = Progress(terminal=False, lands=True, colours=False)
    for each in ("A", "B"):
        progress.take("login.started", {"id": each, "registry": "a.example", "seconds": 14.9})

    assert told.wait(60)
    progress.close()
    assert ("", "asking 2 registries, up to 15 s\n") == capsys.readouterr()


def test_a_log_gets_no_such_line_after_a_success(home):
    with Fine(BOB) as fine, Hanging() as hanging:
        sets = {**a_set("GOOD", fine.registry), **a_set("SLOW", hanging.registry)}
        ran = run(home, "login", "--timeout", "4", sets=sets)

    assert "" == ran.stderr
    assert ran.stdout.startswith("logged in   GOOD  ")


def test_a_prebuild_step_prints_its_warning_with_the_success(home):
    with Fine(BOB) as fine:
        ran = run(home, "hook", "onCreate", sets=a_set("GOOD", fine.registry))

    assert 1 == ran.stdout.count("logged in")
    assert "fix: " in ran.stdout


def test_a_document_is_alone_on_stdout(home):
    with Fine(BOB) as fine, Refusing() as refusing:
        sets = {**a_set("GOOD", fine.registry), **a_set("BAD", refusing.registry)}
        ran = run(home, "login", "--json", sets=sets)

    assert {"GOOD", "BAD"} == {each["id"] for each in json.loads(ran.stdout)["registries"]}


def test_a_login_that_docker_cannot_read_does_not_land_as_logged_in(home):
    home.write({"auths": {"other.example": {"auth": "%%%"}}})
    with Fine(BOB) as fine:
        ran = run(home, "login", sets=a_set("GOOD", fine.registry))

    assert 6 == ran.status
    assert "logged in  " not in ran.stdout
    assert "not usable  GOOD  " in ran.stdout


def test_ctrl_c_reports_which_logins_were_saved(home):
    with Fine(BOB) as fine, Hanging() as hanging:
        sets = {**a_set("GOOD", fine.registry), **a_set("SLOW", hanging.registry)}
        process = subprocess.Popen(
            [sys.executable, "-m", "devcontainer_registry", "login"],
            env=environ(home, sets),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        landed = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=60)

    assert landed.startswith("logged in   GOOD  ")
    assert "" == rest
    assert "devcontainer-registry: interrupted; saved: GOOD; not saved: SLOW\n" == said
    assert 130 == process.returncode
    assert [fine.registry] == list(home.auths)


def test_ctrl_c_in_a_hook_that_names_a_set_to_come_is_one_line(home):
    with Fine(BOB) as fine, Hanging() as hanging:
        sets = {**a_set("GOOD", fine.registry), **a_set("SLOW", hanging.registry)}
        only = [word for each in ("GOOD", "SLOW", "TO_COME") for word in ("--only", each)]
        process = subprocess.Popen(
            [sys.executable, "-m", "devcontainer_registry", "hook", "postCreate", *only],
            env=environ(home, sets),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)

    assert "devcontainer-registry: interrupted; saved: GOOD; not saved: SLOW\n" == said
    assert 0 == process.returncode


class Closed(io.StringIO):
    def write(self, _):
        raise BrokenPipeError


def test_a_closed_pipe_does_not_prevent_the_login(home, monkeypatch):
    progress = Progress(terminal=False, lands=True, colours=False)
    monkeypatch.setattr(sys, "stdout", Closed())
    with Fine(BOB) as fine:
        sets = a_set("GOOD", fine.registry)
        home.login(sets=sets, observe=lambda event, **fields: progress.take(event, fields))
        progress.close()

    assert [fine.registry] == list(home.auths)
