# SPDX-License-Identifier: MIT
"""
What is remembered between runs, and what that spares.
"""

from __future__ import annotations

import base64
import json
import os
import time
from dataclasses import replace

import pytest
from doubles.homes import GOOD, HERE, Exchanging, Home, Scripted, a_secret, a_set, encoded, only
from doubles.servers import Answering, Busy, Fine, Refusing

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.cache.memory import REFUSED_FOR, Memory, Recalled
from devcontainer_registry.commands import hook
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import AuthenticationError

BOB = {"bob": "s3cret-s3cret"}
NOW = 1_800_000_000.0


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


@pytest.fixture(name="memory")
def _memory(home):
    return Memory(Cache(home.cache), home.config, now=lambda: NOW)


def aged(home, seconds, registry=HERE):
    """
    Make what is remembered of *registry* older by *seconds*.
    """
    path = os.path.join(home.cache, f"{registry}.json")
    with open(path, encoding="utf-8") as file:
        entry = json.load(file)
    for member in ("at", "issued_at", "expires_at"):
        if entry.get(member) is not None:
            entry[member] -= seconds
    with open(path, "w", encoding="utf-8") as file:
        json.dump(entry, file)


# Unchanged.


def test_the_same_set_is_neither_asked_nor_written_again(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        asked, text = registry.asked, home.text
        report = home.login(sets=sets, verify="changed")

    outcome = only(report)
    assert ("unchanged", True, {"auths"}) == (outcome.status, outcome.verified, outcome.kept_in)
    assert (asked, text, False) == (registry.asked, home.text, report.changed)
    assert 0 == report.exit_status


def test_a_login_by_command_asks_the_same_set_again(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets)
        asked = registry.asked
        report = home.login(sets=sets, verify="always")

    assert "ok" == only(report).status
    assert registry.asked > asked


@pytest.mark.parametrize("member", ["password", "user", "kind", "region", "ca_file", "image"])
def test_a_set_is_another_when_any_member_is(home, member):
    plugins = {"generic": Scripted(GOOD), "other": Scripted(GOOD)}
    changed = {"kind": "other"}.get(member, f"another-{member}")
    options = {"authenticators": plugins, "verify": "changed"}
    with Fine(BOB) as registry:
        home.login([a_secret(registry=registry.registry)], **options)
        secret = a_secret(registry=registry.registry, **{member: changed})
        report = home.login([secret], **options)

    assert "unchanged" != only(report).status


def test_a_set_whose_entry_was_removed_is_written_again(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        home.write({"auths": {}})
        report = home.login(sets=sets, verify="changed")

    assert ("ok", True) == (only(report).status, report.changed)
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths


@pytest.mark.usefixtures("undelegated")
def test_a_set_that_docker_would_no_longer_get_is_not_called_unchanged(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        home.write({**json.loads(home.text), "credsStore": "desktop"})
        report = home.login(sets=sets, verify="changed")

    assert ("ok", "hidden-by-credsstore") == (only(report).status, only(report).code)


def test_what_was_never_verified_is_asked_at_the_next_start(home):
    with Busy(BOB, times=4) as registry:
        sets = a_set("ACR", registry.registry)
        first = home.login(sets=sets, verify="changed")
        second = home.login(sets=sets, verify="changed")

    assert ["unverified", "ok"] == [only(first).status, only(second).status]


@pytest.mark.parametrize("store", ["auths", "auto"])
def test_an_unverified_login_is_checked_at_the_next_start(home, store):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        first = home.login(sets=sets, verify="never", store=store)
        asked = registry.asked
        second = home.login(sets=sets, verify="changed", store=store)

        assert 0 == asked < registry.asked
    assert [("ok", False), ("ok", True)] == [
        (only(report).status, only(report).verified) for report in (first, second)
    ]


def test_an_open_registry_is_asked_at_each_start(home):
    with Answering(200, {}, b"{}") as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        asked = registry.asked
        home.login(sets=sets, verify="changed")

    assert registry.asked > asked


def test_an_image_that_could_not_be_pulled_is_looked_at_again(home):
    with Fine(BOB, images=["team/app:1"]) as registry:
        sets = a_set("ACR", registry.registry, IMAGE=f"{registry.registry}/team/other:1")
        home.login(sets=sets, verify="changed")
        report = home.login(sets=sets, verify="changed")

    assert ("ok", "image-not-found", 4) == (
        only(report).status,
        only(report).code,
        report.exit_status,
    )


def expiring(life):
    now = time.time()
    return Credential(
        username="bob", secret=Secret("s3cret-s3cret"), issued_at=now, expires_at=now + life
    )


@pytest.mark.usefixtures("undelegated")
@pytest.mark.parametrize(("passed", "asked"), [(0.4, 1), (0.6, 2), (1.2, 2)])
def test_a_credential_is_obtained_again_past_half_of_its_life(home, passed, asked):
    life = 43200.0
    plugin = Exchanging(expiring(life))
    with Fine(BOB) as registry:
        options = {"authenticators": {"generic": plugin}, "verify": "changed"}
        secret = a_secret(registry=registry.registry)
        home.login([secret], **options)
        aged(home, passed * life, registry.registry)
        report = home.login([secret], **options)

    assert asked == plugin.asked
    assert ("unchanged" if asked == 1 else "ok") == only(report).status


@pytest.mark.usefixtures("undelegated")
def test_an_unchanged_credential_says_until_when(home):
    with Fine(BOB) as registry:
        secret = a_secret(registry=registry.registry)
        options = {"authenticators": {"generic": Exchanging(expiring(43200))}, "verify": "changed"}
        first = home.login([secret], **options)
        second = home.login([secret], **options)

    assert "unchanged" == only(second).status
    assert only(first).expires_at == only(second).expires_at


# Refused.


def test_three_steps_of_one_start_send_a_refused_secret_once(home):
    with Refusing() as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        reports = [
            hook.run(step, environ=environ) for step in ("onCreate", "postCreate", "postStart")
        ]

    assert ["rejected"] * 3 == [only(report).status for report in reports]
    assert ["rejected", "refused-before", "refused-before"] == [
        only(report).code for report in reports
    ]
    assert 1 == registry.refusals
    assert [4, 4, 4] == [report.exit_status for report in reports]


def test_a_refused_set_is_sent_again_after_a_quarter_of_an_hour(home):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        aged(home, REFUSED_FOR - 5, registry.registry)
        home.login(sets=sets, verify="changed")
        before = registry.refusals
        aged(home, 10, registry.registry)
        home.login(sets=sets, verify="changed")

    assert (1, 2) == (before, registry.refusals)


def test_a_changed_set_is_tried_at_once(home):
    with Fine(BOB) as registry:
        wrong = home.login(sets=a_set("ACR", registry.registry, password="wr0ng"), verify="changed")
        right = home.login(sets=a_set("ACR", registry.registry), verify="changed")

    assert ["rejected", "ok"] == [only(wrong).status, only(right).status]


def test_a_command_by_hand_sends_a_refused_set_again(home):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify="changed")
        home.login(sets=sets, verify="always")

    assert 2 == registry.refusals


def test_a_cloud_that_refused_is_not_asked_again_either(home):
    plugin = Exchanging(AuthenticationError("no"))
    options = {"authenticators": {"generic": plugin}, "verify": "changed"}

    home.login([a_secret()], **options)
    report = home.login([a_secret()], **options)

    assert (1, "refused-before") == (plugin.asked, only(report).code)


@pytest.mark.parametrize(
    "name",
    [
        "AWS_ACCESS_KEY_ID",
        "AZURE_CLIENT_ID",
        "GOOGLE_CLOUD_PROJECT",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ],
)
def test_another_identity_of_the_surroundings_is_tried_at_once(home, monkeypatch, name):
    plugin = Exchanging(AuthenticationError("no"))
    secret = a_secret(user=None, password=None)
    options = {"authenticators": {"generic": plugin}, "verify": "changed"}

    codes = []
    for value in ("first", "first", "second", "second"):
        monkeypatch.setenv(name, value)
        codes.append(only(home.login([secret], **options)).code)

    assert ["rejected", "refused-before", "rejected", "refused-before"] == codes
    assert 2 == plugin.asked


def id_token(*, subject="repo:corp/app:ref:refs/heads/main", nonce=""):
    claims = {"iss": "https://issuer.example", "sub": subject, "jti": nonce}
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"e30.{body}.c2ln")


@pytest.mark.usefixtures("undelegated")
def test_a_new_id_token_of_the_same_subject_is_the_same_set(home):
    plugin = Exchanging(expiring(43200))
    options = {"authenticators": {"mine": plugin}, "verify": "changed"}
    with Fine(BOB) as registry:
        secret = a_secret(registry=registry.registry, user=None, password=None, kind="mine")
        tokens = [
            id_token(nonce="1"),
            id_token(nonce="2"),
            id_token(subject="repo:corp/app:environment:production"),
        ]
        asked = []
        for token in tokens:
            home.login([replace(secret, id_token=token)], **options)
            asked.append(plugin.asked)

    assert [1, 1, 2] == asked


def test_a_new_id_token_is_tried_at_once_after_a_refusal(home):
    plugin = Exchanging(AuthenticationError("no"))
    options = {"authenticators": {"mine": plugin}, "verify": "changed"}

    codes = []
    for nonce in ("1", "1", "2"):
        token = id_token(nonce=nonce)
        secret = a_secret(user=None, password=None, kind="mine", id_token=token)
        codes.append(only(home.login([secret], **options)).code)

    assert ["rejected", "refused-before", "rejected"] == codes


@pytest.mark.parametrize("member", ["client_id", "audience"])
def test_a_set_is_another_when_it_names_another_identity(home, member):
    plugin = Exchanging(AuthenticationError("no"))
    options = {"authenticators": {"mine": plugin}, "verify": "changed"}

    for value in ("one", "one", "another"):
        secret = a_secret(user=None, password=None, kind="mine", **{member: value})
        home.login([secret], **options)

    assert 2 == plugin.asked


def test_a_set_with_a_secret_is_refused_whatever_the_surroundings_say(home, monkeypatch):
    plugin = Exchanging(AuthenticationError("no"))
    options = {"authenticators": {"generic": plugin}, "verify": "changed"}

    home.login([a_secret()], **options)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "another")
    report = home.login([a_secret()], **options)

    assert (1, "refused-before") == (plugin.asked, only(report).code)


