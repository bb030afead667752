# SPDX-License-Identifier: MIT
"""
Where config.json is, and what a file system can do to it.
"""

from __future__ import annotations

import os
import shutil
import stat

import pytest
from configs import (
    ENTRY,
    FOREIGN,
    HOST,
    LOGIN,
    config_at,
    content,
    parsed,
    put,
)
from fakes import a_set
from privately import NOBODY, as_nobody, mounting, public_folder

from devcontainer_registry import login
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.registry import Registry


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


@pytest.fixture(name="shared")
def _shared():
    folder = public_folder()
    yield folder
    shutil.rmtree(folder)


# What a file system can do to us


def test_a_folder_in_the_files_place_is_named(path):
    os.mkdir(path)

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({HOST: LOGIN})

    assert path in caught.value.message
    assert [] == os.listdir(path)


def test_a_file_in_the_folders_place_is_named(path):
    put(path, FOREIGN)

    with pytest.raises(ConfigError):
        config_at(path + "/config.json").store({HOST: LOGIN})

    assert FOREIGN == parsed(path)


def test_a_pipe_in_the_files_place_does_not_hang_us(path):
    os.mkfifo(path)

    for use in (config_at(path).read, lambda: config_at(path).store({HOST: LOGIN})):
        with pytest.raises(ConfigError):
            use()


def test_a_user_name_docker_would_cut_is_refused_before_anything_is_touched(path):
    put(path, FOREIGN)
    bad = Credential(username="a:b", secret=Secret("canary"))

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({Registry("a.example"): LOGIN, HOST: bad})

    assert "canary" not in repr(caught.value)
    assert FOREIGN == parsed(path)


def refusal(path):
    """
    What a login is told that cannot be written to *path*.
    """
    try:
        config_at(path).store({HOST: LOGIN})
    except ConfigError as exc:
        return exc.message, exc.hint
    return None


@pytest.mark.parametrize(("mode", "owner"), [(0o644, 0), (0o600, 0), (0o600, NOBODY)])
def test_a_folder_that_may_not_be_written_is_an_error(shared, mode, owner):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chmod(path, mode if owner == 0 else 0o400)
    os.chown(path, owner, owner)

    message, hint = as_nobody(lambda: refusal(path))

    assert path in message
    assert "chown" in hint
    assert FOREIGN == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


@pytest.mark.parametrize("below", ["docker", "closed/docker"])
def test_a_folder_that_cannot_be_made_is_not_to_be_given_away(shared, below):
    """
    As in the HOME of root's that sudo kept, or the /nonexistent of a system's user.
    """
    os.mkdir(os.path.join(shared, "closed"), 0o700)
    os.chmod(shared, 0o755)
    path = os.path.join(shared, below, "config.json")

    message, hint = as_nobody(lambda: refusal(path))

    assert path in message
    assert "chown" not in hint
    assert "HOME" in hint


def test_another_owners_file_keeps_its_owner_when_root_writes(shared):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chown(path, NOBODY, NOBODY)

    config_at(path).store({HOST: LOGIN})

    found = os.stat(path)
    assert (NOBODY, NOBODY, 0o600) == (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))
    assert ENTRY == parsed(path)["auths"][HOST]


