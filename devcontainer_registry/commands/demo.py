# SPDX-License-Identifier: MIT
"""
The command `demo`: a whole login against registries on loopback.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
import tempfile

from ..logins.login import login
from ..testing import LoopbackRegistry
from . import render

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..observer import Observer

_IMAGE = "demo/hello:latest"


def run(*, as_json: bool, colours: bool, observe: Observer) -> int:
    """
    Log in to one registry, be refused by another, and show what was written.

    Returns:
        0 if it went as a demo should, 1 otherwise.
    """
    password = secrets.token_urlsafe(12)
    scratch = tempfile.mkdtemp(prefix="devcontainer-registry-demo-")
    try:
        with (
            LoopbackRegistry({"demo": password}, images=(_IMAGE,)) as good,
            LoopbackRegistry({"demo": password}, auth="basic") as strict,
        ):
            environ = {
                "HOME": scratch,
                "DEMO_CONTAINER_REGISTRY_SERVER": good.registry,
                "DEMO_CONTAINER_REGISTRY_USER": "demo",
                "DEMO_CONTAINER_REGISTRY_PASSWORD": password,
                "DEMO_CONTAINER_REGISTRY_IMAGE": f"{good.registry}/{_IMAGE}",
                "TYPO_CONTAINER_REGISTRY_SERVER": strict.registry,
                "TYPO_CONTAINER_REGISTRY_USER": "demo",
                "TYPO_CONTAINER_REGISTRY_PASSWORD": "not-it",
            }
            report = login(environ=environ, observe=observe)
            if as_json:
                _say([json.dumps(report.to_dict(), indent=2)])
            else:
                _say(_before(environ))
                _say(["", "$ devcontainer-registry login"])
                _say(render.lines(report, colours=colours, summary=True))
                _say(_after(report.config))
                again = login(environ=environ, verify="changed", observe=observe)
                _say(["", "$ devcontainer-registry hook postStart   # the next start's news"])
                _say(render.lines(again, colours=colours, quiet=True))
                _say(["", "The demo used two temporary local registries and changed nothing."])
                _say(["To log in, set the three variables for your registry and run:"])
                _say(["  devcontainer-registry login"])
        by_id = {outcome.id: outcome.status for outcome in report.outcomes}
        return 0 if by_id == {"DEMO": "ok", "TYPO": "rejected"} else 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _before(environ: dict[str, str]) -> Iterable[str]:
    yield "A demo with two temporary local registries:"
    yield ""
    for name, value in environ.items():
        if name != "HOME":
            yield f"{name}={'****' if name.endswith('PASSWORD') else value}"


def _after(path: str) -> Iterable[str]:
    yield ""
    yield f"$ cat {path.replace(os.path.dirname(os.path.dirname(path)), '~')}"
    with open(path, encoding="utf-8") as file:
        document = json.load(file)
    for entry in document["auths"].values():
        entry["auth"] = "****"
    yield from json.dumps(document, indent=2).splitlines()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        sys.stdout.write(line + "\n")
