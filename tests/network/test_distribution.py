# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import json
import socket
import traceback
from urllib.parse import parse_qs, urlsplit

import pytest
from doubles import servers as wire
from doubles.servers import Answer

from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import (
    AuthenticationError,
    InvalidRegistryError,
    RegistryError,
    TransientError,
    UnreachableError,
)
from devcontainer_registry.network.distribution import check
from devcontainer_registry.network.refusals import error
from devcontainer_registry.network.transport import Response
from devcontainer_registry.registry import Registry

REGISTRY = "registry.example"
CANARY = "c4n4ry-s3cret"
BASIC = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
CREDENTIAL = Credential(username="user", secret=Secret(CANARY))
IDENTITY = Credential.identity_token(Secret(CANARY))
BEARER = 'Bearer realm="https://auth.example/token",service="the service"'


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    with wire.world(tmp_path_factory.mktemp("world")) as world:
        yield world


class Registryish:
    """
    A registry that challenges, accepts one `Authorization`, and has some manifests.
    """

    def __init__(self, accepts="Bearer good", challenges=(BEARER,), manifests=None, refusal=401):
        self.accepts = accepts
        self.challenges = challenges
        self.manifests = manifests or {}
        self.refusal = refusal

    def __call__(self, request):
        if request.authorization is None:
            return Answer(401, [("WWW-Authenticate", c) for c in self.challenges])
        if request.authorization != self.accepts:
            return Answer(self.refusal)
        if request.path == "/v2/":
            return Answer()
        status = self.manifests.get(request.path, 404)
        return Answer(status, [("Docker-Content-Digest", f"sha256:{'0' * 64}")])


def tokens(token="good", *, key="token", status=200):
    def handler(request):
        if request.authorization == BASIC or b"refresh_token=" in request.body:
            return Answer(status, body=json.dumps({key: token}).encode())
        return Answer(401)

    return handler


def ask(world, *, credential=CREDENTIAL, registry=REGISTRY, image=None, timeout=10):
    with world.transport() as transport:
        return check(
            Registry(registry), credential, transport=transport, image=image, timeout=timeout
        )


def refused(world, kind=RegistryError, **options):
    with pytest.raises(kind) as caught:
        ask(world, **options)
    shown = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert CANARY not in shown
    assert base64.b64encode(f"user:{CANARY}".encode()).decode() not in shown
    assert "\n" not in caught.value.message
    return caught.value


def sent_to(server):
    return [request.authorization for request in server.seen if request.authorization]


# The login, as docker does it


def test_basic_is_answered_with_basic(world):
    registry = world.host(REGISTRY, Registryish(BASIC, ['Basic realm="x"']))

    outcome = ask(world)

    assert outcome.verified
    assert outcome.code is None
    assert outcome.realm is None
    assert [BASIC] == sent_to(registry)


def test_bearer_is_answered_with_a_token_that_the_registry_then_accepts(world):
    registry = world.host(REGISTRY, Registryish())
    auth = world.host("auth.example", tokens())

    outcome = ask(world)

    assert outcome.verified
    assert "auth.example" == outcome.realm
    assert ["Bearer good"] == sent_to(registry)
    assert [BASIC] == sent_to(auth)


def test_a_token_is_asked_for_as_docker_asks_at_login(world):
    world.host(REGISTRY, Registryish())
    auth = world.host("auth.example", tokens())

    ask(world)

    (request,) = auth.seen
    assert "GET" == request.method
    assert {
        "service": ["the service"],
        "client_id": ["docker"],
        "offline_token": ["true"],
        "account": ["user"],
    } == parse_qs(urlsplit(request.target).query)


def test_an_identity_token_is_posted_and_in_no_url(world):
    world.host(REGISTRY, Registryish())
    auth = world.host("auth.example", tokens())

    outcome = ask(world, credential=IDENTITY)

    (request,) = auth.seen
    assert outcome.verified
    assert "POST" == request.method
    assert "/token" == request.target
    assert {
        "grant_type": ["refresh_token"],
        "service": ["the service"],
        "client_id": ["docker"],
        "refresh_token": [CANARY],
    } == parse_qs(request.body.decode())
    assert request.authorization is None


def test_an_identity_token_is_not_sent_as_a_password(world):
    registry = world.host(REGISTRY, Registryish(BASIC, ['Basic realm="x"']))

    exc = refused(world, AuthenticationError, credential=IDENTITY)

    assert "identity-token-refused" == exc.code
    assert [] == sent_to(registry)


