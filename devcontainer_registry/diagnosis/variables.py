# SPDX-License-Identifier: MIT
"""
Steps 1 and 2: the variables of a registry, and config.json.
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat

from .. import authenticators as plugins
from ..causes import config as config_causes
from ..causes import login as login_causes
from ..config.delegation import is_mount
from ..config.findings import why_unread_in
from ..errors import AuthenticationError, ConfigError
from ..naming import variable
from .report import Step

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import Finding, RegistrySecret
    from ..errors import RegistryError
    from ..registry import Registry
    from .scene import Scene

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

# Prefixes of tokens, and the registries that take them.
# https://docs.gitlab.com/security/tokens/#token-prefixes
_TOKENS = {
    "ghp_": ("a GitHub token", "ghcr.io"),
    "gho_": ("a GitHub token", "ghcr.io"),
    "ghs_": ("a GitHub token", "ghcr.io"),
    "ghu_": ("a GitHub token", "ghcr.io"),
    "github_pat_": ("a GitHub token", "ghcr.io"),
    "dckr_pat_": ("a Docker Hub token", "docker.io"),
    "dckr_oat_": ("a Docker Hub token", "docker.io"),
    "glpat-": ("a GitLab token", "registry.gitlab.com"),
    "gldt-": ("a GitLab token", "registry.gitlab.com"),
}
_HOSTED = ("ghcr.io", "docker.io", "registry.gitlab.com")


def variables_step(scene: Scene, registry: Registry) -> Step:
    """
    Check the variables for *registry*; a fault is a note unless docker has no login.
    """
    secret = scene.secret_of(registry)
    if secret is not None:
        recalled = scene.memory.recall(secret)
        facts: dict[str, object] = {"set": secret.id, "source": secret.source}
        if recalled.state is not None:
            facts |= {"state": recalled.state, "at": recalled.at}
        hint = hint_of(scene, secret) or _unseen(scene, secret)
        message = f"{secret.source}: {hint}" if hint else secret.source
        return Step(name="variables", status="note" if hint else "ok", message=message, facts=facts)
    broken = scene.incomplete_of(registry)
    if broken is not None:
        return Step(
            name="variables",
            status="note",
            message=broken.error.message,
            facts={"set": broken.id, "code": broken.error.code},
        )
    near = near_miss(scene)
    if near is not None:
        return Step(
            name="variables", status="note", message=near.message, facts={"code": near.code}
        )
    unknown = next((i for i in scene.found.incomplete if i.registry is None), None)
    if unknown is not None:
        return Step(
            name="variables",
            status="note",
            message=unknown.error.message,
            facts={"set": unknown.id, "code": unknown.error.code},
        )
    return Step(name="variables", status="ok", message=f"none for {registry}")


def _unseen(scene: Scene, secret: RegistrySecret) -> str:
    """
    Return the note on a set that is missing in this process's environment, or "".
    """
    name = variable(secret.id, "SERVER")
    return next(
        (
            finding.message
            for finding in scene.found.findings
            if finding.code == "not-in-environment" and finding.variable == name
        ),
        "",
    )


def near_miss(scene: Scene) -> RegistryError | Finding | None:
    """
    Return the first misspelled variables that may be for any registry, or None.
    """
    reports: list[RegistryError | Finding] = [
        *(i.error for i in scene.found.incomplete if i.registry is None),
        *scene.found.findings,
    ]
    return next((one for one in reports if one.code == "near-miss"), None)


def hint_of(scene: Scene, secret: RegistrySecret) -> str:
    """
    Return why *secret* looks like the wrong kind for its registry, or "".

    It checks the shape only, so the result is a hint.
    """
    text = secret.secret.reveal() if secret.secret is not None else ""
    username, registry = secret.username or "", secret.registry
    for prefix, (what, home) in _TOKENS.items():
        if text.startswith(prefix) and registry in _HOSTED and registry != home:
            return login_causes.OF_ANOTHER_REGISTRY.say(what=what)
    if text.startswith("github_pat_") and registry == "ghcr.io":
        return login_causes.FINE_GRAINED.say()
    if registry.endswith((".azurecr.io", ".azurecr.cn", ".azurecr.us")) and _GUID.fullmatch(text):
        return login_causes.ID_OF_SECRET.say()
    if username.startswith("_json_key") and not _is_json_key(username, text):
        return login_causes.CUT_KEY.say()
    if ".dkr.ecr" in registry and username.startswith("ASIA") and secret.session_token is None:
        return login_causes.LACKS_SESSION_TOKEN.say()
    authenticator = scene.authenticator_of(secret)
    if authenticator is not None and plugins.passes_on(authenticator, secret):
        ends = expiry_of(scene, secret)
        if ends is not None and ends <= scene.now:
            return login_causes.HAS_EXPIRED.say()
    return ""


def password_of(secret: RegistrySecret) -> str:
    """
    Return the name of the variable with the password of *secret*.
    """
    return secret.source if secret.implicit else variable(secret.id, "PASSWORD")


def expiry_of(scene: Scene, secret: RegistrySecret) -> float | None:
    """
    Return the expiry that the password of *secret* contains, in Unix seconds, or None.
    """
    authenticator = scene.authenticator_of(secret)
    if authenticator is None or not plugins.passes_on(authenticator, secret):
        return None
    try:
        return plugins.authenticate(authenticator, secret, timeout=1.0).expires_at
    except Exception:  # noqa: BLE001  (a secret of an impossible shape does not say either)
        return None


def explained(scene: Scene, secret: RegistrySecret, code: str) -> str:
    """
    Return the fix of the registry's kind for a refusal *code*, or "".
    """
    authenticator = scene.authenticator_of(secret)
    if authenticator is None:
        return ""
    refusal = AuthenticationError("", code=code)
    try:
        return plugins.explain(authenticator, secret, refusal)
    except Exception:  # noqa: BLE001  (a hint too many must not cost the diagnosis)
        return ""


def with_hint(error: RegistryError, hint: str) -> RegistryError:
    """
    Return *error* with *hint*, if there is one, in place of its own.
    """
    return type(error)(error.message, hint=hint, code=error.code) if hint else error


def _is_json_key(username: str, text: str) -> bool:
    try:
        if username == "_json_key_base64":
            text = base64.b64decode(text, validate=True).decode()
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def config_step(scene: Scene, registry: Registry) -> tuple[Step, RegistryError | None]:
    """
    Check config.json; return the step, and why docker reads no login for *registry*, or None.

    A fault is a note: docker continues without a login and can pull public images.
    """
    path = scene.home(scene.config_path)
    error = scene.config_error or _unread(scene, registry)
    if error is not None and scene.config_path:
        message = error.message.replace(scene.config_path, path)
        hint = error.hint.replace(scene.config_path, path)
        error = type(error)(message, hint=hint, code=error.code)
    facts: dict[str, object] = {"path": scene.config_path, "exists": scene.document is not None}
    mode, mounted = 0, False
    try:
        status = os.stat(scene.config_path)
    except OSError:
        if error is None:
            step = Step(name="config", status="ok", message=f"{path} does not exist", facts=facts)
            return step, None
    else:
        mode, mounted = stat.S_IMODE(status.st_mode), is_mount(os.path.abspath(scene.config_path))
        facts |= {"mode": f"{mode:o}", "owner": status.st_uid, "mount": mounted}
    if error is not None:
        facts["code"] = error.code
        return Step(name="config", status="note", message=error.message, facts=facts), error
    said = [path, "a mount"] if mounted else [path]
    is_open = scene.config is not None and scene.config.is_open()
    if is_open and scene.document is not None and scene.document.holds_secrets:
        said.append(f"mode {mode:o}: others may read it")
        return Step(name="config", status="note", message=", ".join(said), facts=facts), None
    return Step(name="config", status="ok", message=", ".join(said), facts=facts), None


def _unread(scene: Scene, registry: Registry) -> RegistryError | None:
    document = scene.document
    if document is None:
        return None
    if document.had_bom:
        return config_causes.HAS_BOM.error(path=scene.config_path)
    if document.asked_for(registry) != "auths":
        return None
    said = why_unread_in(document, scene.config_path)
    return ConfigError(said.message, hint=said.hint, code=said.code) if said is not None else None
