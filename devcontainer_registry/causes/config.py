# SPDX-License-Identifier: MIT
"""
Causes in config.json: its place, its content, and its writing.
"""

from __future__ import annotations

from ..errors import ConfigChangedError, ConfigError, DamagedError, RegistryError
from .cause import Cause, Fix

# Its place.

PATH_INVALID = Cause(
    "config-error",
    ConfigError,
    "the path of config.json is empty, or none that a file can have",
    "name the file, or leave it to DOCKER_CONFIG",
)
NAMED_FOLDER_IS_FILE = Cause(
    "config-error",
    ConfigError,
    "DOCKER_CONFIG names a file, {path}, where docker wants its folder",
    "set DOCKER_CONFIG to {folder}",
)
FOLDER_IS_FILE = Cause(
    "config-error",
    ConfigError,
    "{path} is a file, where docker wants its folder",
    "move it away, or set DOCKER_CONFIG to a folder of your own",
)
NAMED_WITH_VARIABLE = Cause(
    "config-error",
    ConfigError,
    "DOCKER_CONFIG, {path}, holds a ~ or $, which nothing replaces",
    "set DOCKER_CONFIG to an absolute path, such as /home/me/.docker, or unset it",
)
NAMED_RELATIVELY = Cause(
    "config-error",
    ConfigError,
    "DOCKER_CONFIG, {path}, is a relative path to a folder that is not there",
    "set DOCKER_CONFIG to an absolute path, such as /home/me/.docker, or unset it",
)
NO_HOME = Cause(
    "config-error",
    ConfigError,
    "HOME is not set, and this user is not in the user database",
    "set HOME, or DOCKER_CONFIG",
)
RELATIVE = Cause(
    "config-relative",
    ConfigError,
    "DOCKER_CONFIG, {path}, is a relative path: docker sees these logins only where it runs in "
    "{here}",
    "set DOCKER_CONFIG to {absolute}",
)
IN_GIT = Cause(
    "config-in-git",
    ConfigError,
    "{path} holds logins, is in the git checkout {checkout}, and git does not ignore it",
    "add it to .gitignore, or set DOCKER_CONFIG to a folder elsewhere",
)

# What the system says of it.

