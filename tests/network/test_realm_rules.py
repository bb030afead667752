# SPDX-License-Identifier: MIT
"""
Which token server may get a credential: by where the registry is, and where the server would be.
"""

from __future__ import annotations

import pytest

from devcontainer_registry.errors import UnreachableError
from devcontainer_registry.network.challenge import check_realm
from devcontainer_registry.network.urls import Url
from devcontainer_registry.registry import Registry


def judge(server, realm, *, peer=None, crossed=False, scheme="https"):
    registry = Registry(server)
    asked = Url.parse(f"{scheme}://{registry.api_host}/v2/")
    try:
        check_realm(realm, registry=registry, asked=asked, crossed_hosts=crossed, peer=peer)
    except UnreachableError as exc:
        return exc.code != "realm-refused"
    return True


@pytest.mark.parametrize(
    ("server", "realm", "peer"),
    [
        # The same host on another port.
        ("10.0.0.5:5000", "https://10.0.0.5:5001/auth", "10.0.0.5"),
        ("192.168.1.9", "https://192.168.1.9:8443/jwt/auth", "192.168.1.9"),
        ("[fd00::5]:5000", "https://[fd00::5]:5001/auth", "fd00::5"),
        ("registry.corp.example:5000", "https://registry.corp.example:5001/auth", "10.0.0.5"),
        ("registry.example", "https://registry.example:8443/auth", "203.0.113.5"),
        # A registry at a private address may name any https realm.
        ("10.0.0.5:5000", "https://10.0.0.6/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://auth.example/token", "10.0.0.5"),
        ("registry.corp.example", "https://10.0.0.6/auth", "10.0.0.5"),
        ("registry.corp.example", "https://[fd00::6]/auth", "fd00::5"),
        ("localhost:5000", "https://10.0.0.6/auth", "127.0.0.1"),
        # A public one names a public one.
        ("registry.example", "https://auth.example/token", "203.0.113.5"),
        ("registry.example", "https://auth.example/token", None),
    ],
)
def test_this_token_server_may_have_the_credential(server, realm, peer):
    assert judge(server, realm, peer=peer)


@pytest.mark.parametrize(
    ("server", "realm", "peer"),
    [
        # A public one may not name a private or loopback realm, nor one that nobody can place.
        ("registry.example", "https://10.0.0.6/auth", "8.8.8.8"),
        ("registry.example", "https://127.0.0.1/auth", "8.8.8.8"),
        ("registry.example", "https://localhost/auth", "8.8.8.8"),
        ("registry.example", "https://[::1]/auth", "8.8.8.8"),
        ("registry.example", "https://[::ffff:10.0.0.6]/auth", "8.8.8.8"),
        ("registry.example", "https://[64:ff9b::a00:6]/auth", "8.8.8.8"),
        ("registry.example", "https://0.0.0.0/auth", "8.8.8.8"),
        ("registry.example", "https://10.0.0.6/auth", None),
        ("8.8.8.8", "https://10.0.0.6/auth", "8.8.8.8"),
        # Link-local, and the clouds' metadata: never.
        ("10.0.0.5:5000", "https://169.254.169.254/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://[fe80::1]/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://[fd00:ec2::254]/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://[::ffff:169.254.169.254]/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://metadata.google.internal/auth", "10.0.0.5"),
        ("localhost:5000", "https://169.254.169.254/auth", "127.0.0.1"),
        # Plain HTTP, but between two on this machine.
        ("10.0.0.5:5000", "http://10.0.0.5:5001/auth", "10.0.0.5"),
        ("registry.example", "http://registry.example/auth", "10.0.0.5"),
        # Spelled so that parsers disagree.
        ("10.0.0.5:5000", "https://0x0a000006/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://167772166/auth", "10.0.0.5"),
        ("10.0.0.5:5000", "https://user@auth.example/", "10.0.0.5"),
    ],
)
def test_this_token_server_may_not_have_the_credential(server, realm, peer):
    assert not judge(server, realm, peer=peer)


@pytest.mark.parametrize(
    "server", ["docker.io", "ghcr.io", "quay.io", "team.azurecr.io", "eu-docker.pkg.dev"]
)
def test_the_great_registries_name_their_own_token_server_only(server):
    assert not judge(server, "https://auth.evil.example/token", peer="10.0.0.5")


def test_a_realm_that_came_after_a_redirect_to_another_host_is_not_believed():
    assert not judge("10.0.0.5", "https://10.0.0.6/auth", peer="10.0.0.6", crossed=True)
    assert not judge("10.0.0.5", "https://10.0.0.5:1/auth", peer="10.0.0.6", crossed=True)
