# SPDX-License-Identifier: MIT
"""
Masking what must not be read: the last line of defence, behind values that don't show themselves.
"""

from __future__ import annotations

import base64

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# Shorter ones would mask half of every text, and hide nothing worth hiding.
_LENGTH_MIN = 4


class Hider:
    """
    Masks, in any text, each secret that the environment holds, and its base64.
    """

    def __init__(self, environ: Mapping[str, str], *, secrets_file: str | None = None) -> None:
        self._environ = environ
        self._secrets_file = secrets_file
        self._known: list[str] | None = None

    def __call__(self, text: str) -> str:
        """
        *text* with `****` for each secret.
        """
        if self._known is None:
            self._known = self._find()
        for secret in self._known:
            text = text.replace(secret, "****")
        return text

    def _find(self) -> list[str]:
        from .discovery import discover  # only where there is something to tell

        found = discover(self._environ, secrets_file=self._secrets_file).secrets
        plain = {s.secret.reveal() for s in found if s.secret is not None}
        plain |= {s.session_token.reveal() for s in found if s.session_token is not None}
        plain |= {
            value
            for name, value in self._environ.items()
            if name.upper().endswith(("PASSWORD", "TOKEN", "SECRET", "_KEY"))
        }
        # As `auths` and the Authorization header hold them.
        pairs = {f"{s.username}:{s.secret.reveal()}" for s in found if s.secret is not None}
        encoded = {
            base64.b64encode(text.encode("utf-8", "surrogateescape")).decode()
            for text in plain | pairs
        }
        texts = (text for text in plain | encoded if len(text) >= _LENGTH_MIN)
        return sorted(texts, key=len, reverse=True)
