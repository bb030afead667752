# SPDX-License-Identifier: MIT
"""
Logins of the command, used at real registries by third-party clients.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import time
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest
from doubles import documents as documented
from doubles import servers as faults
from doubles.command_line import by_id, document, only, set_for
from doubles.internet import ALLOWED, DENIED, MISSING, PlayedInternet
from doubles.patience import LONG
from parts.clients import Client

import devcontainer_registry

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
        Push an image without the config.json under test.
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
def test_docker_logs_in_with_the_saved_credential(engine, logged_in):
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


def test_docker_pulls_from_a_registry_whose_certificate_it_checks(
    registry_elsewhere, network, authority, client, image_layout
):
    """
    Not on loopback, where Docker accepts any certificate.
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


def test_an_unknown_certificate_authority_is_named_and_gets_no_password(registry_tls, client):
    done = client.product("login", "--json", **set_for(registry_tls.registry, *ALICE))

    outcome = only(done)
    assert (5, "unverified", "certificate-untrusted", 1) == (
        done.returncode,
        outcome["status"],
        outcome["code"],
        outcome["attempts"],
    )
    assert [] == registry_tls.requests()


def test_a_wrong_password_is_sent_once_and_the_old_login_is_kept(registry_htpasswd, client):
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


def test_a_password_refused_at_login_is_not_sent_again_by_a_lifecycle_step(
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


def test_the_second_start_sends_and_writes_nothing(registry_htpasswd, client):
    environ = set_for(registry_htpasswd.registry, *ALICE)
    client.product("hook", "onCreate", **environ)
    before, asked = os.stat(client.config_path), len(registry_htpasswd.requests())

    done = client.product("hook", "postStart", **environ)

    after = os.stat(client.config_path)
    assert (0, "", "") == (done.returncode, done.stdout, done.stderr)
    assert asked == len(registry_htpasswd.requests())
    assert (before.st_mtime_ns, before.st_ino) == (after.st_mtime_ns, after.st_ino)


def test_a_denied_and_a_missing_image_are_distinguished(registry_token, token_server, client):
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


# A login at each registry that users name, played as it is documented to answer.

EACH = pytest.mark.parametrize("registry", documented.ALL, ids=lambda registry: registry.name)

# Where docker looks the login up: https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
KEYS = {"Docker Hub": "https://index.docker.io/v1/"}

# Words that are in this registry's hint only.
KNOWN_BY = {
    "Docker Hub": "Docker Hub access token",
    "ghcr.io": "read:packages",
    "ACR": "service principal",
    "Container Registry": "JSON key",
    "Artifact Registry": "access token",
    "GitLab": "read_registry",
    "Quay": "robot account",
    "Harbor": "robot account is enabled",
    "DigitalOcean": "API token",
    "ECR": "aws ecr get-login-password",
    "ECR Public": "aws ecr-public get-login-password",
    "Artifactory": "_USER and _PASSWORD; they may have expired",
}


@EACH
def test_a_correct_login_is_saved_and_verified_and_a_foreign_realm_is_named(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry)

    (outcome,) = report.outcomes
    realm = urlsplit(registry.realm).netloc
    assert ("ok", True, None, 1) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        outcome.attempts,
    )
    assert (realm if realm not in ("", registry.host) else None) == outcome.realm
    assert 0 == report.exit_status
    assert {_key(registry): {"auth": _basic(registry)}} == _config()["auths"]
    assert [] == internet.unknown_hosts


@EACH
def test_a_wrong_login_is_sent_once_and_explained_for_its_registry(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, password="wrong")

    (outcome,) = report.outcomes
    assert ("rejected", 1, 4) == (outcome.status, outcome.attempts, report.exit_status)
    assert KNOWN_BY[registry.name] in outcome.error.hint
    assert 1 == len([seen for seen in internet.requests if seen.username is not None])
    assert not os.path.exists(report.config)


@EACH
def test_an_image_that_can_be_pulled_is_not_mentioned(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, ALLOWED))

    (outcome,) = report.outcomes
    assert ("ok", True, None) == (outcome.status, outcome.verified, outcome.code)
    assert 0 == report.exit_status


