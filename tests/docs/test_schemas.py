# SPDX-License-Identifier: MIT
"""
The JSON Schemas of the docs, against what the commands print.
"""

from __future__ import annotations

import copy
import json
from pathlib import Path

import jsonschema
import pytest
from doubles.command_line import run, set_for
from doubles.homes import Home
from doubles.servers import Refusing

from devcontainer_registry import report
from devcontainer_registry.testing import LoopbackRegistry

SCHEMAS = Path(__file__).parents[2] / "docs" / "reference" / "schemas"
NAMES = ("login", "status", "doctor")


def schema(name):
    return json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def closed(node):
    """
    The schema *node* without room for members that it does not describe.
    """
    if isinstance(node, dict):
        node = {name: closed(value) for name, value in node.items()}
        if "properties" in node:
            node["additionalProperties"] = False
    elif isinstance(node, list):
        node = [closed(value) for value in node]
    return node


def errors(name, document):
    validator = jsonschema.Draft202012Validator(closed(schema(name)))
    return [error.message for error in validator.iter_errors(document)]


@pytest.fixture(name="documents", scope="module")
def _documents(tmp_path_factory):
    """
    The output of each command with a working login, a refused one and an incomplete set.
    """
    home = Home(tmp_path_factory.mktemp("documents"))
    with LoopbackRegistry({"ann": "pass"}, images=("team/app:1",)) as good, Refusing() as bad:
        sets = {
            **set_for(good.registry, "ann", "pass", set_id="GOOD"),
            **set_for(bad.registry, "ann", "wrong", set_id="BAD"),
            "HALF_CONTAINER_REGISTRY_SERVER": "corp.example",
            "HALF_CONTAINER_REGISTRY_USER": "ann",
            "GOOD_CONTAINER_REGISTRY_REGOIN": "eu-west-1",
        }
        images = [f"{good.registry}/team/app:1", f"{good.registry}/team/app:2", "NOT AN IMAGE"]

        def document(*arguments):
            return run(home, *arguments, "--json", sets=sets).document

        yield {
            "list": document("list"),
            "login": document("login"),
            "hook": document("hook", "postStart"),
            "status": document("status"),
            "doctor": document("doctor", *images),
            "logout": document("logout", "--all"),
        }


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_and_allows_members_of_later_releases(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))

    assert "additionalProperties" not in json.dumps(schema(name))


@pytest.mark.parametrize("command", ["list", "login", "hook", "logout", "status", "doctor"])
def test_a_document_has_the_members_of_its_schema_and_no_others(documents, command):
    assert [] == errors(command if command in NAMES else "login", documents[command])


def test_the_documents_are_not_empty(documents):
    statuses = {one["id"]: one["status"] for one in documents["login"]["registries"]}

    assert {"GOOD": "ok", "BAD": "rejected", "HALF": "incomplete"} == statuses
    assert documents["login"]["findings"]
    assert documents["status"]["registries"]
    assert any(image["cause"] for image in documents["doctor"]["images"])


@pytest.mark.parametrize("command", ["login", "status", "doctor"])
def test_a_member_that_a_schema_lacks_is_detected(documents, command):
    document = copy.deepcopy(documents[command])
    document["surprise"] = 1

    (error,) = errors(command, document)
    assert "surprise" in error


def test_the_statuses_of_the_schema_are_those_of_an_outcome():
    listed = schema("login")["properties"]["registries"]["items"]["properties"]["status"]["enum"]
    source = Path(report.__file__).read_text(encoding="utf-8")

    assert [] == [status for status in listed if f'"{status}"' not in source]
