# SPDX-License-Identifier: MIT
"""
Every command and snippet in README.md and docs/**: run in its own home, or parsed.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import subprocess
import sys

import pytest
import yaml
from doubles.command_line import set_for
from parts import needed

from devcontainer_registry.commands.parsing.command_line import parser_for
from devcontainer_registry.commands.parsing.usage import UsageError
from devcontainer_registry.discovery.jsonc import plain_json
from devcontainer_registry.testing import LoopbackRegistry
from docs import blocks

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RUN = ("sh", "console", "python", "py")
# The programs that a block may run here: none that installs, removes or pulls.
PROGRAMS = {"cat", "chmod", "devcontainer-registry", "echo", "export", "mkdir", "printf", "umask"}
# In the home of the sandbox only.
ALSO = {"rm -rf ~/.cache/devcontainer-registry"}
PARSED = ("json", "jsonc", "yaml", "toml")
# Output of a program, or a file without a parser.
SHOWN = ("text", "dockerfile", "ini")

# The registry that the docs write about.
HOST = "mycompany.azurecr.io"
USER, PASSWORD = "a-token-of-mine", "its-password"


def ids(found):
    return [str(block) for block in found]


def test_the_docs_have_blocks():
    assert blocks.of("sh", "console")
    assert blocks.of("json", "jsonc")


@pytest.mark.parametrize("page", blocks.pages())
def test_every_block_has_a_language_that_is_checked(page):
    languages = {block.language for block in blocks.blocks_of(page)}

    unknown = languages - {*RUN, *PARSED, *SHOWN}
    assert [] == [language for language in unknown if not language.startswith("{")]


@pytest.mark.parametrize("page", blocks.pages())
def test_a_comment_before_a_block_is_known_to_the_tests(page):
    comments = re.findall(r"<!--.*?-->\s*^```", blocks.text_of(page), re.MULTILINE | re.DOTALL)
    marked = [b for b in blocks.blocks_of(page) if b.reason is not None or b.status]

    assert len(comments) == len(marked)


def test_a_block_that_is_not_run_says_why():
    # `pytest -s` lists them.
    left = [block for block in blocks.BLOCKS if block.reason is not None]
    for block in left:
        print(f"{block}: {block.reason}")

    assert [] == [str(block) for block in left if len(block.reason.split()) < 3]
    assert [] == [str(block) for block in left if block.language in (*SHOWN, *PARSED)]


@pytest.mark.parametrize("page", blocks.pages())
def test_no_command_is_in_a_block_that_is_only_shown(page):
    shown = [block for block in blocks.blocks_of(page) if block.language in SHOWN]

    assert [] == [str(b) for b in shown if re.search(r"^\$ ", b.text, re.MULTILINE)]


@pytest.mark.parametrize("page", blocks.pages())
def test_our_parser_knows_every_command_and_option(page, capsys):
    for command in blocks.our_commands(page):
        status, said = parsed(command, capsys)
        assert 0 == status, f"{command}: {said}"


def parsed(command, capsys):
    """
    Return the exit status of parsing *command*, and the error.
    """
    try:
        words = shlex.split(command)
        parser_for(words, {}).parse_args(words)
    except UsageError as exc:
        return 2, str(exc)
    except SystemExit as exc:
        return exc.code, capsys.readouterr().err
    return 0, ""


def test_our_parser_refuses_a_misspelled_option():
    with pytest.raises(UsageError):
        parser_for(["login"], {}).parse_args(["login", "--stroe", "auths"])


# Files.


@pytest.mark.parametrize("block", blocks.of(*PARSED), ids=str)
def test_a_block_of_data_parses(block):
    match block.language:
        case "json":
            assert json.loads(block.text)
        case "jsonc":
            assert json.loads(plain_json(block.text))
        case "toml":
            assert tomllib.loads(block.text)
        case _:
            assert list(yaml.safe_load_all(block.text))


CONTAINER = {"image", "build", "dockerComposeFile"}
CONFIGURATIONS = [
    block
    for block in blocks.of("json", "jsonc")
    if isinstance(document := json.loads(plain_json(block.text)), dict) and CONTAINER & {*document}
]
COMPOSE = [block for block in blocks.of("yaml") if "services:" in block.text]


@pytest.mark.skipif(not CONFIGURATIONS, reason="no such block")
def test_the_dev_container_cli_reads_every_devcontainer_json(tmp_path):
    cli = needed.devcontainer_cli()
    for number, block in enumerate(CONFIGURATIONS):
        folder = tmp_path / str(number) / ".devcontainer"
        folder.mkdir(parents=True)
        (folder / "devcontainer.json").write_text(block.text)
        done = subprocess.run(
            [
                *(cli, "read-configuration", "--workspace-folder", str(folder.parent)),
                *("--docker-path", "/bin/true"),  # it looks for a container of this folder
            ],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, f"{block}: {done.stderr}"
        read = json.loads(done.stdout)["configuration"]
        assert {*json.loads(plain_json(block.text))} <= {*read}, str(block)


@pytest.mark.parametrize("block", COMPOSE, ids=str)
def test_compose_accepts_every_compose_file(block, tmp_path):
    (tmp_path / "compose.yaml").write_text(block.text)
    done = subprocess.run(
        [os.path.join(os.path.dirname(sys.executable), "docker-compose"), "config", "--quiet"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr


# Commands.


@pytest.fixture(name="registry")
def _registry():
    with LoopbackRegistry({USER: PASSWORD}, images=("team/app:1",)) as registry:
        yield registry.registry


def sandbox(tmp_path, registry):
    """
    The environment of a person who has set CORP, with our programs and nothing else of theirs.
    """
    (tmp_path / "home").mkdir(exist_ok=True)
    (tmp_path / "project").mkdir(exist_ok=True)
    return {
        "HOME": str(tmp_path / "home"),
        "LANG": "C.UTF-8",
        "PATH": f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}",
        **set_for(registry, USER, PASSWORD, set_id="CORP"),
    }


def comparable(text, registry):
    """
    Return *text* without the parts that differ between runs or with the width of a name.
    """
    text = text.replace(registry, HOST)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:]{5,8}Z", "TIME", text)
    text = re.sub(r"\b\d\d:\d\d\b", "TIME", text)
    text = re.sub(r"127\.0\.0\.1:\d+|localhost:\d+", "ADDRESS", text)
    return " ".join(text.split())


@pytest.mark.parametrize("block", blocks.of("sh", "console"), ids=str)
def test_a_block_that_is_run_uses_harmless_programs_only(block):
    """
    A block that needs another program has a comment that says why it is not run.
    """
    for line in block.commands.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#") and line not in ALSO:
            lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
            lexer.whitespace_split = True
            words = list(lexer)
            firsts = [words[0]]
            firsts += [
                after
                for before, after in itertools.pairwise(words)
                if before in ("&&", "||", "|", ";", "(")
            ]
            assert {*firsts} <= PROGRAMS, line
            assert "$(" not in line.replace("$(devcontainer-registry ", ""), line


@pytest.mark.parametrize(
    "page", sorted({block.page for block in blocks.of(*RUN)}), ids=lambda page: page
)
def test_the_commands_of_a_page_run_one_after_the_other(page, tmp_path, registry):
    environ = sandbox(tmp_path, registry)
    for block in [block for block in blocks.of(*RUN) if block.page == page]:
        if block.language in ("sh", "console"):
            test_a_block_that_is_run_uses_harmless_programs_only(block)
        script = block.commands.replace(HOST, registry)
        command = [sys.executable, "-c"] if block.language[:2] == "py" else ["sh", "-euc"]
        done = subprocess.run(
            [*command, script],
            cwd=tmp_path / "project",
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        said = done.stdout + done.stderr
        assert block.status == done.returncode, f"{block}: {said}"
        if block.language == "console" and block.output.strip():
            shown, real = (comparable(text, registry) for text in (block.output, said))
            assert shown in real, f"{block} shows something else"
