# SPDX-License-Identifier: MIT
"""
The helper's renewal of an ageing credential.

The saved token is dated back six hours, which is the same as a clock moved forward.
"""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest
from doubles.clouds import KEY, KEY_ID, PlayedAws
from doubles.credential_helper import (
    HERE,
    HOUR,
    LIFE,
    NEW,
    NOT_FOUND,
    OLD,
    Helper,
    answered,
    reason,
)
from doubles.homes import a_set
from doubles.patience import LONG
from doubles.servers import Fine, Refusing

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.logins.renewal import serve
from devcontainer_registry.registry import Registry

ECR = Registry("123456789012.dkr.ecr.eu-west-1.amazonaws.com")

FRESH = {"age": 1 * HOUR}
AGES = {
    "half of its life": {"age": LIFE / 2 + 60},
    "15 minutes left": {"left": 15 * 60},
    "61 seconds left": {"left": 75},
}
ENDS = {"50 seconds left": {"left": 50}, "expired": {"left": -1}, "long expired": {"left": -99999}}


@pytest.fixture(name="helper")
def _helper(tmp_path):
    return Helper(tmp_path)


def clouds(*, but=()):
    return [c for c in ("down", "refuses", "crashes", "not visible") if c not in but]


def under(helper, cloud):
    if cloud != "not visible":
        helper.see_secrets(cloud)


@pytest.mark.parametrize("cloud", ["up", *clouds()])
def test_a_credential_is_not_renewed_in_the_first_half_of_its_lifetime(helper, cloud):
    helper.keep(**FRESH)
    under(helper, cloud)

    assert OLD == answered(helper.get())
    assert 0 == helper.asked


@pytest.mark.parametrize("when", [*AGES, *ENDS])
def test_a_credential_is_renewed_in_the_second_half_of_its_lifetime(helper, when):
    helper.keep(**{**AGES, **ENDS}[when], state="verified", set="of a set")
    helper.see_secrets("up")

    assert [NEW, NEW] == [answered(helper.get()), answered(helper.get())]
    assert 1 == helper.asked
    kept = helper.cache.read(HERE)
    assert ("verified", "of a set") == (kept["state"], kept["set"])
    assert kept["expires_at"] - kept["issued_at"] == pytest.approx(LIFE)


def test_a_credential_with_less_than_a_minute_left_is_renewed(helper):
    now = time.time()
    helper.keep(issued_at=now - 5, expires_at=now + 50)
    helper.see_secrets("up")

    assert NEW == answered(helper.get())


@pytest.mark.parametrize("when", AGES)
@pytest.mark.parametrize("cloud", clouds())
def test_a_credential_that_cannot_be_renewed_is_served_until_it_expires(helper, when, cloud):
    helper.keep(**AGES[when])
    under(helper, cloud)

    assert OLD == answered(helper.get())


@pytest.mark.parametrize("when", ENDS)
@pytest.mark.parametrize("cloud", clouds())
def test_an_expired_credential_is_answered_with_the_cause_and_the_fix(helper, when, cloud):
    helper.keep(**ENDS[when])
    under(helper, cloud)

    said = reason(helper.get())

    expected = {
        "down": "the cloud is down; wait for it",
        "refuses": "the cloud said no; give it the right to",
        "crashes": "authenticator played failed: ValueError; report",
        "not visible": "its variables are not set here; run devcontainer-registry login where",
    }
    assert expected[cloud] in said
    assert str(HERE) in said
    assert ("expired" in said) == ("expired" in when)
    assert "secret-s" not in said
    assert "the-plugins-secret" not in said


@pytest.mark.parametrize("cloud", clouds(but=["not visible"]))
def test_a_failed_renewal_is_remembered_for_a_minute(helper, cloud):
    helper.keep(left=-1)
    helper.see_secrets(cloud)

    first, second = reason(helper.get()), reason(helper.get())
    asked = helper.asked
    kept = helper.cache.read(HERE)
    helper.cache.write(HERE, {**kept, "failed_at": time.time() - 61})
    helper.get()

    assert first == second
    assert asked * 2 == helper.asked > 0


def test_a_failure_with_a_future_timestamp_does_not_delay_a_renewal(helper):
    helper.keep(left=-1, failed_at=time.time() + 3600, failure={"message": "a wrong clock"})
    helper.see_secrets("up")

    assert NEW == answered(helper.get())


def test_a_failure_is_forgotten_after_a_successful_renewal(helper):
    helper.keep(left=-1, failed_at=time.time() - 90, failure={"message": "it was down"})
    helper.see_secrets("up")

    answered(helper.get())

    assert not {"failed_at", "failure"} & set(helper.cache.read(HERE))


