# SPDX-License-Identifier: MIT
"""
`--store auto` if some Docker does not find our helper: every command still works.

Also: the Docker commands that fail with a missing helper, which is why auto is cautious.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import time

import pytest
from doubles.command_line import document, only
from doubles.credential_helper import NAME, NOT_FOUND, PROGRAM, Helper
from parts.clients import Client
from parts.dockers import Dockers
from parts.localbin import HELPER, LocalBin, put_our_helper_on_path

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry

USER = ("AWS", "the-new-one")
EVERYTHING = list(Dockers.COMMANDS)

# Without the helper that config.json names, BuildKit and `run` of newer Dockers fail.  The client
# ignores the failure and sends the entry in `auths` in a pull, and in the list of all registries
# with which a classic build begins.  In Debian's Dockers, 20.10 and 26, `run` does so too.
# https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go
WITHOUT_ITS_HELPER = {"pull", "compose build"}
# In Docker 28 and 26, a classic build does so as well; in 20.10 it then has no login at all.
CLASSIC = {"build"}


class Place:
    """
    A container with a /usr/local/bin of its own, and two registries with a private image each.

    For the first, a cloud gives logins that live 12 hours, and so need to be renewed.
    """

    def __init__(self, client, engine, local_bin, registries, folder):
        self.client, self.engine, self.local_bin = client, engine, local_bin
        self.registry, self.other = (registry.registry for registry in registries)
        self.image, self.others_image = (f"{r.registry}/team/app:1" for r in registries)
        client.environ["PATH"] = f"/usr/local/bin:{client.environ['PATH']}"
        cloud = Helper(folder)
        cloud.see_secrets()
        self.secrets = cloud.set_for(self.registry)
        for registry, image in ((self.registry, self.image), (self.other, self.others_image)):
            client.log_in_by_hand(registry, *USER)
            engine.import_busybox(image)
            pushed = client.docker("push", image, DOCKER_HOST=engine.host)
            engine.remove_image(image)
            assert 0 == pushed.returncode, pushed.stderr
        os.unlink(client.config_path)
        client.log_in_by_hand(self.other, *USER)

    def write(self, config):
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def log_in(self, *command):
        done = self.client.product(
            *(command or ("login",)), "--json", enter=self.local_bin.enter, **self.secrets
        )
        assert 0 == done.returncode, done.stdout + done.stderr
        return only(done)

    def dockers(self, client=None, enter=None):
        """
        Its docker, unless another *client* is named, that is elsewhere.
        """
        enter = self.local_bin.enter if enter is None else enter
        return Dockers(client or self.client, self.engine, enter=enter)


@pytest.fixture(name="place")
def _place(client, engine, start_registry, tmp_path):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    (tmp_path / "local").mkdir()
    (tmp_path / "cloud").mkdir()
    registries = [start_registry(dict([USER])) for _ in range(2)]
    with LocalBin(tmp_path / "local") as local_bin:
        yield Place(client, engine, local_bin, registries, tmp_path / "cloud")


def told(outcome):
    return outcome["status"], outcome["kept_in"], outcome["code"]


def test_no_docker_command_works_without_a_login(place):
    assert [] == place.dockers().working(place.image)


def test_every_docker_command_works_through_our_helper_alone(place):
    place.local_bin.install_helper()

    outcome = place.log_in()

    assert ("ok", ["auths", "credHelpers"], None) == told(outcome)
    place.write({"credHelpers": place.client.config()["credHelpers"]})
    assert EVERYTHING == place.dockers().working(place.image)


def test_every_docker_command_works_without_our_helper_installed(place):
    outcome = place.log_in()

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert EVERYTHING == place.dockers().working(place.image)


@pytest.mark.parametrize("mounted", ["file", "folder"])
def test_every_docker_command_works_on_both_sides_of_a_shared_config_json(place, mounted, tmp_path):
    """
    The container has our helper, and the host that shares its config.json does not.
    """
    host = Client(tmp_path / "host", path=place.client.environ["PATH"])
    shutil.copy(place.client.config_path, host.config_path)
    sides = [
        path if mounted == "file" else os.path.dirname(path)
        for path in (host.config_path, place.client.config_path)
    ]
    place.local_bin.install_helper()
    bound = place.client.run("mount", "--bind", *sides, enter=place.local_bin.enter)
    assert 0 == bound.returncode, bound.stderr
    lacking = place.dockers(host, enter=())
    having = place.dockers()

    outcome = place.log_in()

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert {place.other, place.registry} == set(host.config()["auths"])
    assert EVERYTHING == lacking.working(place.image)
    assert 0 == having.run("run", place.image).returncode


def test_some_docker_commands_fail_without_the_helper_in_config_json(place):
    """
    Other registries are not affected, except in a classic build of an old Docker.
    """
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()

    done = {name: place.dockers().run(name, place.image) for name in EVERYTHING}

    failed = {name for name in EVERYTHING if done[name].returncode != 0}
    assert failed.isdisjoint(WITHOUT_ITS_HELPER)
    assert all(HELPER in done[name].stderr for name in failed - CLASSIC)
    others = place.dockers().working(place.others_image)
    assert {*EVERYTHING} - {*others} == failed & CLASSIC


def test_the_next_start_without_our_helper_repairs_the_login(place):
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()

    outcome = place.log_in("hook", "postStart")

    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert EVERYTHING == place.dockers().working(place.image)


def test_a_start_repairs_a_login_by_hand_in_a_helper_that_was_removed(place):
    """
    That login is lost: it was in our helper only.
    """
    place.local_bin.install_helper()
    place.log_in()
    given = json.dumps({"ServerURL": place.registry, "Username": "bob", "Secret": "by-hand"})
    stored = place.client.run(HELPER, "store", stdin=given, enter=place.local_bin.enter)
    by_hand = place.log_in("hook", "postStart")
    place.local_bin.remove_helper()

    outcome = place.log_in("hook", "postStart")

    assert 0 == stored.returncode, stored.stdout
    assert "login-by-hand" == by_hand["code"]
    assert ("ok", ["auths"], "not-delegated") == told(outcome)
    assert 0 == place.dockers().run("run", place.image).returncode


@pytest.mark.parametrize("gone", ["after", "before"])
def test_a_logout_leaves_nothing_that_needs_our_helper(place, gone):
    place.local_bin.install_helper()
    place.log_in()
    if gone == "before":
        place.local_bin.remove_helper()

    done = place.client.product("logout", "--all", "--json", enter=place.local_bin.enter)

    if gone == "after":
        place.local_bin.remove_helper()
    assert 0 == done.returncode, done.stdout + done.stderr
    assert [place.other] == list(place.client.config()["auths"])
    place.client.log_in_by_hand(place.registry, *USER)
    assert 0 == place.dockers().run("run", place.image).returncode


def test_a_container_that_has_its_image_needs_no_helper(place):
    place.local_bin.install_helper()
    place.log_in()
    place.local_bin.remove_helper()
    place.client.docker("pull", place.image, DOCKER_HOST=place.engine.host)

    done = place.dockers().run("run", place.image)

    assert 0 == done.returncode, done.stderr


# Where `--store` keeps an expiring login on real file systems: with our helper in the real
# /usr/local/bin or not, with config.json or its folder mounted, with a full cache disk.

OURS = "devcontainer-registry"
BOTH = ["auths", "credHelpers"]

# A private /usr/local/bin: its present content, and our helper as pip installs it.
INSTALLED = f"""
mkdir "$HOME/before" "$HOME/bin"
mount --bind /usr/local/bin "$HOME/before"
for program in "$HOME"/before/*; do ln -s "$program" "$HOME/bin"; done
rm -f "$HOME/bin/{NAME}"
cp {PROGRAM} "$HOME/bin/{NAME}"
mount --bind "$HOME/bin" /usr/local/bin
"""

INSTALLED_AGAIN = f'rmdir "$HOME/before"; rm -r "$HOME/bin"\n{INSTALLED}'

# Called with the usual PATH only, in the same mounts as the login.
ASKED = f'printf %s "$SERVER" | env -i HOME="$HOME" PATH=/usr/local/bin:/usr/bin:/bin {NAME} get'

HERS = f'"/usr/local/bin/{NAME}"'
UNABLE = {
    "nowhere": (f"rm {HERS}", f"{NAME} is not in /usr/local/bin or /usr/bin"),
    "its owner's": (f"chmod 744 {HERS}", "other users cannot run "),
    "without its Python": (f"printf '#!/nonexistent/a b/python\\n' >{HERS}", "does not run"),
    "failing": (f"printf '#!/bin/sh\\nexit 3\\n' >{HERS}", "does not run"),
    "on our PATH only": (f"printf '#!/bin/sh\\nexec its-python\\n' >{HERS}", "does not run"),
}
MOUNTED = {
    "file": 'mount --bind "$CONFIG" "$CONFIG"',
    "folder": 'mount --bind "$HOME/.docker" "$HOME/.docker"',
    "a blank in its name": (
        'mkdir "$HOME/a b"; mv "$CONFIG" "$HOME/a b"; ln -s "$HOME/a b/config.json" "$CONFIG";'
        ' mount --bind "$HOME/a b" "$HOME/a b"'
    ),
}


class PlacesPlace:
    """
    A client, a registry, and a cloud whose login for it lives 12 hours.
    """

    def __init__(self, client, registry, mounts, folder):
        self.client, self.registry, self._mounts = client, registry.registry, mounts
        self.folder = str(folder)
        cloud = Helper(folder)
        cloud.see_secrets()
        self.environ = {
            **cloud.set_for(self.registry),
            "CONFIG": client.config_path,
            "SERVER": self.registry,
        }
        ours = os.path.join(self.folder, "our-path")
        os.mkdir(ours)
        with open(os.path.join(ours, "its-python"), "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\necho '{NAME} v1'\n")
        os.chmod(file.name, 0o755)
        client.environ["PATH"] = f"/usr/local/bin:{ours}:{client.environ['PATH']}"
        self.write({})

    def write(self, config):
        with open(self.client.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)

    def run(self, *arguments, before="", after="", program="devcontainer-registry", **options):
        """
        Run the command, or our helper, between *before* and *after*, in mounts of its own.
        """
        path = os.path.join(os.path.dirname(PROGRAM), program)
        enter = self._mounts(before.strip() or ":", after)
        return self.client.run(path, *arguments, enter=enter, **{**self.environ, **options})

    def login(self, store, *, before, after=""):
        done = self.run("login", "--json", "--store", store, before=before, after=after)
        return done.returncode, only(done)

    def put_on_path(self):
        """
        Install our helper so that only this client finds it.
        """
        os.symlink(PROGRAM, os.path.join(self.folder, "our-path", NAME))


@pytest.fixture(name="stores")
def _stores(client, mounts, tmp_path):
    assert not os.path.exists(f"/usr/bin/{NAME}")
    folder = tmp_path / "place"
    folder.mkdir()
    with LoopbackRegistry({"AWS": "the-new-one"}) as registry:
        yield PlacesPlace(client, registry, mounts, folder)


def test_auto_delegates_to_a_helper_that_every_process_finds(stores):
    answer = os.path.join(stores.folder, "answer")

    status, outcome = stores.login("auto", before=INSTALLED, after=f"{ASKED} >{answer}")

    assert (0, "ok", BOTH, None) == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert {stores.registry: OURS} == stores.client.config()["credHelpers"]
    with open(answer, encoding="utf-8") as file:
        assert "the-new-one" == json.load(file)["Secret"]


@pytest.mark.parametrize("unable", UNABLE)
def test_auto_does_not_delegate_to_a_helper_that_some_users_cannot_run(stores, unable):
    spoil, reason = UNABLE[unable]

    status, outcome = stores.login("auto", before=INSTALLED + spoil)

    assert (0, "ok", ["auths"], "not-delegated") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert reason in outcome["error"]["message"]
    assert ["auths"] == list(stores.client.config())


@pytest.mark.parametrize("mounted", MOUNTED)
def test_auto_does_not_delegate_from_a_mounted_config_json(stores, mounted):
    status, outcome = stores.login("auto", before=INSTALLED + MOUNTED[mounted])

    assert (0, "ok", ["auths"], "not-delegated") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert "is a mount" in outcome["error"]["message"]
    assert ["auths"] == list(stores.client.config())


@pytest.mark.parametrize("mounted", [None, *MOUNTED])
def test_the_helper_store_reports_processes_that_may_not_find_it(stores, mounted):
    stores.put_on_path()
    before = INSTALLED + MOUNTED[mounted] if mounted else ""

    status, outcome = stores.login("helper", before=before)

    assert (0, "ok", ["credHelpers"], "helper-not-everywhere") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    reason = "is a mount" if mounted else f"{NAME} is not in /usr/local/bin or /usr/bin"
    assert reason in outcome["error"]["message"]
    assert {"credHelpers": {stores.registry: OURS}} == stores.client.config()


def test_the_helper_store_has_no_note_if_every_process_finds_it(stores):
    status, outcome = stores.login("helper", before=INSTALLED)

    assert (0, ["credHelpers"], None) == (status, outcome["kept_in"], outcome["code"])


def test_the_helper_store_reports_a_helper_that_does_not_run(stores):
    status, outcome = stores.login("helper", before=INSTALLED + UNABLE["without its Python"][0])

    assert (6, "failed", "helper-failed") == (status, outcome["status"], outcome["code"])
    assert {} == stores.client.config()


def test_a_start_without_our_helper_removes_its_entry(stores):
    """
    It would break every `docker run`, even if the login itself is new.
    """
    stores.login("auto", before=INSTALLED)
    stores.put_on_path()

    done = stores.run("hook", "postStart", "--json")

    assert (["auths"], "not-delegated") == (only(done)["kept_in"], only(done)["code"])
    assert ["auths"] == list(stores.client.config())


def test_a_start_with_our_helper_changes_nothing(stores):
    stores.login("auto", before=INSTALLED)
    before = stores.client.config()

    done = stores.run("hook", "postStart", "--json", before=INSTALLED_AGAIN)

    assert ("unchanged", BOTH) == (only(done)["status"], only(done)["kept_in"])
    assert (False, before) == (document(done)["changed"], stores.client.config())


@pytest.mark.parametrize(
    ("first", "second", "kept_in"),
    [("auto", "helper", ["credHelpers"]), ("helper", "auto", BOTH), ("auto", "auths", ["auths"])],
)
def test_a_start_with_another_store_moves_the_login(stores, first, second, kept_in):
    stores.login(first, before=INSTALLED)

    done = stores.run("hook", "postStart", "--json", "--store", second, before=INSTALLED_AGAIN)

    assert ("ok", kept_in) == (only(done)["status"], only(done)["kept_in"])
    config = stores.client.config()
    assert kept_in == [part for part in BOTH if config.get(part)]


# Docker Hub, by the names that clients have for it.

HUB_KEY = "https://index.docker.io/v1/"
HUB = {
    "MY_CONTAINER_REGISTRY_SERVER": HUB_KEY,
    "MY_CONTAINER_REGISTRY_KIND": "generic",
    "MY_CONTAINER_REGISTRY_USER": "alice",
    "MY_CONTAINER_REGISTRY_PASSWORD": "in wonder:land",
}
DOCKER_PY = """
import docker.auth, sys
found = docker.auth.load_config().resolve_authconfig(sys.argv[1] or None)
print(found and found["Username"])
"""


@pytest.fixture(name="hub")
def _hub(stores):
    """
    A place with a login to Docker Hub in our helper and nowhere else.
    """
    stores.put_on_path()
    done = stores.run("login", "--json", "--store", "helper", "--verify", "never", **HUB)
    assert ["credHelpers"] == only(done)["kept_in"]
    return stores


@pytest.mark.parametrize("name", ["", "docker.io", "index.docker.io", HUB_KEY])
def test_docker_py_finds_the_login_to_docker_hub(hub, name):
    assert "alice\n" == hub.client.python(DOCKER_PY, name).stdout


def test_skopeo_finds_the_login_to_docker_hub(hub):
    assert "alice\n" == hub.client.skopeo("login", "--get-login", "docker.io").stdout


def test_docker_asks_our_helper_for_docker_hub(hub):
    """
    Without an engine and the internet there is only its logout, which has the helper forget it.
    """
    done = hub.client.docker("logout")
    answer = hub.client.run(NAME, "get", stdin=HUB_KEY)

    assert 0 == done.returncode, done.stderr
    assert (1, NOT_FOUND) == (answer.returncode, answer.stdout)


# A cache that cannot be written.

NO_CACHE = {
    "a read-only home": 'mount --bind "$HOME" "$HOME"; mount -o remount,ro,bind "$HOME"',
    "a full disk": (
        'mkdir "$HOME/.cache"; mount -t tmpfs -o size=16k tmpfs "$HOME/.cache";'
        ' dd if=/dev/zero of="$HOME/.cache/filler" bs=1k count=64 2>/dev/null || true'
    ),
}


@pytest.mark.parametrize("trouble", NO_CACHE)
@pytest.mark.parametrize(
    ("store", "expected"),
    [
        ("auto", (0, "ok", ["auths"], "not-delegated")),
        ("auths", (0, "ok", ["auths"], None)),
        ("helper", (6, "failed", [], "not-delegated")),
    ],
)
def test_without_a_cache_nothing_is_delegated_with_one_note(stores, trouble, store, expected):
    elsewhere = os.path.join(stores.folder, "docker")
    options = {"before": INSTALLED + NO_CACHE[trouble], "DOCKER_CONFIG": elsewhere}

    done = stores.run("login", "--json", "--store", store, **options)

    outcome = only(done)
    assert expected == (
        done.returncode,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert ["cache-failed"] == [finding["code"] for finding in document(done)["findings"]]
    assert stores.client.home in document(done)["findings"][0]["message"]
    with_login = os.path.exists(os.path.join(elsewhere, "config.json"))
    assert ("auths" in expected[2]) == with_login


def test_a_login_that_a_full_disk_left_unrecorded_is_not_a_login_by_hand(stores):
    """
    It would stay until its secret changes, and its token would not be renewed.
    """
    cache = '"$HOME/.cache"'
    before = f"""
mkdir {cache}; mount -t tmpfs -o size=16k tmpfs {cache}
PLAYED_TOKEN=first "$@" >/dev/null
dd if=/dev/zero of={cache}/filler bs=1k count=64 2>/dev/null || true
PLAYED_TOKEN=second "$@" >/dev/null
rm {cache}/filler
"""
    login = ("login", "--json", "--store", "auths", "--verify", "never")

    done = stores.run(*login, before=before, PLAYED_TOKEN="third")

    assert "ok" == only(done)["status"]
    kept = stores.client.config()["auths"][stores.registry]["auth"]
    assert b"AWS:third" == base64.b64decode(kept)


@pytest.mark.parametrize("left", [None, -60.0])
def test_a_renewed_credential_is_served_even_if_the_disk_is_full(stores, left):
    """
    Even without an earlier login.
    """
    cache = Cache.locate({"HOME": stores.client.home})
    with cache.lock(Registry(stores.registry), timeout=1.0):
        cache.fingerprint("the key is made")
    if left is not None:
        entry = {"credential": {"Username": "AWS", "Secret": "the-old-one"}}
        cache.write(Registry(stores.registry), {**entry, "expires_at": time.time() + left})
    folder = f'"{cache.path}"'
    full = f"""
cp -a {folder} "$HOME/kept"; mount -t tmpfs -o size=16k,mode=700 tmpfs {folder}
cp -a "$HOME/kept/." {folder}
dd if=/dev/zero of={folder}/filler bs=1k count=64 2>/dev/null || true
"""

    done = stores.run("get", before=full, program=NAME, stdin=stores.registry)

    assert (0, "") == (done.returncode, done.stderr)
    assert "the-new-one" == json.loads(done.stdout)["Secret"]


# Docker's output if our helper cannot answer; and Docker works if it can.

LIFE = 12 * 3600  # seconds
# Without a login; `run` and a classic build in Debian's dockers, 20.10 and 26, and not in 28.
GOES_ON = ("pull", "run", "build")
OLD, NEW = "of-the-cloud", "the-new-one"

# The cause and fix for a failed renewal, in the words of `helping`.
WHY_NOT = {
    "unseen": "cannot renew: its variables are not set here; run devcontainer-registry login "
    "where they are set",
    "down": "the cloud is down; wait for it",
    "refuses": "the cloud said no; give it the right to",
}


class Docker:
    """
    docker, sent to our helper for a *registry* whose logins a cloud gives.
    """

    def __init__(self, client, engine, registry, folder):
        self.registry = registry.registry
        self._client, self._dockers = client, Dockers(client, engine)
        put_our_helper_on_path(client, os.path.join(folder, "helpers"))
        with open(client.config_path, "w", encoding="utf-8") as file:
            json.dump({"credHelpers": {self.registry: "devcontainer-registry"}}, file)
        self._cloud = Helper(folder)

    def run(self, command, *, left, cloud="unseen"):
        """
        Do *command* with an image whose login has so many seconds *left*.
        """
        now = time.time()
        Cache.locate(self._client.environ).write(
            self.registry,
            {
                "credential": {"Username": "AWS", "Secret": OLD},
                "issued_at": now + left - LIFE,
                "expires_at": now + left,
            },
        )
        if cloud != "unseen":
            self._cloud.see_secrets(cloud)
            self._client.environ |= {
                **self._cloud.environ,
                "MY_CONTAINER_REGISTRY_SERVER": self.registry,
                "MY_CONTAINER_REGISTRY_KIND": "played",
            }
        return self._dockers.run(command, f"{self.registry}/demo/hello")


@pytest.fixture(name="registry")
def _registry(engine):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    with LoopbackRegistry({"AWS": OLD}) as registry:
        yield registry


@pytest.fixture(name="docker")
def _docker(client, engine, registry, tmp_path):
    return Docker(client, engine, registry, str(tmp_path))


@pytest.fixture(name="renewed")
def _renewed(client, engine, tmp_path):
    """
    As `docker`, of a registry that accepts `NEW` and nothing else.
    """
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    with LoopbackRegistry({"AWS": NEW}) as registry:
        yield Docker(client, engine, registry, str(tmp_path))


def said_by_us(done):
    """
    The lines that are ours; docker may ask more than once, and each time it is the same.
    """
    lines = done.stderr.splitlines()
    return {line for line in lines if line.startswith("devcontainer-registry")}


# The image has no program, so `run` and `compose up` fail in any case.
@pytest.mark.parametrize(
    ("left", "cloud"),
    [(LIFE, "unseen"), (15 * 60, "unseen"), (15 * 60, "down"), (15 * 60, "refuses")],
)
@pytest.mark.parametrize("command", ["pull", "build"])
def test_docker_gets_a_valid_credential_without_any_message(docker, command, left, cloud):
    done = docker.run(command, left=left, cloud=cloud)

    assert 0 == done.returncode, done.stderr
    assert set() == said_by_us(done)


@pytest.mark.parametrize(
    ("command", "left"),
    [("pull", 15 * 60), ("pull", 50), ("pull", -3600), ("build", 50), ("buildkit", 50)],
)
def test_docker_gets_a_new_credential_if_the_cloud_answers(renewed, command, left):
    done = renewed.run(command, left=left, cloud="up")

    assert 0 == done.returncode, done.stderr
    assert set() == said_by_us(done)


@pytest.mark.parametrize("cloud", WHY_NOT)
@pytest.mark.parametrize("command", ["pull", "run", "build", "buildkit", "compose up"])
def test_docker_shows_the_cause_and_the_fix_for_an_expired_credential(docker, command, cloud):
    done = docker.run(command, left=50, cloud=cloud)

    line = f"the login to {docker.registry} has less than a minute left; {WHY_NOT[cloud]}"
    assert 0 != done.returncode
    assert {f"devcontainer-registry: {line}"} == said_by_us(done), done.stderr
    # Docker also quotes the helper's stdout if it gives up.
    assert command in GOES_ON or f"out: `{line}`" in done.stderr, done.stderr
    assert OLD not in done.stdout + done.stderr


@pytest.mark.parametrize("command", ["pull", "run", "build"])
def test_docker_shows_when_the_login_expired(docker, command):
    done = docker.run(command, left=-3600)

    line = f"the login to {docker.registry} expired 1 h 0 min ago; {WHY_NOT['unseen']}"
    assert 0 != done.returncode
    assert {f"devcontainer-registry: {line}"} == said_by_us(done), done.stderr
