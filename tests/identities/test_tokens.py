# SPDX-License-Identifier: MIT
"""
ID tokens and the sets that name an identity: what is wrong is said before any request.
"""

from __future__ import annotations

import base64
import json
import time

import pytest
from doubles.homes import Home, Told, a_secret, only
from hypothesis import given, settings
from hypothesis import strategies as st

from devcontainer_registry import discover
from devcontainer_registry.authenticators import load
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.cache.memory import Memory
from devcontainer_registry.credentials import Secret
from devcontainer_registry.diagnosis.identity.claims import policy_claims
from devcontainer_registry.errors import DiscoveryError, RegistryError
from devcontainer_registry.identities import tokens
from devcontainer_registry.identities.named import provider_of
from devcontainer_registry.identities.source import audience_of
from devcontainer_registry.logins.candidates import survey
from devcontainer_registry.logins.masking import vetted

ECR, ACR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "mycompany.azurecr.io"
GOOGLE = "europe-docker.pkg.dev"
ROLE = "arn:aws:iam::123456789012:role/pull"
PROVIDER = "projects/7/locations/global/workloadIdentityPools/ci/providers/github"


def made(header=None, **claims):
    parts = ({"alg": "RS256"} if header is None else header, claims)
    encoded = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    return ".".join((*encoded, "c2lnbmF0dXJl"))


def later(seconds):
    return int(time.time()) + seconds


GOOD = made(iss="https://issuer.example", sub="me", aud="sts.amazonaws.com", exp=9_999_999_999)


def a_set(registry, **members):
    values = {"SERVER": registry, **members}
    return {f"X_CONTAINER_REGISTRY_{name}": text for name, text in values.items()}


# Tokens.


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token",
        "a.b",
        "a.b.c.d.e",
        f"{GOOD}.",
        GOOD.replace(".", ".\n", 1),
        f" {GOOD}",
        "é.é.é",
        "W10.e30.c2ln",
        "e30.W10.c2ln",
        "e30.bm90IGpzb24.c2ln",
        f"{GOOD.rpartition('.')[0]}.",
        "/var/run/secrets/tokens/registry",
    ],
)
def test_what_is_not_a_jwt_is_refused_and_not_quoted(text):
    with pytest.raises(DiscoveryError) as caught:
        tokens.read(Secret(text), name="X_CONTAINER_REGISTRY_ID_TOKEN", source="ID_TOKEN")

    error = caught.value
    assert "id-token-malformed" == error.code
    assert "X_CONTAINER_REGISTRY_ID_TOKEN is not a JSON Web Token (JWT)" == error.message
    if text.startswith("/"):
        assert "rename the variable to X_CONTAINER_REGISTRY_ID_TOKEN_FILE" == error.hint
    else:
        assert error.hint.startswith("set X_CONTAINER_REGISTRY_ID_TOKEN to the whole token")
    assert not text or text not in error.message


@pytest.mark.parametrize(
    ("seconds", "ago"),
    [(-70, "1 minutes"), (-1800, "30 minutes"), (-7300, "2 hours"), (-200000, "2 days")],
)
def test_an_expired_token_is_refused_with_its_age(seconds, ago):
    token = Secret(made(exp=later(seconds)))

    with pytest.raises(DiscoveryError) as caught:
        tokens.read(token, name="X_ID_TOKEN", source="ID_TOKEN")

    assert ("id-token-expired", f"the ID token in X_ID_TOKEN expired {ago} ago") == (
        caught.value.code,
        caught.value.message,
    )


# The last two by what is left: each worker of a test run has to give them the same name.
@pytest.mark.parametrize(
    "end", [None, "soon", True, -1, 1e300, 10**400, [], "-30 seconds", "300 seconds"], ids=repr
)
def test_a_token_whose_end_is_unknown_or_near_is_left_to_the_cloud(end):
    seconds = str(end).partition(" seconds")
    exp = later(int(seconds[0])) if seconds[1] else end

    token = tokens.read(Secret(made(exp=exp)), name="X", source="ID_TOKEN")

    assert token.expires_at is None or abs(token.expires_at - time.time()) < 600


