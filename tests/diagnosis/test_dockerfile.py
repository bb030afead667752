# SPDX-License-Identifier: MIT
"""
Images of Dockerfiles.
"""

from __future__ import annotations

import os

import pytest
from doubles.workspaces import CONFIGURATION, Workspace, dockerfile, lines, messages

WHERE = ".devcontainer/Dockerfile"


@pytest.fixture(name="workspace")
def _workspace(tmp_path):
    return Workspace(tmp_path)


def test_stages_are_not_images_and_each_image_has_its_line(workspace):
    found = workspace.found(
        dockerfile(
            """
            # syntax=docker/dockerfile:1.7
            ARG REGISTRY=registry.example:5000
            ARG NODE=20 VARIANT="bookworm slim"

            # The tools.
            FROM --platform=$BUILDPLATFORM ${REGISTRY}/node:${NODE}-slim AS Tools
            RUN npm ci

            FROM tools AS test
            from ghcr.io/team/base@sha256:0123456789abcdef0123456789abcdef as base
            COPY --from=tools --chown=me /a /b
            COPY --from=0 /a /b
            COPY --chown=me --from=ghcr.io/team/assets:2 /a /b
            ADD --from=nothing /a /b
            FROM scratch
            COPY --from=TEST /a /b
            """
        )
    )

    assert () == found.findings
    assert [
        ("dockerfile", "registry.example:5000/node:20-slim", f"{WHERE}:6: FROM"),
        (
            "dockerfile",
            "ghcr.io/team/base@sha256:0123456789abcdef0123456789abcdef",
            f"{WHERE}:10: FROM",
        ),
        ("dockerfile", "ghcr.io/team/assets:2", f"{WHERE}:13: COPY --from"),
    ] == lines(found)


