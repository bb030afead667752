# SPDX-License-Identifier: MIT
"""
Google's registries with an ID token: google-auth unpatched, and every refusal.

The played token servers check the token with the issuer's keys.
"""

from __future__ import annotations

import datetime as dt
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles.homes import Told
from doubles.internet import JSON, Internet
from doubles.issuer import GITHUB_HOST, Issuer, Policy, stranger

from devcontainer_registry.authenticators.google import GoogleAuthenticator
from devcontainer_registry.causes.clouds import google_tokens as causes
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import AuthenticationError, RegistryError, TransientError
from devcontainer_registry.observer import listening
from devcontainer_registry.registry import Registry

PROVIDER = "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/ci/providers/gh"
AUDIENCE = f"https:{PROVIDER}"
ISSUER = "https://token.actions.githubusercontent.com"
SET = "GCP_CONTAINER_REGISTRY"
ID_TOKEN = f"{SET}_ID_TOKEN"
ACCOUNT = "puller@made-up.iam.gserviceaccount.com"
FEDERATED, IMPERSONATED = "ya29.federated-C4n4ry", "ya29.impersonated-C4n4ry"
LIFE = 3599
# https://cloud.google.com/iam/docs/troubleshooting-workload-identity-federation
SAID = {
    "issuer": f"The issuer in ID Token https://x does not match the expected ones: {ISSUER}.",
    "audience": "The audience in ID Token [x] does not match the expected audience.",
    "subject": "The given credential is rejected by the attribute condition.",
    "expired": "ID Token issued at 1790788565 is stale to sign-in.",
    "signature": "Invalid ID Token signature.",
}


class Google(Internet):
    """
    Google's two token servers, with one pool and one account that it may become.

    https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
    https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
    """

    def __init__(self, issuer):
        self.policy = Policy(issuer=issuer, audience=AUDIENCE)
        self.forms, self.paths, self.answers = [], [], []
        super().__init__(
            {
                "sts.googleapis.com": self._exchange,
                "iamcredentials.googleapis.com": self._impersonate,
                GITHUB_HOST: issuer.github,
            }
        )

    def _exchange(self, method, target, headers, body):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        self.forms.append(form)
        if self.answers:
            return self.answers.pop(0)
        if (method, target) != ("POST", "/v1/token") or "Authorization" in headers:
            return oauth("invalid_request", "no")
        if form["audience"] != PROVIDER:
            return oauth("invalid_target", 'The target service indicated by the "audience"')
        fault = self.policy.fault_of(form["subject_token"])
        if fault is not None:
            return oauth("invalid_grant", SAID[fault])
        return answer(
            200,
            {
                "access_token": FEDERATED,
                "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
                "token_type": "Bearer",
                "expires_in": LIFE,
            },
        )

    def _impersonate(self, _method, target, headers, _body):
        self.paths.append(urlsplit(target).path)
        if self.answers:
            return self.answers.pop(0)
        if headers.get("authorization", headers.get("Authorization")) != f"Bearer {FEDERATED}":
            return answer(401, {})
        end = dt.datetime.now(dt.timezone.utc) + dt.timedelta(seconds=LIFE)
        return answer(
            200, {"accessToken": IMPERSONATED, "expireTime": end.strftime("%Y-%m-%dT%H:%M:%SZ")}
        )


def answer(status, document):
    return status, JSON, json.dumps(document).encode()


def oauth(error, text, status=400):
    return answer(status, {"error": error, "error_description": text})


def api(status, name, text):
    return answer(status, {"error": {"code": status, "message": text, "status": name}})


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(name="google", scope="module")
def _google(issuer):
    with Google(issuer) as google:
        yield google


@pytest.fixture(autouse=True)
def _living(monkeypatch, google, issuer):
    for log in (google.forms, google.paths, google.answers, issuer.requests, issuer.answers):
        log.clear()
    for name, value in google.environ.items():
        monkeypatch.setenv(name, value)


def a_secret(*, token=None, audience=PROVIDER, registry="europe-docker.pkg.dev", **members):
    return RegistrySecret(
        id="GCP",
        registry=Registry(registry),
        source="GCP_CONTAINER_REGISTRY_*",
        audience=audience,
        id_token=None if token is None else Secret(token),
        **members,
    )


def authenticated(secret):
    told = Told()
    with listening(told):
        credential = GoogleAuthenticator().authenticate(secret, timeout=10.0)
    chosen = [fields["source"] for event, fields in told if event == "cloud.identity_chosen"]
    return credential, chosen


def error_of(secret, *, issuer):
    with pytest.raises(RegistryError) as caught:
        GoogleAuthenticator().authenticate(secret, timeout=10.0)
    error = caught.value
    assert error.__cause__ is None
    assert "{" not in f"{error.message}{error.hint}"
    assert [] == issuer.secrets_in(f"{error.message}{error.hint}")
    assert FEDERATED not in error.message
    return error


