# SPDX-License-Identifier: MIT
"""
How long a login to ECR takes beside `aws ecr get-login-password | docker login`.

    python bench/ecr.py [--rounds N] [--sets 1,10] [--json]

The package is built and installed into a fresh virtual environment; then the whole process
`devcontainer-registry login` and as many pipelines as there are sets take turns against the same
moto, from empty folders each time.  The sets have keys of two accounts by turns, which moto made
and knows, and no two of them can share an answer.

AWS is on loopback, and so are the registries that `docker login` is given, one for each account, as
it keeps nothing without one.  Ours asks no registry (`--verify never`): its sets name ECR's hosts,
which are out of reach.
Needs docker's command on PATH, no engine, the `dev` extra, and the AWS CLI in .tools/aws
(./dev setup) or on PATH.
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

from login import installed, with_spread

from devcontainer_registry.testing import LoopbackRegistry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

_ACCOUNTS = ("111111111111", "222222222222")
_REGIONS = ("eu-west-1", "eu-central-1", "us-east-1", "us-west-2", "ap-south-1")

# Ours against the pipelines.
_AIM = 0.35

# A run that takes this long has gone wrong; the bench ends whatever happens.
_RUN_MAX = 120.0  # seconds

_MOTO = """\
import signal
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print("port", server.get_host_and_port()[1], flush=True)
signal.pause()
"""

# What our process does: functions are timed by wrapping them; what one of them does inside another
# counts for the outer one.
_PHASES = """\
import gc, json, os, sys, time
gc.disable()  # as the command does
begin = float(sys.argv[1])
spent, inside = {"interpreter": time.time() - begin}, [False]
def timed(phase, function):
    def call(*args, **kwargs):
        if inside[0]:
            return function(*args, **kwargs)
        inside[0], start = True, time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            inside[0] = False
            spent[phase] = spent.get(phase, 0.0) + time.perf_counter() - start
    return call
def bring(*names):
    for name in names:
        __import__(name)
