# SPDX-License-Identifier: MIT
"""
What counts as proven: the registry itself said yes to this credential, and to nobody without one.
"""

from __future__ import annotations

import base64
import json

import pytest
from doubles.servers import Answer
from doubles.servers import world as made_up_world

from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import RegistryError, UnreachableError
from devcontainer_registry.network.distribution import check
from devcontainer_registry.registry import Registry

SECRET = "c4n4ry-p4ssw0rd"
CREDENTIAL = Credential(username="user", secret=Secret(SECRET))
BASIC = "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()
HOST = "registry.example"
PAGE = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"
DIGEST = ("Docker-Content-Digest", f"sha256:{'0' * 64}")
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
STATUSES = (301, 302, 303, 307, 308)
TARGETS = {
    "another host": "https://other.example/v2/",
    "no scheme": "//other.example/v2/",
    "another port": f"https://{HOST}:8443/v2/",
    "a sign-in page": "/login",
    "there and back": "/v2/?back",
    "itself": "/v2/",
}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    with made_up_world(tmp_path_factory.mktemp("world")) as world:
        yield world


class Site:
    """
    A host with one answer for each path; what it was sent is kept.
    """

    def __init__(self, answers, *, scheme="Basic", otherwise=None):
        self.answers = answers
        self.scheme = scheme
        self.otherwise = otherwise or Answer(200, body=b"{}")
        self.sent = []

    def __call__(self, request):
        self.sent.append((request.method, request.target, request.authorization))
        if request.path == "/v2/" and request.authorization is None:
            challenge = 'Basic realm="x"'
            if self.scheme == "Bearer":
                challenge = f'Bearer realm="https://auth.example/token",service="{HOST}"'
            return Answer(401, [("WWW-Authenticate", challenge)])
        found = self.answers.get(request.path, self.otherwise)
        return found(request) if callable(found) else found

    @property
    def credentials(self):
        return [authorization for *_, authorization in self.sent if authorization]


def tokens(request):
    good = request.authorization == BASIC
    return Answer(200 if good else 401, body=json.dumps({"token": "good"}).encode())


def ask(world, **options):
    with world.transport() as transport:
        return check(Registry(HOST), CREDENTIAL, transport=transport, timeout=10, **options)


def to(location, status=302):
    return Answer(status, [("Location", location)])


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("where", TARGETS)
@pytest.mark.parametrize("body", [b"{}", PAGE], ids=["json", "html"])
def test_a_redirect_of_the_login_proves_nothing(world, scheme, status, where, body):
    there = Answer(200, body=body)
    site = Site({"/v2/": to(TARGETS[where], status), "/login": there}, scheme=scheme)
    world.host(HOST, site)
    world.host("auth.example", tokens)
    other = Site({}, otherwise=there)
    world.host("other.example", other)

    with pytest.raises(UnreachableError) as caught:
        ask(world)

    assert "redirect-refused" == caught.value.code
    expected = "Bearer good" if scheme == "Bearer" else BASIC
    assert [expected] == site.credentials
    assert [] == other.sent


@pytest.mark.parametrize("scheme", ["Basic", "Bearer"])
@pytest.mark.parametrize("kind", ["text/html", "application/json", None])
def test_a_web_page_for_an_answer_proves_nothing(world, scheme, kind):
    headers = [("Content-Type", kind)] if kind else []
    site = Site({"/v2/": Answer(200, headers, body=PAGE)}, scheme=scheme)
    world.host(HOST, site)
    world.host("auth.example", tokens)

    with pytest.raises(RegistryError) as caught:
        ask(world)

    assert "not-a-registry" == caught.value.code
    assert "web page" in caught.value.message
    assert 1 == len(site.credentials)


@pytest.mark.parametrize("body", [b"", b"true", b"{}", b'"x"', b"OK"])
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "application/json", "text/plain"])
def test_what_registries_really_answer_is_proof(world, body, kind):
    # Quay says `true` and calls it text/html.
    world.host(HOST, Site({"/v2/": Answer(200, [("Content-Type", kind)], body=body)}))

    assert (True, None) == (ask(world).verified, ask(world).code)


@pytest.mark.parametrize("status", [201, 202, 204, 300, 304, 404])
def test_only_a_200_is_proof_as_for_docker(world, status):
    world.host(HOST, Site({"/v2/": Answer(status)}))

    with pytest.raises(RegistryError):
        ask(world)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("where", ["https://other.example/t", "//other.example/t", "/elsewhere"])
def test_a_redirect_of_the_token_request_takes_the_credential_nowhere(world, status, where):
    site = Site({}, scheme="Bearer")
    auth = Site({"/token": to(where, status)}, otherwise=Answer(body=b'{"token":"good"}'))
    other = Site({}, otherwise=Answer(body=b'{"token":"good"}'))
    world.host(HOST, site)
    world.host("auth.example", auth)
    world.host("other.example", other)

    with pytest.raises(UnreachableError) as caught:
        ask(world)

    assert "redirect-refused" == caught.value.code
    assert [BASIC] == auth.credentials
    assert [] == other.sent
    assert [] == site.credentials


@pytest.mark.parametrize("body", [PAGE, b"", b"[]", b'{"token": "a b"}', b'{"errors": []}'])
def test_a_token_server_that_sends_no_token_proves_nothing(world, body):
    world.host(HOST, Site({}, scheme="Bearer"))
    world.host("auth.example", lambda _: Answer(200, body=body))

    with pytest.raises(RegistryError) as caught:
        ask(world)

    assert "not-a-registry" == caught.value.code


