# SPDX-License-Identifier: MIT
"""
A report as text and as a JSON document.
"""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from doubles.homes import HERE
from hypothesis import given
from hypothesis import strategies as st

from devcontainer_registry.commands import render
from devcontainer_registry.commands.output.table import has_colours
from devcontainer_registry.credentials import Finding
from devcontainer_registry.errors import AuthenticationError, ConfigError, RegistryError
from devcontainer_registry.registry import Registry
from devcontainer_registry.report import LoginReport, Outcome

LONGEST = Registry("123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com")
LONGER = Registry("a" * 60 + ".registry-of-a-very-long-name.corp.example:5000")

OK = Outcome(
    id="ACR",
    registry=Registry("mycompany.azurecr.io"),
    source="ACR_CONTAINER_REGISTRY_*",
    kind="acr",
    status="ok",
    kept_in=frozenset({"auths", "credHelpers"}),
    verified=True,
    expires_at=1_795_547_400.9,
    attempts=2,
    elapsed=0.1234,
)
REFUSED = Outcome(
    id="HUB",
    registry=Registry("docker.io"),
    source="HUB_CONTAINER_REGISTRY_*",
    kind="generic",
    status="rejected",
    attempts=1,
    code="rejected",
    error=AuthenticationError("wrong user name or password", hint="use an access token"),
)
NOTE = Finding(
    code="near-miss",
    message="ACR_CONTAINER_REGISTRY_USERNAME is not read; did you mean _USER?",
    hint="rename it",
    variable="ACR_CONTAINER_REGISTRY_USERNAME",
)


def report(*outcomes, findings=(), error=None, changed=True):
    return LoginReport(
        config="/root/.docker/config.json",
        changed=changed,
        outcomes=outcomes,
        findings=findings,
        error=error,
    )


def lines(*outcomes, **members):
    names = ("quiet", "colours", "summary", "columns", "printed")
    options = {name: members.pop(name) for name in names if name in members}
    return list(render.lines(report(*outcomes, **members), **options))


def test_lines_start_with_the_sets_id_and_end_with_the_fix():
    expected = """\
logged in   ACR  mycompany.azurecr.io  until 2026-11-24T19:10:00Z
refused     HUB  docker.io             wrong user name or password
            fix: use an access token
1 of 2 logged in; fix HUB"""

    assert expected.splitlines() == lines(REFUSED, OK, summary=True)


def test_a_single_registry_has_no_summary():
    assert not any("of 1" in line for line in lines(REFUSED, summary=True))


def test_the_summary_counts_only_verified_logins_that_docker_can_use():
    one = replace(OK, expires_at=None)
    outcomes = [
        one,
        replace(one, id="SAVED", verified=False),
        replace(one, id="HIDDEN", code="hidden-by-credsstore", error=RegistryError("hidden")),
        replace(one, id="SAME", status="unchanged"),
        replace(one, id="DENIED", code="pull-denied", error=RegistryError("denied")),
        replace(REFUSED, id="IMPLICIT", implicit=True),
        replace(one, id="EMPTY", status="skipped", code="not-configured"),
    ]

    last = lines(*outcomes, summary=True)[-1]

    assert "2 of 5 logged in, 1 saved but not verified; fix HIDDEN, DENIED" == last


def test_a_long_summary_is_wrapped():
    outcomes = [replace(REFUSED, id=f"REGISTRY_{number}") for number in range(20)]

    last = " ".join(lines(*outcomes, summary=True)).partition("0 of 20")[2]

    assert {f"REGISTRY_{number}" for number in range(20)} == set(last.replace(",", "").split()[3:])


def test_the_previous_login_is_mentioned_if_no_new_one_was_saved():
    expected = """\
refused     HUB  docker.io  wrong user name or password
            the previous login was kept
            fix: use an access token"""

    assert expected.splitlines() == lines(replace(REFUSED, stays=True))


