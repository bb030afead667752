# SPDX-License-Identifier: MIT
"""
A Docker Engine: the one that is there, or one of the tests' own.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import tempfile

from . import images, needed
from .processes import Background

_DEFAULT_SOCKETS = ("/var/run/docker.sock", os.path.expanduser("~/.docker/run/docker.sock"))


class Engine:
    """
    An engine that answers.

    Attributes:
        host: For DOCKER_HOST.
        ours: Whether it was started here; then it shares this machine's network, so that it can
            reach registries on loopback, and is gone with the tests.
    """

    def __init__(self, *, preferred=None):
        self._options = {"config": {}, "environ": {}, "enter": (), "arguments": ()}
        self._folder = self._process = None
        there = [preferred] if preferred else [f"unix://{path}" for path in _DEFAULT_SOCKETS]
        self.host = next((host for host in there if _answers(host)), None)
        self.ours = self.host is None
        if self.ours:
            self._start()

    @classmethod
    def own(cls, *, config=None, environ=None, enter=(), arguments=()):
        """
        One that is started here, whatever else answers.

        Args:
            config: Its daemon.json.
            environ: More variables for it.
            enter: What to put before its command line, to start it elsewhere.
            arguments: More of its command line.
        """
        engine = cls.__new__(cls)
        engine._options = {
            "config": config or {},
            "environ": environ or {},
            "enter": enter,
            "arguments": arguments,
        }
        engine._folder = engine._process = None
        engine.ours = True
        engine._start()
        return engine

    def import_busybox(self, name):
        """
        Make the image *name*, of one static busybox, without fetching anything.
        """
        self._docker("import", "--change", 'CMD ["/bin/sh"]', "-", name, stdin=images.busybox_tar())
        return name

    def import_tar(self, name, path):
        """
        Make the image *name* of the root file system in the tar at *path*.
        """
        self._docker("import", path, name)
        return name

    def build(self, name, folder):
        """
        Make the image *name* of the Dockerfile in *folder*, with the builder that needs no plugin.
        """
        built = self._docker(
            "build", "--tag", name, str(folder), check=False, environ={"DOCKER_BUILDKIT": "0"}
        )
        assert 0 == built.returncode, (built.stdout + built.stderr).decode()
        return name

    def remove_image(self, name):
        self._docker("rmi", "--force", name, check=False)

    def log(self):
        return self._process.log() if self._process else ""

    def stop(self):
        """
        Stop it, if it is ours, and remove all that it kept.
        """
        if self._process is not None:
            self._process.stop()
        if self._folder is not None:
            # The engine keeps a network namespace mounted there, and where mounts are private,
            # as they are in a container, its own data.
            for point in sorted(_mounts_below(self._folder), reverse=True):
                subprocess.run(["umount", point], check=True)
            shutil.rmtree(self._folder)

    def _start(self):
        dockerd = needed.program("dockerd", package="docker.io")
        if os.geteuid() != 0:
            needed.missing("no Docker Engine answers, and only root can start one")
        # A Unix socket's path has 107 bytes at most, and pytest's folders are long.
        folder = self._folder = tempfile.mkdtemp(prefix="engine-")
        socket_path = os.path.join(folder, "docker.sock")
        configuration = os.path.join(folder, "daemon.json")
        with open(configuration, "w", encoding="utf-8") as file:
            json.dump(self._options["config"], file)  # not the machine's own
        self._process = Background(
            [
                *self._options["enter"],
                dockerd,
                *self._options["arguments"],
                f"--config-file={configuration}",
                f"--data-root={folder}/data",
                f"--exec-root={folder}/exec",
                f"--pidfile={folder}/docker.pid",
                f"--host=unix://{socket_path}",
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                "--ip-forward=false",
                "--userland-proxy=false",
            ],
            log=os.path.join(folder, "log"),
            env={
                "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin",
                "HOME": folder,
                **self._options["environ"],
            },
        )
        self.host = f"unix://{socket_path}"
        try:
            self._process.wait_until(lambda: _answers(self.host), seconds=60)
        except RuntimeError as error:
            self.stop()
            needed.missing(f"no Docker Engine answers, and none can be started here: {error}")

    def _docker(self, *arguments, stdin=b"", check=True, environ=()):
        docker = needed.program("docker", package="docker.io")
        return subprocess.run(
            [docker, *arguments],
            input=stdin,
            capture_output=True,
            check=check,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "DOCKER_HOST": self.host,
                **dict(environ),
            },
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _mounts_below(folder):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split(" ")[4] for line in file]
    return [point for point in points if point.startswith(f"{folder}/")]


def _answers(host):
    """
    Whether an engine answers a ping at *host*; other than Unix sockets are taken at their word.
    """
    if not host.startswith("unix://"):
        return True
    connection = http.client.HTTPConnection("localhost", timeout=5)
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(5)
        connection.sock.connect(host.removeprefix("unix://"))
        connection.request("GET", "/_ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
