# SPDX-License-Identifier: MIT
"""
The command `devcontainer-registry`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys

from ..breakdown import reason
from ..errors import InvalidRegistryError
from ..observer import listening
from . import export_command, quiet_start, render
from . import hook as lifecycle
from .arguments import (
    STATUSES,
    Parser,
    Version,
    add_command,
    add_doctor_options,
    add_help_command,
    add_login_options,
    add_output_options,
    add_source_options,
    complain,
    either,
    usage_error,
)
from .hiding import Hider, trace_of
from .output.login import log_in, make_observer, print_lines, print_report
from .output.table import has_colours

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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
    arguments = argparse.Namespace()
    try:
        arguments.words = sys.argv[1:] if argv is None else list(argv)
        _parser(environ).parse_args(arguments.words, arguments)
        with listening(_details(arguments, environ)):
            status: int = arguments.run(arguments, environ)
    except BrokenPipeError:
        status = _BUG
    except KeyboardInterrupt:
        status = 130
    except Exception as exc:  # noqa: BLE001  (the last line of defence)
        status = _crashed(exc, environ, getattr(arguments, "secrets_file", None))
    if not all([_was_written(sys.stdout), _was_written(sys.stderr)]):
        status = status or _BUG
    # Not even a bug of ours is to stop a container from starting.
    return 0 if getattr(arguments, "forgiving", False) else status


def _was_written(stream: TextIO) -> bool:
    """
    Whether all that was said has arrived; else it is let go, or the interpreter fails at exit.
    """
    try:
        stream.flush()
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        # Whoever read us may have gone, and knows.
        if stream is sys.stdout and not isinstance(exc, BrokenPipeError):
            complain(f"stdout can't be written: {os.strerror(exc.errno or 0)}")
        return False
    return True


def _prepare_streams() -> None:
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            # Closed by whoever started us; printing into nothing is still printing.
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            # A path may hold what the locale can't spell.
            stream.reconfigure(errors="backslashreplace")


def _parser(environ: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = Parser(
        prog="devcontainer-registry",
        description="Log a dev container in to its private registries,\n"
        "from the secrets in its environment.",
        epilog=STATUSES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-V", "--version", action=Version, nargs=0, help="print the version")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    login = add_command(commands, "login", _login, "log in to every registry with a secret")
    add_login_options(login, environ, verify="always", timeout="30")
    hook = add_command(
        commands, "hook", _hook, "log in from a lifecycle command; exits 0 unless --strict"
    )
    hook.add_argument("step", choices=lifecycle.STEPS, metavar="STEP", help=either(lifecycle.STEPS))
    hook.add_argument("--user", metavar="NAME", help="run as this user (root only)")
    hook.add_argument("--strict", action="store_true", help="exit as login does, not always 0")
    add_login_options(hook, environ, verify="changed", timeout=f"{lifecycle.TIMEOUT:g}")
    found = add_command(
        commands, "list", _list, "show the variables that are set, and what is wrong with them"
    )
    add_source_options(found)
    status = add_command(
        commands,
        "status",
        _status,
        "show which login Docker uses for each registry, and when it expires",
    )
    add_source_options(status)
    status.add_argument(
        "--check",
        action="store_true",
        help="exit 6 for a hidden login or a broken helper, 3 where docker would get no login",
    )
    doctor = add_command(commands, "doctor", _doctor, "find out why an image cannot be pulled")
    add_doctor_options(doctor, environ)
    logout = add_command(commands, "logout", _logout, "remove the logins that this tool saved")
    logout.add_argument("registries", nargs="*", metavar="REGISTRY", help="such as ghcr.io")
    logout.add_argument("--all", action="store_true", help="every registry with a saved login")
    exported = add_command(
        commands, "export", export_command.run, "print the saved logins in another tool's format"
    )
    export_command.add_options(exported)
    add_command(commands, "demo", _demo, "try a login with two temporary local registries")
    for command in commands.choices.values():
        add_output_options(command, environ)
    add_help_command(commands, parser)
    return parser


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


def _hook(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    def run(**settings: object) -> LoginReport:
        return lifecycle.run(arguments.step, **settings)

    if arguments.user is not None:
        from .become import BecomingError, become

        try:
            become(arguments.user, os.environ)
        except BecomingError as exc:
            # Wrong usage, in a hook that forgives everything else, too.
            raise usage_error(f"--user: {exc}") from None
    arguments.forgiving = not arguments.strict
    before = quiet_start.digest(arguments.words, environ)
    # What goes into a snapshot gets a warning, which is only known at the end.
    lands = not (arguments.dry_run or lifecycle.is_in_snapshot(arguments.step))
    report = log_in(arguments, environ, run, lands=lands)
    if arguments.json or lifecycle.has_news(report):
        print_report(report, arguments, quiet=True, asked=True)
    elif lifecycle.found_all_as_it_was(report):
        quiet_start.remember(arguments.words, environ, before=before)
    return report.exit_status


def _list(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from ..config.file import DockerConfig
    from ..discovery import discover
    from ..errors import ConfigError
    from ..logins.candidates import survey

    try:
        config = DockerConfig.locate(environ).path
    except ConfigError:
        config = ""  # a list needs no place to write to
    report = survey(discover(environ, secrets_file=arguments.secrets_file), config=config)
    if not arguments.json and not report.outcomes:
        print_lines(["no secrets found"])
    print_report(report, arguments)
    return report.exit_status


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
        raise usage_error("name the registries to log out of, or --all")
    try:
        registries = None if arguments.all else [Registry(r) for r in arguments.registries]
    except InvalidRegistryError as exc:
        raise usage_error(exc.message) from None
    report = logout(registries, observe=make_observer(arguments, environ))
    if not arguments.json and not report.outcomes and report.error is None:
        print_lines(["nothing to log out of"])
    print_report(report, arguments, logout=True)
    return report.exit_status


def _demo(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from .demo import run

    return run(
        as_json=arguments.json,
        colours=has_colours(sys.stdout, environ),
        observe=make_observer(arguments, environ),
    )


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
