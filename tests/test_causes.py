# SPDX-License-Identifier: MIT
"""
Each cause is worded once, in `causes/`, and is on the page of all codes.
"""

from __future__ import annotations

import ast
import importlib
import re
import string
from pathlib import Path

import pytest
from doubles.words import CAUSES, CODES, FIXES, REASONS, ROOT

import devcontainer_registry
from devcontainer_registry import DiscoveryError, Finding, TransientError, errors
from devcontainer_registry.causes.cause import Cause, Fix, Reason

PACKAGE = Path(devcontainer_registry.__file__).parent
FOLDER = PACKAGE / "causes"

# Modules that make an error from another's words, or from a table that `causes/` uses.
COPYING = {
    "cache/folder",
    "commands/kubelet",
    "commands/running/copies",
    "diagnosis/credential",
    "diagnosis/sharing",
    "diagnosis/variables",
    "keychain/resolve",
    "config/private_file",
    "errors",
    "helper",
    "logins/asking",
    "logins/outcomes",
    "registry",
}
# Worded in tables below `causes/`, and used there.
OF_LOWER_ROOMS = {
    "FEWER_FILES",
    "IMAGE_INVALID",
    "IMAGE_OF_ANOTHER_REGISTRY",
    "NO_FILE_LEFT",
    "NO_MEMORY",
    "TOO_MANY_OPEN_FILES",
}

# Words with a hyphen that are no codes: parts of hosts and regions, encodings, headers, formats,
# names of SDKs.
NO_CODES = {
    "accept-encoding",
    "assume-role",
    "assume-role-with-web-identity",
    "ecr-login",
    "check-ignore",
    "content-length",
    "proxy-authenticate",
    "transfer-encoding",
    "www-authenticate",
    "x-gzip",
    "config-file",
    "container-role",
    "containers-auth",
    "custom-process",
    "devcontainer-registry",
    "devcontainer-registry-kubelet",
    "devcontainers-oci-auth",
    "docker-config",
    "docker-credential-devcontainer-registry",
    "ecr-public",
    "eu-isoe",
    "github-actions",
    "iam-role",
    "kubernetes-secret",
    "latin-1",
    "not-it",
    "retry-after",
    "shared-credentials-file",
    "sso-oidc",
    "us-east-1",
    "us-iso",
    "us-isob",
    "us-isof",
    "user-agent",
    "utf-8",
    "utf-8-sig",
    "x-access-token",
}


def _modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE)).removesuffix(".py")
        yield name, ast.parse(path.read_text(encoding="utf-8"))


MODULES = dict(_modules())
OTHERS = {name: tree for name, tree in MODULES.items() if not name.startswith("causes/")}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


# The words.


def test_no_message_is_worded_twice():
    messages = [cause.message for cause in CAUSES]

    assert len(CAUSES) > 250
    assert [] == [message for message in set(messages) if messages.count(message) > 1]


def test_a_fix_belongs_to_an_existing_code():
    assert {fix.code for fix in FIXES} - {""} <= {cause.code for cause in CAUSES}


def test_a_reason_fills_an_existing_placeholder():
    texts = [text for cause in CAUSES for text in (cause.message, cause.fix)]
    known = {name for text in (*texts, *(r.text for r in REASONS)) for name in placeholders(text)}
    # `OVER` makes a sentence of an error's own words.
    known.add("message")

    assert {reason.fills for reason in REASONS} <= known


@pytest.mark.parametrize("text", [*(c.fix for c in CAUSES), *(f.text for f in FIXES)])
def test_a_fix_is_one_line_that_ends_without_a_full_stop(text):
    assert text == " ".join(text.split())
    assert not text.endswith(".")


def test_every_cause_is_used_somewhere():
    names = {}
    for module in CODES.modules():
        for name, value in vars(module).items():
            if any(CODES.flat(value)):
                names.setdefault(name, set()).update(map(id, CODES.flat(value)))
    used = {
        node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(getattr(node, "ctx", None), ast.Load) or name not in OTHERS
        if not isinstance(getattr(node, "ctx", None), ast.Store)
    }

    assert set() == names.keys() - used - OF_LOWER_ROOMS


def test_every_code_in_the_package_belongs_to_a_cause():
    codes = {
        node.value
        for name, tree in OTHERS.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if re.fullmatch(r"[a-z]+(?:-[a-z0-9]+)+", node.value)
    }

    assert set() == codes - NO_CODES - {cause.code for cause in CAUSES}


# No words elsewhere.

KINDS = {
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.RegistryError)
} | {"Finding"}


def _is_worded(node):
    """
    Return whether the expression *node* has its own text.
    """
    return any(
        isinstance(part, ast.JoinedStr)
        or (isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value != "")
        for part in ast.walk(node)
    )


