# SPDX-License-Identifier: MIT
"""
Azure's registries: passwords as they are, and every identity that azure-identity can find.
"""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
import threading
import time
import traceback

import pytest
from azure.containerregistry import ContainerRegistryClient
from azure.identity import ClientSecretCredential
from doubles.clouds import CLIENT_ID, LIFE, PRINCIPAL, TENANT, Azure, aadsts, jwt
from doubles.internet import JSON, errors

from devcontainer_registry import login
from devcontainer_registry.authenticators.acr import AcrAuthenticator
from devcontainer_registry.authenticators.clouds import entra_errors
from devcontainer_registry.authenticators.clouds.bodies import limited_requests
from devcontainer_registry.causes.clouds import entra as causes
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    PluginError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing.loopback import LoopbackServer

NOBODY = "00000000-0000-0000-0000-000000000000"
TOKENS = f"/{TENANT}/oauth2/v2.0/token"
CANARY = PRINCIPAL["AZURE_CLIENT_SECRET"]


def a_secret(registry="example.azurecr.io", **more):
    return RegistrySecret(
        id="ACR", registry=Registry(registry), source="ACR_CONTAINER_REGISTRY_*", **more
    )


def authenticated(secret=None, timeout=10.0):
    return AcrAuthenticator().authenticate(secret or a_secret(), timeout=timeout)


@pytest.fixture(name="living")
def _living(monkeypatch):
    """
    Moves this process into an internet, with variables of its own besides.
    """

    def move(internet, **variables):
        for name, value in {**internet.environ, **variables}.items():
            monkeypatch.setenv(name, value)
        return internet

    return move


@pytest.mark.parametrize("username", ["example", CLIENT_ID, "token1"])
def test_a_password_is_passed_on_without_a_request(username):
    secret = a_secret(username=username, secret=Secret("as it is"))

    credential = authenticated(secret)

    assert (username, "as it is") == (credential.username, credential.secret.reveal())
    assert credential.expires_at is None
    assert not AcrAuthenticator().exchanges(secret)


def test_the_end_of_a_token_that_az_printed_is_read_from_it():
    secret = a_secret(username=NOBODY, secret=Secret(jwt(exp=1_800_000_000)))

    assert 1_800_000_000 == authenticated(secret).expires_at


@pytest.mark.parametrize(
    "text",
    [
        *("", "a.b.c", "a.e30.c", "a.W10.c", "x" * 10, "a.é.c"),
        *(jwt(exp=end) for end in (10**400, -1, 1e300, float("nan"), True, "soon")),
    ],
    ids=lambda text: text[:30],
)
def test_a_token_that_does_not_tell_its_end_is_passed_on(text):
    secret = a_secret(username=NOBODY, secret=Secret(text))

    assert authenticated(secret).expires_at is None


def test_a_service_principal_is_exchanged_for_a_refresh_token(living):
    with Azure() as azure:
        living(azure, **PRINCIPAL)
        credential = authenticated()

    assert (NOBODY, azure.refresh_token) == (credential.username, credential.secret.reveal())
    assert azure.expires == credential.expires_at
    assert abs(time.time() - credential.issued_at) < 60
    assert ["https://containerregistry.azure.net/.default"] == [
        form["scope"].split()[0] for form in azure.posted(TOKENS)
    ]
    assert [] == azure.unknown_hosts


def test_a_whole_login_with_an_identity_is_verified_and_kept(living, tmp_path):
    environ = {
        "ACR_CONTAINER_REGISTRY_SERVER": "example.azurecr.io",
        "ACR_CONTAINER_REGISTRY_IMAGE": "example.azurecr.io/team/app:1",
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
    }
    with Azure() as azure:
        living(azure, **PRINCIPAL)
        report = login(environ={**environ, **azure.environ}, store="auths")

    (outcome,) = report.outcomes
    assert ("ok", True, "acr") == (outcome.status, outcome.verified, outcome.kind), outcome.error
    assert azure.expires == outcome.expires_at
    assert azure.pulled
    assert "example.azurecr.io" in json.loads((tmp_path / "config.json").read_text())["auths"]


