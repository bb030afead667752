# SPDX-License-Identifier: MIT
"""
File operations that several modules need.

The credential helper imports this at every pull, so imports must stay cheap.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Seconds between two tries for a lock, the shortest and the longest.
_FIRST_WAIT = 0.002
_LAST_WAIT = 0.05
# Of the time waited so far: what a try too late adds to it.
_SHARE = 0.1
# Seconds; shorter waits are not reported.
_A_MOMENT = 1.0


def find_program(name: str, environ: Mapping[str, str]) -> str | None:
    """
    Return the path of the program *name* as docker finds it on PATH, or None.

    Like Go, it ends the search at a program in a relative folder of PATH, and does not start it.
    https://pkg.go.dev/os/exec#hdr-Executables_in_the_current_directory
    """
    # A slash would make it a path to any program.
    if not name or "/" in name or "\0" in name:
        return None
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        path = os.path.join(folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return path if os.path.isabs(path) else None
    return None


def read_regular(
    path: str, *, limit: int, dir_fd: int | None = None, follow: bool = True
) -> tuple[bytes, os.stat_result]:
    """
    Read a regular file without blocking; a pipe could block forever.

    Args:
        path: Path of the file.
        limit: Octets; a larger file is refused.
        dir_fd: Descriptor of the folder that *path* is relative to.
        follow: Whether *path* may be a link.

    Returns:
        Its content, and its result of `fstat`.

    Raises:
        OSError: It cannot be read; EISDIR or EINVAL: not a regular file; EFBIG: too large.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
    descriptor = os.open(path, flags if follow else flags | os.O_NOFOLLOW, dir_fd=dir_fd)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return read_all(descriptor, limit=limit), status
    finally:
        os.close(descriptor)


def write_all(descriptor: int, content: bytes, *, offset: int | None = None) -> None:
    """
    Write all of *content*, with as many calls as needed: a full disk writes a part first.

    Args:
        descriptor: Descriptor of the file.
        content: Octets to write.
        offset: Octets from the start of the file; None: where the last write ended.
    """
    rest = memoryview(content)
    while rest:
        if offset is None:
            taken = os.write(descriptor, rest)
        else:
            taken = os.pwrite(descriptor, rest, offset)
            offset += taken
        rest = rest[taken:]


def unlink_if_there(path: str, *, dir_fd: int | None = None) -> None:
    """
    Remove the file *path*; ignore all errors.
    """
    try:
        os.unlink(path, dir_fd=dir_fd)
    except OSError:
        pass


def make_folder(path: str) -> None:
    """
    Create *path* and missing parents with mode 0700, as docker does.
    """
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent not in ("", path):
        make_folder(parent)
    try:
        os.mkdir(path, 0o700)
    except FileExistsError:
        if not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from None


def is_shared(folder: int | str) -> bool:
    """
    Return whether other users or programs use *folder*, such as `/tmp`.

    A folder with other folders in it counts as well: closing it would break them.
    """
    if os.stat(folder).st_mode & stat.S_ISVTX:
        return True
    with os.scandir(folder) as entries:
        return any(entry.is_dir(follow_symlinks=False) for entry in entries)


def owner_of(path: str) -> int | None:
    """
    Return the user id of the owner of *path*, or None if unknown.
    """
    try:
        return os.stat(path).st_uid
    except OSError:
        return None


def lock(
    descriptor: int,
    *,
    timeout: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[float], object] = lambda _: None,
) -> None:
    """
    Lock the file or folder *descriptor*; closing it releases the lock.

    Args:
        descriptor: Descriptor of the file or folder.
        timeout: Seconds to wait for the lock.
        clock: Returns monotonic seconds.
        sleep: Waits for the given seconds.
        tell: Called once after a second of waiting, with the remaining seconds.

    Raises:
        TimeoutError: Another process still holds it.
        OSError: The file system has no locks.
    """
    began = clock()
    give_up, told = began + timeout, False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # noqa: PERF203  (one try is one look)
            now = clock()
            left = give_up - now
            if left <= 0:
                raise TimeoutError from None
            if not told and now - began >= _A_MOMENT:
                told = True
                tell(left)
            wait = min(max(_FIRST_WAIT, _SHARE * (now - began)), _LAST_WAIT)
            # Processes that began together must not try together, and all be too early.
            sleep(min(wait * (0.5 + os.urandom(1)[0] / 255), left))
        else:
            return


def read_all(descriptor: int, *, limit: int) -> bytes:
    """
    Read *descriptor* to its end.

    Raises:
        OSError: EFBIG: it has more than *limit* octets; EINVAL: it does not wait for its writer.
    """
    pieces: list[bytes] = []
    left = limit + 1
    while left:
        try:
            piece = os.read(descriptor, min(left, 1024 * 1024))
        except BlockingIOError:
            # Such as the kernel's log, which looks like a file and acts like a pipe.
            raise OSError(errno.EINVAL, "not a regular file") from None
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)
        left -= len(piece)
    raise OSError(errno.EFBIG, f"larger than {limit // 1024} KiB")
