# SPDX-License-Identifier: MIT
"""
The order of a login, and what each answer leads to; registries are real ones on loopback.
"""

from __future__ import annotations

import errno
import json
import os
import re
import threading
import time

import pytest
from doubles.homes import (
    GOOD,
    HERE,
    Claiming,
    Exchanging,
    Hanging,
    Home,
    Scripted,
    Told,
    Waits,
    a_secret,
    a_set,
    encoded,
    only,
)
from doubles.patience import LONG
from doubles.servers import (
    Answering,
    BadCertificate,
    Busy,
    Dripping,
    Fine,
    Refusing,
    Resetting,
    missing,
)
from doubles.servers import Hanging as HangingRegistry

from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.discovery import discover
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    PluginError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.logins.asking import RetryPolicy
from devcontainer_registry.logins.candidates import UnknownSetError

BOB = {"bob": "s3cret-s3cret"}
VARIABLES_GO_ELSEWHERE = "secrets are those of discover(...).secrets; variables go into environ="
OLD = {"auths": {"registry.example": {"auth": encoded("old:password")}}}


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


@pytest.fixture(name="patient")
def _patient():
    return RetryPolicy(sleep=Waits())


# The table of answers, and the reaction to each.


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_an_answered_challenge_is_kept_and_verified(home, auth):
    with Fine(BOB, auth=auth) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("ok", True, None) == (outcome.status, outcome.verified, outcome.code)
    assert {"auths"} == outcome.kept_in
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths
    assert report.ok


def test_an_open_registry_is_kept_but_not_called_verified(home):
    with Answering(200, {}, b"{}") as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("ok", False, "not-checked") == (outcome.status, outcome.verified, outcome.code)
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths
    assert 0 == report.exit_status


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_is_not_retried_and_keeps_the_old_entry(home, status):
    challenge = {"WWW-Authenticate": 'Basic realm="x"'}
    with Answering(status, challenge, b"") as registry:
        home.write({"auths": {registry.registry: {"auth": encoded("old:password")}}})
        before = home.text
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("rejected", 1, 4) == (outcome.status, outcome.attempts, report.exit_status)
    assert before == home.text
    assert not outcome.kept_in


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_wrong_password_is_sent_once(home, auth):
    with Refusing(auth=auth) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    assert "rejected" == only(report).status
    assert 1 == registry.refusals


def test_a_denied_image_is_kept_and_counts_as_refused(home):
    with Fine(BOB, images=["team/app:1"]) as registry:
        image = f"{registry.registry}/team/other:1"
        report = home.login(sets=a_set("ACR", registry.registry, IMAGE=image))

    outcome = only(report)
    assert ("ok", True, "image-not-found") == (outcome.status, outcome.verified, outcome.code)
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths
    assert 4 == report.exit_status


def test_an_image_that_can_be_pulled_is_not_mentioned(home):
    with Fine(BOB, images=["team/app:1"]) as registry:
        image = f"{registry.registry}/team/app:1"
        report = home.login(sets=a_set("ACR", registry.registry, IMAGE=image))

    assert ("ok", None) == (only(report).status, only(report).code)


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_registry_is_asked_four_times_and_is_then_unverified(home, status):
    with Busy(BOB, times=99, status=status) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("unverified", 4, 5) == (outcome.status, outcome.attempts, report.exit_status)
    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths


def test_a_login_succeeds_after_two_busy_answers(home):
    with Busy(BOB, times=2) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    assert ("ok", 3) == (only(report).status, only(report).attempts)


def test_an_unverified_login_does_not_replace_an_existing_one(home):
    with Busy(BOB, times=99) as registry:
        home.write({"auths": {registry.registry: {"auth": encoded("old:password")}}})
        before = home.text
        report = home.login(sets=a_set("ACR", registry.registry))

    assert ("unverified", frozenset()) == (only(report).status, only(report).kept_in)
    assert before == home.text


