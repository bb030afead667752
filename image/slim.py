# SPDX-License-Identifier: MIT
"""
Complete the root file system in the folder that is named, for an image from nothing.

usage: python3 slim.py ROOT

ROOT already has what pip installed.  This adds the interpreter that runs this, its standard
library, the shared libraries that all of it needs, the certificate authorities and a user; and
removes what the image's programs never load.
Each Debian package that a file came from is listed as in Google's distroless images, so that
scanners find it: https://github.com/GoogleContainerTools/distroless
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

USER = 65532

# The services that `devcontainer_registry.authenticators` and botocore's credential chain call;
# botocore has the descriptions of 400 more.  Its other files are shared by all services.
SERVICES = {"ecr", "ecr-public", "signin", "sso", "sso-oidc", "sts"}

# Of the standard library: what needs a terminal, a screen or a compiler, installs packages, or is
# for tests.
_MODULES = (
    *("EXTERNALLY-MANAGED", "config-*", "ctypes/test", "curses", "dbm", "distutils", "ensurepip"),
    *("idlelib", "lib2to3", "pydoc_data", "sqlite3", "test", "tkinter", "turtle.py", "turtledemo"),
    *("unittest/test", "venv"),
)
_EXTENSIONS = (
    *("_crypt.*", "_curses*", "_dbm.*", "_gdbm.*", "_sqlite3.*", "_test*", "_tkinter.*"),
    *("_xx*", "nis.*", "readline.*", "xx*"),
)

_INFO = Path("/var/lib/dpkg/info")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_OS_RELEASE = Path("/etc/os-release")


class Root:
    """
    The image's root file system.
    """

    def __init__(self, path: str) -> None:
        self.path = Path(path)
        self.sources: list[Path] = []

    def at(self, path: Path | str) -> Path:
        """
        Return where *path* of the image is here.
        """
        return self.path / str(path).lstrip("/")

    def write(self, path: str, text: str) -> None:
        self.at(path).parent.mkdir(parents=True, exist_ok=True)
        self.at(path).write_text(text, encoding="utf-8")

    def add(self, path: Path, *, at: Path | None = None) -> None:
        """
        Copy the file *path*, and what it is a link to.
        """
        real = path.resolve()
        # /lib is a link to /usr/lib, here and in the image.
        target = self.at(re.sub(r"^/(bin|lib|lib64|sbin)/", r"/usr/\1/", str(at or path)))
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(real, target)
        shutil.copymode(real, target)
        self.sources += [path, real]

    def remove(self, folder: Path, *patterns: str) -> None:
        for pattern in patterns:
            for path in list(folder.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def add_python(root: Root) -> list[Path]:
    """
    Add the interpreter and its standard library; return the programs and extensions.
    """
    interpreter = Path(sys.executable).resolve()
    root.add(interpreter)
    root.at("/usr/bin/python3").symlink_to(interpreter.name)
    library = Path(sysconfig.get_path("stdlib"))
    copy = root.at(library)
    shutil.copytree(library, copy, ignore=shutil.ignore_patterns("__pycache__", "test", "idlelib"))
    root.remove(copy, *_MODULES)
    extensions = copy / "lib-dynload"
    root.remove(extensions, *_EXTENSIONS)
    root.sources += [library / path.relative_to(copy) for path in copy.rglob("*")]
    return [interpreter, *(library / "lib-dynload" / path.name for path in extensions.iterdir())]


def add_libraries(root: Root, programs: list[Path]) -> None:
    """
    Add the shared libraries that *programs* load, and their loader.
    """
    found = subprocess.run(
        ["ldd", *map(str, programs)], capture_output=True, text=True, check=False
    )
    for library in sorted(set(re.findall(r"(/\S+\.so\S*) \(0x", found.stdout))):
        if not Path(library).is_relative_to(root.path):
            root.add(Path(library))


def prune_packages(root: Root) -> None:
    """
    Remove what pip installed and no program here loads.
    """
    for packages in root.path.glob("usr/local/lib/python3*/dist-packages"):
        services = [path for path in (packages / "botocore" / "data").iterdir() if path.is_dir()]
        for path in services:
            if path.name not in SERVICES:
                shutil.rmtree(path)
        # The descriptions of boto3's resources, and examples for documentation.
        root.remove(packages, "boto3/data", "boto3/examples", "botocore/data/*/*/examples-1.json*")
        root.remove(packages, "**/__pycache__", "*/tests", "*/test")
    scripts = root.at("/usr/local/bin")
    kept = {"devcontainer-registry", "docker-credential-devcontainer-registry", "kubectl"}
    root.remove(scripts, *(path.name for path in scripts.iterdir() if path.name not in kept))


def list_packages(root: Root) -> None:
    """
    List the Debian packages that the files came from, with their licences.
    """
    owners: dict[str, str] = {}
    for path in _INFO.glob("*.list"):
        for line in path.read_text(encoding="utf-8").splitlines():
            owners[line] = path.name.removesuffix(".list").partition(":")[0]
    names = set()
    for source in map(str, root.sources):
        # A package's list may have a library where it was before /lib was a link.
        owner = owners.get(source) or owners.get(source.removeprefix("/usr"))
        names |= {owner} if owner else set()
    names.add("ca-certificates")
    for name in sorted(names):
        status = subprocess.run(["dpkg-query", "--status", name], capture_output=True, check=True)
        root.write(f"/var/lib/dpkg/status.d/{name}", status.stdout.decode())
        licence = Path(f"/usr/share/doc/{name}/copyright")
        if licence.exists():
            root.add(licence)


def main() -> None:
    root = Root(sys.argv[1])
    os.umask(0o022)
    for name in ("lib", "lib64"):
        root.at(f"/usr/{name}").mkdir(parents=True, exist_ok=True)
        root.at(f"/{name}").symlink_to(f"usr/{name}")
    prune_packages(root)
    programs = add_python(root)
    add_libraries(root, [*programs, *root.path.glob("usr/local/lib/**/*.so")])
    root.add(_CERTIFICATES)
    root.add(_OS_RELEASE)
    root.at("/tmp").mkdir()
    root.at("/tmp").chmod(0o1777)
    root.write("/etc/passwd", f"job:x:{USER}:{USER}::/nonexistent:/nonexistent\n")
    root.write("/etc/group", f"job:x:{USER}:\n")
    root.write("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    list_packages(root)


if __name__ == "__main__":
    main()
