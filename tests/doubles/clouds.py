# SPDX-License-Identifier: MIT
"""
Plays AWS on loopback, for what moto does not have: errors on demand, ECR Public, single sign-on,
web identities, container and instance metadata.

The SDK finds it through its own settings (`PlayedAws.environ`), and is not patched.
"""

from __future__ import annotations

import base64
import functools
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from doubles.internet import JSON, Internet, errors

from devcontainer_registry.errors import (
    AuthenticationError,
    DiscoveryError,
    ThrottledError,
    TransientError,
)
from devcontainer_registry.testing.loopback import LoopbackServer

KEY_ID, KEY = "AKIA0000000000000001", "s3cretAccessKeyThatNobodyMaySee"
ROLE = "arn:aws:iam::222222222222:role/pull"

_SIGNED = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
_EXPIRES = "2099-01-01T00:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Call:
    """
    One call; *key_id* and *region* as it was signed.
    """

    action: str
    key_id: str | None = None
    region: str | None = None


class PlayedAws:
    """
    Attributes:
        calls: What was asked, in order.
        forms: The fields of each call of STS.
        answers: By action: what to answer in place of success, once each.
    """

    def __init__(self):
        self.calls, self.forms, self.answers = [], [], {}
        self._server = LoopbackServer(self._answer)

    def __enter__(self):
        self._server.__enter__()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self.environ = {"AWS_ENDPOINT_URL": self.endpoint, "NO_PROXY": "127.0.0.1"}
        return self

    def __exit__(self, *problem):
        self._server.__exit__(*problem)

    @property
    def actions(self):
        return [call.action for call in self.calls]

    def refuse(self, action, code, message="", *, status=400, headers=None):
        """
        Answer the next call of *action* with an error as AWS writes it.
        """
        if action.startswith("AssumeRole"):
            text = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            body = f"<ErrorResponse>{text}<RequestId>1</RequestId></ErrorResponse>"
            answer = status, {"Content-Type": "text/xml", **(headers or {})}, body.encode()
        else:
            answer = as_json({"__type": code, "message": message}, status, headers)
        self.answers.setdefault(action, []).append(answer)

    def _answer(self, _method, target, headers, body):
        action = _action(target, headers, body)
        signed = _SIGNED.search(headers.get("Authorization", ""))
        self.calls.append(
            Call(action=action, key_id=signed and signed[1], region=signed and signed[2])
        )
        if action.startswith("AssumeRole"):
            self.forms.append(_form(body))
        if self.answers.get(action):
            return self.answers[action].pop(0)
        if action == "GetAuthorizationToken":
            public = signed[3] == "ecr-public"
            entry = {"authorizationToken": token(signed[1]), "expiresAt": time.time() + 43200}
            return as_json({"authorizationData": entry if public else [entry]})
        if action.startswith("AssumeRole"):
            return 200, {"Content-Type": "text/xml"}, _assumed(action).encode()
        if action == "GetRoleCredentials":
            return as_json({"roleCredentials": _sso_keys()})
        if action == "metadata token":
            return 200, {"X-aws-ec2-metadata-token-ttl-seconds": "21600"}, b"metadata-token"
        if action == "metadata role":
            return 200, {}, b"the-instances-role"
        if action in ("metadata", "container"):
            return as_json(_metadata_keys(action))
        return 404, {}, b""


def token(owner):
    return base64.b64encode(f"AWS:token-of-{owner}".encode()).decode()


def as_json(document, status=200, headers=None):
    body = json.dumps(document).encode()
    return status, {"Content-Type": "application/x-amz-json-1.1", **(headers or {})}, body


def _action(target, headers, body):
    path = target.partition("?")[0]
    known = {
        "/latest/api/token": "metadata token",
        "/latest/meta-data/iam/security-credentials/": "metadata role",
        "/latest/meta-data/iam/security-credentials/the-instances-role": "metadata",
        "/container": "container",
        "/federation/credentials": "GetRoleCredentials",
    }
    named = headers.get("X-Amz-Target", "").partition(".")[2]
    return known.get(path) or named or parse_qs(body.decode()).get("Action", [path])[0]


def _assumed(action):
    given = "".join(
        f"<{name}>{value}</{name}>"
        for name, value in (
            ("AccessKeyId", f"ASIA{action.upper()[-16:]:0<16}"),
            ("SecretAccessKey", "roles-secret"),
            ("SessionToken", "roles-token"),
            ("Expiration", _EXPIRES),
        )
    )
    inner = (
        f"<Credentials>{given}</Credentials><AssumedRoleUser><Arn>{ROLE}</Arn></AssumedRoleUser>"
    )
    return f"<{action}Response><{action}Result>{inner}</{action}Result></{action}Response>"