# The first question, which carries no credential.


@pytest.mark.parametrize(
    ("answer", "code", "where"),
    [
        (Answer(200, body=PAGE), "not-a-registry", "web page"),
        (to("/login"), "not-a-registry", f"{HOST}/login"),
        (to("https://portal.example/login?next=x"), "not-a-registry", "portal.example/login"),
        (to("https://open.example/v2/"), "redirect-refused", "open.example/v2"),
    ],
)
def test_a_captive_portal_is_no_registry(world, answer, code, where):
    seen = []

    def site(request):
        seen.append(request.authorization)
        return Answer(200, body=PAGE) if request.path == "/login" else answer

    world.host(HOST, site)
    world.host("portal.example", lambda _: Answer(200, body=PAGE))
    world.host("open.example", lambda _: Answer(200, body=b"{}"))

    with pytest.raises(RegistryError) as caught:
        ask(world)

    assert code == caught.value.code
    assert where in caught.value.message
    assert "next" not in caught.value.message
    assert {None} == set(seen)


def test_a_registry_that_is_open_to_all_proves_nothing(world):
    world.host(HOST, lambda _: Answer(200, body=b"{}"))

    outcome = ask(world)

    assert (False, "not-checked") == (outcome.verified, outcome.code)


# An image.

PULL = "/v2/team/app/manifests/1"


def proof(world, answer, **others):
    site = Site({PULL: answer, "/v2/": Answer(200, body=b"{}"), **others})
    world.host(HOST, site)
    return ask(world, image="team/app:1"), site


@pytest.mark.parametrize(
    "headers",
    [
        [DIGEST],
        [("Content-Type", MANIFEST)],
        [DIGEST, ("Content-Type", MANIFEST)],
        [DIGEST, ("Content-Type", "application/octet-stream")],
    ],
)
def test_a_digest_or_a_media_type_proves_the_pull(world, headers):
    outcome, _ = proof(world, Answer(200, headers))

    assert (True, None) == (outcome.verified, outcome.code)


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [("Content-Type", "text/html")],
        [("Content-Type", "application/json")],
        [DIGEST, ("Content-Type", "text/html; charset=utf-8")],
        [("Docker-Content-Digest", "yes")],
        [("Docker-Content-Digest", "sha256:0")],
    ],
)
def test_another_200_proves_no_pull(world, headers):
    outcome, _ = proof(world, Answer(200, headers))

    assert (True, "not-checked") == (outcome.verified, outcome.code)
    assert outcome.message
    assert outcome.hint


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("headers", [[DIGEST], [("Content-Type", MANIFEST)]])
def test_a_manifest_that_is_kept_elsewhere_proves_the_pull_without_the_login(
    world, status, headers
):
    other = Site({}, otherwise=Answer(200, headers))
    world.host("cdn.example", other)

    outcome, site = proof(world, to("https://cdn.example/blob", status))

    assert (True, None) == (outcome.verified, outcome.code)
    assert [] == other.credentials
    assert [BASIC, BASIC] == site.credentials


@pytest.mark.parametrize("answer", [Answer(200), Answer(401), Answer(403), Answer(404)])
@pytest.mark.parametrize("where", ["https://sso.example/login", "/login"])
def test_a_manifest_that_ends_at_a_sign_in_page_proves_no_pull(world, answer, where):
    other = Site({}, otherwise=answer)
    world.host("sso.example", other)

    outcome, site = proof(world, to(where), **{"/login": answer})

    assert (True, "not-checked") == (outcome.verified, outcome.code)
    assert [] == other.credentials
    assert [BASIC, BASIC] == site.credentials


# Token answers that docker cannot read.


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"expires_in": "300"}, "expires_in"),
        ({"expires_in": 1.5}, "expires_in"),
        ({"EXPIRES_IN": True}, "expires_in"),
        ({"issued_at": 1700000000}, "issued_at"),
        ({"issued_at": "yesterday"}, "issued_at"),
        ({"refresh_token": 7}, "refresh_token"),
    ],
)
def test_a_token_answer_that_docker_cannot_parse_is_reported(world, answer, said):
    world.host(HOST, Site({}, scheme="Bearer"))
    body = json.dumps({"token": "good", **answer}).encode()
    world.host("auth.example", lambda _: Answer(200, body=body))

    outcome = ask(world)

    assert (True, "docker-cannot-read") == (outcome.verified, outcome.code)
    assert said in outcome.message


def test_a_byte_order_mark_before_a_token_is_reported(world):
    world.host(HOST, Site({}, scheme="Bearer"))
    world.host("auth.example", lambda _: Answer(200, body=b'\xef\xbb\xbf{"token": "good"}'))

    assert "docker-cannot-read" == ask(world).code


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"expires_in": 300, "issued_at": "2026-01-02T03:04:05Z"},
        {"issued_at": "2026-01-02T03:04:05.123456789+02:00", "refresh_token": "r"},
        {"expires_in": None, "issued_at": None, "access_token": "good"},
        {"scope": ["x"], "other": {}},
    ],
)
def test_a_token_answer_that_docker_reads_is_fine(world, answer):
    world.host(HOST, Site({}, scheme="Bearer"))
    body = json.dumps({"token": "good", **answer}).encode()
    world.host("auth.example", lambda _: Answer(200, body=body))

    assert (True, None) == (ask(world).verified, ask(world).code)