@pytest.mark.parametrize(
    ("text", "references"),
    [
        # Heredocs.
        ("FROM a\nRUN <<EOF\nFROM b\nEOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN cat <<-'EOF' > /x\n\tFROM b\n\tEOF\nFROM c\n", ["a", "c"]),
        ('FROM a\nCOPY <<"A B" <<C /x/\nFROM b\nA B\nFROM d\nC\nFROM c\n', ["a", "c"]),
        ("FROM a\nRUN cat << EOF\nFROM b\nEOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN 3<<EOF cat\nFROM b\n EOF\nEOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nONBUILD RUN <<EOF\nFROM b\nEOF\nFROM c\n", ["a", "c"]),
        ('FROM a\nRUN ["cat", "<<EOF"]\nFROM c\n', ["a", "c"]),
        ('FROM a\nRUN echo "<<EOF"\nFROM c\n', ["a", "c"]),
        ("FROM a\nRUN echo 1<<2\nFROM c\n2\n", ["a"]),
        ("FROM a\nRUN echo x<<EOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nENV X=<<EOF\nFROM c\n", ["a", "c"]),
        ("FROM a\nRUN <<$X\nFROM b\n$X\nFROM c\n", ["a", "c"]),
        # Continuations and comments.
        ("FROM \\\n  a \\\n  AS b\nFROM b\n", ["a"]),
        ("FROM \\\n# FROM x\n\n  # y\na\n", ["a"]),
        ("FROM a\nRUN x \\\nFROM b\n", ["a"]),
        ("FROM a\nRUN x \\  \nFROM b\n", ["a"]),
        ("FROM a\nRUN x \\\\\nFROM b\n", ["a", "b"]),
        ("  FROM a\r\n# FROM c\r\nfrom b\r\n", ["a", "b"]),
        ("\ufeffFROM a\n", ["a"]),
        ("FROM\ta\n", ["a"]),
        ("FROM a", ["a"]),
        # The escape directive.
        ("# escape=`\nFROM a\nRUN x \\\nFROM b\nRUN y `\nFROM c\n", ["a", "b"]),
        ("# syntax=x/y:1\n# ESCAPE = `\nFROM `\na\n", ["a"]),
        ("# a comment\n# escape=`\nFROM a\nRUN x `\nFROM b\n", ["a", "b"]),
        ("\n# escape=`\nFROM a\nRUN x `\nFROM b\n", ["a", "b"]),
        # Arguments.
        ("ARG A\nARG A=a:1\nFROM $A\n", ["a:1"]),
        ("ARG A=a B=$A:2\nFROM $B\n", ["a:2"]),
        ("ARG A='a'\nARG B=\"${A}:3\"\nFROM ${B}\n", ["a:3"]),
        ("ARG A=a:1\nFROM $A AS x\nARG A=b\nFROM $A\n", ["a:1"]),
        ("FROM a:${V:-4}\n", ["a:4"]),
        ("FROM a:${V-5}\n", ["a:5"]),
        ("ARG V=\nFROM a${V-5}\n", ["a"]),
        ("ARG V=\nFROM a:${V:-${W:-6}}\n", ["a:6"]),
        ("FROM a${V:+:7}\n", ["a"]),
        ("ARG V=1\nFROM a${V:+:7}${V+-x}\n", ["a:7-x"]),
        ("ARG V=8\nFROM a:${V:?no}\n", ["a:8"]),
        ("ARG V=v1.2\nFROM a:${V#v} AS x\nFROM b:${V%.*}\n", ["a:1.2", "b:v1"]),
        ("ARG V=x/y/z\nFROM a/${V##*/} AS x\nFROM b/${V%%/*}\n", ["a/z", "b/x"]),
        ('FROM "a:1"\n', ["a:1"]),
        ("ARG TARGETARCH\nFROM a:$TARGETARCH\n", ["a:arm64"]),
        ("FROM a:$TARGETOS-${TARGETVARIANT}x\n", ["a:linux-x"]),
        # Mounts.
        ("FROM a\nRUN --mount=type=bind,from=b:1,target=/x make\n", ["a", "b:1"]),
        ("FROM a\nRUN --mount=from=b --mount=target=/y,from=c,type=cache x\n", ["a", "b", "c"]),
        ("FROM a AS s\nFROM b\nRUN --mount=type=bind,from=S,target=/x make\n", ["a", "b"]),
        ('FROM a\nRUN --mount=type=bind,"from=b",target=/x make\n', ["a", "b"]),
        ("FROM a\nRUN --network=none --mount=type=secret,id=x make --from=b\n", ["a"]),
        ("FROM a\nRUN x --mount=type=bind,from=b\n", ["a"]),
        # Sources of COPY.
        ('FROM a\nCOPY --from="b:1" /x /y\n', ["a", "b:1"]),
        ("FROM a\nCOPY --from=last /x /y\nFROM b AS last\n", ["a", "b"]),
        ("FROM a\nCOPY --from=7 /x /y\n", ["a"]),
        ("FROM a\nCOPY --link -- --from=b /y\n", ["a"]),
        ("FROM a\nONBUILD COPY --from=b /x /y\n", ["a"]),
        ("FROM a\nCOPY --from=scratch /x /y\n", ["a"]),
        ("FROM a AS Base\nFROM BASE\nCOPY --from=bAsE / /\n", ["a"]),
        # Each image once.
        ("FROM a\nFROM a AS x\nCOPY --from=a / /\n", ["a"]),
    ],
)
def test_the_images_of_a_dockerfile_are_found(workspace, text, references):
    files = {**dockerfile(""), WHERE: text.encode()}

    assert references == workspace.references(files, DOCKER_DEFAULT_PLATFORM="linux/arm64")


def test_arguments_of_the_configuration_replace_defaults(workspace):
    files = dockerfile(
        "ARG VARIANT=bookworm\nFROM mcr.microsoft.com/devcontainers/base:${VARIANT}\n",
        args={"VARIANT": "${localEnv:VARIANT:bullseye}", "UNUSED": "1"},
    )

    base = "mcr.microsoft.com/devcontainers/base"
    assert [f"{base}:bullseye"] == workspace.references(files)
    assert [f"{base}:trixie"] == workspace.references(VARIANT="trixie")