@pytest.mark.usefixtures("undelegated")
def test_a_login_stays_fresh_for_a_process_that_sees_fewer_variables(home, monkeypatch):
    plugin = Exchanging(expiring(43200))
    options = {"authenticators": {"generic": plugin}, "verify": "changed"}
    with Fine(BOB) as registry:
        secret = a_secret(registry=registry.registry, user=None, password=None)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "first")
        home.login([secret], **options)
        monkeypatch.delenv("AWS_ACCESS_KEY_ID")
        report = home.login([secret], **options)

    assert (1, "unchanged") == (plugin.asked, only(report).status)


def test_a_refused_set_is_remembered_while_config_json_is_damaged(home):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        home.write("{")
        home.login(sets=sets, verify="changed")
        home.login(sets=sets, verify="changed")

    assert 1 == registry.refusals


# By hand.


@pytest.mark.parametrize("verify", ["changed", "always", "never"])
@pytest.mark.parametrize("first", ["always", "never"])
def test_a_login_by_hand_wins_until_its_set_changes(home, verify, first):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets, verify=first)
        home.write({"auths": {registry.registry: {"auth": encoded("by:hand")}}})
        asked, before = registry.asked, home.text
        report = home.login(sets=sets, verify=verify)

        assert ("skipped", "login-by-hand", 0) == (
            only(report).status,
            only(report).code,
            report.exit_status,
        )
        assert (asked, before) == (registry.asked, home.text)

        changed = home.login(sets=a_set("ACR", registry.registry, CA_FILE=""), verify=verify)
        assert "skipped" == only(changed).status
        image = f"{registry.registry}/demo/hello:latest"
        changed = home.login(sets=a_set("ACR", registry.registry, IMAGE=image), verify=verify)

    assert "ok" == only(changed).status
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths


