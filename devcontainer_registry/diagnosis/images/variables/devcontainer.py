# SPDX-License-Identifier: MIT
"""
Variables of devcontainer.json.

https://github.com/devcontainers/cli/blob/v0.89.0/src/spec-common/variableSubstitution.ts
"""

from __future__ import annotations

import json
import os
import re

from .text import Expansion, MalformedError, Text

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

CONTAINER_ENV = "containerEnv:"

_VARIABLE = re.compile(r"\$\{(.*?)\}")
_DIGITS = "0123456789abcdefghijklmnopqrstuv"
_ID_LENGTH = 52


class Variables:
    """
    The variables of one devcontainer.json.

    Args:
        workspace: The workspace folder.
        path: Of the devcontainer.json.
        container_folder: Its `workspaceFolder`, or None.
        environ: Of this process; stands for the host's.
    """

    def __init__(
        self, workspace: str, path: str, container_folder: str | None, environ: Mapping[str, str]
    ) -> None:
        self._environ = environ
        self._labels = {
            "devcontainer.config_file": path,
            "devcontainer.local_folder": workspace,
        }
        name = os.path.basename(workspace)
        folder = container_folder or f"/workspaces/{name}"
        self._folders = {
            "localWorkspaceFolder": workspace,
            "localWorkspaceFolderBasename": name,
            "containerWorkspaceFolder": folder,
            "containerWorkspaceFolderBasename": os.path.basename(folder.rstrip("/")),
        }

    def expand(self, text: str, *, file: str = "") -> Text:
        """
        Return *text* with its variables replaced; unknown ones stay.
        """
        expansion = Expansion()

        def value(match: re.Match[str]) -> str:
            return expansion.taken(self._value(match[0], match[1], expansion))

        try:
            expansion.taken(text)
            return expansion.text(text, _VARIABLE.sub(value, text), file=file)
        except MalformedError:
            return Text(written=text, value=None, file=file)

    def _value(self, match: str, inner: str, expansion: Expansion) -> str:
        kind, *arguments = inner.split(":")
        if kind in ("localEnv", "env") and arguments:
            # A default ends at a colon, as in the reference CLI: no tag can stand in one.
            found = self._environ.get(arguments[0])
            if found is not None:
                return found
            if len(arguments) > 1:
                return arguments[1]
            expansion.unset.append(arguments[0])
            return ""
        if kind == "containerEnv" and arguments:
            expansion.unset.append(CONTAINER_ENV + arguments[0])
            return ""
        if inner == "devcontainerId":
            return devcontainer_id(self._labels)
        return self._folders.get(inner, match)


def devcontainer_id(labels: Mapping[str, str]) -> str:
    """
    Return the id of the dev container that has *labels*.

    https://containers.dev/implementors/spec/#devcontainerid
    """
    import hashlib

    text = json.dumps(dict(sorted(labels.items())), separators=(",", ":"), ensure_ascii=False)
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    number, digits = int.from_bytes(digest, "big"), ""
    while number:
        number, digit = divmod(number, 32)
        digits = _DIGITS[digit] + digits
    return digits.rjust(_ID_LENGTH, "0")
