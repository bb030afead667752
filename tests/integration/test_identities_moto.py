# SPDX-License-Identifier: MIT
"""
GitHub Actions, GitLab and Kubernetes to ECR: signed tokens, moto's STS and ECR, the real boto3.

STS checks each token with the keys that the issuer serves, as AWS does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest
from doubles.internet import Internet
from doubles.issuer import GITHUB_HOST, REQUEST_TOKEN, Issuer, Policy
from parts import aws

HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
ROLE = "arn:aws:iam::333333333333:role/pull"
SET = "ECR_CONTAINER_REGISTRY"
FAULTS = {
    "issuer": ("InvalidIdentityToken", "No OpenIDConnect provider found in your account for x"),
    "audience": ("InvalidIdentityToken", "Incorrect token audience"),
    "subject": ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"),
    "expired": ("ExpiredTokenException", "Token expired"),
    "signature": ("InvalidIdentityToken", "The ID Token provided is not a valid JWT"),
}
WEB, ECR = "AssumeRoleWithWebIdentity", "GetAuthorizationToken"


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(name="environ")
def _environ(moto, issuer, tmp_path):
    """
    A job: GitHub, AWS, and a trust policy for one subject.
    """
    policy = Policy(issuer=issuer, audience="sts.amazonaws.com")

    def trust(form):
        fault = policy.fault_of(form["WebIdentityToken"])
        return aws.Fault(*FAULTS[fault]) if fault else None

    moto.trust = trust
    issuer.requests.clear()
    with Internet({GITHUB_HOST: issuer.github}) as internet:
        yield {
            **internet.environ,
            "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": moto.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            f"{SET}_SERVER": HOST,
            f"{SET}_ROLE_ARN": ROLE,
        }


PROGRAM = """
import sys
from devcontainer_registry.commands.cli import main
def hook(event, arguments):
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"):
        sys.stderr.write("STARTED " + event)
sys.addaudithook(hook)
sys.exit(main(sys.argv[1:]))
"""


def run(environ, *arguments, text=""):
    """
    Our command; its output, which shows no token.  It starts no process, whose command line would.
    """
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, *arguments],
        env=environ,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert REQUEST_TOKEN not in ran.stdout + ran.stderr
    assert "STARTED" not in ran.stderr
    return ran


def asked(moto):
    return [(call.action, bool(call.key_id), call.error) for call in moto.calls]


def files_of(environ):
    for folder, _, names in os.walk(environ["HOME"]):
        for name in names:
            with open(os.path.join(folder, name), encoding="latin-1") as file:
                yield file.read()


DEBUG = ("--verify", "never", "--log-level", "debug")


def test_a_job_of_github_logs_in_and_leaves_only_the_registrys_password(moto, issuer, environ):
    environ |= issuer.environ

    ran = run(environ, "login", *DEBUG)

    assert 0 == ran.returncode, ran.stderr
    # Not signed, and then with the role's key.
    assert [(WEB, False, None), (ECR, True, None)] == asked(moto)
    assert ["sts.amazonaws.com"] == [audience for _, audience, _ in issuer.requests]
    assert "github-actions" in ran.stderr
    config = json.loads(next(text for text in files_of(environ) if '"auths"' in text))
    assert [HOST] == list(config["auths"])
    for text in (ran.stdout, ran.stderr, *files_of(environ)):
        assert [] == issuer.secrets_in(text)


def test_a_job_of_gitlab_logs_in_with_the_token_in_its_variable(moto, issuer, environ):
    environ[f"{SET}_ID_TOKEN"] = issuer.sign(aud="sts.amazonaws.com")

    ran = run(environ, "login", *DEBUG)

    assert 0 == ran.returncode, ran.stderr
    assert [(WEB, False, None), (ECR, True, None)] == asked(moto)
    for text in (ran.stdout, ran.stderr, *files_of(environ)):
        assert [] == issuer.secrets_in(text)


def test_the_helper_renews_with_the_token_that_is_in_the_file_then(moto, issuer, environ, tmp_path):
    """
    The kubelet replaces the file before the token ends, so an old token is never sent again.
    """
    path = tmp_path / "token"
    path.write_text(issuer.sign(aud="sts.amazonaws.com"))
    environ[f"{SET}_ID_TOKEN_FILE"] = str(path)
    first = get(environ)
    assert "AWS" == json.loads(first.stdout)["Username"], first.stderr
    assert first.stdout == get(environ).stdout
    assert [(WEB, False, None), (ECR, True, None)] == asked(moto)
    _make_older(environ, seconds=7 * 3600)
    path.write_text(issuer.sign(aud="sts.amazonaws.com", jti="the next one"))
    moto.calls.clear()
    sent = []
    moto.trust = lambda form: sent.append(form["WebIdentityToken"])

    renewed = get(environ)

    assert "AWS" == json.loads(renewed.stdout)["Username"], renewed.stderr
    assert [(WEB, False, None), (ECR, True, None)] == asked(moto)
    assert [path.read_text()] == sent
    path.unlink()
    for text in (first.stderr, renewed.stdout, renewed.stderr, *files_of(environ)):
        assert [] == issuer.secrets_in(text)


def test_the_helper_renews_with_githubs_token_while_the_job_lasts(moto, issuer, environ):
    environ |= issuer.environ
    get(environ)
    _make_older(environ, seconds=7 * 3600)

    assert "AWS" == json.loads(get(environ).stdout)["Username"]

    assert 2 == len(issuer.requests)
    assert [WEB, ECR, WEB, ECR] == [call.action for call in moto.calls]
    for text in files_of(environ):
        assert [] == issuer.secrets_in(text)


def get(environ):
    """
    Ask our credential helper, as docker does.
    """
    program = "from devcontainer_registry.helper import main; import sys; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, "get"],
        env=environ,
        input=HOST,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _make_older(environ, *, seconds):
    folder = os.path.join(environ["HOME"], ".cache", "devcontainer-registry")
    path = os.path.join(folder, f"{HOST}.json")
    with open(path, encoding="utf-8") as file:
        entry = json.load(file)
    for member in ("at", "issued_at", "expires_at"):
        entry[member] -= seconds
    assert entry["expires_at"] > time.time()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(entry, file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"iss": "https://gitlab.example"}, "no identity provider for https://gitlab.example"),
        ({"aud": "api://other"}, "expects the audience sts.amazonaws.com, but"),
        ({"sub": "repo:corp/other:ref:x"}, "denied sts:AssumeRoleWithWebIdentity"),
        ({"lives": -30}, "expired"),
    ],
)
def test_a_token_that_the_trust_policy_does_not_allow_is_refused_in_words(
    moto, issuer, environ, change, words
):
    environ[f"{SET}_ID_TOKEN"] = issuer.sign(**{"aud": "sts.amazonaws.com", **change})

    ran = run(environ, "login", "--verify", "never")

    said = " ".join((ran.stdout + ran.stderr).split())
    assert (4, True) == (ran.returncode, words in said), said
    assert [WEB] == [call.action for call in moto.calls]
    assert [] == issuer.secrets_in(said)
