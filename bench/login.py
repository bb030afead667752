# SPDX-License-Identifier: MIT
"""
How long a login takes beside `docker login`, with a distance put between them and the registries.

    python bench/login.py [--rounds N] [--registries 1,5,20,100] [--json]

The package is built, installed into a fresh virtual environment and compiled; then the whole
process `devcontainer-registry login` and a loop of `docker login --password-stdin` take turns
against the same servers, from empty folders each time.  Everything is on loopback, behind proxies
that hold each byte back (see latency.py).  Needs docker's command on PATH, no engine, and the
`dev` extra.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from dataclasses import dataclass, field
from pathlib import Path

from latency import Distance
from servers import Basic, Bearer, Debian, Tls

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from servers import Servers

_KINDS: dict[str, type[Servers]] = {"basic": Basic, "bearer": Bearer, "tls": Tls, "debian": Debian}
_USER, _PASSWORD = "someone", "not-a-secret"

# A run that takes this long has gone wrong; the bench ends whatever happens.
_RUN_MAX = 120.0  # seconds

# Ours against docker's, or against ours for one registry.
_AIMS = {
    "basic": {1: 0.85, 20: 0.10},
    "bearer": {1: 0.85, 20: 0.10},
    "tls": {1: 0.75, 20: 0.10},
    "debian": {1: 0.85},
}
_AIM_HUNDRED = 1.6
_AIM_MEMORY = 32.0  # MB, resident at most

# What a login goes through, as it says itself: an event begins the phase named beside it.
# Connections are under way while urllib3 is imported, and the file is written after the network.
_PHASES = """\
import gc, json, os, sys, time
gc.disable()  # as the command does
marks = [("interpreter", float(sys.argv[1])), ("imports", time.time())]
def observe(event, /, **fields):
    known = {name for name, _ in marks}
    phases = {"secret.found": "connecting and imports", "login.started": "network and write"}
    phase = phases.get(event)
    if phase is not None and phase not in known:
        marks.append((phase, time.time()))
import devcontainer_registry.commands.cli
from devcontainer_registry import login
marks.append(("discovery", time.time()))
report = login(observe=observe)
marks.append(("end", time.time()))
assert report.ok, report
print(json.dumps(marks), flush=True)
os._exit(0)  # and this
"""

# Started from a small process: a child's peak begins at what its parent had when it forked.
_MEMORY = """\
import os, resource, sys
status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """
    One measured run: seconds, and the connections and requests that it made.
    """

    seconds: float
    connections: int
    requests: int


@dataclass(slots=True, kw_only=True)
class Row:
    """
    The runs of both, in pairs, for one number of registries of one kind.
    """

    kind: str
    registries: int
    ours: list[Run] = field(default_factory=list)
    docker: list[Run] = field(default_factory=list)
    megabytes: float = 0.0  # of ours, resident at most

    @property
    def seconds(self) -> float:
        return statistics.median(run.seconds for run in self.ours)

    @property
    def docker_seconds(self) -> float:
        return statistics.median(run.seconds for run in self.docker)

    @property
    def ratios(self) -> list[float]:
        """
        The pairs' ratios.
        """
        pairs = zip(self.ours, self.docker, strict=True)
        return [ours.seconds / docker.seconds for ours, docker in pairs]

    @property
    def ratio(self) -> float:
        """
        The median of the pairs' ratios.
        """
        return statistics.median(self.ratios)

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "registries": self.registries,
            "seconds": round(self.seconds, 4),
            "docker_seconds": round(self.docker_seconds, 4),
            "ratio": round(self.ratio, 3),
            "ratio_spread": [round(min(self.ratios), 3), round(max(self.ratios), 3)],
            "peak_mb": round(self.megabytes, 1),
            "connections": self.ours[-1].connections,
            "requests": self.ours[-1].requests,
            "docker_connections": self.docker[-1].connections,
            "docker_requests": self.docker[-1].requests,
        }


