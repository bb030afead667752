# SPDX-License-Identifier: MIT
"""
A pod's service-account token: its identity, and that nothing of it outlives the answer.

The token is signed by a played cluster, STS checks it with the keys that the cluster serves, and
the exchange is the real boto3's with moto.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from urllib.parse import parse_qs

import pytest
from doubles.clouds import CLIENT_ID, TENANT, Azure, aadsts
from doubles.command_line import Ran
from doubles.homes import a_secret
from doubles.internet import JSON, Internet
from doubles.issuer import Issuer, Policy
from doubles.kubelet import HERE, Node, RejectedError, accepted, lookup, request, seconds
from parts import aws

from devcontainer_registry.authenticators import load
from devcontainer_registry.credentials import Secret
from devcontainer_registry.errors import RegistryError
from devcontainer_registry.kubelet.pods import with_token
from devcontainer_registry.kubelet.protocol import parse

ECR = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
ACR = "mycompany.azurecr.io"
GOOGLE = "europe-docker.pkg.dev"
IMAGE = f"{ECR}/team/app"
ROLE = "arn:aws:iam::{}:role/pull"
ROLE_KEY = "eks.amazonaws.com/ecr-role-arn"
CLIENT_KEY, TENANT_KEY = (f"kubernetes.azure.com/acr-{name}-id" for name in ("client", "tenant"))
SET = "ECR_CONTAINER_REGISTRY"
TEAMS = {"red": "222222222222", "blue": "333333333333"}

# Each file that is opened, and each process and folder, goes to a file of its own.
WATCHED = """
import os, sys
log = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
def hook(event, arguments):
    if event in ("open", "os.mkdir", "os.rename", "os.listdir", "os.scandir", "os.link"):
        os.write(log, f"{event} {arguments[0]} {arguments[-1]}\\n".encode("utf-8", "replace"))
    if event in ("subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork"):
        os.write(log, f"STARTED {event}\\n".encode())
