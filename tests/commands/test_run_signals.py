# SPDX-License-Identifier: MIT
"""
The command `run` between a terminal, other processes' signals, and its child.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import shlex
import signal
import subprocess
import sys
import termios

import pytest
from doubles.homes import a_set
from doubles.runs import LISTEN, Runner, command, signals_in, wait_until
from doubles.servers import Fine, Hanging

CTRL_C, CTRL_Z, CTRL_BACKSLASH = b"\x03", b"\x1a", b"\x1c"


@pytest.fixture(name="runner")
def _runner(tmp_path):
    runner = Runner(tmp_path)
    yield runner
    runner.remove()


@pytest.fixture(name="noted")
def _noted(tmp_path):
    return tmp_path / "signals"


def child_of(process):
    """
    The id of the one child of *process*.
    """
    with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
        (child,) = file.read().split()
    return int(child)


def state_of(pid):
    """
    `S` for a process that waits, `T` for one that is stopped, ...
    """
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


class Terminal:
    """
    A terminal with a process that leads its session, and what was written to it.
    """

    def __init__(self, argv, environ):
        self._ours, theirs = pty.openpty()
        self.written = b""

        # It becomes the leader of a session, and does not start another process for that.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *argv], env=environ, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        os.set_blocking(self._ours, False)

    def type(self, keys):
        os.write(self._ours, keys)

    def says(self, text):
        """
        Whether *text* was written to it.
        """
        with contextlib.suppress(BlockingIOError, OSError):
            self.written += os.read(self._ours, 65536)
        return text.encode() in self.written

    def hang_up(self):
        os.close(self._ours)
        self._ours = None

    def resize(self):
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, b"\x20\0\x50\0\0\0\0\0")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._ours is not None:
            os.close(self._ours)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


# What another process sends to us alone.


def test_a_signal_to_us_alone_is_passed_on_once_and_ends_in_the_commands_status(runner, noted):
    with runner.listening(noted) as process:
        for name in ("USR1", "USR2", "INT", "QUIT", "WINCH", "CONT"):
            process.send_signal(getattr(signal, f"SIG{name}"))
            wait_until(lambda name=name: f"SIG{name}" in signals_in(noted), process)
        assert 1 == len(runner.folders())
        process.terminate()
        status = process.wait()

    said = ["ready", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGQUIT", "SIGWINCH", "SIGCONT", "SIGTERM"]
    assert said == signals_in(noted)
    assert 5 == status
    assert [] == runner.folders()


def test_a_hang_up_that_another_process_sends_is_passed_on(runner, noted):
    with runner.listening(noted) as process:
        process.send_signal(signal.SIGHUP)

        assert 5 == process.wait()

    assert ["ready", "SIGHUP"] == signals_in(noted)
    assert [] == runner.folders()


def test_a_stop_and_a_continue_are_passed_on_and_we_are_stopped_with_the_command(runner, noted):
    with runner.listening(noted) as process:
        child = child_of(process)
        os.kill(child, signal.SIGSTOP)
        wait_until(lambda: {"T"} == {state_of(process.pid), state_of(child)})
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: "SIGCONT" in signals_in(noted))

        assert "T" not in {state_of(process.pid), state_of(child)}


def test_a_command_that_is_killed_leaves_nothing(runner, noted):
    with runner.listening(noted) as process:
        os.kill(child_of(process), signal.SIGKILL)

        assert 128 + signal.SIGKILL == process.wait()

    assert [] == runner.folders()


def test_what_nohup_ignores_stays_ignored_in_the_command(runner, noted):
    with runner.listening(noted, wrapper=["nohup"], stderr=subprocess.DEVNULL) as process:
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: "SIGUSR1" in signals_in(noted), process)

    assert ["ready", "SIGUSR1"] == signals_in(noted)


def test_the_command_has_no_signal_blocked_and_none_ignored(runner):
    script = "grep -E 'Sig(Blk|Ign)' /proc/self/status"

    done = runner.run("--", "sh", "-c", script)

    bits = {row.split()[0]: int(row.split()[1], 16) for row in done.stdout.splitlines()}
    # The C library's own two, below the first real-time signal, may be set by any caller.
    assert {"SigBlk:": 0, "SigIgn:": 0} == {name: bits[name] & 0x7FFFFFFF for name in bits}


# What a terminal sends.


def test_a_key_of_the_terminal_reaches_the_command_once(runner, noted):
    argv = command("--log-level=debug", "--", sys.executable, "-c", LISTEN, str(noted))
    with Terminal(argv, runner.variables()) as terminal:
        wait_until(lambda: "ready" in signals_in(noted), terminal.process)
        for number, keys in enumerate((CTRL_C, CTRL_BACKSLASH, CTRL_C)):
            terminal.type(keys)
            wait_until(lambda number=number: len(signals_in(noted)) > number + 1)
        terminal.resize()
        wait_until(lambda: "SIGWINCH" in signals_in(noted))
        terminal.process.terminate()
        wait_until(lambda: terminal.says("run.ended"))
        passed_on = terminal.written.count(b"run.signal")

        assert (5, 1) == (terminal.process.wait(), passed_on)

    said = ["ready", "SIGINT", "SIGQUIT", "SIGINT", "SIGWINCH", "SIGTERM"]
    assert said == signals_in(noted)
    assert [] == runner.folders()


def test_a_terminal_that_hangs_up_ends_the_command_and_leaves_nothing(runner, noted):
    argv = command("--", sys.executable, "-c", LISTEN, str(noted))
    with Terminal(argv, runner.variables()) as terminal:
        wait_until(lambda: "ready" in signals_in(noted), terminal.process)
        terminal.hang_up()

        assert 5 == terminal.process.wait()

    assert ["ready", "SIGHUP"] == [each for each in signals_in(noted) if each != "SIGCONT"]
    assert [] == runner.folders()


def test_ctrl_z_gives_the_terminal_back_to_the_shell_and_fg_goes_on(runner, noted):
    variables = {**runner.variables(), "PS1": "prompt> ", "TERM": "dumb"}
    with Terminal(["bash", "--norc", "--noprofile", "-i"], variables) as shell:
        script = f"echo be''gun; read line; echo got $line >{noted}; exit 7"
        shell.type(f"{shlex.join(command('--', 'sh', '-c', script))}\n".encode())
        wait_until(lambda: shell.says("begun"), shell.process)
        shell.type(CTRL_Z)
        wait_until(lambda: shell.says("Stopped"), shell.process)
        shell.type(b"echo st''ill here; fg; echo sta''tus $?\n")
        wait_until(lambda: shell.says("still here"), shell.process)
        assert 1 == len(runner.folders())
        shell.type(b"hello\n")
        wait_until(lambda: shell.says("status 7"), shell.process)

    assert [] == runner.folders()
    assert "got hello\n" == noted.read_text()


# Before there is a command.


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "USR1"])
def test_a_login_that_is_ended_leaves_nothing_and_starts_nothing(runner, noted, name):
    number = getattr(signal, f"SIG{name}")
    with Hanging() as registry:
        process = subprocess.Popen(
            command("--log-level=debug", "--", sys.executable, "-c", LISTEN, str(noted)),
            env=runner.variables(a_set("CORP", registry.registry)),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        said = b""
        while b"connection.opened" not in said:
            said += os.read(process.stderr.fileno(), 65536)
        assert 1 == len(runner.folders())
        process.send_signal(number)
        said += process.communicate(timeout=30)[1]

    # As each would have ended a process that handles no signal; Ctrl-C as everywhere here.
    assert (130 if name == "INT" else -number) == process.returncode
    assert b"interrupted; nothing was started" in said
    assert [] == runner.folders()
    assert [] == signals_in(noted)


# Its first exception is dropped, as one that comes while a destructor runs.
DROPPING = """\
import os, signal, sys, time
import devcontainer_registry.commands.running.run as run
class Dropping:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)
def log_in(*_, **__):
    Dropping()
    time.sleep(60)
