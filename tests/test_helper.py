# SPDX-License-Identifier: MIT
"""
Docker's credential helper protocol, verb by verb, with the program that Docker starts.
"""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest
from doubles.credential_helper import (
    HERE,
    HOUR,
    LIFE,
    NAME,
    NOT_FOUND,
    OLD,
    PROGRAM,
    Helper,
    answered,
    reason,
)
from doubles.homes import a_set
from doubles.patience import LONG
from doubles.servers import Fine

from devcontainer_registry import helper as program
from devcontainer_registry.cache.fast_json import loads, quoted
from devcontainer_registry.errors import RegistryError

USAGE = f"Usage: {NAME} <store|get|erase|list|version>\n"
HUB = ("docker.io", "index.docker.io", "https://index.docker.io/v1/")


@pytest.fixture(name="helper")
def _helper(tmp_path):
    return Helper(tmp_path)


# get.


def test_a_saved_credential_is_answered_in_one_line_only(helper):
    helper.keep()

    ran = helper.get()

    assert OLD == answered(ran)
    assert 1 == ran.stdout.count("\n")
    assert ran.stdout.endswith("}\n")


@pytest.mark.parametrize(
    "url",
    [
        "registry.example",
        "registry.example\n",
        "  registry.example\r\n",
        "https://registry.example",
        "http://registry.example/",
        "https://registry.example/v2/",
        "registry.example/team/app",
        "Registry.EXAMPLE",
        "HTTPS://REGISTRY.example/v1/",
    ],
)
def test_every_spelling_of_a_host_is_answered_in_that_spelling(helper, url):
    helper.keep()

    assert {**OLD, "ServerURL": url.strip()} == answered(helper.get(url))


@pytest.mark.parametrize("kept", HUB)
@pytest.mark.parametrize("asked", [*HUB, "https://docker.io", "index.docker.io/v1/"])
def test_docker_hub_is_one_registry_under_each_of_its_names(helper, monkeypatch, kept, asked):
    monkeypatch.setenv("HOME", helper.home)
    given = {"ServerURL": kept, "Username": "bob", "Secret": "s3cret"}
    program.store(json.dumps(given), os.environ)

    assert {**given, "ServerURL": asked} == json.loads(program.get(asked, os.environ))


@pytest.mark.parametrize(
    "other", ["registry.example:443", "registry.example:80", "sub.registry.example", "example"]
)
def test_another_port_or_name_is_another_registry(helper, other):
    helper.keep()

    assert (1, NOT_FOUND, "") == _all(helper.get(other))


@pytest.mark.parametrize(
    "url",
    [
        "nobody.example",
        "https://",
        "user@registry.example",
        "registry.example?x",
        "registry.example\0",
        "registry.example\nother.example",
        "../registry.example",
        "unused",
        "münchen.example",
        "a" * 300,
        "a." * 126 + "a",
        "[::1]:5000",
    ],
)
def test_an_unknown_registry_is_not_found_and_leaves_no_file(helper, url):
    ran = helper.get(url)

    assert (1, NOT_FOUND, "") == _all(ran)
    assert [] == os.listdir(helper.home)


def test_bytes_that_are_not_utf_8_name_no_registry(helper):
    assert (1, NOT_FOUND, "") == _all(helper.run("get", given=b"\xff\xfe.example"))


@pytest.mark.parametrize("verb", ["get", "erase"])
@pytest.mark.parametrize("given", ["", "\n", " \t\r\n"])
def test_a_missing_url_is_reported_as_docker_expects_it(helper, verb, given):
    assert (1, "no credentials server URL\n", "") == _all(helper.run(verb, given=given))


@pytest.mark.parametrize("verb", ["get", "store", "erase"])
def test_an_oversized_request_is_refused(helper, verb):
    ran = helper.run(verb, given="a" * 10_000_000)

    assert "131072" in reason(ran)


