# SPDX-License-Identifier: MIT
"""
Whether a push is allowed, with real registries.
"""

from __future__ import annotations

import json

import pytest
from doubles.homes import encoded
from parts import cncf
from parts.tokens import TokenServer

USER, PASSWORD = "alice", "in wonder:land"


class Narrowing(TokenServer):
    """
    A token server that grants no push, without an error.
    """

    def _sign(self, user, scopes):
        return super()._sign(user, tuple(scope.replace(",push", "") for scope in scopes))


def filled(client, registry, image_layout):
    """
    The image of *registry*, pushed with a login that is in no config.json.
    """
    image = f"{registry.registry}/team/app:1"
    pushed = client.skopeo(
        "copy",
        "--dest-tls-verify=false",
        f"--dest-creds={USER}:{PASSWORD}",
        f"oci:{image_layout}:latest",
        f"docker://{image}",
    )
    assert pushed.returncode == 0, pushed.stderr
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump({"auths": {registry.registry: {"auth": encoded(f"{USER}:{PASSWORD}")}}}, file)
    return image


def doctor(client, image):
    done = client.product("doctor", image, "--push", "--json", DOCKER_HOST="")
    (found,) = json.loads(done.stdout)["images"]
    return done.returncode, found


def image_step(found):
    return next(step for step in found["steps"] if step["step"] == "image")


def test_a_registry_without_tokens_is_tested_by_a_cancelled_upload(
    client, registry_htpasswd, image_layout
):
    image = filled(client, registry_htpasswd, image_layout)
    before = len(registry_htpasswd.requests())

    status, found = doctor(client, image)

    assert (0, True) == (status, image_step(found)["facts"]["push"])
    asked = registry_htpasswd.requests()[before:]
    assert ["POST", "DELETE"] == [r.method for r in asked if "/blobs/uploads/" in r.path]
    assert 204 == asked[-1].status


def test_the_claim_of_a_token_shows_whether_a_push_is_allowed(client, registry_token, image_layout):
    image = filled(client, registry_token, image_layout)
    before = len(registry_token.requests())

    status, found = doctor(client, image)

    assert (0, True) == (status, image_step(found)["facts"]["push"])
    assert {"GET", "HEAD"} == {r.method for r in registry_token.requests()[before:]}


@pytest.fixture(name="narrow")
def _narrow(tmp_path):
    users = {USER: PASSWORD, "other": "other"}
    with (
        Narrowing(tmp_path / "narrowing", users) as server,
        cncf.CncfRegistry(
            tmp_path / "narrow", auth=server.registry_auth, host="localhost"
        ) as registry,
    ):
        yield server, registry


def test_a_token_with_silently_reduced_rights_allows_no_push(client, narrow, image_layout):
    server, registry = narrow
    server._sign = lambda user, scopes: TokenServer._sign(server, user, scopes)
    image = filled(client, registry, image_layout)
    del server._sign

    status, found = doctor(client, image)

    assert (4, "push-denied") == (status, found["cause"]["code"])
    assert (
        f"{registry.registry} allows the login from auths to pull team/app, but not to push"
    ) == found["cause"]["message"]