def test_numbers_are_arguments_too(workspace):
    files = dockerfile("ARG V\nFROM a:$V\n", args={"V": 20})

    assert ["a:20"] == workspace.references(files)


def test_an_argument_that_is_not_declared_is_not_replaced(workspace):
    found = workspace.found(dockerfile("FROM a:$V\n", args={"V": "20"}))

    assert () == found.images
    assert [
        (
            "image-unresolved",
            f"{WHERE}:1: FROM: a:$V needs V, which is not set here",
            "set V for this command, or write its value into the file",
        )
    ] == messages(found)
    assert "V" == found.findings[0].variable


def test_an_argument_without_a_value_is_a_finding_and_no_image(workspace):
    found = workspace.found(dockerfile("ARG V\nFROM a:${V}-slim AS x\nFROM b\nFROM x\n"))

    assert [("dockerfile", "b", f"{WHERE}:3: FROM")] == lines(found)
    assert [f"{WHERE}:2: FROM: a:${{V}}-slim needs V, which is not set here"] == [
        finding.message for finding in found.findings
    ]


@pytest.mark.parametrize(("text", "needed"), [("${V:-$W}", "W"), ("${V:?no}", "V"), ("$V$W", "V")])
def test_a_default_that_is_used_needs_its_own_variables(workspace, text, needed):
    found = workspace.found(dockerfile(f"ARG SET=1\nFROM a:${{SET:-$X}} AS x\nFROM a:{text}\n"))

    assert ["a:1"] == [image.reference for image in found.images]
    assert needed == found.findings[0].variable


@pytest.mark.parametrize("word", ["${A:-" * 2000 + "a" + "}" * 2000, "${A#*x*}", "${A/a/b}"])
def test_an_unresolved_variable_is_a_finding(workspace, word):
    found = workspace.found(dockerfile(f"ARG A=\nFROM b{word}\n"))

    assert () == found.images
    assert ["image-malformed"] == [finding.code for finding in found.findings]


def test_an_argument_that_needs_the_host_names_its_variable(workspace):
    files = dockerfile("ARG V=1\nFROM a:$V\n", args={"V": "${localEnv:TAG}"})

    found = workspace.found(files)

    assert () == found.images
    assert ["TAG"] == [finding.variable for finding in found.findings]
    assert ["a:2"] == workspace.references(TAG="2")


@pytest.mark.parametrize(
    ("text", "place", "image"),
    [
        ("ARG X=b\nFROM a\nCOPY --from=$X /x /y\n", "3: COPY --from", "$X"),
        ("ARG X=b\nFROM a\nCOPY --from=b:${X} /x /y\n", "3: COPY --from", "b:${X}"),
        ("ARG X=b\nFROM a\nRUN --mount=from=$X,target=/x y\n", "3: RUN --mount", "$X"),
    ],
)
def test_a_variable_in_an_unsupported_place_is_a_finding(workspace, text, place, image):
    found = workspace.found(dockerfile(text))

    assert ["a"] == [one.reference for one in found.images]
    assert [
        (
            "image-unresolved",
            (f"{WHERE}:{place}: {image} needs {image}, which Docker does not expand here"),
            f"set {image} for this command, or write its value into the file",
        )
    ] == messages(found)


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        ("", "", "this Dockerfile has no FROM"),
        ("RUN x\nCOPY --from=b / /\n", "", "this Dockerfile has no FROM"),
        ("FROM a b\n", ":1: FROM", "FROM takes IMAGE [AS NAME]"),
        ("FROM\n", ":1: FROM", "FROM takes IMAGE [AS NAME]"),
        ("RUN <<EOF\nFROM b\n", "", "line 1: the here-document 'EOF' has no end"),
    ],
)
def test_a_dockerfile_that_no_builder_accepts_is_a_finding(workspace, text, place, problem):
    found = workspace.found(dockerfile(text))

    assert () == found.images
    assert [("configuration-damaged", f"{WHERE}{place}: {problem}", f"correct {WHERE}")] == (
        messages(found)
    )


