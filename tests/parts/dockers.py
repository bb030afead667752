# SPDX-License-Identifier: MIT
"""
Every way in which docker fetches an image through an engine.
"""

from __future__ import annotations

import json
import os
import re
import subprocess

from . import devcontainers, needed

_BUILT = "devcontainer-registry-test/built:1"


class Dockers:
    """
    The commands of `COMMANDS`, each of which finds no image in the engine and leaves none.

    Args:
        client: Whose config.json docker reads.
        engine: Where it runs; one that reaches registries on loopback.
        enter: What to put before each command line.
    """

    COMMANDS = ("pull", "run", "build", "buildkit", "compose up", "compose build")

    def __init__(self, client, engine, *, enter=()):
        self._client, self._engine, self._enter = client, engine, enter
        self._project = os.path.join(client.home, "project")
        os.makedirs(self._project, exist_ok=True)
        plugins = os.path.join(os.path.dirname(client.config_path), "cli-plugins")
        if not os.path.exists(plugins):
            devcontainers.link_compose(client)

    def run(self, command, image):
        """
        Do *command* with *image*, and return how that ended.
        """
        argv, environ = self._prepared(command, image)
        try:
            return self._client.run(*argv, enter=self._enter, **environ)
        finally:
            if command == "compose up":
                self._client.run(*argv[:-1], "down", enter=self._enter, **environ)
            self.clean(image)

    def working(self, image):
        """
        The commands that get *image*.
        """
        return [name for name in self.COMMANDS if self.run(name, image).returncode == 0]

    def start(self, command, image, *, log):
        """
        Begin to do *command*, and return the process, whose output is in *log*.
        """
        argv, environ = self._prepared(command, image)
        with open(log, "wb") as output:
            return subprocess.Popen(
                [*self._enter, *argv],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**self._client.environ, **environ},
            )

    def clean(self, image):
        """
        Remove *image* from the engine, and what was made of it.
        """
        self._engine.remove_image(image)
        self._engine.remove_image(_BUILT)

    def _prepared(self, command, image):
        """
        The command line, after what it reads was written, and what it has in its environment.
        """
        self._write("Dockerfile", f"FROM {image}\n")
        service = {"image": image, "network_mode": "host", "command": ["true"]}
        if command == "compose build":
            service = {"image": _BUILT, "build": "."}
        self._write("compose.yml", json.dumps({"services": {"it": service}}))
        buildkit = command == "buildkit"
        docker = with_buildkit() if buildkit else needed.program("docker", package="docker.io")
        compose = ["compose", f"--file={self._project}/compose.yml"]
        argv = {
            "pull": [docker, "pull", image],
            "run": [docker, "run", "--rm", "--network=host", image, "true"],
            "build": [docker, "build", f"--tag={_BUILT}", self._project],
            "buildkit": [docker, "build", f"--tag={_BUILT}", self._project],
            "compose up": [docker, *compose, "up"],
            "compose build": [docker, *compose, "build"],
        }[command]
        return argv, {"DOCKER_HOST": self._engine.host, "DOCKER_BUILDKIT": f"{buildkit:d}"}

    def _write(self, name, text):
        with open(os.path.join(self._project, name), "w", encoding="utf-8") as file:
            file.write(text)


def with_buildkit():
    """
    The path of a docker that builds with BuildKit: before 23 by itself, since then by a plugin.

    https://docs.docker.com/engine/release-notes/23.0/
    """
    for folder in os.environ["PATH"].split(os.pathsep):
        docker = os.path.join(folder, "docker")
        if os.access(docker, os.X_OK) and (_major(docker) < 23 or _has_buildx(docker)):
            return docker
    return needed.missing("no docker here builds with BuildKit: apt-get install docker-buildx")


def _major(docker):
    told = subprocess.run([docker, "--version"], capture_output=True, text=True, check=True)
    return int(re.search(r"version (\d+)", told.stdout)[1])


def _has_buildx(docker):
    asked = subprocess.run([docker, "buildx", "version"], capture_output=True, check=False)
    return asked.returncode == 0
