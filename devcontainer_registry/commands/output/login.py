# SPDX-License-Identifier: MIT
"""
A login on the command line, with its progress and report.
"""

from __future__ import annotations

import os
import sys

from ...logins.candidates import UnknownSetError
from .. import render
from ..hiding import Hider
from ..log import LEVELS, observer
from ..parsing.usage import UsageError, complain
from .progress import Progress, waiting_for_lock
from .table import has_colours

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from ...observer import Observer
    from ...report import LoginReport


def log_in(
    arguments: argparse.Namespace,
    environ: Mapping[str, str],
    run: Callable[..., LoginReport],
    *,
    lands: bool,
    stays: bool = True,
) -> LoginReport:
    """
    Run a login with the options of the command line, and print what happens meanwhile.

    Args:
        arguments: Its options; `progress` is added.
        environ: All variables.
        run: What logs in.
        lands: Whether a success may be printed as it lands.
        stays: Whether what is saved outlives the command.
    """
    terminal = _shows_progress(arguments)
    progress = Progress(
        terminal=terminal,
        lands=lands and not arguments.json,
        colours=has_colours(sys.stdout),
    )
    arguments.progress = progress
    tell = make_observer(arguments, environ, has_progress=terminal)

    def observe(event: str, /, **fields: object) -> None:
        progress.take(event, fields)
        tell(event, **fields)

    observe.wants_details = arguments.log_level == "debug"  # type: ignore[attr-defined]
    settings = {
        "secrets_file": arguments.secrets_file,
        "only": arguments.only,
        "store": arguments.store,
    }
    limit = {} if arguments.timeout is None else {"timeout": arguments.timeout}
    try:
        return run(
            **settings,
            **limit,
            verify=arguments.verify,
            dry_run=arguments.dry_run,
            observe=observe,
        )
    except UnknownSetError as exc:
        raise UsageError(str(exc)) from None
    except KeyboardInterrupt:
        progress.close()
        said = _interrupted(progress, settings) if stays else "interrupted; nothing was started"
        complain(said)
        raise
    finally:
        progress.close()


def _interrupted(progress: Progress, settings: Mapping[str, Any]) -> str:
    """
    Which logins were saved before Ctrl-C, and which were not.
    """
    from ...logins.login import login

    # Ctrl-C may have come between a write and its event: look once more, and ask nobody.
    there: set[str] = set()
    if progress.found:
        # Of the sets that there are: a hook may name others.
        settings = {**settings, "only": [*progress.found]}
        report = login(**settings, verify="changed", dry_run=True)
        there = {outcome.id for outcome in report.outcomes if outcome.status == "unchanged"}
    saved = [each for each in progress.found if each in progress.saved or each in there]
    lost = [each for each in progress.found if each not in saved]
    parts = [f"saved: {', '.join(saved)}"] if saved else []
    parts += [f"not saved: {', '.join(lost)}"] if lost else []
    return "; ".join(["interrupted", *parts])


def print_report(
    report: LoginReport,
    arguments: argparse.Namespace,
    *,
    quiet: bool = False,
    asked: bool = False,
    logout: bool = False,
) -> None:
    """
    Print *report* of a command.

    Args:
        report: What happened.
        arguments: Of the command.
        quiet: Only what changed or needs doing.
        asked: Whether `log_in` made it.
        logout: Whether it is that of a logout.
    """
    colours = has_colours(sys.stdout)
    if arguments.json:
        import json

        print_lines([json.dumps(report.to_dict(), indent=2)])
    elif logout:
        print_lines(render.logout_lines(report, colours=colours))
    elif asked:
        progress: Progress = arguments.progress
        rows = render.lines(
            report,
            colours=colours,
            quiet=quiet,
            summary=not arguments.dry_run,
            columns=progress.columns,
            printed=progress.printed,
        )
        print_lines(rows)
    else:
        print_lines(render.lines(report, colours=colours))


def print_lines(lines: Iterable[str]) -> None:
    """
    Print *lines* on stdout.
    """
    for line in lines:
        print(line)  # noqa: T201  (stdout is ours)


def make_observer(
    arguments: argparse.Namespace, environ: Mapping[str, str], has_progress: bool = False
) -> Observer:
    """
    Return what shows events as the options in *arguments* say.
    """
    tell = observer(
        level=arguments.log_level,
        log_format=arguments.log_format,
        hide=Hider(environ, secrets_file=getattr(arguments, "secrets_file", None)),
        colours=has_colours(sys.stderr),
    )

    def observe(event: str, /, **fields: object) -> None:
        if event == "config.lock_waiting" and not has_progress:
            complain(waiting_for_lock(fields))
        tell(event, **fields)

    return observe


def _shows_progress(arguments: argparse.Namespace) -> bool:
    verbose = LEVELS[arguments.log_level] < LEVELS["warning"]
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and not verbose
