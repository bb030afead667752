# SPDX-License-Identifier: MIT
"""
How the time grows with the sets, with the size of config.json, and with processes at once.

    python bench/growth.py [--rounds N] [--part sets|config|processes|lock] [--venv FOLDER] [--json]

The package is built, installed into a fresh virtual environment and compiled; then its programs run
as whole processes against registries on loopback, from an empty home each time.

`sets`: `login` and `list` of 1 to 1,000 sets.
`config`: `login`, `status`, `resolve`, a cached `get` of the helper and a quiet hook, with 10 to
100,000 logins in config.json.
`processes`: 1 to 200 logins that start together, each to its own registry, with one config.json.
`lock`: as many processes with the package loaded, which all write one entry at the same moment.

A row is met if growth is linear or better.  The first row has what is to be paid in any case.  For
each other row there is the price of one more: the time beyond the first row, divided by what it has
more of.  That may be at most one and a half times that of the row before; what grows with the
square of the size makes it 4 to 100 times as high.  Where the row before is the first, or differs
from it by less than a fifth, there is no such price; then the time may grow by one and a half times
what the size does.  Each answer is checked: a lost login ends the bench.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import itertools
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

from crowd import PASSWORD, USER, Crowd
from helper import Program
from login import installed

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

_SETS = (1, 10, 100, 1_000)
_ENTRIES = (10, 1_000, 100_000)
_PROCESSES = (1, 10, 50, 200)
_ONCE = 50  # processes; a round of so many takes long, and is a mean of many by itself

_NOISE = 1.5
_FIRST_NOISE = 0.2  # of the first row

_RUN_MAX = 120.0  # seconds
_PREFIX = "CONTAINER_REGISTRY"
_CACHED = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"

# Starts a program from a small process: a child's peak begins at what its parent had when it
# forked.
_START = """\
import json, os, resource, sys, time
begin = time.perf_counter()
status = os.spawnv(os.P_WAIT, sys.argv[1], sys.argv[1:])
seconds = time.perf_counter() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print()
print(json.dumps([seconds, used.ru_utime + used.ru_stime, used.ru_maxrss]))
sys.exit(status)
"""

# Each shell waits for the end of its input, and then becomes the program.
_GATE = 'read -r _; exec "$0" "$@"'

_RESOLVE = """\
import statistics, sys, time
from devcontainer_registry import resolve
def once():
    begin = time.perf_counter()
    found = resolve("registry5.example/team/app:1")
    seconds = time.perf_counter() - begin
    assert found is not None and found.secret.reveal() == "not-a-secret-5", "wrong answer"
    return seconds
once()
print(statistics.median(once() for _ in range(5)))
"""

# Forks as many processes as told; prints the seconds that each took for its edit.
_EDIT = """\
import os, sys, time
from devcontainer_registry import Credential, Registry, Secret
from devcontainer_registry.config.file import DockerConfig

config = DockerConfig.locate(os.environ)
credential = Credential(username="someone", secret=Secret("not-a-secret"))
# Another file first, for what an edit imports; two, as only a second one exchanges files.
other = DockerConfig(os.path.join(os.environ["HOME"], "other", "config.json"))
for place in range(2):
    registry = Registry(f"registry{place}.example")
    other.edit(lambda document: document.set_auth(registry, credential))
gate, opened = os.pipe()
answers, answer = os.pipe()

def edit(place):
    registry = Registry(f"registry{place}.example")
    os.write(answer, b"ready\\n")
    os.read(gate, 1)
    begin = time.perf_counter()
    config.edit(lambda document: document.set_auth(registry, credential))
    os.write(answer, b"%f\\n" % (time.perf_counter() - begin))

number = int(sys.argv[1])
for place in range(number):
    if os.fork() == 0:
        os.close(opened)
        status = 1
        try:
            edit(place)
            status = 0
        finally:
            os._exit(status)
os.close(answer)
with open(answers) as lines:
    for _ in range(number):
        assert next(lines) == "ready\\n"
    begin = time.perf_counter()
    os.close(opened)
    seconds = [float(line) for line in lines]
    print(time.perf_counter() - begin, max(seconds))
assert not any(os.wait()[1] for _ in range(number))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """
    One run: seconds, and what else is known of it.

    Attributes:
        seconds: From its start to its end.
        cpu: Seconds of processors, its own and the system's for it.
        megabytes: Resident at most.
        longest: Seconds that the last of several processes took.
    """

    seconds: float
    cpu: float | None = None
    megabytes: float | None = None
    longest: float | None = None


