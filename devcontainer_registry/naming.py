# SPDX-License-Identifier: MIT
"""
Names that several modules share: variables, our credential helper, known paths.

docker starts our helper at every pull, and it imports this: nothing here may be dear.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# What every variable of a set has between its id and its member.
INFIX = "_CONTAINER_REGISTRY_"

# How the names of variables end that hold a secret.
SECRET_NAMES = ("PASSWORD", "_PASS", "TOKEN", "SECRET", "_KEY", "DOCKER_AUTH_CONFIG")

# What `credHelpers` and `credsStore` put behind this is a program's name.
HELPER_PREFIX = "docker-credential-"
# The value in `credHelpers` that is ours, and its program.
OUR_HELPER = "devcontainer-registry"
HELPER_PROGRAM = HELPER_PREFIX + OUR_HELPER

# What VS Code calls its helper; it leaves the name behind in a config.json that outlives it.
OF_VSCODE = "dev-containers-"

# On the PATH of every login shell, ssh session, editor's server and `docker exec`.
EVERYWHERE = ("/usr/local/bin", "/usr/bin")

# docker compares this text: it means anonymous, and any other is a failure.
# https://github.com/docker/docker-credential-helpers/blob/v0.8.2/credentials/error.go
NOT_FOUND = "credentials not found in native keychain"

# Where GitHub Codespaces keeps its secrets, also for shells that come in by ssh.
CODESPACES_SECRETS = "/workspaces/.codespaces/shared/.env-secrets"


# As Go names the machines that the kernel names otherwise.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
    "i386": "386",
    "i686": "386",
}


def variable(set_id: str, member: str) -> str:
    """
    Return the name of the variable that holds *member* of the set *set_id*.

    `variable("CORP", "USER")` is `CORP_CONTAINER_REGISTRY_USER`.
    """
    return f"{set_id}{INFIX}{member}"


def resembles_a_set(name: str) -> bool:
    """
    Return whether *name* may be a misspelled variable of a set.

    Cheap, for all variables of a process: one edit in `CONTAINER` and one in `REGISTRY` leave an
    end of each.  Few other names have both.
    """
    upper = name.upper()
    return ("REG" in upper or "TRY" in upper) and ("CON" in upper or "NER" in upper)


def this_platform() -> str:
    """
    Return this machine's platform as images name it, such as `linux/amd64`.
    """
    import os

    machine = os.uname().machine
    return f"linux/{_ARCHITECTURES.get(machine, machine)}"


def is_codespaces(environ: Mapping[str, str]) -> bool:
    """
    Return whether *environ* is that of a GitHub codespace.
    """
    return environ.get("CODESPACES", "").lower() == "true"
