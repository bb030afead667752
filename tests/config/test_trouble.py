# SPDX-License-Identifier: MIT
"""
Where config.json is, and what a file system can do to it.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys

import pytest
from doubles import crashing
from doubles.configs import (
    ENTRY,
    FOREIGN,
    HOST,
    LOGIN,
    Told,
    Waits,
    config_at,
    content,
    parsed,
    put,
)
from doubles.homes import a_set
from doubles.private_user import NOBODY, SOAK, as_nobody, mounting, public_folder

from devcontainer_registry import login
from devcontainer_registry.config import safe_write
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.config.rescue import Rescue
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigChangedError, ConfigError
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
def test_a_login_in_a_file_that_cannot_be_closed_is_a_finding(shared, mode, codes):
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
def test_roots_file_in_another_users_home_is_a_finding(shared, owner, codes):
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
from doubles.configs import *
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
from doubles.configs import *
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


# Rules 5, 6 and 7 by which config.json is edited: against others, and against half a file.

# Rule 5 (more of it in test_configfile_crash.py)

_BIND = """
import os, subprocess, sys
from doubles.configs import *
path, source = sys.argv[1:]
subprocess.run(["mount", "--bind", source, path], check=True)
told = Told()
assert config_at(path).store({HOST: LOGIN}, observe=told)
assert not config_at(path).store({HOST: LOGIN}, observe=told)
print(*told)
rescue = os.path.join(os.path.dirname(os.path.dirname(path)), "rescue")
print(*os.listdir(rescue), oct(os.stat(rescue).st_mode))
"""


def test_a_bind_mounted_file_is_rewritten_in_place(path, tmp_path):
    source = tmp_path / "host.json"
    put(source, FOREIGN)
    put(path, b"")
    before = os.stat(source).st_ino

    told, rescue = mounting(_BIND, path, source).splitlines()

    after = parsed(source)
    assert "config.rewritten_in_place" == told
    assert "0o40700" == rescue
    assert before == os.stat(source).st_ino
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_file_that_may_be_written_in_a_folder_that_may_not_is_rewritten_in_place(shared):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chown(path, NOBODY, NOBODY)
    rescue = os.path.join(shared, "rescue")
    os.mkdir(rescue, 0o700)
    os.chown(rescue, NOBODY, NOBODY)

    def login():
        told = Told()
        config_at(path).store({HOST: LOGIN}, observe=told)
        return list(told)

    told = as_nobody(login)

    assert ["config.rewritten_in_place"] == told
    assert ENTRY == parsed(path)["auths"][HOST]
    assert [] == os.listdir(rescue)


def test_no_copy_is_readable_by_other_users(shared):
    path = os.path.join(shared, "docker", "config.json")
    put(path, FOREIGN)
    os.chown(path, NOBODY, NOBODY)
    os.mkdir(os.path.join(shared, "rescue"), 0o777)

    def login():
        try:
            config_at(path).store({HOST: LOGIN})
        except ConfigError as exc:
            return exc.code

    assert "cache-refused" == as_nobody(login)
    assert FOREIGN == parsed(path)


# Rule 6


def test_a_write_by_another_program_is_not_overwritten(path):
    put(path, FOREIGN)
    theirs = {"auths": {"new.example": {"auth": "am9lOnNlY3JldA=="}}}

    def change(document):
        put(path, theirs)
        document.set_auth(HOST, LOGIN)

    with pytest.raises(ConfigChangedError):
        config_at(path).edit(change)

    assert theirs == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_file_that_appears_meanwhile_is_not_overwritten(path):
    def change(document):
        put(path, FOREIGN)
        document.set_auth(HOST, LOGIN)

    with pytest.raises(ConfigChangedError):
        config_at(path).edit(change)

    assert FOREIGN == parsed(path)


def test_a_write_right_after_ours_is_noticed(path):
    """
    Somebody read before us and writes after us: our login is gone, and must not be reported kept.
    """
    config = config_at(path)

    def observe(event, /, **_):
        if event == "config.replaced":
            put(path, FOREIGN)

    with pytest.raises(ConfigChangedError):
        config.store({HOST: LOGIN}, observe=observe)

    assert FOREIGN == parsed(path)


def test_the_lock_is_waited_for_until_the_timeout(path):
    put(path, FOREIGN)
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds

    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)

        with pytest.raises(ConfigError) as caught:
            config_at(path, clock=lambda: now[0], sleep=sleep).store({HOST: LOGIN}, timeout=5)

        assert "config-locked" == caught.value.code
        assert 5 == pytest.approx(now[0])
        assert FOREIGN == parsed(path)
    finally:
        os.close(folder)


def test_a_released_lock_is_taken_and_reported(path):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    now = [0.0]

    def sleep(seconds):
        now[0] += seconds
        if now[0] > 1.5:
            fcntl.flock(folder, fcntl.LOCK_UN)

    told = Told()
    try:
        config_at(path, clock=lambda: now[0], sleep=sleep).store({HOST: LOGIN}, observe=told)
    finally:
        os.close(folder)

    assert ["config.lock_waiting", "config.lock_waited", "config.replaced"] == told


@pytest.mark.parametrize("held", [0.08, 0.13])
def test_a_lock_is_taken_soon_after_it_is_free(path, held):
    """
    Compared to the time that it was held: many short edits in a row must not wait for nothing.
    """
    waits = _waits_for_lock(path, held=held)

    assert held <= sum(waits) <= 1.2 * held + 0.003


def test_processes_that_began_to_wait_together_do_not_try_again_together(path):
    """
    Or most of them would be too early each time, and the lock idle until they try again.
    """
    assert _waits_for_lock(path, held=1) != _waits_for_lock(path, held=1)


def _waits_for_lock(path, *, held):
    """
    Seconds between the tries for a lock that is released after *held* seconds.
    """
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    waits = []

    def sleep(seconds):
        waits.append(seconds)
        if sum(waits) >= held:
            fcntl.flock(folder, fcntl.LOCK_UN)

    try:
        config_at(path, clock=lambda: sum(waits), sleep=sleep).store({HOST: LOGIN})
    finally:
        os.close(folder)
    return waits


def test_nothing_is_written_where_there_are_no_locks(path, monkeypatch):
    put(path, FOREIGN)

    def flock(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({HOST: LOGIN})

    assert "config-unlockable" == caught.value.code
    assert FOREIGN == parsed(path)


# Rule 7

DAMAGED = {
    "half": b'{"auths": {"ghcr.io": {"auth": "c2VjcmV0Y2FuYXJ5',
    "list": b'["secretcanary"]',
    "nan": b'{"secretcanary": NaN}',
    "nul": b'{"secretcanary": "\0"}',
    "deep": b'{"secretcanary": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_damaged_file_is_left_alone_named_and_not_quoted(path, kind):
    put(path, DAMAGED[kind])
    config = config_at(path)

    for use in (config.read, lambda: config.store({HOST: LOGIN})):
        with pytest.raises(ConfigError) as caught:
            use()

        error = caught.value
        assert path in error.message
        assert "config-damaged" == error.code
        assert "secretcanary" not in f"{error!r} {error.hint}"
        assert "c2VjcmV0" not in f"{error!r} {error.hint}"
        assert (None, None) == (error.__cause__, error.__context__)
    assert DAMAGED[kind] == content(path)


# What docker reads, and would not come out of our writing as it went in.
UNWRITABLE = {
    "tail": (b'{"auths": {}} secretcanary', "line 1, column 14"),
    "auths": (b'{"auths": "secretcanary"}', "is not an object"),
    "helpers": (b'{"credHelpers": ["secretcanary"]}', "is not an object"),
    "twice": (b'{"secretcanary": 1,\n "secretcanary": 2}', "twice (line 2, column 2)"),
    "auths-twice": (b'{"auths": {},\n\t"auths": {}}', "has auths twice (line 2, column 2)"),
    "twice-by-case": (b'{"auths": {}, "AUTHS": {"secretcanary": {}}}', "has AUTHS twice"),
    "twice-inside": (b'{"x": {"secretcanary": 1, "secretcanary": 2}}', "has the same key twice"),
    "latin-1": (b'{"secretcanary": "\xe9"}', "is not UTF-8 (line 1)"),
    "huge": (b'{"secretcanary": 1e999}', "has a number that is too large"),
    "digits": (b'{"secretcanary": ' + b"1" * 5000 + b"}", "digits"),
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_what_docker_reads_is_read_and_only_its_writing_is_refused(path, kind):
    text, said = UNWRITABLE[kind]
    put(path, text)
    config = config_at(path)

    config.read()
    with pytest.raises(ConfigError) as caught:
        config.store({HOST: LOGIN})

    assert "config-damaged" == caught.value.code
    assert said in caught.value.message
    assert path in caught.value.message
    assert "secretcanary" not in f"{caught.value!r} {caught.value.hint}"
    assert text == content(path)


def test_a_file_that_needs_no_change_is_left_as_it_is_however_odd(path):
    put(path, b'{"auths": {}} tail')

    assert not config_at(path).edit(lambda _: None)
    assert b'{"auths": {}} tail' == content(path)


def test_the_line_of_the_fault_is_in_the_message(path):
    put(path, b'{\n\t"auths": {\n\t\t"a": oops\n')

    with pytest.raises(ConfigError) as caught:
        config_at(path).read()

    assert "line 3, column 8" in caught.value.message


@pytest.mark.parametrize("caught", [b"", b'{"auths": {"ghcr'])
def test_a_file_caught_while_it_is_written_is_read_once_more(path, caught):
    put(path, caught)
    waits = Waits(lambda: put(path, FOREIGN))

    config_at(path, sleep=waits).store({HOST: LOGIN})

    after = parsed(path)
    assert 1 == len(waits)
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


@pytest.mark.parametrize("nothing", [b"", b" \n", b"{}", b'{"auths": null}', b"\xef\xbb\xbf"])
def test_an_empty_file_gets_its_first_login(path, nothing):
    put(path, nothing)

    config_at(path).store({HOST: LOGIN})

    assert {"auths": {HOST: ENTRY}} == parsed(path)


def test_a_byte_order_mark_is_dropped_since_docker_cannot_read_it(path):
    put(path, b"\xef\xbb\xbf" + json.dumps({"auths": {HOST: ENTRY}}).encode())

    changed = config_at(path).store({HOST: LOGIN})

    assert changed
    assert {"auths": {HOST: ENTRY}} == parsed(path)
    assert not config_at(path).store({HOST: LOGIN})


def test_a_file_too_large_to_be_one_is_left_alone(path):
    with open(path, "wb") as file:
        file.truncate(17 * 1024 * 1024)

    with pytest.raises(ConfigError):
        config_at(path).store({HOST: LOGIN})

    assert 17 * 1024 * 1024 == os.stat(path).st_size


# Rule 3 and rule 5 against `kill -9`: nothing lost, never half a file.

_ROUNDS = 300 if SOAK else 30

_OLD = json.dumps(FOREIGN).encode()
_NEW = json.dumps({**FOREIGN, "auths": {HOST: ENTRY, **FOREIGN["auths"]}}, indent="\t").encode()

_BOUND = """
import subprocess, sys
from doubles import crashing
from doubles.configs import FOREIGN, put
path, source, count = sys.argv[1:]
put(source, FOREIGN)
subprocess.run(["mount", "--bind", source, path], check=True)
crashing.rounds(path, int(count))
"""


@pytest.fixture(name="rescue")
def _rescue(tmp_path, path):
    return Rescue(str(tmp_path / "rescue"), os.path.realpath(path))


def test_a_kill_at_any_moment_leaves_a_whole_file(path):
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(crashing.__file__))}

    done = subprocess.run(
        [sys.executable, crashing.__file__, "rounds", path, str(_ROUNDS)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"rounds {_ROUNDS} torn 0 restored 0" == done.stdout.splitlines()[-1]


def test_a_kill_at_any_moment_of_a_rewrite_in_place_costs_nothing(path, tmp_path):
    put(path, b"")

    told = mounting(_BOUND, path, tmp_path / "host.json", _ROUNDS, timeout=600)

    assert f"rounds {_ROUNDS} " in told


@pytest.mark.parametrize(("old", "new"), [(_OLD, _NEW), (_NEW, _OLD)])
def test_a_rewrite_cut_off_after_any_octet_is_undone_by_the_next_run(path, rescue, old, new):
    size = max(len(old), len(new))
    states = [old + b"\n" * extra for extra in range(size - len(old) + 1)]
    states += [new.ljust(size, b"\n")[:cut] + old.ljust(size, b"\n")[cut:] for cut in range(size)]
    whole = [json.loads(old), json.loads(new)]

    for state in states:
        put(path, state)
        rescue.keep(old, new)

        config_at(path).edit(lambda _: None)

        assert parsed(path) in whole
        assert not os.path.exists(rescue.path)


def test_no_copy_is_kept_in_a_folder_that_others_use(tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)

    with pytest.raises(ConfigError) as caught:
        Rescue(str(shared), "/config.json").keep(b"{}", b"{}")

    assert "cache-refused" == caught.value.code
    assert 0o1777 == stat.S_IMODE(shared.stat().st_mode)
    assert [] == list(shared.iterdir())


def test_a_cut_that_is_valid_json_is_undone_as_well(path, rescue):
    """
    Same length, and the cut inside a password: no parser would notice.
    """
    old, new = (b'{"auths": {"a": {"auth": "%s"}}}' % (c * 40) for c in (b"A", b"B"))
    torn = new[:40] + old[40:]
    put(path, torn)
    rescue.keep(old, new)
    told = Told()

    config_at(path).edit(lambda _: None, observe=told)

    assert ["config.restored"] == told
    assert old == content(path)


@pytest.mark.parametrize("torn", [b"", b"{", b"\0" * 100])
def test_a_file_lost_to_a_power_cut_gets_its_old_content_back(path, rescue, torn):
    put(path, torn)
    rescue.keep(_OLD, _NEW)
    told = Told()

    config_at(path).store({HOST: LOGIN}, observe=told)

    after = parsed(path)
    assert ["config.restored", "config.replaced"] == told
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


def test_a_reader_sees_the_old_content_of_a_torn_file(path, rescue):
    put(path, b"")
    rescue.keep(_NEW, _OLD)

    found = config_at(path).read()

    assert LOGIN == found.auth(HOST)
    assert b"" == content(path)


def test_a_later_write_is_not_undone(path, rescue):
    theirs = {"auths": {"new.example": {"auth": "am9lOnNlY3JldA=="}}}
    put(path, theirs)
    rescue.keep(_OLD, _NEW)

    config_at(path).edit(lambda _: None)

    assert theirs == parsed(path)


def test_a_copy_does_not_come_back_once_the_file_was_seen_whole(path, rescue):
    put(path, FOREIGN)
    rescue.keep(_NEW, _OLD)
    config_at(path).edit(lambda _: None)
    put(path, b"")

    config_at(path).edit(lambda _: None)

    assert b"" == content(path)


def test_a_copy_that_a_killed_run_had_not_finished_is_removed(path, rescue):
    put(path, FOREIGN)
    put(rescue.path + ".new", b"half")

    config_at(path).edit(lambda _: None)

    assert [] == os.listdir(os.path.dirname(rescue.path))


def test_a_file_that_was_removed_on_purpose_stays_removed(path, rescue):
    rescue.keep(_OLD, _NEW)

    config_at(path).edit(lambda _: None)

    assert not os.path.exists(path)


@pytest.mark.parametrize("planted", [b"", b"x", b"devcontainer-registry rescue 1 x\n{}", "link"])
def test_a_copy_that_is_not_ours_is_not_believed(path, rescue, planted, tmp_path):
    put(path, b"{")
    put(rescue.path, b"")
    os.unlink(rescue.path)
    if planted == "link":
        put(tmp_path / "planted", b"devcontainer-registry rescue 1 2\n{}{}")
        os.symlink(tmp_path / "planted", rescue.path)
    else:
        put(rescue.path, planted)

    with pytest.raises(ConfigError):
        config_at(path).store({HOST: LOGIN})

    assert b"{" == content(path)


def test_the_copy_is_on_the_disk_before_the_file_is_touched(path, rescue, monkeypatch):
    """
    Killed between the two; the kill is an exception here that nobody is asked to clean up after.
    """
    put(path, FOREIGN)
    old = content(path)
    seen = []

    def pwrite(*_):
        seen.append((content(path), os.path.exists(rescue.path), os.stat(rescue.path).st_mode))
        raise OSError(errno.EIO, "the disk is gone")

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(OSError, match="gone"):
        _rewrite(path, _NEW, rescue)

    assert (old, True, 0o100600) == seen[0]
    assert os.path.exists(rescue.path)  # putting the old content back failed, too
    monkeypatch.undo()
    config_at(path, sleep=Waits()).edit(lambda _: None)
    assert FOREIGN == parsed(path)


def test_a_disk_that_fills_up_in_the_middle_leaves_the_old_content_all_the_while(
    path, rescue, monkeypatch
):
    """
    A full disk takes a part first and refuses the rest: so the space is taken before the content.
    """
    put(path, _OLD)
    pwrite, seen = os.pwrite, []

    def full(fd, octets, offset):
        seen.append(content(path))
        if not (room := len(_OLD) - offset):
            raise OSError(errno.ENOSPC, "full")
        return pwrite(fd, octets[:room], offset)

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(OSError, match="full"):
        _rewrite(path, _NEW, rescue)

    assert {_OLD} == {*seen, content(path)}
    assert not os.path.exists(rescue.path)


def test_a_rewrite_that_fails_half_way_is_undone_at_once(path, rescue, monkeypatch):
    put(path, _OLD)
    pwrite, calls = os.pwrite, []

    def failing(fd, octets, offset):
        calls.append(offset)
        if len(calls) == 3:
            raise OSError(errno.EIO, "gone")
        return pwrite(fd, octets[:100], offset) if len(calls) == 2 else pwrite(fd, octets, offset)

    monkeypatch.setattr(os, "pwrite", failing)

    with pytest.raises(OSError, match="gone"):
        _rewrite(path, _NEW, rescue)

    assert [len(_OLD), 0, 100, 0] == calls
    assert _OLD == content(path)
    assert not os.path.exists(rescue.path)


def _rewrite(path, new, rescue):
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        before = safe_write.look("config.json", folder=folder)
        safe_write.rewrite(
            "config.json",
            new,
            folder=folder,
            before=before,
            mode=0o600,
            path=path,
            rescue=rescue,
        )
    finally:
        os.close(folder)
