# SPDX-License-Identifier: MIT
"""
What docker would send, found the way docker finds it.
"""

from __future__ import annotations

import json
import os
import time

import pytest
from doubles.configs import put
from doubles.variables import basic

from devcontainer_registry import Registry, resolve
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.errors import ConfigError, InvalidRegistryError, RegistryError

HERE = "registry.example"
HUB = "https://index.docker.io/v1/"
OURS = {"credHelpers": {HERE: "devcontainer-registry"}}


class Place:
    """
    A home with a config.json, an auth.json, helpers, and asking there.
    """

    def __init__(self, folder):
        self.home = str(folder / "home")
        self.bin = str(folder / "bin")
        os.makedirs(os.path.join(self.home, ".docker"))
        os.mkdir(self.bin)
        self.environ = {"HOME": self.home, "PATH": f"{self.bin}:/usr/bin:/bin"}
        self.cache = Cache.locate(self.environ)

    def config(self, document):
        put(os.path.join(self.home, ".docker", "config.json"), document)

    def containers(self, document, *, folder=".config"):
        put(os.path.join(self.home, folder, "containers", "auth.json"), document)

    def helper(self, name, *, user=None, script=None):
        """
        A helper that answers *user* for whatever it is asked, and whom it was asked for.
        """
        answer = f'printf \'{{"Username":"{user}","Secret":"%s"}}\' "$(cat)"'
        path = os.path.join(self.bin, f"docker-credential-{name}")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\n{script or answer}\n")
        os.chmod(path, 0o755)

    def ask(self, target=HERE, **options):
        found = resolve(target, environ=self.environ, **options)
        return found and (found.username, found.secret.reveal())

    def trouble(self, target=HERE, **options):
        with pytest.raises(RegistryError) as caught:
            self.ask(target, **options)
        return caught.value.code


NOT_FOUND = "echo credentials not found in native keychain; exit 1"


def login(user, secret="s3cret"):
    return {"auth": basic(f"{user}:{secret}")}


@pytest.fixture(name="place")
def _place(tmp_path):
    return Place(tmp_path)


def test_with_no_file_at_all_docker_goes_on_anonymously(place):
    assert None is place.ask()
    assert [".docker"] == os.listdir(place.home)


@pytest.mark.parametrize(
    ("target", "key"),
    [
        ("registry.example", "registry.example"),
        ("registry.example/team/app:1", "registry.example"),
        ("registry.example/team/app@sha256:" + "0" * 64, "registry.example"),
        ("https://registry.example/v2/", "registry.example"),
        (Registry("registry.example"), "registry.example"),
        ("localhost:5000/app", "localhost:5000"),
        ("localhost:5000", "localhost:5000"),
        ("localhost", "localhost"),
        ("[::1]:5000", "[::1]:5000"),
        ("alpine", HUB),
        ("library/alpine:3", HUB),
        ("docker.io/library/alpine", HUB),
        ("docker.io", HUB),
        (HUB, HUB),
    ],
)
def test_an_image_or_a_registry_is_looked_up_under_dockers_key(place, target, key):
    place.config({"auths": {key: login("bob"), "other.example": login("eve")}})

    assert ("bob", "s3cret") == place.ask(target)


@pytest.mark.parametrize("target", ["", "Not An Image", "a b", "registry.example/UPPER", "x\0y"])
def test_an_invalid_target_is_an_error(place, target):
    with pytest.raises(InvalidRegistryError):
        place.ask(target)


# config.json: one rule, and nothing after it.


def test_a_registry_s_own_helper_is_asked_before_all(place):
    place.helper("one", user="one")
    place.helper("two", user="two")
    place.config({"auths": {HERE: login("bob")}, "credsStore": "two", "credHelpers": {HERE: "one"}})

    assert ("one", HERE) == place.ask()


def test_an_empty_helper_means_the_file(place):
    place.helper("two", user="two")
    place.config({"auths": {HERE: login("bob")}, "credsStore": "two", "credHelpers": {HERE: ""}})

    assert ("bob", "s3cret") == place.ask()


def test_the_store_is_asked_for_everybody_else(place):
    place.helper("two", user="two")
    place.config(
        {"auths": {HERE: login("bob")}, "credsStore": "two", "credHelpers": {"x.example": "one"}}
    )

    assert ("two", HERE) == place.ask()


