# SPDX-License-Identifier: MIT
"""
The cache folder: one private JSON file for each registry.

Files have mode 0600 and the folder 0700.  Reading takes no lock.  A damaged file affects one
registry.

The folder is below `$HOME`, not in XDG's: a lifecycle hook, a shell, an ssh session and an editor
must agree on it, and XDG's variables differ between them.
"""

from __future__ import annotations

import errno
import os
import stat

from ..errors import ConfigError, InvalidRegistryError, limit_error
from ..files import is_shared, make_folder, owner_of, read_regular, unlink_if_there, write_all
from ..registry import Registry
from .fast_json import loads

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .lock import Lock

_VERSION = 1
_SUFFIX, _KEY, _STAMP = ".json", "key", ".quiet"
_KEY_SIZE = 32  # octets: BLAKE2b takes up to 64

# A cloud's password has 2-3 KB and a long JWT 8; a larger file is not ours.
_SIZE_MAX = 256 * 1024

# Errors of the system for a file that is not ours.
_NOT_OURS = {
    errno.ELOOP: "link",
    errno.EFBIG: "too large",
    **dict.fromkeys((errno.EINVAL, errno.EISDIR, errno.ENXIO), "not our file"),
}


class Cache:
    """
    The cache folder and its files.

    Attributes:
        path: Path of the folder, which may not exist.

    Every method raises `ConfigError`: `cache-refused` for files that cannot be trusted,
    `cache-failed` for failures.  A missing or damaged file reads as None.
    """

    def __init__(self, path: str, *, home: str | None = None) -> None:
        self.path = path
        self._home = home
        self._hidden: list[str] | None = None

    @classmethod
    def locate(cls, environ: Mapping[str, str] | None = None) -> Cache:
        """
        Return the cache of *environ*: `DEVCONTAINER_REGISTRY_CACHE_DIR`, else below the home
        folder.

        *environ* None: `os.environ`.
        """
        environ = os.environ if environ is None else environ
        home = environ.get("HOME") or os.path.expanduser("~")
        named = environ.get("DEVCONTAINER_REGISTRY_CACHE_DIR")
        return cls(named or os.path.join(home, ".cache", "devcontainer-registry"), home=home)

    def read(self, registry: Registry) -> dict[str, Any] | None:
        """
        Return the entry of *registry*, or None.
        """
        text = self._read(registry + _SUFFIX)
        try:
            entry = loads(text.decode()) if text else None
        except (ValueError, RecursionError):
            return None
        if not isinstance(entry, dict) or entry.get("version") != _VERSION:
            return None
        return entry if entry.get("registry") == registry else None

    def write(self, registry: Registry, entry: Mapping[str, Any]) -> None:
        """
        Replace the entry of *registry* with *entry*.
        """
        import json  # 6 ms, and a `get` writes nothing

        document = {"version": _VERSION, "registry": registry, **entry}
        self._write_file(registry + _SUFFIX, json.dumps(document).encode())

    def forget(self, registry: Registry) -> bool:
        """
        Remove the entry of *registry*; return whether there was one.
        """
        folder = self._open(create=False)
        if folder is None:
            return False
        try:
            self._refuse_foreign()
            from .lock import sweep  # as in `_write_file`

            self._hidden = sweep(registry + _SUFFIX, folder, self._hidden)
            os.unlink(registry + _SUFFIX, dir_fd=folder)
        except FileNotFoundError:
            return False
        except OSError as exc:
            raise self._failed("write", exc) from exc
        finally:
            os.close(folder)
        return True

    def registries(self) -> list[Registry]:
        """
        Return the registries with an entry, sorted; other files are ignored.
        """
        folder = self._open(create=False)
        if folder is None:
            return []
        try:
            names = os.listdir(folder)
        finally:
            os.close(folder)
        return list(filter(None, map(_registry_of, sorted(names))))

    def lock(self, registry: Registry, *, timeout: float) -> Lock:
        """
        Return a context manager that locks the entry of *registry*; *timeout* in seconds.
        """
        from .lock import Lock  # as in `_write_file`

        take = self._open_lock
        return Lock(self.path, registry, open_file=lambda: take(registry), timeout=timeout)

    def fingerprint(self, *parts: str | None) -> str:
        """
        Return a keyed hash of *parts*: equal for equal parts, and useless without this folder's
        key.

        A plain hash would allow offline guessing of passwords.
        """
        return _keyed_hash(self._key(), parts)

    def known_fingerprint(self, *parts: str | None) -> str | None:
        """
        Return `fingerprint` without creating a key; None if there is no key yet.
        """
        key = self._read(_KEY) or b""
        return _keyed_hash(key, parts) if len(key) == _KEY_SIZE else None

    def stamp(self) -> str | None:
        """
        Return the text that `set_stamp` saved, or None.
        """
        text = self._read(_STAMP)
        return None if text is None else text.decode("ascii", "replace")

    def set_stamp(self, text: str) -> None:
        """
        Save the ASCII *text* for the next run.
        """
        self._write_file(_STAMP, text.encode("ascii"))

    def _open_lock(self, registry: Registry) -> int:
        """
        Return a descriptor of the lock file of *registry*.
        """
        folder = self._open(create=True)
        assert folder is not None
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(f".{registry}.lock", flags, 0o600, dir_fd=folder)
        except OSError as exc:
            raise self._failed("lock", exc) from exc
        finally:
            os.close(folder)

    def _key(self) -> bytes:
        for _ in range(2):
            # Look before creating anything: read access does not imply write access.
            found = self._read(_KEY)
            if found is not None and len(found) == _KEY_SIZE:
                return found
            # Two hooks may create one at the same time; both then read the first.
            self._write_file(_KEY, os.urandom(_KEY_SIZE), first_wins=found is None)
        from ..causes.cache import NO_KEY

        raise NO_KEY.error(path=self.path)

    def _read(self, name: str) -> bytes | None:
        folder = self._open(create=False)
        if folder is None:
            return None
        try:
            return self._read_file(folder, name)
        finally:
            os.close(folder)

    def _open(self, *, create: bool) -> int | None:
        """
        Return the folder's descriptor after checking that only this user has access.
        """
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            if create:
                self._refuse_foreign()
                self._make()
            folder = os.open(self.path, flags)
        except FileNotFoundError as exc:
            if create:
                raise self._failed("make", exc) from exc
            return None
        except OSError as exc:
            if exc.errno in (errno.ELOOP, errno.ENOTDIR):
                raise self._refused("no folder") from exc
            raise self._failed("open", exc) from exc
        try:
            self._vet_folder(folder, tighten=create)
        except BaseException:
            os.close(folder)
            raise
        return folder

    def _make(self) -> None:
        # Every missing parent: other programs run files from a ~/.cache that all may write.
        make_folder(self.path)

    def _vet_folder(self, folder: int, *, tighten: bool) -> None:
        found = os.fstat(folder)
        if not self._may_read(found.st_uid):
            raise self._refused("not ours")
        if not stat.S_IMODE(found.st_mode) & 0o077:
            return
        if is_shared(folder):
            raise self._refused("shared")
        if not tighten:
            raise self._refused("open folder")
        os.fchmod(folder, 0o700)

    def _may_read(self, owner: int) -> bool:
        me = os.geteuid()
        # Root with the user's HOME (sudo docker) may trust that user's folder.
        return owner == me or (me == 0 and self._home is not None and owner == owner_of(self._home))

    def _refuse_foreign(self) -> None:
        # Files owned by root would lock the user out.
        if self._home is not None and os.geteuid() == 0 and owner_of(self._home) not in (0, None):
            inside = os.path.abspath(self.path).startswith(os.path.abspath(self._home) + os.sep)
            if inside:
                raise self._refused("not root's")

    def _read_file(self, folder: int, name: str) -> bytes | None:
        try:
            content, found = read_regular(name, limit=_SIZE_MAX, dir_fd=folder, follow=False)
        except FileNotFoundError:
            return None
        except OSError as exc:
            if exc.errno == errno.ENAMETOOLONG:
                return None  # not ours: we could not have written it
            why = _NOT_OURS.get(exc.errno or 0)
            if why is not None:
                raise self._refused(why, name=name) from exc
            raise self._failed("read", exc) from exc
        if not self._may_read(found.st_uid):
            raise self._refused("not our file", name=name)
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise self._refused("open file", name=name)
        return content

    def _write_file(self, name: str, content: bytes, *, first_wins: bool = False) -> None:
        folder = self._open(create=True)
        assert folder is not None
        temporary = f".{name}.{os.getpid()}.{os.urandom(4).hex()}"
        try:
            from ..observer import tell
            from .lock import sweep  # a `get` writes nothing

            self._hidden = sweep(name, folder, self._hidden)
            fd = os.open(
                temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=folder
            )
            try:
                write_all(fd, content)
            finally:
                os.close(fd)
            if first_wins:
                os.link(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
                os.unlink(temporary, dir_fd=folder)
            else:
                os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException as exc:
            unlink_if_there(temporary, dir_fd=folder)
            if first_wins and isinstance(exc, FileExistsError):
                return
            if isinstance(exc, OSError):
                raise self._failed("write", exc) from exc
            raise
        finally:
            os.close(folder)
        tell("cache.written", path=f"{self.path}/{name}", bytes=len(content), mode="0600")

    def _refused(self, why: str, *, name: str = "") -> ConfigError:
        from ..causes.cache import REFUSED  # success loads no messages

        path = os.path.join(self.path, name) if name else self.path
        return REFUSED[why].error(path=path, folder=self.path)

    def _failed(self, what: str, exc: OSError) -> ConfigError:
        limit = limit_error(exc)
        try:
            from ..causes.cache import FAILED
        except OSError:
            if limit is None:
                raise
            return ConfigError(limit.message, hint=limit.hint, code=limit.code)
        error = FAILED[what].error(path=self.path, reason=os.strerror(exc.errno or 0))
        if limit is not None:
            error.hint = limit.hint
        return error


def _keyed_hash(key: bytes, parts: Iterable[str | None]) -> str:
    try:
        from _blake2 import blake2b  # hashlib's own, without OpenSSL, which takes 3 ms to load
    except ImportError:  # not CPython
        from hashlib import blake2b

    digest = blake2b(key=key, digest_size=16)
    for part in parts:
        octets = b"" if part is None else b"=" + part.encode("utf-8", "surrogateescape")
        digest.update(len(octets).to_bytes(8, "big") + octets)
    return digest.hexdigest()


def _registry_of(name: str) -> Registry | None:
    """
    Return the registry of the file *name*; None if it is not an entry.
    """
    host = name.removesuffix(_SUFFIX)
    try:
        registry = Registry(host)
    except InvalidRegistryError:
        return None
    # Only the exact spelling that `read` uses.
    return registry if name == registry + _SUFFIX else None
