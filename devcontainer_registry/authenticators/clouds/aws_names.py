# SPDX-License-Identifier: MIT
"""
Identities, endpoints and variable names for questions to AWS.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ...credentials import Secret

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

# Stands in an error for the prefix of a set's variables, until it is known whose the error is.
SET = "{set}"

_SETS_ROLE = "the role in {set}_ROLE_ARN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """
    As whom AWS is asked: a key, a profile, or what AWS's SDK finds by itself; then a role.
    """

    key_id: str | None = field(default=None, repr=False)
    key: Secret | None = None
    session_token: Secret | None = None
    profile: str | None = field(default=None, repr=False)
    role_arn: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """
    Which of AWS's endpoints is asked.

    Attributes:
        region: Of the registry.
        public: Whether it is ECR Public's.
        fips: Whether it has to be one with validated cryptography.
        dual: Whether it has to have an IPv6 address, too.
    """

    region: str
    public: bool = False
    fips: bool = False
    dual: bool = False

    def __str__(self) -> str:
        """
        As messages have it.
        """
        return "ECR Public" if self.public else f"ECR in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """
    The words for one identity.  `{set}` in them is the set's prefix.

    Attributes:
        key: Where its access key id stands.
        secret: Where its secret access key stands.
        token: Where its session token stands.
        owner: Whom a policy has to allow something.
        profile: The variable that names its profile.
        role: The role that is assumed on the way.
    """

    key: str = "{set}_USER"
    secret: str = "{set}_PASSWORD"  # noqa: S105  (a variable's name)
    token: str = "{set}_SESSION_TOKEN"  # noqa: S105  (a variable's name)
    owner: str = "the owner of {set}_USER"
    profile: str = "{set}_PROFILE"
    role: str = _SETS_ROLE

    @property
    def facts(self) -> dict[str, Any]:
        """
        The words by their names, for a cause, and `{set}` as it is.
        """
        return {"set": SET, **{name: getattr(self, name) for name in self.__slots__}}


def names_of(identity: Identity, method: str | None = None) -> Names:
    """
    The words for *identity*, where the SDK found it by *method*, in its own words for that.
    """
    if identity.key_id is not None:
        return Names()
    profile = "{set}_PROFILE" if identity.profile else "AWS_PROFILE"
    at, owner = _METHODS.get(method or "", ("of the credentials that AWS's SDK found", _WHOEVER))
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
    The words for a role that has been assumed on the set's behalf.
    """
    at = "of the role in {set}_ROLE_ARN"
    return Names(
        key=f"the access key id {at}",
        secret=f"the secret access key {at}",
        token=f"the session token {at}",
        owner=_SETS_ROLE,
    )


_WHOEVER = "whom the credentials belong to"
_FILE = "in ~/.aws/credentials or ~/.aws/config"

# The methods of botocore's providers:
# https://github.com/boto/botocore/blob/1.35.0/botocore/credentials.py (METHOD)
_METHODS = {
    "shared-credentials-file": (_FILE, "the owner of the access key in ~/.aws"),
    "config-file": (_FILE, "the owner of the access key in ~/.aws"),
    "assume-role": ("of the profile's role", "the profile's role"),
    "assume-role-with-web-identity": ("of the web identity's role", "the web identity's role"),
    "sso": ("of the single sign-on profile", "the role of the single sign-on profile"),
    "login": ("of aws login", "whoever ran aws login"),
    "custom-process": (
        "that credential_process printed",
        "whom the credential_process speaks for",
    ),
    "container-role": ("of the container's role", "the container's role"),
    "iam-role": ("of the instance's role", "the instance's role"),
}
