# SPDX-License-Identifier: MIT
"""
Causes in the variables that hold logins.
"""

from __future__ import annotations

from ..errors import NOT_A_HOST, DiscoveryError, RegistryError
from .cause import Cause, Fix, Reason

# A set that lacks something.

_HERE = (
    "set {names} in the secrets or environment of this container; a user, repository or "
    "organisation secret needs to be granted to this repository"
)

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
    "where they are set elsewhere than SERVER",
    "set {names} where {server} is, not in the {layer}: a set is read from one place",
)
IN_SECRETS_FILE = Fix(
    "missing-member",
    "in a secrets file",
    "set {names} in the secrets file",
)
IN_CODESPACES = Fix(
    "missing-member",
    "in GitHub Codespaces",
    "set {names} as a Codespaces secret of your user, this repository or its organisation, give "
    "this repository access to it, then stop and start the codespace",
)

# A value that cannot be right.

NOT_UTF8 = Reason("fault", "is not UTF-8")
HOLDS_NUL = Reason("fault", "holds a NUL")
HOLDS_CONTROL = Reason("fault", "holds a control character")
HOLDS_COLON = Reason("fault", "holds a colon, which ends the user name in docker's `auth`")
NO_KIND = Reason("fault", "is not the name of an authenticator")
NO_REGION = Reason("fault", "is not the name of an AWS region")

USER_INVALID = Cause("invalid-user", DiscoveryError, "{user} {fault}", "correct {user}")
PASSWORD_INVALID = Cause(
    "invalid-password", DiscoveryError, "{password} {fault}", "correct {password}"
)
MEMBER_INVALID = Cause("invalid-member", DiscoveryError, "{member} {fault}", "correct {member}")
# Stated by `registry`, in words that follow the variable's name.
SERVER_INVALID = Cause(
    NOT_A_HOST[0], DiscoveryError, f"{{server}} is {NOT_A_HOST[1]}", NOT_A_HOST[2]
)
SERVER_IS_WEB_PAGE = Cause(
    "invalid-server",
    DiscoveryError,
    "{server} names the web page {host}, which is not a registry",
    "set {server} to {meant}",
)
IMAGE_INVALID = Cause("invalid-image", DiscoveryError, "{image} is {why}")
IMAGE_OF_ANOTHER_REGISTRY = Cause(
    "invalid-image",
    DiscoveryError,
    "{image} is an image of another registry than {server}",
    "begin {image} with the registry's host, as docker pull does",
)

# Files that hold values.

NOT_A_STRING = Reason("form", "is not a string")
NOT_BASE64 = Reason("form", "is not base64 of a text")
VALUE_NOT_TEXT = Cause("invalid-member", DiscoveryError, "{name} {form}", "set {name} anew")
VALUE_NOT_TEXT_IN_JSON = Fix(
    "invalid-member", "in a secrets file", "write the value of {name} in quotes"
)
FILE_UNUSABLE = Cause(
    "unreadable-file",
    DiscoveryError,
    "the file that {variable} names cannot be used: {reason}",
    "let {variable} name a readable text file",
)
SECRETS_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "the secrets file cannot be used: {reason}",
    "name a file that exists and can be read",
)
NAMED_SECRETS_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "the file that DEVCONTAINER_REGISTRY_SECRETS_FILE names cannot be used: {reason}",
    "name a file that exists and can be read",
)
CODESPACES_FILE_UNUSABLE = Cause(
    "secrets-file",
    DiscoveryError,
    "Codespaces' own .env-secrets cannot be used: {reason}",
    "name a file that exists and can be read",
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
NOT_A_PATH = Reason("reason", "not a path, or not JSON")

# What a platform gives.

_AS_JSON = 'write it as {{"auths": {{"HOST": {{"auth": "BASE64 OF USER:PASSWORD"}}}}}}'

DOCKERS_NOT_JSON = Cause(
    "docker-auth-config",
    DiscoveryError,
    "DOCKER_AUTH_CONFIG cannot be used: no JSON with `auths`",
    _AS_JSON,
)
DOCKERS_ENTRIES_UNUSABLE = Cause(
    "docker-auth-config",
    DiscoveryError,
    "{count} of the entries of DOCKER_AUTH_CONFIG cannot be used",
    _AS_JSON,
)
GITHUBS_UNUSABLE = Cause(
    "implicit-unusable",
    DiscoveryError,
    "GITHUB_TOKEN {fault}",
    "let the platform set it",
)
GITLABS_UNUSABLE = Cause(
    "implicit-unusable",
    DiscoveryError,
    "{name} {fault}",
    "set {name} in the environment",
)
EMPTY_OR_MISSING = Reason("fault", "is empty or missing")
GITLABS_IS_NO_REGISTRY = Cause(
    "implicit-unusable",
    DiscoveryError,
    "CI_REGISTRY is not the name of a registry",
    "give the host alone",
)

# What is worth a remark.

TYPO = Cause("near-miss", DiscoveryError, "{names} looks like a typo for {meant}", "rename it")
TYPOS = Cause("near-miss", DiscoveryError, "{names} look like typos for {meant}", "rename them")
RENAME_ONE_AND_SET = Fix(
    "near-miss", "where the set lacks another variable", "rename it and set {lacking}"
)
RENAME_SEVERAL_AND_SET = Fix(
    "near-miss", "where the set lacks yet another variable", "rename them and set {lacking}"
)
ID_MISSING = Cause(
    "near-miss",
    DiscoveryError,
    "{name} has no ID in front",
    "rename the variables of this set, such as {name} to {example}; the ID is yours to choose",
)
SHADOWED = Cause(
    "shadowed",
    RegistryError,
    "{loser} is for the same registry as {winner}, which comes first by name",
    "remove one of the two sets",
)
SHADOWED_IN_DOCKER = Cause(
    "shadowed-in-docker",
    RegistryError,
    "docker 28.3 and later takes DOCKER_AUTH_CONFIG before the login of {members}",
    "remove that registry from DOCKER_AUTH_CONFIG, or the set",
)
FILE_SHADOWED = Cause(
    "shadowed",
    RegistryError,
    "{name}_FILE is not read, since {name} is set",
    "unset one of the two",
)
NOT_IN_ENVIRONMENT = Cause(
    "not-in-environment",
    RegistryError,
    "{members} is among the codespace's secrets, but not in this process's environment",
    "stop and start the codespace to bring it into the environment",
)
EDGES_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} has white space or quotes around it, which are left out",
    "set it again without them",
)
EDGES_KEPT = Cause(
    "edge-space",
    RegistryError,
    "{name} begins or ends with white space or a quote, which is kept",
    "set it again without, unless the password has it",
)
SWAPPED = Cause(
    "swapped",
    RegistryError,
    "{name} holds what looks like an AWS access key id",
    "put the access key id into _USER and the secret access key into _PASSWORD",
)
SCHEME_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} holds more than a host: dropped its scheme",
    "set {name} to {host}",
)
PATH_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} holds more than a host: dropped its path",
    "set {name} to {host}",
)
SCHEME_AND_PATH_STRIPPED = Cause(
    "stripped",
    RegistryError,
    "{name} holds more than a host: dropped its scheme and path",
    "set {name} to {host}",
)
HOST_ALONE = Fix("stripped", "where what is left is no host either", "set {name} to the host alone")
UPPER_CASE = Cause(
    "upper-case",
    RegistryError,
    "{name} has upper-case letters; docker looks a login up under the spelling of the image name",
    "write {host} in lower case in image names",
)
