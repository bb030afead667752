# SPDX-License-Identifier: MIT
"""
What the command keeps, used at real registries by clients that nobody here wrote.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field

import pytest
from parts.clients import Client
from runs import only, set_for

ALICE = ("alice", "in wonder:land")
ROBOT = ("robot$ci", "p4$$-wörd")
# Debian's `docker manifest inspect` knows no other manifests.
AS_DOCKERS = "--format=v2s2"
HOOKS = ("onCreate", "postCreate", "postStart")


@dataclass(frozen=True, kw_only=True)
class LoggedIn:
    """
    A client whose config.json the command wrote, and a registry that it wrote it for.

    Attributes:
        by_hand: A user name and password of that registry, to prepare it with.
        trust: What a client's environment needs so that it trusts the registry's certificate.
    """

    client: Client
    registry: str
    by_hand: tuple[str, str]
    trust: dict[str, str] = field(default_factory=dict)

    @property
    def image(self):
        return f"{self.registry}/team/app:latest"

    def seed(self, layout):
        """
        Push an image without the config.json that is to be tried.
        """
        done = self._copy(
            f"oci:{layout}:latest",
            f"docker://{self.image}",
            AS_DOCKERS,
            "--dest-creds",
            ":".join(self.by_hand),
            XDG_RUNTIME_DIR="/nonexistent",
            HOME="/nonexistent",
            DOCKER_CONFIG="/nonexistent",
        )
        assert 0 == done.returncode, done.stderr

    def push(self, layout):
        return self._copy(f"oci:{layout}:latest", f"docker://{self.image}", AS_DOCKERS)

    def pull(self, folder):
        return self._copy(f"docker://{self.image}", f"oci:{folder}:latest")

    def _copy(self, source, destination, *arguments, **environ):
        options = [] if self.trust else ["--src-tls-verify=false", "--dest-tls-verify=false"]
        return self.client.skopeo(
            "copy", *options, *arguments, source, destination, **self.trust, **environ
        )


def _with_passwords(request, client):
    registry = request.getfixturevalue("registry_htpasswd").registry
    _log_in(client, **set_for(registry, *ROBOT))
    return LoggedIn(client=client, registry=registry, by_hand=ROBOT)


def _with_tokens(request, client):
    registry = request.getfixturevalue("registry_token").registry
    _log_in(client, **set_for(registry, *ALICE))
    return LoggedIn(client=client, registry=registry, by_hand=ALICE)


def _with_an_identity_token(request, client):
    token_server = request.getfixturevalue("token_server")
    token_server.refresh = True
    registry = request.getfixturevalue("registry_token").registry
    other = Client(os.path.join(client.home, "other"), path=client.environ["PATH"])
    other.docker("login", registry, "-u", ALICE[0], "--password-stdin", stdin=ALICE[1])
    identity_token = other.config()["auths"][registry]["identitytoken"]
    _log_in(client, **set_for(registry, "<token>", identity_token))
    return LoggedIn(client=client, registry=registry, by_hand=ALICE)


def _with_a_ca_file(request, client):
    return _with_tls(request, client, ca_file=True)


def _with_ssl_cert_file(request, client):
    return _with_tls(request, client, ca_file=False)


def _with_tls(request, client, *, ca_file):
    path = request.getfixturevalue("authority").path
    registry = request.getfixturevalue("registry_tls").registry
    members = {"CA_FILE": path} if ca_file else {}
    environ = {} if ca_file else {"SSL_CERT_FILE": path}
    _log_in(client, **set_for(registry, *ALICE, **members), **environ)
    trust = {"SSL_CERT_FILE": path}
    return LoggedIn(client=client, registry=registry, by_hand=ALICE, trust=trust)


def _log_in(client, **environ):
    done = client.product("login", "--json", **environ)
    assert 0 == done.returncode, done.stdout + done.stderr
    outcome = only(done)
    assert ("ok", True, ["auths"]) == (
        outcome["status"],
        outcome["verified"],
        outcome["kept_in"],
    )


PLAIN = {
    "passwords": _with_passwords,
    "tokens": _with_tokens,
    "identity token": _with_an_identity_token,
}
ALL = {**PLAIN, "tls by CA_FILE": _with_a_ca_file, "tls by SSL_CERT_FILE": _with_ssl_cert_file}


@pytest.fixture(name="logged_in", params=ALL.values(), ids=ALL.keys())
def _logged_in(request, client):
    return request.param(request, client)


@pytest.fixture(name="logged_in_plainly", params=PLAIN.values(), ids=PLAIN.keys())
def _logged_in_plainly(request, client):
    return request.param(request, client)


def test_docker_reads_a_manifest(logged_in, image_layout):
    logged_in.seed(image_layout)

    done = logged_in.client.docker("manifest", "inspect", "--insecure", logged_in.image)

    assert 0 == done.returncode, done.stderr
    assert 2 == json.loads(done.stdout)["schemaVersion"]


@pytest.mark.parametrize(
    "logged_in", [ALL[name] for name in ALL if name != "identity token"], indirect=True
)
def test_docker_logs_in_with_what_is_kept(engine, logged_in):
    """
    Not with an identity token, which `docker login` never sends: only pull and push do.

    https://github.com/docker/cli/blob/v28.2.2/cli/command/registry/login.go
    """
    done = logged_in.client.docker("login", logged_in.registry, DOCKER_HOST=engine.host)

    assert 0 == done.returncode, done.stderr
    assert "existing credentials" in done.stdout + done.stderr


def test_skopeo_copies_both_ways(logged_in, image_layout, tmp_path):
    pushed = logged_in.push(image_layout)
    pulled = logged_in.pull(tmp_path / "copy")

    assert 0 == pushed.returncode, pushed.stderr
    assert 0 == pulled.returncode, pulled.stderr
    assert (tmp_path / "copy" / "index.json").exists()


def test_docker_pushes_and_pulls_through_an_engine(engine, logged_in):
    reach = {"DOCKER_HOST": engine.host}
    image = engine.import_busybox(f"{logged_in.registry}/team/busybox:1")

    try:
        pushed = logged_in.client.docker("push", image, **reach)
        engine.remove_image(image)
        pulled = logged_in.client.docker("pull", image, **reach)
    finally:
        engine.remove_image(image)

    assert 0 == pushed.returncode, pushed.stderr
    assert 0 == pulled.returncode, pulled.stderr


def test_docker_py_pulls_through_an_engine(engine, logged_in, image_layout):
    logged_in.seed(image_layout)
    script = """
