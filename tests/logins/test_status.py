# SPDX-License-Identifier: MIT
"""
Status: the login that Docker uses for each registry, its source, its place and its expiry.
"""

from __future__ import annotations

import json
import os
import shlex
import sys

import pytest
from doubles.command_line import run
from doubles.homes import HERE as LOGOUT_HERE
from doubles.homes import Home, Told, a_secret, a_set, encoded
from doubles.servers import Fine

from devcontainer_registry import resolve
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.commands import render
from devcontainer_registry.commands.render import status_lines
from devcontainer_registry.config.delegation import helper_elsewhere
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.logins.logout import logout
from devcontainer_registry.logins.status import status
from devcontainer_registry.naming import EVERYWHERE, HELPER_PROGRAM
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import instant

HERE = "registry.example"
NOW = 1_800_000_000.0
LOGIN = {"auth": "Ym9iOnMzY3JldA=="}


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


@pytest.fixture(autouse=True)
def _helper_is_everywhere(monkeypatch):
    """
    Keep the helper's place on this machine out of the status.
    """
    monkeypatch.setattr("devcontainer_registry.logins.status.helper_elsewhere", lambda _: None)


class Look:
    """
    A home, and what status says of it.
    """

    def __init__(self, home):
        self.home = home
        self.bin = os.path.join(home.path, "bin")
        os.mkdir(self.bin)
        self.environ = {**home.environ, "PATH": self.bin}
        self.cache = Cache.locate(home.environ)

    def program(self, name):
        path = os.path.join(self.bin, f"docker-credential-{name}")
        with open(path, "w", encoding="utf-8") as file:
            # Leaves a trace if it is run.
            file.write(f"#!/bin/sh\ntouch {self.home.path}/asked\n")
        os.chmod(path, 0o755)

    def at(self, registry=HERE):
        report = status(environ=self.environ, now=NOW)
        assert 0 == report.exit_status
        (found,) = (s for s in report.standings if s.registry == registry)
        assert not os.path.exists(os.path.join(self.home.path, "asked"))
        return found


@pytest.fixture(name="look")
def _look(home):
    return Look(home)


@pytest.mark.parametrize(("entry", "rule"), [({"auth": "!"}, "auths"), ("s3cret", "none")])
def test_an_entry_that_makes_docker_ignore_others_is_reported(look, entry, rule):
    look.home.write({"auths": {HERE: entry, "other.example": LOGIN}})

    found = look.at()

    assert (rule, "login-unreadable") == (found.rule, found.error.code)
    assert None is look.at("other.example").error


def code(standing):
    return standing.error and standing.error.code


def test_status_without_any_login_or_set_is_empty(look):
    report = status(environ=look.environ)

    assert ((), None, 0) == (report.standings, report.error, report.exit_status)
    assert ["bin"] == os.listdir(look.home.path)


def test_a_login_written_by_another_program_is_not_ours(look):
    look.home.write({"auths": {HERE: LOGIN}})

    found = look.at()

    assert ("auths", None, (), False, None) == (
        found.rule,
        found.helper,
        found.kept_in,
        found.ours,
        found.error,
    )


@pytest.mark.parametrize(
    ("entry", "rule"),
    [({"registrytoken": "t"}, "auths"), ({"auth": "Ym9iOg=="}, "auths"), ({}, "none")],
)
def test_a_login_that_no_helper_could_store_is_still_a_login(look, entry, rule):
    look.home.write({"auths": {HERE: entry}})

    assert (rule, False, None) == (look.at().rule, look.at().ours, code(look.at()))


def test_a_login_that_we_wrote_is_ours_and_has_its_verification_time(home):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        sets = a_set("MY", registry.registry)
        assert home.login(sets=sets, store="auths").ok
        report = status(environ={**home.environ, **sets})

    (found,) = report.standings
    assert ("auths", True, ("auths",), "MY_CONTAINER_REGISTRY_*", None) == (
        found.rule,
        found.ours,
        found.kept_in,
        found.source,
        found.error,
    )
    assert found.verified_at is not None


def test_a_refused_secret_is_reported_beside_the_login_that_docker_uses(home):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        typo = a_set("MY", registry.registry, password="another")
        assert not home.login(sets=typo, store="auths").ok
        alone = status(environ={**home.environ, **typo})
        assert home.login(sets=a_set("MY", registry.registry), store="auths").ok
        assert not home.login(sets=typo, store="auths").ok
        beside = status(environ={**home.environ, **typo})

    for report, rule, said in (
        (alone, "none", "not logged in"),
        (beside, "auths", "in config.json"),
    ):
        (found,) = report.standings
        assert (rule, None) == (found.rule, found.verified_at)
        assert found.refused_at is not None
        text = " ".join(" ".join(status_lines(report)).split())
        at = instant(found.refused_at)
        assert text.endswith(f"{said}, MY_CONTAINER_REGISTRY_* was refused at {at}")
        (entry,) = report.to_dict()["registries"]
        assert at == entry["refused_at"]


