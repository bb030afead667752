# SPDX-License-Identifier: MIT
"""
What a user reads when AWS refuses: the exact line, whether AWS's SDK asked or only signed.

boto3 is not patched: a loopback server answers what AWS answers.
"""

from __future__ import annotations

import socket
import ssl
import threading

import pytest
from doubles.clouds import (
    ECR,
    KEY,
    KEY_ID,
    OTHER_NAMES,
    PUBLIC_REFUSALS,
    REFUSALS,
    ROLE,
    ROLE_ARN,
    SERVER,
    SSO_REFUSALS,
    STS,
    WEB_REFUSALS,
    PlayedAws,
    as_json,
    denied,
)
from doubles.internet import Authority, tls_server

from devcontainer_registry.authenticators.clouds.aws import refusals as aws_refusals
from devcontainer_registry.authenticators.clouds.aws.names import Endpoint, Identity
from devcontainer_registry.authenticators.clouds.aws.sdk import Aws
from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.causes.clouds import aws_refusals as causes
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.registry import Registry

HOST = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def secret(**members):
    members = {"username": KEY_ID, "secret": Secret(KEY), **members}
    host = members.pop("host", HOST)
    return RegistrySecret(
        id="E", registry=Registry(host), source="E_CONTAINER_REGISTRY_*", **members
    )


@pytest.fixture(autouse=True, params=["signed", "sdk"])
def _by(request, monkeypatch, tmp_path):
    if request.param == "sdk":
        # A setting that only the SDK obeys, of no effect here.
        monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))


@pytest.fixture(name="aws")
def _aws(monkeypatch):
    with PlayedAws() as played:
        for name, text in played.environ.items():
            monkeypatch.setenv(name, text)
        yield played


def error_of(one, *, timeout=5.0):
    with pytest.raises(RegistryError) as caught:
        EcrAuthenticator().authenticate(one, timeout=timeout)
    error = caught.value
    assert KEY not in f"{error.message}{error.hint}"
    # Nor in what hangs on it, and nothing of AWS's or the SDK's text either.
    assert error.__cause__ is None
    assert error.__context__ is None
    return error


def read(error):
    return type(error), error.code, error.message, error.hint


@pytest.mark.parametrize(("refusal", "expected"), [(row[0], row[1:]) for row in REFUSALS])
def test_each_refusal_of_aws_is_a_line_and_what_to_do(aws, refusal, expected):
    action, aws_code, text, *status = refusal
    aws.refuse(action, aws_code, text, status=status[0] if status else 400)

    error = error_of(secret(role_arn=ROLE if action == STS else None))

    assert expected == read(error)
    assert 1 == aws.actions.count(action)


@pytest.mark.parametrize(("refusal", "expected"), [(row[0], row[1:]) for row in PUBLIC_REFUSALS])
def test_each_refusal_of_ecr_public_is_a_line_and_what_to_do(aws, refusal, expected):
    aws.refuse(*refusal)

    assert expected == read(error_of(secret(host="public.ecr.aws")))


CAUSES = {
    "clock" if row[2] == "clock-skew" else row[0][1]: row[1:]
    for row in reversed(REFUSALS)
    if row[0][0] == ECR
}


@pytest.mark.parametrize(("other", "name"), OTHER_NAMES.items())
def test_a_cause_has_one_line_by_whatever_name(aws, other, name):
    aws.refuse(ECR, other, "")

    assert CAUSES[name] == read(error_of(secret()))


@pytest.mark.parametrize(
    "written",
    [
        "com.amazon.coral.service#UnrecognizedClientException",
        "UnrecognizedClientException:http://internal.amazon.com/coral/com.amazon.coral.service/",
        "com.amazon#UnrecognizedClientException:http://internal.amazon.com/#x",
    ],
)
def test_a_code_is_read_in_each_form_of_the_protocol(aws, written):
    aws.refuse(ECR, written, "")

    assert CAUSES["UnrecognizedClientException"] == read(error_of(secret()))


def test_every_known_code_has_a_case_here():
    shown = {ECR: {*OTHER_NAMES}}
    for (action, code, *_), *_ in (*REFUSALS, *PUBLIC_REFUSALS, *WEB_REFUSALS, *SSO_REFUSALS):
        shown.setdefault(action, set()).add(code)

    known = {ECR: {*causes.REFUSALS, *aws_refusals._THROTTLED, *aws_refusals._BROKEN}}
    known[ECR] |= aws_refusals._CLOCK_CODES
    known |= {name: set(codes) for name, codes in causes.BY_OPERATION.items()}

    assert {} == {action: missing for action in known if (missing := known[action] - shown[action])}


def test_an_assumed_role_without_the_right_is_named_as_the_one_to_allow(aws):
    aws.refuse(ECR, "AccessDeniedException", denied("ecr:GetAuthorizationToken"))

    error = error_of(secret(role_arn=ROLE))

    assert f"allow ecr:GetAuthorizationToken on * for the role in {ROLE_ARN}" == error.hint


def test_an_answer_that_is_kept_for_others_holds_on_to_no_frames(aws):
    aws.refuse(ECR, "AccessDeniedException")
    identity = Identity(key_id=KEY_ID, key=Secret(KEY))

    kept = Aws().password(identity, Endpoint(region="eu-west-1"), timeout=5.0)

    assert "aws-denied" == kept.code
    assert [None, None, None] == [kept.__traceback__, kept.__cause__, kept.__context__]