def test_the_client_of_azure_itself_is_served_by_what_is_played(living):
    with Azure() as azure:
        living(azure)
        principal = ClientSecretCredential(
            TENANT, CLIENT_ID, CANARY, connection_verify=azure.environ["SSL_CERT_FILE"]
        )
        with (
            principal,
            ContainerRegistryClient(
                f"https://{azure.registry}",
                principal,
                connection_verify=azure.environ["SSL_CERT_FILE"],
            ) as client,
        ):
            names = list(client.list_repository_names())

    assert ["team/app"] == names
    assert 1 == len(azure.posted("/oauth2/exchange"))


def test_the_tenant_of_the_set_completes_a_client_secret(living):
    with Azure() as azure:
        living(azure, AZURE_CLIENT_ID=CLIENT_ID, AZURE_CLIENT_SECRET=CANARY)
        credential = authenticated(a_secret(tenant=TENANT))

    assert azure.refresh_token == credential.secret.reveal()
    assert CANARY == azure.posted(TOKENS)[0]["client_secret"]


def test_the_tenant_of_the_set_wins_over_the_environments(living):
    other = "11111111-0000-4000-8000-2d7cd011db47"

    with Azure() as azure:
        living(azure, **PRINCIPAL)
        authenticated(a_secret(tenant=other))

    assert [f"/{other}/oauth2/v2.0/token"] == [
        path for path, _ in azure.forms if path != "/oauth2/exchange"
    ]


def test_a_workload_identity_is_signed_in_with_its_file(living, tmp_path):
    token = tmp_path / "token"
    token.write_text("the pod's token")

    with Azure(authority="login.microsoftonline.us") as azure:
        living(
            azure,
            AZURE_CLIENT_ID=CLIENT_ID,
            AZURE_TENANT_ID=TENANT,
            AZURE_FEDERATED_TOKEN_FILE=str(token),
            AZURE_AUTHORITY_HOST="https://login.microsoftonline.us/",
        )
        credential = authenticated()

    assert azure.refresh_token == credential.secret.reveal()
    assert "the pod's token" == azure.posted(TOKENS)[0]["client_assertion"]


@pytest.mark.parametrize("variables", ["App Service", "IMDS"])
def test_a_managed_identity_is_signed_in_by_the_machine(living, variables):
    asked = []

    def machine(_method, target, headers, _body):
        asked.append((target, headers.get("X-IDENTITY-HEADER"), headers.get("Metadata")))
        content = azure.granted(
            resource="https://containerregistry.azure.net",
            expires_on=str(int(time.time()) + 86400),
        )
        return 200, JSON, json.dumps(content).encode()

    with Azure() as azure, LoopbackServer(machine) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        living(
            azure,
            AZURE_CLIENT_ID=CLIENT_ID,
            NO_PROXY="127.0.0.1",
            **(
                {"IDENTITY_ENDPOINT": f"{root}/msi/token", "IDENTITY_HEADER": "proof"}
                if variables == "App Service"
                else {"AZURE_POD_IDENTITY_AUTHORITY_HOST": root}
            ),
        )
        credential = authenticated()

    assert azure.refresh_token == credential.secret.reveal()
    assert "containerregistry.azure.net" in asked[-1][0]
    assert CLIENT_ID in asked[-1][0]


def test_who_is_signed_in_with_az_is_signed_in_here(living, tmp_path):
    with Azure() as azure:
        az = tmp_path / "az"
        answer = json.dumps({"accessToken": azure.access_token, "expires_on": 1_900_000_000})
        az.write_text(f"#!/bin/sh\necho \"$@\" >{tmp_path}/asked\necho '{answer}'\n")
        az.chmod(az.stat().st_mode | stat.S_IXUSR)
        living(azure, PATH=f"{tmp_path}:/usr/bin:/bin")
        credential = authenticated(a_secret(tenant=TENANT))

    assert azure.refresh_token == credential.secret.reveal()
    assert (
        f"--resource https://containerregistry.azure.net --tenant {TENANT}"
        in (tmp_path / "asked").read_text()
    )


