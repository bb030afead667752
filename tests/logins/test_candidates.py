# SPDX-License-Identifier: MIT
"""
What is known before any request: which sets are usable, and with which kind.
"""

from __future__ import annotations

import pytest
from doubles.homes import GOOD, HERE, Claiming, Exchanging, Scripted, Told, a_secret, a_set

from devcontainer_registry.discovery import Found, discover
from devcontainer_registry.errors import DiscoveryError, PluginError
from devcontainer_registry.logins.candidates import (
    UnknownSetError,
    chosen,
    incomplete,
    only,
    survey,
)

PLUGINS = {
    "generic": Scripted(GOOD),
    "cloud": Exchanging(GOOD),
    "broken": PluginError("cannot be loaded", code="plugin-broken"),
}


def of(*secrets):
    return Found(secrets=secrets, incomplete=(), findings=())


def test_a_survey_reports_whether_and_by_which_kind_each_set_is_usable():
    found = of(
        a_secret("A", "a.example"),
        a_secret("B", "b.example", kind="cloud", user=None, password=None),
        a_secret("C", "c.example", user=None, password=None),
        a_secret("D", "d.example", kind="broken"),
        a_secret("E", "e.example", kind="hunter2hunter2"),
    )

    report = survey(found, authenticators=PLUGINS, config="/x/config.json")

    assert [
        ("A", "found", "generic", None),
        ("B", "found", "cloud", None),
        ("C", "incomplete", "generic", "missing-member"),
        ("D", "incomplete", "broken", "plugin-broken"),
        ("E", "incomplete", None, "plugin-missing"),
    ] == [(o.id, o.status, o.kind, o.code) for o in report.outcomes]
    assert (False, "/x/config.json", 3) == (report.changed, report.config, report.exit_status)
    assert [o.code for o in report.outcomes] == [o.error and o.error.code for o in report.outcomes]
    assert 0 == PLUGINS["generic"].asked


def test_a_survey_reports_the_cause_for_unreadable_sets():
    found = discover(
        {
            **a_set("A", "a.example", password=""),
            **a_set("B", "", user="", password=""),
            **a_set("C", " c.example "),
        }
    )

    report = survey(found, authenticators=PLUGINS)

    outcomes = {outcome.id: outcome for outcome in report.outcomes}
    assert ("incomplete", "missing-member", "a.example") == (
        outcomes["A"].status,
        outcomes["A"].code,
        outcomes["A"].registry,
    )
    assert ("incomplete", "not-configured", None) == (
        outcomes["B"].status,
        outcomes["B"].code,
        outcomes["B"].registry,
    )
    assert ["A_CONTAINER_REGISTRY_*", "B_CONTAINER_REGISTRY_*"] == [
        outcomes[name].source for name in "AB"
    ]
    assert found.findings == report.findings
    assert ["stripped"] == [finding.code for finding in report.findings]
    assert 3 == report.exit_status


def test_an_empty_set_is_skipped_and_a_malformed_one_is_incomplete():
    found = discover({**a_set("A", "", user="", password=""), **a_set("B", "b@c.example")})

    empty, malformed = incomplete(found)

    assert ("skipped", "not-configured", 0) == (empty.status, empty.code, empty.exit_status)
    assert ("incomplete", "invalid-server", 3) == (
        malformed.status,
        malformed.code,
        malformed.exit_status,
    )
    assert {None} == {empty.kind, malformed.kind}
    assert all(isinstance(outcome.error, DiscoveryError) for outcome in (empty, malformed))


def test_all_installed_authenticators_are_used_by_default():
    report = survey(of(a_secret(registry="mycompany.azurecr.io")))

    assert ["acr"] == [outcome.kind for outcome in report.outcomes]


def test_a_selection_keeps_the_named_sets_and_all_findings():
    found = discover(
        {
            **a_set("A", "a.example"),
            **a_set("B", " b.example "),
            **a_set("C", "c.example", password=""),
            **a_set("D", "d.example", password=""),
        }
    )

    left = only(found, {"B", "D"})

    assert ["B"] == [secret.id for secret in left.secrets]
    assert ["D"] == [broken.id for broken in left.incomplete]
    assert found.findings == left.findings
    assert left.findings
    assert found is only(found, ())


@pytest.mark.parametrize("ids", [["hunter2hunter2"], ["A", "hunter2hunter2"]])
def test_an_unknown_name_is_refused_with_the_known_ones(ids):
    found = discover({**a_set("B", "b.example", password=""), **a_set("A", "a.example")})

    with pytest.raises(UnknownSetError) as caught:
        only(found, ids)

    assert "no such set; there are: A, B" == str(caught.value)
    assert {"A", "B"} == caught.value.known


def test_an_unknown_name_without_any_set_is_refused():
    with pytest.raises(UnknownSetError, match="there are: none"):
        only(of(), ["A"])


def test_an_outcome_has_the_source_and_the_id_of_its_secret():
    told = Told()
    secret = a_secret("MY", implicit=True)
    plugins = {"odd": Claiming(ValueError("x")), **PLUGINS}

    outcome, authenticator = chosen(secret, plugins, observe=told)

    assert ("MY", HERE, "MY_CONTAINER_REGISTRY_*", "found", True) == (
        outcome.id,
        outcome.registry,
        outcome.source,
        outcome.status,
        outcome.implicit,
    )
    assert authenticator is PLUGINS["generic"]
    assert ["plugin.unusable"] == told.events


@pytest.mark.parametrize("kind", ["broken", "hunter2hunter2"])
def test_a_broken_or_missing_kind_chooses_no_authenticator(kind):
    outcome, authenticator = chosen(a_secret(kind=kind), PLUGINS)

    assert ("failed", None) == (outcome.status, authenticator)
    assert "hunter2" not in f"{outcome.kind} {outcome.error.message} {outcome.error.hint}"


def test_missing_members_are_named_with_their_variables():
    outcome, authenticator = chosen(a_secret("MY", user=None, password=None), PLUGINS)

    assert ("incomplete", None) == (outcome.status, authenticator)
    assert HERE in outcome.error.message
    assert "MY_CONTAINER_REGISTRY_USER" in outcome.error.hint
    assert "MY_CONTAINER_REGISTRY_PASSWORD" in outcome.error.hint
