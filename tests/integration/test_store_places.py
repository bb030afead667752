# SPDX-License-Identifier: MIT
"""
Where `--store` keeps an expiring login on real file systems: with our helper in the real
/usr/local/bin or not, with config.json and its folder mounted, with a cache that takes nothing.
"""

from __future__ import annotations

import base64
import json
import os
import time

import pytest
from helping import NAME, NOT_FOUND, PROGRAM, Helper
from runs import document, only

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry

OURS = "devcontainer-registry"
BOTH = ["auths", "credHelpers"]

# A /usr/local/bin for those inside only: what is there already, and our helper as pip installs it.
INSTALLED = f"""
mkdir "$HOME/before" "$HOME/bin"
mount --bind /usr/local/bin "$HOME/before"
for program in "$HOME"/before/*; do ln -s "$program" "$HOME/bin"; done
rm -f "$HOME/bin/{NAME}"
cp {PROGRAM} "$HOME/bin/{NAME}"
mount --bind "$HOME/bin" /usr/local/bin
"""

INSTALLED_AGAIN = f'rmdir "$HOME/before"; rm -r "$HOME/bin"\n{INSTALLED}'

# Asked as whoever has no PATH but the usual, in the place in which the login was.
ASKED = f'printf %s "$SERVER" | env -i HOME="$HOME" PATH=/usr/local/bin:/usr/bin:/bin {NAME} get'

