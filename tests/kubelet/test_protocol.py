# SPDX-License-Identifier: MIT
"""
The kubelet's protocol: requests, responses, keys and durations.
"""

from __future__ import annotations

import json

import pytest
from doubles.command_line import Ran
from doubles.kubelet import V1, VERSIONS, RejectedError, accepted, lookup, request, seconds

from devcontainer_registry.errors import RegistryError
from devcontainer_registry.kubelet import protocol

TOKEN = "eyJhbGciOiJSUzI1NiJ9.t0ken-of-a-pod.c2ln"


def answer(image, **more):
    asked = protocol.parse(request(image, **more))
    return accepted(
        Ran(0, protocol.response(asked, "bob", "s3cret", seconds=60.0), ""),
        version=more.get("version", V1),
    )


# Keys.  The kubelet hands over the whole name without tag and digest (pkg/util/parsers), and so a
# short name, as a person would type it for a try, is Docker Hub's.


@pytest.mark.parametrize(
    ("image", "key", "registry"),
    [
        ("registry.example/team/app", "registry.example", "registry.example"),
        ("registry.example/team/app:1", "registry.example", "registry.example"),
        ("registry.example/team/app@sha256:" + "0" * 64, "registry.example", "registry.example"),
        ("registry.example:5000/app", "registry.example:5000", "registry.example:5000"),
        ("Registry.Example/app", "Registry.Example", "registry.example"),
        ("localhost/app", "localhost", "localhost"),
        ("localhost:5000/app", "localhost:5000", "localhost:5000"),
        ("docker.io/library/busybox", "docker.io", "docker.io"),
        ("docker.io/team/app", "docker.io", "docker.io"),
        ("index.docker.io/library/busybox", "index.docker.io", "docker.io"),
        ("busybox", "index.docker.io", "docker.io"),
        ("team/app:1", "index.docker.io", "docker.io"),
        ("public.ecr.aws/docker/library/busybox", "public.ecr.aws", "public.ecr.aws"),
        (
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        ),
    ],
)
def test_the_key_is_the_host_as_the_kubelet_spells_it_and_matches_the_image(image, key, registry):
    asked = protocol.parse(request(image))
    document = answer(image)

    assert (key, registry) == (asked.key, asked.registry)
    assert [key] == list(document["auth"])
    if "/" in image and ("." in image or ":" in image) and not image.startswith("team/"):
        assert [("bob", "s3cret")] == lookup(document, image.partition("@")[0])


def test_the_credential_of_one_registry_is_for_no_other():
    document = answer("registry.example:5000/app")

    for other in ("registry.example/app", "registry.example:443/app", "sub.registry.example/app"):
        assert [] == lookup(document, other)


def test_an_image_that_is_no_reference_has_no_registry():
    assert protocol.parse(request("registry.example/UPPER")).registry is None


# Responses.


@pytest.mark.parametrize("version", VERSIONS)
def test_the_response_has_the_version_of_the_request(version):
    assert version == answer("registry.example/app", version=version)["apiVersion"]


def test_a_credential_is_cached_for_its_registry():
    assert "Registry" == answer("registry.example/app")["cacheKeyType"]


def test_without_a_login_the_kubelet_looks_again_after_a_minute():
    asked = protocol.parse(request("registry.example/app"))

    document = accepted(Ran(0, protocol.no_login(asked), ""))

    assert {} == document["auth"]
    assert ("Registry", 60) == (document["cacheKeyType"], seconds(document))


def test_any_text_survives_the_json():
    asked = protocol.parse(request("registry.example/app"))
    username, password = 'robot$"\\ü', "p\\u0000\n\t\x7f€😀"

    text = protocol.response(asked, username, password, seconds=None)

    document = accepted(Ran(0, text, ""))
    assert text.isascii()
    assert "cacheDuration" not in document
    assert [(username, password)] == lookup(document, "registry.example/app")


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (0.0, "0s"),
        (0.9, "0s"),
        (59.99, "59s"),
        (60, "1m0s"),
        (3599, "59m59s"),
        (3600, "1h0m0s"),
        (19800, "5h30m0s"),
        (100 * 3600.0 + 61, "100h1m1s"),
    ],
)
def test_a_duration_is_written_as_go_does(given, text):
    assert text == protocol.duration(given)


HOUR = 3600.0


