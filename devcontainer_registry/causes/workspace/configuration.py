# SPDX-License-Identifier: MIT
"""
Causes of trouble in dev container, Docker and Compose files.
"""

from __future__ import annotations

from ...errors import ConfigError
from ..cause import Cause, Reason

DAMAGED = Cause(
    "configuration-damaged",
    ConfigError,
    "{where}: {problem}",
    "correct {file}",
)

UNREADABLE = Cause(
    "configuration-unreadable",
    ConfigError,
    "{where}: cannot read {file}: {reason}",
    "make {file} a readable file of at most 1 MiB",
)

MISSING = Cause(
    "configuration-missing",
    ConfigError,
    "{where}: {file} does not exist",
    "create {file}, or correct its name",
)

TOO_MANY_FILES = Cause(
    "configuration-too-large",
    ConfigError,
    "{where}: the configuration refers to more than {limit} files",
    "split the configuration",
)

SERVICE_UNKNOWN = Cause(
    "service-unknown",
    ConfigError,
    "{where}: no service {service} in the Compose files",
    "define the service {service}, or correct its name",
)

REMOTE = Cause(
    "configuration-remote",
    ConfigError,
    "{where}: {what} is not on this machine, so its images are unknown",
    "look up the images of {what} yourself",
)

# One fix for all three: who cannot set a variable here can still write its value into the file.
_SET_OR_WRITE = "set {needed} for this command, or write its value into the file"

UNSET = Cause(
    "image-unresolved",
    ConfigError,
    "{where}: {image} needs {needed}, which is not set here",
    _SET_OR_WRITE,
)

CONTAINER_ONLY = Cause(
    "image-unresolved",
    ConfigError,
    "{where}: {image} needs {needed}, which is set only in the container",
    _SET_OR_WRITE,
)

NOT_EXPANDED = Cause(
    "image-unresolved",
    ConfigError,
    "{where}: {image} needs {needed}, which Docker does not expand here",
    _SET_OR_WRITE,
)

MALFORMED = Cause(
    "image-malformed",
    ConfigError,
    "{where}: {image} is not an image reference",
    "write it as docker pull does: registry/repository:tag",
)

# The problem of a damaged file: devcontainer.json.

JSON_DAMAGED = Reason("problem", "not valid JSON (line {line}, column {column})")
JSON_TOO_DEEP = Reason("problem", "JSON that is nested too deeply")
NUMBER_TOO_LONG = Reason("problem", "JSON with a number that is too long")
NOT_AN_OBJECT = Reason("problem", "not a JSON object")
MEMBER_NO_FILE = Reason("problem", "{member} is not the name of a file")
MEMBER_NO_STRING = Reason("problem", "{member} is not a string")
MEMBER_NO_OBJECT = Reason("problem", "{member} is not an object")

# Of a Dockerfile.

NO_FROM = Reason("problem", "this Dockerfile has no FROM")
FROM_ARGUMENTS = Reason("problem", "FROM takes IMAGE [AS NAME]")
NO_END_OF_HEREDOC = Reason("problem", "line {line}: the here-document {end} has no end")

# Of Compose's files.

NOT_UTF_8 = Reason("problem", "not UTF-8")
YAML_DAMAGED = Reason("problem", "not valid YAML (line {line})")
YAML_UNREADABLE = Reason("problem", "not valid YAML")
YAML_TOO_DEEP = Reason("problem", "YAML that is nested too deeply (line {line})")
YAML_TOO_LARGE = Reason("problem", "YAML with more than {limit} values (line {line})")
ALIAS_UNKNOWN = Reason("problem", "an alias that is not defined (line {line})")
KEY_TWICE = Reason("problem", "the key {key} twice (line {line})")
KEY_NO_STRING = Reason("problem", "a key that is not a string (line {line})")
NOT_A_MAPPING = Reason("problem", "not a mapping")
MEMBER_NO_MAPPING = Reason("problem", "{member} is not a mapping")
INCLUDES_ITSELF = Reason("problem", "it includes itself")
INCLUDES_TOO_DEEP = Reason("problem", "includes that are nested too deeply")
EXTENDS_ITSELF = Reason("problem", "service {service} extends itself")
TOO_MANY_SERVICES = Reason("problem", "more than {limit} services")
NO_ASSIGNMENT = Reason("problem", "line {line} is not NAME=VALUE")

BUILD_CONTEXT = Reason("what", "its build context")
REMOTE_MEMBER = Reason("what", "{member} {name}")

UNKNOWN_ERROR = Reason("reason", "unknown error")
