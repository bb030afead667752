# SPDX-License-Identifier: MIT
"""
Every event: its level, what has happened, and its fields.

docs/events.md is made from here, and a test holds the code against it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Event:
    """
    One kind of event.

    Attributes:
        level: `debug`, `info` or `warning`.
        meaning: What has happened.
        fields: Names, separated by blanks; each is described in `FIELDS`.
    """

    level: str
    meaning: str
    fields: str


EVENTS = {
    "authenticator.chosen": Event(
        "debug", "The kind of registry was decided.", "id registry kind why"
    ),
    "cache.removed": Event("debug", "The cache file of a registry was deleted.", "registry"),
    "cache.written": Event("debug", "A cache file was written.", "path bytes mode"),
    "challenge.received": Event(
        "debug",
        "The registry said how to log in.",
        "registry scheme realm service scope",
    ),
    "cloud.answered": Event(
        "debug",
        "A request to AWS, Entra ID or Google's metadata server ended.",
        "provider operation host result ms",
    ),
    "cloud.identity_chosen": Event(
        "debug", "The identity for a cloud was chosen.", "provider source"
    ),
    "config.lock_waited": Event(
        "info", "The wait for another process's lock is over.", "path seconds"
    ),
    "config.lock_waiting": Event(
        "info", "Another process holds the lock; the wait began.", "path seconds"
    ),
    "config.read": Event("debug", "config.json was read.", "path bytes"),
    "config.replaced": Event(
        "info", "config.json was created or replaced.", "path bytes mode created"
    ),
    "config.restored": Event("warning", "An interrupted write was undone in config.json.", "path"),
    "config.rewritten_in_place": Event(
        "info",
        "config.json cannot be replaced (a bind mount, say) and was rewritten.",
        "path bytes reason",
    ),
    "connection.failed": Event(
        "debug", "An address did not accept a connection.", "host address port reason ms"
    ),
    "connection.opened": Event(
        "debug", "An address accepted a connection.", "host address port ms"
    ),
    "credential.obtained": Event(
        "debug", "The user name and password to log in with are known.", "id registry ms"
    ),
    "dns.failed": Event("debug", "A host name could not be resolved.", "host reason ms"),
    "dns.resolved": Event("debug", "A host name was resolved.", "host addresses ms"),
    "doctor.step": Event("info", "A step of the doctor ended.", "registry step status code"),
    "helper.answered": Event("info", "The credential helper answered Docker.", "verb ok code ms"),
    "helper.checked": Event(
        "debug",
        "It was checked whether Docker can run the credential helper.",
        "where ok why",
    ),
    "kubelet.answered": Event("info", "The kubelet got an answer.", "ok code ms"),
    "kubelet.not_cached": Event(
        "debug", "The answer for the kubelet cannot be remembered between processes.", "code"
    ),
    "login.decided": Event(
        "debug", "It was decided whether to ask the registry.", "id registry action code"
    ),
    "login.failed": Event(
        "info",
        "A login ended without being saved and verified.",
        "id registry status code kept_in verified expires_at realm attempts elapsed",
    ),
    "login.retried": Event(
        "info", "A request failed and will be sent again.", "registry attempt wait code"
    ),
    "login.started": Event("debug", "A login began.", "id registry seconds"),
    "login.succeeded": Event(
        "info",
        "The registry accepted the login.",
        "id registry status code kept_in verified expires_at realm attempts elapsed",
    ),
    "plugin.unusable": Event("warning", "A plugin failed.", "kind code error"),
    "proxy.bypassed": Event("debug", "A host is reached without a proxy.", "host proxy why"),
    "proxy.chosen": Event("debug", "A host is reached through a proxy.", "host proxy why"),
    "proxy.tunnel_opened": Event("debug", "The proxy connected us to the host.", "host proxy"),
    "renewal.started": Event("debug", "The credential helper began to renew a login.", "registry"),
    "request.answered": Event("debug", "A request was answered.", "method host path status ms"),
    "request.failed": Event("debug", "A request got no answer.", "method host path code ms"),
    "request.redirected": Event("debug", "A redirect was followed.", "host to"),
    "run.ended": Event("debug", "The command of a run ended.", "status"),
    "run.prepared": Event("debug", "The private folder of a run was created.", "path"),
    "run.signal": Event("debug", "A signal was passed on to the command of a run.", "name"),
    "run.started": Event("debug", "The command of a run was started.", "pid"),
    "run.swept": Event(
        "info", "The private folder that a killed run had left was removed.", "path ok"
    ),
    "secret.found": Event("debug", "A set of variables is complete.", "id registry source"),
    "secret.incomplete": Event("info", "A set of variables is not usable.", "id code"),
    "tls.failed": Event("debug", "A TLS handshake failed.", "host reason"),
    "tls.negotiated": Event(
        "debug",
        "A TLS handshake succeeded.",
        "host version subject issuer expires",
    ),
    "token.requested": Event(
        "debug", "A token server was asked for a token.", "registry realm scope how"
    ),
    "variable.ignored": Event("debug", "A variable is set but not used.", "id name layer why used"),
    "variable.used": Event("debug", "A variable is used.", "id name layer"),
    "variables.read": Event("debug", "A file of variables was read.", "layer variables"),
    "variables.unreadable": Event("debug", "A file of variables could not be read.", "layer code"),
}

FIELDS = {
    "action": "`ask`, or the status without asking, as in `--json`",
    "address": "the IP address",
    "addresses": "the IP addresses",
    "attempt": "the number of the attempt that failed",
    "attempts": "the number of attempts",
    "bytes": "the size; none: the file does not exist",
    "code": "what went wrong, as in [the list of codes](codes.md)",
    "created": "whether the file did not exist",
    "elapsed": "seconds since the login began",
    "error": "the type of a plugin's exception",
    "expires_at": "when the login expires, in Unix seconds",
    "expires": "when the certificate expires",
    "host": "the host and, unless it is the default, the port",
    "how": "`anonymous`, `basic`, or `refresh` for an identity token",
    "id": "the set; in a login, every event has it",
    "issuer": "issuer of the certificate",
    "kept_in": "where the login was saved",
    "kind": "the kind of registry",
    "layer": "`environment`, `secrets file` or `.env-secrets` (GitHub Codespaces)",
    "method": "the HTTP method",
    "mode": "the permissions, in octal",
    "ms": "milliseconds",
    "name": "the name of a variable, or of a signal",
    "ok": "whether it worked",
    "operation": "the operation at the cloud",
    "path": "the path of a file; of a URL, without its query",
    "pid": "the process",
    "port": "the port",
    "provider": "`aws`, `entra` or `google`",
    "proxy": "host and port of the proxy",
    "realm": "the host of the token server",
    "reason": "the system's or OpenSSL's name for the error",
    "registry": "the registry",
    "result": "`ok`, the HTTP status, or the name of the error",
    "scheme": "`basic` or `bearer`",
    "scope": "what the token is for",
    "seconds": "seconds",
    "service": "the registry's name at its token server",
    "source": "where it was found",
    "status": "the HTTP status; of a login or a step, as in `--json`; of a command, its own",
    "step": "the step, as in `doctor --json`",
    "subject": "owner of the certificate",
    "to": "the host that the redirect leads to",
    "used": "the layer that is used instead",
    "variables": "how many variables it holds",
    "verb": "what Docker asked for: `get`, `store`, `erase` or `list`",
    "verified": "whether the registry accepted it",
    "version": "the version of TLS",
    "wait": "seconds until the next attempt",
    "where": "`PATH`: for this process; `everywhere`: for every process",
    "why": "the reason; see below",
}

# Of `why`, by event.
REASONS = {
    "authenticator.chosen": "`variable`: `_KIND` names it; `host`: by the name of the host; "
    "`fallback`: no other kind matches",
    "helper.checked": "why Docker cannot run it",
    "proxy.bypassed": "the variable that exempts the host, `loopback`, or `unset`: no proxy",
    "proxy.chosen": "the variable that names the proxy",
    "variable.ignored": "`layer`: the set is in the layer `used`; `empty`; "
    "`form`: the set has it with or without `_FILE`, too",
}
