# SPDX-License-Identifier: MIT
"""
The command `run` around the dev container CLI, and around what a CI job does without it.

A project whose base image, Feature and database image are all private.
"""

from __future__ import annotations

import json
import os
import sys

import pytest
import yaml
from doubles.command_line import set_for
from parts import devcontainers, needed, slices

USER, PASSWORD = "alice", "in wonder:land"
BIN = os.path.dirname(sys.executable)

_COMPOSE = """\
services:
  app:
    build:
      context: .
      network: host
    network_mode: host
    command: sleep infinity
  database:
    image: {registry}/team/database:1
    network_mode: host
    command: sleep infinity
"""


class Project:
    """
    A project of which everything is in a registry that only *client*'s set can read.
    """

    def __init__(self, folder, client, engine, registry):
        self.client, self.engine, self.registry = client, engine, registry
        self.sets = set_for(registry, USER, PASSWORD, set_id="CORP")
        self.folder = str(folder)
        self.feature = f"{registry}/team/features/hello:1"
        self.images = [f"{registry}/team/base:1", f"{registry}/team/database:1"]
        client.environ |= {
            "DOCKER_HOST": engine.host,
            "PATH": f"{BIN}:{client.environ['PATH']}",
            **devcontainers.classic_builder(client),
        }
        devcontainers.link_compose(client)
        self.secrets = os.path.join(client.home, "secrets.json")
        with open(self.secrets, "w", encoding="utf-8") as file:
            json.dump(self.sets, file)

    def publish(self, image):
        """
        Push what the project needs, by a run, and leave none of it in the engine.
        """
        script = "".join(f"docker tag {image} {one}\ndocker push {one}\n" for one in self.images)
        source = os.path.join(self.client.home, "src", "hello")
        write(
            source,
            {
                "devcontainer-feature.json": json.dumps(
                    {"id": "hello", "version": "1.0.0", "name": "Hello"}
                ),
                "install.sh": "#!/bin/sh\necho hello >/usr/local/hello\n",
            },
        )
        script += (
            f"{needed.devcontainer_cli()} features publish {os.path.dirname(source)} "
            f"--registry {self.registry} --namespace team/features\n"
        )
        done = self.run("sh", "-ec", script)
        self.forget_images()
        assert 0 == done.returncode, done.stdout + done.stderr

    def forget_images(self):
        for image in self.images:
            self.engine.remove_image(image)

    def write(self, compose=True, **more):
        of_compose = {
            "dockerComposeFile": "compose.yml",
            "service": "app",
            "workspaceFolder": "/workspaces",
        }
        of_docker = {
            "build": {"dockerfile": "Dockerfile"},
            "runArgs": ["--network=host", f"--label={devcontainers.LABEL}"],
        }
        configuration = {
            **(of_compose if compose else of_docker),
            "remoteUser": slices.USER,
            "updateRemoteUserUID": False,
            "features": {self.feature: {}},
            **more,
        }
        write(
            os.path.join(self.folder, ".devcontainer"),
            {
                "Dockerfile": f"FROM {self.images[0]}\n",
                "compose.yml": _COMPOSE.format(registry=self.registry),
                "devcontainer.json": json.dumps(configuration),
            },
        )
        write(self.folder, {"test.sh": "cat /usr/local/hello\n"})

    def run(self, *argv, options=(), **variables):
        return self.client.run(
            "devcontainer-registry",
            *("run", "--secrets-file", self.secrets, *options, "--", *argv),
            timeout=300,
            **variables,
        )

    def up(self, *options):
        return (
            *(needed.devcontainer_cli(), "up", "--workspace-folder", self.folder),
            *("--mount-workspace-git-root=false", *options),
        )

    def inside(self, *argv):
        filters = f"label=devcontainer.local_folder={self.folder}"
        container = self.client.docker("ps", "--quiet", "--filter", filters).stdout.split()[0]
        return self.client.docker("exec", container, *argv)

    def remove(self):
        for filters in (f"devcontainer.local_folder={self.folder}", "com.docker.compose.project"):
            found = self.client.docker("ps", "-aq", "--filter", f"label={filters}").stdout.split()
            for container in found:
                self.client.docker("rm", "--force", "--volumes", container)
        self.forget_images()


def write(folder, files):
    os.makedirs(folder, exist_ok=True)
    for name, text in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)


@pytest.fixture(name="project")
def _project(client, engine, busybox_image, registry_htpasswd, tmp_path):
    if not engine.ours:
        pytest.skip("an engine of somebody else's may not reach this machine's loopback")
    project = Project(tmp_path / "workspace", client, engine, registry_htpasswd.registry)
    project.publish(busybox_image)
    yield project
    project.remove()