def _metadata_keys(who):
    return {
        "Code": "Success",
        "AccessKeyId": f"ASIA{who.upper():0<16}",
        "SecretAccessKey": "metadata-secret",
        "Token": "metadata-session",
        "Expiration": _EXPIRES,
    }


def _sso_keys():
    return {
        "accessKeyId": "ASIASSO0000000000000",
        "secretAccessKey": "sso-secret",
        "sessionToken": "sso-token",
        "expiration": 4102444800000,
    }


# Plays Entra ID and one registry of Azure's, as far as a login goes.
#
# Sign-in: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
# Exchange: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md

TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
CLIENT_ID = "6b2d1d92-0000-4000-8000-121127bec509"
LIFE = 3 * 3600
CHALLENGED = "authentication required, visit https://aka.ms/acr/authorization for more information."

# A service principal in the environment, as azure-identity reads it.
PRINCIPAL = {
    "AZURE_CLIENT_ID": CLIENT_ID,
    "AZURE_TENANT_ID": TENANT,
    "AZURE_CLIENT_SECRET": "C4nary~that.n0body-may-see",
}


def jwt(**claims):
    parts = ({"alg": "RS256", "typ": "JWT"}, claims, {"signature": "made up"})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )


def aadsts(code, said="of the tests", error="invalid_client"):
    """
    How the token endpoint refuses.
    """
    text = (
        f"AADSTS{code}: {said} Trace ID: 8eea681d-0000-4000-8000-d61225177f00 Correlation ID: "
        "d0f0de73-0000-4000-8000-83e71da1f7a4 Timestamp: 2026-11-24 01:01:11Z"
    )
    body = {"error": error, "error_description": text, "error_codes": [int(code)]}
    return (401 if error == "invalid_client" else 400), JSON, json.dumps(body).encode()


class Azure(Internet):
    """
    An `Internet` with Entra ID at *authority* and *registry*, whose only user is who has a token.

    Args:
        registry: Its host.
        authority: Who signs in.
        signing_in: What answers there instead of a token; a function of the form, or an answer.
        exchanging: What the registry answers to an exchange instead of a refresh token.
        more: Other hosts.

    Attributes:
        forms: What was posted: (path, form), in order.
        configuring: What Entra ID answers for the tenant's configuration, instead of that.
        pulled: Whether the manifest was asked for with a token that may.
        requests: All that was asked: (host, path), in order.
    """

    def __init__(
        self,
        *,
        registry="example.azurecr.io",
        authority="login.microsoftonline.com",
        signing_in=None,
        exchanging=None,
        more=None,
        untrusted=(),
    ):
        self.registry, self.authority = registry, authority
        self.expires = int(time.time()) + LIFE
        self.access_token = jwt(tid=TENANT, aud="the registries")
        self.refresh_token = jwt(grant_type="refresh_token", exp=self.expires)
        self._signing_in, self._exchanging = signing_in, exchanging
        self.forms, self.pulled, self.configuring = [], False, None
        self.requests = []
        hosts = {registry: self._registry, authority: self._sign_in, **(more or {})}
        noted = {host: functools.partial(self._note, host, hosts[host]) for host in hosts}
        super().__init__(noted, untrusted=untrusted)

    def _note(self, host, answer, *request):
        self.requests.append((host, urlsplit(request[1]).path))
        return answer(*request)

    def posted(self, path):
        """
        The forms that were posted to *path*.
        """
        return [form for where, form in self.forms if where == path]

    def _sign_in(self, method, target, _headers, body):
        path = urlsplit(target).path
        if method == "GET" and self.configuring is not None and "openid" in path:
            return self.configuring
        if method == "GET":
            return 200, JSON, json.dumps(self._configuration(path)).encode()
        form = _form(body)
        self.forms.append((path, form))
        refused = self._signing_in
        refused = refused(form) if callable(refused) else refused
        return refused or (200, JSON, json.dumps(self.granted()).encode())

    def _configuration(self, path):
        root = f"https://{self.authority}"
        if path == "/common/discovery/instance":
            return {"tenant_discovery_endpoint": f"{root}/{TENANT}/v2.0", "metadata": []}
        tenant = path.split("/")[1]
        return {
            "issuer": f"{root}/{tenant}/v2.0",
            "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
        }

    def granted(self, **more):
        """
        The token endpoint's answer.
        """
        return {
            "token_type": "Bearer",
            "expires_in": 3599,
            "access_token": self.access_token,
            **more,
        }

    def _registry(self, method, target, headers, body):
        path = urlsplit(target).path
        if method == "POST":
            form = _form(body)
            self.forms.append((path, form))
            return self._token(path, form)
        scheme, _, proof = headers.get("Authorization", "").partition(" ")
        if path == "/oauth2/token":
            pair = f"00000000-0000-0000-0000-000000000000:{self.refresh_token}"
            right = (scheme, proof) == ("Basic", base64.b64encode(pair.encode()).decode())
            return (
                _json(access_token="access") if right else errors(401, "UNAUTHORIZED", CHALLENGED)
            )
        if (scheme, proof) == ("Bearer", "access"):
            self.pulled = self.pulled or "/manifests/" in path
            return _json(repositories=["team/app"])
        status, more, content = errors(401, "UNAUTHORIZED", CHALLENGED)
        challenge = f'Bearer realm="https://{self.registry}/oauth2/token",service="{self.registry}"'
        if path != "/v2/":
            challenge += ',scope="registry:catalog:*"'
        return status, {**more, "WWW-Authenticate": challenge}, content

    def _token(self, path, form):
        if form.get("service") != self.registry:
            return errors(400, "UNSUPPORTED", "service")
        if path == "/oauth2/exchange" and form.get("grant_type") == "access_token":
            if self._exchanging is not None:
                return self._exchanging
            if form.get("access_token") == self.access_token:
                return _json(refresh_token=self.refresh_token)
        elif path == "/oauth2/token" and form.get("refresh_token") == self.refresh_token:
            return _json(access_token="access")
        return errors(401, "UNAUTHORIZED", CHALLENGED)


