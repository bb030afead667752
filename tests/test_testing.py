# SPDX-License-Identifier: MIT
from __future__ import annotations

import base64
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest

from devcontainer_registry.testing import LoopbackRegistry

USERS = {"ann": "pass:word é", "robot$team": "other"}
EACH_AUTH = pytest.mark.parametrize("auth", ["basic", "bearer"])


@EACH_AUTH
def test_skopeo_inspects_and_copies_an_image(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        auths = _auths(tmp_path, loopback, "ann", USERS["ann"])
        image = f"docker://{loopback.registry}/demo/hello"
        inspected = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)
        folder = f"dir:{tmp_path}/copy"
        copied = _skopeo("copy", "--src-tls-verify=false", "--authfile", auths, image, folder)

    assert 0 == inspected.returncode, inspected.stderr
    assert ["latest"] == json.loads(inspected.stdout)["RepoTags"]
    assert 0 == copied.returncode, copied.stderr
    assert 4 == len(os.listdir(tmp_path / "copy"))


@EACH_AUTH
def test_skopeo_is_refused_with_a_wrong_password(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        auths = _auths(tmp_path, loopback, "ann", "wrong")
        image = f"docker://{loopback.registry}/demo/hello"
        done = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)

    assert 1 == done.returncode
    assert loopback.refusals > 0
    assert {None} == {request.user for request in loopback.requests}


@EACH_AUTH
def test_docker_logs_in_and_what_it_keeps_pulls(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        done = _docker_login(loopback, "robot$team", "other", tmp_path)
        auths = str(tmp_path / "config.json")
        image = f"docker://{loopback.registry}/demo/hello"
        inspected = _skopeo("inspect", "--tls-verify=false", "--authfile", auths, image)

    assert 0 == done.returncode, done.stderr
    assert 0 == inspected.returncode, inspected.stderr
    assert 0 == loopback.refusals


@EACH_AUTH
def test_a_refused_login_is_counted_once(auth, tmp_path):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        done = _docker_login(loopback, "ann", "wrong", tmp_path)

    assert 1 == done.returncode
    assert 1 == loopback.refusals


def test_docker_gets_an_identity_token_where_there_are_tokens(tmp_path):
    with LoopbackRegistry(USERS) as loopback:
        _docker_login(loopback, "ann", USERS["ann"], tmp_path)

        (kept,) = json.loads((tmp_path / "config.json").read_text())["auths"].values()
        form = {"grant_type": "refresh_token", "refresh_token": kept["identitytoken"]}
        status, _, body = _ask(loopback, "/token", data=urlencode(form).encode())

    assert 200 == status
    assert "access_token" in json.loads(body)


def test_a_posted_password_is_as_good_as_basic():
    form = {"grant_type": "password", "username": "ann", "password": USERS["ann"]}

    with LoopbackRegistry(USERS) as loopback:
        status, _, body = _ask(loopback, "/token", data=urlencode(form).encode())
        headers = _bearer(json.loads(body)["token"])
        ping = _ask(loopback, "/v2/", headers=headers)[0]

    assert (200, 200) == (status, ping)


def test_no_refresh_token_is_given_to_who_did_not_ask():
    with LoopbackRegistry(USERS) as loopback:
        _, _, without = _ask(loopback, "/token", headers=_basic("ann", USERS["ann"]))
        _, _, asked = _ask(
            loopback, "/token?offline_token=true", headers=_basic("ann", USERS["ann"])
        )

    assert "refresh_token" not in json.loads(without)
    assert "refresh_token" in json.loads(asked)


def test_a_chunked_token_request_is_understood():
    form = urlencode({"grant_type": "password", "username": "ann", "password": USERS["ann"]})

    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        halves = iter([form[:9].encode(), form[9:].encode()])
        connection.request("POST", "/token", body=halves, encode_chunked=True)
        answer = connection.getresponse()
        answer.read()
        connection.close()

    assert 200 == answer.status


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("repository:demo/hello:pull", 200),
        ("repository:demo/hello:pull,push", 200),
        ("repository:demo/other:pull", 401),
        ("repository:demo/hello:push", 401),
        ("", 401),
    ],
)
def test_a_token_is_good_for_the_scope_it_was_asked_for(scope, expected):
    with LoopbackRegistry(USERS, images=("demo/hello:latest", "demo/other:1")) as loopback:
        path = f"/token?{urlencode({'scope': scope})}"
        _, _, body = _ask(loopback, path, headers=_basic("ann", USERS["ann"]))
        headers = _bearer(json.loads(body)["token"])

        status, answered, _ = _ask(loopback, "/v2/demo/hello/manifests/latest", headers=headers)

    assert expected == status
    assert (expected == 401) == ("insufficient_scope" in answered.get("WWW-Authenticate", ""))


def test_a_head_request_tells_digest_and_length_and_sends_nothing():
    with LoopbackRegistry(USERS, auth="basic") as loopback:
        basic = _basic("ann", USERS["ann"])
        path = "/v2/demo/hello/manifests/latest"
        _, got, body = _ask(loopback, path, headers=basic)
        status, headed, nothing = _ask(loopback, path, headers=basic, method="HEAD")
        by_digest = _ask(
            loopback, f"/v2/demo/hello/manifests/{got['Docker-Content-Digest']}", headers=basic
        )

    assert (200, b"") == (status, nothing)
    assert got["Docker-Content-Digest"] == headed["Docker-Content-Digest"]
    assert str(len(body)) == headed["Content-Length"]
    assert body == by_digest[2]