run.log_in = log_in
from devcontainer_registry.commands.cli import main
main(sys.argv[1:])
"""


def test_a_signal_whose_exception_is_dropped_ends_the_login_nevertheless(runner):
    done = subprocess.run(
        command("--", "true", program=("-c", DROPPING)),
        env=runner.variables(),
        stderr=subprocess.PIPE,
        timeout=20,
        check=False,
    )

    assert b"Exception ignored in" in done.stderr
    assert -signal.SIGTERM == done.returncode
    assert [] == runner.folders()


# Killed.


def test_a_folder_that_a_killed_run_left_stays_while_its_command_runs(runner, noted):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        sets = a_set("CORP", registry.registry)
        with runner.listening(noted, sets=sets) as process:
            child = child_of(process)
            (folder,) = runner.folders()
            process.kill()
            process.wait()
            runner.run("--", "true")
            assert [folder] == runner.folders()
            assert os.path.exists(os.path.join(folder, "docker", "config.json"))
            os.kill(child, signal.SIGTERM)
            wait_until(lambda: not os.path.exists(f"/proc/{child}") or state_of(child) == "Z")
            runner.run("--", "true")

            assert [] == runner.folders()


# Starts a thread that blocks no signal, as a login that was given up leaves one.
BESIDE_THREAD = """\
import os, sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
from devcontainer_registry.commands.cli import main
os._exit(main(sys.argv[1:]))
"""


# The same, and the command ends when it has just been seen running.
TOO_LATE = BESIDE_THREAD.replace(
    "os._exit",
    """\
import signal
wait = os.waitpid
def waitpid(pid, options):
    found = wait(pid, options)
    while found == (0, 0) and " Z " not in open(f"/proc/{pid}/stat").read():
        pass
    while signal.SIGCHLD in signal.sigpending():
        pass  # until the thread has taken it
    return found
os.waitpid = waitpid
os._exit""",
)


def test_a_command_whose_end_only_that_thread_is_told_of_is_not_waited_for_forever(runner):
    done = subprocess.run(
        command("--", "sleep", "0.2", program=("-W", "ignore", "-c", TOO_LATE)),
        env=runner.variables(),
        timeout=20,
        check=False,
    )

    assert 0 == done.returncode


def test_the_thread_of_an_abandoned_login_takes_no_signal_from_the_command(runner, noted):
    listen = ("--", sys.executable, "-c", LISTEN, str(noted))
    argv = command(*listen, program=("-c", BESIDE_THREAD))
    with Terminal(argv, runner.variables()) as terminal:
        wait_until(lambda: "ready" in signals_in(noted), terminal.process)
        for name in ("USR1", "USR2"):
            terminal.process.send_signal(getattr(signal, f"SIG{name}"))
            wait_until(lambda name=name: f"SIG{name}" in signals_in(noted), terminal.process)
        terminal.type(CTRL_C)
        wait_until(lambda: "SIGINT" in signals_in(noted), terminal.process)
        terminal.process.terminate()

        assert 5 == terminal.process.wait()

    assert ["ready", "SIGUSR1", "SIGUSR2", "SIGINT", "SIGTERM"] == signals_in(noted)
    assert [] == runner.folders()
