# SPDX-License-Identifier: MIT
"""
The kubelet's credential provider protocol: a request and its response.

The kubelet starts a provider for an image that it has no cached answer for, so imports must stay
cheap.  It decodes the response strictly: an unknown member would void it.

https://kubernetes.io/docs/reference/config-api/kubelet-credentialprovider.v1/
https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/credentialprovider/plugin/plugin.go
"""

from __future__ import annotations

from ..cache.entry import USELESS_BELOW, fresh_until
from ..cache.fast_json import loads, quoted
from ..errors import InvalidRegistryError
from ..registry import split_image

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..registry import Registry

_GROUP = "credentialprovider.kubelet.k8s.io"
# v1 has been there since Kubernetes 1.26.  The older two have the same members, but for the token
# and the annotations, and the kubelet wants the version that it sent.
API_VERSIONS = tuple(f"{_GROUP}/{version}" for version in ("v1", "v1beta1", "v1alpha1"))

# A credential of ours is for all of a registry.  With a pod's token the kubelet adds the service
# account, or the token itself, to the key of its cache.
_CACHE_KEY_TYPE = "Registry"

# How long the kubelet remembers that there is no login: one process a minute for each registry is
# cheap, and a set that was added is used before the kubelet's longest wait (5 minutes) is over.
_NOTHING_FOR = 60.0  # seconds
# The same for a credential that is due for renewal and could not be renewed.
_STALE_FOR = 60.0  # seconds

_HUB, _HUB_KEY = "docker.io", "index.docker.io"


class Request:
    """
    What the kubelet asks.

    Attributes:
        api_version: That of the response.
        key: The key in `auth` that the kubelet finds for the image.
        registry: Registry of the image; None: the image is not a reference that we know.
        token: Token of the pod's service account, in clear text; "" if there is none.
        annotations: Those of the service account that the configuration lists.
    """

    __slots__ = ("annotations", "api_version", "key", "registry", "token")

    def __init__(
        self, *, api_version: str, image: str, token: str, annotations: Mapping[str, str]
    ) -> None:
        self.api_version = api_version
        self.token = token
        self.annotations = annotations
        self.key, self.registry = _place(image)


def parse(text: str) -> Request:
    """
    Return the request in *text*.

    Raises:
        RegistryError: It is not a `CredentialProviderRequest` of a known version.
    """
    try:
        members = loads(text)
    except (ValueError, RecursionError):
        members = None  # without the cause, which would quote a token
    if not isinstance(members, dict) or members.get("kind") != "CredentialProviderRequest":
        from ..causes.kubernetes.kubelet import NOT_A_REQUEST

        raise NOT_A_REQUEST.error() from None
    api_version = members.get("apiVersion")
    if api_version not in API_VERSIONS:
        from ..causes.kubernetes.kubelet import VERSION_UNKNOWN

        raise VERSION_UNKNOWN.error(known=API_VERSIONS[0])
    image, token = members.get("image"), members.get("serviceAccountToken", "")
    annotations = members.get("serviceAccountAnnotations") or {}
    usable = isinstance(token, str) and _is_texts(annotations)
    if not isinstance(image, str) or not image or not usable:
        from ..causes.kubernetes.kubelet import MEMBER_INVALID

        raise MEMBER_INVALID.error()
    return Request(api_version=api_version, image=image, token=token, annotations=annotations)


def response(request: Request, username: str, password: str, *, seconds: float | None) -> str:
    """
    Return the response with a credential.

    Args:
        request: What was asked.
        username: User name of the credential.
        password: Its password.
        seconds: How long the kubelet may keep it; None: as long as its configuration says
            (`defaultCacheDuration`); 0: not at all.
    """
    credential = f'{{"username":{quoted(username)},"password":{quoted(password)}}}'
    return _response(request, seconds, f"{{{quoted(request.key)}:{credential}}}")


def no_login(request: Request) -> str:
    """
    Return the response without a credential: the kubelet goes on without ours.
    """
    return _response(request, _NOTHING_FOR, "{}")


def seconds_to_keep(
    *, issued_at: float | None, expires_at: float | None, now: float
) -> float | None:
    """
    Return how long the kubelet may keep a credential, in seconds; None if it does not expire.

    Until it is due to be renewed, so that what the kubelet sends has half of its lifetime left; if
    it is overdue, a minute, but not beyond its end.
    """
    if expires_at is None:
        return None
    left = fresh_until(issued_at=issued_at, expires_at=expires_at) - now
    if left > 0:
        return left
    return max(0.0, min(_STALE_FOR, expires_at - USELESS_BELOW - now))


def duration(seconds: float) -> str:
    """
    Return *seconds* as Go writes a duration: `5h59m30s`.  Parts of a second are dropped.
    """
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{hours}h" if hours else ""
    text += f"{minutes}m" if hours or minutes else ""
    return f"{text}{rest}s"


def _response(request: Request, seconds: float | None, auth: str) -> str:
    kept = "" if seconds is None else f'"cacheDuration":"{duration(seconds)}",'
    return (
        f'{{"apiVersion":"{request.api_version}","kind":"CredentialProviderResponse",'
        f'"cacheKeyType":"{_CACHE_KEY_TYPE}",{kept}"auth":{auth}}}'
    )


def _place(image: str) -> tuple[str, Registry | None]:
    """
    Return the key for *image* in `auth`, and its registry.

    The kubelet matches a key without a path against each image of that host and port, letter by
    letter.  It asks with the whole name, `docker.io/library/busybox`; a short one is Docker Hub's.
    https://github.com/kubernetes/kubernetes/blob/v1.34.0/pkg/credentialprovider/keyring.go
    """
    host, slash, _ = image.partition("/")
    try:
        registry = split_image(image)[0]
    except InvalidRegistryError:
        return host, None
    if registry == _HUB and not (slash and host.lower() in (_HUB, _HUB_KEY)):
        return _HUB_KEY, registry
    return host, registry


def _is_texts(found: object) -> bool:
    return isinstance(found, dict) and all(isinstance(value, str) for value in found.values())
