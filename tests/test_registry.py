# SPDX-License-Identifier: MIT
""" """

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from doubles.homes import HERE
from hypothesis import example, given
from hypothesis import strategies as st

from devcontainer_registry.credentials import Credential, Finding, RegistrySecret, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    ConfigError,
    DiscoveryError,
    InvalidRegistryError,
    PluginError,
    RegistryError,
    TransientError,
)
from devcontainer_registry.registry import Registry, is_loopback_host, split_image
from devcontainer_registry.report import LoginReport, Outcome

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
        ("registry-1.docker.io", "registry-1.docker.io"),
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
def test_an_invalid_host_is_refused_and_not_quoted(server):
    with pytest.raises(InvalidRegistryError) as caught:
        Registry(server)

    assert caught.value.code == "invalid-server"
    assert caught.value.message == "not the name of a registry: expected host or host:port"


def test_docker_hub_has_its_own_key_and_host_and_all_others_have_one_name():
    hub, other = Registry("docker.io"), Registry("ghcr.io:443")

    assert (HUB, "registry-1.docker.io") == (hub.config_key, hub.api_host)
    assert (HUB, "docker.io", "index.docker.io") == hub.spellings
    assert ("ghcr.io:443", "ghcr.io:443", "ghcr.io") == (
        other.config_key,
        other.api_host,
        other.hostname,
    )
    assert ("ghcr.io:443",) == other.spellings


def test_a_registry_made_from_a_registry_is_equal():
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
def test_an_image_is_parsed_as_docker_parses_it(image, parts):
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
def test_an_invalid_image_is_refused(image):
    with pytest.raises(InvalidRegistryError):
        split_image(image)


HOSTISH = st.text(alphabet="aZ0.-:/[]@?#\\ \t\x00\u212a\u00e9_", max_size=20)


@given(text=st.text() | HOSTISH)
@example(text="https://http://a")
def test_any_text_is_a_registry_or_raises_our_own_error(text):
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
def test_any_text_is_an_image_or_raises_our_own_error(text):
    try:
        registry, repository, reference = split_image(text)
    except InvalidRegistryError:
        return

    separator = "@" if ":" in reference else ":"
    again = split_image(f"{registry}/{repository}{separator}{reference}")
    # An upper-case word before the first slash is a host to Docker; in lower case it is not.
    if registry == "localhost" or "." in registry or ":" in registry:
        assert (registry, repository, reference) == again


CANARY = "C4nary-that-n0body-may-see"


@pytest.mark.parametrize("show", [repr, "{!r:>20}".format, "%r".__mod__, ascii])
def test_a_secret_does_not_show_itself(show):
    assert CANARY not in show(Secret(CANARY))


def test_a_secret_does_not_even_show_how_long_it_is():
    assert repr(Secret("a")) == repr(Secret("a" * 99))


def test_a_secret_is_revealed_only_by_reveal():
    secret = Secret(CANARY)

    assert secret.reveal() == CANARY
    assert not isinstance(secret, str)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol):
    credential = Credential(username="bob", secret=Secret(CANARY))

    with pytest.raises(TypeError) as caught:
        pickle.dumps(credential, protocol)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_copy_of_a_secret_is_the_secret():
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_secrets_are_equal_when_they_hold_the_same():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 1 == len({Secret("a"), Secret("a")})


def test_a_secret_is_true_if_it_is_not_empty():
    assert Secret("a")
    assert not Secret("")


def test_a_discovery_shows_no_value_of_a_variable():
    names = ["username", "kind", "region", "role_arn", "profile", "tenant", "ca_file", "image"]
    found = RegistrySecret(
        id="ACR",
        registry=Registry("mycompany.azurecr.io"),
        source="ACR_CONTAINER_REGISTRY_*",
        secret=Secret(CANARY),
        session_token=Secret(CANARY),
        **dict.fromkeys(names, CANARY),
    )

    assert CANARY not in repr(found)


def test_an_identity_token_is_a_credential_with_dockers_user_name():
    credential = Credential.identity_token(Secret(CANARY), issued_at=1.0, expires_at=2.0)

    assert "<token>" == credential.username
    assert credential.is_identity_token
    assert (1.0, 2.0) == (credential.issued_at, credential.expires_at)
    assert CANARY not in repr(credential)


