# SPDX-License-Identifier: MIT
"""
The command `run`: private logins for another command.

stdout belongs to the command that is run, so all of this prints on stderr.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from functools import partial

from ...causes.workspace import running as causes
from ...errors import ConfigError
from ...logins.login import login
from ...report import exit_status_of
from .. import render
from ..output.login import log_in
from ..output.table import has_colours
from ..parsing.usage import complain
from .auth_file import auth_json
from .child import NotStartedError, run_child
from .copies import PrivateConfig, without_logins
from .folder import PrivateFolder, sweep
from .signals import Interrupted, Signals

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Mapping

    from ...errors import RegistryError
    from ...report import LoginReport, Outcome


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """
    Run the command, and return its exit status; that of the login if it was not started.
    """
    try:
        with Signals() as signals:
            sweep(environ)
            try:
                folder = PrivateFolder.create(environ)
            except ConfigError as exc:
                return _failed(exc)
            try:
                return _run_in(folder, arguments, environ, signals)
            finally:
                left = folder.remove()
                if left is not None:
                    _complain(left)
    except Interrupted as exc:
        if exc.number == signal.SIGINT:
            raise
        # As it would have ended without us.
        signal.signal(exc.number, signal.SIG_DFL)
        os.kill(os.getpid(), exc.number)
        raise


def _run_in(
    folder: PrivateFolder,
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    signals: Signals,
) -> int:
    try:
        private = PrivateConfig(folder.path, environ, secrets_file=arguments.secrets_file)
    except ConfigError as exc:
        return _failed(exc)
    logging_in = partial(login, environ=private.environ, config=private.config)
    with signals.raised():
        report = log_in(arguments, environ, logging_in, lands=False, stays=False)
    report = private.as_users(report)
    failed = report.exit_status != 0
    _print(_lines(report, arguments, failed=failed))
    if arguments.dry_run:
        _print(["dry run: nothing was started"])
        return report.exit_status
    if failed and not arguments.keep_going:
        _complain(causes.NOT_STARTED.error())
        return report.exit_status
    private.take_over()
    try:
        variables = _variables(private, environ, report.outcomes)
        return run_child(arguments.child, variables, signals=signals, lock=folder.lock)
    except ConfigError as exc:
        return _failed(exc)
    except NotStartedError as exc:
        _complain(exc.error)
        return exc.status


def _variables(
    private: PrivateConfig,
    environ: Mapping[str, str],
    outcomes: Iterable[Outcome],
) -> dict[str, str]:
    """
    Write the `auth.json`, and return the variables of the command.

    `DEVCONTAINERS_OCI_AUTH` is left as it is: the dev container CLI reads config.json, and a
    variable would show the password to each process below it.
    """
    usable = [each for each in outcomes if each.ok and each.registry is not None]
    registries = [each.registry for each in usable if each.registry is not None]
    content, troubles = auth_json(environ, private.config, registries)
    for trouble in troubles:
        _complain(trouble)
    auth_file = private.write("auth.json", content)
    variables = {**private.environ, "REGISTRY_AUTH_FILE": auth_file}
    of_sets = [each.registry for each in usable if each.registry and not each.implicit]
    text = environ.get("DOCKER_AUTH_CONFIG")
    if text is not None:
        variables["DOCKER_AUTH_CONFIG"] = without_logins(text, of_sets)
        if not variables["DOCKER_AUTH_CONFIG"]:
            del variables["DOCKER_AUTH_CONFIG"]
    return variables


def _lines(report: LoginReport, arguments: argparse.Namespace, *, failed: bool) -> Iterable[str]:
    """
    Yield the lines of a login that failed; of one that did not, only what needs doing.
    """
    if not report.outcomes and report.error is None:
        yield "no secrets found; the command runs without a login of this tool"
        yield "  fix: set <ID>_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD, for any <ID>"
    whole = failed or arguments.dry_run
    outcomes: Iterable[Outcome] = report.outcomes
    if not whole:
        outcomes = (each for each in outcomes if each.code is not None)
    elif not arguments.keep_going:
        # What was saved goes with the folder.
        outcomes = map(_not_saved, outcomes)
    report = replace(report, outcomes=tuple(outcomes))
    yield from render.lines(
        report,
        colours=has_colours(sys.stderr),
        quiet=not whole,
        summary=failed and not arguments.dry_run,
        columns=arguments.progress.columns,
    )


def _not_saved(outcome: Outcome) -> Outcome:
    unverified = outcome.status == "unverified"
    return replace(outcome, kept_in=frozenset()) if unverified else outcome


def _failed(error: RegistryError) -> int:
    _complain(error)
    return exit_status_of(error)


def _complain(error: RegistryError) -> None:
    complain(error.message, fix=error.hint)


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201
    sys.stderr.flush()
