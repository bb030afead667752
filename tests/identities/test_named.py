# SPDX-License-Identifier: MIT
"""
An ID token is used only where the set names a cloud identity.
"""

from __future__ import annotations

import pytest
from doubles.homes import a_secret

from devcontainer_registry.credentials import Secret
from devcontainer_registry.identities.named import names_identity

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
ACR = "mycompany.azurecr.io"
GOOGLE = "europe-docker.pkg.dev"
WHOM = {"role_arn": "arn:aws:iam::123456789012:role/pull"}
APPLICATION = {"tenant": "corp.example", "client_id": "0f3c"}
PROVIDER = {"audience": "//iam.googleapis.com/projects/1/locations/global/x"}


def of(registry, **members):
    return a_secret(registry=registry, user=None, password=None, **members)


@pytest.mark.parametrize(
    ("registry", "members"),
    [
        (ECR, WHOM),
        ("public.ecr.aws", WHOM),
        ("ecr.corp.example", {**WHOM, "kind": "ecr"}),
        (f"{ECR}:443", WHOM),
        (ACR, APPLICATION),
        ("mycompany.azurecr.us", APPLICATION),
        (GOOGLE, PROVIDER),
        ("eu.gcr.io", PROVIDER),
    ],
)
def test_a_set_names_an_identity_at_its_own_cloud(registry, members):
    assert names_identity(of(registry, **members))


@pytest.mark.parametrize(
    ("registry", "members"),
    [
        (ECR, {}),
        (ECR, APPLICATION),
        (ACR, {"tenant": "corp.example"}),
        (ACR, {"client_id": "0f3c"}),
        (ACR, WHOM),
        (ACR, PROVIDER),
        (GOOGLE, WHOM),
        (GOOGLE, APPLICATION),
        ("ghcr.io", WHOM),
        ("registry.example", {**WHOM, **APPLICATION, **PROVIDER}),
        (GOOGLE, {"client_id": "0f3c"}),
        (ECR, {**WHOM, "kind": "generic"}),
        (ECR, {**WHOM, "kind": "a-plugin"}),
    ],
)
def test_a_token_without_a_name_for_that_cloud_is_no_identity(registry, members):
    assert not names_identity(of(registry, **members, id_token=Secret("t0ken")))


@pytest.mark.parametrize(
    ("registry", "members"),
    [(ECR, WHOM), (ACR, APPLICATION), (GOOGLE, PROVIDER), (ECR, {**WHOM, "profile": "work"})],
)
def test_a_set_with_a_stored_secret_names_no_identity(registry, members):
    secret = a_secret(registry=registry, user="bob", password="s3cret", **members)

    assert not names_identity(secret)