@pytest.mark.parametrize(
    "credential",
    [
        {"Username": "", "Secret": "s3cret"},
        {"Username": "bob", "Secret": ""},
        {"Username": "", "Secret": ""},
        {"Username": None, "Secret": "s3cret"},
        {"Username": "bob", "Secret": 5},
        {"Username": "bob"},
        "bob:s3cret",
        None,
        [],
    ],
)
def test_an_incomplete_credential_is_not_found(helper, credential):
    helper.cache.write(HERE, {"credential": credential})

    assert (1, NOT_FOUND, "") == _all(helper.get())
    assert "{}\n" == helper.run("list").stdout


@pytest.mark.parametrize("life", ["soon", True, -1, [], {}, float("nan"), float("inf"), 1e300])
def test_a_lifetime_that_is_not_a_time_counts_as_expired(helper, life):
    helper.keep(expires_at=life, issued_at=life)

    assert str(HERE) in reason(helper.get())


def test_a_credential_of_any_characters_is_returned_unchanged(helper):
    for secret in ("ünï\u2028\U0001f40b", 'quo"te\\', "tab\tand\nline", "nul\0", "<script>&"):
        assert 0 == helper.store(HERE, "robot$ci", secret).status
        assert {"ServerURL": HERE, "Username": "robot$ci", "Secret": secret} == answered(
            helper.get()
        )


def test_an_identity_token_keeps_its_user_name(helper):
    helper.store(HERE, "<token>", "refresh-me")

    assert "<token>" == answered(helper.get())["Username"]


def test_the_locale_of_a_terminal_changes_nothing(helper):
    helper.environ |= {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    helper.environ["DEVCONTAINER_REGISTRY_CACHE_DIR"] = os.path.join(helper.home, "büro")
    os.symlink("/", os.path.join(helper.home, "büro"))

    assert "cache" in reason(helper.get())


def test_a_credential_near_its_expiry_by_a_wrong_clock_is_still_served(helper):
    helper.keep(age=-24 * 3600)  # issued tomorrow

    assert OLD == answered(helper.get())


# store.


def test_a_credential_from_docker_login_is_served(helper):
    ran = helper.store("https://registry.example", "bob", "s3cret")

    assert (0, "", "") == _all(ran)
    assert {"ServerURL": HERE, "Username": "bob", "Secret": "s3cret"} == answered(helper.get())


def test_a_login_by_hand_does_not_inherit_the_expiry_of_the_old_login(helper):
    helper.keep(age=LIFE, failed_at=2e9, failure={"message": "x"}, set="of a set", erased=True)

    helper.store(HERE, "bob", "s3cret")

    assert "bob" == answered(helper.get())["Username"]
    kept = helper.cache.read(HERE)
    assert ("of a set", True) == (kept["set"], kept["by_hand"])
    assert not {"issued_at", "expires_at", "failed_at", "failure", "erased"} & set(kept)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"Username": "bob", "Secret": "s3cret-s3cret"}', "no credentials server URL\n"),
        ('{"ServerURL": " ", "Username": "b", "Secret": "s"}', "no credentials server URL\n"),
        ('{"ServerURL": "a.example", "Secret": "s3cret-s3cret"}', "no credentials username\n"),
        ('{"ServerURL": "a.example", "Username": ""}', "no credentials username\n"),
    ],
)
def test_messages_that_docker_compares_are_exact(helper, given, said):
    assert (1, said, "") == _all(helper.run("store", given=given))


@pytest.mark.parametrize(
    "given",
    [
        "",
        "{",
        "null",
        "[]",
        '"s3cret-s3cret"',
        '{"ServerURL": "a.example", "Secret": "s3cret-s3cret" "Username"',
        '{"ServerURL": "a.example", "Username": "b", "Secret": ""}',
        '{"ServerURL": "a.example", "Username": "b", "Secret": ["s3cret-s3cret"]}',
        '{"ServerURL": "a b", "Username": "b", "Secret": "s3cret-s3cret"}',
        b'{"ServerURL": "a.example", "Username": "b", "Secret": "s3cret-s3cret\xff"}',
        "[" * 50_000,
        '{"a":' * 20_000,
    ],
)
def test_a_credential_that_cannot_be_stored_is_refused_without_being_quoted(helper, given):
    ran = helper.run("store", given=given)

    assert "s3cret" not in reason(ran)
    assert "bug" not in ran.stdout
    assert [] == os.listdir(helper.home)


