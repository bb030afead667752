# SPDX-License-Identifier: MIT
"""
What stops a program though it has no bug.

The machine's limits, and modules that are missing, damaged or hidden.

Imports only what is loaded before anything of ours: whatever else there is may be what is broken.
"""

from __future__ import annotations

import os
import sys

from .errors import exhausted, in_one_line, printable

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGAIN = "install devcontainer-registry again"

# What Python says until 3.11 of a source file of which a full disk or a crash left zeros.
_ZEROS = "source code string cannot contain null bytes"

# What an import of a module of that name, which is another one, ends in.
_OF_MODULES = (ImportError, AttributeError, NameError, TypeError, SyntaxError)


def reason(exc: BaseException) -> str:
    """
    What stopped us, and what to do about it, in one line; "" if *exc* may well be a bug.
    """
    found: BaseException | None = exc
    while found is not None:
        limit = exhausted(found)
        if limit is not None:
            return in_one_line(limit)
        found = found.__cause__ or found.__context__
    for name, path in _hidden():
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


def _hidden() -> Iterator[tuple[str, str]]:
    """
    Python's own modules that another file of that name stands before, and its path.
    """
    home = os.path.dirname(os.__file__)
    for folder in sys.path:
        if folder == home:
            return
        try:
            files = sorted(os.listdir(folder or "."))
        except OSError:  # an archive, or not there
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
