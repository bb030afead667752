# SPDX-License-Identifier: MIT
"""
The examples of hooks/, brought up by the dev container CLI as they are but for the image.

The image uses no public package index: it contains the packages, and pip finds them there.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import stat

import pytest
from doubles.command_line import set_for
from parts import devcontainers, needed
from parts.clients import Client

HOOKS = os.path.join(needed.REPOSITORY, "hooks")
EXAMPLES = os.path.join(HOOKS, "examples")
SECRETS_FILE = os.path.join(EXAMPLES, "cli", "secrets.json")
USER, PASSWORD = "alice", "in wonder:land"
SOURCE = "  CORP  "

# The message of each; the CLI masks all values of a secrets file, including a registry's name.
WAYS = {
    "feature": SOURCE,
    "codespaces": SOURCE,
    "envbuilder": SOURCE,
    "hook-scripts": SOURCE,
    "on-create": SOURCE,
    "python": "CORP ok",
    "own-feature": "tools: CORP is unchanged",
}

# pip for all users, and ~/.local/bin on PATH before it exists, as in the examples' images:
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
def _example(tmp_path, client, engine, image, feature):
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
        # The wheel alone, since what it depends on comes from the index.
        if "features" in configuration:
            one.add_feature(devcontainers.FEATURE)
            target = folder / ".devcontainer" / "features" / "devcontainer-registry"
        else:
            one.add_hooks(HOOKS)
            target = folder / ".devcontainer"
        shutil.copy(feature[0] / feature[1]["version"], target)
        return one

    yield make
    for one in made:
        one.remove()


def logs_in(one, said, *, registry, user=USER, password=PASSWORD):
    """
    Start *one*: it prints *said* once, and the user's config.json has the login.
    """
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()

    up = one.up()

    log = up.stdout + up.stderr
    assert 0 == up.returncode, log
    assert password not in log
    assert auth not in log
    assert 1 == up.stderr.count(said), up.stderr
    assert {registry: {"auth": auth}} == one.config()["auths"]


def test_every_example_has_a_test_that_starts_it():
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


def test_the_secrets_file_of_the_example_logs_in_to_its_registry(example, start_registry):
    with open(SECRETS_FILE, encoding="utf-8") as file:
        secrets = json.load(file)
    user, password = (secrets[f"CORP_CONTAINER_REGISTRY_{name}"] for name in ("USER", "PASSWORD"))
    registry = start_registry({user: password}).registry
    one = example("feature")
    one.secrets = {**secrets, "CORP_CONTAINER_REGISTRY_SERVER": registry}

    logs_in(one, SOURCE, registry=registry, user=user, password=password)


def test_the_example_for_vs_code_uses_the_variables_of_its_machine(
    example, client, registry_htpasswd
):
    client.environ.update(devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD))
    one = example("vscode")

    logs_in(one, SOURCE, registry=registry_htpasswd.registry)

    inspected = one.docker("inspect", one.id)
    assert 0 == inspected.returncode
    assert PASSWORD not in inspected.stdout


def test_the_example_for_vs_code_is_silent_without_variables(example):
    one = example("vscode")

    up = one.up()

    assert 0 == up.returncode, up.stderr
    assert SOURCE not in up.stderr
    assert [] == [
        name for name in one.run("ls", "-A", "/home/dev").stdout.split() if "docker" in name
    ]


# The formats of `export`, each read by its tool.
#
# The readers have their own home, in which only the exported text can log them in.

ALICE = ("alice", "in wonder:land")
ROBOT = ("robot$ci", "p4$$-wörd")


@pytest.fixture(name="keeper", params=[ALICE, ROBOT], ids=["colon", "dollar"])
def _keeper(request, client, registry_htpasswd):
    """
    A client that logged in, with our own command.
    """
    done = client.product("login", **set_for(registry_htpasswd.registry, *request.param))
    assert 0 == done.returncode, done.stdout
    return client


@pytest.fixture(name="reader")
def _reader(tmp_path, client):
    return Client(tmp_path / "reader", path=client.environ["PATH"])


@pytest.fixture(name="readers_tag")
def _readers_tag(registry_htpasswd, reader, image_layout):
    """
    A private image.
    """
    readers_tag = f"{registry_htpasswd.registry}/team/app:latest"
    done = reader.skopeo(
        "copy",
        "--format=v2s2",  # Debian's `docker manifest inspect` knows no other
        *("--dest-tls-verify=false", "--dest-creds", ":".join(ALICE)),
        *(f"oci:{image_layout}:latest", f"docker://{readers_tag}"),
    )
    assert 0 == done.returncode, done.stderr
    return readers_tag


def export(keeper, form, *arguments):
    done = keeper.product("export", "--format", form, *arguments)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def reads_as_docker(reader, config, readers_tag):
    """
    Whether docker can see *image* with the text *config* for its config.json.
    """
    with open(reader.config_path, "w", encoding="utf-8") as file:
        file.write(config)
    done = reader.docker("manifest", "inspect", "--insecure", readers_tag)
    return done.returncode == 0


def test_no_client_reads_the_image_without_a_login(reader, readers_tag):
    docker = reads_as_docker(reader, "{}", readers_tag)
    skopeo = reader.skopeo("inspect", "--tls-verify=false", f"docker://{readers_tag}")

    assert not docker
    assert 0 != skopeo.returncode


def test_docker_reads_a_docker_config(keeper, reader, readers_tag):
    assert reads_as_docker(reader, export(keeper, "docker-config"), readers_tag)


def test_skopeo_reads_a_containers_auth(keeper, reader, readers_tag, tmp_path):
    path = tmp_path / "auth.json"
    export(keeper, "containers-auth", "--output", str(path))

    done = reader.skopeo(
        "inspect", "--authfile", str(path), "--tls-verify=false", f"docker://{readers_tag}"
    )

    assert 0 == done.returncode, done.stderr
    assert 0o600 == stat.S_IMODE(os.stat(path).st_mode)


def test_podman_and_skopeo_find_a_containers_auth_in_its_default_place(
    keeper, reader, readers_tag, tmp_path
):
    path = tmp_path / "auth.json"
    export(keeper, "containers-auth", "--output", str(path))

    done = reader.skopeo(
        "inspect", "--tls-verify=false", f"docker://{readers_tag}", REGISTRY_AUTH_FILE=str(path)
    )

    assert 0 == done.returncode, done.stderr


def test_skopeo_finds_docker_hub_in_a_containers_auth(client, reader, tmp_path):
    path = tmp_path / "auth.json"
    sets = set_for("https://index.docker.io/v1/", *ALICE)
    done = client.product("login", "--verify", "never", **sets)
    assert 0 == done.returncode, done.stdout
    export(client, "containers-auth", "--output", str(path))

    done = reader.skopeo("login", "--authfile", str(path), "--get-login", "docker.io")

    assert (0, "alice\n") == (done.returncode, done.stdout), done.stderr


def test_an_identity_token_is_read_from_a_containers_auth(
    registry_token, token_server, client, reader, image_layout
):
    token_server.refresh = True
    registry = registry_token.registry
    reader.docker("login", registry, "-u", ALICE[0], "--password-stdin", stdin=ALICE[1])
    identity_token = reader.config()["auths"][registry]["identitytoken"]
    os.unlink(reader.config_path)
    done = client.product("login", **set_for(registry, "<token>", identity_token))
    assert 0 == done.returncode, done.stdout
    path = os.path.join(reader.home, "auth.json")
    export(client, "containers-auth", "--output", path)

    done = reader.skopeo(
        "copy",
        *("--dest-authfile", path, "--dest-tls-verify=false"),
        *(f"oci:{image_layout}:latest", f"docker://{registry}/team/app:latest"),
    )

    assert 0 == done.returncode, done.stderr


def test_the_devcontainer_cli_fetches_a_feature_with_its_variable(
    registry_htpasswd, keeper, reader
):
    registry = registry_htpasswd.registry
    write_feature(reader.home)
    auth = {"DEVCONTAINERS_OCI_AUTH": export(keeper, "devcontainers-oci-auth").rstrip("\n")}
    name = f"{registry}/team/features/hello:1"

    published = reader.devcontainer(
        *("features", "publish", "src", "--registry", registry, "--namespace", "team/features"),
        **auth,
    )
    fetched = reader.devcontainer("features", "info", "manifest", name, **auth)
    anonymous = reader.devcontainer("features", "info", "manifest", name)

    assert 0 == published.returncode, published.stderr
    assert 0 == fetched.returncode, fetched.stderr
    assert "sha256:" in fetched.stdout
    assert 0 != anonymous.returncode


def write_feature(home):
    folder = os.path.join(home, "src", "hello")
    os.makedirs(folder)
    with open(os.path.join(folder, "devcontainer-feature.json"), "w", encoding="utf-8") as file:
        json.dump({"id": "hello", "version": "1.0.0", "name": "Hello"}, file)
    with open(os.path.join(folder, "install.sh"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")


def test_envbuilders_variable_is_a_docker_config(keeper, reader, readers_tag):
    text = export(keeper, "envbuilder")

    # One line, in the alphabet and with the padding of Go's StdEncoding:
    # https://github.com/coder/envbuilder/blob/v1.1.0/envbuilder.go
    assert 1 == text.count("\n")
    config = base64.b64decode(text.rstrip("\n"), validate=True).decode()
    assert reads_as_docker(reader, config, readers_tag)


# https://kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources/secret-v1/
SECRET_FIELDS = {"apiVersion", "kind", "metadata", "type", "data", "stringData", "immutable"}
# https://github.com/kubernetes/kubernetes/blob/v1.32.0/pkg/credentialprovider/config.go
ENTRY_FIELDS = {"username", "password", "email", "auth"}


def test_a_kubernetes_secret_keeps_its_schema(keeper, registry_htpasswd):
    manifest = json.loads(export(keeper, "kubernetes-secret", "--name", "regcred"))

    assert {"apiVersion", "kind", "metadata", "type", "data"} == set(manifest)
    assert set(manifest) <= SECRET_FIELDS
    assert ("v1", "Secret", {"name": "regcred"}, "kubernetes.io/dockerconfigjson") == tuple(
        manifest[field] for field in ("apiVersion", "kind", "metadata", "type")
    )
    assert [".dockerconfigjson"] == list(manifest["data"])
    config = json.loads(base64.b64decode(manifest["data"][".dockerconfigjson"], validate=True))
    assert [registry_htpasswd.registry] == list(config["auths"])
    assert all(set(entry) <= ENTRY_FIELDS for entry in config["auths"].values())


def test_docker_reads_a_kubernetes_secret_that_kubectl_decodes(keeper, reader, readers_tag):
    """
    kubectl parses the secret into Kubernetes' own type and prints it again, without a cluster.
    """
    needed.program("kubectl", package="kubernetes-client")
    manifest = export(keeper, "kubernetes-secret")

    done = reader.run(
        *("kubectl", "annotate", "--local", "-f", "-", "a=b", "-o"),
        r"jsonpath={.data.\.dockerconfigjson}",
        stdin=manifest,
        KUBECONFIG="/nonexistent",
    )

    assert 0 == done.returncode, done.stderr
    assert reads_as_docker(reader, base64.b64decode(done.stdout).decode(), readers_tag)


def test_kubectl_creates_the_same_secret_from_our_config(keeper, reader):
    """
    kubectl's own command for such secrets, with our docker-config.
    """
    needed.program("kubectl", package="kubernetes-client")
    ours = json.loads(export(keeper, "kubernetes-secret", "--name", "regcred"))
    path = os.path.join(reader.home, "config")
    export(keeper, "docker-config", "--output", path)

    done = reader.run(
        *("kubectl", "create", "secret", "generic", "regcred", "--dry-run=client", "-o", "json"),
        *("--type=kubernetes.io/dockerconfigjson", f"--from-file=.dockerconfigjson={path}"),
        KUBECONFIG="/nonexistent",
    )

    assert 0 == done.returncode, done.stderr
    theirs = json.loads(done.stdout)
    theirs["metadata"].pop("creationTimestamp", None)
    assert decoded(ours) == decoded(theirs)


def decoded(manifest):
    text = base64.b64decode(manifest["data"][".dockerconfigjson"])
    return {**manifest, "data": {".dockerconfigjson": json.loads(text)}}