def test_a_login_that_another_program_wrote_later_is_not_verified(home):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        sets = a_set("MY", registry.registry)
        assert home.login(sets=sets, store="auths").ok
        home.write({"auths": {registry.registry: LOGIN}})
        by_hand = status(environ={**home.environ, **sets})
        home.write({})
        gone = status(environ={**home.environ, **sets})

    for report in (by_hand, gone):
        (found,) = report.standings
        assert (False, None) == (found.ours, found.verified_at)


def test_an_answer_of_another_helper_is_not_called_verified(home):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        assert home.login(sets=a_set("MY", registry.registry), store="auths").ok
        home.write({**json.loads(home.text), "credsStore": "other"})
        report = status(environ=home.environ)

    (found,) = report.standings
    assert found.verified_at is not None
    assert "verified" not in " ".join(status_lines(report))


def test_a_credential_in_our_helper_is_ours_until_it_expires(look):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    kept = {"credential": {"Username": "AWS", "Secret": "t"}, "expires_at": NOW + 60}
    look.cache.write(Registry(HERE), {**kept, "state": "verified", "at": NOW - 60})

    found = look.at()

    assert ("credHelpers", "devcontainer-registry", ("cache",), True) == (
        found.rule,
        found.helper,
        found.kept_in,
        found.ours,
    )
    assert (NOW + 60, NOW - 60, None) == (found.expires_at, found.verified_at, found.error)


@pytest.mark.parametrize(("sets", "hint"), [({}, "run "), (a_set("MY", HERE), "renews")])
def test_an_expired_credential_is_reported_with_its_renewal(look, sets, hint):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    kept = {"credential": {"Username": "AWS", "Secret": "t"}, "expires_at": NOW - 1}
    look.cache.write(Registry(HERE), kept)
    look.environ |= sets

    found = look.at()

    assert "expired" == code(found)
    assert hint in found.error.hint


@pytest.mark.parametrize("credential", [None, {}, {"Username": "AWS", "Secret": ""}, "x"])
def test_our_helper_without_a_credential_is_reported(look, credential):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    look.cache.write(Registry(HERE), {"credential": credential})

    assert ("not-found", False, ()) == (code(look.at()), look.at().ours, look.at().kept_in)


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ({"credHelpers": {HERE: "other"}}, "credHelpers"),
        ({"credsStore": "other", "auths": {HERE: {}}}, "credsStore"),
    ],
)
def test_another_helper_is_named_and_reported_if_it_is_missing(look, document, rule):
    look.home.write(document)

    gone = look.at()
    look.program("other")
    there = look.at()

    assert (rule, "other", "helper-missing") == (gone.rule, gone.helper, code(gone))
    assert (rule, "other", None) == (there.rule, there.helper, code(there))


# To clear the screen; to look like another line; half a character; to write backwards.
@pytest.mark.parametrize("name", ["x\x1b[2J", "x\nghcr.io", "x\ud800", "x\u202ey"])
@pytest.mark.parametrize("rule", ["credsStore", "credHelpers"])
def test_the_name_of_a_helper_cannot_control_the_terminal(look, rule, name):
    value = name if rule == "credsStore" else {HERE: name}
    look.home.write({rule: value, "auths": {HERE: LOGIN}})
    sets = a_set("MY", HERE)

    lines = list(status_lines(status(environ=look.environ, now=NOW)))
    report = look.home.login(sets=sets, verify="never", store="auths")
    with pytest.raises(ConfigError) as caught:
        resolve(HERE, environ=look.environ)

    for text in (*lines, *render.lines(report), caught.value.message, caught.value.hint):
        assert text.isprintable()
    assert any("docker-credential-x" in line for line in lines)


def test_a_login_hidden_by_a_credential_store_is_reported(look):
    look.program("other")
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        sets = a_set("MY", registry.registry)
        assert look.home.login(sets=sets, store="auths").ok
        look.home.write({**json.loads(look.home.text), "credsStore": "other"})

        found = look.at(registry.registry)

    assert ("credsStore", "hidden-by-credsstore", False) == (found.rule, code(found), found.ours)


