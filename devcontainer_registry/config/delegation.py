# SPDX-License-Identifier: MIT
"""
The conditions for naming our credential helper in config.json.

A missing helper breaks `docker run` for every process that reads config.json, also with another
PATH or on the other side of a mount.
"""

from __future__ import annotations

import math
import os
import sys
import time

from ..causes import credential as causes
from ..errors import printable
from ..files import find_program
from ..naming import EVERYWHERE, HELPER_PROGRAM, INFIX, SECRET_NAMES
from ..observer import tell

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..credentials import Finding
    from ..errors import ConfigError

_MOUNTS = "/proc/self/mountinfo"

# Time for a helper to answer docker; a busy machine takes some of it to start one.
_ANSWER_WITHIN = 5.0  # seconds
# After the run's deadline; starting an interpreter takes a fifth of it.
_AT_LEAST = 0.1  # seconds


class Delegation:
    """
    The conditions for naming our helper in one config.json, checked once on first use.
    """

    def __init__(
        self,
        config_path: str,
        *,
        environ: Mapping[str, str] | None = None,
        places: Sequence[str] = EVERYWHERE,
        mounts: str = _MOUNTS,
        answer_within: float = _ANSWER_WITHIN,
        give_up: float = math.inf,
        in_copy: bool = False,
    ) -> None:
        """
        Store the settings; nothing is checked yet.

        Args:
            config_path: Path of config.json.
            environ: Variables with the PATH to search; None: `os.environ`.
            places: Folders on every process's PATH.
            mounts: Path of the kernel's list of mounts.
            answer_within: Seconds for the helper to print its version.
            give_up: The run's deadline, by `time.monotonic`.
            in_copy: Whether config.json is a private copy, whose readers all have this PATH.
        """
        self.in_copy = in_copy
        self._config_path = config_path
        self._environ = os.environ if environ is None else environ
        self._places = tuple(places)
        self._mounts = mounts
        self._answer_within = answer_within
        self._give_up = give_up
        self._refusal: str | None = None
        self._looked = False
        self._trouble: ConfigError | None = None
        self._tried = False

    @property
    def trouble(self) -> ConfigError | None:
        """
        Why docker, started from this process, gets nothing from our helper; None if it does.

        `helper-missing`, or `helper-failed` if it does not run, such as after its Python was
        removed.
        """
        if not self._tried:
            self._trouble = trouble = self._untried()
            self._tried = True
            code = trouble.code if trouble is not None else None
            tell("helper.checked", where="PATH", ok=trouble is None, why=code)
        return self._trouble

    def found(self, name: str) -> str | None:
        """
        Return the path of the program *name* that docker would start, or None.
        """
        return find_program(name, self._environ)

    @property
    def refusal(self) -> str | None:
        """
        Why some process may not find the helper, in words that follow a colon; None if all find it.
        """
        if not self._looked:
            self._refusal = self._untold() if self.in_copy else self._missing() or self._mounted()
            self._looked = True
            tell("helper.checked", where="everywhere", ok=self._refusal is None, why=self._refusal)
        return self._refusal

    def _untold(self) -> str | None:
        return None if self.trouble is None else self.trouble.message

    def _untried(self) -> ConfigError | None:
        program = self.found(HELPER_PROGRAM)
        if program is None:
            return causes.OUR_HELPER_MISSING.error(program=HELPER_PROGRAM)
        silent = self._silence(program, self._environ)
        if silent is None:
            return None
        cause = causes.OUR_HELPER_HANGS if silent else causes.OUR_HELPER_FAILS
        return cause.error(program=program, name=HELPER_PROGRAM, seconds=silent)

    def _missing(self) -> str | None:
        where = " or ".join(self._places)
        program = next(
            (
                p
                for p in (os.path.join(d, HELPER_PROGRAM) for d in self._places)
                if os.path.exists(p)
            ),
            None,
        )
        if program is None:
            return causes.NOT_EVERYWHERE.say(program=HELPER_PROGRAM, places=where)
        # It is a script, so all users must be able to read it.
        if os.stat(program).st_mode & 0o555 != 0o555:
            return causes.NOT_FOR_EVERYBODY.say(program=program)
        silent = self._silence(program, {"PATH": os.pathsep.join(self._places)})
        if silent is None:
            return None
        reason = causes.HANGS_ELSEWHERE if silent else causes.FAILS_ELSEWHERE
        return reason.say(program=program, places=where, seconds=silent)

    def _silence(self, program: str, environ: Mapping[str, str]) -> float | None:
        """
        Return the seconds without an answer of *program*; 0 if it does not run, None if it answers.
        """
        import subprocess  # 10 ms, and most credentials need no helper

        seconds = max(_AT_LEAST, min(self._answer_within, self._give_up - time.monotonic()))
        try:
            done = subprocess.run(  # noqa: S603  (our own helper, by its full path)
                [program, "version"],
                check=False,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                env={n: environ[n] for n in environ if not _may_be_secret(n)},
            )
        except subprocess.TimeoutExpired:
            return seconds
        except OSError:
            return 0.0
        ours = done.returncode == 0 and done.stdout.startswith(HELPER_PROGRAM.encode())
        return None if ours else 0.0

    def _mounted(self) -> str | None:
        folder = os.path.dirname(os.path.abspath(self._config_path))
        target = os.path.realpath(self._config_path)
        paths = {os.path.abspath(self._config_path), folder, target, os.path.dirname(target)}
        paths.add(os.path.realpath(folder))
        if any(is_mount(path, mounts=self._mounts) for path in paths if path != "/"):
            return causes.IS_MOUNTED.say()
        return None


