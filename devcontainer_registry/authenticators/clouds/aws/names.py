# SPDX-License-Identifier: MIT
"""
Identities, endpoints and variable names for questions to AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ....causes.clouds.aws import REGION_MISSING
from ....credentials import Secret
from ....identities.hosts import ecr_host, is_ecr_public
from ....identities.tokens import shown
from ....naming import variable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ....credentials import RegistrySecret
    from ....identities.tokens import IdToken

# Placeholder in an error for the prefix of a set's variables.
SET = "{set}"

_SETS_ROLE = "the role in {set}_ROLE_ARN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    An AWS identity: a key, a profile or the SDK's default chain, and optionally a role; or a role
    and an ID token, its own or one requested for *audience*.
    """

    key_id: str | None = field(default=None, repr=False)
    key: Secret | None = None
    session_token: Secret | None = None
    profile: str | None = field(default=None, repr=False)
    role_arn: str | None = field(default=None, repr=False)
    id_token: IdToken | None = None
    audience: str | None = field(default=None, repr=False)

    @property
    def wants_token(self) -> bool:
        """
        Whether it is one of an ID token, whatever else the SDK would find.
        """
        return self.id_token is not None or self.audience is not None

    @property
    def may_use_token(self) -> bool:
        """
        Whether it may be one of an ID token, where the SDK finds nothing.
        """
        return self.role_arn is not None and self.profile is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    An AWS endpoint.

    Attributes:
        region: Region of the registry.
        public: Whether it is ECR Public's.
        fips: Whether it must use validated cryptography.
        dual: Whether it must also have an IPv6 address.
    """

    region: str
    public: bool = False
    fips: bool = False
    dual: bool = False

    def __str__(self) -> str:
        """
        The endpoint as shown in messages.
        """
        return "ECR Public" if self.public else f"ECR in {self.region}"


_PUBLIC_REGION = "us-east-1"  # the only one of ECR Public that answers


def endpoint_of(secret: RegistrySecret) -> Endpoint:
    """
    Return the endpoint that issues passwords for the registry of *secret*.

    Raises:
        DiscoveryError: The region is in neither the host nor the set.
    """
    if is_ecr_public(secret.registry):
        return Endpoint(
            region=_PUBLIC_REGION, public=True, dual=secret.registry == "ecr-public.aws.com"
        )
    found = ecr_host(secret.registry)
    if found is not None:
        # The host's region wins over _REGION: a token is valid in its region only.
        parts = found.groupdict()
        return Endpoint(
            region=found["region"],
            fips=parts.get("fips") is not None,
            dual=parts.get("dual") is not None,
        )
    if secret.region is None:
        region = variable(secret.id, "REGION")
        raise REGION_MISSING.error(host=secret.registry, region=region)
    return Endpoint(region=secret.region.lower())


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """
    Words for one identity in messages.  `{set}` in them is the set's prefix.

    Attributes:
        key: Variable or place of its access key id.
        secret: Variable or place of its secret access key.
        token: Variable or place of its session token.
        owner: The principal that needs a policy.
        profile: Variable that names its profile.
        role: Variable that names the role to assume.
        web: The words of its ID token, if it is one.
    """

    key: str = "{set}_USER"
    secret: str = "{set}_PASSWORD"  # noqa: S105  (a variable's name)
    token: str = "{set}_SESSION_TOKEN"  # noqa: S105  (a variable's name)
    owner: str = "the owner of {set}_USER"
    profile: str = "{set}_PROFILE"
    role: str = _SETS_ROLE
    web: Mapping[str, str] | None = None

    @property
    def facts(self) -> dict[str, Any]:
        """
        Return the words by name, to fill a cause; `{set}` stays.
        """
        words = {name: getattr(self, name) for name in self.__slots__ if name != "web"}
        return {"set": SET, **words, **(self.web or {})}


def names_of(identity: Identity, method: str | None = None) -> Names:
    """
    Return the words for *identity*, which the SDK found by *method* (botocore's name).
    """
    if identity.key_id is not None:
        return Names()
    profile = "{set}_PROFILE" if identity.profile else "AWS_PROFILE"
    at, owner = _METHODS.get(method or "", ("of the credentials that AWS's SDK found", _OWNER))
    if method == "env":
        return Names(
            key="AWS_ACCESS_KEY_ID",
            secret="AWS_SECRET_ACCESS_KEY",  # noqa: S106  (a variable's name)
            token="AWS_SESSION_TOKEN",  # noqa: S106  (a variable's name)
            owner="the owner of AWS_ACCESS_KEY_ID",
            profile=profile,
            role=_SETS_ROLE if identity.role_arn else "the role in AWS_ROLE_ARN",
        )
    return Names(
        key=f"the access key id {at}",
        secret=f"the secret access key {at}",
        token=f"the session token {at}",
        owner=owner,
        profile=profile,
        role=_SETS_ROLE if identity.role_arn else f"the role of {profile} or AWS_ROLE_ARN",
    )


# Not "the role in": by then it has been assumed, and what fails is its own permissions.
def names_of_role() -> Names:
    """
    Return the words for a role that was assumed for the set.
    """
    at = "of the role in {set}_ROLE_ARN"
    return Names(
        key=f"the access key id {at}",
        secret=f"the secret access key {at}",
        token=f"the session token {at}",
        owner=_SETS_ROLE,
    )


def names_of_token(token: IdToken, *, expected: str) -> Names:
    """
    Return the words for the ID *token*, whose audience is *expected* to be that.
    """
    return Names(web={**token.words, "expected": shown(expected)})


_OWNER = "the owner of the credentials"
_FILE = "in ~/.aws/credentials or ~/.aws/config"

# The methods of botocore's providers:
# https://github.com/boto/botocore/blob/1.35.0/botocore/credentials.py (METHOD)
_METHODS = {
    "shared-credentials-file": (_FILE, "the owner of the access key in ~/.aws"),
    "config-file": (_FILE, "the owner of the access key in ~/.aws"),
    "assume-role": ("of the profile's role", "the profile's role"),
    "assume-role-with-web-identity": ("of the web identity's role", "the web identity's role"),
    "sso": ("of the single sign-on profile", "the role of the single sign-on profile"),
    "login": ("of aws login", "the user who ran aws login"),
    "custom-process": (
        "that credential_process printed",
        "the identity of the credential_process",
    ),
    "container-role": ("of the container's role", "the container's role"),
    "iam-role": ("of the instance's role", "the instance's role"),
}
