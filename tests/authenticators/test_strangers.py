# SPDX-License-Identifier: MIT
"""
Authenticators that others wrote: whatever one does, it costs nobody else anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time

import pytest
from doubles.distributions import distribution, in_a_process
from doubles.homes import GOOD, Claiming, Scripted, a_secret
from doubles.patience import LONG

from devcontainer_registry import authenticators as plugins
from devcontainer_registry import login
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.credentials import Secret
from devcontainer_registry.errors import PluginError, RegistryError
from devcontainer_registry.testing import LoopbackRegistry

THEIRS = "theirs.example"

# A stranger whose MEMBER does what DOES says.
MODULE = """
    import threading
    from devcontainer_registry import Credential, Secret

    def it():
        {does}

    {on_import}

    class Odd:
        def __init__(self):
            self.seen = self.made = None
            {on_made}
        @property
        def ambient(self):
            {ambient}
            return False
        def matches(self, registry):
            {matches}
            return registry == "theirs.example"
        def exchanges(self, secret):
            {exchanges}
            return False
        def explain(self, secret, error):
            {explain}
            return "look at it"
        def authenticate(self, secret, *, timeout):
            {authenticate}
            return Credential(username="me", secret=Secret("given"))
"""
MEMBERS = ("on_import", "on_made", "ambient", "matches", "exchanges", "explain", "authenticate")
HANGS = "threading.Event().wait()"
EXITS = "raise SystemExit('s3cret-of-theirs')"
RAISES = "raise BaseException('s3cret-of-theirs')"


def odd(folder, member, does):
    parts = {name: "it()" if name == member else "pass" for name in MEMBERS}
    distribution(folder, "stranger", ["odd = stranger:Odd"], MODULE.format(does=does, **parts))


# One that says who was sent what, where one stranger misbehaves.
LOGIN = """
    import json, os, sys, time
    from devcontainer_registry import login
    began = time.monotonic()
    report = login(timeout=2.0)
    print(json.dumps({
        "took": time.monotonic() - began,
        "outcomes": {o.id: [o.status, o.code, o.kind] for o in report.outcomes},
        "said": [str(o.error) for o in report.outcomes],
    }))
"""


def logged_in(folder, registries, **variables):
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(folder),
        "HOME": str(folder),
        **variables,
    }
    for set_id, server in registries.items():
        environ[f"{set_id}_CONTAINER_REGISTRY_SERVER"] = server
        environ[f"{set_id}_CONTAINER_REGISTRY_USER"] = "bob"
        environ[f"{set_id}_CONTAINER_REGISTRY_PASSWORD"] = "hunter2-hunter2"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOGIN)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    assert "s3cret-of-theirs" not in done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize("does", [HANGS, EXITS, RAISES], ids=["hangs", "exits", "raises"])
def test_what_a_stranger_does_is_its_own_registry_s_trouble(tmp_path, member, does):
    odd(tmp_path, member, does)
    with (
        LoopbackRegistry({"bob": "hunter2-hunter2"}) as ours,
        LoopbackRegistry({"bob": "another"}) as theirs,
    ):
        ran = logged_in(
            tmp_path,
            {"OURS": ours.registry, "THEIRS": theirs.registry},
            OURS_CONTAINER_REGISTRY_KIND="generic",
            THEIRS_CONTAINER_REGISTRY_KIND="odd",
        )

    assert ["ok", None, "generic"] == ran["outcomes"]["OURS"]
    assert ran["outcomes"]["THEIRS"][0] in ("failed", "rejected", "unverified"), ran
    assert ran["took"] < LONG


@pytest.mark.parametrize("member", ["on_import", "on_made", "matches"])
def test_generic_never_takes_the_host_of_a_stranger_that_is_silent(tmp_path, member):
    odd(tmp_path, member, HANGS)
    with LoopbackRegistry({"bob": "hunter2-hunter2"}) as registry:
        ran = logged_in(tmp_path, {"A": registry.registry})
        asked = list(registry.requests)

    assert ["failed", "plugin-hangs", None] == ran["outcomes"]["A"]
    assert "the authenticator odd timed out" in ran["said"][0]
    assert not asked


def test_where_one_of_ours_matches_a_silent_stranger_changes_nothing():
    silent = PluginError("it does not answer", code="plugin-hangs")
    installed = {"odd": silent, "mine": Claiming("registry.example"), "generic": Scripted(GOOD)}

    assert "mine" == plugins.choose(a_secret(), installed)[0]
    with pytest.raises(PluginError) as caught:
        plugins.choose(a_secret(registry="other.example"), installed)
    assert caught.value is silent


NAMED = """
    from devcontainer_registry import RegistrySecret, Registry
    from devcontainer_registry.authenticators import installed_for
    import sys
    secrets = [
        RegistrySecret(
            id=f"S{n}", registry=Registry(f"r{n}.example"), secret=None, source="a test", kind=kind
        )
        for n, kind in enumerate(KINDS)
    ]
    print(*sorted(set(installed_for(secrets)) - {"acr", "ecr", "generic", "ghcr", "google"}))
    print(*sorted(set(sys.modules) & {"one", "two"}))
