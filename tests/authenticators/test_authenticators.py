# SPDX-License-Identifier: MIT
"""
Loading and choosing authenticators, and what those that pass passwords on refuse to pass on.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from doubles.distributions import distribution, in_a_process
from doubles.homes import GOOD, HERE, Claiming, Scripted, Told, a_secret, a_set, encoded

import devcontainer_registry as package
from devcontainer_registry import authenticators as plugins
from devcontainer_registry.authenticators.generic import GenericAuthenticator
from devcontainer_registry.errors import DiscoveryError, PluginError, UnreachableError
from devcontainer_registry.registry import Registry
from devcontainer_registry.testing import LoopbackRegistry

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_built_in_kinds_are_registered_like_plugins():
    assert {"acr", "ecr", "generic", "ghcr", "google"} <= set(plugins.load())


@pytest.mark.parametrize(
    ("registry", "kind"),
    [
        ("docker.io", "generic"),
        ("quay.io", "generic"),
        ("localhost:5000", "generic"),
        ("registry.gitlab.com", "generic"),
        ("mycompany.azurecr.io", "acr"),
        ("mycompany.azurecr.cn", "acr"),
        ("mycompany.azurecr.us", "acr"),
        ("mycompany.azurecr.io.evil.example", "generic"),
        ("azurecr.io", "generic"),
        ("a.b.azurecr.io", "generic"),
        ("evilazurecr.io", "generic"),
        ("mycompany.azurecr.io:5000", "generic"),
        (ECR, "ecr"),
        ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn", "ecr"),
        (f"{ECR}.evil.example", "generic"),
        (f"{ECR}:5000", "generic"),
        (f"x{ECR}", "generic"),
        ("ghcr.io", "ghcr"),
        ("ghcr.io.evil.example", "generic"),
        ("evil-ghcr.io", "generic"),
        ("x.ghcr.io", "generic"),
        ("gcr.io", "google"),
        ("eu.gcr.io", "google"),
        ("europe-west1-docker.pkg.dev", "google"),
        ("docker.us-central1.rep.pkg.dev", "google"),
        ("gcr.io.evil.example", "generic"),
        ("evilgcr.io", "generic"),
        ("docker.pkg.dev.evil.example", "generic"),
    ],
)
def test_each_kind_matches_only_its_own_registries(registry, kind):
    assert kind == plugins.choose(a_secret(registry=registry), plugins.load())[0]


def test_the_kind_that_a_set_names_wins_over_what_matches():
    installed = {"one": Claiming(HERE), "two": Scripted(GOOD)}

    assert "two" == plugins.choose(a_secret(kind="two"), installed)[0]


def test_a_kind_that_is_named_is_not_asked_whether_it_matches():
    installed = {"odd": Claiming(RuntimeError("x"))}

    assert "odd" == plugins.choose(a_secret(kind="odd"), installed)[0]


def test_a_plugin_that_fails_to_match_affects_only_itself():
    told = Told()
    installed = {"odd": Claiming(RuntimeError("x")), "mine": Claiming(HERE)}

    assert "mine" == plugins.choose(a_secret(), installed, observe=told)[0]
    assert [("plugin.unusable", {"kind": "odd", "error": "RuntimeError"})] == told


def test_a_broken_kind_is_an_error_only_for_its_sets():
    broken = PluginError("cannot be loaded", code="plugin-broken")
    installed = {"broken": broken, "generic": Scripted(GOOD)}

    assert "generic" == plugins.choose(a_secret(), installed)[0]
    with pytest.raises(PluginError) as caught:
        plugins.choose(a_secret(kind="broken"), installed)
    assert caught.value is broken


# Distributions that bring plugins, as an interpreter finds them.


GOOD_PLUGIN = """
    from devcontainer_registry import Credential, Secret
    class Mine:
        def matches(self, registry):
            return registry == "registry.corp.example"
        def authenticate(self, secret, *, timeout):
            return Credential(username="me", secret=Secret("from the vault"))
"""


LISTED = """
    from devcontainer_registry.authenticators import load
    from devcontainer_registry.errors import PluginError
    for kind, found in sorted(load().items()):
        if isinstance(found, PluginError):
            print(kind, found.code, "|", found.message, "|", found.hint)
        else:
            print(kind, type(found).__name__)