def test_a_dropped_connection_is_tried_again(home):
    with Resetting() as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    assert ("unverified", 4) == (only(report).status, only(report).attempts)


def test_an_untrusted_certificate_is_tried_once(home):
    with BadCertificate(BOB) as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("unverified", 1, "certificate-untrusted") == (
        outcome.status,
        outcome.attempts,
        outcome.code,
    )
    assert 0 == registry.asked


def test_a_set_may_trust_an_authority_of_its_own(home):
    with BadCertificate(BOB) as registry:
        report = home.login(sets=a_set("ACR", registry.registry, CA_FILE=registry.ca_file))

    assert ("ok", True) == (only(report).status, only(report).verified)


def test_any_other_status_is_not_a_registry_and_saves_nothing(home):
    with missing() as registry:
        report = home.login(sets=a_set("ACR", registry.registry))

    outcome = only(report)
    assert ("failed", "not-a-registry", 1) == (outcome.status, outcome.code, outcome.attempts)
    assert {} == home.auths
    assert 5 == report.exit_status


def test_without_verification_no_registry_is_contacted(home):
    report = home.login([a_secret()], verify="never")

    assert ("ok", False, None) == (
        only(report).status,
        only(report).verified,
        only(report).code,
    )
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


# Results of an authenticator.


def test_a_refusal_by_the_cloud_is_final(home, patient):
    plugin = Scripted(AuthenticationError("no"), GOOD)

    report = home.login([a_secret()], authenticators={"generic": plugin}, retry=patient)

    assert ("rejected", 1, 4) == (only(report).status, plugin.asked, report.exit_status)
    assert [] == patient.sleep


def test_a_busy_cloud_is_asked_again(home, patient):
    plugin = Scripted(TransientError("busy"), TransientError("busy"), GOOD)

    report = home.login(
        [a_secret()], authenticators={"generic": plugin}, retry=patient, verify="never"
    )

    assert ("ok", 3) == (only(report).status, only(report).attempts)
    assert 2 == len(patient.sleep)


def test_only_transient_failures_are_retried(home, patient):
    plugin = Scripted(UnreachableError("a certificate", code="certificate-untrusted"), GOOD)

    report = home.login([a_secret()], authenticators={"generic": plugin}, retry=patient)

    assert (1, "certificate-untrusted") == (plugin.asked, only(report).code)


def test_an_unreachable_cloud_leaves_no_credential_to_save(home):
    plugin = Exchanging(TransientError("busy"))

    report = home.login([a_secret()], authenticators={"generic": plugin})

    assert ("failed", 5, {}) == (only(report).status, report.exit_status, home.auths)


def test_a_cloud_token_that_no_registry_checked_is_not_saved(home):
    with Busy(BOB, times=99) as registry:
        report = home.login(
            [a_secret(registry=registry.registry)],
            authenticators={"generic": Exchanging(GOOD)},
        )

    assert ("failed", {}) == (only(report).status, home.auths)


def test_a_cloud_is_asked_once_while_the_registry_is_busy(home):
    plugin = Exchanging(GOOD)
    with Busy(BOB, times=2) as registry:
        report = home.login(
            [a_secret(registry=registry.registry)], authenticators={"generic": plugin}
        )

    assert ("ok", 1) == (only(report).status, plugin.asked)


def test_a_set_that_cannot_be_right_is_incomplete(home):
    plugin = Scripted(DiscoveryError("no region", code="no-region"))

    report = home.login([a_secret()], authenticators={"generic": plugin})

    assert ("incomplete", "no-region", 3) == (
        only(report).status,
        only(report).code,
        report.exit_status,
    )


def test_an_image_of_another_registry_is_a_malformed_set(home):
    with Fine(BOB) as registry:
        secret = a_secret(registry=registry.registry, image="quay.io/team/app:1")
        report = home.login([secret])

    assert ("incomplete", "invalid-image", 3) == (
        only(report).status,
        only(report).code,
        report.exit_status,
    )


