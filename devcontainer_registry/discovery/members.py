# SPDX-License-Identifier: MIT
"""
Names of the variables of a set, and their allowed values.

A set is what GitHub Codespaces defines, `<ID>_CONTAINER_REGISTRY_{SERVER,USER,PASSWORD}`, and the
optional members that this package adds to it:
https://docs.github.com/en/codespaces/reference/allowing-your-codespace-to-access-a-private-registry
"""

from __future__ import annotations

import re
import unicodedata

from ..causes import variables as causes
from ..naming import INFIX

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..causes.cause import Reason

MEMBERS = (
    "SERVER",
    "USER",
    "PASSWORD",
    "KIND",
    "REGION",
    "SESSION_TOKEN",
    "ROLE_ARN",
    "PROFILE",
    "TENANT",
    "CLIENT_ID",
    "AUDIENCE",
    "ID_TOKEN",
    "CA_FILE",
    "IMAGE",
)

# `CA_FILE` is a member and `CA` is none, so `…_CA_FILE` is never read as the `_FILE` form of one.
_NAME = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*){INFIX}({'|'.join(MEMBERS)})(?:_FILE)?", re.ASCII)

# Reports name the authenticator, so a misplaced password must not match.  The tokens of GitHub,
# GitLab, Docker Hub and the clouds are longer.
_KIND = r"[A-Za-z][A-Za-z0-9_.-]{0,23}"

# A region becomes part of the host that AWS's SDK sends signed requests to.
_REGION = r"[A-Za-z0-9-]{1,63}"


def set_id(name: str) -> str | None:
    """
    Return the `<ID>` of the set of the variable *name*, or None.
    """
    match = _NAME.fullmatch(name)
    return match[1] if match else None


def clean(member: str, text: str, *, from_file: bool = False) -> str:
    """
    Return *text* without characters added by pasting or `echo`, as the value of *member*.

    A password loses only one line ending, which was already removed from a file's content.
    """
    if member != "PASSWORD":
        return unwrapped(text)
    return text if from_file else without_line_ending(text)


def unwrapped(text: str) -> str:
    """
    Return *text* without surrounding white space and pairs of quotes.
    """
    while True:
        inner = text.strip()
        if len(inner) > 1 and inner[0] == inner[-1] and inner[0] in "\"'":
            inner = inner[1:-1]
        if inner == text:
            return text
        text = inner


def without_line_ending(text: str) -> str:
    r"""
    *text* without one `\n`, `\r\n` or `\r` at its end, as `docker login --password-stdin` reads.

    https://github.com/docker/cli/blob/v28.2.2/cli/command/registry/login.go
    """
    return text.removesuffix("\n").removesuffix("\r")


def fault(member: str, text: str) -> Reason | None:
    """
    Return why *text* is not valid for *member*, or None.

    Only the format is checked.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        # Checked here: later, the encoder's error would quote the whole secret.
        return causes.NOT_UTF8
    if member == "PASSWORD":
        # docker removes NULs at the end, so it would send another password.
        # https://github.com/docker/cli/blob/v28.2.2/cli/config/configfile/file.go (decodeAuth)
        return causes.HOLDS_NUL if "\0" in text else None
    if any(unicodedata.category(character) == "Cc" for character in text):
        return causes.HOLDS_CONTROL
    if member == "USER" and ":" in text:
        return causes.HOLDS_COLON
    if member == "KIND" and not re.fullmatch(_KIND, text):
        return causes.NO_KIND
    if member == "REGION" and not re.fullmatch(_REGION, text):
        return causes.NO_REGION
    return None
