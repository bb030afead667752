# SPDX-License-Identifier: MIT
from __future__ import annotations

import json

import pytest
from variables import CANARY, ECR, WHOLE, a_set, broken, codes, env_secrets, found, only

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
    assert f"{ECR}/app:1" == secret.image
    assert not secret.implicit


def test_nothing_in_the_environment_is_nothing_found():
    assert Found(secrets=(), incomplete=(), findings=()) == found({"PATH": "/bin"})


@pytest.mark.parametrize("set_id", ["ACR", "MY_ECR_2", "_", "acr", "A_CONTAINER_REGISTRY_B", "_2"])
def test_any_identifier_names_a_set(set_id):
    assert set_id == only(found(a_set(set_id, **WHOLE))).id


def test_optional_members_that_are_empty_are_not_there():
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


def test_a_set_that_is_empty_all_over_is_not_configured():
    incomplete = broken(found(a_set(SERVER="", USER="", PASSWORD="", IMAGE=" ")))

    assert incomplete.empty


def test_the_hint_says_where_to_set_a_member_inside_and_outside_of_codespaces(write):
    lacking = a_set(SERVER=ECR, USER="bob")

    outside = broken(found(lacking)).error.hint
    inside = broken(found(lacking, {"CODESPACES": "true"})).error.hint
    in_file = broken(found(secrets_file=write(lacking))).error.hint

    assert outside.startswith("set ACR_CONTAINER_REGISTRY_PASSWORD in the secrets or environment")
    for word in ("user", "repository", "organisation"):
        assert word in inside
        assert word in outside
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


def test_a_password_from_a_file_loses_no_second_line_ending(write):
    result = found(a_set(SERVER=ECR, USER="bob", PASSWORD_FILE=write("s\n\n")))

    assert Secret("s\n") == only(result).secret
    assert ["edge-space"] == codes(result)


def test_a_ca_file_is_a_path_and_its_file_form_is_a_file_with_a_path(write):
    direct = only(found(a_set(**WHOLE, CA_FILE="/etc/ssl/corp.pem")))
    through_file = only(found(a_set(**WHOLE, CA_FILE_FILE=write("/etc/ssl/corp.pem\n"))))

    assert "/etc/ssl/corp.pem" == direct.ca_file
    assert direct == through_file


@pytest.mark.parametrize("member", MEMBERS)
def test_a_file_that_is_not_there_breaks_its_member_and_is_not_quoted(member):
    members = {k: v for k, v in WHOLE.items() if k != member}

    incomplete = broken(found(a_set(**members, **{f"{member}_FILE": f"/nowhere/{CANARY}"})))

    assert "unreadable-file" == incomplete.error.code
    assert f"ACR_CONTAINER_REGISTRY_{member}_FILE" in incomplete.error.message
    assert CANARY not in repr(incomplete) + incomplete.error.hint


def test_a_file_beside_the_variable_itself_is_not_read_and_said():
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


def test_a_set_without_server_is_told_from_where_it_says_anything(write):
    file = write(a_set(USER="bob", PASSWORD="s3cret"))

    incomplete = broken(found(a_set(USER="", PASSWORD=""), secrets_file=file))

    assert "ACR_CONTAINER_REGISTRY_* (secrets file)" == incomplete.source
    assert not incomplete.empty


def test_a_set_that_only_codespaces_file_has_is_used_and_said(write):
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


def test_codespaces_file_that_cannot_be_used_is_only_said(tmp_path):
    result = found(a_set(**WHOLE), codespaces_file=str(tmp_path))

    assert "ACR" == only(result).id
    assert ["secrets-file"] == codes(result)


def test_a_member_that_is_no_text_breaks_its_set_alone(write):
    file = write({**a_set("A", **{**WHOLE, "PASSWORD": 12345}), **a_set("B", **WHOLE)})

    result = found(secrets_file=file)

    assert ["B"] == [secret.id for secret in result.secrets]
    assert ["A"] == [incomplete.id for incomplete in result.incomplete]
    assert "12345" not in repr(result)


def test_two_sets_for_one_registry_are_one_and_the_other_is_said():
    one, two = a_set("A", **WHOLE), a_set("B", **{**WHOLE, "SERVER": "MYCOMPANY.azurecr.io"})

    result = found(two, one)

    assert "A" == only(result).id
    (finding,) = result.findings
    assert ("shadowed", "B_CONTAINER_REGISTRY_SERVER") == (finding.code, finding.variable)
    assert "A_CONTAINER_REGISTRY_*" in finding.message


def test_a_broken_set_does_not_shadow_a_whole_one():
    result = found(a_set("A", **{**WHOLE, "PASSWORD": ""}), a_set("B", **WHOLE))

    assert ["B"] == [secret.id for secret in result.secrets]
    assert ["A"] == [incomplete.id for incomplete in result.incomplete]
    assert [] == codes(result)
