# SPDX-License-Identifier: MIT
"""
Sets and implicit logins are found in the environment, and their faults are named.
"""

from __future__ import annotations

import json

import pytest
from doubles.variables import (
    CANARY,
    CODESPACE,
    ECR,
    GITLAB,
    WHOLE,
    a_set,
    basic,
    broken,
    codes,
    docker,
    env_secrets,
    found,
    only,
)

from devcontainer_registry.credentials import Secret
from devcontainer_registry.discovery import Found
from devcontainer_registry.discovery.members import MEMBERS


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(content, name="file"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def test_a_set_is_found_with_all_its_members():
    secret = only(
        found(
            a_set(
                SERVER=ECR,
                USER="AKIAIOSFODNN7EXAMPLE",
                PASSWORD="s3cret",
                KIND="ecr",
                REGION="eu-west-1",
                SESSION_TOKEN="s3ssion",
                ROLE_ARN="arn:aws:iam::123456789012:role/pull",
                PROFILE="work",
                TENANT="tenant",
                CLIENT_ID="app",
                AUDIENCE="api://corp",
                ID_TOKEN="t0ken",
                CA_FILE="/etc/ssl/corp.pem",
                IMAGE=f"{ECR}/app:1",
            )
        )
    )

    assert ("ACR", ECR, "ACR_CONTAINER_REGISTRY_*") == (secret.id, secret.registry, secret.source)
    assert ("AKIAIOSFODNN7EXAMPLE", Secret("s3cret")) == (secret.username, secret.secret)
    assert ("ecr", "eu-west-1") == (secret.kind, secret.region)
    assert Secret("s3ssion") == secret.session_token
    assert "arn:aws:iam::123456789012:role/pull" == secret.role_arn
    assert ("work", "tenant", "/etc/ssl/corp.pem") == (
        secret.profile,
        secret.tenant,
        secret.ca_file,
    )
    assert ("app", "api://corp") == (secret.client_id, secret.audience)
    assert Secret("t0ken") == secret.id_token
    assert f"{ECR}/app:1" == secret.image
    assert not secret.implicit


def test_an_environment_without_sets_finds_nothing():
    assert Found(secrets=(), incomplete=(), findings=()) == found({"PATH": "/bin"})


@pytest.mark.parametrize("set_id", ["ACR", "MY_ECR_2", "_", "acr", "A_CONTAINER_REGISTRY_B", "_2"])
def test_any_identifier_names_a_set(set_id):
    assert set_id == only(found(a_set(set_id, **WHOLE))).id


def test_empty_optional_members_count_as_missing():
    optional = dict.fromkeys(set(MEMBERS) - {"SERVER", "USER", "PASSWORD"}, "")

    assert only(found(a_set(**WHOLE))) == only(found(a_set(**WHOLE, **optional)))


@pytest.mark.parametrize("server", [ECR, "mycompany.azurecr.io", "gcr.io", "registry.example"])
def test_a_server_alone_leaves_the_rest_to_the_platform(server):
    secret = only(found(a_set(SERVER=server)))

    assert (None, None) == (secret.username, secret.secret)


def test_a_profile_needs_no_user_and_password():
    assert "work" == only(found(a_set(SERVER=ECR, PROFILE="work"))).profile


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"USER": "bob"}, "PASSWORD is missing"),
        ({"PASSWORD": "s"}, "USER is missing"),
        ({"USER": "bob", "PASSWORD": ""}, "PASSWORD is empty"),
        ({"USER": "", "PASSWORD": "s"}, "USER is empty"),
        ({"USER": "", "PASSWORD": ""}, "USER and ACR_CONTAINER_REGISTRY_PASSWORD are empty"),
        ({"USER": ""}, "USER and ACR_CONTAINER_REGISTRY_PASSWORD are empty or missing"),
        ({"USER": " ", "PASSWORD": "\n"}, "USER and ACR_CONTAINER_REGISTRY_PASSWORD are empty"),
        ({"USER": "", "PASSWORD": "", "PROFILE": "p"}, "PASSWORD are empty"),
    ],
)
def test_a_member_that_is_missing_or_empty_is_named(members, named):
    incomplete = broken(found(a_set(SERVER=ECR, **members)))

    assert incomplete.error.code == "missing-member"
    assert incomplete.error.message.startswith("ACR_CONTAINER_REGISTRY_")
    assert incomplete.error.message.endswith(named)
    assert ("ACR", ECR, False) == (incomplete.id, incomplete.registry, incomplete.empty)


