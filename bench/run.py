# SPDX-License-Identifier: MIT
"""
What `devcontainer-registry run` adds to the command that it runs.

    python bench/run.py [--rounds N] [--rtt MS] [--json] [--venv FOLDER]

The package is built, installed into a fresh virtual environment and compiled.  Then whole processes
take turns against the same server on loopback, from empty folders each time: `run -- true`, `true`
alone, and `login`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from latency import Distance
from login import installed
from servers import Basic

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

_USER, _PASSWORD = "someone", "not-a-secret"
_RUN_MAX = 60.0  # seconds

# Of one login, what a run may add to its command.
_AIM = 1.2


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of all (default: 15)")
    parser.add_argument(
        "--rtt", type=float, default=0.0, metavar="MS", help="round-trip time (default: 0)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = Path(arguments.venv or installed(folder)) / "bin" / "devcontainer-registry"
        times = measure(folder, program, rounds=arguments.rounds, one_way=arguments.rtt / 2000)
    ratios = [
        (run - child) / login
        for run, child, login in zip(times["run"], times["child"], times["login"], strict=True)
    ]
    ratio = statistics.median(ratios)
    met = ratio <= _AIM
    if arguments.json:
        milliseconds = {
            name: [round(1000 * value, 1) for value in spread(found)]
            for name, found in times.items()
        }
        document = {
            "rtt_ms": arguments.rtt,
            "rounds": arguments.rounds,
            "quartiles_ms": milliseconds,
            "ratio_quartiles": [round(value, 3) for value in spread(ratios)],
            "aims": [{"aim": _AIM, "measured": round(ratio, 3), "met": met}],
        }
        print(json.dumps(document, indent=2))
        return 0
    print(f"{arguments.rtt:g} ms of round-trip time; medians, quartiles in brackets\n")
    for name, what in (("child", "true"), ("login", "login"), ("run", "run -- true")):
        low, middle, high = (1000 * value for value in spread(times[name]))
        print(f"{what:<14}{middle:>7.1f} ms  ({low:.1f} to {high:.1f})")
    low, middle, high = spread(ratios)
    print(f"\nadded, of a login: {middle:.2f}  ({low:.2f} to {high:.2f})")
    print(f"{'met' if met else 'MISSED'}: at most {_AIM}")
    return 0


def measure(folder: Path, program: Path, *, rounds: int, one_way: float) -> dict[str, list[float]]:
    """
    The seconds of each, one for each round.
    """
    child = shutil.which("true") or "true"
    commands = {
        "run": [str(program), "run", "--", child],
        "child": [child],
        "login": [str(program), "login"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    with (
        Distance(one_way) as distance,
        Basic({_USER: _PASSWORD}, number=1, front=distance.to, folder=folder) as servers,
    ):
        (registry,) = servers.names
        for command in commands.values():
            once(command, folder, registry)  # reads it from the disk
        for turn in range(rounds):
            # Each comes first, second and third as often.
            names = list(commands)
            for name in names[turn % 3 :] + names[: turn % 3]:
                times[name].append(once(commands[name], folder, registry))
    return times


def once(command: Sequence[str], folder: Path, registry: str) -> float:
    """
    The seconds that *command* takes with an empty home.
    """
    with tempfile.TemporaryDirectory(dir=folder) as home:
        prefix = "R_CONTAINER_REGISTRY_"
        environ = {
            "PATH": os.defpath,
            "LANG": "C.UTF-8",
            "HOME": home,
            prefix + "SERVER": registry,
            prefix + "USER": _USER,
            prefix + "PASSWORD": _PASSWORD,
        }
        begin = time.perf_counter()
        done = subprocess.run(
            command,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_RUN_MAX,
            check=False,
        )
        seconds = time.perf_counter() - begin
    if done.returncode != 0:
        msg = f"{command[0]} exited with {done.returncode}: {done.stdout.decode()}"
        raise RuntimeError(msg)
    return seconds


def spread(values: Sequence[float]) -> list[float]:
    """
    The quartiles of *values*; the second one is the median.
    """
    return statistics.quantiles(values, n=4) if len(values) > 1 else [*values] * 3


if __name__ == "__main__":
    sys.exit(main())