def test_an_empty_helper_entry_means_auths(look):
    look.home.write({"credHelpers": {HERE: ""}, "credsStore": "other", "auths": {HERE: LOGIN}})

    assert ("auths", None, None) == (look.at().rule, look.at().helper, code(look.at()))


def test_a_set_without_a_login_is_listed_without_a_rule(look):
    look.environ |= a_set("MY", HERE)

    found = look.at()

    assert ("none", "MY_CONTAINER_REGISTRY_*", ()) == (found.rule, found.source, found.kept_in)


def test_docker_hub_is_listed_once_under_its_many_names(look):
    hub = "https://index.docker.io/v1/"
    look.program("devcontainer-registry")
    helpers = dict.fromkeys([hub, "docker.io", "index.docker.io"], "devcontainer-registry")
    look.home.write({"auths": {hub: LOGIN}, "credHelpers": helpers})

    assert ["docker.io"] == [s.registry for s in status(environ=look.environ).standings]


def test_logins_that_we_did_not_write_are_not_looked_up_in_the_cache(look, monkeypatch):
    hosts = [f"r{number}.example" for number in range(1000)]
    look.home.write({"auths": dict.fromkeys(hosts, LOGIN)})
    look.home.login([a_secret(registry=HERE)], verify="never")
    looked = []
    read = Cache._read_file
    monkeypatch.setattr(Cache, "_read_file", lambda *args: looked.append(args[2]) or read(*args))

    report = status(environ=look.environ, now=NOW)

    assert 1001 == len(report.standings)
    assert {f"{HERE}.json", "key"} == set(looked)
    assert len(looked) <= 4


def test_an_unsafe_cache_entry_is_an_error_for_its_registry_only(look):
    look.home.write({"auths": {HERE: LOGIN, "fine.example": LOGIN}})
    look.cache.write(Registry("fine.example"), {})
    os.symlink("/etc/passwd", os.path.join(look.cache.path, f"{HERE}.json"))

    assert ["cache-refused", None] == [code(look.at()), code(look.at("fine.example"))]


@pytest.mark.parametrize("life", ["soon", True, [], float("nan"), -5, 1e300])
def test_an_expiry_that_is_not_a_time_does_no_harm(look, life):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    kept = {"credential": {"Username": "AWS", "Secret": "t"}, "expires_at": life, "at": life}
    look.cache.write(Registry(HERE), {**kept, "state": "verified"})

    assert "expired" == code(look.at())
    ran = run(look.home, "status", sets={"PATH": look.bin})
    assert (0, "") == (ran.status, ran.stderr)
    assert 0 == run(look.home, "status", "--json", sets={"PATH": look.bin}).status


def test_a_damaged_config_is_an_error_and_not_quoted(look):
    look.home.write('{"auths": {"s3cret')

    report = status(environ=look.environ)

    assert (6, ()) == (report.exit_status, report.standings)
    assert "s3cret" not in f"{report.error} {report.error.hint}"


@pytest.mark.parametrize(
    ("document", "sets", "exit_status"),
    [
        ({}, {}, 0),
        ({"auths": {HERE: LOGIN}}, {}, 0),
        ({"credHelpers": {HERE: "there"}}, {}, 0),
        ({}, a_set("MY", HERE), 3),
        ({"credHelpers": {HERE: "devcontainer-registry"}}, {}, 3),
        ({"credHelpers": {HERE: "gone"}}, {}, 6),
        ({"credsStore": "gone", "auths": {HERE: LOGIN}}, {}, 6),
        ({"auths": {HERE: {"auth": "a-raw-token"}}}, {}, 6),
        ("{", {}, 6),
    ],
)
def test_the_exit_status_of_check_says_whether_docker_gets_its_logins(
    look, document, sets, exit_status
):
    look.program("there")
    look.program("devcontainer-registry")
    look.home.write(document)

    ran = run(look.home, "status", "--check", sets={**sets, "PATH": look.bin})

    assert exit_status == ran.status, ran.stdout


def test_check_reports_a_login_that_is_hidden(look):
    look.home.login([a_secret()], verify="never")
    look.program("other")
    look.home.write({**json.loads(look.home.text), "credsStore": "other"})

    assert 6 == run(look.home, "status", "--check", sets={"PATH": look.bin}).status
    assert 0 == run(look.home, "status", sets={"PATH": look.bin}).status


