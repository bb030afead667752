# SPDX-License-Identifier: MIT
"""
One edit of config.json, from the lock to the last check.
"""

from __future__ import annotations

import errno
import os
import stat

from ..cache.folder import Cache
from ..causes.config import CHANGED
from ..errors import DamagedError, printable
from ..files import make_folder
from ..observer import tell
from . import safe_write
from .document import Document
from .folder_lock import locked
from .rescue import Rescue
from .safe_write import Seen

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..observer import Observer

# VS Code writes the file with `cat >`, so it may be empty or partial for a moment.
_SETTLE = 0.15  # seconds

# Errors for a file that cannot be replaced: a mount point, or a read-only folder.
_UNREPLACEABLE = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})


class Editor:
    """
    Reads and edits the file *path*.
    """

    def __init__(
        self,
        path: str,
        *,
        rescue_dir: str | None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.path = path
        self._rescue_dir = rescue_dir
        self._clock = clock
        self._sleep = sleep

    def read(self) -> Document:
        """
        Like `DockerConfig.read`, but raises `OSError` for errors of the system.
        """
        document, torn, seen = self._settled(lambda: safe_write.look(self.path))
        tell("config.read", path=self.path, bytes=None if seen.raw is None else len(seen.raw))
        # The next run that can write restores the file.
        return document if torn is None else Document.parse(torn, where=printable(self.path))

    def edit(
        self, change: Callable[[Document], None], *, timeout: float, observe: Observer
    ) -> bool:
        """
        Like `DockerConfig.edit`, but raises `OSError` for errors of the system.
        """
        target = self._target()
        path, name = os.path.split(target)
        make_folder(path)

        def tell_waiting(seconds: float) -> None:
            observe("config.lock_waiting", path=path, seconds=round(seconds, 3))

        held = locked(
            path, timeout=timeout, clock=self._clock, sleep=self._sleep, tell=tell_waiting
        )
        with held as (folder, waited):
            if waited >= _SETTLE:
                observe("config.lock_waited", path=self.path, seconds=round(waited, 3))
            safe_write.sweep(name, folder=folder)
            document, before = self._whole(name, folder, observe)
            old = document.dump()
            change(document)
            new = document.dump()
            # Rule 2: unchanged content is not written.  A byte order mark counts as a change:
            # docker cannot read the file with it.
            if new == old and not document.had_bom:
                return False
            if document.unwritable is not None:
                raise document.unwritable
            if len(new) > safe_write.SIZE_MAX:
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
            self._write(
                name,
                new,
                folder=folder,
                before=before,
                mode=_mode(document, before),
                observe=observe,
            )
            # Rule 6 again: by name, as docker will read it.
            if safe_write.look(self.path).raw != new:
                raise CHANGED.error(path=printable(self.path))
            return True

    def _target(self) -> str:
        # Rule 4: write through the link, as docker does.  Replacing it would orphan the dotfiles
        # that it points to.
        target = os.path.realpath(self.path)
        if os.path.islink(target):
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        return target

    def _whole(self, name: str, folder: int, observe: Observer) -> tuple[Document, Seen]:
        """
        Read the file under the lock, after restoring it if our last rewrite was interrupted.
        """
        document, torn, before = self._settled(lambda: safe_write.look(name, folder=folder))
        if torn is not None:
            safe_write.restore(name, torn, folder=folder)
            observe("config.restored", path=self.path)
            before = safe_write.look(name, folder=folder)
            document = Document.parse(before.raw or b"", where=printable(self.path))
        # An outdated copy must not overwrite later changes of other programs.
        self._rescue().drop()
        return document, before

    def _settled(self, look: Callable[[], Seen]) -> tuple[Document, bytes | None, Seen]:
        """
        Return the content, the old content if our rewrite was interrupted, and the file's state.

        Rule 7: content that looks damaged or empty is read once more.
        """
        seen = look()
        where = printable(self.path)
        try:
            if seen.raw != b"":
                document = Document.parse(seen.raw or b"", where=where)
                return document, self._torn(seen, parses=True), seen
        except DamagedError:
            pass
        self._sleep(_SETTLE)
        seen = look()
        try:
            document = Document.parse(seen.raw or b"", where=where)
        except DamagedError:
            torn = self._torn(seen, parses=False)
            if torn is None:
                raise
            return Document(), torn, seen
        return document, self._torn(seen, parses=True), seen

    def _torn(self, seen: Seen, *, parses: bool) -> bytes | None:
        return None if seen.raw is None else self._rescue().old_content(seen.raw, parses=parses)

    def _write(
        self,
        name: str,
        content: bytes,
        *,
        folder: int,
        before: Seen,
        mode: int,
        observe: Observer,
    ) -> None:
        try:
            safe_write.replace(
                name, content, folder=folder, before=before, mode=mode, path=printable(self.path)
            )
        except OSError as exc:
            if before.raw is None or exc.errno not in _UNREPLACEABLE:
                raise
            reason = errno.errorcode[exc.errno]
        else:
            created = before.raw is None
            facts = {"bytes": len(content), "mode": f"{mode:04o}", "created": created}
            observe("config.replaced", path=self.path, **facts)
            return
        # Rule 5.
        safe_write.rewrite(
            name,
            content,
            folder=folder,
            before=before,
            mode=mode,
            path=printable(self.path),
            rescue=self._rescue(),
        )
        observe("config.rewritten_in_place", path=self.path, bytes=len(content), reason=reason)

    def _rescue(self) -> Rescue:
        return Rescue(self._rescue_dir or Cache.locate().path, os.path.realpath(self.path))


def _mode(document: Document, before: Seen) -> int:
    """
    Return the mode for the file: unchanged, but closed to others if it holds a login.

    docker keeps a mode of 0644, which comes from the umask and exposes passwords.
    """
    if before.status is None:
        return 0o600
    mode = stat.S_IMODE(before.status.st_mode) & 0o777
    return mode & 0o700 if document.holds_secrets else mode