@pytest.mark.parametrize(
    ("registry", "authority"),
    [
        ("example.azurecr.io", "login.microsoftonline.com"),
        ("example.azurecr.cn", "login.chinacloudapi.cn"),
        ("example.azurecr.us", "login.microsoftonline.us"),
    ],
)
def test_each_cloud_is_signed_in_to_at_its_own_authority(living, registry, authority):
    with Azure(registry=registry, authority=authority) as azure:
        living(azure, **PRINCIPAL)
        credential = authenticated(a_secret(registry))

    assert azure.refresh_token == credential.secret.reveal()
    assert [] == azure.unknown_hosts


def test_where_the_registries_audience_is_not_known_the_resource_managers_is_taken(living):
    def signing_in(form):
        if "containerregistry" in form["scope"]:
            return aadsts("500011", error="invalid_resource")
        return None

    with Azure(signing_in=signing_in) as azure:
        living(azure, **PRINCIPAL)
        credential = authenticated()

    assert azure.refresh_token == credential.secret.reveal()
    assert [
        "https://containerregistry.azure.net/.default",
        "https://management.core.windows.net/.default",
    ] == [form["scope"].split()[0] for form in azure.posted(TOKENS)]


@pytest.mark.parametrize(
    "registry", ["registry.example", "example.azurecr.io.evil.example", "azurecr.io"]
)
def test_an_identity_is_shown_to_no_host_but_azures(living, registry):
    with Azure() as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(DiscoveryError) as caught:
            authenticated(a_secret(registry, kind="acr"))

    assert "no-host-of-azure" == caught.value.code
    assert ([], []) == (azure.forms, azure.unknown_hosts)


def test_without_the_extra_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "azure.identity", None)

    with pytest.raises(PluginError) as caught:
        authenticated()

    assert "extra-missing" == caught.value.code
    assert "pip install 'devcontainer-registry[azure]'" in caught.value.hint
    assert caught.value.__suppress_context__


def test_without_an_identity_the_fix_names_the_options(living, tmp_path):
    with Azure() as azure:
        living(azure, PATH=str(tmp_path))
        with pytest.raises(DiscoveryError) as caught:
            authenticated()

    assert (
        "ACR_CONTAINER_REGISTRY_* has no user name and password, and there is no Azure "
        "identity here"
    ) == caught.value.message
    assert "identity-missing" == caught.value.code


def test_what_stands_in_the_variables_is_checked_and_not_quoted(living):
    with Azure() as azure:
        living(azure, **{**PRINCIPAL, "AZURE_AUTHORITY_HOST": f"http://{CANARY}"})
        with pytest.raises(DiscoveryError) as caught:
            authenticated()

    assert "azure-settings" == caught.value.code
    assert CANARY not in shown(caught.value)


def test_an_authority_that_does_not_answer_is_worth_another_try(living):
    with Azure(authority="elsewhere.example") as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert "entra-unreachable" == caught.value.code
    assert "login.microsoftonline.com" in caught.value.message


def test_an_authority_with_a_strange_certificate_is_not_worth_another_try(living):
    with Azure(untrusted={"login.microsoftonline.com"}) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(UnreachableError) as caught:
            authenticated()

    assert not isinstance(caught.value, TransientError)
    assert "certificate-untrusted" == caught.value.code
    assert [] == azure.forms


def test_behind_a_proxy_a_body_does_not_wait_for_the_head():
    with limited_requests() as transport:
        adapter = transport.session.get_adapter("https://login.microsoftonline.com/")
        manager = adapter.proxy_manager_for("http://127.0.0.1:9")
        options = manager.connection_from_url("https://localhost/").conn_kw["socket_options"]

    assert (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1) in options


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_authority_is_asked_once_in_a_try(living, status):
    with Azure(signing_in=(status, JSON, b'{"error":"temporarily_unavailable"}')) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert "entra-busy" == caught.value.code
    assert 1 == len(azure.posted(TOKENS))


