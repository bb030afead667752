# SPDX-License-Identifier: MIT
"""
Plays AWS on loopback, for what moto does not have: errors on demand, ECR Public, single sign-on,
web identities, container and instance metadata.

The SDK finds it through its own settings (`PlayedAws.environ`), and is not patched.
"""

from __future__ import annotations

import base64
import json
import re
import time
from dataclasses import dataclass
from urllib.parse import parse_qs

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
        answers: By action: what to answer in place of success, once each.
    """

    def __init__(self):
        self.calls, self.answers = [], {}
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
