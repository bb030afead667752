# SPDX-License-Identifier: MIT
"""
The parts themselves, before our tests use them.

Each is driven by a third-party client.  A part that accepts anything proves nothing, so each must
also refuse.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import socket

import pytest
from parts import netns, tokens

ALICE = ("alice", "in wonder:land")


def test_a_registry_with_passwords_lets_docker_log_in_and_counts_refusals(
    registry_htpasswd, client
):
    registry = registry_htpasswd.registry

    wrong = client.docker("login", registry, "-u", "alice", "--password-stdin", stdin="wrong")
    right = client.docker("login", registry, "-u", "alice", "--password-stdin", stdin=ALICE[1])

    assert 1 == wrong.returncode
    assert 0 == right.returncode
    assert ["alice"] == registry_htpasswd.refusals()
    assert {registry: {"auth": base64.b64encode(b"alice:in wonder:land").decode()}} == (
        client.config()["auths"]
    )


def test_skopeo_pushes_with_the_saved_login_and_the_log_shows_it(
    registry_htpasswd, client, image_layout
):
    client.log_in_by_hand(registry_htpasswd.registry, *ALICE)

    done = _push(client, registry_htpasswd.registry, image_layout)

    assert 0 == done.returncode, done.stderr
    (put,) = [
        r
        for r in registry_htpasswd.requests()
        if r.method == "PUT" and r.path == "/v2/team/app/manifests/latest"
    ]
    assert (True, 201) == (put.accepted, put.status)


def test_a_registry_with_tokens_is_answered_with_get_and_basic(
    registry_token, token_server, client, image_layout
):
    registry = registry_token.registry

    done = client.docker("login", registry, "-u", "alice", "--password-stdin", stdin=ALICE[1])
    pushed = _push(client, registry, image_layout)

    assert 0 == done.returncode, done.stderr
    assert 0 == pushed.returncode, pushed.stderr
    login, *_, push = token_server.requests
    assert ("basic", "alice", tokens.SERVICE, (), True) == (
        login.grant,
        login.user,
        login.service,
        login.scopes,
        login.offline,
    )
    assert ("repository:team/app:pull,push",) == push.scopes


def test_a_registry_with_tokens_refuses_and_the_token_server_records_the_login(
    registry_token, token_server, client
):
    done = client.docker(
        "login", registry_token.registry, "-u", "alice", "--password-stdin", stdin="wrong"
    )

    assert 1 == done.returncode
    assert [("alice", "wrong")] == token_server.refusals()


def test_a_refresh_token_is_saved_by_docker_and_posted_by_skopeo(
    registry_token, token_server, client, image_layout
):
    token_server.refresh = True
    registry = registry_token.registry

    done = client.docker("login", registry, "-u", "alice", "--password-stdin", stdin=ALICE[1])
    pushed = _push(client, registry, image_layout)

    assert 0 == done.returncode, done.stderr
    assert 0 == pushed.returncode, pushed.stderr
    assert client.config()["auths"][registry]["identitytoken"]
    assert ("POST", "refresh_token", "alice", 200) == (
        token_server.requests[-1].method,
        token_server.requests[-1].grant,
        token_server.requests[-1].user,
        token_server.requests[-1].status,
    )


def test_tls_under_a_ca_of_its_own_is_checked_by_skopeo_on_localhost(
    registry_tls, authority, client
):
    login = ["login", "-u", "alice", "--password-stdin"]
    client.run("mkdir", "certs")
    client.run("cp", authority.path, "certs/ca.crt")

    distrusted = client.skopeo(*login, registry_tls.registry, stdin=ALICE[1])
    trusted = client.skopeo(*login, "--cert-dir=certs", registry_tls.registry, stdin=ALICE[1])

    assert 0 != distrusted.returncode
    assert "certificate" in distrusted.stderr
    assert 0 == trusted.returncode, trusted.stderr


def test_tls_away_from_loopback_is_checked_by_docker(
    registry_elsewhere, network, authority, client
):
    login = ["login", registry_elsewhere.registry, "-u", "alice", "--password-stdin"]
    options = {"stdin": ALICE[1], "enter": network.enter}

    distrusted = client.docker(*login, **options)
    trusted = client.docker(*login, **options, SSL_CERT_FILE=authority.path)

    assert f"{netns.ADDRESS}:" in registry_elsewhere.registry
    assert 0 != distrusted.returncode
    assert "certificate" in distrusted.stderr
    assert 0 == trusted.returncode, trusted.stderr


def test_the_devcontainer_cli_posts_a_refresh_token(registry_token, token_server, client):
    token_server.refresh = True
    registry = registry_token.registry
    _feature(client.home)
    client.docker("login", registry, "-u", "alice", "--password-stdin", stdin=ALICE[1])

    published = client.devcontainer(
        "features", "publish", "src", "--registry", registry, "--namespace", "team/features"
    )

    assert 0 == published.returncode, published.stderr
    assert "refresh_token" in {r.grant for r in token_server.requests if r.status == 200}


def test_docker_pushes_an_image_and_the_engine_is_refused_without_a_login(
    engine, registry_htpasswd, client
):
    image = engine.import_busybox(f"{registry_htpasswd.registry}/team/busybox:1")
    reach = {"DOCKER_HOST": engine.host}

    refused = client.docker("push", image, **reach)
    client.log_in_by_hand(registry_htpasswd.registry, *ALICE)
    pushed = client.docker("push", image, **reach)
    ran = client.docker("run", "--rm", "--network=host", image, "echo", "it runs", **reach)
    engine.remove_image(image)

    assert 0 != refused.returncode
    assert 0 == pushed.returncode, pushed.stderr
    assert "it runs\n" == ran.stdout, ran.stderr


@pytest.mark.parametrize(
    ("key_id", "account", "region"),
    [
        ("AKIA0000000000000001", "111111111111", "eu-west-1"),
        ("AKIA0000000000000002", "222222222222", "us-east-2"),
    ],
)
def test_ecr_gives_each_account_its_token_for_twelve_hours(moto, key_id, account, region):
    moto.add_key(key_id, "secret", account=account)

    answer = _ecr(moto, key_id, "secret", region).get_authorization_token()

    (entry,) = answer["authorizationData"]
    left = entry["expiresAt"] - dt.datetime.now(dt.timezone.utc)
    assert f"AWS:{moto.password(account)}" == (
        base64.b64decode(entry["authorizationToken"]).decode()
    )
    assert dt.timedelta(hours=11, minutes=59) < left <= dt.timedelta(hours=12)
    assert [("GetAuthorizationToken", "ecr", region, None)] == [
        (call.action, call.service, call.region, call.error) for call in moto.calls
    ]


def test_ecr_refuses_an_unknown_key_and_a_wrong_secret(moto):
    moto.add_key("AKIA0000000000000001", "secret", account="111111111111")

    unknown = _error(_ecr(moto, "AKIA0000000000000009", "secret"))
    wrong = _error(_ecr(moto, "AKIA0000000000000001", "terces"))

    assert "UnrecognizedClientException" == unknown["Code"]
    assert "InvalidSignatureException" == wrong["Code"]


def test_a_role_of_another_account_is_assumed_and_its_keys_are_known(moto):
    moto.add_key("AKIA0000000000000001", "secret", account="111111111111")
    sts = _aws_client("sts", moto, "AKIA0000000000000001", "secret", "eu-west-1")
    role = "arn:aws:iam::222222222222:role/pull"

    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    ecr = _aws_client(
        "ecr",
        moto,
        keys["AccessKeyId"],
        keys["SecretAccessKey"],
        "eu-west-1",
        aws_session_token=keys["SessionToken"],
    )
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]

    assert f"AWS:{moto.password('222222222222')}" == base64.b64decode(token).decode()
    assert moto.calls[-1].session


def test_a_test_does_not_see_the_environment_of_its_user():
    leaked = [
        name
        for name in os.environ
        if name.startswith(("AWS_", "GITHUB_", "CI_", "DOCKER_", "SSL_"))
        or name.lower().endswith("_proxy")
        or "_CONTAINER_REGISTRY_" in name
    ]

    assert ["AWS_EC2_METADATA_DISABLED", "DOCKER_CONFIG"] == sorted(leaked)
    assert [".docker"] == os.listdir(os.environ["HOME"])
    assert [] == os.listdir(os.environ["DOCKER_CONFIG"])


def test_a_test_cannot_leave_this_machine():
    with socket.socket() as there, pytest.raises(OSError, match="this machine only"):
        there.connect(("192.0.2.1", 443))

    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("registry.example", 443)


def _push(client, registry, layout):
    return client.skopeo(
        "copy",
        "--dest-tls-verify=false",
        f"oci:{layout}:latest",
        f"docker://{registry}/team/app:latest",
    )


def _feature(home):
    folder = os.path.join(home, "src", "hello")
    os.makedirs(folder)
    with open(os.path.join(folder, "devcontainer-feature.json"), "w", encoding="utf-8") as file:
        json.dump({"id": "hello", "version": "1.0.0", "name": "Hello"}, file)
    with open(os.path.join(folder, "install.sh"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")


def _aws_client(service, moto, key_id, secret, region, **options):
    import boto3
    from botocore.config import Config

    return boto3.session.Session().client(
        service,
        region_name=region,
        endpoint_url=moto.endpoint,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"total_max_attempts": 1}),
        **options,
    )


def _ecr(moto, key_id, secret, region="eu-west-1"):
    return _aws_client("ecr", moto, key_id, secret, region)


def _error(client):
    with pytest.raises(client.exceptions.ClientError) as caught:
        client.get_authorization_token()
    return caught.value.response["Error"]