import docker, sys
client = docker.from_env()
try:
    print(client.images.pull(sys.argv[1]).tags[0])
finally:
    client.close()
"""

    try:
        done = logged_in.client.python(script, logged_in.image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(logged_in.image)

    assert f"{logged_in.image}\n" == done.stdout, done.stderr


def test_the_devcontainer_cli_publishes_a_feature_and_fetches_it(logged_in_plainly):
    client, registry = logged_in_plainly.client, logged_in_plainly.registry
    _feature(client.home)

    published = client.devcontainer(
        "features", "publish", "src", "--registry", registry, "--namespace", "team/features"
    )
    fetched = client.devcontainer(
        "features", "info", "manifest", f"{registry}/team/features/hello:1"
    )

    assert 0 == published.returncode, published.stderr
    assert 0 == fetched.returncode, fetched.stderr
    assert "sha256:" in fetched.stdout


def test_docker_pulls_where_it_checks_certificates(
    registry_elsewhere, network, authority, client, image_layout
):
    """
    Not on loopback, where docker takes any certificate.
    """
    registry, trust = registry_elsewhere.registry, {"SSL_CERT_FILE": authority.path}
    members = {"CA_FILE": authority.path}
    environ = set_for(registry, *ALICE, **members)

    done = client.product("login", "--json", enter=network.enter, **environ)
    pushed = client.skopeo(
        "copy",
        AS_DOCKERS,
        f"oci:{image_layout}:latest",
        f"docker://{registry}/team/app:latest",
        enter=network.enter,
        **trust,
    )
    read = client.docker(
        "manifest", "inspect", f"{registry}/team/app:latest", enter=network.enter, **trust
    )

    assert "ok" == only(done)["status"]
    assert 0 == pushed.returncode, pushed.stderr
    assert 0 == read.returncode, read.stderr


def test_a_certificate_that_nobody_vouches_for_is_told_apart_and_gets_no_password(
    registry_tls, client
):
    done = client.product("login", "--json", **set_for(registry_tls.registry, *ALICE))

    outcome = only(done)
    assert (5, "unverified", "certificate-untrusted", 1) == (
        done.returncode,
        outcome["status"],
        outcome["code"],
        outcome["attempts"],
    )
    assert [] == registry_tls.requests()


def test_a_wrong_password_is_sent_once_and_the_old_login_stays(registry_htpasswd, client):
    registry = registry_htpasswd.registry
    client.log_in_by_hand(registry, *ALICE)
    before = _bytes(client)

    done = client.product("login", "--json", **set_for(registry, "alice", "wrong"))

    assert 4 == done.returncode
    assert ("rejected", "rejected", 1) == (
        only(done)["status"],
        only(done)["code"],
        only(done)["attempts"],
    )
    assert before == _bytes(client)
    assert ["alice"] == registry_htpasswd.refusals()


def test_a_token_server_is_sent_a_wrong_password_once(registry_token, token_server, client):
    registry = registry_token.registry
    client.log_in_by_hand(registry, *ALICE)
    before = _bytes(client)

    done = client.product("login", "--json", **set_for(registry, "alice", "wrong"))

    assert 4 == done.returncode
    assert before == _bytes(client)
    assert [("alice", "wrong")] == token_server.refusals()


def test_a_revoked_identity_token_is_sent_once(registry_token, token_server, client):
    done = client.product(
        "login", "--json", **set_for(registry_token.registry, "<token>", "revoked")
    )

    assert (4, "rejected") == (done.returncode, only(done)["status"])
    assert [(None, "revoked")] == token_server.refusals()


def test_three_lifecycle_steps_in_a_row_send_a_wrong_password_once(registry_htpasswd, client):
    registry = registry_htpasswd.registry
    client.log_in_by_hand(registry, *ALICE)
    before = _bytes(client)
    environ = set_for(registry, "alice", "wrong")

    done = [client.product("hook", step, "--json", **environ) for step in HOOKS]

    assert [0, 0, 0] == [step.returncode for step in done]
    assert ["rejected", "refused-before", "refused-before"] == [only(d)["code"] for d in done]
    assert ["rejected"] * 3 == [only(step)["status"] for step in done]
    assert before == _bytes(client)
    assert ["alice"] == registry_htpasswd.refusals()


def test_what_login_saw_refused_is_not_sent_again_by_the_lifecycle(
    registry_token, client, token_server
):
    environ = set_for(registry_token.registry, "alice", "wrong")

    login = client.product("login", **environ)
    hooks = [client.product("hook", step, "--strict", **environ) for step in HOOKS]

    assert [4, 4, 4, 4] == [done.returncode for done in (login, *hooks)]
    assert [("alice", "wrong")] == token_server.refusals()


def test_a_corrected_password_is_tried_at_once(registry_htpasswd, client):
    registry = registry_htpasswd.registry

    client.product("hook", "onCreate", **set_for(registry, "alice", "wrong"))
    done = client.product("hook", "postCreate", "--json", **set_for(registry, *ALICE))

    assert ("ok", True) == (only(done)["status"], only(done)["verified"])
    assert ["alice"] == registry_htpasswd.refusals()


def test_the_second_start_asks_nobody_and_writes_nothing(registry_htpasswd, client):
    environ = set_for(registry_htpasswd.registry, *ALICE)
    client.product("hook", "onCreate", **environ)
    before, asked = os.stat(client.config_path), len(registry_htpasswd.requests())

    done = client.product("hook", "postStart", **environ)

    after = os.stat(client.config_path)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert asked == len(registry_htpasswd.requests())
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_one_image_that_may_not_be_pulled_and_one_that_is_not_there_are_told_apart(
    registry_token, token_server, client
):
    token_server.denied.add("team/secret")
    registry = registry_token.registry

    denied = client.product(
        "login", "--json", **set_for(registry, *ALICE, IMAGE=f"{registry}/team/secret:1")
    )
    missing = client.product(
        "login", "--json", **set_for(registry, *ALICE, IMAGE=f"{registry}/team/app:1")
    )

    assert [(4, "ok", "pull-denied"), (4, "ok", "image-not-found")] == [
        (done.returncode, only(done)["status"], only(done)["code"]) for done in (denied, missing)
    ]
    assert [registry] == list(client.config()["auths"])


def _bytes(client):
    with open(client.config_path, "rb") as file:
        return file.read()


def _feature(home):
    folder = os.path.join(home, "src", "hello")
    os.makedirs(folder)
    with open(os.path.join(folder, "devcontainer-feature.json"), "w", encoding="utf-8") as file:
        json.dump({"id": "hello", "version": "1.0.0", "name": "Hello"}, file)
    with open(os.path.join(folder, "install.sh"), "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\n")
