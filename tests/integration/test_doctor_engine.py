# SPDX-License-Identifier: MIT
"""
Facts that only the Docker Engine knows of a pull: its certificates, proxy, DNS and socket.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import pytest
from doubles.homes import encoded
from doubles.private_user import need_public_python
from parts import needed, netns
from parts.engine import Engine
from parts.processes import Background

USER, PASSWORD = "alice", "in wonder:land"
DOCKER = re.compile(r"Docker \d+\.\d+\S*")


class Place:
    """
    A network with a registry, an engine and the command.
    """

    def __init__(self, folder, network, registry, authority, image):
        self.network, self.registry, self.image = network, registry, image
        self.home = folder / "doctor"
        (self.home / ".docker").mkdir(parents=True, mode=0o700)
        host = registry.registry
        self.write({"auths": {host: {"auth": encoded(f"{USER}:{PASSWORD}")}}})
        self.environ = {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "SSL_CERT_FILE": authority.path,
        }
        self.trusting = {"SSL_CERT_FILE": authority.path}
        self._engines = []

    def write(self, document):
        path = self.home / ".docker" / "config.json"
        path.write_text(json.dumps(document))
        path.chmod(0o600)

    def engine(self, **options):
        engine = Engine.own(enter=self.network.enter, **options)
        self._engines.append(engine)
        self.environ.setdefault("DOCKER_HOST", engine.host)
        return engine

    def doctor(self, image=None, *, before=(), **environ):
        command = [sys.executable, "-m", "devcontainer_registry", "doctor", image or self.image]
        done = self.network.run(
            [*before, *command, "--json"],
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert "" == done.stderr
        (found,) = json.loads(done.stdout)["images"]
        return done.returncode, found

    def logins(self):
        """
        Return the number of requests with an accepted login that the engine itself made.
        """
        return sum(r.accepted and "docker/" in r.agent for r in self.registry.requests())

    def close(self):
        for engine in self._engines:
            engine.stop()


@pytest.fixture(name="place")
def _place(tmp_path, registry_elsewhere, network, authority, client, image_layout):  # noqa: PLR0917
    if os.geteuid() != 0:
        needed.missing("only root can start an engine")
    image = f"{registry_elsewhere.registry}/team/app:1"
    pushed = network.run(
        [
            needed.program("skopeo", package="skopeo"),
            "copy",
            f"--dest-creds={USER}:{PASSWORD}",
            f"oci:{image_layout}:latest",
            f"docker://{image}",
        ],
        env={**client.environ, "SSL_CERT_FILE": authority.path},
        capture_output=True,
        text=True,
    )
    assert pushed.returncode == 0, pushed.stderr
    place = Place(tmp_path, network, registry_elsewhere, authority, image)
    yield place
    place.close()


def step(found, name):
    return next(step for step in found["steps"] if step["step"] == name)


def words(found):
    cause = found["cause"]
    return cause["code"], cause["message"], cause["hint"]


def test_an_engine_that_can_read_the_image_is_reported(place):
    place.engine(environ=place.trusting)

    status, found = place.doctor()

    assert (0, True, None) == (status, found["ok"], found["cause"])
    seen = step(found, "engine")
    assert "ok" == seen["status"]
    assert DOCKER.match(seen["message"])
    assert place.logins() > 0


def test_a_certificate_that_only_the_engine_does_not_trust_is_reported(place):
    place.engine()
    host = place.registry.registry

    status, found = place.doctor()

    assert 5 == status
    assert (
        "engine-certificate",
        (f"this machine trusts the certificate of {host}, but the Docker Engine does not"),
        (f"put its CA certificate at /etc/docker/certs.d/{host}/ca.crt on the engine's machine"),
    ) == words(found)
    assert ["ok", "ok"] == [step(found, name)["status"] for name in ("login", "image")]


def test_a_proxy_that_only_the_engine_uses_is_reported(place):
    place.engine(environ={**place.trusting, "HTTPS_PROXY": "http://user:secret@127.0.0.1:9"})
    host = place.registry.registry

    status, found = place.doctor()

    assert 5 == status
    assert (
        "engine-proxy",
        "the Docker Engine cannot reach its proxy 127.0.0.1:9",
        f'correct "proxies" in the engine\'s daemon.json, or add {host} to its no-proxy list',
    ) == words(found)
    assert "secret" not in json.dumps(found)


def test_a_name_that_only_the_engine_cannot_resolve_is_reported(place, mounts, tmp_path):
    place.engine(environ=place.trusting)
    hosts = tmp_path / "hosts"
    hosts.write_text(f"127.0.0.1 localhost\n{netns.ADDRESS} {netns.NAME}\n")
    before = mounts(f"mount --bind {hosts} /etc/hosts")
    name = f"{netns.NAME}:{place.registry.port}"
    place.write({"auths": {name: {"auth": encoded(f"{USER}:{PASSWORD}")}}})

    status, found = place.doctor(f"{name}/team/app:1", before=before)

    assert 5 == status
    assert (
        "engine-name-not-resolved",
        f"this machine can resolve {name}, but the Docker Engine cannot",
        'correct the DNS of the engine\'s machine, or set "dns" in its daemon.json',
    ) == words(found)


def test_mirrors_and_insecure_registries_are_facts_of_the_engine(place):
    config = {"registry-mirrors": ["https://mirror.test"], "insecure-registries": ["old.test:5000"]}
    place.engine(config=config, environ=place.trusting)

    _, found = place.doctor()

    facts = step(found, "engine")["facts"]
    assert (["mirror.test:443"], ["old.test:5000"]) == (facts["mirrors"], facts["insecure"])


def test_an_engine_without_tls_is_asked_without_the_login(place):
    place.engine(environ=place.trusting, arguments=["--host=tcp://127.0.0.1:2375"])

    status, found = place.doctor(DOCKER_HOST="tcp://127.0.0.1:2375")

    seen = step(found, "engine")
    assert (0, "skipped") == (status, seen["status"])
    assert seen["message"].endswith("its connection is not encrypted, so no login was sent")
    assert 0 == place.logins()


def test_the_current_docker_context_is_used(place):
    engine = place.engine(environ=place.trusting)
    del place.environ["DOCKER_HOST"]
    docker = needed.program("docker", package="docker.io")
    for command in (["create", "here", f"--docker=host={engine.host}"], ["use", "here"]):
        subprocess.run(
            [docker, "context", *command], env=place.environ, check=True, capture_output=True
        )

    status, found = place.doctor()

    assert (0, "ok") == (status, step(found, "engine")["status"])

    status, found = place.doctor(DOCKER_CONTEXT="gone")

    assert (
        "engine-no-context",
        "DOCKER_CONTEXT names the docker context gone, which does not exist",
        "run docker context ls, then docker context use with one of these",
    ) == words(found)


def test_a_socket_without_permission_is_reported(place):
    need_public_python()
    engine = place.engine(environ=place.trusting)
    path = engine.host.removeprefix("unix://")
    os.chmod(path, 0o600)
    os.chmod(os.path.dirname(path), 0o755)
    for parent in (place.home, *place.home.parents):
        if os.stat(parent).st_uid == 0 and str(parent).count("/") > 1:
            os.chmod(parent, 0o755)
    os.chmod(place.home / ".docker" / "config.json", 0o644)
    os.chmod(place.home / ".docker", 0o755)
    bundle = place.home / "ca.crt"
    shutil.copy(place.trusting["SSL_CERT_FILE"], bundle)
    bundle.chmod(0o644)
    setpriv = needed.program("setpriv", package="util-linux")

    status, found = place.doctor(
        before=[setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"],
        SSL_CERT_FILE=str(bundle),
    )

    assert 5 == status
    code, message, fix = words(found)
    assert "engine-no-permission" == code
    assert f"permission denied on the Docker Engine's socket {path}" == message
    assert fix.endswith("and log in again, or use sudo")


@pytest.fixture(name="podman")
def _podman(tmp_path):
    """
    The socket of a podman that stores everything in its own folder.
    """
    podman = needed.program("podman", package="podman")
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        path = os.path.join(folder, "podman.sock")
        process = Background(
            [
                podman,
                f"--root={folder}/root",
                f"--runroot={folder}/run",
                "--storage-driver=vfs",  # which mounts nothing
                "system",
                "service",
                "--time=0",
                f"unix://{path}",
            ],
            log=str(tmp_path / "podman.log"),
            env={"PATH": os.environ["PATH"], "HOME": folder},
        )
        try:
            process.wait_until(lambda: os.path.exists(path), seconds=60)
            yield f"unix://{path}"
        finally:
            process.stop()


def test_podman_in_place_of_docker_engine_is_reported(place, podman):
    status, found = place.doctor(DOCKER_HOST=podman)

    seen = step(found, "engine")
    assert (0, "skipped", "podman") == (status, seen["status"], seen["facts"]["name"])
    assert re.match(r"podman \S+ looks no image up for others: not checked", seen["message"])


def test_an_unreachable_engine_is_reported_with_its_setting(place):
    status, found = place.doctor(DOCKER_HOST="unix:///nonexistent/docker.sock")

    assert (
        "engine-unreachable",
        "no Docker Engine answers at /nonexistent/docker.sock (DOCKER_HOST)",
        "start Docker, or correct DOCKER_HOST",
    ) == words(found)
    assert 5 == status