HERS = f'"/usr/local/bin/{NAME}"'
UNABLE = {
    "nowhere": (f"rm {HERS}", f"{NAME} is not in /usr/local/bin or /usr/bin"),
    "its owner's": (f"chmod 744 {HERS}", "can't be run by everybody"),
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


class Place:
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
        Make our helper one that this client finds, and nobody else.
        """
        os.symlink(PROGRAM, os.path.join(self.folder, "our-path", NAME))


@pytest.fixture(name="place")
def _place(client, mounts, tmp_path):
    assert not os.path.exists(f"/usr/bin/{NAME}")
    folder = tmp_path / "place"
    folder.mkdir()
    with LoopbackRegistry({"AWS": "the-new-one"}) as registry:
        yield Place(client, registry, mounts, folder)


def test_auto_delegates_to_a_helper_that_everybody_finds(place):
    answer = os.path.join(place.folder, "answer")

    status, outcome = place.login("auto", before=INSTALLED, after=f"{ASKED} >{answer}")

    assert (0, "ok", BOTH, None) == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert {place.registry: OURS} == place.client.config()["credHelpers"]
    with open(answer, encoding="utf-8") as file:
        assert "the-new-one" == json.load(file)["Secret"]


@pytest.mark.parametrize("unable", UNABLE)
def test_auto_does_not_delegate_to_a_helper_that_not_everybody_can_run(place, unable):
    spoil, reason = UNABLE[unable]

    status, outcome = place.login("auto", before=INSTALLED + spoil)

    assert (0, "ok", ["auths"], "not-delegated") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert reason in outcome["error"]["message"]
    assert ["auths"] == list(place.client.config())


@pytest.mark.parametrize("mounted", MOUNTED)
def test_auto_does_not_delegate_from_what_may_be_the_hosts(place, mounted):
    status, outcome = place.login("auto", before=INSTALLED + MOUNTED[mounted])

    assert (0, "ok", ["auths"], "not-delegated") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert "is a mount" in outcome["error"]["message"]
    assert ["auths"] == list(place.client.config())


@pytest.mark.parametrize("mounted", [None, *MOUNTED])
def test_the_helper_store_says_who_may_not_find_it(place, mounted):
    place.put_on_path()
    before = INSTALLED + MOUNTED[mounted] if mounted else ""

    status, outcome = place.login("helper", before=before)

    assert (0, "ok", ["credHelpers"], "helper-not-everywhere") == (
        status,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    reason = "is a mount" if mounted else f"{NAME} is not in /usr/local/bin or /usr/bin"
    assert reason in outcome["error"]["message"]
    assert {"credHelpers": {place.registry: OURS}} == place.client.config()


def test_the_helper_store_has_nothing_to_say_where_everybody_finds_it(place):
    status, outcome = place.login("helper", before=INSTALLED)

    assert (0, ["credHelpers"], None) == (status, outcome["kept_in"], outcome["code"])


def test_the_helper_store_finds_out_that_the_helper_does_not_run(place):
    status, outcome = place.login("helper", before=INSTALLED + UNABLE["without its Python"][0])

    assert (6, "failed", "helper-failed") == (status, outcome["status"], outcome["code"])
    assert {} == place.client.config()


def test_a_start_without_our_helper_takes_its_entry_away(place):
    """
    It would break every `docker run`; also where the login itself is as fresh as can be.
    """
    place.login("auto", before=INSTALLED)
    place.put_on_path()

    done = place.run("hook", "postStart", "--json")

    assert (["auths"], "not-delegated") == (only(done)["kept_in"], only(done)["code"])
    assert ["auths"] == list(place.client.config())


def test_a_start_with_our_helper_changes_nothing(place):
    place.login("auto", before=INSTALLED)
    before = place.client.config()

    done = place.run("hook", "postStart", "--json", before=INSTALLED_AGAIN)

    assert ("unchanged", BOTH) == (only(done)["status"], only(done)["kept_in"])
    assert (False, before) == (document(done)["changed"], place.client.config())


@pytest.mark.parametrize(
    ("first", "second", "kept_in"),
    [("auto", "helper", ["credHelpers"]), ("helper", "auto", BOTH), ("auto", "auths", ["auths"])],
)
def test_a_start_with_another_store_does_not_find_all_as_it_was(place, first, second, kept_in):
    place.login(first, before=INSTALLED)

    done = place.run("hook", "postStart", "--json", "--store", second, before=INSTALLED_AGAIN)

    assert ("ok", kept_in) == (only(done)["status"], only(done)["kept_in"])
    config = place.client.config()
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
def _hub(place):
    """
    A place with a login to Docker Hub in our helper and nowhere else.
    """
    place.put_on_path()
    done = place.run("login", "--json", "--store", "helper", "--verify", "never", **HUB)
    assert ["credHelpers"] == only(done)["kept_in"]
    return place


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


# A cache that takes nothing.

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
def test_without_a_cache_nothing_is_delegated_and_that_is_said_once(
    place, trouble, store, expected
):
    elsewhere = os.path.join(place.folder, "docker")
    options = {"before": INSTALLED + NO_CACHE[trouble], "DOCKER_CONFIG": elsewhere}

    done = place.run("login", "--json", "--store", store, **options)

    outcome = only(done)
    assert expected == (
        done.returncode,
        outcome["status"],
        outcome["kept_in"],
        outcome["code"],
    )
    assert ["cache-failed"] == [finding["code"] for finding in document(done)["findings"]]
    assert place.client.home in document(done)["findings"][0]["message"]
    with_login = os.path.exists(os.path.join(elsewhere, "config.json"))
    assert ("auths" in expected[2]) == with_login


def test_what_a_full_disk_left_unnoted_is_not_taken_for_a_login_by_hand(place):
    """
    It would stay until its secret changes, and its token would be renewed by nobody.
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

    done = place.run(*login, before=before, PLAYED_TOKEN="third")

    assert "ok" == only(done)["status"]
    kept = place.client.config()["auths"][place.registry]["auth"]
    assert b"AWS:third" == base64.b64decode(kept)


@pytest.mark.parametrize("left", [None, -60.0])
def test_what_is_renewed_is_served_also_where_the_disk_takes_nothing(place, left):
    """
    Also where nothing was kept yet.
    """
    cache = Cache.locate({"HOME": place.client.home})
    with cache.lock(Registry(place.registry), timeout=1.0):
        cache.fingerprint("the key is made")
    if left is not None:
        entry = {"credential": {"Username": "AWS", "Secret": "the-old-one"}}
        cache.write(Registry(place.registry), {**entry, "expires_at": time.time() + left})
    folder = f'"{cache.path}"'
    full = f"""
cp -a {folder} "$HOME/kept"; mount -t tmpfs -o size=16k,mode=700 tmpfs {folder}
cp -a "$HOME/kept/." {folder}
dd if=/dev/zero of={folder}/filler bs=1k count=64 2>/dev/null || true
"""

    done = place.run("get", before=full, program=NAME, stdin=place.registry)

    assert (0, "") == (done.returncode, done.stderr)
    assert "the-new-one" == json.loads(done.stdout)["Secret"]
