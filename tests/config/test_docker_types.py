# SPDX-License-Identifier: MIT
"""
Values over which docker drops every login, and what docker reads without a word.
"""

from __future__ import annotations

import json

import pytest
from doubles.homes import GOOD, Home, Scripted, a_secret, encoded, only

from devcontainer_registry.config.document import Document
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.errors import ConfigError
from devcontainer_registry.keychain.resolve import resolve
from devcontainer_registry.registry import Registry

HERE = Registry("registry.example")
LOGIN = {"auths": {HERE: {"auth": encoded("bob:s3cret-s3cret")}}}

MISTYPED = {
    "features.(a key)": {"features": {"s3cret pasted here": True}},
    "features.buildkit": {"features": {"buildkit": True}},
    "features": {"features": ["buildkit"]},
    "experimental": {"experimental": True},
    "auths.x.email": {"auths": {"x": {"email": False}}},
    "auths.x": {"auths": {"x": "user:password"}},
    "auths.other.example.auth": {"auths": {"other.example": {"auth": 5}}},
    "auths.other.example.identityToken": {"auths": {"other.example": {"identityToken": {}}}},
    "HttpHeaders.x-meta": {"HttpHeaders": {"X-Meta": 5}},
    "HttpHeaders": {"HttpHeaders": "x"},
    "psFormat": {"psFormat": 1},
    "PSFORMAT": {"PSFORMAT": []},
    "detachKeys": {"detachKeys": False},
    "credsStore": {"credsStore": 5},
    "credHelpers.other.example": {"credHelpers": {"other.example": 5}},
    "pruneFilters": {"pruneFilters": "label=x"},
    "pruneFilters[1]": {"pruneFilters": ["a", 5]},
    "proxies.default.httpProxy": {"proxies": {"default": {"httpProxy": 3128}}},
    "proxies.default": {"proxies": {"default": "http://proxy"}},
    "cliPluginsExtraDirs[0]": {"cliPluginsExtraDirs": [5]},
    "plugins.x.y": {"plugins": {"x": {"y": True}}},
    "plugins.x": {"plugins": {"x": "y"}},
    "aliases.builder": {"aliases": {"builder": []}},
    "currentContext": {"currentContext": {"name": "x"}},
    "kubernetes": {"kubernetes": 5},
    "stackOrchestrator": {"stackOrchestrator": 5},
}

FINE = [
    {},
    {"features": {"buildkit": "true"}, "experimental": "enabled"},
    {"auths": {"x": {"email": "a@b", "unknown": 5}}},
    {"auths": {"x": None}, "features": None, "pruneFilters": None, "psFormat": None},
    {"unknown": {"deep": [1, True, {}]}, "HttpHeaders": {"X-Meta": None}},
    {"proxies": {"default": {"httpProxy": "http://proxy", "unknown": 5}}},
    {"plugins": {"x": None, "y": {"z": "1"}}, "aliases": {}, "currentContext": ""},
]


@pytest.mark.parametrize("member", MISTYPED)
def test_a_value_of_another_type_is_named_by_its_member(member):
    document = Document.parse(json.dumps(MISTYPED[member]).encode(), where="x")

    assert [member] == [wrong.member for wrong in document.mistyped]


@pytest.mark.parametrize("content", FINE)
def test_what_docker_has_a_place_for_is_fine(content):
    assert [] == Document.parse(json.dumps(content).encode(), where="x").mistyped


def merged(content):
    document = json.loads(json.dumps(content))
    document.setdefault("auths", {}).update(LOGIN["auths"])
    return document


@pytest.mark.parametrize("member", MISTYPED)
def test_resolve_promises_no_login_that_docker_drops(tmp_path, member):
    home = Home(tmp_path)
    home.write(merged(MISTYPED[member]))

    with pytest.raises(ConfigError) as caught:
        resolve(HERE, environ=home.environ)

    assert caught.value.code in ("config-mistyped", "login-unreadable")
    assert home.config in caught.value.message