@pytest.mark.parametrize("key", ["token", "access_token"])
def test_either_name_of_the_token_is_understood(world, key):
    world.host(REGISTRY, Registryish())
    world.host("auth.example", tokens(key=key))

    assert ask(world).verified


def test_bearer_is_preferred_to_basic(world):
    registry = world.host(REGISTRY, Registryish(challenges=['Basic realm="x"', BEARER]))
    world.host("auth.example", tokens())

    assert ask(world).verified
    assert ["Bearer good"] == sent_to(registry)


def test_basic_is_taken_where_bearer_names_a_realm_that_it_may_not(world):
    bad = 'Bearer realm="https://169.254.169.254/token", Basic realm="x"'
    registry = world.host(REGISTRY, Registryish(BASIC, [bad]))

    assert ask(world).verified
    assert [BASIC] == sent_to(registry)


def test_a_query_in_the_realm_is_kept(world):
    world.host(REGISTRY, Registryish(challenges=['Bearer realm="https://auth.example/t?tenant=7"']))
    auth = world.host("auth.example", tokens())

    assert ask(world).verified
    assert auth.seen[0].target.startswith("/t?tenant=7&client_id=docker")


def test_a_service_cannot_smuggle_in_parameters(world):
    smuggled = 'Bearer realm="https://auth.example/t",service="a&scope=b#c"'
    world.host(REGISTRY, Registryish(challenges=[smuggled]))
    auth = world.host("auth.example", tokens())

    ask(world)

    assert ["a&scope=b#c"] == parse_qs(urlsplit(auth.seen[0].target).query)["service"]


def test_an_open_registry_proves_nothing(world):
    registry = world.host(REGISTRY, lambda _: Answer())

    outcome = ask(world)

    assert not outcome.verified
    assert "not-checked" == outcome.code
    assert [] == sent_to(registry)


def test_ping_and_proof_share_one_connection(world):
    registry = world.host(REGISTRY, Registryish())
    world.host("auth.example", tokens())

    ask(world)

    assert 2 == len(registry.seen)
    assert 1 == registry.connections


def test_a_pull_is_proven_with_a_token_of_its_own_after_the_login(world):
    registry = world.host(REGISTRY, Registryish(manifests={"/v2/team/app/manifests/1": 200}))
    auth = world.host("auth.example", tokens())

    ask(world, image=f"{REGISTRY}/team/app:1")

    assert ["GET", "GET", "HEAD"] == [request.method for request in registry.seen]
    assert [False, True] == ["scope=" in request.target for request in auth.seen]


# Refusals


def test_a_wrong_password_over_basic_is_sent_once(world):
    registry = world.host(REGISTRY, Registryish("Basic other", ['Basic realm="x"']))

    exc = refused(world, AuthenticationError)

    assert "rejected" == exc.code
    assert [BASIC] == sent_to(registry)


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_server_that_refuses_is_named(world, status):
    registry = world.host(REGISTRY, Registryish())
    auth = world.host("auth.example", lambda _: Answer(status, body=CANARY.encode()))

    exc = refused(world, AuthenticationError)

    assert "rejected" == exc.code
    assert "auth.example" in exc.message
    assert [BASIC] == sent_to(auth)
    assert [] == sent_to(registry)


def test_an_anonymous_token_does_not_count_as_accepted(world):
    world.host(REGISTRY, Registryish("Bearer real"))
    world.host("auth.example", tokens("anybodys"))

    exc = refused(world, AuthenticationError)

    assert "rejected" == exc.code


def test_an_anonymous_token_does_not_count_even_if_it_pulls_the_image(world):
    claims = base64.urlsafe_b64encode(b'{"sub":"","access":[]}').decode().rstrip("=")
    token = f"e30.{claims}.c2ln"
    world.host(REGISTRY, Registryish(f"Bearer {token}", manifests={"/v2/app/manifests/1": 200}))
    world.host("auth.example", tokens(token))

    exc = refused(world, AuthenticationError, image="app:1")

    assert "rejected" == exc.code


def test_an_oauth_refusal_with_status_400_is_a_refusal(world):
    world.host(REGISTRY, Registryish())
    world.host("auth.example", lambda _: Answer(400, body=b'{"error":"invalid_grant"}'))

    exc = refused(world, AuthenticationError, credential=IDENTITY)

    assert "rejected" == exc.code


def test_an_expired_token_of_ecr_has_its_own_code(world):
    body = b"Your authorization token has expired. Reauthenticate and try again."

    def handler(request):
        if request.authorization:
            return Answer(403, body=body)
        return Answer(401, [("WWW-Authenticate", 'Basic realm="x"')])

    world.host(REGISTRY, handler)

    exc = refused(world, AuthenticationError)

    assert "token-expired" == exc.code