@pytest.mark.parametrize(
    "word",
    [
        None,
        "a token",
        ("bob", "s3cret"),
        Credential(username="", secret=Secret("s3cret")),
        Credential(username="bob", secret=Secret("")),
        Credential(username="bob", secret="s3cret"),
        Credential(username="bob", secret=Secret("s3cret"), expires_at="tomorrow"),
        Credential(username="bob", secret=Secret("s3cret"), expires_at=float("nan")),
        Credential(username="bob", secret=Secret("s3cret"), expires_at=1e20),
    ],
    ids=str,
)
def test_a_result_that_is_not_a_credential_is_never_ok(home, word):
    report = home.login([a_secret()], authenticators={"generic": Scripted(word)}, verify="never")

    assert ("failed", "plugin-failed") == (only(report).status, only(report).code)
    assert {} == home.auths


@pytest.mark.parametrize(
    ("exc", "code", "exit_status"),
    [
        (ValueError("x"), "plugin-failed", 3),
        (SystemExit(1), "plugin-failed", 3),
        (KeyboardInterrupt(), "plugin-failed", 3),
        (MemoryError(), "no-memory", 5),
        (OSError(errno.EMFILE, "x"), "too-many-open-files", 5),
        (OSError(errno.ENFILE, "x"), "too-many-open-files", 5),
        (OSError(errno.EIO, "x"), "plugin-failed", 3),
    ],
)
def test_an_exception_of_a_plugin_fails_only_its_own_registry(home, exc, code, exit_status):
    secrets = [a_secret(kind="broken"), a_secret("B", "other.example")]
    plugins = {"broken": Scripted(exc), "generic": Scripted(GOOD)}

    report = home.login(secrets, authenticators=plugins, verify="never")

    assert ["failed", "ok"] == [outcome.status for outcome in report.outcomes]
    assert (code, exit_status) == (report.outcomes[0].code, report.exit_status)


def test_a_credential_that_dockers_format_cannot_hold_does_not_stop_other_logins(home):
    odd = Credential(username="with:colon", secret=Secret("s3cret-s3cret"))
    secrets = [a_secret(kind="odd"), a_secret("B", "other.example")]

    report = home.login(
        secrets, authenticators={"odd": Scripted(odd), "generic": Scripted(GOOD)}, verify="never"
    )

    assert ["failed", "ok"] == [outcome.status for outcome in report.outcomes]
    assert {"other.example": "bob:s3cret-s3cret"} == home.auths
    assert 6 == report.exit_status


def test_a_plugin_that_fails_to_explain_keeps_its_outcome(home):
    class Confused(Scripted):
        def explain(self, *_):
            raise RuntimeError

    report = home.login(
        [a_secret()], authenticators={"generic": Confused(AuthenticationError("no", hint="look"))}
    )

    assert ("rejected", "look") == (only(report).status, only(report).error.hint)


def test_a_kind_explains_a_refusal(home):
    class Wise(Scripted):
        def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
            return f"ask the wizard about {error.code}"

    report = home.login([a_secret()], authenticators={"generic": Wise(AuthenticationError("no"))})

    assert "ask the wizard about rejected" == only(report).error.hint


def test_a_set_without_password_is_incomplete_if_its_kind_needs_one(home):
    secret = a_secret(user=None, password=None)

    report = home.login([secret], authenticators={"generic": Scripted(GOOD)})

    assert ("incomplete", "missing-member") == (only(report).status, only(report).code)
    assert "ACR_CONTAINER_REGISTRY_USER" in only(report).error.hint


def test_a_set_without_password_is_complete_if_the_platform_has_an_identity(home):
    secret = a_secret(user=None, password=None)

    report = home.login([secret], authenticators={"generic": Exchanging(GOOD)}, verify="never")

    assert "ok" == only(report).status


# Choosing.


