# SPDX-License-Identifier: MIT
"""
A set that cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ..errors import DiscoveryError
    from ..registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Incomplete:
    """
    A set that cannot be used, and why.

    Attributes:
        id: As in `RegistrySecret`; `SECRETS_FILE` for the secrets file itself.
        registry: Its registry, or None where that could not be read.
        source: The variables that it came from, by name.
        error: Names the variable; its hint says where to set it.
        empty: Every member is set but empty: it is not configured rather than wrong.
        implicit: It comes from the platform, not from a set.
        kind: The authenticator that it names, if any.
    """

    id: str
    registry: Registry | None
    source: str
    error: DiscoveryError
    empty: bool = False
    implicit: bool = False
    kind: str | None = field(default=None, repr=False)
