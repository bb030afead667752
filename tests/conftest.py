# SPDX-License-Identifier: MIT
"""
The start of every test: an empty environment, an empty home, and a closed network.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

import hypothesis
import pytest
from doubles.private_user import SOAK

from devcontainer_registry.naming import EVERYWHERE
from devcontainer_registry.naming import HELPER_PROGRAM as NAME

# Variables that a process needs to run, and those of a test run.  All others belong to the
# machine: keys of a cloud, a proxy, a CA bundle that would hide a broken trust store.
_KEPT = frozenset({"CI", "LANG", "LC_ALL", "PATH", "TMPDIR", "TZ", "VIRTUAL_ENV"})
_KEPT_PREFIXES = (
    "COVERAGE",
    "DEVCONTAINER_REGISTRY_DOCS",
    "DEVCONTAINER_REGISTRY_SOAK",
    "HYPOTHESIS",
    "PYTEST",
    "PYTHON",
)

# Nor does a test depend on how fast the machine is.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")

_CONNECT = socket.socket.connect
_CONNECT_EX = socket.socket.connect_ex
_GETADDRINFO = socket.getaddrinfo


def pytest_collection_modifyitems(config, items):
    """
    Deselect the tests of the soak: a skip would mean that something is missing.
    """
    left_out = [] if SOAK else [item for item in items if item.get_closest_marker("soak")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session", autouse=True)
def _bare_process(tmp_path_factory):
    """
    Empty the environment once, before the first costly fixture starts a process in it.
    """
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name not in _KEPT and not name.startswith(_KEPT_PREFIXES):
                patch.delenv(name)
        patch.setenv("LANG", "C.UTF-8")
        patch.setenv("HOME", str(tmp_path_factory.mktemp("nobodys-home")))
        # Ten seconds of waiting for an address that only a cloud's machines have.
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(autouse=True)
def _bare_home(_bare_process, tmp_path_factory, monkeypatch):
    """
    Give the test an empty home and an empty DOCKER_CONFIG.

    Beside `tmp_path`, not in it: a test may list its own folder.
    """
    home = tmp_path_factory.mktemp("home")
    (home / ".docker").mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("DOCKER_CONFIG", str(home / ".docker"))


@pytest.fixture(name="undelegated")
def _undelegated():
    """
    Skip the test if our helper is on the default PATH, as in this project's own dev container.

    A login in a test's home would then be delegated, and not saved in config.json alone.
    """
    for place in EVERYWHERE:
        if os.path.exists(os.path.join(place, NAME)):
            pytest.skip(f"{NAME} is in {place}")


@pytest.fixture(autouse=True)
def _closed_network(monkeypatch):
    """
    Refuse every connection of this process to another machine.

    The errors are those of the network: no route, no such name.  Code under test then ends in its
    own error, and a test that expected an answer goes red.
    """
    monkeypatch.setattr(socket.socket, "connect", _connect)
    monkeypatch.setattr(socket.socket, "connect_ex", _connect_ex)
    monkeypatch.setattr(socket, "getaddrinfo", _getaddrinfo)


def _connect(self, address):
    if _leaves_this_machine(self.family, address):
        raise OSError(errno.ENETUNREACH, "tests talk to this machine only")
    return _CONNECT(self, address)


def _connect_ex(self, address):
    if _leaves_this_machine(self.family, address):
        return errno.ENETUNREACH
    return _CONNECT_EX(self, address)


def _getaddrinfo(host, *args, **kwargs):
    name = host.decode() if isinstance(host, bytes) else host
    if name not in (None, "", "localhost") and not _is_address(name):
        raise socket.gaierror(socket.EAI_NONAME, "tests resolve localhost only")
    return _GETADDRINFO(host, *args, **kwargs)


def _leaves_this_machine(family, address):
    if family not in (socket.AF_INET, socket.AF_INET6):
        return False
    host = address[0]
    return host != "localhost" and not (
        _is_address(host) and ipaddress.ip_address(host).is_loopback
    )


def _is_address(text):
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
