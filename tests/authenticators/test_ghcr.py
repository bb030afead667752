# SPDX-License-Identifier: MIT
"""
What a token of GitHub's can't do, from its kind, from the registry, and from GitHub's API.
"""

from __future__ import annotations

import base64
import json
import threading
import time

import pytest
from doubles.documents import GHCR
from doubles.homes import GOOD, Home, Scripted
from doubles.homes import a_secret as inquire_a_secret
from doubles.internet import Internet, PlayedInternet

from devcontainer_registry import login
from devcontainer_registry.authenticators.ghcr import GhcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import AuthenticationError, RegistryError, TransientError
from devcontainer_registry.logins.asking import RetryPolicy
from devcontainer_registry.registry import Registry
from devcontainer_registry.threads import within

CLASSIC = "ghp_C4naryThatNobodyMaySee"
REFUSED = AuthenticationError("ghcr.io refused the credential")
PULL_DENIED = RegistryError("denied", code="pull-denied")
NOT_FOUND = RegistryError("absent", code="image-not-found")


class Api:
    """
    `api.github.com`, which knows one thing of every token.

    https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps
    """

    def __init__(self, status=200, scopes=None, location=None, wait=0.0):
        self._status, self._scopes, self._location, self._wait = status, scopes, location, wait
        self.asked = []

    def __call__(self, method, target, headers, _body):
        self.asked.append((method, target, headers.get("Authorization")))
        time.sleep(self._wait)
        more = {} if self._scopes is None else {"X-OAuth-Scopes": self._scopes}
        more |= {"Location": self._location} if self._location else {}
        return self._status, {"Content-Type": "application/json", **more}, b"{}"


def a_secret(token=CLASSIC, registry="ghcr.io"):
    return RegistrySecret(
        id="GHCR",
        registry=Registry(registry),
        source="GHCR_CONTAINER_REGISTRY_*",
        username="ann",
        secret=Secret(token),
    )


def inquired(monkeypatch, api, secret=None, error=REFUSED, timeout=3.0, **hosts):
    with Internet({"api.github.com": api, **hosts}) as internet:
        for name, value in internet.environ.items():
            monkeypatch.setenv(name, value)
        return GhcrAuthenticator().inquire(secret or a_secret(), error, timeout=timeout)


def test_a_token_is_passed_on_and_nobody_is_asked():
    credential = GhcrAuthenticator().authenticate(a_secret(), timeout=1)

    assert ("ann", CLASSIC) == (credential.username, credential.secret.reveal())


# By the kind of the token and of the refusal, where GitHub has nothing to add.
HINTS = [
    (
        "github_pat_x",
        REFUSED,
        "use a classic personal access token with read:packages; ghcr.io takes no fine-grained one",
    ),
    (
        "ghs_x",
        REFUSED,
        (
            "restart the codespace for a fresh GITHUB_TOKEN; it pulls only, pushing needs a "
            "classic token with write:packages"
        ),
    ),
    (
        "ghu_x",
        PULL_DENIED,
        "give this repository read access under the package's settings, Manage Codespaces access",
    ),
    (
        "ghp_x",
        REFUSED,
        "make a new classic personal access token with read:packages (write:packages to push)",
    ),
    (
        "ghp_x",
        PULL_DENIED,
        "give the token read:packages and single sign-on, and its user access to the package",
    ),
]


@pytest.mark.parametrize(("token", "error", "hint"), HINTS)
def test_each_kind_of_token_has_its_own_hint(token, error, hint):
    assert hint == GhcrAuthenticator().explain(a_secret(token), error)


@pytest.mark.parametrize("token", ["github_pat_x", "ghs_x", "ghp_x"])
@pytest.mark.parametrize("code", ["timeout", "not-a-registry", "not-checked"])
def test_what_is_no_refusal_gets_no_hint_and_no_request(monkeypatch, token, code):
    api, error = Api(), RegistryError("x", code=code)

    assert "" == GhcrAuthenticator().explain(a_secret(token), error)
    assert "" == inquired(monkeypatch, api, a_secret(token), error)
    assert [] == api.asked


