# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from variables import CANARY, ECR, WHOLE, a_set, broken, codes, found, only

from devcontainer_registry.credentials import Secret


@pytest.mark.parametrize(
    "server",
    [
        "bob@ghcr.io",
        "ghcr.io?x=1",
        "gh\x07cr.io",
        "b\u00fccher.example",
        "ghcr.io:99999",
        CANARY,
        "\ud800",
    ],
)
def test_a_server_that_is_no_host_is_refused_and_not_quoted(server):
    incomplete = broken(found(a_set(**{**WHOLE, "SERVER": server})))

    assert "invalid-server" == incomplete.error.code
    assert incomplete.error.message.startswith("ACR_CONTAINER_REGISTRY_SERVER is not")
    assert server not in incomplete.error.message + incomplete.error.hint
    assert incomplete.registry is None


@pytest.mark.parametrize(
    ("member", "text", "code"),
    [
        ("USER", "bo\0b", "invalid-user"),
        ("USER", "bo\nb", "invalid-user"),
        ("USER", "bo\x9bb", "invalid-user"),
        ("USER", "bob:by", "invalid-user"),
        ("USER", "bob\udcff", "invalid-user"),
        ("PASSWORD", "a\0b", "invalid-password"),
        ("PASSWORD", "a\udcff", "invalid-password"),
        ("SESSION_TOKEN", "a\r\nb", "invalid-member"),
        ("KIND", "ghp_" + "a" * 36, "invalid-member"),
        ("KIND", "no kind", "invalid-member"),
        ("REGION", "evil.example/#", "invalid-member"),
        ("CA_FILE", "/a\0b", "invalid-member"),
        ("IMAGE", "no:image:this", "invalid-image"),
        ("IMAGE", "ghcr.io/team/app:1", "invalid-image"),
        ("IMAGE", "team/app:1", "invalid-image"),
    ],
)
def test_a_value_that_no_member_can_have_is_refused_and_not_quoted(member, text, code):
    incomplete = broken(found(a_set(**{**WHOLE, member: text})))

    assert code == incomplete.error.code
    assert f"ACR_CONTAINER_REGISTRY_{member}" in incomplete.error.message
    assert text not in incomplete.error.message + incomplete.error.hint
    assert text != incomplete.kind


def test_a_user_may_be_dockers_word_for_an_identity_token():
    assert "<token>" == only(found(a_set(**{**WHOLE, "USER": "<token>"}))).username


def test_a_user_may_be_a_harbor_robot():
    assert "robot$ci" == only(found(a_set(**{**WHOLE, "USER": "robot$ci"}))).username


def test_a_json_key_keeps_its_inner_newlines():
    key = '{\n  "type": "service_account"\n}'

    secret = only(found(a_set(SERVER="gcr.io", USER="_json_key", PASSWORD=f"{key}\n")))

    assert Secret(key) == secret.secret


@pytest.mark.parametrize("member", ["SERVER", "USER", "KIND", "SESSION_TOKEN"])
@pytest.mark.parametrize("around", [" {} ", "'{}'", '"{}"', "{}\n", " \"'{}' \"", "\u00a0{}"])
def test_white_space_and_quotes_around_a_value_are_stripped_and_said(member, around):
    plain = {**WHOLE, "KIND": "acr", "SESSION_TOKEN": "t"}
    result = found(a_set(**{**plain, member: around.format(plain[member])}))

    assert only(found(a_set(**plain))) == only(result)
    assert ["stripped"] == codes(result)
    assert f"ACR_CONTAINER_REGISTRY_{member}" == result.findings[0].variable


@pytest.mark.parametrize(
    ("text", "password"),
    [("s\n", "s"), ("s\r\n", "s"), ("s\r", "s"), ("s", "s"), ("a b'c", "a b'c")],
)
def test_a_password_loses_one_line_ending_in_silence(text, password):
    result = found(a_set(**{**WHOLE, "PASSWORD": text}))

    assert Secret(password) == only(result).secret
    assert [] == codes(result)


