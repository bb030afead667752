# SPDX-License-Identifier: MIT
"""
The user's docker configuration, copied into a private folder.

Only config.json is a copy.  Everything else in the user's folder is a link: contexts, plugins,
builders.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace

from ...cache.entry import Entry
from ...cache.folder import Cache
from ...causes.workspace import running as causes
from ...config.file import DockerConfig, Document
from ...credentials import Finding
from ...discovery import entries_in
from ...errors import ConfigError, InvalidRegistryError, RegistryError, printable
from ...files import find_program, read_regular, write_all
from ...naming import HELPER_PREFIX, HELPER_PROGRAM, OUR_HELPER, SECRETS_FILE_VARIABLE
from ...registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ...report import LoginReport

_SIZE_MAX = 16 * 1024 * 1024  # octets, as for config.json
_CONFIG = "config.json"


class PrivateConfig:
    """
    A docker configuration in the private folder *folder*, and the variables that lead to it.

    Attributes:
        config: The private config.json.
        environ: The variables of the user, with this configuration, cache and credential helper.
    """

    def __init__(
        self, folder: str, environ: Mapping[str, str], *, secrets_file: str | None
    ) -> None:
        """
        Copy and link what the user has.

        Raises:
            ConfigError: The private folder cannot be written.
        """
        self._folder = folder
        self._users = environ
        docker, cache = os.path.join(folder, "docker"), os.path.join(folder, "cache")
        self.environ = {
            **environ,
            "DOCKER_CONFIG": docker,
            "DEVCONTAINER_REGISTRY_CACHE_DIR": cache,
        }
        named = secrets_file or environ.get(SECRETS_FILE_VARIABLE)
        if named:
            # The credential helper renews from it, wherever the command starts it.
            self.environ[SECRETS_FILE_VARIABLE] = os.path.abspath(named)
        self.config = DockerConfig(os.path.join(docker, _CONFIG), rescue_dir=cache)
        self.config.is_copy = True
        self._users_config, self.config.refusal = _located(environ)
        try:
            os.mkdir(docker, 0o700)
            self._link_helper(os.path.join(folder, "bin"))
            if self._users_config:
                self._copy(os.path.dirname(os.path.abspath(self._users_config)), docker)
        except OSError as exc:
            raise self._unwritten(exc) from exc

    def _copy(self, users: str, docker: str) -> None:
        try:
            names = os.listdir(users)
        except OSError:
            return  # it does not exist, or reading config.json has said why
        for name in names:
            if name != _CONFIG:
                os.symlink(os.path.join(users, name), os.path.join(docker, name))
        if _CONFIG not in names:
            return
        try:
            content, _ = read_regular(os.path.join(users, _CONFIG), limit=_SIZE_MAX)
        except OSError:
            return  # as above
        _write_new(os.path.join(docker, _CONFIG), self._without_missing_store(content))

    def _without_missing_store(self, content: bytes) -> bytes:
        """
        Return *content* without a `credsStore` whose program is missing.

        A classic `docker build` lists it first, fails, and goes on without any login.
        https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (GetAllCredentials)
        """
        if self.config.refusal is not None:
            return content
        document = Document.parse(content, where=_CONFIG)
        store = document.creds_store
        if store is None or find_program(HELPER_PREFIX + store, self._users) is not None:
            return content
        members = json.loads(document.dump())
        kept = {name: value for name, value in members.items() if name.lower() != "credsstore"}
        return json.dumps(kept, indent="\t").encode()

    def _link_helper(self, folder: str) -> None:
        """
        Put this installation's credential helper first on PATH, and nothing else.
        """
        helper = _own_helper(self._users)
        if helper is None:
            return
        os.mkdir(folder, 0o700)
        os.symlink(helper, os.path.join(folder, HELPER_PROGRAM))
        path = self._users.get("PATH", os.defpath)
        self.environ["PATH"] = os.pathsep.join((folder, path)) if path else folder

    def write(self, name: str, content: bytes) -> str:
        """
        Write *content* to the new private file *name*, and return its path.

        Raises:
            ConfigError: It cannot be written.
        """
        path = os.path.join(self._folder, name)
        try:
            _write_new(path, content)
        except OSError as exc:
            raise self._unwritten(exc) from exc
        return path

    def _unwritten(self, exc: OSError) -> ConfigError:
        return causes.NOT_COPIED.error(
            path=printable(self._folder),
            reason=os.strerror(exc.errno or 0),
        )

    def take_over(self) -> None:
        """
        Copy from the user's cache what our helper is to answer and no set has provided.
        """
        users, ours = Cache.locate(self._users), Cache.locate(self.environ)
        try:
            document = self.config.read()
            for registry in document.registries():
                if document.helper(registry) != OUR_HELPER:
                    continue
                saved = Entry.read(users, registry)
                if saved.has_credential and not Entry.read(ours, registry).has_credential:
                    saved.write(ours, registry)
        except RegistryError:
            return  # a login less, which Docker would not have had, either

    def as_users(self, report: LoginReport) -> LoginReport:
        """
        Return *report* with the user's config.json in its messages, which is the one to repair.
        """

        def said(text: str) -> str:
            return text.replace(self.config.path, self._users_config or _CONFIG)

        def told(error: RegistryError | None) -> RegistryError | None:
            if error is None or said(error.message + error.hint) == error.message + error.hint:
                return error
            return type(error)(said(error.message), hint=said(error.hint), code=error.code)

        return replace(
            report,
            config=said(report.config),
            error=told(report.error),
            outcomes=tuple(replace(each, error=told(each.error)) for each in report.outcomes),
            findings=tuple(
                Finding(
                    code=each.code,
                    message=said(each.message),
                    hint=said(each.hint),
                    variable=each.variable,
                )
                for each in report.findings
                # The child has a DOCKER_AUTH_CONFIG without the registries of sets.
                if each.code != "shadowed-in-docker"
            ),
        )


def without_logins(text: str, registries: Collection[Registry]) -> str:
    """
    Return the `DOCKER_AUTH_CONFIG` *text* without the logins for *registries*; "" if none is left.

    Docker 28.3 and later prefers it to config.json.
    https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
    """
    try:
        keys = [key for key in entries_in(text) if _registry(key) in registries]
    except ValueError:
        return text  # Docker ignores it, too
    if not keys:
        return text
    document = json.loads(text)
    for key in keys:
        del document["auths"][key]
    others = document.keys() - {"auths"}
    return json.dumps(document) if document["auths"] or others else ""


def _write_new(path: str, content: bytes) -> None:
    """
    Write *content* to the new file *path*, readable only by this user.
    """
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        write_all(file, content)
    finally:
        os.close(file)


def _located(environ: Mapping[str, str]) -> tuple[str, ConfigError | None]:
    """
    Return the path of the user's config.json, or "", and why no login can be added to a copy.
    """
    path = ""
    try:
        config = DockerConfig.locate(environ)
        path = config.path
        if config.refusal is not None:
            return path, config.refusal
        return path, config.read().unwritable
    except ConfigError as exc:
        return path, exc


def _own_helper(environ: Mapping[str, str]) -> str | None:
    """
    Return the path of this installation's credential helper; else of the one on PATH, or None.
    """
    program = os.path.abspath(sys.argv[0])
    for folder in (os.path.dirname(program), os.path.dirname(os.path.abspath(sys.executable))):
        path = os.path.join(folder, HELPER_PROGRAM)
        if os.access(path, os.X_OK):
            return path
    return find_program(HELPER_PROGRAM, environ)


def _registry(key: str) -> Registry | None:
    try:
        return Registry(key)
    except InvalidRegistryError:
        return None
