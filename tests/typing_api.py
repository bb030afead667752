# SPDX-License-Identifier: MIT
"""
The API as its users write it: checked by mypy, not run.
"""

from __future__ import annotations

import logging
import os

import devcontainer_registry as registry


def a_setup_script() -> int:
    report = registry.login()
    for outcome in report.outcomes:
        print(outcome.registry, outcome.status, outcome.error and outcome.error.hint)
    for finding in report.findings:
        print(finding.variable, finding.message)
    return 0 if report.ok else 1


def everything_named() -> bool:
    def note(event: str, /, **fields: object) -> None:
        logging.getLogger(__name__).info("%s %s", event, fields)

    report: registry.LoginReport = registry.login(
        environ={"HOME": "/root"},
        config=registry.DockerConfig("/root/.docker/config.json"),
        verify="always",
        store="auths",
        retry=registry.RetryPolicy(attempts=2),
        timeout=10.0,
        only=["ACR"],
        observe=note,
    )
    return report.changed


def with_the_whole_report(image: str) -> str:
    report = registry.login(observe=registry.logging_observer(logging.getLogger("setup")))
    for outcome in report:
        print(outcome.registry, outcome.ok)
    print(len(report), report.to_dict()["registries"])
    found: registry.Outcome | None = report.by_registry.get(registry.Registry("ghcr.io"))
    try:
        report.raise_for_status()
    except registry.LoginError as exc:
        failed: registry.LoginReport = exc.report
        return "" if failed.ok else "\n".join(exc.details)
    except registry.UnknownSetError as exc:
        return ", ".join(exc.known)
    diagnosis: registry.Diagnosis = registry.diagnose([image])
    return diagnosis.fix if found is not None else str(diagnosis.to_dict())


def every_function() -> registry.Secret | None:
    standings: registry.StatusReport = registry.status()
    exported: registry.ExportReport = registry.export("docker-config", ["ghcr.io"])
    registry.logout(["ghcr.io"], timeout=5.0).raise_for_status()
    return exported.content if exported.ok and standings.ok else None


def for_a_client(credential: registry.Credential) -> dict[str, str]:
    username, password = credential.basic_auth()
    headers = {"Authorization": credential.authorization(), "X": username + password}
    return headers or credential.docker_auth_config()


def looking_only() -> list[registry.Registry]:
    found: registry.Found = registry.discover(os.environ)
    return [secret.registry for secret in found.secrets]


def as_a_keychain(image: str) -> tuple[str, str] | str | None:
    try:
        credential = registry.resolve(image, environ={"HOME": "/root"}, timeout=5.0)
    except registry.InvalidRegistryError:
        return None
    except registry.ConfigError as exc:
        return exc.code if exc.code == "helper-missing" else exc.hint
    if credential is None or credential.seconds_left() < 60:
        return None
    if credential.is_identity_token:
        return credential.secret.reveal()
    return credential.username, credential.secret.reveal()


class MyAuthenticator:
    """
    A kind of one's own, which inherits nothing.
    """

    def matches(self, registry: registry.Registry) -> bool:
        return registry == "registry.corp.example"

    def authenticate(
        self, secret: registry.RegistrySecret, *, timeout: float
    ) -> registry.Credential:
        if timeout <= 0:
            msg = "timed out while asking the vault"
            raise registry.TransientError(msg, hint="try again")
        return registry.Credential(username=secret.id, secret=registry.Secret("from the vault"))


def with_a_kind_of_ones_own(secret: registry.RegistrySecret) -> registry.Outcome:
    mine: registry.Authenticator = MyAuthenticator()
    report = registry.login([secret], authenticators={"mine": mine})
    return report.outcomes[0]


def what_can_go_wrong(error: registry.RegistryError) -> str:
    match error:
        case registry.AuthenticationError() | registry.DiscoveryError():
            return error.hint
        case registry.TransientError():
            return f"again in {error.retry_after or 1} s"
        case _:
            return error.code