def test_a_login_that_was_not_verified_is_saved_and_not_logged_in():
    saved = replace(REFUSED, status="ok", code=None, error=None, kept_in=frozenset({"auths"}))

    assert ["saved       HUB  docker.io  not verified"] == lines(saved)


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("pull-denied", "denied"),
        ("image-not-found", "no image"),
        ("hidden-by-credsstore", "not usable"),
        ("login-unreadable", "not usable"),
        ("docker-cannot-read", "not usable"),
    ],
)
def test_a_login_that_docker_cannot_use_is_not_called_logged_in(code, word):
    one = replace(OK, code=code, error=RegistryError("why", hint="do it", code=code))

    assert [
        f"{word:<12}ACR  mycompany.azurecr.io  why",
        "            fix: do it",
    ] == lines(one)


def test_an_implicit_login_that_docker_cannot_use_is_not_called_logged_in_either():
    said = RegistryError("why", hint="do it", code="hidden-by-credsstore")
    one = replace(OK, id="GITHUB_TOKEN", implicit=True, code=said.code, error=said)

    written = lines(one, summary=True)

    assert [
        "not usable  GITHUB_TOKEN  mycompany.azurecr.io  why",
        "            fix: do it",
    ] == written


def test_trouble_with_config_json_is_explained_once():
    kept_back = RegistryError("config.json could not be written", hint="see", code="not-kept")
    outcomes = [
        replace(OK, status="failed", kept_in=frozenset(), code="not-kept", error=kept_back),
        replace(OK, id="B", status="failed", verified=False, code="not-kept", error=kept_back),
        REFUSED,
    ]
    error = ConfigError("/root/.docker/config.json: permission denied", hint="run chown")

    expected = """\
accepted    ACR  mycompany.azurecr.io  not saved
not saved   B    mycompany.azurecr.io
refused     HUB  docker.io             wrong user name or password
            fix: use an access token
not saved   /root/.docker/config.json: permission denied
            fix: run chown
0 of 3 logged in; fix config.json, HUB"""

    assert expected.splitlines() == lines(*outcomes, error=error, summary=True)


def test_the_fix_of_a_finding_is_not_repeated_for_each_registry():
    finding = Finding(code="config-mistyped", message="it is a list", hint="make it an object")
    said = RegistryError("saved, but docker reads none", hint=finding.hint, code=finding.code)
    outcomes = [replace(OK, id=each, code=said.code, error=said) for each in "AB"]

    written = lines(*outcomes, findings=[finding])

    assert 1 == sum(finding.hint in line for line in written)


def test_lines_that_were_printed_as_they_landed_are_not_repeated():
    columns = render.Columns()
    columns.add("LONGER", "mycompany.azurecr.io")
    columns.add(OK.id, OK.registry)
    printed = {
        OK.id: render.success_line(
            columns,
            set_id=OK.id,
            registry=OK.registry,
            realm=OK.realm,
            expires_at=OK.expires_at,
        )
    }
    warned = replace(OK, code="not-delegated", error=RegistryError("nothing renews it"))

    assert [] == lines(OK, columns=columns, printed=printed)
    assert [*printed[OK.id], "            nothing renews it"] == lines(
        warned, columns=columns, printed=printed
    )


