# SPDX-License-Identifier: MIT
"""
The copy kept while a file is rewritten in place.

Rule 5.  It holds the old and the new content, to tell an interrupted rewrite from a later change by
another program.
"""

from __future__ import annotations

import os
import stat

from ..causes.config import NO_SAFE_PLACE
from ..files import is_shared, make_folder, read_regular, unlink_if_there, write_all

_MAGIC = b"devcontainer-registry rescue 1 "
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Octets: two files of the maximum size, and a line.
_SIZE_MAX = 33 * 1024 * 1024


class Rescue:
    """
    Recovery copy of the file *target*, in the folder *folder*.
    """

    def __init__(self, folder: str, target: str) -> None:
        import hashlib  # takes 3 ms, and is rarely needed

        name = hashlib.sha256(os.fsencode(target)).hexdigest()[:32]
        self._folder = folder
        self.path = os.path.join(folder, f"rescue-{name}")
        # The same name in all runs, so that the copy of a killed run is found.
        self._temporary = f"{self.path}.new"

    def keep(self, old: bytes, new: bytes) -> None:
        """
        Write both contents to disk before the file is changed.
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
        Remove the copy after the file is complete.
        """
        unlink_if_there(self.path)
        unlink_if_there(self._temporary)

    def old_content(self, raw: bytes, *, parses: bool) -> bytes | None:
        """
        Return the content before our interrupted rewrite; None if there was none.

        Args:
            raw: Current content of the file.
            parses: Whether it parses as a config.json.
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
            return None  # missing, or a link and so not ours
        if found.st_uid != os.geteuid():
            return None
        head, _, rest = content.partition(b"\n")
        length = head.removeprefix(_MAGIC)
        if not head.startswith(_MAGIC) or not length.isdigit():
            return None
        return rest[: int(length)], rest[int(length) :]


def _is_mixture(raw: bytes, old: bytes, new: bytes) -> bool:
    """
    Return whether *raw* starts as *new* and continues as *old*: an interrupted write.

    It may still be valid JSON, with a missing member or half a password.
    """
    size = max(len(old), len(new))
    padded_old, padded_new = old.ljust(size, b"\n"), new.ljust(size, b"\n")
    if len(raw) != size:
        return False
    same = next((i for i, (a, b) in enumerate(zip(raw, padded_new, strict=True)) if a != b), size)
    return raw[same:] == padded_old[same:]


def _make_private(path: str) -> None:
    """
    Create the folder *path* with access for this user only, or check it.
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
