# SPDX-License-Identifier: MIT
"""
SERVER as people spell it: Docker Hub's API, upper case, the default port, and what is missing.
"""

from __future__ import annotations

import base64
import json

import pytest
from doubles.homes import GOOD, Home, Scripted, a_set, only

from devcontainer_registry import authenticators as plugins
from devcontainer_registry.discovery import discover
from devcontainer_registry.keychain.resolve import resolve
from devcontainer_registry.registry import Registry

API = "registry-1.docker.io"
HUB = "https://index.docker.io/v1/"


def codes(found):
    return [finding.code for finding in found.findings]


def test_docker_hubs_api_is_a_registry_of_its_own_to_docker(tmp_path):
    home = Home(tmp_path)

    report = home.login(
        sets=a_set("HUB", API),
        authenticators={"generic": Scripted(GOOD)},
        verify="never",
        store="auths",
    )

    assert "ok" == only(report).status
    assert [API] == list(home.auths)
    assert "bob" == resolve(f"{API}/team/app", environ=home.environ).username
    assert resolve("team/app", environ=home.environ) is None


@pytest.mark.parametrize("name", ["docker.io", "index.docker.io", HUB, "https://docker.io"])
def test_docker_hubs_names_have_one_key(tmp_path, name):
    home = Home(tmp_path)
    home.write({"auths": {HUB: {"auth": base64.b64encode(b"bob:s").decode()}}})

    assert HUB == Registry(name).config_key
    for image in ("team/app", "docker.io/team/app", "index.docker.io/team/app", "alpine"):
        assert "bob" == resolve(image, environ=home.environ).username
    assert resolve(f"{API}/team/app", environ=home.environ) is None


@pytest.mark.parametrize(
    "image",
    [
        "my.app:latest",
        f"foo.bar@sha256:{'0' * 64}",
        "my.app:1.2.3",
        "a.b:v1",
        "foo.bar:x@sha256:00",
    ],
)
def test_an_image_with_a_dot_and_no_slash_is_docker_hubs(tmp_path, image):
    home = Home(tmp_path)
    home.write({"auths": {HUB: {"auth": base64.b64encode(b"bob:s").decode()}}})

    assert "bob" == resolve(image, environ=home.environ).username


@pytest.mark.parametrize(
    "server", ["MyReg.azurecr.io", "https://MYREG.azurecr.io/", "Registry.Example:5000"]
)
def test_upper_case_in_server_is_a_finding(server):
    found = discover(a_set("CORP", server))

    (finding,) = [f for f in found.findings if f.code == "upper-case"]
    assert found.secrets[0].registry in finding.hint
    assert "CORP_CONTAINER_REGISTRY_SERVER" in finding.message


@pytest.mark.parametrize("server", ["myreg.azurecr.io", HUB, "ghcr.io", "localhost:5000"])
def test_a_server_in_lower_case_is_nothing_to_speak_of(server):
    assert "upper-case" not in codes(discover(a_set("CORP", server)))


@pytest.mark.parametrize(
    ("server", "kind"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "ecr"),
        ("123456789012.dkr.ecr-fips.us-east-1.amazonaws.com", "ecr"),
        ("123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu", "ecr"),
        ("123456789012.dkr.ecr-fips.eusc-de-east-1.amazonaws.eu", "ecr"),
        ("public.ecr.aws", "ecr"),
        ("teamreg.azurecr.io", "acr"),
        ("ghcr.io", "ghcr"),
        ("europe-docker.pkg.dev", "google"),
        ("registry.example", "generic"),
    ],
)
@pytest.mark.parametrize("port", ["", ":443"])
def test_the_default_port_makes_no_other_kind_and_stays_in_the_key(tmp_path, server, kind, port):
    (secret,) = discover(a_set("CORP", server + port)).secrets
    found, _ = plugins.choose(secret, plugins.load())

    assert kind == found
    assert server + port == secret.registry.config_key

    home = Home(tmp_path)
    home.login(
        [secret],
        authenticators={"generic": Scripted(GOOD), kind: Scripted(GOOD)},
        verify="never",
        store="auths",
    )
    assert [server + port] == list(json.loads(home.text)["auths"])


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"USER": "bob"}, ("SERVER", "PASSWORD")),
        ({"PASSWORD": "s3cret"}, ("SERVER", "USER")),
        ({"SERVER": "registry.example", "USER": "bob"}, ("PASSWORD",)),
        ({"SERVER": "registry.example", "PASSWORD": "s3cret"}, ("USER",)),
    ],
)
def test_all_that_a_set_lacks_is_named_at_once(members, named):
    environ = {f"CORP_CONTAINER_REGISTRY_{name}": value for name, value in members.items()}

    (broken,) = discover(environ).incomplete

    for member in ("SERVER", "USER", "PASSWORD"):
        assert (member in named) == (f"CORP_CONTAINER_REGISTRY_{member}" in broken.error.message)
