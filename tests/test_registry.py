# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from devcontainer_registry.errors import InvalidRegistryError
from devcontainer_registry.registry import Registry, is_loopback_host, split_image

HUB = "https://index.docker.io/v1/"


@pytest.mark.parametrize(
    ("server", "registry"),
    [
        ("ghcr.io", "ghcr.io"),
        ("GHCR.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("HTTP://ghcr.io/", "ghcr.io"),
        ("ghcr.io/owner/image:tag", "ghcr.io"),
        (" ghcr.io\n", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
        ("[::1]:5000", "[::1]:5000"),
        ("[2001:DB8::1]", "[2001:db8::1]"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        (HUB, "docker.io"),
        ("index.docker.io", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
    ],
)
def test_every_spelling_that_docker_takes_for_a_login_is_one_registry(server, registry):
    assert registry == Registry(server)


@pytest.mark.parametrize(
    "server",
    [
        "",
        "/",
        "https://",
        "user@ghcr.io",
        "user:password@ghcr.io",
        "ghcr.io/a@b",
        "ghcr.io?a=b",
        "ghcr.io/?a=b",
        "ghcr.io#a",
        "ghcr.io\\a",
        "ghcr.io:",
        "ghcr.io:0",
        "ghcr.io:65536",
        "ghcr.io:http",
        "ghcr.io:1:2",
        "ghcr..io",
        "ghcr.io.",
        "-ghcr.io",
        "ghcr-.io",
        "a b.io",
        "ghcr.io\x00",
        "\x1cghcr.io",
        "gh\ncr.io",
        "gh\x7fcr.io",
        "b\u00fccher.example",
        "\u00a0ghcr.io",
        "docer.io\u200b",
        "doc\u212aer.io",
        "ghcr.io:\u0665",
        "a" * 64,
        ".".join(["a"] * 128),
        "[::1",
        "[::1]a",
        "[::1]:0",
        "[localhost]",
        "ftp://ghcr.io",
    ],
)
def test_what_is_no_host_is_refused_and_not_quoted(server):
    with pytest.raises(InvalidRegistryError) as caught:
        Registry(server)

    assert caught.value.code == "invalid-server"
    assert caught.value.message == "not the name of a registry: expected host or host:port"


def test_docker_hub_has_its_own_key_and_host_and_all_others_have_one_name():
    hub, other = Registry("docker.io"), Registry("ghcr.io:443")

    assert (HUB, "registry-1.docker.io") == (hub.config_key, hub.api_host)
    assert (HUB, "docker.io", "index.docker.io", "registry-1.docker.io") == hub.spellings
    assert ("ghcr.io:443", "ghcr.io:443", "ghcr.io") == (
        other.config_key,
        other.api_host,
        other.hostname,
    )
    assert ("ghcr.io:443",) == other.spellings


def test_a_registry_of_a_registry_is_itself():
    registry = Registry("ghcr.io")

    assert Registry(registry) is registry


@pytest.mark.parametrize("server", ["localhost", "localhost:1", "127.0.0.1:5000", "[::1]:5000"])
def test_a_registry_on_this_machine_is_loopback(server):
    assert Registry(server).is_loopback


@pytest.mark.parametrize(
    "server",
    ["ghcr.io", "127.0.0.1.example", "localhost.example", "128.0.0.1", "127.1", "[::2]:1"],
)
def test_a_name_that_only_looks_like_this_machine_is_not_loopback(server):
    assert not Registry(server).is_loopback


def test_an_octet_ends_at_255():
    assert is_loopback_host("127.255.255.255")
    assert not is_loopback_host("127.0.0.256")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("alpine", ("docker.io", "library/alpine", "latest")),
        ("alpine:3", ("docker.io", "library/alpine", "3")),
        ("team/app", ("docker.io", "team/app", "latest")),
        ("docker.io/alpine", ("docker.io", "library/alpine", "latest")),
        ("ghcr.io/a/b:1", ("ghcr.io", "a/b", "1")),
        ("localhost/a", ("localhost", "a", "latest")),
        ("localhost:5000/a:b", ("localhost:5000", "a", "b")),
        ("ghcr.io/a@sha256:00", ("ghcr.io", "a", "sha256:00")),
        ("ghcr.io/a:1@sha256:00", ("ghcr.io", "a", "sha256:00")),
    ],
)
def test_an_image_means_what_it_means_to_docker(image, parts):
    assert parts == split_image(image)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "ghcr.io/",
        "ghcr.io/A",
        "a b",
        "a:",
        "a:b:c",
        "a@b",
        "https://ghcr.io/a",
        "a:.b",
        "a//b",
        "a:@sha256:00",
    ],
)
def test_what_is_no_image_is_refused(image):
    with pytest.raises(InvalidRegistryError):
        split_image(image)


HOSTISH = st.text(alphabet="aZ0.-:/[]@?#\\ \t\x00\u212a\u00e9_", max_size=20)


@given(text=st.text() | HOSTISH)
@example(text="https://http://a")
def test_any_text_is_a_registry_or_the_packages_own_error(text):
    try:
        registry = Registry(text)
    except InvalidRegistryError:
        return

    assert registry == Registry(str(registry))
    assert registry == Registry(registry.config_key)
    assert all(registry == Registry(spelling) for spelling in registry.spellings)
    assert registry.isascii()
    assert registry.hostname
    assert registry.is_loopback in (True, False)


@given(text=st.text() | HOSTISH)
def test_any_text_is_an_image_or_the_packages_own_error(text):
    try:
        registry, repository, reference = split_image(text)
    except InvalidRegistryError:
        return

    separator = "@" if ":" in reference else ":"
    again = split_image(f"{registry}/{repository}{separator}{reference}")
    # An upper-case word before the first slash is a host to docker; lower-cased, it is none.
    if registry == "localhost" or "." in registry or ":" in registry:
        assert (registry, repository, reference) == again
