# SPDX-License-Identifier: MIT
"""
A login that is in our helper and nowhere else, used by clients that nobody here wrote.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from parts.clients import Client
from parts.dockers import Dockers
from parts.localbin import LocalBin, put_our_helper_on_path
from runs import only, set_for

OURS = "devcontainer-registry"
ALICE = ("alice", "in wonder:land")
ROBOT = ("robot$ci", "p4$$-wörd")

DOCKER_PY = """
import docker, sys
client = docker.from_env()
try:
    client.images.pull(sys.argv[1])
finally:
    client.close()
"""
# It has to be told whether a registry gives tokens.
ORAS_PY = """
import oras.client, sys
target, folder, scheme = sys.argv[1:]
client = oras.client.OrasClient(insecure=True, auth_backend=scheme)
client.pull(target, outdir=folder)
"""

# What another helper, named by `credsStore`, does when it is asked; it says so in `asked`.
STORES = {
    "not-found": """[ "$1" != list ] || { echo '{}'; exit 0; }
echo "credentials not found in native keychain"; exit 1""",
    "garbage": "echo nonsense",
    "failing": "exit 255",
    "hanging": "until [ -e released ]; do sleep 0.1; done; echo '{}'",
    "missing": None,
}


@dataclass(frozen=True, kw_only=True)
class Served:
    """
    A client with our helper on its PATH, and the registry that it is logged in to.

    Attributes:
        secret: The password that must be in no config.json.
        scheme: How that registry wants it: `basic`, `token`.
    """

    client: Client
    registry: str
    user: str
    secret: str
    scheme: str

    @property
    def image(self):
        return f"{self.registry}/team/app:latest"

    def write(self, config):
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)


@pytest.fixture(name="served", params=["basic", "token"])
def _served(request, client, tmp_path):
    fixture = {"basic": "registry_htpasswd", "token": "registry_token"}[request.param]
    registry = request.getfixturevalue(fixture).registry
    user, secret = {"basic": ROBOT, "token": ALICE}[request.param]
    put_our_helper_on_path(client, tmp_path / "helpers")
    done = client.product("login", "--json", "--store", "helper", **set_for(registry, user, secret))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["credHelpers"] == only(done)["kept_in"]
    return Served(client=client, registry=registry, user=user, secret=secret, scheme=request.param)


@pytest.fixture(name="pushed")
def _pushed(served, engine):
    """
    `served`, with an image in its registry that can run.
    """
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    engine.import_busybox(served.image)
    done = served.client.docker("push", served.image, DOCKER_HOST=engine.host)
    engine.remove_image(served.image)
    assert 0 == done.returncode, done.stderr
    return served


def test_no_secret_is_in_config_json(served):
    with open(served.client.config_path, "rb") as file:
        content = file.read()

    assert {"credHelpers": {served.registry: OURS}} == json.loads(content)
    secret = served.secret.encode()
    for form in (
        secret,
        json.dumps(served.secret)[1:-1].encode(),
        quote(served.secret).encode(),
        base64.b64encode(secret),
        base64.b64encode(f"{served.user}:{served.secret}".encode()),
        base64.urlsafe_b64encode(f"{served.user}:{served.secret}".encode()),
    ):
        assert form not in content


# The clients, each with an image of `served` to get.


def docker_reads_a_manifest(served, **_):
    return served.client.docker("manifest", "inspect", "--insecure", served.image)


def docker_pulls(served, *, engine, **_):
    try:
        return served.client.docker("pull", served.image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(served.image)


def docker_py_pulls(served, *, engine, **_):
    try:
        return served.client.python(DOCKER_PY, served.image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(served.image)


def skopeo_copies(served, *, folder, **_):
    return served.client.skopeo(
        "copy", "--src-tls-verify=false", f"docker://{served.image}", f"oci:{folder}/copy:latest"
    )


@pytest.mark.parametrize(
    "get", [docker_reads_a_manifest, docker_pulls, docker_py_pulls, skopeo_copies]
)
def test_an_image_is_got_with_our_helper_and_not_without(pushed, engine, get, tmp_path):
    done = get(pushed, engine=engine, folder=tmp_path)
    pushed.write({})
    without = get(pushed, engine=engine, folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert 0 != without.returncode


def test_oras_py_pulls_a_private_artefact(served, image_layout, tmp_path):
    source, artefact = f"oci:{image_layout}:latest", f"docker://{served.image}"
    copied = served.client.skopeo("copy", "--dest-tls-verify=false", source, artefact)
    assert 0 == copied.returncode, copied.stderr

    done = served.client.python(ORAS_PY, served.image, str(tmp_path / "pulled"), served.scheme)
    served.write({})
    # Not oras-py, which would go on trying for minutes.
    without = served.client.skopeo("inspect", "--raw", "--tls-verify=false", artefact)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "hello\n" == (tmp_path / "pulled" / "greeting").read_text()
    assert "unauthorized" in without.stderr or "authentication required" in without.stderr


def test_the_devcontainer_cli_publishes_and_fetches_a_private_feature(served, tmp_path):
    folder = tmp_path / "src" / "hello"
    folder.mkdir(parents=True)
    (folder / "devcontainer-feature.json").write_text(
        json.dumps({"id": "hello", "version": "1.0.0", "name": "Hello"})
    )
    (folder / "install.sh").write_text("#!/bin/sh\n")

    def fetch():
        feature = f"{served.registry}/team/features/hello:1"
        return served.client.devcontainer("features", "info", "manifest", feature)

    published = served.client.devcontainer(
        *("features", "publish", str(tmp_path / "src")),
        *("--registry", served.registry, "--namespace", "team/features"),
    )
    fetched = fetch()
    served.write({})
    without = fetch()

    assert 0 == published.returncode, published.stdout + published.stderr
    assert 0 == fetched.returncode, fetched.stdout + fetched.stderr
    assert "sha256:" in fetched.stdout
    assert 0 != without.returncode


# Beside another helper, where it makes no difference how the registry wants its password.

ONE_BY_ONE = ["pull", "run", "buildkit", "compose up"]
CLASSIC = ["build", "compose build"]
ONE_KIND = pytest.mark.parametrize("served", ["basic"], indirect=True)


@pytest.fixture(name="store")
def _store(pushed, tmp_path):
    """
    A function that names one of `STORES` in config.json, and returns what it has been asked.
    """
    folder = tmp_path / "helpers"

    def name(store):
        if STORES[store] is not None:
            path = folder / f"docker-credential-{store}"
            path.write_text(f'#!/bin/sh\ncd {folder}\necho "$1" >>asked\n{STORES[store]}\n')
            path.chmod(0o755)
        pushed.write({**pushed.client.config(), "credsStore": store})
        return lambda: [verb for path in folder.glob("asked") for verb in path.read_text().split()]

    yield name
    (folder / "released").touch()


@ONE_KIND
@pytest.mark.parametrize("other", STORES)
def test_docker_gets_ours_whatever_the_store_does(engine, pushed, store, other):
    asked, dockers = store(other), Dockers(pushed.client, engine)

    done = {name: dockers.run(name, pushed.image) for name in ONE_BY_ONE}

    assert dict.fromkeys(ONE_BY_ONE, 0) == {name: done[name].returncode for name in done}
    assert [] == asked()


@ONE_KIND
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_gets_ours_beside_a_store_that_has_nothing(engine, pushed, store, command):
    asked = store("not-found")

    done = Dockers(pushed.client, engine).run(command, pushed.image)

    assert 0 == done.returncode, done.stderr
    assert {"list"} == set(asked())


@ONE_KIND
@pytest.mark.parametrize("other", ["garbage", "failing", "missing"])
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_gives_up_on_us_too_where_the_store_can_not_list(
    engine, pushed, store, command, other
):
    """
    It asks the store for all that it has before it asks us, and there is nothing that we can do.

    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
    """
    store(other)

    done = Dockers(pushed.client, engine).run(command, pushed.image)

    assert 0 != done.returncode


@ONE_KIND
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_waits_for_a_store_that_hangs_and_then_gets_ours(
    engine, pushed, store, command, tmp_path
):
    asked, log = store("hanging"), tmp_path / "log"
    dockers = Dockers(pushed.client, engine)

    process = dockers.start(command, pushed.image, log=log)
    try:
        wait_for(asked, process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        held_up_by = asked()
        (tmp_path / "helpers" / "released").touch()
        status = process.wait(60)
    finally:
        process.kill()
        process.wait()
        dockers.clean(pushed.image)

    assert ["list"] == held_up_by
    assert 0 == status, log.read_text()


def wait_for(asked, process, *, seconds=60):
    end = time.monotonic() + seconds
    while not asked() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def test_auto_does_not_delegate_to_a_helper_that_not_everybody_finds(
    registry_htpasswd, client, tmp_path
):
    """
    So that `docker run` goes on working where our helper is not on PATH.
    """
    registry = registry_htpasswd.registry
    put_our_helper_on_path(client, tmp_path / "helpers")
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump({"credsStore": "missing"}, file)
    (tmp_path / "local").mkdir()

    with LocalBin(tmp_path / "local") as local_bin:
        done = client.product("login", "--json", enter=local_bin.enter, **set_for(registry, *ROBOT))

    assert 6 == done.returncode
    assert "hidden-by-credsstore" == only(done)["code"]
    assert ["auths", "credsStore"] == sorted(client.config())
