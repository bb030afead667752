# SPDX-License-Identifier: MIT
"""
What the kubelet does with a provider and with its response, as rules.

No kubelet runs in these tests: it is in no package registry that they reach.  These are the rules
that its source states, version 1.34, and each names its place.

https://github.com/kubernetes/kubernetes/tree/v1.34.0/pkg/credentialprovider
"""

from __future__ import annotations

import fnmatch
import json
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

from doubles.command_line import Ran
from doubles.credential_helper import HERE, Helper

NAME = "devcontainer-registry-kubelet"
PROGRAM = os.path.join(os.path.dirname(sys.executable), NAME)

GROUP = "credentialprovider.kubelet.k8s.io"
V1 = f"{GROUP}/v1"
VERSIONS = (V1, f"{GROUP}/v1beta1", f"{GROUP}/v1alpha1")
IMAGE = f"{HERE}/team/app"

# staging/src/k8s.io/kubelet/pkg/apis/credentialprovider/v1/types.go
_MEMBERS = {"apiVersion", "kind", "cacheKeyType", "cacheDuration", "auth"}
_CREDENTIAL = {"username", "password"}
_KEY_TYPES = ("Image", "Registry", "Global")

# https://pkg.go.dev/time#ParseDuration
_DURATION = re.compile(r"([0-9]+)h([0-9]+)m([0-9]+)s|([0-9]+)m([0-9]+)s|([0-9]+)s")


class RejectedError(Exception):
    """
    The kubelet does not use the response, and goes on as if there were no login.
    """


def request(image=IMAGE, *, version=V1, token=None, annotations=None, **more):
    """
    What the kubelet writes on stdin; empty members are left out.
    """
    document = {
        "kind": "CredentialProviderRequest",
        "apiVersion": version,
        "image": image,
        "serviceAccountToken": token,
        "serviceAccountAnnotations": annotations,
        **more,
    }
    return json.dumps({name: value for name, value in document.items() if value is not None})


def accepted(ran, *, version=V1):
    """
    Return the response that the kubelet takes from a process that ended, by the rules of
    `plugin.go`: `ExecPlugin`, `decodeResponse` and `provide`.

    Raises:
        RejectedError: It takes none.
    """
    if ran.status != 0:
        msg = f"error execing credential provider plugin: {ran.stderr}"
        raise RejectedError(msg)
    document = json.loads(ran.stdout, object_pairs_hook=_strict)
    _require(document.get("apiVersion") == version, "another apiVersion than was asked for")
    _require(document.get("kind") == "CredentialProviderResponse", "another kind")
    _require(set(document) <= _MEMBERS, "an unknown member, in a strict decoder")
    _require(document.get("cacheKeyType") in _KEY_TYPES, "no valid cacheKeyType")
    seconds(document)
    auth = document.get("auth") or {}
    for key, credential in auth.items():
        # keyring.go, Add: it ignores a key that is no URL.
        _require(bool(urlsplit(f"https://{key}").netloc), "a key that is no URL without scheme")
        _require(set(credential) == _CREDENTIAL, "an unknown member of a credential")
        _require(all(isinstance(v, str) for v in credential.values()), "not texts")
    return document


def seconds(document):
    """
    Return the `cacheDuration`; None: `defaultCacheDuration` of the configuration.

    The kubelet takes a negative one and finds its entry expired; here that is an error.
    """
    text = document.get("cacheDuration")
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    _require(found is not None, "no duration as Go writes it, or a negative one")
    parts = [int(part) for part in found.groups() if part is not None]
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))


def lookup(document, image):
    """
    Return the credentials in `auth` that the kubelet tries for *image*, by `keyring.go`.

    `URLsMatch`: equal ports, as many parts of the host, each a glob, and the path is a prefix.
    """
    found = []
    for key, credential in sorted((document.get("auth") or {}).items(), reverse=True):
        glob, target = urlsplit(f"https://{key}"), urlsplit(f"https://{image}")
        globs, targets = (url.netloc.partition(":") for url in (glob, target))
        same_port = globs[2] == targets[2]
        pairs = list(zip(globs[0].split("."), targets[0].split("."), strict=False))
        same_length = globs[0].count(".") == targets[0].count(".")
        matches = all(fnmatch.fnmatchcase(part, pattern) for pattern, part in pairs)
        if same_port and same_length and matches and target.path.startswith(glob.path):
            found.append((credential["username"], credential["password"]))
    if not found and image.partition("/")[0] in ("docker.io", "index.docker.io"):
        hub = (document.get("auth") or {}).get("index.docker.io")
        found += [(hub["username"], hub["password"])] if hub else []
    return found


def _require(holds, what):
    if not holds:
        raise RejectedError(what)


def _strict(pairs):
    names = [name for name, _ in pairs]
    _require(len(names) == len(set(names)), "a member twice, in a strict decoder")
    return dict(pairs)


class Node(Helper):
    """
    A node on which the kubelet starts our provider: no home, a cache, and a cloud that is played.

    Attributes:
        cache_folder: For `DEVCONTAINER_REGISTRY_CACHE_DIR`; what is remembered is in `kubelet`.
    """

    def __init__(self, folder):
        super().__init__(folder)
        self.cache_folder = os.path.join(str(folder), "cache")
        self.environ["DEVCONTAINER_REGISTRY_CACHE_DIR"] = self.cache_folder

    def ask(self, given=None, *arguments, **environ):
        """
        Start the provider as the kubelet does, and return how it ended.

        A variable that is None is not set.
        """
        merged = {"PATH": os.environ["PATH"], **self.environ, **environ}
        if "PYTHONPATH" in os.environ:  # the sources, where these are tested
            merged["PYTHONPATH"] = os.pathsep.join(
                filter(None, (os.path.abspath(os.environ["PYTHONPATH"]), merged.get("PYTHONPATH")))
            )
        given = request() if given is None else given
        done = subprocess.run(
            [PROGRAM, *arguments],
            env={name: text for name, text in merged.items() if text is not None},
            input=given if isinstance(given, bytes) else given.encode(),
            capture_output=True,
            timeout=60,
            check=False,
            cwd="/",
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    def remembered(self):
        """
        The content of the cache file of `HERE`.
        """
        with open(self.path_of_entry, encoding="utf-8") as file:
            return json.load(file)

    @property
    def path_of_entry(self):
        return os.path.join(self.cache_folder, "kubelet", f"{HERE}.json")

    def age(self, seconds_of_age):
        """
        Let what is remembered be older by *seconds_of_age*.
        """
        entry = self.remembered()
        for name in ("issued_at", "expires_at", "failed_at", "at"):
            if entry.get(name) is not None:
                entry[name] -= seconds_of_age
        with open(self.path_of_entry, "w", encoding="utf-8") as file:
            json.dump(entry, file)
