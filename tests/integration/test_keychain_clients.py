# SPDX-License-Identifier: MIT
"""
What `resolve` finds beside what docker and skopeo send, from the same files, to one registry that
tells who came.
"""

from __future__ import annotations

import base64
import json
import os

import pytest

from devcontainer_registry import resolve
from devcontainer_registry.testing import LoopbackRegistry

USERS = {name: f"of-{name}" for name in ("file", "helper", "store", "runtime")}


def login(user):
    return {"auth": base64.b64encode(f"{user}:{USERS[user]}".encode()).decode()}


def answering(user):
    return f'echo \'{{"ServerURL":"x","Username":"{user}","Secret":"{USERS[user]}"}}\''


NOTHING = "echo credentials not found in native keychain; exit 1"


# config.json, in which HOST is the registry; who comes, and who with skopeo where that differs.
CASES = {
    "nothing": ({}, None),
    "auths": ({"auths": {"HOST": login("file")}}, "file"),
    "another host": ({"auths": {"other.example": login("file")}}, None),
    "an old key": ({"auths": {"https://HOST/v1/": login("file")}}, "file"),
    "an empty entry": ({"auths": {"HOST": {}}}, None),
    "credHelpers": ({"auths": {"HOST": login("file")}, "credHelpers": {"HOST": "one"}}, "helper"),
    "credHelpers before credsStore": (
        {"credHelpers": {"HOST": "one"}, "credsStore": "two"},
        "helper",
    ),
    "credHelpers that has nothing": (
        {"auths": {"HOST": login("file")}, "credHelpers": {"HOST": "none"}},
        None,
    ),
    "credHelpers of another": (
        {"auths": {"HOST": login("file")}, "credHelpers": {"other.example": "one"}},
        "file",
    ),
    # docker's own: skopeo would start `docker-credential-`, and fail.
    "an empty credHelpers": (
        {"auths": {"HOST": login("file")}, "credHelpers": {"HOST": ""}, "credsStore": "two"},
        "file",
        "fails",
    ),
    # skopeo never reads credsStore.
    "credsStore": ({"auths": {"HOST": login("file")}, "credsStore": "two"}, "store", "file"),
    "credsStore that has nothing": (
        {"auths": {"HOST": login("file")}, "credsStore": "none"},
        None,
        "file",
    ),
}


@pytest.fixture(name="registry")
def _registry():
    with LoopbackRegistry(USERS) as registry:
        yield registry


@pytest.fixture(name="asking")
def _asking(client, tmp_path):
    """
    `client`, with three helpers on its PATH.
    """
    folder = tmp_path / "helpers"
    folder.mkdir()
    for name, script in (
        ("one", answering("helper")),
        ("two", answering("store")),
        ("none", NOTHING),
    ):
        path = folder / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    client.environ["PATH"] = f"{folder}:{client.environ['PATH']}"
    return client


def configure(client, document, registry):
    with open(client.config_path, "w", encoding="utf-8") as file:
        file.write(json.dumps(document).replace("HOST", registry.registry))


def came(registry):
    """
    Who came since it was last asked for; None: somebody without a name.
    """
    users = {request.user for request in registry.requests if request.user}
    assert 0 == registry.refusals
    registry.requests.clear()
    assert len(users) <= 1
    return users.pop() if users else None


def found(client, registry):
    credential = resolve(f"{registry.registry}/demo/hello", environ=client.environ)
    if credential is None:
        return None
    assert USERS[credential.username] == credential.secret.reveal()
    return credential.username


@pytest.mark.parametrize("case", CASES)
def test_docker_sends_what_is_found(asking, registry_tls, case):
    document, expected = CASES[case][:2]
    configure(asking, document, registry_tls)
    image = f"{registry_tls.registry}/demo/hello"

    # It needs no engine.  The registry knows none of the users, and says whom it refused.
    done = asking.docker("manifest", "inspect", "--insecure", image)

    assert 0 != done.returncode
    assert {expected} - {None} == set(registry_tls.refusals())
    assert expected == found(asking, registry_tls)


@pytest.mark.parametrize("case", CASES)
def test_skopeo_sends_the_same_but_where_it_follows_rules_of_its_own(asking, registry, case):
    document, expected, *other = CASES[case]
    configure(asking, document, registry)
    image = f"docker://{registry.registry}/demo/hello"

    done = asking.skopeo("inspect", "--raw", "--tls-verify=false", image)

    if other == ["fails"]:
        assert 0 != done.returncode
    else:
        assert (other or [expected]) == [came(registry)]


@pytest.mark.parametrize(
    ("runtime", "config"),
    [
        ({"auths": {"HOST": login("runtime")}}, {}),
        ({"auths": {"HOST/demo": login("runtime"), "HOST": login("file")}}, {}),
        ({"auths": {"HOST/demo/hello": login("runtime"), "HOST/demo": login("file")}}, {}),
        ({"auths": {"HOST/other": login("file"), "HOST": login("runtime")}}, {}),
        ({"credHelpers": {"HOST": "one"}}, {}),
        ({"auths": {"other.example": login("file")}}, {"auths": {"HOST": login("runtime")}}),
        ({}, {}),
    ],
)
def test_podmans_files_are_read_as_skopeo_reads_them(asking, registry, runtime, config):
    for folder, document in (
        (asking.environ["XDG_RUNTIME_DIR"], runtime),
        (os.path.join(asking.home, ".config"), config),
    ):
        os.makedirs(os.path.join(folder, "containers"))
        with open(os.path.join(folder, "containers", "auth.json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(document).replace("HOST", registry.registry))

    image = f"docker://{registry.registry}/demo/hello"
    done = asking.skopeo("inspect", "--raw", "--tls-verify=false", image)

    assert ("HOST" in f"{runtime}{config}") == (done.returncode == 0), done.stderr
    assert came(registry) == found(asking, registry)


def test_docker_sends_the_identity_token_that_is_found_as_one(asking, registry_token, token_server):
    """
    `docker login` keeps one where a token server gives one; the registry then never sees it.
    """
    token_server.refresh = True
    registry = registry_token.registry
    given = ("login", registry, "--username", "alice", "--password-stdin")
    done = asking.docker(*given, stdin=token_server.users["alice"])
    assert 0 == done.returncode, done.stderr
    token_server.requests.clear()

    # There is no such image; the token is asked for all the same.
    asking.docker("manifest", "inspect", "--insecure", f"{registry}/team/app")
    credential = resolve(registry, environ=asking.environ)

    sent = {(request.grant, request.user, request.secret) for request in token_server.requests}
    assert credential.is_identity_token
    assert {("refresh_token", "alice", credential.secret.reveal())} == sent