def test_a_wait_that_aws_asks_for_is_passed_on(aws):
    aws.refuse(ECR, "ThrottlingException", status=429, headers={"Retry-After": "7"})

    assert 7.0 == error_of(secret()).retry_after


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<html>Log in to the hotel</html>"),
        (200, {}, b""),
        as_json({}),
        as_json({"authorizationData": []}),
        as_json({"authorizationData": [{}]}),
        as_json({"authorizationData": [{"authorizationToken": "no base64", "expiresAt": 1}]}),
        as_json({"authorizationData": [{"authorizationToken": "QVdT", "expiresAt": 1}]}),
        as_json({"authorizationData": [{"authorizationToken": "QVdTOg==", "expiresAt": 1}]}),
        as_json({"authorizationData": [{"authorizationToken": "QVdTOng="}]}),
        as_json({"authorizationData": "text"}),
        as_json({"authorizationData": [{"authorizationToken": "QVdTOng=", "expiresAt": "x"}]}),
    ],
)
def test_an_invalid_answer_of_aws_is_an_error(aws, answer):
    aws.answers[ECR] = [answer]

    error = error_of(secret())

    assert "not-aws" == error.code
    assert "ECR in eu-west-1" in error.message
    assert not isinstance(error, (AuthenticationError, TransientError))


@pytest.mark.parametrize("status", [302, 403, 404, 407])
def test_a_foreign_page_is_an_error(aws, status):
    aws.answers[ECR] = [(status, {"Content-Type": "text/html"}, b"<html>blocked by IT</html>")]

    error = error_of(secret())

    assert (UnreachableError, "not-aws") == (type(error), error.code)
    assert (
        f"a server that is not AWS answered for ECR in eu-west-1 (status {status})"
    ) == error.message


def test_a_hung_endpoint_is_a_timeout(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")

        error = error_of(secret(), timeout=0.2)

    assert (TransientError, "timeout") == (type(error), error.code)


def test_an_unknown_host_is_named():
    error = error_of(secret(host="123456789012.dkr.ecr.eu-west-9.amazonaws.com"))

    assert (
        TransientError,
        "name-not-resolved",
        "cannot resolve api.ecr.eu-west-9.amazonaws.com",
        f"check the region in {SERVER}, the network, the proxy and AWS_ENDPOINT_URL",
    ) == read(error)


@pytest.mark.parametrize(("trusted", "code"), [(True, "not-aws"), (False, "certificate-untrusted")])
def test_a_certificate_is_checked_against_the_trust_of_all_else(
    tmp_path_factory, monkeypatch, trusted, code
):
    ours, theirs = (Authority(tmp_path_factory.mktemp("authority")) for _ in range(2))
    context = (ours if trusted else theirs).server_context("localhost")
    with tls_server(lambda *_: as_json({}), context) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{server.server_port}")
        monkeypatch.setenv("SSL_CERT_FILE", ours.ca_file)

        error = error_of(secret())

    assert code == error.code
    assert trusted or type(error) is UnreachableError
    assert trusted or "AWS_CA_BUNDLE" in error.hint


def test_aws_ca_bundle_wins(tmp_path, monkeypatch):
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(ssl.get_default_verify_paths().cafile or ""))
    monkeypatch.setenv("AWS_CA_BUNDLE", authority.ca_file)
    with tls_server(lambda *_: as_json({}), authority.server_context("localhost")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{server.server_port}")

        assert "not-aws" == error_of(secret()).code


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_an_invalid_bundle_is_an_error(tmp_path, monkeypatch, content):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    context = Authority(tmp_path).server_context("localhost")
    with tls_server(lambda *_: as_json({}), context) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"https://localhost:{server.server_port}")

        error = error_of(secret())

    assert (UnreachableError, "ca-file") == (type(error), error.code)


def test_plain_http_on_a_tls_port_is_an_error(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint.replace("http:", "https:"))

    error = error_of(secret())

    assert (UnreachableError, "plain-http") == (type(error), error.code)


@pytest.mark.parametrize("url", ["user:passw0rd@host", "", "http://[::1", "ftp://"])
def test_an_endpoint_that_is_not_a_url_is_an_error(monkeypatch, url):
    monkeypatch.setenv("AWS_ENDPOINT_URL", url or "nonsense")

    error = error_of(secret())

    assert (DiscoveryError, "aws-endpoint-invalid") == (type(error), error.code)
    assert "passw0rd" not in error.message + error.hint


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (403, UnreachableError, "proxy-refused"),
        (407, UnreachableError, "proxy-refused"),
        (502, TransientError, "proxy-unreachable"),
    ],
)
def test_a_proxy_that_refuses_is_named_without_its_password(monkeypatch, status, kind, code):
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        name = f"127.0.0.1:{proxy.getsockname()[1]}"
        monkeypatch.setenv("HTTPS_PROXY", f"http://ann:pr0xyp4ss@{name}")
        thread = threading.Thread(target=turn_away, args=(proxy, status))
        thread.start()

        error = error_of(secret())

        thread.join()
    assert (kind, code) == (type(error), error.code)
    assert f"the proxy {name} " in error.message
    assert "pr0xyp4ss" not in error.message + error.hint


def test_a_registry_that_refuses_what_aws_just_gave_does_not_blame_the_key():
    hints = [
        EcrAuthenticator().explain(secret(**members), AuthenticationError("no", code="rejected"))
        for members in ({}, {"username": None, "secret": None}, {"username": "AWS"})
    ]

    assert ["E_CONTAINER_REGISTRY_SERVER" in hint for hint in hints] == [True, True, False]
    assert ["E_CONTAINER_REGISTRY_PASSWORD" in hint for hint in hints] == [False, False, True]


def turn_away(proxy, status):
    connection, _ = proxy.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode())