def test_a_store_that_has_nothing_hides_the_file(place):
    place.helper("two", script=NOT_FOUND)
    place.config({"auths": {HERE: login("bob")}, "credsStore": "two"})
    place.containers({"auths": {HERE: login("eve")}})

    assert None is place.ask()


def test_docker_hub_is_asked_for_by_its_url(place):
    place.helper("one", user="one")
    place.config({"credHelpers": {HUB: "one"}})

    assert ("one", HUB) == place.ask("alpine")


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (None, "helper-missing"),
        ("exit 1", "helper-failed"),
        ("echo garbage", "helper-failed"),
        ("yes", "helper-failed"),
        ("sleep 60", "helper-hangs"),
    ],
)
@pytest.mark.parametrize("rule", ["credHelpers", "credsStore"])
def test_a_helper_in_trouble_is_an_error_and_nothing_else_is_tried(place, rule, script, code):
    if script:
        place.helper("one", script=script)
    place.config(
        {"auths": {HERE: login("bob")}, rule: {HERE: "one"} if rule == "credHelpers" else "one"}
    )

    assert code == place.trouble(timeout=0.5)


def test_an_old_key_with_a_scheme_and_a_path_serves_its_host(place):
    place.config({"auths": {"https://registry.example/v2/": login("bob")}})

    assert ("bob", "s3cret") == place.ask("registry.example/app")


def test_the_exact_key_wins_over_another_spelling(place):
    place.config({"auths": {"https://registry.example/": login("eve"), HERE: login("bob")}})

    assert ("bob", "s3cret") == place.ask()


def test_another_port_is_another_registry(place):
    place.config({"auths": {"registry.example:443": login("bob")}})

    assert None is place.ask()


@pytest.mark.parametrize("target", ["Registry.Example/team/app", "Registry.Example", "HERE/x:1"])
def test_a_host_is_looked_up_as_it_is_spelled_which_is_what_docker_does(place, target):
    target = target.replace("HERE", HERE.upper())
    host = target.partition("/")[0]
    place.config({"auths": {HERE: login("lower")}})
    assert place.ask(target) is None

    place.config({"auths": {HERE: login("lower"), host: login("upper")}})
    assert ("upper", "s3cret") == place.ask(target)
    assert ("lower", "s3cret") == place.ask(HERE)
    assert ("lower", "s3cret") == place.ask(Registry(target.partition("/")[0]))

    place.helper("one", user="one")
    place.config({"auths": {HERE: login("lower")}, "credHelpers": {host: "one"}})
    assert ("one", host) == place.ask(target)
    assert ("lower", "s3cret") == place.ask(HERE)


def test_a_password_may_have_colons(place):
    place.config({"auths": {HERE: login("bob", "a:b:c")}})

    assert ("bob", "a:b:c") == place.ask()


def test_user_and_password_as_they_are_count_too(place):
    place.config({"auths": {HERE: {"username": "bob", "password": "s3cret"}}})

    assert ("bob", "s3cret") == place.ask()


def test_an_identity_token_is_distinguished_from_a_password(place):
    place.config({"auths": {HERE: {"auth": basic("bob:"), "identitytoken": "refresh"}}})

    found = resolve(HERE, environ=place.environ)

    assert ("<token>", "refresh", True) == (
        found.username,
        found.secret.reveal(),
        found.is_identity_token,
    )