@pytest.mark.parametrize(("mode", "codes"), [(0o666, ["open-to-others"]), (0o600, [])])
def test_a_login_in_a_file_that_cannot_be_closed_is_said_to_be_open(shared, mode, codes):
    """
    As in a folder that is mounted from a host whose users have other numbers.
    """
    path = os.path.join(shared, "docker", "config.json")
    put(path, {})
    os.chmod(path, mode)
    os.chown(path, 0 if mode == 0o666 else NOBODY, 0)
    os.chown(os.path.dirname(path), NOBODY, NOBODY)
    environ = {"HOME": shared, "DOCKER_CONFIG": os.path.dirname(path), **a_set("MY", str(HOST))}
    environ["DEVCONTAINER_REGISTRY_CACHE_DIR"] = os.path.join(shared, "docker", "cache")

    def codes_of(verify):
        report = login(environ=environ, verify=verify, store="auths")
        return [finding.code for finding in report.findings]

    assert codes == as_nobody(lambda: codes_of("never"))
    assert HOST in parsed(path)["auths"]
    # Once it is written there is no news in it.
    assert [] == as_nobody(lambda: codes_of("never"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has another's home")
@pytest.mark.parametrize(("owner", "codes"), [(NOBODY, ["root-in-a-home"]), (0, [])])
def test_roots_file_in_the_home_of_somebody_else_is_told(shared, owner, codes):
    os.chown(shared, owner, owner)
    environ = {"HOME": shared, **a_set("MY", str(HOST))}

    def told():
        report = login(environ=environ, verify="never", store="auths")
        return [f.code for f in report.findings if not f.code.startswith("cache-")]

    assert codes == told()
    # Given back as the hint has it, it stays its user's.
    for path in (".docker", ".docker/config.json"):
        os.chown(os.path.join(shared, path), owner, owner)
    environ |= a_set("OTHER", "other.example")
    assert [] == told()
    assert owner == os.stat(os.path.join(shared, ".docker", "config.json")).st_uid


def test_another_owners_file_is_not_taken_over(shared):
    """
    Its folder is ours, so a rename would work; and the file would be ours from then on.
    """
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chmod(path, 0o644)
    os.chown(os.path.dirname(path), NOBODY, NOBODY)

    def login():
        try:
            config_at(path).store({HOST: LOGIN})
        except ConfigError as exc:
            return exc.hint

    assert "chown" in as_nobody(login)
    assert FOREIGN == parsed(path)
    assert 0 == os.stat(path).st_uid


_FULL = """
import os, subprocess, sys
from configs import *
from devcontainer_registry.errors import ConfigError
folder, in_place = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", folder], check=True)
path = os.path.join(folder, "docker", "config.json")
put(path, FOREIGN)
if in_place == "yes":
    subprocess.run(["mount", "--bind", path, path], check=True)
old = content(path)
with open(os.path.join(folder, "filler"), "wb", buffering=0) as filler:
    try:
        while filler.write(bytes(4096)) == 4096: pass
    except OSError: pass
long = Credential(username="u", secret=Secret("x" * 6000))
try:
    config_at(path, rescue_dir=sys.argv[1] + "-rescue").store({HOST: long})
except ConfigError as exc:
    print(path in exc.message, "space" in exc.hint, content(path) == old)
print(*os.listdir(os.path.dirname(path)))
"""


@pytest.mark.parametrize("in_place", ["no", "yes"])
def test_a_full_disk_costs_nothing(tmp_path, in_place):
    folder = tmp_path / "small"
    folder.mkdir()

    told = mounting(_FULL, folder, in_place).splitlines()

    assert ["True True True", "config.json"] == told


_READ_ONLY = """
import os, subprocess, sys
from configs import *
from devcontainer_registry.errors import ConfigError
path = sys.argv[1]
folder = os.path.dirname(path)
subprocess.run(["mount", "--bind", folder, folder], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
try:
    config_at(path).store({HOST: LOGIN})
except ConfigError as exc:
    print(exc.message)
joe = Credential(username="joe", secret=Secret("secret"))
print(config_at(path).store({Registry("ghcr.io"): joe}))
"""


def test_a_read_only_home_is_an_error_only_when_there_is_something_to_write(path):
    put(path, {"auths": {"ghcr.io": {"auth": "am9lOnNlY3JldA=="}}})
    before = content(path)

    message, changed = mounting(_READ_ONLY, path).splitlines()

    assert path in message
    assert "False" == changed
    assert before == content(path)


# Where it is


def test_the_folder_is_dockers_variable_or_below_the_home():
    named = DockerConfig.locate({"DOCKER_CONFIG": "/some/where", "HOME": "/home/me"})
    home = DockerConfig.locate({"DOCKER_CONFIG": "", "HOME": "/home/me"})

    assert "/some/where/config.json" == named.path
    assert "/home/me/.docker/config.json" == home.path


def test_without_home_the_user_database_is_asked():
    import pwd

    found = DockerConfig.locate({})

    assert os.path.join(pwd.getpwuid(os.getuid()).pw_dir, ".docker", "config.json") == found.path


def test_without_home_and_without_a_user_there_is_an_error_with_a_hint():
    def locate():
        os.setresuid(4_000_000, 4_000_000, 4_000_000)
        try:
            return DockerConfig.locate({}).path
        except ConfigError as exc:
            return exc.hint

    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    assert "HOME" in as_nobody_unknown(locate)


def as_nobody_unknown(function):
    """
    As `as_nobody`, where *function* itself becomes somebody whom no database knows.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, function().encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader) as file:
        answer = file.read()
    os.waitpid(child, 0)
    return answer


def test_a_docker_config_that_names_the_file_is_refused(path):
    """
    envbuilder takes it; docker does not, and would never see what we write.
    """
    put(path, FOREIGN)

    with pytest.raises(ConfigError) as caught:
        DockerConfig.locate({"DOCKER_CONFIG": path})

    assert os.path.dirname(path) in caught.value.hint


def test_a_file_in_the_place_of_dockers_folder_is_not_blamed_on_a_variable(tmp_path):
    (tmp_path / ".docker").write_text("")

    with pytest.raises(ConfigError) as caught:
        DockerConfig.locate({"HOME": str(tmp_path)})

    assert str(tmp_path / ".docker") in caught.value.message
    assert "DOCKER_CONFIG" not in caught.value.message


@pytest.mark.parametrize("path", ["", "a\0b", "\ud800"])
def test_a_path_that_no_file_can_have_is_refused(path):
    with pytest.raises(ConfigError):
        DockerConfig(path)
