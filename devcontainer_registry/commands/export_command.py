# SPDX-License-Identifier: MIT
"""
The command `export`, which takes care where it prints secrets.
"""

from __future__ import annotations

import sys

from ..errors import ConfigError, InvalidRegistryError
from ..registry import Registry
from ..report import error_document, instant, instant_or_none
from .output.table import complaint
from .parsing.usage import UsageError

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping
    from typing import Any

    from ..logins.export import ExportReport


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """
    Run the command, and return its exit status.
    """
    from ..config.private_file import exposed, write_privately
    from ..logins.export import ExportReport, export

    try:
        registries = [Registry(each) for each in arguments.registries] or None
    except InvalidRegistryError as exc:
        raise UsageError(exc.message) from None
    _check_names(arguments)
    # Before anybody is asked, and whatever is kept: it is the way of calling that is wrong.
    seen = None if arguments.output or arguments.force else exposed(sys.stdout.buffer)
    if seen is not None:
        raise UsageError(seen.message, fix=seen.hint)
    report = export(
        arguments.format,
        registries,
        name=arguments.name,
        namespaces=arguments.namespaces,
        environ=environ,
    )
    content = report.content.reveal() if report.content is not None else None
    if content is not None and arguments.output:
        try:
            write_privately(arguments.output, f"{content}\n".encode())
        except ConfigError as exc:
            report = ExportReport(content=None, error=exc)
        content = None
    if arguments.json:
        import json

        content = json.dumps(_document(report, arguments, content), indent=2)
    else:
        for line in _lines(report):
            print(line, file=sys.stderr)  # noqa: T201  (stdout is for the secrets)
    if content is not None:
        # As octets: the locale may not be able to spell a password.
        sys.stdout.flush()
        sys.stdout.buffer.write(f"{content}\n".encode())
        sys.stdout.buffer.flush()
    return report.exit_status


def _check_names(arguments: argparse.Namespace) -> None:
    from ..logins.export_formats import is_kubernetes_name, is_kubernetes_namespace

    if not is_kubernetes_name(arguments.name):
        raise UsageError("--name: expected a name for Kubernetes, such as registry-login")
    if arguments.namespaces and arguments.format != "kubernetes-secret":
        raise UsageError("--namespace: only with --format kubernetes-secret")
    if not all(is_kubernetes_namespace(each) for each in arguments.namespaces):
        raise UsageError("--namespace: expected a namespace of Kubernetes, such as team-a")


def _document(
    report: ExportReport, arguments: argparse.Namespace, content: str | None
) -> dict[str, Any]:
    """
    The report as JSON; `content` has the secrets, unless they went into a file.
    """
    return {
        "version": 1,
        "format": arguments.format,
        "output": arguments.output,
        "content": content,
        "error": error_document(report.error),
        "registries": [
            {
                "registry": each.registry,
                "expires_at": instant_or_none(each.expires_at),
                "error": error_document(each.error),
            }
            for each in report.registries
        ],
    }


def _lines(report: ExportReport) -> Iterator[str]:
    """
    What is wrong, and what will not last.
    """
    for each in report.registries:
        if each.error is None and each.expires_at is not None:
            until = instant(each.expires_at)
            yield f"{each.registry}: works until {until}; export it again by then"
    for error in (report.error, *(each.error for each in report.registries)):
        if error is not None:
            yield complaint(error.message, fix=error.hint)
    if report.error is None and any(each.error is not None for each in report.registries):
        yield "nothing was exported: it is all or nothing"
