# SPDX-License-Identifier: MIT
""" """

from __future__ import annotations

import base64
import json
import os

import pytest
from doubles.variables import CANARY as MEMBERS_CANARY
from doubles.variables import ECR, WHOLE, a_set, broken, codes, found, only
from hypothesis import example, given
from hypothesis import strategies as st

from devcontainer_registry.credentials import Secret
from devcontainer_registry.discovery.environment import Environment, Layer, Value, read
from devcontainer_registry.errors import DiscoveryError

NAME = "ACR_CONTAINER_REGISTRY_PASSWORD"
CANARY = "C4nary-that-n0body-may-see"


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(content, name="file"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def _layer(**variables):
    return Layer(label="", variables=variables)


def test_a_variable_says_what_it_holds():
    layer = _layer(**{NAME: "secret\n"})

    value = layer.value(NAME)

    assert Value(variable=NAME, text="secret\n") == value


def test_a_variable_that_is_not_set_says_nothing():
    assert _layer().value(NAME) is None


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("s3cret", "s3cret"),
        ("s3cret\n", "s3cret"),
        ("s3cret\r\n", "s3cret"),
        ("s3cret\n\n", "s3cret\n"),
        (" s3cret ", " s3cret "),
        (b"\xef\xbb\xbfs3cret", "s3cret"),
        ("", ""),
    ],
)
def test_a_file_stands_for_a_variable_less_one_line_ending(write, content, text):
    layer = _layer(**{f"{NAME}_FILE": write(content)})

    value = layer.value(NAME)

    assert Value(variable=f"{NAME}_FILE", text=text, from_file=True) == value


def test_a_variable_wins_over_its_file_unless_it_is_empty(write):
    file = write("from the file")

    full = _layer(**{NAME: "direct", f"{NAME}_FILE": file}).value(NAME)
    empty = _layer(**{NAME: "", f"{NAME}_FILE": file}).value(NAME)

    assert ["direct", "from the file"] == [full.text, empty.text]


def test_an_empty_name_of_a_file_is_an_empty_value():
    value = _layer(**{f"{NAME}_FILE": ""}).value(NAME)

    assert Value(variable=f"{NAME}_FILE", text="") == value


def test_a_link_to_a_file_is_followed_as_kubernetes_needs(write, tmp_path):
    (tmp_path / "link").symlink_to(write("s3cret"))

    value = _layer(**{f"{NAME}_FILE": str(tmp_path / "link")}).value(NAME)

    assert value.text == "s3cret"


def _missing(path):
    return str(path / CANARY)


def _folder(path):
    (path / CANARY).mkdir()
    return str(path / CANARY)


def _pipe(path):
    os.mkfifo(path / CANARY)
    return str(path / CANARY)


def _large(path):
    (path / CANARY).write_bytes(b"a" * (64 * 1024 + 1))
    return str(path / CANARY)


def _latin(path):
    (path / CANARY).write_bytes(CANARY.encode() + b"\xe9")
    return str(path / CANARY)


def _no_path(_):
    return f"{CANARY}\0\ud800"


@pytest.mark.parametrize("make", [_missing, _folder, _pipe, _large, _latin, _no_path])
def test_a_file_that_cannot_be_used_is_an_error_that_names_the_variable_alone(make, tmp_path):
    error = _layer(**{f"{NAME}_FILE": make(tmp_path)}).value(NAME)

    assert isinstance(error, DiscoveryError)
    assert error.code == "unreadable-file"
    assert f"{NAME}_FILE" in error.message
    assert CANARY not in error.message + error.hint


def test_the_process_comes_before_the_secrets_file_and_that_before_codespaces(write):
    encoded = base64.b64encode(b"third").decode()
    environment = read(
        {"A": "first"},
        secrets_file=write('{"A": "second", "B": "second"}', "json"),
        codespaces_file=write(f"A={encoded}\nB={encoded}\nC={encoded}\n", "lines"),
    )

    found = [environment.first(name) for name in "ABC"]

    assert [("", "first"), ("secrets file", "second"), (".env-secrets", "third")] == [
        (layer.label, text) for layer, text in found
    ]
    assert environment.first("D") is None


def test_a_secrets_file_may_have_comments_and_trailing_commas(write):
    text = """\ufeff{
      // one "quoted" comment
      "A": "https://not.a/comment", /* two,
      lines */
      "B": "a // b /* c */ d ,}",
      "C": "\\"\\\\",
    }"""

    environment = read({}, secrets_file=write(text))

    assert {"A": "https://not.a/comment", "B": "a // b /* c */ d ,}", "C": '"\\'} == (
        environment.layers[1].variables
    )


