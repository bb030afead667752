# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback

import pytest
from doubles import servers as wire
from doubles.patience import LONG
from doubles.servers import Answer

from devcontainer_registry.errors import RegistryError, TransientError, UnreachableError
from devcontainer_registry.network import sockets
from devcontainer_registry.network.failures import sort
from devcontainer_registry.network.proxies import proxy_for
from devcontainer_registry.network.transport import BODY_MAX, Transport
from devcontainer_registry.network.urls import Url, check_redirect

CANARY = "c4n4ry-s3cret"
SECRET = {"Authorization": f"Bearer {CANARY}", "X-Secret": CANARY}


@pytest.fixture(name="world", scope="module")
def _world(tmp_path_factory):
    with wire.world(tmp_path_factory.mktemp("world")) as world:
        yield world


def ok(_):
    return Answer(body=b"fine")


def to(location, status=302):
    return lambda _: Answer(status, [("Location", location)])


def get(world, url="https://a.example/v2/", *, method="GET", timeout=10, **options):
    with world.transport() as transport:
        return transport.request(method, url, timeout=timeout, **options)


def failed(kind, ask, *args, **options):
    with pytest.raises(RegistryError) as caught:
        ask(*args, **options)
    exc = caught.value
    assert kind is type(exc), repr(exc)
    shown = "".join(traceback.format_exception(exc)) + exc.hint
    assert CANARY not in shown
    assert "\n" not in exc.message
    assert exc.hint[:1].islower()
    return exc


# What goes out, and what comes back


def test_an_answer_is_returned_whatever_its_status(world):
    world.host("a.example", lambda _: Answer(503, [("Retry-After", "7")], b"busy"))

    response = get(world)

    assert (503, b"busy") == (response.status, response.body)
    assert "7" == response.header("retry-after")


def test_a_header_that_comes_twice_is_there_twice(world):
    world.host("a.example", lambda _: Answer(401, [("X-A", "1"), ("x-a", "2")]))

    response = get(world)

    assert ["1", "2"] == response.header_list("X-A")


def test_a_form_is_posted_as_one(world):
    server = world.host("a.example", ok)

    get(world, method="POST", form={"a": "1 &", "b": "ä"})

    (request,) = server.seen
    assert b"a=1+%26&b=%C3%A4" == request.body
    assert "application/x-www-form-urlencoded" == request.headers["content-type"]


def test_neither_response_nor_transport_shows_what_came_or_went(world):
    world.host("a.example", lambda _: Answer(200, [("X", CANARY)], CANARY.encode()))

    with world.transport() as transport:
        response = transport.request("GET", f"https://a.example/?q={CANARY}", timeout=5)

        assert CANARY not in repr(response) + repr(transport)


def test_a_header_that_could_end_its_line_is_refused_without_its_value(world):
    with pytest.raises(ValueError, match="Authorization") as caught:
        get(world, headers={"Authorization": f"Bearer {CANARY}\r\nX: y"})

    assert CANARY not in str(caught.value)


def test_one_connection_serves_one_request_after_the_other(world):
    server = world.host("a.example", ok)

    with world.transport() as transport:
        for _ in range(3):
            transport.request("GET", "https://a.example/", timeout=5)

    assert 1 == server.connections


def test_the_trust_store_is_read_once_for_many_registries(world):
    for number in range(5):
        world.host(f"r{number}.example", ok)
    with world.transport() as transport:
        contexts = {transport._trust.context(f"r{number}.example") for number in range(5)}

    assert 1 == len(contexts)


def test_many_threads_share_one_transport(world):
    world.host("a.example", ok)
    statuses = []
    with world.transport() as transport:

        def ask():
            statuses.append(transport.request("GET", "https://a.example/", timeout=10).status)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [200] * 20 == statuses


