# SPDX-License-Identifier: MIT
"""
Secrets as a Kubernetes API server keeps them: create, get, and server-side apply with its owners.

https://kubernetes.io/docs/reference/using-api/server-side-apply/
"""

from __future__ import annotations

import base64
import json

from . import kube_fields

_TYPE = "kubernetes.io/dockerconfigjson"


class Refusal(Exception):  # noqa: N818  (an answer, not a fault)
    """
    A `Status` with an error.
    """

    def __init__(self, status, reason, message, **details):
        super().__init__(message)
        self.status, self.reason, self.details = status, reason, details

    def document(self):
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": self.reason,
            "details": self.details,
            "code": self.status,
        }


class Secrets:
    """
    Namespace and name to a stored Secret.
    """

    def __init__(self):
        self.stored = {}

    def get(self, namespace, name):
        if (namespace, name) not in self.stored:
            message = f'secrets "{name}" not found'
            raise Refusal(404, "NotFound", message, name=name, kind="secrets")
        return self.stored[namespace, name]

    def delete(self, namespace, name):
        self.get(namespace, name)
        del self.stored[namespace, name]

    def create(self, namespace, document, manager):
        name = document["metadata"]["name"]
        if (namespace, name) in self.stored:
            message = f'secrets "{name}" already exists'
            raise Refusal(409, "AlreadyExists", message, name=name, kind="secrets")
        owners = {(manager, "Update"): kube_fields.leaves(document)}
        return self._store(namespace, name, document, owners)

    def apply(self, namespace, name, wanted, manager, *, force):
        """
        Let *manager* own the fields of *wanted*, with those values.
        """
        if not manager:
            message = "fieldManager: Required value: is required for apply patch"
            raise Refusal(422, "Invalid", f'PatchOptions.meta.k8s.io "" is invalid: {message}')
        applier, leaves = (manager, "Apply"), kube_fields.leaves(wanted)
        before = self.stored.get((namespace, name))
        if before is None:
            return self._store(namespace, name, wanted, {applier: leaves})
        owners, have = kube_fields.owners(before), kube_fields.leaves(before)
        conflicts = [
            (owner, path)
            for owner, paths in sorted(owners.items())
            for path in sorted(paths & leaves.keys())
            if owner != applier and have.get(path) != leaves[path]
        ]
        if conflicts and not force:
            raise _conflict(conflicts)
        for owner, path in conflicts:
            owners[owner].discard(path)
        # A field that it applied before, and does not now, goes, unless somebody else owns it too.
        others = {path for owner, paths in owners.items() if owner != applier for path in paths}
        gone = owners.get(applier, set()) - leaves.keys() - others
        owners[applier] = set(leaves)
        merged = {path: value for path, value in have.items() if path not in gone} | leaves
        return self._store(namespace, name, kube_fields.tree(merged), owners)

    def _store(self, namespace, name, document, owners):
        before = self.stored.get((namespace, name))
        if before is not None and before["type"] != document["type"]:
            message = f'Secret "{name}" is invalid: type: Invalid value: field is immutable'
            raise Refusal(422, "Invalid", message)
        if document["type"] == _TYPE:
            _check_config(name, document.get("data", {}))
        version = int(before["metadata"]["resourceVersion"]) if before else 0
        self.stored[namespace, name] = {
            **document,
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                **document.get("metadata", {}),
                "name": name,
                "namespace": namespace,
                "resourceVersion": f"{version + 1}",
                "managedFields": kube_fields.entries(owners),
            },
        }
        return self.stored[namespace, name]


def _check_config(name, data):
    try:
        json.loads(base64.b64decode(data[".dockerconfigjson"], validate=True))
    except (KeyError, ValueError):
        message = f'Secret "{name}" is invalid: data[.dockerconfigjson]: Invalid value'
        raise Refusal(422, "Invalid", message) from None


def _conflict(conflicts):
    causes = [
        {
            "reason": "FieldManagerConflict",
            # An update is printed with its version, an apply without.
            "message": f'conflict with "{manager}"' + " using v1" * (operation == "Update"),
            "field": "".join(f".{part}" for part in path),
        }
        for (manager, operation), path in conflicts
    ]
    lines = [f"{cause['message']}: {cause['field']}" for cause in causes]
    message = f"1 conflict: {lines[0]}"
    if len(lines) > 1:
        message = "\n- ".join([f"{len(lines)} conflicts:", *lines])
    return Refusal(409, "Conflict", f"Apply failed with {message}", causes=causes)
