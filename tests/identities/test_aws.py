# SPDX-License-Identifier: MIT
"""
ECR with an ID token: `AssumeRoleWithWebIdentity`, which identity comes first, and every refusal.

boto3 is not patched: a loopback server answers what AWS answers.
"""

from __future__ import annotations

import pytest
from doubles.clouds import KEY, KEY_ID, ROLE, PlayedAws
from doubles.homes import Told
from doubles.internet import Internet
from doubles.issuer import GITHUB_HOST, Issuer

from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.causes.clouds import aws_refusals as causes
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    ThrottledError,
    TransientError,
)
from devcontainer_registry.observer import listening
from devcontainer_registry.registry import Registry

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
WEB, ECR, STS = "AssumeRoleWithWebIdentity", "GetAuthorizationToken", "AssumeRole"
ISSUER = "https://token.actions.githubusercontent.com"
ID_TOKEN = "E_CONTAINER_REGISTRY_ID_TOKEN"
ROLE_ARN = "the role in E_CONTAINER_REGISTRY_ROLE_ARN"


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(name="aws", scope="module")
def _played():
    with PlayedAws() as played:
        yield played


@pytest.fixture(name="internet", scope="module")
def _internet(issuer):
    with Internet({GITHUB_HOST: issuer.github}) as internet:
        yield internet


