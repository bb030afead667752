# SPDX-License-Identifier: MIT
"""
Whether we are in GitHub Codespaces is told in one way.
"""

from __future__ import annotations

import pytest

from devcontainer_registry.discovery.environment import read
from devcontainer_registry.logins.codespaces import has_just_written
from devcontainer_registry.naming import is_codespaces


@pytest.mark.parametrize(
    ("value", "expected"),
    [("true", True), ("True", True), ("TRUE", True), ("false", False), ("", False), ("1", False)],
)
def test_codespaces_is_told_whatever_the_case(value, expected):
    environ = {"CODESPACES": value}

    assert expected == is_codespaces(environ)
    assert expected == has_just_written("postStart", environ)
    assert expected == read(environ).in_codespaces
