# SPDX-License-Identifier: MIT
"""
GitHub's ID token: requested over https only, for the right audience, and from its host only.
"""

from __future__ import annotations

import pytest
from doubles.homes import Told, a_secret
from doubles.internet import JSON, Internet
from doubles.issuer import GITHUB, GITHUB_HOST, REQUEST_TOKEN, Issuer

from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.identities import github, source
from devcontainer_registry.observer import listening

URL = "ACTIONS_ID_TOKEN_REQUEST_URL"
PLAIN = {"Content-Type": "text/html"}


@pytest.fixture(name="issuer", scope="module")
def _issuer(tmp_path_factory):
    with Issuer(tmp_path_factory.mktemp("issuer")) as issuer:
        yield issuer


@pytest.fixture(name="internet", scope="module")
def _internet(issuer):
    with Internet({GITHUB_HOST: issuer.github, "elsewhere.example": issuer.github}) as internet:
        yield internet


@pytest.fixture(name="environ")
def _environ(issuer, internet):
    issuer.requests.clear()
    return {**internet.environ, **issuer.environ}


def requested(environ, audience="sts.amazonaws.com", timeout=10.0):
    return github.request(audience, timeout=timeout, environ=environ)


def error_of(environ):
    with pytest.raises(RegistryError) as caught:
        requested(environ)
    assert REQUEST_TOKEN not in f"{caught.value.message}{caught.value.hint}"
    return caught.value


@pytest.mark.parametrize(
    "audience", ["sts.amazonaws.com", "api://AzureADTokenExchange", "a b&c=d/é?#"]
)
def test_the_token_is_for_the_audience_that_was_asked_for(issuer, environ, audience):
    token = requested(environ, audience)

    assert audience == token.claims["aud"]
    assert GITHUB["sub"] == token.claims["sub"]
    assert issuer.issued[-1] == token.token.reveal()
    assert ("the ID token of GitHub Actions", "github-actions") == (token.name, token.source)
    assert [("/7/idtoken/8/9", audience, f"Bearer {REQUEST_TOKEN}")] == issuer.requests


@pytest.mark.parametrize(
    "url",
    [
        f"http://{GITHUB_HOST}/7/idtoken/8/9?api-version=2.0",
        "http://127.0.0.1:9/idtoken",
        "ftp://elsewhere.example/",
        "https://user@elsewhere.example/",
        "https://elsewhere.example\\@github.com/",
        "not a URL",
    ],
)
def test_no_request_leaves_for_a_url_that_is_not_https(issuer, environ, url):
    error = error_of({**environ, URL: url})

    assert (DiscoveryError, "github-id-token-url") == (type(error), error.code)
    assert url not in error.message
    assert [] == issuer.requests


def test_no_request_leaves_with_a_token_that_no_header_can_hold(issuer, environ):
    error = error_of({**environ, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "a\nb"})

    assert "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not a token; nothing was sent" == error.message
    assert [] == issuer.requests


def test_a_host_with_an_unknown_certificate_is_sent_nothing(issuer):
    with Internet({GITHUB_HOST: issuer.github}, untrusted=[GITHUB_HOST]) as internet:
        issuer.requests.clear()
        error = error_of({**internet.environ, **issuer.environ})

    assert (UnreachableError, "certificate-untrusted") == (type(error), error.code)
    assert [] == issuer.requests


def test_a_redirect_is_not_followed(issuer, environ):
    issuer.answers = [(302, {"Location": "https://elsewhere.example/"}, b"")]

    error = error_of(environ)

    assert "github-id-token-none" == error.code
    assert 1 == len(issuer.requests)


PERMISSION = (
    "add permissions: id-token: write to the workflow's job; the permission ends with the job"
)
PROXY = "check ACTIONS_ID_TOKEN_REQUEST_URL, and look for a proxy or sign-in page in between"
NO_TOKEN = f"{GITHUB_HOST} sent no ID token"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        *(
            (
                (status, JSON, b"{}"),
                (
                    AuthenticationError,
                    "github-id-token-refused",
                    f"{GITHUB_HOST} did not issue an ID token (status {status})",
                    PERMISSION,
                ),
            )
            for status in (400, 401, 403, 404)
        ),
        *(
            (
                (status, JSON, b"{}"),
                (
                    TransientError,
                    "github-id-token-busy",
                    f"{GITHUB_HOST} is busy and did not issue an ID token (status {status})",
                    "try again later",
                ),
            )
            for status in (429, 500, 503)
        ),
        *(
            ((status, PLAIN, body), (RegistryError, "github-id-token-none", NO_TOKEN, PROXY))
            for status, body in (
                (200, b"<html>sign in</html>"),
                (200, b"{}"),
                (200, b'{"value": 7}'),
                (200, b'{"value": "not a JWT"}'),
                (200, b"[]"),
                (204, b""),
                (418, b'{"value": "e30.e30.c2ln"}'),
            )
        ),
    ],
)
def test_each_refusal_of_github_is_a_line_and_what_to_do(issuer, environ, answer, expected):
    issuer.answers = [answer]

    error = error_of(environ)

    assert expected == (type(error), error.code, error.message, error.hint)


@pytest.mark.parametrize(
    ("changed", "here"),
    [
        ({}, True),
        ({URL: ""}, False),
        ({"ACTIONS_ID_TOKEN_REQUEST_TOKEN": ""}, False),
        # The documentation names the variables for a runner only.
        ({"CODESPACES": "true"}, False),
    ],
)
def test_a_token_is_requested_where_the_runner_allows_it(issuer, environ, changed, here):
    environ = {**environ, **changed}
    secret = a_secret(user=None, password=None)

    assert here == github.is_here(environ)
    if not here:
        with pytest.raises(DiscoveryError) as caught:
            source.obtain(secret, "ecr", timeout=5.0, environ=environ)
        assert "id-token-missing" == caught.value.code
        assert "add permissions: id-token: write to the workflow's job" == caught.value.hint
    else:
        assert source.obtain(secret, "ecr", timeout=5.0, environ=environ)
        assert "sts.amazonaws.com" == issuer.requests[0][1]


def test_no_event_of_a_request_shows_a_token(issuer, environ):
    told = Told()
    with listening(told):
        requested(environ)

    assert "request.answered" in told.events
    assert [] == issuer.secrets_in(repr(told))