def test_a_broken_plugin_fails_only_the_sets_that_need_it(home):
    told = Told()
    broken = PluginError("cannot be loaded", code="plugin-broken")
    secrets = [a_secret(kind="broken"), a_secret("B", "other.example")]

    report = home.login(
        secrets,
        authenticators={"broken": broken, "generic": Scripted(GOOD)},
        verify="never",
        observe=told,
    )

    assert [("failed", "plugin-broken"), ("ok", None)] == [
        (outcome.status, outcome.code) for outcome in report.outcomes
    ]
    assert 3 == report.exit_status
    assert ("plugin.unusable", {"kind": "broken", "code": "plugin-broken"}) in told


def test_a_missing_kind_is_reported_without_quoting_its_name(home):
    report = home.login(
        [a_secret(kind="hunter2hunter2")], authenticators={"generic": Scripted(GOOD)}
    )

    outcome = only(report)
    assert ("failed", "plugin-missing", None) == (outcome.status, outcome.code, outcome.kind)
    assert "hunter2" not in f"{outcome.error.message} {outcome.error.hint}"
    assert "generic" in outcome.error.hint


def test_two_matching_kinds_are_an_error_that_says_how_to_choose(home):
    plugins = {"one": Claiming(HERE), "two": Claiming(HERE), "generic": Scripted(GOOD)}

    report = home.login([a_secret()], authenticators=plugins)
    chosen = home.login([a_secret(kind="two")], authenticators=plugins, verify="never")

    assert ("failed", "plugin-contested") == (only(report).status, only(report).code)
    assert "ACR_CONTAINER_REGISTRY_KIND" in only(report).error.hint
    assert ("ok", "two") == (only(chosen).status, only(chosen).kind)


def test_a_plugin_whose_match_fails_is_skipped(home):
    told = Told()
    plugins = {"odd": Claiming(ValueError("x")), "generic": Scripted(GOOD)}

    report = home.login([a_secret()], authenticators=plugins, verify="never", observe=told)

    assert ("ok", "generic") == (only(report).status, only(report).kind)
    assert ("plugin.unusable", {"kind": "odd", "error": "ValueError"}) in told


def test_without_any_plugin_no_kind_matches_the_registry(home):
    report = home.login([a_secret()], authenticators={})

    assert ("failed", "plugin-missing") == (only(report).status, only(report).code)


# A failure affects its own registry only.


def test_one_refusal_does_not_stop_other_logins(home):
    with Fine(BOB) as good, Refusing() as bad, missing() as wrong:
        sets = {
            **a_set("A", bad.registry),
            **a_set("B", good.registry),
            **a_set("C", wrong.registry),
        }
        report = home.login(sets=sets)

    assert ["rejected", "ok", "failed"] == [outcome.status for outcome in report.outcomes]
    assert {good.registry: "bob:s3cret-s3cret"} == home.auths


def test_a_hanging_plugin_delays_no_other_login_and_ends_with_the_run(home):
    hanging = Hanging()
    written = threading.Event()

    def observe(event, /, **fields):
        if event == "login.succeeded" and fields["id"] == "B":
            written.set()

    started = time.monotonic()
    kept_before = []
    watcher = threading.Thread(
        target=lambda: kept_before.append(written.wait(10) and not hanging.over.is_set())
    )
    watcher.start()
    report = home.login(
        [a_secret(kind="slow"), a_secret("B", "other.example")],
        authenticators={"slow": hanging, "generic": Scripted(GOOD)},
        verify="never",
        timeout=1.0,
        observe=observe,
    )
    took = time.monotonic() - started
    hanging.over.set()
    watcher.join()

    assert [("failed", "timeout"), ("ok", None)] == [
        (outcome.status, outcome.code) for outcome in report.outcomes
    ]
    assert [True] == kept_before
    assert {"other.example": "bob:s3cret-s3cret"} == home.auths
    assert took < LONG
    assert report.outcomes[1].elapsed < report.outcomes[0].elapsed


