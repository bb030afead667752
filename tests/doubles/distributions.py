# SPDX-License-Identifier: MIT
"""
Distributions that bring authenticators, as an interpreter finds them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

from devcontainer_registry import authenticators as plugins


def distribution(folder, name, entry_points, module=""):
    """
    What an installer leaves in *folder* for a distribution with these entry points.
    """
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    points = "\n".join(entry_points)
    (info / "entry_points.txt").write_text(f"[{plugins.GROUP}]\n{points}\n")
    (folder / f"{name}.py").write_text(textwrap.dedent(module))


def in_a_process(folder, code):
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.splitlines()
