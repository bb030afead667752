# SPDX-License-Identifier: MIT
"""
Google's registries: passwords as they are, and application default credentials.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import traceback
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.internet import Internet
from doubles.patience import LONG

from devcontainer_registry.authenticators.google import GoogleAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    PluginError,
    RegistryError,
    TransientError,
)
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing.loopback import LoopbackServer

JSON = {"Content-Type": "application/json"}
TOKEN = "ya29.C4nary-that-n0body-may-see"
LIFE = 3599


def a_secret(registry="europe-west1-docker.pkg.dev", **more):
    return RegistrySecret(
        id="GCP", registry=Registry(registry), source="GCP_CONTAINER_REGISTRY_*", **more
    )


def authenticated(secret=None, timeout=10.0):
    return GoogleAuthenticator().authenticate(secret or a_secret(), timeout=timeout)


@pytest.fixture(name="pem", scope="module")
def _pem():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


class TokenServer(LoopbackServer):
    """
    Google's token server: *answer*, or a token, to whoever posts.

    https://developers.google.com/identity/protocols/oauth2/service-account#httprest
    """

    def __init__(self, *answer):
        self.forms = []
        self._given = answer or (200, granted())
        super().__init__(self._answers)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/token"

    def _answers(self, _method, _target, _headers, body):
        self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        status, content = self._given
        return status, JSON, json.dumps(content).encode()


def granted():
    return {"access_token": TOKEN, "expires_in": LIFE, "token_type": "Bearer"}


@pytest.fixture(name="service_account")
def _service_account(monkeypatch, tmp_path, pem):
    """
    Makes a key file for a token server, and names it in the environment.
    """

    def made(server, **more):
        content = {
            "type": "service_account",
            "project_id": "made-up",
            "private_key_id": "0123",
            "private_key": pem,
            "client_email": "puller@made-up.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": server.url,
            **more,
        }
        path = tmp_path / "key.json"
        path.write_text(json.dumps(content))
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
        return path

    return made


@pytest.mark.parametrize("username", ["_json_key", "_json_key_base64", "oauth2accesstoken"])
def test_a_password_is_passed_on_without_a_request(username):
    secret = a_secret(username=username, secret=Secret("{\n as it is }"))

    credential = authenticated(secret)

    assert (username, "{\n as it is }") == (credential.username, credential.secret.reveal())
    assert not GoogleAuthenticator().exchanges(secret)


def test_a_service_account_is_exchanged_for_an_access_token(service_account):
    with TokenServer() as server:
        service_account(server)
        credential = authenticated()

    assert ("oauth2accesstoken", TOKEN) == (credential.username, credential.secret.reveal())
    assert abs(credential.expires_at - time.time() - LIFE) < 60
    assert abs(credential.issued_at - time.time()) < 60
    assert ["urn:ietf:params:oauth:grant-type:jwt-bearer"] == [
        form["grant_type"] for form in server.forms
    ]


class Google(Internet):
    """
    Google's two token servers, under their own names.
    """

    def __init__(self):
        self.forms = []
        super().__init__(
            dict.fromkeys(("oauth2.googleapis.com", "sts.googleapis.com"), self._answer)
        )

    def _answer(self, _method, _target, _headers, body):
        self.forms.append({name: values[0] for name, values in parse_qs(body.decode()).items()})
        content = {**granted(), "issued_token_type": "urn:ietf:params:oauth:token-type:jwt"}
        return 200, JSON, json.dumps(content).encode()


def test_a_person_who_is_signed_in_with_gcloud_is_signed_in_here(monkeypatch, tmp_path):
    content = {
        "type": "authorized_user",
        "client_id": "1",
        "client_secret": "made up",
        "refresh_token": "1//made-up",
    }
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(content))

    with Google() as google:
        for name, value in {**google.environ, "CLOUDSDK_CONFIG": str(tmp_path), "PATH": ""}.items():
            monkeypatch.setenv(name, value)
        credential = authenticated()

    assert TOKEN == credential.secret.reveal()
    assert ["1//made-up"] == [form["refresh_token"] for form in google.forms]


def test_user_credentials_print_no_warning(tmp_path):
    """
    google-auth warns of gcloud's own client, and logs that it knows no project.
    """
    content = {
        "type": "authorized_user",
        "client_id": "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com",
        "client_secret": "made up",
        "refresh_token": "1//made-up",
    }
    (tmp_path / "application_default_credentials.json").write_text(json.dumps(content))

    with Google() as google:
        done = _in_a_process(tmp_path, CLOUDSDK_CONFIG=str(tmp_path), **google.environ)

    assert ["oauth2accesstoken", TOKEN] == done.stdout.split()[:2]
    assert "" == done.stderr


def test_a_workload_identity_pool_exchanges_the_containers_own_token(monkeypatch, tmp_path):
    (tmp_path / "subject").write_text("the container's token")
    content = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p"
        "/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": str(tmp_path / "subject")},
    }
    (tmp_path / "adc.json").write_text(json.dumps(content))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "adc.json"))

    with Google() as google:
        for name, value in google.environ.items():
            monkeypatch.setenv(name, value)
        credential = authenticated()

    assert TOKEN == credential.secret.reveal()
    assert {"the container's token"} == {form["subject_token"] for form in google.forms}
    assert [] == google.unknown_hosts


def test_the_account_of_the_machine_is_asked_for_its_token(tmp_path):
    asked = []

    def metadata(_method, target, headers, _body):
        asked.append((target.partition("?")[0], headers.get("Metadata-Flavor")))
        flavor = {"Metadata-Flavor": "Google"}
        # Older versions name the account by its address, newer ones call it default.
        if target.partition("?")[0].endswith("/token"):
            return 200, {**JSON, **flavor}, json.dumps(granted()).encode()
        if "service-accounts" in target:
            account = {"email": "vm@made-up.iam.gserviceaccount.com", "scopes": ["all"]}
            return 200, {**JSON, **flavor}, json.dumps(account).encode()
        return 200, {"Content-Type": "application/text", **flavor}, b"made-up"

    with LoopbackServer(metadata) as server:
        host = f"127.0.0.1:{server.server_port}"
        done = _in_a_process(tmp_path, GCE_METADATA_HOST=host, GCE_METADATA_IP=host)

    assert ["oauth2accesstoken", TOKEN] == done.stdout.split()[:2], done.stderr
    assert abs(float(done.stdout.split()[2]) - time.time() - LIFE) < 60
    assert {"Google"} == {flavor for _, flavor in asked}


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'"text"', b'{"expires_in": "x"}'])
def test_a_machine_that_gives_no_token_is_no_bug(tmp_path, body):
    def metadata(_method, target, _headers, _body):
        is_token = target.partition("?")[0].endswith("/token")
        content = body if is_token else b'{"email": "vm@example.com", "scopes": ["all"]}'
        return 200, {**JSON, "Metadata-Flavor": "Google"}, content

    with LoopbackServer(metadata) as server:
        host = f"127.0.0.1:{server.server_port}"
        done = _in_a_process(tmp_path, GCE_METADATA_HOST=host, GCE_METADATA_IP=host)

    assert ["AuthenticationError", "google-refused"] == done.stdout.split()[:2], done.stderr


def test_a_machine_without_metadata_is_not_an_outage_and_fails_fast(tmp_path):
    nobody = "127.0.0.1:1"
    began = time.monotonic()

    done = _in_a_process(tmp_path, GCE_METADATA_HOST=nobody, GCE_METADATA_IP=nobody)

    assert ["DiscoveryError", "identity-missing"] == done.stdout.split()[:2], done.stderr
    assert "gcloud auth application-default login" in done.stdout
    assert "" == done.stderr
    assert time.monotonic() - began < LONG


def _in_a_process(folder, **variables):
    # google-auth reads where the metadata server is when it is imported.
    code = """
