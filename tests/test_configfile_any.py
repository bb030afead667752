# SPDX-License-Identifier: MIT
"""
Whatever config.json holds, nothing of it is lost.
"""

from __future__ import annotations

import json

import pytest
from configs import (
    HOST,
    config_at,
    content,
    parsed,
    put,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry


@pytest.fixture(name="path")
def _path(tmp_path):
    (tmp_path / "docker").mkdir(mode=0o700)
    return str(tmp_path / "docker" / "config.json")


# Whatever there is

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
def test_whatever_the_file_holds_nothing_of_it_is_lost(path, raw, user, secret, host):
    put(path, raw)
    config = config_at(path)
    credential = Credential(username=user, secret=Secret(secret))

    try:
        config.store({host: credential})
        config.delegate({host: OUR_HELPER})
    except RegistryError:
        assert raw == content(path) or host in parsed(path)["auths"]
        return

    before, after = json.loads(raw.decode("utf-8-sig").strip() or "{}"), parsed(path)
    read = config.read()
    assert credential == read.auth(host)
    for name, value in before.items():
        if isinstance(value, dict) and name.lower() in ("auths", "credhelpers"):
            mine = {host.config_key, *host.spellings}
            assert {k: v for k, v in value.items() if k not in mine}.items() <= after[name].items()
        elif name.lower() not in ("auths", "credhelpers"):
            assert value == after[name]
