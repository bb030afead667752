# SPDX-License-Identifier: MIT
"""
Causes of a failing pull: each is created for real and named by the diagnosis.
"""

from __future__ import annotations

import json
import os
import socket
from functools import partial

import pytest
from doubles.failing_pulls import CASES, ECR
from doubles.homes import a_set, encoded
from doubles.internet import Internet
from doubles.worlds import USER, Special, World, ecr_password

from devcontainer_registry.commands.doctor import lines
from devcontainer_registry.diagnosis import scene
from devcontainer_registry.discovery import discover


@pytest.fixture(name="world")
def _world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


@pytest.fixture(name="peers")
def _peers(monkeypatch):
    """
    The ports of this machine to which connections are made.
    """
    seen = set()
    connect = socket.socket.connect

    def note(self, address):
        if self.family != socket.AF_UNIX:
            seen.add(address[1])
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", note)
    return seen


@pytest.mark.parametrize("name", CASES)
def test_a_cause_is_named_with_its_fix(name, world, peers):
    build, code, message, fix, exit_status = CASES[name]
    build(world)
    before = world.snapshot()
    peers.clear()

    diagnosis = world.diagnose()

    error = diagnosis.cause
    assert error is not None
    assert (code, world.filled(message)) == (error.code, error.message)
    assert world.filled(fix) == error.hint
    assert exit_status == diagnosis.exit_status
    assert not diagnosis.ok
    # Nothing was written, no other host was contacted, and no wrong password was sent twice.
    assert before == world.snapshot()
    assert peers <= world.ports() if world.internet is None else True
    assert world.strangers() <= {"unknown.example"}
    assert world.refusals() <= 1


def test_no_two_causes_have_the_same_words():
    messages = [message for name, (_, _, message, _, _) in CASES.items() if "unseen" not in name]

    assert len(set(messages)) == len(messages) >= 60


def test_a_missing_helper_stops_the_other_commands_and_not_docker_pull(world):
    world.logged_in(world.registry(), credsStore="gone")

    (image,) = world.diagnose().images

    assert "helper-missing" == image.cause.code
    assert (False, True) == (image.ok, image.can_be_pulled)


def test_a_wrong_login_that_the_registry_ignores_is_no_failure(world):
    world.registry(public=("team/app",), ignoring=True)
    world.logged_in(world.names["R"], password="of-last-year")

    (image,) = world.diagnose().images

    assert (None, True) == (image.cause, image.can_be_pulled)
    (login,) = (step for step in image.steps if step.name == "login")
    assert "note" == login.status
    assert "which is wrong" in login.message


def test_an_unchecked_step_is_not_reported_as_failed(world):
    build, *_ = CASES["renewal is due"]
    build(world)

    (image,) = world.diagnose().images

    assert (False, None) == (image.ok, image.can_be_pulled)
    assert "skipped" == image.steps[-1].status


def test_a_login_that_we_saved_has_its_time(world):
    from devcontainer_registry.logins.login import login

    world.set(world.registry())
    assert login(environ=world.environ).ok

    (image,) = world.diagnose().images

    (credential,) = (step for step in image.steps if step.name == "credential")
    assert credential.message.startswith("from auths, saved by this tool today ")
    assert image.ok


def test_an_unchecked_push_is_not_reported_as_allowed(world):
    CASES["push cannot be checked"][0](world)

    (image,) = world.diagnose().images

    assert (False, None) == (image.ok, image.can_be_pulled)


def test_a_login_that_was_refused_is_not_sent_again_for_another_spelling(world):
    registry = world.registry()
    loud = registry.replace("localhost", "LOCALHOST")
    entry = {"auth": encoded(f"{USER}:of-last-year")}
    world.config({"auths": {registry: entry, loud: entry}})
    world.images = [f"{registry}/team/app:1", f"{loud}/team/app:1", f"{registry}/team/app:1.2"]

    images = world.diagnose().images

    assert [4, 4, 4] == [image.exit_status for image in images]
    assert 1 == world.refusals()


