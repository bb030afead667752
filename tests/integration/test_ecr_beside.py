# SPDX-License-Identifier: MIT
"""
Side by side with Amazon's own credential helper and the AWS CLI.

All three run in one environment, with the same shared files, and use AWS's own host names.
A proxy leads these hosts to moto: the helper has no setting for an endpoint, but uses a proxy.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import datetime as dt
import email.message
import functools
import hashlib
import json
import os
import subprocess
import sys
import types
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from doubles.internet import Internet
from parts import needed

from devcontainer_registry.testing.loopback import LoopbackServer

HELPER, PACKAGE = "docker-credential-ecr-login", "amazon-ecr-credential-helper"
REGION = "eu-west-1"
ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
KEY, TEMPORARY = "AKIA0000000000000001", "ASIA0000000000000001"
SECRET_KEY = "first/s3cretAccessKey+ThatNobodySees"
SESSION_TOKEN = "session/t0ken+ThatNobodySees=="
ROLE, JUMP = f"arn:aws:iam::{THREE}:role/pull", f"arn:aws:iam::{TWO}:role/jump"
WEB_TOKEN = "web.identity.T0kenThatNobodySees"
ACCESS_TOKEN, RENEWED = "single-sign-on-T0ken", "renewed-single-sign-on-T0ken"
REFRESH_TOKEN = "refresh-T0kenThatNobodySees"
LOGIN_SESSION = f"arn:aws:iam::{TWO}:user/ann"
METADATA_TOKEN, AGENT_TOKEN = "metadata-T0ken", "agents-T0ken"

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
[profile of-environment]
role_arn = {ROLE}
credential_source = Environment
[profile of-container]
role_arn = {ROLE}
credential_source = EcsContainer
[profile of-instance]
role_arn = {ROLE}
credential_source = Ec2InstanceMetadata
[profile of-web]
role_arn = {ROLE}
web_identity_token_file = {{home}}/web-token
[profile signed-in]
sso_session = corp
sso_account_id = {TWO}
sso_role_name = pull
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = {REGION}
[profile logged-in]
login_session = {LOGIN_SESSION}
[profile signed-in-as-before]
sso_start_url = https://corp.awsapps.com/start
sso_region = {REGION}
sso_account_id = {TWO}
sso_role_name = pull
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Form:
    """
    A way to have an AWS identity.

    Attributes:
        account: The account number.
        session: Whether its key is temporary.
        members: The members of our set; if empty, the default chain is used.
        environ: The environment variables, for all three programs.
        default: A profile whose key is the default in the shared files.
        host: The registry's host, if it is not the usual one.
        service: The service name for which requests are signed.
        region: The region for which requests are signed.
        endpoints: The ECR endpoints that may be used.
        others: Extra settings for the other programs: the AWS CLI does not get the host, and
            version 0.6 of the helper uses the ordinary endpoint for a FIPS host.
        unable: Per program that cannot use this identity: the reason.
    """

    account: str = ONE
    session: bool = False
    members: dict[str, str] = dataclasses.field(default_factory=dict)
    environ: dict[str, str] = dataclasses.field(default_factory=dict)
    default: bool = False
    host: str = "{account}.dkr.ecr.eu-west-1.amazonaws.com"
    service: str = "ecr"
    region: str = REGION
    endpoints: frozenset[str] = frozenset({"api.ecr.eu-west-1.amazonaws.com"})
    others: dict[str, str] = dataclasses.field(default_factory=dict)
    unable: dict[str, str] = dataclasses.field(default_factory=dict)


KEYS = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
SESSION = {
    "AWS_ACCESS_KEY_ID": TEMPORARY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_SESSION_TOKEN": SESSION_TOKEN,
}


WEB = {"AWS_WEB_IDENTITY_TOKEN_FILE": "{home}/web-token", "AWS_ROLE_ARN": ROLE}
CONTAINER = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "{metadata}/container",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": AGENT_TOKEN,
}
INSTANCE = {
    "AWS_EC2_METADATA_SERVICE_ENDPOINT": "{metadata}",
    "AWS_EC2_METADATA_DISABLED": "false",
    # The default of one second is short for a busy machine.
    "AWS_METADATA_SERVICE_TIMEOUT": "5",
    "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3",
}

# Both names of one endpoint: AWS's documentation has the one, its rule set the other.
FIPS = frozenset({"ecr-fips.us-east-1.amazonaws.com", "api.ecr-fips.us-east-1.amazonaws.com"})
NO_SSO_SESSION = {"ecr_login": "version 0.6 knows no sso-session, which came in 2022"}


def profile(name, *, environ=None, **about):
    environ = {"AWS_PROFILE": name, **(environ or {})}
    return Form(members={"PROFILE": name}, environ=environ, **about)


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
    "profile with a role of the environment's keys": profile(
        "of-environment",
        environ=KEYS,
        account=THREE,
        session=True,
        unable={"ecr_login": "keys in the environment go before every profile there"},
    ),
    "profile with a role of the container's": profile(
        "of-container",
        environ=CONTAINER,
        account=THREE,
        session=True,
        unable={"ecr_login": "for a credential_source, version 0.6 heeds the _RELATIVE_URI only"},
    ),
    "profile with a role of the instance's": profile(
        "of-instance", environ=INSTANCE, account=THREE, session=True
    ),
    "profile with a web identity": profile("of-web", account=THREE, session=True),
    "profile with single sign-on": profile(
        "signed-in", account=TWO, session=True, unable=NO_SSO_SESSION
    ),
    "profile with single sign-on of the older kind": profile(
        "signed-in-as-before", account=TWO, session=True
    ),
    "FIPS": Form(
        members={"USER": KEY, "PASSWORD": SECRET_KEY},
        environ=KEYS,
        host="{account}.dkr.ecr-fips.us-east-1.amazonaws.com",
        region="us-east-1",
        endpoints=FIPS,
        others={"AWS_USE_FIPS_ENDPOINT": "true"},
    ),
    "FIPS: profile with a role": profile(
        "pull",
        account=THREE,
        session=True,
        host="{account}.dkr.ecr-fips.us-east-1.amazonaws.com",
        region="us-east-1",
        endpoints=FIPS,
        environ={"AWS_USE_FIPS_ENDPOINT": "true"},
    ),
    "China": Form(
        members={"USER": KEY, "PASSWORD": SECRET_KEY},
        environ=KEYS,
        host="{account}.dkr.ecr.cn-north-1.amazonaws.com.cn",
        region="cn-north-1",
        endpoints=frozenset({"api.ecr.cn-north-1.amazonaws.com.cn"}),
    ),
    "GovCloud": Form(
        members={"USER": KEY, "PASSWORD": SECRET_KEY},
        environ=KEYS,
        host="{account}.dkr.ecr.us-gov-west-1.amazonaws.com",
        region="us-gov-west-1",
        endpoints=frozenset({"api.ecr.us-gov-west-1.amazonaws.com"}),
    ),
    "ECR Public": Form(
        members={"USER": KEY, "PASSWORD": SECRET_KEY},
        environ=KEYS,
        host="public.ecr.aws",
        service="ecr-public",
        region="us-east-1",
        endpoints=frozenset({"api.ecr-public.us-east-1.amazonaws.com"}),
    ),
    "dual-stack": Form(
        members={"USER": KEY, "PASSWORD": SECRET_KEY},
        environ=KEYS,
        host="{account}.dkr-ecr.eu-west-1.on.aws",
        endpoints=frozenset({"ecr.eu-west-1.api.aws"}),
        others={"AWS_USE_DUALSTACK_ENDPOINT": "true"},
        unable={"ecr_login": "version 0.6 knows no host of this form"},
    ),
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
    "default chain: single sign-on": Form(
        account=TWO,
        session=True,
        environ={"AWS_PROFILE": "signed-in"},
        unable=NO_SSO_SESSION,
    ),
    "default chain: web identity": Form(account=THREE, session=True, environ=WEB),
    "default chain: container": Form(account=TWO, session=True, environ=CONTAINER),
    "default chain: instance": Form(account=TWO, session=True, environ=INSTANCE),
}


@pytest.fixture(name="aws")
def _aws(moto):
    """
    moto, by AWS's own names; what to merge into an environment is in `environ`.
    """
    moto.add_key(KEY, SECRET_KEY, account=ONE)
    moto.add_key(TEMPORARY, SECRET_KEY, account=TWO)
    moto.web_tokens.add(WEB_TOKEN)
    hosts, renewed, refusing = [], [], []

    def answer(host, method, target, headers, body):
        hosts.append(host)
        request = types.SimpleNamespace(command=method, path=target, headers=caseless(headers))
        status, kind, content = moto.answer(request, body)
        return status, {"Content-Type": kind}, content

    known = {host: functools.partial(answer, host) for host in HOSTS}
    known[f"portal.sso.{REGION}.amazonaws.com"] = identity_center
    known[f"oidc.{REGION}.amazonaws.com"] = functools.partial(renew, renewed)
    known[f"{REGION}.signin.aws.amazon.com"] = functools.partial(log_in_again, renewed, refusing)
    with Internet(known) as internet, LoopbackServer(metadata) as here:
        yield types.SimpleNamespace(
            moto=moto,
            hosts=hosts,
            renewed=renewed,
            refusing=refusing,
            metadata=f"http://127.0.0.1:{here.server_port}",
            unknown_hosts=internet.unknown_hosts,
            environ={
                **internet.environ,
                "AWS_CA_BUNDLE": internet.environ["SSL_CERT_FILE"],
                # What newer SDKs do anyway; the helper's is an older one.
                "AWS_STS_REGIONAL_ENDPOINTS": "regional",
                "AWS_EC2_METADATA_DISABLED": "true",
            },
        )


HOSTS = (
    f"api.ecr.{REGION}.amazonaws.com",
    f"ecr.{REGION}.api.aws",
    f"sts.{REGION}.amazonaws.com",
    *FIPS,
    "api.ecr.cn-north-1.amazonaws.com.cn",
    "api.ecr.us-gov-west-1.amazonaws.com",
    "api.ecr-public.us-east-1.amazonaws.com",
    "sts-fips.us-east-1.amazonaws.com",
)


def identity_center(_method, target, headers, _body):
    """
    Give TEMPORARY for a valid sign-in with the right account and role.

    https://docs.aws.amazon.com/singlesignon/latest/PortalAPIReference/API_GetRoleCredentials.html
    """
    url = urlsplit(target)
    right = {"account_id": [TWO], "role_name": ["pull"]} == parse_qs(url.query)
    token = headers.get("x-amz-sso_bearer_token")
    if url.path != "/federation/credentials" or not right or token not in (ACCESS_TOKEN, RENEWED):
        return as_json({"message": "no"}, 401, {"x-amzn-ErrorType": "UnauthorizedException"})
    keys = {"accessKeyId": TEMPORARY, "secretAccessKey": SECRET_KEY, "sessionToken": SESSION_TOKEN}
    return as_json({"roleCredentials": {**keys, "expiration": 4102444800000}})


def renew(renewed, _method, target, _headers, body):
    """
    Give RENEWED for the refresh token.

    https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html
    """
    renewed.append(json.loads(body))
    if target != "/token" or renewed[-1].get("refreshToken") != REFRESH_TOKEN:
        return as_json(
            {"error": "invalid_grant"}, 400, {"x-amzn-ErrorType": "InvalidGrantException"}
        )
    return as_json({"accessToken": RENEWED, "expiresIn": 3600, "refreshToken": "another"})


def log_in_again(renewed, refusing, _method, target, headers, body):
    """
    Give TEMPORARY for the refresh token and a proof of its key.

    https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html
    """
    renewed.append(json.loads(body))
    right = target == "/v1/token" and headers.get("DPoP", "").count(".") == 2
    if refusing or not right or renewed[-1]["refreshToken"] != REFRESH_TOKEN:
        error, status = refusing[0] if refusing else ("INVALID_REQUEST", 400)
        name = {403: "AccessDeniedException", 429: "TooManyRequestsError"}.get(status)
        return as_json(
            {"error": error, "message": "no"},
            status,
            {"x-amzn-ErrorType": name or "ValidationException"},
        )
    keys = {
        "accessKeyId": TEMPORARY,
        "secretAccessKey": SECRET_KEY,
        "sessionToken": SESSION_TOKEN,
    }
    return as_json(
        {
            "accessToken": keys,
            "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4",
            "expiresIn": 900,
            "refreshToken": "another",
        }
    )


def metadata(method, target, headers, _body):
    """
    A container's and an instance's metadata, which give TEMPORARY.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html
    """
    keys = {
        "Code": "Success",
        "AccessKeyId": TEMPORARY,
        "SecretAccessKey": SECRET_KEY,
        "Token": SESSION_TOKEN,
        "Expiration": "2099-01-01T00:00:00Z",
    }
    if target == "/container" and headers.get("Authorization") == AGENT_TOKEN:
        return as_json(keys)
    if (method, target) == ("PUT", "/latest/api/token"):
        life = {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}
        return 200, life, METADATA_TOKEN.encode()
    role = "/latest/meta-data/iam/security-credentials/"
    if headers.get("X-aws-ec2-metadata-token") == METADATA_TOKEN and target == role:
        return 200, {}, b"the-instances-role"
    if (
        headers.get("X-aws-ec2-metadata-token") == METADATA_TOKEN
        and target == f"{role}the-instances-role"
    ):
        return as_json(keys)
    return 404, {}, b""


def as_json(document, status=200, headers=None):
    content = json.dumps(document).encode()
    return status, {"Content-Type": "application/json", **(headers or {})}, content


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
        (tmp_path / "web-token").write_text(WEB_TOKEN)
        sign_in(tmp_path)
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
        sets = {"SERVER": form.host.format(account=form.account), **form.members}
        return {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(tmp_path),
            "DOCKER_CONFIG": str(tmp_path / "docker"),
            **aws.environ,
            **{f"ECR_CONTAINER_REGISTRY_{name}": text for name, text in sets.items()},
            **{
                name: text.format(home=tmp_path, metadata=aws.metadata)
                for name, text in form.environ.items()
            },
        }

    return make


def sign_in(home, *, expires_in=3600, refresh_token=REFRESH_TOKEN):
    """
    Write the files of `aws sso login` into *home*, in both formats.
    """
    folder = home / ".aws" / "sso" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    now = dt.datetime.now(dt.timezone.utc)
    document = {
        "startUrl": "https://corp.awsapps.com/start",
        "region": REGION,
        "accessToken": ACCESS_TOKEN,
        "expiresAt": f"{now + dt.timedelta(seconds=expires_in):%Y-%m-%dT%H:%M:%SZ}",
        **({"refreshToken": refresh_token} if refresh_token else {}),
        "clientId": "client",
        "clientSecret": "clients-secret",
        "registrationExpiresAt": f"{now + dt.timedelta(days=30):%Y-%m-%dT%H:%M:%SZ}",
    }
    for name in ("corp", document["startUrl"]):
        path = folder / f"{hashlib.sha1(name.encode()).hexdigest()}.json"
        path.write_text(json.dumps(document))


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
    program = needed.program(HELPER, package=PACKAGE)
    registry = environ["ECR_CONTAINER_REGISTRY_SERVER"]
    answer = json.loads(output([program, "get"], environ, text=registry))
    assert registry == answer["ServerURL"]
    return answer["Username"], answer["Secret"]


def aws_cli(environ):
    """
    The same from the AWS CLI; the user name is the one that its manual gives docker.
    """
    # https://docs.aws.amazon.com/cli/latest/reference/ecr/get-login-password.html
    labels = environ["ECR_CONTAINER_REGISTRY_SERVER"].split(".")
    if labels[0] == "public":
        service, region = "ecr-public", "us-east-1"
    else:
        service, region = "ecr", labels[2] if "dkr-ecr" in labels else labels[3]
    command = [needed.aws_cli(), service, "get-login-password", "--region", region]
    if "AWS_PROFILE" in environ:
        # The variable alone would come after keys in the environment.
        command += ["--profile", environ["AWS_PROFILE"]]
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
    print(ran.stdout, ran.stderr)
    ran.check_returncode()
    return ran.stdout


def asked(moto):
    """
    Return the new AWS requests: action, service, region, account, and if the key is temporary.

    The key itself is left out, since a role gets another one each time.
    """
    calls = [
        (call.action, call.service, call.region, account_of(moto, call.key_id), call.session)
        for call in moto.calls
    ]
    moto.calls.clear()
    return calls


def account_of(moto, key_id):
    # A web identity's call has none: it is not signed.
    return key_id and moto.keys[key_id][1]


def last_of(form):
    """
    Return the last expected request, in the form of `asked`.
    """
    return "GetAuthorizationToken", form.service, form.region, form.account, form.session


OTHERS = (ecr_login, aws_cli)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_identity_is_the_same_for_every_program(aws, place, form):
    environ = place(form)
    able = [other for other in OTHERS if other.__name__ not in form.unable]

    own, we_asked = ours(environ), asked(aws.moto)
    theirs = {other: (other({**environ, **form.others}), asked(aws.moto)) for other in able}

    assert ("AWS", aws.moto.password(form.account)) == own
    assert last_of(form) == we_asked[-1]
    assert dict.fromkeys(able, (own, we_asked)) == theirs
    assert form.endpoints >= {host for host in aws.hosts if "ecr" in host}
    assert [] == aws.unknown_hosts


UNABLE = [
    (name, other) for name in FORMS for other in OTHERS if other.__name__ in FORMS[name].unable
]


@pytest.mark.parametrize(("name", "other"), UNABLE)
def test_a_documented_limit_of_another_program_is_real(aws, place, name, other):
    # Or the table is out of date; other versions may be able to.
    form = FORMS[name]
    environ = place(form)
    if " 0.6." not in output([needed.program(HELPER, package=PACKAGE), "-v"], environ):
        pytest.skip("what the table says is of the helper's version 0.6")

    with contextlib.suppress(subprocess.CalledProcessError):
        other({**environ, **form.others})

    assert last_of(form) not in asked(aws.moto)


@pytest.mark.parametrize(
    ("form", "environ"),
    [("keys", SESSION), ("profile", SESSION), ("profile", {"AWS_PROFILE": "visitor"})],
)
@pytest.mark.parametrize("other", [ecr_login, aws_cli])
def test_the_identity_of_a_set_wins_over_the_environment(aws, place, form, environ, other):
    # The others have one identity for all registries, and it differs from the set's.
    environ = place(dataclasses.replace(FORMS[form], environ=environ))

    other(environ)
    they_asked = asked(aws.moto)
    ours(environ)
    we_asked = asked(aws.moto)

    assert [("GetAuthorizationToken", "ecr", REGION, TWO, True)] == they_asked
    assert [("GetAuthorizationToken", "ecr", REGION, ONE, False)] == we_asked


def test_a_single_sign_on_that_has_expired_is_renewed(aws, place, tmp_path):
    environ = place(FORMS["profile with single sign-on"])

    sign_in(tmp_path, expires_in=-60)
    theirs, they_asked = aws_cli(environ), asked(aws.moto)
    their_renewals = aws.renewed[:]
    sign_in(tmp_path, expires_in=-60)
    own, we_asked = ours(environ), asked(aws.moto)

    assert ("AWS", aws.moto.password(TWO)) == own == theirs
    assert they_asked == we_asked
    assert [REFRESH_TOKEN] == [one["refreshToken"] for one in their_renewals]
    assert their_renewals * 2 == aws.renewed
    # The refresh token is valid once; its replacement is saved for the next renewal.
    cached = tmp_path / ".aws" / "sso" / "cache" / f"{hashlib.sha1(b'corp').hexdigest()}.json"
    assert (RENEWED, "another") == (
        json.loads(cached.read_text())["accessToken"],
        json.loads(cached.read_text())["refreshToken"],
    )


def log_in_to_aws(home, *, expires_in):
    """
    Write the files of `aws login` into *home*.
    """
    key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    end = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=expires_in)
    document = {
        "accessToken": {
            "accessKeyId": TEMPORARY if expires_in > 0 else "ASIA0000000000000009",
            "secretAccessKey": SECRET_KEY,
            "sessionToken": SESSION_TOKEN,
            "accountId": TWO,
            "expiresAt": f"{end:%Y-%m-%dT%H:%M:%SZ}",
        },
        "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4",
        "refreshToken": REFRESH_TOKEN,
        "idToken": "id",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": key.decode(),
    }
    folder = home / ".aws" / "login" / "cache"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(LOGIN_SESSION.encode()).hexdigest()}.json"
    path.write_text(json.dumps(document))


@pytest.fixture(name="logged_in")
def _logged_in(place):
    """
    The environment of a profile of `aws login`, for programs with awscrt.
    """
    form = profile("logged-in", account=TWO, session=True, environ={"AWS_REGION": REGION})
    return {**place(form), "PYTHONPATH": needed.awscrt()}


@pytest.mark.parametrize(("expires_in", "renewals"), [(3600, 0), (-60, 1)])
def test_an_aws_login_gives_the_same_identity_as_in_the_aws_cli(
    aws, logged_in, tmp_path, expires_in, renewals
):
    # Amazon's helper, as Debian has it, is older than aws login.
    log_in_to_aws(tmp_path, expires_in=expires_in)
    theirs, they_asked = aws_cli(logged_in), asked(aws.moto)
    log_in_to_aws(tmp_path, expires_in=expires_in)
    own, we_asked = ours(logged_in), asked(aws.moto)

    assert ("AWS", aws.moto.password(TWO)) == own == theirs
    assert [("GetAuthorizationToken", "ecr", REGION, TWO, True)] == we_asked == they_asked
    assert 2 * renewals * [REFRESH_TOKEN] == [one["refreshToken"] for one in aws.renewed]


PROFILE = "ECR_CONTAINER_REGISTRY_PROFILE"
AGAIN = "run aws login --remote with that profile in this container"
# The answer of Sign-In; then our code, message and fix.
# https://docs.aws.amazon.com/signin/latest/APIReference/API_CreateOAuth2Token.html (Errors)
LOGIN_REFUSALS = [
    (
        ("TOKEN_EXPIRED", 403),
        "aws-login-expired",
        f"the aws login session of {PROFILE} expired",
        AGAIN,
    ),
    (
        ("USER_CREDENTIALS_CHANGED", 403),
        "aws-login-expired",
        f"the aws login session of {PROFILE} expired",
        AGAIN,
    ),
    (
        ("INSUFFICIENT_PERMISSIONS", 403),
        "aws-login-denied",
        f"AWS denied signin:CreateOAuth2Token to the profile of {PROFILE}",
        ("attach the policy SignInLocalDevelopmentAccess to the identity that ran aws login"),
    ),
    (
        ("AUTHCODE_EXPIRED", 403),
        "aws-login-refused",
        f"AWS did not renew the aws login session of {PROFILE}",
        AGAIN,
    ),
    (
        ("INVALID_REQUEST", 400),
        "aws-refused",
        "AWS Sign-In refused: ValidationException",
        "look up this code in the AWS list of common errors",
    ),
]


def refused(environ):
    """
    Return the code, message and fix of our failing login.
    """
    with pytest.raises(subprocess.CalledProcessError) as caught:
        output(
            [sys.executable, "-m", "devcontainer_registry", "login", "--verify=never", "--json"],
            environ,
        )
    (one,) = json.loads(caught.value.stdout)["registries"]
    said = f"{caught.value.stdout}{caught.value.stderr}"
    assert not [secret for secret in (REFRESH_TOKEN, ACCESS_TOKEN, SECRET_KEY) if secret in said]
    return one["error"]["code"], one["error"]["message"], one["error"]["hint"]


@pytest.mark.parametrize(("answer", "expected"), [(row[0], row[1:]) for row in LOGIN_REFUSALS])
def test_an_aws_login_that_is_not_renewed_says_why(aws, logged_in, tmp_path, answer, expected):
    log_in_to_aws(tmp_path, expires_in=-60)
    aws.refusing.append(answer)

    assert expected == refused(logged_in)
    assert 1 == len(aws.renewed)
    assert [] == aws.moto.calls


@pytest.mark.usefixtures("aws")
def test_a_profile_without_an_aws_login_is_reported(logged_in):
    assert (
        "aws-login-missing",
        f"the AWS profile of {PROFILE} has no aws login session here",
        AGAIN,
    ) == refused(logged_in)


@pytest.mark.usefixtures("aws")
def test_an_aws_login_names_the_missing_python_package(logged_in, tmp_path):
    log_in_to_aws(tmp_path, expires_in=3600)
    # As on a machine without awscrt.
    environ = {**logged_in, "PYTHONPATH": str(tmp_path)}
    (tmp_path / "awscrt.py").write_text("raise ImportError\n")

    assert (
        "aws-sdk-incomplete",
        (f"the AWS profile of {PROFILE} uses aws login, which needs the Python package awscrt"),
        f"run {sys.executable} -m pip install 'botocore[crt]'",
    ) == refused(environ)


@pytest.mark.parametrize("refresh_token", ["used-up", None])
def test_a_single_sign_on_that_is_not_renewed_says_what_to_run(aws, place, tmp_path, refresh_token):
    environ = place(FORMS["profile with single sign-on"])
    sign_in(tmp_path, expires_in=-60, refresh_token=refresh_token)

    assert (
        "aws-sso-expired",
        f"the single sign-on session of {PROFILE} expired and could not be renewed",
        "run aws sso login with that profile in this container",
    ) == refused(environ)
    assert [] == aws.moto.calls
