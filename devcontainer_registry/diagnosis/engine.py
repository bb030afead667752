# SPDX-License-Identifier: MIT
"""
Step 7: the Docker Engine, which pulls the image.
"""

from __future__ import annotations

import grp
import hashlib
import json
import os
import re
import socket
import stat
from dataclasses import dataclass, field

from ..causes import engine as causes
from ..errors import RegistryError, printable
from ..files import read_regular
from ..network.proxies import host_of
from ..threads import LateError, call_in_thread
from .report import Step, failed

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..credentials import Credential
    from .scene import Scene, Target

_DEFAULT_SOCKET = "/var/run/docker.sock"
_ANSWER_MAX = 15.0  # seconds; the engine asks the registry meanwhile
_META_MAX = 256 * 1024  # octets

# Parts of the engine's errors, as Go writes them, and their causes.
_CAUSES = (
    ("certificate has expired or is not yet valid", causes.CERTIFICATE_DATES),
    ("x509: ", causes.CERTIFICATE),
    ("proxyconnect tcp", causes.PROXY),
    ("dial tcp: lookup ", causes.NAME),
    ("no such host", causes.NAME),
    ("gave HTTP response to HTTPS client", causes.PLAIN_HTTP),
    ("connection refused", causes.CONNECTION),
    ("no route to host", causes.CONNECTION),
    ("network is unreachable", causes.CONNECTION),
    ("connection reset", causes.CONNECTION),
    ("Client.Timeout", causes.TIMEOUT),
    ("i/o timeout", causes.TIMEOUT),
    ("deadline exceeded", causes.TIMEOUT),
    ("handshake timeout", causes.TIMEOUT),
)
_REFUSALS = ("no basic auth credentials", "unauthorized: ", "denied: ", "authentication required")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    Address of the Docker Engine.

    Attributes:
        url: `unix://`, `tcp://` or `ssh://`.
        named: Variable or setting that names it; "" for docker's default.
        tls: Paths of `ca`, `cert` and `key`; None: no TLS.
        verify: Whether its certificate is verified.
    """

    url: str
    named: str = ""
    tls: Mapping[str, str] | None = field(default=None)
    verify: bool = True

    @property
    def may_have_credentials(self) -> bool:
        """
        Whether it is safe to send a credential there: a local socket, ssh or verified TLS.
        """
        if self.url.startswith(("unix://", "ssh://")):
            return True
        return self.tls is not None and self.verify


class Engine:
    """
    The Docker Engine of one diagnosis, queried once.

    Thread-safe: each thread uses its own client.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._endpoint: Endpoint | None = None
        self._failure: RegistryError | None = None
        self._absent = ""
        self._info: dict[str, object] | None = None

    def look(self) -> None:
        """
        Find the engine and read its version, proxy, mirrors and insecure registries.
        """
        try:
            self._endpoint = endpoint_of(self._scene.environ, self._scene.config_path)
        except RegistryError as exc:
            self._failure = exc
            return
        try:
            # The SDK imports slowly, and leaks its socket if nothing answers.
            _knock(self._endpoint.url)
            info = self._ask(lambda client: client.info())
        except Exception as exc:  # noqa: BLE001  (the SDK and what is below it raise anything)
            self._unreachable(exc)
            return
        if isinstance(info, dict):
            self._info = _facts_of(info)

    def _unreachable(self, exc: BaseException) -> None:
        endpoint = self._endpoint
        assert endpoint is not None
        path = endpoint.url.removeprefix("unix://")
        if isinstance(exc, PermissionError) and path.startswith("/"):
            self._failure = causes.NO_PERMISSION.error(socket=path, group=_group_of(path))
        elif endpoint.url.startswith("ssh://") and "paramiko" in str(exc):
            self._absent = "reached by ssh, for which docker[ssh] is not installed"
        elif endpoint.named:
            address = printable(endpoint.url.removeprefix("unix://").rpartition("@")[2])
            self._failure = causes.UNREACHABLE.error(address=address, named=endpoint.named)
        else:
            self._absent = "no Docker Engine here"

    def step(self, target: Target, credential: Credential | None) -> Step:
        """
        Ask the engine to look up *target*, with *credential* if it is safe to send.
        """
        if self._failure is not None:
            return failed("engine", "cannot reach the engine", self._failure, {})
        endpoint, info = self._endpoint, self._info
        if endpoint is None or info is None:
            message = f"{self._absent or 'no Docker Engine here'}: not checked"
            return Step(name="engine", status="skipped", message=message)
        said = f"{info['name']} {info['version']}".strip()
        if info["proxy"]:
            said += f" through its proxy {info['proxy']}"
        if info["mirrors"]:
            said += ", with mirrors" if target.registry == "docker.io" else ""
        if info["name"] == "podman":
            message = f"{said} looks no image up for others: not checked"
            return Step(name="engine", status="skipped", message=message, facts=info)
        kept_back = credential is not None and not endpoint.may_have_credentials
        auth = {} if credential is None or kept_back else _auth_of(credential, target)
        try:
            image = _image_of(target)
            self._ask(lambda client: client.inspect_distribution(image, auth_config=auth))
        except Exception as exc:  # noqa: BLE001  (as in `look`)
            return self._judged(exc, target, said, info, kept_back=kept_back)
        if kept_back:
            said += ", asked without the login: its connection is not encrypted"
        return Step(name="engine", status="ok", message=f"{said} can read it", facts=info)

    def _judged(
        self,
        exc: Exception,
        target: Target,
        said: str,
        info: dict[str, object],
        *,
        kept_back: bool,
    ) -> Step:
        status, text = _answer_in(exc)
        if isinstance(exc, (LateError, TimeoutError)) or "timed out" in text:
            text = "i/o timeout"
        if _is_refusal(status, text) and kept_back:
            message = f"{said}: not checked; its connection is not encrypted, so no login was sent"
            return Step(name="engine", status="skipped", message=message, facts=info)
        facts = {
            "registry": target.registry,
            "name": target.name,
            "image": target.image,
            "status": status,
            "proxy": info["proxy"] or "",
        }
        cause = _cause_of(status, text)
        if cause is not causes.PROXY:
            facts["proxy"] = f" through its proxy {info['proxy']}" if info["proxy"] else ""
        seen = f"{said}: status {status}" if status else f"{said}: no answer"
        return failed("engine", seen, cause.error(**facts), info)

    def _ask(self, ask: Any) -> Any:
        endpoint = self._endpoint
        assert endpoint is not None
        seconds = min(_ANSWER_MAX, self._scene.left())
        # The SDK reads its own configuration and may block in a resolver.
        return call_in_thread(seconds, lambda: _asked(endpoint, ask, seconds))


