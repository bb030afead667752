# SPDX-License-Identifier: MIT
"""
The credential that `resolve` finds, compared with the one that Docker and skopeo send from the same
files.
"""

from __future__ import annotations

import base64
import json
import os
import ssl

import pytest
from doubles.servers import Answer, Server

from devcontainer_registry import ConfigError, resolve
from devcontainer_registry.testing import LoopbackRegistry

USERS = {name: f"of-{name}" for name in ("file", "helper", "store", "runtime")}


def login(user):
    return {"auth": base64.b64encode(f"{user}:{USERS[user]}".encode()).decode()}


def auth(pair):
    octets = pair.encode("utf-8", "surrogateescape")
    return {"auth": base64.b64encode(octets).decode()}


def answering(user):
    return f'echo \'{{"ServerURL":"x","Username":"{user}","Secret":"{USERS[user]}"}}\''


NOTHING = "echo credentials not found in native keychain; exit 1"


# config.json, in which HOST is the registry; Docker's user, and skopeo's if it differs.
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
    Return the users of the requests since the last call; None: an anonymous request.
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
def test_docker_sends_the_credential_that_resolve_finds(asking, registry_tls, case):
    document, expected = CASES[case][:2]
    configure(asking, document, registry_tls)
    image = f"{registry_tls.registry}/demo/hello"

    # It needs no engine.  The registry knows no user, and records the credentials that it refused.
    done = asking.docker("manifest", "inspect", "--insecure", image)

    assert 0 != done.returncode
    assert {expected} - {None} == set(registry_tls.refusals())
    assert expected == found(asking, registry_tls)


@pytest.mark.parametrize("case", CASES)
def test_skopeo_sends_the_same_except_for_its_own_rules(asking, registry, case):
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


def test_docker_sends_an_identity_token_that_resolve_finds_as_one(
    asking, registry_token, token_server
):
    """
    `docker login` keeps one where a token server gives one; the registry then never sees it.
    """
    token_server.refresh = True
    registry = registry_token.registry
    given = ("login", registry, "--username", "alice", "--password-stdin")
    done = asking.docker(*given, stdin=token_server.users["alice"])
    assert 0 == done.returncode, done.stderr
    token_server.requests.clear()

    # The image does not exist, but the token is still requested.
    asking.docker("manifest", "inspect", "--insecure", f"{registry}/team/app")
    credential = resolve(registry, environ=asking.environ)

    sent = {(request.grant, request.user, request.secret) for request in token_server.requests}
    assert credential.is_identity_token
    assert {("refresh_token", "alice", credential.secret.reveal())} == sent


# Each text's meaning: `(docker's pair, skopeo's pair)`; `resolve` follows Docker.
# https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/file_store.go
READ = {
    "a key with a slash": ({"HOST/": auth("u:p")}, ("u:p", ":")),
    "a key with a scheme": ({"http://HOST": auth("u:p")}, ("u:p", "u:p")),
    "a key with another scheme": ({"HTTPS://HOST/": auth("u:p")}, ("u:p", ":")),
    "a key with a user and a query": ({"https://x@HOST?y": auth("u:p")}, ("u:p", ":")),
    "a key with a version": ({"https://HOST/v2/": auth("u:p")}, ("u:p", "u:p")),
    "a key with a path and no scheme": ({"HOST/other": auth("u:p")}, ("u:p", ":")),
    "a key of the namespace": ({"HOST/demo": auth("u:p")}, ("u:p", "u:p")),
    "a key of the namespace beside the host": (
        {"HOST/demo": auth("x:y"), "HOST": auth("u:p")},
        ("u:p", "x:y"),
    ),
    "a key in upper case": ({"UPPER": auth("u:p")}, (None, ":")),
    "a key with a blank": ({" HOST": auth("u:p")}, (None, ":")),
    "a key with a user and no scheme": ({"x@HOST": auth("u:p")}, (None, ":")),
    "a key with slashes only": ({"//HOST": auth("u:p")}, (None, ":")),
    "a password with a colon": ({"HOST": auth("u:p:q")}, ("u:p:q", "u:p:q")),
    "a password with a line end": ({"HOST": auth("u:p\r\n")}, ("u:p\r\n", "u:p\r\n")),
    "a password with NULs": ({"HOST": auth("u:\0p\0")}, ("u:p", "u:p")),
    "a password that is no UTF-8": ({"HOST": auth("u:p\udce9")}, ("u:p\udce9", "u:p\udce9")),
    "no password": ({"HOST": auth("u:")}, (None, "u:")),
    "base64 in lines": ({"HOST": {"auth": "dTp\r\nw"}}, ("u:p", "u:p")),
    "base64 with odd last bits": ({"HOST": {"auth": "dTpwcB=="}}, ("u:pp", "u:pp")),
    "user and password": ({"HOST": {"username": "u", "password": "p"}}, ("u:p", ":")),
    "auth beside them": (
        {"HOST": {"username": "x", "password": "y", **auth("u:p")}},
        ("u:p", "u:p"),
    ),
    "no auth beside them": (
        {"HOST": {"username": "u", "password": "p", "auth": None}},
        ("u:p", ":"),
    ),
    "a user alone": ({"HOST": {"username": "u"}}, (None, ":")),
    "members in any case": ({"HOST": {"AUTH": auth("u:p")["auth"]}}, ("u:p", "u:p")),
    "another server's address": (
        {"HOST": {**auth("u:p"), "serveraddress": "other.example"}},
        ("u:p", "u:p"),
    ),
    "null": ({"HOST": None}, (None, ":")),
}

