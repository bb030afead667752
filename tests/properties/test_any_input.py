# SPDX-License-Identifier: MIT
""" """

from __future__ import annotations

import json

import pytest
from doubles.configs import (
    HOST,
    config_at,
    content,
    parsed,
    put,
)
from doubles.variables import (
    CANARY,
    CODESPACE,
    ECR,
    GITLAB,
    WHOLE,
    a_set,
    basic,
    broken,
    docker,
    env_secrets,
    found,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.discovery import Found
from devcontainer_registry.discovery.members import MEMBERS
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry


@pytest.fixture(name="write")
def _write(tmp_path):
    def write(content, name="file"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return str(path)

    return write


def shown(result):
    errors = [incomplete.error for incomplete in result.incomplete]
    texts = [repr(result), *(f"{error!r} {error} {error.hint}" for error in errors)]
    texts += [f"{f.code} {f.message} {f.hint} {f.variable}" for f in result.findings]
    return "\n".join(texts)


WAYS = [
    "{}",
    " {}",
    '"{}"',
    "{}\n",
    "{}\0",
    "https://ghcr.io/{}",
    "bob:{}",
    "{{{}",
    '{{"auths":"{}"}}',
]
NAMES = (
    *a_set(**dict.fromkeys(MEMBERS)),
    *a_set(**{f"{member}_FILE": "" for member in MEMBERS}),
    *a_set(USERNAME="", TOKEN="", URL=""),
    "CONTAINER_REGISTRY_PASSWORD",
    *GITLAB,
    *CODESPACE,
    "DOCKER_AUTH_CONFIG",
    "DEVCONTAINER_REGISTRY_SECRETS_FILE",
)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_no_value_is_ever_shown(name, way, write):
    ground = {**a_set(**WHOLE), **GITLAB, **CODESPACE}
    ground.pop(name.removesuffix("_FILE"), None)
    text = way.format(CANARY)

    results = [
        found(ground, {name: text}),
        found(secrets_file=write({**ground, name: text})),
        found(secrets_file=write({**ground, name: [text]})),
        found(codespaces_file=write(env_secrets({**ground, name: text}), "lines")),
        found(codespaces_file=write(f"{name}={text}", "lines")),
    ]

    for result in results:
        assert CANARY not in shown(result)
        assert basic(CANARY)[:16] not in shown(result)


def test_an_error_references_no_frame_that_holds_a_secret():
    for members in ({"SERVER": CANARY}, {"USER": ""}, {"USER": "a:b"}):
        error = broken(found(a_set(**{**WHOLE, **members}))).error

        assert (None, None, None) == (error.__traceback__, error.__cause__, error.__context__)


names = st.sampled_from(NAMES) | st.text()
texts = st.text() | st.sampled_from([ECR, "ghcr.io", "bob", "s3cret", "", "\ud800", "/dev/zero"])


@given(environ=st.dictionaries(names, texts))
def test_discovery_accepts_any_environment(environ):
    result = found(environ)

    assert isinstance(result, Found)
    registries = [secret.registry for secret in result.secrets]
    assert len(set(registries)) == len(registries)
    for incomplete in result.incomplete:
        assert incomplete.error.message
        assert incomplete.error.hint


@given(server=st.text())
def test_discovery_accepts_any_text_as_server(server):
    result = found(a_set(SERVER=server, USER="bob", PASSWORD="s3cret"))

    assert 1 == len(result.secrets + result.incomplete)


@given(content=st.binary() | st.dictionaries(names, texts | st.integers()).map(json.dumps))
def test_discovery_accepts_any_text_in_a_file(content, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / "any file"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())

    result = found(secrets_file=str(path), codespaces_file=str(path))

    assert isinstance(result, Found)


def test_the_hints_of_all_findings_begin_with_a_verb():
    environ = {
        **a_set("A", SERVER="https://a.example", USER=" AWS ", PASSWORD=" x"),
        **a_set("B", SERVER="a.example", USER="x", PASSWORD="AKIAIOSFODNN7EXAMPLE", TOKEN="x"),
        **a_set("C", REGON="eu-west-1"),
        **docker(**{"a.example": {"auth": basic("eve:1")}, "b": 4}),
    }

    result = found(environ)

    seen = {finding.hint.split()[0] for finding in result.findings}
    assert {"set", "put", "remove", "rename", "write"} == seen


# No content of config.json is lost.


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


# Any JSON value.

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_CONFIG = st.dictionaries(
    st.sampled_from(["auths", "credHelpers", "credsStore", "Auths", "x"]),
    _JSON | st.dictionaries(st.sampled_from([HOST, "docker.io", "a.b"]), _JSON),
).map(lambda value: json.dumps(value).encode())


@settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    raw=st.binary(max_size=60) | _CONFIG | _JSON.map(lambda v: json.dumps(v).encode()),
    user=st.text(max_size=8),
    secret=st.text(max_size=8),
    host=st.sampled_from([HOST, Registry("docker.io"), Registry("a.b")]),
)
def test_no_content_of_the_file_is_lost(path, raw, user, secret, host):
    put(path, raw)
    config = config_at(path)
    credential = Credential(username=user, secret=Secret(secret))

    try:
        config.store({host: credential})
        config.delegate({host: OUR_HELPER})
    except RegistryError:
        assert raw == content(path) or host in parsed(path)["auths"]
        return

    # Go reads null into a structure as nothing.
    before, after = json.loads(raw.decode("utf-8-sig").strip() or "{}") or {}, parsed(path)
    read = config.read()
    assert credential == read.auth(host)
    for name, value in before.items():
        if isinstance(value, dict) and name.lower() in ("auths", "credhelpers"):
            mine = {host.config_key, *host.spellings}
            assert {k: v for k, v in value.items() if k not in mine}.items() <= after[name].items()
        elif name.lower() not in ("auths", "credhelpers"):
            assert value == after[name]