def test_a_project_with_private_images_and_a_private_feature_comes_up(project):
    """
    With the secrets file handed to both: to pull on the host, and to log in inside.
    """
    hook = 'printf %s "$CORP_CONTAINER_REGISTRY_USER" >/tmp/user'
    project.write(postCreateCommand=hook)
    up = project.up(f"--secrets-file={project.secrets}")

    without = [
        project.client.docker("pull", project.images[0]),
        project.client.devcontainer("features", "info", "manifest", project.feature),
    ]
    done = project.run(*up)

    assert 0 not in [each.returncode for each in without]
    said = done.stdout + done.stderr
    assert 0 == done.returncode, said
    assert "success" == json.loads(done.stdout)["outcome"]
    assert PASSWORD not in said
    assert "hello\n" == project.inside("cat", "/usr/local/hello").stdout
    assert USER == project.inside("cat", "/tmp/user").stdout
    assert not os.path.exists(project.client.config_path)
    # Nothing of the run got into the container.
    environment = project.inside("env").stdout
    assert "devcontainer-registry-run" not in environment
    assert PASSWORD not in environment


def test_initialize_command_logs_in_before_anything_is_pulled(project):
    project.write(
        compose=False,
        initializeCommand=f"devcontainer-registry login --secrets-file {project.secrets}",
    )

    done = project.client.run(*project.up(), timeout=300)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert [project.registry] == list(project.client.config()["auths"])


# The recipes of the docs, as they are.


def recipe(name):
    """
    Return the text of a file that the docs show.
    """
    path = os.path.join(needed.REPOSITORY, "hooks", "examples", "ci", name)
    with open(path, encoding="utf-8") as file:
        return file.read()


def steps(job):
    """
    Return the scripts of a GitHub job, but for the one that installs, with their variables.
    """
    workflow = yaml.safe_load(recipe("github.yml"))
    return [
        (step["run"], step.get("env", {}))
        for step in workflow["jobs"][job]["steps"]
        if "run" in step and step["name"] != "Install"
    ]


def in_runner(project, script, variables):
    """
    Run *script* as a runner of GitHub's or GitLab's does, in the project.
    """
    cli = os.path.dirname(needed.devcontainer_cli())
    return project.client.run(
        *("bash", "-eo", "pipefail", "-c", f"cd {project.folder}\n{script}"),
        timeout=300,
        PATH=f"{cli}:{project.client.environ['PATH']}",
        **variables,
    )


def test_the_workflow_for_github_builds_and_tests_and_keeps_no_login(project, tmp_path):
    """
    By act, which runs a workflow as GitHub's runner does, on this machine.

    https://nektosact.com/usage/runners.html (self-hosted)
    """
    project.write(compose=False)
    write(
        os.path.join(project.folder, ".github", "workflows"),
        {"dev-container.yml": recipe("github.yml")},
    )
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=all"]):
        identity = ("-c", "user.name=A", "-c", "user.email=a@b.example")
        done = project.client.run("git", "-C", project.folder, *identity, *command)
        assert 0 == done.returncode, done.stderr
    # What the step would install is installed here.
    installers = tmp_path / "installers"
    write(str(installers), {"pipx": "#!/bin/sh\n", "npm": "#!/bin/sh\n"})
    for each in installers.iterdir():
        each.chmod(0o755)
    password = "CORP_CONTAINER_REGISTRY_PASSWORD"
    cli = os.path.dirname(needed.devcontainer_cli())
    passed = ("DOCKER_HOST", "DOCKER_BUILDKIT", "DOCKER_CONFIG", "HOME")

    done = project.client.run(
        *(os.path.join(BIN, "act"), "push", "--job=cli", "--platform=ubuntu-24.04=-self-hosted"),
        *(f"--directory={project.folder}", f"--secret={password}"),
        *(f"--var={name}={text}" for name, text in project.sets.items() if name != password),
        *(f"--env={name}={project.client.environ[name]}" for name in passed),
        timeout=300,
        PATH=f"{installers}:{cli}:{project.client.environ['PATH']}",
        **{password: PASSWORD},
    )

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "| hello\n" in done.stdout
    assert "Job succeeded" in done.stdout
    assert not os.path.exists(project.client.config_path)


def test_the_workflow_around_an_action_logs_in_and_out(project):
    project.write()
    (log_in, given), (log_out, _) = steps("action")

    done = in_runner(project, log_in, {name: project.sets[name] for name in given})
    assert 0 == done.returncode, done.stdout
    # As the action does.
    assert 0 == project.client.docker("pull", project.images[0]).returncode
    assert 0 == in_runner(project, log_out, {}).returncode

    assert not project.client.config().get("auths")


def test_the_job_for_gitlab_builds_and_pushes_with_the_jobs_own_variables(project):
    project.write(compose=False)
    (job,) = yaml.safe_load(recipe("gitlab.yml")).values()
    variables = {
        "CI_REGISTRY": project.registry,
        "CI_REGISTRY_USER": USER,
        "CI_REGISTRY_PASSWORD": PASSWORD,
        "CI_REGISTRY_IMAGE": f"{project.registry}/team",
    }
    project.images.append(f"{project.registry}/team/dev")

    for script in job["script"]:
        done = in_runner(project, script, variables)
        assert 0 == done.returncode, done.stdout + done.stderr

    assert not os.path.exists(project.client.config_path)