def main() -> int:
    arguments = _parser().parse_args()
    docker = shutil.which("docker")
    if docker is None:
        print("bench: docker's command is needed, and not on PATH", file=sys.stderr)
        return 1
    kinds = arguments.kind or ["basic", "tls", *(["debian"] if Debian.is_here() else [])]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = Path(arguments.venv or installed(folder)) / "bin" / "python"
        bench = Bench(folder, docker=docker, python=python, one_way=arguments.rtt / 2000)
        rows = [
            bench.row(kind, number, rounds=arguments.rounds)
            for kind in kinds
            for number in (arguments.registries if kind != "debian" else [1])
        ]
        phases = {kind: bench.phases(kind, rounds=arguments.rounds) for kind in kinds}
        imports = bench.imports(kinds[0])
    verdicts = _verdicts(rows)
    if arguments.json:
        document = {
            "rtt_ms": arguments.rtt,
            "rounds": arguments.rounds,
            "rows": [row.as_json() for row in rows],
            "phases_ms": phases,
            "imports_ms": imports,
            "aims": [{"aim": aim, "measured": value, "met": met} for aim, value, met in verdicts],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(rows, phases, imports, verdicts, rtt=arguments.rtt)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="pairs of runs (default: 7)")
    parser.add_argument(
        "--registries",
        type=lambda text: [int(number) for number in text.split(",")],
        default=[1, 5, 20, 100],
        metavar="N,N...",
        help="how many at once (default: 1,5,20,100)",
    )
    parser.add_argument(
        "--kind",
        action="append",
        choices=_KINDS,
        help="of registry; may be repeated (default: basic, tls, and debian if installed)",
    )
    parser.add_argument(
        "--rtt", type=float, default=50.0, metavar="MS", help="round-trip time (default: 50)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    return parser


def installed(folder: Path, *, extras: str = "") -> Path:
    """
    A fresh virtual environment with the wheel of this checkout and *extras* (`[azure]`), compiled.

    By a pip of today: what those before 23.1 make of an entry point imports `re`.
    """
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    checkout = Path(__file__).resolve().parent.parent
    wheels, target = folder / "wheels", folder / "venv"
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--wheel-dir", str(wheels), str(checkout)], check=True
    )
    venv.create(target, with_pip=True)
    (wheel,) = wheels.glob("*.whl")
    pip[0] = str(target / "bin" / "python")
    subprocess.run([*pip, "install", "--upgrade", "pip"], check=True)
    # pip compiles what it installs.
    subprocess.run([*pip, "install", f"{wheel}{extras}"], check=True)
    return target


