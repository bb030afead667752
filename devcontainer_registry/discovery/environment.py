# SPDX-License-Identifier: MIT
"""
Sources of variables: the process, secrets files and `*_FILE`.

Three layers, in order of precedence; what the variables mean is not known here.

1. the environment of the process;
2. the secrets file of the devcontainer CLI, JSON with comments;
3. the file in which Codespaces keeps its secrets, since shells that come in by ssh miss them:
   https://github.com/microsoft/vscode-dev-containers/issues/1261
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field

from ..errors import DiscoveryError
from ..files import read_regular
from ..naming import CODESPACES_SECRETS, is_codespaces
from .jsonc import plain_json

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

SECRETS_FILE_VARIABLE = "DEVCONTAINER_REGISTRY_SECRETS_FILE"

# Bytes.  A Google key is 2.4 KB; Codespaces allows 100 secrets of 48 KB, in base64.
_VALUE_MAX = 64 * 1024
_LAYER_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """
    What one variable says.

    Attributes:
        variable: The one that was read: the name itself, or its `_FILE` form.
        text: Its value, or its file's content less one line ending.
        from_file: Whether *text* is a file's content.
    """

    variable: str
    text: str = field(repr=False)
    from_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    Variables that have one origin.

    Attributes:
        label: "" for the process, "secrets file", or ".env-secrets".
        variables: By name.
        unusable: Names whose value is no text, each with a predicate that says why.
    """

    label: str
    variables: Mapping[str, str] = field(repr=False)
    unusable: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> frozenset[str]:
        """
        Of everything in it, usable or not.
        """
        return frozenset((*self.variables, *self.unusable))

    def named(self, names: str) -> str:
        """
        *names* with where they were found, for a person: `ACR_… (secrets file)`.
        """
        return f"{names} ({self.label})" if self.label else names

    def value(self, name: str) -> Value | DiscoveryError | None:
        """
        What *name*, or otherwise *name*`_FILE`, says; None where neither is set.

        The `_FILE` form is the convention of Docker's and Kubernetes' secrets.  An empty *name*
        does not hide it.
        """
        direct = self._direct(name)
        if isinstance(direct, DiscoveryError) or (direct is not None and direct.text):
            return direct
        file = self._direct(f"{name}_FILE")
        if isinstance(file, Value) and file.text:
            return _content(file)
        return file if direct is None or isinstance(file, DiscoveryError) else direct

    def _direct(self, name: str) -> Value | DiscoveryError | None:
        if name in self.unusable:
            return DiscoveryError(
                self.named(f"{name} {self.unusable[name]}"),
                hint=f"write the value of {name} in quotes"
                if self.label == "secrets file"
                else f"set {name} anew",
                code="invalid-member",
            )
        text = self.variables.get(name)
        return None if text is None else Value(variable=name, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """
    All layers, the first winning, and what went wrong while they were read.

    Attributes:
        layers: The first is the process's, and always there.
        secrets_file_error: Why the secrets file that was named cannot be used.
        codespaces_error: Why Codespaces' file, which is there, cannot be used.
    """

    layers: tuple[Layer, ...]
    secrets_file_error: DiscoveryError | None = None
    codespaces_error: DiscoveryError | None = None

    @property
    def in_codespaces(self) -> bool:
        """
        Whether this is a GitHub codespace.
        """
        return is_codespaces(self.layers[0].variables)

    def first(self, name: str) -> tuple[Layer, str] | None:
        """
        The first layer in which *name* is not empty, and its text there; no `_FILE` form.
        """
        for layer in self.layers:
            text = layer.variables.get(name, "")
            if text.strip():
                return layer, text
        return None


def read(
    environ: Mapping[str, str],
    *,
    secrets_file: str | None = None,
    codespaces_file: str = CODESPACES_SECRETS,
) -> Environment:
    """
    Read every layer; what cannot be read is a value of the answer, not an exception.

    Args:
        environ: The process's variables.
        secrets_file: Path of the devcontainer CLI's `--secrets-file`; None: the one that
            `DEVCONTAINER_REGISTRY_SECRETS_FILE` in *environ* names, if any.
        codespaces_file: Read where it exists; nobody has to name it.
    """
    process = dict(environ)
    layers = [Layer(label="", variables=process)]
    origin = "the secrets file"
    if secrets_file is None:
        secrets_file = process.get(SECRETS_FILE_VARIABLE)
        origin = f"the file that {SECRETS_FILE_VARIABLE} names"
    secrets_file_error = codespaces_error = None
    if secrets_file:
        found = _read_layer(secrets_file, "secrets file", origin)
        if isinstance(found, Layer):
            layers.append(found)
        else:
            secrets_file_error = found
    if os.path.exists(codespaces_file):
        found = _read_layer(codespaces_file, ".env-secrets", "Codespaces' own .env-secrets")
        if isinstance(found, Layer):
            layers.append(found)
        else:
            codespaces_error = found
    return Environment(
        layers=tuple(layers),
        secrets_file_error=secrets_file_error,
        codespaces_error=codespaces_error,
    )


def _content(file: Value) -> Value | DiscoveryError:
    try:
        text = read_regular(file.text, limit=_VALUE_MAX)[0].decode("utf-8-sig")
    except (OSError, ValueError) as exc:
        # The variable, not the path: what stands there by mistake may be the secret itself.
        return DiscoveryError(
            f"the file that {file.variable} names cannot be used: {_reason(exc)}",
            hint=f"let {file.variable} name a readable text file",
            code="unreadable-file",
        )
    text = text.removesuffix("\n").removesuffix("\r")
    return Value(variable=file.variable, text=text, from_file=True)


def _read_layer(path: str, label: str, origin: str) -> Layer | DiscoveryError:
    try:
        content, _ = read_regular(path, limit=_LAYER_MAX)
        variables, unusable = (_from_json if label == "secrets file" else _from_lines)(content)
    except (OSError, ValueError, RecursionError) as exc:
        return DiscoveryError(
            f"{origin} cannot be used: {_reason(exc)}",
            hint='make it a JSON object of strings: {"NAME": "value"}'
            if isinstance(exc, (ValueError, RecursionError))
            else "name a file that exists and can be read",
            code="secrets-file",
        )
    return Layer(label=label, variables=variables, unusable=unusable)


def _reason(exc: OSError | ValueError | RecursionError) -> str:
    # Never the exception's own text, which quotes the path or the content.
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    if isinstance(exc, json.JSONDecodeError):
        return f"not JSON, at line {exc.lineno}"
    if isinstance(exc, UnicodeDecodeError):
        return "not UTF-8"
    if isinstance(exc, _NotAnObjectError):
        return "not a JSON object"
    if isinstance(exc, RecursionError):
        return "nested too deeply"
    return "not a path, or not JSON"


class _NotAnObjectError(ValueError):
    pass


def _from_json(content: bytes) -> tuple[dict[str, str], dict[str, str]]:
    document = json.loads(plain_json(content.decode("utf-8-sig")))
    if not isinstance(document, dict):
        raise _NotAnObjectError
    variables = {name: text for name, text in document.items() if isinstance(text, str)}
    return variables, {name: "is not a string" for name in document if name not in variables}


def _from_lines(content: bytes) -> tuple[dict[str, str], dict[str, str]]:
    variables, unusable = {}, {}
    for line in content.splitlines():
        name, equals, encoded = line.partition(b"=")
        if not equals or not name.isascii():
            continue
        key = name.decode().strip()
        try:
            variables[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:
            # Without the cause: a decoder's message quotes what it decodes.
            unusable[key] = "is not base64 of a text"
    return variables, unusable
