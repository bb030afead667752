# SPDX-License-Identifier: MIT
"""
Entry points read without `importlib.metadata`, compared with what that finds.
"""

from __future__ import annotations

import importlib.metadata
import os.path
import subprocess
import sys
import zipfile

import pytest

from devcontainer_registry.authenticators._installed import entry_points

GROUP = "some.group"


@pytest.fixture(name="path")
def _path(monkeypatch, tmp_path):
    """
    Two folders, and nothing else to import from.
    """
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder) for folder in folders])
    importlib.invalidate_caches()
    return folders


def installed(folder, name, text):
    (folder / name).mkdir()
    (folder / name / "METADATA").write_text("Metadata-Version: 2.1\nName: x\nVersion: 1\n")
    (folder / name / "entry_points.txt").write_text(text)


def ours(group=GROUP):
    found = entry_points(group)
    assert found is not None
    return sorted((point.name, point.value) for point in found)


def theirs(group=GROUP):
    return sorted((p.name, p.value) for p in importlib.metadata.entry_points(group=group))


@pytest.mark.parametrize(
    "group", ["console_scripts", "pytest11", "devcontainer_registry.authenticators", "none.such"]
)
def test_what_is_installed_here_is_found_as_importlib_metadata_finds_it(group):
    assert theirs(group) == ours(group)


def test_sections_comments_and_blanks_are_read_as_importlib_metadata_reads_them(path):
    text = f"# {GROUP}\n[other]\na = b:c\n\n[{GROUP}]\n  one=m:A\n# two = m:B\n\nthree = m.n:C.d\n"
    installed(path[0], "some_thing-1.0.dist-info", text)

    found = ours()

    assert [("one", "m:A"), ("three", "m.n:C.d")] == found
    assert theirs() == found


def test_the_first_folder_that_has_a_distribution_counts(path):
    installed(path[0], "some_thing-2.0.dist-info", f"[{GROUP}]\nnew = m:A\n")
    installed(path[1], "Some.Thing-1.0.dist-info", f"[{GROUP}]\nold = m:A\n")
    installed(path[1], "another-1.0.egg-info", f"[{GROUP}]\nother = m:A\n")

    found = ours()

    assert [("new", "m:A"), ("other", "m:A")] == found
    assert theirs() == found


def test_a_first_folder_without_entry_points_hides_the_second_one_s(path):
    (path[0] / "some_thing-2.0.dist-info").mkdir()
    (path[0] / "some_thing-2.0.dist-info" / "METADATA").write_text("Name: some-thing\n")
    installed(path[1], "some_thing-1.0.dist-info", f"[{GROUP}]\nold = m:A\n")

    assert [] == ours()
    assert theirs() == ours()


def test_a_folder_that_is_not_there_has_nothing(path, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "path", [str(tmp_path / "nowhere"), *sys.path])
    installed(path[0], "one-1.0.dist-info", f"[{GROUP}]\none = m:A\n")

    assert [("one", "m:A")] == ours()


def test_a_point_loads_what_it_names(path):
    installed(path[0], "one-1.0.dist-info", f"[{GROUP}]\none = os:path.join\n")

    (point,) = entry_points(GROUP) or []

    assert os.path.join is point.load()


@pytest.mark.parametrize("value", ["m:A [extra]", "m:", ":A", "m:a-b"])
def test_an_unusual_value_is_left_to_importlib_metadata(path, value):
    installed(path[0], "one-1.0.dist-info", f"[{GROUP}]\none = {value}\n")

    assert entry_points(GROUP) is None


def test_archives_eggs_finders_and_odd_bytes_are_left_to_importlib_metadata(
    path, monkeypatch, tmp_path
):
    archive, egg = tmp_path / "some.zip", tmp_path / "some.egg"
    zipfile.ZipFile(archive, "w").close()
    egg.mkdir()
    plain = sys.path

    class Finder:
        def find_distributions(self, *_):
            return []

        def find_spec(self, *_):
            return None

    for folder in (archive, egg):
        monkeypatch.setattr(sys, "path", [*plain, str(folder)])
        assert entry_points(GROUP) is None
    monkeypatch.setattr(sys, "path", plain)
    assert [] == ours()
    installed(path[0], "one-1.0.dist-info", "")
    (path[0] / "one-1.0.dist-info" / "entry_points.txt").write_bytes(b"\xff")
    assert entry_points(GROUP) is None
    (path[0] / "one-1.0.dist-info" / "entry_points.txt").write_bytes(b"")
    monkeypatch.setattr(sys, "meta_path", [Finder(), *sys.meta_path])
    assert entry_points(GROUP) is None


def test_loading_the_kinds_imports_no_importlib_metadata(tmp_path):
    code = (
        "import sys; from devcontainer_registry import authenticators as a; found = a.load(); "
        "assert {'ecr', 'generic'} <= set(found), found; "
        "sys.exit('importlib.metadata' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)

    assert 0 == done.returncode