def test_a_login_by_hand_after_a_refusal_is_left_alone(home):
    with Fine(BOB) as registry:
        home.login(sets=a_set("ACR", registry.registry))
        wrong = a_set("ACR", registry.registry, password="revoked")
        home.login(sets=wrong)
        home.write({"auths": {registry.registry: {"auth": encoded("by:hand")}}})
        report = home.login(sets=wrong)

    assert ("skipped", "login-by-hand") == (only(report).status, only(report).code)
    assert 1 == registry.refusals


def test_an_older_entry_of_ours_that_an_editor_wrote_back_is_no_login_by_hand(home):
    with Fine({"bob": "second-second"}) as registry:
        home.login(sets=a_set("ACR", registry.registry, password="first-first"), verify="never")
        old = home.text
        sets = a_set("ACR", registry.registry, password="second-second")
        home.login(sets=sets)
        home.write(old)
        report = home.login(sets=sets, verify="changed")

    assert ("ok", True) == (only(report).status, report.changed)
    assert {registry.registry: "bob:second-second"} == home.auths


# The memory itself.


def test_nothing_of_a_secret_is_in_the_cache(home):
    canary = "C4nary-n0body-may-see"
    with Fine({"bob": canary}) as registry:
        home.login(sets=a_set("ACR", registry.registry, password=canary))

    for name in os.listdir(home.cache):
        with open(os.path.join(home.cache, name), "rb") as file:
            content = file.read()
        assert canary.encode() not in content
        assert base64.b64encode(canary.encode()) not in content
        assert b"bob" not in content


