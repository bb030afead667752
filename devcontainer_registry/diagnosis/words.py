# SPDX-License-Identifier: MIT
"""
Times and names as a diagnosis shows them.
"""

from __future__ import annotations

import time

_DAY = 86400.0


def span(seconds: float) -> str:
    """
    Return *seconds* in its largest unit: `3 h`, `61 days`.
    """
    seconds = abs(seconds)
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / 3600:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def moment(at: float, *, now: float) -> str:
    """
    Return the time *at* in this machine's zone: `today 09:12`, or a date with it.
    """
    then, today = time.localtime(at), time.localtime(now)
    clock = time.strftime("%H:%M", then)
    if then[:3] == today[:3]:
        return f"today {clock}"
    return f"{date(at)} {clock}"


def date(at: float) -> str:
    """
    Return the day of *at*, as ISO 8601 has it.
    """
    return time.strftime("%Y-%m-%d", time.localtime(at))
