# SPDX-License-Identifier: MIT
"""
Wheels on a loopback server, as an index (PEP 503) and by URL; and wheels that install at once.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import os
import re
import ssl
import threading
import zipfile

_MODULE = """\
import os
import sys

VARIABLES = ("DEVCONTAINER_REGISTRY_STORE", "DEVCONTAINER_REGISTRY_VERIFY")


def main():
    given = [f"{name}={os.environ[name]}" for name in VARIABLES if name in os.environ]
    print("devcontainer-registry", "VERSION", *given, *sys.argv[1:])
    return int(os.environ.get("LIGHT_STATUS", "0"))
"""
_ENTRY_POINTS = """\
[console_scripts]
devcontainer-registry = devcontainer_registry:main
docker-credential-devcontainer-registry = devcontainer_registry:main
"""


def light(folder, version, *, commands=True, needs=None):
    """
    Write a wheel of our name that depends on nothing; its commands tell how they were called.

    For what is about finding a wheel and calling what is in it; the real one takes much longer to
    install.  They exit with the status that LIGHT_STATUS says.

    Args:
        folder: Where to.
        version: Its version.
        commands: Whether it has any.
        needs: What it depends on.
    """
    stem = f"devcontainer_registry-{version}"
    module = _MODULE.replace("VERSION", version)
    metadata = f"Metadata-Version: 2.1\nName: devcontainer-registry\nVersion: {version}\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    files = {
        "devcontainer_registry/__init__.py": module,
        f"{stem}.dist-info/METADATA": metadata,
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": _ENTRY_POINTS if commands else "",
    }
    record = "".join(f"{name},{_digest(text)},{len(text)}\n" for name, text in files.items())
    record_name = f"{stem}.dist-info/RECORD"
    path = os.path.join(str(folder), f"{stem}-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in files.items():
            wheel.writestr(name, text)
        wheel.writestr(record_name, f"{record}{record_name},,\n")
    return path


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Wheelhouse:
    """
    Serves the wheels of *folder*, as they are there when asked for.

    Args:
        folder: With the wheels.
        certificate: Paths of a chain and of its key; without one it speaks plain HTTP.

    Attributes:
        url: Of the server; a wheel is at `{url}/NAME.whl`.
        index: Of the index, as pip's `--index-url` wants it.
        asked: The paths that were asked for.
    """

    def __init__(self, folder, *, certificate=None):
        self.asked = []
        handler = functools.partial(_Handler, directory=str(folder))
        self._server = _Server(("127.0.0.1", 0), handler)
        self._server.asked = self.asked
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            # The handshake is each connection's own, in its thread.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.url = f"{scheme}://localhost:{self._server.server_address[1]}"
        self.index = f"{self.url}/simple/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        project = re.fullmatch(r"/simple/([^/]+)/", self.path)
        if project is None:
            super().do_GET()
            return
        links = [
            f'<a href="/{name}#sha256={sha256(os.path.join(self.directory, name))}">{name}</a>'
            for name in sorted(os.listdir(self.directory))
            if name.endswith(".whl") and _normal(name.split("-")[0]) == project[1]
        ]
        body = "<!DOCTYPE html>\n".join(["", *links]).encode()
        self.send_response(200 if links else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """
        A client that hangs up, as one does that does not trust us, is its own matter.
        """


def _normal(name):
    """
    A project's name as an index spells it: https://peps.python.org/pep-0503/#normalized-names
    """
    return re.sub(r"[-_.]+", "-", name).lower()


def _digest(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256={base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
