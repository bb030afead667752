# SPDX-License-Identifier: MIT
"""
Fuzzing of every parser of foreign input, for a fixed budget; `./dev soak` runs for an hour.

A finding is printed as base64; add it to the corpus as a regression test.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys

import pytest
from doubles.private_user import SOAK
from parts import needed

FOLDER = os.path.join(needed.REPOSITORY, "tests", "fuzz")
CORPUS = os.path.join(FOLDER, "corpus")
BUDGET = "-max_total_time=300" if SOAK else "-runs=20000"


def functions():
    with open(os.path.join(FOLDER, "targets.py"), encoding="utf-8") as file:
        tree = ast.parse(file.read())
    (found,) = [
        node.value.elts
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "TARGETS"
    ]
    return [name.id for name in found]


@pytest.mark.parametrize("name", functions())
def test_no_malformed_input_crashes_a_parser(tmp_path, name):
    if importlib.util.find_spec("atheris") is None:
        needed.missing("atheris is not installed: run ./dev setup, on Linux and x86-64")
    found = tmp_path / "found"
    found.mkdir()

    done = subprocess.run(
        [
            *(sys.executable, os.path.join(FOLDER, "targets.py"), name),
            *(BUDGET, "-seed=1", "-max_len=4096", "-timeout=30", "-print_final_stats=1"),
            *(str(found), os.path.join(CORPUS, name)),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    print(done.stderr[-4000:])
    assert 0 == done.returncode, done.stderr[-4000:]
    assert "stat::number_of_executed_units" in done.stderr


def test_every_fuzz_target_has_a_corpus():
    assert sorted(functions()) == sorted(os.listdir(CORPUS))
