# SPDX-License-Identifier: MIT
"""
Names that several modules share: variables, our credential helper, known paths.

The credential helper imports this at every pull, so imports must stay cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Mapping

# Part of a variable's name between the id of its set and its member.
INFIX = "_CONTAINER_REGISTRY_"

# Ends of the names of variables that hold a secret.
SECRET_NAMES = ("PASSWORD", "_PASS", "TOKEN", "SECRET", "_KEY", "DOCKER_AUTH_CONFIG")

# Prefix of the programs that `credHelpers` and `credsStore` name.
HELPER_PREFIX = "docker-credential-"
# Our value in `credHelpers`, and its program.
OUR_HELPER = "devcontainer-registry"
HELPER_PROGRAM = HELPER_PREFIX + OUR_HELPER

# Prefix of VS Code's helper, whose name may stay in a config.json after it is gone.
OF_VSCODE = "dev-containers-"

# On the PATH of every login shell, ssh session, editor's server and `docker exec`.
EVERYWHERE = ("/usr/local/bin", "/usr/bin")

# docker compares this text: it means no login; any other text is a failure.
# https://github.com/docker/docker-credential-helpers/blob/v0.8.2/credentials/error.go
NOT_FOUND = "credentials not found in native keychain"

# The setting that stands for `--secrets-file`.
SECRETS_FILE_VARIABLE = "DEVCONTAINER_REGISTRY_SECRETS_FILE"

# Secrets file of GitHub Codespaces, also present in ssh sessions.
CODESPACES_SECRETS = "/workspaces/.codespaces/shared/.env-secrets"


# Go's names for machines by the kernel's names.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm/v7",
    "armv6l": "arm/v6",
    "i386": "386",
    "i686": "386",
}


def prefix(set_id: str) -> str:
    """
    Return what the variables of the set *set_id* begin with, up to the last `_`.
    """
    return set_id + INFIX.removesuffix("_")


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