@dataclass(slots=True, kw_only=True)
class Row:
    """
    The runs of one program with one size.
    """

    name: str
    size: int
    samples: list[Sample] = field(default_factory=list)

    def median(self, member: str) -> float | None:
        """
        Return the median of a member of the samples; None if it is not known.
        """
        found = [getattr(sample, member) for sample in self.samples]
        return None if None in found else statistics.median(found)

    @property
    def seconds(self) -> float:
        return statistics.median(sample.seconds for sample in self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        """
        The shortest and the longest run, in seconds.
        """
        seconds = [sample.seconds for sample in self.samples]
        return min(seconds), max(seconds)

    def price(self, first: Row) -> float:
        """
        Return the seconds that one more costs, compared to the *first* row.
        """
        return (self.seconds - first.seconds) / (self.size - first.size)

    def is_near(self, first: Row) -> bool:
        """
        Return whether the difference to the *first* row may be noise.
        """
        return self.seconds - first.seconds < _FIRST_NOISE * first.seconds

    def is_linear(self, before: Row, first: Row) -> bool:
        """
        Return whether the time grew from the row *before* as the module's docstring says.
        """
        if before.is_near(first):
            return self.seconds / before.seconds <= _NOISE * self.size / before.size
        return self.price(first) <= _NOISE * before.price(first)


def main() -> int:
    """
    Measure, print the table, and return 0.
    """
    arguments = _parser().parse_args()
    parts = arguments.part or list(_PARTS)
    with (
        tempfile.TemporaryDirectory() as name,
        Crowd(max(*_SETS, *_PROCESSES)) as crowd,
    ):
        folder = Path(name)
        scripts = Path(arguments.venv or installed(folder)).absolute() / "bin"
        bench = Bench(folder, scripts=scripts, crowd=crowd, rounds=arguments.rounds)
        tables = {part: _PARTS[part](bench) for part in parts}
    if arguments.json:
        print(json.dumps(_document(tables, arguments.rounds), indent=2))
    else:
        _print(tables)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument(
        "--rounds",
        type=int,
        default=3,
        help=f"of all sizes; {_ONCE} processes and more run once (default: 3)",
    )
    parser.add_argument(
        "--part", action="append", choices=_PARTS, help="may be repeated (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    return parser


class Bench:
    """
    Runs the programs of each part, and checks their answers.
    """

    def __init__(self, folder: Path, *, scripts: Path, crowd: Crowd, rounds: int) -> None:
        self._folder = folder
        self._python = str(scripts / "python")
        self._command = str(scripts / "devcontainer-registry")
        self._helper = str(scripts / "docker-credential-devcontainer-registry")
        self._crowd = crowd
        self._rounds = rounds

    def sets(self) -> list[Row]:
        """
        `login` and `list` of many sets.
        """
        return self._measured({"login": self._login, "list": self._list}, _SETS)

    def config(self) -> list[Row]:
        """
        All that reads or writes config.json, with many logins in it.
        """
        programs = {
            "login of one set": self._login_beside,
            "status": self._status,
            "resolve": self._resolve,
            "cached get": self._get,
            "quiet hook": self._quiet_hook,
        }
        return self._measured(programs, _ENTRIES)

    def processes(self) -> list[Row]:
        """
        Logins of many processes at once.
        """
        return self._measured({"logins at once": self._logins}, _PROCESSES, once=_ONCE)

    def lock(self) -> list[Row]:
        """
        Edits of config.json by many processes at once.
        """
        return self._measured({"edits at once": self._edits}, _PROCESSES)

    def _measured(
        self,
        programs: Mapping[str, Callable[[int], Sample]],
        sizes: Sequence[int],
        *,
        once: float = float("inf"),
    ) -> list[Row]:
        """
        Run all *programs* with all *sizes* in turns; those with a size from *once* on run once.
        """
        rows = [Row(name=name, size=size) for name in programs for size in sizes]
        programs[rows[0].name](rows[0].size)  # reads it from the disk
        for turn in range(self._rounds):
            for row in rows:
                if turn == 0 or row.size < once:
                    row.samples.append(programs[row.name](row.size))
        return rows

    def _login(self, size: int) -> Sample:
        names = self._crowd.names[:size]
        self._crowd.accepted()
        with self._home(names) as environ:
            sample = self._run([self._command, "login"], environ, answer=names[-1])
            _expect(set(_auths(environ)) == set(names), "a login is lost")
        _expect(all(self._crowd.accepted()[:size]), "a registry was not asked")
        return sample

    def _list(self, size: int) -> Sample:
        names = self._crowd.names[:size]
        with self._home(names) as environ:
            return self._run([self._command, "list"], environ, answer=names[-1])

    def _login_beside(self, size: int) -> Sample:
        (name,) = self._crowd.names[:1]
        with self._home([name], entries=size) as environ:
            before = _auths(environ)
            sample = self._run([self._command, "login"], environ, answer=name)
            after = _auths(environ)
        _expect(after.pop(name, None) is not None and after == before, "a login is lost")
        return sample

    def _status(self, size: int) -> Sample:
        with self._home([], entries=size) as environ:
            return self._run(
                [self._command, "status"], environ, answer=f"registry{size - 1}.example"
            )

    def _resolve(self, size: int) -> Sample:
        with self._home([], entries=size) as environ:
            said = self._output([self._python, "-c", _RESOLVE], environ)
        return Sample(seconds=float(said))

    def _get(self, size: int) -> Sample:
        with self._home([], entries=size) as environ:
            now = time.time()
            credential = {"Username": "AWS", "Secret": PASSWORD}
            Cache.locate(environ).write(
                Registry(_CACHED),
                {"credential": credential, "issued_at": now, "expires_at": now + 12 * 3600},
            )
            return self._run([self._helper, "get"], environ, given=_CACHED, answer=PASSWORD)

    def _quiet_hook(self, size: int) -> Sample:
        hook = [self._command, "hook", "postStart"]
        (name,) = self._crowd.names[:1]
        with self._home([name], entries=size) as environ:
            for _ in range(2):  # the first logs in, the second finds no change
                self._run(hook, environ)
            self._crowd.accepted()
            sample = self._run(hook, environ)
            _expect(len(_auths(environ)) == size + 1, "a login is lost")
        _expect(not any(self._crowd.accepted()), "the hook was not quiet")
        return sample

    def _logins(self, size: int) -> Sample:
        names = self._crowd.names[:size]
        started: dict[int, tuple[subprocess.Popen[bytes], Path]] = {}
        gate, opened = os.pipe()
        with self._home([]) as environ:
            try:
                for name in names:
                    said = Path(environ["HOME"], f"said-by-{name}")
                    with said.open("wb") as output:
                        process = subprocess.Popen(
                            ["/bin/sh", "-c", _GATE, self._command, "login"],
                            env={**environ, **_set("MY", name)},
                            stdin=gate,
                            stdout=output,
                            stderr=output,
                        )
                    started[process.pid] = process, said
                os.close(gate)
                begin = time.perf_counter()
                os.close(opened)
                longest = cpu = 0.0
                while started:
                    pid, status, used = os.wait3(0)
                    longest = time.perf_counter() - begin
                    cpu += used.ru_utime + used.ru_stime
                    process, said = started.pop(pid)
                    process.returncode = os.waitstatus_to_exitcode(status)
                    _expect(status == 0, said.read_text(encoding="utf-8"))
            finally:
                for process, _ in started.values():
                    process.kill()
                    process.wait()
            _expect(set(_auths(environ)) == set(names), "a login is lost")
        return Sample(seconds=longest, cpu=cpu, longest=longest)

    def _edits(self, size: int) -> Sample:
        with self._home([]) as environ:
            said = self._output([self._python, "-c", _EDIT, str(size)], environ)
            _expect(len(_auths(environ)) == size, "a login is lost")
        seconds, longest = map(float, said.split())
        return Sample(seconds=seconds, longest=longest)

    @contextlib.contextmanager
    def _home(self, names: Sequence[str], *, entries: int = 0) -> Iterator[dict[str, str]]:
        """
        The environment of one run: sets for *names*, and so many *entries* in config.json.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as home:
            environ = {"HOME": home, "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
            environ["DOCKER_CONFIG"] = f"{home}/docker"
            for place, name in enumerate(names):
                environ |= _set(f"R{place}", name)
            if entries:
                os.mkdir(environ["DOCKER_CONFIG"], 0o700)
                shutil.copy(self._template(entries), f"{environ['DOCKER_CONFIG']}/config.json")
            yield environ

    def _template(self, entries: int) -> Path:
        template = self._folder / f"{entries}.json"
        if not template.exists():
            auths = {
                f"registry{number}.example": {
                    "auth": base64.b64encode(f"{USER}:{PASSWORD}-{number}".encode()).decode()
                }
                for number in range(entries)
            }
            template.write_text(json.dumps({"auths": auths}, indent="\t"), encoding="utf-8")
            template.chmod(0o600)
        return template

    def _run(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        given: str = "",
        answer: str = "",
    ) -> Sample:
        start = [self._python, "-I", "-S", "-c", _START, *command]
        said = _said(Program(command=start, environ=environ, given=given, answer=answer))
        seconds, cpu, peak = json.loads(said.splitlines()[-1])
        unit = 1024 if sys.platform == "linux" else 1024 * 1024
        return Sample(seconds=seconds, cpu=cpu, megabytes=peak / unit)

    def _output(self, command: Sequence[str], environ: Mapping[str, str]) -> str:
        return _said(Program(command=command, environ=environ))


_PARTS: dict[str, Callable[[Bench], list[Row]]] = {
    "sets": Bench.sets,
    "config": Bench.config,
    "processes": Bench.processes,
    "lock": Bench.lock,
}


def _said(program: Program) -> str:
    done = subprocess.run(
        program.command,
        # Python would find the package of the checkout in the working directory first.
        cwd=program.environ["HOME"],
        env=program.environ,
        input=program.given,
        capture_output=True,
        text=True,
        timeout=_RUN_MAX,
        check=False,
    )
    _expect(done.returncode == 0, f"exited with {done.returncode}: {done.stderr}")
    _expect(program.answer in done.stdout, f"{program.answer} is not in the answer")
    return done.stdout


def _set(identifier: str, registry: str) -> dict[str, str]:
    members = {"SERVER": registry, "USER": USER, "PASSWORD": PASSWORD}
    return {f"{identifier}_{_PREFIX}_{name}": text for name, text in members.items()}


def _auths(environ: Mapping[str, str]) -> dict[str, Any]:
    text = Path(environ["DOCKER_CONFIG"], "config.json").read_text(encoding="utf-8")
    auths: dict[str, Any] = json.loads(text)["auths"]
    return auths


def _expect(condition: object, message: str) -> None:
    if not condition:
        raise RuntimeError(message)


def _verdicts(rows: Sequence[Row]) -> Iterator[tuple[Row, Row, bool | None]]:
    """
    Yield each row, the first of its name, and whether it is met; None for the first.
    """
    for _, found in itertools.groupby(rows, key=lambda row: row.name):
        first, *others = found
        yield first, first, None
        for before, row in itertools.pairwise((first, *others)):
            yield row, first, row.is_linear(before, first)


def _document(tables: Mapping[str, Sequence[Row]], rounds: int) -> dict[str, Any]:
    return {
        "rounds": rounds,
        "rows": [
            {
                "part": part,
                "name": row.name,
                "size": row.size,
                "ms": round(1000 * row.seconds, 3),
                "spread_ms": [round(1000 * seconds, 3) for seconds in row.spread],
                "ms_each": round(1000 * row.seconds / row.size, 5),
                "ms_one_more": None if met is None else round(1000 * row.price(first), 5),
                "cpu_ms": _rounded(row.median("cpu"), 1000),
                "peak_mb": _rounded(row.median("megabytes")),
                "longest_ms": _rounded(row.median("longest"), 1000),
                "met": met,
            }
            for part, rows in tables.items()
            for row, first, met in _verdicts(rows)
        ],
    }


def _print(tables: Mapping[str, Sequence[Row]]) -> None:
    print(f"{sys.implementation.name} on {os.cpu_count()} processors; medians, and their spread\n")
    for part, rows in tables.items():
        together = part in ("processes", "lock")
        more = ("a second", "longest") if together else ("CPU, ms", "MB")
        print(f"{'':<17}{'size':>7}{'ms':>8}{'spread':>17}{'one more':>10}", end="")
        print("".join(f"{title:>9}" for title in more))
        for row, first, met in _verdicts(rows):
            cells: tuple[float | None, ...] = (
                _rounded(row.median("cpu"), 1000),
                _rounded(row.median("megabytes")),
            )
            if together:
                cells = row.size / row.seconds, _rounded(row.median("longest"), 1000)
            low, high = (_figure(1000 * seconds) for seconds in row.spread)
            price = "" if row.is_near(first) else _figure(1000 * row.price(first))
            print(
                f"{row.name:<17}{row.size:>7}{_figure(1000 * row.seconds):>8}"
                f"{f'{low} to {high}':>17}{price:>10}"
                + "".join(f"{'' if cell is None else _figure(cell):>9}" for cell in cells)
                + ("" if met is None else "  met" if met else "  MISSED")
            )
        print()


def _rounded(value: float | None, factor: float = 1.0) -> float | None:
    return None if value is None else round(factor * value, 1)


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.4f}"


if __name__ == "__main__":
    sys.exit(main())