def test_a_login_that_differs_from_the_set_is_a_note(world):
    registry = world.registry()
    world.set(registry, user="other", password="other-other")
    world.logged_in(registry)

    (image,) = world.diagnose().images

    assert image.ok
    note = next(step for step in image.steps if step.name == "credential")
    assert "note" == note.status
    assert note.message.endswith("; not the login of CORP_CONTAINER_REGISTRY_*")


def test_googles_token_does_not_say_when_it_expires(world):
    registry = world.of("europe-docker.pkg.dev", "corp/repo/app")
    world.logged_in(registry, "oauth2accesstoken", "ya29.made-up")

    (image,) = world.diagnose().images

    assert image.steps[2].message == "from auths, expiry unknown"


def test_a_set_that_only_other_processes_see_is_a_note(world, tmp_path, monkeypatch):
    registry = world.registry()
    secrets = tmp_path / ".env-secrets"
    kept = [f"{n}={encoded(v)}" for n, v in a_set("CORP", registry).items()]
    secrets.write_text("\n".join(kept))
    # The path is Codespaces' own, and a test may not write there.
    monkeypatch.setattr(scene, "discover", partial(discover, codespaces_file=str(secrets)))

    (image,) = world.diagnose().images

    note = image.steps[0]
    assert "note" == note.status
    assert "is not in this process's environment" in note.message


def test_an_image_that_the_container_host_pulls_is_reported(world):
    registry = world.registry()
    world.logged_in(registry)
    folder = os.path.join(world.home, "workspace")
    os.mkdir(folder)
    with open(os.path.join(folder, ".devcontainer.json"), "w", encoding="utf-8") as file:
        json.dump({"image": world.images[0]}, file)
    world.images, world.options["workspace"] = [], folder
    world.environ["REMOTE_CONTAINERS"] = "true"

    (image,) = world.diagnose().images

    assert image.by_host
    assert any("; the host fetched it)" in line for line in lines(world.diagnose()))


@pytest.mark.parametrize(
    ("server", "user", "password", "said"),
    [
        ("ghcr.io", "bob", "github_pat_x", "takes no fine-grained token"),
        ("ghcr.io", "bob", "dckr_pat_x", "looks like a Docker Hub token"),
        ("docker.io", "bob", "ghp_x", "looks like a GitHub token"),
        ("registry.gitlab.com", "bob", "dckr_oat_x", "looks like a Docker Hub token"),
        (
            "mycorp.azurecr.io",
            "bob",
            "0b5c6a1e-3f5b-4a8e-9d55-7d8f0c1f2e3a",
            "Entra ID secret's id",
        ),
        ("europe-docker.pkg.dev", "_json_key", '{"type": "service_acc', "not a whole JSON key"),
        ("europe-docker.pkg.dev", "_json_key_base64", "eyJ0eXBl!", "not a whole JSON key"),
        (ECR, "ASIA0000000000000001", "secret", "needs _SESSION_TOKEN"),
        (ECR, "AWS", ecr_password(1_700_000_000), "its password has expired"),
        ("ghcr.io", "bob", "ghp_x", None),
        ("mycorp.azurecr.io", "bob", "a-password", None),
        ("europe-docker.pkg.dev", "_json_key", '{"type": "service_account"}', None),
        ("corp.example", "bob", "ghp_x", None),
        (ECR, "AKIA0000000000000001", "secret", None),
    ],
)
def test_the_wrong_kind_of_secret_is_recognised_by_its_shape(world, server, user, password, said):
    world.of(server)
    world.set(server, user=user, password=password)

    (image,) = world.diagnose().images

    step = image.steps[0]
    assert ("ok" if said is None else "note") == step.status
    assert (said or "") in step.message
    assert password not in step.message


def test_a_secret_that_the_registry_accepts_is_not_judged_by_its_shape(world):
    registry = Special({USER: "github_pat_works"}, auth="basic", images=("team/app:1",))
    world.enter(registry)
    internet = world.enter(Internet({"ghcr.io": registry._answer}))
    world.environ.update(internet.environ)
    world.of("ghcr.io")
    world.set("ghcr.io", password="github_pat_works")
    world.logged_in("ghcr.io", USER, "github_pat_works")

    (image,) = world.diagnose().images

    assert image.ok
    assert "note" == image.steps[0].status
