# SPDX-License-Identifier: MIT
"""
Dev containers, brought up by the dev container CLI, with the Feature of this repository.
"""

from __future__ import annotations

import glob
import importlib.util
import json
import mmap
import os
import re
import shutil
import subprocess
import sys

from . import needed, slices

FEATURE = os.path.join(needed.REPOSITORY, ".devcontainer", "features", "devcontainer-registry")
LABEL = "devcontainer-registry.test"

_WHEELS = os.path.join(needed.REPOSITORY, ".tools", "wheels")


def wheels(folder):
    """
    Put the package's wheel and its dependencies' into *folder*; the name of the package's own.
    """
    there = glob.glob(os.path.join(_WHEELS, "*.whl"))
    if not there:
        needed.missing("the dependencies' wheels are not there: run ./dev setup")
    name = own_wheel(folder)
    for wheel in there:
        shutil.copy(wheel, folder)
    return name


def own_wheel(folder):
    """
    Put the package's wheel into *folder*, and return its name.
    """
    built = glob.glob(os.path.join(needed.REPOSITORY, "dist", "devcontainer_registry-*.whl"))
    if built and not _is_editable():
        shutil.copy(built[0], folder)
    else:
        subprocess.run(
            [
                *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index"),
                *("--no-build-isolation", "--wheel-dir", str(folder), needed.REPOSITORY),
            ],
            check=True,
            capture_output=True,
        )
    return os.path.basename(glob.glob(f"{folder}/devcontainer_registry-*.whl")[0])


def link_compose(client):
    """
    Let *client*'s docker, and so the dev container CLI, know `docker compose`.
    """
    package = importlib.util.find_spec("compose")
    if package is None:
        needed.missing("Compose is not installed: run ./dev setup")
    compose = os.path.join(os.path.dirname(package.origin), "docker-compose")
    os.symlink(compose, _plugin(client, "docker-compose"))
    return compose


def classic_builder(client):
    """
    Hide BuildKit from *client*'s dev container CLI, and return what its docker needs for the same.

    BuildKit runs nothing in an engine that has no bridge, as the tests' own; and `features test`,
    unlike `up`, has no option for it.
    """
    with open(_plugin(client, "docker-buildx"), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o755)
    return {"DOCKER_BUILDKIT": "0"}


def _plugin(client, name):
    """
    Where *client*'s docker looks first for its plugin *name*.
    """
    plugins = os.path.join(os.path.dirname(client.config_path), "cli-plugins")
    os.makedirs(plugins, exist_ok=True)
    return os.path.join(plugins, name)


def _is_editable():
    """
    Whether what is tested here is the checkout; then what lies in `dist` may be older.
    """
    import devcontainer_registry

    return devcontainer_registry.__file__.startswith(needed.REPOSITORY)


class DevContainer:
    """
    A workspace, and the container that `devcontainer up` makes of it.

    Args:
        folder: An empty one, for the workspace.
        client: Whose docker configuration and environment the CLI has.
        engine: Where it runs.
        configuration: devcontainer.json; what each of these needs is added.

    Attributes:
        secrets: What `--secrets-file` holds.
        configuration: As it was written.
    """

    def __init__(self, folder, client, engine, configuration):
        self.workspace = str(folder)
        self._client = client
        self._engine = engine
        self.secrets = {}
        self._configured = os.path.join(self.workspace, ".devcontainer")
        os.makedirs(self._configured, exist_ok=True)
        socket_path = engine.host.removeprefix("unix://")
        mount = f"type=bind,source={socket_path},target=/var/run/docker.sock"
        # A container of this machine's network, for registries on loopback, with the engine's
        # socket, as docker-outside-of-docker mounts it.
        run = ["--network=host", f"--label={LABEL}", f"--mount={mount}"]
        run.append(f"--group-add={os.stat(socket_path).st_gid}")
        self.configuration = {
            "remoteUser": slices.USER,
            "updateRemoteUserUID": False,
            **({} if "dockerComposeFile" in configuration else {"runArgs": run}),
            **configuration,
        }
        self.configure()

    def configure(self):
        """
        Write `configuration` as devcontainer.json.
        """
        self.write("devcontainer.json", json.dumps(self.configuration))

    def write(self, name, text, *, mode=0o644):
        """
        Write a file into `.devcontainer`.
        """
        path = os.path.join(self._configured, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)

    def add_feature(self, folder, name="devcontainer-registry"):
        shutil.copytree(folder, os.path.join(self._configured, "features", name))

    def add_hooks(self, folder):
        shutil.copytree(folder, os.path.join(self._configured, "hooks"))

    def up(self, *options):
        """
        `devcontainer up` with `secrets`; its result, and all that it said.
        """
        return self._cli("up", *options, "--mount-workspace-git-root=false")

    def run_user_commands(self, *options):
        return self._cli("run-user-commands", *options)

    def run(self, *argv, user=slices.USER):
        """
        Run *argv* inside, as somebody who comes by `docker exec` does: no shell, no secrets.
        """
        return self.docker("exec", "--user", user, "--env", "HOME=/home/dev", self.id, *argv)

    def docker(self, *arguments):
        return self._client.docker(*arguments, DOCKER_HOST=self._engine.host)

    @property
    def id(self):
        filters = f"label=devcontainer.local_folder={self.workspace}"
        found = self.docker("ps", "--all", "--quiet", "--filter", filters)
        return found.stdout.split()[0]

    def config(self):
        """
        The content of the user's config.json.
        """
        return json.loads(self.run("cat", "/home/dev/.docker/config.json").stdout)

    def changed_at(self):
        """
        When config.json was written, which file it is, and a hash of what is in it.
        """
        path = "/home/dev/.docker/config.json"
        written = self.run("sh", "-c", f"stat -c '%i %y' {path} && sha256sum {path}")
        assert written.returncode == 0, written.stderr
        return written.stdout

    def holds(self, *texts):
        """
        Which of *texts* are anywhere in the container's file system.
        """
        path = os.path.join(self._client.home, "export.tar")
        exported = self.docker("export", "--output", path, self.id)
        assert exported.returncode == 0, exported.stderr
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as all_:
            found = [text for text in texts if all_.find(text.encode()) != -1]
        os.remove(path)
        return found

    def remove(self):
        """
        Remove the container, and its image's tags: the layers are the next one's cache.
        """
        filters = f"label=devcontainer.local_folder={self.workspace}"
        for found in self.docker("ps", "-aq", "--filter", filters).stdout.split():
            self.docker("rm", "--force", "--volumes", found)

    def _cli(self, command, *options):
        secrets = os.path.join(self._client.home, "secrets.json")
        with open(secrets, "w", encoding="utf-8") as file:
            json.dump(self.secrets, file)
        return self._client.devcontainer(
            command,
            f"--workspace-folder={self.workspace}",
            f"--secrets-file={secrets}",
            *options,
            # Half a minute where nobody else is busy.
            timeout=300,
            DOCKER_HOST=self._engine.host,
            **classic_builder(self._client),
        )


def lines(up, name="CORP"):
    """
    The lines of `up` that say what became of a set, unless nothing did; servers are masked there.
    """
    said = re.compile(rf"(?<!\S){name} (?! *unchanged)")
    return [line for line in up.stderr.splitlines() if said.search(line)]


def secrets(registry, user, password, *, name="CORP"):
    """
    One set, as `--secrets-file` has it.
    """
    prefix = f"{name}_CONTAINER_REGISTRY_"
    return {f"{prefix}SERVER": registry, f"{prefix}USER": user, f"{prefix}PASSWORD": password}
