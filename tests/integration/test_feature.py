# SPDX-License-Identifier: MIT
"""
The Feature, where what it logs in to is not as it was hoped; see test_feature_ways.py for the rest.
"""

from __future__ import annotations

import base64
import json

from parts import devcontainers

USER = "alice"
PASSWORD = "in wonder:land"
AUTH = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def succeeded(result):
    assert result.returncode == 0, result.stdout + result.stderr
    for secret in (PASSWORD, AUTH):
        assert secret not in result.stdout + result.stderr
    return result


def again(one):
    """
    Stop *one*, and bring it up once more.
    """
    stopped = one.docker("stop", "--time=0", one.id)
    assert stopped.returncode == 0, stopped.stderr
    return one.up()


def test_a_registry_that_is_gone_or_refuses_lets_the_container_start_and_is_named(
    container, start_registry
):
    gone, refusing = start_registry(), start_registry({"bob": "builder"})
    gone.stop()
    one = container()
    one.secrets = {
        **devcontainers.secrets(gone.registry, USER, PASSWORD, name="GONE"),
        **devcontainers.secrets(refusing.registry, USER, PASSWORD, name="NO"),
    }

    up = succeeded(one.up())

    assert "success" == json.loads(up.stdout)["outcome"]
    said = " ".join(up.stderr.split())
    assert "refuses the connection (GONE_CONTAINER_REGISTRY_*) kept all the same" in said
    assert "refused the credential (NO_CONTAINER_REGISTRY_*)" in said
    assert [USER] == refusing.refusals()
    assert refusing.registry not in one.config()["auths"]


def test_what_codespaces_keeps_in_its_file_is_looked_at_at_each_start(container, start_registry):
    """
    https://github.com/microsoft/vscode-dev-containers/issues/1261
    """
    corp, late = start_registry(), start_registry()
    one = container()
    one.secrets = devcontainers.secrets(corp.registry, USER, PASSWORD)
    succeeded(one.up())
    quiet = succeeded(again(one))
    lines = [
        f"{name}={base64.b64encode(text.encode()).decode()}"
        for name, text in devcontainers.secrets(late.registry, USER, PASSWORD, name="LATE").items()
    ]
    script = "mkdir -p ${0%/*} && printf '%s\\n' \"$@\" >$0 && chmod 644 $0"
    file = "/workspaces/.codespaces/shared/.env-secrets"
    written = one.run("sh", "-c", script, file, *lines, user="root")
    assert written.returncode == 0, written.stderr

    found = succeeded(again(one))
    one.secrets = {}
    alone = succeeded(again(one))

    assert "_CONTAINER_REGISTRY_" not in quiet.stderr
    assert "LATE_CONTAINER_REGISTRY_*" in found.stderr
    assert {corp.registry, late.registry} == set(one.config()["auths"])
    assert "LATE_CONTAINER_REGISTRY_" in alone.stderr


def test_a_prebuild_keeps_them_where_that_was_asked_for_and_says_so(container, registry_htpasswd):
    one = container(onCreate=True)
    one.secrets = devcontainers.secrets(registry_htpasswd.registry, USER, PASSWORD)

    prebuilt = succeeded(one.up("--prebuild"))

    assert "snapshot" in prebuilt.stderr
    assert [AUTH] == one.holds(AUTH, "in no file of it")
