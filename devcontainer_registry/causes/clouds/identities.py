# SPDX-License-Identifier: MIT
"""
Causes in ID tokens, before a cloud is asked.

`{token}` is the variable or the issuer of the token.
"""

from __future__ import annotations

from ...errors import (
    AuthenticationError,
    DiscoveryError,
    RegistryError,
    TransientError,
)
from ..cause import Cause, Fix, Reason

# A set that cannot be right.

TWO_IDENTITIES = Cause(
    "identity-ambiguous",
    DiscoveryError,
    "{one} and {other} are both set",
    "unset one of them",
)
INCOMPLETE = Cause(
    "identity-incomplete",
    DiscoveryError,
    "{one} is set, but {missing} is not",
    "set {missing} to {what}",
)
ROLE = Reason("what", "the ARN of the role to assume")
TENANT = Reason("what", "the id or domain of the Entra ID tenant")
CLIENT_ID = Reason("what", "the client id of the Entra ID application")
PROVIDER = Reason("what", "the full resource name of the workload identity provider")
NOT_TAKEN = Cause(
    "identity-not-supported",
    DiscoveryError,
    "{host} does not take ID tokens, but {one} is set",
    "unset it",
)
ECR_BY_KIND = Fix(
    "identity-not-supported",
    "where the host may be a cloud's",
    "unset it; for ECR under another name, set {kind} to ecr",
)

# A token that cannot be right.

MALFORMED = Cause(
    "id-token-malformed",
    DiscoveryError,
    "{token} is not a JSON Web Token (JWT)",
    "set {token} to the whole token: three parts with dots in between",
)
IS_A_PATH = Fix("id-token-malformed", "where it is a path", "rename the variable to {token}_FILE")
EXPIRED = Cause(
    "id-token-expired",
    DiscoveryError,
    "the ID token in {token} expired {ago} ago",
    "get a new token: run the CI job again, or check what renews the token's file",
)
MISSING = Cause(
    "id-token-missing",
    DiscoveryError,
    "{source} names an identity, but there is no ID token for it here",
    "set {token} or {token}_FILE",
)
ALLOW_GITHUB = Fix(
    "id-token-missing",
    "in GitHub Actions",
    "add permissions: id-token: write to the workflow's job",
)

# GitHub Actions, which issues one on request.

GITHUB = Reason("token", "the ID token of GitHub Actions")
GITHUBS_ADDRESS = Cause(
    "github-id-token-url",
    DiscoveryError,
    "ACTIONS_ID_TOKEN_REQUEST_URL is not an https URL; nothing was sent",
    "unset it, or run the command in a GitHub Actions job",
)
GITHUBS_TOKEN = Cause(
    "github-id-token-url",
    DiscoveryError,
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN is not a token; nothing was sent",
    "unset it, or run the command in a GitHub Actions job",
)
GITHUBS_REFUSAL = Cause(
    "github-id-token-refused",
    AuthenticationError,
    "{host} did not issue an ID token (status {status})",
    "add permissions: id-token: write to the workflow's job; the permission ends with the job",
)
GITHUB_BUSY = Cause(
    "github-id-token-busy",
    TransientError,
    "{host} is busy and did not issue an ID token (status {status})",
    "try again later",
)
GITHUBS_ANSWER = Cause(
    "github-id-token-none",
    RegistryError,
    "{host} sent no ID token",
    "check ACTIONS_ID_TOKEN_REQUEST_URL, and look for a proxy or sign-in page in between",
)

# What a message cannot show of a token.

NO_CLAIM = Reason("audience", "(none)")
ODD_CLAIM = Reason("audience", "(not printable)")