def _form(body):
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}


def _json(**content):
    return 200, JSON, json.dumps(content).encode()


# What AWS refuses, in its own words, and what the user reads then: class, code, line and hint.
#
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html

ECR, STS, SSO = "GetAuthorizationToken", "AssumeRole", "GetRoleCredentials"
WEB = "AssumeRoleWithWebIdentity"

USER, PASSWORD = "E_CONTAINER_REGISTRY_USER", "E_CONTAINER_REGISTRY_PASSWORD"
TOKEN = "E_CONTAINER_REGISTRY_SESSION_TOKEN"
SERVER, ROLE_ARN = "E_CONTAINER_REGISTRY_SERVER", "E_CONTAINER_REGISTRY_ROLE_ARN"

PROFILE = "E_CONTAINER_REGISTRY_PROFILE"

MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method."
)
BUSY = "try again later"
_BOTH = (
    "allow ecr-public:GetAuthorizationToken and sts:GetServiceBearerToken on * for the owner of "
    f"{USER}"
)
DENIED = "User: arn:aws:iam::1:user/dev is not authorized to perform: {} on resource: * {}"


def denied(action, why="because no identity-based policy allows it"):
    return DENIED.format(action, why)


# Call, code and text of AWS; then class, code, line and hint.
REFUSALS = [
    (
        (
            ECR,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        ),
        AuthenticationError,
        "aws-key-unknown",
        "ECR in eu-west-1 does not know the access key id",
        f"check that {USER} exists, is active, and belongs to the AWS partition of {SERVER}",
    ),
    (
        (ECR, "InvalidSignatureException", MISMATCH),
        AuthenticationError,
        "aws-key-mismatch",
        "ECR in eu-west-1 says that the secret access key is wrong",
        f"check {PASSWORD} for white space and missing characters",
    ),
    (
        (
            ECR,
            "InvalidSignatureException",
            "Signature expired: 20261124T0800Z is now earlier than 2",
        ),
        AuthenticationError,
        "clock-skew",
        "ECR in eu-west-1 says that this machine's clock is wrong",
        "correct this machine's clock",
    ),
    (
        (ECR, "ExpiredTokenException", "The security token included in the request is expired"),
        AuthenticationError,
        "aws-token-expired",
        "ECR in eu-west-1 says that the session token expired",
        (f"renew {USER}, {PASSWORD} and {TOKEN}, or use a long-lived key or a role"),
    ),
    (
        (ECR, "AccessDeniedException", denied("ecr:GetAuthorizationToken")),
        AuthenticationError,
        "aws-denied",
        "ECR in eu-west-1 denied ecr:GetAuthorizationToken",
        f"allow ecr:GetAuthorizationToken on * for the owner of {USER}",
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied(
                "ecr:GetAuthorizationToken", "with an explicit deny in a service control policy"
            ),
        ),
        AuthenticationError,
        "aws-denied",
        (
            "ECR in eu-west-1 denied ecr:GetAuthorizationToken: a service control policy of "
            "the AWS organisation forbids it"
        ),
        (
            "ask the owner of that policy to allow ecr:GetAuthorizationToken for the owner "
            f"of {USER}"
        ),
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied("ecr:GetAuthorizationToken", "because no permissions boundary allows it"),
        ),
        AuthenticationError,
        "aws-denied",
        ("ECR in eu-west-1 denied ecr:GetAuthorizationToken: a permissions boundary forbids it"),
        (
            "ask the owner of that policy to allow ecr:GetAuthorizationToken for the owner "
            f"of {USER}"
        ),
    ),
    (
        (
            ECR,
            "AccessDeniedException",
            denied(
                "ecr:GetAuthorizationToken", "with an explicit deny in an identity-based policy"
            ),
        ),
        AuthenticationError,
        "aws-denied",
        (
            "ECR in eu-west-1 denied ecr:GetAuthorizationToken: an explicit deny in a policy "
            "forbids it"
        ),
        (
            "ask the owner of that policy to allow ecr:GetAuthorizationToken for the owner "
            f"of {USER}"
        ),
    ),
    (
        (ECR, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        AuthenticationError,
        "aws-unsigned",
        "ECR in eu-west-1 received the request without its signature",
        "look for a proxy that strips the Authorization header",
    ),
    (
        (ECR, "IncompleteSignature", "Credential must have exactly 5 slash-delimited elements"),
        AuthenticationError,
        "aws-signature-incomplete",
        "ECR in eu-west-1 could not read the signature",
        f"check {USER} for characters that an access key id cannot have",
    ),
    (
        (ECR, "OptInRequired", "The AWS Access Key Id needs a subscription for the service"),
        AuthenticationError,
        "aws-region-disabled",
        "ECR in eu-west-1 says that this region is not enabled for the account",
        f"enable the region for the account, or correct {SERVER}",
    ),
    (
        (ECR, "SubscriptionRequiredException", "The AWS Access Key Id needs a subscription"),
        AuthenticationError,
        "aws-not-subscribed",
        "ECR in eu-west-1 says that the account is not subscribed to this service",
        "complete the account's registration with AWS, including payment",
    ),
    (
        (ECR, "ThrottlingException", "Rate exceeded"),
        ThrottledError,
        "busy",
        "ECR in eu-west-1 is throttling the account's requests",
        BUSY,
    ),
    (
        (ECR, "ServerException", "oops", 500),
        TransientError,
        "busy",
        "ECR in eu-west-1 has an internal error",
        f"{BUSY}",
    ),
    (
        (ECR, "InvalidParameterException", "no"),
        AuthenticationError,
        "aws-refused",
        "ECR in eu-west-1 refused: InvalidParameterException",
        "look up this code in the AWS list of common errors",
    ),
    (
        (ECR, "<b>s3cret</b>", "no"),
        AuthenticationError,
        "aws-refused",
        "ECR in eu-west-1 refused: an unknown code",
        "look up this code in the AWS list of common errors",
    ),
    (
        (STS, "AccessDenied", denied("sts:AssumeRole")),
        AuthenticationError,
        "aws-role-denied",
        "AWS STS denied sts:AssumeRole",
        (
            f"allow sts:AssumeRole on the role in {ROLE_ARN} for the owner of {USER}, in its "
            "policy and in the role's trust policy"
        ),
    ),
    (
        (STS, "InvalidClientTokenId", "The security token included in the request is invalid."),
        AuthenticationError,
        "aws-key-unknown",
        "AWS STS does not know the access key id",
        f"check that {USER} exists, is active, and belongs to the AWS partition of {SERVER}",
    ),
    (
        (STS, "SignatureDoesNotMatch", MISMATCH),
        AuthenticationError,
        "aws-key-mismatch",
        "AWS STS says that the secret access key is wrong",
        f"check {PASSWORD} for white space and missing characters",
    ),
    (
        (STS, "SignatureDoesNotMatch", "Signature not yet current: 20261124T0800Z is still later"),
        AuthenticationError,
        "clock-skew",
        "AWS STS says that this machine's clock is wrong",
        "correct this machine's clock",
    ),
    (
        (STS, "ExpiredToken", "The security token included in the request is expired"),
        AuthenticationError,
        "aws-token-expired",
        "AWS STS says that the session token expired",
        (f"renew {USER}, {PASSWORD} and {TOKEN}, or use a long-lived key or a role"),
    ),
    (
        (STS, "ValidationError", f"{ROLE} is invalid"),
        AuthenticationError,
        "aws-role-invalid",
        "AWS STS says that this is not a role",
        "write it as arn:aws:iam::ACCOUNT:role/NAME",
    ),
    (
        (STS, "RegionDisabledException", "STS is not activated in this region"),
        AuthenticationError,
        "aws-sts-disabled",
        "AWS STS is not active in this region for the account",
        "activate STS for this region in the account's IAM settings",
    ),
    (
        (STS, "Throttling", "Rate exceeded"),
        ThrottledError,
        "busy",
        "AWS STS is throttling the account's requests",
        BUSY,
    ),
    (
        (STS, "InternalFailure", "oops", 500),
        TransientError,
        "busy",
        "AWS STS has an internal error",
        f"{BUSY}",
    ),
]

