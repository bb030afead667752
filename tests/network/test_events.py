# SPDX-License-Identifier: MIT
"""
What a login tells of its requests: real servers over TLS, a token server and a proxy.
"""

from __future__ import annotations

import base64
import json
import socket

import pytest
from doubles import servers as wire
from doubles.homes import Home, Told, a_set
from doubles.servers import Answer

from devcontainer_registry.errors import RegistryError
from devcontainer_registry.network.urls import shown
from devcontainer_registry.observer import listening

CANARY = "C4nary-p4ss"
BASIC = "Basic " + base64.b64encode(f"bob:{CANARY}".encode()).decode()
BEARER = 'Bearer realm="https://auth.example/token",service="the service",scope="registry:x:*"'


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    with wire.world(tmp_path_factory.mktemp("world")) as world:
        yield world


def registry(request):
    if request.authorization == "Bearer good":
        return Answer()
    return Answer(401, [("WWW-Authenticate", BEARER)])


def token_server(request):
    good = request.authorization == BASIC
    return Answer(200 if good else 401, body=json.dumps({"token": "good"}).encode())


def told_by_login(world, tmp_path, **environ):
    told = Told()
    report = Home(tmp_path).login(
        sets={**world.environ, **environ, **a_set("CORP", "reg.example", password=CANARY)},
        observe=told,
    )
    assert CANARY not in repr(told)
    assert BASIC[6:] not in repr(told)
    return report, told


def fields_of(told, event):
    return [fields for name, fields in told if name == event]


def test_a_login_tells_each_step_in_its_order(world, tmp_path):
    world.host("reg.example", registry)
    world.host("auth.example", token_server)
    proxy = f"127.0.0.1:{world.proxy.port}"

    report, told = told_by_login(world, tmp_path, HTTPS_PROXY=f"http://someone:{CANARY}@{proxy}")

    assert report.ok
    assert [
        "variable.used",
        "variable.used",
        "variable.used",
        "config.read",
        "authenticator.chosen",
        "secret.found",
        "login.decided",
        "credential.obtained",
        "login.started",
        # The registry, asked without a login.
        "proxy.chosen",
        "dns.resolved",
        "connection.opened",
        "proxy.tunnel_opened",
        "tls.negotiated",
        "request.answered",
        "challenge.received",
        # Its token server.
        "token.requested",
        "proxy.chosen",
        "dns.resolved",
        "connection.opened",
        "proxy.tunnel_opened",
        "tls.negotiated",
        "request.answered",
        # The registry again.
        "request.answered",
        "cache.written",
        "cache.written",
        "config.replaced",
        "login.succeeded",
    ] == [event for event in told.events if event != "helper.checked"][:28]
    chosen = {"id": "CORP", "host": "reg.example", "proxy": proxy, "why": "HTTPS_PROXY"}
    assert chosen == fields_of(told, "proxy.chosen")[0]
    tls, _ = fields_of(told, "tls.negotiated")
    assert ("reg.example", "TLSv1.3") == (tls["host"], tls["version"])
    assert "CA" in tls["issuer"]
    assert tls["expires"].endswith("GMT")
    (challenge,) = fields_of(told, "challenge.received")
    assert {
        "id": "CORP",
        "registry": "reg.example",
        "scheme": "bearer",
        "realm": "auth.example",
        "service": "the service",
        "scope": "registry:x:*",
    } == challenge
    assert [
        ("GET", "reg.example", "/v2/", 401),
        ("GET", "auth.example", "/token", 200),
        ("GET", "reg.example", "/v2/", 200),
    ] == [
        tuple(fields[name] for name in ("method", "host", "path", "status"))
        for fields in fields_of(told, "request.answered")
    ]
    (written,) = fields_of(told, "config.replaced")
    assert ("0600", True) == (written["mode"], written["created"])
    assert written["bytes"] > 0


def test_a_host_that_no_proxy_exempts_is_told_with_the_variable(world):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    told = Told()
    transport = world.transport(NO_PROXY="127.0.0.2,.nowhere.invalid")
    with listening(told), pytest.raises(RegistryError):
        transport.request("GET", f"https://127.0.0.2:{port}/v2/?secret={CANARY}", timeout=5)

    bypassed, resolved, failed, request = told
    why = "loopback"
    assert bypassed == (
        "proxy.bypassed",
        {"host": f"127.0.0.2:{port}", "proxy": None, "why": why},
    )
    assert ("dns.resolved", ["127.0.0.2"]) == (resolved[0], resolved[1]["addresses"])
    assert ("connection.failed", "ECONNREFUSED") == (failed[0], failed[1]["reason"])
    assert ("request.failed", "/v2/") == (request[0], request[1]["path"])
    assert CANARY not in repr(told)


def test_a_name_that_does_not_resolve_and_its_exemption_are_told(world):
    told = Told()
    transport = world.transport(no_proxy=".nowhere.invalid")
    with listening(told), pytest.raises(RegistryError):
        transport.request("GET", "https://reg.nowhere.invalid/v2/", timeout=5)

    assert ["proxy.bypassed", "dns.failed", "request.failed"] == told.events
    assert "no_proxy" == told[0][1]["why"]
    assert told[1][1]["reason"].startswith("EAI_")


def test_a_certificate_that_is_not_trusted_is_told_with_openssls_reason(world, tmp_path):
    world.host("bad.example", registry, authority=wire.WireAuthority(tmp_path, "Another CA"))
    told = Told()
    with listening(told), pytest.raises(RegistryError):
        world.transport().request("GET", "https://bad.example/v2/", timeout=5)

    (failed,) = fields_of(told, "tls.failed")
    assert "certificate" in failed["reason"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/v2/team/app/manifests/latest", "/v2/team/app/manifests/latest"),
        (f"/v2/app/manifests/sha256:{'0' * 64}", f"/v2/app/manifests/sha256:{'0' * 64}"),
        ("repository:team/app:pull,push", "repository:team/app:pull,push"),
        ("/token/" + "ghp_" + "a" * 36, "/token/****"),
        ("/a%2Fb/eyJhbGciOiJIUzI1NiJ9" + "x" * 40, "/****/****"),
        ("\x1b[2J", "****"),
    ],
)
def test_what_a_server_chose_is_shown_as_far_as_it_can_be_no_secret(text, expected):
    assert expected == shown(text)
