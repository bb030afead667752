# SPDX-License-Identifier: MIT
"""
Other people's credential helpers: asked with a deadline, and not believed in more than they say.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading

from .credentials import Credential, Secret
from .errors import ConfigError
from .helper import NOT_FOUND

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# Octets.  A credential is a few KB; what is more is not one.
_ANSWER_MAX = 1024 * 1024


def ask_helper(
    name: str, server: str, *, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    """
    What `docker-credential-`*name* answers for *server*; None where it says that it has nothing.

    Raises:
        ConfigError: It is missing (`helper-missing`), hangs (`helper-hangs`), fails or answers
            nonsense (`helper-failed`).  What it printed is not quoted: it may be the secret.
    """
    program = _found(name, environ)
    status, answer = _run([program, "get"], server.encode(), environ=environ, timeout=timeout)
    if answer is None:
        raise ConfigError(
            f"docker-credential-{name} gave no answer within {timeout:g} s",
            hint=f"run echo {server} | docker-credential-{name} get to see what it waits for",
            code="helper-hangs",
        )
    if status != 0:
        if answer.strip() == NOT_FOUND.encode():
            return None
        raise _failed(name, server, f"failed with status {status}")
    try:
        fields = json.loads(answer)
        username, secret = fields["Username"], fields["Secret"]
    except (ValueError, TypeError, KeyError, RecursionError):
        # Without the cause, which quotes the answer.
        raise _failed(name, server, "answered something else than a credential") from None
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _failed(name, server, "answered something else than a credential")
    # docker takes two empty strings for "nothing"; DevPod's helper says so when it fails.
    return Credential(username=username, secret=Secret(secret)) if username or secret else None


def _found(name: str, environ: Mapping[str, str]) -> str:
    # A slash would make it a path, and so whatever program the file names.
    program = None
    if name and "/" not in name and "\0" not in name:
        program = shutil.which(f"docker-credential-{name}", path=environ.get("PATH", os.defpath))
    if program is None:
        raise ConfigError(
            f"config.json names docker-credential-{name}, which is not on PATH",
            hint="install it, or remove its credsStore or credHelpers entry from config.json",
            code="helper-missing",
        )
    return program


def _run(
    command: list[str], given: bytes, *, environ: Mapping[str, str], timeout: float
) -> tuple[int, bytes | None]:
    """
    Run *command* to its end; None for the answer where that took too long, or too much.
    """
    with subprocess.Popen(  # noqa: S603  (the program that docker would run, and no shell)
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        start_new_session=True,  # so that its children end with it
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        ended = threading.Timer(timeout, _end, [process])
        ended.start()
        try:
            try:
                process.stdin.write(given)
                process.stdin.close()
            except BrokenPipeError:
                pass  # it knew the answer, or its failure, without reading
            answer = process.stdout.read(_ANSWER_MAX + 1)
            if len(answer) > _ANSWER_MAX:
                _end(process)
            status = process.wait()
            return status, None if status == -signal.SIGKILL else answer
        finally:
            ended.cancel()


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass  # gone by itself


def _failed(name: str, server: str, what: str) -> ConfigError:
    return ConfigError(
        f"docker-credential-{name} {what}",
        hint=f"run echo {server} | docker-credential-{name} get to see why",
        code="helper-failed",
    )
