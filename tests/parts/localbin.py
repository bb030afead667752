# SPDX-License-Identifier: MIT
"""
Our helper on one client's PATH; or in a /usr/local/bin of a test's own, where it is or is not,
whatever the machine's own has.
"""

from __future__ import annotations

import os
import sys

from . import needed
from .processes import Background

HELPER = "docker-credential-devcontainer-registry"
_INSTALLED = os.path.join(os.path.dirname(sys.executable), HELPER)

# What is there already, but for our helper, and what a test puts beside it.
_OVERLAY = """
mkdir "$1/before" "$1/bin"
mount --bind /usr/local/bin "$1/before"
for program in "$1"/before/*; do ln -s "$program" "$1/bin"; done
rm -f "$1/bin/$2"
mount --bind "$1/bin" /usr/local/bin
[ ! -e "/usr/bin/$2" ] || mount --bind /dev/null "/usr/bin/$2"
echo up
exec sleep infinity
"""


def put_our_helper_on_path(client, folder):
    """
    Make *folder*, with our helper in it, the first on the PATH of *client*, and on nobody else's.
    """
    os.mkdir(folder)
    os.symlink(_INSTALLED, os.path.join(folder, HELPER))
    client.environ["PATH"] = f"{folder}:{client.environ['PATH']}"


class LocalBin:
    """
    A mount namespace with that folder in it; everything else is the machine's.

    Args:
        folder: An empty one, for the folder's content.

    Attributes:
        bin: What is /usr/local/bin for those inside.
        enter: What to put before a command line to run it inside.
    """

    def __init__(self, folder):
        if os.geteuid() != 0:
            needed.missing("only root may mount")
        nsenter = needed.program("nsenter", package="util-linux")
        unshare = needed.program("unshare", package="util-linux")
        self.bin = os.path.join(str(folder), "bin")
        self._process = Background(
            [
                *(unshare, "--mount", "--propagation", "private"),
                *("sh", "-ec", _OVERLAY, "sh", str(folder), HELPER),
            ],
            log=os.path.join(str(folder), "log"),
            env={"PATH": os.environ["PATH"]},
        )
        try:
            self._process.wait_for(r"(?m)^up$")
        except RuntimeError as error:
            self._process.stop()
            needed.missing(f"no mount namespace can be made here: {error}")
        self.enter = [nsenter, "--target", str(self._process.pid), "--mount"]

    def install_helper(self):
        """
        Put our helper there, as the Feature does.
        """
        os.symlink(_INSTALLED, os.path.join(self.bin, HELPER))

    def remove_helper(self):
        os.unlink(os.path.join(self.bin, HELPER))

    def stop(self):
        self._process.stop()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
