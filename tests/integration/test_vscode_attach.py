# SPDX-License-Identifier: MIT
"""
VS Code attaches and rewrites config.json; pulls still work.
"""

from __future__ import annotations

import json
import os
import threading

import pytest
from doubles.command_line import only, set_for
from parts.localbin import LocalBin
from parts.vscode import VsCode

ALICE = ("alice", "in wonder:land")

DOCKER_PY = """
import docker, sys
client = docker.from_env()
try:
    print(client.images.pull(sys.argv[1]).tags[0])
finally:
    client.close()
"""


class Container:
    """
    A container with its own /usr/local/bin, a registry with a private image, and VS Code.
    """

    def __init__(self, client, registry, local_bin):
        self.client, self.registry, self.enter = client, registry.registry, local_bin.enter
        self.image = f"{self.registry}/team/app:latest"
        self.bin, self.install_helper = local_bin.bin, local_bin.install_helper
        self.vscode = VsCode(client, "/usr/local/bin", enter=self.enter)
        self.sets = set_for(self.registry, *ALICE)
        client.environ["PATH"] = os.pathsep.join(("/usr/local/bin", client.environ["PATH"]))

    def hook(self, step):
        return self.client.product("hook", step, enter=self.enter, **self.sets)

    def hook_document(self, step):
        return self.client.product("hook", step, "--json", enter=self.enter, **self.sets)

    def pulls(self, engine, **environ):
        """
        Return the names of the clients that can pull the image.
        """
        got = []
        options = {"enter": self.enter, "DOCKER_HOST": engine.host, **environ}
        for name, pull in (
            ("docker", lambda: self.client.docker("pull", self.image, **options)),
            ("docker-py", lambda: self.client.python(DOCKER_PY, self.image, **options)),
            (
                "skopeo",
                lambda: self.client.skopeo(
                    "inspect", "--tls-verify=false", f"docker://{self.image}", **options
                ),
            ),
        ):
            try:
                done = pull()
            finally:
                engine.remove_image(self.image)
            if done.returncode == 0:
                got.append(name)
        return got


@pytest.fixture(name="container")
def _container(tmp_path, client, registry_htpasswd, image_layout):
    folder = tmp_path / "overlay"
    folder.mkdir()
    with LocalBin(folder) as local_bin:
        container = Container(client, registry_htpasswd, local_bin)
        seed(container, image_layout)
        yield container


def seed(container, layout):
    done = container.client.skopeo(
        *("copy", "--dest-tls-verify=false", "--dest-creds", ":".join(ALICE)),
        *(f"oci:{layout}:latest", f"docker://{container.image}"),
    )
    assert 0 == done.returncode, done.stderr


EVERYBODY = ["docker", "docker-py", "skopeo"]


def test_the_vs_code_helper_fails_outside_its_shells_and_is_empty_inside(container):
    container.vscode.attach()
    name = f"docker-credential-{container.client.config()['credsStore']}"

    outside = container.client.run(name, "get", stdin="ghcr.io", enter=container.enter)
    inside = container.client.run(
        name, "get", stdin="ghcr.io", enter=container.enter, **container.vscode.in_its_shell
    )

    assert (255, "") == (outside.returncode, outside.stdout)
    assert (1, "credentials not found in native keychain\n") == (inside.returncode, inside.stdout)


@pytest.mark.parametrize("shell", ["its own", "another"])
def test_pulls_work_after_vs_code_attached_if_every_process_finds_our_helper(
    engine, container, shell
):
    container.install_helper()
    container.hook("postCreate")
    container.vscode.attach()
    store = container.client.config()["credsStore"]

    attached = container.hook("postAttach")

    environ = container.vscode.in_its_shell if shell == "its own" else {}
    assert 0 == attached.returncode
    assert store == container.client.config()["credsStore"]
    assert EVERYBODY == container.pulls(engine, **environ)


