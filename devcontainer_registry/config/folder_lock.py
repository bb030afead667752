# SPDX-License-Identifier: MIT
"""
A lock on a folder among processes of this package.
"""

from __future__ import annotations

import errno
import os
from contextlib import contextmanager

from ..causes import config as causes
from ..files import lock

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Errors of a file system without locks on folders (some of FUSE and NFS).
_NO_LOCKS = frozenset({errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP})


@contextmanager
def locked(
    path: str,
    *,
    timeout: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    tell: Callable[[float], object] = lambda _: None,
) -> Iterator[tuple[int, float]]:
    """
    Lock the folder *path*; yield its descriptor and the seconds waited.

    Rule 6 among our processes.  The lock is on the folder, since the file is replaced.  It is
    opened read-only: that leaves no file behind and needs no write permission.

    Raises:
        ConfigError: Another process held it for *timeout* seconds (`config-locked`), or the file
            system has no locks (`config-unlockable`).
    """
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        started = clock()
        try:
            lock(folder, timeout=timeout, clock=clock, sleep=sleep, tell=tell)
        except TimeoutError:
            raise causes.LOCK_HELD.error(path=path, seconds=timeout) from None
        except OSError as exc:
            if exc.errno not in _NO_LOCKS:
                raise
            raise causes.NO_LOCKS.error(path=path) from exc
        if not os.path.samestat(os.fstat(folder), os.stat(path)):
            raise causes.CHANGED.error(path=path)
        yield folder, clock() - started
    finally:
        os.close(folder)