def test_the_document_matches_the_contract_exactly():
    document = report(
        OK, REFUSED, findings=[NOTE], error=ConfigError("full", hint="make room")
    ).to_dict()

    assert json.loads(json.dumps(document)) == {
        "version": 1,
        "config": "/root/.docker/config.json",
        "changed": True,
        "error": {"code": "config-error", "message": "full", "hint": "make room"},
        "registries": [
            {
                "id": "ACR",
                "registry": "mycompany.azurecr.io",
                "kind": "acr",
                "source": "ACR_CONTAINER_REGISTRY_*",
                "status": "ok",
                "kept_in": ["auths", "credHelpers"],
                "stays": False,
                "verified": True,
                "expires_at": "2026-11-24T19:10:00Z",
                "attempts": 2,
                "elapsed_ms": 123,
                "realm": None,
                "code": None,
                "error": None,
            },
            {
                "id": "HUB",
                "registry": "docker.io",
                "kind": "generic",
                "source": "HUB_CONTAINER_REGISTRY_*",
                "status": "rejected",
                "kept_in": [],
                "stays": False,
                "verified": False,
                "expires_at": None,
                "attempts": 1,
                "elapsed_ms": 0,
                "realm": None,
                "code": "rejected",
                "error": {
                    "code": "rejected",
                    "message": "wrong user name or password",
                    "hint": "use an access token",
                },
            },
        ],
        "findings": [
            {
                "code": "near-miss",
                "message": "ACR_CONTAINER_REGISTRY_USERNAME is not read; did you mean _USER?",
                "hint": "rename it",
                "variable": "ACR_CONTAINER_REGISTRY_USERNAME",
            }
        ],
    }


def test_a_note_on_a_successful_login_is_below_it():
    said = RegistryError("nothing renews it", hint="run the hook", code="not-delegated")

    written = lines(replace(OK, expires_at=None, code=said.code, error=said))

    assert ["            nothing renews it", "            fix: run the hook"] == written[1:]


def test_a_set_without_a_registry_has_its_id_and_the_message():
    assert (
        "refused     HUB  wrong user name or password" == lines(replace(REFUSED, registry=None))[0]
    )


def test_the_order_is_successes_notes_failures_and_trouble_with_the_file():
    written = lines(
        REFUSED,
        replace(OK, id="SKIPPED", status="skipped", error=RegistryError("by hand")),
        OK,
        findings=[NOTE],
        error=ConfigError("full", hint="make room"),
    )

    assert ["logged in", "skipped", "note", "refused", "not saved"] == [
        line[:12].strip() for line in written if not line.startswith(" ")
    ]


def test_a_token_server_on_another_host_is_named():
    assert "auth.docker.io" in " ".join(lines(replace(OK, realm="auth.docker.io")))


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=30)
sentences = st.lists(words, min_size=1, max_size=40).map(" ".join)


@given(
    message=sentences,
    hint=sentences,
    registry=st.sampled_from([HERE, LONGEST, LONGER, None]),
    status=st.sampled_from(["ok", "rejected", "skipped", "unchanged", "found", "incomplete"]),
)
def test_only_a_single_word_can_be_longer_than_80(message, hint, registry, status):
    said = RegistryError(message, hint=hint, code="some-code")
    one = replace(REFUSED, registry=registry, status=status, error=said, code=said.code)
    written = lines(one, OK, findings=[NOTE], error=said)

    for line in written:
        assert len(line) <= 80 or max(map(len, line.split())) > 30, line
        assert line == line.rstrip()


def test_only_the_first_word_is_coloured():
    plain, coloured = lines(REFUSED), lines(REFUSED, colours=True)

    assert "\x1b[31mrefused\x1b[0m" + plain[0][len("refused") :] == coloured[0]
    assert plain[1:] == coloured[1:]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "colours"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {"TERM": "xterm"}, False),
    ],
)
def test_colours_are_for_terminals_whose_user_wants_them(stream, environ, colours):
    assert colours == has_colours(stream, environ)


@pytest.mark.parametrize(
    ("changes", "news"),
    [
        ({"status": "ok"}, True),
        ({"status": "unchanged"}, False),
        ({"status": "rejected"}, True),
        ({"status": "skipped"}, True),
        ({"status": "skipped", "code": "not-configured"}, False),
        ({"status": "incomplete"}, True),
        ({"status": "skipped", "implicit": True}, False),
        ({"status": "rejected", "implicit": True}, True),
    ],
)
def test_quiet_prints_only_changes_and_required_actions(changes, news):
    one = replace(OK, **changes)

    assert news == render.is_news(one)
    assert news == bool(lines(one, quiet=True))
