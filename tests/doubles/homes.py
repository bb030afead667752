# SPDX-License-Identifier: MIT
"""
Small things that behave: authenticators with a script, and somewhere to log in to.
"""

from __future__ import annotations

import base64
import json
import os
import threading

from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.credentials import Credential, RegistrySecret, Secret
from devcontainer_registry.logins.asking import RetryPolicy
from devcontainer_registry.logins.login import login
from devcontainer_registry.registry import Registry

GOOD = Credential(username="bob", secret=Secret("s3cret-s3cret"))
HERE = Registry("registry.example")


class Scripted:
    """
    An authenticator that claims nobody and goes through *script*; its last word is repeated.
    """

    def __init__(self, *script):
        self._script = list(script)
        self._lock = threading.Lock()
        self.asked = 0

    def matches(self, registry):  # noqa: ARG002  (the protocol's)
        return False

    def authenticate(self, secret, *, timeout):  # noqa: ARG002  (the protocol's)
        with self._lock:
            self.asked += 1
            word = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if isinstance(word, BaseException):
            raise word
        return word


class Claiming(Scripted):
    """
    One that claims *registries*, or raises when it is asked.
    """

    def __init__(self, *registries, word=GOOD):
        super().__init__(word)
        self._registries = registries

    def matches(self, registry):
        for claimed in self._registries:
            if isinstance(claimed, BaseException):
                raise claimed
        return registry in self._registries


class Hanging(Scripted):
    """
    Never answers, until `over` is set.
    """

    def __init__(self):
        super().__init__(GOOD)
        self.over = threading.Event()

    def authenticate(self, secret, *, timeout):
        self.over.wait(30)
        return super().authenticate(secret, timeout=timeout)


class Exchanging(Scripted):
    """
    Asks a cloud for what it returns, with or without a user name and a password.
    """

    ambient = True

    def exchanges(self, secret):  # noqa: ARG002  (the protocol's)
        return True


class Waits(list):
    """
    A `sleep` that only takes note.
    """

    __call__ = list.append


class Told(list):
    """
    An observer that only takes note.
    """

    def __call__(self, event, /, **fields):
        self.append((event, fields))

    @property
    def events(self):
        return [event for event, _ in self]


class Home:
    """
    A home folder in which a login writes, and what is in it afterwards.
    """

    def __init__(self, path):
        self.path = str(path)
        self.config = os.path.join(self.path, ".docker", "config.json")
        self.cache = os.path.join(self.path, ".cache", "devcontainer-registry")
        self.environ = {"HOME": self.path}

    def login(self, secrets=None, *, sets=None, **options):
        options.setdefault("retry", RetryPolicy(sleep=Waits()))
        return login(secrets, environ={**self.environ, **(sets or {})}, **options)

    def program(self, name):
        """
        A program on PATH that does nothing.
        """
        folder = os.path.join(self.path, "bin")
        os.makedirs(folder, exist_ok=True)
        self.environ["PATH"] = folder
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        os.chmod(path, 0o755)

    def write(self, document):
        os.makedirs(os.path.dirname(self.config), exist_ok=True)
        text = document if isinstance(document, str) else json.dumps(document)
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def text(self):
        with open(self.config, encoding="utf-8") as file:
            return file.read()

    @property
    def auths(self):
        """
        What docker would find: config keys to `user:password`.
        """
        if not os.path.exists(self.config):
            return {}
        auths = json.loads(self.text).get("auths", {})
        return {key: base64.b64decode(entry["auth"]).decode() for key, entry in auths.items()}

    @property
    def docker(self):
        return DockerConfig(self.config)


def a_secret(set_id="ACR", registry=HERE, *, user="bob", password="s3cret-s3cret", **members):
    return RegistrySecret(
        id=set_id,
        registry=Registry(registry),
        source=f"{set_id}_CONTAINER_REGISTRY_*",
        username=user,
        secret=None if password is None else Secret(password),
        **members,
    )


def a_set(set_id, registry, *, user="bob", password="s3cret-s3cret", **members):
    """
    The variables of a set.
    """
    values = {"SERVER": registry, "USER": user, "PASSWORD": password, **members}
    return {f"{set_id}_CONTAINER_REGISTRY_{name}": str(text) for name, text in values.items()}


def only(report):
    """
    The one outcome of *report*.
    """
    (outcome,) = report.outcomes
    return outcome


def encoded(pair):
    return base64.b64encode(pair.encode()).decode()
