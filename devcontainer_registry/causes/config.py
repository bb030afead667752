# SPDX-License-Identifier: MIT
"""
Causes in config.json: its place, its content, and its writing.
"""

from __future__ import annotations

from ..errors import ConfigChangedError, ConfigError, DamagedError, RegistryError
from .cause import Cause, Fix

# Its place.

PATH_INVALID = Cause(
    "config-path-invalid",
    ConfigError,
    "the path of config.json is not valid",
    "name a file, or unset DOCKER_CONFIG",
)
NAMED_FOLDER_IS_FILE = Cause(
    "docker-config-is-file",
    ConfigError,
    "DOCKER_CONFIG is a file, {path}; it must be the folder that contains config.json",
    "set DOCKER_CONFIG to {folder}",
)
FOLDER_IS_FILE = Cause(
    "config-folder-is-file",
    ConfigError,
    "{path} is a file; Docker needs a folder there",
    "move that file away, or set DOCKER_CONFIG to another folder",
)
NAMED_WITH_VARIABLE = Cause(
    "docker-config-invalid",
    ConfigError,
    "DOCKER_CONFIG, {path}, contains ~ or $, which Docker does not expand",
    "set DOCKER_CONFIG to an absolute path, such as /home/me/.docker, or unset it",
)
NAMED_RELATIVELY = Cause(
    "docker-config-invalid",
    ConfigError,
    "DOCKER_CONFIG, {path}, is a relative path to a missing folder",
    "set DOCKER_CONFIG to an absolute path, such as /home/me/.docker, or unset it",
)
NO_HOME = Cause(
    "config-no-home",
    ConfigError,
    "HOME is not set, and this user is not in the user database",
    "set HOME or DOCKER_CONFIG to a folder that you own",
)
RELATIVE = Cause(
    "config-relative",
    ConfigError,
    "DOCKER_CONFIG, {path}, is relative; Docker finds these logins only when it runs in {here}",
    "set DOCKER_CONFIG to {absolute}",
)
IN_GIT = Cause(
    "config-in-git",
    ConfigError,
    "{path} contains logins and git does not ignore it (checkout {checkout})",
    "add it to .gitignore, or set DOCKER_CONFIG to another folder",
)

# What the system says of it.

NOT_PERMITTED = Cause(
    "config-no-permission",
    ConfigError,
    "cannot read or write {path}: {reason}",
    "run sudo chown -R $(id -u) {folder}, or set DOCKER_CONFIG to a folder that you own",
)
# Whose home it is nobody knows here: /root, with a HOME that was kept when the user changed?
NO_FOLDER = Cause(
    "config-no-home",
    ConfigError,
    "permission denied: cannot open or create the folder of {path}",
    "set HOME or DOCKER_CONFIG to a folder that you own",
)
READ_ONLY = Cause(
    "config-read-only",
    ConfigError,
    "{path} is on a read-only file system",
    "set DOCKER_CONFIG to a writable folder, or remount the file system",
)
DISK_FULL = Cause(
    "disk-full",
    ConfigError,
    "the disk is full; cannot write {path}: {reason}",
    "free some space and run this again",
)
TOO_LARGE = Cause(
    "config-too-large",
    ConfigError,
    "{path} is too large for a config.json",
    "move it away and log in again",
)
IS_FOLDER = Cause(
    "config-not-a-file",
    ConfigError,
    "{path} is a folder, not a file; a bind mount of a missing file creates one",
    "remove it, or set DOCKER_CONFIG to another folder",
)
NOT_REGULAR = Cause(
    "config-not-a-file",
    ConfigError,
    "{path} is not a regular file",
    "remove it, or set DOCKER_CONFIG to another folder",
)
FILE_IN_PLACE_OF_FOLDER = Cause(
    "config-folder-is-file",
    ConfigError,
    "a parent folder of {path} is a file",
    "move that file away, or set DOCKER_CONFIG to another folder",
)
LINK_TO_ITSELF = Cause(
    "config-not-a-file",
    ConfigError,
    "{path} is a link to itself",
    "remove it, or set DOCKER_CONFIG to another folder",
)
UNUSABLE = Cause(
    "config-error",
    ConfigError,
    "cannot use {path}: {reason}",
    "check this path and its file system, then run this again",
)
OPEN_TO_OTHERS = Cause(
    "open-to-others",
    ConfigError,
    "{path} contains logins, and other users can read or change it",
    "run chmod 600 {path} as its owner, or set DOCKER_CONFIG to a folder that you own",
)
ROOTS_IN_A_HOME = Cause(
    "root-in-a-home",
    ConfigError,
    "{path} belongs to root and is in another user's home folder; that user cannot read it",
    "run chown -R --reference={home} {folder}, and log in as that user from now on",
)

# What it says.

_REPAIR = "repair it, or move it away"