"""


def test_a_strangers_plugin_is_found_and_used(tmp_path):
    distribution(tmp_path, "stranger", ["mine = stranger:Mine"], GOOD_PLUGIN)

    written = in_a_process(
        tmp_path,
        """
        from devcontainer_registry import login
        report = login(environ={
            "HOME": "/nowhere", "DOCKER_CONFIG": "/nowhere/docker",
            "CORP_CONTAINER_REGISTRY_SERVER": "registry.corp.example",
            "CORP_CONTAINER_REGISTRY_USER": "x", "CORP_CONTAINER_REGISTRY_PASSWORD": "y",
        }, dry_run=True)
        print(report.outcomes[0].kind, report.outcomes[0].status)
        """,
    )

    assert ["mine found"] == written


@pytest.mark.parametrize(
    "module",
    [
        "import no_such_module_at_all",
        "raise RuntimeError('s3cret')",
        "raise SystemExit(3)",
        "class Other: ...",
        "class Mine:\n    def __init__(self, needed): ...",
        "def broken(:",
    ],
)
def test_a_plugin_that_does_not_load_is_kept_as_its_error(tmp_path, module):
    distribution(tmp_path, "stranger", ["mine = stranger:Mine"], module)

    written = in_a_process(tmp_path, LISTED)

    (mine,) = (line for line in written if line.startswith("mine "))
    assert mine.startswith("mine plugin-broken")
    assert "stranger" in mine
    assert "s3cret" not in mine
    assert "generic GenericAuthenticator" in written


def test_two_distributions_that_bring_one_kind_are_an_error_for_it(tmp_path):
    distribution(tmp_path, "stranger", ["acr = stranger:Mine"], GOOD_PLUGIN)

    written = in_a_process(tmp_path, LISTED)

    assert any(line.startswith("acr plugin-contested") for line in written)
    assert "ghcr GhcrAuthenticator" in written


def test_three_distributions_that_bring_one_kind_are_an_error_too(tmp_path):
    distribution(tmp_path, "one", ["mine = one:Mine"], GOOD_PLUGIN)
    distribution(tmp_path, "two", ["mine = two:Mine"], GOOD_PLUGIN)
    distribution(tmp_path, "three", ["mine = three:Mine"], GOOD_PLUGIN)

    assert any(line.startswith("mine plugin-contested") for line in in_a_process(tmp_path, LISTED))


# generic.


@pytest.mark.parametrize(
    "user", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "_json_key", "_json_key_base64"]
)
def test_a_clouds_key_is_not_sent_to_a_stranger(user):
    secret = a_secret(user=user)

    with pytest.raises(DiscoveryError) as caught:
        GenericAuthenticator().authenticate(secret, timeout=1)

    assert "cloud-key-for-foreign-host" == caught.value.code
    assert user not in f"{caught.value.message} {caught.value.hint}".replace("json_key", "_")


def test_a_clouds_key_is_sent_where_the_user_says_so():
    secret = a_secret(user="AKIAIOSFODNN7EXAMPLE", kind="generic")

    credential = GenericAuthenticator().authenticate(secret, timeout=1)

    assert ("AKIAIOSFODNN7EXAMPLE", secret.secret) == (credential.username, credential.secret)


@pytest.mark.parametrize("user", ["AKIA", "akiaiosfodnn7example", "bob", "AKIAIOSFODNN7EXAMPLE1"])
def test_what_is_no_clouds_key_is_passed_on(user):
    assert user == GenericAuthenticator().authenticate(a_secret(user=user), timeout=1).username


@pytest.mark.parametrize(
    ("server", "meant"),
    [("hub.docker.com", "docker.io"), ("github.com", "ghcr.io"), ("registry.example", None)],
)
def test_the_web_site_of_a_registry_is_distinguished_from_it(server, meant):
    error = UnreachableError("no registry", code="not-a-registry")

    hint = GenericAuthenticator().explain(a_secret(registry=Registry(server)), error)

    assert bool(meant) == ("_SERVER" in hint)
    assert hint.endswith(f" to {meant}") or meant is None


def test_a_robots_name_with_a_dollar_is_passed_on_as_it_is():
    secret = a_secret(user="robot$team+ci", registry=Registry("harbor.example"))

    assert "robot$team+ci" == GenericAuthenticator().authenticate(secret, timeout=1).username


# The package as somebody else's dependency: in threads, under asyncio, in an odd interpreter.

BOB = {"bob": "s3cret-s3cret"}


@pytest.fixture(name="environ")
def _environ(tmp_path):
    """
    A home whose config.json sends one registry to a helper, which answers with whom it was asked.
    """
    program = tmp_path / "bin" / "docker-credential-echo"
    program.parent.mkdir()
    answer = 'printf \'{"Username":"bob","Secret":"%s"}\' "$(cat)"'
    program.write_text(f"#!/bin/sh\n{answer}\n", encoding="utf-8")
    program.chmod(0o755)
    config = tmp_path / ".docker" / "config.json"
    config.parent.mkdir()
    document = {
        "auths": {"kept.example": {"auth": encoded("bob:kept")}},
        "credHelpers": {"asked.example": "echo"},
    }
    config.write_text(json.dumps(document), encoding="utf-8")
    return {"HOME": str(tmp_path), "PATH": f"{program.parent}:/usr/bin:/bin"}


def found(image, environ):
    return package.resolve(image, environ=environ).secret.reveal()


def test_many_threads_find_each_what_they_asked_for(environ):
    images = ["asked.example/app", "kept.example/app"] * 20

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda image: found(image, environ), images))

    assert ["asked.example", "kept"] * 20 == answers


def test_many_threads_log_in_and_nothing_is_lost(environ):
    with LoopbackRegistry(BOB) as one, LoopbackRegistry(BOB) as two:
        sets = {**a_set("ONE", one.registry), **a_set("TWO", two.registry)}

        with ThreadPoolExecutor(8) as threads:
            reports = list(
                threads.map(
                    lambda name: package.login(environ={**environ, **sets}, only=[name]),
                    ["ONE", "TWO"] * 4,
                )
            )

    assert {"ok"} == {outcome.status for report in reports for outcome in report.outcomes}
    path = os.path.join(environ["HOME"], ".docker", "config.json")
    with open(path, encoding="utf-8") as file:
        kept = json.load(file)
    assert {"kept.example", one.registry, two.registry} == kept["auths"].keys()
    assert {"asked.example": "echo"} == kept["credHelpers"]


def test_a_second_login_of_a_process_is_as_good_as_the_first(environ):
    with LoopbackRegistry(BOB) as registry:
        environ |= a_set("ONE", registry.registry)

        statuses = [
            [outcome.status for outcome in package.login(environ=environ, verify=verify).outcomes]
            for verify in ("changed", "changed", "always")
        ]

    assert [["ok"], ["unchanged"], ["ok"]] == statuses


def test_asyncio_goes_on_while_a_thread_asks(environ):
    async def main():
        async def tick():
            for _ in range(10):
                await asyncio.sleep(0)

        asking = (asyncio.to_thread(found, "asked.example/app", environ) for _ in range(5))
        return (await asyncio.gather(tick(), *asking))[1:]

    assert ["asked.example"] * 5 == asyncio.run(main())


def test_the_process_s_own_environment_is_neither_asked_nor_changed(environ, monkeypatch):
    others = {"auths": {"kept.example": {"auth": encoded("eve:other")}}}
    monkeypatch.setenv("DOCKER_AUTH_CONFIG", json.dumps(others))
    monkeypatch.setenv("DOCKER_CONFIG", "/nonexistent")
    before = dict(os.environ)

    assert "kept" == found("kept.example/app", environ)
    assert before == dict(os.environ)


@pytest.mark.parametrize(
    "options", [["-OO"], ["-I"], ["-X", "dev", "-W", "error"], ["-W", "error", "-s", "-E"]]
)
def test_threads_may_be_the_first_to_use_it_in_any_interpreter(environ, options):
    script = f"""
import threading
barrier, said = threading.Barrier(6), []
def ask(place):
    barrier.wait()
    try:
        import devcontainer_registry as package
        if place % 2:
            package.login(environ={environ!r}, verify="never", timeout=5)
        said.append(package.resolve("asked.example/app", environ={environ!r}).secret.reveal())
    except BaseException as exc:
        said.append(repr(exc))
threads = [threading.Thread(target=ask, args=(place,)) for place in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(set(said))
"""
    done = subprocess.run(
        [sys.executable, *options, "-c", script], capture_output=True, text=True, check=False
    )

    assert (0, "{'asked.example'}\n", "") == (done.returncode, done.stdout, done.stderr)
