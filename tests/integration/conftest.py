# SPDX-License-Identifier: MIT
"""
Real parts as fixtures.

Slow parts live as long as the session, and the tests that use one share a worker.
Fast parts belong to a single test.
"""

from __future__ import annotations

import os
import shutil

import pytest
from parts import (
    aws,
    boxes,
    clients,
    cncf,
    debian,
    devcontainers,
    images,
    needed,
    netns,
    slices,
    tokens,
)
from parts.ca import Authority
from parts.engine import Engine

USERS = {"alice": "in wonder:land", "robot$ci": "p4$$-wörd"}

# Read before the environment is emptied: whether the tests use an engine that already runs.
_DOCKER_HOST = os.environ.get("DOCKER_HOST")

_COSTLY = ("containerd", "engine", "moto")

_NAMESPACE = ("unshare", "--mount", "--propagation", "private", "sh", "-ec")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        for name in _COSTLY:
            if name in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(name="authority", scope="session")
def _authority(tmp_path_factory):
    """
    A certificate authority that no program trusts by default.
    """
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(name="registry_htpasswd")
def _registry_htpasswd(tmp_path):
    """
    A registry that knows `USERS`, at localhost, over plain HTTP.
    """
    with cncf.CncfRegistry.with_passwords(tmp_path / "cncf", USERS, host="localhost") as registry:
        yield registry


@pytest.fixture(name="token_server")
def _token_server(tmp_path):
    """
    Knows `USERS`; a test may switch `refresh` and `post`, and add to `denied`.
    """
    with tokens.TokenServer(tmp_path / "tokens", USERS) as server:
        yield server


@pytest.fixture(name="registry_token")
def _registry_token(tmp_path, token_server):
    """
    A registry that believes `token_server`.
    """
    with cncf.CncfRegistry(
        tmp_path / "cncf-token", auth=token_server.registry_auth, host="localhost"
    ) as registry:
        yield registry


@pytest.fixture(name="registry_tls")
def _registry_tls(tmp_path, authority):
    """
    A registry that knows `USERS`, at https://localhost, certified by `authority`.
    """
    with cncf.CncfRegistry.with_passwords(
        tmp_path / "cncf-tls",
        USERS,
        host="localhost",
        certificate=authority.issue("localhost", "127.0.0.1"),
    ) as registry:
        yield registry


@pytest.fixture(name="network")
def _network(tmp_path):
    """
    A network of its own; see `parts.netns`.
    """
    network = netns.Network(tmp_path)
    yield network
    network.stop()


@pytest.fixture(name="registry_elsewhere")
def _registry_elsewhere(tmp_path, authority, network):
    """
    A registry that knows `USERS`, over TLS, on an address of `network` that is not loopback.

    Its certificate is also for `netns.NAME`, which cannot be resolved.
    """
    with cncf.CncfRegistry.with_passwords(
        tmp_path / "cncf-elsewhere",
        USERS,
        address=netns.ADDRESS,
        certificate=authority.issue(netns.ADDRESS, netns.NAME),
        enter=network.enter,
    ) as registry:
        yield registry


@pytest.fixture(name="start_registry")
def _start_registry(tmp_path):
    """
    A function that starts one more registry: `start_registry(users={...}, **options)`.
    """
    started = []

    def start(users=None, **options):
        folder = tmp_path / f"cncf-{len(started)}"
        options.setdefault("host", "localhost")
        started.append(cncf.CncfRegistry.with_passwords(folder, users or USERS, **options))
        return started[-1]

    yield start
    for registry in started:
        registry.stop()


@pytest.fixture(name="_moto", scope="session")
def _moto_process(_bare_process, tmp_path_factory):
    with aws.Aws(tmp_path_factory.mktemp("moto")) as running:
        yield running


@pytest.fixture(name="moto")
def _clean_moto(_moto):
    """
    AWS without any key or earlier request; see `parts.aws`.
    """
    _moto.forget()
    return _moto


@pytest.fixture(name="engine", scope="session")
def _engine(_bare_process):
    """
    A Docker Engine; see `parts.engine`.
    """
    with Engine(preferred=_DOCKER_HOST) as engine:
        yield engine


@pytest.fixture(name="image_layout", scope="session")
def _image_layout(tmp_path_factory):
    """
    A folder with a tiny image in it, for `skopeo copy oci:FOLDER:latest docker://...`.
    """
    return images.layout(tmp_path_factory.mktemp("image"))


@pytest.fixture(name="clean_path", scope="session")
def _clean_path_folder(tmp_path_factory):
    return clients.clean_path(tmp_path_factory.mktemp("path"))


