# SPDX-License-Identifier: MIT
"""
The GitHub workflows: valid, with minimal permissions, and with the local commands.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml
from parts import needed

GITHUB = os.path.join(needed.REPOSITORY, ".github")
WORKFLOWS = os.path.join(GITHUB, "workflows")
FORMS = os.path.join(GITHUB, "ISSUE_TEMPLATE")
SCHEMAS = {
    "vendor.github-workflows": [os.path.join(WORKFLOWS, n) for n in sorted(os.listdir(WORKFLOWS))],
    "vendor.dependabot": [os.path.join(GITHUB, "dependabot.yml")],
    "vendor.github-issue-config": [os.path.join(FORMS, "config.yml")],
    "vendor.github-issue-forms": [
        os.path.join(FORMS, n) for n in sorted(os.listdir(FORMS)) if n != "config.yml"
    ],
}


def text_of(path):
    with open(os.path.join(needed.REPOSITORY, path), encoding="utf-8") as file:
        return file.read()


def program(name):
    return os.path.join(os.path.dirname(sys.executable), name)


def ran(*argv, **options):
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, cwd=needed.REPOSITORY, **options
    )


@pytest.mark.parametrize("schema", SCHEMAS)
def test_each_workflow_file_is_valid_by_its_schema(schema):
    done = ran(program("check-jsonschema"), "--builtin-schema", schema, *SCHEMAS[schema])

    assert SCHEMAS[schema]
    assert 0 == done.returncode, done.stdout


@pytest.mark.parametrize(
    ("schema", "name"),
    [("vendor.github-workflows", "github.yml"), ("vendor.gitlab-ci", "gitlab.yml")],
)
def test_each_workflow_of_the_docs_is_valid_by_its_schema(schema, name):
    path = os.path.join(needed.REPOSITORY, "hooks", "examples", "ci", name)

    done = ran(program("check-jsonschema"), "--builtin-schema", schema, path)

    assert 0 == done.returncode, done.stdout


def test_zizmor_finds_no_weakness_in_any_workflow():
    done = ran(
        program("zizmor"), "--offline", "--no-config", "--persona=pedantic", "--strict-collection",
        ".github",
    )  # fmt: skip

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "No findings to report" in done.stdout + done.stderr


def test_each_action_is_pinned_by_a_commit_hash_and_names_its_version():
    used = [
        line.strip()
        for path in SCHEMAS["vendor.github-workflows"]
        for line in text_of(path).splitlines()
        if "uses:" in line and "uses: ./" not in line
    ]

    assert used
    pinned = re.compile(r"(?:- )?uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [] == [line for line in used if not pinned.fullmatch(line)]


def test_ci_runs_the_local_commands_on_each_supported_python():
    job = yaml.safe_load(text_of(".github/workflows/ci.yml"))["jobs"]["test"]
    classifiers = re.findall(
        r'"Programming Language :: Python :: (3\.\d+)"', text_of("pyproject.toml")
    )

    assert classifiers == job["strategy"]["matrix"]["python"]
    assert any(step.get("run", "").endswith("bash .ci/run") for step in job["steps"])
    assert "exec sh ./dev test" in text_of(".ci/run")


def test_only_the_publishing_job_gets_an_identity_token():
    jobs = yaml.safe_load(text_of(".github/workflows/release.yml"))["jobs"]

    assert ["publish"] == [n for n, job in jobs.items() if "id-token" in job["permissions"]]
    assert "secrets." not in text_of(".github/workflows/release.yml")


def test_the_release_tools_are_pinned_by_version_and_hash():
    lines = text_of(".ci/release-tools.txt").replace("\\\n", " ").splitlines()
    wanted = [w for w in text_of(".ci/release-tools.in").splitlines() if not w.startswith("#")]
    pins = dict(line.split("==", 1) for line in lines if line and not line.startswith("#"))

    assert set(wanted) <= set(pins)
    assert all("--hash=sha256:" in pin for pin in pins.values())


@pytest.mark.parametrize(
    ("tag", "said"), [("v0.0.0", "the tag is v0.0.0"), ("VERSION", "CHANGELOG.md has no section")]
)
def test_a_release_of_the_wrong_version_is_not_built(tag, said):
    version = re.search(r'^version = "(.*)"$', text_of("pyproject.toml"), re.MULTILINE)[1]
    if tag == "VERSION" and f"## [{version}]" in text_of("CHANGELOG.md"):
        said = None  # its section exists: it is being released

    if said is not None:
        tag = tag.replace("VERSION", f"v{version}")
        done = ran("sh", ".ci/build-release", tag, "https://git.example/owner/project")
        assert 1 == done.returncode
        assert said in done.stderr


def test_a_bug_report_asks_for_the_version_and_a_report_without_secrets():
    form = yaml.safe_load(text_of(".github/ISSUE_TEMPLATE/bug.yml"))
    required = {
        field["id"]
        for field in form["body"]
        if field.get("validations", {}).get("required") is True
    }

    assert {"version", "doctor", "expected"} <= required
    assert "devcontainer-registry doctor --share" in str(form)
    assert "devcontainer-registry --version" in str(form)
