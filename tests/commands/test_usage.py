# SPDX-License-Identifier: MIT
"""
Wrong usage: suggestions, and the reaction of a hook.
"""

from __future__ import annotations

import os
import re

import pytest
from doubles.command_line import run
from doubles.homes import Home, a_set
from doubles.servers import Fine, Refusing

from devcontainer_registry.commands.parsing.command_line import parser_for
from devcontainer_registry.commands.parsing.settings import PREFIX, misspelled
from devcontainer_registry.commands.parsing.usage import UsageError
from devcontainer_registry.discovery.nearest import edits, nearest

BOB = {"bob": "s3cret-s3cret"}
COMMANDS = (
    *("login", "hook", "list", "status", "doctor", "logout", "export", "kubelet", "demo"),
    *("completion", "help"),
)


@pytest.fixture(name="home")
def _home(tmp_path):
    return Home(tmp_path)


def parsed(*words, environ=None):
    return parser_for(words, environ or {}).parse_args(words)


def refused(*words, environ=None):
    """
    Return the message for *words*, with the fix.
    """
    with pytest.raises(UsageError) as caught:
        parsed(*words, environ=environ)
    return f"{caught.value} {caught.value.fix}".rstrip()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_parsed_as_if_the_parser_knew_all_of_them(command, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    own, whole = parser_for([command], {}), parser_for([], {})
    (subparsers,) = [a for a in own._actions if hasattr(a, "choices") and a.choices]
    (all_subparsers,) = [a for a in whole._actions if hasattr(a, "choices") and a.choices]

    expected = all_subparsers.choices[command]
    found = subparsers.choices[command]
    assert expected.format_help() == found.format_help()
    assert [vars(a)["dest"] for a in expected._actions] == [vars(a)["dest"] for a in found._actions]
    assert tuple(whole.commands) == tuple(own.commands)
    assert [command] == list(subparsers.choices) or command == "help"


# Suggestions.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["statsu"], 'unknown command; did you mean "status"?'),
        (["LOGIN"], 'unknown command; did you mean "login"?'),
        (["logn"], 'unknown command; did you mean "login"?'),
        (["hunter2"], "unknown command run devcontainer-registry --help"),
        (["login", "--stroe", "helper"], "unknown option; did you mean --store?"),
        (["login", "--stroe=helper"], "unknown option; did you mean --store?"),
        (["login", "--veri", "never"], "unknown option; did you mean --verify?"),
        (["login", "--hunter2"], "unknown option run devcontainer-registry login --help"),
        (["hook", "--usr", "vscode", "postStart"], "unknown option; did you mean --user?"),
        (["hook", "postStrat"], "STEP: unknown value; did you mean postStart?"),
        (["hook", "post-start"], "STEP: unknown value; did you mean postStart?"),
        (["hook", "postStartCommand"], "STEP: unknown value; did you mean postStart?"),
        (["login", "--store", "HELPER"], "--store: unknown value; did you mean helper?"),
        (["export", "--format", "dokcer-config"], "unknown value; did you mean docker-config?"),
        (["help", "lgin"], "COMMAND: unknown value; did you mean login?"),
        (["login", "hunter2"], "too many arguments run devcontainer-registry login --help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage_suggests_the_nearest_word_and_never_the_unknown_one(words, said):
    text = refused(*words)

    assert said in text
    assert "hunter2" not in text


def test_arguments_after_two_dashes_and_attached_values_are_parsed():
    assert ["a.example"] == parsed("logout", "--", "a.example").registries
    assert "-" == parsed("export", "--format", "envbuilder", "-o", "-").output
    assert "x" == parsed("export", "--format=envbuilder", "-ox").output


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("ECR", ["ACR"], None),  # another set, not a typo
        ("acr", ["ACR"], "ACR"),
        ("COPR", ["CORP"], "CORP"),
        ("x" * 1000, ["CORP"], None),
        ("", ["CORP"], None),
    ],
)
def test_only_similar_words_are_suggested(word, known, meant):
    assert meant == nearest(word, known)


@pytest.mark.parametrize(
    ("left", "right", "count"),
    [("STOER", "STORE", 1), ("SOTRE", "STORE", 1), ("STRE", "STORE", 1), ("STARS", "STORE", 2)],
)
def test_two_swapped_letters_are_one_edit(left, right, count):
    assert count == edits(left, right) == edits(right, left)


def test_only_a_set_in_another_letter_case_is_named(home):
    sets = a_set("GOOD", "good.example")
    said = {
        word: run(home, "login", "--only", word, sets=sets).stderr
        for word in ("good", "GOOOD", "hunter2")
    }

    assert 'no set "good"; did you mean GOOD?' in said["good"]
    assert "no such set; did you mean GOOD?" in said["GOOOD"]
    assert "no such set; there are: GOOD" in said["hunter2"]


# The hook.


WRONG = [
    (["postStart", "--stroe", "helper"], {}, "did you mean --store?"),
    (["postStart", "--usr", "vscode"], {}, "did you mean --user?"),
    (["postStrat"], {}, "did you mean postStart?"),
    (["nonsense"], {}, "expected onCreate"),
    ([], {}, "STEP"),
    (["postStart", "--user", "no-such-user"], {}, "no such user"),
    (["postStart", "--user", "roott"], {}, "did you mean root?"),
    (["postStart", "--only", "corp"], {}, "did you mean CORP?"),
    (["postStart", "--secrets-file", "/nowhere"], {}, "--secrets-file names no file"),
    (["postStart"], {"STORE": "helpr"}, "did you mean helper?"),
    (["postStart"], {"VERIFY": "nevr"}, "did you mean never?"),
    (["postStart"], {"SECRETS_FILE": "/nowhere"}, "SECRETS_FILE names no file"),
    (["postStart"], {"STOER": "helper"}, f"{PREFIX}STORE?"),
    (["postStart"], {"SECRET_FILE": "/x.json"}, f"{PREFIX}SECRETS_FILE?"),
]


