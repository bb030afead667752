# SPDX-License-Identifier: MIT
"""
The provider as the kubelet starts it: a process for each request, without a home folder.
"""

from __future__ import annotations

import base64
import json
import os
import pty
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from doubles.credential_helper import HERE, HOUR
from doubles.homes import a_set
from doubles.kubelet import (
    IMAGE,
    PROGRAM,
    VERSIONS,
    Node,
    RejectedError,
    accepted,
    lookup,
    request,
    seconds,
)

from devcontainer_registry.errors import RegistryError
from devcontainer_registry.kubelet.protocol import parse
from devcontainer_registry.kubelet.provider import provide

PASSWORD = "s3cret-s3cret"
STATIC = a_set("CORP", str(HERE), password=PASSWORD)
NEW = ("AWS", "the-new-one")
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.fixture(name="node")
def _node(tmp_path):
    return Node(tmp_path)


@pytest.fixture(name="cloud_node")
def _cloud_node(node):
    """
    A node with a set whose credential comes from a played cloud, for 12 hours.
    """
    node.see_secrets()
    return node


def refused(ran):
    """
    Return the one line that the kubelet logs; it reads nothing on stdout.
    """
    assert (1, "") == (ran.status, ran.stdout), ran
    with pytest.raises(RejectedError):
        accepted(ran)
    assert ran.stderr.startswith("devcontainer-registry: ")
    assert 1 == ran.stderr.count("\n")
    return ran.stderr


# A set with a password.


def test_a_password_is_handed_over_without_any_request_or_file(node):
    ran = node.ask(**STATIC)

    document = accepted(ran)
    assert "" == ran.stderr
    assert [("bob", PASSWORD)] == lookup(document, IMAGE)
    # The registry is not even there; how long the kubelet keeps it is for its configuration.
    assert "cacheDuration" not in document
    assert [] == list(_files(node))


@pytest.mark.parametrize("server", ["docker.io", "index.docker.io", "https://index.docker.io/v1/"])
def test_a_set_for_docker_hub_is_found_under_the_name_that_the_kubelet_uses(node, server):
    sets = a_set("HUB", server, password=PASSWORD)

    document = accepted(node.ask(request("docker.io/library/busybox"), **sets))

    assert [("bob", PASSWORD)] == lookup(document, "docker.io/library/busybox")


@pytest.mark.parametrize(
    ("server", "image"),
    [
        ("registry.example:443", "registry.example/app"),
        ("registry.example", "registry.example:443/app"),
    ],
)
def test_the_default_port_makes_no_other_registry(node, server, image):
    document = accepted(node.ask(request(image), **a_set("CORP", server, password=PASSWORD)))

    assert [("bob", PASSWORD)] == lookup(document, image)


def test_with_two_sets_for_a_host_the_one_with_that_very_port_is_used(node):
    sets = {
        **a_set("A", "registry.example:443", password="of-443"),
        **a_set("B", "registry.example", password="of-none"),
    }

    for image, password in (
        ("registry.example:443/a", "of-443"),
        ("registry.example/a", "of-none"),
    ):
        assert [("bob", password)] == lookup(accepted(node.ask(request(image), **sets)), image)


def test_a_changed_password_is_used_at_once(node):
    for password in ("first-one", "second-one", "first-one"):
        sets = a_set("CORP", str(HERE), password=password)
        assert [("bob", password)] == lookup(accepted(node.ask(**sets)), IMAGE)


def test_a_secrets_file_is_read_by_option_and_by_variable(node, tmp_path):
    path = tmp_path / "registries.json"
    path.write_text(json.dumps(STATIC))

    for ran in (
        node.ask(None, "--secrets-file", str(path)),
        node.ask(None, f"--secrets-file={path}"),
        node.ask(DEVCONTAINER_REGISTRY_SECRETS_FILE=str(path)),
    ):
        assert [("bob", PASSWORD)] == lookup(accepted(ran), IMAGE)


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_of_the_protocol_is_answered_in_that_version(node, version):
    ran = node.ask(request(version=version), **STATIC)

    assert [("bob", PASSWORD)] == lookup(accepted(ran, version=version), IMAGE)


