# SPDX-License-Identifier: MIT
"""
`doctor` shows the claims of a set's ID token, so that the cloud's policy can be written.
"""

from __future__ import annotations

import json

import pytest
from doubles.command_line import run
from doubles.homes import Home
from doubles.internet import Internet
from doubles.issuer import GITHUB_HOST, REQUEST_TOKEN, Issuer

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/pull"
PROVIDER = "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/ci/providers/gh"
GITLAB = {
    "iss": "https://gitlab.corp.example",
    "sub": "project_path:corp/app:ref_type:branch:ref:main",
    "project_path": "corp/app",
    "ref": "main",
    "ref_type": "branch",
    "ref_protected": "true",
    "repository": None,
    "environment": None,
    "job_workflow_ref": None,
}
KUBERNETES = {
    "iss": "https://oidc.eks.eu-west-1.amazonaws.com/id/0F",
    "sub": "system:serviceaccount:build:puller",
    "kubernetes.io": {
        "namespace": "build",
        "serviceaccount": {"name": "puller", "uid": "8f2c"},
        "pod": {"name": "job-1", "uid": "17ab"},
    },
    "repository": None,
    "environment": None,
    "job_workflow_ref": None,
    "ref": None,
}


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(name="internet", scope="module")
def _internet(issuer):
    with Internet({GITHUB_HOST: issuer.github}) as internet:
        yield internet


@pytest.fixture(name="home")
def _home(tmp_path, internet, issuer):
    issuer.requests.clear()
    issuer.answers.clear()
    home = Home(tmp_path)
    home.environ |= internet.environ
    return home


def a_set(registry, **members):
    values = {"SERVER": registry, **members}
    return {f"E_CONTAINER_REGISTRY_{name}": text for name, text in values.items()}


def diagnosed(home, sets, *options, issuer):
    registry = sets["E_CONTAINER_REGISTRY_SERVER"]
    ran = run(home, "doctor", registry, *options, sets=sets)
    assert [] == issuer.secrets_in(ran.stdout + ran.stderr)
    assert REQUEST_TOKEN not in ran.stdout + ran.stderr
    return ran.stdout


def test_a_job_of_github_sees_the_claims_of_the_token_that_it_would_get(home, issuer):
    sets = {**a_set(ECR, ROLE_ARN=ROLE), **issuer.environ}

    said = diagnosed(home, sets, issuer=issuer)

    assert (
        "  ok    identity    the ID token of GitHub Actions, if AWS finds no other\n"
        "                    identity, expires in 5 min\n"
        "        iss               https://token.actions.githubusercontent.com\n"
        "        sub               repo:corp/app:environment:production\n"
        "        aud               sts.amazonaws.com\n"
        "        repository        corp/app\n"
        "        environment       production\n"
        "        job_workflow_ref  corp/app/.github/workflows/image.yml@refs/heads/main\n"
        "        ref               refs/heads/main\n"
    ) in said
    assert ["sts.amazonaws.com"] == [audience for _, audience, _ in issuer.requests]


@pytest.mark.parametrize(
    ("registry", "members", "audience"),
    [
        ("example.azurecr.io", {"TENANT": "t", "CLIENT_ID": "c"}, "api://AzureADTokenExchange"),
        ("europe-docker.pkg.dev", {"AUDIENCE": PROVIDER}, f"https:{PROVIDER}"),
        (ECR, {"ROLE_ARN": ROLE, "AUDIENCE": "api://corp"}, "api://corp"),
    ],
)
def test_the_token_is_requested_for_the_clouds_audience(home, issuer, registry, members, audience):
    sets = {**a_set(registry, **members), **issuer.environ}

    said = diagnosed(home, sets, issuer=issuer)

    assert "ok    identity    the ID token of GitHub Actions, expires in 5 min" in said
    assert f"        aud               {audience}\n" in said
    assert [audience] == [asked for _, asked, _ in issuer.requests]


def test_a_job_of_gitlab_sees_its_projects_claims(home, issuer):
    token = issuer.sign(aud="sts.amazonaws.com", **GITLAB)

    said = diagnosed(home, a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN=token), issuer=issuer)

    assert (
        "  ok    identity    E_CONTAINER_REGISTRY_ID_TOKEN, expires in 5 min\n"
        "        iss               https://gitlab.corp.example\n"
        "        sub               project_path:corp/app:ref_type:branch:ref:main\n"
        "        aud               sts.amazonaws.com\n"
        "        project_path      corp/app\n"
        "        ref               main\n"
        "        ref_type          branch\n"
        "        ref_protected     true\n"
    ) in said


def test_a_pod_sees_its_namespace_and_service_account(home, issuer, tmp_path):
    path = tmp_path / "token"
    path.write_text(issuer.sign(aud=["sts.amazonaws.com"], **KUBERNETES))

    said = diagnosed(home, a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN_FILE=str(path)), issuer=issuer)

    assert (
        "        sub               system:serviceaccount:build:puller\n"
        "        aud               sts.amazonaws.com\n"
        "        namespace         build\n"
        "        serviceaccount    puller\n"
    ) in said