@pytest.mark.parametrize("more", [{}, login("bob"), {"identitytoken": "i"}])
@pytest.mark.parametrize("member", ["registrytoken", "RegistryToken"])
def test_a_bearer_token_is_an_error_and_neither_quoted_nor_a_password(place, member, more):
    """
    docker sends it before all else in the entry.
    """
    place.config({"auths": {HERE: {member: "s3cret-bearer", **more}}})
    place.containers({"auths": {HERE: login("eve")}})

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "registry-token" == caught.value.code
    assert HERE in caught.value.message
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_a_damaged_file_is_named_and_not_quoted(place):
    place.config(b'{"auths": {"registry.example": {"auth": "s3cret"')

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "config.json" in caught.value.message
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": "s3cretnotpadded"},
        {"auth": basic("s3cret-and-nobody")},
        {"auth": basic(":s3cret")},
        {"auth": basic("bob:s3cret") + "===="},
        {"auth": 5},
        {"username": 5, "password": "s3cret"},
        {"identitytoken": ["s3cret"]},
        "s3cret",
        [],
    ],
)
@pytest.mark.parametrize("whose", [HERE, "https://other.example/v1/"])
def test_over_an_entry_that_docker_cannot_decode_it_drops_others_and_we_say_which(
    place, whose, entry
):
    """
    By chance it sends what it decoded before it came to that one.
    """
    place.config({"auths": {HERE: login("bob"), whose: entry}})

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "login-unreadable" == caught.value.code
    assert f"the entry for {Registry(whose)} " in caught.value.message
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_a_key_that_is_no_host_is_not_quoted(place):
    place.config({"auths": {"https://bob:s3cret@other.example/": {"auth": "!"}}})

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "cannot read an entry in" in caught.value.message
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


@pytest.mark.parametrize("rule", [{"credsStore": "one"}, {"credHelpers": {HERE: "one"}}])
def test_a_helper_is_asked_whatever_stands_in_the_file(place, rule):
    place.helper("one", user="one")
    place.config({"auths": {HERE: {"auth": "!"}, "other.example": 5}, **rule})

    assert ("one", HERE) == place.ask()


@pytest.mark.parametrize("entry", [None, {"auth": None}, {"auth": ""}, {"email": None}])
def test_an_entry_that_says_nothing_is_no_trouble(place, entry):
    place.config({"auths": {HERE: login("bob"), "other.example": entry}})

    assert ("bob", "s3cret") == place.ask()


@pytest.mark.parametrize("rule", [{}, {"credHelpers": {HERE: "one"}}])
def test_a_file_that_docker_ignores_over_a_byte_order_mark_is_named(place, rule):
    document = {"auths": {HERE: login("bob")}, **rule}
    place.config(b"\xef\xbb\xbf" + json.dumps(document).encode())

    assert "config-damaged" == place.trouble()


def test_the_file_can_be_another(place, tmp_path):
    put(tmp_path / "else" / "config.json", {"auths": {HERE: login("bob")}})
    config = DockerConfig(str(tmp_path / "else" / "config.json"))

    assert ("bob", "s3cret") == place.ask(config=config)
    place.environ["DOCKER_CONFIG"] = str(tmp_path / "else")
    assert ("bob", "s3cret") == place.ask()


# Our own helper.


def test_our_helper_is_asked_without_a_process_and_tells_the_life(place):
    place.config(OURS)
    now = time.time()
    place.cache.write(
        Registry(HERE),
        {
            "credential": {"Username": "AWS", "Secret": "t"},
            "issued_at": now,
            "expires_at": now + 43200,
        },
    )
    place.environ["PATH"] = "/nonexistent"

    found = resolve(HERE, environ=place.environ)

    assert ("AWS", now, now + 43200) == (found.username, found.issued_at, found.expires_at)
    assert "Secret(****)" in repr(found)


def test_our_helper_that_has_nothing_hides_the_file(place):
    place.config({**OURS, "auths": {HERE: login("bob")}})

    assert None is place.ask()


def test_our_helper_s_failure_is_raised(place):
    place.config(OURS)
    place.cache.write(
        Registry(HERE), {"credential": {"Username": "AWS", "Secret": "t"}, "expires_at": 1}
    )

    assert "secrets-not-visible" == place.trouble()


# docker's variable.


def variable(auths):
    return {"DOCKER_AUTH_CONFIG": json.dumps({"auths": auths})}


def test_dockers_variable_comes_before_the_file_and_its_helpers(place):
    place.helper("one", user="one")
    place.config({"auths": {HERE: login("bob")}, "credHelpers": {HERE: "one"}})
    place.environ |= variable({HERE: login("eve")})

    assert ("eve", "s3cret") == place.ask()


def test_docker_auth_config_counts_only_for_its_registries(place):
    place.config({"auths": {HERE: login("bob")}})
    place.environ |= variable({"other.example": login("eve")})

    assert ("bob", "s3cret") == place.ask()


