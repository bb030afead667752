# SPDX-License-Identifier: MIT
"""
ACR with an ID token: the set's application, by azure-identity unpatched, and every refusal.

The played Entra ID checks the token with the issuer's keys.
"""

from __future__ import annotations

import json
import os
import subprocess

import pytest
from azure.containerregistry import ContainerRegistryClient
from azure.identity import ClientAssertionCredential
from doubles.clouds import CLIENT_ID, PRINCIPAL, TENANT, Azure, aadsts
from doubles.homes import Home, Told, only
from doubles.internet import errors
from doubles.issuer import GITHUB_HOST, Issuer, Policy, stranger
from parts import needed

from devcontainer_registry.authenticators.acr import AcrAuthenticator
from devcontainer_registry.causes.clouds import entra_tokens as causes
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import AuthenticationError, RegistryError
from devcontainer_registry.observer import listening
from devcontainer_registry.registry import Registry

AUDIENCE = "api://AzureADTokenExchange"
ISSUER = "https://token.actions.githubusercontent.com"
SET = "ACR_CONTAINER_REGISTRY"
TOKENS = f"/{TENANT}/oauth2/v2.0/token"
NUMBERS = {
    "issuer": "700211",
    "audience": "700212",
    "subject": "700213",
    "expired": "700024",
    "signature": "50027",
}


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


class Federated(Azure):
    """
    An `Azure` whose one application has a federated credential, and no secret.
    """

    def __init__(self, issuer, *, audience=AUDIENCE, **options):
        self.policy, self.answers = Policy(issuer=issuer, audience=audience), []
        more = {GITHUB_HOST: issuer.github, **options.pop("more", {})}
        super().__init__(signing_in=self._checked, more=more, **options)

    def _checked(self, form):
        if self.answers:
            return self.answers.pop(0)
        if form.get("client_id") != CLIENT_ID:
            return aadsts("700016", error="unauthorized_client")
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        if form.get("client_assertion_type") != kind or "client_secret" in form:
            return aadsts("7000218")
        fault = self.policy.fault_of(form["client_assertion"])
        return aadsts(NUMBERS[fault]) if fault else None


@pytest.fixture(name="azure", scope="module")
def _azure(issuer):
    with Federated(issuer) as azure:
        yield azure


@pytest.fixture(autouse=True)
def _living(monkeypatch, azure, issuer):
    for log in (azure.forms, azure.answers, issuer.requests, issuer.answers):
        log.clear()
    for name, value in azure.environ.items():
        monkeypatch.setenv(name, value)


def a_secret(*, token=None, registry="example.azurecr.io", **members):
    members = {"tenant": TENANT, "client_id": CLIENT_ID, **members}
    return RegistrySecret(
        id="ACR",
        registry=Registry(registry),
        source="ACR_CONTAINER_REGISTRY_*",
        id_token=None if token is None else Secret(token),
        **members,
    )


def authenticated(secret):
    told = Told()
    with listening(told):
        credential = AcrAuthenticator().authenticate(secret, timeout=10.0)
    chosen = [fields["source"] for event, fields in told if event == "cloud.identity_chosen"]
    return credential, chosen


def error_of(secret, *, issuer):
    with pytest.raises(RegistryError) as caught:
        AcrAuthenticator().authenticate(secret, timeout=10.0)
    error = caught.value
    assert error.__cause__ is None
    assert "{" not in f"{error.message}{error.hint}"
    assert [] == issuer.secrets_in(f"{error.message}{error.hint}")
    return error


def test_a_token_is_the_applications_assertion(azure, issuer):
    token = issuer.sign(aud=AUDIENCE)

    credential, chosen = authenticated(a_secret(token=token))

    assert (azure.refresh_token, ["ID_TOKEN"]) == (credential.secret.reveal(), chosen)
    (form,) = azure.posted(TOKENS)
    assert (CLIENT_ID, token) == (form["client_id"], form["client_assertion"])
    assert [] == issuer.requests
    assert [] == azure.unknown_hosts