@pytest.mark.parametrize("server", [{}, {"SERVER": ""}, {"SERVER": '" "'}])
def test_a_set_without_server_is_incomplete_and_of_no_registry(server):
    incomplete = broken(found(a_set(USER="bob", PASSWORD="s", KIND="acr", **server)))

    assert incomplete.registry is None
    assert incomplete.error.message.startswith("ACR_CONTAINER_REGISTRY_SERVER is ")
    assert "acr" == incomplete.kind


def test_a_set_with_only_empty_members_is_not_configured():
    incomplete = broken(found(a_set(SERVER="", USER="", PASSWORD="", IMAGE=" ")))

    assert incomplete.empty


def test_the_hint_says_where_to_set_a_member_inside_and_outside_of_codespaces(write):
    lacking = a_set(SERVER=ECR, USER="bob")

    outside = broken(found(lacking)).error.hint
    inside = broken(found(lacking, {"CODESPACES": "true"})).error.hint
    in_file = broken(found(secrets_file=write(lacking))).error.hint

    assert outside.startswith("set ACR_CONTAINER_REGISTRY_PASSWORD in this container's secrets or")
    for word in ("user", "repository", "organisation"):
        assert word in inside
    assert "Codespaces" in inside
    assert in_file == "set ACR_CONTAINER_REGISTRY_PASSWORD in the secrets file"


def test_any_member_may_come_from_a_file(write):
    result = found(
        a_set(
            SERVER_FILE=write("mycompany.azurecr.io\n", "server"),
            USER_FILE=write("bob\n", "user"),
            PASSWORD_FILE=write("s3cret\n", "password"),
        )
    )

    assert only(found(a_set(**WHOLE))) == only(result)
    assert [] == codes(result)


def test_a_password_from_a_file_loses_only_one_line_ending(write):
    result = found(a_set(SERVER=ECR, USER="bob", PASSWORD_FILE=write("s\n\n")))

    assert Secret("s\n") == only(result).secret
    assert ["edge-space"] == codes(result)


def test_a_ca_file_is_a_path_and_its_file_form_is_a_file_with_a_path(write):
    direct = only(found(a_set(**WHOLE, CA_FILE="/etc/ssl/corp.pem")))
    through_file = only(found(a_set(**WHOLE, CA_FILE_FILE=write("/etc/ssl/corp.pem\n"))))

    assert "/etc/ssl/corp.pem" == direct.ca_file
    assert direct == through_file


@pytest.mark.parametrize("member", MEMBERS)
def test_a_missing_file_breaks_its_member_and_is_not_quoted(member):
    members = {k: v for k, v in WHOLE.items() if k != member}

    incomplete = broken(found(a_set(**members, **{f"{member}_FILE": f"/nowhere/{CANARY}"})))

    assert "unreadable-file" == incomplete.error.code
    assert f"ACR_CONTAINER_REGISTRY_{member}_FILE" in incomplete.error.message
    assert CANARY not in repr(incomplete) + incomplete.error.hint


def test_a_file_beside_the_variable_itself_is_not_read_and_is_a_finding():
    result = found(a_set(**WHOLE, PASSWORD_FILE="/nowhere"))

    assert Secret("s3cret") == only(result).secret
    assert ["shadowed"] == codes(result)


