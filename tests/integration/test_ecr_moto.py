# SPDX-License-Identifier: MIT
"""
ECR with moto over a real connection: the real boto3, and played registries.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from doubles.documents import ECR
from doubles.internet import ALLOWED, DENIED, PlayedInternet
from parts import aws

from devcontainer_registry import DockerConfig, login
from devcontainer_registry.report import LoginReport

ONE, TWO = "AKIA0000000000000001", "AKIA0000000000000002"
KEYS = {ONE: "first/s3cretAccessKey+ThatNobodySees", TWO: "second/s3cretAccessKey+ThatNobodySees"}
ACCOUNTS = {ONE: "111111111111", TWO: "222222222222"}
HOSTS = {
    ONE: "111111111111.dkr.ecr.eu-west-1.amazonaws.com",
    TWO: "222222222222.dkr.ecr.us-east-2.amazonaws.com",
}
ROLE = "arn:aws:iam::333333333333:role/pull"


@pytest.fixture(name="cloud")
def _cloud(moto, monkeypatch):
    """
    AWS with two accounts, where boto3 looks for it.
    """
    for key_id, key in KEYS.items():
        moto.add_key(key_id, key, account=ACCOUNTS[key_id])
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.endpoint)
    return moto


@pytest.fixture(name="home")
def _home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def ecr_set(key_id=ONE, *, set_id="ECR", host=None, key=None, **members):
    members = {
        "SERVER": host or HOSTS[key_id],
        "USER": key_id,
        "PASSWORD": key or KEYS[key_id],
        **members,
    }
    return {f"{set_id}_CONTAINER_REGISTRY_{name}": text for name, text in members.items() if text}


def played(moto, key_id):
    host = HOSTS[key_id]
    return dataclasses.replace(
        ECR,
        name=host,
        server=host,
        host=host,
        password=moto.password(ACCOUNTS[key_id]),
        challenge=f'Basic realm="https://{host}/",service="ecr.amazonaws.com"',
    )


def log_in(home, sets, **options) -> LoginReport:
    config = DockerConfig(os.path.join(home, "config.json"))
    options.setdefault("verify", "never")
    return login(environ={"HOME": str(home), **sets}, config=config, **options)


def kept(home):
    with open(os.path.join(home, "config.json"), encoding="utf-8") as file:
        auths = json.load(file)["auths"]
    return {host: base64.b64decode(entry["auth"]).decode() for host, entry in auths.items()}


def command(home, sets, *arguments, **environ):
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-m", "devcontainer_registry", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DOCKER_CONFIG": str(home),
            "AWS_EC2_METADATA_DISABLED": "true",
            **sets,
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    for text in (ran.stdout, ran.stderr):
        for key in KEYS.values():
            assert key not in text
            assert base64.b64encode(key.encode()).decode() not in text
    return ran


def outcome(report):
    (only,) = report.outcomes
    return only


def asked(cloud):
    return [(call.action, call.region, call.key_id) for call in cloud.calls]


@pytest.fixture(name="two_accounts")
def _two_accounts(cloud):
    """
    Two sets with keys of moto, each in its own account.
    """
    sets, key_ids = {}, []
    for set_id, made_up in (("A", ONE), ("B", TWO)):
        key_id, key = cloud.make_key(account=ACCOUNTS[made_up])
        key_ids.append(key_id)
        sets |= ecr_set(made_up, set_id=set_id, USER=key_id, key=key)
    return sets, key_ids


def test_two_accounts_in_two_regions_are_logged_in_to_in_one_run(cloud, two_accounts, home):
    sets, key_ids = two_accounts
    registries = [played(cloud, key_id) for key_id in (ONE, TWO)]

    with PlayedInternet(*registries) as internet:
        report = log_in(home, {**sets, **internet.environ}, verify="always")

    assert [("ok", True), ("ok", True)] == [(one.status, one.verified) for one in report.outcomes]
    # The passwords hold the number of the account that moto saw.
    assert {
        HOSTS[ONE]: "AWS:" + cloud.password("111111111111"),
        HOSTS[TWO]: "AWS:" + cloud.password("222222222222"),
    } == kept(home)
    assert {
        ("GetAuthorizationToken", "eu-west-1", key_ids[0]),
        ("GetAuthorizationToken", "us-east-2", key_ids[1]),
    } == set(asked(cloud))
    for one in report.outcomes:
        assert 11.9 * 3600 < one.expires_at - time.time() <= 12 * 3600


def test_the_account_comes_from_the_key_and_not_from_the_host(cloud, home):
    key_id, key = cloud.make_key(account="444444444444")

    log_in(home, ecr_set(host=HOSTS[TWO], USER=key_id, key=key))

    assert {HOSTS[TWO]: "AWS:" + cloud.password("444444444444")} == kept(home)


def test_the_command_logs_in_to_two_accounts(cloud, two_accounts, home):
    sets = {
        **two_accounts[0],
        "A_CONTAINER_REGISTRY_IMAGE": f"{HOSTS[ONE]}/{ALLOWED}:1",
        "B_CONTAINER_REGISTRY_IMAGE": f"{HOSTS[TWO]}/{DENIED}:1",
    }

    with PlayedInternet(*(played(cloud, key_id) for key_id in (ONE, TWO))) as internet:
        ran = command(
            home, sets, "login", "--json", AWS_ENDPOINT_URL=cloud.endpoint, **internet.environ
        )

    document = json.loads(ran.stdout)
    first, second = document["registries"]
    assert 4 == ran.returncode
    assert ("ok", True) == (first["status"], first["verified"])
    assert ("ok", "pull-denied") == (second["status"], second["code"])
    assert "ecr:BatchGetImage" in second["error"]["hint"]
    assert set(HOSTS.values()) == set(kept(home))


@pytest.mark.usefixtures("cloud")
def test_a_dual_stack_host_keeps_its_own_name(home):
    # And not the one that proxyEndpoint names, which is the IPv4 host always.
    host = "111111111111.dkr-ecr.eu-west-1.on.aws"

    report = log_in(home, ecr_set(ONE, host=host))

    assert "ok" == outcome(report).status
    assert [host] == list(kept(home))


def test_sets_of_one_identity_and_region_ask_once(cloud, home):
    sets = {
        **ecr_set(ONE, set_id="A"),
        **ecr_set(ONE, set_id="B", host="999999999999.dkr.ecr.eu-west-1.amazonaws.com"),
        **ecr_set(ONE, set_id="C", host="888888888888.dkr.ecr.eu-west-1.amazonaws.com"),
        **ecr_set(ONE, set_id="D", host="888888888888.dkr.ecr.eu-west-2.amazonaws.com"),
    }

    report = log_in(home, sets)

    assert ["ok"] * 4 == [one.status for one in report.outcomes]
    assert ["eu-west-1", "eu-west-2"] == sorted(region for _, region, _ in asked(cloud))
    assert 4 == len(kept(home))


def test_a_refused_key_is_sent_once_and_reported_for_each_set(cloud, home):
    sets = {
        **ecr_set(ONE, set_id="A", key="wrong"),
        **ecr_set(
            ONE, set_id="B", key="wrong", host="999999999999.dkr.ecr.eu-west-1.amazonaws.com"
        ),
    }

    report = log_in(home, sets)

    assert ["rejected"] * 2 == [one.status for one in report.outcomes]
    assert 1 == len(cloud.calls)
    for one in report.outcomes:
        assert f"{one.id}_CONTAINER_REGISTRY_PASSWORD" in one.error.hint


@pytest.mark.parametrize(
    ("change", "fault", "code"),
    [
        ({"key": "wrong"}, None, "aws-key-mismatch"),
        ({}, aws.UNRECOGNIZED, "aws-key-unknown"),
        ({}, aws.DENIED, "aws-denied"),
        ({}, aws.SKEWED, "clock-skew"),
        ({}, aws.EXPIRED, "aws-token-expired"),
    ],
)
def test_a_refusal_by_aws_is_not_retried(cloud, home, change, fault, code):
    if fault:
        cloud.always(ONE, fault)
    sets = {**ecr_set(ONE, **change), **ecr_set(TWO, set_id="FINE")}

    report = log_in(home, sets)

    refused, fine = report.outcomes
    assert ("rejected", code, 1) == (refused.status, refused.code, refused.attempts)
    assert "ok" == fine.status
    assert 1 == sum(call.key_id == ONE for call in cloud.calls)
    assert [HOSTS[TWO]] == list(kept(home))
    assert 4 == report.exit_status


def test_a_refusal_is_one_line_of_the_command_and_its_hint(cloud, home):
    cloud.always(ONE, aws.DENIED)

    ran = command(home, ecr_set(ONE), "login", AWS_ENDPOINT_URL=cloud.endpoint)

    assert 4 == ran.returncode
    text = " ".join(ran.stdout.split())
    assert "ECR in eu-west-1 denied ecr:GetAuthorizationToken" in text
    assert (
        "allow ecr:GetAuthorizationToken on * for the owner of ECR_CONTAINER_REGISTRY_USER" in text
    )
    # AWS's own text names the principal.
    assert "arn:aws:iam" not in ran.stdout + ran.stderr


def test_a_throttled_request_is_retried(cloud, home):
    cloud.script(ONE, aws.THROTTLED, aws.BROKEN)
    waits = []

    from devcontainer_registry import RetryPolicy

    report = log_in(home, ecr_set(ONE), retry=RetryPolicy(sleep=waits.append))

    assert ("ok", 3) == (outcome(report).status, outcome(report).attempts)
    assert 2 == len(waits)
    assert 3 == len(cloud.calls)


def test_an_unreachable_endpoint_is_named_and_nothing_is_saved(home, monkeypatch):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://user:passw0rd@127.0.0.1:{port}")
    from devcontainer_registry import RetryPolicy

    report = log_in(home, ecr_set(ONE), retry=RetryPolicy(sleep=lambda _: None))

    only = outcome(report)
    assert ("failed", "connection-refused", 4) == (only.status, only.code, only.attempts)
    assert f"127.0.0.1:{port} refused the connection" == only.error.message
    assert "ECR_CONTAINER_REGISTRY_SERVER" in only.error.hint
    assert "passw0rd" not in only.error.message + only.error.hint
    assert 5 == report.exit_status
    assert not os.path.exists(os.path.join(home, "config.json"))


def test_a_temporary_key_without_its_session_token_is_not_sent(cloud, home):
    sets = ecr_set(ONE, USER="ASIA0000000000000001")

    report = log_in(home, sets)

    assert ("incomplete", "session-token-missing") == (
        outcome(report).status,
        outcome(report).code,
    )
    assert [] == cloud.calls


def test_a_temporary_key_is_sent_with_its_session_token(cloud, home):
    cloud.add_key("ASIA0000000000000001", "temporary", account="444444444444")
    sets = ecr_set(ONE, USER="ASIA0000000000000001", PASSWORD="temporary", SESSION_TOKEN="abc")

    report = log_in(home, sets)

    assert "ok" == outcome(report).status
    assert [True] == [call.session for call in cloud.calls]


def test_a_role_is_assumed_with_the_sets_key(cloud, home):
    report = log_in(home, ecr_set(ONE, ROLE_ARN=ROLE))

    assert "ok" == outcome(report).status
    assert {HOSTS[ONE]: "AWS:" + cloud.password("333333333333")} == kept(home)
    assert ["AssumeRole", "GetAuthorizationToken"] == [call.action for call in cloud.calls]
    assert ["eu-west-1"] * 2 == [call.region for call in cloud.calls]


def test_a_role_that_may_not_be_assumed_names_the_action(cloud, home):
    cloud.always(ONE, aws.DENIED)

    report = log_in(home, ecr_set(ONE, ROLE_ARN=ROLE))

    only = outcome(report)
    assert ("rejected", "aws-role-denied") == (only.status, only.code)
    assert "AWS STS denied sts:AssumeRole" == only.error.message
    assert "ECR_CONTAINER_REGISTRY_ROLE_ARN" in only.error.hint


def shared_files(home, config="", credentials=""):
    folder = home / ".aws"
    folder.mkdir()
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)


KEYS_FILE = f"[work]\naws_access_key_id={ONE}\naws_secret_access_key={KEYS[ONE]}\n"


def test_a_profile_provides_the_key_of_a_login(cloud, home):
    shared_files(home, "[profile work]\nregion=ap-south-1\n", KEYS_FILE)

    report = log_in(home, ecr_set(host=HOSTS[TWO], USER="", PASSWORD="", PROFILE="work"))

    assert "ok" == outcome(report).status
    assert [("GetAuthorizationToken", "us-east-2", ONE)] == asked(cloud)


def test_a_chained_role_is_assumed_through_a_profile(cloud, home):
    first = "arn:aws:iam::222222222222:role/jump"
    shared_files(
        home, f"[profile jump]\nrole_arn={first}\nsource_profile=work\n[profile work]\n", KEYS_FILE
    )

    report = log_in(
        home, ecr_set(host=HOSTS[ONE], USER="", PASSWORD="", PROFILE="jump", ROLE_ARN=ROLE)
    )

    assert "ok" == outcome(report).status
    assert {HOSTS[ONE]: "AWS:" + cloud.password("333333333333")} == kept(home)
    assert ["AssumeRole", "AssumeRole", "GetAuthorizationToken"] == [
        call.action for call in cloud.calls
    ]
    assert [False, True, True] == [call.session for call in cloud.calls]


def test_the_default_chain_uses_the_keys_of_the_environment(cloud, home):
    ran = command(
        home,
        ecr_set(USER="", PASSWORD=""),
        "login",
        "--verify=never",
        AWS_ENDPOINT_URL=cloud.endpoint,
        AWS_ACCESS_KEY_ID=ONE,
        AWS_SECRET_ACCESS_KEY=KEYS[ONE],
    )

    assert 0 == ran.returncode, ran.stdout
    assert [ONE] == [call.key_id for call in cloud.calls]


def test_a_custom_host_works_with_a_kind_and_a_region(cloud, home):
    sets = ecr_set(ONE, host="images.corp.example", KIND="ecr", REGION="eu-central-1")

    report = log_in(home, sets)

    assert "ok" == outcome(report).status
    assert ["images.corp.example"] == list(kept(home))
    assert ["eu-central-1"] == [call.region for call in cloud.calls]


def test_ecr_public_is_logged_in_to(cloud, home):
    report = log_in(home, ecr_set(ONE, host="public.ecr.aws"))

    assert "ok" == outcome(report).status
    assert {"public.ecr.aws": "AWS:" + cloud.password("111111111111")} == kept(home)
    assert ["ecr-public"] == [call.service for call in cloud.calls]


def test_a_token_from_the_aws_cli_needs_no_request_and_keeps_its_expiry(cloud, home):
    password = base64.b64encode(json.dumps({"expiration": 4102444800}).encode()).decode()

    report = log_in(home, ecr_set(USER="AWS", PASSWORD=password))

    assert ("ok", 4102444800.0) == (outcome(report).status, outcome(report).expires_at)
    assert [] == cloud.calls


@pytest.mark.parametrize("broken", ["profile", "config", "credentials"])
def test_a_key_needs_nothing_of_the_shared_files(cloud, home, broken):
    environ = {"AWS_ENDPOINT_URL": cloud.endpoint}
    if broken == "profile":
        environ.update(AWS_PROFILE="nobody", AWS_DEFAULT_PROFILE="nobody")
    else:
        shared_files(home, **{broken: "[default\nthis is = no ini [[[\n= x\n"})

    ran = command(home, ecr_set(ONE, ROLE_ARN=ROLE), "login", "--verify=never", **environ)

    assert 0 == ran.returncode, ran.stdout + ran.stderr
    assert ["AssumeRole", "GetAuthorizationToken"] == [call.action for call in cloud.calls]


def test_no_event_of_a_login_shows_a_key_a_signature_or_the_token(cloud, home):
    told = []
    report = log_in(
        home, ecr_set(), observe=lambda event, /, **fields: told.append((event, fields))
    )

    assert report.ok
    (asked,) = [fields for event, fields in told if event == "cloud.answered"]
    assert ("ecr:GetAuthorizationToken", "ok") == (asked["operation"], asked["result"])
    assert asked["host"] == cloud.endpoint.partition("://")[2]
    password = cloud.password(ACCOUNTS[ONE])
    token = base64.b64encode(f"AWS:{password}".encode()).decode()
    for secret in (ONE, KEYS[ONE], password, token, "AWS4-HMAC"):
        assert secret not in repr(told)