@pytest.mark.parametrize("kind", [HangingRegistry, Dripping])
def test_a_hanging_registry_delays_no_other_login_and_ends_with_the_run(home, kind):
    with kind() as slow, Fine(BOB) as good:
        sets = {**a_set("A", slow.registry), **a_set("B", good.registry)}
        started = time.monotonic()
        report = home.login(sets=sets, timeout=1.5)
        took = time.monotonic() - started

    assert [("unverified", "timeout"), ("ok", None)] == [
        (outcome.status, outcome.code) for outcome in report.outcomes
    ]
    assert took < LONG
    assert report.outcomes[1].elapsed < report.outcomes[0].elapsed


def test_a_wait_beyond_the_deadline_ends_the_attempts(home, patient):
    error = TransientError("busy")
    error.retry_after = 3600.0

    report = home.login([a_secret()], authenticators={"generic": Scripted(error)}, retry=patient)

    assert (1, []) == (only(report).attempts, patient.sleep)


def test_a_registry_may_say_how_long_to_wait(home, patient):
    error = TransientError("busy")
    error.retry_after = 11.0

    home.login(
        [a_secret()],
        authenticators={"generic": Scripted(error, GOOD)},
        retry=patient,
        verify="never",
    )

    assert [11.0] == patient.sleep


# config.json.


def test_a_damaged_file_is_named_and_every_login_is_reported_as_not_saved(home):
    home.write('{"auths": ')

    report = home.login(
        [a_secret(), a_secret("B", "other.example")],
        authenticators={"generic": Scripted(GOOD)},
        verify="never",
    )

    assert ["not-kept", "not-kept"] == [outcome.code for outcome in report.outcomes]
    assert home.config in report.error.message
    assert (6, '{"auths": ') == (report.exit_status, home.text)


def test_a_file_that_was_repaired_before_the_write_is_no_error(home):
    home.write('{"auths": ')

    class Repairing(Scripted):
        def authenticate(self, secret, *, timeout):
            home.write({})
            return super().authenticate(secret, timeout=timeout)

    report = home.login([a_secret()], authenticators={"generic": Repairing(GOOD)}, verify="never")

    assert (None, 0) == (report.error, report.exit_status)


def test_a_failed_write_is_reported_although_a_later_one_succeeded(home):
    home.write("{}")
    first_told = threading.Event()

    class Late(Scripted):
        def authenticate(self, secret, *, timeout):
            first_told.wait(10)
            home.write("{}")
            return super().authenticate(secret, timeout=timeout)

    class Breaking(Scripted):
        def authenticate(self, secret, *, timeout):
            home.write("{")
            return super().authenticate(secret, timeout=timeout)

    def observe(event, /, **fields):
        if event == "login.failed" and fields["id"] == "A":
            first_told.set()

    report = home.login(
        [a_secret("A", kind="breaking"), a_secret("B", "other.example")],
        authenticators={"breaking": Breaking(GOOD), "generic": Late(GOOD)},
        verify="never",
        observe=observe,
    )

    assert ["not-kept", None] == [outcome.code for outcome in report.outcomes]
    assert report.error is not None
    assert 6 == report.exit_status


def test_another_helper_is_kept_and_no_registry_is_contacted(home):
    home.write({"credHelpers": {HERE: "ecr-login"}})
    home.program("docker-credential-ecr-login")
    before = home.text
    plugin = Scripted(GOOD)

    report = home.login([a_secret()], authenticators={"generic": plugin})

    outcome = only(report)
    assert ("skipped", "other-helper", 0) == (outcome.status, outcome.code, report.exit_status)
    assert "ecr-login" in outcome.error.message
    assert (0, before) == (plugin.asked, home.text)


