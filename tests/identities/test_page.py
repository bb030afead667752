# SPDX-License-Identifier: MIT
"""
The page about identities: its workflow, job and pod are whole sets, and its policies fit them.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from doubles.issuer import GITHUB

from devcontainer_registry import discover
from devcontainer_registry.identities.hosts import cloud_of
from devcontainer_registry.identities.named import names_identity, problem
from devcontainer_registry.identities.source import audience_of

PAGE = (Path(__file__).parents[2] / "docs" / "concepts" / "identities.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
WORKFLOW, JOB, POD = (yaml.safe_load(text) for kind, text in BLOCKS if kind == "yaml")
POLICY, FEDERATED = (json.loads(text) for kind, text in BLOCKS if kind == "json")
SUBJECT = "repo:corp/app:environment:production"


def sets(environ):
    found = discover(environ)
    assert () == found.incomplete
    assert () == found.findings
    return {cloud_of(secret): secret for secret in found.secrets}


def test_the_workflow_may_request_a_token_and_names_three_identities():
    assert "write" == WORKFLOW["permissions"]["id-token"]
    secrets = sets(WORKFLOW["jobs"]["build"]["env"])

    assert {"ecr", "acr", "google"} == secrets.keys()
    for kind, secret in secrets.items():
        assert names_identity(secret)
        assert problem(secret, kind) is None


def test_the_job_of_gitlab_asks_for_the_audience_that_aws_expects():
    job = JOB["image"]
    ((name, token),) = job["id_tokens"].items()
    secret = sets(job["variables"])["ecr"]

    assert f"{secret.id}_CONTAINER_REGISTRY_ID_TOKEN" == name
    assert audience_of(secret, "ecr") == token["aud"]
    assert names_identity(secret)


def test_the_pod_mounts_a_token_for_the_audience_that_entra_id_expects():
    container, volume = POD["spec"]["containers"][0], POD["spec"]["volumes"][0]
    environ = {each["name"]: each["value"] for each in container["env"]}
    file = environ.pop("ACR_CONTAINER_REGISTRY_ID_TOKEN_FILE")
    token = volume["projected"]["sources"][0]["serviceAccountToken"]
    mount = container["volumeMounts"][0]

    secret = sets(environ)["acr"]
    assert names_identity(secret)
    assert audience_of(secret, "acr") == token["audience"]
    assert f"{mount['mountPath']}/{token['path']}" == file
    assert mount["name"] == volume["name"]


def test_the_policies_are_for_the_subject_of_the_workflow():
    """
    As GitHub makes it of a repository and an environment; the played issuer has it, too.
    """
    (statement,) = POLICY["Statement"]
    condition = statement["Condition"]["StringEquals"]
    issuer = "token.actions.githubusercontent.com"

    assert SUBJECT == GITHUB["sub"]
    assert SUBJECT == condition[f"{issuer}:sub"] == FEDERATED["subject"]
    assert "sts.amazonaws.com" == condition[f"{issuer}:aud"]
    assert f"https://{issuer}" == FEDERATED["issuer"]
    assert ["api://AzureADTokenExchange"] == FEDERATED["audiences"]
    assert "production" == WORKFLOW["jobs"]["build"]["environment"]
    assert f"/subject/{SUBJECT}" in PAGE


@pytest.mark.parametrize(
    "registry", ["x12345.azurecr.io", "x12345.azurecr.us", "x12345.azurecr.cn"]
)
def test_the_table_of_audiences_has_the_default_of_each_cloud(registry):
    secret = sets({"X_CONTAINER_REGISTRY_SERVER": registry})["acr"]

    assert f"`{audience_of(secret, 'acr')}`" in PAGE
