# SPDX-License-Identifier: MIT
"""
One line on a terminal, while registries are being asked.
"""

from __future__ import annotations

import sys
import threading

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH = 79


class Progress:
    """
    An observer that draws; events come from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[object, None] = {}
        self._locked = ""
        self._shown = self._over = False

    def take(self, event: str, fields: Mapping[str, object]) -> None:
        """
        Redraw the line after *event*.
        """
        registry = fields.get("registry")
        with self._lock:
            if self._over:
                return  # a thread that was given up, late; the report stands there by now
            if event == "login.started":
                self._waiting[registry] = None
            elif event in ("login.succeeded", "login.failed"):
                self._waiting.pop(registry, None)
            elif event == "config.lock_waiting":
                self._locked = waiting_for_lock(fields)
            elif event.startswith("config."):
                self._locked = ""
            else:
                return
            self._draw()

    def clear(self) -> None:
        """
        Leave nothing of it behind, and draw no more.
        """
        with self._lock:
            self._over = True
            self._waiting.clear()
            self._locked = ""
            self._draw()

    def _draw(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
        self._shown = bool(self._waiting or self._locked)
        if self._locked:
            sys.stderr.write(self._locked[:_WIDTH])
        elif self._waiting:
            first, *rest = self._waiting
            more = f" and {len(rest)} more" if rest else ""
            sys.stderr.write(f"asking {first}{more} ..."[:_WIDTH])
        sys.stderr.flush()


def waiting_for_lock(fields: Mapping[str, object]) -> str:
    """
    What the event `config.lock_waiting`, with *fields*, says to a person.
    """
    return (
        f"waiting up to {fields['seconds']:.0f} s for another process that holds the lock on "
        f"{fields['path']}"
    )