@pytest.mark.parametrize(
    ("text", "password"),
    [(" s", " s"), ("s\t", "s\t"), ("s\n\n", "s\n"), ('"s"', '"s"'), ("s'", "s'"), ("  ", "  ")],
)
def test_other_edges_of_a_password_are_kept_and_said(text, password):
    result = found(a_set(**{**WHOLE, "PASSWORD": text}))

    assert Secret(password) == only(result).secret
    assert ["edge-space"] == codes(result)
    assert "ACR_CONTAINER_REGISTRY_PASSWORD" == result.findings[0].variable


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://mycompany.azurecr.io", "its scheme"),
        ("mycompany.azurecr.io/team/app:1", "its path"),
        ("http://mycompany.azurecr.io/v2/", "its scheme and path"),
    ],
)
def test_a_scheme_or_a_path_is_dropped_and_said(server, said):
    result = found(a_set(**{**WHOLE, "SERVER": server}))

    assert "mycompany.azurecr.io" == only(result).registry
    assert ["stripped"] == codes(result)
    assert result.findings[0].message.endswith(said)


def test_docker_hubs_own_url_is_exact():
    result = found(a_set(**{**WHOLE, "SERVER": "https://index.docker.io/v1/"}))

    assert "docker.io" == only(result).registry
    assert [] == codes(result)


def test_aws_keys_the_wrong_way_round_are_said():
    result = found(a_set(SERVER=ECR, USER="s3cret", PASSWORD="AKIAIOSFODNN7EXAMPLE"))

    assert ["swapped"] == codes(result)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("ACR_CONTAINER_REGISTRY_USERNAME", "ACR_CONTAINER_REGISTRY_USER"),
        ("ACR_CONTAINER_REGISTRY_PASS", "ACR_CONTAINER_REGISTRY_PASSWORD"),
        ("ACR_CONTAINER_REGISTRY_TOKEN", "ACR_CONTAINER_REGISTRY_PASSWORD"),
        ("ACR_CONTAINER_REGISTRY_REGISTRY", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("ACR_CONTAINER_REGISTRY_URL", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("ACR_CONTAINER_REGISTRY_HOST", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("ACR_CONTAINER_REGISTRY_TOKEN_FILE", "ACR_CONTAINER_REGISTRY_PASSWORD_FILE"),
        ("ACR_CONTAINER_REGISTRY_PASWORD", "ACR_CONTAINER_REGISTRY_PASSWORD"),
        ("ACR_CONTAINER_REGISTRY_PASSWROD", "ACR_CONTAINER_REGISTRY_PASSWORD"),
        ("ACR_CONTAINER_REGISTRY_SERVERS", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("ACR_CONTAINER_REGISTRY_SERVEE", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("CONTAINER_REGISTRY_SERVER", "<ID>_CONTAINER_REGISTRY_SERVER"),
        ("_CONTAINER_REGISTRY_USER", "<ID>_CONTAINER_REGISTRY_USER"),
        ("acr_container_registry_server", "ACR_CONTAINER_REGISTRY_SERVER"),
        ("Acr_Container_Registry_Username", "ACR_CONTAINER_REGISTRY_USER"),
        ("acr_CONTAINER_REGISTRY_USERNAME", "acr_CONTAINER_REGISTRY_USER"),
        ("my-acr_CONTAINER_REGISTRY_USER", "my_acr_CONTAINER_REGISTRY_USER"),
        ("2_CONTAINER_REGISTRY_USER", "_2_CONTAINER_REGISTRY_USER"),
    ],
)
def test_a_near_miss_is_asked_about(written, meant):
    result = found({written: "value"})

    (finding,) = result.findings
    assert ("near-miss", written) == (finding.code, finding.variable)
    assert finding.message.endswith(f"did you mean {meant}?")
    assert () == result.secrets + result.incomplete


@pytest.mark.parametrize(
    "name",
    [
        "ACR_CONTAINER_REGISTRY_NAMESPACE",
        "CONTAINER_REGISTRY",
        "DEVCONTAINER_REGISTRY_SECRETS_FILE",
        "DEVCONTAINER_REGISTRY_STORE",
        "DEVCONTAINER_REGISTRY_URL",
        "ACR\x1b_CONTAINER_REGISTRY_USER",
        "ACR\u00c9_CONTAINER_REGISTRY_USER",
    ],
)
def test_what_is_somebody_elses_variable_is_not_asked_about(name):
    assert "near-miss" not in codes(found({name: "/nowhere"}))


def test_a_near_miss_that_is_empty_is_not_asked_about():
    assert [] == codes(found(a_set(TOKEN="", USERNAME=" ")))


def test_a_near_miss_beside_the_right_name_is_not_asked_about():
    assert [] == codes(found(a_set(**WHOLE, USERNAME="bob", TOKEN="")))