def test_the_first_source_with_a_server_wins_for_the_whole_set(write):
    process = a_set(SERVER="first.example", USER="one", PASSWORD="1")
    file = write(a_set(SERVER="second.example", USER="two", PASSWORD="2", KIND="acr"))
    codespaces = write(env_secrets(a_set(SERVER="third.example")), "lines")

    all_three = only(found(process, secrets_file=file, codespaces_file=codespaces))
    two = only(found(secrets_file=file, codespaces_file=codespaces))

    assert ("first.example", None) == (all_three.registry, all_three.kind)
    assert ("second.example", "two") == (two.registry, two.username)
    assert "ACR_CONTAINER_REGISTRY_* (secrets file)" == two.source


def test_members_are_never_mixed_across_sources(write):
    file = write(a_set(SERVER="second.example", PASSWORD="s3cret"))

    incomplete = broken(found(a_set(SERVER=ECR, USER="bob"), secrets_file=file))

    assert ECR == incomplete.registry
    assert "missing-member" == incomplete.error.code
    assert "not in the secrets file" in incomplete.error.hint


def test_an_empty_server_leaves_the_set_to_the_next_source(write):
    file = write(a_set(**WHOLE))

    secret = only(found(a_set(SERVER="", USER="x", PASSWORD="y"), secrets_file=file))

    assert "mycompany.azurecr.io" == secret.registry


def test_a_set_without_server_names_the_source_that_has_values(write):
    file = write(a_set(USER="bob", PASSWORD="s3cret"))

    incomplete = broken(found(a_set(USER="", PASSWORD=""), secrets_file=file))

    assert "ACR_CONTAINER_REGISTRY_* (secrets file)" == incomplete.source
    assert not incomplete.empty


def test_a_set_only_in_codespaces_file_is_used_with_a_finding(write):
    result = found(codespaces_file=write(env_secrets(a_set(**WHOLE))))

    assert "ACR_CONTAINER_REGISTRY_* (.env-secrets)" == only(result).source
    assert ["not-in-environment"] == codes(result)


def test_a_secrets_file_that_cannot_be_used_does_not_stop_the_rest(write):
    named = found(a_set(**WHOLE), secrets_file="/nowhere")
    by_variable = found(
        a_set(**WHOLE), {"DEVCONTAINER_REGISTRY_SECRETS_FILE": write(f'{{"{CANARY}')}
    )

    for result in (named, by_variable):
        (incomplete,) = result.incomplete
        assert ("SECRETS_FILE", None) == (incomplete.id, incomplete.registry)
        assert "secrets-file" == incomplete.error.code
        assert CANARY not in repr(incomplete) + incomplete.error.hint
        assert "ACR" == result.secrets[0].id
    assert "DEVCONTAINER_REGISTRY_SECRETS_FILE" == by_variable.incomplete[0].source


def test_an_unusable_codespaces_file_is_only_a_finding(tmp_path):
    result = found(a_set(**WHOLE), codespaces_file=str(tmp_path))

    assert "ACR" == only(result).id
    assert ["secrets-file"] == codes(result)


def test_a_member_that_is_not_text_breaks_only_its_set(write):
    file = write({**a_set("A", **{**WHOLE, "PASSWORD": 12345}), **a_set("B", **WHOLE)})

    result = found(secrets_file=file)

    assert ["B"] == [secret.id for secret in result.secrets]
    assert ["A"] == [incomplete.id for incomplete in result.incomplete]
    assert "12345" not in repr(result)


def test_the_second_set_for_a_registry_is_shadowed_with_a_finding():
    one, two = a_set("A", **WHOLE), a_set("B", **{**WHOLE, "SERVER": "MYCOMPANY.azurecr.io"})

    result = found(two, one)

    assert "A" == only(result).id
    (finding,) = [each for each in result.findings if each.code != "upper-case"]
    assert ("shadowed", "B_CONTAINER_REGISTRY_SERVER") == (finding.code, finding.variable)
    assert "A_CONTAINER_REGISTRY_*" in finding.message