timed("import of the package", bring)("devcontainer_registry.commands.cli", "devcontainer_registry")
timed("import of urllib3 and what uses it", bring)("devcontainer_registry.network.transport")
timed("import of botocore.auth", bring)("botocore.auth", "botocore.awsrequest")
from devcontainer_registry.network.transport import Transport
Transport.request = timed("network", Transport.request)
from devcontainer_registry import login
start, known = time.perf_counter(), sum(spent.values())
report = login(verify="never")
spent["all else"] = time.perf_counter() - start - (sum(spent.values()) - known)
assert report.ok, report
print(json.dumps(spent), flush=True)
os._exit(0)
"""


@dataclass(slots=True, kw_only=True)
class Row:
    """
    Seconds of both, in pairs, for one number of sets.
    """

    sets: int
    ours: list[float] = field(default_factory=list)
    pipelines: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """
        The pairs' ratios.
        """
        pairs = zip(self.ours, self.pipelines, strict=True)
        return [ours / theirs for ours, theirs in pairs]

    @property
    def ratio(self) -> float:
        """
        The median of the pairs' ratios.
        """
        return statistics.median(self.ratios)

    def as_json(self) -> dict[str, Any]:
        return {
            "sets": self.sets,
            "seconds": round(statistics.median(self.ours), 4),
            "pipelines_seconds": round(statistics.median(self.pipelines), 4),
            "ratio": round(self.ratio, 3),
            "ratio_spread": [round(min(self.ratios), 3), round(max(self.ratios), 3)],
        }


def main() -> int:
    arguments = _parser().parse_args()
    local = Path(__file__).resolve().parent.parent / ".tools" / "aws" / "bin" / "aws"
    aws = str(local) if local.exists() else shutil.which("aws")
    docker = shutil.which("docker")
    if docker is None or aws is None:
        missing = "docker" if docker is None else "aws"
        print(f"bench: the command {missing} is needed, and not on PATH", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name, moto() as endpoint:
        folder = Path(name)
        python = Path(arguments.venv or installed(folder)) / "bin" / "python"
        with contextlib.ExitStack() as stack:
            accounts = []
            for number in _ACCOUNTS:
                # What moto's tokens hold.
                users = {"AWS": f"{number}-auth-token"}
                registry = LoopbackRegistry(users, auth="basic", images=())
                login = (
                    f"{docker} login --username AWS --password-stdin "
                    f"{stack.enter_context(registry).registry}"
                )
                key = made_key(endpoint, account=number)
                pipeline = f"{aws} ecr get-login-password | {login}"
                accounts.append(Account(number=number, key=key, pipeline=pipeline))
            bench = Bench(folder, endpoint=endpoint, python=python, accounts=accounts)
            rows = [bench.row(number, rounds=arguments.rounds) for number in arguments.sets]
            phases = bench.phases(rounds=arguments.rounds)
    verdicts = [(f"{row.sets} at {_AIM:.2f}", row.ratio, row.ratio <= _AIM) for row in rows]
    if arguments.json:
        document = {
            "rounds": arguments.rounds,
            "rows": [row.as_json() for row in rows],
            "phases_ms": phases,
            "aims": [
                {"aim": aim, "measured": round(value, 3), "met": met}
                for aim, value, met in verdicts
            ],
        }
        print(json.dumps(document, indent=2))
    else:
        _print(rows, phases, verdicts)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="pairs of runs (default: 7)")
    parser.add_argument(
        "--sets",
        type=lambda text: [int(number) for number in text.split(",")],
        default=[1, 10],
        metavar="N,N...",
        help="how many at once (default: 1,10)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON document")
    parser.add_argument(
        "--venv", metavar="FOLDER", help="measure what is installed there, and build nothing"
    )
    return parser


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """
    The endpoint of a moto in a process of its own.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("port "):
            msg = "moto does not listen: is the `dev` extra installed?"
            raise RuntimeError(msg)
        yield f"http://127.0.0.1:{int(line.split()[1])}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def made_key(endpoint: str, *, account: str) -> tuple[str, str]:
    """
    Key id and secret key of a new user of *account*, who is made by a role that moto gives anybody.
    """
    import boto3

    aws = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    role = boto3.client(
        "sts", **aws, aws_access_key_id="AKIA0000000000000000", aws_secret_access_key="x"
    ).assume_role(RoleArn=f"arn:aws:iam::{account}:role/admin", RoleSessionName="bench")
    iam = boto3.client(
        "iam",
        **aws,
        aws_access_key_id=role["Credentials"]["AccessKeyId"],
        aws_secret_access_key=role["Credentials"]["SecretAccessKey"],
        aws_session_token=role["Credentials"]["SessionToken"],
    )
    iam.create_user(UserName="bench")
    key = iam.create_access_key(UserName="bench")["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


@dataclass(slots=True, kw_only=True)
class Account:
    """
    One account of moto's.

    Attributes:
        number: Twelve digits.
        key: Key id and secret key of a user.
        pipeline: Logs in to a registry that takes this account's token and no other.
    """

    number: str
    key: tuple[str, str]
    pipeline: str


class Bench:
    """
    Runs both against the same AWS, and looks inside ours.
    """

    def __init__(
        self, folder: Path, *, endpoint: str, python: Path, accounts: Sequence[Account]
    ) -> None:
        self._folder = folder
        self._endpoint = endpoint
        self._python = python
        self._accounts = accounts

    def row(self, number: int, *, rounds: int) -> Row:
        row = Row(sets=number)
        self._once(number)  # reads both from the disk
        self._loop(number)
        for turn in range(rounds):
            # By turns, since the second of a pair runs with warmer caches.
            for ours in (turn % 2 == 0, turn % 2 == 1):
                if ours:
                    row.ours.append(self._once(number))
                else:
                    row.pipelines.append(self._loop(number))
        return row

    def phases(self, *, rounds: int) -> dict[str, float]:
        """
        Median milliseconds of what our process does, for one set.
        """
        found: dict[str, list[float]] = {}
        for _ in range(rounds):
            with self._scratch(1) as environ:
                command = [str(self._python), "-c", _PHASES, str(time.time())]
                spent = json.loads(_run(command, environ))
            for phase, seconds in spent.items():
                found.setdefault(phase, []).append(1000 * seconds)
        return {phase: round(statistics.median(times), 1) for phase, times in found.items()}

    @contextlib.contextmanager
    def _scratch(self, number: int) -> Iterator[dict[str, str]]:
        """
        The environment of one run: an empty home, and the secrets of *number* sets.
        """
        with tempfile.TemporaryDirectory(dir=self._folder) as home:
            environ = {
                # For sh; docker's other commands must not be found beside it.
                "PATH": "/nonexistent",
                "LANG": "C.UTF-8",
                "HOME": home,
                "DOCKER_CONFIG": f"{home}/docker",
                "DOCKER_HOST": "unix:///nonexistent",
                "AWS_ENDPOINT_URL": self._endpoint,
                "AWS_EC2_METADATA_DISABLED": "true",
            }
            for place in range(number):
                prefix = f"R{place}_CONTAINER_REGISTRY_"
                key_id, key = self._account(place).key
                environ |= {
                    prefix + "SERVER": self._host(place),
                    prefix + "USER": key_id,
                    prefix + "PASSWORD": key,
                }
            yield environ

    def _once(self, number: int) -> float:
        program = str(self._python.parent / "devcontainer-registry")
        with self._scratch(number) as environ:
            begin = time.perf_counter()
            _run([program, "login", "--verify", "never"], environ)
            seconds = time.perf_counter() - begin
            kept = {self._host(place): self._account(place).number for place in range(number)}
            assert {host: f"{number}-auth-token" for host, number in kept.items()} == _kept(environ)
        return seconds

    def _loop(self, number: int) -> float:
        with self._scratch(number) as environ:
            begin = time.perf_counter()
            for place in range(number):
                account = self._account(place)
                key = {
                    "AWS_ACCESS_KEY_ID": account.key[0],
                    "AWS_SECRET_ACCESS_KEY": account.key[1],
                    "AWS_DEFAULT_REGION": _region(place),
                }
                _run(["/bin/sh", "-c", account.pipeline], {**environ, **key})
            seconds = time.perf_counter() - begin
            assert len(_kept(environ)) == min(number, len(self._accounts))
        return seconds

    def _account(self, place: int) -> Account:
        return self._accounts[place % len(self._accounts)]

    def _host(self, place: int) -> str:
        """
        Of two accounts by turns, each in its next region, so that no two sets can share an answer.
        """
        return f"{self._account(place).number}.dkr.ecr.{_region(place)}.amazonaws.com"


def _region(place: int) -> str:
    return _REGIONS[place // 2 % len(_REGIONS)]


def _kept(environ: Mapping[str, str]) -> dict[str, str]:
    config = json.loads(Path(environ["DOCKER_CONFIG"], "config.json").read_text(encoding="utf-8"))
    return {
        host: base64.b64decode(entry["auth"]).decode().partition(":")[2]
        for host, entry in config["auths"].items()
    }


def _run(command: Sequence[str], environ: Mapping[str, str]) -> str:
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=_RUN_MAX, check=False
    )
    if done.returncode != 0:
        msg = f"{os.path.basename(command[0])} exited with {done.returncode}: {done.stderr}"
        raise RuntimeError(msg)
    return done.stdout


def _print(
    rows: Sequence[Row],
    phases: Mapping[str, float],
    verdicts: Sequence[tuple[str, float, bool]],
) -> None:
    print("medians, of whole processes\n")
    print("sets   ours, s   aws | docker login, s   ratio (spread)")
    for row in rows:
        ours, theirs = statistics.median(row.ours), statistics.median(row.pipelines)
        print(f"{row.sets:>4}{ours:>10.3f}{theirs:>24.3f}   {with_spread(row.ratios)}")
    print("\nwhere the time of one goes, ms")
    for phase, cost in phases.items():
        print(f"{cost:>7.1f}  {phase}")
    print("\naims")
    for aim, measured, met in verdicts:
        print(f"{'met' if met else 'MISSED':<8}{aim} of the pipelines: {measured:.3f}")


if __name__ == "__main__":
    sys.exit(main())
