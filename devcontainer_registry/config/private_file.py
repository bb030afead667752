# SPDX-License-Identifier: MIT
"""
Files and streams that may receive exported secrets.
"""

from __future__ import annotations

import errno
import os
import stat

from ..causes import export as causes
from ..errors import ConfigChangedError, ConfigError, printable
from .safe_write import look, replace

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import BinaryIO

    from ..errors import RegistryError


def exposed(stream: BinaryIO) -> RegistryError | None:
    """
    Return who else can read *stream*; None if it is a pipe or a private file.
    """
    if stream.isatty():
        return causes.EXPOSED_ON_TERMINAL.error()
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None  # not a file of the system
    if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077:
        return causes.EXPOSED_IN_FILE.error()
    return None


def write_privately(path: str, content: bytes) -> None:
    """
    Write *content* to the file *path* atomically, with mode 0600.

    A link is refused: in a shared folder, another user may have chosen its target.

    Raises:
        ConfigError: It cannot be written, is a link or no file, or another user owns it; it is
            unchanged.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            before = look(name, folder=fd)
            if before.status is not None and before.status.st_uid != os.geteuid():
                # A replaced file keeps its owner.
                raise causes.OUTPUT_OF_OTHERS.error(path=printable(path))
            replace(name, content, folder=fd, before=before, mode=0o600, path=path)
        finally:
            os.close(fd)
    except ConfigChangedError as exc:
        raise ConfigError(exc.message, hint=exc.hint, code=exc.code) from None
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise causes.OUTPUT_IS_LINK.error(path=printable(path)) from exc
        if exc.errno in (errno.EISDIR, errno.EINVAL, errno.ENXIO):
            raise causes.OUTPUT_IS_NO_FILE.error(path=printable(path)) from exc
        reason = os.strerror(exc.errno or 0)
        raise causes.OUTPUT_UNWRITABLE.error(path=printable(path), reason=reason) from exc
