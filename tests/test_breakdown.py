# SPDX-License-Identifier: MIT
"""
Exhausted limits, an incomplete package, an interrupt: one line and no traceback.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from doubles.private_user import STRANGER, need_public_python, public_folder
from doubles.variables import a_set

import devcontainer_registry
from devcontainer_registry.testing import LoopbackRegistry

USERS = {"alice": "s3cret-of-alice"}
HELPER = "import sys; from devcontainer_registry.__main__ import helper; sys.exit(helper())"
PACKAGE = os.path.dirname(devcontainer_registry.__file__)


@pytest.fixture
def home():
    folder = public_folder()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def registries():
    """
    Four registries, and the variables that log in to them; the third has a wrong password.
    """
    made = [LoopbackRegistry(USERS) for _ in range(4)]
    variables = {}
    for number, registry in enumerate(made):
        registry.__enter__()
        password = "wrong" if number == 2 else USERS["alice"]
        host = str(registry.registry)
        variables |= a_set(f"S{number}", SERVER=host, USER="alice", PASSWORD=password)
    yield variables
    for registry in made:
        registry.__exit__(None, None, None)


def run(home, *arguments, variables=(), program=("-m", "devcontainer_registry"), **options):
    options.setdefault("cwd", home)
    environ = {"PATH": os.environ["PATH"], "HOME": home, "PYTHONPATH": os.path.dirname(PACKAGE)}
    done = subprocess.run(
        [*options.pop("through", ()), sys.executable, *program, *arguments],
        env={**environ, **dict(variables)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **options,
    )
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert "bug" not in said, said
    assert USERS["alice"] not in said
    return done


def broken(home, *, only_hook=False, **options):
    """
    Return the one line of a command that cannot start; check that a hook exits 0.
    """
    hook = run(home, "hook", "postStart", **options)
    assert 0 == hook.returncode
    for words in [("hook", "postStart", "--strict"), *([] if only_hook else [("login",)])]:
        other = run(home, *words, **options)
        assert (1, "", hook.stderr) == (other.returncode, other.stdout, other.stderr)
    (line,) = hook.stderr.splitlines()
    assert line.startswith("devcontainer-registry: ")
    return line


# Limits.


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_without_any_new_thread_each_registry_has_its_outcome(home, registries, threads):
    need_public_python()
    os.chown(home, STRANGER, STRANGER)
    who = {"user": STRANGER, "group": STRANGER, "extra_groups": []}

    done = run(
        home,
        *("login", "--json"),
        variables=registries,
        through=("prlimit", f"--nproc={threads}"),
        **who,
    )

    outcomes = {one["id"]: one for one in json.loads(done.stdout)["registries"]}
    assert ["ok", "ok", "rejected", "ok"] == [outcomes[f"S{n}"]["status"] for n in range(4)]
    assert 4 == done.returncode
    with open(os.path.join(home, ".docker", "config.json"), encoding="utf-8") as file:
        assert 3 == len(json.load(file)["auths"])


def test_an_interrupt_is_not_reported_as_an_authenticators_failure(home, registries, tmp_path):
    # A process that cannot start a thread sends requests in its main one, where Ctrl-C arrives.
    script = """
import os, signal, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from devcontainer_registry.authenticators import generic
from devcontainer_registry.__main__ import main
def interrupted(*_, **__):
    os.kill(os.getpid(), signal.SIGINT)
    signal.pause()
generic.GenericAuthenticator.authenticate = interrupted
generic.GenericAuthenticator.exchanges = lambda *_: True
def start(_):
    raise RuntimeError("can't start new thread")
threading.Thread.start = start
raise SystemExit(main())
"""
    path = tmp_path / "interrupted.py"
    path.write_text(script)

    done = run(home, "login", variables=registries, program=(str(path),))

    line = "devcontainer-registry: interrupted; not saved: S0, S1, S2, S3\n"
    assert (130, line) == (done.returncode, done.stderr)


def can_start(files):
    through = ("prlimit", f"--nofile={files}")
    done = subprocess.run(
        [*through, sys.executable, "-c", "pass"], capture_output=True, check=False
    )
    return done.returncode == 0


@pytest.mark.parametrize("files", range(4, 16))
def test_with_few_file_descriptors_each_registry_has_its_outcome(home, registries, files):
    if not can_start(files):
        # Python itself does not; one file more must be enough, or this would test nothing.
        assert files < 5
        return
    through = ("prlimit", f"--nofile={files}")

    hook = run(home, "hook", "postStart", variables=registries, through=through)
    assert 0 == hook.returncode
    done = run(home, "login", "--json", variables=registries, through=through)

    assert done.returncode in (4, 5, 6)
    outcomes = json.loads(done.stdout)["registries"]
    assert 4 == len(outcomes)
    few = [one for one in outcomes if one["code"] == "too-many-open-files"]
    for one in few:
        assert f"its limit of {files} open files" in one["error"]["message"]
        assert "ulimit -n" in one["error"]["hint"]
    assert "plugin" not in {str(one["code"])[:6] for one in outcomes}
    if files == 15:
        assert (4, []) == (done.returncode, few)


# Imports.


def damaged(folder, module, damage):
    shutil.copytree(PACKAGE, folder / "devcontainer_registry")
    path = folder / "devcontainer_registry" / module
    damage(path)
    return {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}


def cut(path):
    content = path.read_bytes()
    path.write_bytes(content[: content.rindex(b"(") + 1])


DAMAGES = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut": cut,
    "zeros": lambda path: path.write_bytes(bytes(4096)),
}
MODULES = (
    "errors.py",
    "files.py",
    "cache/folder.py",
    "commands/quiet_start.py",
    "commands/cli.py",
    "breakdown.py",
    "logins/login.py",
    "network/transport.py",
)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("module", MODULES)
def test_an_incomplete_installation_is_reported_in_one_line(
    home, registries, tmp_path, module, damage
):
    variables = damaged(tmp_path, module, DAMAGES[damage])

    only_hook = module == "commands/quiet_start.py"  # which no other command loads
    line = broken(home, only_hook=only_hook, variables={**registries, **variables})

    assert line.endswith("install devcontainer-registry again"), line


@pytest.mark.parametrize("module", ["errors.py", "cache/folder.py", "helper.py"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_an_incomplete_helper_reports_it_to_docker_and_to_the_user(home, tmp_path, module, damage):
    variables = damaged(tmp_path, module, DAMAGES[damage])

    done = run(home, "get", variables=variables, program=("-c", HELPER))

    assert 1 == done.returncode
    assert done.stdout == done.stderr
    assert done.stdout.endswith("install devcontainer-registry again\n")


MISSING = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError("No module of that name", name=name)
sys.meta_path.insert(0, Missing())
"""


