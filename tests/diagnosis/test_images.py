# SPDX-License-Identifier: MIT
"""
Images of whole configurations.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest
from doubles.workspaces import CONFIGURATION, Workspace, lines, messages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from parts import needed

from devcontainer_registry.causes.cause import Cause
from devcontainer_registry.causes.workspace import configuration as causes
from devcontainer_registry.diagnosis.images import FoundImages, images_of
from devcontainer_registry.registry import split_image

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(ROOT, "hooks", "examples")
DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.fixture(name="workspace")
def _workspace(tmp_path):
    return Workspace(tmp_path)


# Shapes of real projects.


def test_a_configuration_with_comments_and_trailing_commas_is_read(workspace):
    found = workspace.found(
        {
            CONFIGURATION: """
                // The team's image.
                {
                  "image": "ghcr.io/team/dev:1", /* "image": "not-this" */
                  "customizations": {"vscode": {"extensions": ["a.b",],},},
                }
                """
        }
    )

    assert () == found.findings
    assert [("image", "ghcr.io/team/dev:1", f"{CONFIGURATION}: image")] == lines(found)


def test_features_of_registries_are_listed_and_others_are_not(workspace):
    found = workspace.found(
        {
            CONFIGURATION: {
                "image": "mcr.microsoft.com/devcontainers/base:bookworm",
                "features": {
                    "ghcr.io/devcontainers/features/node:1": {"version": "20"},
                    "ghcr.io/devcontainers/features/go": {},
                    f"Registry.example:5000/Team/Tools@{DIGEST}": {},
                    "localhost/team/x": "latest",
                    "https://example.com/devcontainer-feature-x.tgz": {},
                    "./local": {},
                    "../outside": {},
                    "/absolute": {},
                    "node": {},
                    "team/features/tools": {},
                    "team/features/tools@v1.0.0": {},
                },
                "overrideFeatureInstallOrder": ["ghcr.io/team/never/listed"],
            },
        }
    )

    where = f"{CONFIGURATION}: feature"
    assert () == found.findings
    assert [
        (
            "image",
            "mcr.microsoft.com/devcontainers/base:bookworm",
            f"{CONFIGURATION}: image",
        ),
        ("feature", "ghcr.io/devcontainers/features/node:1", where),
        ("feature", "ghcr.io/devcontainers/features/go", where),
        ("feature", f"registry.example:5000/team/tools@{DIGEST}", where),
        ("feature", "localhost/team/x", where),
    ] == lines(found)


def test_the_dependencies_of_local_features_are_listed(workspace):
    found = workspace.found(
        {
            CONFIGURATION: {"image": "a", "features": {"./features/tools": {}}},
            ".devcontainer/features/tools/devcontainer-feature.json": """
                {
                  "id": "tools", // ours
                  "dependsOn": {"ghcr.io/team/base:1": {}, "./features/more": {}},
                  "installsAfter": ["ghcr.io/team/never/listed"],
                }
                """,
            ".devcontainer/features/more/devcontainer-feature.json": {
                "id": "more",
                "dependsOn": {"./features/tools": {}, "ghcr.io/team/more": {}},
            },
        }
    )

    folder = ".devcontainer/features"
    assert () == found.findings
    assert [
        ("image", "a", f"{CONFIGURATION}: image"),
        (
            "feature",
            "ghcr.io/team/base:1",
            f"{folder}/tools/devcontainer-feature.json: dependsOn",
        ),
        ("feature", "ghcr.io/team/more", f"{folder}/more/devcontainer-feature.json: dependsOn"),
    ] == lines(found)


def test_a_configuration_is_found_in_every_place(workspace):
    found = workspace.found(
        {
            ".devcontainer/devcontainer.json": {"image": "a"},
            ".devcontainer.json": {"image": "b"},
            ".devcontainer/go/devcontainer.json": {"build": {"dockerfile": "../Dockerfile"}},
            ".devcontainer/python/devcontainer.json": {
                "dockerComposeFile": ["../../compose.yml", "compose.yml"],
                "service": "app",
            },
            ".devcontainer/python/deeper/devcontainer.json": {"image": "no"},
            "devcontainer.json": {"image": "no"},
            ".devcontainer/Dockerfile": "FROM c\n",
            "compose.yml": "services: {app: {image: no}}\n",
            ".devcontainer/python/compose.yml": "services: {app: {image: d}}\n",
        }
    )

    assert () == found.findings
    assert [
        ("image", "a", ".devcontainer/devcontainer.json: image"),
        ("image", "b", ".devcontainer.json: image"),
        ("dockerfile", "c", ".devcontainer/Dockerfile:1: FROM"),
        ("compose", "d", ".devcontainer/python/compose.yml: service app"),
    ] == lines(found)


def test_an_image_is_named_once_for_each_origin(workspace):
    found = workspace.found(
        {
            ".devcontainer/a/devcontainer.json": {"image": "a"},
            ".devcontainer/b/devcontainer.json": {"image": "a"},
            ".devcontainer/c/devcontainer.json": {"build": {"dockerfile": "Dockerfile"}},
            ".devcontainer/c/Dockerfile": "FROM a\nFROM a\n",
        }
    )

    assert [
        ("image", "a", ".devcontainer/a/devcontainer.json: image"),
        ("dockerfile", "a", ".devcontainer/c/Dockerfile:1: FROM"),
    ] == lines(found)


def test_the_configuration_of_this_project_is_resolved():
    image = "mcr.microsoft.com/devcontainers/python:3.12-bookworm"

    found = images_of(ROOT, {})

    assert () == found.findings
    assert [("image", image, f"{CONFIGURATION}: image")] == lines(found)


@pytest.mark.parametrize("example", sorted(os.listdir(EXAMPLES)))
def test_the_configurations_of_the_examples_are_resolved(example):
    found = images_of(os.path.join(EXAMPLES, example), {})

    has_one = os.path.exists(os.path.join(EXAMPLES, example, CONFIGURATION))
    assert () == found.findings
    assert (1 if has_one else 0) == len(found.images)
    for image in found.images:
        assert image.reference.startswith("mcr.microsoft.com/devcontainers/")


# Variables.


@pytest.mark.parametrize(
    ("image", "reference"),
    [
        ("ghcr.io/${localEnv:TEAM}/app", "ghcr.io/blue/app"),
        ("ghcr.io/${env:TEAM}/app", "ghcr.io/blue/app"),
        ("a:${localEnv:NONE:1}", "a:1"),
        ("a:${localEnv:TEAM:1}", "a:blue"),
        ("a${localEnv:EMPTY}", "a"),
        ("ghcr.io/team/${localWorkspaceFolderBasename}", "ghcr.io/team/site"),
        ("ghcr.io/team/${containerWorkspaceFolderBasename}", "ghcr.io/team/site"),
        ("ghcr.io/team${containerWorkspaceFolder}", "ghcr.io/team/workspaces/site"),
        ("ghcr.io/team${localWorkspaceFolder}", "ghcr.io/team{workspace}"),
        ("${localEnv:NONE:ghcr.io/a/b:1}", "ghcr.io/a/b"),
    ],
)
def test_variables_have_the_values_that_the_dev_container_cli_gives_them(
    tmp_path, image, reference
):
    workspace = Workspace(tmp_path.parent / "site")
    shutil.rmtree(workspace.folder, ignore_errors=True)
    environ = {"TEAM": "blue", "EMPTY": ""}
    workspace.write({CONFIGURATION: {"image": image}})
    docker = tmp_path / "docker"
    docker.write_text("#!/bin/sh\n")
    docker.chmod(0o755)

    done = subprocess.run(
        [
            *(needed.devcontainer_cli(), "read-configuration", "--docker-path", str(docker)),
            *("--workspace-folder", str(workspace.folder)),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **environ},
        capture_output=True,
        text=True,
        check=True,
    )

    wanted = reference.replace("{workspace}", str(workspace.folder))
    assert wanted == json.loads(done.stdout)["configuration"]["image"]
    assert [wanted] == workspace.references(**environ)


def test_the_id_of_the_dev_container_is_known(workspace):
    first = workspace.references({CONFIGURATION: {"image": "a:${devcontainerId}"}})
    again = workspace.references()

    assert first == again
    assert len("a:") + 52 == len(first[0])


@pytest.mark.parametrize("kind", ["localEnv", "env"])
def test_a_variable_of_the_host_that_is_not_set_here_is_a_finding(workspace, kind):
    image = f"ghcr.io/${{{kind}:TEAM}}/app"
    found = workspace.found({CONFIGURATION: {"image": image}})

    assert () == found.images
    assert [
        (
            "image-unresolved",
            f"{CONFIGURATION}: image: {image} needs TEAM, which is not set here",
            "set TEAM for this command, or write its value into the file",
        )
    ] == messages(found)
    assert "TEAM" == found.findings[0].variable


def test_a_variable_of_the_container_is_a_finding(workspace):
    found = workspace.found({CONFIGURATION: {"image": "a:${containerEnv:TAG}"}}, TAG="1")

    needs = "needs ${containerEnv:TAG}, which is set only in the container"
    assert () == found.images
    assert [
        (
            "image-unresolved",
            f"{CONFIGURATION}: image: a:${{containerEnv:TAG}} {needs}",
            "set ${containerEnv:TAG} for this command, or write its value into the file",
        )
    ] == messages(found)


def test_a_path_with_a_variable_that_is_not_set_is_a_finding(workspace):
    name = "${localEnv:KIND}.df"
    found = workspace.found({CONFIGURATION: {"build": {"dockerfile": name}}})

    assert [
        (
            "image-unresolved",
            f"{CONFIGURATION}: build.dockerfile: {name} needs KIND, which is not set here",
            "set KIND for this command, or write its value into the file",
        )
    ] == messages(found)


# Findings.


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "not valid JSON (line 1, column 2)"),
        ("", "not valid JSON (line 1, column 1)"),
        ('{\n "image": a\n}', "not valid JSON (line 2, column 11)"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "JSON that is nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "JSON with a number that is too long"),
        ('{"image": 3}', "image is not a string"),
        ('{"image": ["a"]}', "image is not a string"),
        ('{"build": "Dockerfile"}', "build is not an object"),
        ('{"dockerFile": 3}', "build.dockerfile is not a string"),
        ('{"dockerFile": ""}', "build.dockerfile is not the name of a file"),
        ('{"build": {"dockerfile": "../a", "args": []}}', "build.args is not an object"),
        ('{"features": []}', "features is not an object"),
        ('{"dockerComposeFile": 3}', "dockerComposeFile is not a string"),
        ('{"dockerComposeFile": "../a", "service": []}', "service is not a string"),
    ],
)
def test_a_damaged_configuration_is_a_finding(workspace, content, problem):
    found = workspace.found({"a": "FROM scratch\n", CONFIGURATION: content.encode()})

    assert () == found.images
    assert (
        "configuration-damaged",
        f"{CONFIGURATION}: {problem}",
        f"correct {CONFIGURATION}",
    ) == messages(found)[0]


def test_one_damaged_configuration_hides_no_other(workspace):
    found = workspace.found({CONFIGURATION: "{", ".devcontainer.json": {"image": "a"}})

    assert ["a"] == [image.reference for image in found.images]
    assert ["configuration-damaged"] == [finding.code for finding in found.findings]


def test_a_byte_order_mark_and_another_encoding_do_no_harm(workspace):
    content = b'\xef\xbb\xbf{"image": "a" /* caf\xe9 */}'

    assert ["a"] == workspace.references({CONFIGURATION: content})


@pytest.mark.parametrize("image", ["", "a/Upper", "a b", "${unknown}", "a:", "https://a/b"])
def test_an_invalid_reference_is_a_finding(workspace, image):
    found = workspace.found({CONFIGURATION: {"image": image}})

    assert () == found.images
    shown = image or '""'
    assert [
        (
            "image-malformed",
            f"{CONFIGURATION}: image: {shown} is not an image reference",
            "write it as docker pull does: registry/repository:tag",
        )
    ] == messages(found)


def test_a_long_text_is_not_quoted_whole(workspace):
    found = workspace.found({CONFIGURATION: {"image": "A" * 5000}})

    assert len(found.findings[0].message) < 300


def test_the_value_of_a_variable_is_never_shown(workspace):
    found = workspace.found({CONFIGURATION: {"image": "a:${localEnv:IT}"}}, IT="s3cret s3cret")

    assert () == found.images
    assert "s3cret" not in repr(found)


# Unreadable files.


@pytest.mark.parametrize("make", ["pipe", "folder", "link to nowhere", "link to itself", "device"])
@pytest.mark.parametrize("name", [CONFIGURATION, ".devcontainer.json"])
def test_an_unreadable_file_is_a_finding(workspace, make, name):
    path = workspace.folder / name
    path.parent.mkdir(exist_ok=True)
    if make == "pipe":
        os.mkfifo(path)
    elif make == "folder":
        path.mkdir()
    else:
        target = {"device": "/dev/zero", "link to itself": path}.get(make, "nowhere")
        path.symlink_to(target)

    found = workspace.found()

    said = {
        "pipe": ("configuration-unreadable", f"{name}: cannot read {name}: not a regular file"),
        "device": ("configuration-unreadable", f"{name}: cannot read {name}: not a regular file"),
        "folder": ("configuration-unreadable", f"{name}: cannot read {name}: is a directory"),
        "link to nowhere": ("configuration-missing", f"{name}: {name} does not exist"),
        "link to itself": (
            "configuration-unreadable",
            f"{name}: cannot read {name}: too many levels of symbolic links",
        ),
    }
    assert [said[make]] == [message[:2] for message in messages(found)]


def test_a_file_that_is_too_large_is_a_finding(workspace):
    found = workspace.found({CONFIGURATION: b" " * 1024 * 1024 + b"{}"})

    assert [
        (
            "configuration-unreadable",
            f"{CONFIGURATION}: cannot read {CONFIGURATION}: larger than 1024 KiB",
            f"make {CONFIGURATION} a readable file of at most 1 MiB",
        )
    ] == messages(found)


@pytest.mark.parametrize("place", ["nothing", "file", "pipe"])
def test_a_workspace_without_a_configuration_has_no_images(workspace, place):
    path = workspace.folder / ".devcontainer"
    if place == "file":
        path.write_text("")
    elif place == "pipe":
        os.mkfifo(path)

    assert FoundImages(images=(), findings=()) == workspace.found()


def test_a_workspace_that_does_not_exist_has_no_images():
    assert FoundImages(images=(), findings=()) == images_of("/nowhere/at/all", {})
    assert FoundImages(images=(), findings=()) == images_of("no\0where", {})


def test_a_folder_that_cannot_be_listed_is_a_finding(workspace):
    (workspace.folder / ".devcontainer").symlink_to(".devcontainer")

    found = workspace.found()

    reason = "too many levels of symbolic links"
    assert f".devcontainer: cannot read .devcontainer: {reason}" in [
        finding.message for finding in found.findings
    ]


@pytest.mark.parametrize("name", ["a\x00b", "\ud800", "a\nb"])
def test_an_invalid_file_name_is_a_finding_in_one_line(workspace, name):
    found = workspace.found(
        {
            ".devcontainer/a/devcontainer.json": {"dockerFile": name},
            ".devcontainer/b/devcontainer.json": {"dockerComposeFile": name},
            ".devcontainer/c/devcontainer.json": {"image": "a", "features": {f"./{name}": {}}},
        }
    )

    assert {"configuration-missing"} == {finding.code for finding in found.findings}
    for finding in found.findings:
        assert finding.message.isprintable()


def test_every_cause_has_one_fix_that_begins_with_a_verb():
    fixes = {}
    for cause in vars(causes).values():
        if isinstance(cause, Cause):
            fixes.setdefault(cause.code, set()).add(cause.fix)

    verbs = {"correct", "create", "define", "look", "make", "set", "split", "write"}
    assert {1} == {len(fix) for fix in fixes.values()}
    assert verbs == {next(iter(fix)).split()[0] for fix in fixes.values()}


# Any content of the files.

_PIECES = st.sampled_from(
    [
        *(
            "FROM ",
            "ARG ",
            "COPY --from=",
            "RUN --mount=from=",
            "<<EOF",
            "\n",
            "\\\n",
            "# escape=`\n",
        ),
        *(
            "${",
            "}",
            "$A",
            ":-",
            "image: ",
            "services:\n",
            "  app: ",
            "{",
            "[",
            "*a",
            "&a ",
            "<<: ",
        ),
        *(
            "include: ",
            "extends: ",
            "compose.yml",
            "build: .",
            "!reset ",
            "!override ",
            "- ",
            "'",
            '"',
        ),
        *('{"image": "', '"features": {"', "./x", ",", "//", "/*", "\ufeff", "a=", "export "),
        *("dockerfile_inline: ", "profiles: ", "depends_on: ", "!!int x", "0x", "\ud800", "\x00"),
    ]
)
_TEXT = st.lists(_PIECES | st.text(max_size=3), max_size=25).map("".join)
_CONTENT = st.binary(max_size=60) | _TEXT.map(lambda text: text.encode("utf-8", "surrogatepass"))
_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = st.sampled_from(
    [
        *("image", "dockerFile", "build", "dockerComposeFile", "service", "runServices"),
        *("features", "workspaceFolder", "context"),
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    config=_CONTENT | st.dictionaries(_MEMBERS, _VALUE).map(lambda d: json.dumps(d).encode()),
    kind=st.sampled_from(["config", "dockerfile", "compose", "inline", "feature", "service"]),
    contents=st.tuples(_CONTENT, _CONTENT),
    value=_VALUE,
)
def test_no_content_of_a_file_raises_an_error(workspace, config, kind, contents, value):
    content, other = contents
    services = {"services": {"app": value, "b": {"build": value, "image": "a", "extends": value}}}
    files = {
        "config": {CONFIGURATION: config},
        "dockerfile": {
            CONFIGURATION: {"build": {"dockerfile": "Dockerfile", "args": {"A": "x"}}},
            ".devcontainer/Dockerfile": content,
        },
        "compose": {
            CONFIGURATION: {"dockerComposeFile": ["../compose.yml", "../more.yml"]},
            "compose.yml": content,
            "more.yml": other,
            ".env": other,
        },
        "inline": {
            CONFIGURATION: {"dockerComposeFile": "../compose.yml"},
            "compose.yml": {"services": {"app": {"build": {"dockerfile_inline": str(content)}}}},
        },
        "feature": {
            CONFIGURATION: {"image": "a", "features": {"./x": {}}},
            ".devcontainer/x/devcontainer-feature.json": content,
        },
        "service": {
            CONFIGURATION: {"dockerComposeFile": "../compose.yml", "service": "app"},
            "compose.yml": services,
        },
    }

    found = workspace.found(files[kind], A="1")

    for image in found.images:
        split_image(image.reference)
        assert image.where.isprintable()
    for finding in found.findings:
        assert finding.message.isprintable()
        assert finding.hint.isprintable()
