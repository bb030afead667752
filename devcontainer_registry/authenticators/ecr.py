# SPDX-License-Identifier: MIT
"""
Amazon ECR: an AWS identity becomes a 12-hour password.
"""

from __future__ import annotations

import base64
import json
import math
import time

from ..causes.clouds import aws as causes
from ..credentials import Credential
from ..errors import RegistryError, TransientError
from ..identities.hosts import is_ecr, is_ecr_public
from ..naming import prefix
from .clouds.aws.answers import Answers

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..registry import Registry
    from .clouds.aws.sdk import Aws

_LIFE = 12 * 3600  # seconds, of every token
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html


class EcrAuthenticator:
    """
    Authenticator of Amazon ECR: exchanges an AWS identity for a registry password.

    Sets with the same identity and region share one call: a token is valid for every registry that
    its identity may read.  With the user name AWS, the password is passed on.
    """

    # Without USER and PASSWORD, AWS's SDK finds an identity.
    ambient = True

    def __init__(self) -> None:
        self._answers = Answers()
        self._aws: Aws | None = None

    def matches(self, registry: Registry) -> bool:
        """
        The private registries of every partition, by their FIPS and dual-stack names too, and
        ECR Public.
        """
        return is_ecr(registry)

    def exchanges(self, secret: RegistrySecret) -> bool:
        """
        Return whether AWS is asked: not if the set already holds a token.
        """
        return secret.username != "AWS"

    def authenticate(self, secret: RegistrySecret, *, timeout: float) -> Credential:
        """
        Return a registry password from `GetAuthorizationToken`, valid for 12 hours.

        Raises:
            DiscoveryError: The region or identity is missing, ambiguous or invalid.
            AuthenticationError: AWS refused the identity.
            UnreachableError: AWS or the identity provider cannot be reached.
        """
        from .clouds.aws.identity import identity_of  # only for sets of ECR, and so is `Aws`
        from .clouds.aws.names import endpoint_of

        end = time.monotonic() + timeout
        identity = identity_of(secret)
        if identity is None:
            return _given(secret)
        endpoint = endpoint_of(secret)
        answer = self._answers.get(
            (identity, endpoint),
            lambda left: self._sdk().password(identity, endpoint, timeout=left),
            end=end,
        )
        if isinstance(answer, RegistryError):
            raise _for_set(answer, secret)
        return answer

    def explain(self, secret: RegistrySecret, error: RegistryError) -> str:
        """
        Return the fix for a refusal by the registry itself.
        """
        match error.code:
            case "token-expired":
                fix = causes.ECR_TOKEN_EXPIRED
            case "pull-denied":
                fix = causes.ECR_PULL_DENIED
            case "rejected" if secret.username == "AWS":
                fix = causes.ECR_PASSWORD_REFUSED
            case "rejected":
                fix = causes.ECR_TOKEN_REFUSED
            case _:
                return ""
        return fix.say(set=prefix(secret.id), command=_command(secret))

    def _sdk(self) -> Aws:
        from .clouds.aws.sdk import Aws

        if self._aws is None:
            self._aws = Aws()
        return self._aws


def _given(secret: RegistrySecret) -> Credential:
    """
    Return the output of `aws ecr get-login-password` as a credential, with its expiry.

    The password is base64 of a JSON object whose `expiration` is in Unix seconds.
    """
    assert secret.secret is not None
    expires_at = None
    try:
        claims = json.loads(base64.b64decode(secret.secret.reveal(), validate=True))
        expiration = float(claims["expiration"])
        # Python's JSON has NaN and Infinity, and the value may be in milliseconds.
        expires_at = expiration if math.isfinite(expiration) and 0 < expiration < 1e11 else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        pass  # another password, for the registry to check
    return Credential(
        username="AWS",
        secret=secret.secret,
        issued_at=expires_at - _LIFE if expires_at is not None else None,
        expires_at=expires_at,
    )


def _for_set(error: RegistryError, secret: RegistrySecret) -> RegistryError:
    """
    Return a copy of *error* that names the variables of *secret*.
    """
    from .clouds.aws.names import SET

    message, hint = (text.replace(SET, prefix(secret.id)) for text in (error.message, error.hint))
    copy = type(error)(message, hint=hint, code=error.code)
    if isinstance(error, TransientError) and isinstance(copy, TransientError):
        copy.retry_after = error.retry_after
    return copy


def _command(secret: RegistrySecret) -> str:
    """
    Return the command that prints a password for the registry of *secret*.
    """
    # ECR Public is another service, in one region, with tokens of its own:
    # https://docs.aws.amazon.com/AmazonECR/latest/public/public-registry-auth.html
    if is_ecr_public(secret.registry):
        return "aws ecr-public get-login-password --region us-east-1"
    return "aws ecr get-login-password"