def test_a_token_shows_neither_itself_nor_its_claims():
    token = tokens.read(Secret(GOOD), name="X", source="ID_TOKEN")

    assert "IdToken(token=Secret(****), name='X', source='ID_TOKEN')" == repr(token)


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("sts.amazonaws.com", "sts.amazonaws.com"),
        ("repo:corp/app:ref:refs/heads/main", "repo:corp/app:ref:refs/heads/main"),
        (None, "(none)"),
        (True, "true"),
        (7, "7"),
        ("a\x1b[31m", "(not printable)"),
        ("a\nb", "(not printable)"),
        ("x" * 600, "(not printable)"),
        ({"a": 1}, "(not printable)"),
        ("", "(not printable)"),
        (GOOD, "(not printable)"),
    ],
)
def test_a_claim_is_shown_if_it_is_one_line_of_common_characters(claim, text):
    assert text == tokens.shown(claim)


def test_several_audiences_are_all_shown():
    token = tokens.read(Secret(made(aud=["a.example", "b.example"])), name="X", source="s")

    assert "a.example or b.example" == token.words["audience"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "\ud800", "sub": "\udcff"},
        {"iss": ["\ud800"], "sub": {"a": None}},
        {"iss": None, "sub": 10**400},
        {"aud": ["\ud800", 7, None]},
    ],
)
def test_claims_of_any_shape_are_no_trouble(tmp_path, claims):
    secret = a_secret(registry=ECR, user=None, password=None, id_token=Secret(made(**claims)))
    memory = Memory(Cache(str(tmp_path / "cache")), "config.json")

    assert memory.note(secret, "refused")
    assert "refused" == memory.recall(secret).state
    token = tokens.read(secret.id_token, name="X", source="ID_TOKEN")
    assert all(text.isascii() and text.isprintable() for text in token.words.values())


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
CLAIMED = st.sampled_from(["iss", "sub", "aud", "exp", "repository", "kubernetes.io", "other"])


@settings(max_examples=200, deadline=None)
@given(st.text() | st.builds(lambda claims: made(**claims), st.dictionaries(CLAIMED, VALUES)))
def test_any_text_is_a_token_or_an_error_that_does_not_quote_it(text):
    try:
        token = tokens.read(Secret(text), name="X", source="ID_TOKEN")
    except DiscoveryError as exc:
        said = [exc.message, exc.hint]
    else:
        assert token.expires_at is None or 0 <= token.expires_at < 1e11
        said = [*token.words.values(), *dict(policy_claims(token.claims)).values(), repr(token)]
        assert all(one.isascii() and one.isprintable() for one in said)
    assert len(text) < 12 or not any(text in one for one in said)


# Sets.

