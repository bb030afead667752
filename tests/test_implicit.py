# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from variables import (
    CANARY,
    CODESPACE,
    GITLAB,
    WHOLE,
    a_set,
    basic,
    broken,
    codes,
    docker,
    found,
    only,
)

from devcontainer_registry.credentials import Secret
from devcontainer_registry.discovery import Found


@pytest.mark.parametrize("url", [None, "", "https://github.com", "https://github.com/"])
def test_a_codespace_is_logged_in_to_ghcr(url):
    secret = only(found(CODESPACE, {} if url is None else {"GITHUB_SERVER_URL": url}))

    assert ("ghcr.io", "octocat", Secret("t0ken")) == (
        secret.registry,
        secret.username,
        secret.secret,
    )
    assert ("GITHUB_TOKEN", "GITHUB_TOKEN", True) == (secret.id, secret.source, secret.implicit)


@pytest.mark.parametrize(
    "other",
    [
        {"CODESPACES": ""},
        {"CODESPACES": "false"},
        {"GITHUB_SERVER_URL": "https://ghe.example"},
        {"GITHUB_SERVER_URL": "https://github.com.evil.example"},
        {"GITHUB_TOKEN": ""},
        {"GITHUB_TOKEN": "''"},
    ],
)
def test_a_github_token_elsewhere_is_not_for_ghcr(other):
    assert () == found(CODESPACE, other).secrets


def test_a_server_alone_asks_for_the_github_token():
    asked = found(a_set("G", SERVER="ghcr.io"), {"GITHUB_TOKEN": "t0ken"})

    secret = only(asked)
    assert ("G", "GITHUB_TOKEN", False) == (secret.id, secret.source, secret.implicit)
    assert Secret("t0ken") == secret.secret
    assert secret.username


def test_a_server_alone_keeps_the_optional_members_beside_the_github_token():
    optional = {"IMAGE": "ghcr.io/a/b:1", "CA_FILE": "/ca.pem", "KIND": "ghcr"}

    secret = only(found(a_set("G", SERVER="ghcr.io", **optional), CODESPACE))

    assert ("ghcr.io/a/b:1", "/ca.pem", "ghcr") == (secret.image, secret.ca_file, secret.kind)


def test_another_kinds_exchange_does_not_get_the_github_token():
    secret = only(found(a_set("G", SERVER="ghcr.io", KIND="ecr"), {"GITHUB_TOKEN": "t0ken"}))

    assert secret.secret is None


@pytest.mark.parametrize(
    ("members", "token"),
    [({}, {}), ({}, {"GITHUB_TOKEN": " "}), ({"USER": ""}, {"GITHUB_TOKEN": "t"})],
)
def test_a_server_alone_for_ghcr_without_a_token_is_incomplete(members, token):
    incomplete = broken(found(a_set("G", SERVER="ghcr.io", **members), token))

    assert "missing-member" == incomplete.error.code
    assert members or "GITHUB_TOKEN" in incomplete.error.message


@pytest.mark.parametrize("token", ["a\nb", "a\udcff"])
def test_a_github_token_that_cannot_be_one_is_said(token):
    result = found(CODESPACE, {"GITHUB_TOKEN": token})

    assert () == result.secrets
    assert ["implicit-unusable"] == codes(result)
    assert token not in repr(result)


def test_a_gitlab_job_is_logged_in_to_its_registry():
    secret = only(found(GITLAB))

    assert ("CI_REGISTRY", "CI_REGISTRY_*", True) == (secret.id, secret.source, secret.implicit)
    assert ("registry.gitlab.com", "gitlab-ci-token") == (secret.registry, secret.username)
    assert Secret("s3cret") == secret.secret


def test_gitlabs_registry_without_a_login_is_nothing():
    assert Found(secrets=(), incomplete=(), findings=()) == found(
        {"CI_REGISTRY": "registry.gitlab.com"}
    )


@pytest.mark.parametrize(
    "other",
    [
        {"CI_REGISTRY": CANARY},
        {"CI_REGISTRY_USER": ""},
        {"CI_REGISTRY_PASSWORD": ""},
        {"CI_REGISTRY_USER": CANARY},
    ],
)
def test_half_of_gitlabs_login_is_said(other):
    result = found(GITLAB, other)

    (name,) = other
    assert () == result.secrets + result.incomplete
    assert [("implicit-unusable", name)] == [(f.code, f.variable) for f in result.findings]
    assert CANARY not in repr(result)


