# SPDX-License-Identifier: MIT
"""
containerd with its CRI, the interface over which the kubelet has images pulled.

The messages are written by hand, so that no generated code is needed; the numbers of their members
are those of api.proto: https://github.com/kubernetes/cri-api/blob/v0.34.0/pkg/apis/runtime/v1/api.proto
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile

import grpc

from . import needed
from .processes import Background

_CONFIG = """
version = 2
root = "{folder}/root"
state = "{folder}/state"

[grpc]
address = "{folder}/cri.sock"

[plugins."io.containerd.grpc.v1.cri"]
disable_tcp_service = true
max_concurrent_downloads = 1

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{folder}/hosts"
"""

_HOSTS = """
server = "http://{host}"

[host."http://{host}"]
capabilities = ["pull", "resolve"]
"""


class RefusedError(Exception):
    """
    containerd did not pull the image.
    """


class Containerd:
    """
    A containerd of a test's own, without any image.
    """

    def __init__(self):
        program = needed.program("containerd", package="containerd")
        if os.geteuid() != 0:
            needed.missing("only root can start containerd")
        # A Unix socket's path has 107 bytes at most, and pytest's folders are long.
        self._folder = tempfile.mkdtemp(prefix="containerd-")
        path = os.path.join(self._folder, "config.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(_CONFIG.format(folder=self._folder))
        self._process = Background(
            [program, "--config", path],
            log=os.path.join(self._folder, "log"),
            env={"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": self._folder},
        )
        self._channel = grpc.insecure_channel(f"unix:{self._folder}/cri.sock")
        try:
            self._process.wait_until(self._answers, seconds=60)
        except RuntimeError as error:
            self.stop()
            needed.missing(f"containerd cannot be started here: {error}")

    def use_plain_http(self, host):
        """
        Let *host* be asked without TLS, and nobody else in its place.
        """
        folder = os.path.join(self._folder, "hosts", host)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "hosts.toml"), "w", encoding="utf-8") as file:
            file.write(_HOSTS.format(host=host))

    def pull(self, image, *, username="", password=""):
        """
        Pull *image* as the kubelet has it pulled, and return its id.

        Raises:
            RefusedError: What containerd said.
        """
        # PullImageRequest: 1 ImageSpec (1 image), 2 AuthConfig (1 username, 2 password).
        auth = _text(1, username) + _text(2, password)
        message = _part(1, _text(1, image)) + (_part(2, auth) if auth else b"")
        try:
            answer = self._call("PullImage", message)
        except grpc.RpcError as error:
            raise RefusedError(error.details()) from None
        return answer[2 : 2 + answer[1]].decode()  # PullImageResponse: 1 image_ref

    def remove(self, image):
        """
        Remove *image*, so that the next pull asks the registry again.
        """
        self._call("RemoveImage", _part(1, _text(1, image)))

    def log(self):
        return self._process.log()

    def stop(self):
        """
        Stop it, and remove all that it kept.
        """
        self._channel.close()
        self._process.stop()
        with open("/proc/self/mountinfo", encoding="utf-8") as file:
            points = [line.split(" ")[4] for line in file]
        for point in sorted(points, reverse=True):
            if point.startswith(f"{self._folder}/"):
                subprocess.run(["umount", point], check=True)
        shutil.rmtree(self._folder)

    def _answers(self):
        try:
            return self._call("ListImages", b"") is not None
        except grpc.RpcError:
            return False

    def _call(self, method, message):
        call = self._channel.unary_unary(f"/runtime.v1.ImageService/{method}")
        return call(message, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _text(number, text):
    return _part(number, text.encode()) if text else b""


def _part(number, content):
    """
    The member *number* of a message, with its length before it.
    """
    length, digits = len(content), []
    while length > 127:
        digits.append(length & 127 | 128)
        length >>= 7
    return bytes((number << 3 | 2, *digits, length)) + content
