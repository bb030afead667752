# SPDX-License-Identifier: MIT
"""
The pages below `docs/`, compared with the code and the files.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from doubles.command_line import environ, run, set_for
from doubles.homes import GOOD, Exchanging, Home, a_secret
from doubles.variables import basic, found

from devcontainer_registry import authenticators
from devcontainer_registry.commands.cli import main
from devcontainer_registry.errors import AuthenticationError
from devcontainer_registry.testing import LoopbackRegistry

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
ROOMS = ("concepts", "kubernetes", "platforms", "reference", "registries", "troubleshooting")
PAGES = sorted(page for room in ROOMS for page in (DOCS / room).rglob("*.md"))
REGISTRIES = [p for p in PAGES if p.parent.name == "registries" and p.stem != "index"]
PLATFORMS = [p for p in PAGES if p.parent.name == "platforms" and p.stem != "index"]
TEXTS = {page: page.read_text(encoding="utf-8") for page in PAGES}
PASSWORD = "s3cret-s3cret"

# With our two programs, as a reader of the page has them.
PATH = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))

_FENCE = re.compile(r"^(```+)[^\n]*\n.*?^\1 *$", re.MULTILINE | re.DOTALL)
_ROW = re.compile(
    r"^\| `(\w+_CONTAINER_REGISTRY_(?:SERVER|USER|PASSWORD))` \|.*\| `(.+)` \|$", re.MULTILINE
)


def named(pages):
    return pytest.mark.parametrize("page", pages, ids=lambda page: str(page.relative_to(DOCS)))


def prose(page):
    return _FENCE.sub("", TEXTS[page])


def headings(page, level):
    return re.findall(rf"^{'#' * level} (.+)$", prose(page), re.MULTILINE)


def section(page, heading):
    return TEXTS[page].partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def test_each_kind_of_page_has_some_pages():
    assert 14 == len(REGISTRIES)
    assert 7 == len(PLATFORMS)


@named(PAGES)
def test_a_page_has_one_title_and_a_description(page):
    described = re.match(
        r'---\nmyst:\n  html_meta:\n    description: "([^"\n]+)"\n---\n', TEXTS[page]
    )

    assert 1 == len(headings(page, 1))
    assert described, "no description"
    assert 20 <= len(described[1]) <= 160


@named(PAGES)
def test_every_link_or_include_of_a_page_has_its_target(page):
    links = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    files = [link.partition("#")[0] for link in links if "://" not in link]
    files += re.findall(r"^```{literalinclude} (\S+)$", TEXTS[page], re.MULTILINE)

    assert [] == [file for file in files if file and not (page.parent / file).is_file()]
    assert [] == [link for link in links if link.startswith("http:")]
    for link in links:
        if "#" in link and "://" not in link:
            file, _, target = link.partition("#")
            text = TEXTS[(page.parent / file).resolve() if file else page]
            assert f"\n({target})=\n#" in text, link


@named(PAGES)
def test_every_repository_path_on_a_page_exists(page):
    paths = re.findall(r"`((?:tests|docs|hooks|devcontainer_registry)/[^`*]+)`", prose(page))

    assert [] == [path for path in paths if not (ROOT / path).exists()]


def test_every_page_is_in_the_menu():
    listed = set()
    for page in (
        DOCS / "index.md",
        *(DOCS / room / "index.md" for room in ("kubernetes", "platforms", "registries")),
    ):
        for tree in re.findall(r"```{toctree}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            names = [line for line in tree.splitlines() if line and not line.startswith(":")]
            listed |= {(page.parent / f"{name}.md").resolve() for name in names}

    assert [] == [page for page in PAGES if page not in listed]


@named(PAGES)
def test_every_code_on_a_page_exists(page):
    known = re.findall(r"^\| `([a-z-]+)` \|", (DOCS / "codes.md").read_text("utf-8"), re.MULTILINE)
    linked = re.findall(r"\[((?:`[^`]+`(?:, )?)+)\]\([./]*codes\.md\)", prose(page))
    codes = {code for link in linked for code in re.findall(r"`([^`]+)`", link)}

    assert set() == codes - set(known)
    assert codes or page not in REGISTRIES


@named(PAGES)
def test_no_page_installs_a_name_that_is_not_registered(page):
    assert [] == re.findall(
        r"(?:pip|pipx|uv|uvx|tool) (?:install|run)? ?['\"]?devcontainer-registry", TEXTS[page]
    )


# Registries.


@named(REGISTRIES)
def test_the_set_on_a_registry_s_page_is_complete_and_of_the_stated_kind(page):
    rows = dict(_ROW.findall(TEXTS[page]))

    result = found(rows)

    assert 3 == len(rows)
    assert ((), ()) == (result.incomplete, result.findings)
    (secret,) = result.secrets
    kind, _ = authenticators.choose(secret, authenticators.load())
    assert [kind] == re.findall(r"^Kind: `(\w+)`\.$", TEXTS[page], re.MULTILINE)


@named(REGISTRIES)
def test_a_registry_s_page_has_a_cloud_identity_if_server_alone_is_enough(page):
    rows = dict(_ROW.findall(TEXTS[page]))
    server = {name: value for name, value in rows.items() if name.endswith("_SERVER")}
    enough = [
        secret
        for secret in found(server).secrets
        if authenticators.is_ambient(authenticators.choose(secret, authenticators.load())[1])
    ]

    assert bool(enough) == ("## Cloud identity" in TEXTS[page])


@named(REGISTRIES)
def test_a_registry_s_page_has_the_fix_that_the_tool_prints(page):
    (secret,) = found(dict(_ROW.findall(TEXTS[page]))).secrets
    _, authenticator = authenticators.choose(secret, authenticators.load())
    refused = AuthenticationError("refused", code="rejected")

    fix = authenticators.explain(authenticator, secret, refused)

    assert fix in re.sub(r"[`*]", "", TEXTS[page])


@named(REGISTRIES)
def test_a_registry_s_page_has_every_required_part(page):
    parts = headings(page, 2)
    token, refusal = section(page, "## Token"), section(page, "## Commonest refusal")

    assert ["Token", "What this tool does"] == parts[:2]
    assert ["Commonest refusal", "Sources"] == parts[-2:]
    assert "To pull" in token
    assert "o push" in token
    assert ["1", "2"] == re.findall(r"^([0-9])\. ", token, re.MULTILINE)
    assert re.search(r"^    \S", refusal, re.MULTILINE)
    assert "\n**Fix:** " in refusal
    assert re.search(r"^- \[[^]]+\]\(https://", section(page, "## Sources"), re.MULTILINE)


# Platforms.


@named(PLATFORMS)
def test_a_platform_s_page_states_visibility_and_untested_parts(page):
    text = TEXTS[page]

    assert ["Secrets", "devcontainer.json", "Who sees what is stored", "What is special"] == (
        headings(page, 2)[:4]
    )
    assert "**Prebuild:**" in section(page, "## Who sees what is stored")
    assert "devcontainer.json\n:language: json" in section(page, "## devcontainer.json")
    assert re.search(r"not run by the tests|was not run|tests run|No test runs", text)


def test_the_command_of_the_compose_file_logs_in(tmp_path):
    home = Home(tmp_path / "home")
    home.environ["PATH"] = PATH
    text = TEXTS[DOCS / "platforms" / "compose.md"]
    compose = yaml.safe_load(re.search(r"```yaml\n(.*?)```", text, re.DOTALL)[1])
    service, password = compose["services"]["dev"], tmp_path / "corp_password"
    password.write_text(f"{PASSWORD}\n", encoding="utf-8")
    assert {"corp_password": {"file": "./corp_password.txt"}} == compose["secrets"]
    with LoopbackRegistry({"ci-pull": PASSWORD}) as registry:
        variables = {
            name: {
                "mycompany.azurecr.io": registry.registry,
                "/run/secrets/corp_password": str(password),
            }.get(value, value)
            for name, value in service["environment"].items()
        }
        *shell, command = service["command"]

        done = subprocess.run(
            [*shell, command.replace("sleep infinity", "echo up")],
            env=environ(home, variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert ["up"] == done.stdout.split()[-1:], done.stderr
    assert {registry.registry: f"ci-pull:{PASSWORD}"} == home.auths


# Commands.


def test_every_command_of_ours_on_a_page_exists(capsys):
    texts = "\n".join((*TEXTS.values(), (ROOT / "SECURITY.md").read_text("utf-8")))
    written = set(re.findall(r"devcontainer-registry ([a-z]+(?: [^`\n)\"';]*)?)[`\n)\"';]", texts))
    shown = {}

    for line in sorted(written):
        command, *words = line.split()
        if command not in shown:
            with pytest.raises(SystemExit) as end:
                main([command, "--help"])
            assert not end.value.code, line
            shown[command] = capsys.readouterr().out
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"{option}\b", shown[command]), line

    assert {"doctor", "export", "hook", "login", "logout", "status"} <= set(shown)


# Troubleshooting.

BY_MESSAGE = DOCS / "troubleshooting" / "by-message.md"


def test_a_message_marked_as_recorded_has_its_recording():
    recorded = (DOCS / "beside.md").read_text(encoding="utf-8")
    parts = re.split(r"^### ", TEXTS[BY_MESSAGE], flags=re.MULTILINE)[1:]
    found = [part.partition("\n")[0] for part in parts if "\nRecorded with docker" in part]

    assert len(found) > 4
    assert [] == [heading for heading in found if heading not in recorded]


def test_every_message_has_its_text_a_code_a_fix_and_a_source():
    for part in re.split(r"^### ", TEXTS[BY_MESSAGE], flags=re.MULTILINE)[1:]:
        heading = part.partition("\n")[0]
        assert re.search(r"^    \S", part, re.MULTILINE), heading
        assert "\nRecorded with docker" in part or re.search(
            r"^Sources?: \[", part, re.MULTILINE
        ), heading
        if "The same cause" not in part and "Search this page" not in part:
            assert "codes.md)" in part, heading
            assert "\n**Fix:** " in part or "| fix |" in part, heading


# Uninstalling.

UNINSTALL = TEXTS[DOCS / "concepts" / "uninstall.md"]


@pytest.mark.parametrize("store", ["auths", "helper"])
def test_the_commands_to_uninstall_leave_only_the_listed_files(tmp_path, store):
    home, others = Home(tmp_path), {"auths": {"ghcr.io": {"auth": "YW5uOnB3"}}}
    home.environ["PATH"] = PATH
    home.write(others)
    logout, remove = re.search(r"```sh\n(.*?)```", UNINSTALL, re.DOTALL)[1].splitlines()
    with LoopbackRegistry({"bob": PASSWORD}) as registry:
        sets = set_for(registry.registry, "bob", PASSWORD)
        run(home, "login", "--store", store, sets=sets)
        assert registry.registry in home.text

        done = run(home, *shlex.split(logout)[1:], sets=sets)
    assert os.listdir(home.cache)
    subprocess.run(["sh", "-c", remove], env=environ(home, {}), check=True)

    assert 0 == done.status, done.stdout
    assert others == json.loads(home.text)
    assert not os.path.exists(home.cache)


def test_the_commands_to_uninstall_the_feature_name_all_that_it_installs():
    feature = ROOT / ".devcontainer" / "features" / "devcontainer-registry" / "install.sh"
    script, name = feature.read_text(encoding="utf-8"), "devcontainer-registry"
    folder = re.search(r"^home=(.+)$", script, re.MULTILINE)[1].replace("$name", name)
    made = re.search(r'for command in "\$name" "(.+?)"; do', script)[1].replace("$name", name)

    removed = set(re.findall(r"(/usr/\S+)", UNINSTALL))

    assert {folder, f"/usr/local/bin/{made}", f"/usr/local/bin/{name}"} <= removed
    assert f"/usr/local/bin/{name}-python" in removed
    assert '"$bin/$name-python"' in script


# Security.


def test_each_promise_has_its_test():
    text = section(DOCS / "concepts" / "security.md", "## What is promised")
    rows = re.findall(r"^\| [A-Z0-9`].+ \| (.+) \|$", text, re.MULTILINE)

    assert len(rows) >= 10
    assert [] == [row for row in rows if not re.match(r"`tests/\S+\.py`", row)]


def test_the_login_s_options_take_no_secret_and_name_each_way_to_keep_one(tmp_path):
    text = section(DOCS / "concepts" / "security.md", "## Where secrets lie")
    shown = run(Home(tmp_path), "login", "--help").stdout
    assert not re.search(r"--\w*(?:password|token|secret)(?!s-file)", shown)

    assert ["auths", "auto", "helper"] == sorted(re.findall(r"^\| `(\w+)`", text, re.MULTILINE))
    assert [] == [store for store in ("auths", "auto", "helper") if store not in shown]


@pytest.mark.parametrize("store", ["auths", "helper"])
def test_the_token_of_a_cloud_is_saved_and_not_the_key(tmp_path, store):
    home, key = Home(tmp_path), "wJalrXUtnFEMI-K7MDENG"
    home.environ["PATH"] = PATH
    with LoopbackRegistry({"bob": PASSWORD}) as registry:
        secret = a_secret("ECR", registry.registry, user="AKIAIOSFODNN7EXAMPLE", password=key)

        report = home.login([secret], store=store, authenticators={"generic": Exchanging(GOOD)})

    assert report.ok, report
    saved = "".join(p.read_text("utf-8", "replace") for p in tmp_path.rglob("*") if p.is_file())
    assert GOOD.secret.reveal() in saved or basic("bob:" + GOOD.secret.reveal()) in saved
    for text in (key, basic(key), basic(f"AKIAIOSFODNN7EXAMPLE:{key}")):
        assert text not in saved


def test_security_md_names_no_address():
    text = (ROOT / "SECURITY.md").read_text(encoding="utf-8")

    assert "private vulnerability reporting" in text
    assert [] == re.findall(r"\S+@\S+|https?://\S+", text)