from devcontainer_registry.authenticators.google import GoogleAuthenticator
from devcontainer_registry.credentials import RegistrySecret
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.registry import Registry
secret = RegistrySecret(id="GCP", registry=Registry("gcr.io"), source="GCP_CONTAINER_REGISTRY_*")
try:
    credential = GoogleAuthenticator().authenticate(secret, timeout=10)
    print(credential.username, credential.secret.reveal(), credential.expires_at)
except RegistryError as exc:
    print(type(exc).__name__, exc.code, exc.hint)
"""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": str(folder), "HOME": str(folder), **variables},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize("registry", ["registry.example", "gcr.io.evil.example", "pkg.dev"])
def test_an_identity_is_shown_to_no_host_but_googles(service_account, registry):
    with TokenServer() as server:
        service_account(server)
        with pytest.raises(DiscoveryError) as caught:
            authenticated(a_secret(registry, kind="google"))

    assert "no-host-of-google" == caught.value.code
    assert [] == server.forms


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.auth", None)

    with pytest.raises(PluginError) as caught:
        authenticated()

    assert "extra-missing" == caught.value.code
    assert "pip install 'devcontainer-registry[google]'" in caught.value.hint
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"type": "service_account"}', '{"type": "C4nary"}', "C4nary"]
)
def test_a_file_that_can_not_be_used_is_named_and_not_quoted(monkeypatch, tmp_path, content):
    path = tmp_path / "adc.json"
    path.write_text(content)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    with pytest.raises(DiscoveryError) as caught:
        authenticated()

    assert "google-settings" == caught.value.code
    assert "GOOGLE_APPLICATION_CREDENTIALS" in caught.value.message
    assert "C4nary" not in shown(caught.value)


def test_a_file_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere/adc.json")

    with pytest.raises(DiscoveryError) as caught:
        authenticated()

    assert "google-settings" == caught.value.code


# What Google answers to a service account, and the line that the user reads.
# https://developers.google.com/identity/protocols/oauth2/service-account#error-codes
LINES = [
    (
        {"error": "invalid_grant", "error_description": "Invalid JWT Signature."},
        "the service account's key is no longer valid",
        ("create a new key for the account, and set GOOGLE_APPLICATION_CREDENTIALS to it"),
    ),
    (
        {
            "error": "invalid_grant",
            "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes) and "
            "in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        },
        "Google says that this machine's clock is wrong",
        "correct this machine's clock",
    ),
    (
        {"error": "invalid_grant", "error_description": "Invalid grant: account not found"},
        "Google does not know this account, or it is disabled",
        ("check that the account in GOOGLE_APPLICATION_CREDENTIALS exists and is enabled"),
    ),
    (
        {"error": "invalid_grant", "error_description": "Token has been expired or revoked."},
        "the Google sign-in expired or was revoked",
        "run gcloud auth application-default login",
    ),
    (
        {"error": "invalid_grant", "error_subtype": "invalid_rapt"},
        "the organisation requires the user to sign in to Google again",
        "run gcloud auth application-default login",
    ),
    (
        {"error": "unauthorized_client", "error_description": "Client is unauthorized"},
        "Google does not let this account create tokens",
        "give it the role Service Account Token Creator on the target account",
    ),
    (
        {"error": "invalid_scope", "error_description": "not a valid audience string"},
        "Google does not grant this account the scope cloud-platform",
        "allow the scope cloud-platform for the account",
    ),
    (
        {"error": "invalid_target", "error_description": "The target service is invalid"},
        "Google rejected this container's own token",
        ("check the audience and provider of the workload identity pool in the credential file"),
    ),
    (
        {"error": "never_seen", "error_description": f"with {TOKEN}"},
        "Google sent no token for the application default credentials",
        "run gcloud auth application-default print-access-token to see its message",
    ),
]


@pytest.mark.parametrize(("answer", "message", "hint"), LINES)
def test_each_refusal_of_google_is_a_line_that_says_what_to_do(
    service_account, answer, message, hint
):
    with TokenServer(400, answer) as server:
        service_account(server)
        with pytest.raises(AuthenticationError) as caught:
            authenticated()

    assert (message, hint) == (caught.value.message, caught.value.hint)
    assert caught.value.code.startswith(("google-", "clock-skew"))
    assert TOKEN not in shown(caught.value)
    assert 1 == len(server.forms)


def test_no_two_causes_share_a_line():
    assert len(LINES) == len({message for _, message, _ in LINES})


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_a_busy_token_server_is_asked_once_in_a_try(service_account, status):
    with TokenServer(status, {"error": "temporarily_unavailable"}) as server:
        service_account(server)
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert "google-busy" == caught.value.code
    assert 1 == len(server.forms)


def test_a_token_server_that_is_not_there_is_worth_another_try(service_account):
    with TokenServer() as server:
        service_account(server)

    with pytest.raises(TransientError) as caught:
        authenticated()

    assert "connection-refused" == caught.value.code


def test_a_token_server_on_plain_http_elsewhere_is_not_asked(service_account):
    with TokenServer() as server:
        service_account(server, token_uri="http://tokens.example/token")
        with pytest.raises(RegistryError) as caught:
            authenticated()

    assert "insecure" == caught.value.code


def test_nothing_of_the_key_shows_in_an_error(service_account, pem, capfd):
    with TokenServer(400, {"error": "invalid_grant", "error_description": pem}) as server:
        service_account(server)
        with pytest.raises(AuthenticationError) as caught:
            authenticated()

    for line in pem.splitlines()[1:-1]:
        assert line not in shown(caught.value)
    assert ("", "") == tuple(capfd.readouterr())


def shown(exc):
    return "".join(traceback.format_exception(exc)) + repr(exc) + exc.hint + repr(exc.args)


def test_choosing_among_all_kinds_loads_no_sdk(tmp_path):
    code = """
import sys
from devcontainer_registry import discover
from devcontainer_registry.authenticators import choose, load
installed = load()
hosts = ("mycompany.azurecr.io", "gcr.io", "ghcr.io", "quay.io",
         "123456789012.dkr.ecr.eu-west-1.amazonaws.com")
for host in hosts:
    (secret,) = discover({"A_CONTAINER_REGISTRY_SERVER": host, "A_CONTAINER_REGISTRY_USER": "u",
                          "A_CONTAINER_REGISTRY_PASSWORD": "p"}).secrets
    kind, authenticator = choose(secret, installed)
    if kind in ("acr", "google", "ghcr", "generic"):
        authenticator.authenticate(secret, timeout=1)
print([name for name in ("azure", "msal", "google.auth", "boto3", "botocore", "requests", "urllib3")
       if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert "[]" == done.stdout.strip(), done.stderr
