# SPDX-License-Identifier: MIT
"""
`python -m devcontainer_registry` is the command `devcontainer-registry`.

Entry points of the programs.  Imports are guarded: an interrupt, a broken installation or a hidden
standard module prints one line, never a traceback.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn


def main() -> int:
    """
    Run the command, and return its exit status.
    """
    # The hook never prevents a container from starting.
    forgiving = sys.argv[1:2] == ["hook"] and "--strict" not in sys.argv
    status, line = _guarded(_command)
    if line:
        _say(2, line)
    return 0 if forgiving else status


def helper() -> int:
    """
    Run the credential helper, which ends the process; return 1 if it cannot start.
    """
    status, line = _guarded(_helper)
    if line:
        # docker reads stdout but drops it in a pull; stderr reaches the user.
        _say(1, line)
        _say(2, line)
    return status


def kubelet() -> int:
    """
    Run the kubelet's credential provider, which ends the process; return 1 if it cannot start.
    """
    sys.argv.insert(1, "kubelet")
    return main()


def _command() -> NoReturn:
    """
    Run the command, and end the process.

    A container's start waits for the hook, which mostly has nothing to do; so the rest of the
    command, with all that it imports, is only loaded where there is something.
    """
    if sys.argv[1:2] == ["kubelet"] and not {"-h", "--help"} & set(sys.argv):
        from .commands.kubelet import run

        run(sys.argv[2:])
    if sys.argv[1:2] == ["hook"]:
        from .commands.quiet_start import is_quiet

        if is_quiet(sys.argv[1:], os.environ):
            os._exit(0)
    import contextlib
    import gc
    import threading

    # A process of half a second needs no garbage collection: it saves 30 ms.
    gc.disable()
    from .commands.cli import main as command

    status = command()
    if threading.active_count() == 1:
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001  (no way round)
    # Python's own end would take apart every module, which takes 4 ms, and OpenSSL, which an
    # abandoned thread may be using.
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(status)


def _helper() -> int:
    from .helper import run

    run()


def _guarded(program: Callable[[], int]) -> tuple[int, str]:
    """
    Run *program*; return its exit status, and the line to print if it could not start.
    """
    try:
        return program(), ""
    except KeyboardInterrupt:
        return 130, ""
    except Exception as exc:  # noqa: BLE001  (a traceback helps nobody, and may quote anything)
        try:
            from .breakdown import reason

            said = reason(exc)
        except Exception:  # noqa: BLE001  (nor can that be imported)
            said = ""
        said = said or f"cannot start ({type(exc).__name__}); install devcontainer-registry again"
        return 1, said


def _say(descriptor: int, line: str) -> None:
    try:
        os.write(descriptor, f"devcontainer-registry: {line}\n".encode("utf-8", "replace"))
    except OSError:  # closed
        pass


def _without_working_directory() -> None:
    """
    Prevent files in the working directory from hiding standard modules.
    """
    try:
        here = os.getcwd()
    except OSError:  # it was removed, and some packages fail on such an entry of the path
        here = ""
    package = os.path.dirname(os.path.abspath(__file__))
    if sys.path[:1] in ([""], [here]) and os.path.dirname(package) != here:
        del sys.path[0]


if __name__ == "__main__":
    _without_working_directory()
    sys.exit(main())