def test_the_secrets_file_is_named_by_a_variable_or_an_argument(write):
    by_variable = {"DEVCONTAINER_REGISTRY_SECRETS_FILE": write('{"A": "variable"}', "one")}

    variable = read(by_variable)
    argument = read(by_variable, secrets_file=write('{"A": "argument"}', "two"))

    assert ["variable", "argument"] == [e.layers[1].variables["A"] for e in (variable, argument)]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (f'{{"A": "{CANARY}"', "not JSON, at line 1"),
        (f'// {CANARY}\n/*\n*/\n{{"A": {CANARY}}}', "not JSON, at line 4"),
        (f'["{CANARY}"]', "not a JSON object"),
        (CANARY.encode() + b"\xff", "not UTF-8"),
        ("[" * 100_000, "nested too deeply"),
        ("", "not JSON, at line 1"),
    ],
)
def test_a_broken_secrets_file_is_an_error_that_does_not_quote_it(write, content, why):
    environment = read({"A": "still here"}, secrets_file=write(content))

    error = environment.secrets_file_error
    assert error.code == "secrets-file"
    assert f"cannot read the secrets file: {why}" == error.message
    assert CANARY not in repr(error) + error.hint
    assert 1 == len(environment.layers)


def test_a_secrets_file_that_is_not_there_is_an_error():
    environment = read({"DEVCONTAINER_REGISTRY_SECRETS_FILE": f"/nowhere/{CANARY}"})

    error = environment.secrets_file_error
    assert "DEVCONTAINER_REGISTRY_SECRETS_FILE" in error.message
    assert CANARY not in repr(error)


def test_what_is_no_string_in_a_secrets_file_is_an_error_of_that_variable(write):
    environment = read({}, secrets_file=write(json.dumps({NAME: 12345, "B": "fine"})))

    layer = environment.layers[1]
    assert layer.value(NAME).code == "invalid-member"
    assert "12345" not in layer.value(NAME).message
    assert "quotes" in layer.value(NAME).hint
    assert layer.value("B").text == "fine"
    assert layer.names == {NAME, "B"}


def test_what_is_no_base64_in_codespaces_file_is_an_error_of_that_variable(write):
    content = f"{NAME}={CANARY}%\nB=Zm8=\n\nno line\nC=/w==\nD=\nE=Zm8%=\n"
    environment = read({}, codespaces_file=write(content))

    layer = environment.layers[1]
    assert {"B": "fo", "D": ""} == layer.variables
    assert {NAME, "C", "E"} == set(layer.unusable)
    assert CANARY not in layer.value(NAME).message


def test_codespaces_file_is_no_trouble_where_there_is_none(tmp_path):
    environment = read({}, codespaces_file=str(tmp_path / "none"))

    assert Environment(layers=(Layer(label="", variables={}),)) == environment


def test_codespaces_file_that_cannot_be_read_is_an_error(tmp_path):
    environment = read({}, codespaces_file=str(tmp_path))

    assert environment.codespaces_error.code == "secrets-file"
    assert 1 == len(environment.layers)


def test_a_layer_does_not_show_what_it_holds(write):
    environment = read({NAME: CANARY}, secrets_file=write(json.dumps({NAME: CANARY, CANARY: 1})))

    shown = repr(environment) + repr(environment.layers[0].value(NAME))

    assert CANARY not in shown


@given(content=st.binary() | st.text().map(str.encode))
@example(content=b'"' + b"\\" * 50_001)
@example(content=b"/*" * 50_000)
@example(content=b'"\\' * 50_000)
@example(content=b", " * 50_000)
def test_no_content_of_a_file_makes_reading_raise(content, tmp_path_factory):
    path = str(tmp_path_factory.getbasetemp() / "any content")
    with open(path, "wb") as file:
        file.write(content)

    environment = read({f"{NAME}_FILE": path}, secrets_file=path, codespaces_file=path)

    assert isinstance(environment, Environment)
    for layer in environment.layers:
        assert isinstance(layer.value(NAME), (Value, DiscoveryError, type(None)))


@pytest.mark.parametrize(
    "server",
    [
        "bob@ghcr.io",
        "ghcr.io?x=1",
        "gh\x07cr.io",
        "b\u00fccher.example",
        "ghcr.io:99999",
        MEMBERS_CANARY,
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
def test_white_space_and_quotes_around_a_value_are_stripped_with_a_finding(member, around):
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
def test_other_edges_of_a_password_are_kept_with_a_finding(text, password):
    result = found(a_set(**{**WHOLE, "PASSWORD": text}))

    assert Secret(password) == only(result).secret
    assert ["edge-space"] == codes(result)
    assert "ACR_CONTAINER_REGISTRY_PASSWORD" == result.findings[0].variable


@pytest.mark.parametrize(
    ("server", "said"),
    [
        ("https://mycompany.azurecr.io", "a scheme"),
        ("mycompany.azurecr.io/team/app:1", "a path"),
        ("http://mycompany.azurecr.io/v2/", "a scheme and a path"),
    ],
)
def test_a_scheme_or_a_path_is_dropped_with_a_finding(server, said):
    result = found(a_set(**{**WHOLE, "SERVER": server}))

    assert "mycompany.azurecr.io" == only(result).registry
    assert ["stripped"] == codes(result)
    assert f" has {said}, which" in result.findings[0].message


def test_docker_hubs_own_url_is_exact():
    result = found(a_set(**{**WHOLE, "SERVER": "https://index.docker.io/v1/"}))

    assert "docker.io" == only(result).registry
    assert [] == codes(result)


def test_swapped_aws_keys_are_a_finding():
    result = found(a_set(SERVER=ECR, USER="s3cret", PASSWORD="AKIAIOSFODNN7EXAMPLE"))

    assert ["swapped"] == codes(result)
