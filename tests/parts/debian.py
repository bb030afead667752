# SPDX-License-Identifier: MIT
"""
A real Debian (or Ubuntu) as an image: this machine's release, from this machine's own mirror.
"""

from __future__ import annotations

import glob
import os
import platform
import re
import subprocess

from . import needed

_SOURCES = tuple(
    f"/etc/apt/{name}"
    for name in ("sources.list", "sources.list.d/*.list", "sources.list.d/*.sources")
)
_SECONDS = 300


def write(path):
    """
    Write the smallest root file system that has apt as a tar, to *path*: 12 s.

    Its apt knows this machine's mirror, and how to get there.
    """
    mmdebstrap = needed.program("mmdebstrap", package="mmdebstrap")
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    environ = {"PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin", "HOME": "/nonexistent"}
    # A proxy, a certificate, dates that are not to be checked.
    asked = subprocess.run(
        ["apt-config", "dump", '--format=%F "%v";%n', "Acquire"],
        capture_output=True,
        text=True,
        check=True,
        env=environ,
    )
    way = re.compile(r'Acquire::(https?::|Check-|Retries)\S* ".')
    options = [f"--aptopt={line}" for line in asked.stdout.splitlines() if way.match(line)]
    # It is thrown away, and need not outlive a power cut.
    options.append("--dpkgopt=force-unsafe-io")
    made = subprocess.run(
        [mmdebstrap, "--quiet", "--variant=apt", *options, release, str(path), *_sources()],
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
        env=environ,
    )
    if made.returncode:
        needed.missing(f"no Debian can be fetched from here: {made.stderr[-1000:]}")


def _sources():
    """
    The files that name mirrors of the distribution, and nobody else's.
    """
    mirror = re.compile(r"(?m)^(deb|URIs:)\s.*/(debian|ubuntu)(-ports|-security)?/?(\s|$)")
    wanted = []
    for pattern in _SOURCES:
        for path in sorted(glob.glob(pattern)):
            with open(path, encoding="utf-8") as file:
                if mirror.search(file.read()):
                    wanted.append(path)
    if not wanted:
        needed.missing("apt's sources name no mirror of Debian or Ubuntu")
    return wanted
