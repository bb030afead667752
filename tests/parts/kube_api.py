# SPDX-License-Identifier: MIT
"""
The part of a Kubernetes API server that a pull secret meets: TLS, tokens, discovery, RBAC, and
Secrets with server-side apply.  No real one can be started here; real clients talk to this one,
and test_kube_api.py compares it with Kubernetes' own code.

Discovery: https://kubernetes.io/docs/concepts/overview/kubernetes-api/
RBAC: https://kubernetes.io/docs/reference/access-authn-authz/rbac/
A Secret that an apply creates needs the verb `create`, besides `patch`:
https://github.com/kubernetes/kubernetes/blob/v1.34.0/staging/src/k8s.io/apiserver/pkg/endpoints/handlers/patch.go
"""

from __future__ import annotations

import base64
import json
import re
import ssl
import threading
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import yaml

from .kube_secrets import Refusal, Secrets

ADMIN = "kubernetes-admin"
_SECRETS = re.compile(r"/api/v1/namespaces/([^/]+)/secrets(?:/([^/]+))?")
_VERBS = {"GET": "get", "PATCH": "patch", "POST": "create", "DELETE": "delete"}
_APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """
    One request, as it was answered.

    Attributes:
        user: Whose token came with it, or None.
        verb: As RBAC calls it; None: not about a Secret.
        query: Each parameter's value.
        body: The document that was sent, or None.
    """

    method: str
    path: str
    user: str | None
    verb: str | None
    namespace: str | None
    name: str | None
    query: dict
    content_type: str
    body: dict | None
    status: int


class KubeApi:
    """
    A server at https://127.0.0.1, certified by *authority*.

    Attributes:
        tokens: Bearer token to user; a test adds its own.  `ADMIN` may do everything.
        rules: Documents of kind Role and RoleBinding.
        secrets: See `kube_secrets`.
        requests: What was asked, in order.
    """

    def __init__(self, authority):
        self.forget()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.issue("127.0.0.1"))
        # The handshake is each connection's own, in its thread.
        self._server.socket = context.wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.authority = authority.path
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def forget(self):
        self.tokens, self.rules, self.requests, self.secrets = {}, [], [], Secrets()

    def kubeconfig(self, token):
        """
        A kubeconfig, as text, for the user of *token*.
        """
        cluster = {"server": f"https://127.0.0.1:{self.port}"}
        cluster["certificate-authority"] = self.authority
        return json.dumps(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "it", "cluster": cluster}],
                "users": [{"name": "it", "user": {"token": token}}],
                "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
                "current-context": "it",
            }
        )

    def asked(self, user):
        """
        *user*'s requests about Secrets.
        """
        return [request for request in self.requests if request.user == user and request.verb]

    def logins(self, namespace, name):
        """
        The logins in a stored Secret: registry to `user:password`.
        """
        data = self.secrets.get(namespace, name)["data"]
        auths = json.loads(base64.b64decode(data[".dockerconfigjson"]))["auths"]
        return {
            registry: base64.b64decode(entry["auth"]).decode() for registry, entry in auths.items()
        }

    def stop(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, handler, content):
        """
        Status and document for one request, which is recorded.
        """
        address = urlsplit(handler.path)
        found = _SECRETS.fullmatch(address.path)
        namespace, name = found.groups() if found else (None, None)
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(
            method=handler.command,
            path=address.path,
            user=self.tokens.get(token),
            verb=_VERBS[handler.command] if found else None,
            namespace=namespace,
            name=name,
            query={key: values[-1] for key, values in parse_qs(address.query).items()},
            content_type=handler.headers.get("Content-Type", ""),
            body=yaml.safe_load(content) if content else None,
            status=0,
        )
        with self._lock:
            try:
                status, document = self._act(request)
            except Refusal as refusal:
                status, document = refusal.status, refusal.document()
            self.requests.append(replace(request, status=status))
        return status, document

    def _act(self, request):
        if request.user is None:
            raise Refusal(401, "Unauthorized", "Unauthorized")
        if request.verb is None:
            # Open to everybody who has a token: the ClusterRole system:discovery.
            return 200, _discovery(request.path)
        self._authorize(request, request.verb)
        namespace, name, manager = (
            request.namespace,
            request.name,
            request.query.get("fieldManager"),
        )
        if request.verb == "get":
            return 200, self.secrets.get(namespace, name)
        if request.verb == "delete":
            self.secrets.delete(namespace, name)
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        if request.verb == "create":
            return 201, self.secrets.create(namespace, request.body, manager)
        if request.content_type != _APPLY:
            self.secrets.get(namespace, name)
            raise Refusal(415, "UnsupportedMediaType", f"this server knows {_APPLY} only")
        new = (namespace, name) not in self.secrets.stored
        if new:
            self._authorize(request, "create")
        force = request.query.get("force") == "true"
        stored = self.secrets.apply(namespace, name, request.body, manager, force=force)
        return 201 if new else 200, stored

    def _authorize(self, request, verb):
        user, namespace, name = request.user, request.namespace, request.name
        if user == ADMIN or self._allows(user, verb, namespace, name):
            return
        named = f' "{name}"' if name else ""
        message = (
            f'secrets{named} is forbidden: User "{user}" cannot {verb} resource "secrets" '
            f'in API group "" in the namespace "{namespace}"'
        )
        raise Refusal(403, "Forbidden", message, name=name, kind="secrets")

    def _allows(self, user, verb, namespace, name):
        """
        Whether a Role that is bound to *user* in *namespace* has a rule for this.
        """
        here = [each for each in self.rules if each["metadata"]["namespace"] == namespace]
        bound = {
            each["roleRef"]["name"]
            for each in here
            if each["kind"] == "RoleBinding" and user in map(_user, each["subjects"])
        }
        return any(
            "" in rule["apiGroups"]
            and "secrets" in rule["resources"]
            and verb in rule["verbs"]
            and ("resourceNames" not in rule or name in rule["resourceNames"])
            for each in here
            if each["kind"] == "Role" and each["metadata"]["name"] in bound
            for rule in each["rules"]
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def _user(subject):
    return f"system:serviceaccount:{subject['namespace']}:{subject['name']}"


def _discovery(path):
    secrets = {
        "name": "secrets",
        "singularName": "secret",
        "namespaced": True,
        "kind": "Secret",
        "verbs": ["create", "delete", "get", "list", "patch", "update", "watch"],
    }
    known = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [secrets]},
    }
    if path not in known:
        raise Refusal(404, "NotFound", "the server could not find the requested resource")
    return known[path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        """
        A client that hangs up is its own matter.
        """


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10  # seconds; an idle connection must not outlive the tests

    def do_GET(self):
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, document = self.server.api.answer(self, content)
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PATCH(self):
        self.do_GET()

    def do_POST(self):
        self.do_GET()

    def do_DELETE(self):
        self.do_GET()

    def log_message(self, *_):
        pass
