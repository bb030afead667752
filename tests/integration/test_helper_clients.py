# SPDX-License-Identifier: MIT
"""
A login that is in our helper only, used by third-party clients.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from urllib.parse import quote

import pytest
from doubles.command_line import only, set_for
from parts import needed
from parts.clients import Client
from parts.dockers import Dockers
from parts.localbin import HELPER, LocalBin, put_our_helper_on_path

from devcontainer_registry.testing import LoopbackRegistry

OURS = "devcontainer-registry"
ALICE = ("alice", "in wonder:land")
ROBOT = ("robot$ci", "p4$$-wörd")

DOCKER_PY = """
import docker, sys
client = docker.from_env()
try:
    client.images.pull(sys.argv[1])
finally:
    client.close()
"""
# It needs to know whether a registry issues tokens.
ORAS_PY = """
import oras.client, sys
target, folder, scheme = sys.argv[1:]
client = oras.client.OrasClient(insecure=True, auth_backend=scheme)
client.pull(target, outdir=folder)
"""

# Behaviours of another helper in `credsStore`; it records each call in `asked`.
STORES = {
    "not-found": """[ "$1" != list ] || { echo '{}'; exit 0; }
echo "credentials not found in native keychain"; exit 1""",
    "garbage": "echo nonsense",
    "failing": "exit 255",
    "hanging": "until [ -e released ]; do sleep 0.1; done; echo '{}'",
    "missing": None,
}


@dataclass(frozen=True, kw_only=True)
class Served:
    """
    A client with our helper on its PATH, and the registry that it is logged in to.

    Attributes:
        secret: The password that must be in no config.json.
        scheme: How that registry wants it: `basic`, `token`.
    """

    client: Client
    registry: str
    user: str
    secret: str
    scheme: str

    @property
    def image(self):
        return f"{self.registry}/team/app:latest"

    def write(self, config):
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)


@pytest.fixture(name="served", params=["basic", "token"])
def _served(request, client, tmp_path):
    fixture = {"basic": "registry_htpasswd", "token": "registry_token"}[request.param]
    registry = request.getfixturevalue(fixture).registry
    user, secret = {"basic": ROBOT, "token": ALICE}[request.param]
    put_our_helper_on_path(client, tmp_path / "helpers")
    done = client.product("login", "--json", "--store", "helper", **set_for(registry, user, secret))
    assert 0 == done.returncode, done.stdout + done.stderr
    assert ["credHelpers"] == only(done)["kept_in"]
    return Served(client=client, registry=registry, user=user, secret=secret, scheme=request.param)


@pytest.fixture(name="pushed")
def _pushed(served, engine):
    """
    `served`, with an image in its registry that can run.
    """
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    engine.import_busybox(served.image)
    done = served.client.docker("push", served.image, DOCKER_HOST=engine.host)
    engine.remove_image(served.image)
    assert 0 == done.returncode, done.stderr
    return served


def test_no_secret_is_in_config_json(served):
    with open(served.client.config_path, "rb") as file:
        content = file.read()

    assert {"credHelpers": {served.registry: OURS}} == json.loads(content)
    secret = served.secret.encode()
    for form in (
        secret,
        json.dumps(served.secret)[1:-1].encode(),
        quote(served.secret).encode(),
        base64.b64encode(secret),
        base64.b64encode(f"{served.user}:{served.secret}".encode()),
        base64.urlsafe_b64encode(f"{served.user}:{served.secret}".encode()),
    ):
        assert form not in content


# The clients, each with an image of `served` to get.


def docker_reads_a_manifest(served, **_):
    return served.client.docker("manifest", "inspect", "--insecure", served.image)


def docker_pulls(served, *, engine, **_):
    try:
        return served.client.docker("pull", served.image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(served.image)


def docker_py_pulls(served, *, engine, **_):
    try:
        return served.client.python(DOCKER_PY, served.image, DOCKER_HOST=engine.host)
    finally:
        engine.remove_image(served.image)


def skopeo_copies(served, *, folder, **_):
    return served.client.skopeo(
        "copy", "--src-tls-verify=false", f"docker://{served.image}", f"oci:{folder}/copy:latest"
    )


@pytest.mark.parametrize(
    "get", [docker_reads_a_manifest, docker_pulls, docker_py_pulls, skopeo_copies]
)
def test_an_image_is_pulled_with_our_helper_and_not_without(pushed, engine, get, tmp_path):
    done = get(pushed, engine=engine, folder=tmp_path)
    pushed.write({})
    without = get(pushed, engine=engine, folder=tmp_path)

    assert 0 == done.returncode, done.stderr
    assert 0 != without.returncode


def test_oras_py_pulls_a_private_artefact(served, image_layout, tmp_path):
    source, artefact = f"oci:{image_layout}:latest", f"docker://{served.image}"
    copied = served.client.skopeo("copy", "--dest-tls-verify=false", source, artefact)
    assert 0 == copied.returncode, copied.stderr

    done = served.client.python(ORAS_PY, served.image, str(tmp_path / "pulled"), served.scheme)
    served.write({})
    # Not oras-py, which would go on trying for minutes.
    without = served.client.skopeo("inspect", "--raw", "--tls-verify=false", artefact)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "hello\n" == (tmp_path / "pulled" / "greeting").read_text()
    assert "unauthorized" in without.stderr or "authentication required" in without.stderr


def test_the_devcontainer_cli_publishes_and_fetches_a_private_feature(served, tmp_path):
    folder = tmp_path / "src" / "hello"
    folder.mkdir(parents=True)
    (folder / "devcontainer-feature.json").write_text(
        json.dumps({"id": "hello", "version": "1.0.0", "name": "Hello"})
    )
    (folder / "install.sh").write_text("#!/bin/sh\n")

    def fetch():
        feature = f"{served.registry}/team/features/hello:1"
        return served.client.devcontainer("features", "info", "manifest", feature)

    published = served.client.devcontainer(
        *("features", "publish", str(tmp_path / "src")),
        *("--registry", served.registry, "--namespace", "team/features"),
    )
    fetched = fetch()
    served.write({})
    without = fetch()

    assert 0 == published.returncode, published.stdout + published.stderr
    assert 0 == fetched.returncode, fetched.stdout + fetched.stderr
    assert "sha256:" in fetched.stdout
    assert 0 != without.returncode


# Beside another helper, where it makes no difference how the registry wants its password.

ONE_BY_ONE = ["pull", "run", "buildkit", "compose up"]
CLASSIC = ["build", "compose build"]
ONE_KIND = pytest.mark.parametrize("served", ["basic"], indirect=True)


@pytest.fixture(name="store")
def _store(pushed, tmp_path):
    """
    A function that configures one of `STORES` in config.json, and returns its recorded calls.
    """
    folder = tmp_path / "helpers"

    def name(store):
        if STORES[store] is not None:
            path = folder / f"docker-credential-{store}"
            path.write_text(f'#!/bin/sh\ncd {folder}\necho "$1" >>asked\n{STORES[store]}\n')
            path.chmod(0o755)
        pushed.write({**pushed.client.config(), "credsStore": store})
        return lambda: [verb for path in folder.glob("asked") for verb in path.read_text().split()]

    yield name
    (folder / "released").touch()


@ONE_KIND
@pytest.mark.parametrize("other", STORES)
def test_docker_gets_our_login_with_any_credential_store(engine, pushed, store, other):
    asked, dockers = store(other), Dockers(pushed.client, engine)

    done = {name: dockers.run(name, pushed.image) for name in ONE_BY_ONE}

    assert dict.fromkeys(ONE_BY_ONE, 0) == {name: done[name].returncode for name in done}
    assert [] == asked()


@ONE_KIND
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_gets_our_login_beside_an_empty_store(engine, pushed, store, command):
    asked = store("not-found")

    done = Dockers(pushed.client, engine).run(command, pushed.image)

    assert 0 == done.returncode, done.stderr
    assert {"list"} == set(asked())


@ONE_KIND
@pytest.mark.parametrize("other", ["garbage", "failing", "missing"])
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_gets_no_login_if_the_store_cannot_list(
    engine, pushed, store, command, other
):
    """
    It lists the store before it calls our helper, which we cannot prevent.

    https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
    """
    store(other)

    done = Dockers(pushed.client, engine).run(command, pushed.image)

    assert 0 != done.returncode


@ONE_KIND
@pytest.mark.parametrize("command", CLASSIC)
def test_a_classic_build_waits_for_a_hanging_store_and_then_gets_our_login(
    engine, pushed, store, command, tmp_path
):
    asked, log = store("hanging"), tmp_path / "log"
    dockers = Dockers(pushed.client, engine)

    process = dockers.start(command, pushed.image, log=log)
    try:
        wait_for(asked, process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
        held_up_by = asked()
        (tmp_path / "helpers" / "released").touch()
        status = process.wait(60)
    finally:
        process.kill()
        process.wait()
        dockers.clean(pushed.image)

    assert ["list"] == held_up_by
    assert 0 == status, log.read_text()


def wait_for(asked, process, *, seconds=60):
    end = time.monotonic() + seconds
    while not asked() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.05)


def test_auto_does_not_delegate_to_a_helper_that_some_processes_miss(
    registry_htpasswd, client, tmp_path
):
    """
    So `docker run` still works if our helper is not on PATH.
    """
    registry = registry_htpasswd.registry
    put_our_helper_on_path(client, tmp_path / "helpers")
    with open(client.config_path, "w", encoding="utf-8") as file:
        json.dump({"credsStore": "missing"}, file)
    (tmp_path / "local").mkdir()

    with LocalBin(tmp_path / "local") as local_bin:
        done = client.product("login", "--json", enter=local_bin.enter, **set_for(registry, *ROBOT))

    assert 6 == done.returncode
    assert "hidden-by-credsstore" == only(done)["code"]
    assert ["auths", "credsStore"] == sorted(client.config())


# `docker login` and `docker logout` by hand, with our helper in config.json.

ANN = ("ann", "of-the-set")
BOB = ("bob", "by-hand")
EVE = ("eve", "of-the-new-set")


class ByHand:
    """
    A client with a login of our helper's as Ann, and a registry that knows Bob and Eve, too.
    """

    def __init__(self, client, registry, engine):
        self.client, self._registry, self._engine = client, registry, engine
        self.registry = str(registry.registry)
        self.environ = set_for(self.registry, *ANN)

    def docker(self, *arguments, **options):
        return self.client.docker(*arguments, DOCKER_HOST=self._engine.host, **options)

    def log_in(self, password=BOB[1]):
        given = ("login", self.registry, "--username", BOB[0], "--password-stdin")
        return self.docker(*given, stdin=password)

    def served(self):
        """
        Return our helper's answer or error.
        """
        done = self.client.run(HELPER, "get", stdin=self.registry)
        return json.loads(done.stdout) if done.returncode == 0 else done.stdout.strip()

    def who_pulls(self):
        """
        Return the user name with which Docker pulls the image; None: it cannot.
        """
        self._registry.requests.clear()
        image = f"{self.registry}/demo/hello"
        try:
            done = self.docker("pull", image)
        finally:
            self._engine.remove_image(image)
        users = {request.user for request in self._registry.requests if request.user}
        assert (done.returncode == 0) == bool(users), done.stderr
        return users.pop() if users else None


@pytest.fixture(name="by_hand", params=["basic", "bearer"])
def _by_hand(request, client, engine, tmp_path):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    put_our_helper_on_path(client, tmp_path / "helpers")
    with LoopbackRegistry(dict((ANN, BOB, EVE)), auth=request.param) as registry:
        one = ByHand(client, registry, engine)
        done = client.product("login", "--store", "helper", **one.environ)
        assert 0 == done.returncode, done.stdout
        # As auto leaves it: the same login in `auths`, for processes that do not find our helper.
        client.log_in_by_hand(one.registry, *ANN)
        assert ANN[0] == one.who_pulls()
        yield one


def test_a_login_by_hand_is_served_and_sent(by_hand):
    """
    A registry that gives tokens gives docker one to keep instead of the password.
    """
    done = by_hand.log_in()

    served = by_hand.served()
    assert (0, "Login Succeeded\n", "") == (done.returncode, done.stdout, done.stderr)
    assert (by_hand.registry, "bob") == (served["ServerURL"], by_hand.who_pulls())
    assert served["Username"] in ("bob", "<token>")
    assert {by_hand.registry: {}} == by_hand.client.config()["auths"]


def test_a_refused_login_by_hand_keeps_the_earlier_one(by_hand):
    before = by_hand.served()

    done = by_hand.log_in("wrong")

    assert 0 != done.returncode
    assert before == by_hand.served()
    assert "ann" == by_hand.who_pulls()


def test_a_login_by_hand_is_not_undone_by_the_next_start(by_hand):
    by_hand.log_in()

    done = by_hand.client.product(
        "hook", "postStart", "--json", "--store", "helper", **by_hand.environ
    )

    assert ("skipped", "login-by-hand") == (only(done)["status"], only(done)["code"])
    assert "bob" == by_hand.who_pulls()


def test_a_changed_set_replaces_a_login_by_hand(by_hand):
    by_hand.log_in()

    changed = set_for(by_hand.registry, *EVE)
    done = by_hand.client.product("hook", "postStart", "--json", "--store", "helper", **changed)

    assert "ok" == only(done)["status"]
    assert "eve" == by_hand.who_pulls()


@pytest.mark.parametrize("after_a_login", [False, True])
def test_docker_logout_removes_the_saved_login(by_hand, after_a_login):
    if after_a_login:
        by_hand.log_in()

    done = by_hand.docker("logout", by_hand.registry)

    assert (0, "") == (done.returncode, done.stderr)
    assert "credentials not found in native keychain" == by_hand.served()
    assert by_hand.who_pulls() is None
    cache = os.path.join(by_hand.client.home, ".cache", "devcontainer-registry")
    for name in os.listdir(cache):
        with open(os.path.join(cache, name), "rb") as file:
            content = file.read()
        assert ANN[1].encode() not in content, name
        assert BOB[1].encode() not in content, name


def test_the_set_logs_in_again_after_a_logout_by_hand(by_hand):
    by_hand.log_in()
    by_hand.docker("logout", by_hand.registry)

    done = by_hand.client.product("login", "--store", "helper", **by_hand.environ)

    assert 0 == done.returncode, done.stdout
    assert "ann" == by_hand.who_pulls()


HUB = ("docker.io", "index.docker.io", "https://index.docker.io/v1/")


@pytest.mark.parametrize("named", [(), *((spelling,) for spelling in HUB)])
def test_docker_logout_removes_docker_hub_under_each_of_its_names(client, tmp_path, named):
    put_our_helper_on_path(client, tmp_path / "helpers")
    options = ("--store", "helper", "--verify", "never")
    kept = client.product("login", "--json", *options, **set_for("docker.io", *ANN))
    before = {client.run(HELPER, "get", stdin=spelling).returncode for spelling in HUB}

    done = client.docker("logout", *named)

    assert (["credHelpers"], {0}) == (only(kept)["kept_in"], before)
    assert (0, "") == (done.returncode, done.stderr)
    assert {"credentials not found in native keychain\n"} == {
        client.run(HELPER, "get", stdin=spelling).stdout for spelling in HUB
    }


# Our helper beside Debian's docker-credential-pass: the same verbs, in the same order, with the
# same input.  Each difference is intended, and the table gives the reason.

PASS_OURS = os.path.join(os.path.dirname(sys.executable), "docker-credential-devcontainer-registry")
NOT_FOUND = "credentials not found in native keychain\n"


@dataclass(frozen=True)
class Said:
    status: int
    stdout: str
    stderr: str

    @property
    def meaning(self):
        """
        Its status, and what docker reads in stdout: JSON is parsed, a text compared.
        """
        try:
            return self.status, json.loads(self.stdout)
        except ValueError:
            return self.status, self.stdout.strip()


@dataclass(frozen=True)
class Row:
    """
    One call; *ours* and *why* only where we differ.

    If Docker has no message for a failure, we also write it to stderr: *told*.  A pull shows
    nothing else of it.
    """

    verb: str
    given: str
    theirs: object
    ours: object = None
    why: str = ""
    told: bool = False


def login(url, user, secret):
    return json.dumps({"ServerURL": url, "Username": user, "Secret": secret})


def answer(url, user, secret):
    return 0, {"ServerURL": url, "Username": user, "Secret": secret}


DONE = (0, "")
NO_SERVER = (1, "no credentials server URL")
MISSING = (1, NOT_FOUND.strip())
BROKEN = (1, "store takes UTF-8 JSON with ServerURL, Username and Secret")

EMPTY = "some clients send two empty strings as they are, and are refused for it"
_FILED = "docker-credential-helpers/YS5leGFtcGxl"
TABLE = [
    Row("list", "unused", (0, {})),
    Row("get", "", NO_SERVER),
    Row("get", " \n", NO_SERVER),
    Row("erase", "", NO_SERVER),
    Row("get", "a.example", answer("a.example", "", ""), MISSING, EMPTY),
    Row("store", login("a.example", "bob", "s3cret"), DONE),
    Row("get", "a.example", answer("a.example", "bob", "s3cret")),
    Row("get", " a.example\r\n", answer("a.example", "bob", "s3cret")),
    Row(
        "get",
        "https://a.example/v2/",
        answer("https://a.example/v2/", "", ""),
        answer("https://a.example/v2/", "bob", "s3cret"),
        "clients spell a host in more than one way",
    ),
    Row("store", login("b.example:5000", "<token>", "refresh"), DONE),
    Row("get", "b.example:5000", answer("b.example:5000", "<token>", "refresh")),
    Row("store", login("c.example", "ü", 'ünï \u2028 <&> \\ " a:b'), DONE),
    Row("get", "c.example", answer("c.example", "ü", 'ünï \u2028 <&> \\ " a:b')),
    Row("store", '{"serverurl": "d.example", "username": "b", "secret": "s", "more": 1}', DONE),
    Row(
        "list",
        "",
        (0, {"a.example": "bob", "b.example:5000": "<token>", "c.example": "ü", "d.example": "b"}),
    ),
    Row("store", login("", "bob", "s3cret"), NO_SERVER),
    Row("store", login("a.example", "", "s3cret"), (1, "no credentials username")),
    Row(
        "store",
        login("e.example", "bob", ""),
        DONE,
        (1, "no credentials secret"),
        "an empty password would be served, and refused by the registry",
        told=True,
    ),
    Row("store", "{", (1, "unexpected EOF"), BROKEN, "it says what is wanted", told=True),
    Row("store", "", (1, "EOF"), BROKEN, "as above", told=True),
    Row(
        "store",
        login("f.example", "bob", "s3cret") + "x",
        DONE,
        BROKEN,
        "half of what came is no login",
        told=True,
    ),
    Row("erase", "a.example", DONE),
    Row("get", "a.example", answer("a.example", "", ""), MISSING, EMPTY),
    Row(
        "erase",
        "a.example",
        (
            1,
            f"exit status 1: Error: {_FILED} is not in the password store.",
        ),
        DONE,
        "`docker logout` erases four spellings, and warns for each that fails",
    ),
    Row(
        "get",
        "a.ex\0ample",
        answer("a.ex\0ample", "", ""),
        MISSING,
        EMPTY,
    ),
    Row(
        "put",
        "",
        (1, "Unknown credential action `put`"),
        (1, "Usage: docker-credential-devcontainer-registry <store|get|erase|list|version>"),
        "newer ones show the usage, too",
    ),
    Row(
        "",
        "",
        (1, "Usage: docker-credential-pass <store|get|erase|list|version>"),
        (1, "Usage: docker-credential-devcontainer-registry <store|get|erase|list|version>"),
        "another name",
    ),
]


@pytest.fixture(name="run")
def _run(tmp_path):
    """
    A function that runs a helper in a home with an empty password store.
    """
    theirs = "docker-credential-pass"
    needed.program(theirs, package="golang-docker-credential-helpers")
    keys = tmp_path / "gnupg"
    keys.mkdir(mode=0o700)
    environ = {
        "HOME": str(tmp_path),
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "GNUPGHOME": str(keys),
        "LANG": "C.UTF-8",
    }

    def start(command, given=""):
        done = subprocess.run(
            command, input=given.encode(), capture_output=True, env=environ, timeout=60, check=False
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    gpg = needed.program("gpg", package="gnupg")
    made = ["--batch", "--passphrase", "", "--quick-generate-key", "t <t@example>"]
    assert 0 == start([gpg, *made, "default", "default", "never"]).status
    try:
        assert 0 == start([needed.program("pass", package="pass"), "init", "t@example"]).status
        yield lambda ours, verb, given: start(
            [PASS_OURS if ours else theirs, *([verb] if verb else [])], given
        )
    finally:
        # The agent that gpg left behind, which listens in this folder only.
        start(["gpgconf", "--homedir", str(keys), "--kill", "all"])


def test_our_helper_answers_like_dockers_except_for_documented_differences(run):
    for row in TABLE:
        theirs, ours = run(False, row.verb, row.given), run(True, row.verb, row.given)

        assert row.theirs == theirs.meaning, row
        assert (row.theirs if row.ours is None else row.ours) == ours.meaning, row
        assert (row.ours is None) == (not row.why), row
        assert "" == theirs.stderr, row
        expected = f"devcontainer-registry: {ours.stdout}" if row.told else ""
        assert expected == ours.stderr, row


def test_a_second_login_replaces_the_first(run):
    # pass keeps both, under the two user names, and answers with either.
    for user in ("bob", "eve"):
        run(True, "store", login("a.example", user, f"of-{user}"))

    assert answer("a.example", "eve", "of-eve") == run(True, "get", "a.example").meaning


def test_both_helpers_print_their_version_in_one_line(run):
    theirs, ours = run(False, "version", ""), run(True, "version", "")

    assert [(0, 1, "")] * 2 == [(s.status, s.stdout.count("\n"), s.stderr) for s in (theirs, ours)]