@pytest.fixture(name="client")
def _client(tmp_path, clean_path):
    """
    Clients in an environment of their own; see `parts.clients`.
    """
    return clients.Client(tmp_path / "client", path=clean_path)


@pytest.fixture(name="client_env")
def _client_env(client):
    """
    The environment of `client`, to change and to pass on.
    """
    return client.environ


@pytest.fixture(name="slice_image", scope="session")
def _slice_image(engine, tmp_path_factory):
    path = tmp_path_factory.mktemp("slice") / "image.tar"
    slices.write(path)
    image = engine.import_tar("devcontainer-registry-test/slice", str(path))
    yield image
    engine.remove_image(image)


@pytest.fixture(name="busybox_image", scope="session")
def _busybox_image(engine, tmp_path_factory):
    """
    An image without Python, bash or a package manager: all is busybox, as in Alpine.
    """
    path = tmp_path_factory.mktemp("busybox") / "image.tar"
    slices.write(path, python=False, bash=False, family="alpine")
    image = engine.import_tar("devcontainer-registry-test/busybox", str(path))
    yield image
    engine.remove_image(image)


@pytest.fixture(name="python_tar", scope="session")
def _python_tar(tmp_path_factory):
    """
    The Python that `busybox_image` lacks, as a tar.
    """
    path = tmp_path_factory.mktemp("python") / "python3.tar"
    slices.write_python(path)
    return path


@pytest.fixture(name="debian_image", scope="session")
def _debian_image(engine, tmp_path_factory):
    path = tmp_path_factory.mktemp("debian") / "image.tar"
    debian.write(path)
    image = engine.import_tar("devcontainer-registry-test/debian", str(path))
    yield image
    engine.remove_image(image)


@pytest.fixture(name="start_box")
def _start_box(client, engine):
    """
    A function that starts a container of an image; see `parts.boxes`.
    """
    started = []

    def start(image):
        started.append(boxes.Box(image, client, engine))
        return started[-1]

    yield start
    for box in started:
        box.remove()


@pytest.fixture(name="feature", scope="session")
def _feature(tmp_path_factory):
    """
    The Feature's folder with wheels in it, and the options that install them.
    """
    folder = tmp_path_factory.mktemp("feature") / "devcontainer-registry"
    shutil.copytree(devcontainers.FEATURE, folder)
    return folder, {"version": devcontainers.wheels(folder)}


@pytest.fixture(name="container")
def _container(tmp_path, client, engine, slice_image, feature):
    """
    A function that makes a dev container, not yet up, with the Feature.
    """
    made = []

    def make(configuration=None, **options):
        folder, wheel = feature
        configuration = {
            **(configuration or {"image": slice_image}),
            "features": {"./features/devcontainer-registry": {**wheel, **options}},
        }
        one = devcontainers.DevContainer(
            tmp_path / f"workspace-{len(made)}", client, engine, configuration
        )
        one.add_feature(folder)
        made.append(one)
        return one

    yield make
    for one in made:
        one.remove()


@pytest.fixture(name="private_image")
def _private_image(client, registry_htpasswd, image_layout):
    """
    An image of `registry_htpasswd`, pushed with a login that is in no config.json.
    """
    image = f"{registry_htpasswd.registry}/team/app:1"
    user, password = next(iter(USERS.items()))
    pushed = client.skopeo(
        "copy",
        "--format=v2s2",  # Debian's `docker manifest inspect` knows no other
        "--dest-tls-verify=false",
        f"--dest-creds={user}:{password}",
        f"oci:{image_layout}:latest",
        f"docker://{image}",
    )
    assert pushed.returncode == 0, pushed.stderr
    return image


@pytest.fixture(name="mounts", scope="session")
def _mounts(_bare_process, tmp_path_factory):
    """
    A function: *script*, then the command, in a mount namespace of its own.
    """
    if os.geteuid() != 0:
        needed.missing("only root may mount")
    unshare = needed.program("unshare", package="util-linux")
    client = clients.Client(tmp_path_factory.mktemp("mounts"), path=os.environ["PATH"])
    works = client.run(unshare, "--mount", "--propagation", "private", "true")
    if works.returncode != 0:
        needed.missing("no mount namespace can be made here")
    # The script has the command's exit status; lines after the command see the same mounts.
    return lambda before, after="": [
        *_NAMESPACE,
        f'{before}; "$@" || status=$?; {after or ":"}; exit ${{status:-0}}',
        "sh",
    ]