def test_the_text_and_the_document_of_status_agree(look):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}, "auths": {"a.example": LOGIN}})
    kept = {"credential": {"Username": "AWS", "Secret": "s3cret"}, "expires_at": NOW}
    look.cache.write(Registry(HERE), kept)

    plain = run(look.home, "status", sets={"PATH": look.bin})
    document = run(look.home, "status", "--json", sets={"PATH": look.bin}).document

    assert (0, "") == (plain.status, plain.stderr)
    assert all(host in plain.stdout for host in (HERE, "a.example"))
    # A path is a word, which stays whole.
    assert max(len(line) for line in plain.stdout.splitlines() if look.bin not in line) <= 80
    assert {HERE, "a.example"} == {one["registry"] for one in document["registries"]}
    assert "s3cret" not in plain.stdout + json.dumps(document)
    (ours,) = (one for one in document["registries"] if one["registry"] == HERE)
    assert "2027-01-15T08:00:00Z" == ours["expires_at"]


@pytest.mark.parametrize(
    ("remembered", "told"),
    [
        (
            {"state": "verified", "at": NOW - 60, "expires_at": NOW + 60},
            ["verified 2027-01-15T07:59:00Z", "until 2027-01-15T08:01:00Z"],
        ),
        ({"state": "verified", "at": NOW - 60}, ["verified 2027-01-15T07:59:00Z"]),
        ({"state": "unverified", "at": NOW - 60}, ["not verified"]),
    ],
)
def test_the_text_shows_source_verification_and_expiry(look, remembered, told):
    look.program("devcontainer-registry")
    look.home.write({"credHelpers": {HERE: "devcontainer-registry"}})
    kept = {"credential": {"Username": "AWS", "Secret": "s3cret"}, **remembered}
    look.cache.write(Registry(HERE), kept)

    lines = list(status_lines(status(environ=look.environ, now=NOW)))

    said = ", ".join(["docker-credential-devcontainer-registry", *told])
    assert f"credHelpers {HERE} {said}" == " ".join(" ".join(lines).split())


# Removing our logins, and nothing else.

OTHER = Registry("other.example")


def out(home, *registries, **options):
    return logout(registries or None, environ=home.environ, **options)


def statuses(report):
    return {outcome.registry: outcome.status for outcome in report.outcomes}


def test_a_login_that_we_wrote_is_removed_and_forgotten(home):
    home.login([a_secret(), a_secret("B", OTHER)], verify="never")

    report = out(home, LOGOUT_HERE)

    assert {LOGOUT_HERE: "ok"} == statuses(report)
    assert [OTHER] == list(home.auths)
    assert report.changed
    assert ["key", f"{OTHER}.json"] == sorted(os.listdir(home.cache))


def test_logout_of_all_removes_only_our_logins(home):
    home.write({"auths": {"theirs.example": {"auth": encoded("a:b")}}, "other": 1})
    home.login([a_secret(), a_secret("B", OTHER)], verify="never")

    report = out(home)

    assert {LOGOUT_HERE: "ok", OTHER: "ok"} == statuses(report)
    assert {"theirs.example": "a:b"} == home.auths
    assert 1 == json.loads(home.text)["other"]


def test_logout_keeps_a_login_of_another_program(home):
    home.write({"auths": {LOGOUT_HERE: {"auth": encoded("a:b")}}})
    before = home.text

    report = out(home, LOGOUT_HERE)

    assert {LOGOUT_HERE: "skipped"} == statuses(report)
    assert "not-ours" == report.outcomes[0].code
    assert (before, False, 0) == (home.text, report.changed, report.exit_status)


def test_a_later_login_by_hand_is_kept_and_is_still_not_ours(home):
    home.login([a_secret()], verify="never")
    home.write({"auths": {LOGOUT_HERE: {"auth": encoded("by:hand")}}})

    report = out(home)

    assert {LOGOUT_HERE: "skipped"} == statuses(report)
    assert {LOGOUT_HERE: "by:hand"} == home.auths
    assert ["skipped"] == [o.status for o in home.login([a_secret()], verify="never").outcomes]


def test_logout_without_a_login_does_nothing(home, tmp_path):
    report = out(home, LOGOUT_HERE)

    assert ({LOGOUT_HERE: "unchanged"}, 0) == (statuses(report), report.exit_status)
    assert [] == os.listdir(tmp_path)


def test_logout_removes_our_helper_and_keeps_another(home):
    home.login([a_secret()], verify="never")
    helpers = {LOGOUT_HERE: "devcontainer-registry", "theirs.example": "ecr-login"}
    home.write({**json.loads(home.text), "credHelpers": helpers})

    out(home, LOGOUT_HERE)

    assert {"theirs.example": "ecr-login"} == json.loads(home.text)["credHelpers"]


