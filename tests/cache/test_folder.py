# SPDX-License-Identifier: MIT
"""
The folder of what we keep: whose it must be, and who may not have touched it.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import time

import pytest
from doubles.private_user import NOBODY, as_nobody, public_folder

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.errors import ConfigError, InvalidRegistryError
from devcontainer_registry.registry import Registry

HERE = Registry("registry.example")
ROOT = os.geteuid() == 0
USER = 12345

needs_root = pytest.mark.skipif(not ROOT, reason="only root can give files away")


@pytest.fixture(name="cache")
def _cache(tmp_path):
    return Cache(str(tmp_path / "cache"))


def refused(cache):
    """
    The codes of reading and of writing; None for what goes well.
    """
    return [_code(lambda: cache.read(HERE)), _code(lambda: cache.write(HERE, {}))]


def _code(attempt):
    try:
        attempt()
    except ConfigError as exc:
        return exc.code
    return None


def test_what_is_written_is_read(cache):
    cache.write(HERE, {"a": 1})

    assert {"version": 1, "registry": HERE, "a": 1} == cache.read(HERE)
    assert [HERE] == cache.registries()


@pytest.mark.parametrize(
    "name", ["not a registry.json", "UPPER.example.json", "notes.txt", ".json"]
)
def test_a_foreign_file_is_not_a_registry(cache, name):
    cache.write(HERE, {"a": 1})
    with open(os.path.join(cache.path, name), "w", encoding="utf-8") as file:
        file.write("{}")

    assert [HERE] == cache.registries()


def test_the_folder_and_its_files_are_private(cache):
    before = os.umask(0)
    try:
        cache.write(HERE, {})
        cache.fingerprint("x")
    finally:
        os.umask(before)

    assert 0o700 == stat.S_IMODE(os.stat(cache.path).st_mode)
    for name in os.listdir(cache.path):
        assert 0o600 == stat.S_IMODE(os.stat(os.path.join(cache.path, name)).st_mode), name


def test_nothing_there_is_a_miss_and_makes_nothing(cache):
    assert None is cache.read(HERE)
    assert not cache.forget(HERE)
    assert [] == cache.registries()
    assert not os.path.exists(cache.path)


def test_forgetting_says_whether_there_was_anything(cache):
    cache.write(HERE, {})

    assert cache.forget(HERE)
    assert not cache.forget(HERE)
    assert None is cache.read(HERE)


def test_no_temporary_file_is_left(cache):
    for n in range(3):
        cache.write(HERE, {"n": n})
    cache.fingerprint("x")

    assert ["key", f"{HERE}.json"] == sorted(os.listdir(cache.path))


@pytest.mark.parametrize("ends", ["write", "forget"])
def test_what_a_killed_run_left_goes_with_the_entry_that_it_was_for(cache, ends):
    """
    Or a secret would outlive its logout.
    """
    cache.write(HERE, {"a": 1})
    for name, age in (
        (f".{HERE}.json.4711.00c0ffee", 120),
        (f".{HERE}.json.4712.00c0ffee", 0),  # somebody is at it
        (".other.example.json.4711.00c0ffee", 120),
        (f".{HERE}.lock", 120),
        (f".{HERE}.json.lock", 120),  # of the registry of that name
    ):
        path = os.path.join(cache.path, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("s3cret")
        os.utime(path, (time.time() - age, time.time() - age))

    cache = Cache(cache.path)  # the next run
    if ends == "write":
        cache.write(HERE, {"a": 2})
    else:
        cache.forget(HERE)

    left = {name for name in os.listdir(cache.path) if name.startswith(".")}
    assert {
        f".{HERE}.json.4712.00c0ffee",
        ".other.example.json.4711.00c0ffee",
        f".{HERE}.lock",
        f".{HERE}.json.lock",
    } == left


def test_the_folder_is_listed_once_however_many_entries_are_written(cache, monkeypatch):
    listed = []
    look = os.listdir
    monkeypatch.setattr(os, "listdir", lambda folder: listed.append(folder) or look(folder))

    for number in range(5):
        cache.write(Registry(f"registry{number}.example"), {})
    cache.forget(Registry("registry0.example"))

    assert 1 == len(listed)


def test_no_temporary_file_is_left_by_a_write_that_fails(cache):
    os.makedirs(os.path.join(cache.path, f"{HERE}.json", "in the way"))
    os.chmod(cache.path, 0o700)

    assert "cache-failed" == _code(lambda: cache.write(HERE, {"a": 1}))
    assert [f"{HERE}.json"] == os.listdir(cache.path)


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="only Linux lists descriptors")
def test_no_descriptor_is_left_open_whatever_comes(cache, tmp_path):
    cache.write(HERE, {"a": 1})
    link = Registry("link.example")
    os.symlink(tmp_path, os.path.join(cache.path, f"{link}.json"))
    before = set(os.listdir("/proc/self/fd"))

    def locked():
        with cache.lock(HERE, timeout=1):
            cache.registries()

    for attempt in (
        lambda: cache.read(HERE),
        lambda: cache.read(link),
        lambda: cache.read(Registry("none.example")),
        lambda: cache.forget(Registry("none.example")),
        lambda: cache.write(HERE, {"a": 2}),
        lambda: cache.fingerprint("x"),
        locked,
        lambda: Cache(str(tmp_path)).read(HERE),
        lambda: cache.forget(HERE),
    ):
        _code(attempt)

    assert set(os.listdir("/proc/self/fd")) <= before


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_an_entry_of_another_version_is_a_miss(cache, version):
    cache.write(HERE, {"a": 1, "version": version})

    assert None is cache.read(HERE)


def test_a_temporary_file_is_never_one_that_was_there(cache, tmp_path, monkeypatch):
    """
    Whoever could foresee its name could have us write the secret where it can be read.
    """
    cache.write(HERE, {"a": "old"})
    monkeypatch.setattr(os, "urandom", lambda size: b"\0" * size)  # foreseen
    planted = os.path.join(cache.path, f".{HERE}.json.{os.getpid()}.{'00' * 4}")
    os.symlink(tmp_path / "elsewhere", planted)

    assert "cache-failed" == _code(lambda: cache.write(HERE, {"a": "new"}))
    assert not os.path.lexists(tmp_path / "elsewhere")
    assert "old" == cache.read(HERE)["a"]


def test_a_file_of_another_registry_is_a_miss(cache):
    cache.write(HERE, {})
    os.rename(
        os.path.join(cache.path, f"{HERE}.json"), os.path.join(cache.path, "evil.example.json")
    )

    assert None is cache.read(Registry("evil.example"))


def test_a_folder_that_is_a_link_is_refused(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    os.symlink(tmp_path / "elsewhere", cache.path)

    assert ["cache-refused", "cache-refused"] == refused(cache)
    assert [] == os.listdir(tmp_path / "elsewhere")


def test_a_file_that_is_a_link_is_refused_and_replaced_not_followed(cache, tmp_path):
    target = tmp_path / "target"
    target.write_text("{}")
    target.chmod(0o600)
    cache.write(HERE, {})
    path = os.path.join(cache.path, f"{HERE}.json")
    os.unlink(path)
    os.symlink(target, path)

    assert ["cache-refused", None] == refused(cache)
    assert "{}" == target.read_text()


def test_a_file_that_is_no_file_is_refused_without_waiting_for_it(cache):
    cache.write(HERE, {})
    path = os.path.join(cache.path, f"{HERE}.json")
    os.unlink(path)
    os.mkfifo(path, 0o600)

    assert "cache-refused" == refused(cache)[0]


def test_a_file_that_is_open_to_others_is_refused(cache):
    cache.write(HERE, {})
    os.chmod(os.path.join(cache.path, f"{HERE}.json"), 0o604)

    assert "cache-refused" == refused(cache)[0]


def test_a_folder_that_is_open_to_others_is_not_read_and_closed_before_it_is_written(cache):
    os.mkdir(cache.path)
    os.chmod(cache.path, 0o755)

    assert ["cache-refused", None] == refused(cache)
    assert 0o700 == stat.S_IMODE(os.stat(cache.path).st_mode)


def test_created_parents_of_the_folder_are_private(tmp_path):
    """
    Who may write into `~/.cache` decides what other programs find there, and run.
    """
    before = os.umask(0)
    try:
        Cache(str(tmp_path / ".cache" / "ours")).write(HERE, {})
    finally:
        os.umask(before)

    assert 0o700 == stat.S_IMODE(os.stat(tmp_path / ".cache").st_mode)


@pytest.mark.parametrize(("mode", "inside"), [(0o1777, []), (0o755, ["apt"]), (0o777, ["apt"])])
def test_a_folder_that_others_use_is_refused_and_not_closed_to_them(cache, mode, inside):
    """
    `/tmp` or `/var/cache`, say, which root could well close.
    """
    os.mkdir(cache.path)
    for name in inside:
        os.mkdir(os.path.join(cache.path, name))
    os.chmod(cache.path, mode)

    assert ["cache-refused", "cache-refused"] == refused(cache)
    assert mode == stat.S_IMODE(os.stat(cache.path).st_mode)
    with pytest.raises(ConfigError) as caught:
        cache.read(HERE)
    assert "chmod" not in caught.value.hint


@needs_root
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_folder_of_another_user_is_refused(cache, what):
    cache.write(HERE, {})
    path = cache.path if what == "folder" else os.path.join(cache.path, f"{HERE}.json")
    os.chown(path, USER, USER)

    assert "cache-refused" == refused(cache)[0]


@needs_root
@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_folder_of_another_user_is_refused_in_roots_home(tmp_path, what):
    cache = Cache(str(tmp_path / "cache"), home=str(tmp_path))
    cache.write(HERE, {})
    path = cache.path if what == "folder" else os.path.join(cache.path, f"{HERE}.json")
    os.chown(path, USER, USER)

    assert "cache-refused" == refused(cache)[0]


@needs_root
def test_root_writes_to_the_named_folder_with_a_users_home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    cache = Cache(str(tmp_path / "elsewhere"), home=str(home))

    cache.write(HERE, {"a": 1})

    assert 1 == cache.read(HERE)["a"]


@needs_root
def test_a_user_writes_in_their_own_home():
    home = public_folder()
    os.chown(home, NOBODY, NOBODY)

    def write():
        cache = Cache(os.path.join(home, ".cache"), home=home)
        cache.write(HERE, {"a": 1})
        return cache.read(HERE)["a"]

    try:
        assert 1 == as_nobody(write)
    finally:
        shutil.rmtree(home)


@needs_root
def test_root_in_a_users_home_reads_and_writes_nothing(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    cache = Cache(str(home / ".cache" / "devcontainer-registry"), home=str(home))
    cache.write(HERE, {"a": 1})
    known = cache.fingerprint("x")
    for folder, folders, files in os.walk(home):
        for name in (*folders, *files, "."):
            os.chown(os.path.join(folder, name), USER, USER)
    before = sorted(os.listdir(cache.path))

    assert 1 == cache.read(HERE)["a"]
    assert known == cache.fingerprint("x")
    assert [None, "cache-refused"] == refused(cache)
    with pytest.raises(ConfigError):
        cache.forget(HERE)
    assert before == sorted(os.listdir(cache.path))


@needs_root
def test_root_in_a_users_home_makes_no_folder_there(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    cache = Cache(str(home / ".cache" / "devcontainer-registry"), home=str(home))

    assert [None, "cache-refused"] == refused(cache)
    with pytest.raises(ConfigError):
        cache.fingerprint("x")
    assert [] == os.listdir(home)


def test_a_folder_that_cannot_be_created_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    cache = Cache(str(tmp_path / "file" / "cache"))

    with pytest.raises(ConfigError, match="file/cache") as caught:
        cache.write(HERE, {})

    assert "DEVCONTAINER_REGISTRY_CACHE_DIR" in caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_an_impossible_folder_is_named():
    cache = Cache("/proc/cache")

    calls = (lambda: cache.write(HERE, {}), lambda: cache.fingerprint("x"))

    assert ["cache-failed", "cache-failed"] == [_code(call) for call in calls]


def test_something_huge_is_not_read(cache):
    cache.write(HERE, {"a": "x" * 300_000})

    assert "cache-refused" == refused(cache)[0]


def test_what_is_refused_is_named_with_what_to_do(cache):
    cache.write(HERE, {})
    os.chmod(cache.path, 0o755)
    with pytest.raises(ConfigError) as folder:
        cache.read(HERE)
    os.chmod(cache.path, 0o700)
    os.chmod(os.path.join(cache.path, f"{HERE}.json"), 0o644)
    with pytest.raises(ConfigError) as file:
        cache.read(HERE)

    assert f"others can open the cache {cache.path}" == folder.value.message
    assert f"run chmod 700 {cache.path}" == folder.value.hint
    assert f"others can open the cache {cache.path}/{HERE}.json" == file.value.message
    assert "remove it" in file.value.hint


def test_a_name_that_no_file_can_have_is_a_miss(cache):
    cache.write(HERE, {})

    assert None is cache.read(Registry(".".join(["a" * 63] * 3 + ["a" * 61])))


def test_a_name_cannot_lead_out_of_the_folder(cache, tmp_path):
    cache.write(Registry("https://evil.example/../../x"), {})
    for server in ("../evil.example", "/etc/passwd", "..", "."):
        with pytest.raises(InvalidRegistryError):
            Registry(server)

    assert ["cache"] == os.listdir(tmp_path)


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"HOME": "/home/bob"}, "/home/bob/.cache/devcontainer-registry"),
        ({"HOME": "/home/bob", "XDG_CACHE_HOME": "/x"}, "/home/bob/.cache/devcontainer-registry"),
        ({"HOME": "/home/bob", "DEVCONTAINER_REGISTRY_CACHE_DIR": "/c"}, "/c"),
        (
            {"HOME": "/home/bob", "DEVCONTAINER_REGISTRY_CACHE_DIR": ""},
            "/home/bob/.cache/devcontainer-registry",
        ),
    ],
)
def test_the_folder_is_below_the_home_whatever_xdg_says(environ, path):
    assert path == Cache.locate(environ).path


def test_without_a_home_in_the_environment_the_process_knows_one():
    assert os.path.expanduser("~/.cache/devcontainer-registry") == Cache.locate({}).path


# Fingerprints.


def test_fingerprints_are_equal_for_equal_parts_only(cache):
    same = cache.fingerprint("a", None, "b")
    others = [("a", "", "b"), ("a", "b"), ("a", "b", None), ("ab", None, ""), ("a", None, "c")]

    assert same == cache.fingerprint("a", None, "b")
    assert same not in [cache.fingerprint(*parts) for parts in others]


def test_fingerprints_of_two_folders_have_nothing_in_common(tmp_path):
    one, two = Cache(str(tmp_path / "one")), Cache(str(tmp_path / "two"))

    assert one.fingerprint("a") != two.fingerprint("a")


def test_octets_that_are_no_text_have_a_fingerprint(cache):
    assert cache.fingerprint("\udcff") != cache.fingerprint("\udcfe")


def test_a_key_of_the_wrong_length_is_made_anew(cache):
    cache.fingerprint("a")
    with open(os.path.join(cache.path, "key"), "wb") as file:
        file.write(b"short")

    assert cache.fingerprint("a") == cache.fingerprint("a")
    assert 32 == os.path.getsize(os.path.join(cache.path, "key"))


def test_many_at_once_agree_on_one_key(tmp_path):
    code = (
        "import sys; from devcontainer_registry.cache.folder import Cache;"
        "sys.stdin.read(); print(Cache(sys.argv[1]).fingerprint('a'))"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "cache")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    answers = {process.communicate()[0] for process in processes}

    assert 1 == len(answers)
    assert [0] * 8 == [process.returncode for process in processes]


def test_a_key_that_comes_while_ours_is_made_is_the_one(cache):
    class Late(Cache):
        """
        One that looks for a key just before somebody else has made one.
        """

        first = None

        def _read(self, name):
            found = super()._read(name)
            if self.first is None:
                self.first = Cache(self.path).fingerprint("a")
            return found

    late = Late(cache.path)

    assert late.fingerprint("a") == late.first == cache.fingerprint("a")
    assert ["key"] == os.listdir(cache.path)


# The lock.


def test_one_at_a_time(cache):
    with cache.lock(HERE, timeout=1), pytest.raises(ConfigError) as caught:
        cache.lock(HERE, timeout=0.05).__enter__()

    assert "cache-locked" == caught.value.code
    with cache.lock(HERE, timeout=0.05):
        pass


def test_registries_do_not_wait_for_each_other(cache):
    with cache.lock(HERE, timeout=1), cache.lock(Registry("other.example"), timeout=0.05):
        pass

    assert [] == cache.registries()