sys.addaudithook(hook)
from devcontainer_registry.__main__ import kubelet
sys.exit(kubelet())
"""


@pytest.fixture(name="cluster", scope="module")
def _cluster(tmp_path_factory):
    url = "https://oidc.cluster.example"
    with Issuer(tmp_path_factory.mktemp("cluster"), url=url) as issuer:
        yield issuer


@pytest.fixture(name="sts", scope="module")
def _sts(_bare_process, tmp_path_factory, cluster):
    """
    AWS, in which the role of each team's account trusts that team's service account.
    """

    def trust(form):
        team = next((t for t, account in TEAMS.items() if account in form["RoleArn"]), "nobody")
        subject = f"system:serviceaccount:{team}:default"
        policy = Policy(issuer=cluster, audience="sts.amazonaws.com", subject=subject)
        fault = policy.fault_of(form["WebIdentityToken"])
        return fault and aws.Fault("AccessDenied", "Not authorized to perform this operation")

    with aws.Aws(tmp_path_factory.mktemp("aws")) as running:
        running.trust = trust
        yield running


@pytest.fixture(name="node")
def _node(tmp_path, sts):
    node = Node(tmp_path)
    node.log_path = str(tmp_path / "opened")
    node.environ |= {
        "HOME": str(tmp_path / "home"),
        "AWS_ENDPOINT_URL": sts.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        f"{SET}_SERVER": ECR,
    }
    sts.calls.clear()
    return node


def token_of(cluster, team, **claims):
    claims = {
        "aud": ["sts.amazonaws.com"],
        "sub": f"system:serviceaccount:{team}:default",
        **claims,
    }
    return cluster.sign(**claims)


def watched(node, given, **environ):
    """
    Return how the provider ended, and what it did with files.
    """
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, node.log_path],
        env={
            "PATH": os.environ["PATH"],
            **{n: os.environ[n] for n in ("PYTHONPATH",) if n in os.environ},
            **node.environ,
            **environ,
        },
        input=given,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    with open(node.log_path, encoding="utf-8") as file:
        log = file.read()
    os.remove(node.log_path)
    return Ran(done.returncode, done.stdout, done.stderr), log


def test_two_pods_in_a_row_get_each_their_own_credential_and_no_file_is_touched(node, cluster, sts):
    """
    Also where the node itself has a credential for that registry in the cache.
    """
    sts.add_key("AKIA0000000000000001", "k" * 40, account="111111111111")
    key = {f"{SET}_USER": "AKIA0000000000000001", f"{SET}_PASSWORD": "k" * 40}
    own, log = watched(node, request(IMAGE), **key)
    assert [("AWS", sts.password("111111111111"))] == lookup(accepted(own), IMAGE)
    assert node.cache_folder in log  # so the hook does see it

    for team in ("red", "blue", "red"):
        token = token_of(cluster, team)
        given = request(IMAGE, token=token, annotations={ROLE_KEY: ROLE.format(TEAMS[team])})
        ran, log = watched(node, given)

        document = accepted(ran)
        assert [("AWS", sts.password(TEAMS[team]))] == lookup(document, IMAGE)
        assert "Registry" == document["cacheKeyType"]
        assert 0 < seconds(document) <= 6 * 3600
        assert token not in ran.stdout + ran.stderr
        assert "open " in log
        assert node.cache_folder not in log
        assert ".cache" not in log
        assert "STARTED" not in log
        written = [line for line in log.splitlines() if line.startswith("open ") and _writes(line)]
        assert [] == [line for line in written if "/dev/null" not in line]
    roles = [call for call in sts.calls if call.action == "AssumeRoleWithWebIdentity"]
    assert [None] * 3 == [call.error for call in roles]


def _writes(line):
    flags = line.rpartition(" ")[2]
    return flags.isdigit() and int(flags) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)


def test_a_pod_cannot_become_another_team_and_no_login_of_the_node_takes_its_place(
    node, cluster, sts
):
    sts.add_key("AKIA0000000000000001", "k" * 40, account="111111111111")
    environ = {"AWS_ACCESS_KEY_ID": "AKIA0000000000000001", "AWS_SECRET_ACCESS_KEY": "k" * 40}
    token = token_of(cluster, "red")
    given = request(IMAGE, token=token, annotations={ROLE_KEY: ROLE.format(TEAMS["blue"])})

    ran = node.ask(given, **environ)

    assert (1, "") == (ran.status, ran.stdout)
    assert 1 == ran.stderr.count("\n")
    assert token not in ran.stderr
    assert ["AssumeRoleWithWebIdentity"] == [call.action for call in sts.calls]
    with pytest.raises(RejectedError):
        accepted(ran)


def test_the_role_of_the_set_is_used_without_an_annotation(node, cluster, sts):
    given = request(IMAGE, token=token_of(cluster, "red"))

    ran = node.ask(given, **{f"{SET}_ROLE_ARN": ROLE.format(TEAMS["red"])})

    assert [("AWS", sts.password(TEAMS["red"]))] == lookup(accepted(ran), IMAGE)


def test_a_debug_log_shows_the_steps_and_neither_the_token_nor_a_claim_s_signature(node, cluster):
    token = token_of(cluster, "red")
    given = request(IMAGE, token=token, annotations={ROLE_KEY: ROLE.format(TEAMS["red"])})

    ran = node.ask(given, "--log-level", "debug")

    assert accepted(ran)["auth"]
    assert "kubelet.answered" in ran.stderr
    for secret in (token, *token.split("."), json.loads(ran.stdout)["auth"][ECR]["password"]):
        assert secret not in ran.stderr


@pytest.mark.parametrize("wrong", ["not-a-jwt", "expired"])
def test_a_token_that_is_none_or_has_expired_is_sent_nowhere(node, cluster, sts, wrong):
    token = wrong if wrong == "not-a-jwt" else token_of(cluster, "red", exp=int(time.time()) - 900)
    given = request(IMAGE, token=token, annotations={ROLE_KEY: ROLE.format(TEAMS["red"])})

    ran = node.ask(given)

    assert (1, "", []) == (ran.status, ran.stdout, sts.calls)
    assert "the pod's token" in ran.stderr
    assert "ID_TOKEN" not in ran.stderr
    assert token not in ran.stderr


def test_without_a_set_for_the_registry_a_pod_gets_no_login(node, cluster):
    ran = node.ask(request("other.example/app", token=token_of(cluster, "red")))

    assert {} == accepted(ran)["auth"]


def test_a_plugin_never_sees_a_pod_s_token(node, cluster):
    node.see_secrets()

    ran = node.ask(request(token=token_of(cluster, "red")))

    assert (1, "") == (ran.status, ran.stdout)
    assert "accepts no pod's token" in ran.stderr
    assert 0 == node.asked


# The other two clouds, by azure-identity and google-auth unpatched.

REFUSED_BY_ENTRA = aadsts("700213")
ACCESS_TOKEN = "ya29.of-a-pod-C4n4ry"
POOL = "projects/7/locations/global/workloadIdentityPools/nodes/providers/cluster"


def cloud_node(folder, internet, **members):
    node = Node(folder)
    node.log_path = os.path.join(str(folder), "opened")
    node.environ |= {**internet.environ, "HOME": node.home, "NO_PROXY": "127.0.0.1"}
    node.environ |= {f"POD_CONTAINER_REGISTRY_{name}": text for name, text in members.items()}
    return node


def test_entra_gets_the_token_of_the_pod_for_the_application_in_its_annotations(tmp_path, cluster):
    registry = "example.azurecr.io"
    audience = "api://AzureADTokenExchange"
    policy = Policy(issuer=cluster, audience=audience, subject="system:serviceaccount:red:default")

    def signing_in(form):
        trusted = form["client_id"] == CLIENT_ID
        return (
            REFUSED_BY_ENTRA if policy.fault_of(form["client_assertion"]) or not trusted else None
        )

    annotations = {CLIENT_KEY: CLIENT_ID, TENANT_KEY: TENANT}
    with Azure(registry=registry, signing_in=signing_in) as azure:
        node = cloud_node(tmp_path, azure, SERVER=registry)
        red, blue = (token_of(cluster, team, aud=[audience]) for team in ("red", "blue"))
        image = f"{registry}/team/app"
        ran, log = watched(node, request(image, token=red, annotations=annotations))
        refused, _ = watched(node, request(image, token=blue, annotations=annotations))

    document = accepted(ran)
    ((_, password),) = lookup(document, image)
    assert azure.refresh_token == password
    assert 0 < seconds(document) < azure.expires - time.time()
    assert (1, "") == (refused.status, refused.stdout)
    assert node.cache_folder not in log
    assert [] == [one for one in (red, blue) if one in ran.stderr + refused.stderr]
    assert {registry, "login.microsoftonline.com"} == {host for host, _ in azure.requests}
    assert all(red not in str(form) for path, form in azure.forms if path == "/oauth2/exchange")


def test_google_gets_the_token_of_the_pod_for_the_pool_of_the_set(tmp_path, cluster):
    policy = Policy(
        issuer=cluster,
        audience=f"https://iam.googleapis.com/{POOL}",
        subject="system:serviceaccount:red:default",
    )

    def exchange(_method, _target, _headers, body):
        form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if policy.fault_of(form["subject_token"]):
            return 400, JSON, b'{"error": "invalid_grant", "error_description": "no"}'
        granted = {
            "access_token": ACCESS_TOKEN,
            "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
            "token_type": "Bearer",
            "expires_in": 3600,
        }
        return 200, JSON, json.dumps(granted).encode()

    image = f"{GOOGLE}/project/team/app"
    with Internet({"sts.googleapis.com": exchange}) as internet:
        node = cloud_node(
            tmp_path, internet, SERVER=GOOGLE, AUDIENCE=f"//iam.googleapis.com/{POOL}"
        )
        red, blue = (token_of(cluster, t, aud=[policy.audience]) for t in ("red", "blue"))
        ran, log = watched(node, request(image, token=red))
        refused, _ = watched(node, request(image, token=blue))

    document = accepted(ran)
    assert [("oauth2accesstoken", ACCESS_TOKEN)] == lookup(document, image)
    assert 1800 == pytest.approx(seconds(document), abs=60)
    assert (1, "") == (refused.status, refused.stdout)
    assert node.cache_folder not in log
    assert [] == internet.unknown_hosts


# Whom it becomes, without any request.

KINDS = load()


def became(registry, kind, *, annotations=None, **members):
    secret = a_secret(registry=registry, **{"user": None, "password": None, **members})
    asked = parse(request(f"{registry}/app", token="a.pod.token", annotations=annotations))
    return with_token(secret, asked, kind=kind, authenticator=KINDS[kind])


@pytest.mark.parametrize(
    ("registry", "kind", "members", "annotations", "named"),
    [
        (ECR, "ecr", {"role_arn": "r"}, {}, {"role_arn": "r"}),
        (ECR, "ecr", {}, {ROLE_KEY: "r"}, {"role_arn": "r"}),
        (ECR, "ecr", {"role_arn": "r"}, {ROLE_KEY: "other"}, {"role_arn": "other"}),
        (ACR, "acr", {"tenant": "t", "client_id": "c"}, {}, {"tenant": "t", "client_id": "c"}),
        (ACR, "acr", {}, {CLIENT_KEY: "c", TENANT_KEY: "t"}, {"tenant": "t", "client_id": "c"}),
        (ACR, "acr", {"tenant": "t"}, {CLIENT_KEY: "c"}, {"tenant": "t", "client_id": "c"}),
        (GOOGLE, "google", {"audience": "a"}, {}, {"audience": "a"}),
    ],
)
def test_the_set_or_the_annotation_names_the_identity_of_the_token(
    registry, kind, members, annotations, named
):
    secret = became(registry, kind, annotations=annotations, **members)

    assert Secret("a.pod.token") == secret.id_token
    assert named == {member: getattr(secret, member) for member in named}


@pytest.mark.parametrize(
    ("registry", "kind", "members", "annotations", "code"),
    [
        # A secret of the node is not for a pod, whatever else the set names.
        (ECR, "ecr", {"user": "AWS", "password": "p"}, {}, "kubelet-set-shared"),
        (ECR, "ecr", {"profile": "p", "role_arn": "r"}, {}, "kubelet-set-shared"),
        (ACR, "acr", {"user": "u", "password": "p"}, {CLIENT_KEY: "c"}, "kubelet-set-shared"),
        (str(HERE), "generic", {"user": "u", "password": "p"}, {}, "kubelet-set-shared"),
        # Nor is the node's own identity.
        (ECR, "ecr", {}, {}, "kubelet-identity-missing"),
        (ACR, "acr", {"tenant": "t"}, {}, "kubelet-identity-missing"),
        (ACR, "acr", {}, {CLIENT_KEY: "c"}, "kubelet-identity-missing"),
        (GOOGLE, "google", {}, {}, "kubelet-identity-missing"),
        # Another cloud's annotation says nothing.
        (ECR, "ecr", {}, {CLIENT_KEY: "c", TENANT_KEY: "t"}, "kubelet-identity-missing"),
        (ECR, "ecr", {}, {"eks.amazonaws.com/role-arn": "r"}, "kubelet-identity-missing"),
        (ECR, "ecr", {"role_arn": "r"}, {ROLE_KEY: ""}, "kubelet-annotation-invalid"),
        (ECR, "ecr", {}, {ROLE_KEY: "r\n"}, "kubelet-annotation-invalid"),
        (str(HERE), "generic", {"role_arn": "r"}, {}, "kubelet-set-shared"),
        (ECR, "generic", {"role_arn": "r"}, {}, "kubelet-set-shared"),
    ],
)
def test_a_token_is_used_for_no_other_set(registry, kind, members, annotations, code):
    with pytest.raises(RegistryError) as caught:
        became(registry, kind, annotations=annotations, **members)

    assert code == caught.value.code
    assert caught.value.hint
    assert "a.pod.token" not in f"{caught.value.message}{caught.value.hint}"
