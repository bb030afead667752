# SPDX-License-Identifier: MIT
"""
Other programs' credential helpers, run with a deadline.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time

from ..causes import credential as causes
from ..config.auth_entry import folded
from ..config.findings import helper_missing
from ..credentials import Credential, Secret
from ..errors import printable
from ..files import find_program
from ..naming import HELPER_PREFIX, NOT_FOUND

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# Octets.  A credential has a few KB; anything larger is not one.
_ANSWER_MAX = 1024 * 1024

# Seconds.  A caller may pass infinity, which poll(2) does not take.
_POLL_MAX = 3600.0


def ask_helper(
    name: str, server: str, *, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    """
    Ask `docker-credential-`*name* for *server*; return None if it has no login.

    Raises:
        ConfigError: It is missing (`helper-missing`), hangs (`helper-hangs`), fails or answers
            nonsense (`helper-failed`).  Its output is not quoted: it may be the secret.
    """
    program = _found(name, environ)
    try:
        status, answer = _run([program, "get"], server.encode(), environ=environ, timeout=timeout)
    except TimeoutError:
        hangs = causes.HELPER_HANGS.error(program=_shown(name), server=server, seconds=timeout)
        raise hangs from None
    except OSError as exc:
        # Its interpreter is missing, or it is built for another platform.
        raise causes.HELPER_NOT_STARTED.error(
            program=_shown(name), server=server, reason=os.strerror(exc.errno or 0)
        ) from exc
    if status != 0:
        if answer.strip() == NOT_FOUND.encode():
            return None
        raise causes.HELPER_FAILED.error(program=_shown(name), server=server, status=status)
    pair = _said(answer)
    if pair is None:
        raise causes.HELPER_TALKS_NONSENSE.error(program=_shown(name), server=server)
    # docker sends nothing if either is empty; DevPod's helper answers so when it fails.
    # https://github.com/distribution/distribution/blob/v2.8.3/registry/client/auth/session.go
    return Credential(username=pair[0], secret=Secret(pair[1])) if all(pair) else None


def _said(answer: bytes) -> tuple[str, str] | None:
    """
    Return user name and secret in *answer* as Go's decoder reads them; None if it is invalid.

    Go ignores the case of a member and any text after the object; members may be missing.
    """
    try:
        said = json.JSONDecoder().raw_decode(answer.decode().lstrip(" \t\r\n"))[0]
    except (ValueError, RecursionError):
        return None
    if not isinstance(said, dict):
        return None
    members = folded(said)
    username, secret = members.get("username", ""), members.get("secret", "")
    if isinstance(username, str) and isinstance(secret, str):
        return username, secret
    return None


def _found(name: str, environ: Mapping[str, str]) -> str:
    program = find_program(HELPER_PREFIX + name, environ) if name else None
    if program is None:
        raise helper_missing(name, named_in="config.json")
    return program


def _run(
    command: list[str], given: bytes, *, environ: Mapping[str, str], timeout: float
) -> tuple[int, bytes]:
    """
    Run *command* until it ends or its output exceeds the limit.

    Raises:
        TimeoutError: It did not end within *timeout* seconds.
        OSError: It could not be started.
    """
    give_up = time.monotonic() + timeout
    with subprocess.Popen(  # noqa: S603  (the program that docker would run, and no shell)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        bufsize=0,
        start_new_session=True,  # to end its children as well
    ) as process:
        try:
            _tell(process, given)
            answer = _read(process, give_up)
            if len(answer) <= _ANSWER_MAX:
                return process.wait(max(0.0, give_up - time.monotonic())), answer
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            # Not reaped yet, so the process id is still its own.
            if process.returncode is None:
                _end(process)
        process.wait()
        return 0, b""  # too much output for a credential


def _tell(process: subprocess.Popen[bytes], given: bytes) -> None:
    assert process.stdin is not None
    try:
        # A host's name fits any pipe, so this never blocks.
        process.stdin.write(given)
        process.stdin.close()
    except BrokenPipeError:
        pass  # it exited without reading its input


def _read(process: subprocess.Popen[bytes], give_up: float) -> bytes:
    """
    Return the output of *process* until its stdout is closed.

    With a deadline: a child that outlives it would keep the pipe open.
    """
    assert process.stdout is not None
    said = b""
    descriptor = process.stdout.fileno()
    waiting = select.poll()
    waiting.register(descriptor, select.POLLIN | select.POLLHUP)
    while len(said) <= _ANSWER_MAX:
        left = give_up - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if not waiting.poll(min(left, _POLL_MAX) * 1000):
            continue
        piece = os.read(descriptor, 65536)
        if not piece:
            break
        said += piece
    return said


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass  # already gone; macOS raises the latter


def _shown(name: str) -> str:
    # config.json may hold control sequences for the terminal.
    return printable(HELPER_PREFIX + name)
