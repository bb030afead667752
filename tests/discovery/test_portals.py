# SPDX-License-Identifier: MIT
"""
A web page as SERVER: the message names the registry that was meant.
"""

from __future__ import annotations

import pytest
from doubles.homes import a_set

from devcontainer_registry.discovery import discover
from devcontainer_registry.discovery.portals import _REGISTRIES
from devcontainer_registry.registry import Registry

ECR = "ACCOUNT.dkr.ecr.REGION.amazonaws.com"


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("hub.docker.com", "docker.io"),
        ("https://hub.docker.com/r/team/app", "docker.io"),
        ("HUB.docker.com:443", "docker.io"),
        ("github.com", "ghcr.io"),
        ("https://github.com/team/app/pkgs/container/app", "ghcr.io"),
        ("www.github.com/team", "ghcr.io"),
        ("gitlab.com/team/app/container_registry", "registry.gitlab.com"),
        ("https://portal.azure.com", "NAME.azurecr.io"),
        ("portal.azure.us", "NAME.azurecr.us"),
        ("console.aws.amazon.com/ecr", ECR),
        ("https://eu-west-1.console.aws.amazon.com/ecr/repositories", ECR),
        ("team.awsapps.com", ECR),
        ("gallery.ecr.aws/team", "public.ecr.aws"),
        ("console.cloud.google.com", "LOCATION-docker.pkg.dev"),
        ("https://cloud.digitalocean.com/registry", "registry.digitalocean.com"),
    ],
)
def test_a_web_page_is_no_registry_and_its_registry_is_named(server, registry):
    (broken,) = discover(a_set("CORP", server)).incomplete

    name = "CORP_CONTAINER_REGISTRY_SERVER"
    assert "invalid-server" == broken.error.code
    assert name in broken.error.message
    assert "web page" in broken.error.message
    assert f"set {name} to {registry}" == broken.error.hint


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("ghcr.io/org", "ghcr.io"),
        ("https://quay.io/repository/team/app", "quay.io"),
        ("https://team.jfrog.io/ui/packages", "team.jfrog.io"),
        ("artifactory.example/artifactory/api/docker/docker-local", "artifactory.example"),
        ("https://registry.example:5000/v2/", "registry.example:5000"),
    ],
)
def test_a_page_on_the_registry_s_own_host_is_dropped_and_the_host_is_named(server, registry):
    found = discover(a_set("CORP", server))

    assert [registry] == [secret.registry for secret in found.secrets]
    (finding,) = found.findings
    assert "stripped" == finding.code
    assert f"set CORP_CONTAINER_REGISTRY_SERVER to {registry}" == finding.hint


@pytest.mark.parametrize(
    "server", ["github.com.example", "notgithub.com", "registry.hub.docker.com", "console.example"]
)
def test_a_name_that_is_only_like_a_page_s_is_a_registry(server):
    assert [server] == [secret.registry for secret in discover(a_set("CORP", server)).secrets]


def test_what_is_named_is_never_a_page_itself():
    for page, registry in _REGISTRIES.items():
        assert registry not in _REGISTRIES
        assert page == Registry(page)
