# SPDX-License-Identifier: MIT
"""
Side by side with Amazon's own credential helper and the AWS CLI.

All three run in one environment, with the same shared files, and ask AWS by its own names: hosts of
the tests' own that stand behind a proxy, with moto behind them.  The helper has no setting for an
endpoint, but it does heed a proxy.
"""

from __future__ import annotations

import base64
import dataclasses
import email.message
import json
import os
import subprocess
import sys
import types

import pytest
from internet import Internet
from parts import needed

REGION = "eu-west-1"
ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
KEY, TEMPORARY = "AKIA0000000000000001", "ASIA0000000000000001"
SECRET_KEY = "first/s3cretAccessKey+ThatNobodySees"
SESSION_TOKEN = "session/t0ken+ThatNobodySees=="
ROLE, JUMP = f"arn:aws:iam::{THREE}:role/pull", f"arn:aws:iam::{TWO}:role/jump"

CREDENTIALS = f"""\
[work]
aws_access_key_id = {KEY}
aws_secret_access_key = {SECRET_KEY}
[visitor]
aws_access_key_id = {TEMPORARY}
aws_secret_access_key = {SECRET_KEY}
aws_session_token = {SESSION_TOKEN}
"""
CONFIG = f"""\
[profile work]
region = ap-south-1
[profile pull]
role_arn = {ROLE}
source_profile = work
[profile jump]
role_arn = {JUMP}
source_profile = work
[profile twice]
role_arn = {ROLE}
source_profile = jump
[profile program]
credential_process = cat {{home}}/process.json
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """
    A way to have an AWS identity.

    Attributes:
        account: Whose it is.
        session: Whether its key is a temporary one.
        members: What our set says of it; the default chain is asked where it says nothing.
        environ: What the environment says of it, to all three.
        default: A profile whose key is the default one in the shared files.
    """

    account: str = ONE
    session: bool = False
    members: dict[str, str] = dataclasses.field(default_factory=dict)
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    default: bool = False


KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
SESSION = {
    "AWS_ACCESS_KEY_ID": TEMPORARY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
}


def profile(name, **about):
    return Form(members={"PROFILE": name}, environ={"AWS_PROFILE": name}, **about)


FORMS = {
    "keys": Form(members={"USER": KEY, "PASSWORD": SECRET_KEY}, environ=KEYS),
    "session token": Form(
        account=TWO,
        session=True,
        members={"USER": TEMPORARY, "PASSWORD": SECRET_KEY, "SESSION_TOKEN": SESSION_TOKEN},
        environ=SESSION,
    ),
    "profile": profile("work"),
    "profile with a session token": profile("visitor", account=TWO, session=True),
    "profile with a role": profile("pull", account=THREE, session=True),
    "profile with a role of a role": profile("twice", account=THREE, session=True),
    "profile with a program": profile("program", account=TWO, session=True),
    "default chain: keys": Form(environ=KEYS),
    "default chain: session token": Form(account=TWO, session=True, environ=SESSION),
    "default chain: profile": Form(environ={"AWS_PROFILE": "work"}),
    "default chain: profile with a role": Form(
        account=THREE, session=True, environ={"AWS_PROFILE": "pull"}
    ),
    "default chain: shared files": Form(default=True),
    "default chain: shared files elsewhere": Form(
        default=True,
        environ={
            "AWS_SHARED_CREDENTIALS_FILE": "{home}/elsewhere/credentials",
            "AWS_CONFIG_FILE": "{home}/elsewhere/config",
        },
    ),
}


@pytest.fixture(name="aws")
def _aws(moto):
    """
    moto, by AWS's own names; what to merge into an environment is in `environ`.
    """
    moto.add_key(KEY, SECRET_KEY, account=ONE)
    moto.add_key(TEMPORARY, SECRET_KEY, account=TWO)

    def answer(method, target, headers, body):
        request = types.SimpleNamespace(command=method, path=target, headers=caseless(headers))
        status, kind, content = moto.answer(request, body)
        return status, {"Content-Type": kind}, content

    hosts = (f"api.ecr.{REGION}.amazonaws.com", f"sts.{REGION}.amazonaws.com")
    with Internet(dict.fromkeys(hosts, answer)) as internet:
        yield types.SimpleNamespace(
            moto=moto,
            unknown_hosts=internet.unknown_hosts,
            environ={
                **internet.environ,
                "AWS_CA_BUNDLE": internet.environ["SSL_CERT_FILE"],
                # What newer SDKs do anyway; the helper's is an older one.
                "AWS_STS_REGIONAL_ENDPOINTS": "regional",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )


def caseless(headers):
    message = email.message.Message()
    for name, value in dict(headers).items():
        message[name] = value
    return message


@pytest.fixture(name="place")
def _place(aws, tmp_path):
    """
    A function that makes a home for a `Form`, and gives the environment in it.
    """

    def make(form):
        for name in (".aws", "elsewhere"):
            folder = tmp_path / name
            folder.mkdir()
            credentials = CREDENTIALS
            if form.default:
                credentials = credentials.replace("[work]", "[default]")
            (folder / "config").write_text(CONFIG.format(home=tmp_path))
            (folder / "credentials").write_text(credentials)
        if "elsewhere" in str(form.environ):
            (tmp_path / ".aws" / "credentials").unlink()
        (tmp_path / "process.json").write_text(
            json.dumps(
                {
                    "Version": 1,
                    "AccessKeyId": TEMPORARY,
                    "SecretAccessKey": SECRET_KEY,
                    "SessionToken": SESSION_TOKEN,
                    "Expiration": "2099-01-01T00:00:00Z",
                }
            )
        )
        sets = {"SERVER": host(form.account), **form.members}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(tmp_path),
            "DOCKER_CONFIG": str(tmp_path / "docker"),
            **aws.environ,
            **{f"ECR_CONTAINER_REGISTRY_{name}": text for name, text in sets.items()},
            **{name: text.format(home=tmp_path) for name, text in form.environ.items()},
        }

    return make


def ours(environ):
    """
    User name and password as docker finds them after our login.
    """
    output([sys.executable, "-m", "devcontainer_registry", "login", "--verify=never"], environ)
    with open(os.path.join(environ["DOCKER_CONFIG"], "config.json"), encoding="utf-8") as file:
        (entry,) = json.load(file)["auths"].values()
    return tuple(base64.b64decode(entry["auth"]).decode().split(":", 1))


def ecr_login(environ):
    """
    The same from Amazon's credential helper.
    """
    program = needed.program("docker-credential-ecr-login", package="amazon-ecr-credential-helper")
    registry = environ["ECR_CONTAINER_REGISTRY_SERVER"]
    answer = json.loads(output([program, "get"], environ, text=registry))
    assert registry == answer["ServerURL"]
    return answer["Username"], answer["Secret"]


def aws_cli(environ):
    """
    The same from the AWS CLI; the user name is the one that its manual gives docker.
    """
    # https://docs.aws.amazon.com/cli/latest/reference/ecr/get-login-password.html
    command = [needed.aws_cli(), "ecr", "get-login-password", "--region", REGION]
    return "AWS", output(command, environ).strip()


def output(command, environ, *, text=""):
    ran = subprocess.run(
        command,
        env=environ,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert 0 == ran.returncode, ran.stdout + ran.stderr
    return ran.stdout


def host(account):
    # The account's own: the helper asks for the token of the registry that it is asked about, and
    # moto makes up another one for each.
    return f"{account}.dkr.ecr.{REGION}.amazonaws.com"


def asked(moto):
    """
    What was asked and where since the last time, in whose name, and whether with a temporary key.

    Not with which, as a role is given another each time.
    """
    calls = [
        (call.action, call.service, call.region, moto.keys[call.key_id][1], call.session)
        for call in moto.calls
    ]
    moto.calls.clear()
    return calls


@pytest.mark.parametrize("other", [ecr_login, aws_cli])
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_identity_is_the_same_one_to_all(aws, place, form, other):
    environ = place(form)

    theirs, they_asked = other(environ), asked(aws.moto)
    own, we_asked = ours(environ), asked(aws.moto)

    assert ("AWS", aws.moto.password(form.account)) == own
    assert theirs == own
    assert ("GetAuthorizationToken", "ecr", REGION, form.account, form.session) == we_asked[-1]
    assert they_asked == we_asked
    assert [] == aws.unknown_hosts


@pytest.mark.parametrize(
    ("form", "environ"),
    [("keys", SESSION), ("profile", SESSION), ("profile", {"AWS_PROFILE": "visitor"})],
)
@pytest.mark.parametrize("other", [ecr_login, aws_cli])
def test_a_sets_own_identity_goes_before_the_environments(aws, place, form, environ, other):
    # The others know of one identity for all registries, and it is not the one that the set has.
    environ = place(dataclasses.replace(FORMS[form], environ=environ))

    other(environ)
    they_asked = asked(aws.moto)
    ours(environ)
    we_asked = asked(aws.moto)

    assert [("GetAuthorizationToken", "ecr", REGION, TWO, True)] == they_asked
    assert [("GetAuthorizationToken", "ecr", REGION, ONE, False)] == we_asked
