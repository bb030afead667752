# SPDX-License-Identifier: MIT
"""
The command `devcontainer-registry`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import stat
import sys

from ..breakdown import reason
from ..errors import InvalidRegistryError
from ..naming import SECRETS_FILE_VARIABLE
from ..observer import listening
from . import render
from .hiding import Hider, trace_of
from .output.login import log_in, make_observer, print_lines, print_report
from .output.table import has_colours
from .parsing import completion
from .parsing.command_line import parser_for
from .parsing.settings import misspelled
from .parsing.usage import STATUS, UsageError, complain, is_forgiving

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import TextIO

    from ..observer import Observer
    from ..report import LoginReport

_BUG = 1


def main(argv: Sequence[str] | None = None) -> int:
    """
    Run the command, and return its exit status.
    """
    environ = os.environ
    _prepare_streams()
    words = sys.argv[1:] if argv is None else list(argv)
    # Not even a bug of ours is to stop a container from starting.
    forgiving = is_forgiving(words)
    arguments = argparse.Namespace(words=words)
    try:
        parser_for(words, environ).parse_args(words, arguments)
        with listening(_details(arguments, environ)):
            status = _run(arguments, environ)
    except UsageError as exc:
        if forgiving:
            complain(f"nothing done: {exc}")
        else:
            complain(str(exc), fix=exc.fix)
        status = STATUS
    except BrokenPipeError:
        status = _BUG
    except KeyboardInterrupt:
        status = 130
    except Exception as exc:  # noqa: BLE001  (the last line of defence)
        status = _crashed(exc, environ, getattr(arguments, "secrets_file", None))
    if not all([_was_written(sys.stdout), _was_written(sys.stderr)]):
        status = status or _BUG
    return 0 if forgiving else status


def _run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """
    Run the command that was parsed, unless a setting that it would read is misspelled.
    """
    if arguments.verb in ("login", "hook", "run"):
        # Going on with the default would write to the wrong place.
        if mistake := misspelled(environ):
            raise UsageError(mistake)
    elif arguments.verb not in ("completion", "help") and (mistake := misspelled(environ)):
        complain(mistake)
    return _COMMANDS[arguments.verb](arguments, environ)


def _was_written(stream: TextIO) -> bool:
    """
    Return whether all output was written; drop the rest, or the interpreter fails at exit.
    """
    try:
        stream.flush()
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # A reader that closed the pipe needs no message.
        if stream is sys.stdout and not isinstance(exc, BrokenPipeError):
            complain(f"cannot write stdout: {os.strerror(exc.errno or 0)}")
        return False
    return True


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # The caller closed it.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            # A path may hold what the locale can't spell.
            stream.reconfigure(errors="backslashreplace")


def _login(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from ..logins.login import login

    report = log_in(arguments, environ, login, lands=not arguments.dry_run)
    if not arguments.json and not report.outcomes and report.error is None:
        print_lines(["no secrets found"])
        print_lines(
            ["  fix: set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD, for any <ID>"]
        )
    print_report(report, arguments, asked=True)
    return report.exit_status


def _run_child(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .running.run import run

    return run(arguments, environ)


def _hook(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from . import hook as lifecycle
    from . import quiet_start

    def run(**settings: object) -> LoginReport:
        return lifecycle.run(arguments.step, **settings)

    if arguments.user is not None:
        from .become import BecomingError, become

        try:
            become(arguments.user, os.environ)
        except BecomingError as exc:
            raise UsageError(f"--user: {exc}") from None
    _refuse_missing_file(arguments, environ)
    for warning in arguments.warnings:
        complain(warning)
    before = quiet_start.digest(arguments.words, environ)
    # What goes into a snapshot gets a warning, which is only known at the end.
    lands = not (arguments.dry_run or lifecycle.is_in_snapshot(arguments.step))
    report = log_in(arguments, environ, run, lands=lands)
    if arguments.json or lifecycle.has_news(report):
        print_report(report, arguments, quiet=True, asked=True)
    elif lifecycle.found_all_as_it_was(report) and not arguments.warnings:
        quiet_start.remember(arguments.words, environ, before=before)
    return report.exit_status


def _refuse_missing_file(arguments: argparse.Namespace, environ: Mapping[str, str]) -> None:
    """
    Raise UsageError if the named secrets file does not exist.

    A file that cannot be read, or is not JSON, is named rightly: the report has that error.
    """
    named = arguments.secrets_file or environ.get(SECRETS_FILE_VARIABLE)
    try:
        if not named or not stat.S_ISDIR(os.stat(named).st_mode):
            return
    except (FileNotFoundError, NotADirectoryError, ValueError):
        pass
    except OSError:
        return
    where = "--secrets-file" if arguments.secrets_file else SECRETS_FILE_VARIABLE
    message = f"{where} names no file that exists"
    raise UsageError(message)


def _list(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from ..discovery import discover
    from ..logins.candidates import survey

    # Which only the document has.
    config = _config_path(environ) if arguments.json else ""
    report = survey(discover(environ, secrets_file=arguments.secrets_file), config=config)
    if not arguments.json and not report.outcomes:
        print_lines(["no secrets found"])
    print_report(report, arguments)
    return report.exit_status


def _config_path(environ: Mapping[str, str]) -> str:
    from ..config.file import DockerConfig
    from ..errors import ConfigError

    try:
        return DockerConfig.locate(environ).path
    except ConfigError:
        return ""  # a list needs no place to write to


def _status(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from ..logins.status import status

    report = status(environ=environ, secrets_file=arguments.secrets_file)
    if arguments.json:
        import json

        print_lines([json.dumps(report.to_dict(), indent=2)])
    else:
        if not report.standings and report.error is None:
            print_lines(["no registry is known here"])
        print_lines(render.status_lines(report, colours=has_colours(sys.stdout)))
    return report.check_status if arguments.check else report.exit_status


def _doctor(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from . import doctor

    return doctor.run(arguments, environ, observe=make_observer(arguments, environ))


def _logout(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from ..logins.logout import logout
    from ..registry import Registry

    if bool(arguments.registries) == arguments.all:
        raise UsageError("name the registries to log out of, or --all")
    try:
        registries = None if arguments.all else [Registry(r) for r in arguments.registries]
    except InvalidRegistryError as exc:
        raise UsageError(exc.message) from None
    report = logout(registries, observe=make_observer(arguments, environ))
    if not arguments.json and not report.outcomes and report.error is None:
        print_lines(["nothing to log out of"])
    print_report(report, arguments, logout=True)
    return report.exit_status


def _export(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .export_command import run

    return run(arguments, environ)


def _kubelet(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    from . import kubelet

    kubelet.run(arguments.words[1:])


def _demo(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .demo import run

    return run(
        as_json=arguments.json,
        colours=has_colours(sys.stdout, environ),
        observe=make_observer(arguments, environ),
    )


def _help(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    arguments.parsers.get(arguments.command, arguments.parser).print_help()
    return 0


def _details(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Observer | None:
    # For commands that take no observer.
    wanted = getattr(arguments, "log_level", None) == "debug"
    return make_observer(arguments, environ) if wanted else None


def _crashed(exc: Exception, environ: Mapping[str, str], secrets_file: str | None) -> int:
    known = reason(exc)
    if known:
        with contextlib.suppress(OSError):
            sys.stderr.write(f"devcontainer-registry: {known}\n")
        return _BUG
    hide = Hider(environ, secrets_file=secrets_file)
    try:
        text = hide(trace_of(exc))
    except Exception:  # noqa: BLE001  (what hides secrets has failed itself: show nothing)
        text = f"{type(exc).__name__}\n"
    with contextlib.suppress(OSError):
        sys.stderr.write(text)
        sys.stderr.write("devcontainer-registry: this is a bug; please report the lines above\n")
    return _BUG


_COMMANDS: Mapping[str, Callable[[argparse.Namespace, Mapping[str, str]], int]] = {
    "login": _login,
    "hook": _hook,
    "run": _run_child,
    "list": _list,
    "status": _status,
    "doctor": _doctor,
    "logout": _logout,
    "export": _export,
    "kubelet": _kubelet,
    "demo": _demo,
    "completion": completion.run,
    "help": _help,
}
