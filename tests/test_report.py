# SPDX-License-Identifier: MIT
"""
What outcomes add up to.
"""

from __future__ import annotations

import pytest
from fakes import HERE

from devcontainer_registry.credentials import Finding
from devcontainer_registry.errors import (
    AuthenticationError,
    ConfigError,
    DiscoveryError,
    PluginError,
    RegistryError,
    TransientError,
)
from devcontainer_registry.report import LoginReport, Outcome


def outcome(status, error=None, **members):
    code = members.pop("code", error.code if error else None)
    values = {"id": "ACR", "registry": HERE, "source": "ACR_CONTAINER_REGISTRY_*", "kind": "acr"}
    return Outcome(**{**values, **members}, status=status, code=code, error=error)


def report(*outcomes, **members):
    return LoginReport(config="/c/config.json", changed=False, outcomes=outcomes, **members)


WELL = outcome("ok")
REFUSED = outcome("rejected", AuthenticationError("no"))
UNREACHED = outcome("unverified", TransientError("busy"))
INCOMPLETE = outcome("incomplete", DiscoveryError("no password"))
NOT_KEPT = outcome("failed", RegistryError("x", code="not-kept"))


@pytest.mark.parametrize(
    ("one", "status"),
    [
        (WELL, 0),
        (outcome("unchanged"), 0),
        (outcome("found"), 0),
        (outcome("skipped", RegistryError("x", code="other-helper")), 0),
        (outcome("skipped", DiscoveryError("x", code="not-configured")), 0),
        (outcome("incomplete", DiscoveryError("x"), code="not-configured"), 0),
        (outcome("ok", RegistryError("x", code="not-checked")), 0),
        (outcome("ok", RegistryError("x", code="not-delegated")), 0),
        (outcome("ok", RegistryError("x", code="written-in-snapshot")), 0),
        (INCOMPLETE, 3),
        (outcome("failed", PluginError("x")), 3),
        (REFUSED, 4),
        (outcome("ok", RegistryError("x", code="pull-denied")), 4),
        (outcome("ok", RegistryError("x", code="image-not-found")), 4),
        (UNREACHED, 5),
        (outcome("failed", TransientError("x")), 5),
        (outcome("failed", RegistryError("x", code="not-a-registry")), 5),
        (NOT_KEPT, 6),
        (outcome("failed", ConfigError("x")), 6),
        (outcome("ok", RegistryError("x", code="hidden-by-credsstore")), 6),
    ],
    ids=lambda value: f"{value.status}-{value.code}" if isinstance(value, Outcome) else str(value),
)
def test_each_outcome_has_its_exit_status(one, status):
    assert status == report(one).exit_status
    assert (status == 0) == report(one).ok


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ((), 0),
        ((WELL, INCOMPLETE), 3),
        ((WELL, INCOMPLETE, UNREACHED), 5),
        ((UNREACHED, INCOMPLETE, REFUSED), 4),
        ((REFUSED, NOT_KEPT, UNREACHED, INCOMPLETE), 6),
    ],
)
def test_of_several_six_wins_then_four_then_five_then_three(outcomes, status):
    assert status == report(*outcomes).exit_status
    assert status == report(*reversed(outcomes)).exit_status


def test_trouble_with_config_json_is_six():
    assert 6 == report(WELL, error=ConfigError("x")).exit_status
    assert 6 == report(error=ConfigError("x")).exit_status


def test_findings_alone_are_no_failure():
    finding = Finding(code="near-miss", message="x", hint="y", variable="Z")

    assert 0 == report(WELL, findings=(finding,)).exit_status


@pytest.mark.parametrize("one", [REFUSED, UNREACHED, INCOMPLETE, NOT_KEPT], ids=lambda o: o.status)
def test_what_nobody_asked_for_never_changes_the_exit_status(one):
    implicit = outcome(one.status, one.error, implicit=True)

    assert 0 == report(implicit).exit_status
    assert 0 == report(implicit, error=ConfigError("x")).exit_status
    assert 4 == report(implicit, REFUSED).exit_status
