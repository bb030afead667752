# SPDX-License-Identifier: MIT
"""
Files of certificates that are none, or that keep their reader waiting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading

import pytest
from doubles import servers as wire

from devcontainer_registry.errors import RegistryError, TransientError, UnreachableError
from devcontainer_registry.network import sockets, trust
from devcontainer_registry.network.trust import Trust, check_bundle


@pytest.fixture(name="world")
def _world(tmp_path):
    with wire.world(tmp_path / "world") as made:
        yield made


def a_pipe(path):
    os.mkfifo(path)
    return str(path)


def a_large_file(path):
    with open(path, "wb") as file:
        file.truncate(5 * 1024 * 1024)
    return str(path)


def a_folder(path):
    path.mkdir()
    return str(path)


def a_device(path):
    path.symlink_to("/dev/zero")
    return str(path)


def nothing(path):
    return str(path)


KINDS = [a_pipe, a_large_file, a_folder, a_device, nothing]


@pytest.mark.parametrize("kind", KINDS)
def test_a_ca_file_that_is_no_file_is_an_error_at_once(tmp_path, kind):
    with pytest.raises(UnreachableError) as caught:
        Trust({}, ()).context("registry.example", ca_file=kind(tmp_path / "ca.pem"))
    assert "ca-file" == caught.value.code


def test_the_standard_input_is_no_ca_file():
    reader, writer = os.pipe()
    try:
        with pytest.raises(UnreachableError) as caught:
            Trust({}, ()).context("registry.example", ca_file=f"/dev/fd/{reader}")
    finally:
        os.close(reader)
        os.close(writer)
    assert "ca-file" == caught.value.code


@pytest.mark.parametrize("kind", KINDS[:-1])
@pytest.mark.parametrize(
    ("name", "code"), [("ca.crt", "ca-file"), ("client.cert", "client-certificate")]
)
def test_docker_s_certificates_that_are_no_files_are_an_error(tmp_path, kind, name, code):
    folder = tmp_path / "certs.d" / "registry.example"
    folder.mkdir(parents=True)
    kind(folder / name)

    with pytest.raises(UnreachableError) as caught:
        Trust({}, [str(tmp_path / "certs.d")]).context("registry.example")
    assert code == caught.value.code


def test_a_key_that_is_a_pipe_is_an_error(world, tmp_path):
    folder = tmp_path / "certs.d" / "registry.example"
    folder.mkdir(parents=True)
    shutil.copy(world.authority.issue("me")[0], folder / "client.cert")
    a_pipe(folder / "client.key")

    with pytest.raises(UnreachableError) as caught:
        Trust({}, [str(tmp_path / "certs.d")]).context("registry.example")
    assert "client-certificate" == caught.value.code


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_bundle_that_is_not_a_file_trusts_no_authority(world, tmp_path, kind):
    world.host("registry.example", lambda _: wire.Answer())
    transport = world.transport(SSL_CERT_FILE=kind(tmp_path / "bundle.pem"))

    with pytest.raises(UnreachableError) as caught:
        transport.request("GET", "https://registry.example/", timeout=20)
    assert "certificate-untrusted" == caught.value.code
    assert "SSL_CERT_FILE" in caught.value.hint


@pytest.mark.parametrize("kind", KINDS)
def test_a_folder_of_the_system_is_read_whole_but_for_what_is_no_file(world, tmp_path, kind):
    folder = tmp_path / "certs"
    folder.mkdir()
    kind(folder / "0.pem")
    kind(folder / "deadbeef.0")
    shutil.copy(world.authority.path, folder / "any-name.pem")
    world.host("registry.example", lambda _: wire.Answer())
    transport = world.transport(
        SSL_CERT_FILE=str(tmp_path / "none"), SSL_CERT_DIR=f"{tmp_path / 'other'}:{folder}"
    )

    assert 200 == transport.request("GET", "https://registry.example/", timeout=20).status


def test_a_script_ends_although_its_bundle_is_a_pipe(tmp_path):
    script = (
        "from devcontainer_registry.network.trust import Trust\n"
        "import os; Trust(os.environ).prepare(); print('done')"
    )
    environ = {**os.environ, "SSL_CERT_FILE": a_pipe(tmp_path / "bundle")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (0, "done\n", "") == (done.returncode, done.stdout, done.stderr)


def test_a_hanging_mount_delays_only_its_own_set(world, monkeypatch):
    over, hanging = threading.Event(), threading.Event()
    read = trust.read_regular

    def slow(path, *, limit):
        if path == "/gone/ca.pem":
            hanging.set()
            over.wait(60)
        return read(path, limit=limit)

    monkeypatch.setattr(trust, "read_regular", slow)
    world.host("registry.example", lambda _: wire.Answer())
    transport, failed = world.transport(), []

    def ask():
        try:
            transport.request("GET", "https://registry.example/", ca_file="/gone/ca.pem", timeout=2)
        except RegistryError as exc:
            failed.append(exc)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        assert hanging.wait(20)
        assert 200 == transport.request("GET", "https://registry.example/", timeout=20).status
        assert not over.is_set()
        for thread in threads:
            thread.join(30)
    finally:
        over.set()

    assert [TransientError, TransientError] == [type(exc) for exc in failed]
    assert {"timeout"} == {exc.code for exc in failed}


def test_a_bundle_with_a_broken_certificate_keeps_the_others(world, tmp_path):
    broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
    with open(world.authority.path, "rb") as file:
        good = file.read()
    bundle = tmp_path / "bundle.pem"
    bundle.write_bytes("# ä comment\n".encode() + broken + good + broken)
    world.host("registry.example", lambda _: wire.Answer())

    for variables in ({"SSL_CERT_FILE": str(bundle)}, {}):
        transport = world.transport(**(variables or {"SSL_CERT_FILE": None}))
        ca_file = None if variables else str(bundle)
        response = transport.request(
            "GET", "https://registry.example/", ca_file=ca_file, timeout=20
        )
        assert 200 == response.status


@pytest.mark.parametrize("kind", [a_pipe, a_large_file, a_device, nothing])
def test_a_bundle_for_a_cloud_s_sdk_is_looked_at_before(tmp_path, kind):
    with pytest.raises(UnreachableError, match="AWS_CA_BUNDLE") as caught:
        check_bundle("AWS_CA_BUNDLE", kind(tmp_path / "s3cret"))
    assert "ca-file" == caught.value.code
    assert "s3cret" not in str(caught.value) + caught.value.hint


def test_within_takes_no_longer_than_the_deadline():
    over = threading.Event()
    with sockets.until(0.0), pytest.raises(TimeoutError):
        sockets.within(over.wait)
    over.set()


def test_a_second_trust_does_not_load_the_same_bundle_again(world):
    ca_file = world.authority.path
    environ = {"SSL_CERT_FILE": ca_file}
    first, second = Trust(environ, ()), Trust(dict(environ), ())

    assert first.context("a.example") is second.context("b.example")
    assert first.context("a.example", ca_file=ca_file) is not second.context("b.example")


def test_a_bundle_that_has_changed_is_loaded_again(world, tmp_path):
    bundle = tmp_path / "bundle.pem"
    environ = {"SSL_CERT_FILE": str(bundle)}
    bundle.write_bytes(b"")
    before = Trust(environ, ())
    assert 0 == before.context("a.example").cert_store_stats()["x509"]

    shutil.copy(world.authority.path, bundle)

    assert 1 == Trust(environ, ()).context("a.example").cert_store_stats()["x509"]
    assert 0 == before.context("a.example").cert_store_stats()["x509"]
