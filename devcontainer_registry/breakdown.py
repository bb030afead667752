# SPDX-License-Identifier: MIT
"""
Explanations of failures that are not our bugs.

Causes are limits of the machine, and modules that are missing, damaged or hidden by another file.
It imports almost nothing, since any module may be broken.
"""

from __future__ import annotations

import os
import sys

from .errors import in_one_line, limit_error, printable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGAIN = "install devcontainer-registry again"

# Message of Python up to 3.11 for a source file with NULs after a full disk or a crash.
_ZEROS = "source code string cannot contain null bytes"

# Errors of code that imported the wrong module.
_OF_MODULES = (ImportError, AttributeError, NameError, TypeError, SyntaxError)


def reason(exc: BaseException) -> str:
    """
    Return the cause of *exc* and its fix in one line; "" if it may be a bug.
    """
    found: BaseException | None = exc
    while found is not None:
        limit = limit_error(found)
        if limit is not None:
            return in_one_line(limit)
        found = found.__cause__ or found.__context__
    for name, path in _shadowing_files():
        if isinstance(exc, _OF_MODULES) or _went_through(exc, path):
            return (
                f"Python's own module {name} is hidden by {printable(path)}; rename that file, or "
                "take its folder off PYTHONPATH"
            )
    if isinstance(exc, ModuleNotFoundError):
        return f"the module {printable(exc.name or '')} is missing; {_AGAIN}"
    if isinstance(exc, (ImportError, SyntaxError, EOFError)) or str(exc) == _ZEROS:
        where = getattr(exc, "filename", None) or getattr(exc, "path", None)
        named = f" at {printable(str(where))}" if where else ""
        return f"a module{named} is damaged, or of another version; {_AGAIN}"
    return ""


def _shadowing_files() -> Iterator[tuple[str, str]]:
    """
    Yield standard modules that a file on `sys.path` hides, with its path.
    """
    home = os.path.dirname(os.__file__)
    for folder in sys.path:
        if folder == home:
            return
        try:
            files = sorted(os.listdir(folder or "."))
        except OSError:  # an archive, or missing
            continue
        for file in files:
            name = file.removesuffix(".py")
            path = os.path.join(folder, file)
            if name in sys.stdlib_module_names and (name != file or os.path.isdir(path)):
                yield name, path


def _went_through(exc: BaseException, path: str) -> bool:
    step = exc.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if file == path or os.path.dirname(file) == path:
            return True
        step = step.tb_next
    return False
