# SPDX-License-Identifier: MIT
"""
`python -m devcontainer_registry` is the command `devcontainer-registry`.
"""

from __future__ import annotations

import os
import sys

from .commands.quiet_start import is_quiet


def main() -> int:
    """
    Run the command, and return its exit status.

    A container's start waits for the hook, which mostly has nothing to do; so the rest of the
    command, with all that it imports, is only loaded where there is something.
    """
    if is_quiet(sys.argv[1:], os.environ):
        return 0
    import gc
    import threading

    # A process of half a second has no garbage worth looking for: 20 ms, and 10 more at its end.
    gc.disable()
    from .commands.cli import main as command

    status = command()
    if threading.active_count() > 1:
        # Who was given up at the deadline may be inside OpenSSL, which an orderly exit takes apart.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(main())
