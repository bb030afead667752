# SPDX-License-Identifier: MIT
"""
The copy kept while a file is rewritten in place.

Rule 5.  It holds the old and the new content: only with both can one tell a file that was cut
off half-way from one that somebody else wrote since.
"""

from __future__ import annotations

import os
import stat

from ..causes.config import NO_SAFE_PLACE
from ..files import is_shared, make_folder, read_regular, unlink_if_there, write_all

_MAGIC = b"devcontainer-registry rescue 1 "
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Octets: two files of the size that is refused, and a line.
_SIZE_MAX = 33 * 1024 * 1024


class Rescue:
    """
    The copy for the file *target*, in the folder *folder*.
    """

    def __init__(self, folder: str, target: str) -> None:
        import hashlib  # 3 ms, and only a file that is written or torn needs it

        name = hashlib.sha256(os.fsencode(target)).hexdigest()[:32]
        self._folder = folder
        self.path = os.path.join(folder, f"rescue-{name}")
        # One name for all runs, so that what a killed one left is found and removed.
        self._temporary = f"{self.path}.new"

    def keep(self, old: bytes, new: bytes) -> None:
        """
        Have both on the disk before the file is touched.
        """
        _make_private(self._folder)
        temporary = self._temporary
        unlink_if_there(temporary)
        fd = os.open(temporary, _NEW, 0o600)
        try:
            try:
                write_all(fd, b"%s%d\n%s%s" % (_MAGIC, len(old), old, new))
                os.fsync(fd)
            finally:
                os.close(fd)
            os.replace(temporary, self.path)
        except BaseException:
            unlink_if_there(temporary)
            raise
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def drop(self) -> None:
        """
        Remove the copy: the file is whole.
        """
        unlink_if_there(self.path)
        unlink_if_there(self._temporary)

    def old_content(self, raw: bytes, *, parses: bool) -> bytes | None:
        """
        What the file held before a rewrite that was cut off; None: it is not torn, or not by us.

        Args:
            raw: What the file holds.
            parses: Whether that is a config.json at all.
        """
        kept = self._read()
        if kept is None:
            return None
        old, new = kept
        if raw.rstrip() in (old.rstrip(), new.rstrip()) and parses:
            return None
        return old if not parses or not raw.strip() or _is_mixture(raw, old, new) else None

    def _read(self) -> tuple[bytes, bytes] | None:
        try:
            content, found = read_regular(self.path, limit=_SIZE_MAX, follow=False)
        except OSError:
            return None  # not there, or a link and so not ours
        if found.st_uid != os.geteuid():
            return None
        head, _, rest = content.partition(b"\n")
        length = head.removeprefix(_MAGIC)
        if not head.startswith(_MAGIC) or not length.isdigit():
            return None
        return rest[: int(length)], rest[int(length) :]


def _is_mixture(raw: bytes, old: bytes, new: bytes) -> bool:
    """
    Whether *raw* begins as *new* and goes on as *old*: a write that a kill cut off.

    It may be valid JSON all the same, and would then lack a member or hold half a password.
    """
    size = max(len(old), len(new))
    padded_old, padded_new = old.ljust(size, b"\n"), new.ljust(size, b"\n")
    if len(raw) != size:
        return False
    same = next((i for i, (a, b) in enumerate(zip(raw, padded_new, strict=True)) if a != b), size)
    return raw[same:] == padded_old[same:]


def _make_private(path: str) -> None:
    """
    Create *path* for us alone, or make sure that it is.
    """
    nearest = path
    while not os.path.lexists(nearest):
        nearest = os.path.dirname(nearest) or "."
    found = os.lstat(nearest)
    if nearest != path and found.st_uid in (0, os.geteuid()):
        make_folder(path)
        found = os.lstat(path)
    closed = not stat.S_IMODE(found.st_mode) & 0o077
    if (
        not stat.S_ISDIR(found.st_mode)
        or found.st_uid != os.geteuid()
        or (not closed and is_shared(path))
    ):
        raise NO_SAFE_PLACE.error(path=path)
    if not closed:
        os.chmod(path, 0o700)