@pytest.mark.parametrize("path", ["/", "/v1/", "/v2", "/token"])
def test_what_is_no_path_of_it_is_not_found(path):
    with LoopbackRegistry(USERS, auth="basic") as loopback:
        status = _ask(loopback, path, headers=_basic("ann", USERS["ann"]))[0]

    assert 404 == status


@pytest.mark.parametrize(
    "authorization", ["Basic", "Basic =", "Basic /w==", "Bearer", "Bearer x", "Digest y", "garbage"]
)
@EACH_AUTH
def test_a_damaged_credential_is_nobodys(authorization, auth):
    with LoopbackRegistry(USERS, auth=auth) as loopback:
        status = _ask(loopback, "/v2/", headers={"Authorization": authorization})[0]

    assert 401 == status
    assert [None] == [request.user for request in loopback.requests]


def test_no_body_follows_the_answer_to_a_head_request():
    with LoopbackRegistry(USERS) as loopback:
        port = int(loopback.registry.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"HEAD /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 401 ")
    assert answer.endswith(b"\r\n\r\n")


def test_one_connection_serves_many_requests_and_no_answer_runs_into_the_next():
    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        ports, statuses = set(), []
        for method in ("GET", "HEAD", "GET", "HEAD"):
            connection.request(method, "/v2/")
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            ports.add(connection.sock.getsockname())
        connection.close()

    assert 1 == len(ports)
    assert [401, 401, 401, 401] == statuses


def test_nothing_secret_is_remembered_or_printed(capfd):
    with LoopbackRegistry(USERS) as loopback:
        _ask(loopback, "/token?password=in-the-query", headers=_basic("secret-name", "secret-word"))
        _, _, body = _ask(loopback, "/token", headers=_basic("ann", USERS["ann"]))

    said = repr(loopback.requests) + repr(loopback) + "".join(capfd.readouterr())
    hidden = ["in-the-query", "secret-name", "secret-word", USERS["ann"], json.loads(body)["token"]]
    assert [] == [word for word in hidden if word in said]


def test_a_hundred_clients_are_served_at_once(monkeypatch):
    # What it waits before each answer ends when all hundred are waiting.
    everybody = threading.Barrier(100)
    monkeypatch.setattr(time, "sleep", lambda _: everybody.wait(timeout=60))

    with LoopbackRegistry(USERS, latency=0.2) as loopback:
        threads = [threading.Thread(target=_ask, args=(loopback, "/v2/")) for _ in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert 100 == len(loopback.requests)
    assert not everybody.broken


def test_who_speaks_tls_is_answered_in_http():
    sent = ssl.MemoryBIO()
    tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), sent, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()

    with LoopbackRegistry(USERS) as loopback:
        port = int(loopback.registry.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(sent.read())
            answer = connection.recv(64)

    assert answer.startswith(b"HTTP/1.1 400 ")


def test_it_is_gone_when_left_although_a_client_lingers():
    with LoopbackRegistry(USERS) as loopback:
        connection = http.client.HTTPConnection(str(loopback.registry), timeout=10)
        connection.request("GET", "/v2/")
        connection.getresponse().read()

    assert b"" == connection.sock.recv(1)
    connection.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(loopback.registry.rpartition(":")[2])))


@pytest.mark.parametrize("host", ["0.0.0.0", "example.com", "::1", "10.0.0.1"])
def test_it_listens_on_loopback_only(host):
    with pytest.raises(ValueError, match="localhost"):
        LoopbackRegistry(USERS, host=host)


def test_another_loopback_address_will_do():
    with LoopbackRegistry(USERS, host="127.0.0.2") as loopback:
        status, headers, _ = _ask(loopback, "/v2/")

    assert 401 == status
    assert f'realm="http://{loopback.registry}/token"' in headers["WWW-Authenticate"]


def _ask(loopback, path, *, data=None, headers=None, method=None):
    request = urllib.request.Request(
        f"http://{loopback.registry}{path}", data=data, headers=headers or {}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code, exc.headers, exc.read()


def _basic(username, password):
    return {
        "Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"
    }


def _bearer(token):
    return {"Authorization": f"Bearer {token}"}


def _auths(folder, loopback, username, password):
    auth = base64.b64encode(f"{username}:{password}".encode()).decode()
    path = folder / "auth.json"
    path.write_text(json.dumps({"auths": {loopback.registry: {"auth": auth}}}))
    return str(path)


def _skopeo(*arguments):
    return subprocess.run(
        ["skopeo", *arguments],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _docker_login(loopback, username, password, folder):
    docker = shutil.which("docker")
    return subprocess.run(
        [docker, "login", "--username", username, "--password-stdin", str(loopback.registry)],
        input=password,
        env={
            # Where docker finds docker-credential-pass, it takes it by itself.
            "PATH": "/nonexistent",
            "HOME": str(folder),
            "DOCKER_CONFIG": str(folder),
            "DOCKER_HOST": "unix:///nonexistent",
        },
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