class Bench:
    """
    Runs both against the same servers, and looks inside ours.
    """

    def __init__(self, folder: Path, *, docker: str, python: Path, one_way: float) -> None:
        self._folder = folder
        self._docker = docker
        self._python = python
        self._one_way = one_way
        # Only what both need: no proxy, no credential helper that docker would pick by itself.
        # No docker-credential-pass: docker takes it by itself where it finds it, and it fails here.
        self._environ = {"PATH": "/nonexistent", "LANG": "C.UTF-8"}

    def row(self, kind: str, number: int, *, rounds: int) -> Row:
        row = Row(kind=kind, registries=number)
        with self._servers(kind, number) as (servers, distance):
            self._once(servers, distance)  # reads both from the disk
            for turn in range(rounds):
                # By turns, since the second of a pair runs with warmer caches.
                for ours in (turn % 2 == 0, turn % 2 == 1):
                    run = self._once(servers, distance) if ours else self._loop(servers, distance)
                    (row.ours if ours else row.docker).append(run)
            row.megabytes = self._memory(servers)
        return row

    def phases(self, kind: str, *, rounds: int) -> dict[str, float]:
        """
        Median milliseconds of each phase of our process, for one registry.
        """
        found: dict[str, list[float]] = {}
        with self._servers(kind, 1) as (servers, _):
            for _ in range(rounds):
                with self._scratch(servers) as environ:
                    begin = time.time()
                    command = [str(self._python), "-c", _PHASES, str(begin)]
                    marks = json.loads(_output(command, environ)[0])
                    marks.append(["", time.time()])
                    marks[-2][0] = "exit"
                for (phase, at), (_, after) in itertools.pairwise(marks):
                    found.setdefault(phase, []).append(1000 * (after - at))
        return {phase: round(statistics.median(times), 1) for phase, times in found.items()}

    def imports(self, kind: str) -> dict[str, float]:
        """
        The dearest imports of our process, in milliseconds with what they import themselves.

        Tracing makes them slower than they are: read them as shares.
        """
        with self._servers(kind, 1) as (servers, _), self._scratch(servers) as environ:
            command = [str(self._python), "-X", "importtime", "-m", "devcontainer_registry"]
            _, told = _output([*command, "login"], environ)
        lines = [line.split("|") for line in told.splitlines() if line.startswith("import time:")]
        costs = {name.strip(): int(total) / 1000 for _, total, name in lines[1:]}
        dearest = sorted(costs.items(), key=lambda item: -item[1])
        return {name: round(cost, 1) for name, cost in dearest[:20]}

    @contextlib.contextmanager
    def _servers(self, kind: str, number: int) -> Iterator[tuple[Servers, Distance]]:
        users = {_USER: _PASSWORD}
        with (
            Distance(self._one_way) as distance,
            _KINDS[kind](users, number=number, front=distance.to, folder=self._folder) as servers,
        ):
            yield servers, distance

    @contextlib.contextmanager
    def _scratch(self, servers: Servers) -> Iterator[dict[str, str]]:
        """
        The environment of one run: an empty home, and the secrets.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as home:
            environ = {
                **self._environ,
                "HOME": home,
                "DOCKER_CONFIG": f"{home}/docker",
                "DOCKER_HOST": "unix:///nonexistent",
            }
            if servers.ca_file:
                environ["SSL_CERT_FILE"] = servers.ca_file
            for place, registry in enumerate(servers.names):
                prefix = f"R{place}_CONTAINER_REGISTRY_"
                environ |= {
                    prefix + "SERVER": registry,
                    prefix + "USER": _USER,
                    prefix + "PASSWORD": _PASSWORD,
                }
            yield environ

    def _memory(self, servers: Servers) -> float:
        """
        What our process has resident at most, in megabytes.
        """
        with self._scratch(servers) as environ:
            command = [str(self._python), "-S", "-c", _MEMORY, *self._login()]
            peak = int(_output(command, environ)[0].splitlines()[-1])
        return peak / (1024 if sys.platform == "linux" else 1024 * 1024)

    def _login(self) -> list[str]:
        return [str(self._python.parent / "devcontainer-registry"), "login"]

    def _once(self, servers: Servers, distance: Distance) -> Run:
        with self._scratch(servers) as environ:
            return _measured([(self._login(), "")], environ, servers, distance)

    def _loop(self, servers: Servers, distance: Distance) -> Run:
        with self._scratch(servers) as environ:
            command = [self._docker, "login", "--username", _USER, "--password-stdin"]
            commands = [([*command, name], _PASSWORD) for name in servers.names]
            return _measured(commands, environ, servers, distance)


def with_spread(ratios: Sequence[float]) -> str:
    """
    The median of *ratios*, and between which values they lie.
    """
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _measured(
    commands: Sequence[tuple[Sequence[str], str]],
    environ: Mapping[str, str],
    servers: Servers,
    distance: Distance,
) -> Run:
    """
    Run *commands*, each with its input, one after another, and see that all are logged in.
    """
    connections, requests = distance.connections, servers.requests()
    begin = time.perf_counter()
    for command, text in commands:
        _run(command, text, environ)
    seconds = time.perf_counter() - begin
    config = json.loads(Path(environ["DOCKER_CONFIG"], "config.json").read_text(encoding="utf-8"))
    assert set(servers.names) == set(config["auths"])
    return Run(
        seconds=seconds,
        connections=distance.connections - connections,
        requests=servers.requests() - requests,
    )


def _run(command: Sequence[str], text: str, environ: Mapping[str, str]) -> None:
    done = subprocess.run(
        command,
        env=environ,
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_RUN_MAX,
        check=False,
    )
    if done.returncode != 0:
        msg = f"{command[0]} exited with {done.returncode}: {done.stdout.decode()}"
        raise RuntimeError(msg)


def _output(command: Sequence[str], environ: Mapping[str, str]) -> tuple[str, str]:
    done = subprocess.run(
        command,
        # Python would find the package of the checkout in the working directory first.
        cwd=environ["HOME"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=_RUN_MAX,
        check=True,
    )
    return done.stdout, done.stderr


def _verdicts(rows: Sequence[Row]) -> list[tuple[str, float, bool]]:
    """
    Each aim, what was measured, and whether it is met.
    """
    found = []
    for kind in dict.fromkeys(row.kind for row in rows):
        by_number = {row.registries: row for row in rows if row.kind == kind}
        for number, aim in _AIMS[kind].items():
            if number in by_number:
                ratio = by_number[number].ratio
                text = f"{kind}: {number} at {aim:.2f} of docker login"
                found.append((text, round(ratio, 3), ratio <= aim))
        if {1, 100} <= by_number.keys():
            ratio = by_number[100].seconds / by_number[1].seconds
            text = f"{kind}: 100 at {_AIM_HUNDRED:.2f} of our own one"
            found.append((text, round(ratio, 3), ratio <= _AIM_HUNDRED))
    for number in dict.fromkeys(row.registries for row in rows):
        peak = max(row.megabytes for row in rows if row.registries == number)
        text = f"{number}: peak memory at {_AIM_MEMORY:.0f} MB"
        found.append((text, round(peak, 1), peak <= _AIM_MEMORY))
    return found


def _print(
    rows: Sequence[Row],
    phases: Mapping[str, Mapping[str, float]],
    imports: Mapping[str, float],
    verdicts: Sequence[tuple[str, float, bool]],
    *,
    rtt: float,
) -> None:
    print(f"{rtt:g} ms of round-trip time; medians; connections+requests in brackets\n")
    print("kind    registries  ours, s           docker login, s   ratio (spread)       peak, MB")
    for row in rows:
        ours, docker = row.ours[-1], row.docker[-1]
        print(
            f"{row.kind:<8}{row.registries:>10}"
            f"  {row.seconds:>6.3f} {f'({ours.connections}+{ours.requests})':<11}"
            f"{row.docker_seconds:>7.3f} {f'({docker.connections}+{docker.requests})':<10}"
            f"{with_spread(row.ratios):<21}{row.megabytes:>8.1f}"
        )
    print("\nwhere the time of one goes, ms")
    for kind, found in phases.items():
        print(f"{kind:<8}" + "  ".join(f"{phase} {cost:.0f}" for phase, cost in found.items()))
    print("\nthe dearest imports, ms with what they import (traced, so slower than they are)")
    for name, cost in imports.items():
        print(f"{cost:>7.1f}  {name}")
    print("\naims")
    for aim, measured, met in verdicts:
        print(f"{'met' if met else 'MISSED':<8}{aim}: {measured}")


if __name__ == "__main__":
    sys.exit(main())