def test_members_are_read_in_any_case_as_go_reads_them(helper):
    helper.run("store", given='{"serverurl": "registry.example", "USERNAME": "b", "secret": "s"}')

    assert "b" == answered(helper.get())["Username"]


# erase.


def test_an_erased_credential_is_not_found(helper):
    helper.keep()

    assert (0, "", "") == _all(helper.run("erase", given="https://registry.example/v2/"))
    assert (1, NOT_FOUND, "") == _all(helper.get())
    assert "{}\n" == helper.run("list").stdout
    assert "the-old-one" not in json.dumps(helper.cache.read(HERE))


def test_each_spelling_that_docker_logout_erases_succeeds(helper):
    helper.keep()

    for url in (HERE, f"https://{HERE}", f"http://{HERE}", "nobody.example"):
        assert (0, "", "") == _all(helper.run("erase", given=url))


def test_an_erased_login_is_not_silently_made_again(helper):
    helper.see_secrets()
    helper.keep()

    helper.run("erase", given=HERE)

    assert (1, NOT_FOUND, "") == _all(helper.get())
    assert 0 == helper.asked


def test_an_erased_credential_can_be_stored_again(helper):
    helper.keep()
    helper.run("erase", given=HERE)

    helper.store(HERE, "bob", "s3cret")

    assert "bob" == answered(helper.get())["Username"]


# list, version, and unknown verbs.


def test_the_list_has_docker_s_keys_and_user_names(helper):
    helper.keep(user='ro"bot')
    helper.keep("docker.io", user="bob")
    helper.keep("localhost:5000", user="ünï")
    with open(os.path.join(helper.cache.path, "broken.example.json"), "w") as file:
        file.write("{")
    helper.cache.write("seen.example", {"state": "verified"})

    ran = helper.run("list", given="unused")

    expected = {"https://index.docker.io/v1/": "bob", HERE: 'ro"bot', "localhost:5000": "ünï"}
    assert (0, "", expected) == (ran.status, ran.stderr, ran.document)


def test_an_empty_list_is_an_empty_object(helper):
    assert (0, "{}\n", "") == _all(helper.run("list"))


def test_the_version_is_that_of_the_distribution(helper):
    ran = helper.run("version")

    from devcontainer_registry import __version__

    assert (0, f"{NAME} (devcontainer-registry) v{__version__}\n", "") == _all(ran)


@pytest.mark.parametrize(
    "arguments", [[], ["put"], ["GET"], ["get", "list"], ["--help"], ["get", ""], [""]]
)
def test_anything_else_is_answered_with_the_usage(helper, arguments):
    assert (1, USAGE, "") == _all(helper.run(*arguments, given="registry.example"))


# Unusual environments.


def test_an_internal_error_is_reported_without_the_input(monkeypatch, capfd):
    def broken(*_):
        raise ValueError("s3cret-s3cret")

    monkeypatch.setitem(program._VERBS, "list", broken)

    assert 1 == program.main(["list"])
    out, err = capfd.readouterr()
    assert "ValueError" in out
    assert "s3cret" not in out + err


def test_a_closed_pipe_prints_no_traceback(helper):
    helper.keep()
    process = helper.start("get")
    process.stdout.close()
    process.stdin.write(str(HERE).encode())
    process.stdin.close()

    assert 1 == process.wait(20)
    assert b"" == process.stderr.read()
    process.stderr.close()


def test_the_helper_needs_no_home_and_no_path(helper):
    helper.keep()
    done = subprocess.run(
        [PROGRAM, "get"],
        env={"DEVCONTAINER_REGISTRY_CACHE_DIR": helper.cache.path},
        input=str(HERE).encode(),
        capture_output=True,
        check=False,
    )

    assert (0, b"") == (done.returncode, done.stderr)


