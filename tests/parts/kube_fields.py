# SPDX-License-Identifier: MIT
"""
The fields of a Secret, and how `managedFields` lists them.

https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management
"""

from __future__ import annotations

# What the server sets is owned by no manager.
_OF_THE_SERVER = frozenset(
    ("name", "namespace", "uid", "resourceVersion", "creationTimestamp", "managedFields")
)


def leaves(document):
    """
    The fields of a Secret: path to value.
    """
    found = {}
    for member, value in document.items():
        if member in ("data", "stringData"):
            found.update({("data", key): text for key, text in value.items()})
        elif member == "metadata":
            for part in value.keys() - _OF_THE_SERVER:
                found.update({(member, part, key): text for key, text in value[part].items()})
        elif member not in ("apiVersion", "kind"):
            found[(member,)] = value
    return found


def tree(found):
    """
    The Secret that has the fields *found*.
    """
    document = {}
    for path, value in found.items():
        place = document
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
    return document


def entries(owners):
    """
    `managedFields`, from manager and operation to the paths that it owns.
    """
    return [
        {
            "manager": manager,
            "operation": operation,
            "apiVersion": "v1",
            "fieldsType": "FieldsV1",
            "fieldsV1": tree({tuple(f"f:{part}" for part in path): {} for path in paths}),
        }
        for (manager, operation), paths in owners.items()
        if paths
    ]


def owners(document):
    """
    The reverse of `entries`, of a stored Secret.
    """
    return {
        (entry["manager"], entry["operation"]): _paths(entry["fieldsV1"])
        for entry in document["metadata"]["managedFields"]
    }


def _paths(fields, path=()):
    paths = set()
    for member, below in fields.items():
        here = (*path, member.removeprefix("f:"))
        paths |= _paths(below, here) if below else {here}
    return paths
