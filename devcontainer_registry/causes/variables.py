# SPDX-License-Identifier: MIT
"""
Causes in the variables that hold logins.
"""

from __future__ import annotations

from ..errors import NOT_A_HOST, DiscoveryError, RegistryError
from .cause import Cause, Fix, Reason

# A set that lacks something.

_HERE = "set {names} in this container's secrets or environment"

ALL_EMPTY = Cause("not-configured", DiscoveryError, "every variable of {members} is empty", _HERE)
ONE_MISSING = Cause("missing-member", DiscoveryError, "{variable} is missing", _HERE)
ONE_EMPTY = Cause("missing-member", DiscoveryError, "{variable} is empty", _HERE)
SEVERAL_MISSING = Cause("missing-member", DiscoveryError, "{variables} are missing", _HERE)
SEVERAL_EMPTY = Cause("missing-member", DiscoveryError, "{variables} are empty", _HERE)
SEVERAL_EMPTY_OR_MISSING = Cause(
    "missing-member", DiscoveryError, "{variables} are empty or missing", _HERE
)
TOKEN_MISSING_TOO = Cause(
    "missing-member",
    DiscoveryError,
    "{variables} are missing, and so is GITHUB_TOKEN",
    _HERE,
)
WHERE_SERVER_IS = Fix(
    "missing-member",
    "where SERVER is set in another place",
    "set {names} in the same place as {server}, not in the {layer}",
)
IN_SECRETS_FILE = Fix(
    "missing-member",
    "in a secrets file",
    "set {names} in the secrets file",
)
IN_CODESPACES = Fix(
    "missing-member",
    "in GitHub Codespaces",
    "set {names} as a Codespaces secret (user, repository or organisation), give this repository "
    "access, then stop and start the codespace",
)

# A value that cannot be right.

NOT_UTF8 = Reason("fault", "is not UTF-8")
HOLDS_NUL = Reason("fault", "contains a NUL")
HOLDS_CONTROL = Reason("fault", "contains a control character")
HOLDS_COLON = Reason("fault", "contains a colon, which Docker does not allow in a user name")
NO_KIND = Reason("fault", "is not the name of an authenticator")
NO_REGION = Reason("fault", "is not an AWS region")

USER_INVALID = Cause("invalid-user", DiscoveryError, "{user} {fault}", "correct its value")
PASSWORD_INVALID = Cause(
    "invalid-password", DiscoveryError, "{password} {fault}", "correct its value"
)
MEMBER_INVALID = Cause("invalid-member", DiscoveryError, "{member} {fault}", "correct its value")
# Stated by `registry`, in words that follow the variable's name.
SERVER_INVALID = Cause(
    NOT_A_HOST[0], DiscoveryError, f"{{server}} is {NOT_A_HOST[1]}", NOT_A_HOST[2]
)
SERVER_IS_WEB_PAGE = Cause(
    "invalid-server",
    DiscoveryError,
    "{server} is the web page {host}, not a registry",
    "set {server} to {meant}",
)
IMAGE_INVALID = Cause("invalid-image", DiscoveryError, "{image} is {why}")
IMAGE_OF_ANOTHER_REGISTRY = Cause(
    "invalid-image",
    DiscoveryError,
    "{image} is on another registry than {server}",
    "write it as docker pull does: registry/repository:tag",
)

# Files that hold values.

NOT_A_STRING = Reason("form", "is not a string")
NOT_BASE64 = Reason("form", "is not base64-encoded text")
VALUE_NOT_TEXT = Cause("invalid-member", DiscoveryError, "{name} {form}", "correct its value")
VALUE_NOT_TEXT_IN_JSON = Fix(
    "invalid-member", "in a secrets file", "write the value of {name} in quotes"
)
FILE_UNUSABLE = Cause(
    "unreadable-file",
    DiscoveryError,
    "cannot read the file that {variable} names: {reason}",
    "set {variable} to a readable text file",
)
SECRETS_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "cannot read the secrets file: {reason}",
    "name a readable file",
)
NAMED_SECRETS_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "cannot read the file that DEVCONTAINER_REGISTRY_SECRETS_FILE names: {reason}",
    "name a readable file",
)
CODESPACES_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "cannot read the file .env-secrets of GitHub Codespaces: {reason}",
    "name a readable file",
)
SECRETS_FILE_NOT_JSON = Fix(
    "secrets-file",
    "where it can be read",
    'make it a JSON object of strings: {{"NAME": "value"}}',
)
NOT_JSON = Reason("reason", "not JSON, at line {line}")
FILE_NOT_UTF8 = Reason("reason", "not UTF-8")
NOT_AN_OBJECT = Reason("reason", "not a JSON object")
NESTED_TOO_DEEPLY = Reason("reason", "nested too deeply")
NOT_A_PATH = Reason("reason", "not a path, and not JSON")