NOT_PERMITTED = Cause(
    "config-error",
    ConfigError,
    "{path} is not this user's to read or write: {reason}",
    "give it back with: sudo chown -R $(id -u) {folder}; or set DOCKER_CONFIG to a folder of your "
    "own",
)
# Whose home it is nobody knows here: /root, with a HOME that was kept when the user changed?
NO_FOLDER = Cause(
    "config-error",
    ConfigError,
    "{path} is in a folder that this user can neither open nor make: {reason}",
    "set HOME, or DOCKER_CONFIG, to a folder of this user's own",
)
READ_ONLY = Cause(
    "config-error",
    ConfigError,
    "{path} is on a file system that cannot be written: {reason}",
    "set DOCKER_CONFIG to a folder of your own, or remount it",
)
DISK_FULL = Cause(
    "config-error",
    ConfigError,
    "the disk is full, and {path} was not changed: {reason}",
    "free some space and run this again",
)
TOO_LARGE = Cause(
    "config-error",
    ConfigError,
    "{path} is too large to be a config.json: {reason}",
    "look at it, and move it away",
)
IS_FOLDER = Cause(
    "config-error",
    ConfigError,
    "{path} is a folder, not a file: {reason}",
    "remove it; a bind mount of a missing file makes one",
)
NOT_REGULAR = Cause(
    "config-error",
    ConfigError,
    "{path} is not a regular file: {reason}",
    "remove it, or set DOCKER_CONFIG to a folder of your own",
)
FILE_IN_PLACE_OF_FOLDER = Cause(
    "config-error",
    ConfigError,
    "{path} has a file where its folder belongs: {reason}",
    "move that away, or set DOCKER_CONFIG to a folder of your own",
)
LINK_TO_ITSELF = Cause(
    "config-error",
    ConfigError,
    "{path} is a link that leads back to itself: {reason}",
    "remove the link {path}",
)
UNUSABLE = Cause(
    "config-error",
    ConfigError,
    "{path} cannot be used: {reason}",
    "see the reason, and run it again",
)
OPEN_TO_OTHERS = Cause(
    "open-to-others",
    ConfigError,
    "{path} holds logins, and others than its owner may read or change it",
    "have its owner run chmod 600 on it, or set DOCKER_CONFIG to a folder of your own",
)
ROOTS_IN_A_HOME = Cause(
    "root-in-a-home",
    ConfigError,
    "{path} belongs to root, in the home folder of another user, who cannot read it",
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
    "config-damaged", DamagedError, "{path} is not valid JSON (a number that is none)", _REPAIR
)
NESTED_TOO_DEEPLY = Cause("config-damaged", DamagedError, "{path} is nested too deeply", _REPAIR)
NO_OBJECT = Cause("config-damaged", DamagedError, "{path} is not a JSON object", _REPAIR)
NOT_UTF8 = Cause(
    "config-damaged",
    DamagedError,
    "{path} is not UTF-8 (line {line}): docker reads it, but writing it again would lose that",
    _REPAIR,
)
TEXT_AFTER_END = Cause(
    "config-damaged",
    DamagedError,
    "{path} has text after its end (line {line}, column {column}): docker reads it, but writing it "
    "again would lose that",
    _REPAIR,
)
NUMBER_TOO_LARGE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has a number that is too large: docker reads it, but writing it again would lose that",
    _REPAIR,
)
NUMBER_TOO_LONG = Cause(
    "config-damaged",
    DamagedError,
    "{path} has a number with more digits than Python reads: docker reads it, but writing it again "
    "would lose that",
    _REPAIR,
)
MEMBER_TWICE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has {member} twice (line {line}, column {column}): docker reads it, but writing it "
    "again would lose that",
    _REPAIR,
)
# Unnamed: another key than the top ones may be anything, a password in the wrong place too.
KEY_TWICE = Cause(
    "config-damaged",
    DamagedError,
    "{path} has a key twice (line {line}, column {column}): docker reads it, but writing it again "
    "would lose that",
    _REPAIR,
)
MEMBER_IS_NO_OBJECT = Cause(
    "config-damaged",
    DamagedError,
    "{path} has {member}, but not as an object: docker reads it, but writing it again would lose "
    "that",
    _REPAIR,
)
HAS_BOM = Cause(
    "config-damaged",
    ConfigError,
    "{path} begins with a byte order mark, over which docker ignores it",
    "save it as UTF-8 without one",
)
MEMBER_MISTYPED = Cause(
    "config-mistyped",
    ConfigError,
    "{path} has {found} as {member}, where {docker} wants {wanted}, and drops every login in auths "
    "over it",
    "change {member} to {wanted}, or remove it",
)
LOGIN_MISTYPED = Cause(
    "login-unreadable",
    ConfigError,
    "{path} has {found} as {login}, where {docker} wants {wanted}, and drops every login in auths "
    "over it",
    "change {login} to {wanted}, or remove it",
)
LOGIN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "docker cannot read the entry for {host} in {path}, and drops other logins over it",
    "remove that entry, or make its auth the padded base64 of USER:PASSWORD",
)
# Unnamed: somebody may have put a password into the key.
SOME_LOGIN_UNREADABLE = Cause(
    "login-unreadable",
    ConfigError,
    "docker cannot read an entry in {path}, and drops other logins over it",
    "remove that entry, or make its auth the padded base64 of USER:PASSWORD",
)
LOGIN_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    ConfigError,
    "for images of {key}, docker uses the entry {key} in auths, not {host}",
    "run docker logout {key}, and write {host} in lower case in image names",
)
# docker logout leaves credHelpers as it is.
HELPER_UNDER_OTHER_SPELLING = Cause(
    "other-spelling",
    ConfigError,
    "for images of {key}, docker uses the entry {key} in credHelpers, not {host}",
    "delete {key} from credHelpers, and write {host} in lower case in image names",
)
STORE_MISSING = Cause(
    "helper-missing",
    ConfigError,
    "credsStore names {program}, which is not on PATH: docker fails for other registries, and a "
    "classic build sends no login at all",
    "remove credsStore from config.json, or install that helper",
)
STORE_OF_VSCODE_MISSING = Fix(
    "helper-missing",
    "where credsStore names a helper of VS Code's",
    'set "dev.containers.dockerCredentialHelper": false in VS Code, and remove credsStore from '
    "config.json",
)

# What it cannot hold.

_PAIR = "check the user name and the password"

USER_NOT_STORABLE = Cause(
    "not-storable",
    ConfigError,
    "docker cannot keep a user name that is empty or has a colon",
    _PAIR,
)
PASSWORD_EMPTY = Cause(
    "not-storable", ConfigError, "docker takes an empty password for none", _PAIR
)
PASSWORD_WITH_NUL = Cause(
    "not-storable",
    ConfigError,
    "docker cuts NUL characters off the ends of a password",
    _PAIR,
)
HALF_A_CHARACTER = Cause(
    "not-storable", ConfigError, "docker cannot keep half a Unicode character", _PAIR
)
TOKEN_NOT_UTF8 = Cause(
    "not-storable",
    ConfigError,
    "docker cannot keep an identity token that is no UTF-8",
    _PAIR,
)
HELPER_WITHOUT_NAME = Cause(
    "config-error",
    ConfigError,
    "a credential helper needs a name",
    "give the part of its name after docker-credential-",
)

# Writing it.

CHANGED = Cause(
    "config-changed",
    ConfigChangedError,
    "{path} was changed by another program just now",
    "run this again",
)
LOCK_HELD = Cause(
    "config-locked",
    ConfigError,
    "another process held the lock on {path} for {seconds:.0f} seconds",
    "see who it is with: fuser -v {path}",
)
NO_LOCKS = Cause(
    "config-unlockable",
    ConfigError,
    "the file system of {path} has no locks, so nothing was written",
    "set DOCKER_CONFIG to a folder on a local disk",
)
NO_SAFE_PLACE = Cause(
    "cache-refused",
    ConfigError,
    "{path} belongs to another user, is a link or is used by others, so there is no safe place "
    "for a copy of config.json while it is rewritten",
    "set DEVCONTAINER_REGISTRY_CACHE_DIR to a folder of your own",
)
NOT_WRITTEN = Cause(
    "not-kept",
    RegistryError,
    "config.json could not be written",
    "see what is said about config.json",
)