# Entries with a warning of Docker; it then uses none, or those that it decoded before.
UNREADABLE = {
    "no colon": auth("nobody"),
    "no user": auth(":p"),
    "the other alphabet": {"auth": "dTp-fn4_Pz8-"},
    "no padding": {"auth": "dTpwcA"},
    "too much padding": {"auth": "dTpw="},
    "a blank": {"auth": "dTpw "},
    "a number": {"auth": 5},
    "a text": "x",
    "a list": [],
}

# The output of a helper, and the pair that Docker then sends.
# https://github.com/docker/docker-credential-helpers/blob/v0.9.3/client/client.go
ANSWERS = {
    "a credential": ('{"Username":"u","Secret":"p"}', "u:p"),
    "members in lower case": ('{"username":"u","secret":"p"}', "u:p"),
    "one twice": ('{"Username":"x","USERNAME":"u","Secret":"p"}', "u:p"),
    "more after it": ('{"Username":"u","Secret":"p"} and more', "u:p"),
    "no user": ('{"Username":"","Secret":"p"}', None),
    "no secret": ('{"Username":"u","Secret":""}', None),
    "a member missing": ('{"Username":"u"}', None),
    "nothing": ("{}", None),
}


@pytest.fixture(name="listener")
def _listener(authority):
    """
    A registry that refuses every login and records it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("localhost", "127.0.0.1"))
    challenge = [("WWW-Authenticate", 'Basic realm="here"')]
    server = Server(lambda _: Answer(status=401, headers=challenge), context=context)
    yield server
    server.close()


def host_of(listener):
    return f"localhost:{listener.port}"


def write(client, document, listener):
    text = json.dumps(document).replace("UPPER", host_of(listener).upper())
    with open(client.config_path, "w", encoding="utf-8") as file:
        file.write(text.replace("HOST", host_of(listener)))


def sent(listener):
    """
    Return user and password of the requests; None: they had none.
    """
    assert listener.seen
    proofs = {request.authorization for request in listener.seen} - {None}
    assert len(proofs) <= 1
    for proof in proofs:
        octets = base64.b64decode(proof.removeprefix("Basic "))
        return octets.decode("utf-8", "surrogateescape")
    return None


def docker_sends(client, listener):
    image = f"{host_of(listener)}/demo/hello"
    assert 0 != client.docker("manifest", "inspect", "--insecure", image).returncode
    return sent(listener)


def skopeo_sends(client, listener):
    image = f"docker://{host_of(listener)}/demo/hello"
    assert 0 != client.skopeo("inspect", "--raw", "--tls-verify=false", image).returncode
    return sent(listener)


def resolved(client, listener):
    found = resolve(f"{host_of(listener)}/demo/hello", environ=client.environ)
    return found and f"{found.username}:{found.secret.reveal()}"


@pytest.mark.parametrize("case", READ)
def test_resolve_reads_an_auths_entry_as_docker_does(client, listener, case):
    auths, (expected, _) = READ[case]
    write(client, {"auths": auths}, listener)

    assert expected == docker_sends(client, listener)
    assert expected == resolved(client, listener)


@pytest.mark.parametrize("case", READ)
def test_skopeo_reads_some_entries_by_its_own_rules(client, listener, case):
    auths, (_, expected) = READ[case]
    write(client, {"auths": auths}, listener)

    assert expected == skopeo_sends(client, listener)


@pytest.mark.parametrize("case", UNREADABLE)
def test_docker_warns_and_sends_nothing_for_an_unreadable_entry(client, listener, case):
    write(client, {"auths": {"HOST": UNREADABLE[case]}}, listener)

    done = client.docker("manifest", "inspect", "--insecure", f"{host_of(listener)}/demo/hello")

    assert "WARNING: Error parsing config file" in done.stderr
    assert None is sent(listener)
    with pytest.raises(ConfigError) as caught:
        resolved(client, listener)
    assert "login-unreadable" == caught.value.code


def test_docker_asks_a_helper_despite_its_warning(asking, listener):
    write(asking, {"auths": {"other.example": {"auth": "!"}}, "credsStore": "two"}, listener)

    assert "store:of-store" == docker_sends(asking, listener)
    assert "store:of-store" == resolved(asking, listener)


@pytest.mark.parametrize("case", ANSWERS)
def test_the_answer_of_a_helper_is_read_as_docker_reads_it(client, listener, tmp_path, case):
    answer, expected = ANSWERS[case]
    program = tmp_path / "docker-credential-said"
    program.write_text(f"#!/bin/sh\nprintf %s '{answer}'\n", encoding="utf-8")
    program.chmod(0o755)
    client.environ["PATH"] = f"{tmp_path}:{client.environ['PATH']}"
    write(client, {"credHelpers": {"HOST": "said"}}, listener)

    assert expected == docker_sends(client, listener)
    assert expected == resolved(client, listener)


def test_docker_no_longer_reads_its_oldest_config_file(client, listener):
    """
    docker-py and podman still read it.
    """
    text = json.dumps({host_of(listener): auth("u:p")})
    with open(os.path.join(client.home, ".dockercfg"), "w", encoding="utf-8") as file:
        file.write(text)

    assert None is docker_sends(client, listener)
    assert None is resolved(client, listener)
    assert "u:p" == skopeo_sends(client, listener)


# auth.json's `auths`, and what skopeo finds there for HOST/demo/hello.  An empty pair is its way
# to come without one.
# https://github.com/containers/image/blob/v5.31.0/pkg/docker/config/config.go
PODMANS = {
    "a key with a scheme": ({"https://HOST": auth("u:p")}, "u:p"),
    "a key with a scheme and a path": ({"https://HOST/v1/": auth("u:p")}, "u:p"),
    "a key with a slash": ({"HOST/": auth("u:p")}, ":"),
    "a namespace with a slash": ({"HOST/demo/": auth("u:p")}, ":"),
    "a part of a name": ({"HOST/dem": auth("u:p")}, ":"),
    "the exact key beside another": ({"https://HOST": auth("x:y"), "HOST": auth("u:p")}, "u:p"),
    "nothing for the namespace": ({"HOST/demo": {}, "HOST": auth("u:p")}, ":"),
    "user and password": ({"HOST": {"username": "u", "password": "p"}}, ":"),
    "members in any case": ({"HOST": {"AUTH": auth("u:p")["auth"]}}, "u:p"),
    "no colon": ({"HOST": auth("nobody")}, ":"),
    "another's entry that cannot be decoded": (
        {"HOST": auth("u:p"), "other.example": {"auth": "!"}},
        "u:p",
    ),
}


def write_containers(folder, document, listener):
    os.makedirs(os.path.join(folder, "containers"))
    with open(os.path.join(folder, "containers", "auth.json"), "w", encoding="utf-8") as file:
        file.write(json.dumps(document).replace("HOST", host_of(listener)))


@pytest.mark.parametrize("case", PODMANS)
def test_resolve_reads_auth_json_as_skopeo_does(client, listener, case):
    auths, expected = PODMANS[case]
    write_containers(client.environ["XDG_RUNTIME_DIR"], {"auths": auths}, listener)

    assert expected == skopeo_sends(client, listener)
    assert expected == (resolved(client, listener) or ":")


@pytest.mark.parametrize(
    "first",
    [{"credHelpers": {"HOST": "none"}, "auths": {"HOST": auth("x:y")}}, {"auths": {"HOST": {}}}],
)
def test_skopeo_reads_the_next_file_if_one_has_no_login(asking, listener, first):
    write_containers(asking.environ["XDG_RUNTIME_DIR"], first, listener)
    second = os.path.join(asking.home, ".config")
    write_containers(second, {"auths": {"HOST": auth("u:p")}}, listener)

    assert "u:p" == skopeo_sends(asking, listener)
    assert "u:p" == resolved(asking, listener)


@pytest.mark.parametrize("entry", [{"auth": "!"}, {"auth": 5}, "x"])
def test_an_entry_that_skopeo_rejects_is_an_error(client, listener, entry):
    write_containers(client.environ["XDG_RUNTIME_DIR"], {"auths": {"HOST": entry}}, listener)
    image = f"docker://{host_of(listener)}/demo/hello"

    done = client.skopeo("inspect", "--raw", "--tls-verify=false", image)

    assert (0 != done.returncode, []) == (True, listener.seen)
    with pytest.raises(ConfigError) as caught:
        resolved(client, listener)
    assert "login-unreadable" == caught.value.code


def test_without_a_session_skopeo_reads_the_file_in_the_home_folder(client, listener, mounts):
    """
    As in most containers.
    """
    del client.environ["XDG_RUNTIME_DIR"]
    folder = os.path.join(client.home, "of-user")
    write_containers(folder, {"auths": {"HOST": auth("u:p")}}, listener)
    place = f"/run/containers/{os.getuid()}"
    enter = mounts(f"mount -t tmpfs none /run; mkdir -p {place}; cp {folder}/containers/* {place}")
    image = f"{host_of(listener)}/demo/hello"
    script = f"from devcontainer_registry import resolve; print(resolve({image!r}).username)"

    client.skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{image}", enter=enter)
    done = client.python(script, enter=enter)

    assert "u:p" == sent(listener)
    assert ("u\n", "") == (done.stdout, done.stderr)
