# SPDX-License-Identifier: MIT
"""
Amazon's ECR: an access key becomes a registry password that lives 12 hours.
"""

from __future__ import annotations

import base64
import json
import os
import re
import time

from ..credentials import Credential, Secret
from ..errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
    UnreachableError,
)

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

    from ..credentials import RegistrySecret
    from ..registry import Registry

_ACCOUNT = r"(?P<account>[0-9]{12})"
_REGION = r"(?P<region>[a-z]{2,4}(?:-[a-z]+){1,3}-[0-9]{1,2})"

# Every partition, each name with the suffixes that exist for it.
# https://docs.aws.amazon.com/general/latest/gr/ecr.html
# https://github.com/awslabs/amazon-ecr-credential-helper/blob/v0.9.0/ecr-login/api/client.go
_HOSTS = (
    re.compile(
        rf"{_ACCOUNT}\.dkr\.ecr(?P<fips>-fips)?\.{_REGION}\."
        r"(?:amazonaws\.com|amazonaws\.com\.cn|amazonaws\.eu"
        r"|c2s\.ic\.gov|sc2s\.sgov\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
    ),
    re.compile(
        rf"{_ACCOUNT}\.dkr-ecr(?P<fips>-fips)?\.{_REGION}\."
        r"(?P<dual>on\.aws|on\.amazonwebservices\.com\.cn)"
    ),
)

# What AWS refuses, and what to do: `{set}` is the set's prefix.  The texts name no principal.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
_UNKNOWN_KEY = (
    "does not know the access key id",
    "check that {set}_USER is an access key id that exists and belongs to this host's partition",
)
_BAD_SIGNATURE = (
    "says that the secret access key does not fit the access key id",
    "check {set}_PASSWORD, also for white space, and that {set}_USER and _PASSWORD are not swapped",
)
_EXPIRED = (
    "says that the session token has expired",
    "set {set}_USER, _PASSWORD and _SESSION_TOKEN anew; a secret that lasts needs a long-lived key",
)
_DENIED = (
    "denied the action ecr:GetAuthorizationToken",
    "allow ecr:GetAuthorizationToken on * for the owner of {set}_USER",
)
_REFUSALS = {
    "UnrecognizedClientException": _UNKNOWN_KEY,
    "InvalidClientTokenId": _UNKNOWN_KEY,
    "InvalidSignatureException": _BAD_SIGNATURE,
    "SignatureDoesNotMatch": _BAD_SIGNATURE,
    "ExpiredTokenException": _EXPIRED,
    "ExpiredToken": _EXPIRED,
    "AccessDeniedException": _DENIED,
    "AccessDenied": _DENIED,
    "MissingAuthenticationToken": (
        "got the request without its signature",
        "look for a proxy that strips the Authorization header",
    ),
    "IncompleteSignature": (
        "could not read the signature",
        "check {set}_USER for characters that don't belong into an access key id",
    ),
    "OptInRequired": ("says that the account has not enabled this region", "enable the region"),
    "SubscriptionRequiredException": (
        "says that the account has not enabled this service",
        "finish the account's registration with AWS",
    ),
}
_REFUSALS["MissingAuthenticationTokenException"] = _REFUSALS["MissingAuthenticationToken"]
_REFUSALS["IncompleteSignatureException"] = _REFUSALS["IncompleteSignature"]
_CLOCK = re.compile(r"Signature (?:expired|not yet current)", re.IGNORECASE)

# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html, and the throttling
# codes of botocore/retries/standard.py at 1.35.
_TRANSIENT = frozenset(
    {
        "InternalFailure",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServerException",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class EcrAuthenticator:
    """
    Exchanges AWS credentials for a registry password; the user name AWS is passed on as it is.
    """

    def matches(self, registry: Registry) -> bool:
        """
        The private registries of every partition, with their FIPS and dual-stack names.
        """
        return _host(registry) is not None

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Whether AWS is asked: not where the user did that already.
        """
        return secret.username != "AWS"

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        The registry's password for 12 hours, from `GetAuthorizationToken`.

        Raises:
            DiscoveryError: No region, or a temporary key without its session token.
        """
        if secret.username is None or secret.secret is None:
            raise DiscoveryError(
                f"{secret.source} has no access key for {secret.registry}",
                hint=f"set {_set(secret)}_USER to an access key id and _PASSWORD to its secret key",
            )
        if not self.exchanges(secret):
            return _given(secret)
        if secret.username.startswith("ASIA") and secret.session_token is None:
            raise DiscoveryError(
                f"{_set(secret)}_USER is a temporary access key, which works only with its session "
                "token",
                hint=f"set {_set(secret)}_SESSION_TOKEN, or use a long-lived key (AKIA…)",
                code="session-token-missing",
            )
        answer = _ask(secret, region=_region(secret), timeout=timeout)
        try:
            token = base64.b64decode(answer["authorizationToken"], validate=True).decode()
            username, colon, password = token.partition(":")
            expires_at = answer["expiresAt"].timestamp()
        except (KeyError, ValueError, AttributeError):
            # Without the cause: it may quote the token.
            msg = f"the endpoint of ECR for {secret.registry} gave no token"
            raise RegistryError(msg, hint="check AWS_ENDPOINT_URL", code="not-a-registry") from None
        if not colon:
            msg = f"the endpoint of ECR for {secret.registry} gave no token"
            raise RegistryError(msg, hint="check AWS_ENDPOINT_URL", code="not-a-registry")
        return Credential(
            username=username,
            secret=Secret(password),
            issued_at=time.time(),
            expires_at=expires_at,
        )

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        What the registry's own refusals mean, once AWS has given a token.
        """
        match error.code:
            case "token-expired":
                return (
                    f"set {_set(secret)}_PASSWORD anew from aws ecr get-login-password; it lives "
                    "12 hours"
                )
            case "pull-denied":
                return (
                    "allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer and "
                    "ecr:BatchCheckLayerAvailability on the repository"
                )
            case "rejected" if secret.username == "AWS":
                return f"set {_set(secret)}_PASSWORD to the output of aws ecr get-login-password"
            case _:
                return ""


def _host(registry: str) -> re.Match[str] | None:
    for pattern in _HOSTS:
        if (found := pattern.fullmatch(registry)) is not None:
            return found
    return None


def _region(secret: RegistrySecret) -> str:
    found = _host(secret.registry)
    region = secret.region or (found["region"] if found is not None else None)
    if region is None:
        raise DiscoveryError(
            f"{secret.registry} does not tell its AWS region",
            hint=f"set {_set(secret)}_REGION, such as eu-west-1",
            code="region-missing",
        )
    return region


def _given(secret: RegistrySecret) -> Credential:
    """
    The output of `aws ecr get-login-password` as it is, with the expiry that it holds.

    The password is base64 of a JSON object whose `expiration` is in Unix seconds.
    """
    assert secret.secret is not None
    expires_at = None
    try:
        claims = json.loads(base64.b64decode(secret.secret.reveal(), validate=True))
        expires_at = float(claims["expiration"])
    except (ValueError, KeyError, TypeError, RecursionError):
        pass  # some other password, which the registry is to judge
    return Credential(username="AWS", secret=secret.secret, expires_at=expires_at)


def _ask(secret: RegistrySecret, *, region: str, timeout: float) -> dict[str, Any]:
    client = _client(secret, region=region, timeout=timeout)
    from botocore import exceptions

    try:
        answer = client.get_authorization_token()["authorizationData"]
    except exceptions.ClientError as exc:
        # Without the cause: AWS's message names principals and accounts.
        raise _refused(secret, region, exc.response) from None
    except (exceptions.EndpointConnectionError, exceptions.ConnectTimeoutError) as exc:
        endpoint = client.meta.endpoint_url
        raise TransientError(
            f"ECR in {region} can't be reached at {endpoint}",
            hint=f"check the region in {_set(secret)}_SERVER, the network and AWS_ENDPOINT_URL",
            code="aws-unreachable",
        ) from exc
    except exceptions.SSLError:
        raise UnreachableError(
            f"the certificate of ECR in {region} is not trusted",
            hint="set AWS_CA_BUNDLE to a bundle that holds the proxy's CA",
            code="certificate-untrusted",
        ) from None
    except exceptions.HTTPClientError as exc:
        msg = f"ECR in {region} did not answer: {type(exc).__name__}"
        raise TransientError(msg, hint="try again later", code="aws-unreachable") from exc
    except exceptions.BotoCoreError as exc:
        msg = f"ECR in {region} can't be asked: {type(exc).__name__}"
        raise AuthenticationError(msg, hint="check the AWS settings", code="aws-failed") from None
    finally:
        client.close()
    return _first(answer)


def _first(answer: object) -> dict[str, Any]:
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        return answer[0]
    return {}


def _refused(secret: RegistrySecret, region: str, response: Any) -> RegistryError:
    error = response.get("Error", {})
    code = str(error.get("Code", ""))
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    where = f"ECR in {region}"
    if code in _TRANSIENT or status >= 500 or status == 429:
        msg = f"{where} is busy: {code}"
        return TransientError(msg, hint="try again later", code="busy")
    if _CLOCK.search(str(error.get("Message", ""))):
        return AuthenticationError(
            f"{where} says that the request's time is off",
            hint="set this machine's clock; AWS tolerates 5 minutes",
            code="clock-skew",
        )
    said, hint = _REFUSALS.get(
        code, (f"refused: {code}", "look the code up in AWS's common errors of ECR")
    )
    return AuthenticationError(
        f"{where} {said}", hint=hint.format(set=_set(secret)), code=_kebab(code) or "rejected"
    )


def _kebab(code: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", code.removesuffix("Exception"))
    return f"aws-{words.lower()}" if words.isascii() and words else ""


def _client(secret: RegistrySecret, *, region: str, timeout: float) -> Any:
    """
    An ECR client that tries once; how often to try is not its decision.
    """
    import boto3  # 170 ms, and only this function needs it
    from botocore.config import Config

    found = _host(secret.registry)
    wanted = found.groupdict() if found is not None else {}
    # A session of its own: boto3's default one is shared, and not for threads.
    session = boto3.session.Session(
        aws_access_key_id=secret.username,
        aws_secret_access_key=secret.secret.reveal() if secret.secret else None,
        aws_session_token=secret.session_token.reveal() if secret.session_token else None,
        region_name=region,
    )
    return session.client(
        "ecr",
        verify=_bundle(),
        config=Config(
            connect_timeout=timeout,
            read_timeout=timeout,
            retries={"total_max_attempts": 1},
            use_fips_endpoint=True if wanted.get("fips") else None,
            use_dualstack_endpoint=True if wanted.get("dual") else None,
        ),
    )


def _bundle() -> str | None:
    """
    The trust that everything else here has; botocore would bring a bundle of its own.
    """
    import ssl

    # None: botocore reads AWS_CA_BUNDLE itself, and that wins.
    if os.environ.get("AWS_CA_BUNDLE"):
        return None
    return os.environ.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile


def _set(secret: RegistrySecret) -> str:
    return f"{secret.id}_CONTAINER_REGISTRY"