def test_githubs_token_is_requested_for_entras_audience(azure, issuer, monkeypatch):
    for name, value in issuer.environ.items():
        monkeypatch.setenv(name, value)

    credential, chosen = authenticated(a_secret())

    assert (azure.refresh_token, ["github-actions"]) == (credential.secret.reveal(), chosen)
    assert [AUDIENCE] == [audience for _, audience, _ in issuer.requests]


def test_the_sets_application_wins_over_one_of_the_environment(azure, issuer, monkeypatch):
    """
    CLIENT_ID is new: no set had it before, so none becomes another identity with it.
    """
    for name, value in PRINCIPAL.items():
        monkeypatch.setenv(name, value)

    _, chosen = authenticated(a_secret(token=issuer.sign(aud=AUDIENCE)))

    assert ["ID_TOKEN"] == chosen
    assert [True] == ["client_assertion" in form for form in azure.posted(TOKENS)]


def test_a_set_without_an_application_is_the_identity_of_the_environment(
    issuer, monkeypatch, azure
):
    for name, value in {**PRINCIPAL, **issuer.environ}.items():
        monkeypatch.setenv(name, value)
    azure.answers = [(200, {"Content-Type": "application/json"}, json.dumps(azure.granted()))]
    azure.answers[0] = (*azure.answers[0][:2], azure.answers[0][2].encode())

    authenticated(a_secret(client_id=None))

    assert [PRINCIPAL["AZURE_CLIENT_SECRET"]] == [
        form["client_secret"] for form in azure.posted(TOKENS)
    ]
    assert [] == issuer.requests


@pytest.mark.parametrize(
    ("registry", "authority", "audience"),
    [
        ("example.azurecr.us", "login.microsoftonline.us", "api://AzureADTokenExchangeUSGov"),
        ("example.azurecr.cn", "login.chinacloudapi.cn", "api://AzureADTokenExchangeChina"),
    ],
)
def test_a_sovereign_cloud_has_its_own_authority_and_audience(
    issuer, monkeypatch, registry, authority, audience
):
    options = {"registry": registry, "authority": authority, "audience": audience}
    with Federated(issuer, **options) as azure:
        for name, value in {**azure.environ, **issuer.environ}.items():
            monkeypatch.setenv(name, value)
        credential, _ = authenticated(a_secret(registry=registry))

    assert azure.refresh_token == credential.secret.reveal()
    assert [audience] == [asked for _, asked, _ in issuer.requests]
    assert [] == azure.unknown_hosts


def test_a_tenant_without_the_registries_audience_is_asked_for_the_managers(azure, issuer):
    azure.answers = [aadsts("500011", error="invalid_resource")]

    authenticated(a_secret(token=issuer.sign(aud=AUDIENCE)))

    assert [
        "https://containerregistry.azure.net/.default",
        "https://management.core.windows.net/.default",
    ] == [form["scope"].split()[0] for form in azure.posted(TOKENS)]


def test_microsofts_own_client_gets_the_same_with_this_token(azure, issuer):
    """
    The played Entra ID and registry are right for a client that nobody here wrote.
    """
    credential = ClientAssertionCredential(
        TENANT,
        CLIENT_ID,
        lambda: issuer.sign(aud=AUDIENCE),
        connection_verify=azure.environ["SSL_CERT_FILE"],
    )
    with ContainerRegistryClient(
        f"https://{azure.registry}",
        credential,
        audience="https://containerregistry.azure.net",
        connection_verify=azure.environ["SSL_CERT_FILE"],
    ) as client:
        assert ["team/app"] == list(client.list_repository_names())


