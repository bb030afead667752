# SPDX-License-Identifier: MIT
"""
The credential helper as docker runs it, with what it serves and an authenticator to renew from.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

from doubles.command_line import Ran

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.registry import Registry

NAME = "docker-credential-devcontainer-registry"
PROGRAM = os.path.join(os.path.dirname(sys.executable), NAME)
NOT_FOUND = "credentials not found in native keychain\n"

HERE = Registry("registry.example")
HOUR = 3600.0  # seconds
LIFE = 12 * HOUR

OLD = {"ServerURL": str(HERE), "Username": "AWS", "Secret": "the-old-one"}
NEW = {"ServerURL": str(HERE), "Username": "AWS", "Secret": "the-new-one"}

# What it does is said by PLAYED, and how often it was asked by the lines of PLAYED_LOG.
_PLUGIN = """
import base64, os, subprocess, sys, time
from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.errors import AuthenticationError, TransientError

PLAYED = os.environ.get("PLAYED", "up")

if PLAYED == "hangs when imported":
    time.sleep(60)

class Played:
    ambient = True

    def matches(self, registry):
        return registry == "registry.example"

    def exchanges(self, secret):
        if PLAYED == "quotes at once":
            raise AuthenticationError("no to " + secret.secret.reveal())
        return True

    def authenticate(self, secret, *, timeout):
        with open(os.environ["PLAYED_LOG"], "a") as log:
            log.write("asked\\n")
        if PLAYED == "down":
            raise TransientError("the cloud is down", hint="wait for it")
        if PLAYED == "refuses":
            raise AuthenticationError("the cloud said no", hint="give it the right to")
        if PLAYED == "hangs":
            time.sleep(60)
        if PLAYED == "dies":
            os._exit(7)
        if PLAYED == "quotes":
            said = secret.secret.reveal()
            pair = base64.b64encode(f"{secret.username}:{said}".encode()).decode()
            raise AuthenticationError(f"no to {said}\\x1b[2J\\nand more", hint=f"not {pair}")
        if PLAYED == "crashes":
            raise ValueError("the-plugins-secret")
        if PLAYED == "talks":
            print("to stdout: the-plugins-secret", flush=True)
            print("to stderr: the-plugins-secret", file=sys.stderr, flush=True)
            subprocess.run(["echo", "from below: the-plugins-secret"])
        if PLAYED == "is overtaken":
            cache = Cache.locate(os.environ)
            cache.write(secret.registry, {**cache.read(secret.registry), "wrote": {"x": ["y"]}})
        now = time.time()
        token = os.environ.get("PLAYED_TOKEN", "the-new-one")
        return Credential(username="AWS", secret=Secret(token),
                          issued_at=now, expires_at=now + 43200)
"""
_SETS = {"MY_CONTAINER_REGISTRY_SERVER": str(HERE)}


class Helper:
    """
    A home, its cache, and the helper run in them.

    Attributes:
        cache: What is kept.
        environ: Added to what the helper sees.
    """

    def __init__(self, folder):
        self.home = os.path.join(str(folder), "home")
        os.makedirs(self.home)
        self.environ = {}
        self.cache = Cache.locate({"HOME": self.home})
        self._log = os.path.join(str(folder), "asked")

    def keep(self, registry=HERE, *, user="AWS", secret="the-old-one", age=None, left=None, **more):
        """
        Keep a credential, of 12 hours if *age* or what is *left* of it is given (seconds).
        """
        entry = {"credential": {"Username": user, "Secret": secret}, **more}
        if age is not None or left is not None:
            begun = time.time() - (LIFE - left if age is None else age)
            entry |= {"issued_at": begun, "expires_at": begun + LIFE}
        self.cache.write(Registry(registry), entry)

    def set_for(self, registry):
        """
        The variables of a set for *registry*, and of its authenticator, after `see_secrets`.
        """
        return {
            **{name: self.environ[name] for name in ("PYTHONPATH", "PLAYED_LOG")},
            "MY_CONTAINER_REGISTRY_SERVER": registry,
            "MY_CONTAINER_REGISTRY_KIND": "played",
        }

    def see_secrets(self, cloud="up"):
        """
        Make the secrets visible, and an authenticator that finds the *cloud* up, down, ...
        """
        folder = os.path.join(os.path.dirname(self.home), "plugin")
        described = os.path.join(folder, "played-1.dist-info")
        os.makedirs(described, exist_ok=True)
        for path, text in (
            (os.path.join(folder, "played_cloud.py"), _PLUGIN),
            (os.path.join(described, "METADATA"), "Metadata-Version: 2.1\nName: played\n"),
            (
                os.path.join(described, "entry_points.txt"),
                "[devcontainer_registry.authenticators]\nplayed = played_cloud:Played\n",
            ),
        ):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        self.environ |= {
            **_SETS,
            "PYTHONPATH": folder,
            "PLAYED": cloud,
            "PLAYED_LOG": self._log,
        }

    @property
    def asked(self):
        """
        How often the cloud was asked.
        """
        if not os.path.exists(self._log):
            return 0
        with open(self._log, encoding="utf-8") as file:
            return len(file.readlines())

    def start(self, *arguments, **options):
        return subprocess.Popen(
            [PROGRAM, *arguments],
            env={"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            **options,
        )

    def run(self, *arguments, given="", program=PROGRAM):
        """
        Run the helper to its end, as docker does.
        """
        done = subprocess.run(
            [program, *arguments],
            env={"HOME": self.home, "PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.environ},
            input=given if isinstance(given, bytes) else given.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def get(self, url=HERE):
        return self.run("get", given=url)

    def store(self, url, user, secret):
        given = {"ServerURL": url, "Username": user, "Secret": secret}
        return self.run("store", given=json.dumps(given))


def answered(ran):
    """
    What a `get` that went well says.
    """
    assert (0, "") == (ran.status, ran.stderr), ran
    return ran.document


def reason(ran):
    """
    Why a verb failed: the same on stdout, for docker, and in one line on stderr, for a person.
    """
    assert ran.status == 1, ran
    line = ran.stdout.removesuffix("\n")
    assert "\n" not in line
    assert f"devcontainer-registry: {line}\n" == ran.stderr
    return line
