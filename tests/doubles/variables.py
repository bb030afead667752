# SPDX-License-Identifier: MIT
"""
Sets of variables, and what `discover` makes of them.
"""

from __future__ import annotations

import base64
import json

from devcontainer_registry.discovery import discover

CANARY = "C4nary:that_n0body/may\u00a0see"
NOWHERE = "/nowhere/.env-secrets"
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def a_set(set_id="ACR", **members):
    return {f"{set_id}_CONTAINER_REGISTRY_{name}": text for name, text in members.items()}


WHOLE = {"SERVER": "mycompany.azurecr.io", "USER": "bob", "PASSWORD": "s3cret"}


def found(*sets, **kwargs):
    environ = {name: text for one in sets for name, text in one.items()}
    return discover(environ, **{"codespaces_file": NOWHERE, **kwargs})


def only(result):
    assert () == result.incomplete
    (secret,) = result.secrets
    return secret


def broken(result):
    assert () == result.secrets
    (incomplete,) = result.incomplete
    return incomplete


def codes(result):
    return [finding.code for finding in result.findings]


def basic(text):
    return base64.b64encode(text.encode()).decode()


def env_secrets(variables):
    return "".join(f"{name}={basic(text)}\n" for name, text in variables.items())


CODESPACE = {"CODESPACES": "true", "GITHUB_TOKEN": "t0ken", "GITHUB_USER": "octocat"}


GITLAB = {
    "CI_REGISTRY": "registry.gitlab.com",
    "CI_REGISTRY_USER": "gitlab-ci-token",
    "CI_REGISTRY_PASSWORD": "s3cret",
}


def docker(**auths):
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": auths})}
