# SPDX-License-Identifier: MIT
"""
The other ways into a dev container: hook scripts, a setup script, somebody else's Feature.
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
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

_SETUP = """\
#!/usr/local/bin/devcontainer-registry-python
import devcontainer_registry

report = devcontainer_registry.login()
print("setup:", *[(one.id, one.status, one.code, str(one.error)) for one in report.outcomes])
"""

_SECOND = """\
{
  "id": "second",
  "version": "1.0.0",
  "name": "Second",
  "dependsOn": {"./features/devcontainer-registry": OPTIONS},
  "postCreateCommand": "/usr/local/bin/second-setup"
}
"""


@pytest.fixture(name="installed")
def _installed(tmp_path, client, engine, slice_image, feature):
    """
    An image with the package in it, but not the Feature's lifecycle commands.
    """
    folder, wheel = feature
    context = tmp_path / "context"
    shutil.copytree(folder, context)
    (context / "Dockerfile").write_text(
        f"FROM {slice_image}\nCOPY . /feature\n"
        f"RUN VERSION={wheel['version']} sh /feature/install.sh && rm -rf /feature\n"
    )
    image = "devcontainer-registry-test/installed"
    built = client.docker(
        *("build", "--tag", image, str(context)), DOCKER_HOST=engine.host, DOCKER_BUILDKIT="0"
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return image


@pytest.fixture(name="plain")
def _plain(tmp_path, client, engine, installed):
    """
    A function that makes a dev container of `installed`, with the commands that it is given.
    """
    made = []

    def make(**configuration):
        folder = tmp_path / f"plain-{len(made)}"
        configuration = {"image": installed, **configuration}
        made.append(devcontainers.DevContainer(folder, client, engine, configuration))
        return made[-1]

    yield make
    for one in made:
        one.remove()


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    assert PASSWORD not in result.stdout + result.stderr
    assert AUTH not in result.stdout + result.stderr
    return result


def test_the_hook_scripts_log_in_and_a_start_after_that_touches_nothing(
    plain, registry_htpasswd, private_image
):
    one = plain(
        postCreateCommand="sh .devcontainer/hooks/post-create.sh",
        postStartCommand="sh .devcontainer/hooks/post-start.sh",
        postAttachCommand="sh .devcontainer/hooks/post-attach.sh",
    )
    one.add_hooks(os.path.join(needed.REPOSITORY, "hooks"))
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = succeeded(one.up())
    before = one.changed_at()
    one.docker("stop", "--time=0", one.id)
    again = succeeded(one.up())

    assert 1 == up.stderr.count("CORP_CONTAINER_REGISTRY_*")
    assert 0 == again.stderr.count("CORP_CONTAINER_REGISTRY_*")
    assert before == one.changed_at()
    pulled = one.run("docker", "pull", private_image)
    assert pulled.returncode == 0, pulled.stderr
    one.docker("rmi", private_image)


def test_a_setup_script_logs_in_with_python(plain, registry_htpasswd):
    one = plain(postCreateCommand=".devcontainer/setup.py")
    one.write("setup.py", _SETUP, mode=0o755)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = succeeded(one.up())

    assert "setup: ('CORP', 'ok', None, 'None')" in up.stderr
    assert {registry_htpasswd.registry: {"auth": AUTH}} == one.config()["auths"]


def test_another_feature_depends_on_this_one_and_imports_it(container, feature, registry_htpasswd):
    one = container()
    options = json.dumps(feature[1])
    one.write("features/second/devcontainer-feature.json", _SECOND.replace("OPTIONS", options))
    install = f"cat >/usr/local/bin/second-setup <<'END'\n{_SETUP}END\n"
    install += "chmod 755 /usr/local/bin/second-setup\n"
    one.write("features/second/install.sh", f"#!/bin/sh\nset -eu\n{install}", mode=0o755)
    one.configuration["features"] = {"./features/second": {}}
    one.configure()
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    up = succeeded(one.up())

    # Ours is installed first, and so its hook has logged in before the other's script does.
    assert "setup: ('CORP', " in up.stderr
    assert {registry_htpasswd.registry: {"auth": AUTH}} == one.config()["auths"]
