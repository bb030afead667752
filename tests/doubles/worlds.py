# SPDX-License-Identifier: MIT
"""
A home, registries and helpers in which one thing is wrong.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
import sys
import threading

from doubles.homes import a_set, encoded
from doubles.internet import Internet
from doubles.servers import Fine

from devcontainer_registry.cache.folder import Cache
from devcontainer_registry.diagnosis.diagnose import diagnose
from devcontainer_registry.registry import Registry

USER, PASSWORD = "bob", "s3cret-s3cret"
IMAGES = ("team/app:1", "team/app:1.2", "team/app:latest")


class Special(Fine):
    """
    A registry that answers some paths otherwise, once somebody has logged in.

    Args:
        paths: Paths to status, headers and body; a callable is given the method.
        public: Repositories that can be read without a login.
        ignoring: Whether a wrong password is as good as none, for them.
        ping: What `/v2/` answers to nobody; None: as usual.
    """

    def __init__(self, users, *, paths=None, public=(), ignoring=False, ping=None, **options):
        super().__init__(users, **options)
        self._ignoring, self._local = ignoring, threading.local()
        self._paths, self._public, self._pinged = paths or {}, public, ping

    def _who(self, headers, form):
        self._local.sent = "Authorization" in headers or bool(form)
        return super()._who(headers, form)

    def _token(self, user, form):
        scopes = form.get("scope", [])
        is_public = any(name in scope for name in self._public for scope in scopes)
        if self._ignoring and self._local.sent and not scopes:
            return 200, {"Content-Type": "application/json"}, b'{"token":"of-nobody"}'
        if user is None and is_public and (self._ignoring or not self._local.sent):
            token = f"public-{len(self.requests)}"
            self._tokens[token] = "nobody", {f"repository:{name}:pull" for name in self._public}
            body = json.dumps({"token": token}).encode()
            return 200, {"Content-Type": "application/json"}, body
        return super()._token(user, form)

    def _read(self, path, user, headers):
        if user is None and path == "/v2/" and self._pinged is not None:
            return self._pinged
        answer = super()._read(path, user, headers)
        return answer if answer[0] == 401 else self._paths.get(path, answer)


class World:
    """
    Where a diagnosis is made, and what it may not change there.

    Attributes:
        environ: All variables.
        names: What stands for what in expected texts.
        images: What to ask for.
        auth: How registries ask for a login, where the case does not say.
    """

    def __init__(self, folder):
        self.home = os.path.join(str(folder), "home")
        self.bin = os.path.join(str(folder), "bin")
        os.makedirs(os.path.join(self.home, ".docker"), mode=0o700)
        os.makedirs(self.bin)
        self.environ = {"HOME": self.home, "PATH": self.bin}
        self.config_path = os.path.join(self.home, ".docker", "config.json")
        self.names = {
            "CONFIG": "~/.docker/config.json",
            "HOME": self.home,
            "PATH": self.config_path,
            "OTHERS": ": docker run, build and compose fail",
        }
        self.images = []
        self.auth = "bearer"
        self.internet = None
        self.options = {}
        self.registries = []
        self._stack = contextlib.ExitStack()

    def enter(self, part):
        if isinstance(part, Internet):
            self.internet = part
        return self._stack.enter_context(part)

    def close(self):
        self._stack.close()

    def registry(self, part=None, **options):
        """
        Start a registry, whose image is asked for, and which `R` stands for.
        """
        part = part or Special({USER: PASSWORD}, images=IMAGES, **{"auth": self.auth, **options})
        self.enter(part)
        self.registries.append(part)
        return self.of(part.registry)

    def of(self, registry, name="team/app", tag="1"):
        """
        Ask for an image of *registry*.
        """
        registry = str(registry)
        self.names.update({"R": registry, "PORT": registry.rpartition(":")[2]})
        self.images = [f"{registry}/{name}:{tag}"]
        return registry

    def ask(self, name, tag="1"):
        mark = "" if tag.startswith("@") else ":"
        self.images = [f"{self.names['R']}/{name}{mark}{tag}"]

    def config(self, document):
        text = document if isinstance(document, (str, bytes)) else json.dumps(document)
        mode = "wb" if isinstance(text, bytes) else "w"
        with open(self.config_path, mode) as file:
            file.write(text)
        os.chmod(self.config_path, 0o600)

    def logged_in(self, registry, user=USER, password=PASSWORD, **more):
        """
        docker's config.json with a login for *registry*.
        """
        self.config({"auths": {str(registry): {"auth": encoded(f"{user}:{password}")}}, **more})

    def set(self, registry, set_id="CORP", **members):
        self.environ.update(a_set(set_id, registry, **members))

    def program(self, name, script):
        """
        An executable on PATH, of *script*.
        """
        path = os.path.join(self.bin, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(script)
        os.chmod(path, 0o755)
        return path

    def helper(self, name, answer=None, *, status=0, code=""):
        """
        A credential helper that prints *answer*; None: that it has nothing.
        """
        said = "credentials not found in native keychain" if answer is None else answer
        status = 1 if answer is None else status
        body = f"import sys\nsys.stdin.read()\n{code}\nprint({said!r})\nsys.exit({status})\n"
        self.program(f"docker-credential-{name}", f"#!{sys.executable}\n{body}")

    def our_helper(self):
        self.program("docker-credential-devcontainer-registry", "#!/bin/sh\nexit 1\n")

    def cached(self, registry, members):
        Cache.locate(self.environ).write(Registry(str(registry)), members)

    def diagnose(self):
        return diagnose(self.images, environ=self.environ, **self.options)

    def filled(self, text):
        """
        *text* with the names of this world: `{R}` and the like.
        """
        for name, value in self.names.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text

    def snapshot(self):
        """
        Everything in the home folder: paths to mode, time of change and content.
        """
        found = {}
        for parent, folders, files in os.walk(self.home):
            for name in (*folders, *files, ""):
                path = os.path.join(parent, name)
                status = os.lstat(path)
                content = b""
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        content = file.read()
                found[path] = status.st_mode, status.st_mtime_ns, content
        return found

    def strangers(self):
        """
        The hosts that the proxy was asked for and does not know.
        """
        return set(self.internet.unknown_hosts) if self.internet is not None else set()

    def ports(self):
        """
        Of the registry, its token server and the proxy: where a connection may go.
        """
        places = [self.names.get("R", ""), self.environ.get("HTTPS_PROXY", "")]
        found = [place.rpartition(":")[2] for place in places]
        return {int(port) for port in found if port.isdigit()} | {443}

    def refusals(self):
        """
        How often a wrong credential came to a registry.
        """
        return sum(getattr(registry, "refusals", 0) for registry in self.registries)


def ecr_password(expiration):
    """
    A password as `aws ecr get-login-password` prints it, good until *expiration* (Unix seconds).
    """
    claims = {"payload": "x" * 40, "version": "2", "type": "DATA_KEY", "expiration": expiration}
    return base64.b64encode(json.dumps(claims).encode()).decode()


def answer_of(user=USER, password=PASSWORD):
    return json.dumps({"ServerURL": "x", "Username": user, "Secret": password})
