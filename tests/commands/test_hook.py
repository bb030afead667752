# SPDX-License-Identifier: MIT
"""
A lifecycle step: quiet, brief, and never a reason for a container not to start.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import time

import pytest
from doubles.command_line import run
from doubles.homes import GOOD, Exchanging, Home, Scripted, a_secret, a_set, encoded, only
from doubles.private_user import NOBODY, as_nobody, mounting, need_public_python, public_folder
from doubles.servers import Answering, BadCertificate, Busy, Fine, Hanging, Recovering, Refusing

from devcontainer_registry import RetryPolicy
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.cache.memory import Memory
from devcontainer_registry.commands import cli, hook
from devcontainer_registry.commands.become import BecomingError, become
from devcontainer_registry.commands.parsing.settings import STEPS
from devcontainer_registry.credentials import Credential, Finding, Secret
from devcontainer_registry.errors import AuthenticationError, ConfigError, TransientError
from devcontainer_registry.logins import login as login_module
from devcontainer_registry.report import LoginReport, Outcome

BOB = {"bob": "s3cret-s3cret"}


def outcome(status, **members):
    return Outcome(id="A", registry=None, source="A_*", kind=None, status=status, **members)


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_without_secrets_is_silent(home, tmp_path, step):
    ran = run(home, "hook", step)

    assert (0, "", "") == (ran.status, ran.stdout, ran.stderr)
    assert [] == os.listdir(tmp_path)


@pytest.mark.parametrize("options", [[], ["--strict"]])
def test_secrets_that_were_not_granted_need_no_login(home, options):
    sets = a_set("ACR", "", user="", password="")

    ran = run(home, "hook", "onCreate", *options, sets=sets)

    assert (0, "", "") == (ran.status, ran.stdout, ran.stderr)


@pytest.mark.parametrize("step", STEPS)
def test_a_typo_alone_is_not_silent(home, step):
    ran = run(home, "hook", step, sets={"CORP_CONTAINER_REGISTY_SERVER": "registry.example"})

    assert 0 == ran.status
    assert "CORP_CONTAINER_REGISTY_SERVER looks like a typo for" in ran.stderr + ran.stdout
    assert "registry.example" not in ran.stderr + ran.stdout


def test_each_of_two_typos_has_its_fix(home):
    sets = {
        "ONE_CONTAINER_REGISTY_SERVER": "one.example",
        "TWO_CONTAINER_REGISTRY_SERVR": "two.example",
        "TWO_CONTAINER_REGISTRY_USER": "bob",
        "TWO_CONTAINER_REGISTRY_PASSWORD": "s3cret-s3cret",
    }

    ran = run(home, "hook", "postStart", sets=sets)

    assert 2 == (ran.stdout + ran.stderr).count("fix: rename it\n")


def test_a_set_that_a_prebuild_lacks_is_no_failure(home):
    options = ["--only", "ACR", "--strict"]

    ran = run(home, "hook", "onCreate", *options)
    other = run(home, "hook", "onCreate", *options, sets=a_set("HUB", "hub.example"))

    assert [(0, "", "")] * 2 == [(r.status, r.stdout, r.stderr) for r in (ran, other)]
    assert {} == home.auths


def test_of_the_named_sets_the_available_ones_are_used(home):
    options = ["--only", "ACR", "--only", "HUB", "--verify", "never"]
    sets = {**a_set("HUB", "hub.example"), **a_set("THIRD", "third.example")}

    run(home, "hook", "postStart", *options, sets=sets)

    assert ["hub.example"] == list(home.auths)


def test_the_first_start_prints_a_line_and_the_next_is_silent(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        first = run(home, "hook", "postCreate", sets=sets)
        asked = registry.asked
        second = run(home, "hook", "postStart", sets=sets)

    assert 1 == len(first.stdout.splitlines())
    assert (0, "", "") == (second.status, second.stdout, second.stderr)
    assert asked == registry.asked


def test_a_finding_without_a_fix_is_printed_once(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", f"http://{registry.registry}/")
        first = run(home, "hook", "postCreate", sets=sets)
        second = run(home, "hook", "postStart", sets=sets)

    assert "ACR_CONTAINER_REGISTRY_SERVER has a" in first.stdout
    assert (0, "", "") == (second.status, second.stdout, second.stderr)


def test_an_implicit_login_blocked_by_another_login_is_silent(home):
    home.write({"auths": {"ghcr.io": {"auth": "b2xkOnBhc3N3b3Jk"}}})
    sets = {"CODESPACES": "true", "GITHUB_TOKEN": "ghs_token", "GITHUB_USER": "octocat"}

    ran = run(home, "hook", "postStart", sets=sets)

    assert (0, "", "") == (ran.status, ran.stdout, ran.stderr)


@pytest.mark.parametrize("step", STEPS)
def test_the_container_starts_after_any_failure(home, step):
    home.write("{")
    with Refusing() as bad, BadCertificate(BOB) as worse:
        sets = {
            **a_set("A", bad.registry),
            **a_set("B", worse.registry),
            **a_set("C", "c.example", password=""),
        }
        ran = run(home, "hook", step, sets=sets)
        strict = run(home, "hook", step, "--strict", sets=sets)

    assert (0, 6) == (ran.status, strict.status)
    assert "fix:" in ran.stdout


@pytest.mark.parametrize(
    ("status", "registry"), [(4, Refusing), (5, lambda: BadCertificate(BOB))], ids=["4", "5"]
)
def test_a_strict_step_has_the_exit_status_of_a_login(home, status, registry):
    with registry() as there:
        assert (
            status
            == run(home, "hook", "postStart", "--strict", sets=a_set("A", there.registry)).status
        )


def test_a_step_with_an_unreadable_file_does_not_stop_the_container(home, tmp_path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text("no JSON")
    ran = run(home, "hook", "postStart", "--secrets-file", str(secrets))

    assert 0 == ran.status
    assert "fix:" in ran.stdout


def test_an_internal_error_does_not_stop_a_container(home):
    # A login that fails with an unexpected error.
    code = (
        "import sys, devcontainer_registry.commands.hook as h;"
        "from devcontainer_registry.commands.cli import main;"
        "h.login = lambda **_: 1 / 0;"
        "sys.exit(main(sys.argv[1:]))"
    )

    ran = run(home, "hook", "postStart", program=("-c", code))
    strict = run(home, "hook", "postStart", "--strict", program=("-c", code))

    assert (0, 1) == (ran.status, strict.status)
    assert "this is a bug" in ran.stderr


def test_the_document_of_a_step_includes_unchanged_logins(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        run(home, "hook", "postCreate", sets=sets)
        ran = run(home, "hook", "postStart", "--json", sets=sets)

    assert [("unchanged", True)] == [
        (entry["status"], entry["verified"]) for entry in json.loads(ran.stdout)["registries"]
    ]


@pytest.mark.parametrize(
    ("step", "code"),
    [
        ("onCreate", "written-in-snapshot"),
        ("updateContent", "written-in-snapshot"),
        ("postCreate", None),
        ("postStart", None),
        ("postAttach", None),
    ],
)
def test_a_login_in_a_snapshot_is_reported_with_a_warning(home, step, code):
    with Fine(BOB) as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        report = hook.run(step, environ=environ)

    assert ("ok", code, 0) == (only(report).status, only(report).code, report.exit_status)


@pytest.mark.usefixtures("undelegated")
def test_a_snapshot_warning_is_printed_beside_another_message(home):
    expiring = Credential(username="AWS", secret=Secret("token"), expires_at=4_000_000_000.0)
    plugins = {"generic": Scripted(GOOD), "cloud": Exchanging(expiring)}
    with Answering(200, {}, b"{}") as unlocked, Busy(BOB, times=99) as busy:
        secrets = [
            a_secret("A", unlocked.registry),
            a_secret("B", busy.registry),
            a_secret("C", "c.example", kind="cloud"),
        ]
        options = {"environ": home.environ, "authenticators": plugins}
        report = hook.run("onCreate", secrets=secrets[:2], timeout=3.0, **options)
        cloud = hook.run("onCreate", secrets=secrets[2:], verify="never", **options)

    assert ["ok", "unverified"] == [outcome.status for outcome in report.outcomes]
    assert "not-checked" == report.outcomes[0].code
    assert ["written-in-snapshot"] * 2 == [finding.code for finding in report.findings]
    assert "not-delegated" == only(cloud).code
    assert ["written-in-snapshot"] == [finding.code for finding in cloud.findings]


def test_a_refused_login_causes_no_snapshot_warning(home):
    with Refusing() as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        report = hook.run("onCreate", environ=environ)

    assert ("rejected", ()) == (only(report).code, report.findings)


@pytest.mark.parametrize("step", ["onCreate", "updateContent"])
def test_a_login_that_was_not_written_causes_no_snapshot_warning(home, step):
    home.write("{")
    with Fine(BOB) as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        report = hook.run(step, environ=environ)

    assert "config-damaged" == report.error.code
    assert ("not-kept", ()) == (only(report).code, report.findings)


def test_an_unsaved_login_beside_an_earlier_one_causes_no_snapshot_warning(home):
    with Busy(BOB, times=99) as registry:
        home.write({"auths": {registry.registry: {"auth": encoded("bob:an older one")}}})
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        report = hook.run("onCreate", environ=environ, retry=RetryPolicy(attempts=1))

    assert ("unverified", frozenset()) == (only(report).status, only(report).kept_in)
    assert ("busy", ()) == (only(report).code, report.findings)


def test_a_snapshot_warning_is_not_repeated_in_the_next_step(home):
    with Fine(BOB) as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        hook.run("onCreate", environ=environ)
        report = hook.run("updateContent", environ=environ)

    assert ("unchanged", None, ()) == (only(report).status, only(report).code, report.findings)


def test_a_hanging_registry_is_retried_briefly_and_quietly(home, monkeypatch):
    monkeypatch.setattr(login_module, "_SECOND_TRY_MAX", 0.2)
    with Hanging() as hanging:
        environ = {**home.environ, **a_set("SLOW", hanging.registry)}
        first = hook.run("postCreate", environ=environ, timeout=0.5)
        # Without its own limit this step would outlast the test.
        second = hook.run("postStart", environ=environ, timeout=600)
        third = hook.run("postAttach", environ=environ, timeout=600)

    assert [False, True, True] == [only(each).is_known for each in (first, second, third)]
    assert [True, False, False] == [hook.has_news(each) for each in (first, second, third)]
    assert [5, 5, 5] == [each.exit_status for each in (first, second, third)]
    assert not hook.found_all_as_it_was(second)


def test_a_recovered_registry_is_logged_in_and_its_failure_forgotten(home):
    with Recovering() as recovering, Fine(BOB, auth="basic") as fine:
        environ = {**home.environ, **a_set("SLOW", recovering.registry)}
        hook.run("postCreate", environ=environ, timeout=0.3)
        memory = Memory(Cache.locate(environ), home.config)
        secret = a_secret("SLOW", recovering.registry)
        before = memory.recall(secret).unreached
        recovering.target = fine.registry
        again = hook.run("postStart", environ=environ)

    assert before is not None
    assert "ok" == only(again).status
    assert memory.recall(secret).unreached is None


@pytest.mark.parametrize(
    ("start", "password"),
    [("another start", "s3cret-s3cret"), (None, "s3cret-s3cret"), ("this start", "changed-1234")],
    ids=["new start", "cannot be told", "changed set"],
)
def test_a_registry_gets_the_full_timeout_in_a_new_start_or_with_a_new_set(
    home, monkeypatch, start, password
):
    # A limit of no time at all: a registry under it fails without an answer.
    monkeypatch.setattr(login_module, "_SECOND_TRY_MAX", -1.0)
    with Recovering() as recovering, Fine({"bob": password}, auth="basic") as fine:
        sets = a_set("SLOW", recovering.registry)
        home.login(sets=sets, container_start="this start", timeout=0.3)
        recovering.target = fine.registry
        sets = a_set("SLOW", recovering.registry, password=password)
        again = only(home.login(sets=sets, container_start=start, verify="changed"))

    assert ("ok", False) == (again.status, again.is_known)


def test_a_different_failure_in_the_same_start_is_printed(home):
    with Hanging() as hanging:
        where = hanging.registry
        environ = {**home.environ, **a_set("SLOW", where)}
        hook.run("postCreate", environ=environ, timeout=0.3)
    # Nothing listens on that port any more.
    retry = RetryPolicy(attempts=1)
    report = hook.run("postStart", environ=environ, retry=retry)

    assert hook.has_news(report)
    assert "timeout" != only(report).code


def test_the_quick_check_does_not_skip_a_registry_that_could_not_be_reached(home):
    with Hanging() as hanging:
        sets = a_set("SLOW", hanging.registry)
        options = ["--timeout", "1"]
        first = run(home, "hook", "postCreate", *options, sets=sets)
        before = hanging.asked
        second = run(home, "hook", "postStart", *options, sets=sets)
        between = hanging.asked
        third = run(home, "hook", "postStart", *options, sets=sets)
        asked = hanging.asked

    assert "SLOW" in first.stdout
    assert ["", ""] == [second.stdout, third.stdout]
    assert 0 < before < between < asked


def test_a_container_start_is_identified_by_boot_and_process_1():
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        boot = file.read().strip()

    assert hook.container_start().startswith(f"{boot} ")
    assert hook.container_start() == hook.container_start()


def test_a_step_has_fifteen_seconds_and_verifies_changed_logins(home):
    assert [15.0, 15.0, 5.0] == [
        hook.timeout_of(step) for step in ("postCreate", "postStart", "postAttach")
    ]
    assert "(default: 15, for postAttach 5)" in run(home, "hook", "--help").stdout
    assert "(default: changed)" in run(home, "hook", "--help").stdout
    assert "(default: 30)" in run(home, "login", "--help").stdout
    assert "(default: always)" in run(home, "login", "--help").stdout


@pytest.mark.parametrize("strict", [[], ["--strict"]])
@pytest.mark.parametrize(
    ("words", "setting", "seconds"),
    [
        (["postStart"], "", 15.0),
        (["postAttach"], "", 5.0),
        (["postAttach", "--timeout", "9"], "", 9.0),
        (["postAttach"], "8", 8.0),
        (["postStart"], "7", 7.0),
    ],
)
def test_a_step_has_its_own_deadline_unless_the_user_sets_one(
    monkeypatch, words, setting, seconds, strict
):
    given = []

    def noting(**settings):
        given.append(settings["timeout"])
        return LoginReport(config="", changed=False, outcomes=())

    monkeypatch.setattr(hook, "login", noting)
    monkeypatch.setattr(os, "environ", {"HOME": "/", "DEVCONTAINER_REGISTRY_TIMEOUT": setting})

    cli.main(["hook", *words, *strict])

    assert [seconds] == given


def test_a_step_verifies_changed_logins_only(home):
    with Fine(BOB) as registry:
        environ = {**home.environ, **a_set("ACR", registry.registry)}
        first, second = (only(hook.run("postStart", environ=environ)) for _ in range(2))
        asked = registry.asked
        hook.run("postStart", environ=environ, verify="always")

    assert ("ok", "unchanged") == (first.status, second.status)
    assert asked < registry.asked


@pytest.mark.parametrize(
    ("members", "news", "settled"),
    [
        ({}, False, True),
        ({"changed": True}, False, False),
        ({"error": ConfigError("full", hint="make room")}, True, False),
        (
            {"findings": (Finding(code="near-miss", message="not read", hint="rename it"),)},
            True,
            False,
        ),
        ({"outcomes": (outcome("unchanged"),)}, False, True),
        ({"outcomes": (outcome("skipped", code="not-configured"),)}, False, True),
        ({"outcomes": (outcome("skipped"),)}, True, False),
        ({"outcomes": (outcome("unchanged"), outcome("ok"))}, True, False),
    ],
)
def test_news_is_any_outcome_that_needs_attention(members, news, settled):
    report = LoginReport(**{"config": "", "changed": False, "outcomes": (), **members})

    assert (news, settled) == (hook.has_news(report), hook.found_all_as_it_was(report))


# A start with nothing to do.


def starts(home, *options, sets=None):
    """
    Return the output of a step at three starts.
    """
    return [run(home, "hook", "postStart", *options, sets=sets).stdout for _ in range(3)]


def files_of(tmp_path, registry):
    """
    A password in a file, which a secrets file names; each with the text that it holds.
    """
    password, secrets = tmp_path / "password", tmp_path / "secrets.json"
    sets = a_set("ACR", registry, PASSWORD_FILE=password)
    del sets["ACR_CONTAINER_REGISTRY_PASSWORD"]
    password.write_text("s3cret-s3cret")
    secrets.write_text(json.dumps(sets))
    return password, secrets, sets


@pytest.mark.parametrize("source", ["environment", "secrets file", "secrets file variable"])
def test_a_password_that_changed_in_its_file_is_tried_at_once(home, tmp_path, source):
    with Fine(BOB) as registry:
        password, secrets, sets = files_of(tmp_path, registry.registry)
        options = ["--secrets-file", str(secrets)] if source == "secrets file" else []
        if source == "secrets file variable":
            sets = {"DEVCONTAINER_REGISTRY_SECRETS_FILE": str(secrets)}
        sets = {} if options else sets
        first, *rest = starts(home, *options, sets=sets)
        password.write_text("wr0ng")
        changed = run(home, "hook", "postStart", *options, sets=sets)

    assert first.startswith("logged in")
    assert ["", ""] == rest
    assert changed.stdout.startswith("refused")


def test_a_changed_variable_is_tried_at_once(home):
    with Fine(BOB) as registry:
        starts(home, sets=a_set("ACR", registry.registry))
        sets = a_set("ACR", registry.registry, password="wr0ng")
        changed = run(home, "hook", "postStart", sets=sets)

    assert changed.stdout.startswith("refused")


def test_a_removed_login_is_written_again(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        starts(home, sets=sets)
        home.write({"auths": {}})
        run(home, "hook", "postStart", sets=sets)

    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths


def test_a_refused_login_is_reported_at_each_start(home):
    with Refusing() as registry:
        said = starts(home, sets=a_set("ACR", registry.registry))

    assert ["refused"] * 3 == [text[:7] for text in said]
    assert 1 == registry.refusals


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--strict", "--nonsense"], 2),
        (["--timeout", "soon"], 0),
        (["--verify", "sometimes"], 0),
        (["--nonsense"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_wrong_usage_is_reported_at_a_quiet_start_too(home, options, status):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        starts(home, sets=sets)
        ran = run(home, "hook", "postStart", *options, sets=sets)

    assert (status, "") == (ran.status, ran.stdout)
    assert ran.stderr.startswith("devcontainer-registry: ")


# In a codespace, which writes config.json itself between onCreate and postCreate.


KEY = {"user": "AKIAIOSFODNN7EXAMPLE", "password": "wJalrXUtnFEMI"}
IN_A_CODESPACE = {"CODESPACES": "true"}


def token(text):
    return Credential(
        username="AWS", secret=Secret(text), issued_at=time.time(), expires_at=4_000_000_000.0
    )


def a_step(home, step, word, *, environ=None, **members):
    """
    The outcome of *step* with an access key for which AWS gives *word*.
    """
    secrets = [a_secret("ECR", "corp.example", kind="ecr", **{**KEY, **members})]
    report = hook.run(
        step,
        secrets=secrets,
        environ={**home.environ, **(IN_A_CODESPACE if environ is None else environ)},
        authenticators={"ecr": Exchanging(word)},
        verify="never",
        store="auths",
        retry=RetryPolicy(attempts=1),
    )
    return only(report)


def codespaces_writes(home, login):
    home.write({"auths": {"corp.example": {"auth": encoded(login)}}})


AS_IT_IS = f"{KEY['user']}:{KEY['password']}"


@pytest.mark.parametrize("theirs", ["AWS:token-of-codespaces", AS_IT_IS])
@pytest.mark.parametrize("step", ["postCreate", "postStart"])
def test_a_codespaces_login_after_on_create_is_not_a_login_by_hand(home, step, theirs):
    a_step(home, "onCreate", token("a"))
    codespaces_writes(home, theirs)

    outcome = a_step(home, step, token("b"))

    assert "ok" == outcome.status
    assert {"corp.example": "AWS:b"} == home.auths


@pytest.mark.parametrize("trouble", [AuthenticationError("no"), TransientError("busy")])
@pytest.mark.parametrize("first", ["onCreate", None])
def test_a_codespaces_login_is_kept_if_ours_fails(home, first, trouble):
    if first:
        a_step(home, first, token("a"))
    codespaces_writes(home, "AWS:token-of-codespaces")

    outcome = a_step(home, "postCreate", trouble)

    assert outcome.status in ("rejected", "failed")
    assert {"corp.example": "AWS:token-of-codespaces"} == home.auths


@pytest.mark.parametrize(
    ("step", "environ", "by_hand"),
    [
        ("postAttach", IN_A_CODESPACE, "AWS:mine"),
        ("postCreate", {}, "AWS:mine"),
        ("postCreate", {"CODESPACES": "false"}, "AWS:mine"),
        ("postCreate", IN_A_CODESPACE, "joe:mine"),
        ("postCreate", IN_A_CODESPACE, f"{KEY['user']}:other"),
    ],
)
def test_a_login_that_codespaces_would_not_write_is_a_login_by_hand(home, step, environ, by_hand):
    a_step(home, "onCreate", token("a"), environ=environ)
    codespaces_writes(home, by_hand)

    outcome = a_step(home, step, token("b"), environ=environ)

    assert ("skipped", "login-by-hand") == (outcome.status, outcome.code)
    assert {"corp.example": by_hand} == home.auths


def test_a_token_is_a_login_by_hand_if_the_set_has_a_token_too(home):
    member = {"user": "AWS", "password": "a"}
    a_step(home, "onCreate", token("a"), **member)
    codespaces_writes(home, "AWS:mine")

    outcome = a_step(home, "postCreate", token("a"), **member)

    assert "login-by-hand" == outcome.code


def test_in_a_codespace_an_unchanged_password_is_not_verified_again(home):
    with Fine(BOB) as registry:
        sets = {**a_set("ACR", registry.registry), **IN_A_CODESPACE}
        run(home, "hook", "onCreate", sets=sets)
        home.write({"auths": {registry.registry: {"auth": encoded("bob:s3cret-s3cret")}}})
        asked = registry.asked
        ran = run(home, "hook", "postCreate", sets=sets)

    assert ("", asked) == (ran.stdout, registry.asked)


def test_a_codespaces_login_is_kept_until_the_registry_accepts_ours(home):
    with BadCertificate(BOB) as registry:
        sets = {**a_set("ACR", registry.registry, password="new"), **IN_A_CODESPACE}
        home.write({"auths": {registry.registry: {"auth": encoded("bob:theirs")}}})
        run(home, "hook", "postCreate", sets=sets)

    assert {registry.registry: "bob:theirs"} == home.auths


# A hook run by root, which switches to the remote user before it writes.

REMOTE, GROUP, OTHER_GROUP = 12345, 12346, 12347

# As root, in a mount namespace whose user database knows `remote`, who is in `docker`, too.
AS_ROOT = """
import json, os, subprocess, sys