@pytest.fixture(autouse=True)
def _living(monkeypatch, tmp_path, aws, issuer, internet):
    """
    AWS and the internet are where this process looks for them, and nothing was asked before.
    """
    for log in (aws.calls, aws.forms, aws.answers, issuer.requests, issuer.answers):
        log.clear()
    for name, value in {**internet.environ, **aws.environ, "HOME": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(name="github")
def _github(monkeypatch, issuer):
    for name, value in issuer.environ.items():
        monkeypatch.setenv(name, value)


def a_secret(*, token=None, registry=HOST, role_arn=ROLE, **members):
    return RegistrySecret(
        id="E",
        registry=Registry(registry),
        source="E_CONTAINER_REGISTRY_*",
        role_arn=role_arn,
        id_token=None if token is None else Secret(token),
        **members,
    )


def authenticated(secret):
    """
    The credential, and which identity an event named.
    """
    told = Told()
    with listening(told):
        credential = EcrAuthenticator().authenticate(secret, timeout=10.0)
    chosen = [fields["source"] for event, fields in told if event == "cloud.identity_chosen"]
    return credential, chosen


def error_of(secret):
    with pytest.raises(RegistryError) as caught:
        EcrAuthenticator().authenticate(secret, timeout=10.0)
    error = caught.value
    assert error.__cause__ is None
    assert error.__context__ is None
    assert "{" not in f"{error.message}{error.hint}"
    return error


def test_a_token_becomes_the_role_without_a_signature(aws, issuer):
    token = issuer.sign(aud="sts.amazonaws.com")

    credential, chosen = authenticated(a_secret(token=token))

    assert ("AWS", ["ID_TOKEN"]) == (credential.username, chosen)
    assert [WEB, ECR] == aws.actions
    # Only the second call is signed, with the key that the role was given.
    assert [None, "ASIAEWITHWEBIDENTITY"] == [call.key_id for call in aws.calls]
    (form,) = aws.forms
    assert {"RoleArn": ROLE, "WebIdentityToken": token, "DurationSeconds": "900"}.items() <= (
        form.items()
    )
    assert "devcontainer-registry" == form["RoleSessionName"]
    assert [] == issuer.requests


@pytest.mark.parametrize(
    ("registry", "region"),
    [
        ("public.ecr.aws", "us-east-1"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("123456789012.dkr-ecr.eu-west-1.on.aws", "eu-west-1"),
    ],
)
def test_each_kind_of_ecr_takes_a_token(aws, issuer, registry, region):
    token = issuer.sign(aud="sts.amazonaws.com")

    authenticated(a_secret(token=token, registry=registry))

    assert [WEB, ECR] == aws.actions
    assert region == aws.calls[1].region


def test_two_sets_with_one_token_and_role_share_one_request(aws, issuer):
    token = issuer.sign(aud="sts.amazonaws.com")
    authenticator = EcrAuthenticator()

    for registry in (HOST, HOST.replace("1234", "4321", 1)):
        authenticator.authenticate(a_secret(token=token, registry=registry), timeout=10.0)

    assert [WEB, ECR] == aws.actions


def test_no_other_identity_is_looked_for(aws, issuer, monkeypatch):
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{aws.endpoint}/container")
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", aws.endpoint)

    authenticated(a_secret(token=issuer.sign(aud="sts.amazonaws.com")))

    assert [WEB, ECR] == aws.actions


@pytest.mark.parametrize("url", ["http://sts.corp.example", "http://10.0.0.1:9"])
def test_a_token_is_not_sent_without_tls(aws, issuer, monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", url)

    error = error_of(a_secret(token=issuer.sign(aud="sts.amazonaws.com")))

    assert (DiscoveryError, "aws-endpoint-invalid") == (type(error), error.code)
    assert "the endpoint URL for sts is not an https URL; nothing was sent" == error.message
    assert [] == aws.actions


# Which identity comes first.

KEYS = {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": KEY}


@pytest.mark.usefixtures("github")
def test_the_sets_own_token_wins_over_all_that_aws_would_find(aws, issuer, monkeypatch):
    for name, value in {**KEYS, "AWS_PROFILE": "missing", "AWS_CONFIG_FILE": "/nowhere"}.items():
        monkeypatch.setenv(name, value)

    _, chosen = authenticated(a_secret(token=issuer.sign(aud="sts.amazonaws.com")))

    assert (["ID_TOKEN"], [WEB, ECR]) == (chosen, aws.actions)
    assert [] == issuer.requests


@pytest.mark.usefixtures("github")
def test_keys_of_the_environment_win_over_githubs_token(aws, issuer, monkeypatch):
    """
    As before there were ID tokens: a job that has run configure-aws-credentials stays who it is.
    """
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    _, chosen = authenticated(a_secret())

    assert (["env"], [STS, ECR]) == (chosen, aws.actions)
    assert KEY_ID == aws.calls[0].key_id
    assert [] == issuer.requests


@pytest.mark.usefixtures("github")
def test_githubs_token_is_used_where_aws_finds_nothing(aws, issuer):
    _, chosen = authenticated(a_secret())

    assert (["github-actions"], [WEB, ECR]) == (chosen, aws.actions)
    assert ["sts.amazonaws.com"] == [audience for _, audience, _ in issuer.requests]
    assert [issuer.issued[-1]] == [form["WebIdentityToken"] for form in aws.forms]


@pytest.mark.usefixtures("github")
def test_a_set_with_an_audience_asks_for_a_token_whatever_aws_would_find(aws, issuer, monkeypatch):
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)

    _, chosen = authenticated(a_secret(audience="sts.amazonaws.com.cn"))

    assert (["github-actions"], [WEB, ECR]) == (chosen, aws.actions)
    assert ["sts.amazonaws.com.cn"] == [audience for _, audience, _ in issuer.requests]


@pytest.mark.usefixtures("github")
@pytest.mark.parametrize("members", [{"role_arn": None}, {"profile": "work"}])
def test_no_token_is_requested_for_a_set_that_does_not_name_a_role(aws, issuer, members):
    error = error_of(a_secret(**members))

    assert error.code in ("aws-no-credentials", "aws-profile-missing")
    assert ([], []) == (issuer.requests, aws.actions)


@pytest.mark.usefixtures("github")
def test_a_key_in_the_set_is_used_with_assume_role_as_before(aws, issuer):
    secret = a_secret(username=KEY_ID, secret=Secret(KEY))

    authenticated(secret)

    assert ([], [STS, ECR]) == (issuer.requests, aws.actions)


def test_a_job_without_the_permission_is_told_to_ask_for_it(monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert "add permissions: id-token: write to the workflow's job" == error_of(a_secret()).hint
    error = error_of(a_secret(audience="corp"))
    assert (DiscoveryError, "id-token-missing") == (type(error), error.code)
    assert "add permissions: id-token: write to the workflow's job" == error.hint


def test_a_set_with_an_audience_and_no_token_is_told_where_to_put_it():
    error = error_of(a_secret(audience="corp"))

    assert (
        "E_CONTAINER_REGISTRY_* names an identity, but there is no ID token for it here"
        == error.message
    )
    assert f"set {ID_TOKEN} or {ID_TOKEN}_FILE" == error.hint


@pytest.mark.usefixtures("github")
def test_a_refusal_of_github_is_the_error(aws, issuer):
    issuer.answers.append((403, {}, b""))

    error = error_of(a_secret())

    assert "github-id-token-refused" == error.code
    assert [] == aws.actions


# What AWS refuses.

NEW = "get a new token: run the CI job again, or check what renews the token's file"
REACHABLE = (
    f"make {ISSUER}/.well-known/openid-configuration and its keys reachable from the internet"
)
# Code and text of AWS; then class, code, line and hint.
REFUSALS = [
    (
        (
            "AccessDenied",
            "Not authorized to perform sts:AssumeRoleWithWebIdentity",
            403,
        ),
        AuthenticationError,
        "aws-id-token-denied",
        f"AWS STS denied sts:AssumeRoleWithWebIdentity to {ID_TOKEN}",
        (
            "allow its issuer, audience and subject, which doctor shows, in the trust policy of "
            f"{ROLE_ARN}"
        ),
    ),
    (
        (
            "ExpiredTokenException",
            "Token expired: current date/time 174 must be before the expiration date/time 173",
        ),
        AuthenticationError,
        "aws-id-token-expired",
        f"AWS STS says that {ID_TOKEN} expired",
        NEW,
    ),
    (
        ("InvalidIdentityToken", "Incorrect token audience"),
        AuthenticationError,
        "aws-id-token-audience",
        f"AWS STS expects the audience sts.amazonaws.com, but {ID_TOKEN} has corp-audience",
        ("get a token for sts.amazonaws.com, or add corp-audience to the identity provider in IAM"),
    ),
    (
        (
            "InvalidIdentityToken",
            f"No OpenIDConnect provider found in your account for {ISSUER}",
        ),
        AuthenticationError,
        "aws-id-token-issuer",
        f"the AWS account has no identity provider for {ISSUER}",
        (
            f"add {ISSUER} to the account's identity providers in IAM, with the audience "
            "corp-audience"
        ),
    ),
    (
        (
            "InvalidIdentityToken",
            "Couldn't retrieve verification key from your identity provider,  please reference",
        ),
        AuthenticationError,
        "aws-id-token-keys",
        f"AWS STS cannot read the keys of {ISSUER}",
        REACHABLE,
    ),
    (
        ("InvalidIdentityToken", "The ID Token provided is not a valid JWT."),
        AuthenticationError,
        "aws-id-token-invalid",
        f"AWS STS rejected {ID_TOKEN}",
        f"check that IAM has an identity provider for {ISSUER}, and that its keys are current",
    ),
    (
        ("IDPRejectedClaim", "no", 403),
        AuthenticationError,
        "aws-id-token-rejected",
        f"AWS STS says that {ISSUER} rejected {ID_TOKEN}",
        NEW,
    ),
    (
        ("IDPCommunicationError", "no"),
        TransientError,
        "aws-id-token-unreachable",
        f"AWS STS could not reach {ISSUER}",
        "try again later; AWS reads the issuer's keys over the internet",
    ),
    (
        ("RegionDisabledException", "STS is not activated in this region", 403),
        AuthenticationError,
        "aws-sts-disabled",
        "AWS STS is not active in this region for the account",
        "activate STS for this region in the account's IAM settings",
    ),
    # The common ones.
    (
        ("Throttling", "Rate exceeded"),
        ThrottledError,
        "busy",
        "AWS STS is throttling the account's requests",
        "try again later",
    ),
    (
        ("InternalFailure", "oops", 500),
        TransientError,
        "busy",
        "AWS STS has an internal error",
        "try again later",
    ),
    (
        ("PackedPolicyTooLarge", "no"),
        AuthenticationError,
        "aws-refused",
        "AWS STS refused: PackedPolicyTooLarge",
        "look up this code in the AWS list of common errors",
    ),
]


@pytest.mark.parametrize(("refusal", "expected"), [(row[0], row[1:]) for row in REFUSALS])
def test_each_refusal_of_a_sets_token_is_a_line_and_what_to_do(aws, issuer, refusal, expected):
    code, text, *status = refusal
    aws.refuse(WEB, code, text, status=status[0] if status else 400)

    error = error_of(a_secret(token=issuer.sign(aud="corp-audience")))

    assert expected == (type(error), error.code, error.message, error.hint)
    assert [] == issuer.secrets_in(f"{error.message}{error.hint}")
    assert [WEB] == aws.actions


def test_every_refusal_in_the_table_of_causes_has_a_case_here():
    shown = {row[0][0] for row in REFUSALS}
    texts = " ".join(row[0][1] for row in REFUSALS)

    assert set() == {*causes.WITH_ID_TOKEN} - shown
    assert all(words in texts for words in (*causes.INVALID_TOKENS, causes.WRONG_AUDIENCE))


def test_the_usual_audience_is_to_be_added_to_the_provider(aws, issuer):
    aws.refuse(WEB, "InvalidIdentityToken", "Incorrect token audience")

    error = error_of(a_secret(token=issuer.sign(aud="sts.amazonaws.com")))

    assert f"AWS STS does not accept the audience sts.amazonaws.com of {ID_TOKEN}" == error.message
    assert (
        f"add sts.amazonaws.com to the audiences of the identity provider {ISSUER} in IAM"
        == error.hint
    )


@pytest.mark.usefixtures("github")
def test_a_refusal_of_githubs_token_names_github(aws):
    aws.refuse(WEB, "AccessDenied", "no", status=403)

    error = error_of(a_secret())

    assert (
        "AWS STS denied sts:AssumeRoleWithWebIdentity to the ID token of GitHub Actions"
        == error.message
    )


def test_claims_of_odd_characters_are_not_quoted(aws, issuer):
    aws.refuse(WEB, "InvalidIdentityToken", "Incorrect token audience")

    error = error_of(a_secret(token=issuer.sign(aud="a\x1b[31m\nb")))

    assert error.message.endswith("has (not printable)")


def test_the_role_that_lacks_a_permission_is_named(aws, issuer):
    aws.refuse(
        ECR,
        "AccessDeniedException",
        "User: arn:aws:sts::1:assumed-role/pull/x is not authorized to perform: "
        "ecr:GetAuthorizationToken on resource: *",
    )

    error = error_of(a_secret(token=issuer.sign(aud="sts.amazonaws.com")))

    assert f"allow ecr:GetAuthorizationToken on * for {ROLE_ARN}" == error.hint