# Size and time


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
def test_a_body_without_end_is_not_read_to_its_end(world, framing):
    def endless(sock):
        head = {
            "length": b"Content-Length: 99999999999\r\n",
            "chunked": b"Transfer-Encoding: chunked\r\n",
            "close": b"Connection: close\r\n",
        }[framing]
        sock.sendall(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n")
        piece = b"400\r\n" + b"x" * 1024 + b"\r\n" if framing == "chunked" else b"x" * 1024
        while True:
            sock.sendall(piece)

    world.host("a.example", lambda _: endless)

    exc = failed(RegistryError, get, world)

    assert "not-a-registry" == exc.code


def test_a_body_of_just_the_size_allowed_is_whole(world):
    world.host("a.example", lambda _: Answer(body=b"x" * BODY_MAX))

    assert BODY_MAX == len(get(world).body)


def test_a_long_error_page_is_cut_and_its_status_kept(world):
    world.host("a.example", lambda _: Answer(503, body=b"x" * (BODY_MAX * 3)))

    response = get(world)

    assert (503, BODY_MAX) == (response.status, len(response.body))


def dribble(sock, stopped):
    for _ in range(400):  # 8 s: a broken deadline is to be seen, not waited for
        if stopped.wait(0.02):
            return
        sock.sendall(b"X")


DRIPS = {
    "status line": b"",
    "headers": b"HTTP/1.1 200 OK\r\n",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n",
}


@pytest.mark.parametrize("where", DRIPS)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_dripping_answer_ends_with_the_timeout(world, where, scheme):
    def drip(sock):
        sock.sendall(DRIPS[where])
        dribble(sock, server.stopped)

    if scheme == "https":
        server = world.host("a.example", lambda _: drip)
        url = "https://a.example/"
    else:
        server = world.here(lambda _: drip)
        url = f"http://{server.netloc}/"
    started = time.monotonic()

    exc = failed(TransientError, get, world, url, timeout=0.3)

    assert "timeout" == exc.code
    assert time.monotonic() - started < LONG


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 Connection established\r\n"])
def test_a_dripping_proxy_ends_with_the_timeout(world, first):
    class Dripping(wire.Server):
        def talk(self, sock):
            sock.sendall(first)
            dribble(sock, self.stopped)

    proxy = world.add(Dripping(None))
    started = time.monotonic()

    with world.transport(HTTPS_PROXY=f"http://{proxy.netloc}") as transport:
        failed(TransientError, transport.request, "GET", "https://a.example/", timeout=0.3)

    assert time.monotonic() - started < LONG


def test_a_silent_handshake_ends_with_the_timeout(world):
    class Silent(wire.Server):
        def talk(self, sock):  # noqa: ARG002
            self.stopped.wait()

    server = world.add(Silent(None))

    exc = failed(TransientError, get, world, f"https://{server.netloc}/", timeout=0.3)

    assert "timeout" == exc.code


def test_redirects_share_one_timeout(world):
    def slow(_):
        server.stopped.wait(0.15)
        return Answer(302, [("Location", "/again")])

    server = world.here(slow)
    started = time.monotonic()

    exc = failed(TransientError, get, world, f"http://{server.netloc}/", timeout=0.3)

    assert "timeout" == exc.code
    assert time.monotonic() - started < LONG


@pytest.mark.parametrize("timeout", [0, -1])
def test_no_time_is_a_timeout(world, timeout):
    exc = failed(TransientError, get, world, timeout=timeout)

    assert "timeout" == exc.code


def test_a_deadline_is_the_threads_own_and_ends_with_its_block():
    with sockets.until(time.monotonic() - 1):
        with pytest.raises(TimeoutError):
            sockets.left()
        with sockets.until(time.monotonic() + 50):
            assert 40 < sockets.left() <= 50

    assert sockets.left() > 0


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_redirect_is_followed(world, status, method):
    server = world.host(
        "a.example", lambda r: ok(r) if r.target == "/b?c" else to("/b?c", status)(r)
    )

    response = get(world, method=method)

    assert 200 == response.status
    assert not response.crossed_hosts
    assert "https://a.example/b?c" == response.url
    assert [method, method] == [request.method for request in server.seen]


def test_a_redirect_on_the_same_host_takes_no_credential_along(world):
    server = world.host("a.example", lambda r: ok(r) if r.target == "/b" else to("/b")(r))

    get(world, headers=SECRET)

    assert [f"Bearer {CANARY}", None] == [request.authorization for request in server.seen]


@pytest.mark.parametrize("target", ["https://b.example/", "https://a.example:8443/"])
def test_a_redirect_to_another_host_or_port_takes_no_credential_along(world, target):
    world.host("a.example", to(target))
    others = [world.host("b.example", ok), world.host("a.example", ok, port=8443)]

    response = get(world, headers={**SECRET, "Accept": "text/plain"})

    (request,) = [request for other in others for request in other.seen]
    assert response.crossed_hosts
    assert request.authorization is None
    assert "x-secret" not in request.headers
    assert "text/plain" == request.headers["accept"]


def test_a_credential_left_behind_does_not_come_back(world):
    home = world.host(
        "a.example", lambda r: ok(r) if r.target == "/2" else to("https://b.example")(r)
    )
    world.host("b.example", to("https://a.example/2"))

    response = get(world, headers=SECRET)

    assert response.crossed_hosts
    assert [f"Bearer {CANARY}", None] == [request.authorization for request in home.seen]


def test_a_redirect_out_of_tls_takes_no_credential_along(world):
    plain = world.here(ok)
    secure = world.here(to(f"http://{plain.netloc}/"), tls=True)

    get(world, f"https://{secure.netloc}/", headers=SECRET)

    assert [None] == [request.authorization for request in plain.seen]


@pytest.mark.parametrize(
    "target",
    [
        "http://b.example/",
        "http://a.example/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://[::1]/",
        "https://u:p@b.example/",
        "ftp://b.example/",
        "https://b.example\\@c.example/",
        "https://[nonsense/",
    ],
)
def test_a_redirect_into_the_network_or_out_of_tls_is_not_followed(world, target):
    server = world.host("a.example", to(target))
    asked = len(world.proxy.seen)

    exc = failed(UnreachableError, get, world)

    assert "redirect-refused" == exc.code
    assert 1 == len(server.seen)
    assert 1 == len(world.proxy.seen) - asked


def test_the_query_of_a_redirect_is_in_no_error(world):
    world.host("a.example", to(f"http://b.example/?token={CANARY}"))

    failed(UnreachableError, get, world)


def test_redirects_in_circles_end(world):
    server = world.host("a.example", to("/"))

    exc = failed(RegistryError, get, world)

    assert "not-a-registry" == exc.code
    assert 6 == len(server.seen)


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_post_is_not_redirected(world, status):
    world.host("a.example", to("https://b.example/", status))
    other = world.host("b.example", ok)

    response = get(world, method="POST", form={"refresh_token": CANARY})

    assert status == response.status
    assert [] == other.seen


@pytest.mark.parametrize(
    ("source", "target", "followed"),
    [
        ("https://10.0.0.5:5000/v2/", "https://10.0.0.5:5000/v3/", True),
        ("https://10.0.0.5:5000/v2/", "https://10.0.0.6:5000/v2/", False),
        ("http://localhost:5000/v2/", "http://127.0.0.1:5001/v2/", True),
        ("http://localhost:5000/v2/", "https://b.example/v2/", True),
        ("http://localhost:5000/v2/", "http://b.example/v2/", False),
    ],
)
def test_a_redirect_stays_where_it_may(source, target, followed):
    try:
        check_redirect(Url.parse(source), Url.parse(target))
    except UnreachableError:
        assert not followed
    else:
        assert followed


# TLS


@pytest.mark.parametrize(
    ("names", "options", "code"),
    [
        (("a.example",), {"days": -1}, "certificate-expired"),
        (("a.example",), {"starts": 1, "days": 2}, "certificate-not-yet-valid"),
        (("b.example",), {}, "certificate-wrong-host"),
    ],
)
def test_each_fault_of_a_certificate_has_its_code(world, names, options, code):
    server = world.add(wire.Server(ok, context=world.authority.context(*names, **options)))
    world.routes["a.example:443"] = server.port

    exc = failed(UnreachableError, get, world, headers=SECRET)

    assert code == exc.code
    assert "a.example" in exc.message
    assert [] == server.seen


@pytest.fixture(name="stranger")
def _stranger(world, tmp_path):
    """
    A host whose certificate is from an authority that nobody trusts yet.
    """
    authority = wire.WireAuthority(tmp_path / "stranger", "Strange CA")
    world.host("s.example", ok, port=5000, authority=authority)
    return authority


def test_an_unknown_authority_is_refused(world, stranger):  # noqa: ARG001
    exc = failed(UnreachableError, get, world, "https://s.example:5000/", headers=SECRET)

    assert "certificate-untrusted" == exc.code
    assert "/etc/docker/certs.d/s.example:5000/ca.crt" in exc.hint


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_variable_without_a_bundle_is_named_if_no_authority_is_trusted(
    world,
    stranger,  # noqa: ARG001
    tmp_path,
    content,
):
    bundle = tmp_path / "bundle.pem"
    if content is not None:
        bundle.write_text(content)

    with world.transport(SSL_CERT_FILE=str(bundle)) as transport:
        exc = failed(
            UnreachableError, transport.request, "GET", "https://s.example:5000/", timeout=5
        )

    assert "certificate-untrusted" == exc.code
    assert "SSL_CERT_FILE" in exc.hint


def test_a_ca_file_is_trusted_for_its_registry_and_no_other(world, stranger):
    world.host("s2.example", ok, authority=stranger)

    with world.transport() as transport:
        answered = transport.request(
            "GET", "https://s.example:5000/", ca_file=stranger.path, timeout=5
        )
        exc = failed(UnreachableError, transport.request, "GET", "https://s2.example/", timeout=5)

    assert 200 == answered.status
    assert "certificate-untrusted" == exc.code


def test_a_ca_file_is_trusted_in_addition(world, stranger):
    world.host("a.example", ok)

    assert 200 == get(world, ca_file=stranger.path).status


def test_a_ca_file_of_an_authority_known_already_is_fine(world):
    world.host("a.example", ok)

    assert 200 == get(world, ca_file=world.authority.path).status


@pytest.mark.parametrize("content", [None, b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\nx\n"])
def test_a_ca_file_that_is_none_is_named(world, tmp_path, content):
    server = world.host("a.example", ok)
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    exc = failed(UnreachableError, get, world, ca_file=str(path))

    assert "ca-file" == exc.code
    assert str(path) in exc.message
    assert [] == server.seen


def test_certs_d_is_trusted_for_its_registry(world, stranger, tmp_path):
    folder = tmp_path / "certs.d" / "s.example:5000"
    folder.mkdir(parents=True)
    shutil.copy(stranger.path, folder / "ca.crt")
    (folder / "notes.crt").write_text("no certificate")

    with world.transport(certs_d=[str(tmp_path / "certs.d")]) as transport:
        answered = transport.request("GET", "https://s.example:5000/", timeout=5)

    assert 200 == answered.status


def test_certs_d_of_a_registry_holds_for_its_token_server(world, stranger, tmp_path):
    folder = tmp_path / "certs.d" / "registry.example"
    folder.mkdir(parents=True)
    shutil.copy(stranger.path, folder / "ca.crt")

    with world.transport(certs_d=[str(tmp_path / "certs.d")]) as transport:
        answered = transport.request(
            "GET", "https://s.example:5000/", trusted_as="registry.example", timeout=5
        )

    assert 200 == answered.status


def test_rootless_dockers_certs_d_is_trusted(world, stranger, tmp_path):
    folder = tmp_path / ".config" / "docker" / "certs.d" / "s.example:5000"
    folder.mkdir(parents=True)
    shutil.copy(stranger.path, folder / "ca.crt")

    with Transport(environ={**world.environ, "HOME": str(tmp_path)}) as transport:
        answered = transport.request("GET", "https://s.example:5000/", timeout=5)

    assert 200 == answered.status


def test_a_client_certificate_in_certs_d_is_shown(world, tmp_path):
    context = world.authority.context("m.example")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(world.authority.path)
    server = world.add(wire.Server(ok, context=context))
    world.routes["m.example:443"] = server.port
    folder = tmp_path / "certs.d" / "m.example"
    folder.mkdir(parents=True)
    certificate, key = world.authority.issue("client")
    shutil.copy(certificate, folder / "client.cert")
    shutil.copy(key, folder / "client.key")

    with pytest.raises(UnreachableError):  # by its alert, or by hanging up before we read that
        get(world, "https://m.example/")
    with world.transport(certs_d=[str(tmp_path / "certs.d")]) as transport:
        answered = transport.request("GET", "https://m.example/", timeout=5)

    assert 200 == answered.status


def test_a_client_certificate_without_its_key_is_named(world, tmp_path):
    folder = tmp_path / "certs.d" / "m.example"
    folder.mkdir(parents=True)
    shutil.copy(world.authority.issue("client")[0], folder / "client.cert")

    with world.transport(certs_d=[str(tmp_path / "certs.d")]) as transport:
        exc = failed(UnreachableError, transport.request, "GET", "https://m.example/", timeout=5)

    assert "client-certificate" == exc.code


def test_ssl_cert_file_of_the_environment_given_is_trusted_and_no_other(world):
    world.host("a.example", ok)

    with world.transport(SSL_CERT_FILE=None) as transport:
        exc = failed(UnreachableError, transport.request, "GET", "https://a.example/", timeout=5)

    assert "certificate-untrusted" == exc.code


def test_ssl_cert_dir_is_trusted(world, tmp_path):
    world.host("a.example", ok)
    command = ["openssl", "x509", "-hash", "-noout", "-in", world.authority.path]
    digest = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    shutil.copy(world.authority.path, tmp_path / f"{digest}.0")

    with world.transport(SSL_CERT_FILE=None, SSL_CERT_DIR=str(tmp_path)) as transport:
        answered = transport.request("GET", "https://a.example/", timeout=5)

    assert 200 == answered.status


def test_plain_http_on_a_tls_port_has_its_own_code(world):
    server = world.here(ok)

    exc = failed(UnreachableError, get, world, f"https://{server.netloc}/", headers=SECRET)

    assert "plain-http" == exc.code


def test_an_old_tls_is_refused(world):
    context = world.authority.context("a.example")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256")
    server = world.add(wire.Server(ok, context=context))
    world.routes["a.example:443"] = server.port
    with world.transport() as transport:
        transport._trust.context("a.example").minimum_version = ssl.TLSVersion.TLSv1_3

        exc = failed(UnreachableError, transport.request, "GET", "https://a.example/", timeout=5)

    assert "tls-failed" == exc.code


@pytest.mark.parametrize("url", ["http://a.example/", "http://10.0.0.1/", "http://a.localhost/"])
def test_plain_http_to_anywhere_else_is_refused(world, url):
    exc = failed(UnreachableError, get, world, url, headers=SECRET)

    assert "insecure" == exc.code


@pytest.mark.parametrize(
    "url", ["", "a.example", "https://u:c4n4ry-s3cret@a.example/", "https://a b/"]
)
def test_what_is_no_url_is_refused_and_not_quoted(world, url):
    failed(UnreachableError, get, world, url)


# Nobody there


def test_a_closed_port_has_its_own_code(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    exc = failed(TransientError, get, world, f"https://127.0.0.1:{port}/?q={CANARY}")

    assert "connection-refused" == exc.code
    assert f"127.0.0.1:{port}" in exc.message


def test_a_name_that_cannot_be_resolved_has_its_own_code(world):
    with world.transport(HTTPS_PROXY=None) as transport:
        exc = failed(
            TransientError, transport.request, "GET", "https://nowhere.invalid/", timeout=10
        )

    assert "name-not-resolved" == exc.code
    assert "nowhere.invalid" in exc.message


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def cut(sock):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")


def nothing(_):
    pass


@pytest.mark.parametrize("how", [reset, cut, nothing])
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_a_connection_cut_short_is_transient(world, how, scheme):
    if scheme == "https":
        world.host("a.example", lambda _: how)
        url = "https://a.example/"
    else:
        url = f"http://{world.here(lambda _: how).netloc}/"

    exc = failed(TransientError, get, world, url)

    assert "connection-reset" == exc.code


def test_a_handshake_cut_short_is_transient(world):
    class Cutting(wire.Server):
        def talk(self, sock):
            sock.recv(10)

    exc = failed(TransientError, get, world, f"https://{world.add(Cutting(None)).netloc}/")

    assert "connection-reset" == exc.code


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_100_000 + b"\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 7 + b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 " + b"y" * 100000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n",
    ],
)
def test_what_is_no_http_is_no_registry(world, answer):
    world.host("a.example", lambda _: lambda sock: sock.sendall(answer))

    exc = failed(RegistryError, get, world)

    assert "not-a-registry" == exc.code


def test_an_unforeseen_fault_of_the_network_is_transient():
    exc = sort(OSError("no route to host"), "a.example")

    assert (TransientError, "unreachable") == (type(exc), exc.code)


# Proxies


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_is_used(world, name):
    world.host("a.example", ok)
    environ = {"HTTPS_PROXY": None, name: world.environ["HTTPS_PROXY"]}

    with world.transport(**environ) as transport:
        assert 200 == transport.request("GET", "https://a.example/", timeout=5).status


@pytest.mark.parametrize("user", ["user:c4n4ry-s3cret", "us%65r:c4n4ry%2Ds3cret"])
def test_a_proxys_password_goes_to_the_proxy_and_nowhere_else(world, user):
    server = world.host("a.example", ok)
    expected = "Basic " + base64.b64encode(f"user:{CANARY}".encode()).decode()
    proxy = f"http://{user}@127.0.0.1:{world.proxy.port}"

    with world.transport(HTTPS_PROXY=proxy) as transport:
        transport.request("GET", "https://a.example/", timeout=5)

    assert expected == world.proxy.seen[-1].headers["proxy-authorization"]
    assert "proxy-authorization" not in server.seen[0].headers


def test_what_is_for_the_registry_is_not_for_the_proxy(world):
    world.host("a.example", ok)

    get(world, headers=SECRET)

    assert "authorization" not in world.proxy.seen[-1].headers
    assert "x-secret" not in world.proxy.seen[-1].headers


@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_is_named_without_its_password(world, status):
    proxy = world.add(wire.Proxy({"a.example:443": 1}, status=status))
    variable = f"http://user:{CANARY}@{proxy.netloc}"

    with world.transport(HTTPS_PROXY=variable) as transport:
        exc = failed(UnreachableError, transport.request, "GET", "https://a.example/", timeout=5)

    assert "proxy-refused" == exc.code
    assert proxy.netloc in exc.message
    assert "a.example" in exc.message


def test_a_proxy_that_cannot_reach_the_host_is_transient(world):
    with world.transport() as transport:
        exc = failed(TransientError, transport.request, "GET", "https://gone.example/", timeout=5)

    assert "proxy-unreachable" == exc.code


def test_a_proxy_that_is_not_there_is_transient(world):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    variable = f"http://user:{CANARY}@127.0.0.1:{port}"

    with world.transport(HTTPS_PROXY=variable) as transport:
        exc = failed(TransientError, transport.request, "GET", "https://a.example/", timeout=5)

    assert "proxy-unreachable" == exc.code
    assert f"127.0.0.1:{port}" in exc.message


def test_this_machine_is_reached_without_a_proxy(world):
    server = world.here(ok)
    asked = len(world.proxy.seen)

    with world.transport(HTTP_PROXY=world.environ["HTTPS_PROXY"]) as transport:
        transport.request("GET", f"http://{server.netloc}/", timeout=5)

    assert asked == len(world.proxy.seen)


def test_a_proxy_may_itself_speak_tls(world):
    class TlsProxy(wire.Proxy):
        pass

    world.host("a.example", ok)
    proxy = world.add(TlsProxy(world.routes))
    proxy.context = world.authority.context("127.0.0.1")

    with world.transport(HTTPS_PROXY=f"https://{proxy.netloc}") as transport:
        answered = transport.request("GET", "https://a.example/", timeout=5)

    assert 200 == answered.status


@pytest.mark.parametrize(
    "variable",
    [
        "socks5://p.example",
        "ftp://p.example",
        "http://",
        "http://p.example:x",
        f"http://u:{CANARY}@p q",
    ],
)
def test_an_unusable_proxy_is_an_error_and_not_quoted(variable):
    exc = failed(UnreachableError, proxy_for, "a.example", 443, {"HTTPS_PROXY": variable})

    assert "proxy-unsupported" == exc.code


@pytest.mark.parametrize(
    ("no_proxy", "host", "exempt"),
    [
        ("a.example", "a.example", True),
        ("a.example", "b.a.example", True),
        ("a.example", "ba.example", False),
        (".a.example", "b.a.example", True),
        (".a.example", "a.example", False),
        ("*.a.example", "b.a.example", True),
        ("*", "a.example", True),
        ("x, a.example", "A.Example", True),
        ("x a.example", "a.example", True),
        ("a.example:443", "a.example", True),
        ("a.example:444", "a.example", False),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("10.1.2.3:443", "10.1.2.3", True),
        ("fd00::/8", "fd00::1", True),
        ("[fd00::1]:443", "fd00::1", True),
        ("fd00::1", "fd00::1", True),
        ("", "a.example", False),
        (",,", "a.example", False),
        ("", "localhost", True),
        ("", "127.0.0.9", True),
        ("", "::1", True),
    ],
)
def test_no_proxy_is_read_as_docker_reads_it(no_proxy, host, exempt):
    environ = {"HTTPS_PROXY": "http://p.example:3128", "NO_PROXY": no_proxy}

    assert exempt == (proxy_for(host, 443, environ) is None)


def test_a_lookup_that_hangs_ends_with_the_timeout(world, monkeypatch):
    hang = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: hang.wait(20))

    with contextlib.closing(world.transport(HTTPS_PROXY=None)) as transport:
        exc = failed(TransientError, transport.request, "GET", "https://a.example/", timeout=0.2)

    hang.set()
    assert "timeout" == exc.code
