# SPDX-License-Identifier: MIT
"""
TLS sockets that keep to a deadline.

Apart from the plain ones, since `ssl` takes 15 ms to import: a connection can be under way then.
"""

from __future__ import annotations

import ssl

from .deadline import left

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any


class TlsSocket(ssl.SSLSocket):
    """
    A TLS socket that keeps to this thread's deadline.
    """

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().recv_into(*args, **kwargs)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().recv(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().sendall(*args, **kwargs)

    def do_handshake(self, block: bool = False) -> None:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().do_handshake(block)