@pytest.mark.parametrize("written", [PROVIDER, AUDIENCE, PROVIDER.partition(".com/")[2]])
@pytest.mark.parametrize("registry", ["europe-docker.pkg.dev", "gcr.io"])
def test_a_token_is_exchanged_for_an_access_token(google, issuer, written, registry):
    token = issuer.sign(aud=AUDIENCE)

    credential, chosen = authenticated(a_secret(token=token, audience=written, registry=registry))

    assert ("oauth2accesstoken", FEDERATED) == (credential.username, credential.secret.reveal())
    assert abs(credential.expires_at - time.time() - LIFE) < 60
    assert ["ID_TOKEN"] == chosen
    (form,) = google.forms
    assert {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "audience": PROVIDER,
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "scope": "https://www.googleapis.com/auth/cloud-platform",
    }.items() <= form.items()
    assert ([], [], []) == (google.paths, google.unknown_hosts, issuer.requests)


def test_githubs_token_is_requested_for_the_providers_name(google, issuer, monkeypatch):
    for name, value in issuer.environ.items():
        monkeypatch.setenv(name, value)

    credential, chosen = authenticated(a_secret())

    assert (FEDERATED, ["github-actions"]) == (credential.secret.reveal(), chosen)
    assert [AUDIENCE] == [audience for _, audience, _ in issuer.requests]
    assert [] == google.unknown_hosts


def test_a_service_account_is_used_where_the_set_names_one(google, issuer):
    credential, _ = authenticated(a_secret(token=issuer.sign(aud=AUDIENCE), client_id=ACCOUNT))

    assert IMPERSONATED == credential.secret.reveal()
    assert abs(credential.expires_at - time.time() - LIFE) < 60
    assert [f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateAccessToken"] == google.paths


def test_the_sets_provider_wins_over_the_credentials_of_the_environment(
    google, issuer, monkeypatch, tmp_path
):
    """
    AUDIENCE is new: no set had it before, so none becomes another identity with it.
    """
    path = tmp_path / "key.json"
    path.write_text("not even JSON")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))

    _, chosen = authenticated(a_secret(token=issuer.sign(aud=AUDIENCE)))

    assert ["ID_TOKEN"] == chosen
    assert 1 == len(google.forms)


def test_no_token_is_requested_for_a_set_that_names_no_provider(issuer, monkeypatch, tmp_path):
    for name, value in {**issuer.environ, "CLOUDSDK_CONFIG": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_GCE_CHECK", "true")

    error = error_of(a_secret(audience=None), issuer=issuer)

    assert "identity-missing" == error.code
    assert [] == issuer.requests


def test_no_event_of_an_exchange_shows_a_token(issuer):
    told = Told()
    with listening(told):
        authenticated(a_secret(token=issuer.sign(aud=AUDIENCE), client_id=ACCOUNT))
    assert [] == issuer.secrets_in(repr(told))
    assert "C4n4ry" not in repr(told)


def test_a_registry_that_rejects_the_principal_says_which_role_it_needs():
    said = GoogleAuthenticator().explain(a_secret(), AuthenticationError("no", code="rejected"))

    assert (
        f"give the pool's principal, or the service account in {SET}_CLIENT_ID, the role Artifact "
        "Registry Reader" == said
    )


# What Google refuses.


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"iss": "https://gitlab.example"}, "google-id-token-issuer"),
        ({"aud": "sts.amazonaws.com"}, "google-id-token-audience"),
        ({"sub": "repo:corp/app:ref:refs/heads/other"}, "google-id-token-condition"),
        ({"lives": -30}, "google-id-token-expired"),
        ({"key": stranger()}, "google-id-token-signature"),
    ],
)
def test_a_token_that_the_provider_does_not_accept_is_refused(issuer, change, code):
    token = issuer.sign(**{"aud": AUDIENCE, **change})

    assert code == error_of(a_secret(token=token), issuer=issuer).code


