# SPDX-License-Identifier: MIT
"""
Being told what happens, as it happens, without a logging library.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object  # typing costs 8 ms, and nobody asks this class anything at run time


class Observer(Protocol):
    """
    Told what happens, as it happens.

    The shape of a structlog method on purpose: `observe=log.info` fits.  Events are dotted and
    past (`config.replaced`); fields are names, counts, seconds and paths, never a secret.
    """

    def __call__(self, event: str, /, **fields: object) -> None:
        """
        Take note of *event*.
        """


def ignore(event: str, /, **fields: object) -> None:
    """
    Be told, and do nothing.
    """
