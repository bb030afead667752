# SPDX-License-Identifier: MIT
"""
Discovery of the sets in the environment.

Faults are values, not exceptions.  No message quotes a value: any variable may hold a password.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from ..causes import variables as causes
from ..credentials import Finding, RegistrySecret
from ..naming import CODESPACES_SECRETS, SECRETS_FILE_VARIABLE, variable
from .docker_auth_config import entries_in as entries_in
from .docker_auth_config import logins_in as logins_in
from .docker_auth_config import of_docker
from .environment import read as read
from .incomplete import Incomplete
from .members import fault as fault
from .members import set_id
from .platforms import implicit_secrets
from .sets import read_set
from .typos import finding_of, typos_in, with_typos

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..registry import Registry
    from .environment import Environment

__all__ = ["Found", "Incomplete", "discover"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    Result of `discover`: sets, and faults of variables.

    Attributes:
        secrets: Usable sets and implicit logins, at most one per registry; sets first, by name.
        incomplete: Sets that cannot be used, by name.
        findings: Remarks about variables.
    """

    secrets: tuple[RegistrySecret, ...]
    incomplete: tuple[Incomplete, ...]
    findings: tuple[Finding, ...]


def discover(
    environ: Mapping[str, str] | None = None,
    *,
    secrets_file: str | None = None,
    codespaces_file: str = CODESPACES_SECRETS,
) -> Found:
    """
    Find the logins in the environment, without network requests.

    A set is read from one source, the first that has its `_SERVER`:

    1. *environ*;
    2. the secrets file;
    3. Codespaces' own file.

    A set wins over implicit logins for its registry (`GITHUB_TOKEN`, `CI_REGISTRY`,
    `DOCKER_AUTH_CONFIG`).  An incomplete set also does: it may have been complete in an earlier
    run.

    A variable whose name has a typo is reported once, with code `near-miss`: as the error of its
    set where the set lacks it, or else in `findings`.

    Args:
        environ: Variables; None: `os.environ`.
        secrets_file: Path of a JSON file in the format of the dev container CLI's `--secrets-file`;
            None: the path in `DEVCONTAINER_REGISTRY_SECRETS_FILE`, if set.
        codespaces_file: Path of Codespaces' secrets file, with a `KEY=<base64>` per line; it may
            not exist.
    """
    environ = os.environ if environ is None else environ
    environment = read(environ, secrets_file=secrets_file, codespaces_file=codespaces_file)
    secrets: dict[Registry, RegistrySecret] = {}
    incomplete = list(_secrets_file_trouble(environment, named=secrets_file is not None))
    findings = list(_codespaces_trouble(environment))
    near_misses: list[Finding] = []

    names = {name for layer in environment.layers for name in layer.names}
    set_ids = set(filter(None, map(set_id, names)))
    typos = typos_in(environment, names, set_ids=set_ids)
    for identifier in sorted(set_ids | typos.keys()):
        result: RegistrySecret | Incomplete | None = None
        if identifier in set_ids:
            result, remarks = read_set(identifier, environment)
            findings += remarks
        result, left = with_typos(result, typos.get(identifier, ()), environment)
        near_misses += [finding_of(left)] if left else []
        if isinstance(result, Incomplete):
            incomplete.append(result)
        elif result is not None and result.registry in secrets:
            findings.append(_shadowed(result.id, by=secrets[result.registry].id))
        elif result is not None:
            secrets[result.registry] = result
    findings += near_misses

    of_sets = dict(secrets)
    taken = {trouble.registry for trouble in incomplete}
    for found in (*of_docker(environment), *implicit_secrets(environment)):
        if isinstance(found, Finding):
            findings.append(found)
            continue
        rival = of_sets.get(found.registry)
        if found.id == "DOCKER_AUTH_CONFIG" and rival is not None:
            findings.append(_shadowed_in_docker(rival.id))
        if found.registry not in taken:
            secrets.setdefault(found.registry, found)
    return Found(
        secrets=tuple(secrets.values()), incomplete=tuple(incomplete), findings=tuple(findings)
    )


def _secrets_file_trouble(environment: Environment, *, named: bool) -> Iterator[Incomplete]:
    if environment.secrets_file_error is not None:
        yield Incomplete(
            id="SECRETS_FILE",
            registry=None,
            source="secrets file" if named else SECRETS_FILE_VARIABLE,
            error=environment.secrets_file_error,
        )


def _codespaces_trouble(environment: Environment) -> Iterator[Finding]:
    # Only a finding: the file is read by default, and the environment usually has its content.
    error = environment.codespaces_error
    if error is not None:
        yield Finding.of(error)


def _shadowed(loser: str, *, by: str) -> Finding:
    return causes.SHADOWED.finding(
        variable=variable(loser, "SERVER"), loser=variable(loser, "*"), winner=variable(by, "*")
    )


def _shadowed_in_docker(set_id: str) -> Finding:
    # https://github.com/docker/cli/blob/v28.3.0/cli/config/configfile/file.go
    return causes.SHADOWED_IN_DOCKER.finding(
        variable="DOCKER_AUTH_CONFIG", members=variable(set_id, "*")
    )
