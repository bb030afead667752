# SPDX-License-Identifier: MIT
"""
A typo in the name of a variable is one message, and another tool's variable is none.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from doubles.variables import CANARY, ECR, WHOLE, a_set, broken, codes, found, only

from devcontainer_registry.discovery import spelling
from devcontainer_registry.discovery.members import MEMBERS
from devcontainer_registry.logins.candidates import survey
from devcontainer_registry.naming import resembles_a_set

REAL = tuple(
    line
    for line in Path(__file__)
    .with_name("real_variables.txt")
    .read_text(encoding="ascii")
    .splitlines()
    if line and not line.startswith("#")
)
PREFIX = "CORP_CONTAINER_REGISTRY_"


def names(words):
    return "_CONTAINER_REGISTRY_" + words


def edits(word, alphabet):
    """
    Every word one edit away from *word*.
    """
    halves = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    deleted = {a + b[1:] for a, b in halves if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    replaced = {a + letter + b[1:] for a, b in halves if b for letter in alphabet}
    inserted = {a + letter + b for a, b in halves for letter in alphabet}
    return sorted((deleted | swapped | replaced | inserted) - {word})


# A typo that is a right name.


def test_a_typo_is_the_one_message_of_its_set():
    sets = a_set("TYPO", SERVR="registry.example", USER="bob", PASSWORD="s3cret")

    result = found(sets)

    incomplete = broken(result)
    assert ("TYPO", None, False) == (incomplete.id, incomplete.registry, incomplete.empty)
    assert "near-miss" == incomplete.error.code
    assert (
        "TYPO_CONTAINER_REGISTRY_SERVR looks like a typo for TYPO_CONTAINER_REGISTRY_SERVER"
        == incomplete.error.message
    )
    assert "rename it" == incomplete.error.hint
    assert () == result.findings


def test_the_json_document_has_a_typo_once():
    report = survey(found(a_set(SERVER=ECR, USR="bob", PASSWORD=CANARY)))

    (outcome,) = report.outcomes
    assert ("incomplete", "near-miss", ECR) == (outcome.status, outcome.code, outcome.registry)
    assert () == report.findings
    assert CANARY not in repr(report)


@pytest.mark.parametrize(
    "written",
    [
        "CORP_CONTAINER_REGISTY_SERVER",
        "CORP_CONTAINER_REGSITRY_SERVER",
        "CORP_CONTIANER_REGISTY_SERVER",
        "CORP_CONTAINERREGISTRY_SERVER",
        "CORP_CONTAINER_REGISTRIES_SERVER",
        "CORP_CONTAINERS_REGISTRY_SERVER",
        "CORP_CONTAINER_REGISTRY__SERVER",
        "CORP_CONTAINER_REGISTRY-SERVER",
        "CORP_CONTAINER_REGISTRYSERVER",
        "CORPCONTAINER_REGISTRY_SERVER",
        "CORPXCONTAINER_REGISTRY_SERVER",
        "COR_PCONTAINER_REGISTRY_SERVER",
        "CORP_CONTAINER_REGISTRY_SERVERS",
        "CORP_CONTAINER_REGISTRY_SREVER",
        "CORP_CONTAINER_REGISTY_SREVER",
        "CORP_CONTAINER_REGISTRY_URL",
        "CORP_CONTAINER_REGISTRY_HOSTNAME",
        "CORP_CONTAINER_REGISTRY_LOGIN_SERVER",
        "CORP_CONTAINER_REGISTY_HOST",
        "corp_container_registry_server",
        "corp_container_registy_server",
        "corp-container-registry-server",
        "Corp_Container_Registry_Server",
        "CORP_CONTAINER_REGISTRY_server",
    ],
)
def test_a_typo_of_server_is_found_in_its_set(written):
    result = found({written: "registry.example"}, a_set("CORP", USER="bob", PASSWORD="s3cret"))

    error = broken(result).error
    assert f"{written} looks like a typo for {PREFIX}SERVER" == error.message
    assert () == result.findings


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("USERNAME", "USER"),
        ("USERNAM", "USER"),
        ("USR", "USER"),
        ("USERS", "USER"),
        ("USED", "USER"),
        ("PASS", "PASSWORD"),
        ("PASSWD", "PASSWORD"),
        ("TOKEN", "PASSWORD"),
        ("TOKENS", "PASSWORD"),
        ("PASWORD", "PASSWORD"),
        ("PASSWROD", "PASSWORD"),
        ("PSAWORD", "PASSWORD"),
        ("PASWORD_FILE", "PASSWORD_FILE"),
        ("PASSWORD_FIEL", "PASSWORD_FILE"),
        ("PASSWORDFILE", "PASSWORD_FILE"),
        ("TOKEN_FILE", "PASSWORD_FILE"),
    ],
)
def test_a_typo_of_user_or_password_is_found_in_its_set(written, meant):
    members = {**WHOLE, written: "value"}
    del members[meant.removesuffix("_FILE")]

    error = broken(found(a_set("CORP", **members))).error

    assert f"{PREFIX}{written} looks like a typo for {PREFIX}{meant}" == error.message


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("KIN", "KIND"),
        ("IMAGES", "IMAGE"),
        ("IMGAE", "IMAGE"),
        ("CAFILE", "CA_FILE"),
        ("CA_FIEL", "CA_FILE"),
        ("REGON", "REGION"),
        ("SESION_TOKN", "SESSION_TOKEN"),
        ("ROLEARN", "ROLE_ARN"),
        ("PROFIL", "PROFILE"),
        ("TENANT_FIL", "TENANT_FILE"),
        ("TENANT_ID", "TENANT"),
        ("CLIENTID", "CLIENT_ID"),
        ("CLINET_ID", "CLIENT_ID"),
        ("AUDIENCES", "AUDIENCE"),
        ("IDTOKEN", "ID_TOKEN"),
        ("ID_TOKN_FILE", "ID_TOKEN_FILE"),
        ("OIDC_TOKEN", "ID_TOKEN"),
        ("IDENTITY_TOKEN_FILE", "ID_TOKEN_FILE"),
        ("CA_FILE_FLIE", "CA_FILE_FILE"),
    ],
)
def test_a_typo_of_an_optional_member_is_a_finding_and_its_set_is_used(written, meant):
    result = found(a_set("CORP", **WHOLE, **{written: "value"}))

    assert "CORP" == only(result).id
    (finding,) = result.findings
    assert ("near-miss", PREFIX + written) == (finding.code, finding.variable)
    assert f"{PREFIX}{written} looks like a typo for {PREFIX}{meant}" == finding.message


def test_a_set_with_typos_throughout_is_one_message():
    typos = {f"CORP_CONTAINER_REGISTY_{member}": text for member, text in WHOLE.items()}

    result = found(typos)

    assert (
        "CORP_CONTAINER_REGISTY_SERVER, _USER and _PASSWORD look like typos for "
        "CORP_CONTAINER_REGISTRY_SERVER, _USER and _PASSWORD" == broken(result).error.message
    )
    assert "rename them" == broken(result).error.hint
    assert () == result.findings


def test_what_else_a_set_lacks_is_in_the_fix_of_its_typo():
    error = broken(found(a_set("CORP", SERVR="registry.example", USER="bob"))).error

    assert f"rename it and set {PREFIX}PASSWORD" == error.hint


def test_a_typo_of_what_a_platform_could_give_makes_the_set_incomplete():
    """
    A misspelled password does not make the cloud's identity log in instead.
    """
    result = found(a_set(SERVER=ECR, PASSWROD="s3cret"))

    assert "ACR_CONTAINER_REGISTRY_PASSWROD" in broken(result).error.message
    assert "rename it and set ACR_CONTAINER_REGISTRY_USER" == broken(result).error.hint


def test_another_fault_of_the_set_stays_its_error():
    result = found(a_set(SERVER="https://", USR="bob", PASSWORD="s3cret"))

    assert "near-miss" != broken(result).error.code
    assert ["near-miss"] == codes(result)


# One misspelled variable alone.


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("CORP_CONTAINER_REGISTY_SERVER", "CORP_CONTAINER_REGISTRY_SERVER"),
        ("CORP_CONTAINER_REGISTRY_PASWORD", "CORP_CONTAINER_REGISTRY_PASSWORD"),
        ("corp_container_registry_user", "CORP_CONTAINER_REGISTRY_USER"),
        ("acr_CONTAINER_REGISTRY_USR", "acr_CONTAINER_REGISTRY_USER"),
        ("my-acr_CONTAINER_REGISTRY_USER", "my_acr_CONTAINER_REGISTRY_USER"),
        ("2_CONTAINER_REGISTRY_USER", "_2_CONTAINER_REGISTRY_USER"),
    ],
)
def test_a_typo_alone_is_a_finding(written, meant):
    result = found({written: CANARY})

    (finding,) = result.findings
    assert ("near-miss", written) == (finding.code, finding.variable)
    assert f"{written} looks like a typo for {meant}" == finding.message
    assert "rename it" == finding.hint
    assert () == result.secrets + result.incomplete
    assert CANARY not in repr(result)


@pytest.mark.parametrize("server", ["CONTAINER_REGISTRY_SERVER", "_CONTAINER_REGISTRY_SERVER"])
def test_a_set_without_an_id_is_one_finding(server):
    others = {names("USER").strip("_"): "bob", names("PASSWORD").strip("_"): "s3cret"}

    (finding,) = found({server: "registry.example"}, others).findings

    assert ("near-miss", server) == (finding.code, finding.variable)
    assert f"{server} does not begin with an ID" == finding.message
    assert f"such as {server} to CORP_CONTAINER_REGISTRY_SERVER;" in finding.hint


def test_words_of_other_tools_alone_are_a_finding_where_they_make_a_login():
    result = found(a_set("CORP", URL="registry.example", USERNAME="bob", TOKEN="s3cret"))

    (finding,) = result.findings
    assert finding.message.startswith(f"{PREFIX}URL, _USERNAME and _TOKEN look like typos for ")
    assert () == result.incomplete


@pytest.mark.parametrize("value", ["", " "])
def test_an_empty_variable_is_no_typo(value):
    assert [] == codes(found(a_set(SERVR=value, TOKEN=value)))


@pytest.mark.parametrize("extra", ["USERNAME", "TOKEN", "PASWORD", "PASWORD_FILE", "SERVR"])
def test_a_name_beside_the_right_one_is_no_typo(extra):
    assert [] == codes(found(a_set(**WHOLE, **{extra: "value"})))


# Variables of other tools.


def test_the_list_of_real_variables_is_long_and_without_doubles():
    assert len(REAL) >= 500
    assert len(REAL) == len(set(REAL))


@pytest.mark.parametrize(
    "name",
    [
        "ACR\x1b_CONTAINER_REGISTRY_USR",
        "ACR\u00c9_CONTAINER_REGISTRY_USR",
        "DEVCONTAINER_REGISTRY_STORE",
        "X" * 300 + "_CONTAINER_REGISTRY_USR",
    ],
)
def test_an_odd_name_is_no_typo(name):
    assert spelling.typo_of(name) is None


def test_no_real_variable_alone_is_a_typo():
    assert [] == [name for name in REAL if codes(found({name: "value"})) == ["near-miss"]]


def test_all_real_variables_together_are_no_typos():
    result = found(dict.fromkeys(REAL, "value"))

    assert "near-miss" not in codes(result)
    assert () == result.incomplete


@pytest.mark.parametrize("name", ["AZURE_CONTAINER_REGISTRY_NAME", "ACME_CONTAINER_REGISTRY_ID"])
def test_another_tools_variable_beside_a_set_is_no_typo(name):
    identifier = name.partition("_")[0]

    assert [] == codes(found(a_set(identifier, **WHOLE), {name: "value"}))
    assert "missing-member" == (
        broken(found(a_set(identifier, USER="bob"), {name: "value"})).error.code
    )


def test_few_real_variables_cost_a_comparison(monkeypatch):
    compared = []
    align = spelling._align
    monkeypatch.setattr(spelling, "_align", lambda text: compared.append(text) or align(text))

    found(dict.fromkeys(REAL, "value"))

    assert 0 < len(compared) < len(REAL) / 8


# Every single edit.

LETTERS = "AZ_7r"


@pytest.mark.parametrize("member", ["SERVER", "USER", "PASSWORD", "PASSWORD_FILE"])
def test_every_single_edit_of_a_needed_variable_is_the_one_message(member):
    """
    One edit is not found: a letter before the underscore of the infix belongs to another id.
    """
    rest = a_set("CORP", **WHOLE)
    del rest["CORP" + names(member).removesuffix("_FILE")]
    missed = []
    for tail in edits(names(member), LETTERS):
        written = f"CORP{tail}"
        result = found(rest, {written: "value"})
        messages = [i.error.message for i in result.incomplete]
        messages += [finding.message for finding in result.findings]
        if messages != [f"{written} looks like a typo for CORP{names(member)}"]:
            missed.append(tail)

    assert [tail for tail in missed if not tail.endswith(names(member))] == []
    assert {tail.removesuffix(names(member)) for tail in missed} == {*LETTERS}


@pytest.mark.parametrize("member", sorted({*MEMBERS} - {"SERVER", "USER", "PASSWORD"}))
def test_every_single_edit_of_an_optional_variable_is_the_one_message(member):
    rest = a_set("CORP", **WHOLE)
    missed = []
    for word in edits(member, LETTERS):
        result = found(rest, {PREFIX + word: "value"})
        if [f"{PREFIX}{word} looks like a typo for {PREFIX}{member}"] != [
            finding.message for finding in result.findings
        ]:
            missed.append(word)

    assert [] == missed


@pytest.mark.parametrize("member", [*MEMBERS, *(f"{member}_FILE" for member in MEMBERS)])
def test_every_variable_with_one_edit_passes_the_cheap_filter(member):
    assert all(resembles_a_set(f"CORP{tail}") for tail in edits(names(member), "XR_"))
