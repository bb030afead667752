# SPDX-License-Identifier: MIT
"""
Web pages that users mistake for registries.
"""

from __future__ import annotations

# Capitals mark parts to fill in.
_ACR = "NAME.azurecr.io"
_ECR = "ACCOUNT.dkr.ecr.REGION.amazonaws.com"
_ARTIFACT_REGISTRY = "LOCATION-docker.pkg.dev"

_REGISTRIES = {
    "docker.com": "docker.io",
    "hub.docker.com": "docker.io",
    "app.docker.com": "docker.io",
    "login.docker.com": "docker.io",
    "auth.docker.io": "docker.io",
    "dockerhub.com": "docker.io",
    "github.com": "ghcr.io",
    "api.github.com": "ghcr.io",
    "gitlab.com": "registry.gitlab.com",
    "portal.azure.com": _ACR,
    "ms.portal.azure.com": _ACR,
    "dev.azure.com": _ACR,
    "management.azure.com": _ACR,
    "login.microsoftonline.com": _ACR,
    "portal.azure.us": "NAME.azurecr.us",
    "portal.azure.cn": "NAME.azurecr.cn",
    "aws.amazon.com": _ECR,
    "console.aws.amazon.com": _ECR,
    "signin.aws.amazon.com": _ECR,
    "awsapps.com": _ECR,
    "console.amazonaws.cn": "ACCOUNT.dkr.ecr.REGION.amazonaws.com.cn",
    "console.amazonaws-us-gov.com": _ECR,
    "gallery.ecr.aws": "public.ecr.aws",
    "cloud.google.com": _ARTIFACT_REGISTRY,
    "console.cloud.google.com": _ARTIFACT_REGISTRY,
    "console.developers.google.com": _ARTIFACT_REGISTRY,
    "artifactregistry.googleapis.com": _ARTIFACT_REGISTRY,
    "cloud.digitalocean.com": "registry.digitalocean.com",
    "digitalocean.com": "registry.digitalocean.com",
    "api.digitalocean.com": "registry.digitalocean.com",
    "dashboard.heroku.com": "registry.heroku.com",
    "cloud.ibm.com": "REGION.icr.io",
    "cloud.oracle.com": "REGION.ocir.io",
    "console.scaleway.com": "rg.REGION.scw.cloud",
    "access.redhat.com": "registry.redhat.io",
    "catalog.redhat.com": "registry.redhat.io",
    "console.redhat.com": "quay.io",
    "ngc.nvidia.com": "nvcr.io",
    "catalog.ngc.nvidia.com": "nvcr.io",
}

# Pages below a region or company: eu-west-1.console.aws.amazon.com.
_WITH_NAMES = ("console.aws.amazon.com", "signin.aws.amazon.com", "awsapps.com")


def registry_of(host: str) -> str | None:
    """
    Return the registry of the web page at *host* (`host[:port]`, lower case), or None.
    """
    name = host.partition(":")[0].removeprefix("www.")
    page = next((page for page in _WITH_NAMES if name.endswith(f".{page}")), name)
    return _REGISTRIES.get(page)
