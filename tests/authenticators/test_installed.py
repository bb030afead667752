# SPDX-License-Identifier: MIT
"""
Whether authenticators of other distributions are installed, without `importlib.metadata`.
"""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import entry_points

import pytest
from doubles.distributions import distribution, in_a_process

from devcontainer_registry import authenticators as plugins
from devcontainer_registry.authenticators.installed import BUILT_IN, may_have_others

PLUGIN = """
    class Plugin:
        def matches(self, registry):
            return False
"""


def test_the_built_in_kinds_are_those_of_our_distribution():
    installed = {
        point.name: point.value
        for point in entry_points(group=plugins.GROUP)
        if point.dist is not None and point.dist.name == "devcontainer-registry"
    }

    package = plugins.__name__
    assert installed == {
        kind: f"{package}.{module}:{name}" for kind, (module, name) in BUILT_IN.items()
    }


def test_a_folder_without_authenticators_has_none(tmp_path):
    distribution(tmp_path, "devcontainer_registry", ["acr = somewhere:Else"])
    other = tmp_path / "other-1.0.dist-info"
    other.mkdir()
    (other / "entry_points.txt").write_text("[console_scripts]\nother = other:main\n")
    (tmp_path / "without-1.0.dist-info").mkdir()

    assert not may_have_others([str(tmp_path), str(tmp_path / "missing")])


@pytest.mark.parametrize("ending", ["dist-info", "egg-info"])
def test_a_distribution_that_names_our_group_is_seen(tmp_path, ending):
    distribution(tmp_path, "acme", ["acme = acme:Plugin"])
    (tmp_path / "acme-1.0.dist-info").rename(tmp_path / f"acme-1.0.{ending}")

    assert may_have_others([str(tmp_path)])


def test_a_zip_file_on_the_path_may_hold_some(tmp_path):
    path = tmp_path / "all.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("acme-1.0.dist-info/entry_points.txt", "")

    assert may_have_others([str(path)])


def test_an_egg_may_hold_some(tmp_path):
    (tmp_path / "acme-1.0-py3.11.egg").mkdir()

    assert may_have_others([str(tmp_path)])


def test_another_finder_of_distributions_may_know_some(monkeypatch, tmp_path):
    class Finder:
        def find_distributions(self, _context):
            return iter(())

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])

    assert may_have_others([str(tmp_path)])


def test_a_folder_that_nobody_can_read_has_none(tmp_path, monkeypatch):
    def refuse(_path):
        raise PermissionError

    monkeypatch.setattr("os.listdir", refuse)

    assert not may_have_others([str(tmp_path)])


@pytest.mark.parametrize(("name", "expected"), [(None, False), ("acme", True)])
def test_the_metadata_is_read_only_where_there_are_others(tmp_path, name, expected):
    if name is not None:
        distribution(tmp_path, name, [f"{name} = {name}:Plugin"], PLUGIN)

    lines = in_a_process(
        tmp_path,
        """
        import sys
        from devcontainer_registry import authenticators
        kinds = list(authenticators.load())
        print("importlib.metadata" in sys.modules, *kinds)
        """,
    )

    kinds = sorted([*BUILT_IN, *filter(None, [name])])
    assert [" ".join([str(expected), *kinds])] == lines
