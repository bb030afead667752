# SPDX-License-Identifier: MIT
"""
The docs, compared with the code and the files.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from doubles import clouds as aws_lines
from doubles import documents as documented
from doubles.clouds import PRINCIPAL, Azure
from doubles.documents import ACR, DOCKER_HUB, ECR, ECR_EXPIRED, ECR_PUBLIC, GHCR, GITLAB, HARBOR
from doubles.homes import Home
from doubles.internet import DENIED, MISSING, PlayedInternet, errors, plain
from doubles.servers import Fine, Refusing

import devcontainer_registry
from devcontainer_registry import DockerConfig, RetryPolicy, discover, login
from devcontainer_registry.report import LoginReport, Outcome

PACKAGE = Path(devcontainer_registry.__file__).parent


PAGES = Path(__file__).parent.parent / "docs"


def page(name):
    return PAGES.joinpath(f"{name}.md").read_text(encoding="utf-8")


def literals(pattern):
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield from re.findall(rf"\A{pattern}\Z", node.value)


def test_the_authenticator_in_the_docs_works():
    namespace = {}
    code = re.search(r"^```python\n(.*?)^```", page("reference/plugins"), re.MULTILINE | re.DOTALL)
    exec(code[1], namespace)
    plugin = namespace["ExampleAuthenticator"]()
    secret = devcontainer_registry.RegistrySecret(
        id="X",
        registry=devcontainer_registry.Registry("eu.registry.example"),
        source="X_*",
        username="ann",
        secret=devcontainer_registry.Secret("pass"),
    )

    assert plugin.matches(secret.registry)
    assert not plugin.matches("eu.registry.example.evil.example")
    assert "ann" == plugin.authenticate(secret, timeout=1.0).username


def test_every_public_name_is_on_the_page_of_the_python_api():
    listed = re.findall(
        r"^\.\. auto(?:class|function):: devcontainer_registry\.(\w+)$",
        page("reference/python"),
        re.MULTILINE,
    )

    assert sorted(devcontainer_registry.__all__) == sorted(listed)


def test_the_exit_statuses_in_the_docs_match_those_of_reports():
    rows = dict(re.findall(r"^\| ([0-9]) \| (.+?) \|$", page("reference/cli"), re.MULTILINE))
    refused = Outcome(id="A", registry=None, source="A_*", kind=None, status="rejected")
    report = LoginReport(config="", changed=False, outcomes=(refused,))

    assert ["0", "1", "2", "3", "4", "5", "6"] == sorted(rows)
    assert "refused" in rows[str(report.exit_status)]


def test_the_variables_in_the_docs_match_those_that_the_package_reads():
    read = set(literals(r"DEVCONTAINER_REGISTRY_[A-Z_]+"))
    prefixed = set(literals(r"(?:STORE|VERIFY|TIMEOUT|LOG_LEVEL)"))
    known = read | {f"DEVCONTAINER_REGISTRY_{name}" for name in prefixed}
    listed = set(
        re.findall(r"^\| `(DEVCONTAINER_REGISTRY_\w+)`", page("reference/variables"), re.MULTILINE)
    )

    assert listed == {name for name in known if not name.endswith("_")}


# The lines that a login prints for each refusal of a registry.
#
# The answers are the registries' own, from `documented`; the lines are in
# `registry_lines.txt`: code, line and hint for each cause.

NOBODY = "00000000-0000-0000-0000-000000000000"
FIREWALLED = errors(403, "DENIED", "client with IP '203.0.113.9' is not allowed access")
BUSY, LATER = plain(503, "Service Unavailable"), errors(429, "TOOMANYREQUESTS", "slow down")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cause:
    """
    A cause of a failing login.

    Attributes:
        registry: The registry that refuses.
        answer: Its answer, if it differs from `documented`: fields of `Played`.
        image: An image to pull.
        members: Members of the set that replace the correct ones.
    """

    registry: object
    answer: dict = dataclasses.field(default_factory=dict)
    image: str = ""
    members: dict = dataclasses.field(default_factory=dict)


def wrong(registry, **more):
    return Cause(registry=registry, members={"PASSWORD": "not-it", **more})


def denied(registry):
    return Cause(registry=registry, image=DENIED)


CAUSES = {
    **{f"{one.name}: wrong password": wrong(one) for one in documented.ALL},
    **{f"{one.name}: no permission to pull": denied(one) for one in documented.ALL},
    "Docker Hub: no such image": Cause(registry=DOCKER_HUB, image=MISSING),
    "Docker Hub: too many requests": Cause(registry=DOCKER_HUB, answer={"nobody": LATER}),
    "GHCR: fine-grained token": wrong(GHCR, PASSWORD="github_pat_madeUp"),
    "GHCR: codespace's token": wrong(GHCR, PASSWORD="ghu_madeUp"),
    "GHCR: codespace's token may not pull": Cause(
        registry=dataclasses.replace(GHCR, password="ghu_madeUp"), image=DENIED
    ),
    "GHCR: fine-grained token may not pull": Cause(
        registry=dataclasses.replace(GHCR, password="github_pat_madeUp"), image=DENIED
    ),
    "GHCR: no such image": Cause(registry=GHCR, image=MISSING),
    "ECR: 401 to a wrong password": Cause(
        registry=ECR, answer={"wrong": plain(401, "Not Authorized")}, members={"PASSWORD": "not-it"}
    ),
    "ECR: token has expired": Cause(
        registry=ECR, answer={"wrong": ECR_EXPIRED}, members={"PASSWORD": "old"}
    ),
    "ECR: no such image": Cause(registry=ECR, image=MISSING),
    "ECR: busy": Cause(registry=ECR, answer={"nobody": BUSY}),
    "ECR Public: no such image": Cause(registry=ECR_PUBLIC, image=MISSING),
    "ACR: old token": wrong(ACR, USER=NOBODY),
    "ACR: firewall": Cause(registry=ACR, answer={"wrong": FIREWALLED}, members={"PASSWORD": "x"}),
    "ACR: firewall, before anything is sent": Cause(registry=ACR, answer={"nobody": FIREWALLED}),
    "ACR: no such image": Cause(registry=ACR, image=MISSING),
    "GitLab: token server is busy": Cause(
        registry=GITLAB, answer={"wrong": BUSY}, members={"PASSWORD": "x"}
    ),
    "Harbor: refuses even to say how": Cause(
        registry=HARBOR, answer={"nobody": errors(403, "DENIED", "no"), "challenge": ""}
    ),
    "Harbor: is none": Cause(registry=HARBOR, answer={"nobody": plain(404, "no"), "challenge": ""}),
    "Harbor: strange challenge": Cause(registry=HARBOR, answer={"challenge": "Negotiate"}),
}

# Answers of Azure's registry to the exchange of an identity.
EXCHANGES = {
    "ACR exchange: 401": errors(
        401, "UNAUTHORIZED", "authentication required, visit https://aka.ms/acr/authorization"
    ),
    "ACR exchange: 403": errors(403, "DENIED", "denied"),
    "ACR exchange: firewall": FIREWALLED,
    "ACR exchange: too many requests": LATER,
    "ACR exchange: busy": BUSY,
    "ACR exchange: no token": (200, {}, b"{}"),
    "ACR exchange: not there": plain(404, "404 page not found"),
}

DOUBLES = os.path.join(os.path.dirname(__file__), "doubles")

with open(os.path.join(DOUBLES, "registry_lines.txt"), encoding="utf-8") as _file:
    _ROWS = [line.rstrip("\n").split(" | ") for line in _file]
LINES = {cause: tuple(said) for cause, *said in _ROWS}


# One cause, which a registry answers in several ways or at several places.
SAME = [
    {"ECR: wrong password", "ECR: 401 to a wrong password"},
    # It gives the same answer, which hides whether the image exists.
    {"ECR Public: no permission to pull", "ECR Public: no such image"},
    {"ACR: firewall", "ACR: firewall, before anything is sent"},
]


@pytest.fixture(name="read")
def _read(tmp_path):
    """
    A function that logs in to one registry, and returns the error's code, line and fix.
    """

    def run(server, environ, **members):
        report = login(
            environ={
                "HOME": str(tmp_path),
                **{f"ONE_CONTAINER_REGISTRY_{name}": text for name, text in members.items()},
                "ONE_CONTAINER_REGISTRY_SERVER": server,
                **environ,
            },
            config=DockerConfig(str(tmp_path / "config.json")),
            retry=RetryPolicy(sleep=lambda _: None),
            store="auths",
        )
        (one,) = report.outcomes
        return one.error.code, one.error.message, one.error.hint

    return run


def test_every_cause_has_its_line_in_this_table():
    assert [*CAUSES, *EXCHANGES] == list(LINES)


@pytest.mark.parametrize("name", CAUSES)
def test_each_refusal_of_a_registry_has_a_line_with_a_fix(read, name):
    cause = CAUSES[name]
    registry = dataclasses.replace(cause.registry, **cause.answer)
    members = {"USER": registry.username, "PASSWORD": registry.password, **cause.members}
    if cause.image:
        # As docker spells it: Hub's images name no host of its registry.
        host = "docker.io" if cause.registry is DOCKER_HUB else registry.host
        members["IMAGE"] = f"{host}/{cause.image}:1"

    with PlayedInternet(registry) as internet:
        said = read(registry.server, internet.environ, **members)

    assert LINES[name] == said


@pytest.mark.parametrize("name", EXCHANGES)
def test_each_refusal_of_the_exchange_has_a_line_with_a_fix(read, monkeypatch, name):
    with Azure(exchanging=EXCHANGES[name]) as azure:
        for variable, text in {**azure.environ, **PRINCIPAL}.items():
            monkeypatch.setenv(variable, text)
        said = read(azure.registry, azure.environ)

    assert LINES[name] == said


def test_no_two_causes_share_a_line():
    """
    AWS's, Entra ID's and the registries' together.
    """
    with open(os.path.join(DOUBLES, "entra_lines.txt"), encoding="utf-8") as file:
        entra = [line.rstrip("\n").split(" | ") for line in file]
    # A line stands beside its registry's name.
    said = {name: (name.partition(":")[0], *words) for name, (_, *words) in LINES.items()}
    said |= {number: (line, hint) for number, line, hint in entra}
    for table in ("REFUSALS", "PUBLIC_REFUSALS", "WEB_REFUSALS", "SSO_REFUSALS"):
        for number, (*_, line, hint) in enumerate(getattr(aws_lines, table)):
            said[f"{table}[{number}]"] = (line, hint)

    causes = {}
    for cause, words in said.items():
        causes.setdefault(words, set()).add(cause)

    assert SAME == [shared for shared in causes.values() if len(shared) > 1]


# The examples of hooks/ do what the guides say.

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOOKS = os.path.join(ROOT, "hooks")
EXAMPLES = os.path.join(HOOKS, "examples")
BOB = {"bob": "s3cret-s3cret"}

SET = {f"CORP_CONTAINER_REGISTRY_{member}" for member in ("SERVER", "USER", "PASSWORD")}
STEPS = ("onCreate", "updateContent", "postCreate", "postStart", "postAttach")


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def files():
    for folder, _, names in os.walk(EXAMPLES):
        for name in names:
            if "__pycache__" not in folder:
                yield os.path.relpath(os.path.join(folder, name), EXAMPLES)


HOOKS_README = read(HOOKS, "README.md")
FILES = sorted(files())
CONFIGURATIONS = [path for path in FILES if path.endswith("devcontainer.json")]


def test_the_readme_of_the_hooks_links_to_each_example_and_script_and_its_guide():
    links = re.findall(r"\]\(([^)#]+)\)", HOOKS_README)

    assert {f"examples/{name}/" for name in os.listdir(EXAMPLES)} <= set(links)
    assert {name for name in os.listdir(HOOKS) if name.endswith(".sh")} <= set(links)
    assert [] == [link for link in links if not os.path.exists(os.path.join(HOOKS, link))]


ON_CREATE = "on-create/.devcontainer/devcontainer.json"


def test_the_one_example_that_logs_in_at_on_create_has_the_warning_about_prebuilds():
    configuration = json.loads(read(EXAMPLES, ON_CREATE))
    guide = page("start/hooks")
    example, warning = guide.index(ON_CREATE), guide.index(":::{warning}")

    assert "hooks/on-create.sh" in configuration["onCreateCommand"]
    assert 0 < warning - example < 200
    assert "everyone who uses the snapshot gets your logins" in guide[warning:]


@pytest.mark.parametrize("path", [path for path in CONFIGURATIONS if path != ON_CREATE])
def test_no_other_example_logs_in_where_a_prebuild_saves_the_login(path):
    configuration = json.loads(read(EXAMPLES, path))

    for step in ("onCreateCommand", "updateContentCommand"):
        assert "hook" not in configuration.get(step, "")
        assert "log_in" not in configuration.get(step, "")
    assert not SET & set(configuration.get("containerEnv", {}))


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_every_step_that_an_example_names_exists(path):
    configuration = json.loads(read(EXAMPLES, path))
    commands = [configuration.get(f"{step}Command", "") for step in STEPS]

    for step, command in zip(STEPS, commands, strict=True):
        for named in re.findall(r"hook (\w+)", command):
            assert step == named
        for script in re.findall(r"\.devcontainer/hooks/(\S+)", command):
            assert f"hook {step} " in read(HOOKS, script)
    if "features" not in configuration:
        assert commands[0 if path == ON_CREATE else 2]
        assert commands[3]


@pytest.mark.parametrize("path", CONFIGURATIONS)
def test_a_feature_that_an_example_names_has_that_path(path):
    for feature, options in features(path).items():
        folder = os.path.join(ROOT, ".devcontainer", feature)
        known = json.loads(read(folder, "devcontainer-feature.json"))["options"]
        assert set(options) <= set(known)


def features(path):
    """
    The Features that the example *path* names; for one of its own, those that it depends on.
    """
    found = {}
    for feature, options in json.loads(read(EXAMPLES, path)).get("features", {}).items():
        own = os.path.join(EXAMPLES, os.path.dirname(path), feature, "devcontainer-feature.json")
        depends = json.loads(read(own))["dependsOn"] if os.path.exists(own) else {feature: options}
        found.update(depends)
    return found


def variables(path):
    """
    The variables that the example *path* gives or asks for.
    """
    text = read(EXAMPLES, path)
    if path.endswith(".env"):
        return dict(line.split("=", 1) for line in text.splitlines())
    document = json.loads(text)
    return document.get("secrets") or document.get("remoteEnv") or document


@pytest.mark.parametrize(
    "path",
    [
        "cli/secrets.json",
        "codespaces/.devcontainer/devcontainer.json",
        "devpod/registry.env",
        "vscode/.devcontainer/devcontainer.json",
    ],
)
def test_the_variables_of_an_example_are_a_complete_set(path):
    names = variables(path)

    found = discover(dict.fromkeys(names, "corp.example"), codespaces_file="/nowhere/.env-secrets")

    assert SET == set(names)
    assert ["CORP"] == [secret.id for secret in found.secrets]
    assert ((), ()) == (found.incomplete, found.findings)


def test_every_variable_of_vs_code_keeps_its_name():
    for name, value in variables("vscode/.devcontainer/devcontainer.json").items():
        assert f"${{localEnv:{name}}}" == value


def test_the_script_for_envbuilder_shows_no_secret_on_its_command_line(tmp_path):
    """
    With a docker that records its arguments, and our own command.
    """
    home = Home(tmp_path)
    ours = os.path.dirname(sys.executable)
    os.mkdir(tmp_path / "bin")
    docker = tmp_path / "bin" / "docker"
    docker.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\nprintenv ENVBUILDER_DOCKER_CONFIG_BASE64\n')
    docker.chmod(0o755)
    with Fine(BOB) as registry:
        sets = dict(zip(sorted(SET), ("s3cret-s3cret", registry.registry, "bob"), strict=True))
        environ = {**home.environ, **sets, "PATH": f"{tmp_path}/bin:{ours}:{os.environ['PATH']}"}
        home.login(sets=sets)
        done = subprocess.run(
            ["sh", os.path.join(EXAMPLES, "envbuilder", "run.sh")],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )

    *arguments, config = done.stdout.splitlines()
    assert SET <= set(arguments)
    assert not [text for text in arguments if "s3cret" in text or config in text]
    assert "eyJ" == config[:3]


@pytest.mark.parametrize(("registry", "word"), [(lambda: Fine(BOB), "ok"), (Refusing, "rejected")])
def test_the_script_in_python_prints_the_result_and_never_fails(tmp_path, registry, word):
    with registry() as there:
        sets = dict(zip(sorted(SET), ("s3cret-s3cret", there.registry, "bob"), strict=True))
        done = subprocess.run(
            [sys.executable, os.path.join(EXAMPLES, "python", ".devcontainer", "log_in.py")],
            env={**Home(tmp_path).environ, **sets, "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
        )

    assert (0, "") == (done.returncode, done.stderr)
    assert done.stdout.startswith(f"CORP {word} {there.registry}")
    assert "s3cret" not in done.stdout


# The scripts for devcontainer.json: a lifecycle step that exits 127 would stop all later ones.

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "hooks")
SH_STEPS = {
    "on-create.sh": "onCreate",
    "post-create.sh": "postCreate",
    "post-start.sh": "postStart",
    "post-attach.sh": "postAttach",
}


@pytest.fixture(name="path")
def _path(tmp_path):
    """
    A PATH that has a shell and nothing else.
    """
    (tmp_path / "bin").mkdir()
    os.symlink("/bin/sh", tmp_path / "bin" / "sh")
    return tmp_path / "bin"


def run(script, path, *arguments):
    return subprocess.run(
        [os.path.join(FOLDER, script), *arguments],
        env={"PATH": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def install(path, text, mode=0o755):
    (path / "devcontainer-registry").write_text(text)
    (path / "devcontainer-registry").chmod(mode)


def test_each_documented_step_has_its_script():
    assert sorted(SH_STEPS) == sorted(n for n in os.listdir(FOLDER) if n.endswith(".sh"))
    for name in SH_STEPS:
        assert os.stat(os.path.join(FOLDER, name)).st_mode & stat.S_IXOTH


@pytest.mark.parametrize("script", SH_STEPS)
def test_a_missing_command_prints_one_line_and_is_no_failure(path, script):
    done = run(script, path)

    assert (0, "") == (done.returncode, done.stdout)
    assert 1 == len(done.stderr.splitlines())
    assert "fix: install its wheel in onCreateCommand" in done.stderr


@pytest.mark.parametrize("script", SH_STEPS)
@pytest.mark.parametrize("interpreter", ["nowhere", "python"], ids=["127", "126"])
def test_a_command_whose_interpreter_does_not_run_is_no_failure(path, script, interpreter):
    (path / "python").write_text("")  # there, but not to be executed
    install(path, f"#!{path}/{interpreter}\n")

    done = run(script, path)

    assert 0 == done.returncode
    assert "fix: install its wheel in onCreateCommand" in done.stderr


@pytest.mark.parametrize(("script", "step"), SH_STEPS.items())
def test_the_step_and_the_arguments_are_passed_on(path, script, step):
    install(path, '#!/bin/sh\nprintf "<%s>" "$@"\n')

    done = run(script, path, "--only", "two words", "*")

    assert (0, f"<hook><{step}><--only><two words><*>") == (done.returncode, done.stdout)


@pytest.mark.parametrize("script", SH_STEPS)
@pytest.mark.parametrize("status", [0, 1, 2, 4, 6])
def test_the_exit_status_of_the_command_is_passed_on(path, script, status):
    install(path, f"#!/bin/sh\nexit {status}\n")

    assert status == run(script, path, "--strict").returncode


# This project's own devcontainer.json; tests/integration has its Feature in a container.

DEVCONTAINER_FOLDER = os.path.join(ROOT, ".devcontainer")

with open(os.path.join(DEVCONTAINER_FOLDER, "devcontainer.json"), encoding="utf-8") as _file:
    CONFIGURATION = json.loads(re.sub(r"(?m)^\s*//.*$", "", _file.read()))


def test_the_wheel_is_built_in_the_image_at_the_path_of_the_container():
    """
    Built files, including `.venv`, work with that Python and at that path only.
    """
    here = "/workspaces/${localWorkspaceFolderBasename}"

    command = CONFIGURATION["initializeCommand"]

    assert [CONFIGURATION["image"], "sh", "./dev", "feature"] == command[-4:]
    assert f"--volume=${{localWorkspaceFolder}}:{here}" in command
    assert f"--workdir={here}" in command


def test_the_container_has_the_feature_with_the_built_wheel():
    (name, options) = next(iter(CONFIGURATION["features"].items()))

    assert {"version": "devcontainer_registry-*.whl"} == options
    assert os.path.exists(os.path.join(DEVCONTAINER_FOLDER, name, "devcontainer-feature.json"))


def test_the_container_can_start_the_engine_that_the_tests_need():
    assert ("root", True) == (CONFIGURATION["remoteUser"], CONFIGURATION["privileged"])
    assert ["--cgroupns=host"] == CONFIGURATION["runArgs"]
    assert ["type=volume,target=/tmp"] == CONFIGURATION["mounts"]


def test_no_secret_is_part_of_the_container():
    assert {"CORP_CONTAINER_REGISTRY_PASSWORD"} < set(CONFIGURATION["secrets"])
    assert "containerEnv" not in CONFIGURATION