def test_seconds_are_left_until_it_expires():
    credential = Credential(username="bob", secret=Secret("a"), expires_at=100.0)

    assert [40.0, 0.0, -1.0] == [credential.seconds_left(now=now) for now in (60.0, 100.0, 101.0)]
    assert Credential(username="bob", secret=Secret("a")).seconds_left() == float("inf")
    assert not credential.is_identity_token


# The exit status of several outcomes.


def outcome(status, error=None, **members):
    code = members.pop("code", error.code if error else None)
    values = {"id": "ACR", "registry": HERE, "source": "ACR_CONTAINER_REGISTRY_*", "kind": "acr"}
    return Outcome(**{**values, **members}, status=status, code=code, error=error)


def report(*outcomes, **members):
    return LoginReport(config="/c/config.json", changed=False, outcomes=outcomes, **members)


WELL = outcome("ok")
REFUSED = outcome("rejected", AuthenticationError("no"))
UNREACHED = outcome("unverified", TransientError("busy"))
INCOMPLETE = outcome("incomplete", DiscoveryError("no password"))
NOT_KEPT = outcome("failed", RegistryError("x", code="not-kept"))


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (WELL, 0),
        (outcome("unchanged"), 0),
        (outcome("found"), 0),
        (outcome("skipped", RegistryError("x", code="other-helper")), 0),
        (outcome("skipped", DiscoveryError("x", code="not-configured")), 0),
        (outcome("incomplete", DiscoveryError("x"), code="not-configured"), 0),
        (outcome("ok", RegistryError("x", code="not-checked")), 0),
        (outcome("ok", RegistryError("x", code="not-delegated")), 0),
        (outcome("ok", RegistryError("x", code="written-in-snapshot")), 0),
        (INCOMPLETE, 3),
        (outcome("failed", PluginError("x")), 3),
        (REFUSED, 4),
        (outcome("ok", RegistryError("x", code="pull-denied")), 4),
        (outcome("ok", RegistryError("x", code="image-not-found")), 4),
        (UNREACHED, 5),
        (outcome("failed", TransientError("x")), 5),
        (outcome("failed", RegistryError("x", code="not-a-registry")), 5),
        (NOT_KEPT, 6),
        (outcome("failed", ConfigError("x")), 6),
        (outcome("ok", RegistryError("x", code="hidden-by-credsstore")), 6),
    ],
    ids=lambda value: f"{value.status}-{value.code}" if isinstance(value, Outcome) else str(value),
)
def test_each_outcome_has_its_exit_status(one, status):
    assert status == report(one).exit_status
    assert (status == 0) == report(one).ok


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), 0),
        ((WELL, INCOMPLETE), 3),
        ((WELL, INCOMPLETE, UNREACHED), 5),
        ((UNREACHED, INCOMPLETE, REFUSED), 4),
        ((REFUSED, NOT_KEPT, UNREACHED, INCOMPLETE), 6),
    ],
)
def test_exit_statuses_take_precedence_in_the_order_6_4_5_3(outcomes, status):
    assert status == report(*outcomes).exit_status
    assert status == report(*reversed(outcomes)).exit_status


def test_an_error_of_config_json_has_exit_status_6():
    assert 6 == report(WELL, error=ConfigError("x")).exit_status
    assert 6 == report(error=ConfigError("x")).exit_status


def test_findings_alone_are_not_a_failure():
    finding = Finding(code="near-miss", message="x", hint="y", variable="Z")

    assert 0 == report(WELL, findings=(finding,)).exit_status


@pytest.mark.parametrize("one", [REFUSED, UNREACHED, INCOMPLETE, NOT_KEPT], ids=lambda o: o.status)
def test_an_implicit_login_never_changes_the_exit_status(one):
    implicit = outcome(one.status, one.error, implicit=True)

    assert 0 == report(implicit).exit_status
    assert 0 == report(implicit, error=ConfigError("x")).exit_status
    assert 4 == report(implicit, REFUSED).exit_status
