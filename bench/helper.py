# SPDX-License-Identifier: MIT
"""
How long docker waits for our credential helper, and a start for a hook with nothing to do.

    python bench/helper.py [--rounds N] [--json]

The package is built, installed into a fresh virtual environment and compiled.  Then whole processes
take turns: a bare interpreter, the same that runs the package; the helper with a cached
credential; Amazon's own helper with a cached one (Debian's amazon-ecr-credential-helper, if it is
installed); importing the package; and the hook.
"""

from __future__ import annotations

import argparse
import base64
import datetime as dt
import hashlib
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

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

_ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
_KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # AWS's own example
_PASSWORD = "x" * 2500  # as long as ECR's
_LIFE = 12 * 3600  # seconds

_RUN_MAX = 60.0  # seconds

_BARE, _GET, _AMAZON, _IMPORT = "python -c pass", "cached get", "ecr-login get", "import"
_EMPTY, _QUIET = "hook, no secrets", "hook, all as it was"

# Of a bare interpreter's time: what is aimed at, and what it may be at most.
_AIMS = {_GET: (1.25, 1.25), _IMPORT: (1.1, 1.1), _EMPTY: (1.3, 1.3), _QUIET: (1.3, 1.3)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """
    What is started, with what it is given.
    """

    command: Sequence[str]
    environ: Mapping[str, str]
    given: str = ""
    answer: str = ""  # what is in its output, so that nothing fast and wrong is measured


@dataclass(slots=True, kw_only=True)
class Row:
    """
    The times of one program, in seconds, one of each round.
    """

    name: str
    seconds: list[float] = field(default_factory=list)

    @property
    def milliseconds(self) -> float:
        return 1000 * statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """
        Between which milliseconds nine of ten runs lie.
        """
        ordered = sorted(self.seconds)
        cut = len(ordered) // 20
        return 1000 * ordered[cut], 1000 * ordered[-1 - cut]

    def of(self, other: Row) -> float:
        """
        The median of the rounds' ratios.
        """
        pairs = zip(self.seconds, other.seconds, strict=True)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=40, help="of all programs (default: 40)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        LoopbackRegistry({"someone": "not-a-secret"}) as registry,
    ):
        folder = Path(name)
        scripts = Path(arguments.venv or installed(folder)) / "bin"
        programs = dict(_programs(scripts, folder, registry.registry))
        rows = measured(programs, rounds=arguments.rounds)
        imports = {
            one: _imports(scripts, programs[one]) for one in (_GET, _QUIET) if one in programs
        }
    verdicts = list(_verdicts(rows))
    if arguments.json:
        print(json.dumps(_document(rows, imports, verdicts, rounds=arguments.rounds), indent=2))
    else:
        _print(rows, imports, verdicts)
    return 0


