# SPDX-License-Identifier: MIT
"""
Clients that nobody here wrote, each run in an environment of its own.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys

from . import needed


class Client:
    """
    A home, a docker configuration and a PATH, and programs to run with them.

    Its docker configuration is `~/.docker`, which every client finds, also those that do not know
    DOCKER_CONFIG.

    Attributes:
        environ: The whole environment of what is run; a test may add to it.
        config_path: Where config.json is, or will be.
    """

    def __init__(self, home, *, path):
        self.home = str(home)
        self.config_path = os.path.join(self.home, ".docker", "config.json")
        os.makedirs(os.path.join(self.home, ".docker"), mode=0o700, exist_ok=True)
        os.makedirs(os.path.join(self.home, "run"), mode=0o700, exist_ok=True)
        self.environ = {
            "HOME": self.home,
            "PATH": path,
            "LANG": "C.UTF-8",
            "DOCKER_CONFIG": os.path.dirname(self.config_path),
            # `docker login` then asks the registry itself.
            "DOCKER_HOST": "unix:///nonexistent/docker.sock",
            # skopeo prefers a file in there to config.json; nobody else's may be found.
            "XDG_RUNTIME_DIR": os.path.join(self.home, "run"),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def run(self, *argv, stdin="", timeout=120, enter=(), **environ):
        """
        Run *argv* to its end, whatever that is; *environ* is added to the environment.
        """
        return subprocess.run(
            [*enter, *argv],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
            cwd=self.home,
            env={**self.environ, **environ},
        )

    def docker(self, *arguments, **options):
        needed.program("docker", package="docker.io")
        return self.run("docker", *arguments, **options)

    def skopeo(self, *arguments, **options):
        needed.program("skopeo", package="skopeo")
        return self.run("skopeo", *arguments, **options)

    def devcontainer(self, *arguments, **options):
        return self.run(needed.devcontainer_cli(), *arguments, **options)

    def python(self, script, *arguments, **options):
        """
        Run *script* in an interpreter of this environment, with the package installed.
        """
        return self.run(sys.executable, "-c", script, *arguments, **options)

    def product(self, *arguments, **options):
        """
        Run `devcontainer-registry`, as installed beside this interpreter.
        """
        command = os.path.join(os.path.dirname(sys.executable), "devcontainer-registry")
        return self.run(command, *arguments, **options)

    def config(self):
        """
        config.json's content.
        """
        with open(self.config_path, encoding="utf-8") as file:
            return json.load(file)

    def log_in_by_hand(self, registry, username, password):
        """
        Write what `docker login` would, without asking anybody.
        """
        auth = base64.b64encode(f"{username}:{password}".encode()).decode()
        config = self.config() if os.path.exists(self.config_path) else {}
        config.setdefault("auths", {})[registry] = {"auth": auth}
        with open(self.config_path, "w", encoding="utf-8") as file:
            json.dump(config, file)


def clean_path(folder):
    """
    Fill *folder* with links to all that PATH offers, except credential helpers.

    docker picks `docker-credential-pass` or `-secretservice` by itself where it finds one, and
    then fails, or keeps a test's password in somebody's key ring.
    https://github.com/docker/cli/blob/v28.2.2/cli/config/credentials/default_store_linux.go
    """
    folder = str(folder)
    os.makedirs(folder, exist_ok=True)
    taken = set()
    for place in os.environ["PATH"].split(os.pathsep):
        for name in os.listdir(place) if os.path.isdir(place) else ():
            if name not in taken and not name.startswith("docker-credential-"):
                taken.add(name)
                os.symlink(os.path.join(place, name), os.path.join(folder, name))
    return folder