# What the API says of a classic token, and the line that follows from it.
SAID = [
    (
        {"status": 401},
        REFUSED,
        (
            "make a new classic personal access token with read:packages; GitHub does not know "
            "this one any more"
        ),
    ),
    (
        {"scopes": "repo, gist"},
        REFUSED,
        "add the scope read:packages to the token; its scopes are: gist, repo",
    ),
    ({"scopes": ""}, PULL_DENIED, "add the scope read:packages to the token; its scopes are: none"),
    (
        {"scopes": "repo, write:packages"},
        REFUSED,
        (
            "authorize the token for single sign-on in the organisation (Configure SSO); it has "
            "read:packages already"
        ),
    ),
    (
        {"scopes": "read:packages"},
        NOT_FOUND,
        (
            "give the token's user read access in the package's settings, and authorize the token "
            "for single sign-on; it has read:packages already"
        ),
    ),
    ({"scopes": None}, REFUSED, ""),
    ({"status": 503, "scopes": "repo"}, REFUSED, ""),
]


@pytest.mark.parametrize(("api", "error", "hint"), SAID)
def test_what_the_api_says_of_a_token_becomes_the_hint(monkeypatch, api, error, hint):
    api = Api(**api)

    assert hint == inquired(monkeypatch, api, error=error)
    assert [("GET", "/", f"Bearer {CLASSIC}")] == api.asked


def test_no_two_causes_share_a_line():
    lines = [hint for *_, hint in HINTS + SAID if hint]

    assert len(lines) == len(set(lines))


def test_a_token_whose_kind_says_enough_is_not_sent_to_the_api(monkeypatch):
    api = Api()

    for token in ("github_pat_x", "ghs_x", "ghu_x"):
        assert "" == inquired(monkeypatch, api, a_secret(token))
    assert [] == api.asked


def test_a_token_of_another_registry_is_not_sent_to_the_api(monkeypatch):
    api = Api()

    assert "" == inquired(monkeypatch, api, a_secret(registry="registry.example"))
    assert [] == api.asked


def test_a_token_does_not_follow_the_api_to_another_host(monkeypatch):
    api, other = Api(302, location="https://evil.example/"), Api(scopes="repo")

    assert "" == inquired(monkeypatch, api, **{"evil.example": other})
    assert {None} == {authorization for *_, authorization in other.asked}


def test_an_api_that_hangs_ends_in_time_and_costs_the_hint_only(monkeypatch):
    began = time.monotonic()

    assert "" == inquired(monkeypatch, Api(wait=1.5), timeout=0.3)
    assert time.monotonic() - began < 2.5


@pytest.mark.parametrize("scopes", [f"{CLASSIC}, repo", "\x1b[31mrepo", "repo" * 5000])
def test_nothing_but_scopes_is_taken_from_the_api(monkeypatch, scopes):
    hint = inquired(monkeypatch, Api(scopes=scopes))

    assert CLASSIC not in hint
    assert hint.isprintable()
    assert len(hint) < 300


def _played(api):
    """
    Where both ghcr.io and GitHub's API are.
    """
    registry = PlayedInternet(GHCR)
    return Internet({**registry._hosts, "api.github.com": api})


def test_a_whole_login_that_is_refused_says_what_github_knows(tmp_path, monkeypatch):
    api = Api(scopes="repo")
    environ = {
        "GHCR_CONTAINER_REGISTRY_SERVER": "ghcr.io",
        "GHCR_CONTAINER_REGISTRY_USER": "ann",
        "GHCR_CONTAINER_REGISTRY_PASSWORD": CLASSIC,
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
    }

    with _played(api) as internet:
        for name, value in internet.environ.items():
            monkeypatch.setenv(name, value)
        report = login(environ={**environ, **internet.environ})

    (outcome,) = report.outcomes
    assert "rejected" == outcome.status
    assert "add the scope read:packages to the token; its scopes are: repo" == outcome.error.hint
    assert 1 == len(api.asked)
    shown = repr(report) + str(outcome.error)
    assert CLASSIC not in shown
    assert base64.b64encode(f"ann:{CLASSIC}".encode()).decode() not in shown
    assert not (tmp_path / "config.json").exists()


