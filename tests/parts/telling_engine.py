# SPDX-License-Identifier: MIT
"""
An engine that pulls nothing, and tells which credential docker's command line sent along.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import socketserver
import subprocess
import threading

from . import needed


class TellingEngine(socketserver.ThreadingUnixStreamServer):
    """
    The Engine API at a socket in *folder*, as far as `docker pull` asks for it.

    https://github.com/moby/moby/blob/v28.2.2/api/swagger.yaml (ImageCreate, X-Registry-Auth)
    """

    daemon_threads = True

    def __init__(self, folder):
        self.path = os.path.join(folder, "engine.sock")
        self._sent = {}  # image's tag: header
        super().__init__(self.path, _Asked)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()

    def sent(self, docker, image, environ):
        """
        What the command line *docker* sends for *image*: members of an AuthConfig, or None where it
        did not come so far.
        """
        tag = f"t{os.urandom(8).hex()}"
        done = subprocess.run(
            [docker, "pull", f"{image}:{tag}"],
            env={**environ, "DOCKER_HOST": f"unix://{self.path}"},
            capture_output=True,
            check=False,
            timeout=60,
        )
        header = self._sent.pop(tag, None)
        if header is None:
            return None, done.stderr.decode(errors="replace")
        return json.loads(base64.urlsafe_b64decode(header + "==") or b"{}"), ""

    def note(self, tag, header):
        self._sent[tag] = header or ""


class _Asked(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def address_string(self):
        return "docker"

    def do_HEAD(self):
        self._answer(b"")

    def do_GET(self):
        self._answer(b"OK" if "_ping" in self.path else b"{}")

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        tag = self.path.rpartition("tag=")[2].partition("&")[0]
        self.server.note(tag, self.headers.get("X-Registry-Auth"))
        self._answer(b'{"status":"told"}\n')

    def _answer(self, body):
        self.send_response(200)
        self.send_header("Api-Version", "1.41")
        self.send_header("Ostype", "linux")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):
            self.wfile.write(body)


def command_lines():
    """
    Every docker on PATH, by version.
    """
    found = {}
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, "docker")
        if os.access(path, os.X_OK):
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
            found.setdefault(told.stdout.split()[2].rstrip(","), path)
    if not found:
        needed.program("docker", package="docker.io")
    return found