def helper_elsewhere(
    environ: Mapping[str, str], places: Sequence[str] = EVERYWHERE
) -> Finding | None:
    """
    Return the finding that says where our helper is, if it is in none of *places*; else None.

    Also None where this installation has no helper at all, as with `pip install --target`.
    """
    if any(os.path.exists(os.path.join(place, HELPER_PROGRAM)) for place in places):
        return None
    path = _installed_helper(environ)
    if path is None:
        return None
    import shlex

    folder = os.path.dirname(path)
    # uv keeps such an environment in its cache.
    # https://docs.astral.sh/uv/concepts/tools/#tool-environments
    in_cache = os.path.isfile(os.path.join(_uv_cache(environ), "CACHEDIR.TAG"))
    if in_cache and os.path.realpath(path).startswith(os.path.join(_uv_cache(environ), "")):
        return causes.HELPER_TEMPORARY.finding(folder=printable(folder))
    return causes.HELPER_ELSEWHERE.finding(
        folder=printable(folder), path=printable(shlex.quote(path))
    )


def _installed_helper(environ: Mapping[str, str]) -> str | None:
    on_path = find_program(HELPER_PROGRAM, environ)
    if on_path is not None:
        return on_path
    import site

    folders = (
        os.path.dirname(os.path.abspath(sys.argv[0])),
        os.path.dirname(os.path.abspath(sys.executable)),
        os.path.join(site.getuserbase(), "bin"),
    )
    paths = (os.path.join(folder, HELPER_PROGRAM) for folder in folders)
    return next((path for path in paths if os.access(path, os.X_OK)), None)


def _uv_cache(environ: Mapping[str, str]) -> str:
    # https://docs.astral.sh/uv/concepts/cache/#cache-directory
    caches = environ.get("XDG_CACHE_HOME") or os.path.join(environ.get("HOME") or "/", ".cache")
    return os.path.realpath(environ.get("UV_CACHE_DIR") or os.path.join(caches, "uv"))


def is_mount(path: str, *, mounts: str = _MOUNTS) -> bool:
    """
    Return whether the absolute *path* is a mount point; *mounts*: path of the kernel's list.
    """
    if sys.platform != "linux":
        return os.path.ismount(path)
    # A file can be one, and a bind mount of the same file system is only in this list.
    try:
        with open(mounts, encoding="utf-8", errors="surrogateescape") as file:
            points = [line.split(" ")[4] for line in file]
    except (OSError, IndexError):
        return os.path.ismount(path)
    return path in map(_unescaped, points)


def _may_be_secret(name: str) -> bool:
    # `version` reads no input.
    return INFIX in name.upper() or name.upper().endswith(SECRET_NAMES)


def _unescaped(point: str) -> str:
    # proc(5): blank, tab, newline and backslash are octal there.
    for octal, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        point = point.replace(octal, character)
    return point
