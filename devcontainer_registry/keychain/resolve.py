# SPDX-License-Identifier: MIT
"""
The credential that docker sends for an image.

The order of precedence, and that docker tries no second source:
https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
https://github.com/containers/image/blob/v5.31.0/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import os

from ..cache.folder import Cache
from ..cache.memory import Memory
from ..cache.memory import credential_of as credential_in
from ..causes import config as config_causes
from ..causes import credential as credential_causes
from ..config.auth_entry import credential_of, folded
from ..config.file import DockerConfig, Document
from ..config.findings import why_unread_in
from ..credentials import Credential
from ..discovery import logins_in
from ..errors import ConfigError, RegistryError
from ..logins.renewal import serve
from ..naming import OUR_HELPER
from .other_helpers import ask_helper
from .podman import login_of_podman
from .target import parse_target

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..registry import Registry


def resolve(
    target: str,
    *,
    environ: Mapping[str, str] | None = None,
    config: DockerConfig | None = None,
    timeout: float = 10.0,
) -> Credential | None:
    """
    Return the credential that docker would send for *target*.

    The first source that applies is used; there is no second try:

    1. `DOCKER_AUTH_CONFIG`, if it names the registry;
    2. config.json: the registry's `credHelpers`, else `credsStore`, else `auths`;
    3. only if config.json has nothing for the registry: podman's `auth.json`
       (`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers`, `~/.config/containers`), which may
       hold logins for parts of a registry.

    `~/.dockercfg` is not read: docker dropped it in 23.0.
    https://docs.docker.com/engine/deprecated/

    Blocks while a credential helper runs.  With asyncio, use `asyncio.to_thread`.  Thread-safe.

    Args:
        target: An image reference, or a registry.  A string without a slash is an image (`alpine`,
            `my.app:latest`), unless it is a host with a dot, `localhost`, or a `Registry`.  Case
            matters, as for docker: it does not send the login of `myreg.example` to
            `MyReg.example`.
        environ: Variables that locate the files; credential helpers run with it.  None:
            `os.environ`.
        config: The config.json to read; None: docker's own.
        timeout: Seconds for the credential helper.

    Returns:
        The credential; None if docker would pull anonymously.  An identity token has the user name
        `<token>` and `is_identity_token` set.

    Raises:
        InvalidRegistryError: *target* is neither an image nor a registry.
        ConfigError: A fault that makes `docker run` fail or warn.  Its code is `config-damaged` for
            a file that cannot be read, `config-mistyped` for a member of the wrong type,
            `login-unreadable` for an entry; `helper-missing`, `helper-hangs` or `helper-failed` for
            a credential helper; `config-error` for the rest; and `registry-token` for a
            `registrytoken`, which a `Credential` cannot represent.
        RegistryError: The login in our credential helper expired, and renewing it failed.
    """
    environ = os.environ if environ is None else environ
    registry, repository = parse_target(target)
    named = logins_in(environ.get("DOCKER_AUTH_CONFIG", ""))
    if registry.config_key in named:
        return named[registry.config_key]
    config = config or DockerConfig.locate(environ)
    document = config.read()
    rule = document.asked_for(registry)
    _check(document, config, rule)
    match rule:
        case "credHelpers":
            return _asked(document.helper(registry) or "", registry, environ, timeout)
        case "credsStore":
            return _asked(document.creds_store or "", registry, environ, timeout)
        case _:
            entry = document.entry(registry)
    if not entry:
        return login_of_podman(registry, repository, environ, timeout)
    if folded(entry).get("registrytoken"):
        raise _registry_token(registry)
    credential = credential_of(entry)
    return credential and _with_life(registry, credential, config, environ)


def _asked(
    helper: str, registry: Registry, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    if helper != OUR_HELPER:
        return ask_helper(helper, registry.config_key, environ=environ, timeout=timeout)
    # Our own helper, called without a process.
    try:
        return credential_in(serve(registry, Cache.locate(environ), environ, timeout=timeout))
    except RegistryError as exc:
        if exc.code == "not-found":
            return None
        raise


def _check(document: Document, config: DockerConfig, rule: str) -> None:
    """
    Raise for content that docker warns of: it then ignores all or part of `auths`.
    """
    if document.had_bom:
        raise config_causes.HAS_BOM.error(path=config.path)
    said = why_unread_in(document, config.path) if rule == "auths" else None
    if said is not None:
        raise ConfigError(said.message, hint=said.hint, code=said.code)


def _registry_token(registry: Registry) -> ConfigError:
    """
    Return the error for a `registrytoken`, a bearer token that clients send unchanged.

    It is no password: used as one, it would be sent to a token server.
    https://github.com/moby/moby/blob/v28.2.2/distribution/registry.go (existingTokenHandler)
    https://github.com/google/go-containerregistry/blob/v0.20.2/pkg/v1/remote/transport/bearer.go
    """
    return credential_causes.REGISTRY_TOKEN.error(host=registry)


def _with_life(
    registry: Registry, entry: Credential, config: DockerConfig, environ: Mapping[str, str]
) -> Credential:
    """
    Return *entry* with its expiry, if this package wrote it.
    """
    return Memory(Cache.locate(environ), config.path).with_life(registry, entry)