@EACH
def test_a_denied_pull_keeps_the_login_and_is_reported(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, DENIED))

    (outcome,) = report.outcomes
    # A registry that hides private images answers that they do not exist.
    hidden = registry.denied[0] == 404
    expected = "image-not-found" if hidden else "pull-denied"
    assert ("ok", True, expected, 4) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        report.exit_status,
    )
    assert outcome.error.hint
    assert [_key(registry)] == list(_config()["auths"])


@EACH
def test_a_missing_image_keeps_the_login_and_is_reported(registry):
    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, IMAGE=_image(registry, MISSING))

    (outcome,) = report.outcomes
    assert ("ok", True, "image-not-found", 4) == (
        outcome.status,
        outcome.verified,
        outcome.code,
        report.exit_status,
    )
    assert [_key(registry)] == list(_config()["auths"])


def test_all_registries_in_one_run_succeed_like_a_single_one():
    registries = documented.ALL

    with PlayedInternet(*registries) as internet:
        environ = {
            name: text
            for number, registry in enumerate(registries)
            for name, text in _set(registry, set_id=f"R{number}").items()
        }
        report = devcontainer_registry.login(environ=_environ(internet, environ), store="auths")

    assert {"ok"} == {outcome.status for outcome in report.outcomes}
    assert {_key(registry) for registry in registries} == set(_config()["auths"])


def test_a_token_that_ecr_calls_expired_is_explained():
    registry = replace(documented.ECR, wrong=documented.ECR_EXPIRED)

    with PlayedInternet(registry) as internet:
        report = _login(internet, registry, password="c29tZXRoaW5nIG9sZA==")

    (outcome,) = report.outcomes
    assert ("rejected", "token-expired") == (outcome.status, outcome.code)
    assert "12 hours" in outcome.error.hint


def _login(internet, registry, *, password=None, **members):
    variables = _set(registry, password=password, **members)
    # Not `auto`: these tests do not depend on whether our helper is installed here.
    return devcontainer_registry.login(environ=_environ(internet, variables), store="auths")


def _set(registry, *, password=None, set_id="MY", **members):
    return set_for(
        registry.server, registry.username, password or registry.password, set_id=set_id, **members
    )


def _environ(internet, variables):
    ours = {name: os.environ[name] for name in ("HOME", "DOCKER_CONFIG")}
    return {**ours, **internet.environ, **variables}


def _config():
    with open(os.path.join(os.environ["DOCKER_CONFIG"], "config.json"), encoding="utf-8") as file:
        return json.load(file)


def _key(registry):
    return KEYS.get(registry.name, registry.host)


def _image(registry, repository):
    host = "docker.io" if registry.name == "Docker Hub" else registry.host
    return f"{host}/{repository}:1"


def _basic(registry):
    return base64.b64encode(f"{registry.username}:{registry.password}".encode()).decode()


# Twenty registries, five of them on a bad day, by the command as a process.

PASSWORD = "in wonder:land"
USERS = {"alice": PASSWORD}
LATENCY = 0.3  # seconds before each answer of the fifteen
TIMEOUT = 6  # seconds for the whole run, which the one that hangs uses up

TROUBLES = ("BUSY", "CERT", "HANG", "RESET", "WRONG")
EXPECTED = {
    "BUSY": ("ok", None),
    "CERT": ("unverified", "certificate-untrusted"),
    "HANG": ("unverified", "timeout"),
    "RESET": ("unverified", "connection-reset"),
    "WRONG": ("rejected", "rejected"),
}


class Answering(faults.Fine):
    """
    Fine, and remembers when it answered first and last.
    """

    def __init__(self, users, **options):
        super().__init__(users, **options)
        self.began = self.ended = None

    def _answer(self, method, target, headers, body):
        if self.began is None:
            self.began = time.monotonic()
        answer = super()._answer(method, target, headers, body)
        self.ended = time.monotonic()
        return answer


@dataclass(frozen=True, kw_only=True)
class Day:
    """
    How the run went.

    Attributes:
        seconds: From the command's start to its end.
        fine: The fifteen, by their sets' ids.
        bad: The others, likewise.
        client: Whose config.json was written.
    """

    client: Client
    done: object
    seconds: float
    fine: dict[str, Answering]
    bad: dict[str, object]