def test_the_command_is_the_same_program(node):
    command = os.path.join(os.path.dirname(PROGRAM), "devcontainer-registry")
    ran = node.run("kubelet", given=request(), program=command)

    assert {} == accepted(ran)["auth"]


# No login.


def test_without_a_set_for_the_registry_there_is_no_login_and_no_error(node):
    ran = node.ask(**a_set("OTHER", "other.example"))

    document = accepted(ran)
    assert ("", {}) == (ran.stderr, document["auth"])
    assert 60 == seconds(document)
    assert [] == list(_files(node))


def test_logins_of_a_platform_are_not_for_a_node(node):
    entry = {"auth": base64.b64encode(b"bob:s3cret").decode()}
    others = {
        "DOCKER_AUTH_CONFIG": json.dumps({"auths": {str(HERE): entry}}),
        "CI_REGISTRY": str(HERE),
        "CI_REGISTRY_USER": "bob",
        "CI_REGISTRY_PASSWORD": "s3cret",
    }

    assert {} == accepted(node.ask(**others))["auth"]


# Errors.


@pytest.mark.parametrize("given", ["", PASSWORD, "{}", request(kind=PASSWORD), b"\xff\xfe\x00"])
def test_what_is_no_request_gets_one_line_on_stderr_and_nothing_on_stdout(node, given):
    line = refused(node.ask(given or b"", **STATIC))

    assert "CredentialProviderRequest" in line
    assert PASSWORD not in line


def test_an_unknown_version_is_named_with_the_right_one(node):
    line = refused(node.ask(request(version="credentialprovider.kubelet.k8s.io/v9")))

    assert "credentialprovider.kubelet.k8s.io/v1" in line


def test_a_request_without_end_is_refused(node):
    assert "1048576 bytes" in refused(node.ask(b"{" * 1_100_000))


def test_a_person_at_a_terminal_is_told_what_the_command_is_for(node):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [PROGRAM], stdin=theirs, capture_output=True, timeout=30, check=False, env=node.environ
    )
    os.close(ours)
    os.close(theirs)

    assert (1, b"") == (done.returncode, done.stdout)
    assert b"stdin is a terminal" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "environ", "said"),
    [
        (["--secrets-fle", "x"], {}, "did you mean --secrets-file?"),
        (["--secrets-file"], {}, "--secrets-file"),
        (["--secrets-file", "/nonexistent/x"], {}, "secrets file"),
        ([], {"DEVCONTAINER_REGISTRY_SECRETS_FILE": "/nonexistent/x"}, "SECRETS_FILE"),
        ([], {"DEVCONTAINER_REGISTRY_SECRET_FILE": "/x"}, "DEVCONTAINER_REGISTRY_SECRETS_FILE?"),
        (["--log-level", "loud"], {}, "debug"),
        ([], {"DEVCONTAINER_REGISTRY_LOG_LEVEL": "loud"}, "DEVCONTAINER_REGISTRY_LOG_LEVEL"),
        ([PASSWORD], {}, "too many arguments"),
    ],
)
def test_a_wrong_argument_of_the_configuration_is_said_in_one_line(node, arguments, environ, said):
    line = refused(node.ask(None, *arguments, **environ))

    assert said in line
    assert PASSWORD not in line


def test_an_incomplete_set_for_the_registry_is_an_error(node):
    sets = {k: v for k, v in STATIC.items() if not k.endswith("_PASSWORD")}

    assert "CORP_CONTAINER_REGISTRY_PASSWORD" in refused(node.ask(**sets))


def test_a_set_that_names_no_registry_is_not_hidden_by_an_answer_without_a_login(node):
    sets = {k: v for k, v in STATIC.items() if not k.endswith("_SERVER")}

    assert "CORP_CONTAINER_REGISTRY_SERVER" in refused(node.ask(**sets))


def test_an_incomplete_set_for_another_registry_does_not_matter(node):
    sets = {k: v for k, v in a_set("OTHER", "other.example").items() if not k.endswith("_USER")}

    assert [("bob", PASSWORD)] == lookup(accepted(node.ask(**STATIC, **sets)), IMAGE)
    assert {} == accepted(node.ask(**sets))["auth"]


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"user": "<token>"}, "identity token"),
        ({"password": "\udcff\udcfe"}, "UTF-8"),
    ],
)
def test_what_the_kubelet_cannot_carry_is_an_error(node, members, said):
    sets = a_set("CORP", str(HERE), **members)

    assert said in refused(node.ask(**sets))


