# SPDX-License-Identifier: MIT
"""
What `export` writes, read by whom it is for.

The readers are in a home of their own, where only the exported text can log them in.
"""

from __future__ import annotations

import base64
import json
import os
import stat

import pytest
from parts import needed
from parts.clients import Client
from runs import set_for

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


@pytest.fixture(name="image")
def _image(registry_htpasswd, reader, image_layout):
    """
    A private image.
    """
    image = f"{registry_htpasswd.registry}/team/app:latest"
    done = reader.skopeo(
        "copy",
        "--format=v2s2",  # Debian's `docker manifest inspect` knows no other
        *("--dest-tls-verify=false", "--dest-creds", ":".join(ALICE)),
        *(f"oci:{image_layout}:latest", f"docker://{image}"),
    )
    assert 0 == done.returncode, done.stderr
    return image


def export(keeper, form, *arguments):
    done = keeper.product("export", "--format", form, *arguments)
    assert 0 == done.returncode, done.stderr
    return done.stdout


def reads_as_docker(reader, config, image):
    """
    Whether docker can see *image* with the text *config* for its config.json.
    """
    with open(reader.config_path, "w", encoding="utf-8") as file:
        file.write(config)
    done = reader.docker("manifest", "inspect", "--insecure", image)
    return done.returncode == 0


def test_nobody_reads_the_image_without_a_login(reader, image):
    docker = reads_as_docker(reader, "{}", image)
    skopeo = reader.skopeo("inspect", "--tls-verify=false", f"docker://{image}")

    assert not docker
    assert 0 != skopeo.returncode


def test_docker_reads_a_docker_config(keeper, reader, image):
    assert reads_as_docker(reader, export(keeper, "docker-config"), image)


def test_skopeo_reads_a_containers_auth(keeper, reader, image, tmp_path):
    path = tmp_path / "auth.json"
    export(keeper, "containers-auth", "--output", str(path))

    done = reader.skopeo(
        "inspect", "--authfile", str(path), "--tls-verify=false", f"docker://{image}"
    )

    assert 0 == done.returncode, done.stderr
    assert 0o600 == stat.S_IMODE(os.stat(path).st_mode)


def test_podman_and_skopeo_find_a_containers_auth_where_they_look(keeper, reader, image, tmp_path):
    path = tmp_path / "auth.json"
    export(keeper, "containers-auth", "--output", str(path))

    done = reader.skopeo(
        "inspect", "--tls-verify=false", f"docker://{image}", REGISTRY_AUTH_FILE=str(path)
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


def test_envbuilders_variable_is_a_docker_config(keeper, reader, image):
    text = export(keeper, "envbuilder")

    # One line, in the alphabet and with the padding of Go's StdEncoding:
    # https://github.com/coder/envbuilder/blob/v1.1.0/envbuilder.go
    assert 1 == text.count("\n")
    config = base64.b64decode(text.rstrip("\n"), validate=True).decode()
    assert reads_as_docker(reader, config, image)


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


def test_kubectl_decodes_a_kubernetes_secret_and_docker_reads_what_is_in_it(keeper, reader, image):
    """
    kubectl decodes into Kubernetes' own type before it prints it again: no cluster is asked.
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
    assert reads_as_docker(reader, base64.b64decode(done.stdout).decode(), image)


def test_kubectl_makes_the_same_of_what_we_keep(keeper, reader):
    """
    Its own command for such secrets, given our docker-config.
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
