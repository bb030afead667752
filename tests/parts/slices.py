# SPDX-License-Identifier: MIT
"""
An image that can be a dev container: a slice of this machine, since none may be fetched.

busybox, bash, the docker CLI, skopeo, and the distribution's own Python, with the libraries that
they need.
"""

from __future__ import annotations

import glob
import io
import os
import re
import subprocess
import tarfile

from . import needed

USER = "dev"

_PASSWD = f"root:x:0:0:root:/root:/bin/bash\n{USER}:x:1000:1000::/home/{USER}:/bin/bash\n"
_GROUP = f"root:x:0:\n{USER}:x:1000:\n"
_FOLDERS = {
    "usr/local/bin": 0o755,
    "root": 0o700,
    "run": 0o755,
    "tmp": 0o1777,
    "var/tmp": 0o1777,
    "workspaces": 0o755,
}
_LINKS = {"bin": "usr/bin", "sbin": "usr/bin", "lib": "usr/lib", "lib64": "usr/lib64"}
_PYTHON = "/usr/bin/python3"
# Debian's pip reads this file when it starts, so that python3-venv depends on ca-certificates.
_CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
# Not needed by anybody who installs a package, and half of the size.
_LEFT_OUT = re.compile(r"/(__pycache__|test|idlelib|lib2to3|pydoc_data|config-3[^/]*)(/|$)|\.a$")


def write(path, *, python=True, bash=True, family="slice"):
    """
    Write the image's root file system as a tar, to *path*.

    Args:
        path: Of the tar.
        python: Whether there is a Python in it.
        bash: Whether there is a bash in it, a docker CLI and a skopeo; without, all is busybox.
        family: What os-release says that it is.
    """
    with tarfile.open(path, "w") as archive:
        for link, target in _LINKS.items():
            _add_link(archive, link, target)
        for name, mode in _FOLDERS.items():
            _add_folder(archive, name, mode)
        _add_folder(archive, f"home/{USER}", 0o755, owner=1000)
        passwd = _PASSWD if bash else _PASSWD.replace("/bin/bash", "/bin/sh")
        _add_file(archive, "etc/passwd", passwd)
        _add_file(archive, "etc/group", _GROUP)
        _add_file(archive, "etc/os-release", f"ID={family}\nNAME={family}\n")
        _add_file(archive, "etc/hosts", "127.0.0.1 localhost\n")
        busybox = needed.program("busybox", package="busybox-static")
        archive.add(busybox, "usr/bin/busybox")
        own = {"busybox", "bash"}
        listed = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True)
        for applet in sorted({*listed.stdout.split()} - own):
            _add_link(archive, f"usr/bin/{applet}", "busybox")
        programs = []
        if bash:
            programs.append(needed.program("bash", package="bash"))
            programs.append(needed.program("docker", package="docker.io"))
            programs.append(needed.program("skopeo", package="skopeo"))
        for program in programs:
            archive.add(os.path.realpath(program), f"usr/bin/{os.path.basename(program)}")
        if python:
            programs += _add_python(archive)
        if programs:
            _add_libraries(archive, programs)


def write_python(path):
    """
    Write what `write` adds for a Python, as a tar, to *path*.
    """
    with tarfile.open(path, "w") as archive:
        _add_libraries(archive, _add_python(archive))


def write_program(path, program):
    """
    Write *program* and the libraries that it needs, as a tar, to *path*.
    """
    with tarfile.open(path, "w") as archive:
        archive.add(os.path.realpath(program), f"usr/bin/{os.path.basename(program)}")
        _add_libraries(archive, [program])


def _add_python(archive):
    """
    Add the distribution's Python, and return what of it may need libraries.
    """
    if not os.access(_PYTHON, os.X_OK):
        needed.missing(f"{_PYTHON} is not installed: apt-get install python3-venv")
    script = "import os, sys, ensurepip; ensurepip.version(); print(os.path.dirname(os.__file__))"
    asked = subprocess.run([_PYTHON, "-c", script], capture_output=True, text=True, check=False)
    wheels = "/usr/share/python-wheels"
    if asked.returncode or not (os.path.isdir(wheels) and os.path.isfile(_CERTIFICATES)):
        needed.missing(f"{_PYTHON} can make no venv: apt-get install python3-venv")
    library = asked.stdout.strip()
    interpreter = os.path.realpath(_PYTHON)
    archive.add(interpreter, interpreter[1:])
    _add_link(archive, "usr/bin/python3", os.path.basename(interpreter))
    for path in (library, wheels, _CERTIFICATES):
        archive.add(path, path[1:], filter=_wanted)
    return [interpreter, *glob.glob(f"{library}/lib-dynload/*.so")]


def _wanted(member):
    return None if _LEFT_OUT.search(member.name) else member


def _add_libraries(archive, programs):
    found = subprocess.run(
        ["ldd", *programs], capture_output=True, text=True, check=False, env={"PATH": os.defpath}
    )
    for library in sorted(set(re.findall(r"(/\S+\.so\S*) \(0x", found.stdout))):
        # /lib is a link in the image, and perhaps not here.
        name = library[1:] if library.startswith("/usr/") else f"usr{library}"
        archive.add(os.path.realpath(library), name)


def _add_folder(archive, name, mode, *, owner=0):
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    member.mode = mode
    member.uid = member.gid = owner
    archive.addfile(member)


def _add_link(archive, name, target):
    member = tarfile.TarInfo(name)
    member.type = tarfile.SYMTYPE
    member.linkname = target
    archive.addfile(member)


def _add_file(archive, name, text):
    member = tarfile.TarInfo(name)
    member.mode = 0o644
    member.size = len(text)
    archive.addfile(member, io.BytesIO(text.encode()))


def write_registry(path, htpasswd):
    """
    Write the root file system of a registry's image, as a tar, to *path*.

    Args:
        path: Of the tar.
        htpasswd: Lines of users and hashes, which are in the image.
    """
    config = "version: 0.1\nstorage: {inmemory: {}}\nhttp: {addr: '127.0.0.1:5000'}\n"
    with tarfile.open(path, "w") as archive:
        for link, target in _LINKS.items():
            _add_link(archive, link, target)
        _add_folder(archive, "usr/bin", 0o755)
        _add_folder(archive, "tmp", 0o1777)
        registry = needed.program("docker-registry", package="docker-registry")
        archive.add(os.path.realpath(registry), "usr/bin/docker-registry")
        _add_file(archive, "etc/passwd", _PASSWD)
        _add_file(archive, "etc/registry.yml", config)
        _add_file(archive, "etc/htpasswd", htpasswd)
        _add_libraries(archive, [registry])
