# SPDX-License-Identifier: MIT
"""
Sources of variables: the process, secrets files and `*_FILE`.

Three layers, in order of precedence:

1. the environment of the process;
2. the secrets file of the devcontainer CLI, JSON with comments;
3. the secrets file of Codespaces, since ssh sessions lack the variables:
   https://github.com/microsoft/vscode-dev-containers/issues/1261
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass, field

from ..causes import variables as causes
from ..errors import DiscoveryError
from ..files import read_regular
from ..naming import CODESPACES_SECRETS, SECRETS_FILE_VARIABLE, is_codespaces
from ..observer import tell
from .jsonc import plain_json

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..causes.cause import Cause, Reason

# Bytes.  A Google key is 2.4 KB; Codespaces allows 100 secrets of 48 KB, in base64.
_VALUE_MAX = 64 * 1024
_LAYER_MAX = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """
    Value of one variable.

    Attributes:
        variable: Name that was read, perhaps its `_FILE` form.
        text: Its value, or the file's content without one line ending.
        from_file: Whether *text* is a file's content.
    """

    variable: str
    text: str = field(repr=False)
    from_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """
    Variables of one source.

    Attributes:
        label: "" for the process, "secrets file", or ".env-secrets".
        variables: By name.
        unusable: Names of values that are not text, each with the reason.
    """

    label: str
    variables: Mapping[str, str] = field(repr=False)
    unusable: Mapping[str, Reason] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> frozenset[str]:
        """
        Names of all variables, usable or not.
        """
        return frozenset((*self.variables, *self.unusable))

    def named(self, names: str) -> str:
        """
        Return *names* with their source: `ACR_… (secrets file)`.
        """
        return f"{names} ({self.label})" if self.label else names

    def value(self, name: str) -> Value | DiscoveryError | None:
        """
        Return the value of *name* or else *name*`_FILE`; None if neither is set.

        The `_FILE` form is the convention of Docker's and Kubernetes' secrets.  It also counts if
        *name* is set but empty.
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
            fix = causes.VALUE_NOT_TEXT_IN_JSON if self.label == "secrets file" else None
            form = self.named(self.unusable[name].say())
            return causes.VALUE_NOT_TEXT.with_fix(fix).error(name=name, form=form)
        text = self.variables.get(name)
        return None if text is None else Value(variable=name, text=text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """
    All layers in order of precedence, and errors while reading them.

    Attributes:
        layers: The first is the process's.
        secrets_file_error: Why the named secrets file cannot be used, or None.
        codespaces_error: Why Codespaces' secrets file cannot be used, or None.
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
        Return the first layer in which *name* is not empty, and its value; no `_FILE` form.
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
    Read every layer; errors are attributes of the result.

    Args:
        environ: Variables of the process.
        secrets_file: Path of the dev container CLI's `--secrets-file`; None: the path in
            `DEVCONTAINER_REGISTRY_SECRETS_FILE` of *environ*, if set.
        codespaces_file: Path of Codespaces' secrets file; it may not exist.
    """
    process = dict(environ)
    layers = [Layer(label="", variables=process)]
    cause = causes.SECRETS_FILE_UNUSABLE
    if secrets_file is None:
        secrets_file = process.get(SECRETS_FILE_VARIABLE)
        cause = causes.NAMED_SECRETS_FILE_UNUSABLE
    secrets_file_error = codespaces_error = None
    if secrets_file:
        found = _read_layer(secrets_file, "secrets file", cause)
        _tell_of("secrets file", found)
        if isinstance(found, Layer):
            layers.append(found)
        else:
            secrets_file_error = found
    if os.path.exists(codespaces_file):
        found = _read_layer(codespaces_file, ".env-secrets", causes.CODESPACES_FILE_UNUSABLE)
        _tell_of(".env-secrets", found)
        if isinstance(found, Layer):
            layers.append(found)
        else:
            codespaces_error = found
    return Environment(
        layers=tuple(layers),
        secrets_file_error=secrets_file_error,
        codespaces_error=codespaces_error,
    )


def _tell_of(label: str, found: Layer | DiscoveryError) -> None:
    # Not its path: what stands in a variable by mistake may be the secret itself.
    if isinstance(found, Layer):
        tell("variables.read", layer=label, variables=len(found.names))
    else:
        tell("variables.unreadable", layer=label, code=found.code)


def _content(file: Value) -> Value | DiscoveryError:
    try:
        text = read_regular(file.text, limit=_VALUE_MAX)[0].decode("utf-8-sig")
    except (OSError, ValueError) as exc:
        # Name the variable, not the path: its value may be the secret itself by mistake.
        return causes.FILE_UNUSABLE.error(variable=file.variable, reason=_reason(exc))
    text = text.removesuffix("\n").removesuffix("\r")
    return Value(variable=file.variable, text=text, from_file=True)


def _read_layer(
    path: str, label: str, unusable_as: Cause[DiscoveryError]
) -> Layer | DiscoveryError:
    try:
        content, _ = read_regular(path, limit=_LAYER_MAX)
        variables, unusable = (_from_json if label == "secrets file" else _from_lines)(content)
    except (OSError, ValueError, RecursionError) as exc:
        is_there = isinstance(exc, (ValueError, RecursionError))
        fix = causes.SECRETS_FILE_NOT_JSON if is_there else None
        return unusable_as.with_fix(fix).error(reason=_reason(exc))
    return Layer(label=label, variables=variables, unusable=unusable)


def _reason(exc: OSError | ValueError | RecursionError) -> str:
    # Never the exception's own text, which quotes the path or the content.
    if isinstance(exc, OSError):
        return exc.strerror or type(exc).__name__
    if isinstance(exc, json.JSONDecodeError):
        return causes.NOT_JSON.say(line=exc.lineno)
    if isinstance(exc, UnicodeDecodeError):
        return causes.FILE_NOT_UTF8.say()
    if isinstance(exc, _NotAnObjectError):
        return causes.NOT_AN_OBJECT.say()
    if isinstance(exc, RecursionError):
        return causes.NESTED_TOO_DEEPLY.say()
    return causes.NOT_A_PATH.say()


class _NotAnObjectError(ValueError):
    pass


def _from_json(content: bytes) -> tuple[dict[str, str], dict[str, Reason]]:
    document = json.loads(plain_json(content.decode("utf-8-sig")))
    if not isinstance(document, dict):
        raise _NotAnObjectError
    variables = {name: text for name, text in document.items() if isinstance(text, str)}
    others = document.keys() - variables.keys()
    return variables, dict.fromkeys(others, causes.NOT_A_STRING)


def _from_lines(content: bytes) -> tuple[dict[str, str], dict[str, Reason]]:
    variables: dict[str, str] = {}
    unusable: dict[str, Reason] = {}
    for line in content.splitlines():
        name, equals, encoded = line.partition(b"=")
        if not equals or not name.isascii():
            continue
        key = name.decode().strip()
        try:
            variables[key] = base64.b64decode(encoded.strip(), validate=True).decode()
        except ValueError:
            # Without the cause: a decoder's message quotes what it decodes.
            unusable[key] = causes.NOT_BASE64
    return variables, unusable
