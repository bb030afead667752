# SPDX-License-Identifier: MIT
"""
What the README says, compared with what is there.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import devcontainer_registry
from devcontainer_registry.report import LoginReport, Outcome
from devcontainer_registry.testing import LoopbackRegistry

README = Path(__file__).parent.parent.joinpath("README.md").read_text(encoding="utf-8")
PACKAGE = Path(devcontainer_registry.__file__).parent

# Words with a hyphen that are no codes: parts of hosts and regions, encodings, headers, formats,
# names of SDKs.
NO_CODES = {
    "accept-encoding",
    "assume-role",
    "assume-role-with-web-identity",
    "config-file",
    "container-role",
    "containers-auth",
    "custom-process",
    "devcontainer-registry",
    "devcontainers-oci-auth",
    "docker-config",
    "docker-credential-devcontainer-registry",
    "ecr-public",
    "eu-isoe",
    "iam-role",
    "kubernetes-secret",
    "latin-1",
    "not-it",
    "not-yet-valid",
    "retry-after",
    "shared-credentials-file",
    "sso-oidc",
    "us-east-1",
    "us-iso",
    "us-isob",
    "us-isof",
    "user-agent",
    "utf-8",
    "utf-8-sig",
    "wrong-host",
    "x-access-token",
}


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def literals(pattern):
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(rf"\A{pattern}\Z", node.value)


def test_every_code_has_a_line_in_the_readme():
    table = README.partition("## What the messages mean")[2].partition("\n## ")[0]
    told = set(re.findall(r"`([a-z0-9-]+)`", table))
    families = tuple(re.findall(r"`([a-z-]+-)…`", table))

    codes = set(literals(r"[a-z]+(?:-[a-z0-9]+)+")) - NO_CODES

    assert set() == {c for c in codes - told if not c.startswith(families)}


def test_no_code_in_the_readme_is_made_up():
    table = README.partition("## What the messages mean")[2].partition("\n## ")[0]
    told = set(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE))
    codes = {c for cell in told for c in re.findall(r"`([a-z0-9-]+)`", cell)}

    # Made of two parts where it is raised: certificate-expired and its kin.
    known = set(literals(r"[a-z]+(?:-[a-z0-9]+)*"))

    assert set() == {c for c in codes - known if not c.startswith("certificate-")}


def test_every_event_is_in_the_readme():
    events = set(literals(r"(?:secret|login|config|plugin)\.[a-z_]+"))
    events = {e for e in events if not e.endswith((".json", ".ps", ".file"))}

    assert set() == {event for event in events if f"`{event}`" not in README}


def test_every_command_is_in_the_readme():
    done = subprocess.run(
        [sys.executable, "-m", "devcontainer_registry", "--help"],
        check=True,
        capture_output=True,
        text=True,
    )
    commands = re.findall(r"^    ([a-z]+)  ", done.stdout, re.MULTILINE)

    assert "login" in commands
    assert [] == [c for c in commands if f"\ndevcontainer-registry {c} " not in README]


@pytest.mark.parametrize("block", blocks("json"))
def test_a_block_of_json_is_json(block):
    document = json.loads(block)

    assert "postStartCommand" in document


def test_the_script_in_the_readme_runs(tmp_path):
    script = blocks("python")[0]
    with LoopbackRegistry({"ann": "pass"}) as registry:
        environ = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "A_CONTAINER_REGISTRY_SERVER": registry.registry,
            "A_CONTAINER_REGISTRY_USER": "ann",
            "A_CONTAINER_REGISTRY_PASSWORD": "pass",
        }

        done = subprocess.run(
            [sys.executable, "-c", script], env=environ, check=True, capture_output=True, text=True
        )

    assert f"{registry.registry} ok \n" == done.stdout


def test_the_authenticator_in_the_readme_works():
    namespace = {}
    exec(blocks("python")[1], namespace)
    plugin = namespace["ExampleAuthenticator"]()
    secret = devcontainer_registry.RegistrySecret(
        id="X",
        registry=devcontainer_registry.Registry("eu.registry.example"),
        source="X_*",
        username="ann",
        secret=devcontainer_registry.Secret("pass"),
    )

    assert plugin.matches(secret.registry)
    assert not plugin.matches("eu.registry.example.evil.example")
    assert "ann" == plugin.authenticate(secret, timeout=1.0).username


def test_the_exit_statuses_in_the_readme_are_those_of_reports():
    rows = dict(re.findall(r"^\| ([0-9]) \| (.+?) \|$", README, re.MULTILINE))
    refused = Outcome(id="A", registry=None, source="A_*", kind=None, status="rejected")
    report = LoginReport(config="", changed=False, outcomes=(refused,))

    assert ["0", "1", "2", "3", "4", "5", "6"] == sorted(rows)
    assert "refused" in rows[str(report.exit_status)]
