# SPDX-License-Identifier: MIT
"""
What users read is plain English: short sentences, no contorted phrases, one fix for one code.
"""

from __future__ import annotations

import argparse
import ast
import re
from pathlib import Path

import pytest
from doubles.words import CAUSES, FIXES, REASONS

import devcontainer_registry
from devcontainer_registry import errors
from devcontainer_registry.commands.parsing import command_line

PACKAGE = Path(devcontainer_registry.__file__).parent
WORDS_MAX = 25

# Contorted phrases, and their replacements.
BANNED = {
    r"\bha(?:s|d|ve) no address\b": "cannot resolve",
    r"\bsomebody\b|\bwhoever\b|\bwhom\b|\bby us\b|\bnobody\b|\beverybody\b": "name the subject",
    r"\bvouch": "certificate authority",
    r"\ball the same\b": "saved unverified; there was no earlier login",
    r"\b(?:is|are) let go\b": "deleted, closed",
    r"\bmend\b": "fix, install, correct",
    r"\bhad for it\b": "the previous login",
    r"\b(?:is|are) kept\b": "saved",
    r"\bwhat is kept\b|\bwhere it is kept\b": "the saved login",
    r"\basks nobody\b": "makes no request",
    r", no more\b": "a verb",
    r", since\b": "a second sentence, or a colon",
    r"\banew\b|\bof its own accord\b|\bbesides\b": "again",
    r"\bis not there\b|\bare not there\b|\bis none\b": "does not exist",
    r"\bcan't\b": "cannot",
    r"\bis no (?:text|URL|UTF-8|file|folder|registry|name|manifest|number|time)\b": "is not a",
    r"\bover which\b|\bin which to\b|\bwith which to\b|\bto which\b": "two sentences",
    r"\bgive it longer\b|\blets? (?:us|in|him)\b": "allow",
    r"(?<![\w<>*])\*_[A-Z]": "the variable's whole name, with <ID>_CONTAINER_REGISTRY_",
}


def _parsers(parser, name):
    yield name, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command, sub in action.choices.items():
                yield from _parsers(sub, f"{name} {command}")


def _helps():
    """
    Yield each text of each `--help`, with its place.
    """
    for name, parser in _parsers(command_line.parser_for((), {}), "devcontainer-registry"):
        yield name, parser.description
        yield name, parser.epilog
        for action in parser._actions:
            yield f"{name} {action.dest}", action.help
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for choice in action._choices_actions:
                    yield f"{name} {choice.dest}", choice.help


# Modules that print, log or show a step, and the calls that contain their words.
SHOWING = ("commands", "diagnosis", "helper", "breakdown", "logins/outcomes")


def _said():
    """
    Yield each text outside of `causes/` that is long enough for a sentence, with its place.
    """
    for path in sorted(PACKAGE.rglob("*.py")):
        name = str(path.relative_to(PACKAGE)).removesuffix(".py")
        if not name.startswith(SHOWING):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        skipped = _docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                skipped |= {id(part) for part in node.values}
                text = "".join(
                    part.value if isinstance(part, ast.Constant) else "X" for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                if id(node) in skipped:
                    continue
                text = node.value
            else:
                continue
            if len(re.findall(r"[a-z]{2,}", text)) > 2:
                yield f"{name}.py:{node.lineno}", text


def _docstrings(tree):
    return {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and node.body
        if isinstance(node.body[0], ast.Expr)
    }


def _texts():
    for cause in CAUSES:
        yield cause.code, cause.message
        yield cause.code, cause.fix
    for fix in FIXES:
        yield fix.code, fix.text
        yield fix.code, fix.where
    for reason in REASONS:
        yield reason.fills, reason.text
    yield from _helps()
    yield from _said()


TEXTS = sorted({(where, text) for where, text in _texts() if text})


def sentences(text):
    """
    Return the sentences of *text*, examples and tables left out.
    """
    prose = "\n".join(line for line in text.splitlines() if not line.startswith("  "))
    return re.split(r"(?<=[.:;!?])\s+|\n\n", " ".join(prose.split()))


def faults(text):
    """
    Return the broken rules in *text*.
    """
    found = [f"{match[0]!r}: say {say}" for match, say in _banned(text)]
    return found + [
        f"{len(each.split())} words: {each}"
        for each in sentences(text)
        if len(each.split()) > WORDS_MAX
    ]


def _banned(text):
    for pattern, say in BANNED.items():
        match = re.search(pattern, text)
        if match:
            yield match, say


def test_every_text_that_a_user_sees_is_checked_against_the_rules():
    places = {where.partition(":")[0] for where, _ in TEXTS}

    assert len(TEXTS) > 1000
    assert {"rejected", "commands/render.py", "helper.py"} <= places
    assert any(where.startswith("devcontainer-registry login") for where, _ in TEXTS)


def test_texts_for_users_are_plain_and_short():
    assert [] == [(where, found) for where, text in TEXTS for found in faults(text)]


@pytest.mark.parametrize(
    "text",
    [
        "corp.example has no address",
        "written, but docker asks P, since our helper is missing",
        "kept all the same",
        "check *_PASSWORD",
        "one " * 26,
    ],
)
def test_a_contorted_or_long_sentence_is_detected(text):
    assert faults(text)


def test_a_code_has_one_fix():
    """
    With more facts, a `Fix` may say more: the page of all codes lists these cases.
    """
    known = {}
    for fix in FIXES:
        known.setdefault(fix.code, set()).add(fix.text)
    fixes = {}
    for cause in CAUSES:
        # "{fix}" passes another cause's fix on.
        if (
            cause.fix not in ("", "{fix}")
            and cause.fix not in known.get(cause.code, set()) | known[""]
        ):
            fixes.setdefault(cause.code, set()).add(cause.fix)

    assert {} == {code: texts for code, texts in fixes.items() if len(texts) > 1}


def test_texts_of_lower_level_modules_are_checked_too():
    tables = [errors.NOT_A_HOST, errors.NOT_AN_IMAGE, errors.ANOTHER_REGISTRYS_IMAGE]

    texts = {text for _, text in TEXTS}

    assert {fix for *_, fix in (*tables, *errors.LIMITS.values())} <= texts