def test_the_fast_parser_equals_the_json_module():
    for text in ('{"a": [1, -2.5e3, true, null, "\\u00e9\\n"]}', "5", '"x"', " {} ", "[NaN]"):
        assert repr(json.loads(text)) == repr(loads(text))
    for text in ("", "{", "{]", '{"a"}', "nul", '"\n"', "{} {}", "\ufeff{}"):
        with pytest.raises(ValueError, match=r"."):
            loads(text)
    for text in ("", 'é\0\n"\\\x7f', "\udcff"):
        assert json.dumps(text) == quoted(text)


def test_the_parser_of_another_interpreter_works_too(helper):
    helper.keep(secret='quo"ted')
    code = "import sys; sys.modules['_json'] = None; from devcontainer_registry.helper import main"

    done = subprocess.run(
        [sys.executable, "-c", f"{code}; sys.exit(main(['get']))"],
        env={"HOME": helper.home},
        input=str(HERE),
        capture_output=True,
        text=True,
        check=True,
    )

    assert {**OLD, "Secret": 'quo"ted'} == json.loads(done.stdout)


def test_each_verb_is_also_a_function(helper):
    environ = {"HOME": helper.home}
    with pytest.raises(RegistryError, match="not found"):
        program.get("registry.example", environ)


def _all(ran):
    return ran.status, ran.stdout, ran.stderr


# Modules that may be loaded while Docker, or a container's start, waits for us.
#
# A budget of modules, not of time: a time would fail on a busy machine and pass on a fast one.

ROOT = Path(__file__).resolve().parent.parent

# Each is read, compiled already, in a third of a millisecond; `_json` and the like are C.
GROUND = {
    "__init__",
    "cache",
    "cache.entry",
    "cache.fast_json",
    "cache.folder",
    "errors",
    "files",
    "helper",
    "naming",
    "registry",
}
BUILT_IN = {"__future__", "_json", "errno", "fcntl", "stat", "time", "posixpath", "genericpath"}

HELPER = """
import sys
before = set(sys.modules)
from devcontainer_registry.helper import main
status = main(["get"], out=2)
"""
HOOK = """
import os, sys
before = set(sys.modules)
from devcontainer_registry.__main__ import main
sys.argv = ["devcontainer-registry", "hook", "postStart"]
os._exit = sys.exit
try:
    main()
except SystemExit as end:
    status = end.code
"""


def loaded(helper, code):
    """
    The modules that *code* loads, in an interpreter of its own; ours without the package's name.
    """
    report = "\nassert status == 0, status\nprint(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code + report],
        env={"HOME": helper.home, "PATH": os.environ["PATH"], **helper.environ},
        input=HERE,
        capture_output=True,
        text=True,
        check=True,
    )
    names = set(done.stdout.splitlines()[-1].split())
    return {n.removeprefix("devcontainer_registry.") for n in names - {"devcontainer_registry"}} | {
        "__init__"
    }


def test_a_cached_get_loads_only_the_basic_modules(helper):
    helper.keep(age=HOUR)
    helper.see_secrets("up")

    assert set() == loaded(helper, HELPER) - GROUND - BUILT_IN


def test_a_get_after_a_recent_failure_loads_hardly_more(helper):
    helper.keep(left=-1)
    helper.see_secrets("refuses")
    helper.get()

    code = HELPER.replace("status = ", "status = 0 * ")

    words = {"causes", "causes.cause", "causes.credential", "causes.plugins"}
    found = loaded(helper, code) - GROUND - BUILT_IN - {"logins", "logins.renewal"}
    assert set() == found - words


def test_a_hook_without_changes_loads_hardly_more(helper):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        helper.environ |= a_set("MY", registry.registry)
        command = [sys.executable, "-m", "devcontainer_registry", "hook", "postStart"]
        env = {"HOME": helper.home, "PATH": os.environ["PATH"], **helper.environ}
        for _ in range(2):
            subprocess.run(command, env=env, check=True, capture_output=True)
        asked = registry.asked

        found = loaded(helper, HOOK)

        assert asked == registry.asked > 0
    assert set() == found - GROUND - BUILT_IN - {
        "__main__",
        "commands",
        "commands.quiet_start",
        "_blake2",
    }