# The same of ECR Public.
PUBLIC_REFUSALS = [
    (
        (ECR, "AccessDeniedException", denied("ecr-public:GetAuthorizationToken")),
        AuthenticationError,
        "aws-denied",
        "ECR Public denied ecr-public:GetAuthorizationToken",
        _BOTH,
    ),
    (
        (ECR, "AccessDeniedException", denied("sts:GetServiceBearerToken")),
        AuthenticationError,
        "aws-denied",
        "ECR Public denied sts:GetServiceBearerToken",
        _BOTH,
    ),
    (
        (ECR, "UnsupportedCommandException", "no"),
        AuthenticationError,
        "aws-not-offered",
        "ECR Public offers no logins in this region",
        f"correct {SERVER}; ECR Public has one host, public.ecr.aws",
    ),
]

# Of a web identity, which the environment names.
WEB_REFUSALS = [
    (
        (WEB, "AccessDenied", denied("sts:AssumeRoleWithWebIdentity"), 403),
        AuthenticationError,
        "aws-web-identity-denied",
        "AWS STS denied sts:AssumeRoleWithWebIdentity",
        (
            "allow the token's issuer, audience and subject in the trust policy of the role of "
            "AWS_PROFILE or AWS_ROLE_ARN"
        ),
    ),
    (
        (WEB, "ExpiredTokenException", "Token expired"),
        AuthenticationError,
        "aws-web-identity-expired",
        "AWS STS says that the web identity token expired",
        "renew the token file that AWS_WEB_IDENTITY_TOKEN_FILE or the profile names",
    ),
    (
        (WEB, "InvalidIdentityToken", "No OpenIDConnect provider found in your account"),
        AuthenticationError,
        "aws-web-identity-invalid",
        "AWS STS rejected the web identity token",
        "add the token's issuer to the account's identity providers in IAM",
    ),
    (
        (WEB, "IDPRejectedClaim", "no", 403),
        AuthenticationError,
        "aws-web-identity-rejected",
        "AWS STS says that the identity provider rejected the web identity token",
        "get a new token from the identity provider",
    ),
]