@pytest.mark.parametrize(("implicit", "exit_status"), [(False, 6), (True, 0)])
def test_a_missing_helper_is_reported_as_broken_and_not_skipped(home, implicit, exit_status):
    home.write({"credHelpers": {HERE: "gone"}})
    home.environ["PATH"] = home.path
    plugin = Scripted(GOOD)

    report = home.login([a_secret(implicit=implicit)], authenticators={"generic": plugin})

    outcome = only(report)
    assert ("broken", "helper-missing") == (outcome.status, outcome.code)
    assert "docker-credential-gone" in outcome.error.message
    assert (exit_status, 0) == (report.exit_status, plugin.asked)


@pytest.mark.usefixtures("undelegated")
def test_a_login_that_docker_will_not_use_is_reported(home):
    home.write({"credsStore": "desktop"})

    report = home.login([a_secret()], verify="never")

    outcome = only(report)
    assert ("ok", "hidden-by-credsstore", 6) == (outcome.status, outcome.code, report.exit_status)
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


def test_an_empty_helper_entry_makes_docker_use_auths_despite_a_store(home):
    home.write({"credsStore": "desktop", "credHelpers": {HERE: ""}})

    report = home.login([a_secret()], verify="never")

    assert ("ok", None, 0) == (only(report).status, only(report).code, report.exit_status)


@pytest.mark.usefixtures("undelegated")
def test_a_token_without_renewal_is_reported(home):
    token = Credential(
        username="AWS", secret=Secret("t"), issued_at=time.time(), expires_at=time.time() + 3600
    )

    report = home.login([a_secret()], authenticators={"generic": Exchanging(token)}, verify="never")
    plain = home.login(
        [a_secret()], authenticators={"generic": Exchanging(token)}, verify="never", store="auths"
    )

    assert ("not-delegated", 0) == (only(report).code, report.exit_status)
    assert None is only(plain).code


def test_without_a_home_each_login_is_reported_as_not_saved(home, tmp_path):
    file = tmp_path / "a-file"
    file.write_text("")
    home.environ["DOCKER_CONFIG"] = str(file)
    plugin = Scripted(GOOD)

    report = home.login([a_secret()], authenticators={"generic": plugin})
    nothing = home.login([])

    assert ("failed", "not-kept", 6) == (
        only(report).status,
        only(report).code,
        report.exit_status,
    )
    assert report.error is not None
    assert 0 == plugin.asked
    assert (None, 0) == (nothing.error, nothing.exit_status)


def test_the_path_of_config_json_can_be_given(home, tmp_path):
    elsewhere = str(tmp_path / "elsewhere.json")

    report = home.login([a_secret()], config=DockerConfig(elsewhere), verify="never")

    assert (elsewhere, {}) == (report.config, home.auths)
    assert os.path.exists(elsewhere)


# Implicit sources.

GITLAB = {"CI_REGISTRY_USER": "bob", "CI_REGISTRY_PASSWORD": "s3cret-s3cret"}


def test_an_implicit_login_never_replaces_a_login_of_another_program(home):
    with Fine(BOB) as registry:
        home.write({"auths": {registry.registry: {"auth": encoded("old:password")}}})
        before = home.text
        report = home.login(sets={**GITLAB, "CI_REGISTRY": registry.registry})

    assert ("skipped", "not-ours", 0) == (
        only(report).status,
        only(report).code,
        report.exit_status,
    )
    assert (0, before) == (registry.asked, home.text)


@pytest.mark.parametrize(
    "entry",
    [{"registrytoken": "t"}, {"auth": "not padded"}, {"identitytoken": "i"}, {"password": "p"}],
)
def test_an_implicit_login_never_replaces_an_unreadable_entry(home, entry):
    home.write({"auths": {HERE: entry}})
    before = home.text
    plugin = Scripted(GOOD)
    secret = a_secret(implicit=True)

    report = home.login([secret], authenticators={"generic": plugin}, verify="never")

    assert ("skipped", "not-ours", 0) == (only(report).status, only(report).code, plugin.asked)
    assert before == home.text