def _registries(stack):
    fine = {
        f"FINE{number:02}": stack.enter_context(Answering(USERS, latency=LATENCY))
        for number in range(15)
    }
    bad = {
        "WRONG": stack.enter_context(faults.Refusing()),
        "HANG": stack.enter_context(faults.Hanging()),
        "RESET": stack.enter_context(faults.Resetting()),
        "BUSY": stack.enter_context(faults.Busy(USERS, times=2, status=503)),
        "CERT": stack.enter_context(faults.BadCertificate(USERS)),
    }
    return fine, bad


def _sets(registries):
    return {
        name: text
        for set_id, registry in registries.items()
        for name, text in set_for(registry.registry, "alice", PASSWORD, set_id=set_id).items()
    }


@pytest.fixture(name="day", scope="module")
def _day(_bare_process, clean_path, tmp_path_factory):
    """
    One run for all tests of it, since it lasts as long as the hanging registry.
    """
    client = Client(tmp_path_factory.mktemp("client"), path=clean_path)
    with contextlib.ExitStack() as stack:
        fine, bad = _registries(stack)
        began = time.monotonic()
        done = client.product(
            "login", "--json", "--timeout", str(TIMEOUT), **_sets({**bad, **fine})
        )
        seconds = time.monotonic() - began
        yield Day(client=client, done=done, seconds=seconds, fine=fine, bad=bad)


def test_fifteen_logins_succeed_at_once_while_five_fail(day):
    outcomes = by_id(day.done)
    fine = [outcomes[set_id] for set_id in day.fine]

    assert {("ok", True, 1)} == {(o["status"], o["verified"], o["attempts"]) for o in fine}
    # All were contacted before any of them had its last answer: no login waited for another.
    assert max(r.began for r in day.fine.values()) < min(r.ended for r in day.fine.values())
    assert {r.registry for r in day.fine.values()} <= set(day.client.config()["auths"])


def test_each_failure_has_its_own_cause_and_fix(day):
    outcomes = by_id(day.done)
    troubled = [outcomes[set_id]["error"] for set_id in TROUBLES if set_id != "BUSY"]

    assert EXPECTED == {
        set_id: (outcomes[set_id]["status"], outcomes[set_id]["code"]) for set_id in TROUBLES
    }
    assert len(troubled) == len({error["message"] for error in troubled})
    assert len(troubled) == len({error["hint"] for error in troubled} - {""})
    assert 4 == day.done.returncode


def test_only_transient_failures_are_retried(day):
    outcomes = by_id(day.done)

    attempts = {set_id: outcomes[set_id]["attempts"] for set_id in TROUBLES}

    assert (1, 1, 3, 4) == tuple(attempts[name] for name in ("WRONG", "CERT", "BUSY", "RESET"))
    assert 1 == day.bad["WRONG"].refusals
    assert 0 == day.bad["CERT"].asked
    assert 4 <= day.bad["RESET"].asked


def test_the_whole_run_ends_within_its_timeout(day):
    assert day.seconds < TIMEOUT + LONG


def test_unreachable_registries_are_saved_unverified_and_refused_ones_are_not(day):
    outcomes = by_id(day.done)

    kept = {set_id for set_id, outcome in outcomes.items() if outcome["kept_in"]}

    assert {*day.fine, "BUSY", "CERT", "HANG", "RESET"} == kept
    assert {str(outcomes[set_id]["registry"]) for set_id in kept} == set(
        day.client.config()["auths"]
    )
    assert document(day.done)["error"] is None


def test_the_text_has_a_line_for_each_registry_and_a_fix_for_each_failure(client):
    with contextlib.ExitStack() as stack:
        fine, bad = _registries(stack)
        done = client.product("login", "--timeout", "4", **_sets({**bad, **fine}))

    lines = done.stdout.splitlines()
    for set_id, registry in {**fine, **bad}.items():
        assert 1 == len(
            [line for line in lines if line[12:].split()[:2] == [set_id, str(registry.registry)]]
        )
    assert 4 == len([line for line in lines if line.strip().startswith("fix: ")])
    assert max(map(len, lines)) <= 80


def test_a_hook_with_failures_does_not_stop_the_container(client):
    with contextlib.ExitStack() as stack:
        _, bad = _registries(stack)
        began = time.monotonic()
        done = client.product("hook", "postStart", "--timeout", "3", **_sets(bad))
        seconds = time.monotonic() - began

    assert 0 == done.returncode
    assert seconds < 3 + LONG