def test_a_damaged_file_is_not_changed_and_nothing_is_forgotten(home):
    home.login([a_secret()], verify="never")
    home.write("{")

    report = out(home)

    assert (6, "{") == (report.exit_status, home.text)
    assert f"{LOGOUT_HERE}.json" in os.listdir(home.cache)


def test_a_login_after_a_logout_works_like_the_first(home):
    home.login([a_secret()], verify="never")
    out(home)

    report = home.login([a_secret()], verify="never", observe=Told())

    assert ["ok"] == [outcome.status for outcome in report.outcomes]


def test_a_registry_may_be_spelled_as_docker_prints_it(home):
    home.login([a_secret(registry="docker.io")], verify="never")

    ran = run(home, "logout", "https://index.docker.io/v1/")

    assert (0, "logged out  docker.io  from config.json\n") == (ran.status, ran.stdout)
    assert {} == home.auths


def test_the_command_reports_each_logout(home):
    home.login([a_secret()], verify="never")

    ran = run(home, "logout", LOGOUT_HERE, OTHER)
    again = run(home, "logout", "--all")

    assert ["logged out", "no login"] == [line[:12].strip() for line in ran.stdout.splitlines()]
    assert ["from config.json", "in config.json"] == [
        line[12:].split(maxsplit=1)[1] for line in ran.stdout.splitlines()
    ]
    assert (0, "nothing to log out of\n") == (again.status, again.stdout)


# Where the helper is.


@pytest.fixture(name="install")
def _install(tmp_path):
    """
    A function that puts our helper into a folder of *tmp_path*.
    """

    def install(name):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / HELPER_PROGRAM).write_text("#!/bin/sh\n")
        (folder / HELPER_PROGRAM).chmod(0o755)
        return str(folder)

    return install


def test_a_helper_that_every_process_finds_gets_no_note(install):
    place = install("usr local bin")

    assert None is helper_elsewhere({"PATH": install("other")}, ["/nonexistent", place])


@pytest.mark.parametrize("name", ["venv/bin", "a venv/bin"])
def test_a_helper_in_another_folder_is_named_with_the_command_that_links_it(install, name):
    folder = install(name)

    found = helper_elsewhere({"PATH": folder}, ["/nonexistent"])

    assert "helper-elsewhere" == found.code
    assert folder in found.message
    command, argument = found.hint.split(" ", 1)
    assert "run" == command
    assert ["sudo", "ln", "-sf", f"{folder}/{HELPER_PROGRAM}", "/usr/local/bin/"] == (
        shlex.split(argument)
    )


@pytest.mark.parametrize("by", ["argv", "executable", "user"])
def test_a_helper_that_is_not_on_path_is_found_beside_the_command(
    install, monkeypatch, tmp_path, by
):
    folder = install("base/bin")
    nowhere = str(tmp_path / "nowhere" / "program")
    monkeypatch.setattr(sys, "argv", [f"{folder}/x" if by == "argv" else nowhere])
    monkeypatch.setattr(sys, "executable", f"{folder}/x" if by == "executable" else nowhere)
    user = str(tmp_path / ("base" if by == "user" else "nobody"))
    monkeypatch.setattr("site.USER_BASE", user)

    found = helper_elsewhere({"PATH": "/nonexistent"}, ["/nonexistent"])

    assert f"Docker finds our helper only where {folder} is on PATH" == found.message


def test_a_helper_in_the_uv_cache_is_not_suggested_for_linking(install, tmp_path):
    folder = install("uv/archive-v0/abc/bin")
    (tmp_path / "uv" / "CACHEDIR.TAG").write_text("")
    environ = {"PATH": folder, "UV_CACHE_DIR": str(tmp_path / "uv")}

    found = helper_elsewhere(environ, ["/nonexistent"])

    assert ("helper-temporary", False) == (found.code, "ln" in found.hint.split())


def test_status_says_where_the_helper_is_and_fails_no_check(look):
    look.home.write({"auths": {HERE: LOGIN}})
    everywhere = any(os.path.exists(os.path.join(place, HELPER_PROGRAM)) for place in EVERYWHERE)

    person = run(look.home, "status", "--check")
    program = run(look.home, "status", "--json")

    assert 0 == person.status
    assert ("Docker finds our helper only where" in person.stdout) == (not everywhere)
    codes = [finding["code"] for finding in json.loads(program.stdout)["findings"]]
    assert ([] if everywhere else ["helper-elsewhere"]) == codes


def test_status_without_a_registry_does_not_mention_the_helper(look):
    assert "helper" not in run(look.home, "status").stdout