def test_an_expired_password_of_ecr_is_an_error_and_a_living_one_is_kept_by_its_expiry(node):
    def sets(expires):
        claims = json.dumps({"payload": "x", "expiration": int(expires)}).encode()
        return a_set("ECR", ECR, user="AWS", password=base64.b64encode(claims).decode())

    image = f"{ECR}/app"
    alive = accepted(node.ask(request(image), **sets(time.time() + 11 * HOUR)))
    line = refused(node.ask(request(image), **sets(time.time() - 1)))

    assert 5 * HOUR == pytest.approx(seconds(alive), abs=60)
    assert "has expired" in line


def test_a_cloud_s_key_is_sent_to_no_stranger(node):
    sets = a_set("CORP", str(HERE), user="AKIAIOSFODNN7EXAMPLE")

    assert "CORP_CONTAINER_REGISTRY_SERVER" in refused(node.ask(**sets))


# What comes from a cloud.


def test_a_cloud_s_credential_is_remembered_until_half_of_its_life_is_over(cloud_node):
    first = accepted(cloud_node.ask())
    second = accepted(cloud_node.ask())
    cloud_node.age(2 * HOUR)
    third = accepted(cloud_node.ask())
    cloud_node.age(4 * HOUR)
    fourth = accepted(cloud_node.ask())

    for document in (first, second, third, fourth):
        assert [NEW] == lookup(document, IMAGE)
    assert 2 == cloud_node.asked
    for document, hours in ((first, 6), (second, 6), (third, 4), (fourth, 6)):
        assert hours * HOUR == pytest.approx(seconds(document), abs=60)
    assert 0o600 == os.stat(cloud_node.path_of_entry).st_mode & 0o777


def test_parallel_pulls_cause_one_request(cloud_node):
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: accepted(cloud_node.ask()), range(6)))

    assert all([NEW] == lookup(document, IMAGE) for document in answers)
    assert 1 == cloud_node.asked


def test_another_set_gets_no_credential_of_the_one_before(cloud_node, tmp_path):
    role = tmp_path / "role"
    role.write_text("one")
    changes = (
        {},
        {"MY_CONTAINER_REGISTRY_TENANT": "corp.example"},
        {"MY_CONTAINER_REGISTRY_TENANT_FILE": str(role)},
        {"AWS_PROFILE": "other"},
    )
    for number, change in enumerate(changes, 1):
        token = f"token-{number}"
        for _ in range(2):
            document = accepted(cloud_node.ask(**change, PLAYED_TOKEN=token))
            assert [("AWS", token)] == lookup(document, IMAGE)
        assert number == cloud_node.asked
    role.write_text("two")
    cloud_node.ask(MY_CONTAINER_REGISTRY_TENANT_FILE=str(role))
    assert 5 == cloud_node.asked


def test_a_changed_secrets_file_is_read_again_and_one_that_names_files_is_never_remembered(
    cloud_node, tmp_path
):
    path = tmp_path / "registries.json"
    server = {"MY_CONTAINER_REGISTRY_SERVER": str(HERE)}
    for number, members in enumerate(({}, {"MY_CONTAINER_REGISTRY_TENANT": "a.example"}), 1):
        path.write_text(json.dumps({**server, **members}))
        for _ in range(2):
            ran = cloud_node.ask(
                None, "--secrets-file", str(path), MY_CONTAINER_REGISTRY_SERVER=None
            )
            assert [NEW] == lookup(accepted(ran), IMAGE)
        assert number == cloud_node.asked
    path.write_text(json.dumps({**server, "MY_CONTAINER_REGISTRY_TENANT_FILE": "/etc/hostname"}))
    for _ in range(2):
        cloud_node.ask(None, "--secrets-file", str(path), MY_CONTAINER_REGISTRY_SERVER=None)
    assert 4 == cloud_node.asked


def test_a_log_level_changes_nothing_in_what_is_remembered(cloud_node):
    cloud_node.ask()
    ran = cloud_node.ask(None, "--log-level", "debug")

    assert [NEW] == lookup(accepted(ran), IMAGE)
    assert 1 == cloud_node.asked
    assert "kubelet.answered" in ran.stderr


