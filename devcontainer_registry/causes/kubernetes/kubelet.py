# SPDX-License-Identifier: MIT
"""
Causes why the kubelet gets no credential.
"""

from __future__ import annotations

from ...errors import AuthenticationError, DiscoveryError, RegistryError, TransientError
from ..cause import Cause, Fix, Reason

# What was asked.

_AS_THE_KUBELET = "pass a CredentialProviderRequest on stdin, as the kubelet does"

NOT_A_REQUEST = Cause(
    "kubelet-request-invalid",
    RegistryError,
    "stdin is not a CredentialProviderRequest",
    _AS_THE_KUBELET,
)
MEMBER_INVALID = Cause(
    "kubelet-request-invalid",
    RegistryError,
    "the CredentialProviderRequest has no image, or a member of the wrong type",
    _AS_THE_KUBELET,
)
IS_TERMINAL = Cause(
    "kubelet-request-invalid",
    RegistryError,
    "stdin is a terminal, and the kubelet would pass a request there",
    _AS_THE_KUBELET,
)
TOO_LONG = Cause(
    "kubelet-request-invalid",
    RegistryError,
    "the request is longer than {count} bytes",
    _AS_THE_KUBELET,
)
VERSION_UNKNOWN = Cause(
    "kubelet-version-unknown",
    RegistryError,
    "the kubelet asks in an apiVersion that this version does not know",
    "set the provider's apiVersion in the CredentialProviderConfig to {known}",
)

# The token of a pod.

NOT_PER_POD = Cause(
    "kubelet-set-shared",
    DiscoveryError,
    "{source} has a secret of its own, which is never handed out for a pod's token",
    "list it in another provider, without tokenAttributes",
)
NO_CLOUD = Cause(
    "kubelet-set-shared",
    DiscoveryError,
    "{source} is for {host}, which accepts no pod's token",
    "list it in another provider, without tokenAttributes",
)
NOBODY_TO_BECOME = Cause(
    "kubelet-identity-missing",
    DiscoveryError,
    "{source} does not name the identity for the pod's token",
    "set {members}",
)
OF_AWS = Reason("members", "{id}_CONTAINER_REGISTRY_ROLE_ARN, or annotate the service account")
OF_ENTRA = Reason(
    "members",
    "{id}_CONTAINER_REGISTRY_TENANT and _CLIENT_ID, or annotate the service account",
)
OF_GOOGLE = Reason("members", "{id}_CONTAINER_REGISTRY_AUDIENCE")
# In the place of the variable that an ID token has elsewhere.
POD_TOKEN = Reason("token", "the pod's token")
ANNOTATION_INVALID = Cause(
    "kubelet-annotation-invalid",
    AuthenticationError,
    "the service account's annotation {key} is not valid",
    "correct the annotation of the service account",
)

# What the kubelet cannot carry, or not in time.

NOT_FOR_KUBELET = Cause(
    "kubelet-cannot-use",
    RegistryError,
    "the kubelet cannot use the login to {host}: {why}",
    "set a user name and a password for {host}",
)
RENEW_THE_SET = Fix("expired", "for the kubelet", "set a new password for {host}")
EXPIRED = Cause("expired", RegistryError, "the password for {host} has expired", RENEW_THE_SET.text)
LOOK_FROM_THE_NODE = Fix("timeout", "for the kubelet", "check the network of this node")
TIMED_OUT = Cause(
    "timeout",
    TransientError,
    "the cloud of {host} did not answer in time",
    LOOK_FROM_THE_NODE.text,
)