def _knock(url: str) -> None:
    """
    Raise the system's error if nothing listens at the socket *url*.
    """
    if url.startswith("unix://"):
        with socket.socket(socket.AF_UNIX) as knocking:
            knocking.settimeout(_ANSWER_MAX)
            knocking.connect(url.removeprefix("unix://"))


def _asked(endpoint: Endpoint, ask: Any, seconds: float) -> Any:
    import docker  # type: ignore[import-untyped]  # it has no types

    tls: Any = False
    if endpoint.tls is not None:
        pair = (endpoint.tls["cert"], endpoint.tls["key"]) if "cert" in endpoint.tls else None
        tls = docker.tls.TLSConfig(
            client_cert=pair, ca_cert=endpoint.tls.get("ca"), verify=endpoint.verify
        )
    client = docker.APIClient(base_url=endpoint.url, version="auto", timeout=seconds, tls=tls)
    try:
        return ask(client)
    finally:
        client.close()


def endpoint_of(environ: Mapping[str, str], config_path: str) -> Endpoint:
    """
    Return the engine's address: `DOCKER_HOST`, else the current context, else the socket.

    https://docs.docker.com/engine/manage-resources/contexts/

    Raises:
        RegistryError: The named context does not exist.
    """
    host = environ.get("DOCKER_HOST")
    if host:
        tls = None
        if environ.get("DOCKER_TLS_VERIFY"):
            folder = environ.get("DOCKER_CERT_PATH") or os.path.dirname(config_path)
            tls = _files_in(folder, {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"})
        return Endpoint(url=host, named="DOCKER_HOST", tls=tls)
    context, named = environ.get("DOCKER_CONTEXT"), "DOCKER_CONTEXT"
    if not context:
        context, named = _current_context(config_path), "currentContext in config.json"
    if context and context != "default":
        return _of_context(context, named, os.path.dirname(config_path))
    return Endpoint(url=f"unix://{_DEFAULT_SOCKET}")


def _current_context(config_path: str) -> str:
    document = _json_in(config_path)
    found = document.get("currentContext")
    return found if isinstance(found, str) else ""


def _of_context(name: str, named: str, folder: str) -> Endpoint:
    """
    Return the endpoint of the context *name* from docker's store.

    https://github.com/docker/cli/blob/v28.2.2/cli/context/store/doc.go
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    meta = _json_in(os.path.join(folder, "contexts", "meta", digest, "meta.json"))
    try:
        endpoint = meta["Endpoints"]["docker"]
        host, skip = str(endpoint["Host"]), bool(endpoint.get("SkipTLSVerify"))
    except (KeyError, TypeError, AttributeError):
        shown = name if re.fullmatch(r"[\w.+-]{1,100}", name) else "(a name)"
        raise causes.NO_CONTEXT.error(named=named, context=shown) from None
    tls_folder = os.path.join(folder, "contexts", "tls", digest, "docker")
    tls = _files_in(tls_folder, {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"})
    return Endpoint(
        url=host, named=f"the docker context {printable(name)}", tls=tls or None, verify=not skip
    )


def _files_in(folder: str, names: Mapping[str, str]) -> dict[str, str]:
    paths = {what: os.path.join(folder, name) for what, name in names.items()}
    return {what: path for what, path in paths.items() if os.path.isfile(path)}


def _json_in(path: str) -> dict[str, Any]:
    try:
        found = json.loads(read_regular(path, limit=_META_MAX)[0])
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _facts_of(info: Mapping[str, Any]) -> dict[str, object]:
    """
    Return the parts of the engine's `/info` that affect a pull; of a proxy only its host.
    """
    registries = info.get("RegistryConfig") or {}
    version = str(info.get("ServerVersion") or "of unknown version")
    proxy = str(info.get("HttpsProxy") or "")
    mirrors = [host_of(str(m)) or "a mirror" for m in registries.get("Mirrors") or ()]
    indexes = registries.get("IndexConfigs") or {}
    insecure = [name for name, each in indexes.items() if not each.get("Secure", True)]
    return {
        "name": "podman" if "BuildahVersion" in str(info) else "Docker",
        "version": version if version.isprintable() else ascii(version),
        "proxy": host_of(proxy),
        "no_proxy": bool(info.get("NoProxy")),
        "mirrors": mirrors,
        "insecure": insecure,
    }


def _auth_of(credential: Credential, target: Target) -> dict[str, str]:
    secret = credential.secret.reveal()
    auth = {"serveraddress": target.registry.config_key}
    if credential.is_identity_token:
        return {**auth, "identitytoken": secret}
    return {**auth, "username": credential.username, "password": secret}


def _image_of(target: Target) -> str:
    mark = "@" if target.is_digest else ":"
    return f"{target.registry}/{target.name}{mark}{target.reference}"


def _answer_in(exc: BaseException) -> tuple[int, str]:
    """
    Return status and text of an error of the engine; the text is matched, never shown.
    """
    response = getattr(exc, "response", None)
    status = getattr(response, "status_code", 0) or 0
    return int(status), f"{getattr(exc, 'explanation', '') or ''} {exc}"


def _is_refusal(status: int, text: str) -> bool:
    # docker before 23 answers 500 if the registry refuses.
    return status in (401, 403) or any(words in text for words in _REFUSALS)


def _cause_of(status: int, text: str) -> Any:
    for words, cause in _CAUSES:
        if words in text:
            return cause
    if _is_refusal(status, text):
        return causes.REFUSED
    return causes.NOT_FOUND if status == 404 else causes.OTHER


def _group_of(path: str) -> str:
    try:
        status = os.stat(path)
        if not stat.S_ISSOCK(status.st_mode):
            return "docker"
        return grp.getgrgid(status.st_gid).gr_name
    except (OSError, KeyError):
        return "docker"
