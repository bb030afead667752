# SPDX-License-Identifier: MIT
"""
The kubelet's credential provider: `devcontainer-registry-kubelet`, and the command `kubelet`.

The kubelet starts it, passes a request on stdin and reads all of stdout as the response.  If the
exit status is not 0, it logs stderr and goes on without a credential of ours.
"""

from __future__ import annotations

import errno
import os
import time

from ..errors import RegistryError, in_one_line
from ..files import read_all, write_all
from ..kubelet import remembered
from ..kubelet.protocol import parse, response, seconds_to_keep

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import NoReturn

PROGRAM = "devcontainer-registry-kubelet"

# The kubelet ends a provider after a minute; a busy node needs a part of that to start this.
# https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/credentialprovider/plugin/plugin.go
_ANSWER_WITHIN = 45.0  # seconds

# Octets.  All annotations of an object have 256 KiB, and a token some KB.
_REQUEST_MAX = 1024 * 1024

_FAILED = 1
_SECRETS_FILE = "--secrets-file="
_LOG_LEVEL = "DEVCONTAINER_REGISTRY_LOG_LEVEL"


def run(arguments: Sequence[str]) -> NoReturn:
    """
    Answer the kubelet and end the process.

    Other output of plugins, SDKs or the interpreter is discarded: the kubelet reads all of stdout
    as the response, and logs stderr.  The process ends after the answer, even if a thread still
    waits for a cloud.
    """
    status = _FAILED
    try:
        out, err = os.dup(1), os.dup(2)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        status = main(arguments, os.environ, out=out, err=err)
    finally:
        os._exit(status)


def main(arguments: Sequence[str], environ: Mapping[str, str], *, out: int, err: int) -> int:
    """
    Answer one request, and return the exit status: 0, or 1 with the reason in one line.

    Args:
        arguments: Of the command, without its name.
        environ: Its variables.
        out: Descriptor that the kubelet reads.
        err: Descriptor for the reason, and for the log.
    """
    give_up = time.monotonic() + _ANSWER_WITHIN
    try:
        if _may_log(arguments, environ):
            text = _at_length(arguments, environ, err=err, give_up=give_up)
        else:
            text = _answer(environ, _secrets_file(arguments), give_up=give_up)
        write_all(out, f"{text}\n".encode("ascii"))
    except RegistryError as exc:
        reason = in_one_line(exc)
    except Exception as exc:  # noqa: BLE001  (a traceback could quote what was read)
        reason = _bug(exc)
    else:
        return 0
    write_all(err, f"devcontainer-registry: {reason}\n".encode("utf-8", "replace"))
    return _FAILED


def _answer(environ: Mapping[str, str], secrets_file: str | None, *, give_up: float) -> str:
    request = parse(_given())
    if not request.token and request.registry is not None:
        now = time.time()
        entry = remembered.fresh(request.registry, environ, secrets_file, now=now)
        if entry is not None:
            life = {"issued_at": entry.issued_at, "expires_at": entry.expires_at}
            seconds = seconds_to_keep(**life, now=now)
            return response(request, entry.username, entry.secret, seconds=seconds)
    # Dear, and what is remembered needs none of it.
    from ..kubelet.provider import provide
    from .parsing.settings import misspelled

    if mistake := misspelled(environ):
        raise RegistryError(mistake)
    return provide(request, environ, secrets_file=secrets_file, give_up=give_up)


def _may_log(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """
    Whether the command line needs its parser: it has more than a secrets file, or asks for a log.
    """
    if environ.get(_LOG_LEVEL, "") not in ("", "warning", "error"):
        return True
    match arguments:
        case []:
            return False
        case ["--secrets-file", path]:
            return path.startswith("-")
        case [option]:
            return not option.startswith(_SECRETS_FILE)
        case _:
            return True


def _secrets_file(arguments: Sequence[str]) -> str | None:
    """
    Return the path in *arguments* that need no parser.
    """
    return arguments[-1].removeprefix(_SECRETS_FILE) if arguments else None


def _at_length(
    arguments: Sequence[str], environ: Mapping[str, str], *, err: int, give_up: float
) -> str:
    """
    Return the answer, with the command line parsed as that of any command, and with a log.
    """
    from ..observer import listening, since, tell
    from .hiding import Hider
    from .log import observer
    from .parsing.command_line import parser_for
    from .parsing.usage import UsageError

    words = ("kubelet", *arguments)
    try:
        options = parser_for(words, environ).parse_args(words)
    except UsageError as exc:
        raise RegistryError(str(exc), hint=exc.fix) from None
    begun, code = time.monotonic(), None
    stream = open(os.dup(err), "w", encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    observe = observer(
        level=options.log_level,
        log_format=options.log_format,
        hide=Hider(environ, secrets_file=options.secrets_file),
        colours=False,
        stream=stream,
    )
    with stream, listening(observe):
        try:
            return _answer(environ, options.secrets_file, give_up=give_up)
        except RegistryError as exc:
            code = exc.code
            raise
        except BaseException as exc:
            code = type(exc).__name__
            raise
        finally:
            tell("kubelet.answered", ok=code is None, code=code, ms=since(begun))


def _given() -> str:
    """
    Read all of stdin.
    """
    if os.isatty(0):
        from ..causes.kubernetes.kubelet import IS_TERMINAL

        raise IS_TERMINAL.error()
    try:
        # What is no UTF-8 is no JSON; half of a character is not to become another one.
        return read_all(0, limit=_REQUEST_MAX).decode("utf-8", "surrogateescape")
    except OSError as exc:
        if exc.errno != errno.EFBIG:
            raise
    from ..causes.kubernetes.kubelet import TOO_LONG

    raise TOO_LONG.error(count=_REQUEST_MAX)


def _bug(exc: Exception) -> str:
    """
    Return the line for *exc*, without its text, which could quote what was read.
    """
    from ..breakdown import reason

    found = reason(exc)
    if found:
        return found
    from ..causes.credential import HELPER_BUG

    return in_one_line(HELPER_BUG.error(program=PROGRAM, error=type(exc).__name__))