NAMES = {
    "T": "X_CONTAINER_REGISTRY_ID_TOKEN",
    "A": "X_CONTAINER_REGISTRY_AUDIENCE",
    "C": "X_CONTAINER_REGISTRY_CLIENT_ID",
}
WRONG = [
    # Nothing that names an identity.
    (ECR, {"ID_TOKEN": GOOD}, "identity-incomplete", "ROLE_ARN is not"),
    (ECR, {"AUDIENCE": "corp"}, "identity-incomplete", "ROLE_ARN is not"),
    ("public.ecr.aws", {"ID_TOKEN": GOOD}, "identity-incomplete", "ROLE_ARN is not"),
    (ACR, {"ID_TOKEN": GOOD}, "identity-incomplete", "TENANT is not"),
    (ACR, {"ID_TOKEN": GOOD, "TENANT": "t"}, "identity-incomplete", "CLIENT_ID is not"),
    (ACR, {"ID_TOKEN": GOOD, "CLIENT_ID": "c"}, "identity-incomplete", "TENANT is not"),
    (ACR, {"CLIENT_ID": "c"}, "identity-incomplete", "TENANT is not"),
    (ACR, {"AUDIENCE": "a"}, "identity-incomplete", "TENANT is not"),
    (GOOGLE, {"ID_TOKEN": GOOD}, "identity-incomplete", "AUDIENCE is not"),
    (GOOGLE, {"CLIENT_ID": "a@p.iam.gserviceaccount.com"}, "identity-incomplete", "AUDIENCE"),
    # Registries that take none.
    ("ghcr.io", {"ID_TOKEN": GOOD}, "identity-not-supported", "ghcr.io does not take ID tokens"),
    ("r.example", {"ID_TOKEN": GOOD, "ROLE_ARN": ROLE}, "identity-not-supported", "r.example"),
    ("r.example", {"AUDIENCE": "a"}, "identity-not-supported", "r.example"),
    ("r.example", {"CLIENT_ID": "a"}, "identity-not-supported", "r.example"),
    # A stored secret besides.
    (ECR, {"ID_TOKEN": GOOD, "ROLE_ARN": ROLE, "PROFILE": "p"}, "identity-ambiguous", "_PROFILE"),
    (GOOGLE, {"AUDIENCE": PROVIDER, "USER": "u"}, "identity-ambiguous", "_USER are both set"),
    (ECR, {"ID_TOKEN": GOOD, "ROLE_ARN": ROLE, "USER": "u"}, "identity-ambiguous", "_USER"),
    (ECR, {"AUDIENCE": "a", "ROLE_ARN": ROLE, "USER": "u"}, "identity-ambiguous", "_USER"),
    (ACR, {"CLIENT_ID": "c", "TENANT": "t", "USER": "u"}, "identity-ambiguous", "_USER"),
    # Values that cannot be right.
    (ECR, {"ID_TOKEN": "no", "ROLE_ARN": ROLE}, "id-token-malformed", "is not a JSON Web Token"),
    (ACR, {"ID_TOKEN": "no", "TENANT": "t", "CLIENT_ID": "c"}, "id-token-malformed", "JWT"),
    (GOOGLE, {"ID_TOKEN": "no", "AUDIENCE": PROVIDER}, "id-token-malformed", "JWT"),
    (GOOGLE, {"AUDIENCE": "projects/name/x"}, "google-audience-invalid", "resource name"),
    (GOOGLE, {"AUDIENCE": PROVIDER, "CLIENT_ID": "me"}, "google-account-invalid", "CLIENT_ID"),
    (
        GOOGLE,
        {"AUDIENCE": PROVIDER, "CLIENT_ID": "a/b@p.iam.gserviceaccount.com"},
        "google-account-invalid",
        "CLIENT_ID",
    ),
]


@pytest.mark.parametrize(("registry", "members", "code", "words"), WRONG)
def test_a_set_that_is_not_whole_is_incomplete_before_any_request(
    tmp_path, registry, members, code, words
):
    if "USER" in members:
        members = {**members, "PASSWORD": "s3cret"}
    told = Told()
    sets = a_set(registry, **members)

    listed = only(survey(discover(sets)))
    report = Home(tmp_path).login(sets=sets, observe=told)

    for outcome in (listed, only(report)):
        assert ("incomplete", code) == (outcome.status, outcome.code)
        assert words in outcome.error.message
        assert "X_CONTAINER_REGISTRY_" in outcome.error.message + outcome.error.hint
        assert GOOD not in outcome.error.message + outcome.error.hint
    assert 3 == report.exit_status
    assert [] == [one for one in told.events if one.startswith(("request", "dns", "cloud"))]


@pytest.mark.parametrize(
    ("registry", "members"),
    [
        (ECR, {"ID_TOKEN": made(exp=1_700_000_000), "ROLE_ARN": ROLE}),
        (ACR, {"ID_TOKEN": made(exp=1_700_000_000), "TENANT": "t", "CLIENT_ID": "c"}),
        (GOOGLE, {"ID_TOKEN": made(exp=1_700_000_000), "AUDIENCE": PROVIDER}),
    ],
)
def test_an_expired_token_makes_its_set_incomplete(registry, members):
    assert "id-token-expired" == only(survey(discover(a_set(registry, **members)))).code


