# SPDX-License-Identifier: MIT
"""
TLS sockets that keep to a deadline.

Apart from the plain ones, since `ssl` takes 15 ms to import: a connection can be under way then.
"""

from __future__ import annotations

import ssl

from .sockets import Bounded, left


class TlsSocket(Bounded, ssl.SSLSocket):
    """
    A TLS socket that keeps to this thread's deadline, from its handshake on.
    """

    def do_handshake(self, block: bool = False) -> None:
        """
        As the base class does, in what is left of the time.
        """
        self.settimeout(left())
        return super().do_handshake(block)