folder, environ, *command = json.loads(sys.argv[1])
for name in ("passwd", "group"):
    subprocess.run(["mount", "--bind", f"{folder}/{name}", f"/etc/{name}"], check=True)
done = subprocess.run(
    [sys.executable, *command], env=environ, capture_output=True, text=True, check=False
)
print(json.dumps([done.returncode, done.stdout, done.stderr]))
"""

WHO = """
import json, os, sys
from devcontainer_registry.commands.become import become

become(sys.argv[1], os.environ)
names = ("HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DOCKER_CONFIG")
print(json.dumps([os.getresuid(), os.getresgid(), os.getgroups(), list(map(os.getenv, names))]))
for back in (lambda: os.setuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        back()
    except PermissionError:
        continue
    sys.exit("root again")
"""


# Files that are opened, listed or created in the folder before the switch to the user.
WATCHED = """
import atexit, os, sys

folder, seen = sys.argv.pop(1), []

def watch(event, arguments):
    if event.startswith(("open", "os.")) and os.geteuid() == 0:
        seen.extend(a for a in arguments if isinstance(a, str) and a.startswith(folder))

def report():
    if seen:
        os.write(2, ", ".join(seen).encode())
        os._exit(1)

sys.addaudithook(watch)
atexit.register(report)
from devcontainer_registry.__main__ import main

main()
"""


class Machine:
    """
    Root's home and the remote user's, and a user database that knows both.
    """

    def __init__(self):
        self.folder = public_folder()
        self.roots = os.path.join(self.folder, "root")
        self.home = os.path.join(self.folder, "home")
        os.mkdir(self.roots, 0o700)
        os.mkdir(self.home, 0o755)
        os.chown(self.home, REMOTE, GROUP)
        self._write(
            "passwd",
            f"root:x:0:0:root:{self.roots}:/bin/sh\n"
            f"remote:x:{REMOTE}:{GROUP}:remote:{self.home}:/bin/sh\n",
        )
        self._write("group", f"root:x:0:\nremote:x:{GROUP}:\ndocker:x:{OTHER_GROUP}:remote\n")

    def _write(self, name, text):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)

    def run(self, *command, **environ):
        """
        Exit status, stdout and stderr of Python with *command*, started by root.
        """
        environ = {
            "HOME": self.roots,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONWARNINGS": "error",
            **environ,
        }
        return json.loads(mounting(AS_ROOT, json.dumps([self.folder, environ, *command])))

    def hook(self, *arguments, **environ):
        return self.run("-m", "devcontainer_registry", "hook", *arguments, **environ)


@pytest.fixture(name="machine")
def _machine():
    need_public_python()
    machine = Machine()
    yield machine
    shutil.rmtree(machine.folder)


def owners(folder):
    return {
        (status.st_uid, status.st_gid)
        for path, folders, files in os.walk(folder)
        for status in (os.lstat(os.path.join(path, name)) for name in folders + files)
    }


@pytest.mark.parametrize("name", ["remote", str(REMOTE)])
def test_root_switches_to_the_user_completely_and_permanently(machine, name):
    status, out, err = machine.run("-c", WHO, name, XDG_RUNTIME_DIR="/run/user/0")

    assert 0 == status, err
    users, groups, others, names = json.loads(out)
    assert [REMOTE] * 3 == users
    assert [GROUP] * 3 == groups
    assert {GROUP, OTHER_GROUP} == set(others)
    assert [machine.home, "remote", "remote", None, None] == names


def test_a_hook_run_by_root_writes_files_of_the_user(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        status, out, err = machine.hook("postCreate", "--user", "remote", **sets)

    assert (0, "") == (status, err)
    assert out.startswith("logged in")
    assert {(REMOTE, GROUP)} == owners(machine.home)
    assert {".docker", ".cache"} == set(os.listdir(machine.home))
    assert [] == os.listdir(machine.roots)
    config = os.stat(os.path.join(machine.home, ".docker", "config.json"))
    assert 0o600 == stat.S_IMODE(config.st_mode)


def test_no_file_is_opened_as_root_with_the_user_option(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        sets["DOCKER_CONFIG"] = os.path.join(machine.home, "docker")
        command = ("-c", WATCHED, machine.folder, "hook", "postCreate")
        by_user = machine.run(*command, "--user", "remote", **sets)
        by_root = machine.run(*command, **sets)

    assert "logged in" in by_user[1]
    assert (0, "") == (by_user[0], by_user[2])
    assert 1 == by_root[0]  # shows that the watch works


def test_the_second_start_is_silent_and_reads_no_file_of_root(machine):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        machine.hook("postCreate", "--user", "remote", **sets)
        # A stamp of root's own, with which root's start would be quiet.
        machine.hook("postStart", **sets)
        machine.hook("postStart", **sets)
        asked = registry.asked
        quiet = machine.hook("postStart", "--user=remote", **sets)
        os.unlink(os.path.join(machine.home, ".docker", "config.json"))
        removed = machine.hook("postStart", "--user=remote", **sets)

    assert [0, "", ""] == quiet
    assert asked < registry.asked
    assert removed[1].startswith("logged in")


def test_a_symlink_of_the_user_gives_no_access_to_files_of_root(machine):
    os.symlink(machine.roots, os.path.join(machine.home, ".docker"))
    os.lchown(os.path.join(machine.home, ".docker"), REMOTE, GROUP)

    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        status, out, _ = machine.hook("postCreate", "--user", "remote", "--strict", **sets)

    assert 6 == status
    assert "fix:" in out
    assert [] == os.listdir(machine.roots)


def test_a_secrets_file_that_only_root_can_read_is_not_read(machine):
    path = os.path.join(machine.folder, "secrets.json")
    with Fine(BOB) as registry:
        with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w", encoding="utf-8") as file:
            json.dump(a_set("ACR", registry.registry), file)
        options = ["postCreate", "--strict", "--secrets-file", path]
        by_root = machine.hook(*options)
        shutil.rmtree(os.path.join(machine.roots, ".docker"))
        by_user = machine.hook(*options, "--user", "remote")

    assert 0 == by_root[0]
    assert 3 == by_user[0]
    assert "secrets" in by_user[1]
    assert not os.path.exists(os.path.join(machine.home, ".docker"))


@pytest.mark.parametrize("options", [[], ["--strict"]])
@pytest.mark.parametrize("name", ["nobody-knows-whom", "", "-1", "4000000000", "99999999999999"])
def test_an_unknown_user_is_wrong_usage(tmp_path, options, name):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        ran = run(Home(tmp_path), "hook", "postCreate", f"--user={name}", *options, sets=sets)

    status = 2 if options else 0
    assert (status, "", 0) == (ran.status, ran.stdout, registry.asked)
    assert "no such user" in ran.stderr
    assert name == "" or name not in ran.stderr
    assert [] == os.listdir(tmp_path)


# As root, with a standard library in root's home.
PRIVATE = """
import os, subprocess, sys, sysconfig

home, *command = sys.argv[1:]
stdlib = sysconfig.get_path("stdlib")
private = os.path.join(home, "lib", os.path.basename(stdlib))
os.makedirs(private)
subprocess.run(["mount", "--bind", stdlib, private], check=True)
packages = os.pathsep.join(path for path in sys.path if not path.startswith(stdlib))
environ = {**os.environ, "PYTHONHOME": home, "PYTHONPATH": packages}
os.execve(sys.executable, [sys.executable, "-m", "devcontainer_registry", *command], environ)
"""


def test_a_python_that_only_root_can_read_is_reported(machine):
    with Refusing() as registry:
        sets = a_set("ACR", registry.registry)
        hook = ["-c", PRIVATE, machine.roots, "hook", "postCreate"]
        status, out, err = machine.run(*hook, "--user", "remote", **sets)

    assert (0, "", 0) == (status, out, registry.asked)
    assert "that user cannot read this Python" in " ".join(err.split())
    assert "install it where all users can read it" in " ".join(err.split())


def refused(name):
    try:
        become(name, {})
    except BecomingError as exc:
        return str(exc)
    return None


def test_only_root_can_switch_to_another_user():
    assert "only root may become another user" == as_nobody(lambda: refused("root"))


def test_a_switch_to_the_same_user_changes_nothing():
    assert None is as_nobody(lambda: refused(str(NOBODY)))


def test_a_root_that_cannot_switch_users_is_wrong_usage(tmp_path):
    """
    A user namespace that maps root only, as in some rootless containers.
    """
    alone = ["unshare", "--user", "--map-root-user"]
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no user namespace to be had")
    hook = [sys.executable, "-m", "devcontainer_registry", "hook", "postStart"]
    done = subprocess.run(
        [*alone, *hook, f"--user={NOBODY}"],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (0, "") == (done.returncode, done.stdout)
    assert "nothing done" in done.stderr
    assert "root may not become another user here" in " ".join(done.stderr.split())
