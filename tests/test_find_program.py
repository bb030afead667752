# SPDX-License-Identifier: MIT
"""
Programs on PATH: where docker finds one, and where nobody looks.
"""

from __future__ import annotations

import os

import pytest
from fakes import HERE, Home

from devcontainer_registry.config.delegation import Delegation
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.files import find_program
from devcontainer_registry.keychain import resolve
from devcontainer_registry.logins.status import status

NAME = "docker-credential-theirs"
SCRIPT = '#!/bin/sh\necho \'{"ServerURL":"x","Username":"u","Secret":"s"}\'\n'


@pytest.fixture(name="folders")
def _folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("relative", "absolute", "empty"):
        (tmp_path / name).mkdir()
    for name in ("relative", "absolute"):
        program = tmp_path / name / NAME
        program.write_text(SCRIPT)
        program.chmod(0o755)
    (tmp_path / "empty" / NAME).mkdir()
    here = tmp_path / NAME
    here.write_text(SCRIPT)
    here.chmod(0o755)
    return tmp_path


# As docker 28 does, which is Go's os/exec: a relative folder that has the program ends the search.
PATHS = {
    "{absolute}": True,
    "relative": False,
    "relative:{absolute}": False,
    "{absolute}:relative": True,
    "nothing:{absolute}": True,
    "": False,
    ":{absolute}": False,
    "{empty}:{absolute}": True,
    "/nowhere": False,
}


@pytest.mark.parametrize("path", PATHS)
def test_everybody_finds_the_same_program_on_path(folders, path):
    named = path.format(absolute=folders / "absolute", empty=folders / "empty")
    home = Home(folders / "home")
    home.write({"credHelpers": {HERE: "theirs"}})
    environ = {**home.environ, "PATH": f"{named}:/nowhere" if named else "."}
    found = str(folders / "absolute" / NAME) if PATHS[path] else None

    assert found == find_program(NAME, environ)
    assert found == Delegation(home.config, environ=environ).found(NAME)
    (standing,) = status(environ=environ).standings
    said = None if PATHS[path] else "helper-missing"
    assert said == (standing.error and standing.error.code)
    if PATHS[path]:
        environ["PATH"] += f"{os.pathsep}/usr/bin{os.pathsep}/bin"
        assert "u" == resolve(HERE, environ=environ).username
    else:
        with pytest.raises(ConfigError) as raised:
            resolve(HERE, environ=environ)
        assert "helper-missing" == raised.value.code


@pytest.mark.parametrize("name", ["", "../absolute/docker-credential-theirs", "a\0b"])
def test_a_name_that_is_a_path_finds_nothing(folders, name):
    assert find_program(name, {"PATH": str(folders / "absolute")}) is None
