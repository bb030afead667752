# SPDX-License-Identifier: MIT
"""
`python -m devcontainer_registry` is the command `devcontainer-registry`.
"""

from __future__ import annotations

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