@pytest.mark.parametrize(
    ("issued", "expires", "kept"),
    [
        (0, 12 * HOUR, 6 * HOUR),  # ECR's, new
        (-2 * HOUR, 10 * HOUR, 4 * HOUR),  # the same, two hours later
        (-6 * HOUR, 6 * HOUR, 60),  # due for renewal, which failed
        (-11.99 * HOUR, 0.01 * HOUR, 0),  # about to end
        (0, 90, 30),  # ends soon: a minute is for the pull
        (0, 61, 1),
        (0, 60, 0),
        (0, None, None),
    ],
)
def test_the_kubelet_keeps_a_credential_until_it_is_due_for_renewal(issued, expires, kept):
    now = 1_800_000_000.0
    ends = None if expires is None else now + expires

    found = protocol.seconds_to_keep(issued_at=now + issued, expires_at=ends, now=now)

    assert kept == (found if found is None else pytest.approx(found))


# Requests.


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "kubelet-request-invalid"),
        ("s3cret", "kubelet-request-invalid"),
        ("[]", "kubelet-request-invalid"),
        ("[" * 100_000, "kubelet-request-invalid"),
        ("{}", "kubelet-request-invalid"),
        (request(kind="s3cret"), "kubelet-request-invalid"),
        (request(kind=None), "kubelet-request-invalid"),
        (request(version="s3cret"), "kubelet-version-unknown"),
        (request(version="credentialprovider.kubelet.k8s.io/v2"), "kubelet-version-unknown"),
        (request(version="v1"), "kubelet-version-unknown"),
        (request(version=1), "kubelet-version-unknown"),
        (request(version=["x"]), "kubelet-version-unknown"),
        (request(None), "kubelet-request-invalid"),
        (request(""), "kubelet-request-invalid"),
        (request(1), "kubelet-request-invalid"),
        (request(token=1), "kubelet-request-invalid"),
        (request(annotations=["s3cret"]), "kubelet-request-invalid"),
        (request(annotations={"s3cret": 1}), "kubelet-request-invalid"),
    ],
)
def test_what_is_no_request_is_refused_and_not_quoted(text, code):
    with pytest.raises(RegistryError) as caught:
        protocol.parse(text)

    assert code == caught.value.code
    assert caught.value.hint
    assert "s3cret" not in f"{caught.value.message}{caught.value.hint}"
    assert caught.value.__cause__ is None


def test_a_member_of_a_later_version_is_ignored():
    assert "registry.example" == protocol.parse(request(podUID="x")).registry


def test_a_request_shows_no_token():
    asked = protocol.parse(request(token=TOKEN, annotations={"a": "b"}))

    assert (TOKEN, {"a": "b"}) == (asked.token, asked.annotations)
    assert TOKEN not in repr(asked)


# The rules themselves.


GOOD = {"apiVersion": V1, "kind": "CredentialProviderResponse", "cacheKeyType": "Image"}


@pytest.mark.parametrize(
    "document",
    [
        {**GOOD, "apiVersion": VERSIONS[1]},
        {**GOOD, "kind": "CredentialProviderRequest"},
        {**GOOD, "cacheKeyType": ""},
        {**GOOD, "cacheKeyType": "registry"},
        {**GOOD, "cacheDuration": "-1s"},
        {**GOOD, "cacheDuration": "1 hour"},
        {**GOOD, "expires": 1},
        {**GOOD, "auth": {"": {"username": "u", "password": "p"}}},
        {**GOOD, "auth": {"a.example": {"username": "u", "identitytoken": "p"}}},
    ],
)
def test_a_response_that_the_kubelet_would_not_use_is_rejected_here(document):
    assert accepted(Ran(0, json.dumps(GOOD), ""))
    with pytest.raises(RejectedError):
        accepted(Ran(0, json.dumps(document), ""))


def test_the_examples_of_the_kubelet_s_source_match_here():
    """
    The patterns that keyring.go and types.go name, and what they do and do not match.
    """
    credential = {"username": "u", "password": "p"}

    def matches(key, image):
        return bool(lookup({"auth": {key: credential}}, image))

    for key, image in (
        ("*.azurecr.io", "mycompany.azurecr.io/app"),
        ("*.*.registry.io", "a.b.registry.io/app"),
        ("registry.io:8080/path", "registry.io:8080/path/app"),
        ("app*.k8s.io", "app1.k8s.io/x"),
    ):
        assert matches(key, image), key
    for key, image in (
        ("*.io", "a.k8s.io/x"),
        ("registry.io:8080/path", "registry.io/path/app"),
        ("registry.io:8080/path", "registry.io:8080/other"),
        ("registry.io", "registry.io:8080/app"),
    ):
        assert not matches(key, image), key
