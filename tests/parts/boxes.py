# SPDX-License-Identifier: MIT
"""
A container to run the Feature's install script in, as `docker build` would, one time or many.
"""

from __future__ import annotations

import os

from . import devcontainers, slices

_HOME = "/usr/local/share/devcontainer-registry"
HOOK = f"{_HOME}/hook"
VENV = f"{_HOME}/venv"


class Box:
    """
    A container of *image*, of this machine's network, that waits.

    Args:
        image: An image that has `sh` and `sleep`.
        client: Whose docker CLI is used.
        engine: Where it runs.
    """

    def __init__(self, image, client, engine):
        self._client = client
        self._engine = engine
        self.id = self._succeed(
            *("run", "--detach", "--init=false", "--network=host"),
            *(f"--label={devcontainers.LABEL}", image, "sleep", "3600"),
        ).stdout.strip()

    def run(self, *argv, user="root", **environ):
        """
        Run *argv* inside by `docker exec`, with the image's PATH and no shell.
        """
        given = [f"--env={name}={value}" for name, value in environ.items()]
        return self._docker("exec", f"--user={user}", *given, self.id, *argv, timeout=300)

    def sh(self, script, *, user="root", **environ):
        return self.run("sh", "-c", script, user=user, **environ)

    def put(self, path, there):
        """
        Copy the file or folder at *path* to *there*, which may not be yet.
        """
        self._succeed("cp", str(path), f"{self.id}:{there}")

    def install(self, before="", **options):
        """
        Run the install script of `/feature`, with *options* as the dev container CLI gives them.

        Args:
            before: Shell commands that the script is run after, in the same shell.
            options: Of the Feature, and other variables.
        """
        return self.sh(f"{before}\nsh /feature/install.sh", **options)

    def files(self):
        """
        What the Feature puts into the image, less what is in its venv.
        """
        found = self.sh(f"cd / && ls -d usr/local/bin/*registry* .{_HOME}/* 2>/dev/null")
        return sorted(os.path.basename(path) for path in found.stdout.split())

    def commit(self, name):
        """
        Make the image *name* of it as it is now.
        """
        self._succeed("commit", self.id, name)
        return name

    def remove(self):
        self._docker("rm", "--force", "--volumes", self.id)

    def _succeed(self, *arguments):
        done = self._docker(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    def _docker(self, *arguments, **options):
        return self._client.docker(*arguments, DOCKER_HOST=self._engine.host, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


USERS = ("root", slices.USER)