@pytest.mark.parametrize(
    "image", ["Upper", "a:", "a b".replace(" ", "\x01"), "${", "${V", "a@sha256", "'a"]
)
def test_an_invalid_reference_is_a_finding(workspace, image):
    found = workspace.found(dockerfile(f"FROM {image}\n"))

    shown = image if image.isprintable() else ascii(image)
    assert () == found.images
    assert [
        (
            "image-malformed",
            f"{WHERE}:1: FROM: {shown} is not an image reference",
            "write it as docker pull does: registry/repository:tag",
        )
    ] == messages(found)


def test_values_that_double_with_each_line_are_limited(workspace):
    doubling = "".join(f"ARG A{n + 1}=$A{n}$A{n}\n" for n in range(64))

    found = workspace.found(dockerfile(f"ARG A0=aaaa\n{doubling}FROM $A64\nFROM b\n"))

    assert ["b"] == [image.reference for image in found.images]
    assert ["image-malformed"] == [finding.code for finding in found.findings]


def test_options_of_the_build_are_used(workspace):
    files = dockerfile(
        "ARG V=1\nFROM a:$V-$TARGETARCH AS x\nFROM base\nFROM alpine\nCOPY --from=x / /\n",
        options=[
            "--build-arg=V=2",
            "--platform",
            "linux/s390x",
            *("--build-context", "base=docker-image://ghcr.io/team/base:3"),
            "--build-context=docker.io/library/alpine:latest=../alpine",
            "--build-arg",
        ],
    )

    found = workspace.found(files)

    assert () == found.findings
    assert [
        ("dockerfile", "ghcr.io/team/base:3", f"{CONFIGURATION}: build.options"),
        ("dockerfile", "a:2-s390x", f"{WHERE}:2: FROM"),
    ] == lines(found)


def test_a_build_context_replaces_a_stage_of_its_name(workspace):
    files = dockerfile(
        "FROM a AS x\nCOPY --from=b / /\nFROM c\nCOPY --from=x / /\n",
        options=["--build-context=x=../x"],
    )

    assert ["c"] == workspace.references(files)


@pytest.mark.parametrize(
    "config",
    [
        {"dockerFile": "../docker/Dockerfile", "context": "..", "image": "ignored"},
        {"build": {"dockerfile": "../docker/Dockerfile", "context": ".."}},
        {"build": {"dockerfile": "${localWorkspaceFolder}/docker/Dockerfile"}},
        {"build": {"dockerfile": "../docker/Dockerfile", "cacheFrom": "ghcr.io/team/cache:1"}},
        {"build": {"dockerfile": "../docker/Dockerfile", "target": "x"}},
    ],
)
def test_the_dockerfile_is_relative_to_its_configuration(workspace, config):
    found = workspace.found({CONFIGURATION: config, "docker/Dockerfile": "FROM a AS x\nFROM b\n"})

    assert [
        ("dockerfile", "a", "docker/Dockerfile:1: FROM"),
        ("dockerfile", "b", "docker/Dockerfile:2: FROM"),
    ] == lines(found)


def test_a_dockerfile_that_is_missing_is_named(workspace):
    found = workspace.found({CONFIGURATION: {"build": {"dockerfile": "Dockerfile"}}})

    assert [
        (
            "configuration-missing",
            f"{CONFIGURATION}: {WHERE} does not exist",
            f"create {WHERE}, or correct its name",
        )
    ] == messages(found)


def test_a_dockerfile_that_is_a_pipe_is_named_and_not_waited_for(workspace):
    workspace.write({CONFIGURATION: {"build": {"dockerfile": "Dockerfile"}}})
    os.mkfifo(workspace.folder / WHERE)

    assert [
        (
            "configuration-unreadable",
            f"{CONFIGURATION}: cannot read {WHERE}: not a regular file",
            f"make {WHERE} a readable file of at most 1 MiB",
        )
    ] == messages(workspace.found())
