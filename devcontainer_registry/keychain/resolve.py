# SPDX-License-Identifier: MIT
"""
Lookup of the credential that docker would send.

The order, and that nothing is tried after the one that is asked:
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
    Find what docker would send for *target*.

    In order of precedence, and without a second try at the next one:

    1. `DOCKER_AUTH_CONFIG`, where it names the registry;
    2. config.json: the registry's `credHelpers`, else `credsStore`, else `auths`;
    3. only where config.json says nothing at all of the registry: podman's `auth.json`
       (`$REGISTRY_AUTH_FILE`, `$XDG_RUNTIME_DIR/containers`, `~/.config/containers`), which knows
       logins for a part of a registry, too.

    `~/.dockercfg` is not read: docker has done without it since 23.0.
    https://docs.docker.com/engine/deprecated/

    Blocks while a helper, or the cloud behind ours, is asked: from asyncio, call it with
    `asyncio.to_thread`.  Any number of threads may call it at once.

    Args:
        target: An image reference, or a registry.  A text without a slash is an image to docker
            (`alpine`, `my.app:latest`), unless it is a host with a dot, `localhost`, or a
            `Registry`.  Upper and lower case matter, as for docker: it does not send the login of
            `myreg.example` to `MyReg.example`.
        environ: Variables that say where things are; helpers run in it, too.  None: the process's
            own.
        config: The config.json to read; None: where docker looks for it.
        timeout: Seconds for a credential helper.

    Returns:
        None where docker would go on anonymously.  An identity token has the user name `<token>`
        and `is_identity_token`.

    Raises:
        InvalidRegistryError: *target* is neither an image nor a registry.
        ConfigError: What makes `docker run` fail or warn, too.  Its code is `config-damaged` for a
            file that cannot be read, `config-mistyped` for a member of the wrong type,
            `login-unreadable` for an entry; `helper-missing`,
            `helper-hangs` or `helper-failed` for a credential helper; `config-error` for the rest;
            and `registry-token` where docker would send a bearer token that somebody put there,
            which no `Credential` can say.
        RegistryError: Our own helper has a login that is over, and why it got no new one.
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
    # Our own: the same code, without a process.
    try:
        return credential_in(serve(registry, Cache.locate(environ), environ, timeout=timeout))
    except RegistryError as exc:
        if exc.code == "not-found":
            return None
        raise


def _check(document: Document, config: DockerConfig, rule: str) -> None:
    """
    Refuse what docker warns of: it then uses none of `auths`, or what chance lets it decode first.
    """
    if document.had_bom:
        raise config_causes.HAS_BOM.error(path=config.path)
    said = why_unread_in(document, config.path) if rule == "auths" else None
    if said is not None:
        raise ConfigError(said.message, hint=said.hint, code=said.code)


def _registry_token(registry: Registry) -> ConfigError:
    """
    What there is to say of a bearer token, which clients send as it is, before all else.

    It is not a user name and password: used as one, it would be sent to a token server.
    https://github.com/moby/moby/blob/v28.2.2/distribution/registry.go (existingTokenHandler)
    https://github.com/google/go-containerregistry/blob/v0.20.2/pkg/v1/remote/transport/bearer.go
    """
    return credential_causes.REGISTRY_TOKEN.error(host=registry)


def _with_life(
    registry: Registry, entry: Credential, config: DockerConfig, environ: Mapping[str, str]
) -> Credential:
    """
    *entry* with its expiry, where it is one that we wrote and therefore know.
    """
    return Memory(Cache.locate(environ), config.path).with_life(registry, entry)
