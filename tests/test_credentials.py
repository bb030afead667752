# SPDX-License-Identifier: MIT
from __future__ import annotations

import copy
import pickle
import traceback

import pytest

from devcontainer_registry.credentials import Credential, RegistrySecret, Secret
from devcontainer_registry.registry import Registry

CANARY = "C4nary-that-n0body-may-see"


@pytest.mark.parametrize("show", [repr, str, "{}".format, "{!r:>20}".format, "%s".__mod__, ascii])
def test_a_secret_does_not_show_itself(show):
    assert CANARY not in show(Secret(CANARY))


def test_a_secret_does_not_even_show_how_long_it_is():
    assert repr(Secret("a")) == repr(Secret("a" * 99))


def test_a_secret_is_revealed_on_purpose_only():
    secret = Secret(CANARY)

    assert secret.reveal() == CANARY
    assert not isinstance(secret, str)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_secret_cannot_be_pickled(protocol):
    credential = Credential(username="bob", secret=Secret(CANARY))

    with pytest.raises(TypeError) as caught:
        pickle.dumps(credential, protocol)

    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_a_copy_of_a_secret_is_the_secret():
    secret = Secret(CANARY)

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret


def test_secrets_are_equal_when_they_hold_the_same():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 1 == len({Secret("a"), Secret("a")})


def test_a_secret_is_true_when_it_holds_something():
    assert Secret("a")
    assert not Secret("")


def test_what_was_found_shows_nothing_that_a_variable_held():
    names = ["username", "kind", "region", "role_arn", "profile", "tenant", "ca_file", "image"]
    found = RegistrySecret(
        id="ACR",
        registry=Registry("mycompany.azurecr.io"),
        source="ACR_CONTAINER_REGISTRY_*",
        secret=Secret(CANARY),
        session_token=Secret(CANARY),
        **dict.fromkeys(names, CANARY),
    )

    assert CANARY not in repr(found)


def test_an_identity_token_is_a_credential_under_dockers_name_for_it():
    credential = Credential.identity_token(Secret(CANARY), issued_at=1.0, expires_at=2.0)

    assert "<token>" == credential.username
    assert credential.is_identity_token
    assert (1.0, 2.0) == (credential.issued_at, credential.expires_at)
    assert CANARY not in repr(credential)


def test_seconds_are_left_until_it_expires():
    credential = Credential(username="bob", secret=Secret("a"), expires_at=100.0)

    assert [40.0, 0.0, -1.0] == [credential.seconds_left(now=now) for now in (60.0, 100.0, 101.0)]
    assert Credential(username="bob", secret=Secret("a")).seconds_left() == float("inf")
    assert not credential.is_identity_token