def test_a_hook_without_any_secrets_loads_hardly_more(helper):
    assert set() == loaded(helper, HOOK) - GROUND - BUILT_IN - {
        "__main__",
        "commands",
        "commands.quiet_start",
    }


def test_both_programs_run_from_a_virtual_environment_whose_path_has_a_space(tmp_path):
    # As it is installed: a script with such a path in its first line would not start.
    folder = tmp_path / "a folder with spaces"
    venv.create(folder, with_pip=False)
    (wheel,) = built(tmp_path)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", folder, "install", "--quiet", "--no-deps", wheel],
        check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
    )

    helper = subprocess.run(
        [folder / "bin" / NAME, "version"], capture_output=True, text=True, check=False
    )
    command = subprocess.run(
        [folder / "bin" / "devcontainer-registry", "hook", "postStart"],
        capture_output=True,
        text=True,
        check=False,
        env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]},
    )

    assert (0, "") == (helper.returncode, helper.stderr)
    assert helper.stdout.startswith(NAME)
    assert (0, "") == (command.returncode, command.stderr)


def built(folder):
    """
    The wheel of this checkout.
    """
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
    )
    return list(folder.glob("*.whl"))


# Another user who plants files where our helper reads: refused with one line, or ignored; never
# followed, never served.

USER = 12345
THEIRS = json.dumps(
    {"version": 1, "registry": HERE, "credential": {"Username": "eve", "Secret": "planted"}}
)

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture(name="neighbour")
def _neighbour(tmp_path):
    neighbour = Helper(tmp_path)
    neighbour.keep()
    return neighbour


@pytest.fixture(name="path")
def _path(neighbour):
    """
    Where the entry is.
    """
    return os.path.join(neighbour.cache.path, f"{HERE}.json")


def refused(neighbour):
    """
    Return the line with which every verb that reads the entry refuses it.
    """
    said = reason(neighbour.get())
    assert neighbour.cache.path in said
    assert "planted" not in said
    assert "bug" not in said
    return said


def planted(path, text=THEIRS, *, mode=0o600):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, mode)
    return str(path)


def test_a_symlink_in_place_of_the_file_is_not_followed(neighbour, path, tmp_path):
    os.unlink(path)
    os.symlink(planted(tmp_path / "theirs"), path)

    assert "link" in refused(neighbour)
    assert THEIRS == (tmp_path / "theirs").read_text()


def test_a_symlink_in_place_of_the_file_is_not_written_through(neighbour, path, tmp_path):
    os.unlink(path)
    os.symlink(planted(tmp_path / "theirs"), path)

    ran = neighbour.store(HERE, "bob", "s3cret")

    assert "link" in reason(ran)
    assert THEIRS == (tmp_path / "theirs").read_text()


@pytest.mark.parametrize("target", ["/etc/passwd", "/dev/zero", "/dev/stdin", "nowhere", "."])
def test_a_symlink_to_any_target_is_refused(neighbour, path, target):
    os.unlink(path)
    os.symlink(target, path)

    assert "link" in refused(neighbour)


def test_a_symlink_in_place_of_the_folder_is_not_followed(neighbour, tmp_path):
    os.rename(neighbour.cache.path, tmp_path / "moved")
    os.symlink(tmp_path / "moved", neighbour.cache.path)

    assert "link" in refused(neighbour)
    assert "link" in reason(neighbour.store(HERE, "bob", "s3cret"))
    assert "link" in reason(neighbour.run("list"))
    assert "link" in reason(neighbour.run("erase", given=HERE))


def test_a_symlink_in_place_of_the_lock_is_not_followed(neighbour, tmp_path):
    os.symlink(tmp_path / "made", os.path.join(neighbour.cache.path, f".{HERE}.lock"))
    neighbour.keep(left=-1)
    neighbour.see_secrets()

    assert "lock" in refused(neighbour)
    assert not (tmp_path / "made").exists()


@needs_root
def test_another_users_file_is_refused(neighbour, path):
    os.chown(planted(path), USER, USER)

    assert "another user" in refused(neighbour)


