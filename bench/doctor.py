# SPDX-License-Identifier: MIT
"""
How long doctor takes beside `docker manifest inspect`, with a distance to the registries.

    python bench/doctor.py [--rounds N] [--rtt MS] [--venv FOLDER] [--json]

One healthy image with each, in turn; then 20 images on 10 registries with doctor.  Everything is on
loopback, behind proxies that hold each byte back (see latency.py).  Needs docker's command on PATH,
no engine, and the `dev` extra.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from latency import Distance
from login import installed, with_spread
from servers import Basic, Bearer, Servers, Tls

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Sequence

_KINDS: dict[str, type[Servers]] = {"basic": Basic, "bearer": Bearer, "tls": Tls}
_USER, _PASSWORD = "someone", "not-a-secret"
_IMAGES = ("team/one:1", "team/two:1")
_REGISTRIES = 10

_AIM_DOCKER = 1.5  # one image, against docker manifest inspect
_AIM_MANY = 2.0  # twenty images, against one


def main() -> int:
    """
    Measure, print the table, and return 0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="pairs of runs (default: 7)")
    parser.add_argument("--rtt", type=float, default=50.0, help="round trip in ms (default: 50)")
    parser.add_argument("--venv", help="a virtual environment with the package in it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    arguments = parser.parse_args()
    docker = shutil.which("docker")
    if docker is None:
        print("bench: docker's command is needed, and not on PATH", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv = Path(arguments.venv or installed(folder))
        command = str(venv / "bin" / "devcontainer-registry")
        rows = {
            kind: _row(kind, folder, command, docker, rounds=arguments.rounds, rtt=arguments.rtt)
            for kind in _KINDS
        }
    medians = {
        kind: {name: statistics.median(each) for name, each in row.items()}
        for kind, row in rows.items()
    }
    if arguments.json:
        print(json.dumps({"rtt_ms": arguments.rtt, "medians": medians, "runs": rows}, indent=2))
        return 0
    print("kind      doctor, s   docker, s   ratio (spread)       20 images, s   of one (spread)")
    for kind, row in rows.items():
        one, theirs, many = (medians[kind][name] for name in ("one", "docker", "many"))
        print(
            f"{kind:8}{one:>11.3f}{theirs:>12.3f}   {with_spread(row['ratio']):<21}"
            f"{many:>12.3f}   {with_spread(row['many_ratio'])}"
        )
    print("\naims")
    for kind, found in medians.items():
        for name, aim, of in (
            ("ratio", _AIM_DOCKER, "docker manifest inspect"),
            ("many_ratio", _AIM_MANY, "one image"),
        ):
            word = "met" if found[name] <= aim else "MISSED"
            print(f"{word:<8}{kind}: {found[name]:.2f} of {of} (at most {aim})")
    return 0


def _row(
    kind: str, folder: Path, command: str, docker: str, *, rounds: int, rtt: float
) -> dict[str, list[float]]:
    """
    The runs with one kind of registry, in seconds, and the pairs' ratios.
    """
    scratch = folder / kind
    home = scratch / "home"
    (home / ".docker").mkdir(parents=True)
    with (
        Distance(rtt / 2000) as distance,
        _KINDS[kind](
            {_USER: _PASSWORD},
            number=_REGISTRIES,
            front=distance.to,
            folder=scratch,
            images=_IMAGES,
        ) as servers,
    ):
        auth = base64.b64encode(f"{_USER}:{_PASSWORD}".encode()).decode()
        document = {"auths": {name: {"auth": auth} for name in servers.names}}
        (home / ".docker" / "config.json").write_text(json.dumps(document), encoding="utf-8")
        environ = {"HOME": str(home), "PATH": "/usr/bin:/bin"}
        if servers.ca_file is not None:
            environ["SSL_CERT_FILE"] = servers.ca_file
        one = f"{servers.names[0]}/{_IMAGES[0]}"
        many = [f"{name}/{image}" for name in servers.names for image in _IMAGES]
        found: dict[str, list[float]] = {"one": [], "docker": [], "many": []}
        inspect = [docker, "manifest", "inspect", *([] if servers.ca_file else ["--insecure"]), one]
        for _ in range(rounds):
            found["one"].append(_timed([command, "doctor", one], environ))
            found["docker"].append(_timed(inspect, environ))
            found["many"].append(_timed([command, "doctor", *many], environ))
    return {
        **found,
        "ratio": [a / b for a, b in zip(found["one"], found["docker"], strict=True)],
        "many_ratio": [a / b for a, b in zip(found["many"], found["one"], strict=True)],
    }


def _timed(command: Sequence[str], environ: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
    return time.perf_counter() - begun


if __name__ == "__main__":
    sys.exit(main())