def _programs(scripts: Path, folder: Path, registry: Registry) -> Iterator[tuple[str, Program]]:
    python = str(scripts / "python")
    helper = str(scripts / "docker-credential-devcontainer-registry")
    command = str(scripts / "devcontainer-registry")
    plain = {"HOME": str(folder / "home"), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    now = time.time()
    Cache.locate(plain).write(
        Registry(_ECR),
        {
            "credential": {"Username": "AWS", "Secret": _PASSWORD},
            "issued_at": now,
            "expires_at": now + _LIFE,
        },
    )
    yield _BARE, Program(command=[python, "-c", "pass"], environ=plain)
    yield _GET, Program(command=[helper, "get"], environ=plain, given=_ECR, answer=_PASSWORD)
    amazon = shutil.which("docker-credential-ecr-login")
    if amazon is not None:
        environ = {**plain, **_amazons_cache(folder / "amazon")}
        yield (
            _AMAZON,
            Program(command=[amazon, "get"], environ=environ, given=_ECR, answer=_PASSWORD),
        )
    yield _IMPORT, Program(command=[python, "-c", "import devcontainer_registry"], environ=plain)
    hook = [command, "hook", "postStart"]
    yield _EMPTY, Program(command=hook, environ=plain)
    secrets = {
        **plain,
        "HOME": str(folder / "home-with-secrets"),
        "MY_CONTAINER_REGISTRY_SERVER": str(registry),
        "MY_CONTAINER_REGISTRY_USER": "someone",
        "MY_CONTAINER_REGISTRY_PASSWORD": "not-a-secret",
    }
    for _ in range(2):  # the first logs in, the second finds no change
        run(Program(command=hook, environ=secrets))
    yield _QUIET, Program(command=hook, environ=secrets)


def _amazons_cache(home: Path) -> dict[str, str]:
    """
    A home with a token in the cache of Amazon's helper, and the variables with which it is found.

    https://github.com/awslabs/amazon-ecr-credential-helper/blob/v0.6.0/ecr-login/cache/build.go
    """
    now = dt.datetime.now(dt.timezone.utc)
    # Its hash is that of nothing, with the key's id before it.
    checksum = base64.b64encode(_KEY_ID.encode() + hashlib.md5(b"").digest()).decode()
    account, _, _, region = _ECR.split(".")[:4]
    entry = {
        "AuthorizationToken": base64.b64encode(f"AWS:{_PASSWORD}".encode()).decode(),
        "RequestedAt": now.isoformat(),
        "ExpiresAt": (now + dt.timedelta(seconds=_LIFE)).isoformat(),
        "ProxyEndpoint": f"https://{_ECR}",
        "Service": "ecr",
    }
    document = {"Registries": {f"{region}-{checksum}-{account}": entry}, "Version": "1.0"}
    (home / ".ecr").mkdir(parents=True, mode=0o700)
    (home / ".ecr" / "cache.json").write_text(json.dumps(document), encoding="utf-8")
    return {
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": _KEY_ID,
        "AWS_SECRET_ACCESS_KEY": "not-a-secret",
        "AWS_EC2_METADATA_DISABLED": "true",
        # If it asks AWS, the request fails, and so does the bench.
        "HTTPS_PROXY": "http://127.0.0.1:9",
    }


def measured(programs: Mapping[str, Program], *, rounds: int) -> dict[str, Row]:
    """
    Run all *programs* in turns.
    """
    rows = {name: Row(name=name) for name in programs}
    for program in programs.values():
        run(program)  # reads it from the disk
    order = list(programs)
    for turn in range(rounds):
        # Nobody always runs after the same one.
        shift = turn % len(order)
        for name in order[shift:] + order[:shift]:
            rows[name].seconds.append(run(programs[name]))
    return rows


def run(program: Program) -> float:
    begin = time.perf_counter()
    done = subprocess.run(
        program.command,
        env=program.environ,
        input=program.given.encode(),
        capture_output=True,
        timeout=_RUN_MAX,
        check=False,
    )
    seconds = time.perf_counter() - begin
    if done.returncode != 0 or program.answer.encode() not in done.stdout:
        msg = f"{program.command[0]} exited with {done.returncode}: {done.stderr.decode()}"
        raise RuntimeError(msg)
    return seconds


def _imports(scripts: Path, program: Program) -> dict[str, float]:
    """
    What it imports beyond a bare interpreter, in milliseconds of its own, the dearest first.

    Tracing makes them slower than they are: read them as shares.
    """
    bare = _traced([str(scripts / "python"), "-c", "pass"], program)
    found = _traced([str(scripts / "python"), *program.command], program)
    dearest = sorted(found.items(), key=lambda item: -item[1])
    return {name: cost for name, cost in dearest if name not in bare}


def _traced(command: Sequence[str], program: Program) -> dict[str, float]:
    done = subprocess.run(
        command,
        env={**program.environ, "PYTHONPROFILEIMPORTTIME": "1"},
        input=program.given.encode(),
        capture_output=True,
        timeout=_RUN_MAX,
        check=True,
    )
    lines = [line.split("|") for line in done.stderr.decode().splitlines() if line.count("|") == 2]
    return {
        name.strip(): int(own.rpartition(":")[2]) / 1000
        for own, _, name in lines
        if own.rpartition(":")[2].strip().isdigit()
    }


def _verdicts(rows: Mapping[str, Row]) -> Iterator[tuple[str, float, float, float]]:
    """
    Each ratio to a bare interpreter, with what it is aimed at and what it may be.
    """
    for name, (aim, most) in _AIMS.items():
        yield name, round(rows[name].of(rows[_BARE]), 2), aim, most


def _document(
    rows: Mapping[str, Row],
    imports: Mapping[str, Mapping[str, float]],
    verdicts: Sequence[tuple[str, float, float, float]],
    *,
    rounds: int,
) -> dict[str, Any]:
    amazon = rows.get(_AMAZON)
    return {
        "rounds": rounds,
        "rows": [
            {
                "name": row.name,
                "ms": round(row.milliseconds, 2),
                "ratio_to_bare": round(row.of(rows[_BARE]), 3),
            }
            for row in rows.values()
        ],
        "get_to_amazons": round(rows[_GET].of(amazon), 3) if amazon else None,
        "imports_ms": imports,
        "aims": [
            {"of": name, "measured": ratio, "aim": aim, "at_most": most, "met": ratio <= aim}
            for name, ratio, aim, most in verdicts
        ],
    }


def _print(
    rows: Mapping[str, Row],
    imports: Mapping[str, Mapping[str, float]],
    verdicts: Sequence[tuple[str, float, float, float]],
) -> None:
    print(f"{sys.implementation.name} on {os.cpu_count()} processors; medians\n")
    print("whole process              ms   of bare          spread")
    for row in rows.values():
        low, high = row.spread
        spread = f"{low:.0f} to {high:.0f}"
        ratio = row.of(rows[_BARE])
        print(f"{row.name:<22}{row.milliseconds:>7.1f}{ratio:>10.2f}{spread:>16}")
    amazon = rows.get(_AMAZON)
    if amazon:
        print(f"\na cached get is {rows[_GET].of(amazon):.2f} of Amazon's own")
    else:
        print("\nAmazon's own is not here: apt-get install amazon-ecr-credential-helper")
    for name, found in imports.items():
        print(f"\n{name}: imports, ms (traced, so slower than they are)")
        print("  ".join(f"{module} {cost:.1f}" for module, cost in list(found.items())[:12]))
    print("\naims")
    for name, ratio, aim, most in verdicts:
        word = "met" if ratio <= aim else "over" if ratio <= most else "MISSED"
        print(f"{word:<8}{name}: {ratio} of a bare interpreter (aim {aim}, at most {most})")


if __name__ == "__main__":
    sys.exit(main())