@needs_root
def test_another_users_file_by_a_hard_link_is_refused(neighbour, path, tmp_path):
    os.chown(planted(tmp_path / "theirs"), USER, USER)
    os.unlink(path)
    os.link(tmp_path / "theirs", path)

    assert "another user" in refused(neighbour)


def test_a_hard_link_to_our_file_does_not_get_later_content(neighbour, path, tmp_path):
    os.link(path, tmp_path / "second")

    neighbour.store(HERE, "bob", "a-new-secret")

    assert "a-new-secret" not in (tmp_path / "second").read_text()
    assert "bob" == answered(neighbour.get())["Username"]


@needs_root
def test_another_users_folder_is_refused(neighbour):
    os.chown(neighbour.cache.path, USER, USER)

    assert "another user" in refused(neighbour)
    assert "another user" in reason(neighbour.store(HERE, "bob", "s3cret"))
    assert "another user" in reason(neighbour.run("list"))


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o606, 0o601])
def test_a_file_that_others_could_read_or_change_is_refused(neighbour, path, mode):
    os.chmod(path, mode)

    assert "others can open" in refused(neighbour)


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o777, 0o711])
def test_a_folder_that_others_could_enter_is_refused_until_it_is_closed(neighbour, mode):
    os.chmod(neighbour.cache.path, mode)

    said = refused(neighbour)

    assert f"chmod 700 {neighbour.cache.path}" in said
    neighbour.store(HERE, "bob", "s3cret")
    assert 0o700 == stat.S_IMODE(os.stat(neighbour.cache.path).st_mode)
    assert "bob" == answered(neighbour.get())["Username"]


def _pipe(path):
    os.mkfifo(path, 0o600)


def _folder(path):
    os.mkdir(path, 0o700)


def _device(path):
    os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))  # zero


@pytest.mark.parametrize("make", [_pipe, _folder, pytest.param(_device, marks=needs_root)])
def test_a_path_that_is_not_a_regular_file_is_refused_at_once(neighbour, path, make):
    os.unlink(path)
    make(path)
    began = time.monotonic()

    assert "is not a file" in refused(neighbour)
    assert time.monotonic() - began < LONG


def test_an_enormous_file_is_refused_and_not_read(neighbour, path):
    with open(path, "r+b") as file:
        file.truncate(1 << 40)

    assert "is too large" in refused(neighbour)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\0" * 100,
        THEIRS[:-1],
        THEIRS[: len(THEIRS) // 2],
        THEIRS + "}",
        "null",
        "[]",
        THEIRS.replace('"version": 1', '"version": 2'),
        THEIRS.replace(HERE, "other.example"),
        "[" * 100_000,
        '{"a":' * 40_000,
        "\ufeff" + THEIRS,
        "\udcff",
        '{"version": 1' + "0" * 5000 + "}",
    ],
)
def test_a_damaged_file_counts_as_missing(neighbour, path, text):
    with open(path, "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))

    ran = neighbour.get()

    assert (1, NOT_FOUND, "") == (ran.status, ran.stdout, ran.stderr)


def test_a_damaged_file_affects_one_registry_only(neighbour):
    planted(os.path.join(neighbour.cache.path, "other.example.json"), "{")
    os.symlink("/etc/passwd", os.path.join(neighbour.cache.path, "third.example.json"))
    planted(os.path.join(neighbour.cache.path, "not a host.json"), "{}")

    assert OLD == answered(neighbour.get())
    assert {HERE: "AWS"} == neighbour.run("list").document


@needs_root
def test_root_reads_the_folder_of_the_user_whose_home_it_is_in_and_leaves_nothing_there(
    neighbour,
):
    neighbour.keep(left=3600)
    neighbour.see_secrets()
    for folder, folders, files in os.walk(neighbour.home):
        for name in (*folders, *files, "."):
            os.chown(os.path.join(folder, name), USER, USER)
    before = sorted(os.listdir(neighbour.cache.path))

    assert OLD == answered(neighbour.get())
    assert "not to root" in reason(neighbour.store(HERE, "bob", "s3cret"))
    assert before == sorted(os.listdir(neighbour.cache.path))
