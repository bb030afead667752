# SPDX-License-Identifier: MIT
"""
How long a cold login to Azure's and Google's registries takes beside the clouds' own tools.

    python bench/clouds.py [--rounds N] [--json]

The package is built and installed into a fresh virtual environment, with both extras; then whole
processes take turns against the same servers on loopback:

- `devcontainer-registry login` of one ACR set and `az acr login --expose-token`, both as the same
  service principal;
- `login` of one Google set and `gcloud auth print-access-token`, both with the same key of a
  service account;
- the cold `get` of our credential helper and of docker-credential-gcr, both with the same refresh
  token of a user.  With a service account's key, that one asks nobody: it signs a token itself.

Ours begins with an empty home, asks the registry whether it takes the token, and writes
config.json.  Theirs begins signed in, with all that it keeps but the token for registries.
Needs the `dev` extra, az in .tools/az (./dev bench clouds) or on PATH, gcloud, and
docker-credential-gcr; a row whose tool is missing is left out.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from login import installed
from played_clouds import AZURE_REGISTRY, GOOGLE_REGISTRY, NOBODY, PRINCIPAL, Azure, Google

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from typing import Any

# Ours against theirs.
_AIM = 0.5

# A run that takes this long has gone wrong; the bench ends whatever happens.
_RUN_MAX = 120.0  # seconds

# What our process does.  A function is timed by wrapping it, without what other phases do in it.
_PHASES = """\
import gc, json, os, sys, threading, time
gc.disable()  # as the command does
sdk, package, modules = sys.argv[2], sys.argv[3].split(), sys.argv[4].split()
spent, here = {"interpreter": time.time() - float(sys.argv[1])}, threading.local()
beside = {}
def timed(phase, function):
    def call(*args, **kwargs):
        outer, start = getattr(here, "inner", 0.0), time.perf_counter()
        here.inner = 0.0
        try:
            return function(*args, **kwargs)
        finally:
            took = time.perf_counter() - start
            book = beside if getattr(here, "is_beside", False) else spent
            book[phase] = book.get(phase, 0.0) + took - here.inner
            here.inner = outer + took
    return call
def aside(function):
    def call(*args):
        here.is_beside = True
        function(*args)
    return call
def bring(*names):
    for name in names:
        __import__(name)
timed("import of the package and urllib3", bring)(
    *package, "devcontainer_registry.authenticators." + sdk)
timed(f"import of {modules[0]}", bring)(*modules)
import ssl, urllib3.connectionpool
from cryptography.hazmat.primitives import serialization
for phase, owner, name in (
    ("certificates", ssl.SSLContext, "load_verify_locations"),
    ("private key", serialization, "load_pem_private_key"),
    ("network", urllib3.connectionpool.HTTPConnectionPool, "urlopen"),
):
    setattr(owner, name, timed(phase, getattr(owner, name)))