"""


@pytest.mark.parametrize(
    ("kinds", "loaded"),
    [(("one",), "one"), (("generic", "acr"), ""), (("one", None), "one two"), ((None,), "one two")],
)
def test_only_those_that_are_named_are_loaded_where_every_set_names_one(tmp_path, kinds, loaded):
    module = MODULE.format(does="pass", **dict.fromkeys(MEMBERS, "pass"))
    for name in ("one", "two"):
        distribution(tmp_path, name, [f"{name} = {name}:Odd"], module)

    written = in_a_process(tmp_path, NAMED.replace("KINDS", repr(kinds)))

    assert [loaded, loaded] == written


def test_several_that_hang_take_no_more_time_than_one(tmp_path):
    for name in ("one", "two", "three", "four"):
        module = MODULE.format(
            does=HANGS, **{**dict.fromkeys(MEMBERS, "pass"), "on_import": "it()"}
        )
        distribution(tmp_path, name, [f"{name} = {name}:Odd"], module)
    with LoopbackRegistry({"bob": "hunter2-hunter2"}) as registry:
        ran = logged_in(
            tmp_path,
            {"OURS": registry.registry, "ANY": "any.example"},
            OURS_CONTAINER_REGISTRY_KIND="generic",
        )

    assert "ok" == ran["outcomes"]["OURS"][0]
    assert "plugin-hangs" == ran["outcomes"]["ANY"][1]
    assert ran["took"] < LONG


def test_who_did_not_answer_once_is_not_asked_again():
    class Silent(Scripted):
        def matches(self, registry):  # noqa: ARG002  (the protocol's)
            self.asked += 1
            time.sleep(5)

    silent = Silent(GOOD)
    kept = plugins.installed_for([], {"odd": silent}, give_up=time.monotonic() + 0.2)
    for server in ("a.example", "b.example", "c.example"):
        with pytest.raises(PluginError, match="the authenticator odd timed out"):
            plugins.choose(a_secret(registry=server), kept)

    assert 1 == silent.asked


def test_a_stranger_that_does_as_it_says_is_as_it_was(tmp_path):
    class Polite(Claiming):
        ambient = True

        def exchanges(self, secret):
            return secret.id == "A"

        def explain(self, secret, error):  # noqa: ARG002  (the protocol's)
            return "ask them"

    installed = plugins.installed_for([], {"polite": Polite("registry.example")})
    secret = a_secret()
    kind, one = plugins.choose(secret, installed)

    assert "polite" == kind
    assert plugins.is_ambient(one)
    assert plugins.is_exchange(one, secret) is (secret.id == "A")
    assert "ask them" == plugins.explain(one, secret, RegistryError("no"))
    report = login(
        [secret],
        environ={"HOME": str(tmp_path)},
        config=DockerConfig(str(tmp_path / "config.json")),
        authenticators={"polite": Polite("registry.example")},
        verify="never",
    )
    assert [("ok", "polite")] == [(o.status, o.kind) for o in report.outcomes]
    assert GOOD.secret == Secret("s3cret-s3cret")