def test_a_whole_login_that_works_asks_the_api_nothing(tmp_path, monkeypatch):
    api = Api()
    environ = {
        "GHCR_CONTAINER_REGISTRY_SERVER": "ghcr.io",
        "GHCR_CONTAINER_REGISTRY_USER": GHCR.username,
        "GHCR_CONTAINER_REGISTRY_PASSWORD": GHCR.password,
        "HOME": str(tmp_path),
        "DOCKER_CONFIG": str(tmp_path),
    }

    with _played(api) as internet:
        for name, value in internet.environ.items():
            monkeypatch.setenv(name, value)
        report = login(environ={**environ, **internet.environ}, store="auths")

    assert report.ok
    assert [] == api.asked
    assert "ghcr.io" in json.loads((tmp_path / "config.json").read_text())["auths"]


# A kind that asks what a refusal means: when it may, and that it costs nobody anything.

INQUIRE_REFUSED = AuthenticationError("registry.example refused", hint="its own hint")


class Inquiring(Scripted):
    """
    Answers an inquiry with *found*, which may be an exception, or an event to wait for.
    """

    def __init__(self, *script, found="what was found out"):
        super().__init__(*script)
        self._found = found
        self.inquiries = []

    def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
        return "explained"

    def inquire(self, secret, error, *, timeout):
        self.inquiries.append((secret.id, error.code, timeout))
        if isinstance(self._found, threading.Event):
            self._found.wait(10)
            return "too late"
        if isinstance(self._found, BaseException):
            raise self._found
        return self._found


def outcome_of(plugin, tmp_path, **more):
    report = Home(tmp_path).login(
        [inquire_a_secret()], authenticators={"generic": plugin}, verify="never", **more
    )
    return report.outcomes[0]


def test_a_refusal_is_inquired_and_the_answer_is_the_hint(tmp_path):
    plugin = Inquiring(INQUIRE_REFUSED)

    outcome = outcome_of(plugin, tmp_path)

    assert ("rejected", "what was found out") == (outcome.status, outcome.error.hint)
    ((set_id, code, timeout),) = plugin.inquiries
    assert ("ACR", "rejected") == (set_id, code)
    assert 0 < timeout <= 3


@pytest.mark.parametrize(
    "word", [GOOD, RegistryError("strange", code="not-a-registry"), TransientError("busy")]
)
def test_what_is_no_refusal_is_not_inquired(tmp_path, word):
    plugin = Inquiring(word)

    outcome_of(plugin, tmp_path, retry=RetryPolicy(attempts=1))

    assert [] == plugin.inquiries


@pytest.mark.parametrize("found", ["", RuntimeError("s3cret-s3cret"), SystemExit(3)])
def test_an_inquiry_that_finds_nothing_leaves_what_was_explained(tmp_path, found):
    outcome = outcome_of(Inquiring(INQUIRE_REFUSED, found=found), tmp_path)

    assert ("rejected", "explained") == (outcome.status, outcome.error.hint)


def test_what_an_inquiry_says_is_masked(tmp_path):
    outcome = outcome_of(Inquiring(INQUIRE_REFUSED, found="try s3cret-s3cret"), tmp_path)

    assert "try ****" == outcome.error.hint


def test_an_inquiry_that_hangs_costs_the_hint_and_not_the_outcome(tmp_path):
    over = threading.Event()
    began = time.monotonic()

    outcome = outcome_of(Inquiring(INQUIRE_REFUSED, found=over), tmp_path, timeout=0.5)
    took = time.monotonic() - began
    over.set()

    assert ("rejected", "explained") == (outcome.status, outcome.error.hint)
    assert took < 3


def test_a_call_that_hangs_is_left_in_time():
    over = threading.Event()

    with pytest.raises(TransientError) as caught:
        within(0.05, lambda: over.wait(10), who="the cloud")
    over.set()

    assert "timeout" == caught.value.code


def test_what_a_call_returns_or_raises_comes_through():
    assert "it" == within(5, lambda: "it", who="the cloud")
    with pytest.raises(ZeroDivisionError):
        within(5, lambda: 1 / 0, who="the cloud")
