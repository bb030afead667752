# SPDX-License-Identifier: MIT
"""
The list of events against the code, and the page that is made from it.
"""

from __future__ import annotations

import ast
import importlib.util
import re
from pathlib import Path

import devcontainer_registry
from devcontainer_registry.events import EVENTS, FIELDS, REASONS
from devcontainer_registry.observer import about, ignore, is_observed, listening, observed, tell
from devcontainer_registry.threads import Worker, call_in_thread

PACKAGE = Path(devcontainer_registry.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "events.md"

# Of events whose fields are collected in a variable first.
COLLECTED = {
    "asked": {"method", "host", "path", "provider", "operation"},
    "where": {"registry", "realm", "scope"},
    "facts": {"address", "port", "reason", "bytes", "mode", "created"},
}


def told():
    """
    Return each place that sends an event: its file, the event, and its fields.
    """
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name not in ("tell", "observe", "_observe") or not node.args:
                continue
            names = {
                one.value
                for one in ast.walk(node.args[0])
                if isinstance(one, ast.Constant)
                and re.fullmatch(r"[a-z_]+\.[a-z_]+", str(one.value))
            }
            fields = {keyword.arg for keyword in node.keywords if keyword.arg}
            is_whole = not any(keyword.arg is None for keyword in node.keywords)
            for keyword in node.keywords:
                if keyword.arg is None:
                    fields |= COLLECTED.get(getattr(keyword.value, "id", ""), set())
            for event in names:
                yield path.name, event, fields, is_whole


TOLD = list(told())


def test_every_event_that_is_sent_is_listed_and_every_listed_one_is_sent():
    # The proxy's two events are named by a variable.
    events = {event for _, event, _, _ in TOLD} | {"proxy.chosen", "proxy.bypassed"}

    assert set(EVENTS) == events


def test_every_field_that_is_sent_is_listed():
    unlisted = {
        (file, event, field)
        for file, event, fields, is_whole in TOLD
        for field in fields - set(EVENTS[event].fields.split())
        if is_whole
    }

    assert set() == unlisted


def test_every_listed_field_is_sent_somewhere():
    for event, described in EVENTS.items():
        found = set().union(*(fields for _, one, fields, _ in TOLD if one == event))
        assert event.startswith("proxy.") or set(described.fields.split()) <= found, event


def test_every_used_field_is_described_and_no_other():
    used = {field for event in EVENTS.values() for field in event.fields.split()}

    assert set(FIELDS) == used
    assert {name for name, event in EVENTS.items() if "why" in event.fields.split()} == set(REASONS)


def test_the_page_of_events_is_made_from_the_list():
    spec = importlib.util.spec_from_file_location("page", PAGE.with_suffix(".py"))
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)

    assert made.page() == PAGE.read_text(encoding="utf-8"), "run ./dev docs"


def test_an_observer_that_raises_breaks_nothing():
    def broken(event, /, **fields):
        raise RuntimeError(event, fields)

    with listening(broken):
        tell("login.started", id="A")


def test_no_event_is_sent_outside_and_an_inner_listener_wins():
    outer, inner = [], []

    @observed
    def work(*, observe=ignore):  # noqa: ARG001  (who decorates reads it)
        tell("config.read", path="x")

    with listening(lambda event, **_: outer.append(event)):
        work()
        work(observe=lambda event, **_: inner.append(event))
    tell("config.read", path="x")

    assert (["config.read"], ["config.read"]) == (outer, inner)
    assert not is_observed()


def test_a_thread_inherits_its_listener_and_its_set_from_its_creator():
    events = []

    def work():
        tell("config.read", path="x")

    with listening(lambda event, **fields: events.append((event, fields))), about("CORP"):
        thread = Worker(work)
        call_in_thread(5.0, work)
        call_in_thread(5.0, work, is_seen_off=False)
    thread.start()
    thread.join()

    assert [("config.read", {"id": "CORP", "path": "x"})] * 3 == events
