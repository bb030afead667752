# SPDX-License-Identifier: MIT
"""
A child process: its start, its signals and its exit status.
"""

from __future__ import annotations

import errno
import os
import signal

from ...causes.workspace import running as causes
from ...errors import printable
from ...observer import tell

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...errors import RegistryError
    from .signals import Signals

NOT_FOUND, NOT_EXECUTABLE = 127, 126
# A shell adds the number of the signal that ended a process.
_BY_SIGNAL = 128

# The interpreter ignores these.
_IGNORED_HERE = tuple(
    getattr(signal, name) for name in ("SIGPIPE", "SIGXFSZ") if hasattr(signal, name)
)


class NotStartedError(Exception):
    """
    The command could not be started.

    Attributes:
        status: The exit status that a shell would have.
        error: Why, in words.
    """

    def __init__(self, status: int, error: RegistryError) -> None:
        super().__init__()
        self.status = status
        self.error = error


def run_child(
    command: Sequence[str], environ: Mapping[str, str], *, signals: Signals, lock: int
) -> int:
    """
    Run *command* to its end, and return its exit status as a shell has it.

    It is in the same process group, and so has the terminal.  When it is stopped, this process
    stops, too.

    Args:
        command: The program and its arguments.
        environ: All of its variables.
        signals: Blocked here, and as they were before in the child.
        lock: A descriptor that the child keeps open.

    Raises:
        NotStartedError: There is no such program, or it cannot be executed.
    """
    os.set_inheritable(lock, True)
    pid = _started(command, environ, signals)
    tell("run.started", pid=pid)
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
        if ended and not os.WIFSTOPPED(status):
            break
        if ended:
            _stop()
            continue
        number, has_reached_child = signals.next()
        if number != signal.SIGCHLD and not has_reached_child:
            os.kill(pid, number)
            tell("run.signal", name=signal.Signals(number).name)
    code = os.waitstatus_to_exitcode(status)
    code = code if code >= 0 else _BY_SIGNAL - code
    tell("run.ended", status=code)
    return code


def _started(command: Sequence[str], environ: Mapping[str, str], signals: Signals) -> int:
    # Not with subprocess, which closes what the caller has opened for the command, such as the
    # pipe of `<(...)`; and a fork in Python is not safe beside other threads.
    program, *arguments = command
    if not program:
        raise _not_started(program, FileNotFoundError(errno.ENOENT, ""))
    try:
        return _spawned([program, *arguments], environ, signals)
    except OSError as exc:
        if exc.errno != errno.ENOEXEC:
            raise _not_started(program, exc) from None
    except ValueError as exc:  # a NUL
        raise _not_started(program, OSError(errno.EINVAL, "")) from exc
    # A script without a first line that names its interpreter, which a shell runs itself.
    try:
        return _spawned(["/bin/sh", _path_of(program, environ), *arguments], environ, signals)
    except OSError as exc:
        raise _not_started(program, exc) from None


def _spawned(command: list[str], environ: Mapping[str, str], signals: Signals) -> int:
    return os.posix_spawnp(
        command[0], command, environ, setsigmask=signals.mask, setsigdef=_IGNORED_HERE
    )


def _path_of(program: str, environ: Mapping[str, str]) -> str:
    if "/" in program:
        return program
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    paths = (os.path.join(folder, program) for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK)), program)


def _not_started(program: str, exc: OSError) -> NotStartedError:
    if exc.errno == errno.ENOENT:
        cause = causes.ASSIGNMENT if "=" in program else causes.NOT_FOUND
        return NotStartedError(NOT_FOUND, cause.error(command=_name(program)))
    reason = os.strerror(exc.errno or 0)
    error = causes.NOT_EXECUTABLE.error(command=_name(program), reason=reason)
    return NotStartedError(NOT_EXECUTABLE, error)


def _name(program: str) -> str:
    # A word with an equals sign may be a variable with a secret.
    return printable(program) if program and "=" not in program else "the command"


def _stop() -> None:
    """
    Stop this process as the child is, so that the shell takes the terminal back.
    """
    # The child goes on already.
    if signal.SIGCONT not in signal.sigpending():
        os.kill(os.getpid(), signal.SIGSTOP)
