# SPDX-License-Identifier: MIT
"""
Claims of ID tokens that clouds' policies look at.
"""

from __future__ import annotations

from ...identities.tokens import shown

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Of every issuer, then of GitHub and GitLab.
# https://docs.github.com/en/actions/reference/security/oidc#oidc-token-claims
# https://docs.gitlab.com/ci/secrets/id_token_authentication/#token-payload
_CLAIMS = (
    "iss",
    "sub",
    "aud",
    "repository",
    "environment",
    "job_workflow_ref",
    "project_path",
    "ref",
    "ref_type",
    "ref_protected",
)
# https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#schema-for-service-account-private-claims
_KUBERNETES = "kubernetes.io"


def policy_claims(claims: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """
    Yield each of *claims* that a policy may look at, by name; Kubernetes' own ones by theirs.
    """
    for name in _CLAIMS:
        value = claims.get(name)
        values = value if isinstance(value, list) else [value]
        if value is not None:
            yield name, ", ".join(map(shown, values))
    pod = claims.get(_KUBERNETES)
    if isinstance(pod, dict):
        account = pod.get("serviceaccount")
        yield "namespace", shown(pod.get("namespace"))
        yield "serviceaccount", shown(account.get("name") if isinstance(account, dict) else None)
