# SPDX-License-Identifier: MIT
"""
Atomic replacement of a file.

Names are relative to a folder's descriptor, so the locked folder is the one written to, even if it
is renamed.  Failures are `OSError`; the caller explains them.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from dataclasses import dataclass
from functools import partial

from ..causes.config import CHANGED
from ..files import read_regular, unlink_if_there, write_all

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from .rescue import Rescue

# Ten thousand logins are 3 MiB.
SIZE_MAX = 16 * 1024 * 1024  # octets

_MARK = ".devcontainer-registry-"
_MARK_LENGTH = 16  # hexadecimal digits after it
_HEX = frozenset("0123456789abcdef")

_EXCHANGE = 2  # RENAME_EXCHANGE
# The system call's number, for a C library that has no function for it (musl).
# https://github.com/torvalds/linux/blob/v6.6/arch/x86/entry/syscalls/syscall_64.tbl
# https://github.com/torvalds/linux/blob/v6.6/include/uapi/asm-generic/unistd.h
_RENAMEAT2 = {"x86_64": 316, "aarch64": 276, "riscv64": 276}

_NO_FOLDER_SYNC = frozenset({errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.ENOTSUP})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    Snapshot of a file.

    Attributes:
        raw: Its content; None if there was no file.
        status: Its result of `fstat`.
    """

    raw: bytes | None
    status: os.stat_result | None = None

    def is_same(self, other: Seen) -> bool:
        """
        Return whether the file did not change between this and *other*.
        """
        return self.raw == other.raw and _identity(self.status) == _identity(other.status)


def look(name: str, *, folder: int | None = None) -> Seen:
    """
    Read the file *name*, following a link unless it is looked up in *folder*.

    Raises:
        OSError: It cannot be read, is not a regular file (EISDIR, EINVAL), or is too large (EFBIG).
    """
    try:
        raw, status = read_regular(name, limit=SIZE_MAX, dir_fd=folder, follow=folder is None)
    except FileNotFoundError:
        return Seen(raw=None)
    return Seen(raw=raw, status=status)


def sweep(name: str, *, folder: int) -> None:
    """
    Remove temporary files of killed runs beside *name*; the caller holds the lock.
    """
    prefix = name + _MARK
    for found in os.listdir(folder):
        tail = found.removeprefix(prefix)
        if found != tail and len(tail) == _MARK_LENGTH and _HEX.issuperset(tail):
            unlink_if_there(found, dir_fd=folder)


