# SPDX-License-Identifier: MIT
"""
AWS on loopback: moto answers, and a front of our own refuses as AWS does.

moto takes any key for a good one.  The front knows which keys there are, checks each request's
signature with botocore, answers what a test has scripted, and hands the rest to moto.  It changes
one thing of moto's answers: ECR's tokens live for 12 hours, where moto's ended in 2015.
Whose a made-up key is, it tells moto; a key that moto gave out, moto knows.
ecr-public, which moto does not have, is played by the front.
"""

from __future__ import annotations

import base64
import collections
import http.client
import json
import os
import re
import sys
import threading
import time
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from .processes import Background

_LIFE = 12 * 3600  # seconds
_SIGNED = re.compile(
    r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request, *SignedHeaders=([^,]+), *Signature=(\w+)"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    An error as AWS gives it.
    """

    code: str
    message: str
    status: int = 400


# Codes: https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
# The texts are AWS's own, as its users' bug reports have them.
DENIED = Fault(
    "AccessDeniedException",
    "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: "
    "ecr:GetAuthorizationToken on resource: * because no identity-based policy allows the "
    "ecr:GetAuthorizationToken action",
)
UNRECOGNIZED = Fault(
    "UnrecognizedClientException", "The security token included in the request is invalid."
)
WRONG_SECRET = Fault(
    "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your "
    "AWS Secret Access Key and signing method. Consult the service documentation for details.",
)
SKEWED = Fault(
    "InvalidSignatureException",
    "Signature expired: 20261124T080000Z is now earlier than 20261124T090500Z "
    "(20261124T091000Z - 5 min.)",
)
EXPIRED = Fault("ExpiredTokenException", "The security token included in the request is expired")
INVALID_WEB_TOKEN = Fault("InvalidIdentityToken", "No OpenIDConnect provider found in your account")
THROTTLED = Fault("ThrottlingException", "Rate exceeded")
BROKEN = Fault("ServerException", "A server-side issue occurred", 500)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """
    One call, as it was signed.

    Attributes:
        action: `GetAuthorizationToken`, `AssumeRole`, ...
        service: `ecr`, `ecr-public`, `sts`: the name in the signature.
        region: Likewise.
        key_id: Whose it was; None: not signed.
        session: Whether a session token came with it.
        error: The code it was answered with, or None.
    """

    action: str
    service: str
    region: str
    key_id: str | None
    session: bool
    error: str | None


class Aws:
    """
    moto and its front.

    Attributes:
        endpoint: For AWS_ENDPOINT_URL.
        keys: Key id to secret key and account; a test adds its own.
        web_tokens: The web identity tokens that are known.
        trust: Checks other ones: takes the call's form, returns a `Fault` or None.
        calls: What was asked, in order.
    """

    def __init__(self, folder):
        self.keys = {}
        self.web_tokens = set()
        self.trust = None
        self.calls = []
        self._given = set()  # key ids from moto
        self._scripts = collections.defaultdict(collections.deque)
        self._always = {}
        self._lock = threading.Lock()
        program = os.path.join(os.path.dirname(__file__), "moto_process.py")
        self._moto = Background(
            [sys.executable, program],
            log=os.path.join(str(folder), "moto.log"),
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        )
        try:
            self.moto_port = int(self._moto.wait_for(r"listening on port (\d+)", seconds=60)[1])
        except RuntimeError:
            self._moto.stop()
            raise
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.aws = self
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def add_key(self, key_id, secret_key, *, account):
        """
        Let *key_id* be a key of *account*.
        """
        self.keys[key_id] = (secret_key, account)

    def make_key(self, *, account):
        """
        A new user's key, made by moto in *account*: key id and secret key.
        """
        import boto3

        aws = {"endpoint_url": f"http://127.0.0.1:{self.moto_port}", "region_name": "us-east-1"}
        anybody = {"aws_access_key_id": "AKIA0000000000000000", "aws_secret_access_key": "x"}
        # moto lets anybody be any role.
        role = f"arn:aws:iam::{account}:role/admin"
        given = boto3.client("sts", **aws, **anybody).assume_role(
            RoleArn=role, RoleSessionName="tests"
        )["Credentials"]
        iam = boto3.client(
            "iam",
            **aws,
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
        user = f"user-{uuid.uuid4()}"
        iam.create_user(UserName=user)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        self.keys[key["AccessKeyId"]] = (key["SecretAccessKey"], account)
        self._given.add(key["AccessKeyId"])
        return key["AccessKeyId"], key["SecretAccessKey"]

    def script(self, key_id, *faults):
        """
        Answer the next calls of *key_id* with *faults*, one each, and those after as usual.
        """
        self._scripts[key_id].extend(faults)

    def always(self, key_id, fault):
        """
        Answer every call of *key_id* with *fault*.
        """
        self._always[key_id] = fault

    def forget(self):
        """
        Forget keys, scripts and calls, for the next test.
        """
        with self._lock:
            for container in (
                self.keys,
                self.web_tokens,
                self.calls,
                self._given,
                self._scripts,
                self._always,
            ):
                container.clear()
            self.trust = None

    def password(self, account):
        """
        What ECR's token for *account* holds as the password of the user AWS.
        """
        return f"{account}-auth-token"

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._moto.stop()

    def answer(self, request, body):
        """
        Status, content type and body for one request, which is recorded.
        """
        signed = _SIGNED.search(request.headers.get("Authorization", ""))
        key_id, region, service = signed.groups()[:3] if signed else (None, "", "")
        target = request.headers.get("X-Amz-Target", "")
        form = parse_qs(body.decode("utf-8", "replace"))
        action = target.partition(".")[2] or form.get("Action", [""])[0]
        web_token = form.get("WebIdentityToken", [None])[0]
        if action == "AssumeRoleWithWebIdentity":
            # The one call that is not signed: the token is who asks.
            fault = None if web_token in self.web_tokens else INVALID_WEB_TOKEN
            if fault is not None and self.trust is not None:
                fault = self.trust({name: values[0] for name, values in form.items()})
        else:
            fault = self._fault(request, body, signed)
        record = Call(
            action=action,
            service=service,
            region=region,
            key_id=key_id,
            session="X-Amz-Security-Token" in request.headers,
            error=fault and fault.code,
        )
        with self._lock:
            self.calls.append(record)
        if fault:
            return _refusal(fault, json_protocol=bool(target))
        if service == "ecr-public":
            return _public_token(self.password(self.keys[key_id][1]))
        return self._ask_moto(request, body, action, key_id)

    def _fault(self, request, body, signed):
        key_id = signed and signed[1]
        if key_id in self._always:
            return self._always[key_id]
        with self._lock:
            if self._scripts[key_id]:
                return self._scripts[key_id].popleft()
        if key_id not in self.keys:
            return UNRECOGNIZED
        if signed[5] != self._signature(request, body, signed):
            return WRONG_SECRET
        return None

    def _signature(self, request, body, signed):
        """
        What the signature is if it was made with the secret key that belongs to the key id.
        """
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        key_id, region, service, names, _ = signed.groups()
        headers = {name: request.headers[name] for name in names.split(";")}
        again = AWSRequest(
            method=request.command, url=self.endpoint + request.path, data=body, headers=headers
        )
        again.context["timestamp"] = request.headers["X-Amz-Date"]
        signer = SigV4Auth(Credentials(key_id, self.keys[key_id][0]), service, region)
        text = signer.string_to_sign(again, signer.canonical_request(again))
        return signer.signature(text, again)

    def _ask_moto(self, request, body, action, key_id):
        connection = http.client.HTTPConnection("127.0.0.1", self.moto_port, timeout=20)
        try:
            headers = dict(request.headers)
            if key_id in self.keys and key_id not in self._given:
                headers["x-moto-account-id"] = self.keys[key_id][1]
            connection.request(request.command, request.path, body, headers)
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        if response.status == 200 and action == "GetAuthorizationToken":
            document = json.loads(content)
            for entry in document["authorizationData"]:
                entry["expiresAt"] = time.time() + _LIFE
            content = json.dumps(document).encode()
        if response.status == 200 and action.startswith("AssumeRole"):
            self._remember_session(content.decode(), body.decode())
        return response.status, response.headers.get("Content-Type", ""), content

    def _remember_session(self, answer, question):
        account = parse_qs(question)["RoleArn"][0].split(":")[4]
        key_id = re.search(r"<AccessKeyId>(.*?)<", answer)[1]
        self.keys[key_id] = (re.search(r"<SecretAccessKey>(.*?)<", answer)[1], account)
        self._given.add(key_id)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds; an idle connection must not outlive the tests

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, kind, content = self.server.aws.answer(self, body)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("x-amzn-RequestId", "00000000-0000-0000-0000-000000000000")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


def _refusal(fault, *, json_protocol):
    if json_protocol:
        body = json.dumps({"__type": fault.code, "message": fault.message})
        return fault.status, "application/x-amz-json-1.1", body.encode()
    # STS has its own names for the same.
    code = {
        "UnrecognizedClientException": "InvalidClientTokenId",
        "InvalidSignatureException": "SignatureDoesNotMatch",
        "AccessDeniedException": "AccessDenied",
        "ExpiredTokenException": "ExpiredToken",
        "ThrottlingException": "Throttling",
    }.get(fault.code, fault.code)
    body = (
        '<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error>'
        f"<Type>Sender</Type><Code>{code}</Code><Message>{fault.message}</Message></Error>"
        "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return 403 if fault.status == 400 else fault.status, "text/xml", body.encode()


def _public_token(password):
    token = base64.b64encode(f"AWS:{password}".encode()).decode()
    data = {"authorizationToken": token, "expiresAt": time.time() + _LIFE}
    body = json.dumps({"authorizationData": data}).encode()
    return 200, "application/x-amz-json-1.1", body
