# SPDX-License-Identifier: MIT
"""
How long the commands that ask nobody take, beside a bare interpreter; and `resolve` in Python.

    python bench/commands.py [--rounds N] [--venv FOLDER] [--json]

Whole processes take turns: a bare interpreter, `list`, `status`, and a hook with nothing to do:
with one set, with 100 sets, and in a virtual environment with 300 distributions more.  Then one
process calls `resolve` again and again, with 100 logins in config.json.
"""

from __future__ import annotations

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from helper import Program, Row, measured
from login import installed

from devcontainer_registry.testing import LoopbackRegistry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_USER, _PASSWORD = "someone", "not-a-secret"
_DISTRIBUTIONS = 300
_SETS = _LOGINS = 100

_BARE, _LIST, _STATUS = "python -c pass", "list", "status"
_QUIET, _QUIET_100, _QUIET_300 = "hook, 1 set", "hook, 100 sets", "hook, 300 distributions"
_LOGIN, _LOGIN_300 = "login, dry run", "the same, 300 distributions"

# Of a bare interpreter's time, at most.
_AIMS = {_LIST: 4.0, _QUIET: 1.3, _QUIET_100: 1.3, _QUIET_300: 1.3}
_AIM_RESOLVE = 0.2  # ms

_RESOLVE = """\
import statistics, sys, time
from devcontainer_registry import resolve
def once():
    begin = time.perf_counter()
    found = resolve("registry50.example/team/app:1")
    seconds = time.perf_counter() - begin
    assert found is not None and found.secret.reveal() == "not-a-secret-50", "wrong answer"
    return seconds
once()
times = sorted(once() for _ in range(500))
print(*(1000 * times[len(times) * share // 100] for share in (50, 5, 95)))
"""


def main() -> int:
    """
    Measure, print the table, and return 0.
    """
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=25, help="of all programs (default: 25)")
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        LoopbackRegistry({_USER: _PASSWORD}) as registry,
    ):
        folder = Path(name)
        venv = Path(arguments.venv or installed(folder))
        programs = dict(_programs(venv, folder, str(registry.registry)))
        rows = measured(programs, rounds=arguments.rounds)
        resolved = _resolved(venv, folder)
    verdicts = [(name, rows[name].of(rows[_BARE]), aim) for name, aim in _AIMS.items()]
    if arguments.json:
        print(json.dumps(_document(rows, resolved, verdicts, arguments.rounds), indent=2))
        return 0
    print(f"{'whole process':<30}{'ms':>7}{'of bare':>10}{'spread':>16}")
    for row in rows.values():
        low, high = row.spread
        spread = f"{low:.0f} to {high:.0f}"
        print(f"{row.name:<30}{row.milliseconds:>7.1f}{row.of(rows[_BARE]):>10.2f}{spread:>16}")
    median, low, high = resolved
    print(f"\nresolve, {_LOGINS} logins: {median:.3f} ms ({low:.3f} to {high:.3f})\n\naims")
    for name, ratio, aim in verdicts:
        word = "met" if ratio <= aim else "MISSED"
        print(f"{word:<8}{name}: {ratio:.2f} of a bare interpreter (at most {aim})")
    word = "met" if median <= _AIM_RESOLVE else "MISSED"
    print(f"{word:<8}resolve: {median:.3f} ms (at most {_AIM_RESOLVE})")
    return 0


def _programs(venv: Path, folder: Path, registry: str) -> Iterator[tuple[str, Program]]:
    python, command = (str(venv / "bin" / name) for name in ("python", "devcontainer-registry"))
    crowded = _crowded(folder)
    yield _BARE, Program(command=[python, "-c", "pass"], environ=_environ(folder / "bare"))
    one = _environ(folder / "one", _set("MY", registry))
    hundred = _environ(
        folder / "hundred",
        _set("MY", registry),
        *(_set(f"EMPTY{number}", "") for number in range(_SETS - 1)),
    )
    many = {**one, "HOME": str(folder / "many"), "PYTHONPATH": str(crowded)}
    hook = [command, "hook", "postStart"]
    for name, environ in ((_QUIET, one), (_QUIET_100, hundred), (_QUIET_300, many)):
        for _ in range(2):  # the first logs in, the second finds no change
            subprocess.run(hook, env=environ, check=True, stdout=subprocess.DEVNULL)
        yield name, Program(command=hook, environ=environ)
    yield _LIST, Program(command=[command, "list"], environ=one, answer=registry)
    yield _STATUS, Program(command=[command, "status"], environ=one, answer=registry)
    dry = [command, "login", "--dry-run"]
    yield _LOGIN, Program(command=dry, environ=one, answer=registry)
    yield _LOGIN_300, Program(command=dry, environ=many, answer=registry)


def _environ(home: Path, *sets: Mapping[str, str]) -> dict[str, str]:
    home.mkdir()
    environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    for one in sets:
        environ |= one
    return environ


def _set(identifier: str, registry: str) -> dict[str, str]:
    members = {"SERVER": registry, "USER": _USER, "PASSWORD": _PASSWORD}
    given = {name: text if registry else "" for name, text in members.items()}
    return {f"{identifier}_CONTAINER_REGISTRY_{name}": text for name, text in given.items()}


def _crowded(folder: Path) -> Path:
    """
    A folder with many distributions, such as a project's own.
    """
    crowded = folder / "crowded"
    for number in range(_DISTRIBUTIONS):
        info = crowded / f"part{number}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: part{number}\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(
            f"[console_scripts]\npart{number} = part{number}:main\n", encoding="utf-8"
        )
    return crowded


def _resolved(venv: Path, folder: Path) -> tuple[float, float, float]:
    home = folder / "resolving"
    (home / ".docker").mkdir(parents=True)
    auths = {
        f"registry{number}.example": {
            "auth": base64.b64encode(f"{_USER}:{_PASSWORD}-{number}".encode()).decode()
        }
        for number in range(_LOGINS)
    }
    (home / ".docker" / "config.json").write_text(json.dumps({"auths": auths}), encoding="utf-8")
    done = subprocess.run(
        [str(venv / "bin" / "python"), "-c", _RESOLVE],
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"},
        check=True,
        capture_output=True,
        text=True,
    )
    median, low, high = map(float, done.stdout.split())
    return median, low, high


def _document(
    rows: Mapping[str, Row],
    resolved: tuple[float, float, float],
    verdicts: list[tuple[str, float, float]],
    rounds: int,
) -> dict[str, object]:
    return {
        "rounds": rounds,
        "rows": [
            {
                "name": row.name,
                "ms": round(row.milliseconds, 2),
                "ratio_to_bare": round(row.of(rows[_BARE]), 3),
                "spread_ms": [round(end, 2) for end in row.spread],
            }
            for row in rows.values()
        ],
        "resolve_ms": [round(value, 4) for value in resolved],
        "aims": [
            {"of": name, "measured": round(ratio, 3), "at_most": aim, "met": ratio <= aim}
            for name, ratio, aim in (*verdicts, ("resolve", resolved[0], _AIM_RESOLVE))
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
