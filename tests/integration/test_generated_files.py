# SPDX-License-Identifier: MIT
"""
`resolve` beside docker's own command lines, on a thousand generated config.json; and beside skopeo,
on as many auth.json.

Docker's credential is read from the header that its command line sends to an engine.
"""

from __future__ import annotations

import base64
import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess

import pytest
from doubles.private_user import SOAK
from parts import needed
from parts.telling_engine import TellingEngine, command_lines

from devcontainer_registry import RegistryError, resolve

CHUNKS, CHUNK = 8, 1500 if SOAK else 130

HOSTS = (
    "reg.example",
    "reg.example:5000",
    "reg.example:443",
    "MyReg.example",
    "DOCKER.IO",
    "localhost:5000",
    "10.0.0.5:5000",
    "my-reg.sub.example",
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "",
)
# Other keys that Docker accepts for a host, and keys that are only similar.
SPELLINGS = (
    "{0}",
    "{0}",
    "{0}",
    "https://{0}",
    "http://{0}",
    "https://{0}/",
    "https://{0}/v1/",
    "https://{0}/v2/",
    "{0}/",
    "{0}/v2/",
    "{0}/team/app",
    "HTTPS://{0}",
    "ftp://{0}",
    "//{0}",
    "https://user@{0}/x",
    "https://{0}?x=y",
    " {0}",
    "{0} ",
    "{0}.",
)
OTHER_KEYS = ("other.example", "", "https://", "[::1]:5000", "ж.example")
# At most one of these: of several that match, Docker uses any.
HUB_KEYS = (
    "https://index.docker.io/v1/",
    "https://index.docker.io/v1",
    "index.docker.io/v1/",
    "index.docker.io",
)


def encoded(text):
    return base64.b64encode(text.encode()).decode()


def an_entry(rng):
    """
    An entry of `auths`: mostly as Docker writes it, otherwise in any other known form.
    """
    user, password = rng.choice(["u", "bob", "a b", "ж"]), rng.choice(["p", "p:q", "ж", " p "])
    return rng.choice(
        [
            {"auth": encoded(f"{user}:{password}")},
            {"auth": encoded(f"{user}:{password}")},
            {"auth": encoded(f"{user}:{password}"), "email": "x@y.example"},
            {"auth": encoded(f"{user}:{password}"), "username": "other", "password": "other"},
            {"username": user, "password": password},
            {"Username": user, "PASSWORD": password},
            {"AUTH": encoded(f"{user}:{password}")},
            {"auth": encoded(f"{user}:"), "identitytoken": "an-identity-token"},
            {"auth": encoded(f"{user}:{password}"), "identitytoken": "an-identity-token"},
            {"identitytoken": "an-identity-token"},
            {"auth": encoded(f"{user}:{password}\0\0")},
            {"auth": encoded(f"{user}:\0{password}")},
            {"auth": encoded(f"{user}:{password}")[:2] + "\n" + encoded(f"{user}:{password}")[2:]},
            {"auth": "", "username": user, "password": password},
            {"auth": None},
            {"username": user},
            {"password": password},
            {"email": "x@y.example"},
            {},
            None,
        ]
    )


def a_file(rng):
    """
    A config.json, and images for which it may have a login.
    """
    hosts = rng.sample(HOSTS, rng.randint(1, 4))
    auths = {}
    for host in hosts:
        auths[rng.choice(SPELLINGS).format(host or "docker.io")] = an_entry(rng)
        if rng.random() < 0.3:
            auths[host] = an_entry(rng)
    keys = rng.sample(OTHER_KEYS, rng.randint(0, 3))
    if "index.docker.io" not in hosts and rng.random() < 0.5:
        keys.append(rng.choice(HUB_KEYS))
    for key in keys:
        auths[key] = an_entry(rng)
    document = {rng.choice(["auths", "auths", "auths", "Auths"]): auths}
    if rng.random() < 0.3:
        helpers = {rng.choice(hosts): rng.choice(["one", "none", "", "wrong"])}
        document[rng.choice(["credHelpers", "credhelpers"])] = helpers
    if rng.random() < 0.15:
        document["credsStore"] = rng.choice(["one", "none", ""])
    if rng.random() < 0.2:
        document["HttpHeaders"] = {"X-Meta": "a"}
    if rng.random() < 0.1:
        document["nobody knows"] = [1, {"auths": {}}]
    host = rng.choice(hosts)
    image = f"{host}/team/app" if host else rng.choice(["alpine", "team/app"])
    return a_text(rng, document), image


def a_text(rng, document):
    text = json.dumps(document, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.1:
        text += rng.choice([" ", "\n", "\n\ntext", "{}", "]"])
    if rng.random() < 0.05:
        text = rng.choice(["\ufeff", " ", "\n"]) + text
    return text


HELPERS = {
    "one": 'echo \'{"ServerURL":"x","Username":"helper","Secret":"of the helper"}\'',
    "none": "echo credentials not found in native keychain; exit 1",
    "wrong": "echo something else; exit 1",
}

# Keys that newer ones read as URLs; 20.10 takes `http://` and `https://` off, and cuts at a slash.
# https://github.com/docker/cli/blob/v20.10.24/cli/config/credentials/file_store.go
NO_URL_TO_20 = re.compile(r'"(?:HTTPS:|ftp:|https://user@|https://[^"]*\?)')

# Errors of `resolve` in cases that Docker ignores or decides at random.
WHY = {
    "config-damaged": "docker warns, and reads nothing of the file",
    "config-mistyped": "docker warns, and drops every login of the file",
    "login-unreadable": "docker drops this login, or others, by chance",
    "helper-missing": "docker goes on without a login",
    "helper-failed": "docker goes on without a login",
}


@pytest.fixture(name="engine")
def _engine(tmp_path):
    engine = TellingEngine(tmp_path)
    yield engine
    engine.close()


@pytest.fixture(name="bin")
def _bin(tmp_path):
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in HELPERS.items():
        path = folder / f"docker-credential-{name}"
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
    return folder


def resolved(image, environ):
    try:
        credential = resolve(image, environ=environ)
    except RegistryError as exc:
        return exc.code
    if credential is None:
        return {}
    secret = credential.secret.reveal()
    if credential.is_identity_token:
        return {"identitytoken": secret}
    return {"username": credential.username, "password": secret}


def compare_all(compare, cases):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(compare, n, *case) for n, case in enumerate(cases)]:
            done.result()