@pytest.mark.parametrize("name", ["urllib3", "argparse", "queue"])
def test_a_missing_module_is_named_with_a_fix(home, registries, tmp_path, name):
    (tmp_path / "sitecustomize.py").write_text(MISSING.format(name=name))
    path = os.pathsep.join([str(tmp_path), os.path.dirname(PACKAGE)])

    line = broken(home, variables={**registries, "PYTHONPATH": path})

    assert f"the module {name} is missing; install" in line


SHADOWS = ("queue", "argparse", "typing", "dataclasses", "ssl", "socket", "random", "base64")


@pytest.mark.parametrize("name", SHADOWS)
@pytest.mark.parametrize("content", ["", "import nothing_of_the_kind", "1 / 0", "def x(:"])
def test_a_file_that_hides_a_standard_module_is_named(home, registries, tmp_path, name, content):
    (tmp_path / f"{name}.py").write_text(content)
    path = os.pathsep.join([str(tmp_path), os.path.dirname(PACKAGE)])

    line = broken(home, variables={**registries, "PYTHONPATH": path})

    assert f"{name} is hidden by {tmp_path / name}.py; rename that file" in line, line


@pytest.mark.parametrize("name", SHADOWS)
def test_a_file_of_the_working_directory_hides_nothing(home, registries, tmp_path, name):
    (tmp_path / f"{name}.py").write_text("1 / 0")

    done = run(home, "login", variables=registries, cwd=tmp_path)

    assert 4 == done.returncode
    assert 3 == done.stdout.count("logged in   ")


def test_a_deleted_working_directory_is_no_error(home, registries, tmp_path):
    script = f'mkdir {tmp_path}/gone; cd {tmp_path}/gone; rmdir {tmp_path}/gone; exec "$@"'

    done = run(home, "login", variables=registries, through=("sh", "-c", script, "sh"))

    assert 4 == done.returncode
    assert 3 == done.stdout.count("logged in   ")


# Interrupts.

# What an interrupt is while the module NAME is being imported.
INTERRUPTS = """
import os, signal, sys
# A process that was started in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
            signal.pause()
sys.meta_path.insert(0, Interrupts())
"""
OURS = "devcontainer_registry"
COMMANDS_IMPORTS = (
    f"{OURS}.commands",
    f"{OURS}.commands.quiet_start",
    f"{OURS}.cache.folder",
    f"{OURS}.commands.cli",
    "argparse",
    f"{OURS}.logins.login",
    f"{OURS}.network.transport",
    "urllib3",
)


@pytest.mark.parametrize("name", COMMANDS_IMPORTS)
def test_an_interrupt_during_an_import_prints_no_traceback(home, registries, tmp_path, name):
    variables = {**registries, **interrupting(tmp_path, name)}

    login = run(home, "login", variables=variables)
    hook = run(home, "hook", "postStart", variables=variables)
    strict = run(home, "hook", "postStart", "--strict", variables=variables)

    assert (0, 130) == (hook.returncode, strict.returncode)
    assert 130 == login.returncode or name.endswith(".quiet_start")  # which login does not load
    for done in (login, hook):
        assert done.stderr in (
            "",
            "devcontainer-registry: interrupted; not saved: S0, S1, S2, S3\n",
        )


@pytest.mark.parametrize("name", [f"{OURS}.helper", f"{OURS}.cache.folder", f"{OURS}.registry"])
def test_an_interrupted_helper_prints_nothing(home, tmp_path, name):
    done = run(home, "get", variables=interrupting(tmp_path, name), program=("-c", HELPER))

    assert (130, "", "") == (done.returncode, done.stdout, done.stderr)


def interrupting(folder, name):
    (folder / "sitecustomize.py").write_text(INTERRUPTS.format(name=name))
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.path.dirname(PACKAGE)])}


def test_the_codec_that_tls_needs_is_loaded_before_descriptors_run_out():
    """
    A codec that cannot be loaded once stays unknown, and its error names no limit.
    """
    code = "import sys, devcontainer_registry.network.transport as _; print(*sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "encodings.idna" in done.stdout.split()
