# SPDX-License-Identifier: MIT
"""
Exchange of a pod's token for a cloud identity's login.

The kubelet sends it where the provider's configuration has `tokenAttributes`.  It goes only to the
cloud of the set, and the credential is for that pod.  With a login of the node, a pod could pull
what it may not.

https://github.com/kubernetes/enhancements/tree/master/keps/sig-auth/4412-projected-service-account-tokens-for-kubelet-image-credential-providers
"""

from __future__ import annotations

from dataclasses import replace

from ..authenticators import is_ours
from ..causes.kubernetes import kubelet as causes
from ..credentials import Secret
from ..discovery import fault
from ..identities.hosts import cloud_of
from ..identities.named import holds_secret, names_identity

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..authenticators import Authenticator
    from ..credentials import RegistrySecret
    from .protocol import Request

# The annotations that the clouds' own providers read, by kind, each with the member that it sets.
# Google's provider reads none.
# https://github.com/kubernetes/cloud-provider-aws/blob/v1.34.0/cmd/ecr-credential-provider/main.go
# https://github.com/kubernetes-sigs/cloud-provider-azure/pull/9907
_ANNOTATIONS = {
    "ecr": {"eks.amazonaws.com/ecr-role-arn": "role_arn"},
    "acr": {
        "kubernetes.azure.com/acr-client-id": "client_id",
        "kubernetes.azure.com/acr-tenant-id": "tenant",
    },
}
_MEMBERS = {"ecr": causes.OF_AWS, "acr": causes.OF_ENTRA, "google": causes.OF_GOOGLE}


def with_token(
    secret: RegistrySecret, request: Request, *, kind: str | None, authenticator: Authenticator
) -> RegistrySecret:
    """
    Return *secret* with the token of *request*, and with what the service account adds to it.

    An annotation arrives here only if the provider's configuration lists it.  It may name any
    identity: the cloud accepts it only for a service account that it trusts.

    Args:
        secret: The set for the registry of the image.
        request: What the kubelet asks.
        kind: Kind of *authenticator*.
        authenticator: What will be given the token.

    Raises:
        DiscoveryError: The set has a secret of its own, is for no cloud, or names no identity.
        AuthenticationError: An annotation is not valid.
    """
    if holds_secret(secret):
        raise causes.NOT_PER_POD.error(source=secret.source)
    cloud = cloud_of(secret)
    # A plugin may do anything with it.
    if cloud is None or cloud != kind or not is_ours(authenticator):
        raise causes.NO_CLOUD.error(source=secret.source, host=secret.registry)
    named = {}
    for key, member in _ANNOTATIONS.get(cloud, {}).items():
        text = request.annotations.get(key)
        if text is None:
            continue
        if not text or fault(member.upper(), text) is not None:
            raise causes.ANNOTATION_INVALID.error(key=key)
        named[member] = text
    secret = replace(
        secret,
        id_token=Secret(request.token),
        role_arn=named.get("role_arn", secret.role_arn),
        client_id=named.get("client_id", secret.client_id),
        tenant=named.get("tenant", secret.tenant),
    )
    if not names_identity(secret):
        members = _MEMBERS[cloud].say(id=secret.id)
        raise causes.NOBODY_TO_BECOME.error(source=secret.source, members=members)
    return secret