def test_a_token_for_another_audience_is_a_note(home, issuer):
    token = issuer.sign(aud="https://kubernetes.default.svc")

    said = diagnosed(home, a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN=token), issuer=issuer)

    assert (
        "  note  identity    E_CONTAINER_REGISTRY_ID_TOKEN, expires in 5 min; its\n"
        "                    audience is not sts.amazonaws.com\n"
    ) in said


@pytest.mark.parametrize("written", ["https:", ""])
def test_googles_provider_is_an_audience_with_and_without_https(home, issuer, written):
    token = issuer.sign(aud=written + PROVIDER)

    said = diagnosed(home, a_set("gcr.io", AUDIENCE=PROVIDER, ID_TOKEN=token), issuer=issuer)

    assert "ok    identity    E_CONTAINER_REGISTRY_ID_TOKEN" in said


@pytest.mark.parametrize(
    "members",
    [
        {"ROLE_ARN": ROLE},
        {"PROFILE": "work", "ROLE_ARN": ROLE},
        {"USER": "AKIA0000000000000001", "PASSWORD": "s3cret", "ROLE_ARN": ROLE},
        {},
    ],
)
def test_a_set_without_an_id_token_has_no_such_step(home, issuer, members):
    said = diagnosed(home, a_set(ECR, **members), issuer=issuer)

    assert "identity" not in said
    assert [] == issuer.requests


def test_no_token_is_requested_for_a_set_with_keys_of_its_own(home, issuer):
    members = {"USER": "AKIA0000000000000001", "PASSWORD": "s3cret", "ROLE_ARN": ROLE}

    said = diagnosed(home, {**a_set(ECR, **members), **issuer.environ}, issuer=issuer)

    assert "identity" not in said
    assert [] == issuer.requests


def test_a_refusal_of_github_is_a_note(home, issuer):
    issuer.answers.append((403, {}, b""))
    sets = {**a_set(ECR, ROLE_ARN=ROLE, AUDIENCE="corp"), **issuer.environ}

    said = diagnosed(home, sets, issuer=issuer)

    assert f"  note  identity    {GITHUB_HOST} did not issue an\n" in said


@pytest.mark.parametrize(
    ("members", "cause", "fix"),
    [
        (
            {"ID_TOKEN": "e30.e30.c2ln"},
            "E_CONTAINER_REGISTRY_ID_TOKEN is set, but E_CONTAINER_REGISTRY_ROLE_ARN is not",
            "set E_CONTAINER_REGISTRY_ROLE_ARN to the ARN of the role to assume",
        ),
        (
            {"ID_TOKEN": "/run/token", "ROLE_ARN": ROLE},
            "E_CONTAINER_REGISTRY_ID_TOKEN is not a JSON Web Token (JWT)",
            "rename the variable to E_CONTAINER_REGISTRY_ID_TOKEN_FILE",
        ),
    ],
)
def test_a_set_that_is_not_whole_is_the_cause_with_its_fix(home, issuer, members, cause, fix):
    said = " ".join(diagnosed(home, a_set(ECR, **members), issuer=issuer).split())

    assert f"FAIL identity {cause}" in said
    assert f"Cause: {cause} Fix: {fix}" in said


def test_the_json_document_has_the_claims_as_facts(home, issuer):
    sets = {**a_set(ECR, ROLE_ARN=ROLE), **issuer.environ}

    document = json.loads(diagnosed(home, sets, "--json", issuer=issuer))

    (image,) = document["images"]
    step = next(step for step in image["steps"] if step["step"] == "identity")
    facts = step["facts"]
    assert ("E", "github-actions") == (facts["set"], facts["source"])
    assert facts["expires_at"].endswith("Z")
    assert "repo:corp/app:environment:production" == facts["claims"]["sub"]
    assert "corp/app" == facts["claims"]["repository"]


@pytest.mark.parametrize(
    ("claims", "hidden"),
    [
        ({}, ["corp", "production", "image.yml", "refs/heads"]),
        (GITLAB, ["corp", "gitlab.corp.example"]),
        (KUBERNETES, ["build", "puller", "0F"]),
        ({"environment": "qa", "repository": "a/b", "sub": "x"}, ["qa", "a/b"]),
    ],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_shared_diagnosis_hides_the_values_of_claims(home, issuer, claims, hidden, form):
    token = issuer.sign(aud="sts.amazonaws.com", **claims)
    sets = a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN=token)

    said = diagnosed(home, sets, "--share", *form, issuer=issuer)

    assert [] == [text for text in hidden if text in said]
    assert "subject" in said
    # Everybody's is worth showing.
    assert "sts.amazonaws.com" in said
    if not claims:
        assert "https://token.actions.githubusercontent.com" in said


def test_a_claim_with_control_characters_is_not_printed(home, issuer):
    token = issuer.sign(aud="sts.amazonaws.com", sub="a\x1b[31mb", repository="a\nb")

    said = diagnosed(home, a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN=token), issuer=issuer)

    assert "\x1b" not in said
    assert "        sub               (not printable)\n" in said


def test_a_claim_that_is_a_token_itself_is_not_printed(home, issuer):
    inner = issuer.sign(aud="inner")
    token = issuer.sign(aud="sts.amazonaws.com", environment=inner)

    said = diagnosed(home, a_set(ECR, ROLE_ARN=ROLE, ID_TOKEN=token), issuer=issuer)

    assert "        environment       (not printable)\n" in said
