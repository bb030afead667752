# SPDX-License-Identifier: MIT
"""
ECR: whose host it is, which endpoint is asked, what is known without asking, and who asks once.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
import time

import pytest

from devcontainer_registry.authenticators import is_ambient, is_exchange
from devcontainer_registry.authenticators.clouds.aws import session as aws_session
from devcontainer_registry.authenticators.clouds.aws.answers import Answers
from devcontainer_registry.authenticators.clouds.aws.names import (
    Endpoint,
    Identity,
    Names,
    endpoint_of,
)
from devcontainer_registry.authenticators.clouds.aws.sdk import Aws
from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.credentials import Credential, RegistrySecret, Secret
from devcontainer_registry.errors import AuthenticationError, DiscoveryError, TransientError
from devcontainer_registry.registry import Registry

KEY_ID, KEY = "AKIA0000000000000001", "s3cretAccessKeyThatNobodyMaySee"
HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::222222222222:role/pull"

# Host, and what it says: region, FIPS, dual-stack; then the endpoint, as botocore's data have it.
HOSTS = [
    (
        "dkr.ecr.eu-west-1.amazonaws.com",
        "eu-west-1",
        False,
        False,
        "api.ecr.eu-west-1.amazonaws.com",
    ),
    ("dkr.ecr-fips.us-east-1.amazonaws.com", "us-east-1", True, False, None),
    ("dkr-ecr.eu-west-1.on.aws", "eu-west-1", False, True, "ecr.eu-west-1.api.aws"),
    ("dkr-ecr-fips.us-west-2.on.aws", "us-west-2", True, True, "ecr-fips.us-west-2.api.aws"),
    (
        "dkr.ecr.us-gov-west-1.amazonaws.com",
        "us-gov-west-1",
        False,
        False,
        "api.ecr.us-gov-west-1.amazonaws.com",
    ),
    ("dkr.ecr-fips.us-gov-east-1.amazonaws.com", "us-gov-east-1", True, False, None),
    (
        "dkr-ecr-fips.us-gov-west-1.on.aws",
        "us-gov-west-1",
        True,
        True,
        "ecr-fips.us-gov-west-1.api.aws",
    ),
    (
        "dkr.ecr.cn-northwest-1.amazonaws.com.cn",
        "cn-northwest-1",
        False,
        False,
        "api.ecr.cn-northwest-1.amazonaws.com.cn",
    ),
    (
        "dkr-ecr.cn-north-1.on.amazonwebservices.com.cn",
        "cn-north-1",
        False,
        True,
        "ecr.cn-north-1.api.amazonwebservices.com.cn",
    ),
    (
        "dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "eusc-de-east-1",
        False,
        False,
        "api.ecr.eusc-de-east-1.amazonaws.eu",
    ),
    (
        "dkr.ecr.us-iso-east-1.c2s.ic.gov",
        "us-iso-east-1",
        False,
        False,
        "api.ecr.us-iso-east-1.c2s.ic.gov",
    ),
    (
        "dkr.ecr.us-isob-east-1.sc2s.sgov.gov",
        "us-isob-east-1",
        False,
        False,
        "api.ecr.us-isob-east-1.sc2s.sgov.gov",
    ),
    (
        "dkr.ecr.eu-isoe-west-1.cloud.adc-e.uk",
        "eu-isoe-west-1",
        False,
        False,
        "api.ecr.eu-isoe-west-1.cloud.adc-e.uk",
    ),
    (
        "dkr.ecr.us-isof-south-1.csp.hci.ic.gov",
        "us-isof-south-1",
        False,
        False,
        "api.ecr.us-isof-south-1.csp.hci.ic.gov",
    ),
]

LOOK_ALIKES = [
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
    "evil.example.123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "x123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    "12345678901.dkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonawsxcom",
    "123456789012xdkr.ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.on.aws",
    "123456789012.dkr-ecr.eu-west-1.amazonaws.com",
    "123456789012.dkr.ecr.cn-north-1.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com.cn",
    "123456789012.dkr-ecr.cn-north-1.on.aws",
    "123456789012.dkr.ecr-fips.cn-north-1.amazonaws.com.cn",
    "123456789012.dkr.ecr.us-iso-east-1.amazonaws.com",
    "123456789012.dkr.ecr.us-iso-east-1.sc2s.sgov.gov",
    "123456789012.dkr.ecr.eu-west-1.csp.hci.ic.gov",
    "123456789012.dkr.ecr.evil.example.amazonaws.com",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com:8443",
    "public.ecr.aws.evil.example",
    "xpublic.ecr.aws",
    "api.ecr.eu-west-1.amazonaws.com",
]


def ecr_set(server=HOST, set_id="ECR", **members):
    return RegistrySecret(
        id=set_id,
        registry=Registry(server),
        source=f"{set_id}_CONTAINER_REGISTRY_*",
        **{name: Secret(text) if name in SECRETS else text for name, text in members.items()},
    )


SECRETS = ("secret", "session_token")


def keyed(**members):
    return ecr_set(**{"username": KEY_ID, "secret": KEY, **members})


def problem(secret):
    with pytest.raises(DiscoveryError) as caught:
        EcrAuthenticator().authenticate(secret, timeout=1.0)
    assert KEY not in str(caught.value)
    assert KEY not in caught.value.hint
    return caught.value


def client(endpoint, service="ecr"):
    aws = Aws()
    identity = Identity(key_id=KEY_ID, key=Secret(KEY))
    session = aws_session.open_session(identity, endpoint, loader=aws._loader, timeout=1.0)
    return aws._client(session, service, (KEY_ID, KEY, None), endpoint, timeout=1.0, names=Names())


@pytest.mark.parametrize(("name", "region", "fips", "dual", "endpoint"), HOSTS)
def test_a_host_of_every_partition_is_known_with_its_endpoint(name, region, fips, dual, endpoint):
    secret = keyed(server=f"123456789012.{name}")

    asked = endpoint_of(secret)

    assert EcrAuthenticator().matches(secret.registry)
    assert Endpoint(region=region, fips=fips, dual=dual) == asked
    if endpoint is not None:
        assert f"https://{endpoint}" == client(asked).meta.endpoint_url
    else:
        # botocore has had two names for these: with and without `api.`.
        url = client(asked).meta.endpoint_url
        assert (
            url.removeprefix("https://").removeprefix("api.") == f"ecr-fips.{region}.amazonaws.com"
        )


@pytest.mark.parametrize(("name", "region", "fips", "dual", "_endpoint"), HOSTS)
def test_the_endpoint_is_the_one_of_botocores_own_data(name, region, fips, dual, _endpoint):
    import botocore.session

    data = botocore.session.Session()._get_internal_component("endpoint_resolver")
    known = data.construct_endpoint(
        "api.ecr", region, use_fips_endpoint=fips, use_dualstack_endpoint=dual
    )

    asked = client(endpoint_of(keyed(server=f"123456789012.{name}"))).meta.endpoint_url

    assert known["hostname"].removeprefix("api.") == (
        asked.removeprefix("https://").removeprefix("api.")
    )


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("public.ecr.aws", "https://api.ecr-public.us-east-1.amazonaws.com"),
        ("ecr-public.aws.com", "https://ecr-public.us-east-1.api.aws"),
    ],
)
def test_ecr_public_is_asked_in_its_one_region(host, url):
    secret = keyed(server=host, region="eu-west-1")

    asked = endpoint_of(secret)

    assert EcrAuthenticator().matches(secret.registry)
    assert "us-east-1" == asked.region
    assert url == client(asked, "ecr-public").meta.endpoint_url


@pytest.mark.parametrize("host", LOOK_ALIKES)
def test_a_host_that_only_looks_like_ecr_is_not_matched(host):
    assert not EcrAuthenticator().matches(Registry(host))


def test_the_hosts_own_region_wins():
    assert "eu-west-1" == endpoint_of(keyed(region="us-east-1")).region


def test_another_host_is_asked_in_the_region_that_the_set_names():
    secret = keyed(server="images.corp.example", kind="ecr", region="EU-West-3")

    assert Endpoint(region="eu-west-3") == endpoint_of(secret)


def test_another_host_without_a_region_is_an_error():
    error = problem(keyed(server="images.corp.example", kind="ecr"))

    assert "region-missing" == error.code
    assert "ECR_CONTAINER_REGISTRY_REGION" in error.hint


def test_a_fips_endpoint_can_be_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_ECR", "https://ecr.corp.example")
    secret = keyed(server="123456789012.dkr.ecr-fips.us-east-1.amazonaws.com")

    assert "https://ecr.corp.example" == client(endpoint_of(secret)).meta.endpoint_url


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"username": "ASIA0000000000000001", "secret": KEY}, "session-token-missing"),
        ({"username": KEY_ID, "secret": KEY, "profile": "corp"}, "identity-ambiguous"),
        ({"username": "AWS", "secret": "token", "profile": "corp"}, "identity-ambiguous"),
        ({"username": KEY, "secret": KEY_ID}, "aws-key-swapped"),
        ({"username": KEY_ID + "\n", "secret": KEY}, "aws-key-malformed"),
        ({"username": KEY_ID, "secret": KEY + "é"}, "aws-key-malformed"),
        ({"username": KEY_ID, "secret": KEY + "\udcff"}, "aws-key-malformed"),
        ({"username": KEY_ID, "secret": KEY, "session_token": "a\r\nb"}, "aws-key-malformed"),
        ({"session_token": "abc"}, "missing-member"),
        ({"username": KEY_ID, "secret": KEY, "role_arn": "pull"}, "aws-role-invalid"),
        ({"role_arn": ROLE + " x"}, "aws-role-invalid"),
    ],
)
def test_an_invalid_secret_is_an_error_without_a_request(members, code):
    error = problem(ecr_set(**members))

    assert code == error.code
    assert "ECR_CONTAINER_REGISTRY_" in error.message
    assert error.hint


def test_it_can_do_without_a_user_name():
    assert is_ambient(EcrAuthenticator())


def given(document):
    password = base64.b64encode(json.dumps(document).encode()).decode()
    secret = ecr_set(username="AWS", secret=password)
    return password, EcrAuthenticator().authenticate(secret, timeout=1.0)


def test_a_token_from_the_command_line_is_passed_on_with_its_own_expiry():
    password, credential = given({"payload": "x", "expiration": 1764000000})

    assert ("AWS", password) == (credential.username, credential.secret.reveal())
    assert (1764000000.0 - 12 * 3600, 1764000000.0) == (credential.issued_at, credential.expires_at)
    assert not is_exchange(EcrAuthenticator(), ecr_set(username="AWS", secret=password))


@pytest.mark.parametrize(
    "document",
    [
        {},
        [],
        "text",
        {"expiration": "soon"},
        {"expiration": None},
        {"expiration": float("nan")},
        {"expiration": float("inf")},
        {"expiration": -1},
        {"expiration": 1764000000000},
        {"expiration": 10**400},
    ],
)
def test_a_token_without_a_readable_expiry_is_passed_on_as_it_is(document):
    password, credential = given(document)

    assert password == credential.secret.reveal()
    assert credential.expires_at is None
    assert credential.issued_at is None


@pytest.mark.parametrize("password", ["no base64!", "bm8ganNvbg==", "é", "W" * 20000])
def test_any_other_password_of_aws_is_the_registrys_to_judge(password):
    secret = ecr_set(username="AWS", secret=password)

    credential = EcrAuthenticator().authenticate(secret, timeout=1.0)

    assert Credential(username="AWS", secret=Secret(password)) == credential


class Scripted:
    """
    Answers one after the other, each after whoever waits is let in.
    """

    def __init__(self, *answers, until=None):
        self.asked, self._answers, self._until = 0, list(answers), until

    def __call__(self, _seconds):
        self.asked += 1
        if self._until is not None:
            self._until.wait(5)
        return self._answers.pop(0)


GOOD = Credential(username="AWS", secret=Secret("token"))
END = 60.0


def soon():
    return time.monotonic() + END


@pytest.mark.parametrize("answer", [GOOD, AuthenticationError("no")])
def test_sets_that_ask_the_same_ask_once(answer):
    answers, ask = Answers(), Scripted(answer)

    both = [answers.get("same", ask, end=soon()) for _ in range(2)]

    assert [answer, answer] == both
    assert 1 == ask.asked


def test_sets_that_ask_something_else_ask_for_themselves():
    answers, ask = Answers(), Scripted(GOOD, GOOD)

    for key in ("one", "other"):
        answers.get(key, ask, end=soon())

    assert 2 == ask.asked


def test_who_comes_after_a_passing_failure_asks_again():
    answers, ask = Answers(), Scripted(TransientError("busy"), GOOD)

    first, second = (answers.get("same", ask, end=soon()) for _ in range(2))

    assert isinstance(first, TransientError)
    assert second is GOOD


def test_who_waited_for_a_passing_failure_shares_it():
    answers, gate, waiting = Answers(), threading.Event(), threading.Barrier(3)
    ask, seen = Scripted(TransientError("busy"), GOOD, until=gate), []

    def get():
        waiting.wait(5)
        seen.append(answers.get("same", ask, end=soon()))

    threads = [threading.Thread(target=get) for _ in range(2)]
    for thread in threads:
        thread.start()
    waiting.wait(5)
    while not ask.asked:
        time.sleep(0.001)
    # The other one waits at the lock, or is about to.
    time.sleep(0.05)
    gate.set()
    for thread in threads:
        thread.join()

    assert 1 == ask.asked
    assert [True, True] == [isinstance(one, TransientError) for one in seen]


def test_waiting_for_another_set_ends_at_the_deadline():
    answers, gate = Answers(), threading.Event()
    ask = Scripted(GOOD, until=gate)
    thread = threading.Thread(target=answers.get, args=("same", ask), kwargs={"end": soon()})
    thread.start()
    while not ask.asked:
        time.sleep(0.001)

    late = answers.get("same", ask, end=time.monotonic() + 0.02)
    gate.set()
    thread.join()

    assert "timeout" == late.code
    assert isinstance(late, TransientError)


def loaded(program):
    listed = "; print(*sorted(m for m in ('boto3', 'botocore', 'urllib3') if m in sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import sys; " + program + listed],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return ran.stdout.split()


def test_choosing_among_all_plugins_loads_no_sdk():
    program = (
        "from devcontainer_registry import authenticators as a; "
        "from devcontainer_registry.credentials import RegistrySecret; "
        "from devcontainer_registry.registry import Registry; installed = a.load(); "
        "secret = RegistrySecret(id='E', source='', username='AWS', registry=Registry"
        f"('{HOST}')); assert a.choose(secret, installed)[0] == 'ecr'"
    )

    assert [] == loaded(program)


def test_a_login_without_an_ecr_set_never_loads_boto3(tmp_path):
    sets = {
        "A_CONTAINER_REGISTRY_SERVER": "localhost:1",
        "A_CONTAINER_REGISTRY_USER": "bob",
        "A_CONTAINER_REGISTRY_PASSWORD": "s3cret",
        # The user has asked AWS already.
        "B_CONTAINER_REGISTRY_SERVER": HOST,
        "B_CONTAINER_REGISTRY_USER": "AWS",
        "B_CONTAINER_REGISTRY_PASSWORD": "dG9rZW4=",
        "HOME": str(tmp_path),
    }

    program = (
        "from devcontainer_registry import login; "
        f"assert login(environ={sets!r}, verify='never').ok"
    )

    assert {"boto3", "botocore"}.isdisjoint(loaded(program))
