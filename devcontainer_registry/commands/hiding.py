# SPDX-License-Identifier: MIT
"""
Masking the environment's secrets in any text, and tracebacks without texts.
"""

from __future__ import annotations

from ..logins.masking import masked, shapes
from ..naming import SECRET_NAMES
from ..observer import listening

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


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
            with listening(None):  # it is the log that asks
                self._known = dict.fromkeys(self._find(), "****")
        return masked(text, self._known)

    def _find(self) -> Iterator[str]:
        from ..discovery import discover, read  # only where there is something to tell

        for secret in discover(self._environ, secrets_file=self._secrets_file).secrets:
            for hidden in (secret.secret, secret.session_token, secret.id_token):
                if hidden:
                    yield from shapes(hidden.reveal(), username=secret.username)
        # Also of sets that are not whole, and of other programs.
        for layer in read(self._environ, secrets_file=self._secrets_file).layers:
            for name, value in layer.variables.items():
                if value and name.upper().endswith(SECRET_NAMES):
                    yield from shapes(value)


def trace_of(exc: BaseException) -> str:
    """
    Where *exc* and its causes came from, without their texts and without source.

    Either may quote a part of a secret, which no mask would know.
    """
    import traceback

    cause = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)
    above = f"{trace_of(cause)}and then:\n" if cause is not None else ""
    number = f" (errno {exc.errno})" if isinstance(exc, OSError) and exc.errno else ""
    # Without the lines of source, which Python 3.13 also has for code that came as a text.
    frames = "".join(
        f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}\n'
        for frame in traceback.extract_tb(exc.__traceback__)
    )
    return f"{above}{frames}{type(exc).__name__}{number}\n"