def test_a_whole_login_with_a_token_is_verified_and_saves_the_refresh_token_only(
    azure, issuer, tmp_path, monkeypatch
):
    home, told = Home(tmp_path), Told()
    monkeypatch.setenv("HOME", home.path)
    token = tmp_path / "token"
    token.write_text(issuer.sign(aud=AUDIENCE) + "\n")
    sets = {
        f"{SET}_SERVER": azure.registry,
        f"{SET}_TENANT": TENANT,
        f"{SET}_CLIENT_ID": CLIENT_ID,
        f"{SET}_ID_TOKEN_FILE": str(token),
        **azure.environ,
    }

    report = home.login(sets=sets, observe=told)
    again = home.login(sets=sets, verify="changed")

    assert ("ok", True) == (only(report).status, only(report).verified)
    assert "unchanged" == only(again).status
    assert [] == issuer.secrets_in(repr(told) + json.dumps(report.to_dict()) + repr(report))
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path != token]
    assert len(written) > 1
    assert [] == issuer.secrets_in("".join(path.read_text("latin-1") for path in written))


def test_skopeo_pulls_with_the_login_that_a_token_became(azure, issuer, tmp_path, monkeypatch):
    skopeo = needed.program("skopeo", package="skopeo")
    home = Home(tmp_path)
    monkeypatch.setenv("HOME", home.path)
    sets = {
        f"{SET}_SERVER": azure.registry,
        f"{SET}_TENANT": TENANT,
        f"{SET}_CLIENT_ID": CLIENT_ID,
        f"{SET}_ID_TOKEN": issuer.sign(aud=AUDIENCE),
        **azure.environ,
    }
    assert "ok" == only(home.login(sets=sets, store="auths")).status
    azure.pulled = False

    ran = subprocess.run(
        [skopeo, "inspect", "--raw", f"docker://{azure.registry}/team/app:1"],
        env={**azure.environ, "PATH": os.environ["PATH"], "REGISTRY_AUTH_FILE": home.config},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, True) == (ran.returncode, azure.pulled), ran.stderr


# What Entra ID refuses.


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"iss": "https://gitlab.example"}, "700211"),
        ({"aud": "sts.amazonaws.com"}, "700212"),
        ({"sub": "repo:corp/app:ref:refs/heads/other"}, "700213"),
        ({"lives": -30}, "700024"),
        ({"key": stranger()}, "50027"),
    ],
)
def test_a_token_that_the_federated_credential_does_not_match_is_refused(issuer, change, number):
    token = issuer.sign(**{"aud": AUDIENCE, **change})

    assert f"entra-{number}" == error_of(a_secret(token=token), issuer=issuer).code


