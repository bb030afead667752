# SPDX-License-Identifier: MIT
"""
A report as a person and as a program read it.
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
    error=AuthenticationError("docker.io refused the credential", hint="use an access token"),
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
    options = {k: members.pop(k) for k in ("quiet", "colours", "words") if k in members}
    return list(render.lines(report(*outcomes, **members), **options))


def test_one_line_each_aligned_and_below_it_what_to_do():
    expected = """\
logged in   mycompany.azurecr.io  from ACR_CONTAINER_REGISTRY_*, until
                                  2026-11-24T19:10:00Z
refused     docker.io             docker.io refused the credential
                                  (HUB_CONTAINER_REGISTRY_*)
            hint: use an access token"""

    assert expected.splitlines() == lines(OK, REFUSED)


def test_what_is_there_still_is_said_where_nothing_better_was_kept():
    expected = """\
refused     docker.io  docker.io refused the credential
                       (HUB_CONTAINER_REGISTRY_*)
            the previous login was kept
            hint: use an access token"""

    assert expected.splitlines() == lines(replace(REFUSED, stays=True))


def test_a_login_that_nobody_verified_says_so():
    said = "from HUB_CONTAINER_REGISTRY_*, not verified"

    assert [f"logged in   docker.io  {said}"] == lines(
        replace(REFUSED, status="ok", code=None, error=None, kept_in=frozenset({"auths"}))
    )


def test_the_document_is_the_contracts_to_the_letter():
    document = render.document(
        report(OK, REFUSED, findings=[NOTE], error=ConfigError("full", hint="make room"))
    )

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
                    "message": "docker.io refused the credential",
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


def test_what_was_found_wrong_with_a_login_that_went_well_is_below_it():
    said = RegistryError("nothing was asked", hint="expect to see", code="not-checked")

    written = lines(replace(OK, expires_at=None, code=said.code, error=said))

    assert [
        "            not-checked: nothing was asked",
        "            hint: expect to see",
    ] == written[1:]


def test_a_set_without_a_registry_is_called_by_its_id():
    assert lines(replace(REFUSED, registry=None))[0].startswith("refused     HUB  ")


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("it is full", "it is full (HUB_CONTAINER_REGISTRY_*)"),
        ("HUB_CONTAINER_REGISTRY_USER is empty", "HUB_CONTAINER_REGISTRY_USER is empty"),
        ("no kind for HUB_CONTAINER_REGISTRY_*", "no kind for HUB_CONTAINER_REGISTRY_*"),
        ("", "(HUB_CONTAINER_REGISTRY_*)"),
    ],
)
@pytest.mark.parametrize("status", ["rejected", "unverified", "failed", "incomplete", "skipped"])
def test_what_went_wrong_names_its_set_once(message, said, status):
    """
    The registry's name may be masked: what stands in a secrets file is a secret to the CLI.
    """
    error = AuthenticationError(message, hint="")

    written = lines(replace(REFUSED, status=status, error=error))

    assert said == " ".join(" ".join(written).split()).partition("docker.io ")[2]


def test_findings_and_trouble_come_last():
    written = lines(REFUSED, findings=[NOTE], error=ConfigError("full", hint="make room"))

    assert ["refused", "", "note", "", "not written", ""] == [
        line[:12].strip() for line in written if not line.startswith(" " * 14)
    ]


def test_the_token_server_is_named_where_it_is_elsewhere():
    assert "auth.docker.io" in " ".join(lines(replace(OK, realm="auth.docker.io")))


words = st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), min_size=1, max_size=30)
sentences = st.lists(words, min_size=1, max_size=40).map(" ".join)


@given(
    message=sentences,
    hint=sentences,
    registry=st.sampled_from([HERE, LONGEST, LONGER, None]),
    status=st.sampled_from(["ok", "rejected", "skipped", "unchanged", "found", "incomplete"]),
)
def test_no_line_is_longer_than_80_but_for_a_single_word(message, hint, registry, status):
    said = RegistryError(message, hint=hint, code="some-code")
    one = replace(REFUSED, registry=registry, status=status, error=said, code=said.code)
    written = lines(one, OK, findings=[NOTE], error=said)

    for line in written:
        assert len(line) <= 80 or max(map(len, line.split())) > 30, line
        assert line == line.rstrip()


def test_colours_are_around_the_first_word_only():
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
    assert colours == render.has_colours(stream, environ)


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
def test_quiet_is_only_what_changed_or_needs_doing(changes, news):
    one = replace(OK, **changes)

    assert news == render.is_news(one)
    assert news == bool(lines(one, quiet=True))
