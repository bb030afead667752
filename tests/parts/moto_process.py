# SPDX-License-Identifier: MIT
"""
moto's server, run as a program: `python moto_process.py`, which prints the port it listens on.

A process of its own, because importing moto puts a hook into the botocore of whoever does it, and
the botocore under test is to be the one that users have.
"""

from __future__ import annotations

import signal

from moto.server import ThreadedMotoServer

if __name__ == "__main__":
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(f"listening on port {server.get_host_and_port()[1]}", flush=True)
    signal.pause()
