# SPDX-License-Identifier: MIT
"""
The command as a process of its own, in a home and an environment of its own.
"""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import dataclass

from doubles.variables import a_set


@dataclass(frozen=True)
class Ran:
    status: int
    stdout: str
    stderr: str

    @property
    def document(self):
        return json.loads(self.stdout)


def run(home, *arguments, sets=None, stdin=None, program=("-m", "devcontainer_registry")):
    """
    Run the command to its end.
    """
    done = subprocess.run(
        [sys.executable, *program, *arguments],
        env=environ(home, sets),
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


def run_on_terminal(home, *arguments, sets=None):
    """
    The same with a terminal for stdout and stderr; its status, and all that was written.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "devcontainer_registry", *arguments],
        env={"TERM": "xterm", **environ(home, sets)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the last of them has closed it
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    return process.wait(timeout=60), written.decode().replace("\r\n", "\n")


def environ(home, sets):
    kept = {n: os.environ[n] for n in ("PATH", "LANG", "PYTHONPATH") if n in os.environ}
    return {**kept, "PYTHONWARNINGS": "error", **home.environ, **(sets or {})}


# The command as a process: what it is given, and what it told.


def set_for(registry, username, password, *, set_id="MY", **members):
    """
    The variables of one set.
    """
    return a_set(set_id, SERVER=str(registry), USER=username, PASSWORD=password, **members)


def document(done):
    """
    What `--json` printed.
    """
    return json.loads(done.stdout)


def by_id(done):
    """
    The outcomes that `--json` printed, each under its set's id.
    """
    return {outcome["id"]: outcome for outcome in document(done)["registries"]}


def only(done):
    """
    The one outcome that `--json` printed.
    """
    (outcome,) = document(done)["registries"]
    return outcome
