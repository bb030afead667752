# SPDX-License-Identifier: MIT
"""
docker's credential helper protocol: `docker-credential-devcontainer-registry`.

docker starts this at every pull, and a classic `docker build` once for every registry that it
knows; so it imports next to nothing, and asks the network only where a credential is old.

https://github.com/docker/docker-credential-helpers/blob/v0.8.2/credentials/credentials.go
"""

from __future__ import annotations

import json
import os
import sys
import time

from .cache import Cache
from .errors import InvalidRegistryError, RegistryError
from .registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TextIO

NAME = "docker-credential-devcontainer-registry"

# docker compares these texts: the first means anonymous, anything else is a failure.
NOT_FOUND = "credentials not found in native keychain"
_NO_SERVER = "no credentials server URL"
_NO_USERNAME = "no credentials username"
_USAGE = f"Usage: {NAME} <store|get|erase|list|version>"

# Two windows.  Renew early if we can: ECR's tokens live 12 hours and its own helper renews at 6;
# but an answer that still works beats an error, so a failed renewal falls back on it.
RENEW_BELOW = 0.5  # of its life left
USELESS_BELOW = 60.0  # seconds left; docker still has to reach the registry

# A `get` must not hang a `docker build`, which asks for every host, one after the other.
RENEW_WITHIN = 5.0  # seconds in all
FAILURE_KEPT_FOR = 60.0  # seconds

# Octets.  docker's own client sends a URL, or a small object.
_INPUT_MAX = 1024 * 1024


