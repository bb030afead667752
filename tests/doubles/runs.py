# SPDX-License-Identifier: MIT
"""
Runs of a command with private logins: where they put their folders, and what is in them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from doubles.command_line import environ
from doubles.homes import Home

from devcontainer_registry.commands.running import folder as folders

_IN_MEMORY = "/dev/shm"

# Prints what a command of a run has, as JSON.
LOOK = """\
import json, os, sys
folder = os.path.dirname(os.environ["DOCKER_CONFIG"])
found = {}
for above, folders, files in os.walk(folder):
    for name in (*folders, *files):
        path = os.path.join(above, name)
        link = os.readlink(path) if os.path.islink(path) else None
        found[os.path.relpath(path, folder)] = link or oct(os.lstat(path).st_mode & 0o777)
def text(path):
    with open(path) as file:
        return file.read()
def document(path):
    return json.loads(text(path)) if os.path.exists(path) else None
json.dump(
    {
        "folder": folder,
        "mode": oct(os.stat(folder).st_mode & 0o777),
        "files": found,
        "environ": dict(os.environ),
        "config": document(os.path.join(os.environ["DOCKER_CONFIG"], "config.json")),
        "auth": document(os.environ["REGISTRY_AUTH_FILE"]),
        "argv": [text(f"/proc/{pid}/cmdline") for pid in (os.getpid(), os.getppid())],
    },
    sys.stdout,
)
"""

# Writes the name of each signal that it gets into a file, and ends at SIGTERM.
LISTEN = """\
import os, signal, sys
names = ("HUP", "INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "CONT")
numbers = {getattr(signal, "SIG" + name) for name in names}
noted = {number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN}
signal.pthread_sigmask(signal.SIG_BLOCK, noted)
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
os.write(file, b"ready\\n")
while True:
    number = signal.sigwait(noted)
    os.write(file, signal.Signals(number).name.encode() + b"\\n")
    if number in (signal.SIGTERM, signal.SIGHUP):
        sys.exit(5)
"""


class Runner:
    """
    A home, and two places in which a run may put its folder: in memory and on a disk.
    """

    def __init__(self, folder):
        self.home = Home(folder / "home")
        os.makedirs(os.path.dirname(self.home.config), mode=0o700)
        self.disk = folder / "tmp"
        self.disk.mkdir()
        in_memory = _IN_MEMORY if os.path.isdir(_IN_MEMORY) else folder
        self.memory = tempfile.mkdtemp(prefix="test-", dir=in_memory)
        # Where a run puts its folder, by the rule that memory comes first.
        self.place = self.memory if folders._is_in_memory(self.memory) else str(self.disk)
        self.environ = {"XDG_RUNTIME_DIR": self.memory, "TMPDIR": str(self.disk)}

    def folders(self):
        """
        The private folders that there are.
        """
        places = (self.memory, str(self.disk))
        return sorted(
            os.path.join(place, name)
            for place in places
            for name in os.listdir(place)
            if name.startswith(folders.PREFIX)
        )

    def variables(self, sets=None):
        return environ(self.home, {**self.environ, **(sets or {})})

    def run(self, *arguments, sets=None, **options):
        """
        Run `devcontainer-registry run` to its end.
        """
        return subprocess.run(
            command(*arguments),
            env=self.variables(sets),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            **options,
        )

    def look(self, *options, sets=None):
        """
        What a command sees that is run with *options*.
        """
        done = self.run(*options, "--", sys.executable, "-c", LOOK, sets=sets)
        assert (0, "") == (done.returncode, done.stderr), done.stderr
        return json.loads(done.stdout)

    @contextlib.contextmanager
    def listening(self, path, *, sets=None, wrapper=(), **options):
        """
        A run whose command notes its signals in the file *path*; it is ended afterwards.
        """
        process = subprocess.Popen(
            [*wrapper, *command("--", sys.executable, "-c", LISTEN, str(path))],
            env=self.variables(sets),
            **{"stdin": subprocess.DEVNULL, "start_new_session": True, **options},
        )
        try:
            wait_until(lambda: "ready" in signals_in(path), process)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def remove(self):
        shutil.rmtree(self.memory, ignore_errors=True)


def command(*arguments, program=("-m", "devcontainer_registry")):
    return [sys.executable, *program, "run", *arguments]


def signals_in(path):
    """
    The signals that a listening command has noted.
    """
    return path.read_text().split() if path.exists() else []


def wait_until(is_so, process=None, seconds=30):
    """
    Wait until *is_so()*, while *process* runs, and return what that returned.
    """
    give_up = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < give_up
        assert process is None or process.poll() is None
        time.sleep(0.01)
    return found