def test_a_firewall_that_names_our_address_is_no_refusal_of_the_credential(world):
    body = {"errors": [{"message": "client with IP '203.0.113.7' is not allowed access."}]}
    world.host(REGISTRY, Registryish())
    world.host("auth.example", lambda _: Answer(403, body=json.dumps(body).encode()))

    exc = refused(world, UnreachableError)

    assert "ip-not-allowed" == exc.code
    assert "203.0.113.7" in exc.message
    assert not isinstance(exc, TransientError)


@pytest.mark.parametrize(
    "challenges", [(), ("Negotiate",), ("Bearer",), ('Bearer service="x"',), ('Digest realm="x"',)]
)
def test_a_401_that_names_no_way_in_is_no_registry(world, challenges):
    registry = world.host(REGISTRY, Registryish(challenges=challenges))

    exc = refused(world)

    assert "not-a-registry" == exc.code
    assert [] == sent_to(registry)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"token":""}',
        b'{"token":null}',
        b'{"token":7}',
        b'{"token":"a\\r\\nX-Evil: 1"}',
        b'{"token":"\\u00e4"}',
        b"[" * 60000,
        b"\xff\xfe",
    ],
)
def test_a_token_server_without_a_token_is_none(world, body):
    registry = world.host(REGISTRY, Registryish())
    world.host("auth.example", lambda _: Answer(body=body))

    exc = refused(world)

    assert "not-a-registry" == exc.code
    assert [] == sent_to(registry)


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (302, RegistryError, "not-a-registry"),
        (400, RegistryError, "not-a-registry"),
        (403, AuthenticationError, "network-refused"),
        (404, RegistryError, "not-a-registry"),
        (405, RegistryError, "not-a-registry"),
        (407, UnreachableError, "proxy-refused"),
        (408, TransientError, "busy"),
        (429, TransientError, "throttled"),
        (500, TransientError, "busy"),
        (502, TransientError, "busy"),
        (503, TransientError, "busy"),
        (504, TransientError, "busy"),
    ],
)
def test_each_status_has_its_error(world, status, kind, code):
    world.host(REGISTRY, lambda _: Answer(status))

    exc = refused(world)

    assert kind is type(exc)
    assert code == exc.code


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-1", None),
        ("9" * 5000, None),
        ("Thu, 99 Foo 9999", None),
        ("", None),
        (None, None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date(value, seconds):
    headers = (("Retry-After", value),) if value is not None else ()
    response = Response(status=429, headers=headers, body=b"", url="")

    exc = error(response, Registry(REGISTRY), now=10.0)

    assert seconds == exc.retry_after


# Images


def test_an_image_that_can_be_pulled_is_proven_over_basic_too(world):
    manifests = {"/v2/team/app/manifests/1": 200}
    registry = world.host(REGISTRY, Registryish(BASIC, ['Basic realm="x"'], manifests))

    outcome = ask(world, image="team/app:1")

    assert (True, None) == (outcome.verified, outcome.code)
    assert ["GET", "GET", "HEAD"] == [request.method for request in registry.seen]


def test_the_scope_asked_for_is_a_pull_of_the_image(world):
    world.host(REGISTRY, Registryish(manifests={"/v2/team/app/manifests/1": 200}))
    auth = world.host("auth.example", tokens())

    ask(world, image=f"{REGISTRY}/team/app:1")

    query = parse_qs(urlsplit(auth.seen[-1].target).query)
    assert ["repository:team/app:pull"] == query["scope"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_pull_that_the_token_server_denies_keeps_the_login(world, status):
    world.host(REGISTRY, Registryish())
    granted = tokens()
    auth = world.host(
        "auth.example", lambda r: Answer(status) if "scope=" in r.target else granted(r)
    )

    outcome = ask(world, image="team/app:1")

    assert (True, "pull-denied") == (outcome.verified, outcome.code)
    assert 2 == len(auth.seen)


def test_a_public_image_proves_no_login(world):
    manifests = {"/v2/team/app/manifests/1": 200}

    def registry(request):
        # The world's token reads public images, and is nobody's login.
        if request.authorization == "Bearer world" and request.path == "/v2/":
            return Answer(401)
        return Registryish("Bearer world", manifests=manifests)(request)

    world.host(REGISTRY, registry)
    auth = world.host("auth.example", lambda _: Answer(body=b'{"token": "world"}'))

    exc = refused(world, AuthenticationError, image="team/app:1")

    assert "rejected" == exc.code
    assert 1 == len(sent_to(auth))


def test_a_credential_that_is_no_good_request_is_refused(world):
    """ECR says 400 to a wrong password."""
    world.host(REGISTRY, Registryish(BASIC + "x", ['Basic realm="x"'], refusal=400))

    exc = refused(world, AuthenticationError)

    assert "rejected" == exc.code


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_a_denied_pull_keeps_the_login(world, status, scheme):
    manifests = {"/v2/team/app/manifests/1": status}
    if scheme == "basic":
        world.host(REGISTRY, Registryish(BASIC, ['Basic realm="x"'], manifests))
    else:
        world.host(REGISTRY, Registryish(manifests=manifests))
    world.host("auth.example", tokens())

    outcome = ask(world, image="team/app:1")

    assert (True, "pull-denied") == (outcome.verified, outcome.code)
    assert "team/app" in outcome.message
    assert outcome.hint


def test_a_token_that_opens_nothing_is_a_refusal_and_no_denied_pull(world):
    world.host(REGISTRY, Registryish("Bearer other"))
    world.host("auth.example", tokens())

    exc = refused(world, AuthenticationError, image="team/app:1")

    assert "rejected" == exc.code


def test_a_missing_image_has_its_own_code(world):
    world.host(REGISTRY, Registryish())
    world.host("auth.example", tokens())

    outcome = ask(world, image="team/app:1")

    assert (True, "image-not-found") == (outcome.verified, outcome.code)


def test_a_throttled_manifest_is_transient(world):
    world.host(REGISTRY, Registryish(manifests={"/v2/team/app/manifests/1": 429}))
    world.host("auth.example", tokens())

    exc = refused(world, TransientError, image="team/app:1")

    assert "throttled" == exc.code


@pytest.mark.parametrize("image", ["other.example/app:1", "docker.io/app", "UPPER", "a b"])
def test_another_registrys_image_is_refused_before_any_request(world, image):
    registry = world.host(REGISTRY, Registryish())

    refused(world, InvalidRegistryError, image=image)

    assert [] == registry.seen


# Realms and redirects: where a credential does not go


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.example/token",
        "https://10.0.0.1/token",
        "https://localhost/token",
        "https://169.254.169.254/token",
        "https://u:p@auth.example/token",
        "https://auth.example\\@evil.example/token",
    ],
)
def test_a_refused_realm_gets_no_request_at_all(world, realm):
    registry = world.host(REGISTRY, Registryish(challenges=[f'Bearer realm="{realm}"']))
    auth = world.host("auth.example", tokens())
    asked = len(world.proxy.seen)

    exc = refused(world, UnreachableError)

    assert "realm-refused" == exc.code
    assert [] == auth.seen
    assert [] == sent_to(registry)
    assert {f"{REGISTRY}:443"} == {request.target for request in world.proxy.seen[asked:]}