NOT_JSON = Cause(
    "config-damaged",
    DamagedError,
    "{path} is not valid JSON (line {line}, column {column})",
    _REPAIR,
)
NUMBER_IS_NONE = Cause(
    "config-damaged",
    DamagedError,
    "{path} is not valid JSON: it has a number that is not one",
    _REPAIR,
)
NESTED_TOO_DEEPLY = Cause("config-damaged", DamagedError, "{path} is nested too deeply", _REPAIR)
NO_OBJECT = Cause("config-damaged", DamagedError, "{path} is not a JSON object", _REPAIR)
NOT_UTF8 = Cause(
    "config-damaged",
    DamagedError,
    "{path} is not UTF-8 (line {line}); Docker reads it, but rewriting it would lose text",
    _REPAIR,
)
TEXT_AFTER_END = Cause(
    "config-damaged",
    DamagedError,
    "{path} has text after its end (line {line}, column {column}); rewriting it would "
    "lose that text",
    _REPAIR,
)
NUMBER_TOO_LARGE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has a number that is too large; rewriting it would change that number",
    _REPAIR,
)
NUMBER_TOO_LONG = Cause(
    "config-damaged",
    DamagedError,
    "{path} has a number with too many digits; rewriting it would change that number",
    _REPAIR,
)
MEMBER_TWICE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has {member} twice (line {line}, column {column}); rewriting it would lose one of them",
    _REPAIR,
)
# Unnamed: another key than the top ones may be anything, a password in the wrong place too.
KEY_TWICE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has the same key twice (line {line}, column {column}); rewriting it would "
    "lose one of them",
    _REPAIR,
)
MEMBER_IS_NO_OBJECT = Cause(
    "config-damaged",
    DamagedError,
    "{member} in {path} is not an object; rewriting it would lose that value",
    _REPAIR,
)
WITHOUT_BOM = Fix(
    "config-damaged",
    "where it begins with a byte order mark",
    "save it as UTF-8 without a byte order mark",
)
HAS_BOM = Cause(
    "config-damaged",
    ConfigError,
    "{path} begins with a byte order mark, so Docker ignores the file",
    WITHOUT_BOM.text,
)
MEMBER_MISTYPED = Cause(
    "config-mistyped",
    ConfigError,
    "{member} in {path} is {found}, but {docker} expects {wanted}, so it ignores every "
    "login in auths",
    "change {member} to {wanted}, or remove it",
)
LOGIN_MISTYPED = Cause(
    "config-mistyped",
    ConfigError,
    "{member} in {path} is {found}, but {docker} expects {wanted}; it ignores every login in auths",
    "change {member} to {wanted}, or remove it",
)
LOGIN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "Docker cannot read the entry for {host} in {path}, and ignores other logins too",
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
)
# Unnamed: somebody may have put a password into the key.
SOME_LOGIN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "Docker cannot read an entry in {path}, and ignores other logins too",
    "remove that entry, or set its auth to the base64 of USER:PASSWORD",
)
LOGIN_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    ConfigError,
    "Docker uses the auths entry {key} for images of {key}, not {host}",
    "write the registry as {host} in image names",
)
# docker logout leaves credHelpers as it is.
HELPER_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    ConfigError,
    "Docker uses the credHelpers entry {key} for images of {key}, not {host}",
    "write the registry as {host} in image names",
)
STORE_MISSING = Cause(
    "helper-missing",
    ConfigError,
    "{place} names {program}, which is not on PATH; Docker cannot log in to other registries",
    "install it, or remove it from {place}",
)
STORE_OF_VSCODE_MISSING = Fix(
    "helper-missing",
    "where credsStore names a helper of VS Code's",
    'set "dev.containers.dockerCredentialHelper": false in VS Code and remove credsStore '
    "from config.json",
)

# What it cannot hold.

_PAIR = "check the user name and the password"

USER_NOT_STORABLE = Cause(
    "not-storable",
    ConfigError,
    "Docker cannot store a user name that is empty or has a colon",
    _PAIR,
)
PASSWORD_EMPTY = Cause("not-storable", ConfigError, "Docker ignores an empty password", _PAIR)
PASSWORD_WITH_NUL = Cause(
    "not-storable",
    ConfigError,
    "Docker removes NUL characters from the ends of a password",
    _PAIR,
)
HALF_A_CHARACTER = Cause(
    "not-storable", ConfigError, "Docker cannot store half of a Unicode character", _PAIR
)
TOKEN_NOT_UTF8 = Cause(
    "not-storable",
    ConfigError,
    "Docker cannot store an identity token that is not UTF-8",
    _PAIR,
)
HELPER_WITHOUT_NAME = Cause(
    "helper-name-empty",
    ConfigError,
    "the credential helper's name is empty",
    "give the part of its name after docker-credential-",
)

# Writing it.

CHANGED = Cause(
    "config-changed",
    ConfigChangedError,
    "another program changed {path} at the same time",
    "run this again",
)
LOCK_HELD = Cause(
    "config-locked",
    ConfigError,
    "another process holds the lock on {path} for {seconds:.0f} seconds already",
    "run fuser -v {path} to find the process",
)
NO_LOCKS = Cause(
    "config-unlockable",
    ConfigError,
    "the file system of {path} has no locks; nothing was written",
    "set DOCKER_CONFIG to a folder on a local disk",
)
NO_SAFE_PLACE = Cause(
    "cache-refused",
    ConfigError,
    "{path} is not private, so config.json cannot be backed up there while it is rewritten",
    "remove it, or set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder that only you use",
)
NOT_WRITTEN = Cause(
    "not-kept",
    RegistryError,
    "config.json could not be written",
    "see the message about config.json",
)
