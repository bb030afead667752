# SPDX-License-Identifier: MIT
"""
Step 4: the network path to a registry.
"""

from __future__ import annotations

import time

from ..causes import network as network_causes
from ..errors import RegistryError, UnreachableError, printable
from ..naming import variable
from ..network.proxies import proxy_for
from ..network.refusals import seconds_of
from .certificate import Certificate, read_certificate
from .report import Step, date, failed, span

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..network.conversation import Conversation
    from ..network.transport import Response
    from ..registry import Registry
    from .report import Status
    from .scene import Scene

# Tokens last minutes, so a small clock error is harmless.
_SKEW_MAX = 300.0  # seconds
_CERTIFICATE_SOON = 7 * 86400.0  # seconds
_PROBE_MAX = 5.0  # seconds


def network_step(scene: Scene, conversation: Conversation) -> tuple[Step, Response | None]:
    """
    Contact the registry of *conversation* without a login; return its answer, or None.
    """
    registry = conversation.registry
    way = _proxy_of(registry, scene.environ)
    try:
        ping = conversation.ping()
    except RegistryError as exc:
        error, facts = _explained(scene, registry, exc)
        seen = f"{_place(registry, way)}: {_SEEN.get(exc.code, exc.code.replace('-', ' '))}"
        return failed("network", seen, error, {"proxy": way, **facts}), None
    return _reached(scene, registry, ping, way), ping


# Short texts for the step, less specific than the cause.
_SEEN = {
    "certificate-expired": "the certificate is not valid now",
    "certificate-not-yet-valid": "the certificate is not valid now",
    "certificate-untrusted": "the certificate is not trusted",
    "certificate-wrong-host": "the certificate is for another host",
    "name-not-resolved": "cannot resolve",
    "connection-refused": "connection refused",
    "connection-reset": "connection closed",
    "timeout": "timed out",
    "proxy-unreachable": "the proxy does not answer",
    "proxy-refused": "the proxy refuses",
    "plain-http": "plain HTTP where TLS belongs",
    "throttled": "status 429",
    "busy": "status 5xx",
}


def _reached(scene: Scene, registry: Registry, ping: Response, way: str) -> Step:
    said = [f"{ping.peer}:{registry.port}" if ping.peer else f"{registry} through {way}"]
    status: Status = "ok"
    if ping.certificate_ends is None:
        said.append("plain HTTP")
    else:
        left = ping.certificate_ends - scene.now
        said.append(f"certificate valid {span(left)}")
        status = "note" if left < _CERTIFICATE_SOON else status
    there = seconds_of(ping.header("Date"))
    skew = None
    if there is not None:
        skew = round(time.time() - there)
        skew = 0 if abs(skew) <= 1 else skew  # the header has whole seconds
        said.append(f"clock {skew:+d} s")
        status = "note" if abs(skew) > _SKEW_MAX else status
    facts = {
        "address": ping.peer,
        "proxy": way,
        "certificate_ends": ping.certificate_ends,
        "clock_skew": skew,
    }
    return Step(name="network", status=status, message=", ".join(said), facts=facts)


def _proxy_of(registry: Registry, environ: Mapping[str, str]) -> str:
    """
    Return the proxy and the variable that names it, or "".
    """
    try:
        proxy = proxy_for(registry.hostname, registry.port, environ)
    except UnreachableError:
        return ""
    if proxy is None:
        return ""
    named = "HTTPS_PROXY" if environ.get("HTTPS_PROXY") else "https_proxy"
    return f"{proxy.url.partition('://')[2]} ({named})"


def _place(registry: Registry, way: str) -> str:
    return f"{registry.api_host} through {way}" if way else registry.api_host


def _explained(
    scene: Scene, registry: Registry, error: RegistryError
) -> tuple[RegistryError, dict[str, object]]:
    """
    Return *error* with details of the certificate if that is the cause, and the facts.
    """
    # One hint is more specific: a variable names no bundle, so no authority is trusted.
    if not error.code.startswith("certificate-") or "SSL_CERT_FILE" in error.hint:
        return error, {}
    timeout = min(_PROBE_MAX, scene.left())
    found = read_certificate(registry, scene.environ, timeout=timeout)
    if found is None:
        return error, {}
    facts: dict[str, object] = {"issuer": found.issuer, "names": list(found.names)}
    return _of_certificate(scene, registry, error, found), facts


def _of_certificate(
    scene: Scene, registry: Registry, error: RegistryError, found: Certificate
) -> RegistryError:
    # Check the dates before the issuer: a wrong clock affects both.
    host, now = registry.api_host, scene.now
    facts: dict[str, object] = {"host": host, "now": date(now), "issuer": found.issuer}
    if found.starts > now:
        return network_causes.CERTIFICATE_VALID_FROM.error(**facts, start=date(found.starts))
    if found.ends < now:
        there = found.server_time
        if there is not None and there < found.ends and now - there > _SKEW_MAX:
            days = round((now - there) / 86400)
            return network_causes.CLOCK_AHEAD.error(**facts, days=days)
        return network_causes.CERTIFICATE_EXPIRED_ON.error(**facts, end=date(found.ends))
    if error.code == "certificate-wrong-host":
        names = ", ".join(map(printable, found.names[:3]))
        return network_causes.CERTIFICATE_OF_OTHER_HOST.error(**facts, names=names)
    if error.code != "certificate-untrusted":
        return error
    secret = scene.secret_of(registry)
    ca_file = f", and set {variable(secret.id, 'CA_FILE')} to it" if secret is not None else ""
    if found.is_self_signed:
        return network_causes.CERTIFICATE_SELF_SIGNED.error(**facts, set=ca_file)
    way = _proxy_of(registry, scene.environ)
    if way:
        return network_causes.CERTIFICATE_OF_INTERCEPTOR.error(**facts, proxy=way)
    return network_causes.CERTIFICATE_OF_UNKNOWN_CA.error(**facts, set=ca_file)