def test_what_is_remembered_is_of_one_config_json_only(home, memory):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)

    elsewhere = Memory(Cache(home.cache), "/elsewhere/config.json")

    assert memory.wrote(HERE, GOOD)
    assert not elsewhere.wrote(HERE, GOOD)


def test_another_set_is_not_known_but_what_we_wrote_is(memory):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)

    recalled = memory.recall(a_secret(password="another"))

    assert (None, (memory.entry(GOOD),)) == (recalled.state, recalled.entries)


def test_the_last_eight_entries_are_remembered(memory):
    credentials = [Credential(username="bob", secret=Secret(f"number-{n}")) for n in range(10)]
    for credential in credentials:
        memory.note(a_secret(), "verified", credential=credential, written=True)

    known = [memory.wrote(HERE, credential) for credential in credentials]

    assert [False] * 2 + [True] * 8 == known


def test_noting_a_refusal_keeps_what_we_wrote(memory):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)
    memory.note(a_secret(password="wrong"), "refused")

    assert memory.wrote(HERE, GOOD)
    assert "refused" == memory.recall(a_secret(password="wrong")).state


def test_forgetting_leaves_nothing(memory):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)
    memory.forget(HERE)

    assert Recalled() == memory.recall(a_secret())
    assert not memory.wrote(HERE, GOOD)


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version": 1}', b"[" * 100_000],
    ids=["empty", "half", "list", "null", "binary", "another", "deep"],
)
def test_a_damaged_memory_is_a_miss(home, memory, damage):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)
    with open(os.path.join(home.cache, f"{HERE}.json"), "wb") as file:
        file.write(damage)

    assert Recalled() == memory.recall(a_secret())
    assert memory.trouble is None


# More than a float can hold, and JSON can.
HUGE = pytest.param(10**400, id="huge")


@pytest.mark.parametrize("member", ["set", "state", "at", "issued_at", "expires_at", "wrote"])
@pytest.mark.parametrize("value", [None, 7, "text", [], {}, [1], {"a": 1}, True, 1e400, HUGE])
def test_members_of_the_wrong_type_are_ignored(home, memory, member, value):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)
    path = os.path.join(home.cache, f"{HERE}.json")
    with open(path, encoding="utf-8") as file:
        entry = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**entry, member: value}, file)

    recalled = memory.recall(a_secret())

    recalled.is_fresh(now=NOW)
    recalled.was_refused(now=NOW)
    memory.note(a_secret(), "refused")


@pytest.mark.parametrize("expires_at", ["text", [], 1e400, HUGE, -1])
def test_a_life_that_is_damaged_has_ended(home, memory, expires_at):
    memory.note(a_secret(), "verified", credential=GOOD, written=True)
    path = os.path.join(home.cache, f"{HERE}.json")
    with open(path, encoding="utf-8") as file:
        entry = json.load(file)
    with open(path, "w", encoding="utf-8") as file:
        json.dump({**entry, "expires_at": expires_at}, file)

    assert not memory.recall(a_secret()).is_fresh(now=NOW)


@pytest.mark.parametrize(
    ("ago", "refused"), [(0, True), (REFUSED_FOR - 1, True), (REFUSED_FOR, False), (-60, False)]
)
def test_a_refusal_counts_for_a_quarter_of_an_hour(ago, refused):
    assert 900 == REFUSED_FOR
    assert refused == Recalled(state="refused", at=NOW - ago).was_refused(now=NOW)


@pytest.mark.parametrize(
    ("issued", "expires", "fresh"),
    [
        (None, None, True),
        (-10, 100, True),
        (-100, 99, False),
        (-100, 101, True),
        (-100, -1, False),
        (None, 100, True),
    ],
)
def test_fresh_is_what_has_over_half_of_its_life_left(issued, expires, fresh):
    recalled = Recalled(
        state="verified",
        at=NOW,
        issued_at=None if issued is None else NOW + issued,
        expires_at=None if expires is None else NOW + expires,
    )

    assert fresh == recalled.is_fresh(now=NOW)


@pytest.mark.parametrize("state", [None, "refused", "unverified"])
def test_only_what_was_verified_is_fresh(state):
    assert not Recalled(state=state, at=NOW).is_fresh(now=NOW)


def test_a_login_goes_on_without_a_memory_and_says_so(home, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    os.makedirs(os.path.dirname(home.cache))
    os.symlink(tmp_path / "elsewhere", home.cache)

    with Fine(BOB) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    assert "ok" == only(report).status
    assert ["cache-refused"] == [finding.code for finding in report.findings]
    assert [] == os.listdir(tmp_path / "elsewhere")
    assert 0 == report.exit_status
