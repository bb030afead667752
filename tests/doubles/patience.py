# SPDX-License-Identifier: MIT
"""
How long a test lets something take that must not wait for what hangs.

What hangs does so for a minute or for ever; so no machine is too slow for a test that is bounded
by this, and code that waits is still told from code that does not.
"""

from __future__ import annotations

LONG = 40.0  # seconds