def test_secrets_missing_in_one_process_do_not_stop_the_next_one(helper):
    helper.keep(left=-1)
    reason(helper.get())

    helper.see_secrets("up")

    assert NEW == answered(helper.get())


@pytest.mark.parametrize(("cloud", "left"), [("hangs", HOUR), ("hangs when imported", -1)])
def test_a_cloud_that_hangs_costs_five_seconds_at_most_and_once(helper, cloud, left):
    helper.keep(left=left)
    helper.see_secrets(cloud)

    began = time.monotonic()
    first = helper.get()
    took = time.monotonic() - began
    second = helper.get()

    assert took < LONG
    assert time.monotonic() - began - took < LONG
    if left > 0:
        assert [OLD, OLD] == [answered(first), answered(second)]
    else:
        assert reason(first) == reason(second)
        assert "did not answer" in first.stdout


def test_other_processes_wait_at_most_five_seconds_for_a_renewal(helper):
    helper.keep(left=-1)
    helper.see_secrets("up")
    with helper.cache.lock(HERE, timeout=1):
        began = time.monotonic()
        ran = helper.get()
        took = time.monotonic() - began

    assert took < LONG
    assert "other processes are renewing" in reason(ran)
    assert NEW == answered(helper.get())


def test_a_credential_that_another_process_renewed_is_served_while_the_lock_is_held(helper):
    helper.keep(left=-1)
    helper.see_secrets("up")
    with helper.cache.lock(HERE, timeout=1):
        later = threading.Timer(0.5, helper.keep, kwargs={"secret": "the-new-one", **FRESH})
        later.start()
        began = time.monotonic()
        ran = helper.get()
        took = time.monotonic() - began
        later.join()

    assert NEW == answered(ran)
    assert took < LONG
    assert 0 == helper.asked


def test_a_process_that_dies_during_a_renewal_releases_the_lock(helper):
    helper.keep(left=-1)
    helper.see_secrets("dies")
    assert 7 == helper.get().status

    helper.see_secrets("up")

    assert NEW == answered(helper.get())


@pytest.mark.parametrize("left", [-60, None])
def test_text_that_a_plugin_quotes_reaches_neither_docker_nor_the_disk(helper, left):
    if left is not None:
        helper.keep(left=left)
    helper.see_secrets("quotes")
    helper.environ |= a_set("MY", HERE, user="bob", password="C4n4ry+s1ngs")

    said = [reason(helper.get()), reason(helper.get())]  # the second from the remembered failure

    path = os.path.join(helper.cache.path, f"{HERE}.json")
    with open(path, encoding="utf-8") as file:
        said.append(file.read())
    for text in said:
        assert "no to **** [2J and more" in text
        assert "not ****" in text
        assert "C4n4ry" not in text


def test_text_that_a_plugin_quotes_while_matching_is_not_shown(helper):
    helper.see_secrets("quotes at once")
    helper.environ |= a_set("MY", HERE, user="bob", password="C4n4ry+s1ngs")

    said = reason(helper.get())

    assert "the authenticator played failed: AuthenticationError" in said
    assert "C4n4ry" not in said


@pytest.mark.parametrize("left", [None, HOUR])
def test_the_output_of_a_plugin_is_not_shown(helper, left):
    if left:
        helper.keep(left=left)
    helper.see_secrets("talks")

    ran = helper.get()

    assert NEW == answered(ran)
    assert "the-plugins-secret" not in ran.stdout + ran.stderr


def test_a_login_saved_during_a_renewal_is_kept(helper):
    helper.keep(age=0.9 * LIFE, set="of-the-login", failure={"message": "x"}, failed_at=1.0)
    helper.see_secrets("is overtaken")

    assert NEW == answered(helper.get())
    entry = helper.cache.read(HERE)
    assert ("of-the-login", {"x": ["y"]}) == (entry["set"], entry["wrote"])
    assert "the-new-one" == entry["credential"]["Secret"]
    assert "failure" not in entry


# No saved login.


def test_without_a_saved_login_the_visible_secrets_are_used(helper):
    helper.see_secrets("up")

    assert [NEW, NEW] == [answered(helper.get()), answered(helper.get())]
    assert 1 == helper.asked


def test_without_a_saved_login_a_failure_is_an_error_not_an_anonymous_pull(helper):
    helper.see_secrets("refuses")

    first = reason(helper.get())

    assert "the cloud said no" in first
    assert first == reason(helper.get())
    assert 1 == helper.asked
    assert "{}\n" == helper.run("list").stdout