def test_our_credential_helper_answers_docker_from_another_folder(cloud_node):
    cloud_node.ask()

    assert ["kubelet"] == os.listdir(cloud_node.cache_folder)


def test_without_a_home_and_without_a_folder_nothing_is_remembered(cloud_node, tmp_path):
    (tmp_path / "file").write_text("")
    for number, folder in enumerate(("relative/folder", str(tmp_path / "file"), "/proc/x"), 1):
        document = accepted(cloud_node.ask(DEVCONTAINER_REGISTRY_CACHE_DIR=folder))

        assert [NEW] == lookup(document, IMAGE)
        assert number == cloud_node.asked
    assert not os.path.exists("/relative")


def test_a_folder_that_others_can_open_is_neither_read_nor_trusted(cloud_node):
    cloud_node.ask()
    os.chmod(cloud_node.path_of_entry, 0o644)

    assert [NEW] == lookup(accepted(cloud_node.ask()), IMAGE)
    assert 2 == cloud_node.asked


def test_a_damaged_file_is_written_again(cloud_node):
    cloud_node.ask()
    with open(cloud_node.path_of_entry, "w", encoding="utf-8") as file:
        file.write("{")

    assert [NEW] == lookup(accepted(cloud_node.ask()), IMAGE)
    assert 2 == cloud_node.asked
    assert accepted(cloud_node.ask())
    assert 2 == cloud_node.asked


def test_a_refusal_is_said_and_not_repeated_for_a_minute(cloud_node):
    lines = [refused(cloud_node.ask(PLAYED="refuses")) for _ in range(2)]

    assert 1 == cloud_node.asked
    assert lines[0] == lines[1]
    assert "the cloud said no; give it the right to" in lines[0]
    cloud_node.age(61)
    assert [NEW] == lookup(accepted(cloud_node.ask(PLAYED="up")), IMAGE)


def test_a_credential_that_still_works_is_served_for_a_minute_if_the_cloud_is_down(cloud_node):
    cloud_node.ask()
    cloud_node.age(7 * HOUR)

    document = accepted(cloud_node.ask(PLAYED="refuses"))

    assert [NEW] == lookup(document, IMAGE)
    assert 60 == seconds(document)
    cloud_node.age(5 * HOUR)
    refused(cloud_node.ask(PLAYED="refuses"))


@pytest.mark.parametrize("played", ["talks", "crashes", "quotes"])
def test_nothing_of_a_plugin_reaches_stdout_and_no_secret_of_it_stderr(cloud_node, played):
    cloud_node.environ |= a_set("MY", str(HERE), password="the-plugins-secret")

    ran = cloud_node.ask(PLAYED=played)

    assert "the-plugins-secret" not in ran.stderr + ran.stdout
    if played == "talks":
        assert [NEW] == lookup(accepted(ran), IMAGE)
    else:
        refused(ran)


def test_a_cloud_that_never_answers_costs_no_more_than_the_deadline(monkeypatch, tmp_path):
    """
    With the real boto3 at a port that accepts connections and says nothing.
    """
    monkeypatch.chdir(tmp_path)
    sets = a_set("ECR", ECR, user="AKIAIOSFODNN7EXAMPLE", password="k" * 40)
    begun = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.getsockname()[1]}")
        environ = {**sets, "DEVCONTAINER_REGISTRY_CACHE_DIR": str(tmp_path / "cache")}
        with pytest.raises(RegistryError) as caught:
            provide(
                parse(request(f"{ECR}/app")),
                environ,
                secrets_file=None,
                give_up=begun + 2.0,
            )

    assert time.monotonic() - begun < 10
    assert "timeout" == caught.value.code
    assert "--timeout" not in caught.value.hint


# Secrets.


def test_a_debug_log_has_each_step_and_no_secret(node):
    ran = node.ask(None, **STATIC, DEVCONTAINER_REGISTRY_LOG_LEVEL="debug")

    assert [("bob", PASSWORD)] == lookup(accepted(ran), IMAGE)
    assert {"variable.used", "kubelet.answered"} <= set(ran.stderr.split())
    assert PASSWORD not in ran.stderr


def _files(node):
    for folder, _, names in os.walk(os.path.dirname(node.home)):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                yield file.read()