def main(argv: Sequence[str] | None = None) -> int:
    """
    Answer one verb, and return the exit status: 0, or 1 with the reason on stdout.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    verb = _VERBS.get(arguments[0]) if len(arguments) == 1 else None
    if verb is None:
        sys.stdout.write(_USAGE + "\n")
        return 1
    try:
        answer = verb(sys.stdin, os.environ)
    except RegistryError as exc:
        return _fail(f"{exc.message}; {exc.hint}" if exc.hint else exc.message)
    except Exception as exc:  # noqa: BLE001  (a traceback on stdout is what docker would print)
        return _fail(f"{NAME} failed: {type(exc).__name__}; report this as a bug")
    sys.stdout.write(answer)
    return 0


def get(stdin: TextIO, environ: Mapping[str, str]) -> str:
    """
    The credential for the URL on *stdin*, as docker reads it.

    Raises:
        RegistryError: There is none (`NOT_FOUND`), or none that would still work.
    """
    url, registry = _asked_for(stdin)
    return _answer(url, serve(registry, Cache.locate(environ), environ))


def serve(registry: Registry, cache: Cache, environ: Mapping[str, str]) -> dict[str, Any]:
    """
    The entry of *cache* that has the credential for *registry*, renewed where that is due.

    Raises:
        RegistryError: As `get`.
    """
    entry = cache.read(registry)
    if entry is not None and is_fresh(entry, now=time.time()):
        return entry
    return _renewed(registry, entry, cache, environ)


def store(stdin: TextIO, environ: Mapping[str, str]) -> str:
    """
    Keep what `docker login` hands over, until it is erased or its set changes.
    """
    try:
        given = json.loads(stdin.read(_INPUT_MAX))
    except (ValueError, RecursionError):
        given = None
    if not isinstance(given, dict):
        # Without the cause, which would quote the secret.
        msg = "store takes a JSON object with ServerURL, Username and Secret"
        raise RegistryError(msg) from None
    url, username, secret = (_text(given.get(k)) for k in ("ServerURL", "Username", "Secret"))
    if not url:
        raise RegistryError(_NO_SERVER)
    if not username:
        raise RegistryError(_NO_USERNAME)
    registry = Registry(url)
    cache = Cache.locate(environ)
    with cache.lock(registry, timeout=RENEW_WITHIN):
        kept = cache.read(registry) or {}
        for member in ("issued_at", "expires_at", "failed_at", "failure"):
            kept.pop(member, None)
        kept["credential"] = {"Username": username, "Secret": secret}
        cache.write(registry, {**kept, "by_hand": True, "at": time.time()})
    return ""


def erase(stdin: TextIO, environ: Mapping[str, str]) -> str:
    """
    Forget the credential for the URL on *stdin*; that there is none is no failure.
    """
    _, registry = _asked_for(stdin)
    cache = Cache.locate(environ)
    with cache.lock(registry, timeout=RENEW_WITHIN):
        cache.forget(registry)
    return ""


def listing(_stdin: TextIO, environ: Mapping[str, str]) -> str:
    """
    The URLs that something is kept for, with their user names.
    """
    cache = Cache.locate(environ)
    names = {}
    for name in cache.registries():
        try:
            registry = Registry(name)
            entry = cache.read(registry)
        except RegistryError:  # one damaged entry must not hide the others
            continue
        if entry is not None and _credential(entry):
            names[registry.config_key] = entry["credential"]["Username"]
    return json.dumps(names) + "\n"


def version(_stdin: TextIO, _environ: Mapping[str, str]) -> str:
    """
    Name, package and version, as docker's own helpers print them.
    """
    from . import __version__

    return f"{NAME} (devcontainer-registry) v{__version__}\n"


def is_fresh(entry: Mapping[str, Any], *, now: float) -> bool:
    """
    Whether the credential of *entry* is to be served without a thought.
    """
    if not _credential(entry):
        return False
    expires_at = entry.get("expires_at")
    if expires_at is None:
        return True
    issued_at = entry.get("issued_at")
    if issued_at is None:
        issued_at = entry.get("at", now)
    left = expires_at - now
    return bool(left > USELESS_BELOW and left > RENEW_BELOW * (expires_at - issued_at))


def _renewed(
    registry: Registry,
    entry: dict[str, Any] | None,
    cache: Cache,
    environ: Mapping[str, str],
) -> dict[str, Any]:
    """
    An entry that can be served: a new one, or else the old one while it works.
    """
    deadline = time.monotonic() + RENEW_WITHIN
    failure: RegistryError | None = _remembered(entry)
    if failure is None:
        try:
            # Many pulls at once ask the cloud once: the others wait here, and find it done.
            with cache.lock(registry, timeout=RENEW_WITHIN):
                entry = cache.read(registry)
                if entry is not None and is_fresh(entry, now=time.time()):
                    return entry
                failure = _remembered(entry)
                if failure is None:
                    from ._renew import renew  # the dear part, and only this branch needs it

                    return renew(
                        registry,
                        entry,
                        cache=cache,
                        environ=environ,
                        timeout=max(0.5, deadline - time.monotonic()),
                    )
        except RegistryError as exc:
            failure = exc
    if entry is None or not _credential(entry):
        raise failure
    if float(entry.get("expires_at") or 0.0) - time.time() > USELESS_BELOW:
        return entry
    raise failure


def _remembered(entry: Mapping[str, Any] | None) -> RegistryError | None:
    """
    A renewal that failed a moment ago, and would again.
    """
    failed_at = entry.get("failed_at") if entry is not None else None
    if entry is None or not isinstance(failed_at, (int, float)):
        return None
    if not 0 <= time.time() - failed_at < FAILURE_KEPT_FOR:
        return None
    return RegistryError(str(entry.get("failure")), code="renewal-failed")


def _answer(url: str, entry: Mapping[str, Any]) -> str:
    credential = entry["credential"]
    answer = {
        "ServerURL": url,
        "Username": credential["Username"],
        "Secret": credential["Secret"],
    }
    return json.dumps(answer) + "\n"


def _credential(entry: Mapping[str, Any]) -> bool:
    """
    Whether *entry* has a credential that can be sent: clients send empty ones as they are.
    """
    credential = entry.get("credential")
    if not isinstance(credential, dict):
        return False
    return bool(_text(credential.get("Username")) and _text(credential.get("Secret")))


def _asked_for(stdin: TextIO) -> tuple[str, Registry]:
    url = stdin.read(_INPUT_MAX).strip()
    if not url:
        raise RegistryError(_NO_SERVER)
    try:
        return url, Registry(url)
    except InvalidRegistryError:
        # Nothing is ever kept for what is no registry.
        raise RegistryError(NOT_FOUND) from None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _fail(reason: str) -> int:
    # Twice: docker takes stdout for its message, and drops it in a pull; stderr reaches the user.
    reason = " ".join(reason.split())
    sys.stdout.write(reason + "\n")
    if reason not in (NOT_FOUND, _NO_SERVER, _NO_USERNAME):
        sys.stderr.write(f"devcontainer-registry: {reason}\n")
    return 1


_VERBS: dict[str, Callable[[TextIO, Mapping[str, str]], str]] = {
    "get": get,
    "store": store,
    "erase": erase,
    "list": listing,
    "version": version,
}
