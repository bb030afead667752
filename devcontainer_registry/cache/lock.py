# SPDX-License-Identifier: MIT
"""
Locks of the cache, and leftovers of killed writes.
"""

from __future__ import annotations

import os
import time

from ..files import lock, unlink_if_there

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..registry import Registry

# No write takes longer, even on a slow disk.
_WRITE_MAX = 60.0  # seconds


class Lock:
    """
    A lock that one process holds at a time; it is released when the process ends.
    """

    def __init__(
        self, path: str, registry: Registry, *, open_file: Callable[[], int], timeout: float
    ) -> None:
        """
        Prepare the lock without taking it.

        Args:
            path: Path of the cache folder, for messages.
            registry: Registry of the entry.
            open_file: Returns a descriptor of the lock file.
            timeout: Seconds to wait.
        """
        self._path = path
        self._registry = registry
        self._open_file = open_file
        self._timeout = timeout
        self._fd = -1

    def __enter__(self) -> None:
        """
        Take the lock.

        Raises:
            ConfigError: The timeout passed, or the folder cannot be used.
        """
        self._fd = self._open_file()
        try:
            lock(self._fd, timeout=self._timeout)
        except TimeoutError:
            self.__exit__()
            from ..causes.cache import LOCKED  # as in `folder`

            raise LOCKED.error(host=self._registry) from None
        except OSError as exc:
            self.__exit__()
            from ..causes.cache import NO_LOCKS

            reason = os.strerror(exc.errno or 0)
            raise NO_LOCKS.error(folder=self._path, reason=reason) from exc

    def __exit__(self, *exc_info: object) -> None:
        """
        Release the lock.
        """
        os.close(self._fd)


def sweep(name: str, folder: int, hidden: list[str] | None) -> list[str]:
    """
    Remove temporary files of *name* that killed runs left: they may hold a secret.

    Args:
        name: Name of the file that they were to become.
        folder: Descriptor of the folder.
        hidden: What an earlier call returned; None: list the folder.

    Returns:
        Hidden files of the folder.  A run that writes many entries lists it once: what was left
        since is too young to be removed.
    """
    if hidden is None:
        hidden = [found for found in os.listdir(folder) if found.startswith(".")]
    for found in hidden:
        tail = found.removeprefix(f".{name}.")
        if tail != found and tail.partition(".")[0].isdigit():
            try:
                written = os.stat(found, dir_fd=folder, follow_symlinks=False).st_mtime
            except OSError:
                continue  # in place meanwhile
            # By age: process ids are reused in the next container.
            if time.time() - written > _WRITE_MAX:
                unlink_if_there(found, dir_fd=folder)
    return hidden
