# SPDX-License-Identifier: MIT
"""
How long the kubelet waits for our credential provider, beside a bare interpreter.

    python bench/kubelet.py [--rounds N] [--json]

The package is built, installed into a fresh virtual environment and compiled.  Then whole processes
run in pairs: a bare interpreter, the same that runs the package, and the provider; who is first
changes with each pair.  The figure is the median of the pairs' ratios, with their quartiles.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from helper import Program, run
from login import installed

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

_ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_PASSWORD = "x" * 2500  # as long as ECR's
_STATIC = "registry.example:5000"
_LIFE = 12 * 3600  # seconds

_CACHED, _HANDED_OVER = "cached answer", "password of a set"
# Of a bare interpreter's time; what the kubelet itself caches for long has no aim.
_AIMS = {_CACHED: 1.5}


@dataclass(slots=True, kw_only=True)
class Pairs:
    """
    The times of pairs, in seconds: a bare interpreter's and the provider's.
    """

    bare: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    @property
    def quartiles(self) -> tuple[float, float, float]:
        ratios = [mine / theirs for mine, theirs in zip(self.ours, self.bare, strict=True)]
        low, middle, high = statistics.quantiles(ratios, n=4)
        return low, middle, high


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40, help="pairs of each (default: 40)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scripts = Path(arguments.venv or installed(folder)) / "bin"
        bare = Program(command=[str(scripts / "python"), "-c", "pass"], environ=_plain(folder))
        results = {
            one: _measured(bare, program, rounds=arguments.rounds)
            for one, program in _programs(scripts, folder)
        }
    if arguments.json:
        print(json.dumps(_document(results, rounds=arguments.rounds), indent=2))
    else:
        _print(results)
    return 0


def _plain(folder: Path) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "DEVCONTAINER_REGISTRY_CACHE_DIR": str(folder / "cache"),
        # If it asks AWS, the request fails, and so does the bench.
        "AWS_EC2_METADATA_DISABLED": "true",
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def _programs(scripts: Path, folder: Path) -> Iterator[tuple[str, Program]]:
    provider = str(scripts / "devcontainer-registry-kubelet")
    of_cloud = folder / "ecr.json"
    of_cloud.write_text(json.dumps({"ECR_CONTAINER_REGISTRY_SERVER": _ECR}), encoding="utf-8")
    environ = _plain(folder)
    # As the installed package sees its own files, whose age is part of the hash.
    _run_python(scripts, _REMEMBER, str(of_cloud), environ)
    yield (
        _CACHED,
        Program(
            command=[provider, "--secrets-file", str(of_cloud)],
            environ=environ,
            given=_request(f"{_ECR}/team/app"),
            answer=_PASSWORD,
        ),
    )
    handed = folder / "static.json"
    members = {"SERVER": _STATIC, "USER": "bob", "PASSWORD": _PASSWORD}
    sets = {f"CORP_CONTAINER_REGISTRY_{name}": text for name, text in members.items()}
    handed.write_text(json.dumps(sets), encoding="utf-8")
    yield (
        _HANDED_OVER,
        Program(
            command=[provider, "--secrets-file", str(handed)],
            environ=environ,
            given=_request(f"{_STATIC}/team/app"),
            answer=_PASSWORD,
        ),
    )


_REMEMBER = f"""
import os, sys, time
from devcontainer_registry.cache.entry import Entry
from devcontainer_registry.kubelet import remembered
from devcontainer_registry.registry import Registry

cache = remembered.locate(os.environ)
digest = cache.fingerprint(*remembered.looked_at(os.environ, sys.argv[1]))
now = time.time()
entry = Entry().with_credential("AWS", "x" * 2500, issued_at=now, expires_at=now + {_LIFE})
entry = entry.with_result("unverified", set_hash=digest, identity=None, at=now)
entry.write(cache, Registry("{_ECR}"))
"""


def _run_python(scripts: Path, code: str, argument: str, environ: Mapping[str, str]) -> None:
    run(Program(command=[str(scripts / "python"), "-I", "-c", code, argument], environ=environ))


def _request(image: str) -> str:
    group = "credentialprovider.kubelet.k8s.io/v1"
    document = {"apiVersion": group, "kind": "CredentialProviderRequest", "image": image}
    return json.dumps(document)


def _measured(bare: Program, program: Program, *, rounds: int) -> Pairs:
    pairs = Pairs()
    for one in (bare, program):
        run(one)  # reads it from the disk
    for turn in range(rounds):
        for one in (bare, program) if turn % 2 else (program, bare):
            (pairs.bare if one is bare else pairs.ours).append(run(one))
    return pairs


def _document(results: Mapping[str, Pairs], *, rounds: int) -> dict[str, Any]:
    return {
        "rounds": rounds,
        "rows": [
            {
                "name": name,
                "bare_ms": round(1000 * statistics.median(pairs.bare), 2),
                "ms": round(1000 * statistics.median(pairs.ours), 2),
                "ratio": round(pairs.quartiles[1], 3),
                "quartiles": [round(pairs.quartiles[0], 3), round(pairs.quartiles[2], 3)],
                "aim": _AIMS.get(name),
                "met": pairs.quartiles[1] <= _AIMS[name] if name in _AIMS else None,
            }
            for name, pairs in results.items()
        ],
    }


def _print(results: Mapping[str, Pairs]) -> None:
    print(f"{sys.implementation.name} on {os.cpu_count()} processors; medians of pairs\n")
    print("whole process            bare ms      ms   of bare   quartiles")
    for name, pairs in results.items():
        low, middle, high = pairs.quartiles
        bare, ours = (1000 * statistics.median(times) for times in (pairs.bare, pairs.ours))
        print(f"{name:<22}{bare:>10.1f}{ours:>8.1f}{middle:>10.2f}   {low:.2f} to {high:.2f}")
    print("\naims")
    for name, aim in _AIMS.items():
        ratio = results[name].quartiles[1]
        word = "met" if ratio <= aim else "MISSED"
        print(f"{word:<8}{name}: {ratio:.2f} of a bare interpreter (at most {aim})")


if __name__ == "__main__":
    sys.exit(main())
