# SPDX-License-Identifier: MIT
"""
Progress of a login: successes as they land, and the wait.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time

from ...threads import try_start
from ..render import success_line
from .table import WIDTH, Columns

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# After so long without a result, a log that is no terminal gets a line.
_SILENT_MAX = 2.0  # seconds
_TICK = 1.0  # seconds


class Progress:
    """
    An observer that prints; events come from several threads.

    Attributes:
        columns: The widths of the lines printed so far.
        printed: Those lines, by id of the set.
        saved: Ids of the sets whose login is in config.json or in the cache by now.
        found: Ids of all sets that a login was begun for.
    """

    def __init__(self, *, terminal: bool, lands: bool, colours: bool) -> None:
        """
        Prepare to print.

        Args:
            terminal: Whether stderr takes a line that is redrawn.
            lands: Whether successes are printed on stdout as they land.
            colours: ANSI, on stdout.
        """
        self.columns = Columns()
        self.printed: dict[str, Sequence[str]] = {}
        self.saved: dict[str, None] = {}
        self.found: dict[str, None] = {}
        self._terminal = terminal
        self._lands = lands
        self._colours = colours
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._ticker: threading.Thread | None = None
        self._began = time.monotonic()
        self._waiting: dict[str, float] = {}  # seconds that each may take
        self._landed = self._shown = False
        self._lock_wait = ""
        self._handlers = {
            "secret.found": self._begin,
            "secret.incomplete": self._begin,
            "login.started": self._ask,
            "login.succeeded": self._land,
            "login.failed": self._land,
            "config.lock_waiting": self._wait_for_lock,
        }

    def take(self, event: str, fields: Mapping[str, object]) -> None:
        """
        Print what *event* is worth.
        """
        with self._lock:
            if self._over.is_set():
                return  # from a thread that was given up; the report stands there by now
            handle = self._handlers.get(event)
            if handle is not None:
                handle(fields)
            elif event.startswith("config."):
                self._lock_wait = ""
            else:
                return
            self._draw()

    def close(self) -> None:
        """
        Remove the live line, and print no more.
        """
        self._over.set()
        if self._ticker is not None:
            self._ticker.join()
        with self._lock:
            self._waiting.clear()
            self._lock_wait = ""
            self._draw()

    def _begin(self, fields: Mapping[str, object]) -> None:
        set_id = str(fields["id"])
        self.found[set_id] = None
        self.columns.add(set_id, str(fields.get("registry") or ""))

    def _ask(self, fields: Mapping[str, object]) -> None:
        self._waiting[str(fields["id"])] = fields["seconds"]  # type: ignore[assignment]
        if self._ticker is None:
            self._began = time.monotonic()
            ticker = threading.Thread(target=self._tick, daemon=True)
            # Without a thread the live line changes only with an event.
            self._ticker = ticker if try_start(ticker) else None

    def _land(self, fields: Mapping[str, object]) -> None:
        set_id = str(fields["id"])
        self._waiting.pop(set_id, None)
        self._landed = True
        if fields.get("kept_in"):
            self.saved[set_id] = None
        # What is not simply well is printed at the end, with what to do.
        well = fields["status"] == "ok" and fields["code"] is None and fields["verified"]
        if not (self._lands and well):
            return
        rows = success_line(
            self.columns,
            set_id=set_id,
            registry=fields["registry"],  # type: ignore[arg-type]
            realm=fields["realm"],  # type: ignore[arg-type]
            expires_at=fields["expires_at"],  # type: ignore[arg-type]
            colours=self._colours,
        )
        self.printed[set_id] = rows
        self._erase()
        with contextlib.suppress(OSError):  # nobody reads it; that must not cost a login
            sys.stdout.write("".join(f"{row}\n" for row in rows))
            sys.stdout.flush()

    def _wait_for_lock(self, fields: Mapping[str, object]) -> None:
        self._lock_wait = waiting_for_lock(fields)

    def _tick(self) -> None:
        if self._terminal:
            while not self._over.wait(_TICK):
                with self._lock:
                    self._draw()
        elif not self._over.wait(_SILENT_MAX):
            with self._lock:
                if self._waiting and not self._landed:
                    count = len(self._waiting)
                    registries = "1 registry" if count == 1 else f"{count} registries"
                    seconds = max(self._waiting.values())
                    sys.stderr.write(f"asking {registries}, up to {seconds:.0f} s\n")
                    sys.stderr.flush()

    def _draw(self) -> None:
        if not self._terminal:
            return
        self._erase()
        line = self._lock_wait
        if not line and self._waiting:
            first = next(iter(self._waiting))
            more = f" and {len(self._waiting) - 1} more" if len(self._waiting) > 1 else ""
            line = f"asking {first}{more}, {time.monotonic() - self._began:.0f} s"
        if line:
            sys.stderr.write(line[: WIDTH - 1])
            self._shown = True
        sys.stderr.flush()

    def _erase(self) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def waiting_for_lock(fields: Mapping[str, object]) -> str:
    """
    What the event `config.lock_waiting`, with *fields*, says to a person.
    """
    return (
        f"waiting up to {fields['seconds']:.0f} s for another process that holds the lock on "
        f"{fields['path']}"
    )
