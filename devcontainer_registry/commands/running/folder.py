# SPDX-License-Identifier: MIT
"""
Private folders of runs: created, locked, removed and swept.

The lock is on the folder itself.  The child process inherits its descriptor.  So a folder stays
locked after a `kill -9` of this process, until its child has ended, too.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys

from ...causes.workspace import running as causes
from ...errors import printable
from ...observer import tell

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...errors import ConfigError

PREFIX = "devcontainer-registry-run-"

_IN_MEMORY = "/dev/shm"  # noqa: S108  (a tmpfs on Linux, by convention of the C library)
_TEMPORARY = "/tmp"  # noqa: S108  (the name of a folder is unguessable)
_MOUNTS = "/proc/self/mountinfo"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STDERR = 2
_TRIES_MAX = 10


class PrivateFolder:
    """
    A folder that only this user can open.

    Attributes:
        path: Its path, which nobody can guess.
        lock: Its descriptor, which holds the lock.
    """

    def __init__(self, path: str, lock: int) -> None:
        self.path = path
        self.lock = lock

    @classmethod
    def create(cls, environ: Mapping[str, str]) -> PrivateFolder:
        """
        Create a folder in the first of the places where that works, and lock it.

        Raises:
            ConfigError: It works in none.
        """
        trouble: ConfigError | None = None
        for place in _places(environ):
            try:
                if not _is_safe(place):
                    trouble = causes.NO_SAFE_PLACE.error(place=printable(place))
                    continue
                return cls._create_in(place)
            except OSError as exc:
                reason = os.strerror(exc.errno or 0)
                trouble = causes.NO_FOLDER.error(place=printable(place), reason=reason)
        assert trouble is not None  # there is always a temporary folder to try
        raise trouble

    @classmethod
    def _create_in(cls, place: str) -> PrivateFolder:
        for _ in range(_TRIES_MAX):
            path = os.path.join(place, f"{PREFIX}{os.geteuid()}-{os.urandom(16).hex()}")
            os.mkdir(path, 0o700)
            os.chmod(path, 0o700)  # whatever the umask took
            try:
                folder = os.open(path, _FOLDER)
            except FileNotFoundError:
                continue  # another run swept it before it was locked
            if folder <= _STDERR:
                # A caller that closed its stdin must not find the lock there in the command.
                above = fcntl.fcntl(folder, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1)
                os.close(folder)
                folder = above
            if _is_locked(folder, path):
                tell("run.prepared", path=path)
                return cls(path, folder)
            os.close(folder)
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def remove(self) -> ConfigError | None:
        """
        Remove the folder with everything in it; return why something is left, or None.

        Links are removed, and never followed.
        """
        failure = _remove(self.path, self.lock)
        os.close(self.lock)
        if failure is None:
            return None
        reason = os.strerror(failure.errno or 0)
        return causes.LEFT_OVER.error(path=printable(self.path), reason=reason)


def sweep(environ: Mapping[str, str]) -> None:
    """
    Remove the folders of this user's runs that ended without removing theirs.

    A folder whose lock is held belongs to a run, or to its child, and stays.
    """
    for path in _folders_of_runs(environ):
        try:
            folder = os.open(path, _FOLDER)
        except OSError:  # it has just been removed, or is a link
            continue
        try:
            if os.fstat(folder).st_uid == os.geteuid():
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                failure = _remove(path, folder)
                tell("run.swept", path=path, ok=failure is None)
        except OSError:  # locked, or its file system has no locks
            continue
        finally:
            os.close(folder)


def _folders_of_runs(environ: Mapping[str, str]) -> Iterator[str]:
    for place in _places(environ):
        try:
            names = os.listdir(place)
        except OSError:
            continue
        for name in names:
            if name.startswith(f"{PREFIX}{os.geteuid()}-"):
                yield os.path.join(place, name)


def _places(environ: Mapping[str, str]) -> Iterator[str]:
    """
    Yield where a private folder may be, the best first: in memory, then on a disk.
    """
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    for place in (runtime, _IN_MEMORY):
        if os.path.isabs(place) and _is_in_memory(place):
            yield place
    named = os.path.abspath(environ.get("TMPDIR") or _TEMPORARY)
    yield named
    if named != _TEMPORARY:
        yield _TEMPORARY


def _is_safe(place: str) -> bool:
    """
    Return whether no other user can replace a folder of ours in *place*.
    """
    found = os.stat(place)
    is_ours = found.st_uid in (0, os.geteuid())
    return is_ours and (not found.st_mode & stat.S_IWOTH or bool(found.st_mode & stat.S_ISVTX))


def _is_in_memory(place: str) -> bool:
    """
    Return whether *place* is on a tmpfs.
    """
    if sys.platform != "linux":
        return False
    try:
        device = os.stat(place).st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        with open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
            # proc(5): the device is the third field, and the type the first after " - ".
            return any(
                line.split(" ", 3)[2] == wanted and line.partition(" - ")[2].startswith("tmpfs ")
                for line in file
            )
    except (OSError, IndexError):
        return False


def _is_locked(folder: int, path: str) -> bool:
    """
    Lock *folder*; return whether it is still the one at *path*.
    """
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False  # another run is just sweeping it
    except OSError:
        return True  # no locks on this file system, so no run sweeps it, either
    try:
        return os.path.samestat(os.fstat(folder), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _remove(path: str, folder: int) -> OSError | None:
    """
    Remove the folder *path*, which *folder* has open; return the first error.
    """
    failure = None
    for _ in range(_TRIES_MAX):
        failure = _empty(folder)
        try:
            os.rmdir(path)
        except FileNotFoundError:
            return failure
        except OSError as exc:
            if failure is not None or exc.errno != errno.ENOTEMPTY:
                return failure or exc
            failure = exc  # a process that the child left behind has written there meanwhile
        else:
            return failure
    return failure


def _empty(top: int) -> OSError | None:
    """
    Remove all that is in the folder *top*; return the first error.

    A subfolder's own subfolders are moved up to *top* first: however deep they are nested, no more
    than two are open.
    """
    failure: OSError | None = None
    stuck: set[str] = set()
    while names := [name for name in os.listdir(top) if name not in stuck]:
        for name in names:
            try:
                _remove_one(name, top)
            except FileNotFoundError:  # noqa: PERF203  (one file is one try)
                continue
            except OSError as exc:
                stuck.add(name)
                failure = failure or exc
    return failure


def _remove_one(name: str, top: int) -> None:
    if not _is_folder(name, top):
        os.unlink(name, dir_fd=top)
        return
    failure: OSError | None = None
    folder = _opened(name, top)
    try:
        for inner in os.listdir(folder):
            try:
                if _is_folder(inner, folder):
                    os.close(_opened(inner, folder))  # moving it writes into it
                    os.rename(inner, os.urandom(16).hex(), src_dir_fd=folder, dst_dir_fd=top)
                else:
                    os.unlink(inner, dir_fd=folder)
            except FileNotFoundError:  # noqa: PERF203  (as above)
                continue
            except OSError as exc:
                failure = failure or exc
    finally:
        os.close(folder)
    if failure is not None:
        raise failure
    os.rmdir(name, dir_fd=top)


def _is_folder(name: str, folder: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)


def _opened(name: str, folder: int) -> int:
    """
    Return the descriptor of the subfolder *name*, made writable if it is not.
    """
    try:
        opened = os.open(name, _FOLDER, dir_fd=folder)
    except PermissionError:
        os.chmod(name, 0o700, dir_fd=folder)
        opened = os.open(name, _FOLDER, dir_fd=folder)
    try:
        if os.fstat(opened).st_mode & 0o700 != 0o700:
            os.fchmod(opened, 0o700)
    except PermissionError:
        pass  # another user's, which removing it will report
    return opened
