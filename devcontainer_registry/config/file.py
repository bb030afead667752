# SPDX-License-Identifier: MIT
"""
docker's config.json: its location, and safe editing.

The eight rules, each with the place that keeps it:

1. What is not ours survives: `json_text`, `document`.
2. A second run does not touch the file: `editing.Editor.edit`.
3. A temporary file beside the target, 0600, fsync, rename: `safe_write.replace`.
4. A symlink stays one: `editing.Editor`.
5. What cannot be replaced is rewritten in place, with a copy to fall back on:
   `safe_write.rewrite`, `rescue`.
6. Nobody's update is lost: `folder_lock` among ourselves, looking again against others.
7. A damaged file is left alone, named and not quoted: `editing.Editor`, `json_text`.
8. Nobody's helper is evicted: `document.Document.set_helper`.
"""

from __future__ import annotations

import errno
import os
import stat
import time

from ..cache.folder import Cache
from ..causes import config as causes
from ..errors import limit_error, printable
from ..observer import ignore
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
    One config.json.

    Attributes:
        path: Of the file, as the user named it; it need not exist.
        refusal: Why nothing is ever written to it, or None.
        is_named: Whether `DOCKER_CONFIG` names its folder.
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
        Name the file; nothing is read yet.

        Args:
            path: Of config.json.
            rescue_dir: Where a copy is kept while a file is rewritten that cannot be replaced;
                None: our cache folder.
            clock: Seconds that only grow.
            sleep: Waits for so many seconds.
        """
        self.path: str = os.fspath(path)
        if not _is_path(self.path):
            raise causes.PATH_INVALID.error()
        self.refusal: ConfigError | None = None
        self.is_named = False
        self._editor = Editor(self.path, rescue_dir=rescue_dir, clock=clock, sleep=sleep)

    @classmethod
    def locate(cls, environ: Mapping[str, str] | None = None) -> DockerConfig:
        """
        The file that docker reads in the environment *environ*; None: the process's own.

        1. `$DOCKER_CONFIG/config.json`: the variable names a *folder*, which need not exist.  A
           relative one is read as docker reads it, from the working directory; it is never made,
           and with a `~` or `$` in it, which nothing replaces, nothing is written to it.
        2. `.docker/config.json` in `$HOME`, or else in the home that the user database has.

        Raises:
            ConfigError: There is no home; or `$DOCKER_CONFIG` names a file.  envbuilder takes a
                file there, but docker does not, and would never see what we write.
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
        What the file says; an absent or empty one says nothing.

        Raises:
            ConfigError: It cannot be read, or is damaged.  The message never quotes it.
        """
        try:
            return self._editor.read()
        except OSError as exc:
            raise self._explained(exc) from exc

    def is_open(self) -> bool:
        """
        Whether anybody but its owner may read the file, or write it.
        """
        try:
            return bool(stat.S_IMODE(os.stat(self.path).st_mode) & 0o077)
        except OSError:
            return False  # who can't be seen can't be read either

    def shuts_out(self, home: str) -> bool:
        """
        Whether it is root's, in the *home* of somebody else, who so can't read it.

        As after a `sudo` that kept HOME: docker's own files are root's then, too.
        """
        try:
            user, owner = os.stat(home).st_uid, os.stat(self.path).st_uid
        except OSError:
            return False
        inside = os.path.abspath(self.path).startswith(os.path.abspath(home) + os.sep)
        return inside and owner == 0 and user != 0

    def edit(
        self,
        change: Callable[[Document], None],
        *,
        timeout: float = 30.0,
        observe: Observer = ignore,
    ) -> bool:
        """
        Read the file, let *change* edit what it says, and write it; whether it had to be written.

        Nobody else of ours writes meanwhile.

        Args:
            change: Called once, with what the file says now.
            timeout: Seconds to wait for others of ours.
            observe: Told `config.lock_waited`, `config.restored`, `config.replaced` and
                `config.rewritten_in_place`.

        Raises:
            ConfigChangedError: Somebody who takes no lock wrote as well.  Start over: what they
                wrote is there, what we had to write may not be.
            ConfigError: The file cannot be read, understood, locked or written; it is as it was.
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
    Why nothing is written to the folder that DOCKER_CONFIG names, or None.
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
    import pwd  # needed only here, and only on odd machines

    try:
        return pwd.getpwuid(os.getuid()).pw_dir
    except KeyError:
        raise causes.NO_HOME.error() from None


def _is_path(path: str) -> bool:
    try:
        return b"\0" not in os.fsencode(path) and bool(path)
    except UnicodeEncodeError:
        return False