def test_an_implicit_login_fills_the_empty_entry_that_docker_left(home):
    home.write({"auths": {HERE: {}}})

    report = home.login([a_secret(implicit=True)], verify="never")

    assert "ok" == only(report).status
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


def test_an_implicit_login_does_not_replace_a_login_made_during_the_request(home):
    class Overtaken(Scripted):
        def authenticate(self, secret, *, timeout):
            home.write(OLD)
            return super().authenticate(secret, timeout=timeout)

    report = home.login(
        [a_secret(implicit=True)], authenticators={"generic": Overtaken(GOOD)}, verify="never"
    )

    assert ("skipped", "not-ours") == (only(report).status, only(report).code)
    assert {HERE: "old:password"} == home.auths


@pytest.mark.parametrize(
    ("sets", "variables"),
    [
        ({"DOCKER_AUTH_CONFIG": "{}"}, {"DOCKER_AUTH_CONFIG"}),
        ({"CI_REGISTRY": "", **GITLAB}, {"CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD"}),
    ],
)
def test_a_hint_names_the_variables_that_an_implicit_login_has(home, sets, variables):
    with Fine({"bob": "another"}) as there:
        logins = {"auths": {there.registry: {"auth": encoded("bob:s3cret-s3cret")}}}
        values = {"DOCKER_AUTH_CONFIG": json.dumps(logins), "CI_REGISTRY": there.registry}
        report = home.login(sets={**sets, **{n: values[n] for n in sets if n in values}})

    hint = only(report).error.hint
    assert "rejected" == only(report).code
    assert variables == set(re.findall(r"[A-Z*]+_[A-Z_]+", hint))


def test_an_implicit_login_replaces_an_earlier_implicit_login(home):
    first = a_secret(password="first-first", implicit=True)
    second = a_secret(password="second-second", implicit=True)

    home.login([first], verify="never")
    report = home.login([second], verify="never")

    assert "ok" == only(report).status
    assert {HERE: "bob:second-second"} == home.auths


@pytest.mark.parametrize("before", [OLD, {"credHelpers": {HERE: "devcontainer-registry"}}])
@pytest.mark.parametrize("error", [AuthenticationError("no"), UnreachableError("down")])
def test_a_failed_login_keeps_the_earlier_one_and_reports_that(home, before, error):
    plugins = {"generic": Scripted(*[error] * 9)}
    without = home.login([a_secret()], authenticators=plugins)
    home.write(before)

    report = home.login([a_secret()], authenticators=plugins)

    assert (False, True) == (only(without).stays, only(report).stays)
    assert before == json.loads(home.text)


def test_a_set_replaces_an_implicit_login_and_an_earlier_login(home):
    home.write(OLD)

    report = home.login([a_secret()], verify="never")

    assert "ok" == only(report).status
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


@pytest.mark.parametrize(
    "error",
    [AuthenticationError("no"), TransientError("busy"), DiscoveryError("no"), RegistryError("x")],
)
def test_an_implicit_login_never_changes_the_exit_status(home, error):
    report = home.login([a_secret(implicit=True)], authenticators={"generic": Scripted(error)})

    assert "ok" != only(report).status
    assert 0 == report.exit_status


def test_a_damaged_file_is_no_failure_if_only_implicit_logins_need_it(home):
    home.write("{")

    report = home.login([a_secret(implicit=True)], verify="never")

    assert ("not-kept", 0) == (only(report).code, report.exit_status)


# Arguments.


def test_only_the_named_sets_are_used(home):
    secrets = [a_secret("A"), a_secret("B", "other.example")]

    report = home.login(secrets, only=["B"], verify="never")

    assert ["B"] == [outcome.id for outcome in report.outcomes]
    assert {"other.example": "bob:s3cret-s3cret"} == home.auths