def test_a_static_secret_is_served_once_its_registry_accepted_it(tmp_path):
    helper = Helper(tmp_path)
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        helper.environ |= a_set("MY", registry.registry)
        answers = [answered(helper.get(registry.registry)) for _ in range(2)]

    assert ["s3cret-s3cret"] * 2 == [answer["Secret"] for answer in answers]
    assert "verified" == helper.cache.read(registry.registry)["state"]


def test_a_static_secret_that_was_refused_is_sent_once(tmp_path):
    helper = Helper(tmp_path)
    with Refusing() as registry:
        helper.environ |= a_set("MY", registry.registry)
        reason(helper.get(registry.registry))
        asked = registry.asked
        kept = helper.cache.read(registry.registry)
        helper.cache.write(registry.registry, {**kept, "failed_at": time.time() - 61})
        again = reason(helper.get(registry.registry))

        assert asked == registry.asked
    assert "MY_CONTAINER_REGISTRY_*" in again


def test_an_expired_static_secret_is_not_sent_again(tmp_path):
    helper = Helper(tmp_path)
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        helper.environ |= a_set("MY", registry.registry)
        helper.keep(registry.registry, user="bob", secret="s3cret-s3cret", left=-1)

        said = reason(helper.get(registry.registry))

        assert 0 == registry.asked
    assert "MY_CONTAINER_REGISTRY_*" in said


def test_a_static_secret_that_changed_is_left_to_a_login(tmp_path):
    helper = Helper(tmp_path)
    with Fine({"bob": "another-one"}) as registry:
        helper.environ |= a_set("MY", registry.registry, password="another-one")
        helper.keep(registry.registry, user="bob", secret="s3cret-s3cret")

        assert "s3cret-s3cret" == answered(helper.get(registry.registry))["Secret"]
        assert 0 == registry.asked


def test_a_read_only_cache_still_serves_its_credential(helper):
    helper.keep(left=HOUR)
    helper.see_secrets("up")
    kept = helper.cache.read(HERE)

    class Full(Cache):
        def _open_lock(self, registry):  # noqa: ARG002  (the base class's)
            raise self._failed("lock", OSError(28, "full"))

    found = serve(HERE, Full(helper.cache.path), helper.environ)

    assert kept["credential"]["Secret"] == found.secret


# A cloud that is real but for its address.


def ecr(helper, endpoint):
    helper.environ |= {
        **a_set("ECR", ECR, user=KEY_ID, password=KEY),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }


def test_fifty_concurrent_calls_with_an_expired_token_send_one_request_to_ecr(helper):
    helper.keep(ECR, left=-1)
    with PlayedAws() as aws:
        ecr(helper, aws.endpoint)
        running = [helper.start("get") for _ in range(50)]
        for process in running:
            process.stdin.write(ECR.encode())
            process.stdin.close()
            process.stdin = None
        answers = {process.communicate(timeout=60) for process in running}

    assert ["GetAuthorizationToken"] == aws.actions
    assert [0] * 50 == [process.returncode for process in running]
    ((answer, told),) = answers
    assert f"token-of-{KEY_ID}".encode() in answer
    assert b"" == told


def test_fifty_concurrent_calls_share_one_refusal_of_ecr(helper):
    helper.keep(ECR, left=-1)
    with PlayedAws() as aws:
        ecr(helper, aws.endpoint)
        for _ in range(50):
            aws.refuse("GetAuthorizationToken", "AccessDeniedException", "no-such-right")
        running = [helper.start("get") for _ in range(50)]
        for process in running:
            process.stdin.write(ECR.encode())
            process.stdin.close()
            process.stdin = None
        answers = {process.communicate(timeout=60) for process in running}

    assert ["GetAuthorizationToken"] == aws.actions
    assert [1] * 50 == [process.returncode for process in running]
    # The minutes since it expired may change meanwhile.
    assert all(b"ecr:GetAuthorizationToken" in said for said, _ in answers)


def test_an_ecr_that_hangs_costs_five_seconds_at_most(helper):
    helper.keep(ECR, left=-1)
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        ecr(helper, f"http://127.0.0.1:{hanging.getsockname()[1]}")
        began = time.monotonic()
        ran = helper.get(ECR)
        took = time.monotonic() - began

    assert took < LONG
    assert str(ECR) in reason(ran)


def test_an_unreachable_ecr_endpoint_is_named(helper):
    helper.keep(ECR, left=-1)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    ecr(helper, f"http://127.0.0.1:{port}")

    assert str(port) in reason(helper.get(ECR))


def test_a_registry_without_a_visible_set_is_not_found(helper):
    helper.see_secrets("up")

    ran = helper.get("other.example")

    assert (1, NOT_FOUND, "") == (ran.status, ran.stdout, ran.stderr)
    assert 0 == helper.asked
