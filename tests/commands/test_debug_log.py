# SPDX-License-Identifier: MIT
"""
The debug log's format, and the streams that it must not use.
"""

from __future__ import annotations

import io
import json
import re

import pytest
from doubles.credential_helper import HERE, HOUR, Helper
from doubles.homes import Home, a_set
from doubles.servers import Fine

from devcontainer_registry.commands import log
from devcontainer_registry.commands.cli import main

BOB = {"bob": "s3cret-s3cret"}


def lines(*events, colours=False, width=None, monkeypatch=None):
    stream = io.StringIO()
    if monkeypatch is not None:
        monkeypatch.setattr(log, "_width", lambda _: width)
    tell = log.observer(
        level="debug", log_format="console", hide=str, colours=colours, stream=stream
    )
    for event, fields in events:
        tell(event, **fields)
    return stream.getvalue().splitlines()


def test_a_line_has_the_time_the_event_and_its_fields():
    (line,) = lines(
        ("request.answered", {"method": "GET", "path": "/v2/", "code": None, "ms": 1.5})
    )

    assert re.fullmatch(
        r"\d\d:\d\d:\d\d\.\d{3} request\.answered      method=GET path=/v2/ ms=1\.5", line
    )


def test_control_characters_and_ambiguous_values_are_quoted():
    (line,) = lines(("challenge.received", {"service": "a b\x1b[2J\nx=é", "scope": ["a", "b c"]}))

    assert line.endswith(r'service="a b\u001b[2J\nx=\u00e9" scope=a,"b c"')


@pytest.mark.parametrize("colours", [True, False])
def test_on_a_terminal_fields_continue_on_the_next_line(monkeypatch, colours):
    path = "/root/.cache/registry/x.example.json"
    fields = {"path": path, "bytes": 281, "mode": "0600"}
    found = lines(("cache.written", fields), colours=colours, width=80, monkeypatch=monkeypatch)
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in found]

    assert 2 == len(plain)
    assert all(len(line) <= 80 for line in plain)
    assert plain[1] == f"{'':<35}bytes=281 mode=0600"
    assert colours == (plain != found)


def test_a_warning_is_marked():
    (line,) = lines(("plugin.unusable", {"kind": "acme"}))

    assert line.endswith(" !warning kind=acme")


@pytest.mark.parametrize(
    "command",
    [
        ["login"],
        ["doctor"],
        ["status", "--check"],
        ["logout", "--all"],
        ["export", "--format", "kubernetes-secret"],
        ["hook", "postStart"],
    ],
    ids=" ".join,
)
def test_every_command_logs_its_steps_as_json_on_stderr_only(
    tmp_path, monkeypatch, capsys, command
):
    home = Home(tmp_path)
    monkeypatch.setenv("HOME", home.path)
    with Fine(BOB) as registry:
        for name, value in a_set("CORP", registry.registry).items():
            monkeypatch.setenv(name, value)
        main(["login"])
        capsys.readouterr()
        main([*command, "--log-level", "debug", "--log-format", "json"])

    written = capsys.readouterr()
    told = [json.loads(line) for line in written.err.splitlines()]
    assert all({"event", "level", "timestamp"} <= set(one) for one in told)
    assert '"event"' not in written.out
    expected = "config.replaced" if command[0] == "logout" else "config.read"
    assert expected in [one["event"] for one in told]


def test_the_helper_logs_to_stderr_when_a_variable_says_so_and_is_silent_otherwise(tmp_path):
    helper = Helper(tmp_path)
    helper.keep()
    quiet = helper.get()
    helper.environ["DEVCONTAINER_REGISTRY_LOG_LEVEL"] = "debug"
    loud = helper.get()

    assert "" == quiet.stderr
    assert quiet.stdout == loud.stdout
    assert "helper.answered" in loud.stderr
    assert "verb=get ok=true" in loud.stderr


def test_the_helper_logs_a_renewal_without_its_secrets(tmp_path):
    helper = Helper(tmp_path)
    helper.keep(left=-HOUR)
    helper.see_secrets()
    helper.environ["DEVCONTAINER_REGISTRY_LOG_LEVEL"] = "debug"
    ran = helper.get()

    events = re.findall(r"^\S+ ([a-z_]+\.[a-z_]+)", ran.stderr, re.MULTILINE)
    assert "renewal.started" == next(e for e in events if not e.startswith("variable"))
    assert {"authenticator.chosen", "credential.obtained", "cache.written"} <= set(events)
    assert "helper.answered" == events[-1]
    assert "the-new-one" in ran.stdout
    assert "the-new-one" not in ran.stderr
    assert str(HERE) in ran.stderr