# What a platform gives.

_AS_JSON = 'write it as {{"auths": {{"HOST": {{"auth": "BASE64 OF USER:PASSWORD"}}}}}}'

DOCKERS_NOT_JSON = Cause(
    "docker-auth-config",
    DiscoveryError,
    "cannot use DOCKER_AUTH_CONFIG: it is not JSON with auths",
    _AS_JSON,
)
DOCKERS_ENTRIES_UNUSABLE = Cause(
    "docker-auth-config",
    DiscoveryError,
    "cannot use {count} of the entries in DOCKER_AUTH_CONFIG",
    _AS_JSON,
)
GITHUBS_UNUSABLE = Cause(
    "implicit-unusable",
    DiscoveryError,
    "GITHUB_TOKEN {fault}",
    "correct or unset it",
)
GITLABS_UNUSABLE = Cause(
    "implicit-unusable",
    DiscoveryError,
    "{name} {fault}",
    "correct or unset it",
)
EMPTY_OR_MISSING = Reason("fault", "is empty or missing")
GITLABS_IS_NO_REGISTRY = Cause(
    "implicit-unusable",
    DiscoveryError,
    "CI_REGISTRY is not the name of a registry",
    "correct or unset it",
)

# What is worth a remark.

TYPO = Cause("near-miss", DiscoveryError, "{names} looks like a typo for {meant}", "rename it")
RENAME_SEVERAL = Fix("near-miss", "where several names have typos", "rename them")
TYPOS = Cause(
    "near-miss", DiscoveryError, "{names} look like typos for {meant}", RENAME_SEVERAL.text
)
RENAME_ONE_AND_SET = Fix(
    "near-miss", "where the set lacks another variable", "rename it and set {lacking}"
)
RENAME_SEVERAL_AND_SET = Fix(
    "near-miss", "where the set lacks yet another variable", "rename them and set {lacking}"
)
ADD_AN_ID = Fix(
    "near-miss",
    "where the names have no ID",
    "rename this set's variables, such as {name} to {example}; choose any ID",
)
ID_MISSING = Cause(
    "near-miss",
    DiscoveryError,
    "{name} does not begin with an ID",
    ADD_AN_ID.text,
)
SHADOWED = Cause(
    "shadowed",
    RegistryError,
    "{loser} and {winner} are for the same registry; {winner} is used",
    "remove one of the two sets",
)
SHADOWED_IN_DOCKER = Cause(
    "shadowed-in-docker",
    RegistryError,
    "Docker 28.3 and later uses DOCKER_AUTH_CONFIG instead of the login from {members}",
    "remove that registry from DOCKER_AUTH_CONFIG, or remove the set",
)
UNSET_ONE = Fix("shadowed", "where a variable and its _FILE are both set", "unset one of the two")
FILE_SHADOWED = Cause(
    "shadowed",
    RegistryError,
    "{name}_FILE is ignored because {name} is set",
    UNSET_ONE.text,
)
NOT_IN_ENVIRONMENT = Cause(
    "not-in-environment",
    RegistryError,
    "{members} is a codespace secret, but is not in this process's environment",
    "stop and start the codespace",
)
SET_AGAIN = Fix("stripped", "where white space or quotes were removed", "set it again without them")
EDGES_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} has white space or quotes around its value; they were removed",
    SET_AGAIN.text,
)
EDGES_KEPT = Cause(
    "edge-space",
    RegistryError,
    "{name} begins or ends with white space or a quote, which is sent as part of it",
    "remove that character, unless the password contains it",
)
SWAPPED = Cause(
    "swapped",
    RegistryError,
    "{name} looks like an AWS access key id",
    "put the access key id in _USER and the secret access key in _PASSWORD",
)
SCHEME_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} has a scheme, which was ignored",
    "set {name} to {host}",
)
PATH_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} has a path, which was ignored",
    "set {name} to {host}",
)
SCHEME_AND_PATH_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} has a scheme and a path, which were ignored",
    "set {name} to {host}",
)
HOST_ALONE = Fix("stripped", "where the rest is not a host either", "set {name} to the host alone")
UPPER_CASE = Cause(
    "upper-case",
    RegistryError,
    "{name} has upper-case letters; Docker matches logins by exact spelling",
    "write {host} in lower case in image names",
)
