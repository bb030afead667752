# SPDX-License-Identifier: MIT
"""
For authors of authenticators: the documented plugin, and mistakes in a contract's test.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import unittest
from contextlib import contextmanager
from pathlib import Path

import pytest

from devcontainer_registry.testing import AuthenticatorContract

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
GENERIC = "devcontainer_registry.authenticators.generic:GenericAuthenticator"

TEST = """
from devcontainer_registry.testing import AuthenticatorContract


class TestExample(AuthenticatorContract):
    target = "example_plugin:ExampleAuthenticator"
    ours = ("eu.registry.example", "us-1.registry.example")
"""


def snippets():
    for page in PAGES:
        for block in re.findall(r"(?ms)^```python\n(.*?)^```", page.read_text("utf-8")):
            if "class ExampleAuthenticator" in block:
                yield block


@pytest.fixture(name="plugin", scope="module")
def _plugin(tmp_path_factory):
    """
    The folder of a plugin, as in the documentation.
    """
    *_, block = snippets()
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "example_plugin.py").write_text(block, encoding="utf-8")
    (folder / "test_example.py").write_text(TEST, encoding="utf-8")
    return folder


def run(folder, *words):
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_documented_plugin_keeps_the_contract(plugin):
    done = run(plugin, "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=.")

    assert 0 == done.returncode, done.stdout
    assert re.search(r"^6 passed, 4 skipped", done.stdout, re.MULTILINE), done.stdout


def test_the_documented_plugin_passes_mypy_strict(plugin):
    (plugin / "wrong.py").write_text(
        "import devcontainer_registry as r\nfrom example_plugin import ExampleAuthenticator\n"
        "one: r.Authenticator = ExampleAuthenticator()\nother: r.Authenticator = 5\n"
    )
    mypy = ("mypy", "--strict", "--config-file=", "--follow-imports=silent")

    done = run(plugin, *mypy, "example_plugin.py", "wrong.py")

    # The intended type errors, and no others.
    assert ["wrong.py:4"] == re.findall(r"^\w+\.py:\d+", done.stdout, re.MULTILINE), done.stdout


# Mistakes in a contract's test.


def contract(**members):
    return type("TestMine", (AuthenticatorContract,), members)()


def failure(test, **members):
    with pytest.raises((AssertionError, NotImplementedError)) as caught:
        getattr(contract(**members), test)()
    return str(caught.value)


class Needy:
    def __init__(self, vault):
        self.vault = vault

    def matches(self, registry):
        raise NotImplementedError

    authenticate = matches


class Half:
    def matches(self, registry):
        raise NotImplementedError


class Exchanging:
    def matches(self, registry):  # noqa: ARG002
        return False

    def exchanges(self, secret):  # noqa: ARG002
        return True

    def authenticate(self, secret, *, timeout):
        raise NotImplementedError


HERE = {name: value for name, value in globals().items() if isinstance(value, type)}


@pytest.fixture(name="_module", autouse=True)
def _module_of_mistakes(monkeypatch):
    """
    The classes above, in a module that can be imported.
    """
    module = type(sys)("mistakes")
    vars(module).update({name: HERE[name] for name in ("Needy", "Half", "Exchanging")})
    monkeypatch.setitem(sys.modules, "mistakes", module)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (None, 'TestMine.target is not set: write target = "my_package.registry:MyAuthenticator"'),
        ("", "target is not set: write target ="),
        (Half, f'TestMine.target is a class: write target = "{Half.__module__}:Half"'),
        ("mistakes", "'mistakes', not module:Class: write target ="),
        ("mistakes:", "not module:Class"),
        (5, "TestMine.target is 5, not module:Class"),
        (
            "no_such_module:A",
            "names the module no_such_module, which cannot be imported: No module",
        ),
        ("no_such_module:A", "Install your package in this environment, or correct the name"),
        ("mistakes:Exchangin", "the class Exchangin, which mistakes does not have; it has "),
        ("mistakes:Exchangin", "Needy, Exchanging"),
        ("mistakes:Half", "names mistakes:Half, which has no method authenticate"),
        ("mistakes:Needy", "cannot be made without arguments, as the entry point's is: "),
    ],
)
@pytest.mark.parametrize("test", ["test_it_claims_its_own", "test_matching_loads_no_sdk"])
def test_a_wrong_target_fails_with_the_fix(test, target, said):
    members = {} if target is None else {"target": target}

    assert said in failure(test, ours=("a.example",), **members)


@pytest.mark.parametrize(
    ("member", "value", "said"),
    [
        (
            "ours",
            "a.example",
            "TestMine.ours is one text, not a tuple: write ours = ('a.example',)",
        ),
        ("also_ours", "a.example", "write also_ours = ('a.example',)"),
        ("sdk", "boto3", "write sdk = ('boto3',)"),
        ("ours", None, 'TestMine.ours is not a tuple of texts: write ours = ("...",)'),
        ("ours", ("https://a.example/b c",), "TestMine.ours has 'https://a.example/b c': not the"),
    ],
)
def test_a_wrong_member_fails_with_the_fix(member, value, said):
    test = "test_matching_loads_no_sdk" if member == "sdk" else "test_it_claims_its_own"

    assert said in failure(test, target=GENERIC, **{member: value})


@contextmanager
def nothing(_contract):
    yield None


def without_with(contract):
    yield contract.secret()


@pytest.mark.parametrize(
    ("members", "said"),
    [
        (
            {},
            "TestMine needs a method refusal(self), with @contextmanager, that yields self.secret",
        ),
        ({"refusal": without_with}, "TestMine needs a method refusal(self), with @contextmanager"),
        ({"refusal": nothing}, "refusal has to yield a RegistrySecret: write yield self.secret()"),
    ],
)
def test_a_kind_that_exchanges_is_asked_to_show_a_refusal(members, said):
    test = "test_a_refusal_is_an_authentication_error"

    assert said in failure(test, target="mistakes:Exchanging", **members)


def test_a_host_without_a_dot_is_accepted():
    contract(target=GENERIC, ours=("localhost:5000",)).test_it_claims_nobody_elses()


def test_unittest_shows_the_fix_as_well():
    class Forgotten(AuthenticatorContract, unittest.TestCase):
        pass

    result = unittest.TestResult()
    Forgotten("test_it_claims_its_own").run(result)

    ((_, text),) = result.failures
    assert "Forgotten.target is not set" in text
