# SPDX-License-Identifier: MIT
"""
ECR for a key pair without AWS's SDK: which sets, which endpoint, and what of the SDK is loaded.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys

import botocore.auth
import botocore.loaders
import pytest
from botocore.endpoint_provider import EndpointProvider
from doubles.clouds import KEY, KEY_ID, ROLE, PlayedAws, as_json, token

from devcontainer_registry.authenticators.clouds.aws import signed
from devcontainer_registry.authenticators.clouds.aws.names import Endpoint, Identity
from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.identities.hosts import ecr_api
from devcontainer_registry.observer import listening
from devcontainer_registry.registry import Registry

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PAIR = Identity(key_id=KEY_ID, key=Secret(KEY))
HERE = Endpoint(region="eu-west-1")
DIRECT = "https://api.ecr.eu-west-1.amazonaws.com/"

DATA = botocore.loaders.Loader()
PARTITIONS = DATA.load_data("partitions")
REGIONS = [
    region
    for partition in PARTITIONS["partitions"]
    for region in partition["regions"]
    if not region.endswith("-global")
]


def resolved(service, region, *, dual=False):
    rules = DATA.load_service_model(service, "endpoint-rule-set-1")
    found = EndpointProvider(rules, PARTITIONS).resolve_endpoint(
        Region=region, UseFIPS=False, UseDualStack=dual
    )
    return found.url.removeprefix("https://")


def keyed(**members):
    members = {"username": KEY_ID, "secret": Secret(KEY), **members}
    host = members.pop("host", HOST)
    return RegistrySecret(id="E", registry=Registry(host), source="E", **members)


def test_botocore_knows_many_regions():
    assert len(REGIONS) > 40


@pytest.mark.parametrize("region", REGIONS)
def test_the_host_of_each_region_is_botocores(region):
    assert resolved("ecr", region) == ecr_api(region, public=False, dual=False)
    assert ecr_api(region, public=False, dual=True) in (
        resolved("ecr", region, dual=True),
        None,  # no registry has a name of that kind there
    )


def test_the_host_of_ecr_public_is_botocores():
    for dual in (False, True):
        expected = resolved("ecr-public", "us-east-1", dual=dual)
        assert expected == ecr_api("us-east-1", public=True, dual=dual)


@pytest.mark.parametrize(
    "region", ["", "eu west 1", "eu-west-1.evil.example", "eu-west-1/", "EU-WEST-1", "@", "eu-west"]
)
def test_a_region_of_no_known_form_is_left_to_the_sdk(region):
    assert ecr_api(region, public=False, dual=False) is None
    assert signed.url_for(PAIR, Endpoint(region=region)) is None


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, DIRECT),
        ({"AWS_PROFILE": "absent", "AWS_CONFIG_FILE": "/absent"}, DIRECT),
        ({"AWS_ENDPOINT_URL": "https://a.example"}, "https://a.example/"),
        ({"AWS_ENDPOINT_URL": "https://a.example:8443/"}, "https://a.example:8443/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:5000"}, "http://127.0.0.1:5000/"),
        (
            {"AWS_ENDPOINT_URL": "https://a.example", "AWS_ENDPOINT_URL_ECR": "https://b.example"},
            "https://b.example/",
        ),
        ({"AWS_ENDPOINT_URL_STS": "https://a.example"}, DIRECT),
        (
            {
                "AWS_ENDPOINT_URL": "https://a.example",
                "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "TRUE",
            },
            DIRECT,
        ),
        # The SDK's to judge, or to obey.
        ({"AWS_ENDPOINT_URL": ""}, None),
        ({"AWS_ENDPOINT_URL": "nonsense"}, None),
        ({"AWS_ENDPOINT_URL": "https://ann:s3cret@a.example"}, None),
        ({"AWS_ENDPOINT_URL": "https://a.example/ecr"}, None),
        ({"AWS_ENDPOINT_URL": "https://a.example/?x=1"}, None),
        ({"AWS_ENDPOINT_URL": "http://moto:5000"}, None),
        ({"AWS_CA_BUNDLE": "/etc/corp.pem"}, None),
        ({"AWS_DATA_PATH": "/opt/models"}, None),
        ({"AWS_USE_FIPS_ENDPOINT": "true"}, None),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, None),
    ],
)
def test_the_environment_names_the_endpoint_or_asks_for_the_sdk(monkeypatch, environ, url):
    for name, text in environ.items():
        monkeypatch.setenv(name, text)

    found = signed.url_for(PAIR, HERE)

    assert url == (str(found) if found else None)


@pytest.mark.parametrize(
    "identity",
    [
        Identity(),
        Identity(profile="corp"),
        Identity(key=Secret(KEY)),
        Identity(key_id=KEY_ID),
        Identity(key_id=KEY_ID, key=Secret(KEY), role_arn=ROLE),
        Identity(role_arn=ROLE, audience="sts.amazonaws.com"),
    ],
)
def test_an_identity_that_is_more_than_a_key_pair_is_left_to_the_sdk(identity):
    assert signed.url_for(identity, HERE) is None


def test_a_fips_endpoint_is_left_to_the_sdk():
    assert signed.url_for(PAIR, Endpoint(region="us-east-1", fips=True)) is None


@pytest.mark.parametrize(("host", "region"), [(HOST, "eu-west-1"), ("public.ecr.aws", "us-east-1")])
def test_the_request_is_the_sdks_own(monkeypatch, tmp_path, host, region):
    seen = []
    with PlayedAws() as aws:
        for name, text in aws.environ.items():
            monkeypatch.setenv(name, text)
        answer = aws._server.answer

        def note(method, target, headers, body):
            seen.append((method, target, dict(headers), body))
            return answer(method, target, headers, body)

        aws._server.answer = note
        members = {"host": host, "session_token": Secret("session+token/=")}
        ours = EcrAuthenticator().authenticate(keyed(**members), timeout=5.0)
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
        sdks = EcrAuthenticator().authenticate(keyed(**members), timeout=5.0)

    assert (ours.username, ours.secret.reveal()) == (sdks.username, sdks.secret.reveal())
    assert abs(ours.expires_at - sdks.expires_at) < 60
    assert [region, region] == [call.region for call in aws.calls]
    first, second = (relevant(*request) for request in seen)
    assert second == first


def relevant(method, target, headers, body):
    """
    What AWS looks at, without what each call has anew.
    """
    named = {name.lower(): value for name, value in headers.items()}
    signed = named["authorization"].partition("SignedHeaders=")[2].partition(",")[0]
    values = {name: named[name] for name in signed.split(";") if name != "x-amz-date"}
    scope = named["authorization"].partition("Credential=")[2].partition(",")[0]
    return method, target, values, scope.split("/")[2:], body


@pytest.mark.parametrize("expires_at", [4102444800, 4102444800.5, "2100-01-01T00:00:00Z"])
def test_the_expiry_is_read_in_each_form_that_botocore_reads(monkeypatch, expires_at):
    with PlayedAws() as aws:
        for name, text in aws.environ.items():
            monkeypatch.setenv(name, text)
        entry = {"authorizationToken": token(KEY_ID), "expiresAt": expires_at}
        aws.answers["GetAuthorizationToken"] = [as_json({"authorizationData": [entry]})]

        found = EcrAuthenticator().authenticate(keyed(), timeout=5.0)

    assert 4102444800 == int(found.expires_at)


@pytest.mark.parametrize(
    ("trouble", "result"),
    [
        (None, "ok"),
        ("refusal", "AccessDeniedException"),
        ("nobody", "connection-refused"),
        ("a bug", "failed"),
    ],
)
def test_the_event_of_the_request_says_how_it_ended(monkeypatch, trouble, result):
    told = []
    with PlayedAws() as aws:
        endpoint = aws.environ["AWS_ENDPOINT_URL"]
        if trouble == "refusal":
            aws.refuse("GetAuthorizationToken", "AccessDeniedException")
        if trouble == "nobody":
            with socket.create_server(("127.0.0.1", 0)) as gone:
                endpoint = f"http://127.0.0.1:{gone.getsockname()[1]}"
        if trouble == "a bug":
            monkeypatch.setattr(botocore.auth.SigV4Auth, "add_auth", lambda *_: 1 / 0)
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        with (
            listening(lambda event, /, **fields: told.append((event, fields))),
            contextlib.suppress(RegistryError, ZeroDivisionError),
        ):
            EcrAuthenticator().authenticate(keyed(), timeout=5.0)

    assert [result] == [fields["result"] for event, fields in told if event == "cloud.answered"]


def test_a_key_pair_loads_the_signer_and_no_more():
    with PlayedAws() as aws:
        program = f"""
import os, sys
from devcontainer_registry import login
sets = {{"E_CONTAINER_REGISTRY_SERVER": {HOST!r}, "E_CONTAINER_REGISTRY_USER": {KEY_ID!r},
         "E_CONTAINER_REGISTRY_PASSWORD": {KEY!r}}}
assert login(environ={{**os.environ, **sets}}, verify="never").ok
print(*sorted({{"boto3", "botocore", "botocore.auth", "botocore.client", "botocore.session"}}
              & set(sys.modules)))
"""
        ran = subprocess.run(
            [sys.executable, "-W", "error", "-c", program],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
            env={**os.environ, **aws.environ},
        )

    assert ["botocore", "botocore.auth"] == ran.stdout.split()
