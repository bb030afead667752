# SPDX-License-Identifier: MIT
"""
Masking what must not be read: the last line of defence, behind values that don't show themselves.
"""

from __future__ import annotations

import base64

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# Shorter ones would mask half of every text, and hide nothing worth hiding.
_LENGTH_MIN = 4
# A line of a longer secret, such as a JSON key's, is worth hiding by itself.
_LINE_MIN = 16

# How the names of variables end that hold one.
SECRET_NAMES = ("PASSWORD", "_PASS", "TOKEN", "SECRET", "_KEY", "DOCKER_AUTH_CONFIG")


def masked(text: str, names: Mapping[str, str]) -> str:
    """
    *text* with each of *names*' keys replaced by its value, the longest first.
    """
    for value in sorted(names, key=len, reverse=True):
        if len(value) >= _LENGTH_MIN:
            text = text.replace(value, names[value])
    return text


def shapes(secret: str, *, username: str | None = None) -> Iterator[str]:
    """
    Yield the forms in which *secret* gets into texts: as it is, quoted, encoded, line by line.

    With *username* also as `auths` and the Authorization header hold them.
    """
    import json
    from urllib.parse import quote, quote_plus

    yield secret
    yield from (line for line in secret.splitlines() if len(line) >= _LINE_MIN)
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    octets = secret.encode("utf-8", "surrogateescape")
    yield from (quote(octets), quote(octets, safe=""), quote_plus(octets))
    plain = [octets]
    if username is not None:
        plain.append(f"{username}:".encode("utf-8", "surrogateescape") + octets)
    for each in plain:
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(each).decode()
            yield encode(each).decode().rstrip("=")


class Hider:
    """
    Masks, in any text, each secret that the environment holds, in all of its `shapes`.
    """

    def __init__(self, environ: Mapping[str, str], *, secrets_file: str | None = None) -> None:
        self._environ = environ
        self._secrets_file = secrets_file
        self._known: dict[str, str] | None = None

    def __call__(self, text: str) -> str:
        """
        *text* with `****` for each secret.
        """
        if self._known is None:
            self._known = dict.fromkeys(self._find(), "****")
        return masked(text, self._known)

    def _find(self) -> Iterator[str]:
        from ..discovery import discover  # only where there is something to tell
        from ..discovery.environment import read

        for secret in discover(self._environ, secrets_file=self._secrets_file).secrets:
            for hidden in (secret.secret, secret.session_token):
                if hidden:
                    yield from shapes(hidden.reveal(), username=secret.username)
        # Also of sets that are not whole, and of other programs.
        for layer in read(self._environ, secrets_file=self._secrets_file).layers:
            for name, value in layer.variables.items():
                if value and name.upper().endswith(SECRET_NAMES):
                    yield from shapes(value)