def test_a_login_that_vs_code_overwrote_is_repaired_at_attach(engine, container):
    """
    The worst order: its read, our write, its overwrite.
    """
    container.install_helper()
    read = container.vscode.read()
    container.hook("postStart")
    container.vscode.write(read)
    lost = container.client.config()

    attached = container.hook("postAttach")

    config = container.client.config()
    assert ["credsStore"] == list(lost)
    assert attached.stdout.startswith("logged in")
    assert lost["credsStore"] == config["credsStore"]
    assert {container.registry: "devcontainer-registry"} == config["credHelpers"]
    assert EVERYBODY == container.pulls(engine)


def test_other_entries_survive_the_overwrite_and_our_repair(container):
    container.install_helper()
    container.client.log_in_by_hand("other.example", "bob", "an old secret")
    read = container.vscode.read()
    before = container.client.config()["auths"]["other.example"]
    container.hook("postStart")
    container.vscode.write(read)

    container.hook("postAttach")

    assert before == container.client.config()["auths"]["other.example"]


def test_a_reconnect_is_quiet_and_does_not_change_our_login(container):
    container.install_helper()
    container.hook("postCreate")
    container.vscode.attach()
    container.hook("postAttach")
    container.vscode.attach()
    before = container.client.config()

    attached = container.hook("postAttach")

    assert (0, "", "") == (attached.returncode, attached.stdout, attached.stderr)
    assert before == container.client.config()


def test_without_our_helper_the_hidden_login_is_reported(container):
    container.hook("postCreate")
    container.vscode.attach()

    outcome = only(container.hook_document("postAttach"))

    assert ("ok", "hidden-by-credsstore") == (outcome["status"], outcome["code"])
    assert "dev.containers.dockerCredentialHelper" in outcome["error"]["hint"]


def test_without_our_helper_docker_and_skopeo_pull_outside_vs_code_shells(engine, container):
    """
    Docker ignores the failure of its helper and sends the entry in the file; docker-py raises.
    """
    read = container.vscode.read()
    container.hook("postStart")
    container.vscode.write(read)

    container.hook("postAttach")

    assert ["docker", "skopeo"] == container.pulls(engine)


def test_nothing_is_hidden_if_the_vs_code_helper_is_disabled(engine, container):
    """
    With `"dev.containers.dockerCredentialHelper": false`, as the hint says.
    """
    container.hook("postCreate")

    outcome = only(container.hook_document("postAttach"))

    assert ("unchanged", None) == (outcome["status"], outcome["code"])
    assert EVERYBODY == container.pulls(engine)


def test_the_last_hook_repairs_any_overwrite_during_our_hooks(container):
    """
    It truncates the file and then fills it: a hook may read half of it, or nothing.
    """
    container.install_helper()
    container.client.log_in_by_hand("other.example", "bob", "an old secret")
    over = threading.Event()

    def attach_again_and_again():
        while not over.is_set():
            container.vscode.attach()

    thread = threading.Thread(target=attach_again_and_again)
    thread.start()
    try:
        steps = [container.hook(step) for step in ("postCreate", "postStart", "postAttach") * 3]
    finally:
        over.set()
        thread.join()
    last = container.hook("postAttach")

    config = container.client.config()
    assert {0} == {step.returncode for step in (*steps, last)}
    assert {container.registry: "devcontainer-registry"} == config["credHelpers"]
    assert config["credsStore"].startswith("dev-containers-")
    assert "other.example" in config["auths"]


def test_a_helper_left_behind_by_vs_code_breaks_no_pull(engine, container):
    """
    After a rebuild the file may be on a volume, and its helper is gone with the old container.
    """
    container.install_helper()
    container.vscode.attach()
    helper = f"docker-credential-{container.client.config()['credsStore']}"
    os.unlink(os.path.join(container.bin, helper))

    container.hook("postCreate")

    assert EVERYBODY == container.pulls(engine)
    assert json.loads(container.hook_document("postStart").stdout)["changed"] is False
