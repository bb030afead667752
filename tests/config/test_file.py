# SPDX-License-Identifier: MIT
"""
Rules 1, 2, 3, 4 and 8 by which config.json is edited: what is written, and what is left alone.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import time

import pytest
from doubles.configs import (
    ENTRY,
    FOREIGN,
    HOST,
    LOGIN,
    Told,
    config_at,
    content,
    mode_of,
    parsed,
    put,
)
from doubles.private_user import SOAK
from hypothesis import given
from hypothesis import strategies as st

from devcontainer_registry.config import auth_entry as auth_entries
from devcontainer_registry.config import safe_write
from devcontainer_registry.config.file import Document, auth_entry
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigChangedError, ConfigError
from devcontainer_registry.logins.keeping import amend
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


# Rule 1


def test_what_is_not_ours_survives_in_its_order(path):
    put(path, FOREIGN)

    config_at(path).store({HOST: LOGIN})

    after = parsed(path)
    assert list(FOREIGN) == list(after)
    assert ENTRY == after["auths"].pop(HOST)
    assert FOREIGN == after


def test_numbers_and_half_characters_keep_their_value(path):
    put(path, b'{"a": [1.10, 1E2, -0.0, 123456789012345678901234567890], "b": "\\ud800\\u00e9"}')

    config_at(path).store({HOST: LOGIN})

    assert b"1.1,\n\t\t100.0,\n\t\t-0.0,\n\t\t123456789012345678901234567890" in content(path)
    assert "\ud800é" == parsed(path)["b"]


def test_the_file_is_laid_out_as_docker_does(path):
    config_at(path).store({HOST: LOGIN})

    assert json.dumps({"auths": {HOST: ENTRY}}, indent="\t").encode() == content(path)


def test_five_thousand_entries_survive(path):
    before = {"auths": {f"r{i}.example": {"auth": "am9lOnNlY3JldA=="} for i in range(5000)}}
    put(path, before)

    config_at(path).store({HOST: LOGIN})

    after = parsed(path)["auths"]
    del after[HOST]
    assert before["auths"] == after


# Rule 2


def test_a_second_run_does_not_touch_the_file(path):
    put(path, FOREIGN)
    config = config_at(path)
    config.store({HOST: LOGIN})
    before = os.stat(path)

    changed = config.store({HOST: LOGIN})

    after = os.stat(path)
    assert not changed
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_a_file_laid_out_differently_is_not_touched_for_its_layout(path):
    put(path, json.dumps({"auths": {HOST: ENTRY}}, indent=7).encode())
    before = content(path)

    changed = config_at(path).store({HOST: LOGIN})

    assert not changed
    assert before == content(path)


def test_forgetting_what_is_not_there_makes_no_folder(tmp_path):
    path = tmp_path / "none" / "config.json"

    changed = config_at(path).forget([HOST])

    assert not changed
    assert not path.parent.exists()


# Rule 3


def test_file_and_folder_are_for_their_owner_alone(tmp_path):
    path = tmp_path / "new" / "docker" / "config.json"
    mask = os.umask(0)
    try:
        config_at(path).store({HOST: LOGIN})
    finally:
        os.umask(mask)

    assert (0o600, 0o700, 0o700) == (
        mode_of(path),
        mode_of(path.parent),
        mode_of(path.parent.parent),
    )


def test_the_old_file_is_replaced_not_written_into(path):
    put(path, FOREIGN)
    with open(path, "rb") as reader:
        told = Told()

        config_at(path).store({HOST: LOGIN}, observe=told)

        assert FOREIGN == json.loads(reader.read())
    assert ["config.replaced"] == told


def test_nothing_is_left_behind_when_the_change_fails(path):
    put(path, FOREIGN)

    def change(document):
        document.set_auth(HOST, LOGIN)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        config_at(path).edit(change)

    assert FOREIGN == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_what_a_killed_run_left_is_swept_away_and_nothing_else(path):
    folder = os.path.dirname(path)
    ours = "config.json.devcontainer-registry-0123456789abcdef"
    theirs = ["config.json.devcontainer-registry-before-upgrade", "config.json123"]
    for name in (ours, *theirs):
        put(os.path.join(folder, name), b"{")

    config_at(path).store({HOST: LOGIN})

    assert sorted([*theirs, "config.json"]) == sorted(os.listdir(folder))


def test_a_file_open_to_others_is_closed_once_it_holds_a_login(path):
    put(path, {})
    os.chmod(path, 0o644)
    config = config_at(path)

    config.delegate({HOST: OUR_HELPER})
    before = mode_of(path)
    config.store({HOST: LOGIN})

    assert (0o644, 0o600) == (before, mode_of(path))


# Rule 4


@pytest.mark.parametrize("relative", [True, False])
def test_a_symlink_stays_a_symlink(path, tmp_path, relative):
    target = tmp_path / "dotfiles" / "config.json"
    put(target, FOREIGN)
    os.symlink("../dotfiles/config.json" if relative else target, path)

    config_at(path).store({HOST: LOGIN})

    assert os.path.islink(path)
    assert ENTRY == parsed(target)["auths"][HOST]
    assert ["config.json"] == os.listdir(target.parent)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_dangling_symlink_gets_its_target(path, tmp_path):
    target = tmp_path / "not" / "yet" / "config.json"
    os.symlink(target, path)

    config_at(path).store({HOST: LOGIN})

    assert os.path.islink(path)
    assert {"auths": {HOST: ENTRY}} == parsed(target)
    assert 0o600 == mode_of(target)


def test_a_symlink_across_file_systems_stays_a_symlink(path):
    other = "/dev/shm"
    if not os.path.isdir(other) or os.stat(other).st_dev == os.stat(os.path.dirname(path)).st_dev:
        pytest.skip("there is no second file system")
    folder = os.path.join(other, f"devcontainer-registry-test-{os.getpid()}")
    os.mkdir(folder, 0o700)
    try:
        os.symlink(os.path.join(folder, "config.json"), path)

        config_at(path).store({HOST: LOGIN})

        assert os.path.islink(path)
        assert ENTRY == parsed(path)["auths"][HOST]
    finally:
        shutil.rmtree(folder)


def test_a_symlink_that_leads_back_to_itself_is_an_error(path):
    os.symlink("config.json", path)

    with pytest.raises(ConfigError) as caught:
        config_at(path).store({HOST: LOGIN})

    assert path in caught.value.message
    assert os.path.islink(path)


# Rule 8


@pytest.mark.parametrize("value", ["gcloud", ""])
@pytest.mark.parametrize("spelling", ["https://index.docker.io/v1/", "docker.io"])
def test_another_programs_helper_is_not_replaced(path, value, spelling):
    put(path, {"credHelpers": {spelling: value}})

    changed = config_at(path).delegate({Registry("docker.io"): OUR_HELPER})

    assert not changed
    assert {"credHelpers": {spelling: value}} == parsed(path)


def test_logout_removes_only_our_helper(path):
    hub = Registry("docker.io")
    put(path, {"auths": {}, "credHelpers": {"quay.io": "gcloud", HOST: OUR_HELPER}})
    config = config_at(path)
    config.delegate({hub: OUR_HELPER})

    config.forget([hub, HOST, Registry("quay.io")])

    assert {"auths": {}, "credHelpers": {"quay.io": "gcloud"}} == parsed(path)


def test_a_helper_without_a_name_is_refused(path):
    with pytest.raises(ConfigError):
        config_at(path).delegate({HOST: ""})

    assert not os.path.exists(path)


# docker's own rules for what config.json means.

DOCUMENT_HOST = Registry("corp.example")
HUB = Registry("docker.io")


def document(value):
    return Document.parse(json.dumps(value).encode(), where="config.json")


def written(doc):
    return json.loads(doc.dump())


def b64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "user", "secret"),
    [
        ({"auth": b64("jane:pass:word")}, "jane", "pass:word"),
        ({"auth": b64("jane:word\0\0")}, "jane", "word"),
        ({"auth": b64("jane:word"), "username": "x", "password": "y"}, "jane", "word"),
        ({"username": "jane", "password": "word"}, "jane", "word"),
        ({"auth": b64("jane:"), "identitytoken": "abc"}, "<token>", "abc"),
        ({"identityToken": "abc"}, "<token>", "abc"),
        ({"Auth": b64("jane:word")}, "jane", "word"),
    ],
)
def test_a_login_is_read_as_docker_reads_it(entry, user, secret):
    found = document({"auths": {DOCUMENT_HOST: entry}}).auth(DOCUMENT_HOST)

    assert Credential(username=user, secret=Secret(secret)) == found


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"auth": ""},
        {"auth": b64("jane:word").rstrip("=") + "!"},
        {"auth": "amFuZTp3b3Jkcw"},
        {"auth": b64("jane:word") + "="},
        {"auth": b64(":word")},
        {"auth": b64("word")},
        {"auth": 5},
        {"auth": "é"},
        None,
        "x",
    ],
)
def test_what_docker_cannot_decode_is_no_login(entry):
    assert document({"auths": {DOCUMENT_HOST: entry}}).auth(DOCUMENT_HOST) is None


@pytest.mark.parametrize(
    "key",
    [
        "https://corp.example/v1/",
        "http://corp.example",
        "corp.example/",
        "corp.example/team",
        "HTTPS://corp.example",
        "ftp://corp.example:/",
        "https://someone@corp.example?x=1",
    ],
)
def test_an_old_spelling_serves_the_host(key):
    assert document({"auths": {key: auth_entry(_login("old"))}}).auth(DOCUMENT_HOST) == _login(
        "old"
    )


def test_the_exact_key_comes_first_and_the_old_one_stays():
    doc = document({"auths": {"https://corp.example/v1/": auth_entry(_login("old"))}})

    doc.set_auth(DOCUMENT_HOST, _login("new"))

    assert _login("new") == doc.auth(DOCUMENT_HOST)
    assert ["https://corp.example/v1/", DOCUMENT_HOST] == list(written(doc)["auths"])


@pytest.mark.parametrize("key", ["https://[2001:db8::1]:5000/v2/", "[2001:db8::1]:5000/"])
def test_an_old_spelling_of_an_ipv6_address_serves_it(key):
    host = Registry("[2001:db8::1]:5000")

    assert _login("old") == document({"auths": {key: auth_entry(_login("old"))}}).auth(host)


@pytest.mark.parametrize(
    "key",
    [
        "corp.example:5000",
        "corp.example.evil.example",
        "docker.io",
        "CORP.EXAMPLE",
        " corp.example",
        "someone@corp.example",
        "//corp.example",
        "://corp.example",
    ],
)
def test_another_host_is_not_served(key):
    doc = document({"auths": {key: auth_entry(_login("x"))}})

    assert (None, None) == (doc.auth(DOCUMENT_HOST), doc.auth(HUB))


def test_keys_are_searched_for_old_spellings_once_however_many_logins_are_saved(monkeypatch):
    asked = []
    entries = [f"https://old{number}.example/v1/" for number in range(3)]
    doc = document({"auths": {key: auth_entry(_login("old")) for key in entries}})
    read = auth_entries._host_of
    monkeypatch.setattr(auth_entries, "_host_of", lambda key: asked.append(key) or read(key))

    for number in range(5):
        host = Registry(f"new{number}.example")
        assert None is doc.auth(host)
        doc.set_auth(host, _login("new"))
        doc.remove_auth(host)

    assert entries == asked


def test_an_old_spelling_is_found_after_docker_hubs_has_come_and_gone():
    doc = document({"auths": {"https://corp.example/v1/": auth_entry(_login("old"))}})

    assert None is doc.auth(HUB)
    doc.set_auth(HUB, _login("hub"))
    assert [_login("hub"), _login("old")] == [doc.auth(HUB), doc.auth(DOCUMENT_HOST)]
    doc.remove_auth(HUB)
    assert [None, _login("old")] == [doc.auth(HUB), doc.auth(DOCUMENT_HOST)]


def test_other_spellings_are_found_for_all_registries_in_their_order():
    doc = document(
        {
            "auths": {"CORP.example": {}, "other.example": {}, "Other.Example": {}},
            "credHelpers": {"Corp.Example": "x", "corp.example": "x"},
        }
    )
    other = Registry("other.example")

    assert [
        (other, "auths", "Other.Example"),
        (DOCUMENT_HOST, "auths", "CORP.example"),
        (DOCUMENT_HOST, "credHelpers", "Corp.Example"),
    ] == doc.spelled_otherwise([other, DOCUMENT_HOST, Registry("none.example")])


def test_docker_hub_has_one_key_for_logins_and_four_for_helpers():
    doc = Document()

    doc.set_auth(HUB, _login("x"))
    doc.set_helper(HUB, OUR_HELPER)

    after = written(doc)
    assert ["https://index.docker.io/v1/"] == list(after["auths"])
    assert set(HUB.spellings) == set(after["credHelpers"])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "auths"),
        ({"credsStore": ""}, "auths"),
        ({"credsStore": "x"}, "credsStore"),
        ({"credsstore": "x"}, "credsStore"),
        ({"credsStore": "x", "credHelpers": {DOCUMENT_HOST: "y"}}, "credHelpers"),
        ({"credsStore": "x", "credHelpers": {DOCUMENT_HOST: ""}}, "auths"),
        ({"credsStore": "x", "credHelpers": {"https://corp.example": "y"}}, "credsStore"),
    ],
)
def test_docker_asks_one_place_only(config, expected):
    assert expected == document(config).asked_for(DOCUMENT_HOST)


def test_an_empty_helper_is_distinguished_from_none():
    doc = document({"credHelpers": {DOCUMENT_HOST: ""}})

    assert ("", None) == (doc.helper(DOCUMENT_HOST), doc.helper(HUB))


def test_what_says_how_to_log_in_is_replaced_and_the_rest_of_the_entry_stays():
    old = {"registrytoken": "t", "email": "e", "identitytoken": "i", "password": "p", "x": [1]}
    doc = document({"auths": {DOCUMENT_HOST: old}})

    doc.set_auth(DOCUMENT_HOST, _login("new"))

    assert {"auth": b64("jane:new"), "email": "e", "x": [1]} == written(doc)["auths"][DOCUMENT_HOST]


def test_a_login_that_not_every_client_reads_is_spelled_anew():
    doc = document({"auths": {DOCUMENT_HOST: {"username": "jane", "password": "word"}}})

    doc.set_auth(DOCUMENT_HOST, _login("word"))

    assert {DOCUMENT_HOST: {"auth": b64("jane:word")}} == written(doc)["auths"]


def test_an_identity_token_that_docker_wrote_stays_as_it_is():
    entry = {"auth": b64("jane:"), "identitytoken": "abc"}
    doc = document({"auths": {DOCUMENT_HOST: entry}})

    doc.set_auth(DOCUMENT_HOST, Credential.identity_token(Secret("abc")))

    assert {DOCUMENT_HOST: entry} == written(doc)["auths"]


def test_an_identity_token_stands_beside_a_user():
    """
    containers/image skips an entry whose `auth` has no colon; docker refuses one without a user.
    """
    entry = auth_entry(Credential.identity_token(Secret("abc")))

    user, colon, password = base64.b64decode(entry["auth"]).decode().partition(":")
    assert (True, ":", "", "abc") == (bool(user), colon, password, entry["identitytoken"])


def test_octets_that_are_no_utf_8_are_kept():
    """
    So `os.environ` spells a variable in another encoding.
    """
    credential = _login(b"p\xe4ss".decode("utf-8", "surrogateescape"))

    entry = auth_entry(credential)

    assert b"jane:p\xe4ss" == base64.b64decode(entry["auth"])
    assert credential == document({"auths": {DOCUMENT_HOST: entry}}).auth(DOCUMENT_HOST)


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("", "canary"),
        ("a:b", "canary"),
        ("jane", ""),
        ("jane", "canary\0"),
        ("jane", "canary\ud800"),
        ("\ud800", "canary"),
        ("<token>", "canary\udcff"),
    ],
)
def test_what_docker_would_read_back_differently_is_refused_and_not_quoted(user, secret):
    with pytest.raises(ConfigError) as caught:
        auth_entry(Credential(username=user, secret=Secret(secret)))

    error = caught.value
    assert "not-storable" == error.code
    assert "canary" not in f"{error!r} {error.hint} {error.__context__!r}"


@given(user=st.text(), secret=st.text())
def test_what_is_kept_is_read_back(user, secret):
    credential, doc = Credential(username=user, secret=Secret(secret)), Document()

    try:
        doc.set_auth(DOCUMENT_HOST, credential)
    except ConfigError:
        return

    assert credential == Document.parse(doc.dump(), where="x").auth(DOCUMENT_HOST)


def _login(password):
    return Credential(username="jane", secret=Secret(password))


# Rule 6 under load: many processes, one config.json, and somebody who reads all the while.

_PROCESSES = 50

_LOGIN = """
import sys
from doubles.configs import LOGIN
from doubles.configs import Config
from devcontainer_registry.registry import Registry
path, host = sys.argv[1:]
config = Config(path)
print("ready", flush=True)
sys.stdin.readline()
config.store({Registry(host): LOGIN}, timeout=60)
"""


@pytest.mark.parametrize("attempt", range(5 if SOAK else 1))
def test_fifty_logins_at_once_keep_fifty_entries(path, attempt):
    put(path, FOREIGN)
    hosts = [f"r{attempt}-{number}.example" for number in range(_PROCESSES)]
    environ = {**os.environ, "PYTHONPATH": os.path.dirname(os.path.dirname(__file__))}
    logins = [
        subprocess.Popen(
            [sys.executable, "-c", _LOGIN, path, host],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for host in hosts
    ]

    with _Reader(path) as reader:
        for login in logins:
            assert b"ready\n" == login.stdout.readline()
        for login in logins:
            login.stdin.close()
        statuses = [login.wait() for login in logins]
    for login in logins:
        login.stdout.close()

    assert [0] * _PROCESSES == statuses
    assert [] == reader.broken
    assert reader.looks > _PROCESSES
    after = parsed(path)
    kept = [host for host in hosts if after["auths"].pop(host, None)]
    assert hosts == kept
    assert FOREIGN == after
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_threads_of_one_process_do_not_lose_each_others_logins(path):
    hosts = [Registry(f"r{number}.example") for number in range(8)]
    config = config_at(path, sleep=time.sleep)
    threads = [threading.Thread(target=config.store, args=({host: LOGIN},)) for host in hosts]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(hosts) == set(parsed(path)["auths"])


def test_a_login_and_a_program_without_a_lock_lose_nothing_silently(path):
    """
    docker writes without looking: either our login is there, or `store` said that it is not.
    """
    put(path, FOREIGN)
    config = config_at(path)
    before = content(path)

    def observe(_, /, **__):
        put(path, before)

    with pytest.raises(Exception, match="another program"):
        config.store({HOST: LOGIN}, observe=observe)

    assert config.read().auth(HOST) is None


# Rule 6 to the last: what somebody who takes no lock does between our last look and our rename.

HAND = {"auth": base64.b64encode(b"by:hand").decode()}


def renames(path, change):
    """
    As docker writes: a file of its own, put in the place.
    """
    config = parsed(path)
    change(config)
    put(f"{path}.theirs", config)
    os.replace(f"{path}.theirs", path)


def writes(path, change):
    """
    As an editor's script writes: into the file itself.
    """
    config = parsed(path)
    change(config)
    put(path, config)


@pytest.fixture
def in_between(path, monkeypatch):
    """
    Have each of its calls happen right before files of ours change places.
    """
    calls = []
    exchanger = safe_write.exchanger

    def late(folder):
        exchange = exchanger(folder)

        def exchanged(*names):
            if calls:
                calls.pop(0)(path)
            return exchange(*names)

        return exchanged

    monkeypatch.setattr(safe_write, "exchanger", late)
    yield calls
    assert [] == calls


CHANGES = {
    "adds": lambda config: config["auths"].update({"their.example": HAND}),
    "adds a helper": lambda config: config["credHelpers"].update({"their.example": "theirs"}),
    "changes": lambda config: config["auths"].update({"ghcr.io": HAND}),
    "removes": lambda config: config["auths"].pop("ghcr.io"),
    "removes a member": lambda config: config.pop("HttpHeaders"),
    "changes the store": lambda config: config.update({"credsStore": "pass"}),
    "changes deep down": lambda config: config["auths"]["ghcr.io"].update({"email": "x"}),
    "makes an object of a text": lambda config: config.update({"nobody knows": {"a": {}}}),
    "changes nothing": lambda config: config,
}


@pytest.mark.parametrize("how", [renames, writes])
@pytest.mark.parametrize("change", CHANGES)
def test_what_is_written_right_before_our_rename_is_kept(path, in_between, how, change):
    put(path, FOREIGN)
    in_between.append(lambda path: how(path, CHANGES[change]))

    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})

    expected = json.loads(json.dumps(FOREIGN))
    CHANGES[change](expected)
    assert expected == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_login_starts_over_as_often_as_others_are_faster(path, in_between):
    put(path, FOREIGN)
    in_between += [
        lambda path: renames(path, CHANGES["adds"]),
        lambda _: None,  # ours, put back
        lambda path: renames(path, CHANGES["changes"]),
    ]
    config = config_at(path)

    amend(config, lambda it: it.set_auth(HOST, LOGIN), deadline=math.inf, observe=Told())

    after = parsed(path)["auths"]
    assert (HAND, HAND, ENTRY) == (after["their.example"], after["ghcr.io"], after[HOST])


@pytest.mark.parametrize("half", [b"", b" ", b'{"auths": {"gh', b'{"auths": {}} and more'])
def test_half_a_file_is_put_back_for_who_writes_it_to_go_on(path, in_between, half):
    put(path, FOREIGN)
    in_between.append(lambda path: put(path, half))

    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})

    assert half == content(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_link_or_a_folder_in_its_place_is_put_back(path, in_between, tmp_path):
    def link(path):
        os.unlink(path)
        os.symlink(tmp_path / "dotfiles.json", path)

    put(path, FOREIGN)
    put(tmp_path / "dotfiles.json", FOREIGN)
    in_between.append(link)
    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})
    assert os.path.islink(path)
    assert FOREIGN == parsed(path)

    def folder(path):
        os.unlink(path)
        os.mkdir(path)

    os.unlink(path)
    put(path, FOREIGN)
    in_between.append(folder)
    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})
    assert [] == os.listdir(path)


def test_what_comes_while_half_a_file_is_put_back_stays(path, in_between):
    put(path, FOREIGN)
    in_between += [
        lambda path: put(path, b"{"),
        lambda path: renames(path, CHANGES["adds"]),
    ]

    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})

    after = parsed(path)["auths"]  # theirs, which began with ours
    assert (HAND, ENTRY) == (after["their.example"], after[HOST])
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_a_file_that_another_program_creates_first_is_not_replaced(path, monkeypatch):
    link = os.link

    def linked(*args, **kwargs):
        put(path, FOREIGN)
        return link(*args, **kwargs)

    monkeypatch.setattr(os, "link", linked)

    with pytest.raises(ConfigChangedError):
        config_at(path).store({HOST: LOGIN})

    assert FOREIGN == parsed(path)
    assert ["config.json"] == os.listdir(os.path.dirname(path))


@pytest.mark.parametrize("exists", [True, False])
def test_where_files_cannot_change_places_it_is_replaced(path, monkeypatch, exists):
    def refused(*_, **__):
        raise PermissionError

    monkeypatch.setattr(safe_write, "exchanger", lambda _: lambda *_: False)
    monkeypatch.setattr(os, "link", refused)
    if exists:
        put(path, {"auths": {"their.example": HAND}})

    assert config_at(path).store({HOST: LOGIN})

    assert ENTRY == parsed(path)["auths"][HOST]
    assert ["config.json"] == os.listdir(os.path.dirname(path))


def test_files_change_places_on_this_machine(tmp_path):
    """
    Else the tests above would test what never happens.
    """
    put(tmp_path / "one", b"1")
    put(tmp_path / "other", b"2")
    folder = os.open(tmp_path, os.O_RDONLY)

    assert safe_write.exchanger(folder)("one", "other")
    os.close(folder)

    assert (b"2", b"1") == (content(tmp_path / "one"), content(tmp_path / "other"))


@pytest.mark.skipif(os.uname().machine not in safe_write._RENAMEAT2, reason="its number is unknown")
def test_files_change_places_without_a_function_of_the_c_librarys(tmp_path, monkeypatch):
    class Libc:
        def __init__(self, *_, **__):
            self.syscall = real.syscall

    real = ctypes.CDLL(None, use_errno=True)
    monkeypatch.setattr(ctypes, "CDLL", Libc)
    test_files_change_places_on_this_machine(tmp_path)


_PLAIN_WRITER = """
import json, os, random, sys, time
path, rounds = sys.argv[1], int(sys.argv[2])
for number in range(rounds):
    time.sleep(random.random() / 250)
    with open(path) as file:
        config = json.load(file)
    config["auths"][f"theirs{number}.example"] = {}
    with open(path + ".theirs", "w") as file:
        json.dump(config, file)
    os.rename(path + ".theirs", path)
    if number == 0:
        print("first", flush=True)
"""


def test_nothing_of_a_plain_writers_is_lost(path):
    """
    docker, again and again, which takes no lock, beside logins of ours as fast as they can.
    """
    rounds = 20_000 if SOAK else 500
    put(path, {"auths": {}})
    program = [sys.executable, "-c", _PLAIN_WRITER, path, str(rounds)]
    ours = 0
    with subprocess.Popen(program, stdout=subprocess.PIPE) as theirs:
        assert b"first\n" == theirs.stdout.readline()
        while theirs.poll() is None:
            with contextlib.suppress(ConfigChangedError):  # the run starts over
                config_at(path).store({Registry(f"ours{ours}.example"): LOGIN})
                ours += 1

    assert 0 == theirs.returncode
    assert ours
    kept = parsed(path)["auths"]
    assert [] == [n for n in range(rounds) if f"theirs{n}.example" not in kept]


class _Reader:
    """
    Reads the file all the while, as docker would, and keeps what was no JSON.
    """

    def __init__(self, path):
        self.path = path
        self.looks = 0
        self.broken = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()

    def _read(self):
        while not self._done.wait(0.0005):
            raw = content(self.path)
            self.looks += 1
            try:
                json.loads(raw)
            except ValueError:
                self.broken.append(raw)