@pytest.mark.parametrize(
    ("registry", "members"),
    [
        (ECR, {"ROLE_ARN": ROLE}),
        (ECR, {"ROLE_ARN": ROLE, "CLIENT_ID": "means nothing here"}),
        (ECR, {"ROLE_ARN": ROLE, "PROFILE": "work"}),
        (ECR, {"ROLE_ARN": ROLE, "ID_TOKEN": GOOD}),
        (ECR, {"ROLE_ARN": ROLE, "AUDIENCE": "corp"}),
        (ACR, {"TENANT": "corp.example"}),
        (ACR, {"TENANT": "corp.example", "CLIENT_ID": "c"}),
        (GOOGLE, {"AUDIENCE": PROVIDER, "CLIENT_ID": "a-b@p-1.iam.gserviceaccount.com"}),
        ("r.example", {"KIND": "ecr", "ROLE_ARN": ROLE, "ID_TOKEN": GOOD}),
    ],
)
def test_a_set_that_is_whole_is_found(registry, members):
    assert "found" == only(survey(discover(a_set(registry, **members)))).status


@pytest.mark.parametrize(("registry", "members", "code", "_words"), WRONG)
def test_an_authenticator_refuses_the_same_sets_without_a_request(registry, members, code, _words):
    (secret,) = discover(a_set(registry, **{"PASSWORD": "s", **members})).secrets or [None]
    kind = {ECR: "ecr", "public.ecr.aws": "ecr", ACR: "acr", GOOGLE: "google"}.get(registry)
    if secret is None or kind is None:
        return
    with pytest.raises(DiscoveryError) as caught:
        load()[kind].authenticate(secret, timeout=0.1)

    assert code == caught.value.code


def test_a_plugin_is_given_the_token_to_do_with_as_it_likes():
    secret = a_secret(user=None, password=None, kind="mine", id_token=Secret("anything"))

    from devcontainer_registry.identities.named import problem

    assert problem(secret, "mine") is None


# What a plugin's error may quote.


@pytest.mark.parametrize(
    ("audience", "shown"),
    [
        ("C4n4ry-s1ngs", "X_CONTAINER_REGISTRY_AUDIENCE"),
        ("sts.amazonaws.com.cn", "sts.amazonaws.com.cn"),
        ("api://corp", "api://corp"),
        (f"//iam.googleapis.com/{PROVIDER}", f"//iam.googleapis.com/{PROVIDER}"),
    ],
)
def test_an_error_that_quotes_the_members_is_masked_but_for_a_public_audience(audience, shown):
    secret = a_secret(
        "X",
        user=None,
        password=None,
        client_id="app-0f3c",
        audience=audience,
        id_token=Secret(GOOD),
    )
    error = RegistryError(f"<{GOOD}> <app-0f3c> <{audience}>", hint=f"not {GOOD}", code="x")

    masked = vetted(error, secret, None)

    assert f"<****> <X_CONTAINER_REGISTRY_CLIENT_ID> <{shown}>" == masked.message
    assert "not ****" == masked.hint


# Audiences.


@pytest.mark.parametrize("written", ["", "//iam.googleapis.com/", "https://iam.googleapis.com/"])
def test_googles_provider_is_known_by_each_of_its_spellings(written):
    secret = a_secret(registry=GOOGLE, user=None, password=None, audience=written + PROVIDER)

    assert f"//iam.googleapis.com/{PROVIDER}" == provider_of(secret)
    assert f"https://iam.googleapis.com/{PROVIDER}" == audience_of(secret, "google")


@pytest.mark.parametrize(
    ("registry", "kind", "audience"),
    [
        (ECR, "ecr", "sts.amazonaws.com"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr", "sts.amazonaws.com"),
        (ACR, "acr", "api://AzureADTokenExchange"),
        ("mycompany.azurecr.us", "acr", "api://AzureADTokenExchangeUSGov"),
        ("mycompany.azurecr.cn:443", "acr", "api://AzureADTokenExchangeChina"),
    ],
)
def test_each_cloud_has_its_usual_audience(registry, kind, audience):
    secret = a_secret(registry=registry, user=None, password=None)

    assert audience == audience_of(secret, kind)
    named = a_secret(registry=registry, user=None, password=None, audience="api://corp")
    assert "api://corp" == audience_of(named, kind)
