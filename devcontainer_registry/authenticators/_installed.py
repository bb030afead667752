# SPDX-License-Identifier: MIT
"""
The entry points of what is installed, without `importlib.metadata`, which takes 40 ms to import.

A login can't begin before it knows its kinds.  This reads the files that installers leave, and
nothing else: where anything but plain folders may hold distributions, it leaves the answer to who
knows them all.

https://packaging.python.org/en/latest/specifications/recording-installed-packages/
https://packaging.python.org/en/latest/specifications/entry-points/
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


class Point:
    """
    An entry point, as `importlib.metadata` has it: *name*, *value*, `load`.
    """

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self.value = value

    def load(self) -> Any:
        """
        What *value* names: `module:attribute`, or a `module`.
        """
        module, _, attributes = self.value.partition(":")
        found: Any = import_module(module)
        for attribute in filter(None, attributes.split(".")):
            found = getattr(found, attribute)
        return found


def entry_points(group: str) -> list[Point] | None:  # noqa: C901  (a list of reasons to leave it)
    """
    Those of *group*, in no particular order; None where `importlib.metadata` may know of more.
    """
    if any(f is not PathFinder and hasattr(f, "find_distributions") for f in sys.meta_path):
        return None
    points: list[Point] = []
    # As for imports, the first folder that has a distribution is the one that counts.
    seen: set[str] = set()
    for folder in sys.path:
        try:
            names = os.listdir(folder or ".")
        except FileNotFoundError:
            continue
        except OSError:
            return None  # a zip archive
        if folder.rstrip(os.sep).lower().endswith(".egg"):
            return None
        for name in names:
            distribution = _distribution(name)
            if distribution is None or distribution in seen:
                continue
            seen.add(distribution)
            try:
                text = _read(os.path.join(folder, name, "entry_points.txt"))
            except UnicodeDecodeError:
                return None
            for point in _points(text, group):
                if not _is_plain(point.value):
                    return None
                points.append(point)
    return points


def _distribution(name: str) -> str | None:
    """
    The normalized name of the distribution that the folder *name* describes, or None.
    """
    if not name.lower().endswith((".dist-info", ".egg-info")):
        return None
    stem = os.path.splitext(name)[0].partition("-")[0]
    return "_".join(filter(None, stem.lower().replace(".", "_").split("_")))


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""  # it has none, or is a file itself


def _points(text: str, group: str) -> Iterator[Point]:
    if group not in text:
        return
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1]
        elif line and not line.startswith("#") and section == group:
            name, _, value = line.partition("=")
            yield Point(name.strip(), value.strip())


def _is_plain(value: str) -> bool:
    return all(map(str.isidentifier, value.replace(":", ".", 1).split(".")))
