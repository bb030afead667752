# SPDX-License-Identifier: MIT
"""
The contract of authenticators, with the built-in ones, broken ones and a third-party one.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request
from contextlib import contextmanager
from urllib.parse import urlencode

import pytest
from doubles.clouds import PRINCIPAL, Azure, PlayedAws, aadsts
from doubles.internet import Internet

from devcontainer_registry.credentials import Credential, RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
)
from devcontainer_registry.testing import AuthenticatorContract, LoopbackRegistry
from devcontainer_registry.testing.contract import CANARY

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ACME = os.path.join(os.path.dirname(__file__), "..", "plugin_distribution")


@contextmanager
def variables(**values):
    with pytest.MonkeyPatch.context() as patch:
        for name, value in values.items():
            patch.setenv(name, value)
        yield


class PassesOn(AuthenticatorContract):
    """
    Rules for every kind that sends no request, and so is never refused.
    """

    test_a_refusal_is_an_authentication_error = None
    test_an_outage_is_worth_another_try = None
    test_what_it_says_has_one_line_and_a_hint = None
    test_no_secret_shows = None


class Asks(AuthenticatorContract):
    """
    Rules for every kind that sends requests to a cloud.
    """

    test_what_it_gives_is_a_credential = None
    test_without_a_secret_it_says_so_or_vouches_for_itself = None


class TestGeneric(PassesOn):
    target = "devcontainer_registry.authenticators.generic:GenericAuthenticator"


class TestGhcr(PassesOn):
    target = "devcontainer_registry.authenticators.ghcr:GhcrAuthenticator"
    ours = ("ghcr.io",)
    sdk = ("urllib3", "devcontainer_registry.network.transport")


class TestAcr(Asks):
    target = "devcontainer_registry.authenticators.acr:AcrAuthenticator"
    ours = ("example.azurecr.io", "example-a1b2.azurecr.io", "example.azurecr.cn")
    also_ours = ("example.azurecr.us", "example.azurecr.de")
    sdk = ("azure", "azure.identity", "msal", "urllib3", "requests")

    def secret(self):
        return identity(self.ours[0])

    @contextmanager
    def refusal(self):
        answer = aadsts("7000215", said=f"with {CANARY}")
        with Azure(signing_in=answer) as azure, variables(**azure.environ, **principal()):
            yield self.secret()

    @contextmanager
    def outage(self):
        answer = (503, {}, CANARY.encode())
        with Azure(signing_in=answer) as azure, variables(**azure.environ, **principal()):
            yield self.secret()


class TestGoogle(Asks):
    target = "devcontainer_registry.authenticators.google:GoogleAuthenticator"
    ours = (
        "gcr.io",
        "eu.gcr.io",
        "europe-west1-docker.pkg.dev",
        "docker.us-central1.rep.pkg.dev",
    )
    sdk = ("google.auth", "urllib3", "requests")

    def secret(self):
        return identity(self.ours[0])

    @contextmanager
    def refusal(self):
        body = json.dumps({"error": "invalid_grant", "error_description": CANARY}).encode()
        with google_signed_in(400, body):
            yield self.secret()

    @contextmanager
    def outage(self):
        with google_signed_in(503, CANARY.encode()):
            yield self.secret()


class TestEcr(Asks):
    target = "devcontainer_registry.authenticators.ecr:EcrAuthenticator"
    ours = (ECR, "123456789012.dkr-ecr.eu-west-1.on.aws", "public.ecr.aws")
    sdk = ("boto3", "botocore", "urllib3")

    def secret(self):
        return RegistrySecret(
            id="CONTRACT",
            registry=super().secret().registry,
            source="CONTRACT_CONTAINER_REGISTRY_*",
            username="AKIA0000000000000001",
            secret=Secret(CANARY),
        )

    @contextmanager
    def refusal(self):
        with self._answering("UnrecognizedClientException", 400):
            yield self.secret()

    @contextmanager
    def outage(self):
        with self._answering("ServerException", 500):
            yield self.secret()

    @contextmanager
    def _answering(self, code, status):
        with PlayedAws() as aws, variables(**aws.environ):
            aws.refuse("GetAuthorizationToken", code, f"with {CANARY}", status=status)
            yield


def identity(host):
    from devcontainer_registry.registry import Registry

    return RegistrySecret(
        id="CONTRACT", registry=Registry(host), source="CONTRACT_CONTAINER_REGISTRY_*"
    )


def principal():
    return {**PRINCIPAL, "AZURE_CLIENT_SECRET": CANARY}


@contextmanager
def google_signed_in(status, body):
    """
    A person who has signed in with gcloud, at a token server that answers so.
    """
    answer = (status, {"Content-Type": "application/json"}, body)
    content = {
        "type": "authorized_user",
        "client_id": "1",
        "client_secret": CANARY,
        "refresh_token": CANARY,
    }
    with Internet({"oauth2.googleapis.com": lambda *_: answer}) as internet:
        path = os.path.join(os.environ["HOME"], "adc.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(content, file)
        with variables(**internet.environ, GOOGLE_APPLICATION_CREDENTIALS=path):
            yield


# A plugin that keeps the contract, and one for each way of breaking it.


class Kept:
    def matches(self, registry):
        return re.fullmatch(r"[a-z]+\.corp\.example", registry) is not None

    def exchanges(self, secret):  # noqa: ARG002  (the protocol's)
        return True

    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        if secret.secret is None:
            msg = "there is no key"
            raise DiscoveryError(msg, hint="set one")
        raise TRIES.pop(0)


class Unanchored(Kept):
    def matches(self, registry):
        return re.match(r"[a-z]+\.corp\.example", registry) is not None


class Unescaped(Kept):
    def matches(self, registry):
        return re.fullmatch(r"[a-z]+.corp.example", registry) is not None


class Greedy(Kept):
    def matches(self, registry):  # noqa: ARG002  (the protocol's)
        return True


class Claimless(Kept):
    def matches(self, registry):  # noqa: ARG002  (the protocol's)
        return False


class Quoting(Kept):
    def authenticate(self, secret, *, timeout):
        del timeout
        msg = f"refused {secret.secret.reveal()}"
        raise AuthenticationError(msg, hint="stop")


class Chaining(Kept):
    def authenticate(self, secret, *, timeout):
        del timeout
        pair = base64.b64encode(f"ann:{secret.secret.reveal()}".encode()).decode()
        try:
            int(pair)
        except ValueError as exc:
            raise AuthenticationError("refused", hint="stop") from exc


class Printing(Kept):
    def authenticate(self, secret, *, timeout):
        del timeout
        print("refused", secret.secret.reveal())
        raise AuthenticationError("refused", hint="stop")


class Explaining(Kept):
    def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
        return f"change {secret.secret.reveal()}"


class Hintless(Kept):
    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        raise AuthenticationError("refused")


class Confused(Kept):
    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        raise RegistryError("something", hint="guess")


class Silent(Kept):
    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        return Credential(username="ann", secret=Secret("x"))


class Careless(Kept):
    def exchanges(self, secret):  # noqa: ARG002  (the protocol's)
        return False

    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        return "ann", "a password"


TRIES = []


def contract(kind):
    class Contract(AuthenticatorContract):
        ours = ("eu.corp.example", "us.corp.example")

        def authenticator(self):
            return kind()

        @contextmanager
        def refusal(self):
            TRIES[:] = [AuthenticationError("refused", hint="stop")]
            yield self.secret()

        @contextmanager
        def outage(self):
            TRIES[:] = [TransientError("busy", hint="wait")]
            yield self.secret()

    Contract.target = f"fakes:{kind.__name__}"
    return Contract()


def broken(kind):
    """
    Return the tests of the contract that *kind* fails.
    """
    checked = contract(kind)
    names = [name for name in dir(checked) if name.startswith("test_")]
    failed = set()
    for name in names:
        if name == "test_matching_loads_no_sdk":
            continue
        try:
            getattr(checked, name)()
        except unittest.SkipTest:
            continue
        except Exception:  # noqa: BLE001  (an assertion, or what the kind raised)
            failed.add(name)
    return failed


def test_a_correct_plugin_passes_the_contract():
    assert set() == broken(Kept)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (Unanchored, "test_it_claims_nobody_elses"),
        (Unescaped, "test_it_claims_nobody_elses"),
        (Greedy, "test_it_claims_nobody_elses"),
        (Claimless, "test_it_claims_its_own"),
        (Quoting, "test_no_secret_shows"),
        (Chaining, "test_no_secret_shows"),
        (Printing, "test_no_secret_shows"),
        (Explaining, "test_no_secret_shows_in_what_it_explains"),
        (Hintless, "test_what_it_says_has_one_line_and_a_hint"),
        (Confused, "test_a_refusal_is_an_authentication_error"),
        (Confused, "test_an_outage_is_worth_another_try"),
        (Silent, "test_a_refusal_is_an_authentication_error"),
        (Careless, "test_what_it_gives_is_a_credential"),
    ],
)
def test_each_way_of_breaking_the_contract_is_detected(kind, expected):
    assert expected in broken(kind)


def test_a_plugin_that_loads_its_sdk_while_matching_is_detected(tmp_path, monkeypatch):
    (tmp_path / "eager.py").write_text(
        "import colorsys\nclass Eager:\n    def matches(self, registry):\n        return False\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    class Eager(AuthenticatorContract):
        target = "eager:Eager"
        sdk = ("colorsys",)

    with pytest.raises(AssertionError, match="colorsys"):
        Eager().test_matching_loads_no_sdk()


def test_a_plugin_that_sends_requests_has_to_show_a_refusal():
    class Showing(AuthenticatorContract):
        ours = ("eu.corp.example",)

        def authenticator(self):
            return Kept()

    with pytest.raises(NotImplementedError):
        Showing().test_a_refusal_is_an_authentication_error()


def test_the_contract_runs_under_unittest_too():
    class Ours(TestGhcr, unittest.TestCase):
        pass

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Ours)
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        result = unittest.TextTestRunner(stream=nowhere).run(suite)

    assert result.wasSuccessful()
    assert result.testsRun > 5


def test_the_contract_is_imported_without_pytest_and_only_when_asked_for():
    code = (
        "import sys; import devcontainer_registry.testing as testing;"
        "print('unittest' in sys.modules, end=' '); testing.AuthenticatorContract;"
        "print('pytest' in sys.modules, 'unittest' in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )

    assert "False False True" == done.stdout.strip(), done.stderr


# A third-party distribution, installed as users install it.

OFFLINE = ("--no-deps", "--no-index", "--no-build-isolation")


@pytest.fixture(name="acme", scope="module")
def _acme(tmp_path_factory):
    """
    A folder into which pip has installed the made-up company's plugin.
    """
    folder = tmp_path_factory.mktemp("acme")
    # A copy, since a build leaves things behind.
    source = shutil.copytree(ACME, folder / "source")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    done = subprocess.run(
        [*pip, *OFFLINE, "--target", folder / "site", source],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return folder


def test_a_third_party_distribution_passes_the_contract_in_its_own_tests(acme):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull]

    done = subprocess.run(
        [*command, "--rootdir", acme / "source", acme / "source" / "check_acme_registry.py"],
        env={**os.environ, "PYTHONPATH": str(acme / "site")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == done.returncode, done.stdout
    assert re.search(r"\b9 passed, 1 skipped", done.stdout), done.stdout


@pytest.mark.parametrize(("key", "status"), [("the-right-key", "ok"), ("a-wrong-key", "rejected")])
def test_a_third_party_distribution_logs_in_to_its_own_registry(acme, tmp_path, key, status):
    password = "for-half-an-hour"

    def tokens(_method, _target, _headers, body):
        if b"key=the-right-key" not in body:
            return 403, {}, b""
        return 200, {}, json.dumps({"password": password, "seconds": 1800}).encode()

    def registry(_method, _target, headers, _body):
        pair = base64.b64encode(f"ann:{password}".encode()).decode()
        if headers.get("Authorization") == f"Basic {pair}":
            return 200, {}, b"{}"
        return 401, {"WWW-Authenticate": 'Basic realm="ACME"'}, b"{}"

    hosts = {"login.acme.example": tokens, "de.registry.acme.example": registry}
    with Internet(hosts) as internet:
        done = subprocess.run(
            [sys.executable, "-m", "devcontainer_registry", "login", "--json", "--store", "auths"],
            env={
                **internet.environ,
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(acme / "site"),
                "HOME": str(tmp_path),
                "ACME_CONTAINER_REGISTRY_SERVER": "de.registry.acme.example",
                "ACME_CONTAINER_REGISTRY_USER": "ann",
                "ACME_CONTAINER_REGISTRY_PASSWORD": key,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    (outcome,) = json.loads(done.stdout)["registries"]
    assert ("acme", status) == (outcome["kind"], outcome["status"]), done.stdout
    assert (0 if status == "ok" else 4) == done.returncode
    assert (outcome["expires_at"] is not None) == (status == "ok")
    kept = tmp_path / ".docker" / "config.json"
    assert kept.exists() == (status == "ok")
    if status == "ok":
        pair = json.loads(kept.read_text())["auths"]["de.registry.acme.example"]["auth"]
        assert f"ann:{password}" == base64.b64decode(pair).decode()


USERS = {"ann": "pass:word é", "robot$team": "other"}
EACH_AUTH = pytest.mark.parametrize("auth", ["basic", "bearer"])


@EACH_AUTH
def test_skopeo_inspects_and_copies_an_image(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        auths = _auths(tmp_path, loopback, "ann", USERS["ann"])
        image = f"docker://{loopback.registry}/demo/hello"
        inspected = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)
        folder = f"dir:{tmp_path}/copy"
        copied = _skopeo("copy", "--src-tls-verify=false", "--authfile", auths, image, folder)

    assert 0 == inspected.returncode, inspected.stderr
    assert ["latest"] == json.loads(inspected.stdout)["RepoTags"]
    assert 0 == copied.returncode, copied.stderr
    assert 4 == len(os.listdir(tmp_path / "copy"))


@EACH_AUTH
def test_skopeo_is_refused_with_a_wrong_password(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        auths = _auths(tmp_path, loopback, "ann", "wrong")
        image = f"docker://{loopback.registry}/demo/hello"
        done = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)

    assert 1 == done.returncode
    assert loopback.refusals > 0
    assert {None} == {request.user for request in loopback.requests}


@EACH_AUTH
def test_docker_logs_in_and_pulls_with_its_saved_login(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        done = _docker_login(loopback, "robot$team", "other", tmp_path)
        auths = str(tmp_path / "config.json")
        image = f"docker://{loopback.registry}/demo/hello"
        inspected = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)

    assert 0 == done.returncode, done.stderr
    assert 0 == inspected.returncode, inspected.stderr
    assert 0 == loopback.refusals


@EACH_AUTH
def test_a_refused_login_is_counted_once(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        done = _docker_login(loopback, "ann", "wrong", tmp_path)

    assert 1 == done.returncode
    assert 1 == loopback.refusals


def test_docker_gets_an_identity_token_from_a_registry_with_tokens(tmp_path):
    with LoopbackRegistry(USERS) as loopback:
        _docker_login(loopback, "ann", USERS["ann"], tmp_path)

        (kept,) = json.loads((tmp_path / "config.json").read_text())["auths"].values()
        form = {"grant_type": "refresh_token", "refresh_token": kept["identitytoken"]}
        status, _, body = _ask(loopback, "/token", data=urlencode(form).encode())

    assert 200 == status
    assert "access_token" in json.loads(body)


def test_a_posted_password_is_as_good_as_basic():
    form = {"grant_type": "password", "username": "ann", "password": USERS["ann"]}

    with LoopbackRegistry(USERS) as loopback:
        status, _, body = _ask(loopback, "/token", data=urlencode(form).encode())
        headers = _bearer(json.loads(body)["token"])
        ping = _ask(loopback, "/v2/", headers=headers)[0]

    assert (200, 200) == (status, ping)


def test_no_refresh_token_is_given_without_a_request_for_one():
    with LoopbackRegistry(USERS) as loopback:
        _, _, without = _ask(loopback, "/token", headers=_basic("ann", USERS["ann"]))
        _, _, asked = _ask(
            loopback, "/token?offline_token=true", headers=_basic("ann", USERS["ann"])
        )

    assert "refresh_token" not in json.loads(without)
    assert "refresh_token" in json.loads(asked)


def test_a_chunked_token_request_is_understood():
    form = urlencode({"grant_type": "password", "username": "ann", "password": USERS["ann"]})

    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        halves = iter([form[:9].encode(), form[9:].encode()])
        connection.request("POST", "/token", body=halves, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        connection.close()

    assert 200 == answer.status


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("repository:demo/hello:pull", 200),
        ("repository:demo/hello:pull,push", 200),
        ("repository:demo/other:pull", 401),
        ("repository:demo/hello:push", 401),
        ("", 401),
    ],
)
def test_a_token_is_valid_for_its_requested_scope(scope, expected):
    with LoopbackRegistry(USERS, images=("demo/hello:latest", "demo/other:1")) as loopback:
        path = f"/token?{urlencode({'scope': scope})}"
        _, _, body = _ask(loopback, path, headers=_basic("ann", USERS["ann"]))
        headers = _bearer(json.loads(body)["token"])

        status, answered, _ = _ask(loopback, "/v2/demo/hello/manifests/latest", headers=headers)

    assert expected == status
    assert (expected == 401) == ("insufficient_scope" in answered.get("WWW-Authenticate", ""))


def test_a_head_request_gets_digest_and_length_without_a_body():
    with LoopbackRegistry(USERS, auth="basic") as loopback:
        basic = _basic("ann", USERS["ann"])
        path = "/v2/demo/hello/manifests/latest"
        _, got, body = _ask(loopback, path, headers=basic)
        status, headed, nothing = _ask(loopback, path, headers=basic, method="HEAD")
        by_digest = _ask(
            loopback, f"/v2/demo/hello/manifests/{got['Docker-Content-Digest']}", headers=basic
        )

    assert (200, b"") == (status, nothing)
    assert got["Docker-Content-Digest"] == headed["Docker-Content-Digest"]
    assert str(len(body)) == headed["Content-Length"]
    assert body == by_digest[2]


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2", "/token"])
def test_an_unknown_path_is_not_found(path):
    with LoopbackRegistry(USERS, auth="basic") as loopback:
        status = _ask(loopback, path, headers=_basic("ann", USERS["ann"]))[0]

    assert 404 == status


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic =", "Basic /w==", "Bearer", "Bearer x", "Digest y", "garbage"]
)
@EACH_AUTH
def test_a_damaged_credential_belongs_to_no_user(authorization, auth):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        status = _ask(loopback, "/v2/", headers={"Authorization": authorization})[0]

    assert 401 == status
    assert [None] == [request.user for request in loopback.requests]


def test_no_body_follows_the_answer_to_a_head_request():
    with LoopbackRegistry(USERS) as loopback:
        port = int(loopback.registry.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"HEAD /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(b"\r\n\r\n")


def test_one_connection_serves_many_requests_with_separate_answers():
    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        ports, statuses = set(), []
        for method in ("GET", "HEAD", "GET", "HEAD"):
            connection.request(method, "/v2/")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            ports.add(connection.sock.getsockname())
        connection.close()

    assert 1 == len(ports)
    assert [401, 401, 401, 401] == statuses


def test_no_secret_is_recorded_or_printed(capfd):
    with LoopbackRegistry(USERS) as loopback:
        _ask(loopback, "/token?password=in-the-query", headers=_basic("secret-name", "secret-word"))
        _, _, body = _ask(loopback, "/token", headers=_basic("ann", USERS["ann"]))

    said = repr(loopback.requests) + repr(loopback) + "".join(capfd.readouterr())
    hidden = ["in-the-query", "secret-name", "secret-word", USERS["ann"], json.loads(body)["token"]]
    assert [] == [word for word in hidden if word in said]


def test_a_hundred_clients_are_served_at_once(monkeypatch):
    # The wait before each answer ends when all hundred are waiting.
    everybody = threading.Barrier(100)
    monkeypatch.setattr(time, "sleep", lambda _: everybody.wait(timeout=60))

    with LoopbackRegistry(USERS, latency=0.2) as loopback:
        threads = [threading.Thread(target=_ask, args=(loopback, "/v2/")) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 100 == len(loopback.requests)
    assert not everybody.broken


def test_a_tls_client_is_answered_in_plain_http():
    sent = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()

    with LoopbackRegistry(USERS) as loopback:
        port = int(loopback.registry.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent.read())
            answer = connection.recv(64)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_the_server_stops_although_a_client_stays_connected():
    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        connection.request("GET", "/v2/")
        connection.getresponse().read()

    assert b"" == connection.sock.recv(1)
    connection.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(loopback.registry.rpartition(":")[2])))


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "::1", "10.0.0.1"])
def test_the_server_listens_on_loopback_only(host):
    with pytest.raises(ValueError, match="localhost"):
        LoopbackRegistry(USERS, host=host)


def test_another_loopback_address_can_be_chosen():
    with LoopbackRegistry(USERS, host="127.0.0.2") as loopback:
        status, headers, _ = _ask(loopback, "/v2/")

    assert 401 == status
    assert f'realm="http://{loopback.registry}/token"' in headers["WWW-Authenticate"]


def _ask(loopback, path, *, data=None, headers=None, method=None):
    request = urllib.request.Request(
        f"http://{loopback.registry}{path}", data=data, headers=headers or {}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers, exc.read()


def _basic(username, password):
    return {
        "Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
    }


def _bearer(token):
    return {"Authorization": f"Bearer {token}"}


def _auths(folder, loopback, username, password):
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {loopback.registry: {"auth": auth}}}))
    return str(path)


def _skopeo(*arguments):
    return subprocess.run(
        ["skopeo", *arguments],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _docker_login(loopback, username, password, folder):
    docker = shutil.which("docker")
    return subprocess.run(
        [docker, "login", "--username", username, "--password-stdin", str(loopback.registry)],
        input=password,
        env={
            # If Docker finds docker-credential-pass, it uses it by default.
            "PATH": "/nonexistent",
            "HOME": str(folder),
            "DOCKER_CONFIG": str(folder),
            "DOCKER_HOST": "unix:///nonexistent",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
