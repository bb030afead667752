# SPDX-License-Identifier: MIT
"""
A registry that Compose brings up, in whatever engine there is.
"""

from __future__ import annotations

import importlib.util
import os
import shlex
import socket

import bcrypt
import pytest
from parts import devcontainers, needed, slices

USER = "alice"
PASSWORD = "in wonder:land"


@pytest.fixture(name="registry_port", scope="session")
def _registry_port():
    # With the host's network a container gets no port of its own.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@pytest.fixture(name="docker_compose_file", scope="session")
def _docker_compose_file():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "registries.compose.yml")


@pytest.fixture(name="docker_compose_command", scope="session")
def _docker_compose_command(engine, registry_port, tmp_path_factory):
    """
    What pytest-docker runs, by a shell: Compose, with the engine that the tests have.
    """
    package = importlib.util.find_spec("compose")
    if package is None:
        needed.missing("Compose is not installed: run ./dev setup")
    path = tmp_path_factory.mktemp("registry-image") / "image.tar"
    hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
    slices.write_registry(path, f"{USER}:{hashed}\n")
    image = engine.import_tar("devcontainer-registry-test/registry", str(path))
    compose = os.path.join(os.path.dirname(package.origin), "docker-compose")
    host = shlex.quote(f"DOCKER_HOST={engine.host}")
    yield f"env {host} REGISTRY_PORT={registry_port} {shlex.quote(compose)}"
    engine.remove_image(image)


@pytest.fixture(name="registry")
def _registry(docker_services, registry_port):
    def answers():
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", registry_port)) == 0

    docker_services.wait_until_responsive(check=answers, timeout=30, pause=0.1)
    return f"localhost:{registry_port}"


@pytest.mark.xdist_group("engine")
def test_a_registry_of_a_compose_file_takes_our_login(registry, client, image_layout):
    logged_in = client.product("login", **devcontainers.secrets(registry, USER, PASSWORD))
    pushed = client.skopeo(
        "copy", "--dest-tls-verify=false", f"oci:{image_layout}:latest", f"docker://{registry}/a:1"
    )

    assert logged_in.returncode == 0, logged_in.stderr
    assert pushed.returncode == 0, pushed.stderr


@pytest.mark.xdist_group("engine")
def test_a_registry_of_a_compose_file_takes_no_other(registry, client):
    refused = client.product("login", **devcontainers.secrets(registry, USER, "another"))

    assert 4 == refused.returncode
