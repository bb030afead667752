# SPDX-License-Identifier: MIT
"""
The ID token of a set, and its claims.
"""

from __future__ import annotations

from ...errors import RegistryError
from ...identities import github, source
from ...identities.hosts import cloud_of
from ...identities.named import names_identity, problem
from ...identities.tokens import shown
from ..report import Step, span
from ..variables import variables_step
from .claims import policy_claims

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ...credentials import RegistrySecret
    from ...identities.tokens import IdToken
    from ...registry import Registry
    from ..scene import Scene

_REQUEST_MAX = 5.0  # seconds


def set_steps(scene: Scene, registry: Registry) -> list[Step]:
    """
    Check the variables for *registry*, and the ID token of its set if it uses one.
    """
    identity = identity_step(scene, registry)
    return [variables_step(scene, registry), *([identity] if identity is not None else [])]


def identity_step(scene: Scene, registry: Registry) -> Step | None:
    """
    Show the ID token for *registry*: one of the set, or one of GitHub, which is requested for it.

    None where the set uses none.
    """
    secret = scene.secret_of(registry)
    if secret is None:
        return None
    trouble: RegistryError | None = problem(secret)
    if trouble is not None:
        return _note(secret, trouble)
    kind = cloud_of(secret)
    if kind is None or not (secret.id_token is not None or _is_wanted(scene, secret, kind)):
        return None
    timeout = min(scene.left(), _REQUEST_MAX)
    try:
        token = source.obtain(secret, kind, timeout=timeout, environ=scene.environ)
    except RegistryError as exc:
        return _note(secret, exc)
    return _token_step(scene, secret, kind, token)


def _is_wanted(scene: Scene, secret: RegistrySecret, kind: str) -> bool:
    if not names_identity(secret):
        return False
    # Without these, a role is that of the identity that AWS's SDK finds.
    return kind != "ecr" or secret.audience is not None or github.is_here(scene.environ)


def _note(secret: RegistrySecret, error: RegistryError) -> Step:
    facts = {"set": secret.id, "code": error.code}
    return Step(name="identity", status="note", message=error.message, facts=facts)


def _token_step(scene: Scene, secret: RegistrySecret, kind: str, token: IdToken) -> Step:
    said = token.name
    if kind == "ecr" and secret.id_token is None and secret.audience is None:
        said += ", if AWS finds no other identity"
    if token.expires_at is not None:
        left = token.expires_at - scene.now
        said += f", expires in {span(left)}" if left > 0 else f", expired {span(left)} ago"
    expected = source.audience_of(secret, kind)
    audience = token.claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    is_usual = expected.removeprefix("https:") in [
        each.removeprefix("https:") for each in audiences if isinstance(each, str)
    ]
    facts = {
        "set": secret.id,
        "source": token.source,
        "expires_at": token.expires_at,
        "claims": dict(policy_claims(token.claims)),
    }
    if is_usual:
        return Step(name="identity", status="ok", message=said, facts=facts)
    said += f"; its audience is not {shown(expected)}"
    return Step(name="identity", status="note", message=said, facts=facts)