def test_an_unknown_set_is_refused_without_being_quoted(home):
    with pytest.raises(UnknownSetError) as caught:
        home.login([a_secret("A")], only=["hunter2"])

    assert "no such set; there are: A" == str(caught.value)


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        ({"verify": "hunter2"}, "verify is one of changed, always, never"),
        ({"verify": True}, "verify is one of changed, always, never"),
        ({"store": "hunter2"}, "store is one of auto, auths, helper"),
        ({"only": "ACR"}, "only takes several ids: write only=['ACR']"),
        ({"config": "config.json"}, "config is a DockerConfig: write config=DockerConfig(path)"),
        ({"secrets": {"A": "hunter2"}}, VARIABLES_GO_ELSEWHERE),
        ({"secrets": discover({})}, VARIABLES_GO_ELSEWHERE),
    ],
)
def test_a_wrong_argument_is_refused_before_any_request(home, mistake, said):
    plugin = Scripted(GOOD)
    arguments = {"secrets": [a_secret("A")], "authenticators": {"generic": plugin}, **mistake}

    with pytest.raises((TypeError, ValueError)) as caught:
        home.login(arguments.pop("secrets"), **arguments)

    assert said == str(caught.value)
    assert 0 == plugin.asked


def test_a_dry_run_sends_and_writes_nothing(home, tmp_path):
    home.write(OLD)
    before = home.text
    plugin = Scripted(GOOD)

    report = home.login([a_secret()], authenticators={"generic": plugin}, dry_run=True)

    outcome = only(report)
    assert ("found", "generic", {"auths"}) == (outcome.status, outcome.kind, outcome.kept_in)
    assert (0, before, False) == (plugin.asked, home.text, report.changed)
    assert [".docker"] == os.listdir(tmp_path)


def test_a_login_without_any_set_does_nothing(home, tmp_path):
    report = home.login()

    assert ((), None, False, 0) == (
        report.outcomes,
        report.error,
        report.changed,
        report.exit_status,
    )
    assert [] == os.listdir(tmp_path)


def test_a_second_run_does_not_touch_the_file(home):
    with Fine(BOB) as registry:
        sets = a_set("ACR", registry.registry)
        home.login(sets=sets)
        before = os.stat(home.config)
        report = home.login(sets=sets)

    assert "ok" == only(report).status
    assert not report.changed
    after = os.stat(home.config)
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_events_are_sent_as_they_happen(home):
    told = Told()
    with Busy(BOB, times=1) as registry:
        home.login(sets=a_set("ACR", registry.registry), observe=told)

    events = [event for event in told.events if event.startswith(("secret", "login"))]
    assert [
        "secret.found",
        "login.decided",
        "login.started",
        "login.retried",
        "login.succeeded",
    ] == events


@pytest.mark.parametrize("member", ["auths", "credHelpers"])
@pytest.mark.parametrize("server", ["MyReg.azurecr.io", "myreg.azurecr.io"])
def test_an_entry_under_another_spelling_that_docker_uses_is_named(home, member, server):
    value = "other" if member == "credHelpers" else {"auth": encoded("old:login")}
    home.write({member: {"MyReg.azurecr.io": value, "myreg.azurecr.io.example": value}})
    sets = {**a_set("A", server, KIND="generic"), **a_set("B", "other.example")}

    report = home.login(sets=sets, verify="never")

    (finding,) = [each for each in report.findings if each.code == "other-spelling"]
    assert f"the {member} entry MyReg.azurecr.io" in finding.message
    assert finding.message.endswith(", not myreg.azurecr.io")
    assert "write the registry as myreg.azurecr.io in image names" == finding.hint
    assert value == json.loads(home.text)[member]["MyReg.azurecr.io"]


def test_a_failed_login_names_no_other_spelling(home):
    home.write({"auths": {"MyReg.azurecr.io": {"auth": encoded("old:login")}}})

    report = home.login(
        [a_secret(registry="myreg.azurecr.io")],
        authenticators={"generic": Scripted(AuthenticationError("no"))},
        verify="never",
    )

    assert "other-spelling" not in {finding.code for finding in report.findings}