@pytest.mark.parametrize("member", ["features.buildkit", "experimental", "auths.x.email"])
@pytest.mark.parametrize("verify", ["never"])
def test_a_login_that_docker_drops_is_not_called_well(tmp_path, member, verify):
    home = Home(tmp_path)
    home.write(merged(MISTYPED[member]))
    plugins = {"generic": Scripted(GOOD)}

    for _ in range(2):
        report = (
            home.login([a_secret()], authenticators=plugins, verify=verify, store="auths")
            if (verify == "never")
            else home.login([a_secret()], authenticators=plugins, verify="never", store="auths")
        )

        assert only(report).code in ("config-mistyped", "login-unreadable")
        assert 6 == report.exit_status
        (finding,) = [f for f in report.findings if f.code == only(report).code]
        assert member in finding.message
        assert finding.hint
    # What is there stays, and the login is there for the day on which it is mended.
    assert merged(MISTYPED[member]) == json.loads(home.text)


def test_a_helper_is_still_asked(tmp_path):
    home = Home(tmp_path)
    home.write({"experimental": True, "credHelpers": {HERE: "theirs"}})
    program = tmp_path / "docker-credential-theirs"
    program.write_text('#!/bin/sh\necho \'{"Username": "u", "Secret": "s"}\'\n')
    program.chmod(0o755)

    found = resolve(HERE, environ={**home.environ, "PATH": f"{tmp_path}:/usr/bin:/bin"})

    assert "u" == found.username


def test_an_entry_that_docker_cannot_decode_costs_every_login_and_the_exit_status(tmp_path):
    home = Home(tmp_path)
    home.write({"auths": {"other.example": {"auth": "a-raw-token"}}})

    report = home.login(
        [a_secret()], authenticators={"generic": Scripted(GOOD)}, verify="never", store="auths"
    )

    assert ("ok", "login-unreadable") == (only(report).status, only(report).code)
    assert 6 == report.exit_status
    assert HERE in json.loads(home.text)["auths"]


READ = {
    "text after the object": b"%s and more",
    "a key twice": b'{"auths": {}, %s',
    "in another case": b'{"AUTHS": {"other.example": {}}, %s',
    "octets that are no UTF-8": b'{"x": "\xff\xfe", %s',
    "a huge number": b'{"x": 1e999, %s',
}


@pytest.mark.parametrize("how", READ)
def test_resolve_reads_what_docker_reads(tmp_path, how):
    home = Home(tmp_path)
    text = json.dumps(LOGIN).encode()
    home.write({})
    with open(home.config, "wb") as file:
        file.write(READ[how] % (text if how == "text after the object" else text[1:]))

    assert "bob" == resolve(HERE, environ=home.environ).username


@pytest.mark.parametrize(
    ("text", "user"),
    [
        ('{"auths": {"h.example": A}, "auths": {"o.example": B}}', "a"),
        ('{"auths": {"h.example": A}, "auths": {"h.example": B}}', "b"),
        ('{"auths": {"h.example": A}, "auths": null}', None),
        ('{"auths": null, "auths": {"h.example": A}}', "a"),
        ('{"Auths": {"h.example": A}, "auths": {}}', "a"),
        ('{"auths": {"h.example": A, "h.example": B}}', "b"),
        ('{"auths": {"h.example": A, "h.example": {}}}', None),
    ],
)
def test_members_that_come_twice_count_as_they_do_for_go(tmp_path, text, user):
    home = Home(tmp_path)
    entries = {letter: json.dumps({"auth": encoded(f"{letter.lower()}:p")}) for letter in "AB"}
    for letter, entry in entries.items():
        text = text.replace(f" {letter}", f" {entry}")
    home.write(text)

    found = resolve("h.example/app", environ=home.environ)

    assert user == (found and found.username)


def test_a_file_of_docker_config_is_read_from_its_path(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"auths": {}} x')

    assert "has text after its end" in str(DockerConfig(str(path)).read().unwritable)
