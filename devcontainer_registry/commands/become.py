# SPDX-License-Identifier: MIT
"""
Becoming the remote user, for a hook that root runs.

By being that user before the first file is opened, never by giving files away afterwards: root in
a folder that somebody else may write to can be led anywhere by a link.
"""

from __future__ import annotations

import os
import pwd

from ..discovery.nearest import nearest

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import MutableMapping

# What says where root's own things are, not the user's.
_OF_THE_SESSION = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR")


class BecomingError(ValueError):
    """
    Nobody can be that user, or not we.  Its text never quotes what was given.
    """


def become(name: str, environ: MutableMapping[str, str]) -> None:
    """
    Be the user *name* from now on, for good, and let *environ* say so.

    Who is that user already stays as they are, so that one command line serves both.

    Args:
        name: As the user database has it, or a number in it.
        environ: Gets HOME, USER and LOGNAME; whatever says where the old user's things are goes.

    Raises:
        BecomingError: There is no such user, we are not root, or root may not here.
    """
    user = _found(name)
    if os.getuid() == os.geteuid() == user.pw_uid and user.pw_uid != 0:
        return
    if os.geteuid() != 0:
        msg = "only root may become another user"
        raise BecomingError(msg)
    try:
        # In this order: without root's rights there is no changing of groups any more.
        os.setgroups(os.getgrouplist(user.pw_name, user.pw_gid))
        os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
        os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    except OSError as exc:
        msg = f"root may not become another user here: {os.strerror(exc.errno or 0)}"
        raise BecomingError(msg) from exc
    environ.update(HOME=user.pw_dir, USER=user.pw_name, LOGNAME=user.pw_name)
    for variable in _OF_THE_SESSION:
        environ.pop(variable, None)
    # What else of us and of Python is to be loaded, is loaded by that user.
    for what, file in (("the package", __file__), ("this Python", os.__file__)):
        if not os.access(file, os.R_OK):
            msg = f"that user cannot read {what}, {file}; install it where all users can read it"
            raise BecomingError(msg)


def _found(name: str) -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(name)
    except (KeyError, ValueError):
        pass  # a number, as `remoteUser` may be one
    try:
        return pwd.getpwuid(int(name))
    except (KeyError, ValueError, OverflowError):
        meant = nearest(name, [user.pw_name for user in pwd.getpwall()])
        msg = "there is no such user here" + (f"; did you mean {meant}?" if meant else "")
        raise BecomingError(msg) from None