NEW = "get a new token: run the CI job again, or check what renews the token's file"
PROVIDERS_NAME = f"{SET}_AUDIENCE"
# What Google answers; then code, line and hint.
REFUSALS = [
    (
        oauth("invalid_grant", SAID["audience"]),
        "google-id-token-audience",
        f"Google expects the audience {AUDIENCE}, but {ID_TOKEN} has corp",
        "get a token for the expected audience, or add corp to the provider's allowed audiences",
    ),
    (
        oauth("invalid_grant", SAID["issuer"]),
        "google-id-token-issuer",
        f"the workload identity provider is for another issuer than {ISSUER}",
        f"set the provider's issuer URI to {ISSUER}, or correct {PROVIDERS_NAME}",
    ),
    (
        oauth("invalid_grant", "Error connecting to the given credential's issuer."),
        "google-id-token-keys",
        f"Google cannot read the keys of {ISSUER}",
        (
            f"make {ISSUER}/.well-known/openid-configuration and its keys reachable from the "
            "internet, or upload the keys to the provider"
        ),
    ),
    (
        oauth("unauthorized_client", SAID["subject"]),
        "google-id-token-condition",
        f"the attribute condition of the workload identity provider rejects {ID_TOKEN}",
        "correct the condition; doctor shows the claims that it looks at",
    ),
    (
        oauth("invalid_grant", SAID["expired"]),
        "google-id-token-expired",
        f"Google says that {ID_TOKEN} is too old",
        NEW,
    ),
    (
        oauth("invalid_grant", "Invalid JWT Signature."),
        "google-id-token-signature",
        f"Google rejected the signature of {ID_TOKEN}",
        f"check the keys that {ISSUER} publishes, and get a new token",
    ),
    (
        oauth(
            "invalid_request",
            "The size of mapped attribute google.subject exceeds the 127 bytes limit.",
        ),
        "google-subject-too-long",
        f"the attribute google.subject is longer than 127 bytes for {ID_TOKEN}",
        "map google.subject to a shorter claim, such as assertion.project_path, in the provider",
    ),
    (
        oauth("invalid_request", "The mapped attribute google.subject must be a string."),
        "google-id-token-mapping",
        f"the attribute mapping of the workload identity provider does not fit {ID_TOKEN}",
        "map google.subject to a claim that doctor shows, such as assertion.sub",
    ),
    *(
        (
            said,
            "google-provider-unknown",
            (
                f"Google does not know the workload identity provider in {PROVIDERS_NAME}, or it "
                "is disabled"
            ),
            f"check the project number, the pool and the provider in {PROVIDERS_NAME}",
        )
        for said in (
            oauth(
                "invalid_target",
                'The target service indicated by the "audience" parameters is invalid. This might '
                "either be because the pool or provider is disabled or deleted or because it "
                "doesn't exist.",
            ),
            oauth(
                "invalid_request",
                'Invalid value for "audience". This value should be the full resource name of the '
                "Identity Provider.",
            ),
        )
    ),
    (
        oauth("invalid_client", "something new"),
        "google-id-token-refused",
        f"Google sent no token for {ID_TOKEN}",
        "check the workload identity provider against the claims that doctor shows",
    ),
]
IMPERSONATIONS = [
    (
        api(
            403,
            "PERMISSION_DENIED",
            "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not "
            "exist).",
        ),
        "google-impersonation-denied",
        f"Google does not let the pool use the service account in {SET}_CLIENT_ID",
        (
            "give the token's subject, which doctor shows, the role Workload Identity User on "
            "that account"
        ),
    ),
    (
        api(404, "NOT_FOUND", f"Not found; Gaia id not found for email {ACCOUNT}"),
        "google-service-account-unknown",
        f"Google does not know the service account in {SET}_CLIENT_ID",
        f"check the email address in {SET}_CLIENT_ID",
    ),
    (
        api(
            403,
            "PERMISSION_DENIED",
            "IAM Service Account Credentials API has not been used in project 7 before or it is "
            "disabled.",
        ),
        "google-api-disabled",
        "the IAM Service Account Credentials API is disabled in the account's project",
        "run gcloud services enable iamcredentials.googleapis.com in that project",
    ),
]


@pytest.mark.parametrize(("said", "expected"), [(row[0], row[1:]) for row in REFUSALS])
def test_each_refusal_of_a_sets_token_is_a_line_and_what_to_do(google, issuer, said, expected):
    google.answers.append(said)

    error = error_of(a_secret(token=issuer.sign(aud="corp")), issuer=issuer)

    assert (AuthenticationError, *expected) == (
        type(error),
        error.code,
        error.message,
        error.hint,
    )
    assert "GOOGLE_" not in f"{error.message}{error.hint}"


@pytest.mark.parametrize(("said", "expected"), [(row[0], row[1:]) for row in IMPERSONATIONS])
def test_each_refusal_of_a_service_account_is_a_line_and_what_to_do(google, issuer, said, expected):
    token = issuer.sign(aud=AUDIENCE)
    google.answers += [answer(200, {"access_token": FEDERATED, "expires_in": LIFE}), said]

    error = error_of(a_secret(token=token, client_id=ACCOUNT), issuer=issuer)

    assert (AuthenticationError, *expected) == (
        type(error),
        error.code,
        error.message,
        error.hint,
    )


def test_every_refusal_in_the_table_of_causes_has_a_case_here():
    shown = {code for _, code, *_ in (*REFUSALS, *IMPERSONATIONS)}

    assert set() == {cause.code for _, cause in causes.REFUSALS} - shown


def test_a_provider_that_leaves_out_its_own_name_is_told_so(google, issuer):
    google.answers.append(oauth("invalid_grant", SAID["audience"]))

    error = error_of(a_secret(token=issuer.sign(aud=AUDIENCE)), issuer=issuer)

    assert (
        "the workload identity provider does not accept its own name as the audience of "
        f"{ID_TOKEN}" == error.message
    )
    assert f"remove the provider's list of allowed audiences, or add {AUDIENCE} to it" == error.hint


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_token_server_is_a_transient_failure(google, issuer, status):
    google.answers.append(answer(status, {}))

    error = error_of(a_secret(token=issuer.sign(aud=AUDIENCE)), issuer=issuer)

    assert (TransientError, "google-busy") == (type(error), error.code)
