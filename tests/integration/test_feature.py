# SPDX-License-Identifier: MIT
"""
The Feature, in containers that the dev container CLI brings up.
"""

from __future__ import annotations

import base64
import json

import pytest
from parts import devcontainers

USER = "alice"
PASSWORD = "in wonder:land"
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

# What every way of saying `image` ends in.
_DOCKERFILE = "FROM devcontainer-registry-test/slice\n"
_COMPOSE = """\
services:
  app:
    image: devcontainer-registry-test/slice
    command: sleep infinity
    network_mode: host
"""


def lines(result, word="CORP_"):
    """
    What `up` said about a set: the dev container CLI masks a server, since it is a secret.
    """
    return [line for line in result.stderr.splitlines() if word in line]


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    for secret in (PASSWORD, AUTH):
        assert secret not in result.stdout + result.stderr
    return result


def test_one_line_in_devcontainer_json_lets_the_user_pull(
    container, registry_htpasswd, private_image, client, tmp_path
):
    one = container()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = succeeded(one.up())

    said = lines(up)
    assert 1 == len(said), up.stderr
    assert "logged in" in said[0]

    pulled = one.run("docker", "pull", private_image)
    assert pulled.returncode == 0, pulled.stderr
    one.docker("rmi", private_image)

    # The file itself, as it is in there, for a client that the image does not have.
    there = tmp_path / "config.json"
    there.write_text(json.dumps(one.config()))
    copied = client.skopeo(
        "copy",
        "--src-tls-verify=false",
        f"--authfile={there}",
        f"docker://{private_image}",
        f"oci:{tmp_path}/copied:1",
    )
    assert copied.returncode == 0, copied.stderr


def test_a_start_that_finds_all_as_it_was_writes_nothing_and_says_nothing(
    container, registry_htpasswd
):
    one = container()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)
    succeeded(one.up())
    before = one.changed_at()
    one.docker("stop", "--time=0", one.id)

    again = succeeded(one.up())

    assert "Running the postStartCommand from Feature" in again.stderr
    assert [] == lines(again)
    assert before == one.changed_at()


def test_a_secret_that_changed_changes_its_entry_only(container, start_registry):
    corp, other = start_registry(), start_registry({"bob": "builder", "robot": "new"})
    one = container()
    one.secrets = {
        **devcontainers.secrets(corp.registry, USER, PASSWORD),
        **devcontainers.secrets(other.registry, "bob", "builder", name="OTHER"),
    }
    succeeded(one.up())
    before = one.config()["auths"]
    one.secrets.update(devcontainers.secrets(other.registry, "robot", "new", name="OTHER"))
    one.docker("stop", "--time=0", one.id)

    again = succeeded(one.up())

    auth = base64.b64encode(b"robot:new").decode()
    assert {**before, other.registry: {"auth": auth}} == one.config()["auths"]
    assert [] == lines(again)
    assert 1 == len(lines(again, "OTHER_"))


def test_a_registry_that_is_gone_or_refuses_lets_the_container_start_and_is_named(
    container, start_registry
):
    gone, refusing = start_registry(), start_registry({"bob": "builder"})
    gone.stop()
    one = container()
    one.secrets = {
        **devcontainers.secrets(gone.registry, USER, PASSWORD, name="GONE"),
        **devcontainers.secrets(refusing.registry, USER, PASSWORD, name="NO"),
    }

    up = succeeded(one.up())

    assert "success" == json.loads(up.stdout)["outcome"]
    assert "unverified" in up.stderr
    assert "refused" in up.stderr
    assert [USER] == refusing.refusals()
    assert refusing.registry not in one.config()["auths"]


@pytest.mark.parametrize("way", ["dockerfile", "compose"])
def test_a_dockerfile_and_a_compose_file_do_as_well(container, registry_htpasswd, client, way):
    given = {
        "dockerfile": {"build": {"dockerfile": "Dockerfile"}},
        "compose": {
            "dockerComposeFile": "compose.yml",
            "service": "app",
            "workspaceFolder": "/workspaces",
        },
    }[way]
    one = container(given)
    if way == "compose":
        devcontainers.link_compose(client)
    one.write("Dockerfile", _DOCKERFILE)
    one.write("compose.yml", _COMPOSE)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = succeeded(one.up())

    assert 1 == len(lines(up))
    assert {registry_htpasswd.registry: {"auth": AUTH}} == one.config()["auths"]


def test_a_prebuild_without_secrets_says_nothing_and_the_start_after_it_logs_in(
    container, registry_htpasswd
):
    one = container()

    prebuilt = succeeded(one.up("--prebuild"))
    none = one.run("ls", "-A", "/home/dev").stdout.split()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)
    up = succeeded(one.up())

    assert [] == lines(prebuilt, "REGISTRY")
    assert ".docker" not in none
    assert ".cache" not in none
    assert 1 == len(lines(up))
    assert [registry_htpasswd.registry] == list(one.config()["auths"])


def test_a_prebuild_with_secrets_keeps_none_of_them(container, registry_htpasswd):
    one = container()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    succeeded(one.up("--prebuild"))

    assert not one.holds(PASSWORD)
    assert not one.holds(AUTH)
    assert not one.holds(registry_htpasswd.registry)


def test_a_prebuild_keeps_them_where_that_was_asked_for_and_says_so(container, registry_htpasswd):
    one = container(onCreate=True)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    prebuilt = succeeded(one.up("--prebuild"))

    assert "snapshot" in prebuilt.stderr
    assert one.holds(AUTH)
