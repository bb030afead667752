# SPDX-License-Identifier: MIT
"""
A login that is in our helper and nowhere else, used by clients that nobody here wrote.
"""

from __future__ import annotations

import json
import os
import sys

import pytest
from runs import only, set_for

NAME = "docker-credential-devcontainer-registry"
ALICE = ("alice", "in wonder:land")
ROBOT = ("robot$ci", "p4$$-wörd")

# What another helper, named by `credsStore`, does when it is asked.
STORES = {
    "not-found": 'echo "credentials not found in native keychain"; exit 1',
    "garbage": "echo nonsense",
    "failing": "exit 255",
    "missing": None,
}


@pytest.fixture(name="served", params=["registry_htpasswd", "registry_token"])
def _served(request, client, image_layout, tmp_path):
    """
    A client with our helper on its PATH, the registry that it is logged in to, and an image there.
    """
    registry = request.getfixturevalue(request.param).registry
    user = ROBOT if request.param == "registry_htpasswd" else ALICE
    folder = tmp_path / "helpers"
    folder.mkdir()
    (folder / NAME).symlink_to(os.path.join(os.path.dirname(sys.executable), NAME))
    client.environ["PATH"] = f"{folder}:{client.environ['PATH']}"
    done = client.product("login", "--json", "--store", "helper", **set_for(registry, *user))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["credHelpers"] == only(done)["kept_in"]
    image = f"{registry}/team/app:latest"
    pushed = client.skopeo(
        "copy", "--dest-tls-verify=false", f"oci:{image_layout}:latest", f"docker://{image}"
    )
    assert 0 == pushed.returncode, pushed.stderr
    return client, registry, image


def test_no_secret_is_in_config_json(served):
    client, registry, _ = served

    assert {"credHelpers": {registry: "devcontainer-registry"}} == client.config()


def test_docker_reads_a_manifest(served):
    client, _, image = served

    done = client.docker("manifest", "inspect", "--insecure", image)

    assert 0 == done.returncode, done.stderr
    assert 2 == json.loads(done.stdout)["schemaVersion"]


def test_docker_pulls_through_an_engine(engine, served):
    client, _, image = served

    try:
        done = client.docker("pull", image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(image)

    assert 0 == done.returncode, done.stderr


def test_docker_py_pulls_through_an_engine(engine, served):
    client, _, image = served
    script = """
import docker, sys
client = docker.from_env()
try:
    print(client.images.pull(sys.argv[1]).tags[0])
finally:
    client.close()
"""

    try:
        done = client.python(script, image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(image)

    assert f"{image}\n" == done.stdout, done.stderr


def test_skopeo_copies(served, tmp_path):
    client, _, image = served

    done = client.skopeo(
        "copy", "--src-tls-verify=false", f"docker://{image}", f"oci:{tmp_path}/copy:latest"
    )

    assert 0 == done.returncode, done.stderr


@pytest.mark.parametrize("store", STORES)
def test_docker_gets_ours_whatever_the_store_does(engine, served, store, tmp_path):
    client, _, image = served
    name, script = f"docker-credential-{store}", STORES[store]
    if script is not None:
        path = tmp_path / "helpers" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
    config = {**client.config(), "credsStore": store}
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump(config, file)

    try:
        done = client.docker("pull", image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(image)

    assert 0 == done.returncode, done.stderr


def test_a_login_by_hand_is_what_is_served(served):
    client, registry, image = served
    wrong = "some-other-password"

    stored = client.run(
        NAME, "store", stdin=json.dumps({"ServerURL": registry, "Username": "x", "Secret": wrong})
    )
    answer = client.run(NAME, "get", stdin=registry)
    done = client.docker("manifest", "inspect", "--insecure", image)

    assert 0 == stored.returncode, stored.stdout
    assert ("x", wrong) == tuple(json.loads(answer.stdout)[k] for k in ("Username", "Secret"))
    assert 0 != done.returncode


def test_docker_logout_forgets_it(served):
    client, registry, _ = served

    done = client.docker("logout", registry)
    answer = client.run(NAME, "get", stdin=registry)

    assert 0 == done.returncode, done.stderr
    assert (1, "credentials not found in native keychain\n") == (answer.returncode, answer.stdout)


def test_auto_does_not_delegate_to_a_helper_that_not_everybody_finds(registry_htpasswd, client):
    """
    So that `docker run` goes on working where our helper is not on PATH.
    """
    assert not os.path.exists(f"/usr/local/bin/{NAME}")
    registry = registry_htpasswd.registry
    store = {"credsStore": "missing"}
    os.makedirs(os.path.dirname(client.config_path), exist_ok=True)
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump(store, file)

    done = client.product("login", "--json", **set_for(registry, *ROBOT))

    assert 6 == done.returncode
    assert "hidden-by-credsstore" == only(done)["code"]
    assert "credHelpers" not in client.config()
