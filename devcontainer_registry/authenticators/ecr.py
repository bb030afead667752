# SPDX-License-Identifier: MIT
"""
Amazon ECR: an AWS identity becomes a 12-hour password.
"""

from __future__ import annotations

import base64
import json
import math
import re
import time

from ..causes.clouds import aws as causes
from ..credentials import Credential
from ..errors import RegistryError, TransientError
from ..identities import github, named, source, tokens
from ..identities.hosts import is_ecr, is_ecr_public
from ..naming import INFIX
from .clouds.aws.answers import Answers
from .clouds.aws.names import SET, endpoint_of

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..credentials import RegistrySecret
    from ..registry import Registry
    from .clouds.aws.names import Identity
    from .clouds.aws.sdk import Aws

_LIFE = 12 * 3600  # seconds, of every token
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html

_KEY_ID = re.compile(r"A(?:KIA|SIA)[A-Z0-9]{16}")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}")


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
        end = time.monotonic() + timeout
        identity = _identity(secret)
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
        return fix.say(set=_set(secret), command=_command(secret))

    def _sdk(self) -> Aws:
        from .clouds.aws.sdk import Aws  # imports boto3, only for sets of ECR

        if self._aws is None:
            self._aws = Aws()
        return self._aws


def _identity(secret: RegistrySecret) -> Identity | None:
    """
    Return the AWS identity of a set; None if the set holds a token already.

    Raises:
        DiscoveryError: It is invalid; no request was sent.
    """
    from .clouds.aws.names import Identity

    trouble = named.problem(secret, "ecr")
    if trouble is not None:
        raise trouble
    has_key = secret.username is not None and secret.secret is not None
    if secret.profile is not None and has_key:
        raise causes.IDENTITY_AMBIGUOUS.error(set=_set(secret))
    if has_key and secret.username == "AWS":
        return None
    if has_key:
        _check_key(secret)
    elif secret.session_token is not None:
        raise causes.TOKEN_WITHOUT_KEY.error(set=_set(secret))
    if secret.role_arn is not None and not _ROLE_ARN.fullmatch(secret.role_arn):
        raise causes.ROLE_INVALID.error(set=_set(secret))
    token = None
    if secret.id_token is not None:
        token = tokens.read(secret.id_token, name=f"{SET}_ID_TOKEN", source="ID_TOKEN")
    elif secret.audience is not None and not github.is_here():
        raise source.missing(secret)
    return Identity(
        key_id=secret.username,
        key=secret.secret,
        session_token=secret.session_token,
        profile=secret.profile,
        role_arn=secret.role_arn,
        id_token=token,
        audience=secret.audience,
    )


def _check_key(secret: RegistrySecret) -> None:
    username, password = secret.username or "", secret.secret.reveal() if secret.secret else ""
    token = secret.session_token.reveal() if secret.session_token else ""
    if _KEY_ID.fullmatch(password) and not _KEY_ID.fullmatch(username):
        # The secret key would be sent to AWS as a key id, in clear text.
        raise causes.KEY_SWAPPED.error(set=_set(secret))
    for member, text in (("USER", username), ("SESSION_TOKEN", token)):
        # They become part of a header, and http.client quotes invalid headers in its error.
        if not text.isascii() or not text.isprintable() or " " in text:
            raise causes.KEY_MALFORMED.error(set=_set(secret), member=member)
    if not password.isascii():
        raise causes.KEY_MALFORMED.error(set=_set(secret), member="PASSWORD")
    if username.startswith("ASIA") and not token:
        raise causes.SESSION_TOKEN_MISSING.error(
            set=_set(secret), token=f"{_set(secret)}_SESSION_TOKEN"
        )


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
    message, hint = (text.replace(SET, _set(secret)) for text in (error.message, error.hint))
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


def _set(secret: RegistrySecret) -> str:
    return secret.id + INFIX.removesuffix("_")