NEW = "run the CI job again, or check what renews the token's file"
REACHABLE = (
    f"make {ISSUER}/.well-known/openid-configuration and its keys reachable from the internet"
)
ID_TOKEN = f"{SET}_ID_TOKEN"
LINES = {
    "50027": (
        f"Entra ID says that {ID_TOKEN} is not valid (AADSTS50027)",
        f"get a new token from {ISSUER}; do not change or shorten it",
    ),
    "70021": (
        f"no federated credential in Entra ID matches {ID_TOKEN} (AADSTS70021)",
        (
            "add one with its issuer, subject and audience, which doctor shows, to the "
            f"application in {SET}_CLIENT_ID"
        ),
    ),
    "700016": (
        f"this Entra ID tenant does not know the application in {SET}_CLIENT_ID (AADSTS700016)",
        f"check {SET}_CLIENT_ID, and that {SET}_TENANT is its tenant",
    ),
    "700024": (
        f"{ID_TOKEN} is not valid now (AADSTS700024)",
        f"check the clock, and get a new token: {NEW}",
    ),
    "700027": (
        f"Entra ID rejected the signature of {ID_TOKEN} (AADSTS700027)",
        f"check the keys that {ISSUER} publishes, and get a new token",
    ),
    "700211": (
        f"no federated credential in Entra ID has the issuer {ISSUER} (AADSTS700211)",
        f"set the issuer of the federated credential to {ISSUER}, exactly so",
    ),
    "700212": (
        f"Entra ID expects the audience {AUDIENCE}, but {ID_TOKEN} has corp (AADSTS700212)",
        f"get a token for {AUDIENCE}, or set the audience of the federated credential to corp",
    ),
    "700213": (
        f"no federated credential in Entra ID has the subject of {ID_TOKEN} (AADSTS700213)",
        "set the subject of the federated credential to the one that doctor shows",
    ),
    "7002138": (
        "the subject of the federated credential differs in upper and lower case (AADSTS7002138)",
        "spell its subject exactly as doctor shows it",
    ),
    "7000112": (
        "the Entra ID application is disabled (AADSTS7000112)",
        "have the application enabled",
    ),
    "7000229": (
        "the Entra ID application has no service principal in this tenant (AADSTS7000229)",
        f"run az ad sp create --id with the value of {SET}_CLIENT_ID",
    ),
    "90002": (
        "Entra ID does not know this tenant (AADSTS90002)",
        f"check {SET}_TENANT, and that it belongs to the registry's cloud",
    ),
    "900023": (
        "the Entra ID tenant is not a tenant's id or domain (AADSTS900023)",
        f"set {SET}_TENANT to the tenant's id or domain",
    ),
    "90061": (f"Entra ID cannot reach {ISSUER} (AADSTS90061)", REACHABLE),
    "900612": (
        f"Entra ID cannot read the keys of {ISSUER} (AADSTS900612)",
        f"check the keys (jwks_uri) that {ISSUER} publishes",
    ),
    "123456": (
        "Entra ID refused this identity (AADSTS123456)",
        "look it up at https://login.microsoftonline.com/error?code=123456",
    ),
}


@pytest.mark.parametrize(("number", "line"), LINES.items())
def test_each_refusal_of_a_sets_token_is_a_line_and_what_to_do(azure, issuer, number, line):
    azure.answers = [aadsts(number)]

    error = error_of(a_secret(token=issuer.sign(aud="corp")), issuer=issuer)

    assert (AuthenticationError, *line) == (type(error), error.message, error.hint)
    assert error.code in (f"entra-{number}", "entra-refused")
    # Nothing of the environment's identity, which is not in play.
    assert "AZURE_" not in f"{error.message}{error.hint}"


def test_every_refusal_in_the_table_of_causes_has_a_case_here():
    assert set() == {*causes.REFUSALS, *causes.FIXES} - {*LINES}


def test_the_usual_audience_is_to_be_set_in_the_federated_credential(azure, issuer):
    azure.answers = [aadsts("700212")]

    error = error_of(a_secret(token=issuer.sign(aud=AUDIENCE)), issuer=issuer)

    said = f"no federated credential in Entra ID has the audience {AUDIENCE} (AADSTS700212)"
    assert said == error.message
    assert f"set the audience of the federated credential to {AUDIENCE}" == error.hint


def test_an_answer_without_a_number_speaks_of_the_federated_credential(azure, issuer):
    azure.answers = [(400, {"Content-Type": "application/json"}, b'{"error": "invalid_request"}')]

    error = error_of(a_secret(token=issuer.sign(aud=AUDIENCE)), issuer=issuer)

    assert f"Entra ID sent no token for {ID_TOKEN}, and gave no known reason" == error.message
    assert error.hint.startswith("check the federated credential of the application")


def test_a_registry_that_rejects_the_application_says_so(issuer, monkeypatch):
    with Federated(issuer, exchanging=errors(401, "UNAUTHORIZED", "no")) as azure:
        for name, value in azure.environ.items():
            monkeypatch.setenv(name, value)
        error = error_of(a_secret(token=issuer.sign(aud=AUDIENCE)), issuer=issuer)

    assert f"the registry rejected the Entra ID application in {SET}_CLIENT_ID" == error.message
    assert (
        "give the application the role AcrPull; check that "
        f"{SET}_TENANT is the registry's tenant" == error.hint
    )
