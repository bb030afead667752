# SPDX-License-Identifier: MIT
"""
The CNCF distribution registry, as Debian packs it, started for a test.

https://github.com/distribution/distribution/blob/v2.8.2/docs/configuration.md
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass

import bcrypt

from . import needed
from .processes import Background

# As its log has it: a line that was refused is never followed by "response completed".
_REFUSED_USER = re.compile(r'error authenticating user "(.*)": ')


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    What the registry's own log says about one request.

    Attributes:
        method: `GET`, ...
        path: With its query.
        status: As answered; None: still being answered.
        agent: The `User-Agent`.
        refused: The user whose password it refused, if one was sent and refused.
        accepted: Whether a credential came with it and was accepted; the log does not say whose.
    """

    method: str
    path: str
    status: int | None
    agent: str
    refused: str | None
    accepted: bool


class CncfRegistry:
    """
    A registry process that listens on *address*, on a port of its own choosing.

    Args:
        folder: An empty folder for its configuration and its log.
        auth: The configuration's `auth` section.
        certificate: Paths of a chain and a key: serve TLS.
        address: Where to listen.
        host: The name by which clients call it; None: *address*.
        enter: What to put before its command line, to start it elsewhere.
    """

    def __init__(
        self, folder, *, auth=None, certificate=None, address="127.0.0.1", host=None, enter=()
    ):
        serve = needed.program("docker-registry", package="docker-registry")
        folder = str(folder)
        os.makedirs(folder, exist_ok=True)
        config = {
            "version": 0.1,
            "log": {"level": "info", "formatter": "json", "accesslog": {"disabled": True}},
            "storage": {"inmemory": {}},
            "http": {"addr": f"{address}:0", "secret": "of no use to anybody"},
        }
        if auth:
            config["auth"] = auth
        if certificate:
            config["http"]["tls"] = {"certificate": certificate[0], "key": certificate[1]}
        path = os.path.join(folder, "config.yml")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(config, file)  # JSON is YAML
        self._process = Background(
            [*enter, serve, "serve", path],
            log=os.path.join(folder, "log"),
            # Version 3 would look for somebody to send its traces to.
            env={"PATH": os.defpath, "OTEL_TRACES_EXPORTER": "none"},
        )
        try:
            listening = self._process.wait_for(r"listening on [^\"]*:(\d+)")
        except RuntimeError:
            self._process.stop()
            raise
        self.registry = f"{host or address}:{listening[1]}"

    @classmethod
    def with_passwords(cls, folder, users, **options):
        """
        One that knows *users* (name to password) from a htpasswd file.
        """
        folder = str(folder)
        os.makedirs(folder, exist_ok=True)
        path = os.path.join(folder, "htpasswd")
        with open(path, "w", encoding="utf-8") as file:
            for name, password in users.items():
                # The cheapest: what is tested here is not bcrypt.
                hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(4)).decode()
                file.write(f"{name}:{hashed}\n")
        auth = {"htpasswd": {"realm": "a test's own", "path": path}}
        return cls(folder, auth=auth, **options)

    @property
    def port(self):
        return int(self.registry.rpartition(":")[2])

    def requests(self):
        """
        Every request so far, in the order of arrival.
        """
        lines = {}
        for line in self._process.log().splitlines():
            if line.startswith("{") and '"http.request.id"' in line:
                entry = json.loads(line)
                lines.setdefault(entry["http.request.id"], []).append(entry)
        return [_request(entries) for entries in lines.values()]

    def refusals(self):
        """
        The users that were refused, one for each time that a wrong password was sent.
        """
        return [request.refused for request in self.requests() if request.refused is not None]

    def log(self):
        return self._process.log()

    def stop(self):
        self._process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _request(entries):
    status = refused = None
    for entry in entries:
        status = entry.get("http.response.status", status)
        if entry["msg"].startswith("error authorizing context"):
            status = 401
        match = _REFUSED_USER.match(entry["msg"])
        refused = match[1] if match else refused
    first = entries[0]
    return Request(
        method=first["http.request.method"],
        path=first["http.request.uri"],
        status=status,
        agent=first.get("http.request.useragent", ""),
        refused=refused,
        accepted=any(entry["msg"] == "authorized request" for entry in entries),
    )