def test_an_incomplete_set_does_not_shadow_a_complete_one():
    result = found(a_set("A", **{**WHOLE, "PASSWORD": ""}), a_set("B", **WHOLE))

    assert ["B"] == [secret.id for secret in result.secrets]
    assert ["A"] == [incomplete.id for incomplete in result.incomplete]
    assert [] == codes(result)


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


def test_another_kind_does_not_get_the_github_token():
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
def test_an_invalid_github_token_is_a_finding(token):
    result = found(CODESPACE, {"GITHUB_TOKEN": token})

    assert () == result.secrets
    assert ["implicit-unusable"] == codes(result)
    assert token not in repr(result)


def test_a_gitlab_job_is_logged_in_to_its_registry():
    secret = only(found(GITLAB))

    assert ("CI_REGISTRY", "CI_REGISTRY_*", True) == (secret.id, secret.source, secret.implicit)
    assert ("registry.gitlab.com", "gitlab-ci-token") == (secret.registry, secret.username)
    assert Secret("s3cret") == secret.secret


def test_gitlabs_registry_without_a_login_is_ignored():
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
def test_an_incomplete_gitlab_login_is_a_finding(other):
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
def test_docker_auth_config_is_read(entry, username, secret):
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
def test_an_unusable_entry_of_docker_auth_config_is_a_finding_and_affects_no_other(entry):
    result = found(docker(**{"a.example": entry, "b.example": {"auth": basic("bob:s3cret")}}))

    assert "b.example" == only(result).registry
    assert ["docker-auth-config"] == codes(result)
    assert CANARY not in repr(result)


def test_an_entry_of_docker_auth_config_without_a_host_is_a_finding():
    assert ["docker-auth-config"] == codes(found(docker(**{"a@b": {"auth": basic("bob:s")}})))


def test_an_empty_entry_of_docker_auth_config_is_a_finding():
    assert ["docker-auth-config"] == codes(found(docker(**{"a.example": {}})))


def test_a_key_of_docker_auth_config_that_is_a_plain_host_wins():
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
def test_a_damaged_docker_auth_config_is_a_finding_and_not_quoted(text):
    result = found({"DOCKER_AUTH_CONFIG": text})

    assert ["docker-auth-config"] == codes(result)
    assert () == result.secrets
    assert CANARY not in repr(result)


def test_a_set_wins_over_implicit_logins_without_a_finding():
    sets = {**a_set("G", **{**WHOLE, "SERVER": "ghcr.io"}), **a_set("L", **WHOLE)}

    result = found(sets, CODESPACE, GITLAB, {"CI_REGISTRY": "mycompany.azurecr.io"})

    assert ["G", "L"] == [secret.id for secret in result.secrets]
    assert [] == codes(result)


def test_an_incomplete_set_wins_over_implicit_logins():
    """
    It may have been whole the last time, and kept a login that is worth more than the platform's.
    """
    result = found(a_set("G", SERVER="ghcr.io", USER="bob"), CODESPACE)

    assert ["G"] == [incomplete.id for incomplete in result.incomplete]
    assert () == result.secrets


def test_a_set_with_only_empty_members_does_not_win_over_implicit_logins():
    result = found(a_set("G", SERVER="", USER="", PASSWORD=""), CODESPACE)

    assert ["GITHUB_TOKEN"] == [secret.id for secret in result.secrets]


def test_a_set_for_a_host_in_docker_auth_config_is_a_finding():
    result = found(a_set(**WHOLE), docker(**{WHOLE["SERVER"]: {"auth": basic("eve:1")}}))

    assert "bob" == only(result).username
    assert ["shadowed-in-docker"] == codes(result)


def test_docker_auth_config_wins_over_other_implicit_logins():
    result = found(CODESPACE, docker(**{"ghcr.io": {"auth": basic("eve:1")}}))

    assert "DOCKER_AUTH_CONFIG" == only(result).id
    assert [] == codes(result)
