# SPDX-License-Identifier: MIT
"""
Options that several commands share.
"""

from __future__ import annotations

from ..log import LEVELS
from .settings import either, lenient, one_of, seconds, setting

TYPE_CHECKING = False

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping

    from .usage import Parser

VERIFY = ("changed", "always", "never")
STORE = ("auto", "auths", "helper")
# As `export_formats` has them, which every start of the command would have to load.
EXPORT_FORMATS = (
    "docker-config",
    "containers-auth",
    "kubernetes-secret",
    "envbuilder",
    "devcontainers-oci-auth",
)
_EXPORT_NAME = "devcontainer-registry"
_LOG_FORMATS = ("console", "json")

# Shown below the options of the commands that have them.
VALUES = """\
--store WHERE:
  auto    in config.json; the credential helper renews what expires, where
          every process can find it
  auths   in config.json only, as docker login does
  helper  in the credential helper only; config.json holds no password

--verify WHEN:
  changed  ask a registry only if its set or its login changed, or expires
  always   ask every registry
  never    ask no registry; save the logins unverified
"""


def add_login_options(
    parser: argparse.ArgumentParser,
    environ: Mapping[str, str],
    *,
    verify: str,
    timeout: str,
    warnings: list[str] | None = None,
    by_step: bool = False,
    limits: str = "the whole run",
) -> None:
    """
    Add the options of a login; *timeout* and what follows are as for `add_timeout`.
    """
    add_source_options(parser)
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="use only the set with this ID; may be repeated",
    )
    parser.add_argument(
        "--verify",
        type=one_of(VERIFY),
        choices=VERIFY,
        default=setting(environ, "VERIFY", verify),
        metavar="WHEN",
        help=f"{either(VERIFY)} (default: {verify})",
    )
    parser.add_argument(
        "--store",
        type=one_of(STORE),
        choices=STORE,
        default=setting(environ, "STORE", "auto"),
        metavar="WHERE",
        help=f"{either(STORE)} (default: auto)",
    )
    add_timeout(parser, environ, timeout, warnings, by_step=by_step, limits=limits)
    parser.add_argument(
        "--dry-run", action="store_true", help="show what would be done; no network, no changes"
    )


def add_run_options(parser: Parser, environ: Mapping[str, str]) -> None:
    """
    Add the options of a run, and the command behind `--`.
    """
    add_login_options(parser, environ, verify="always", timeout="30", limits="all logins")
    parser.add_argument(
        "--keep-going",
        action="store_true",
        help="start the command even if a login fails",
    )
    parser.usage = f"{parser.prog} [OPTION]... -- COMMAND [ARG]..."
    parser.takes_command = True
    parser.add_argument("child", nargs="*", metavar="COMMAND", help="after --, with its arguments")
    # stdout is the command's.
    parser.set_defaults(json=False)


def add_timeout(
    parser: argparse.ArgumentParser,
    environ: Mapping[str, str],
    timeout: str,
    warnings: list[str] | None = None,
    *,
    by_step: bool = False,
    limits: str = "the whole run",
) -> None:
    """
    Add the option that limits the time.

    Args:
        parser: Of a command.
        environ: Its settings.
        timeout: The default, in seconds.
        warnings: If given, a wrong value is added to these, and the default is used.
        by_step: Whether the default depends on the lifecycle step, and is None here.
        limits: What the time is for, in words.
    """
    default = setting(environ, "TIMEOUT", timeout)
    parse: Callable[[str], float | None] = seconds
    if warnings is not None:
        parse = lenient(seconds, "--timeout", timeout, warnings, by_step=by_step)
    parser.add_argument(
        "--timeout",
        type=parse,
        default=None if by_step and not default.variable else default,
        metavar="SECONDS",
        help=f"for {limits} (default: {timeout})",
    )


def add_doctor_options(parser: argparse.ArgumentParser, environ: Mapping[str, str]) -> None:
    """
    Add the arguments and options of a diagnosis.
    """
    parser.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="as docker pull takes it; default: the images of the dev container configuration here "
        "and the registries of all sets",
    )
    parser.add_argument("--push", action="store_true", help="check whether a push is allowed, too")
    parser.add_argument(
        "--share",
        action="store_true",
        help="replace hosts, users, paths and images by placeholders, for a public issue",
    )
    add_source_options(parser)
    add_timeout(parser, environ, "30")


def add_export_options(parser: argparse.ArgumentParser) -> None:
    """
    Add the arguments and options of an export.
    """
    parser.add_argument(
        "registries",
        nargs="*",
        metavar="REGISTRY",
        help="such as ghcr.io (default: all saved logins)",
    )
    parser.add_argument(
        "--format",
        required=True,
        type=one_of(EXPORT_FORMATS),
        choices=EXPORT_FORMATS,
        metavar="FORMAT",
        help=", ".join(EXPORT_FORMATS),
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write to this file, readable only by you"
    )
    parser.add_argument(
        "--force", action="store_true", help="print secrets even to a terminal or a public file"
    )
    parser.add_argument(
        "--name",
        default=_EXPORT_NAME,
        help=f"name of the Kubernetes secret (default: {_EXPORT_NAME})",
    )
    parser.add_argument(
        "--namespace",
        dest="namespaces",
        action="append",
        default=[],
        metavar="NAME",
        help="namespace of the Kubernetes secret; may be repeated",
    )


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """
    Add the options that say where variables come from.
    """
    parser.add_argument(
        "--secrets-file",
        metavar="FILE",
        help="JSON file of variables, as for the dev container CLI",
    )


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """
    Add the option that says how results are shown.
    """
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")


def add_log_options(
    parser: argparse.ArgumentParser,
    environ: Mapping[str, str],
    warnings: list[str] | None = None,
) -> None:
    """
    Add the options that say how events are shown; *warnings* as for a timeout.
    """
    level = one_of(tuple(LEVELS))
    parser.add_argument(
        "--log-level",
        type=level if warnings is None else lenient(level, "--log-level", "warning", warnings),
        choices=tuple(LEVELS),
        default=setting(environ, "LOG_LEVEL", "warning"),
        metavar="LEVEL",
        help=f"{either(tuple(LEVELS))} (default: warning)",
    )
    parser.add_argument(
        "--log-format",
        type=one_of(_LOG_FORMATS),
        choices=_LOG_FORMATS,
        default="console",
        metavar="FORMAT",
        help="console or json (default: console)",
    )