@pytest.mark.parametrize(
    "key", ["https://registry.example", "registry.example/", "REGISTRY.example"]
)
def test_docker_looks_for_no_other_spelling_in_its_variable(place, key):
    place.config({"auths": {HERE: login("bob")}})
    place.environ |= variable({key: login("eve")})

    assert ("bob", "s3cret") == place.ask()


def test_docker_hub_is_in_the_variable_under_its_url(place):
    place.environ |= variable({HUB: login("eve"), "docker.io": login("bob")})

    assert ("eve", "s3cret") == place.ask("alpine")


def test_an_entry_of_the_variable_without_a_password_hides_the_file(place):
    place.config({"auths": {HERE: login("bob")}})
    place.environ |= variable({HERE: login("eve", "")})

    assert None is place.ask()


EVE = json.dumps(login("eve"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"auths": 5}',
        '{"auths": {"registry.example": 5}}',
        '{"auths": {"registry.example": {}}}',
        f'{{"auths": {{"registry.example": {EVE}}}, "credsStore": ""}}',
        f'{{"auths": {{"registry.example": {EVE}, "other.example": {{"auth": "!"}}}}}}',
        f'{{"auths": {{"registry.example": {EVE}, "other.example": {{"username": "x"}}}}}}',
        f'{{"auths": {{"registry.example": {EVE}, "other.example": null}}}}',
        f'{{"auths": {{"registry.example": {EVE[:-1]}, "identitytoken": "i"}}}}}}',
        f'{{"auths": {{"registry.example": {EVE}}}}} {{}}',
    ],
)
def test_a_variable_that_says_nothing_is_as_good_as_none(place, text):
    place.config({"auths": {HERE: login("bob")}})
    place.environ["DOCKER_AUTH_CONFIG"] = text

    assert ("bob", "s3cret") == place.ask()


# podman's auth.json.


def test_podmans_file_counts_where_dockers_says_nothing(place):
    place.containers({"auths": {HERE: login("eve")}})
    assert ("eve", "s3cret") == place.ask()

    place.config({"auths": {HERE: login("bob")}})
    assert ("bob", "s3cret") == place.ask()


@pytest.mark.parametrize(
    "entry", [{"auth": basic("nobody:")}, {"username": "nobody"}, {"registrytoken": ""}]
)
def test_an_entry_that_docker_can_make_nothing_of_hides_podmans_file(place, entry):
    place.config({"auths": {HERE: entry}})
    place.containers({"auths": {HERE: login("eve")}})

    assert None is place.ask()


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("registry.example/team/app/web:1", "web"),
        ("registry.example/team/app:1", "app"),
        ("registry.example/team/other", "team"),
        ("registry.example/teams/app", "all"),
        ("registry.example/x", "all"),
        ("registry.example", "all"),
        ("alpine", "hub"),
    ],
)
def test_the_longest_part_of_a_repository_that_has_a_login_wins(place, image, user):
    keys = {"web": "/team/app/web", "app": "/team/app", "team": "/team", "all": ""}
    auths = {f"{HERE}{path}": login(name) for name, path in keys.items()}
    place.containers({"auths": {**auths, "docker.io": login("hub")}})

    assert (user, "s3cret") == place.ask(image)


def test_podmans_files_are_read_in_its_order(place):
    place.environ["XDG_RUNTIME_DIR"] = os.path.join(place.home, "run")
    place.containers({"auths": {HERE: login("config")}})
    assert ("config", "s3cret") == place.ask()

    place.containers({"auths": {"other.example": login("x")}}, folder="run")
    assert ("config", "s3cret") == place.ask()

    place.containers({"auths": {HERE: {}}}, folder="run")
    assert ("config", "s3cret") == place.ask()

    place.containers({"auths": {HERE: login("run")}}, folder="run")
    assert ("run", "s3cret") == place.ask()

    put(os.path.join(place.home, "named.json"), {"auths": {HERE: login("named")}})
    place.environ["REGISTRY_AUTH_FILE"] = os.path.join(place.home, "named.json")
    assert ("named", "s3cret") == place.ask()

    put(os.path.join(place.home, "named.json"), {})
    assert None is place.ask()


