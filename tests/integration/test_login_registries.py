# SPDX-License-Identifier: MIT
"""
A login at each registry that users name, played as it is documented to answer.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import replace
from urllib.parse import urlsplit

import documented
import pytest
from played import ALLOWED, DENIED, MISSING, PlayedInternet
from runs import set_for

import devcontainer_registry

EACH = pytest.mark.parametrize("registry", documented.ALL, ids=lambda registry: registry.name)

# Where docker looks the login up: https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
KEYS = {"Docker Hub": "https://index.docker.io/v1/"}

# What only this registry's hint says.
KNOWN_BY = {
    "Docker Hub": "access token of Docker Hub",
    "ghcr.io": "read:packages",
    "ACR": "service principal",
    "Container Registry": "JSON key",
    "Artifact Registry": "access token",
    "GitLab": "read_registry",
    "Quay": "robot account",
    "Harbor": "robot account is enabled",
    "DigitalOcean": "API token",
    "ECR": "aws ecr get-login-password",
    "ECR Public": "aws ecr-public get-login-password",
    "Artifactory": "check *_USER and *_PASSWORD",
}


@EACH
def test_what_is_right_is_kept_and_verified_and_a_foreign_realm_is_named(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry)

    (outcome,) = report.outcomes
    realm = urlsplit(registry.realm).netloc
    assert ("ok", True, None, 1) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        outcome.attempts,
    )
    assert (realm if realm not in ("", registry.host) else None) == outcome.realm
    assert 0 == report.exit_status
    assert {_key(registry): {"auth": _basic(registry)}} == _config()["auths"]
    assert [] == internet.unknown_hosts


@EACH
def test_what_is_wrong_is_sent_once_kept_nowhere_and_explained_in_the_registrys_own_terms(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, password="wrong")

    (outcome,) = report.outcomes
    assert ("rejected", 1, 4) == (outcome.status, outcome.attempts, report.exit_status)
    assert KNOWN_BY[registry.name] in outcome.error.hint
    assert 1 == len([seen for seen in internet.requests if seen.username is not None])
    assert not os.path.exists(report.config)


@EACH
def test_an_image_that_may_be_pulled_is_nothing_to_speak_of(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, ALLOWED))

    (outcome,) = report.outcomes
    assert ("ok", True, None) == (outcome.status, outcome.verified, outcome.code)
    assert 0 == report.exit_status


@EACH
def test_a_denied_pull_keeps_the_login_and_says_so(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, DENIED))

    (outcome,) = report.outcomes
    # Where a registry hides what one may not see, it says that it is not there.
    hidden = registry.denied[0] == 404
    expected = "image-not-found" if hidden else "pull-denied"
    assert ("ok", True, expected, 4) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        report.exit_status,
    )
    assert outcome.error.hint
    assert [_key(registry)] == list(_config()["auths"])


@EACH
def test_an_image_that_is_not_there_keeps_the_login_and_says_so(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, MISSING))

    (outcome,) = report.outcomes
    assert ("ok", True, "image-not-found", 4) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        report.exit_status,
    )
    assert [_key(registry)] == list(_config()["auths"])


def test_all_of_them_at_once_are_as_good_as_one():
    registries = documented.ALL

    with PlayedInternet(*registries) as internet:
        environ = {
            name: text
            for number, registry in enumerate(registries)
            for name, text in _set(registry, set_id=f"R{number}").items()
        }
        report = devcontainer_registry.login(environ=_environ(internet, environ), store="auths")

    assert {"ok"} == {outcome.status for outcome in report.outcomes}
    assert {_key(registry) for registry in registries} == set(_config()["auths"])


def test_a_token_that_ecr_calls_expired_is_explained():
    registry = replace(documented.ECR, wrong=documented.ECR_EXPIRED)

    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, password="c29tZXRoaW5nIG9sZA==")

    (outcome,) = report.outcomes
    assert ("rejected", "token-expired") == (outcome.status, outcome.code)
    assert "12 hours" in outcome.error.hint


def _login(internet, registry, *, password=None, **members):
    variables = _set(registry, password=password, **members)
    # Not `auto`: whether our helper is installed on this machine is none of these tests'.
    return devcontainer_registry.login(environ=_environ(internet, variables), store="auths")


def _set(registry, *, password=None, set_id="MY", **members):
    return set_for(
        registry.server, registry.username, password or registry.password, set_id=set_id, **members
    )


def _environ(internet, variables):
    ours = {name: os.environ[name] for name in ("HOME", "DOCKER_CONFIG")}
    return {**ours, **internet.environ, **variables}


def _config():
    with open(os.path.join(os.environ["DOCKER_CONFIG"], "config.json"), encoding="utf-8") as file:
        return json.load(file)


def _key(registry):
    return KEYS.get(registry.name, registry.host)


def _image(registry, repository):
    host = "docker.io" if registry.name == "Docker Hub" else registry.host
    return f"{host}/{repository}:1"


def _basic(registry):
    return base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()
