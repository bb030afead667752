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
    Who else would read what is written to *stream*, or None: it is a pipe, or a private file.
    """
    if stream.isatty():
        return causes.EXPOSED_ON_TERMINAL.error()
    try:
        status = os.fstat(stream.fileno())
    except OSError:
        return None  # not a file of the system at all
    if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077:
        return causes.EXPOSED_IN_FILE.error()
    return None


def write_privately(path: str, content: bytes) -> None:
    """
    Make *content* the whole of the file *path*, 0600, at once or not at all.

    A link is refused: in a folder that others may write to, it would be they who chose the file.

    Raises:
        ConfigError: It can't be written, or is a link, no file, or somebody else's; it is as it
            was.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            before = look(name, folder=fd)
            if before.status is not None and before.status.st_uid != os.geteuid():
                # Replaced, it would stay theirs: a file keeps its owner.
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