@pytest.mark.parametrize(
    ("image", "key"),
    [
        (HERE, "https://registry.example"),
        (HERE, "http://registry.example/v1/"),
        ("registry.example/team/app", "https://registry.example/else"),
        ("alpine", "https://index.docker.io/v1/"),
        ("alpine", "docker.io/library/alpine"),
        ("alpine", "registry-1.docker.io"),
    ],
)
def test_podman_knows_old_spellings_too(place, image, key):
    place.containers({"auths": {key: login("eve")}})

    assert ("eve", "s3cret") == place.ask(image)


@pytest.mark.parametrize(
    "key",
    [
        "registry.example/",
        "registry.example/team/",
        "registry.example/te",
        "ftp://registry.example",
    ],
)
def test_podman_takes_a_path_for_a_part_of_the_registry(place, key):
    place.containers({"auths": {key: login("eve")}})

    assert None is place.ask("registry.example/team/app")


def test_podman_prefers_the_exact_key(place):
    place.containers({"auths": {"https://registry.example": login("bob"), HERE: login("eve")}})

    assert ("eve", "s3cret") == place.ask()


def test_podman_does_not_mind_the_case_of_a_member(place):
    place.helper("one", user="one")
    place.containers({"AUTHS": {HERE: {"Auth": basic("eve:s3cret")}}})
    assert ("eve", "s3cret") == place.ask()

    place.containers({"credhelpers": {HERE: "one"}})
    assert ("one", HERE) == place.ask()


@pytest.mark.parametrize(
    "entry",
    [
        {"username": "bob", "password": "s3cret"},
        {"identitytoken": "i"},
        {"auth": basic("nobody")},
        {"auth": basic("nobody:")},
        None,
    ],
)
def test_what_podman_makes_nothing_of_leaves_it_to_the_next_file(place, entry):
    place.environ["XDG_RUNTIME_DIR"] = os.path.join(place.home, "run")
    place.containers({"auths": {HERE: entry}}, folder="run")
    place.containers({"auths": {HERE: login("eve")}})

    assert ("eve", "s3cret") == place.ask()


def test_podmans_helper_that_has_nothing_leaves_it_to_the_next_file(place):
    place.helper("none", script=NOT_FOUND)
    place.environ["XDG_RUNTIME_DIR"] = os.path.join(place.home, "run")
    place.containers({"auths": {HERE: login("bob")}, "credHelpers": {HERE: "none"}}, folder="run")
    place.containers({"auths": {HERE: login("eve")}})

    assert ("eve", "s3cret") == place.ask()


def test_podmans_identity_token_is_distinguished_from_a_password(place):
    place.containers({"auths": {HERE: {"auth": basic("bob:"), "identitytoken": "i"}}})

    assert ("<token>", "i") == place.ask()


@pytest.mark.parametrize("entry", [{"auth": "s3cret"}, {"auth": 5}, "s3cret", []])
def test_an_entry_that_podman_cannot_decode_is_an_error_and_not_quoted(place, entry):
    place.containers({"auths": {HERE: entry, "other.example": 5}})

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "login-unreadable" == caught.value.code
    assert "s3cret" not in f"{caught.value} {caught.value.hint} {caught.value.__cause__}"


def test_podmans_helpers_are_asked_by_the_host(place):
    place.helper("one", user="one")
    place.containers({"credHelpers": {HERE: "one", "docker.io": "one"}})

    assert ("one", HERE) == place.ask("registry.example/team/app")
    assert ("one", "docker.io") == place.ask("alpine")


@pytest.mark.parametrize("content", [b"{", b"\xff", b'{"auths": "s3cret'])
def test_podmans_damaged_file_is_named_and_not_quoted(place, content):
    place.containers(content)

    with pytest.raises(ConfigError) as caught:
        place.ask()

    assert "auth.json" in caught.value.message
    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.parametrize("content", [b"", b"null", b"[]", {"auths": []}, {"auths": {HERE: {}}}])
def test_podmans_file_may_say_nothing(place, content):
    place.containers(content)

    assert None is place.ask()


def test_a_pipe_in_its_place_is_not_waited_for(place):
    os.mkfifo(os.path.join(place.home, "pipe"))
    place.environ["REGISTRY_AUTH_FILE"] = os.path.join(place.home, "pipe")

    assert None is place.ask()