def _called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_no_error_and_no_finding_is_worded_outside_of_causes(name):
    for node in ast.walk(OTHERS[name]):
        if isinstance(node, ast.Call):
            made = _called(node) in KINDS
            assert not made or name in COPYING, f"line {node.lineno}: state a cause of causes/"
            words = [*node.args, *(k.value for k in node.keywords)] if made else []
            words += [k.value for k in node.keywords if k.arg in ("hint", "fix")]
            assert not any(map(_is_worded, words)), f"line {node.lineno}: put it into causes/"
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(getattr(target, "attr", "") in ("hint", "message") for target in targets):
            assert not _is_worded(node.value), f"line {node.lineno}: put it into causes/"


@pytest.mark.parametrize("name", sorted(n for n in OTHERS if n.startswith("authenticators/")))
def test_the_explanation_of_a_kind_is_worded_in_causes(name):
    explaining = [
        node
        for node in ast.walk(OTHERS[name])
        if isinstance(node, ast.FunctionDef) and node.name == "explain"
    ]

    for node in (n for function in explaining for n in ast.walk(function)):
        if isinstance(node, ast.Return) and isinstance(node.value, (ast.Constant, ast.JoinedStr)):
            assert not _is_worded(node.value), f"line {node.lineno}: put it into causes/"


# Facts.


def _names_of_causes(tree):
    """
    The names under which a module knows modules of `causes/`, or words in them.
    """
    known = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or "causes" not in (node.module or "").split("."):
            continue
        _, _, below = node.module.partition("causes")
        base = f"devcontainer_registry.causes{below}"
        for alias in node.names:
            try:
                found = importlib.import_module(f"{base}.{alias.name}")
            except ImportError:
                found = getattr(importlib.import_module(base), alias.name)
            known[alias.asname or alias.name] = found
    return known


def _stated(node, known):
    """
    Return the words whose method *node* calls, if that is known.
    """
    if not isinstance(node.func, ast.Attribute) or node.func.attr not in (
        "error",
        "finding",
        "say",
    ):
        return None
    of = node.func.value
    if isinstance(of, ast.Name):
        found = known.get(of.id)
    elif isinstance(of, ast.Attribute) and isinstance(of.value, ast.Name):
        found = getattr(known.get(of.value.id), of.attr, None)
    else:
        return None
    return found if isinstance(found, (Cause, Fix, Reason)) else None


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_every_fact_is_given_when_a_cause_is_stated(name):
    known = _names_of_causes(OTHERS[name])

    for node in ast.walk(OTHERS[name]):
        words = _stated(node, known) if isinstance(node, ast.Call) else None
        given = {keyword.arg for keyword in node.keywords} if words is not None else {None}
        if None in given:  # `**facts`
            continue
        wanted = placeholders(words.message if isinstance(words, Cause) else words.text)
        if isinstance(words, Cause) and node.func.attr != "say":
            wanted |= placeholders(words.fix)
        assert wanted <= given, f"line {node.lineno}: {wanted - given}"


# The page.


def test_the_page_of_all_codes_is_made_from_the_causes():
    page = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")

    assert CODES.page() == page, "run ./dev docs"


def test_a_placeholder_is_shown_in_capitals_and_markdown_is_escaped():
    assert "HOST at 5 of SECONDS s" == CODES.shown("{host} at 5 of {seconds:.0f} s")
    assert r"\*\_USER, \_PASSWORD and CORP_USER" == CODES.shown("*_USER, _PASSWORD and CORP_USER")
    assert r"a \| b" == CODES.shown("a | b")
    assert "&lt;ID> {}" == CODES.shown("<ID> {{}}")


# Stating one.


def test_a_cause_is_stated_as_an_error_of_its_class():
    cause = Cause("a-code", TransientError, "{who} took {seconds:.0f} s", "ask {who}")

    error = cause.error(who="{it}", seconds=1.4)

    assert (TransientError, "a-code") == (type(error), error.code)
    assert ("{it} took 1 s", "ask {it}") == (error.message, error.hint)


def test_a_more_specific_fix_replaces_that_of_the_cause():
    cause = Cause("a-code", DiscoveryError, "{name} is empty", "set {name}")
    fix = Fix("a-code", "in a file", "set {name} in {file}")

    assert "set X in f" == cause.with_fix(fix).error(name="X", file="f").hint
    assert cause is cause.with_fix(None)
    assert "set X" == cause.error(name="X").hint


def test_a_finding_says_the_same_as_the_error():
    cause = Cause("a-code", DiscoveryError, "{name} is empty", "set {name}")

    finding = cause.finding(variable="X", name="X")

    assert Finding(code="a-code", message="X is empty", hint="set X", variable="X") == finding
    assert Finding.of(cause.error(name="X")) != finding
    assert {finding} == {finding, cause.finding(variable="X", name="X")}
    assert "message='X is empty'" in repr(finding)
