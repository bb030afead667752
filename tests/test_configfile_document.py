# SPDX-License-Identifier: MIT
"""
docker's own rules for what config.json means.
"""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devcontainer_registry.config.file import Document, auth_entry
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry

HOST = Registry("corp.example")
HUB = Registry("docker.io")


def document(value):
    return Document.parse(json.dumps(value).encode(), where="config.json")


def written(doc):
    return json.loads(doc.dump())


def b64(text):
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("entry", "user", "secret"),
    [
        ({"auth": b64("jane:pass:word")}, "jane", "pass:word"),
        ({"auth": b64("jane:word\0\0")}, "jane", "word"),
        ({"auth": b64("jane:word"), "username": "x", "password": "y"}, "jane", "word"),
        ({"username": "jane", "password": "word"}, "jane", "word"),
        ({"auth": b64("jane:"), "identitytoken": "abc"}, "<token>", "abc"),
        ({"identityToken": "abc"}, "<token>", "abc"),
        ({"Auth": b64("jane:word")}, "jane", "word"),
    ],
)
def test_a_login_is_read_as_docker_reads_it(entry, user, secret):
    found = document({"auths": {HOST: entry}}).auth(HOST)

    assert Credential(username=user, secret=Secret(secret)) == found


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"auth": ""},
        {"auth": b64("jane:word").rstrip("=") + "!"},
        {"auth": "amFuZTp3b3Jkcw"},
        {"auth": b64("jane:word") + "="},
        {"auth": b64(":word")},
        {"auth": b64("word")},
        {"auth": 5},
        {"auth": "é"},
        None,
        "x",
    ],
)
def test_what_docker_cannot_decode_is_no_login(entry):
    assert document({"auths": {HOST: entry}}).auth(HOST) is None


@pytest.mark.parametrize(
    "key",
    [
        "https://corp.example/v1/",
        "http://corp.example",
        "corp.example/",
        "corp.example/team",
        "HTTPS://corp.example",
        "ftp://corp.example:/",
        "https://someone@corp.example?x=1",
    ],
)
def test_an_old_spelling_serves_the_host(key):
    assert document({"auths": {key: auth_entry(_login("old"))}}).auth(HOST) == _login("old")


def test_the_exact_key_comes_first_and_the_old_one_stays():
    doc = document({"auths": {"https://corp.example/v1/": auth_entry(_login("old"))}})

    doc.set_auth(HOST, _login("new"))

    assert _login("new") == doc.auth(HOST)
    assert ["https://corp.example/v1/", HOST] == list(written(doc)["auths"])


@pytest.mark.parametrize("key", ["https://[2001:db8::1]:5000/v2/", "[2001:db8::1]:5000/"])
def test_an_old_spelling_of_an_ipv6_address_serves_it(key):
    host = Registry("[2001:db8::1]:5000")

    assert _login("old") == document({"auths": {key: auth_entry(_login("old"))}}).auth(host)


@pytest.mark.parametrize(
    "key",
    [
        "corp.example:5000",
        "corp.example.evil.example",
        "docker.io",
        "CORP.EXAMPLE",
        " corp.example",
        "someone@corp.example",
        "//corp.example",
        "://corp.example",
    ],
)
def test_another_host_is_not_served(key):
    doc = document({"auths": {key: auth_entry(_login("x"))}})

    assert (None, None) == (doc.auth(HOST), doc.auth(HUB))


def test_docker_hub_has_one_key_for_logins_and_four_for_helpers():
    doc = Document()

    doc.set_auth(HUB, _login("x"))
    doc.set_helper(HUB, OUR_HELPER)

    after = written(doc)
    assert ["https://index.docker.io/v1/"] == list(after["auths"])
    assert set(HUB.spellings) == set(after["credHelpers"])


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, "auths"),
        ({"credsStore": ""}, "auths"),
        ({"credsStore": "x"}, "credsStore"),
        ({"credsstore": "x"}, "credsStore"),
        ({"credsStore": "x", "credHelpers": {HOST: "y"}}, "credHelpers"),
        ({"credsStore": "x", "credHelpers": {HOST: ""}}, "auths"),
        ({"credsStore": "x", "credHelpers": {"https://corp.example": "y"}}, "credsStore"),
    ],
)
def test_docker_asks_one_place_only(config, expected):
    assert expected == document(config).asked_for(HOST)


def test_an_empty_helper_is_told_from_none():
    doc = document({"credHelpers": {HOST: ""}})

    assert ("", None) == (doc.helper(HOST), doc.helper(HUB))


def test_what_says_how_to_log_in_is_replaced_and_the_rest_of_the_entry_stays():
    old = {"registrytoken": "t", "email": "e", "identitytoken": "i", "password": "p", "x": [1]}
    doc = document({"auths": {HOST: old}})

    doc.set_auth(HOST, _login("new"))

    assert {"auth": b64("jane:new"), "email": "e", "x": [1]} == written(doc)["auths"][HOST]


def test_a_login_that_not_every_client_reads_is_spelled_anew():
    doc = document({"auths": {HOST: {"username": "jane", "password": "word"}}})

    doc.set_auth(HOST, _login("word"))

    assert {HOST: {"auth": b64("jane:word")}} == written(doc)["auths"]


def test_an_identity_token_that_docker_wrote_stays_as_it_is():
    entry = {"auth": b64("jane:"), "identitytoken": "abc"}
    doc = document({"auths": {HOST: entry}})

    doc.set_auth(HOST, Credential.identity_token(Secret("abc")))

    assert {HOST: entry} == written(doc)["auths"]


def test_an_identity_token_stands_beside_a_user():
    """
    containers/image skips an entry whose `auth` has no colon; docker refuses one without a user.
    """
    entry = auth_entry(Credential.identity_token(Secret("abc")))

    user, colon, password = base64.b64decode(entry["auth"]).decode().partition(":")
    assert (True, ":", "", "abc") == (bool(user), colon, password, entry["identitytoken"])


def test_octets_that_are_no_utf_8_are_kept():
    """
    So `os.environ` spells a variable in another encoding.
    """
    credential = _login(b"p\xe4ss".decode("utf-8", "surrogateescape"))

    entry = auth_entry(credential)

    assert b"jane:p\xe4ss" == base64.b64decode(entry["auth"])
    assert credential == document({"auths": {HOST: entry}}).auth(HOST)


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("", "canary"),
        ("a:b", "canary"),
        ("jane", ""),
        ("jane", "canary\0"),
        ("jane", "canary\ud800"),
        ("\ud800", "canary"),
        ("<token>", "canary\udcff"),
    ],
)
def test_what_docker_would_read_back_differently_is_refused_and_not_quoted(user, secret):
    with pytest.raises(ConfigError) as caught:
        auth_entry(Credential(username=user, secret=Secret(secret)))

    error = caught.value
    assert "not-storable" == error.code
    assert "canary" not in f"{error!r} {error.hint} {error.__context__!r}"


@given(user=st.text(), secret=st.text())
def test_what_is_kept_is_read_back(user, secret):
    credential, doc = Credential(username=user, secret=Secret(secret)), Document()

    try:
        doc.set_auth(HOST, credential)
    except ConfigError:
        return

    assert credential == Document.parse(doc.dump(), where="x").auth(HOST)


def _login(password):
    return Credential(username="jane", secret=Secret(password))
