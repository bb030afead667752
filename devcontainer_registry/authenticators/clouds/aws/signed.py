# SPDX-License-Identifier: MIT
"""
The password for a key pair, by one signed request.

AWS's SDK, of which only the signer is used, would be most of the time of such a login: its import,
and the data that it reads for a client.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
https://docs.aws.amazon.com/AmazonECRPublic/latest/APIReference/API_GetAuthorizationToken.html
"""

from __future__ import annotations

import base64
import os
import time

from ....causes.clouds import aws as causes
from ....credentials import Credential, Secret
from ....errors import RegistryError
from ....identities.hosts import ecr_api
from ....network.refusals import json_object
from ....network.transport import Transport
from ....network.urls import Url, shown
from ....observer import since, tell
from ....threads import import_lock
from .errors import reworded
from .names import names_of
from .refusals import refused

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ....network.transport import Response
    from .names import Endpoint, Identity

# Settings of where and how to send that only the SDK obeys.
# https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
_FOR_SDK = (
    "AWS_CA_BUNDLE",
    "AWS_DATA_PATH",
    "AWS_USE_DUALSTACK_ENDPOINT",
    "AWS_USE_FIPS_ENDPOINT",
)

_TARGETS = {
    "ecr": "AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken",
    "ecr-public": "SpencerFrontendService.GetAuthorizationToken",
}


def url_for(identity: Identity, endpoint: Endpoint) -> Url | None:
    """
    Return the URL to ask for a password; None if that takes AWS's SDK.
    """
    environ = os.environ
    if identity.key_id is None or identity.key is None:
        return None
    if identity.role_arn is not None or identity.wants_token:
        return None
    if endpoint.fips or any(environ.get(name) for name in _FOR_SDK):
        return None
    named = _named(service_of(endpoint), environ)
    if named is None:
        host = ecr_api(endpoint.region, public=endpoint.public, dual=endpoint.dual)
        return Url.parse(f"https://{host}/") if host is not None else None
    url = Url.parse(named)
    # The SDK has its own rules for a path, and for plain HTTP to another machine.
    if url is None or url.target != "/" or not (url.scheme == "https" or url.is_loopback):
        return None
    return url


def _named(service: str, environ: Mapping[str, str]) -> str | None:
    """
    Return the endpoint that the environment names for *service*, or None.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    own = "AWS_ENDPOINT_URL_" + service.replace("-", "_").upper()
    return environ.get(own, environ.get("AWS_ENDPOINT_URL"))


def password(identity: Identity, endpoint: Endpoint, url: Url, *, timeout: float) -> Credential:
    """
    Return ECR's password for the key pair of *identity*; *timeout* in seconds.

    Raises:
        RegistryError: AWS refused or cannot be reached, in the same words as by the SDK.
    """
    begun = time.monotonic()
    result = "failed"
    try:
        response = _ask(identity, endpoint, url, timeout=timeout)
        result = "ok"
        if response.status > 300:
            refusal = _refusal(response)
            result = str(refusal["Error"]["Code"])
            raise refused(
                "GetAuthorizationToken", refusal, where=str(endpoint), names=names_of(identity)
            )
    except RegistryError as exc:
        result = exc.code if result == "failed" else result
        raise
    finally:
        tell(
            "cloud.answered",
            provider="aws",
            operation=f"{service_of(endpoint)}:GetAuthorizationToken",
            host=url.netloc,
            result=shown(result),
            ms=since(begun),
        )
    return credential(json_object(response.body), endpoint)


def _ask(identity: Identity, endpoint: Endpoint, url: Url, *, timeout: float) -> Response:
    service = service_of(endpoint)
    body = b"{}"
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": _TARGETS[service]}
    signed = _signed(identity, str(url), headers, body, service=service, region=endpoint.region)
    try:
        with Transport() as transport:
            return transport.request("POST", str(url), headers=signed, body=body, timeout=timeout)
    except RegistryError as exc:
        raise reworded(exc) from None


def _signed(
    identity: Identity,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    service: str,
    region: str,
) -> Mapping[str, str]:
    """
    Return *headers* and AWS's signature of them, of *url* and of *body*.
    """
    with import_lock:
        from botocore.auth import SigV4Auth  # 30 ms
        from botocore.awsrequest import AWSRequest

    request = AWSRequest(method="POST", url=url, headers=headers, data=body)
    SigV4Auth(_Keys(identity), service, region).add_auth(request)
    return dict(request.headers)


class _Keys:
    """
    A key pair, as botocore's signer reads it: its own class imports providers of credentials.
    """

    def __init__(self, identity: Identity) -> None:
        assert identity.key is not None
        self.access_key = identity.key_id
        self.secret_key = identity.key.reveal()
        self.token = identity.session_token.reveal() if identity.session_token else None


def _refusal(response: Response) -> dict[str, Any]:
    """
    Return a refusal as botocore would parse it.

    https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization
    """
    body = json_object(response.body)
    code = body.get("__type")
    if not isinstance(code, str):
        code = str(response.status)  # nor does botocore know another
    return {
        "Error": {
            "Code": code.partition(":")[0].rpartition("#")[2],
            "Message": body.get("message", body.get("Message", "")),
        },
        "ResponseMetadata": {
            "HTTPStatusCode": response.status,
            "HTTPHeaders": {name.lower(): value for name, value in response.headers},
        },
    }


def credential(answer: Any, endpoint: Endpoint) -> Credential:
    """
    Return the password in *answer*, the parsed body, which may be of any shape.
    """
    try:
        entry = answer["authorizationData"]
        # A list at ECR, an object at ECR Public.
        entry = entry[0] if isinstance(entry, list) else entry
        token = base64.b64decode(entry["authorizationToken"], validate=True).decode()
        username, colon, password = token.partition(":")
        expires_at = _seconds(entry["expiresAt"])
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError):
        username = colon = password = ""
        expires_at = 0.0
    if not (username and colon and password):
        # Raised here, without a cause that may quote the token.
        raise causes.NO_TOKEN.error(endpoint=endpoint)
    # proxyEndpoint is ignored: it always names the IPv4 host.
    return Credential(
        username=username, secret=Secret(password), issued_at=time.time(), expires_at=expires_at
    )


def _seconds(moment: Any) -> float:
    """
    Return *moment*, which is a time of the SDK or, in an answer's body, Unix seconds or a date.
    """
    if not hasattr(moment, "timestamp"):
        from botocore.utils import parse_timestamp

        moment = parse_timestamp(moment)
    return float(moment.timestamp())


def service_of(endpoint: Endpoint) -> str:
    return "ecr-public" if endpoint.public else "ecr"
