# SPDX-License-Identifier: MIT
"""
Values of HTTPS_PROXY whose user part can be misread: nothing of them is shown but the host.
"""

from __future__ import annotations

import pytest
from doubles.clouds import KEY, KEY_ID
from doubles.homes import Home, a_secret, only

from devcontainer_registry.authenticators.acr import AcrAuthenticator
from devcontainer_registry.authenticators.ecr import EcrAuthenticator
from devcontainer_registry.credentials import RegistrySecret, Secret
from devcontainer_registry.errors import RegistryError, UnreachableError
from devcontainer_registry.network.proxies import host_of, proxy_for
from devcontainer_registry.registry import Registry

UNUSABLE = [
    "http://c4nary:12/34@127.0.0.1:9",
    "http://c4nary/12:34@127.0.0.1:9",
    "http://user:12@c4nary/34@127.0.0.1:9",
    "http://user:12#c4nary@127.0.0.1:9",
    "http://user:12?c4nary@127.0.0.1:9",
    "http://user:c4nary 12@127.0.0.1:9",
    "http://user:c4nary\\12@127.0.0.1:9",
    "http://user:c4nary%2@127.0.0.1:9",
    "http://user:c4nary\u00e9@127.0.0.1:9",
    'http://user:"c4nary"@127.0.0.1:9',
    "c4nary:12/34@127.0.0.1:9",
    "user:12#c4nary@127.0.0.1:9",
    "user:c4nary://12@127.0.0.1:9",
    "//c4nary:12@127.0.0.1:9",
    "http:/c4nary:12@127.0.0.1:9",
    "https://c4nary:1@127.0.0.1:99999",
    "http://user:c4nary@",
    "http://user:c4nary",
    "http://[c4nary:12@127.0.0.1:9",
]


@pytest.mark.parametrize("value", UNUSABLE)
def test_a_value_that_can_be_misread_is_unsupported_and_not_shown(tmp_path, value):
    secret = a_secret(registry=Registry("registry.invalid"))
    report = Home(tmp_path).login([secret], timeout=20, sets={"HTTPS_PROXY": value})

    assert ("unverified", "proxy-unsupported") == (only(report).status, only(report).code)
    shown = f"{report!r}{only(report).error}{only(report).error.hint}"
    assert "c4nary" not in shown
    assert "" == host_of(value)


@pytest.mark.parametrize("value", UNUSABLE[:6])
@pytest.mark.parametrize("cloud", ["aws", "azure"])
def test_no_cloud_s_sdk_is_given_such_a_value(monkeypatch, value, cloud):
    monkeypatch.setenv("HTTPS_PROXY", value)
    monkeypatch.delenv("NO_PROXY", raising=False)
    aws = {"username": KEY_ID, "secret": Secret(KEY)}
    authenticator, host, members = {
        "aws": (EcrAuthenticator(), "123456789012.dkr.ecr.eu-west-1.amazonaws.com", aws),
        "azure": (AcrAuthenticator(), "example.azurecr.io", {}),
    }[cloud]
    secret = RegistrySecret(id="A", registry=Registry(host), source="A_*", **members)

    with pytest.raises(RegistryError) as caught:
        authenticator.authenticate(secret, timeout=10)
    assert (UnreachableError, "proxy-unsupported") == (type(caught.value), caught.value.code)
    assert "c4nary" not in f"{caught.value}{caught.value.hint}"


@pytest.mark.parametrize(
    ("value", "host"),
    [
        ("http://u:p@proxy.example:3128", "proxy.example:3128"),
        ("u:p@proxy.example:3128", "proxy.example:3128"),
        ("proxy_1", "proxy_1:80"),
        ("HTTPS://proxy.example/path?query#fragment", "proxy.example:443"),
        ("http://u:p%2F%40%23@[::1]:3128/", "[::1]:3128"),
        ("http://u:p@ss@proxy.example", "proxy.example:80"),  # as Go reads it
    ],
)
def test_what_go_can_use_is_used_and_its_host_shown(value, host):
    proxy = proxy_for("registry.example", 443, {"HTTPS_PROXY": value})

    assert proxy is not None
    assert host == proxy.url.partition("://")[2] == host_of(value)
    assert "p@ss" not in repr(proxy)
