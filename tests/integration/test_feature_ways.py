# SPDX-License-Identifier: MIT
"""
The ways into a dev container, each through its whole life: the Feature with an image, a Dockerfile
and a compose file, hook scripts, a setup script, and somebody else's Feature.
"""

from __future__ import annotations

import base64
import json
import os
import shutil

import pytest
from parts import devcontainers, needed

USER = "alice"
PASSWORD = "in wonder:land"

# Each, and what it says of a login.  Our Feature is installed before one that depends on it, and
# so its hook has logged in before the other's script does.
WAYS = {
    "feature": "logged in",
    "dockerfile": "logged in",
    "compose": "logged in",
    "hooks": "logged in",
    "script": "script: CORP ok",
    "second": "script: CORP unchanged",
}

_DOCKERFILE = "FROM devcontainer-registry-test/slice\n"
_COMPOSE = """\
services:
  app:
    image: devcontainer-registry-test/slice
    command: sleep infinity
    network_mode: host
    group_add: ["{group}"]
    volumes: ["{socket}:/var/run/docker.sock"]
"""
_SCRIPT = """\
#!/usr/local/bin/devcontainer-registry-python
import devcontainer_registry

report = devcontainer_registry.login(verify="changed", timeout=5)
for one in report.outcomes:
    print("script:", one.id, one.status)
    if one.status != "unchanged":
        print(one.error or one.status, f"({one.source})")
"""
_SECOND = {
    "id": "second",
    "version": "1.0.0",
    "name": "Second",
    "postCreateCommand": "/usr/local/bin/second-setup",
    "postStartCommand": "/usr/local/bin/second-setup",
}


@pytest.fixture(name="installed", scope="session")
def _installed(engine, slice_image, feature, tmp_path_factory):
    """
    An image with the package in it, but not the Feature's lifecycle commands.
    """
    folder, wheel = feature
    context = tmp_path_factory.mktemp("installed") / "context"
    shutil.copytree(folder, context)
    (context / "Dockerfile").write_text(
        f"FROM {slice_image}\nCOPY . /feature\n"
        f"RUN VERSION={wheel['version']} sh /feature/install.sh && rm -rf /feature\n"
    )
    image = engine.build("devcontainer-registry-test/installed", context)
    yield image
    engine.remove_image(image)


@pytest.fixture(name="start")
def _start(tmp_path, client, engine, installed, container, feature):  # noqa: PLR0917  (fixtures)
    """
    A function that makes a dev container, not yet up, that logs in in one of the ways.
    """
    made = []

    def plain(**configuration):
        configuration = {"image": installed, **configuration}
        made.append(devcontainers.DevContainer(tmp_path / "plain", client, engine, configuration))
        return made[-1]

    def start(way):
        if way == "hooks":
            one = plain(
                postCreateCommand="sh .devcontainer/hooks/post-create.sh",
                postStartCommand="sh .devcontainer/hooks/post-start.sh",
                postAttachCommand="sh .devcontainer/hooks/post-attach.sh",
            )
            one.add_hooks(os.path.join(needed.REPOSITORY, "hooks"))
        elif way == "script":
            one = plain(
                postCreateCommand=".devcontainer/setup.py",
                postStartCommand=".devcontainer/setup.py",
            )
            one.write("setup.py", _SCRIPT, mode=0o755)
        elif way == "second":
            one = container()
            add_second(one, feature[1])
        elif way == "dockerfile":
            one = container({"build": {"dockerfile": "Dockerfile"}})
            one.write("Dockerfile", _DOCKERFILE)
        elif way == "compose":
            devcontainers.link_compose(client)
            given = {"dockerComposeFile": "compose.yml", "service": "app"}
            one = container({**given, "workspaceFolder": "/workspaces"})
            socket = engine.host.removeprefix("unix://")
            one.write("compose.yml", _COMPOSE.format(socket=socket, group=os.stat(socket).st_gid))
        else:
            one = container()
        one.configure()
        return one

    yield start
    for one in made:
        one.remove()


def add_second(one, options):
    """
    Let *one* have a Feature that brings ours along, and whose script imports it.
    """
    depends = {**_SECOND, "dependsOn": {"./features/devcontainer-registry": options}}
    one.write("features/second/devcontainer-feature.json", json.dumps(depends))
    install = f"cat >/usr/local/bin/second-setup <<'END'\n{_SCRIPT}END\n"
    install += "chmod 755 /usr/local/bin/second-setup\n"
    one.write("features/second/install.sh", f"#!/bin/sh\nset -eu\n{install}", mode=0o755)
    one.configuration["features"] = {"./features/second": {}}


