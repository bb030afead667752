# SPDX-License-Identifier: MIT
"""
Plays Entra ID and one registry of Azure's, as far as a login goes.

Sign-in: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
Exchange: https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md
"""

from __future__ import annotations

import base64
import json
import time
from urllib.parse import parse_qs, urlsplit

from internet import Internet
from played import JSON, errors

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
        hosts = {registry: self._registry, authority: self._sign_in, **(more or {})}
        super().__init__(hosts, untrusted=untrusted)

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
