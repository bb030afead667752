# SPDX-License-Identifier: MIT
"""
Where `--store` saves a login: the whole table, and the conditions that change it.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from doubles.homes import GOOD, HERE, Home, Told, a_secret, a_set, encoded
from doubles.patience import LONG
from doubles.servers import Fine

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.cache.memory import Memory
from devcontainer_registry.causes.config import LOCK_HELD
from devcontainer_registry.config.delegation import Delegation
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import ConfigChangedError, ConfigError
from devcontainer_registry.logins import keeping
from devcontainer_registry.logins.decision import Policy, foreseen
from devcontainer_registry.logins.keeping import Accepted, amend, keep
from devcontainer_registry.logins.logout import logout
from devcontainer_registry.observer import ignore
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import LoginReport, Outcome

NAME = "docker-credential-devcontainer-registry"
OURS = "devcontainer-registry"
SENT = {"Username": "bob", "Secret": "s3cret-s3cret"}
ENTRY = {"auth": encoded("bob:s3cret-s3cret")}
WORKING = f"#!/bin/sh\necho '{NAME} (devcontainer-registry) v1'\n"
HUB = "https://index.docker.io/v1/"

BOTH = {"auths", "credHelpers"}
HIDDEN = "hidden-by-credsstore"

# --store, whether every process finds our helper, what needs one -> where it is saved, the message.
TABLE = {
    ("auto", True, "nothing"): ({"auths"}, None),
    ("auto", True, "an expiry"): (BOTH, None),
    ("auto", True, "a credsStore"): (BOTH, None),
    ("auto", False, "nothing"): ({"auths"}, None),
    ("auto", False, "an expiry"): ({"auths"}, "not-delegated"),
    ("auto", False, "a credsStore"): ({"auths"}, HIDDEN),
    ("auths", True, "nothing"): ({"auths"}, None),
    ("auths", True, "an expiry"): ({"auths"}, None),
    ("auths", True, "a credsStore"): ({"auths"}, HIDDEN),
    ("auths", False, "nothing"): ({"auths"}, None),
    ("auths", False, "an expiry"): ({"auths"}, None),
    ("auths", False, "a credsStore"): ({"auths"}, HIDDEN),
    ("helper", True, "nothing"): ({"credHelpers"}, None),
    ("helper", True, "an expiry"): ({"credHelpers"}, None),
    ("helper", True, "a credsStore"): ({"credHelpers"}, None),
    ("helper", False, "nothing"): ({"credHelpers"}, "helper-not-everywhere"),
    ("helper", False, "an expiry"): ({"credHelpers"}, "helper-not-everywhere"),
    ("helper", False, "a credsStore"): ({"credHelpers"}, "helper-not-everywhere"),
}

# Why a process may not find our helper -> the message.
OBSTACLES = {
    "it is nowhere": f"{NAME} is not in ",
    "it is its owner's": "other users cannot run ",
    "its owner alone may read it": "other users cannot run ",
    "it fails": "does not run if PATH is only ",
    "it is another program": "does not run if PATH is only ",
    "it can't be started": "does not run if PATH is only ",
    "it needs more of PATH": "does not run if PATH is only ",
    "the file is a mount": "is a mount",
    "the folder is a mount": "is a mount",
    "the file's target is a mount": "is a mount",
    "the target's folder is a mount": "is a mount",
}
# The file at our helper's path in that case, and its mode.
_PROGRAMS = {
    "it is its owner's": (WORKING, 0o744),
    "its owner alone may read it": (WORKING, 0o711),
    "it fails": (f"{WORKING}exit 1\n", 0o755),
    "it is another program": ("#!/bin/sh\necho something else\n", 0o755),
    "it can't be started": ("#!/nonexistent/no python\n", 0o755),
    "it needs more of PATH": (f"#!/bin/sh\n{NAME}-of-path\n", 0o755),
}
CASES = [
    pytest.param(*row, why, id=", ".join((row[0], why or "all find it", row[2])))
    for row in TABLE
    for why in ([None] if row[1] else OBSTACLES)
]


class Machine:
    """
    A home, a folder that stands for those on everybody's PATH, another on ours, and mounts.
    """

    def __init__(self, folder):
        self.home = Home(folder / "home")
        self.docker = os.path.dirname(self.home.config)
        self.everywhere = str(folder / "everywhere")
        self.bin = str(folder / "bin")
        self.mounts = str(folder / "mountinfo")
        os.makedirs(self.docker)
        os.mkdir(self.everywhere)
        os.mkdir(self.bin)
        self.environ = {**self.home.environ, "PATH": f"{self.bin}:/usr/bin:/bin"}
        self.cache = Cache.locate(self.environ)
        self.put(WORKING, self.bin)
        self.put(WORKING, self.everywhere)
        self.mount("/proc")

    def put(self, script, folder, name=NAME, *, mode=0o755):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(path, mode)

    def mount(self, *points):
        with open(self.mounts, "w", encoding="utf-8") as file:
            file.writelines(f"36 35 98:0 / {point} rw - ext4 /dev/root rw\n" for point in points)

    def hinder(self, why):
        """
        Make *why*, one of `OBSTACLES`, true.
        """
        if why in _PROGRAMS:
            script, mode = _PROGRAMS[why]
            self.put(script, self.everywhere, mode=mode)
            self.put(WORKING, self.bin, f"{NAME}-of-path")
        elif why == "it is nowhere":
            os.unlink(os.path.join(self.everywhere, NAME))
        elif why == "the file is a mount":
            self.mount("/proc", self.home.config)
        elif why == "the folder is a mount":
            self.mount("/proc", self.docker)
        elif why is not None:
            target = os.path.join(self.home.path, "dotfiles", "docker.json")
            os.makedirs(os.path.dirname(target))
            if os.path.exists(self.home.config):
                os.rename(self.home.config, target)
            os.symlink(target, self.home.config)
            self.mount(target if why == "the file's target is a mount" else os.path.dirname(target))

    def delegation(self, **options):
        options = {"places": [self.everywhere], "mounts": self.mounts, **options}
        return Delegation(self.home.config, environ=self.environ, **options)

    def keep(self, store, *, registry=HERE, expiring=False, **news):
        """
        Keep what *news* says of it: `password`, `status`, `code`, `implicit`.
        """
        status, implicit = news.get("status", "ok"), news.get("implicit", False)
        secret = a_secret("MY", registry, implicit=implicit)
        now = time.time()
        life = {"issued_at": now, "expires_at": now + 3600} if expiring else {}
        password = Secret(news.get("password", "s3cret-s3cret"))
        credential = Credential(username="bob", secret=password, **life)
        outcome = Outcome(
            id="MY",
            registry=secret.registry,
            source=secret.source,
            kind="generic",
            status=status,
            verified=status == "ok",
            code=news.get("code"),
            implicit=implicit,
        )
        kept = keep(
            [Accepted(secret=secret, credential=credential, outcome=outcome)],
            config=self.home.docker,
            memory=Memory(self.cache, self.home.config),
            policy=Policy(delegation=self.delegation(), store=store),
            deadline=time.monotonic() + 30,
            observe=ignore,
        )
        (self.last,) = kept.outcomes
        self.exit_status = LoginReport(
            config="", changed=kept.changed, outcomes=(self.last,), error=kept.error
        ).exit_status
        return self.last

    @property
    def config(self):
        return json.loads(self.home.text)

    def served(self, registry=HERE):
        """
        What our helper has for *registry*.
        """
        return (self.cache.read(Registry(registry)) or {}).get("credential")


@pytest.fixture(name="machine")
def _machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize(("store", "found", "need", "why"), CASES)
def test_each_store_saves_a_login_in_its_place(machine, store, found, need, why):
    kept_in, code = TABLE[store, found, need]
    before = {"credsStore": "other"} if need == "a credsStore" else {}
    machine.home.write(before)
    machine.hinder(why)

    outcome = machine.keep(store, expiring=need == "an expiry")

    assert ("ok", kept_in, code) == (outcome.status, outcome.kept_in, outcome.code)
    assert (6 if code == HIDDEN else 0) == machine.exit_status
    parts = {"auths": {HERE: ENTRY}, "credHelpers": {HERE: OURS}}
    assert {**before, **{part: parts[part] for part in kept_in}} == machine.config
    assert (SENT if "credHelpers" in kept_in else None) == machine.served()


@pytest.mark.parametrize("why", OBSTACLES)
@pytest.mark.parametrize(
    ("store", "need"),
    [("auto", "an expiry"), ("auto", "a credsStore"), ("helper", "nothing")],
)
def test_a_store_that_cannot_be_used_names_the_failed_condition(machine, store, need, why):
    machine.home.write({"credsStore": "other"} if need == "a credsStore" else {})
    machine.hinder(why)

    outcome = machine.keep(store, expiring=need == "an expiry")

    assert OBSTACLES[why] in outcome.error.message
    assert outcome.error.hint


@pytest.mark.parametrize("store", ["auto", "auths", "helper"])
def test_an_image_that_cannot_be_pulled_is_reported_with_every_store(machine, store):
    machine.hinder("it is nowhere")

    denied = machine.keep(store, expiring=True, code="pull-denied")

    assert ("pull-denied", 4) == (denied.code, machine.exit_status)


# Switching.

BYSTANDERS = {
    "HttpHeaders": {"X-Meta": "a"},
    "auths": {"other.example": {"auth": encoded("a:b"), "email": "e"}, "third.example": {}},
    "credHelpers": {"third.example": "third", "fourth.example": ""},
}
ADDED = {
    "auto": {"auths": {HERE: ENTRY}, "credHelpers": {HERE: OURS}},
    "auths": {"auths": {HERE: ENTRY}, "credHelpers": {}},
    "helper": {"auths": {}, "credHelpers": {HERE: OURS}},
}


@pytest.mark.parametrize("first", ADDED)
@pytest.mark.parametrize("second", ADDED)
def test_a_switch_of_stores_leaves_one_login_and_logout_none(machine, first, second):
    machine.home.write(BYSTANDERS)
    machine.keep(first, expiring=True)

    outcome = machine.keep(second, expiring=True)
    config = machine.config
    logged_out = logout([HERE], environ=machine.environ)

    added = ADDED[second]
    assert {part for part in added if added[part]} == outcome.kept_in
    assert {**BYSTANDERS, **{p: {**BYSTANDERS[p], **added[p]} for p in added}} == config
    assert (["ok"], None) == ([o.status for o in logged_out.outcomes], logged_out.error)
    assert BYSTANDERS == machine.config
    assert None is machine.cache.read(HERE)


def test_logout_keeps_an_equal_entry_that_another_program_wrote(machine):
    machine.keep("helper")
    machine.home.write({**machine.config, "auths": {HERE: ENTRY}})

    logout([HERE], environ=machine.environ)

    assert {"auths": {HERE: ENTRY}} == machine.config


def test_auto_removes_its_helper_when_it_is_no_longer_needed(machine):
    machine.home.write({"credsStore": "other"})
    machine.keep("auto")
    assert BOTH == machine.last.kept_in
    machine.home.write({**machine.config, "credsStore": ""})

    machine.keep("auto")

    assert ({"auths"}, None) == (machine.last.kept_in, machine.last.code)
    assert None is machine.served()


def test_auto_keeps_its_helper_while_the_store_is_there(machine):
    machine.home.write({"credsStore": "other"})
    machine.keep("auto")

    machine.keep("auto")

    assert (BOTH, None) == (machine.last.kept_in, machine.last.code)


@pytest.mark.parametrize("why", OBSTACLES)
def test_auto_removes_its_helper_if_not_every_process_finds_it(machine, why):
    machine.keep("auto", expiring=True)
    machine.hinder(why)

    machine.keep("auto", expiring=True)

    assert {"auths": {HERE: ENTRY}} == machine.config
    assert "not-delegated" == machine.last.code
    assert None is machine.served()


# Unverified and implicit logins.


@pytest.mark.parametrize("first", ADDED)
@pytest.mark.parametrize("second", ADDED)
def test_an_unverified_login_replaces_no_other_login(machine, first, second):
    machine.keep(first, expiring=True)
    config, served = machine.config, machine.served()

    other = machine.keep(second, status="unverified", password="an0ther")
    other_code = machine.last.code
    same = machine.keep(second, status="unverified")

    assert (config, served) == (machine.config, machine.served())
    assert ("unverified", set(), None) == (other.status, other.kept_in, other_code)
    added = ADDED[first]
    assert {part for part in added if added[part]} == same.kept_in


@pytest.mark.parametrize("store", ADDED)
def test_an_unverified_login_is_saved_if_there_is_no_other(machine, store):
    machine.home.write(BYSTANDERS)

    outcome = machine.keep(store, status="unverified", expiring=True)

    added = ADDED[store]
    assert "unverified" == outcome.status
    assert {part for part in added if added[part]} == outcome.kept_in
    assert {**BYSTANDERS, **{p: {**BYSTANDERS[p], **added[p]} for p in added}} == machine.config


@pytest.mark.parametrize("first", ADDED)
@pytest.mark.parametrize("second", ADDED)
def test_an_implicit_login_replaces_our_own_login(machine, first, second):
    machine.keep(first, expiring=True)

    outcome = machine.keep(second, expiring=True, implicit=True, password="an0ther")

    assert "ok" == outcome.status
    entry = {"auth": encoded("bob:an0ther")}
    expected = {"auths": entry, "credHelpers": OURS}
    assert {part: expected[part] for part in ("auths", "credHelpers") if ADDED[second][part]} == {
        part: known[HERE] for part, known in machine.config.items() if HERE in known
    }


@pytest.mark.parametrize("store", ADDED)
@pytest.mark.parametrize("implicit", [False, True])
def test_a_login_is_saved_if_there_is_none_yet(machine, store, implicit):
    outcome = machine.keep(store, expiring=True, implicit=implicit)

    added = ADDED[store]
    assert "ok" == outcome.status
    assert {part: entry for part, entry in added.items() if entry} == machine.config


@pytest.mark.parametrize("store", ADDED)
def test_a_set_replaces_an_earlier_login_by_hand(machine, store):
    """
    As `docker login` would.
    """
    machine.home.write({"auths": {HERE: {"auth": encoded("by:hand")}}})

    outcome = machine.keep(store, expiring=True)

    assert "ok" == outcome.status
    assert ADDED[store]["auths"] == machine.config["auths"]


@pytest.mark.parametrize("first", ["auto", "helper"])
@pytest.mark.parametrize("second", ADDED)
def test_an_implicit_login_keeps_another_login_beside_our_helper(machine, first, second):
    machine.keep(first, expiring=True)
    theirs = {"auths": {HERE: {"auth": encoded("by:hand")}}, "credHelpers": {HERE: OURS}}
    machine.home.write(theirs)

    outcome = machine.keep(second, expiring=True, implicit=True)

    assert ("skipped", "not-ours") == (outcome.status, outcome.code)
    assert theirs == machine.config


@pytest.mark.parametrize("store", ADDED)
@pytest.mark.parametrize(("registry", "set_id"), [(HERE, "MY"), ("ghcr.io", "GHCR")])
def test_an_implicit_login_keeps_a_login_that_is_not_ours(machine, store, registry, set_id):
    theirs = {"auths": {registry: {"auth": encoded("by:hand")}}}
    machine.home.write(theirs)

    outcome = machine.keep(store, registry=registry, expiring=True, implicit=True)

    assert ("skipped", "not-ours", 0) == (outcome.status, outcome.code, machine.exit_status)
    assert (theirs, None) == (machine.config, machine.served(registry))
    assert f"set {set_id}_CONTAINER_REGISTRY_SERVER" in outcome.error.hint


# Other helpers and stores.


@pytest.mark.parametrize("store", ["auto", "auths", "helper"])
@pytest.mark.parametrize(
    ("registry", "key"),
    [
        (HERE, HERE),
        ("docker.io", HUB),
        ("docker.io", "docker.io"),
        ("docker.io", "index.docker.io"),
    ],
)
def test_another_helper_is_kept_and_nothing_is_written(machine, store, registry, key):
    theirs = {"credHelpers": {key: "pass"}, "auths": {registry: {"auth": encoded("a:b")}}}
    machine.home.write(theirs)
    machine.put(WORKING, machine.bin, "docker-credential-pass")

    outcome = machine.keep(store, registry=registry, expiring=True)

    assert ("skipped", "other-helper", 0) == (outcome.status, outcome.code, machine.exit_status)
    assert "docker-credential-pass" in outcome.error.message
    assert "credHelpers" in outcome.error.hint
    assert theirs == machine.config
    assert None is machine.cache.read(Registry(registry))


def test_an_empty_helper_entry_is_respected_and_kept(machine):
    theirs = {"credsStore": "other", "credHelpers": {HERE: ""}}
    machine.home.write(theirs)

    auto = machine.keep("auto", expiring=True)
    static = machine.keep("auto")
    auths = machine.keep("auths", expiring=True)

    assert ({"auths"}, "not-delegated") == (auto.kept_in, auto.code)
    assert "credHelpers entry is empty" in auto.error.message
    assert [None, None] == [static.code, auths.code]
    assert {**theirs, "auths": {HERE: ENTRY}} == machine.config


@pytest.mark.parametrize("key", [HUB, "docker.io", "index.docker.io"])
def test_an_empty_helper_entry_is_kept_with_the_helper_store(machine, key):
    theirs = {"credHelpers": {key: ""}}
    machine.home.write(theirs)

    outcome = machine.keep("helper", registry="docker.io")

    assert ("failed", "not-delegated", 6) == (outcome.status, outcome.code, machine.exit_status)
    assert "credHelpers entry is empty" in outcome.error.message
    assert theirs == machine.config
    # Nor is a secret saved that is never used.
    assert None is machine.cache.read(Registry("docker.io"))


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        ("gone", "docker-credential-gone instead, which is not on PATH", "--store helper"),
        ("there", "docker-credential-there instead", "--store helper"),
        (
            "dev-containers-1a2b",
            "-1a2b instead, which is not on PATH",
            "dev.containers.dockerCredential",
        ),
    ],
)
def test_a_store_with_a_missing_program_is_distinguished_from_an_installed_one(
    machine, name, message, hint
):
    machine.home.write({"credsStore": name})
    machine.put("#!/bin/sh\nexit 1\n", machine.bin, "docker-credential-there")

    outcome = machine.keep("auths")

    assert (HIDDEN, 6) == (outcome.code, machine.exit_status)
    assert message in outcome.error.message
    assert hint in outcome.error.hint
    assert "remove credsStore" in outcome.error.hint
    # Our helper was not requested.
    assert "our helper" not in outcome.error.message


@pytest.mark.parametrize(
    ("config", "store", "codes"),
    [
        ({"credsStore": "gone"}, "helper", ["helper-missing"]),
        ({"credsStore": "gone", "credHelpers": {HERE: ""}}, "auths", ["helper-missing"]),
        ({"credsStore": "gone", "credHelpers": {HERE: "pass"}}, "auto", ["helper-missing"]),
        ({"credsStore": "there"}, "helper", []),
        ({"credsStore": ""}, "helper", []),
        # The outcome itself has reported it.
        ({"credsStore": "gone"}, "auths", []),
    ],
)
def test_a_store_with_a_missing_program_is_reported_even_if_it_hides_nothing(
    machine, config, store, codes
):
    machine.home.write(config)
    machine.put("#!/bin/sh\nexit 1\n", machine.bin, "docker-credential-there")

    report = machine.home.login(
        [a_secret()], sets={"PATH": machine.environ["PATH"]}, store=store, verify="never"
    )

    assert codes == [finding.code for finding in report.findings]
    assert all("docker-credential-gone" in finding.message for finding in report.findings)


@pytest.mark.parametrize(("store", "told"), [("gone", False), ("dev-containers-1a2b", True)])
def test_a_missing_vs_code_store_is_reported_with_its_setting(machine, store, told):
    machine.home.write({"credsStore": store})

    report = machine.home.login(
        [a_secret()], sets={"PATH": machine.environ["PATH"]}, store="helper", verify="never"
    )

    (finding,) = report.findings
    assert told == ("dev.containers.dockerCredentialHelper" in finding.hint)
    assert told != ("install" in finding.hint)


# Registries of their own kind.

SPELLINGS = [HUB, "docker.io", "index.docker.io"]


def test_docker_hub_is_delegated_under_every_spelling_and_saved_under_dockers_key(machine):
    machine.keep("auto", registry="docker.io", expiring=True)
    both = machine.config
    machine.keep("helper", registry="docker.io", expiring=True)
    helper = machine.config
    machine.keep("auths", registry="docker.io", expiring=True)

    names = dict.fromkeys(SPELLINGS, OURS)
    assert {"auths": {HUB: ENTRY}, "credHelpers": names} == both
    assert {"auths": {}, "credHelpers": names} == helper
    assert {"auths": {HUB: ENTRY}} == machine.config


@pytest.mark.parametrize("missing", SPELLINGS)
def test_a_removed_spelling_of_docker_hub_is_added_again(machine, missing):
    machine.keep("auto", registry="docker.io", expiring=True)
    left = {key: OURS for key in SPELLINGS if key != missing}
    machine.home.write({**machine.config, "credHelpers": left})

    machine.keep("auto", registry="docker.io", expiring=True)

    assert dict.fromkeys(SPELLINGS, OURS) == machine.config["credHelpers"]


@pytest.mark.parametrize("host", ["public.ecr.aws", "ecr-public.aws.com"])
def test_ecr_public_is_never_delegated_by_auto(machine, host):
    """
    Expired there means anonymous pulls, which work.
    """
    plain = machine.keep("auto", registry=host, expiring=True)
    config = machine.config
    machine.home.write({**config, "credsStore": "other"})
    hidden = machine.keep("auto", registry=host, expiring=True)

    assert ({"auths"}, None) == (plain.kept_in, plain.code)
    assert {"auths": {host: ENTRY}} == config
    assert ({"auths"}, HIDDEN) == (hidden.kept_in, hidden.code)
    assert "anonymous" in hidden.error.message


def test_ecr_public_is_delegated_by_the_helper_store(machine):
    outcome = machine.keep("helper", registry="public.ecr.aws", expiring=True)

    assert ({"credHelpers"}, None) == (outcome.kept_in, outcome.code)


def test_auto_removes_a_helper_from_ecr_public(machine):
    machine.keep("helper", registry="public.ecr.aws", expiring=True)

    machine.keep("auto", registry="public.ecr.aws", expiring=True)

    assert {"auths": {"public.ecr.aws": ENTRY}} == machine.config


# Entries that make Docker ignore others.


@pytest.mark.parametrize(
    ("auths", "store", "codes"),
    [
        ({"other.example": {"auth": "!"}}, "auths", ["login-unreadable"]),
        ({"other.example": {"auth": "!"}}, "auto", ["login-unreadable"]),
        # Docker asks our helper, whatever the entry is.
        ({"other.example": {"auth": "!"}}, "helper", []),
        # It is replaced.
        ({HERE: {"auth": "!"}}, "auths", []),
        ({"other.example": {}}, "auths", []),
    ],
)
def test_an_entry_that_makes_docker_ignore_others_is_reported(machine, auths, store, codes):
    machine.home.write({"auths": auths})

    report = machine.home.login(
        [a_secret()], sets={"PATH": machine.environ["PATH"]}, store=store, verify="never"
    )

    assert codes == [finding.code for finding in report.findings]


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("https://other.example/v1/", "cannot read the entry for other.example in /"),
        ("https://bob:s3cret@other.example/", "cannot read an entry in /"),
    ],
)
def test_a_malformed_entry_is_named_by_its_host_only(machine, key, named):
    machine.home.write({"auths": {key: {"auth": "!"}}})

    report = machine.home.login([a_secret()], store="auths", verify="never")

    (finding,) = report.findings
    assert named in finding.message
    assert "s3cret" not in f"{finding}"


# The helper store, and our own PATH.


@pytest.mark.parametrize("path", ["", "/nonexistent", "{bin}/none:bin"])
def test_the_helper_store_needs_the_helper_on_path(machine, monkeypatch, path):
    monkeypatch.chdir(os.path.dirname(machine.bin))  # where the relative `bin` is
    machine.environ["PATH"] = path.format(bin=machine.bin)

    outcome = machine.keep("helper")

    assert ("failed", "helper-missing", 6) == (outcome.status, outcome.code, machine.exit_status)
    assert NAME in outcome.error.message
    assert not os.path.exists(machine.home.config)
    assert None is machine.served()


@pytest.mark.parametrize(
    "script",
    [
        # As in a virtual environment whose path contains a space.
        "#!/nonexistent/with a blank/bin/python\n",
        "#!/bin/sh\nexit 1\n",
        f"{WORKING}exit 1\n",
        "#!/bin/sh\necho something else\n",
    ],
)
def test_a_helper_on_path_that_does_not_run_is_not_used(machine, script):
    machine.put(script, machine.bin)

    outcome = machine.keep("helper")

    assert ("failed", "helper-failed", 6) == (outcome.status, outcome.code, machine.exit_status)
    assert f"{machine.bin}/{NAME} does not run" == outcome.error.message
    assert f"run {NAME} version" in outcome.error.hint
    assert not os.path.exists(machine.home.config)
    assert None is machine.served()


def test_the_version_check_passes_no_secret_to_a_helper(machine):
    machine.put(f"#!/bin/sh\nenv > {machine.bin}/env\n{WORKING}", machine.bin)
    machine.environ |= {
        **a_set("MY", HERE),
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "GITHUB_TOKEN": "s3cret",
        "DOCKER_AUTH_CONFIG": "s3cret",
        "LANG": "C.UTF-8",
    }

    machine.keep("helper")

    with open(os.path.join(machine.bin, "env"), encoding="utf-8") as file:
        given = file.read()
    assert "s3cret" not in given
    assert "LANG=C.UTF-8\n" in given


def test_a_helper_that_hangs_is_not_used(machine):
    for folder in (machine.bin, machine.everywhere):
        machine.put("#!/bin/sh\nexec /bin/sleep 60\n", folder)

    for given in ({"answer_within": 0.1}, {"give_up": time.monotonic()}):
        delegation = machine.delegation(**given)

        assert "helper-failed" == delegation.trouble.code
        assert delegation.trouble.message.endswith(f"{NAME} did not answer within 0.1 s")
        assert "does not answer within 0.1 s if PATH is only " in delegation.refusal


def test_a_run_checks_the_helper_once_for_all_registries(machine):
    log = os.path.join(machine.home.path, "log")
    for folder in (machine.bin, machine.everywhere):
        machine.put(f"{WORKING}echo asked >>{log}\n", folder)
    delegation = machine.delegation()

    seen = [(delegation.trouble, delegation.refusal) for _ in range(3)]

    assert [(None, None)] * 3 == seen
    with open(log, encoding="utf-8") as file:
        assert 2 == len(file.readlines())


def test_without_a_list_of_mounts_the_folders_device_decides(machine):
    here = machine.delegation(mounts="/nonexistent")
    proc = Delegation("/proc/config.json", places=[machine.everywhere], mounts="/nonexistent")

    assert None is here.refusal
    assert "is a mount" in proc.refusal


def test_a_mounted_folder_is_found_through_symlinks(machine):
    volume, dotfiles = (os.path.join(machine.home.path, name) for name in ("volume", "dotfiles"))
    os.mkdir(volume)
    os.mkdir(dotfiles)
    os.symlink(os.path.join(dotfiles, "docker.json"), os.path.join(volume, "config.json"))
    os.rmdir(machine.docker)
    os.symlink(volume, machine.docker)
    machine.mount(volume)

    machine.keep("auto", expiring=True)

    assert ("not-delegated", {"auths": {HERE: ENTRY}}) == (machine.last.code, machine.config)


def test_a_mount_with_special_characters_in_its_path_is_found(machine):
    folder = os.path.join(machine.home.path, "a b\tc\nd\\e")
    machine.mount(
        folder.replace("\\", r"\134")
        .replace(" ", r"\040")
        .replace("\t", r"\011")
        .replace("\n", r"\012")
    )

    delegation = Delegation(
        os.path.join(folder, "config.json"), places=[machine.everywhere], mounts=machine.mounts
    )

    assert "is a mount" in delegation.refusal


@pytest.mark.parametrize("first", ["fails", "is in a relative folder"])
def test_the_first_helper_on_path_is_used_as_by_docker(machine, monkeypatch, first):
    folder = os.path.join(os.path.dirname(machine.bin), "first")
    os.mkdir(folder)
    machine.put("#!/bin/sh\nexit 1\n", folder)
    monkeypatch.chdir(os.path.dirname(folder))
    name = folder if first == "fails" else "first"
    machine.environ["PATH"] = f"{name}:{machine.environ['PATH']}"

    outcome = machine.keep("helper")

    assert "failed" == outcome.status


def test_a_folder_or_text_file_named_like_the_helper_is_skipped(machine):
    one, two = (os.path.join(os.path.dirname(machine.bin), name) for name in ("one", "two"))
    os.makedirs(os.path.join(one, NAME))
    os.mkdir(two)
    machine.put("text", two, mode=0o644)
    machine.environ["PATH"] = f"{one}:{two}:{machine.environ['PATH']}"

    outcome = machine.keep("helper")

    assert ("ok", None) == (outcome.status, outcome.code)


# A cache that cannot be written.


@pytest.mark.parametrize(
    ("store", "expected", "config"),
    [
        ("auto", ("ok", "not-delegated", 0), {"auths": {HERE: ENTRY}}),
        ("auths", ("ok", None, 0), {"auths": {HERE: ENTRY}}),
        ("helper", ("failed", "not-delegated", 6), {}),
    ],
)
def test_without_a_cache_nothing_is_delegated(machine, store, expected, config):
    file = os.path.join(machine.home.path, "a-file")
    with open(file, "w", encoding="utf-8"):
        machine.home.write({})
    machine.cache = Cache(os.path.join(file, "cache"))

    outcome = machine.keep(store, expiring=True)

    assert expected == (outcome.status, outcome.code, machine.exit_status)
    assert config == machine.config
    reason = outcome.error and outcome.error.message.partition(": ")[2]
    assert (expected[1] and "the cache cannot be written") == reason


# A run that needs no request.


def test_a_login_from_another_store_is_not_called_unchanged(machine):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        options = {
            "environ": {**machine.environ, **a_set("MY", registry.registry)},
            "verify": "changed",
        }
        seen = []
        for store in ("auths", "helper", "helper", "auto", "auto", "helper", "auths", "auths"):
            report = machine.home.login(store=store, **_given(options))
            (outcome,) = report.outcomes
            seen.append((store, outcome.status, sorted(outcome.kept_in)))

    assert [
        ("auths", "ok", ["auths"]),
        ("helper", "ok", ["credHelpers"]),
        ("helper", "unchanged", ["credHelpers"]),
        ("auto", "ok", ["auths"]),
        ("auto", "unchanged", ["auths"]),
        ("helper", "ok", ["credHelpers"]),
        ("auths", "ok", ["auths"]),
        ("auths", "unchanged", ["auths"]),
    ] == seen


@pytest.mark.parametrize("key", ["{}", "https://{}/v1/"])
def test_another_programs_entry_beside_our_helper_is_kept_at_each_start(machine, key):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        options = {
            "environ": {**machine.environ, **a_set("MY", registry.registry)},
            "verify": "changed",
        }
        machine.home.login(store="helper", **_given(options))
        theirs = {key.format(registry.registry): {"auth": encoded("by:hand")}}
        machine.home.write({**machine.config, "auths": theirs})
        before, asked = machine.home.text, registry.asked
        report = machine.home.login(store="helper", **_given(options))

    assert "unchanged" == report.outcomes[0].status
    assert (before, asked) == (machine.home.text, registry.asked)


@pytest.mark.parametrize("store", ["helper", "auto"])
def test_a_helper_that_no_longer_runs_is_not_called_unchanged(machine, store):
    with Fine({"bob": "s3cret-s3cret"}) as registry:
        options = {
            "environ": {**machine.environ, **a_set("MY", registry.registry)},
            "verify": "changed",
        }
        machine.home.login(store="helper", **_given(options))
        machine.put("#!/nonexistent/gone/bin/python\n", machine.bin)
        report = machine.home.login(store=store, **_given(options))

    (outcome,) = report.outcomes
    expected = {"helper": ("failed", "helper-failed"), "auto": ("ok", None)}
    assert expected[store] == (outcome.status, outcome.code)


# A dry run.


def foretold(machine, store, *, registry=HERE, **options):
    outcome = Outcome(id="MY", registry=Registry(registry), source="", kind=None, status="found")
    policy = Policy(delegation=machine.delegation(**options), store=store)
    return foreseen(outcome, machine.home.docker.read(), policy=policy)


@pytest.mark.parametrize(
    ("store", "found", "need"),
    [row for row in TABLE if row[2] != "an expiry"],  # of a login that is not there yet
)
def test_a_dry_run_says_where_a_login_would_be_saved(machine, store, found, need):
    machine.home.write({"credsStore": "other"} if need == "a credsStore" else {})
    machine.hinder(None if found else "it is nowhere")

    before = foretold(machine, store)

    assert ("found", machine.keep(store).kept_in) == (before.status, before.kept_in)


@pytest.mark.parametrize("config", [{"credHelpers": {HERE: ""}}, {}])
def test_a_dry_run_knows_which_logins_need_no_helper(machine, config):
    machine.home.write({"credsStore": "other", **config})

    registry = HERE if config else "public.ecr.aws"

    assert {"auths"} == foretold(machine, "auto", registry=registry).kept_in


def test_a_dry_run_says_that_the_helper_is_missing(machine):
    machine.home.write({})
    machine.environ["PATH"] = "/nonexistent"

    outcome = foretold(machine, "helper")

    assert ("failed", "helper-missing", set()) == (outcome.status, outcome.code, outcome.kept_in)


def _given(options):
    return {"sets": options["environ"], "verify": options["verify"]}


# Saving accepted logins in config.json, and starting over if another program wrote first.


class Overtaken:
    """
    A config.json that another program writes first, *times* times.
    """

    path = "/nowhere/config.json"

    def __init__(self, config, times):
        self._config, self._times, self.edits = config, times, 0

    def edit(self, change, *, timeout, observe):
        self.edits += 1
        if self.edits <= self._times:
            change(self._config.read())
            msg = "somebody else wrote it"
            raise ConfigChangedError(msg)
        return self._config.edit(change, timeout=timeout, observe=observe)


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def accepted(secret=None, status="ok"):
    secret = secret or a_secret()
    outcome = Outcome(
        id=secret.id,
        registry=secret.registry,
        source=secret.source,
        kind="generic",
        status=status,
        verified=status == "ok",
        implicit=secret.implicit,
    )
    return Accepted(secret=secret, credential=GOOD, outcome=outcome)


def kept(home, *ones, config=None, deadline=5.0):
    return keep(
        ones,
        config=config or home.docker,
        memory=Memory(Cache(home.cache), home.config),
        policy=Policy(delegation=Delegation(home.config, environ=home.environ), store="auths"),
        deadline=time.monotonic() + deadline,
        observe=ignore,
    )


def test_a_write_by_another_program_is_not_overwritten(home):
    config = Overtaken(home.docker, times=3)

    found = kept(home, accepted(), config=config)

    assert (True, None, 4) == (found.changed, found.error, config.edits)
    assert {HERE: "bob:s3cret-s3cret"} == home.auths


def test_a_config_that_keeps_changing_is_given_up_on(home):
    config = Overtaken(home.docker, times=1000)

    found = kept(home, accepted(), config=config)

    assert ["not-kept"] == [outcome.code for outcome in found.outcomes]
    assert isinstance(found.error, ConfigChangedError)
    assert not found.changed
    assert config.edits < 20


def test_the_decision_is_made_on_the_file_as_it_is_written(home):
    class Taking(Overtaken):
        def edit(self, change, *, timeout, observe):
            try:
                return super().edit(change, timeout=timeout, observe=observe)
            except ConfigChangedError:
                home.write({"credHelpers": {HERE: "theirs"}})
                raise

    home.program("docker-credential-theirs")

    found = kept(home, accepted(), config=Taking(home.docker, times=1))

    assert [("skipped", "other-helper")] == [(o.status, o.code) for o in found.outcomes]
    assert {} == home.auths


def test_a_login_that_exists_already_says_where_it_is_saved(home):
    kept(home, accepted())

    found = kept(home, accepted(status="unverified"))

    assert [frozenset({"auths"})] == [outcome.kept_in for outcome in found.outcomes]
    assert not found.changed


def test_a_lock_that_is_never_released_ends_the_wait_with_the_run(home):
    home.write({})
    started = time.monotonic()

    def blocked(_):
        found.append(kept(home, accepted(), deadline=0.2))

    found = []
    home.docker.edit(blocked, observe=Told())

    assert ["not-kept"] == [outcome.code for outcome in found[0].outcomes]
    assert time.monotonic() - started < LONG


def test_amend_passes_on_an_error_of_the_change(home):
    def change(_):
        msg = "full"
        raise ConfigError(msg)

    with pytest.raises(ConfigError, match="full"):
        amend(home.docker, change, deadline=0, observe=ignore)


class Locked:
    """
    A config.json whose lock is held *times* times; meanwhile others write it, *writers* times.
    """

    def __init__(self, home, times, writers):
        self._home, self._times, self._writers = home, times, writers
        self.path = home.config
        self.edits = 0

    def edit(self, change, *, timeout, observe):
        self.edits += 1
        if self.edits <= self._writers:
            self._home.write({"auths": {f"other{n}.example": ENTRY for n in range(self.edits)}})
        if self.edits <= self._times:
            raise LOCK_HELD.error(path=self.path, seconds=timeout)
        return self._home.docker.edit(change, timeout=timeout, observe=observe)


def test_a_login_waits_for_the_lock_after_the_deadline_while_others_write(home):
    config = Locked(home, times=3, writers=3)

    found = kept(home, accepted(), config=config, deadline=-1)

    assert (None, 4) == (found.error, config.edits)
    assert {HERE, "other0.example", "other1.example", "other2.example"} == set(home.auths)


def test_a_lock_that_one_process_keeps_is_given_up_on_after_the_deadline(home):
    config = Locked(home, times=1000, writers=1)

    found = kept(home, accepted(), config=config, deadline=-1)

    assert ("config-locked", 2) == (found.error.code, config.edits)


def test_a_queue_for_the_lock_that_does_not_end_is_given_up_on(home, monkeypatch):
    monkeypatch.setattr(keeping, "_QUEUE_MAX", 0.0)
    config = Locked(home, times=1000, writers=1000)

    found = kept(home, accepted(), config=config, deadline=-1)

    assert ("config-locked", 1) == (found.error.code, config.edits)