@pytest.mark.parametrize(
    ("entry", "username", "secret"),
    [
        ({"auth": basic("bob:s3:cret")}, "bob", "s3:cret"),
        ({"auth": basic("bob:s3cret\0")}, "bob", "s3cret"),
        ({"username": "bob", "password": "s3cret"}, "bob", "s3cret"),
        ({"username": "x", "password": "y", "auth": basic("bob:s3cret")}, "bob", "s3cret"),
        ({"identitytoken": "t0ken"}, "<token>", "t0ken"),
        ({"auth": basic("bob:"), "identitytoken": "t0ken"}, "<token>", "t0ken"),
    ],
)
def test_dockers_own_variable_is_read(entry, username, secret):
    result = only(found(docker(**{"https://index.docker.io/v1/": entry})))

    assert ("docker.io", username, Secret(secret)) == (
        result.registry,
        result.username,
        result.secret,
    )
    assert ("DOCKER_AUTH_CONFIG", "DOCKER_AUTH_CONFIG", True) == (
        result.id,
        result.source,
        result.implicit,
    )


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": CANARY},
        {"auth": basic("bob:s3cret").rstrip("=")},
        {"auth": basic("bob:s3") + "="},
        {"auth": "%%%%"},
        {"auth": "/w=="},
        {"auth": basic("bob")},
        {"auth": basic(":s3cret")},
        {"auth": basic("bo\nb:s3cret")},
        {"username": "bob"},
        {"auth": 4},
        [],
        None,
        CANARY,
    ],
)
def test_an_entry_of_dockers_variable_that_cannot_be_used_is_said_and_hurts_no_other(entry):
    result = found(docker(**{"a.example": entry, "b.example": {"auth": basic("bob:s3cret")}}))

    assert "b.example" == only(result).registry
    assert ["docker-auth-config"] == codes(result)
    assert CANARY not in repr(result)


def test_an_entry_of_dockers_variable_for_no_host_is_said():
    assert ["docker-auth-config"] == codes(found(docker(**{"a@b": {"auth": basic("bob:s")}})))


def test_dockers_mark_of_a_login_elsewhere_is_no_trouble():
    assert [] == codes(found(docker(**{"a.example": {}})))


def test_dockers_key_that_is_the_host_alone_comes_first():
    result = only(
        found(
            docker(
                **{
                    "https://a.example/v1/": {"auth": basic("old:1")},
                    "a.example": {"auth": basic("new:2")},
                }
            )
        )
    )

    assert "new" == result.username


@pytest.mark.parametrize(
    "text", [f"{{{CANARY}", "[]", "{}", "null", "4", '{"auths": []}', "[" * 100_000, '"auths"']
)
def test_dockers_variable_that_is_damaged_is_said_and_not_quoted(text):
    result = found({"DOCKER_AUTH_CONFIG": text})

    assert ["docker-auth-config"] == codes(result)
    assert () == result.secrets
    assert CANARY not in repr(result)


def test_a_set_beats_what_the_platform_offers_in_silence():
    sets = {**a_set("G", **{**WHOLE, "SERVER": "ghcr.io"}), **a_set("L", **WHOLE)}

    result = found(sets, CODESPACE, GITLAB, {"CI_REGISTRY": "mycompany.azurecr.io"})

    assert ["G", "L"] == [secret.id for secret in result.secrets]
    assert [] == codes(result)


def test_even_an_incomplete_set_beats_what_the_platform_offers():
    """
    It may have been whole the last time, and kept a login that is worth more than the platform's.
    """
    result = found(a_set("G", SERVER="ghcr.io", USER="bob"), CODESPACE)

    assert ["G"] == [incomplete.id for incomplete in result.incomplete]
    assert () == result.secrets


def test_a_set_that_is_empty_all_over_does_not():
    result = found(a_set("G", SERVER="", USER="", PASSWORD=""), CODESPACE)

    assert ["GITHUB_TOKEN"] == [secret.id for secret in result.secrets]


def test_a_set_for_a_host_in_dockers_variable_is_said_to_be_shadowed():
    result = found(a_set(**WHOLE), docker(**{WHOLE["SERVER"]: {"auth": basic("eve:1")}}))

    assert "bob" == only(result).username
    assert ["shadowed-in-docker"] == codes(result)


def test_dockers_variable_comes_before_the_rest_of_what_the_platform_offers():
    result = found(CODESPACE, docker(**{"ghcr.io": {"auth": basic("eve:1")}}))

    assert "DOCKER_AUTH_CONFIG" == only(result).id
    assert [] == codes(result)
