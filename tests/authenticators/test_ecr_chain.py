# SPDX-License-Identifier: MIT
"""
ECR without a key in the set: profiles, and what AWS's SDK finds by itself, played on loopback.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import logging
import os
import subprocess
import sys
import time

import pytest
from doubles.clouds import KEY, KEY_ID, ROLE, SSO_REFUSALS, WEB_REFUSALS, PlayedAws, as_json
from doubles.patience import LONG

from devcontainer_registry.authenticators import load
from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import DiscoveryError, RegistryError, UnreachableError
from devcontainer_registry.registry import Registry

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ECR, SSO, WEB = "GetAuthorizationToken", "GetRoleCredentials", "AssumeRoleWithWebIdentity"
CANARY = "C4naryThatNobodyMaySee"


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    with PlayedAws() as played:
        for name, text in played.environ.items():
            monkeypatch.setenv(name, text)
        yield played


@pytest.fixture(name="shared")
def _shared(monkeypatch, tmp_path):
    """
    A function that writes ~/.aws/config and ~/.aws/credentials.
    """
    monkeypatch.setenv("HOME", str(tmp_path))

    def write(config="", credentials=""):
        folder = tmp_path / ".aws"
        folder.mkdir(exist_ok=True)
        (folder / "config").write_text(config)
        (folder / "credentials").write_text(credentials)
        # botocore works out this path once, when it is imported, and here HOME changes later.
        cache = str(folder / "sso" / "cache")
        monkeypatch.setattr("botocore.credentials.SSOProvider._SSO_TOKEN_CACHE_DIR", cache)
        return folder

    return write


@pytest.fixture(name="metadata")
def _metadata(aws, monkeypatch):
    """
    An instance with metadata.
    """
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.endpoint)
    return aws


def secret(**members):
    return RegistrySecret(
        id="E",
        registry=Registry(members.pop("host", HOST)),
        source="E_CONTAINER_REGISTRY_*",
        **members,
    )


def token_of(one, *, timeout=5.0):
    password = EcrAuthenticator().authenticate(one, timeout=timeout).secret.reveal()
    return password.removeprefix("token-of-")


def error_of(one, *, timeout=5.0):
    with pytest.raises(RegistryError) as caught:
        EcrAuthenticator().authenticate(one, timeout=timeout)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert CANARY not in f"{error.message}{error.hint}"
    assert error.hint
    assert "{" not in f"{error.message}{error.hint}"
    return error


def keys(profile="default"):
    return f"[{profile}]\naws_access_key_id={KEY_ID}\naws_secret_access_key={KEY}\n"


def test_the_keys_of_the_environment_are_found(aws, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)

    assert KEY_ID == token_of(secret())
    assert ["eu-west-1"] == [call.region for call in aws.calls]


def test_the_region_is_the_hosts_and_never_the_environments(aws, monkeypatch, shared):
    shared("[default]\nregion=ap-south-1\n", keys())
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-west-2")

    token_of(secret())

    assert ["eu-west-1"] == [call.region for call in aws.calls]


@pytest.mark.usefixtures("aws")
def test_the_shared_files_are_found(shared):
    shared("", keys())

    assert KEY_ID == token_of(secret())


def test_a_web_identity_is_found(aws, monkeypatch, tmp_path):
    (tmp_path / "token").write_text("a.b.c")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)

    assert token_of(secret()).startswith("ASIA")
    assert [WEB, ECR] == aws.actions


def test_a_containers_role_is_found(aws, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.endpoint}/container")

    assert "ASIACONTAINER0000000" == token_of(secret())


def test_an_instances_role_is_found(metadata):
    assert token_of(secret()).startswith("ASIAMETADATA")
    assert ["metadata token", "metadata role", "metadata", ECR] == metadata.actions


def test_a_single_sign_on_is_found(aws, shared):
    sign_in(shared, expires_in=3600)

    assert "ASIASSO0000000000000" == token_of(secret(profile="sso"))
    assert [SSO, ECR] == aws.actions


def sign_in(shared, *, expires_in):
    folder = shared(
        "[profile sso]\nsso_start_url=https://corp.awsapps.com/start\nsso_region=eu-west-1\n"
        "sso_account_id=222222222222\nsso_role_name=pull\n"
    )
    if expires_in is None:
        return
    cache = folder / "sso" / "cache"
    cache.mkdir(parents=True)
    end = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=expires_in)
    document = {"accessToken": CANARY, "expiresAt": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
    name = hashlib.sha1(b"https://corp.awsapps.com/start").hexdigest()
    (cache / f"{name}.json").write_text(json.dumps(document))


def test_a_profile_beats_the_keys_of_the_environment(aws, shared, monkeypatch):
    shared("", keys("work"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA0000000000000009")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")

    assert KEY_ID == token_of(secret(profile="work"))
    assert [ECR] == aws.actions


def test_a_role_is_assumed_from_what_was_found(metadata):
    assert token_of(secret(role_arn=ROLE)).startswith("ASIA")
    assert ["metadata token", "metadata role", "metadata", "AssumeRole", ECR] == metadata.actions


@pytest.mark.usefixtures("aws")
def test_a_process_that_prints_keys_is_run(shared):
    document = json.dumps({"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": KEY})
    folder = shared("[profile p]\ncredential_process=cat ~/.aws/keys.json\n")
    (folder / "keys.json").write_text(document)
    shared(f"[profile p]\ncredential_process=cat {folder}/keys.json\n")

    assert KEY_ID == token_of(secret(profile="p"))


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_key_of_ones_own_never_asks_the_metadata(metadata, monkeypatch, mode):
    # With `auto`, botocore would ask there for the region, to choose its timeouts.
    monkeypatch.setenv("AWS_DEFAULTS_MODE", mode)

    token_of(secret(username=KEY_ID, secret=Secret(KEY), role_arn=ROLE))

    assert ["AssumeRole", ECR] == metadata.actions


def test_a_laptop_without_metadata_waits_two_seconds_at_most(monkeypatch):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("AWS_METADATA_SERVICE_TIMEOUT", "600")

        error = error_of(secret(), timeout=LONG)

    # Else it had been "timeout".
    assert "aws-no-credentials" == error.code


def test_a_process_that_hangs_is_not_waited_for_beyond_the_time(shared, tmp_path):
    os.mkfifo(tmp_path / "hangs")
    shared(f"[profile p]\ncredential_process=cat {tmp_path}/hangs\n")

    error = error_of(secret(profile="p"), timeout=0.3)

    assert "timeout" == error.code
    # Let it end, as the loggers are silent until then, and other tests look at them.
    with open(tmp_path / "hangs", "w", encoding="utf-8"):
        pass
    while logging.getLogger("botocore").level != logging.NOTSET:
        time.sleep(0.02)


PROFILE = "E_CONTAINER_REGISTRY_PROFILE"
LOGIN = "run aws sso login with that profile in this container"


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize(
    ("files", "members", "expected"),
    [
        (
            ("", ""),
            {"profile": "nobody"},
            (
                "aws-profile-missing",
                f"the AWS profile that {PROFILE} names does not exist here",
                f"correct {PROFILE}, or add the profile to ~/.aws/config",
            ),
        ),
        (
            ("[profile p]\nregion=eu-west-1\n", ""),
            {"profile": "p"},
            (
                "aws-no-credentials",
                f"the AWS profile that {PROFILE} names has no credentials",
                "add keys, a role or single sign-on to the profile in ~/.aws/config",
            ),
        ),
        (
            ("", ""),
            {},
            (
                "aws-no-credentials",
                (
                    "no AWS credentials found for ECR in eu-west-1; instance metadata "
                    "is switched off"
                ),
                (
                    "set E_CONTAINER_REGISTRY_USER and E_CONTAINER_REGISTRY_PASSWORD to an access "
                    f"key, or {PROFILE} to a profile"
                ),
            ),
        ),
        (
            ("", f"[p]\naws_access_key_id={KEY_ID}\n"),
            {"profile": "p"},
            (
                "aws-key-incomplete",
                (
                    "this container's AWS credentials have an access key id but no "
                    "aws_secret_access_key"
                ),
                "set the missing part, or remove the access key id",
            ),
        ),
        (
            (
                (
                    "[profile a]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=b\n"
                    "[profile b]\nrole_arn=arn:aws:iam::1:role/b\nsource_profile=a\n"
                ),
                "",
            ),
            {"profile": "a"},
            (
                "aws-profile-loop",
                f"the AWS profiles of {PROFILE} refer to each other in a loop",
                "correct source_profile in ~/.aws/config",
            ),
        ),
        (
            ("[profile a]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=b\n", ""),
            {"profile": "a"},
            (
                "aws-profile-incomplete",
                (
                    f"the AWS profile of {PROFILE} is incomplete, or its source_profile or "
                    "credential_source is"
                ),
                (
                    "run aws sts get-caller-identity --profile with that profile to see what is "
                    "missing"
                ),
            ),
        ),
        (
            (
                (
                    "[profile a]\nrole_arn=arn:aws:iam::222222222222:role/a\nsource_profile=b\n"
                    "mfa_serial=arn:aws:iam::1:mfa/me\n"
                ),
                keys("b"),
            ),
            {"profile": "a"},
            (
                "aws-mfa",
                f"the AWS profile of {PROFILE} asks for a multi-factor code",
                "use a profile with aws sso login, or a role that needs no code",
            ),
        ),
        (
            (f"[profile p]\ncredential_process=sh -c 'echo {CANARY} >&2; exit 1'\n", ""),
            {"profile": "p"},
            (
                "aws-process-failed",
                f"the credential_process of {PROFILE} failed",
                "run the profile's credential_process by hand to see why",
            ),
        ),
    ],
)
def test_faults_of_the_shared_files_are_named(shared, files, members, expected):
    shared(*files)

    error = error_of(secret(**members))

    assert expected == (error.code, error.message, error.hint)
    assert isinstance(error, DiscoveryError)


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("name", ["config", "credentials"])
def test_a_shared_file_that_is_broken_is_named_and_not_quoted(shared, name):
    folder = shared(**{name: f"[default\n{CANARY} [[[\n= {CANARY}\n"})

    error = error_of(secret())

    assert "aws-config-broken" == error.code
    assert f"{folder / name} is not a valid AWS configuration file" == error.message


def test_an_unknown_aws_profile_is_named(aws, shared, monkeypatch):
    shared()
    monkeypatch.setenv("AWS_PROFILE", "nobody")

    error = error_of(secret())

    assert "the AWS profile that AWS_PROFILE names does not exist here" == error.message
    assert [] == aws.calls


@pytest.mark.parametrize(
    ("expires_in", "code", "line"),
    [
        (
            None,
            "aws-sso-missing",
            f"the AWS profile of {PROFILE} is not signed in",
        ),
        (-3600, "aws-sso-expired", f"the single sign-on session of {PROFILE} expired"),
    ],
)
def test_an_expired_single_sign_on_is_named(aws, shared, expires_in, code, line):
    sign_in(shared, expires_in=expires_in)

    error = error_of(secret(profile="sso"))

    assert (code, line, LOGIN) == (error.code, error.message, error.hint)
    assert isinstance(error, DiscoveryError)
    assert [] == aws.calls


@pytest.mark.parametrize(("refusal", "expected"), [(row[0], row[1:]) for row in SSO_REFUSALS])
def test_a_refusal_of_identity_center_is_named(aws, shared, refusal, expected):
    sign_in(shared, expires_in=3600)
    _, name, text, status = refusal
    headers = {"x-amzn-ErrorType": name}
    aws.answers[SSO] = [as_json({"message": text}, status, headers)]

    error = error_of(secret(profile="sso"))

    assert expected == (type(error), error.code, error.message, error.hint)


@pytest.mark.parametrize(("refusal", "expected"), [(row[0], row[1:]) for row in WEB_REFUSALS])
def test_a_refusal_of_a_web_identity_is_named(aws, monkeypatch, tmp_path, refusal, expected):
    (tmp_path / "token").write_text(CANARY)
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    action, name, text, *status = refusal
    aws.refuse(action, name, text, status=status[0] if status else 400)

    error = error_of(secret())

    assert expected == (type(error), error.code, error.message, error.hint)


@pytest.mark.usefixtures("aws")
def test_a_web_identity_without_its_file_is_named(monkeypatch):
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)

    error = error_of(secret())

    assert "aws-web-identity-missing" == error.code
    assert "cannot read the file that AWS_WEB_IDENTITY_TOKEN_FILE names" == error.message


def test_a_container_endpoint_without_credentials_is_named(aws, monkeypatch):
    aws.answers["container"] = [(403, {}, CANARY.encode())] * 3
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.endpoint}/container")
    monkeypatch.setattr("botocore.utils.ContainerMetadataFetcher.SLEEP_TIME", 0)

    error = error_of(secret())

    assert (UnreachableError, "aws-metadata-unreachable") == (type(error), error.code)
    assert "the container credentials endpoint returned no credentials" == error.message


@pytest.mark.usefixtures("aws")
def test_a_temporary_key_of_the_environment_needs_its_token(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIA0000000000000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)

    error = error_of(secret())

    assert "session-token-missing" == error.code
    assert error.message.startswith("AWS_ACCESS_KEY_ID is a temporary access key")
    assert "AWS_SESSION_TOKEN" in error.hint


@pytest.mark.parametrize(
    ("source", "owner"),
    [
        ("environment", "the owner of AWS_ACCESS_KEY_ID"),
        ("files", "the owner of the access key in ~/.aws"),
        ("container", "the container's role"),
    ],
)
def test_a_denial_names_the_principal_to_allow(aws, monkeypatch, shared, source, owner):
    shared("", keys() if source == "files" else "")
    if source == "environment":
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY)
    if source == "container":
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.endpoint}/container")
    aws.refuse(ECR, "AccessDeniedException", "no")

    error = error_of(secret())

    assert f"allow ecr:GetAuthorizationToken on * for {owner}" == error.hint


def test_a_denial_of_an_unplayed_metadata_endpoint_is_no_bug(metadata, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "no url")

    error = error_of(secret())

    assert "aws-endpoint-invalid" == error.code
    assert [] == metadata.calls


def test_the_sdk_is_asked_through_the_entry_point_too(aws):
    one = secret(username=KEY_ID, secret=Secret(KEY))

    credential = load()["ecr"].authenticate(one, timeout=5.0)

    assert f"token-of-{KEY_ID}" == credential.secret.reveal()
    assert [ECR] == aws.actions


def test_nothing_of_the_sdk_is_printed(aws, tmp_path):
    program = (
        "from devcontainer_registry import login; "
        f"r = login(environ={{'HOME': {str(tmp_path)!r}, 'E_CONTAINER_REGISTRY_SERVER': {HOST!r}, "
        f"'E_CONTAINER_REGISTRY_USER': {KEY_ID!r}, 'E_CONTAINER_REGISTRY_PASSWORD': {KEY!r}}}, "
        "verify='never'); assert r.outcomes[0].status == 'ok', r"
    )

    ran = subprocess.run(
        [sys.executable, "-W", "default", "-c", program],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **aws.environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)


def test_the_sdk_logs_nothing_while_it_works_for_us(aws, shared, caplog):
    caplog.set_level(logging.DEBUG)
    shared(f"[profile p]\ncredential_process=sh -c 'echo {CANARY} >&2; exit 1'\n")

    token_of(secret(username=KEY_ID, secret=Secret(KEY)))
    error_of(secret(profile="p"))

    assert 1 == len(aws.calls)
    assert [] == [record for record in caplog.records if record.name.startswith("boto")]
    # And afterwards as before.
    assert logging.NOTSET == logging.getLogger("botocore").level
