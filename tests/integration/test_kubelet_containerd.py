# SPDX-License-Identifier: MIT
"""
What the provider answers pulls a private image, over CRI, with a real containerd and registry.

No kubelet runs here.  The way from the response to the pull is by the kubelet's rules, in
`doubles.kubelet`; containerd gets what the kubelet would hand over.
"""

from __future__ import annotations

import pytest
from doubles.homes import a_set
from doubles.kubelet import Node, accepted, lookup, request
from parts.containerd import Containerd, RefusedError

from .conftest import USERS


@pytest.fixture(name="containerd", scope="module")
def _containerd(_bare_process):
    with Containerd() as containerd:
        yield containerd


@pytest.fixture(name="node")
def _node(tmp_path):
    return Node(tmp_path)


def credentials(node, image, sets):
    """
    Return what the kubelet would try for *image*, one after the other; nothing: no login.
    """
    asked_for = image.rpartition(":")[0]  # without the tag
    return lookup(accepted(node.ask(request(asked_for), **sets)), asked_for)


def pushed(client, image, image_layout, user):
    """
    Push *image* as *user*, with a login that no config.json has.
    """
    done = client.skopeo(
        "copy",
        "--dest-tls-verify=false",
        f"--dest-creds={user}:{USERS[user]}",
        f"oci:{image_layout}:latest",
        f"docker://{image}",
    )
    assert done.returncode == 0, done.stderr
    return image


@pytest.mark.parametrize("user", USERS)
def test_containerd_pulls_a_private_image_with_what_the_provider_answers(
    containerd, node, registry_htpasswd, private_image, user
):
    containerd.use_plain_http(registry_htpasswd.registry)
    sets = a_set("CORP", registry_htpasswd.registry, user=user, password=USERS[user])
    with pytest.raises(RefusedError, match=r"401|authorization|basic auth"):
        containerd.pull(private_image)

    ((username, password),) = credentials(node, private_image, sets)
    pulled = containerd.pull(private_image, username=username, password=password)

    containerd.remove(private_image)
    assert pulled.startswith("sha256:")
    got = [r for r in registry_htpasswd.requests() if r.accepted and "containerd/" in r.agent]
    assert any("/manifests/" in request.path for request in got)
    assert any("/blobs/" in request.path for request in got)
    # The provider itself asked nobody.
    agents = {r.agent.partition("/")[0] for r in registry_htpasswd.requests()}
    assert agents <= {"containerd", "skopeo"}


def test_the_password_reaches_a_token_server_too(
    containerd, client, node, registry_token, image_layout
):
    user = next(iter(USERS))
    image = pushed(client, f"{registry_token.registry}/team/app:1", image_layout, user)
    containerd.use_plain_http(registry_token.registry)
    sets = a_set("CORP", registry_token.registry, user=user, password=USERS[user])

    ((username, password),) = credentials(node, image, sets)

    assert containerd.pull(image, username=username, password=password).startswith("sha256:")
    containerd.remove(image)


def test_a_wrong_password_of_a_set_is_refused_by_the_registry_at_the_pull(
    containerd, node, registry_htpasswd, private_image
):
    containerd.use_plain_http(registry_htpasswd.registry)
    sets = a_set("CORP", registry_htpasswd.registry, user="alice", password="wrong")

    ((username, password),) = credentials(node, private_image, sets)

    with pytest.raises(RefusedError, match=r"401|authorization|basic auth"):
        containerd.pull(private_image, username=username, password=password)


def test_a_set_for_the_same_host_on_another_port_gives_containerd_nothing(
    node, registry_htpasswd, private_image
):
    host = registry_htpasswd.registry.partition(":")[0]

    assert [] == credentials(node, private_image, a_set("CORP", f"{host}:1"))
