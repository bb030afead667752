# SPDX-License-Identifier: MIT
"""
Small things done to files and folders, once for everybody.

docker starts our helper at every pull, and it imports this: nothing here may be dear.
"""

from __future__ import annotations

import os
import stat

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """
    Return the path of the program *name* as docker finds it on PATH, or None.

    Like Go, which docker is written in: a program in a relative folder of PATH is not started, and
    nothing is looked for behind it.
    https://pkg.go.dev/os/exec#hdr-Executables_in_the_current_directory
    """
    # A slash would make it a path, and so whatever program a file names.
    if not name or "/" in name or "\0" in name:
        return None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path if os.path.isabs(path) else None
    return None


def open_without_waiting(
    path: str | bytes | os.PathLike[str], *, flags: int = 0, dir_fd: int | None = None
) -> int:
    """
    Open *path* for reading, without waiting for whoever writes into a pipe or owns a device.

    Returns:
        The descriptor, which the caller closes; see `is_regular`.

    Raises:
        OSError: It cannot be opened.
    """
    always = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    return os.open(path, always | flags, dir_fd=dir_fd)


def is_regular(descriptor: int) -> bool:
    """
    Return whether *descriptor* is a file on a disk: no folder, pipe, socket or device.
    """
    return stat.S_ISREG(os.fstat(descriptor).st_mode)


def write_all(descriptor: int, content: bytes) -> None:
    """
    Write *content*, however many writes it takes: a disk that fills up takes a part first.
    """
    while content:
        content = content[os.write(descriptor, content) :]


def unlink_if_there(path: str, *, dir_fd: int | None = None) -> None:
    """
    Remove the file *path*; that it cannot be removed, or is not there, is no failure.
    """
    try:
        os.unlink(path, dir_fd=dir_fd)
    except OSError:
        pass