@pytest.mark.parametrize("registry", ["ghcr.io", "mine.azurecr.io", "docker.io"])
def test_a_well_known_registrys_credential_goes_to_no_strange_realm(world, registry):
    world.host(Registry(registry).api_host, Registryish())
    auth = world.host("auth.example", tokens())

    exc = refused(world, UnreachableError, registry=registry)

    assert "realm-refused" == exc.code
    assert "auth.example" in exc.message
    assert [] == auth.seen


def test_docker_hub_is_asked_where_it_answers(world):
    realm = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"'
    world.host("registry-1.docker.io", Registryish(challenges=[realm]))
    world.host("auth.docker.io", tokens())

    outcome = ask(world, registry="https://index.docker.io/v1/")

    assert outcome.verified
    assert "auth.docker.io" == outcome.realm


def test_a_realm_named_by_another_host_gets_nothing(world):
    world.host(REGISTRY, lambda _: Answer(307, [("Location", "https://other.example/v2/")]))
    world.host("other.example", Registryish())
    auth = world.host("auth.example", tokens())

    exc = refused(world, UnreachableError)

    assert "realm-refused" == exc.code
    assert [] == auth.seen


def test_another_hosts_basic_challenge_gets_nothing(world):
    registry = world.host(
        REGISTRY, lambda _: Answer(307, [("Location", "https://other.example/v2/")])
    )
    other = world.host("other.example", Registryish(BASIC, ['Basic realm="x"']))

    exc = refused(world, UnreachableError)

    assert "redirect-refused" == exc.code
    assert [] == sent_to(registry)
    assert [] == sent_to(other)