@pytest.mark.parametrize("headers", [JSON, {"Content-Type": "text/html"}, {}])
@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b"{}", b"[]", b"null"])
def test_a_busy_authority_that_sends_no_json_of_its_own_is_busy_too(living, headers, body):
    with Azure(signing_in=(502, headers, body)) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert "entra-busy" == caught.value.code


def test_an_authority_that_hangs_ends_in_time(living):
    over = threading.Event()

    def hanging(_form):
        over.wait()

    with Azure(signing_in=hanging) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(TransientError):
            authenticated(timeout=0.5)
        over.set()


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (
            errors(401, "UNAUTHORIZED", "authentication required"),
            AuthenticationError,
            "exchange-rejected",
        ),
        (errors(403, "DENIED", "denied"), AuthenticationError, "exchange-rejected"),
        (
            errors(403, "DENIED", "client with IP '203.0.113.9' is not allowed access"),
            UnreachableError,
            "ip-not-allowed",
        ),
        (errors(429, "TOOMANYREQUESTS", "later"), TransientError, "throttled"),
        (errors(503, "UNAVAILABLE", "later"), TransientError, "busy"),
        ((200, JSON, b"{}"), RegistryError, "not-a-registry"),
        ((404, JSON, b"{}"), RegistryError, "not-a-registry"),
    ],
)
def test_each_refusal_of_the_exchange_has_its_own_code(living, answer, kind, code):
    with Azure(exchanging=answer) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(RegistryError) as caught:
            authenticated()

    assert (kind, code) == (type(caught.value), caught.value.code)
    assert 1 == len(azure.posted("/oauth2/exchange"))


def test_a_refresh_token_that_is_no_jwt_lives_as_long_as_documented(living):
    answer = (200, JSON, b'{"refresh_token": "opaque"}')

    with Azure(exchanging=answer) as azure:
        living(azure, **PRINCIPAL)
        credential = authenticated()

    assert LIFE == credential.expires_at - credential.issued_at


def test_an_unknown_tenant_is_recognised_by_its_number(living):
    _, _, body = aadsts("90002", error="invalid_tenant")

    with Azure() as azure:
        azure.configuring = (400, JSON, body)
        living(azure, **PRINCIPAL)
        with pytest.raises(AuthenticationError) as caught:
            authenticated()

    assert LINES["90002"] == (caught.value.message, caught.value.hint)


def test_a_missing_federated_token_file_is_named(living, tmp_path):
    with Azure() as azure:
        living(
            azure,
            AZURE_CLIENT_ID=CLIENT_ID,
            AZURE_TENANT_ID=TENANT,
            AZURE_FEDERATED_TOKEN_FILE=str(tmp_path / "nowhere"),
        )
        with pytest.raises(DiscoveryError) as caught:
            authenticated()

    assert "azure-settings" == caught.value.code
    assert "AZURE_FEDERATED_TOKEN_FILE" in caught.value.hint


def test_az_without_a_sign_in_says_to_sign_in(living, tmp_path):
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\necho \"Please run 'az login' to setup account.\" >&2\nexit 1\n")
    az.chmod(0o755)

    with Azure() as azure:
        living(azure, PATH=f"{tmp_path}:/usr/bin:/bin")
        with pytest.raises(DiscoveryError) as caught:
            authenticated()

    assert "identity-missing" == caught.value.code
    assert caught.value.hint.startswith("run az login")


def test_a_machine_without_an_identity_says_to_assign_one(living, tmp_path):
    def machine(*_):
        body = {"error": "invalid_request", "error_description": "Identity not found"}
        return 400, JSON, json.dumps(body).encode()

    with Azure() as azure, LoopbackServer(machine) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        living(
            azure, PATH=str(tmp_path), NO_PROXY="127.0.0.1", AZURE_POD_IDENTITY_AUTHORITY_HOST=root
        )
        with pytest.raises(DiscoveryError) as caught:
            authenticated()

    assert "identity-missing" == caught.value.code
    assert caught.value.hint.startswith("assign a managed identity to it")


