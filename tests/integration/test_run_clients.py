# SPDX-License-Identifier: MIT
"""
The command `run` around docker, docker-py, skopeo, podman and the dev container CLI.

None of them has a login but those of the run, and each pulls from a real registry.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

import pytest
from doubles.command_line import set_for
from parts import needed
from parts.dockers import Dockers

USER, PASSWORD = "robot$ci", "p4$$-wörd"

DOCKER_PY = """
import docker, sys
client = docker.from_env()
try:
    client.images.pull(sys.argv[1])
finally:
    client.close()
"""

# A `credsStore` that has nothing, as on a machine that never logged in, and notes what it is asked.
STORE = """\
#!/bin/sh
[ "$1" != list ] || { echo '{}'; exit 0; }
echo "credentials not found in native keychain"
exit 1
"""
RUN = [os.path.join(os.path.dirname(sys.executable), "devcontainer-registry"), "run", "--"]


class Machine:
    """
    A client with the variables of a set, and an image that only this set can pull.
    """

    def __init__(self, client, engine, registry):
        self.client, self.engine = client, engine
        self.image = f"{registry}/team/app:latest"
        self.registry = registry
        self.sets = set_for(registry, USER, PASSWORD)
        client.environ |= {"DOCKER_HOST": engine.host, **self.sets}

    def write(self, config):
        self.text = json.dumps(config)
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            file.write(self.text)

    def run(self, *argv, **options):
        """
        Run *argv* with the logins of a run.
        """
        return self.client.run(*RUN, *argv, **options)

    def has_changed(self):
        with open(self.client.config_path, encoding="utf-8") as file:
            return self.text != file.read()


@pytest.fixture(name="machine")
def _machine(client, engine, registry_htpasswd):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    machine = Machine(client, engine, registry_htpasswd.registry)
    engine.import_busybox(machine.image)
    pushed = machine.run("docker", "push", machine.image)
    engine.remove_image(machine.image)
    assert 0 == pushed.returncode, pushed.stderr
    machine.write({"auths": {"other.example": {}}})
    return machine


def add_store(machine, folder):
    folder.mkdir()
    store = folder / "docker-credential-empty"
    store.write_text(STORE)
    store.chmod(0o755)
    machine.client.environ["PATH"] += f":{folder}"
    machine.write({"auths": {machine.registry: {}}, "credsStore": "empty"})


def publish_feature(machine):
    """
    Publish a Feature that leaves a file in the image.
    """
    folder = os.path.join(machine.client.home, "src", "hello")
    os.makedirs(folder)
    with open(os.path.join(folder, "devcontainer-feature.json"), "w", encoding="utf-8") as file:
        json.dump({"id": "hello", "version": "1.0.0", "name": "Hello"}, file)
    with open(os.path.join(folder, "install.sh"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\necho hello >/usr/local/hello\n")
    return machine.run(
        *(needed.devcontainer_cli(), "features", "publish", os.path.dirname(folder)),
        *("--registry", machine.registry, "--namespace", "team/features"),
    )


def test_docker_and_compose_have_the_login(machine):
    dockers = Dockers(machine.client, machine.engine, enter=RUN)
    commands = ("pull", "build", "buildkit", "compose up")

    without = Dockers(machine.client, machine.engine).run("pull", machine.image)

    assert 0 != without.returncode
    assert [] == [each for each in commands if dockers.run(each, machine.image).returncode]
    assert not machine.has_changed()


def test_a_credential_store_does_not_hide_the_login_from_any_client(machine, tmp_path):
    add_store(machine, tmp_path / "store")
    dockers = Dockers(machine.client, machine.engine, enter=RUN)

    assert list(Dockers.COMMANDS) == dockers.working(machine.image)
    pulled = machine.run(sys.executable, "-c", DOCKER_PY, machine.image)
    machine.engine.remove_image(machine.image)
    seen = machine.run("skopeo", "inspect", "--tls-verify=false", f"docker://{machine.image}")
    published = publish_feature(machine)
    feature = f"{machine.registry}/team/features/hello:1"
    fetched = machine.run(needed.devcontainer_cli(), "features", "info", "manifest", feature)

    for done in (pulled, seen, published, fetched):
        assert 0 == done.returncode, done.stdout + done.stderr
    assert not machine.has_changed()


def test_a_credential_store_that_is_missing_is_left_out_for_a_classic_build(machine):
    """
    Which lists the store before it asks our helper.
    """
    machine.write({"credsStore": "missing"})

    done = Dockers(machine.client, machine.engine, enter=RUN).run("build", machine.image)

    assert 0 == done.returncode, done.stderr
    assert not machine.has_changed()


def test_docker_has_the_users_contexts_and_the_one_in_use(client):
    del client.environ["DOCKER_HOST"]
    for words in (("create", "mine", "--docker=host=unix:///mine.sock"), ("use", "mine")):
        done = client.docker("context", *words)
        assert 0 == done.returncode, done.stderr

    shown = client.run(*RUN, "docker", "context", "inspect", "--format={{.Endpoints.docker.Host}}")

    assert "unix:///mine.sock\n" == shown.stdout


def test_a_login_that_expires_is_renewed_while_the_command_runs(client, moto, tmp_path):
    """
    By docker's call of our helper, with the secrets in the file that the run was given.
    """
    host = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
    key_id, key = moto.make_key(account="111111111111")
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps(set_for(host, key_id, key)))
    client.environ["AWS_ENDPOINT_URL"] = moto.endpoint
    script = f"""\
import json, os, subprocess
with open(os.environ["DOCKER_CONFIG"] + "/config.json") as file:
    helper = json.load(file)["credHelpers"]["{host}"]
path = os.environ["DEVCONTAINER_REGISTRY_CACHE_DIR"] + "/{host}.json"
with open(path) as file:
    entry = json.load(file)
entry["issued_at"], entry["expires_at"] = 1.0, 2.0
with open(path, "w") as file:
    json.dump(entry, file)
got = subprocess.run(
    ["docker-credential-" + helper, "get"], input="{host}", text=True, capture_output=True
)
print(json.loads(got.stdout)["Username"])
"""

    done = client.product(
        *("run", "--verify=never", f"--secrets-file={secrets}"),
        *("--", sys.executable, "-c", script),
    )

    assert (0, "AWS\n", "") == (done.returncode, done.stdout, done.stderr)
    assert ["GetAuthorizationToken"] * 2 == [call.action for call in moto.calls]


def test_podman_and_skopeo_have_the_login_where_the_user_has_an_auth_json(machine):
    needed.program("podman", package="podman")
    own = os.path.join(machine.client.environ["XDG_RUNTIME_DIR"], "containers", "auth.json")
    os.mkdir(os.path.dirname(own))
    with open(own, "w", encoding="utf-8") as file:
        json.dump({"credHelpers": {machine.registry: "of-somebody"}}, file)
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        podman = (
            *("podman", f"--root={folder}/root", f"--runroot={folder}/run"),
            *("--storage-driver=vfs", "pull", "--quiet", "--tls-verify=false", machine.image),
        )
        pulled, without = machine.run(*podman), machine.client.run(*podman)
    copy = ("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{machine.image}")
    seen = machine.run(*copy)

    assert 0 == pulled.returncode, pulled.stderr
    assert 0 != without.returncode
    assert 0 == seen.returncode, seen.stderr
    with open(own, encoding="utf-8") as file:
        assert {"credHelpers": {machine.registry: "of-somebody"}} == json.load(file)
