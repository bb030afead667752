# SPDX-License-Identifier: MIT
"""
Files and streams that may receive exported secrets.
"""

from __future__ import annotations

import errno
import os
import stat

from ..errors import ConfigChangedError, ConfigError, RegistryError, printable
from .safe_write import look, replace

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import BinaryIO


def exposed(stream: BinaryIO) -> RegistryError | None:
    """
    Who else would read what is written to *stream*, or None: it is a pipe, or a private file.
    """
    why = None
    if stream.isatty():
        why = "stdout is a terminal, and would show the secrets"
    else:
        try:
            status = os.fstat(stream.fileno())
        except OSError:
            return None  # not a file of the system at all
        if stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) & 0o077:
            why = "stdout is a file that others may read"
    if why is None:
        return None
    return RegistryError(
        why, hint="use --output FILE, which makes it for you alone; or --force", code="exposed"
    )


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
                raise _refused(path, "belongs to somebody else")
            replace(name, content, folder=fd, before=before, mode=0o600, path=path)
        finally:
            os.close(fd)
    except ConfigChangedError as exc:
        raise ConfigError(exc.message, hint=exc.hint, code=exc.code) from None
    except OSError as exc:
        if exc.errno == errno.ELOOP:
            raise _refused(path, "is a link") from exc
        if exc.errno in (errno.EISDIR, errno.EINVAL, errno.ENXIO):
            raise _refused(path, "is no file") from exc
        raise _refused(path, f"can't be written: {os.strerror(exc.errno or 0)}") from exc


def _refused(path: str, why: str) -> ConfigError:
    return ConfigError(f"{printable(path)} {why}", hint="name another file", code="output-refused")
