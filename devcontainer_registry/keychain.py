# SPDX-License-Identifier: MIT
"""
From an image or a registry to the credential that docker would send, found the way docker does.

The order, and that nothing is tried after the one that is asked:
https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
https://github.com/containers/image/blob/v5.31.0/docs/containers-auth.json.5.md
"""

from __future__ import annotations

import json
import os

from ._authentry import credential_of, folded
from ._programs import ask_helper
from .cache import Cache
from .configfile import OUR_HELPER, DockerConfig
from .credentials import Credential, RegistrySecret, Secret
from .environment import Environment, Layer
from .errors import ConfigError, RegistryError
from .helper import NOT_FOUND, serve
from .implicit import of_docker
from .registry import Registry, split_image

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# Octets of somebody else's auth.json.
_SIZE_MAX = 16 * 1024 * 1024


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

    Args:
        target: An image reference, or a registry.  A text without a slash is an image to docker
            (`alpine`), unless it has a dot, is `localhost`, or is a `Registry`.
        environ: Variables that say where things are; helpers run in it, too.  None: the process's
            own.
        config: The config.json to read; None: where docker looks for it.
        timeout: Seconds for a credential helper.

    Returns:
        None where docker would go on anonymously.  An identity token has the user name `<token>`
        and `is_identity_token`.

    Raises:
        InvalidRegistryError: *target* is neither an image nor a registry.
        ConfigError: A file is damaged, or a helper is missing, hangs, fails or talks nonsense:
            what makes `docker run` fail, too.  Or docker would send a bearer token that somebody
            put there (`registrytoken`), which no `Credential` can say.
    """
    environ = os.environ if environ is None else environ
    registry, repository = _parsed(target)
    found = _of_variable(registry, environ)
    if found is not None:
        return found
    config = config or DockerConfig.locate(environ)
    document = config.read()
    match document.asked_for(registry):
        case "credHelpers":
            return _asked(document.helper(registry) or "", registry, environ, timeout)
        case "credsStore":
            return _asked(document.creds_store or "", registry, environ, timeout)
        case _:
            entry = document.entry(registry)
    if not entry:
        return _podmans(registry, repository, environ, timeout)
    if folded(entry).get("registrytoken"):
        raise _registry_token(registry)
    credential = credential_of(entry)
    return credential and _with_life(registry, credential, config, environ)


def _parsed(target: str) -> tuple[Registry, str]:
    if isinstance(target, Registry):
        return target, ""
    host = target.strip().partition("/")
    if "://" in target or (not host[1] and _is_host(host[0])):
        return Registry(target), ""
    registry, repository, _ = split_image(target)
    return registry, repository


def _of_variable(registry: Registry, environ: Mapping[str, str]) -> Credential | None:
    for found in of_docker(Environment(layers=(Layer(label="", variables=environ),))):
        if isinstance(found, RegistrySecret) and found.registry == registry:
            assert found.username is not None
            assert found.secret is not None
            return Credential(username=found.username, secret=found.secret)
    return None


def _is_host(text: str) -> bool:
    name = text.partition(":")[0]
    return "." in name or name == "localhost" or text.startswith("[")


def _asked(
    helper: str, registry: Registry, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    if helper != OUR_HELPER:
        return ask_helper(helper, registry.config_key, environ=environ, timeout=timeout)
    # Our own: the same code, without a process.
    try:
        entry = serve(registry, Cache.locate(environ), environ)
    except RegistryError as exc:
        if exc.message == NOT_FOUND:
            return None
        raise
    return Credential(
        username=entry["credential"]["Username"],
        secret=Secret(entry["credential"]["Secret"]),
        issued_at=entry.get("issued_at"),
        expires_at=entry.get("expires_at"),
    )


def _registry_token(registry: Registry) -> ConfigError:
    """
    What there is to say of a bearer token, which clients send as it is, before all else.

    It is no user name and password, and whoever took it for one would send it to a token server.
    https://github.com/moby/moby/blob/v28.2.2/distribution/registry.go (existingTokenHandler)
    https://github.com/google/go-containerregistry/blob/v0.20.2/pkg/v1/remote/transport/bearer.go
    """
    return ConfigError(
        f"config.json has a registrytoken for {registry}, which is no user name and password",
        hint=f"run docker logout {registry}, and log in again",
        code="registry-token",
    )


def _with_life(
    registry: Registry, entry: Credential, config: DockerConfig, environ: Mapping[str, str]
) -> Credential:
    """
    *entry* with its expiry, where it is one that we wrote and therefore know.
    """
    from ._memory import Memory

    return Memory(Cache.locate(environ), config.path).with_life(registry, entry)


def _podmans(
    registry: Registry, repository: str, environ: Mapping[str, str], timeout: float
) -> Credential | None:
    scopes = list(_scopes(registry, repository))
    for path in _podmans_files(environ):
        document = _loaded(path)
        helper = _object(document.get("credHelpers")).get(registry)
        if isinstance(helper, str) and helper:
            return ask_helper(helper, registry, environ=environ, timeout=timeout)
        auths = _object(document.get("auths"))
        entry = _object(next((auths[scope] for scope in scopes if scope in auths), None))
        # `{}` is what a client leaves where a helper has the login; then the next file has a say.
        credential = credential_of(entry)
        if credential is not None:
            return credential
    return None


def _scopes(registry: Registry, repository: str) -> Iterator[str]:
    """
    The keys of `auths` that speak for *repository*, the longest first.
    """
    while repository:
        yield f"{registry}/{repository}"
        repository = repository.rpartition("/")[0]
    yield from dict.fromkeys((str(registry), *registry.spellings))


def _podmans_files(environ: Mapping[str, str]) -> list[str]:
    named = environ.get("REGISTRY_AUTH_FILE")
    if named:
        return [named]
    runtime = environ.get("XDG_RUNTIME_DIR")
    home = environ.get("HOME") or os.path.expanduser("~")
    configured = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    folders = [runtime, configured] if runtime else [configured]
    return [os.path.join(folder, "containers", "auth.json") for folder in folders]


def _loaded(path: str) -> dict[str, Any]:
    try:
        # Without waiting: a pipe that nobody writes into would hold us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, "rb") as file:
            text = file.read(_SIZE_MAX) or b"{}"
            document = json.loads(text)
    except FileNotFoundError:
        return {}
    except OSError as exc:
        msg = f"{path} can't be read: {os.strerror(exc.errno or 0)}"
        raise ConfigError(msg, hint="let this user read it, or unset REGISTRY_AUTH_FILE") from exc
    except (ValueError, RecursionError):
        # Without the cause: the parser's message comes with the text.
        msg = f"{path} is damaged: it is not JSON"
        raise ConfigError(msg, hint="repair it, or move it away", code="config-damaged") from None
    return _object(document)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