def lines(result, name="CORP"):
    """
    What `up` said about a set: the dev container CLI masks a server, since it is a secret.
    """
    return [line for line in result.stderr.splitlines() if f"{name}_CONTAINER_REGISTRY_*" in line]


def words(result):
    """
    All that `up` said, whatever lines it was broken into.
    """
    return " ".join(result.stderr.split())


def succeeded(result, *passwords):
    said = result.stdout + result.stderr
    assert result.returncode == 0, said
    assert "success" == json.loads(result.stdout)["outcome"]
    for password in passwords:
        assert password not in said
        assert auth(USER, password) not in said
    return result


def auth(user, password):
    return base64.b64encode(f"{user}:{password}".encode()).decode()


def again(one):
    """
    Stop *one*, and bring it up once more.
    """
    stopped = one.docker("stop", "--time=0", one.id)
    assert stopped.returncode == 0, stopped.stderr
    return one.up()


@pytest.mark.parametrize(("way", "said"), WAYS.items())
def test_a_prebuild_is_silent_a_start_logs_in_and_the_next_touches_nothing(
    start, registry_htpasswd, private_image, way, said
):
    one = start(way)

    prebuilt = succeeded(one.up("--prebuild"))
    left = one.run("ls", "-A", "/home/dev").stdout.split()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)
    up = succeeded(one.up(), PASSWORD)
    before = one.changed_at()
    quiet = succeeded(again(one), PASSWORD)

    assert "_REGISTRY_" not in prebuilt.stderr
    assert not {".docker", ".cache"} & {*left}
    assert 1 == len(lines(up)), up.stderr
    assert said in up.stderr
    assert "Running the postStartCommand from" in quiet.stderr
    assert "_CONTAINER_REGISTRY_" not in quiet.stderr
    assert before == one.changed_at()
    assert {registry_htpasswd.registry: {"auth": auth(USER, PASSWORD)}} == one.config()["auths"]
    pulled = one.run("docker", "pull", private_image)
    assert pulled.returncode == 0, pulled.stderr
    one.docker("rmi", private_image)
    copied = one.run(
        *("skopeo", "--insecure-policy", "copy", "--src-tls-verify=false"),
        *(f"docker://{private_image}", "dir:/tmp/copied"),
    )
    assert copied.returncode == 0, copied.stderr


@pytest.mark.parametrize("way", ["feature", "hooks", "script", "second"])
def test_what_changed_changes_and_what_went_wrong_is_said(start, start_registry, way):
    corp, gone, strict = start_registry(), start_registry(), start_registry()
    other = start_registry({"bob": "builder", "robot": "new-password"})
    one = start(way)
    # A registry that is gone is not waited for any longer.
    one.configuration["remoteEnv"] = {"DEVCONTAINER_REGISTRY_TIMEOUT": "5"}
    one.configure()
    one.secrets = {
        **devcontainers.secrets(corp.registry, USER, PASSWORD),
        **devcontainers.secrets(gone.registry, USER, PASSWORD, name="GONE"),
        **devcontainers.secrets(other.registry, "bob", "builder", name="OTHER"),
        **devcontainers.secrets(strict.registry, USER, PASSWORD, name="STRICT"),
    }
    first = succeeded(one.up(), PASSWORD)
    before = one.config()["auths"]
    gone.stop()
    one.secrets.update(devcontainers.secrets(gone.registry, USER, "renewed", name="GONE"))
    one.secrets.update(devcontainers.secrets(other.registry, "robot", "new-password", name="OTHER"))
    one.secrets.update(devcontainers.secrets(strict.registry, USER, "mistyped", name="STRICT"))

    up = succeeded(again(one), PASSWORD, "renewed", "mistyped")

    ids = ("CORP", "GONE", "OTHER", "STRICT")
    assert [1, 1, 1, 1] == [len(lines(first, name)) for name in ids]
    assert [] == lines(up)
    assert 1 == len(lines(up, "OTHER"))
    assert "refuses the connection" in words(up).partition("(GONE_CONTAINER_REGISTRY_*)")[0]
    assert "refused the credential (STRICT_CONTAINER_REGISTRY_*)" in words(up)
    assert {**before, other.registry: {"auth": auth("robot", "new-password")}} == (
        one.config()["auths"]
    )
    assert [USER] == strict.refusals()


@pytest.mark.parametrize("way", ["feature", "hooks", "second"])
def test_a_prebuild_with_secrets_keeps_none_of_them(start, registry_htpasswd, way):
    one = start(way)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    succeeded(one.up("--prebuild"), PASSWORD)

    assert [] == one.holds(PASSWORD, auth(USER, PASSWORD), registry_htpasswd.registry)