def login_in(sent):
    """
    Return the members of an AuthConfig that identify the user.
    """
    if sent.get("identitytoken"):
        return {"identitytoken": sent["identitytoken"]}
    pair = {k: v for k, v in sent.items() if k in ("username", "password") and v}
    return pair if len(pair) == 2 else {}  # an engine makes nothing of half of it


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_resolve_finds_the_credential_that_docker_sends(engine, bin, tmp_path, chunk):  # noqa: A002
    rng = random.Random(chunk)
    dockers = command_lines()
    seen = collections.Counter()
    differences = []

    def compare(number, text, image):
        home = tmp_path / f"home{number}"
        (home / ".docker").mkdir(parents=True)
        (home / ".docker" / "config.json").write_text(text, encoding="utf-8")
        environ = {"HOME": str(home), "PATH": f"{bin}:{os.environ['PATH']}"}
        found = resolved(image, environ)
        for version, docker in dockers.items():
            sent, why = engine.sent(docker, image, environ)
            ours = f"docker {version}, {image}: {found} here, {sent} there {why}\n{text}"
            if isinstance(found, str):
                seen[found] += 1
                if found not in WHY:
                    differences.append(ours)
            elif version.startswith("20.") and sent == {} and NO_URL_TO_20.search(text):
                seen["no URL to 20.10"] += 1
            elif sent is None or login_in(sent) != found:
                differences.append(ours)
            else:
                seen["the same" if found else "nothing"] += 1

    compare_all(compare, [a_file(rng) for _ in range(CHUNK)])

    print(dict(seen))
    assert [] == differences, "\n\n".join(differences)
    assert seen["the same"] > CHUNK / 4
    assert seen["nothing"] > CHUNK / 20


# auth.json, which podman and skopeo read, and which `resolve` reads if config.json has no login.

PARTS = ("{0}", "{0}", "{0}/team", "{0}/team/app", "{0}/team/other", "{0}/te", "https://{0}/v1/")
PLACES = ("reg.example", "reg.example:5000", "localhost:5000", "docker.io", "10.0.0.5:5000")


def an_auth_json(rng):
    """
    An auth.json, and a repository for which it may have a login.
    """
    places = rng.sample(PLACES, rng.randint(1, 3))
    auths = {}
    for place in places:
        for part in rng.sample(PARTS, rng.randint(1, 3)):
            name = f"user{len(auths)}"
            auths[part.format(place)] = rng.choice(
                [
                    *[{"auth": encoded(f"{name}:p")}] * 6,
                    {"auth": encoded(f"{name}:p:q"), "email": "x"},
                    {"auth": encoded(f"{name}:"), "identitytoken": "t"},
                    {"auth": encoded(f"{name}:p\0")},
                    {"username": name, "password": "p"},
                    {"auth": ""},
                    {},
                ]
            )
    document = {"auths": auths}
    if rng.random() < 0.3:
        document["credHelpers"] = {rng.choice(places): rng.choice(["one", "none"])}
    place = rng.choice(places)
    # Of Docker Hub's, one without a slash is an image of its library.
    repositories = ["team/app", "team/x/y", "x/y"] + ["team", "x"] * (place != "docker.io")
    return json.dumps(document), f"{place}/{rng.choice(repositories)}"


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_resolve_finds_the_credential_that_skopeo_finds(bin, tmp_path, chunk):  # noqa: A002
    rng = random.Random(1000 + chunk)
    skopeo = needed.program("skopeo", package="skopeo")
    seen = collections.Counter()
    differences = []

    def compare(number, text, image):
        home = tmp_path / f"home{number}"
        (home / ".config" / "containers").mkdir(parents=True)
        (home / ".config" / "containers" / "auth.json").write_text(text, encoding="utf-8")
        environ = {"HOME": str(home), "PATH": f"{bin}:{os.environ['PATH']}"}
        done = subprocess.run(
            [skopeo, "login", "--get-login", image],
            env=environ,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        theirs = done.stdout.strip() if done.returncode == 0 else ""
        found = resolved(image, environ)
        ours = found.get("username", found.get("identitytoken", "")) if found else ""
        # Its login with a token goes by the name beside it.
        same = ours == theirs or (ours == "t" and theirs.startswith("user"))
        seen["the same" if ours and same else "nothing" if same else "another"] += 1
        if not same:
            differences.append(f"{image}: {found} here, {theirs!r} there {done.stderr}\n{text}")

    compare_all(compare, [an_auth_json(rng) for _ in range(CHUNK)])

    print(dict(seen))
    assert [] == differences, "\n\n".join(differences)
    assert seen["the same"] > CHUNK / 4
    assert seen["nothing"] > CHUNK / 20