@pytest.mark.parametrize("status", [429, 500])
def test_a_machine_whose_service_is_busy_is_worth_another_try(living, tmp_path, status):
    def machine(*_):
        return status, JSON, b'{"error": "later"}'

    with Azure() as azure, LoopbackServer(machine) as server:
        root = f"http://127.0.0.1:{server.server_port}"
        living(
            azure, PATH=str(tmp_path), NO_PROXY="127.0.0.1", AZURE_POD_IDENTITY_AUTHORITY_HOST=root
        )
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert "entra-busy" == caught.value.code


def test_nothing_that_is_secret_shows_in_an_error(living, capfd):
    answers = [aadsts(code, said=f"{CANARY} quoted") for code in ("7000215", "123456", "90033")]

    texts = []
    for answer in answers:
        with Azure(signing_in=answer) as azure:
            living(azure, **PRINCIPAL)
            with pytest.raises(RegistryError) as caught:
                authenticated()
            texts.append(shown(caught.value))
    with Azure(exchanging=errors(401, "UNAUTHORIZED", azure.access_token)) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(RegistryError) as caught:
            authenticated()
        texts.append(shown(caught.value))

    for text in texts:
        assert CANARY not in text
        assert azure.access_token not in text
    assert ("", "") == tuple(capfd.readouterr())


def test_what_the_sdk_logs_is_not_on_stderr(tmp_path):
    code = """
from devcontainer_registry.authenticators.acr import AcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.registry import Registry
secret = RegistrySecret(id="A", registry=Registry("example.azurecr.io"), source="A_*")
try:
    AcrAuthenticator().authenticate(secret, timeout=10)
except RegistryError as exc:
    print(exc.code)
"""
    with Azure(signing_in=aadsts("7000215")) as azure:
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"PATH": str(tmp_path), "HOME": str(tmp_path), **azure.environ, **PRINCIPAL},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    assert ("entra-7000215\n", "") == (done.stdout, done.stderr)


def shown(exc):
    return "".join(traceback.format_exception(exc)) + repr(exc) + exc.hint + repr(exc.args)


# What the user reads for each number, as azure-identity raises it.
_LINES = os.path.join(os.path.dirname(__file__), "..", "doubles", "entra_lines.txt")
with open(_LINES, encoding="utf-8") as _file:
    _ROWS = [line.rstrip("\n").split(" | ") for line in _file]
LINES = {number: (message, hint) for number, message, hint in _ROWS}


def test_every_number_has_its_line_here():
    assert set(causes.REFUSALS) == set(LINES)


@pytest.mark.parametrize("code", sorted(LINES))
def test_each_number_of_entra_id_is_a_line_that_says_what_to_do(living, code):
    with Azure(signing_in=aadsts(code)) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(AuthenticationError) as caught:
            authenticated()

    assert LINES[code] == (caught.value.message, caught.value.hint)
    assert f"entra-{code}" == caught.value.code
    assert [] == azure.posted("/oauth2/exchange")


@pytest.mark.parametrize("code", sorted(entra_errors.BUSY))
def test_a_number_that_means_later_is_worth_another_try(living, code):
    with Azure(signing_in=aadsts(code, error="temporarily_unavailable")) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(TransientError) as caught:
            authenticated()

    assert f"Entra ID at login.microsoftonline.com is busy (AADSTS{code})" == caught.value.message


def test_an_unknown_error_number_is_named(living):
    with Azure(signing_in=aadsts("1234567")) as azure:
        living(azure, **PRINCIPAL)
        with pytest.raises(AuthenticationError) as caught:
            authenticated()

    assert caught.value.message.endswith("(AADSTS1234567)")
    assert "https://login.microsoftonline.com/error?code=1234567" in caught.value.hint


def test_no_two_causes_share_a_line():
    assert len(LINES) == len(set(LINES.values()))