def replace(
    name: str,
    content: bytes,
    *,
    folder: int,
    before: Seen,
    mode: int,
    path: str,
) -> None:
    """
    Replace the file *name*, whose state is *before*, with *content*.

    Rule 3: the temporary file is beside the target, since a rename cannot cross file systems.  It
    has mode 0600 before it has content.  fsync comes before the rename, or a power cut leaves an
    empty file.  It is removed on any exception.

    Rule 6: a program without a lock may replace the file between our last check and the rename.  So
    both files are exchanged, and exchanged back if ours did not replace *before*.  Without that
    system call, the race remains.

    Raises:
        ConfigChangedError: Another program wrote since *before*; its content is in place.
    """
    temporary = name + _MARK + os.urandom(_MARK_LENGTH // 2).hex()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        try:
            _copy_owner(before.status, fd)
            write_all(fd, content)
            os.fchmod(fd, mode)
            os.fsync(fd)
            written = Seen(raw=content, status=os.fstat(fd))
        finally:
            os.close(fd)
        exchange = exchanger(folder)
        _check_same(look(name, folder=folder), before, path)
        if before.raw is None:
            _create(temporary, name, folder=folder, path=path)
        elif not exchange(temporary, name):
            os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        elif _is_unchanged(temporary, before, folder=folder):
            os.unlink(temporary, dir_fd=folder)
        else:
            exchange(temporary, name)
            if not _is_unchanged(temporary, written, folder=folder):
                # Another program replaced ours: its file stays.
                exchange(temporary, name)
            raise CHANGED.error(path=path)  # noqa: TRY301  (what was made is removed on this way, too)
    except BaseException:
        unlink_if_there(temporary, dir_fd=folder)
        raise
    _sync_folder(folder)


def _create(temporary: str, name: str, *, folder: int, path: str) -> None:
    """
    Rename *temporary* to *name*, unless another program created that file.
    """
    try:
        os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        raise CHANGED.error(path=path) from None
    except OSError:  # no hard links on this file system or for this user
        os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    else:
        os.unlink(temporary, dir_fd=folder)


def _is_unchanged(temporary: str, expected: Seen, *, folder: int) -> bool:
    """
    Return whether the file *temporary* is the *expected* one.
    """
    try:
        # Compare inodes first: until it is back in place, others read our file.
        status = os.stat(temporary, dir_fd=folder, follow_symlinks=False)
        if _identity(status) != _identity(expected.status):
            return False
        return look(temporary, folder=folder).raw == expected.raw
    except OSError:  # not a file
        return False


def exchanger(folder: int) -> Callable[[str, str], bool]:
    """
    Return a function that exchanges two files of *folder* atomically.

    It returns False and does nothing if the system has no such call.
    https://man7.org/linux/man-pages/man2/renameat2.2.html (RENAME_EXCHANGE)
    """
    try:
        import ctypes
    except ImportError:  # a Python without it
        return lambda *_: False
    libc = ctypes.CDLL(None)
    call, number = getattr(libc, "renameat2", None), _RENAMEAT2.get(os.uname().machine)
    if call is None and number is not None and sys.platform == "linux":
        call = partial(libc.syscall, number)
    if call is None:
        return lambda *_: False

    def exchange(one: str, other: str) -> bool:
        return bool(call(folder, os.fsencode(one), folder, os.fsencode(other), _EXCHANGE) == 0)

    return exchange


def rewrite(  # noqa: D417  (the others are as in `replace`)
    name: str,
    content: bytes,
    *,
    folder: int,
    before: Seen,
    mode: int,
    path: str,
    rescue: Rescue,
) -> None:
    """
    Write *content* to the file *name* in place, if it cannot be replaced.

    Rule 5.  A reader may see a partial file, so that time is kept short: first the space is
    reserved with white space, which is valid, then one call writes everything.

    Args:
        rescue: Holds the old content meanwhile.
    """
    assert before.raw is not None
    old = before.raw
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    fd = os.open(name, flags, dir_fd=folder)
    try:
        _check_same(look(name, folder=folder), before, path)
        rescue.keep(old, content)
        try:
            if before.status is not None and stat.S_IMODE(before.status.st_mode) != mode:
                _chmod_quietly(fd, mode)
            size = max(len(old), len(content))
            write_all(fd, b"\n" * (size - len(old)), offset=len(old))
            os.fsync(fd)  # a full disk or quota fails here at the latest
            write_all(fd, content.ljust(size, b"\n"), offset=0)
            os.ftruncate(fd, len(content))
            os.fsync(fd)
        except BaseException:
            # If this fails as well, the next run restores the file.
            put_back(fd, old)
            rescue.drop()
            raise
        rescue.drop()
    finally:
        os.close(fd)


def restore(name: str, content: bytes, *, folder: int) -> None:
    """
    Restore the old *content* of a partially written file.
    """
    fd = os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        put_back(fd, content)
    finally:
        os.close(fd)


def put_back(fd: int, content: bytes) -> None:
    """
    Replace the content of the open file *fd*.
    """
    write_all(fd, content, offset=0)
    os.ftruncate(fd, len(content))
    os.fsync(fd)


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    # Not the change time: opening the file may update it on some file systems.
    if status is None:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _copy_owner(status: os.stat_result | None, fd: int) -> None:
    if status is None:
        return
    mine = os.fstat(fd)
    if status.st_uid != mine.st_uid:
        # Fails unless we are root: a replacement would change the owner.  The file is then
        # rewritten in place, or not at all.
        os.fchown(fd, status.st_uid, status.st_gid)
    elif status.st_gid != mine.st_gid:
        try:
            os.fchown(fd, -1, status.st_gid)
        except OSError:
            pass  # we are not in that group; docker ignores this as well


def _chmod_quietly(fd: int, mode: int) -> None:
    try:
        os.fchmod(fd, mode)
    except OSError:
        pass  # another user's file that we may write: its mode stays


def _sync_folder(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as exc:
        if exc.errno not in _NO_FOLDER_SYNC:
            raise


def _check_same(now: Seen, before: Seen, path: str) -> None:
    if not now.is_same(before):
        raise CHANGED.error(path=path)
