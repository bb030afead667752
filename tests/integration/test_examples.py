# SPDX-License-Identifier: MIT
"""
The examples of hooks/README.md, brought up by the dev container CLI as they are but for the image.

The image knows nobody's package index: what there is to install lies in it, and pip is told where.
"""

from __future__ import annotations

import base64
import json
import os
import shutil

import pytest
from parts import devcontainers, needed

HOOKS = os.path.join(needed.REPOSITORY, "hooks")
EXAMPLES = os.path.join(HOOKS, "examples")
SECRETS_FILE = os.path.join(EXAMPLES, "cli", "secrets.json")
USER, PASSWORD = "alice", "in wonder:land"
SOURCE = "CORP_CONTAINER_REGISTRY_*"

# How each says what it did; the CLI masks all that a secrets file holds, a registry's name, too.
WAYS = {
    "feature": SOURCE,
    "codespaces": SOURCE,
    "envbuilder": SOURCE,
    "hook-scripts": SOURCE,
    "python": "CORP ok",
    "own-feature": "tools: CORP is unchanged",
}

# pip for everybody, and a user's own ~/.local/bin on their PATH before it is there, as in the
# examples' images:
# https://github.com/devcontainers/features/blob/main/src/common-utils/main.sh
_IMAGE = """\
FROM {image}
COPY *.whl /wheels/
ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_DISABLE_PIP_VERSION_CHECK=1
RUN rm -f /usr/lib/python3*/EXTERNALLY-MANAGED \\
    && set -- /usr/share/python-wheels/pip-*.whl && python3 "$1/pip" install --quiet "$1" \\
    && ln -s python3 /usr/bin/python \\
    && echo 'PATH=$PATH:$HOME/.local/bin' >/home/dev/.profile
"""


@pytest.fixture(name="image", scope="session")
def _image(engine, slice_image, feature, tmp_path_factory):
    context = tmp_path_factory.mktemp("examples") / "context"
    shutil.copytree(feature[0], context)
    (context / "Dockerfile").write_text(_IMAGE.format(image=slice_image))
    image = engine.build("devcontainer-registry-test/examples", context)
    yield image
    engine.remove_image(image)


@pytest.fixture(name="example")
def _example(tmp_path, client, engine, image):
    """
    A function that makes a dev container of an example, with what its section says to copy.
    """
    made = []

    def make(way):
        folder = tmp_path / "workspace"
        shutil.copytree(os.path.join(EXAMPLES, way), folder)
        configuration = json.loads((folder / ".devcontainer" / "devcontainer.json").read_text())
        one = devcontainers.DevContainer(folder, client, engine, {**configuration, "image": image})
        made.append(one)
        if "features" in configuration:
            one.add_feature(devcontainers.FEATURE)
        else:
            one.add_hooks(HOOKS)
        return one

    yield make
    for one in made:
        one.remove()


def logs_in(one, said, *, registry, user=USER, password=PASSWORD):
    """
    Bring *one* up: it says *said* once, and the user's config.json has the login.
    """
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()

    up = one.up()

    log = up.stdout + up.stderr
    assert 0 == up.returncode, log
    assert password not in log
    assert auth not in log
    assert 1 == up.stderr.count(said), up.stderr
    assert {registry: {"auth": auth}} == one.config()["auths"]


def test_every_example_is_brought_up():
    ways = {
        way for way in os.listdir(EXAMPLES) if ".devcontainer" in os.listdir(f"{EXAMPLES}/{way}")
    }

    assert {*WAYS, "vscode"} == ways


@pytest.mark.parametrize("way", WAYS)
def test_an_example_logs_in_and_touches_nothing_at_the_next_start(example, registry_htpasswd, way):
    one = example(way)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    logs_in(one, WAYS[way], registry=registry_htpasswd.registry)
    before = one.changed_at()
    one.docker("stop", "--time=0", one.id)
    again = one.up()

    assert 0 == again.returncode, again.stderr
    assert SOURCE not in again.stderr
    assert before == one.changed_at()


def test_the_secrets_file_of_the_example_logs_in_where_its_registry_is(example, start_registry):
    with open(SECRETS_FILE, encoding="utf-8") as file:
        secrets = json.load(file)
    user, password = (secrets[f"CORP_CONTAINER_REGISTRY_{name}"] for name in ("USER", "PASSWORD"))
    registry = start_registry({user: password}).registry
    one = example("feature")
    one.secrets = {**secrets, "CORP_CONTAINER_REGISTRY_SERVER": registry}

    logs_in(one, SOURCE, registry=registry, user=user, password=password)


def test_the_example_for_vs_code_takes_the_variables_of_its_machine(
    example, client, registry_htpasswd
):
    client.environ.update(devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD))
    one = example("vscode")

    logs_in(one, SOURCE, registry=registry_htpasswd.registry)

    inspected = one.docker("inspect", one.id)
    assert 0 == inspected.returncode
    assert PASSWORD not in inspected.stdout


def test_the_example_for_vs_code_is_silent_where_its_machine_has_none(example):
    one = example("vscode")

    up = one.up()

    assert 0 == up.returncode, up.stderr
    assert SOURCE not in up.stderr
    assert [] == [
        name for name in one.run("ls", "-A", "/home/dev").stdout.split() if "docker" in name
    ]
