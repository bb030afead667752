# SPDX-License-Identifier: MIT
"""
Docker's config.json: its location, and safe editing.

The eight rules, each with the place that keeps it:

1. Foreign content survives: `json_text`, `document`.
2. An unchanged file is not written: `editing.Editor.edit`.
3. A temporary file beside the target, 0600, fsync, rename: `safe_write.replace`.
4. A symlink stays a symlink: `editing.Editor`.
5. A file that cannot be replaced is rewritten in place, with a copy for recovery:
   `safe_write.rewrite`, `rescue`.
6. No update is lost: `folder_lock` among our processes, checks against others.
7. A damaged file is not changed, and not quoted: `editing.Editor`, `json_text`.
8. Another program's helper is never replaced: `document.Document.set_helper`.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from ..cache.folder import Cache
from ..causes import config as causes
from ..errors import limit_error, printable
from ..observer import ignore, observed
from .auth_entry import auth_entry
from .document import Document
from .editing import Editor

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..errors import ConfigError
    from ..observer import Observer

__all__ = ["DockerConfig", "Document", "auth_entry"]


class DockerConfig:
    """
    A config.json of docker.

    Attributes:
        path: Path as the user named it; the file may not exist.
        refusal: Why this package never writes the file, or None.
        is_named: Whether `DOCKER_CONFIG` names the folder.
        is_copy: Whether it is a private copy, which only this process's children read.  In it, a
            set replaces another program's helper.
    """

    def __init__(
        self,
        path: str,
        *,
        rescue_dir: str | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Store the path; nothing is read yet.

        Args:
            path: Path of config.json.
            rescue_dir: Folder for the copy while a file is rewritten in place; None: our cache
                folder.
            clock: Returns monotonic seconds.
            sleep: Waits for the given seconds.
        """
        self.path: str = os.fspath(path)
        if not _is_path(self.path):
            raise causes.PATH_INVALID.error()
        self.refusal: ConfigError | None = None
        self.is_named = self.is_copy = False
        self._editor = Editor(self.path, rescue_dir=rescue_dir, clock=clock, sleep=sleep)

    @classmethod
    def locate(cls, environ: Mapping[str, str] | None = None) -> DockerConfig:
        """
        Return the config.json that docker reads with *environ*; None: `os.environ`.

        1. `$DOCKER_CONFIG/config.json`: the variable names a *folder*, which may not exist.  A
           relative one is read from the working directory, as docker does, and never created.  One
           with an unexpanded `~` or `$` is never written.
        2. `.docker/config.json` in `$HOME`, or else in the home of the user database.

        Raises:
            ConfigError: There is no home, or `$DOCKER_CONFIG` names a file.  envbuilder accepts a
                file; docker does not.
        """
        environ = os.environ if environ is None else environ
        named = environ.get("DOCKER_CONFIG")
        folder = named or os.path.join(_home(environ), ".docker")
        if os.path.isfile(folder) and named:
            above = printable(os.path.dirname(folder) or ".")
            raise causes.NAMED_FOLDER_IS_FILE.error(path=printable(folder), folder=above)
        if os.path.isfile(folder):
            raise causes.FOLDER_IS_FILE.error(path=printable(folder))
        config = cls(os.path.join(folder, "config.json"), rescue_dir=Cache.locate(environ).path)
        if named:
            config.is_named = True
            config.refusal = _refusal(named)
        return config

    def read(self) -> Document:
        """
        Read the file; a missing or empty one is an empty document.

        Raises:
            ConfigError: It cannot be read or is damaged.  The message quotes no content.
        """
        try:
            return self._editor.read()
        except OSError as exc:
            raise self._explained(exc) from exc

    def is_open(self) -> bool:
        """
        Return whether other users may read or write the file.
        """
        try:
            return bool(stat.S_IMODE(os.stat(self.path).st_mode) & 0o077)
        except OSError:
            return False  # cannot be seen, so it cannot be read

    def shuts_out(self, home: str) -> bool:
        """
        Return whether root owns the file in the *home* of another user, who cannot read it.

        This happens after `sudo docker` with the user's HOME.
        """
        try:
            user, owner = os.stat(home).st_uid, os.stat(self.path).st_uid
        except OSError:
            return False
        inside = os.path.abspath(self.path).startswith(os.path.abspath(home) + os.sep)
        return inside and owner == 0 and user != 0

    @observed
    def edit(
        self,
        change: Callable[[Document], None],
        *,
        timeout: float = 30.0,
        observe: Observer = ignore,
    ) -> bool:
        """
        Read the file, apply *change*, and write it; return whether it was written.

        Other processes of this package wait meanwhile.

        Args:
            change: Called once with the current content, to edit it.
            timeout: Seconds to wait for other processes of this package.
            observe: Gets the events `config.lock_waited`, `config.restored`, `config.replaced` and
                `config.rewritten_in_place`.

        Raises:
            ConfigChangedError: Another program wrote at the same time.  Its content is in place,
                ours may not be.  Start over.
            ConfigError: The file cannot be read, parsed, locked or written; it is unchanged.
        """
        if self.refusal is not None:
            raise self.refusal
        try:
            return self._editor.edit(change, timeout=timeout, observe=observe)
        except OSError as exc:
            raise self._explained(exc) from exc

    def _explained(self, exc: OSError) -> ConfigError:
        cause = _TROUBLES.get(exc.errno or 0, causes.UNUSABLE)
        if cause is causes.NOT_PERMITTED and not os.path.isdir(os.path.dirname(self.path)):
            cause = causes.NO_FOLDER
        error = cause.error(
            path=printable(self.path),
            folder=printable(os.path.dirname(self.path)),
            reason=os.strerror(exc.errno or 0),
        )
        limit = limit_error(exc)
        if limit is not None:
            error.hint = limit.hint
        return error


_TROUBLES = {
    errno.EACCES: causes.NOT_PERMITTED,
    errno.EPERM: causes.NOT_PERMITTED,
    errno.EROFS: causes.READ_ONLY,
    errno.ENOSPC: causes.DISK_FULL,
    errno.EDQUOT: causes.DISK_FULL,
    errno.EFBIG: causes.TOO_LARGE,
    errno.EISDIR: causes.IS_FOLDER,
    errno.EINVAL: causes.NOT_REGULAR,
    errno.ENOTDIR: causes.FILE_IN_PLACE_OF_FOLDER,
    errno.ELOOP: causes.LINK_TO_ITSELF,
}


def _refusal(named: str) -> ConfigError | None:
    """
    Return why the folder in DOCKER_CONFIG is never written, or None.
    """
    if "$" in named or any(part.startswith("~") for part in named.split("/")):
        return causes.NAMED_WITH_VARIABLE.error(path=printable(named))
    if not os.path.isabs(named) and not os.path.isdir(named):
        return causes.NAMED_RELATIVELY.error(path=printable(named))
    return None


def _home(environ: Mapping[str, str]) -> str:
    home = environ.get("HOME")
    if home:
        return home
    import pwd  # needed only without HOME

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise causes.NO_HOME.error() from None


def _is_path(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path) and bool(path)
    except UnicodeEncodeError:
        return False
