# SPDX-License-Identifier: MIT
"""
The AWS identity of a set, checked before AWS is asked.
"""

from __future__ import annotations

import re

from ....causes.clouds import aws as causes
from ....identities import github, named, source, tokens
from ....naming import prefix, variable
from .names import SET, Identity

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ....credentials import RegistrySecret

_KEY_ID = r"A(?:KIA|SIA)[A-Z0-9]{16}"
_ROLE_ARN = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]{1,576}"


def identity_of(secret: RegistrySecret) -> Identity | None:
    """
    Return the AWS identity of a set; None if the set holds a token already.

    Raises:
        DiscoveryError: It is invalid; no request was sent.
    """
    trouble = named.problem(secret, "ecr")
    if trouble is not None:
        raise trouble
    has_key = secret.username is not None and secret.secret is not None
    if secret.profile is not None and has_key:
        raise causes.IDENTITY_AMBIGUOUS.error(set=prefix(secret.id))
    if has_key and secret.username == "AWS":
        return None
    if has_key:
        _check_key(secret)
    elif secret.session_token is not None:
        raise causes.TOKEN_WITHOUT_KEY.error(set=prefix(secret.id))
    if secret.role_arn is not None and not re.fullmatch(_ROLE_ARN, secret.role_arn):
        raise causes.ROLE_INVALID.error(set=prefix(secret.id))
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
    if re.fullmatch(_KEY_ID, password) and not re.fullmatch(_KEY_ID, username):
        # The secret key would be sent to AWS as a key id, in clear text.
        raise causes.KEY_SWAPPED.error(set=prefix(secret.id))
    for member, text in (("USER", username), ("SESSION_TOKEN", token)):
        # They become part of a header, and http.client quotes invalid headers in its error.
        if not text.isascii() or not text.isprintable() or " " in text:
            raise causes.KEY_MALFORMED.error(set=prefix(secret.id), member=member)
    if not password.isascii():
        raise causes.KEY_MALFORMED.error(set=prefix(secret.id), member="PASSWORD")
    if username.startswith("ASIA") and not token:
        raise causes.SESSION_TOKEN_MISSING.error(
            set=prefix(secret.id), token=variable(secret.id, "SESSION_TOKEN")
        )