# Of a single sign-on, whose profile the set names.
SSO_REFUSALS = [
    (
        (SSO, "UnauthorizedException", "Session token not found or invalid", 401),
        DiscoveryError,
        "aws-sso-expired",
        f"the single sign-on session of {PROFILE} expired",
        "run aws sso login with that profile in this container",
    ),
    (
        (SSO, "ForbiddenException", "No access", 403),
        AuthenticationError,
        "aws-sso-denied",
        "IAM Identity Center does not give this user that account and role",
        ("check the profile's sso_account_id and sso_role_name, and the user's assignments"),
    ),
    (
        (SSO, "ResourceNotFoundException", "no", 404),
        AuthenticationError,
        "aws-sso-unknown-role",
        "IAM Identity Center does not know that account or role",
        "check the profile's sso_account_id and sso_role_name",
    ),
]

# AWS's other names for a cause that is above by its first one.
OTHER_NAMES = {
    "AccessDenied": "AccessDeniedException",
    "ExpiredToken": "ExpiredTokenException",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidClientTokenId": "UnrecognizedClientException",
    "MissingAuthenticationToken": "MissingAuthenticationTokenException",
    "SignatureDoesNotMatch": "InvalidSignatureException",
    "SubscriptionRequired": "SubscriptionRequiredException",
    "RequestExpired": "clock",
    "RequestTimeTooSkewed": "clock",
    **dict.fromkeys(
        (
            "LimitExceededException",
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "TooManyRequestsException",
        ),
        "ThrottlingException",
    ),
    **dict.fromkeys(
        (
            "IDPCommunicationError",
            "InternalFailure",
            "RequestTimeout",
            "RequestTimeoutException",
            "ServiceUnavailable",
        ),
        "ServerException",
    ),
}