def test_a_redirect_of_the_token_request_takes_no_credential_along(world):
    registry = world.host(REGISTRY, Registryish())
    auth = world.host(
        "auth.example", lambda _: Answer(302, [("Location", "https://other.example/token")])
    )
    other = world.host("other.example", lambda _: Answer(body=b'{"token":"good"}'))

    exc = refused(world, UnreachableError)

    assert "redirect-refused" == exc.code
    assert [BASIC] == sent_to(auth)
    assert [] == other.seen
    assert [] == sent_to(registry)


def test_a_posted_identity_token_follows_no_redirect(world):
    world.host(REGISTRY, Registryish())
    world.host("auth.example", lambda _: Answer(307, [("Location", "https://other.example/t")]))
    other = world.host("other.example", tokens())

    exc = refused(world, UnreachableError, credential=IDENTITY)

    assert "redirect-refused" == exc.code
    assert [] == other.seen


def test_a_redirect_of_the_proof_takes_no_token_along(world):
    def handler(request):
        if request.authorization:
            return Answer(307, [("Location", "https://other.example/v2/")])
        return Answer(401, [("WWW-Authenticate", BEARER)])

    world.host(REGISTRY, handler)
    world.host("auth.example", tokens())
    other = world.host("other.example", Registryish())

    exc = refused(world, UnreachableError)

    assert "redirect-refused" == exc.code
    assert [] == sent_to(other)


# This machine


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_registry_on_this_machine_may_speak_plain_http(world, host):
    registry = world.here(Registryish(BASIC, ['Basic realm="x"']))

    outcome = ask(world, registry=f"{host}:{registry.port}")

    assert outcome.verified
    assert [BASIC] == sent_to(registry)


def test_a_registry_on_this_machine_is_asked_over_tls_first(world):
    registry = world.here(Registryish(BASIC, ['Basic realm="x"']), tls=True)

    assert ask(world, registry=f"localhost:{registry.port}").verified


def test_a_registry_on_this_machine_may_have_its_token_server_here(world):
    auth = world.here(tokens())
    registry = world.here(Registryish(challenges=[f'Bearer realm="http://{auth.netloc}/token"']))

    outcome = ask(world, registry=registry.netloc)

    assert outcome.verified
    assert auth.netloc == outcome.realm
    assert [BASIC] == sent_to(auth)


def test_a_registry_on_this_machine_that_is_mute_about_tls_is_asked_without(world):
    class Mute(wire.Server):
        def talk(self, sock):
            if sock.recv(1, socket.MSG_PEEK) == b"\x16":
                self.stopped.wait(5)
            else:
                super().talk(sock)

    registry = world.add(Mute(Registryish(BASIC, ['Basic realm="x"'])))

    outcome = ask(world, registry=registry.netloc, timeout=0.6)

    assert outcome.verified


def test_a_bad_certificate_on_this_machine_is_no_reason_for_plain_http(world):
    context = world.authority.context("a.example")

    class Both(wire.Server):
        def talk(self, sock):
            if sock.recv(1, socket.MSG_PEEK) == b"\x16":
                with context.wrap_socket(sock, server_side=True) as secure:
                    super().talk(secure)
            else:
                super().talk(sock)

    registry = world.add(Both(Registryish(BASIC, ['Basic realm="x"'])))

    exc = refused(world, registry=registry.netloc)

    assert "certificate-wrong-host" == exc.code
    assert [] == registry.seen


def test_a_registry_that_is_not_here_is_never_asked_over_plain_http(world):
    registry = world.here(Registryish(BASIC, ['Basic realm="x"']))
    world.routes["plain.example:443"] = registry.port
    world.routes["plain.example:80"] = registry.port

    exc = refused(world, registry="plain.example")

    assert "plain-http" == exc.code
    assert [] == sent_to(registry)


def test_the_whole_check_ends_with_its_timeout(world):
    def hang(_):
        return lambda _: world_stopped.wait(20)

    registry = world.host(REGISTRY, hang)
    world_stopped = registry.stopped

    exc = refused(world, TransientError, timeout=0.3)

    assert "timeout" == exc.code


def test_bytes_that_are_no_utf8_are_sent_as_they_came(world):
    odd = Credential(username="user", secret=Secret("p\udcff"))
    expected = "Basic " + base64.b64encode(b"user:p\xff").decode()
    registry = world.host(REGISTRY, Registryish(expected, ['Basic realm="x"']))

    assert ask(world, credential=odd).verified
    assert [expected] == sent_to(registry)
