# SPDX-License-Identifier: MIT
"""
A network of a test's own, with an address that is not loopback.

docker trusts any certificate of 127.0.0.0/8, so whether it checks one shows elsewhere only.
"""

from __future__ import annotations

import os
import subprocess

from . import needed
from .processes import Background

ADDRESS = "10.99.0.1"
NAME = "registry.test"


class Network:
    """
    A network namespace that holds loopback and `ADDRESS`, and reaches nothing.

    Attributes:
        enter: What to put before a command line to run it inside.
    """

    def __init__(self, folder):
        nsenter = needed.program("nsenter", package="util-linux")
        unshare = needed.program("unshare", package="util-linux")
        ip = needed.program("ip", package="iproute2")
        # Without a name: it is gone when its last process is, whatever happens to us.
        argv = [unshare, "--net"] if os.geteuid() == 0 else [unshare, "--user", "-r", "--net"]
        script = f"{ip} link set lo up && {ip} addr add {ADDRESS}/32 dev lo && echo up"
        self._process = Background(
            [*argv, "sh", "-c", f"{script} && exec sleep infinity"],
            log=os.path.join(str(folder), "network.log"),
            env={"PATH": os.environ["PATH"]},
        )
        try:
            self._process.wait_for(r"(?m)^up$")
        except RuntimeError as error:
            self._process.stop()
            needed.missing(f"no network namespace can be made here: {error}")
        user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
        self.enter = [nsenter, "--target", str(self._process.pid), *user, "--net"]

    def run(self, argv, **options):
        """
        `subprocess.run` inside.
        """
        return subprocess.run([*self.enter, *argv], check=False, **options)

    def stop(self):
        self._process.stop()