@pytest.mark.parametrize(("words", "settings", "said"), WRONG, ids=range(len(WRONG)))
def test_a_hook_with_a_wrong_word_does_nothing_and_stops_no_start(home, words, settings, said):
    with Refusing() as registry:
        sets = {
            **a_set("CORP", registry.registry),
            **{PREFIX + name: value for name, value in settings.items()},
        }
        ran = run(home, "hook", *words, sets=sets)
        strict = run(home, "hook", *words, "--strict", sets=sets)

    assert (0, "") == (ran.status, ran.stdout)
    assert " ".join(ran.stderr.split()).startswith("devcontainer-registry: nothing done: ")
    assert said in " ".join(ran.stderr.split())
    assert (2, "") == (strict.status, strict.stdout)
    assert said in " ".join(strict.stderr.split())
    assert 0 == registry.asked
    assert [] == os.listdir(home.environ["HOME"])


@pytest.mark.parametrize(
    ("words", "settings", "default"),
    [
        ([], {"TIMEOUT": "soon"}, None),
        (["--timeout", "0"], {}, None),
        ([], {"LOG_LEVEL": "loud"}, "warning"),
        (["--log-level", "loud"], {}, "warning"),
    ],
)
def test_a_bad_timeout_or_log_level_of_a_hook_is_a_warning(words, settings, default):
    environ = {PREFIX + name: value for name, value in settings.items()}
    arguments = parsed("hook", "postStart", *words, environ=environ)

    (warning,) = arguments.warnings
    assert default in (arguments.timeout, arguments.log_level)
    assert all(name in warning for name in environ)
    assert "soon" not in warning
    assert "loud" not in warning
    for other in (["hook", "postStart", "--strict"], ["login"]):
        assert refused(*other, *words, environ=environ)


def test_a_hook_with_a_bad_timeout_logs_in_and_warns_at_each_start(home):
    with Fine(BOB) as registry:
        sets = {**a_set("CORP", registry.registry), f"{PREFIX}TIMEOUT": "soon"}
        ran = [run(home, "hook", "postStart", sets=sets) for _ in range(3)]

    assert {registry.registry: "bob:s3cret-s3cret"} == home.auths
    assert [0, 0, 0] == [one.status for one in ran]
    assert all(f"{PREFIX}TIMEOUT; using 15" in " ".join(one.stderr.split()) for one in ran)


@pytest.mark.parametrize("step", ["poststart", "POSTSTART", "PostStart"])
def test_a_step_is_recognised_in_any_letter_case(step):
    assert "postStart" == parsed("hook", step).step


# Misspelled settings.


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("DEVCONTAINER_REGISTRY_STOER", "STORE"),
        ("devcontainer_registry_store", "STORE"),
        ("DEVCONTAINER_REGISTRY_LOGLEVEL", "LOG_LEVEL"),
        ("DEVCONTAINER_REGISTY_TIMEOUT", "TIMEOUT"),
        ("DEVCONTAINER_REGISTRY_URL", None),
        ("DEVCONTAINER_REGISTRY_CONTAINER_REGISTRY_SERVER", None),
        ("DEVCONTAINER_REGISTRY_STORE", None),
    ],
)
def test_a_setting_within_two_edits_of_a_known_one_is_misspelled(name, meant):
    said = misspelled({name: "x"})

    assert (f"{name} is not a setting; did you mean {PREFIX}{meant}?" if meant else "") == said
    assert "" == misspelled({name: ""})


def test_a_misspelled_setting_stops_a_login_and_is_a_warning_for_other_commands(home):
    sets = {f"{PREFIX}STOER": "helper", **a_set("CORP", "corp.example")}
    login = run(home, "login", sets=sets)
    listed = run(home, "list", sets=sets)

    assert (2, "") == (login.status, login.stdout)
    assert 0 == listed.status
    assert "corp.example" in listed.stdout
    assert f"{PREFIX}STORE?" in " ".join(listed.stderr.split())


# Help.


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_has_examples_that_can_be_parsed(capsys, command):
    with pytest.raises(SystemExit) as ended:
        parsed(*([command] if command else []), "--help")
    text = capsys.readouterr().out

    assert 0 == ended.value.code
    assert [] == [line for line in text.splitlines() if len(line) > 80]
    _, examples = text.split("\nexamples:\n")
    lines = examples.split("\n\n")[0].splitlines()
    begun = [re.split(r"[|<>]", line)[0] for line in lines if line.startswith(("  devc", "  eval"))]
    assert begun
    for line in begun:
        words = line.partition("devcontainer-registry ")[2].rstrip("\\ ").partition(")")[0].split()
        assert parsed(*words).verb == words[0]


@pytest.mark.parametrize("command", ["login", "hook"])
def test_help_explains_each_value_of_store_and_verify(capsys, command):
    with pytest.raises(SystemExit):
        parsed(command, "--help")
    text = capsys.readouterr().out

    for value in ("auto", "auths", "helper", "changed", "always", "never"):
        assert f"\n  {value} " in text


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_equals_its_help_option(command):
    arguments = parsed("help", command)

    text = arguments.parsers[arguments.command].format_help()
    assert text.startswith(f"usage: devcontainer-registry {command} ")
