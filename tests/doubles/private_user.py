# SPDX-License-Identifier: MIT
"""
Running a piece of a test where it may mount, or as somebody without rights.
"""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import traceback

import pytest

NOBODY = 65534
# In no user database.
STRANGER = 54321
SOAK = os.environ.get("DEVCONTAINER_REGISTRY_SOAK") == "1"


def mounting(script, *args, timeout=300):
    """
    Run the Python *script* as root in a mount namespace of its own; what it printed.
    """
    unshare = ["unshare", "--mount", "--propagation", "private"]
    _need(os.geteuid() == 0, "only root may mount")
    _need(shutil.which("unshare") is not None, "there is no unshare")
    works = subprocess.run([*unshare, "true"], capture_output=True, check=False)
    _need(works.returncode == 0, "no mount namespace to be had")
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(__file__))}
    done = subprocess.run(
        [*unshare, sys.executable, "-c", script, *map(str, args)],
        env=environ,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout


def as_nobody(function):
    """
    What *function* returns in a process that is neither root nor anybody else we know.
    """
    _need(os.geteuid() == 0, "only root can become somebody else")
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(writer, pickle.dumps(function()))
            status = 0
        except BaseException:  # noqa: BLE001  (nothing may go on in the copy of a test run)
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with open(reader, "rb") as file:
        answer = file.read()
    assert 0 == os.waitpid(child, 0)[1]
    return pickle.loads(answer)


def need_public_python():
    """
    Skip the test unless somebody whom nobody has heard of can run this Python and the package.
    """
    _need(os.geteuid() == 0, "only root can become somebody else")
    try:
        subprocess.run(
            [sys.executable, "-c", "import importlib.metadata, devcontainer_registry.commands.cli"],
            user=STRANGER,
            group=STRANGER,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            check=True,
        )
    except (PermissionError, subprocess.CalledProcessError):
        _need(False, f"this Python is not for everybody to run: {os.path.realpath(sys.executable)}")


def public_folder():
    """
    A new folder that everybody may enter; pytest's own are for one user.
    """
    path = tempfile.mkdtemp()
    os.chmod(path, 0o755)
    return path


def _need(met, reason):
    if met:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
