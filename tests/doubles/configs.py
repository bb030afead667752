# SPDX-License-Identifier: MIT
"""
Config files and credentials that several tests start from.
"""

from __future__ import annotations

import base64
import json
import os
import stat

from devcontainer_registry.config.file import DockerConfig
from devcontainer_registry.credentials import Credential, Secret
from devcontainer_registry.naming import OUR_HELPER
from devcontainer_registry.registry import Registry

HOST = Registry("corp.example")
LOGIN = Credential(username="jane", secret=Secret("pass:word"))
ENTRY = {"auth": base64.b64encode(b"jane:pass:word").decode()}

FOREIGN = {
    "credsStore": "desktop",
    "HttpHeaders": {"X-Meta": "a"},
    "auths": {
        "ghcr.io": {"auth": "am9lOnNlY3JldA==", "email": "joe@x.example", "ours?": [1, None]},
        "https://old.example/v1/": {"auth": "am9lOnNlY3JldA=="},
        "broken.example": {"auth": "not padded"},
        "odd.example": 5,
    },
    "credHelpers": {"gcr.io": "gcloud", "quay.io": ""},
    "plugins": {"x": {"a": "1"}},
    "nobody knows": [1.10, {"deep": {}}],
}


class Told(list):
    """
    An observer that remembers the events' names.
    """

    def __call__(self, event, /, **_):
        self.append(event)


class Waits(list):
    """
    A `sleep` that takes no time, and may let something happen meanwhile.
    """

    def __init__(self, meanwhile=lambda: None):
        self.meanwhile = meanwhile

    def __call__(self, seconds):
        self.append(seconds)
        self.meanwhile()


class Config(DockerConfig):
    """
    A config.json with the edits that the tests make.
    """

    def store(self, credentials, **options):
        def change(document):
            for registry, credential in credentials.items():
                document.set_auth(registry, credential)

        return self.edit(change, **options)

    def delegate(self, registries, **options):
        def change(document):
            for registry, name in registries.items():
                document.set_helper(registry, name)

        return self.edit(change, **options)

    def forget(self, registries, **options):
        def change(document):
            for registry in registries:
                document.remove_auth(registry)
                document.remove_helper(registry, OUR_HELPER)

        return os.path.lexists(self.path) and self.edit(change, **options)


def config_at(path, **kwargs):
    """
    The file *path*, its copies in a folder beside, and no real waiting.
    """
    kwargs.setdefault("sleep", Waits())
    rescue_dir = os.path.join(os.path.dirname(os.path.dirname(str(path))), "rescue")
    return Config(str(path), **{"rescue_dir": rescue_dir, **kwargs})


def content(path):
    with open(path, "rb") as file:
        return file.read()


def parsed(path):
    return json.loads(content(path))


def put(path, value):
    """
    Make *value* the content of *path*: octets, or what JSON can say.
    """
    os.makedirs(os.path.dirname(str(path)), exist_ok=True)
    with open(path, "wb") as file:
        file.write(value if isinstance(value, bytes) else json.dumps(value).encode())


def mode_of(path):
    return stat.S_IMODE(os.stat(path).st_mode)