from devcontainer_registry import login
from devcontainer_registry.network.trust import Trust
Trust._prepare = aside(Trust._prepare)  # in a thread of its own
start, known = time.perf_counter(), sum(spent.values())
report = login()
spent["all else, and waiting"] = time.perf_counter() - start - (sum(spent.values()) - known)
spent |= {phase + ", meanwhile": seconds for phase, seconds in beside.items()}
assert report.ok, report
print(json.dumps(spent), flush=True)
os._exit(0)
"""
_PACKAGE = (
    "devcontainer_registry.commands.cli",
    "devcontainer_registry.logins.login",
    "devcontainer_registry.network.distribution",
    "devcontainer_registry.network.transport",
)
_SDKS = {
    "acr": ("azure.identity", "azure.core.pipeline.transport", "requests"),
    "google": ("google.auth", "google.auth._default", "google.oauth2.service_account"),
}

_HERE = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """
    Our program and theirs, with one identity.

    Attributes:
        name: Of the row.
        tool: Name of theirs.
        ours, theirs: Run one process in the given empty home, and return seconds and the token.
        exchange: Sees that the cloud is asked for one token meanwhile.
        token: The token that was given last.
    """

    name: str
    tool: str
    ours: Callable[[Path], tuple[float, str]]
    theirs: Callable[[Path], tuple[float, str]]
    exchange: Callable[[], AbstractContextManager[None]]
    token: Callable[[], str]


@dataclass(slots=True, kw_only=True)
class Row:
    """
    Seconds of both, in pairs.
    """

    name: str
    tool: str
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """
        The median of the pairs' ratios.
        """
        pairs = zip(self.ours, self.theirs, strict=True)
        return statistics.median(ours / theirs for ours, theirs in pairs)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "tool": self.tool,
            "seconds": _summary(self.ours),
            "tool_seconds": _summary(self.theirs),
            "ratio": round(self.ratio, 3),
        }


def main() -> int:
    arguments = _parser().parse_args()
    local = Path(__file__).resolve().parent.parent / ".tools" / "az" / "bin" / "az"
    tools = {
        "az": str(local) if local.exists() else shutil.which("az"),
        "gcloud": shutil.which("gcloud"),
        "docker-credential-gcr": arguments.gcr or shutil.which("docker-credential-gcr"),
    }
    missing = [name for name, path in tools.items() if path is None]
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        scripts = Path(arguments.venv or installed(folder, extras="[azure,google]")) / "bin"
        azure = stack.enter_context(Azure(folder))
        google = stack.enter_context(Google(folder))
        ours = Ours(scripts, azure=azure, google=google)
        pairs = []
        if tools["az"] is not None:
            pairs.append(_az(tools["az"], ours, azure, folder))
        if tools["gcloud"] is not None:
            pairs.append(_gcloud(tools["gcloud"], ours, google, folder))
        if tools["docker-credential-gcr"] is not None:
            pairs.append(_gcr(tools["docker-credential-gcr"], ours, google))
        rows = [measured(pair, rounds=arguments.rounds) for pair in pairs]
        phases = {sdk: ours.phases(sdk, rounds=arguments.rounds) for sdk in _SDKS}
        imports = {sdk: ours.imports(sdk) for sdk in _SDKS}
    verdicts = [(f"{row.name}, of {row.tool}", row.ratio, row.ratio <= _AIM) for row in rows]
    if arguments.json:
        document = {
            "rounds": arguments.rounds,
            "missing": missing,
            "rows": [row.as_json() for row in rows],
            "phases_ms": phases,
            "imports_ms": imports,
            "aims": [
                {"of": name, "measured": round(ratio, 3), "aim": _AIM, "met": met}
                for name, ratio, met in verdicts
            ],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(rows, missing, phases, imports, verdicts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=11, help="pairs of runs (default: 11)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument("--gcr", metavar="FILE", help="docker-credential-gcr, if not on PATH")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    return parser


class Ours:
    """
    Runs our programs, and looks inside one.
    """

    def __init__(self, scripts: Path, *, azure: Azure, google: Google) -> None:
        self._scripts = scripts
        self._environs: dict[str, tuple[dict[str, str], str]] = {
            "acr": ({**azure.environ, **PRINCIPAL}, AZURE_REGISTRY),
            "google": (_with_key(google, google.account), GOOGLE_REGISTRY),
            "google user": (_with_key(google, google.user), GOOGLE_REGISTRY),
        }

    def login(self, sdk: str, home: Path) -> tuple[float, str]:
        """
        Log in to one registry, and return the token in config.json.
        """
        environ, registry = self._environ(sdk, home)
        seconds, _ = _run([str(self._scripts / "devcontainer-registry"), "login"], environ)
        auths = json.loads((home / "docker" / "config.json").read_text(encoding="utf-8"))["auths"]
        username, _, token = base64.b64decode(auths[registry]["auth"]).decode().partition(":")
        assert username in (NOBODY, "oauth2accesstoken"), username
        return seconds, token

    def get(self, sdk: str, home: Path) -> tuple[float, str]:
        """
        Ask our credential helper, as docker does.
        """
        environ, registry = self._environ(sdk, home)
        helper = str(self._scripts / "docker-credential-devcontainer-registry")
        seconds, answer = _run([helper, "get"], environ, registry)
        return seconds, json.loads(answer)["Secret"]

    def phases(self, sdk: str, *, rounds: int) -> dict[str, float]:
        """
        Median milliseconds of what our process does, for one registry.
        """
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as home:
                environ, _ = self._environ(sdk, Path(home))
                python = str(self._scripts / "python")
                modules = [" ".join(_PACKAGE), " ".join(_SDKS[sdk])]
                command = [python, "-c", _PHASES, str(time.time()), sdk, *modules]
                spent = json.loads(_run(command, environ)[1])
            for phase, seconds in spent.items():
                found.setdefault(phase, []).append(1000 * seconds)
        return {phase: round(statistics.median(times), 1) for phase, times in found.items()}

    def imports(self, sdk: str) -> dict[str, float]:
        """
        What the imports cost, in milliseconds of each top-level package, the dearest first.

        Tracing makes them slower than they are: read them as shares.
        """
        modules = ", ".join((*_PACKAGE, f"devcontainer_registry.authenticators.{sdk}", *_SDKS[sdk]))
        done = subprocess.run(
            [str(self._scripts / "python"), "-X", "importtime", "-c", f"import {modules}"],
            env=_HERE,
            capture_output=True,
            text=True,
            timeout=_RUN_MAX,
            check=True,
        )
        costs: dict[str, float] = {}
        for line in done.stderr.splitlines():
            own, _, name = line.removeprefix("import time:").rpartition("|")
            own = own.partition("|")[0].strip()
            if own.isdigit():
                package = name.strip().partition(".")[0]
                costs[package] = costs.get(package, 0.0) + int(own) / 1000
        dearest = sorted(costs.items(), key=lambda item: -item[1])
        return {name: round(cost, 1) for name, cost in dearest[:12]}

    def _environ(self, sdk: str, home: Path) -> tuple[dict[str, str], str]:
        environ, registry = self._environs[sdk]
        more = {
            "HOME": str(home),
            "DOCKER_CONFIG": str(home / "docker"),
            "DOCKER_HOST": "unix:///nonexistent",
            "MY_CONTAINER_REGISTRY_SERVER": registry,
        }
        return {**_HERE, **environ, **more}, registry


def _az(az: str, ours: Ours, azure: Azure, folder: Path) -> Pair:
    """
    The pair of `login` and `az acr login`, whose service principal is signed in once, before.
    """
    signed_in = folder / "signed-in-az"
    secret = folder / "secret"
    secret.write_text(PRINCIPAL["AZURE_CLIENT_SECRET"], encoding="utf-8")

    def environ(home: Path) -> dict[str, str]:
        return {
            **_HERE,
            **azure.environ,
            "HOME": str(home),
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "REQUESTS_CA_BUNDLE": azure.environ["SSL_CERT_FILE"],
            "AZURE_CORE_COLLECT_TELEMETRY": "no",
        }

    _run(
        [
            *(az, "login", "--service-principal", "--output", "none"),
            *("--username", PRINCIPAL["AZURE_CLIENT_ID"], "--password", f"@{secret}"),
            *("--tenant", PRINCIPAL["AZURE_TENANT_ID"]),
        ],
        environ(signed_in),
    )

    def theirs(home: Path) -> tuple[float, str]:
        shutil.copytree(signed_in, home, dirs_exist_ok=True)
        name = AZURE_REGISTRY.partition(".")[0]
        command = [az, "acr", "login", "--expose-token", "--name", name, "--output", "json"]
        seconds, answer = _run(command, environ(home))
        return seconds, json.loads(answer)["refreshToken"]

    return Pair(
        name="ACR, login",
        tool="az acr login --expose-token",
        ours=lambda home: ours.login("acr", home),
        theirs=theirs,
        exchange=azure.one_exchange,
        token=lambda: azure.token,
    )


def _gcloud(gcloud: str, ours: Ours, google: Google, folder: Path) -> Pair:
    """
    The pair of `login` and gcloud, whose service account is signed in once, before.
    """
    signed_in = folder / "signed-in-gcloud"

    def environ(home: Path) -> dict[str, str]:
        return {
            **_HERE,
            **google.environ,
            "HOME": str(home),
            "CLOUDSDK_CONFIG": str(home / "gcloud"),
            "CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE": google.environ["SSL_CERT_FILE"],
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
        }

    key = str(google.account)
    _run([gcloud, "auth", "activate-service-account", "--key-file", key], environ(signed_in))
    # The token that it got with that, which would be printed.
    (signed_in / "gcloud" / "access_tokens.db").unlink()

    def theirs(home: Path) -> tuple[float, str]:
        shutil.copytree(signed_in, home, dirs_exist_ok=True)
        seconds, answer = _run([gcloud, "auth", "print-access-token"], environ(home))
        return seconds, answer.strip()

    return Pair(
        name="Google, login",
        tool="gcloud auth print-access-token",
        ours=lambda home: ours.login("google", home),
        theirs=theirs,
        exchange=google.one_exchange,
        token=lambda: google.token,
    )


def _gcr(gcr: str, ours: Ours, google: Google) -> Pair:
    """
    The pair of the two credential helpers.
    """

    def theirs(home: Path) -> tuple[float, str]:
        environ = {**_HERE, **_with_key(google, google.user), "HOME": str(home)}
        _run([gcr, "config", "--token-source=env"], environ)
        seconds, answer = _run([gcr, "get"], environ, GOOGLE_REGISTRY)
        return seconds, json.loads(answer)["Secret"]

    return Pair(
        name="Google, cold get",
        tool="docker-credential-gcr get",
        ours=lambda home: ours.get("google user", home),
        theirs=theirs,
        exchange=google.one_exchange,
        token=lambda: google.token,
    )


def _with_key(google: Google, file: Path) -> dict[str, str]:
    return {**google.environ, "GOOGLE_APPLICATION_CREDENTIALS": str(file)}


def measured(pair: Pair, *, rounds: int) -> Row:
    """
    Run both in turns, each in an empty home, and see that each got the token that was given.
    """
    row = Row(name=pair.name, tool=pair.tool)
    for turn in range(-1, rounds):  # the first reads both from the disk
        # By turns, since the second of a pair runs with warmer caches.
        for ours in (turn % 2 == 0, turn % 2 == 1):
            with tempfile.TemporaryDirectory() as home, pair.exchange():
                seconds, token = (pair.ours if ours else pair.theirs)(Path(home))
            if token != pair.token():
                # Without the tokens, though they are made up.
                msg = f"{pair.name}: {'we' if ours else pair.tool} got another token"
                raise RuntimeError(msg)
            if turn >= 0:
                (row.ours if ours else row.theirs).append(seconds)
    return row


def _run(command: Sequence[str], environ: Mapping[str, str], given: str = "") -> tuple[float, str]:
    begin = time.perf_counter()
    done = subprocess.run(
        command,
        env=environ,
        input=given,
        capture_output=True,
        text=True,
        timeout=_RUN_MAX,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != 0:
        msg = f"{os.path.basename(command[0])} exited with {done.returncode}: {done.stderr}"
        raise RuntimeError(msg)
    return seconds, done.stdout


def _summary(seconds: Sequence[float]) -> dict[str, float]:
    """
    The median, and between which nine of ten runs lie.
    """
    ordered = sorted(seconds)
    cut = len(ordered) // 20
    return {
        "median": round(statistics.median(ordered), 4),
        "from": round(ordered[cut], 4),
        "to": round(ordered[-1 - cut], 4),
    }


def _spread(seconds: Sequence[float]) -> str:
    summary = _summary(seconds)
    return f"{summary['median']:.3f} ({summary['from']:.3f}-{summary['to']:.3f})"


def _print(
    rows: Sequence[Row],
    missing: Sequence[str],
    phases: Mapping[str, Mapping[str, float]],
    imports: Mapping[str, Mapping[str, float]],
    verdicts: Sequence[tuple[str, float, bool]],
) -> None:
    print("medians of whole processes, s; in brackets, nine of ten runs\n")
    print(f"{'':<18}{'ours':<22}{'theirs':<22}ratio")
    for row in rows:
        print(f"{row.name:<18}{_spread(row.ours):<22}{_spread(row.theirs):<22}{row.ratio:.2f}")
    for name in missing:
        print(f"\n{name} is not here, so its row is left out: {_INSTALL[name]}")
    for sdk, found in phases.items():
        print(f"\nwhere the time of one {sdk} login goes, ms")
        for phase, cost in found.items():
            print(f"{cost:>7.1f}  {phase}")
        print("imports by package, ms (traced, so slower than they are)")
        print("  ".join(f"{name} {cost:.1f}" for name, cost in imports[sdk].items()))
    print("\naims")
    for name, ratio, met in verdicts:
        print(f"{'met' if met else 'MISSED':<8}{name}: {ratio:.3f} (aim {_AIM})")


_INSTALL = {
    "az": "./dev bench clouds",
    "gcloud": "https://cloud.google.com/sdk/docs/install",
    # In Debian after 13.
    "docker-credential-gcr": "apt-get install docker-credential-gcr, or --gcr FILE",
}


if __name__ == "__main__":
    sys.exit(main())
