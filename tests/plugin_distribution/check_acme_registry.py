# SPDX-License-Identifier: MIT
"""
The plugin's own tests, as its author has them; here they are run by test_contract.py.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

from devcontainer_registry.testing import AuthenticatorContract


class TestAcme(AuthenticatorContract):
    target = "acme_registry:AcmeAuthenticator"
    ours = ("de.registry.acme.example", "us.registry.acme.example")
    sdk = ("urllib3", "devcontainer_registry.network.transport")

    @contextmanager
    def refusal(self):
        with answering(403):
            yield self.secret()

    @contextmanager
    def outage(self):
        with answering(503):
            yield self.secret()


@contextmanager
def answering(status):
    class Acme(BaseHTTPRequestHandler):
        def do_POST(self):
            # It quotes what it was sent, as some do.
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Acme) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        os.environ["ACME_TOKEN_URL"] = f"http://127.0.0.1:{server.server_port}/token"
        try:
            yield
        finally:
            del os.environ["ACME_TOKEN_URL"]
            server.shutdown()
