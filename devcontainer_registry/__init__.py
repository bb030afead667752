# SPDX-License-Identifier: MIT
"""
Log a dev container in to private registries from its secrets.

    import devcontainer_registry as registry

    report = registry.login()
    report.ok, report.by_registry, report.findings
    report.raise_for_status()

Importing this is cheap: each name is resolved at its first use, since docker's credential helper
imports this file at every pull.
"""

from __future__ import annotations

# Type checkers read the imports, and the interpreter the table.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from .authenticators import Authenticator as Authenticator
    from .config.file import DockerConfig as DockerConfig
    from .credentials import Credential as Credential
    from .credentials import Finding as Finding
    from .credentials import RegistrySecret as RegistrySecret
    from .credentials import Secret as Secret
    from .diagnosis.diagnose import diagnose as diagnose
    from .diagnosis.report import Diagnosis as Diagnosis
    from .diagnosis.report import ImageDiagnosis as ImageDiagnosis
    from .diagnosis.report import Step as Step
    from .discovery import Found as Found
    from .discovery import Incomplete as Incomplete
    from .discovery import discover as discover
    from .errors import AuthenticationError as AuthenticationError
    from .errors import ConfigChangedError as ConfigChangedError
    from .errors import ConfigError as ConfigError
    from .errors import DiscoveryError as DiscoveryError
    from .errors import InvalidRegistryError as InvalidRegistryError
    from .errors import PluginError as PluginError
    from .errors import RegistryError as RegistryError
    from .errors import ThrottledError as ThrottledError
    from .errors import TransientError as TransientError
    from .errors import UnreachableError as UnreachableError
    from .keychain.resolve import resolve as resolve
    from .logins.asking import RetryPolicy as RetryPolicy
    from .logins.candidates import UnknownSetError as UnknownSetError
    from .logins.export import Exported as Exported
    from .logins.export import ExportReport as ExportReport
    from .logins.export import export as export
    from .logins.login import login as login
    from .logins.logout import logout as logout
    from .logins.status import Standing as Standing
    from .logins.status import StatusReport as StatusReport
    from .logins.status import status as status
    from .observer import Observer as Observer
    from .observer import logging_observer as logging_observer
    from .registry import Registry as Registry
    from .report import LoginError as LoginError
    from .report import LoginReport as LoginReport
    from .report import Outcome as Outcome

    __version__: str

_HOMES = {
    "AuthenticationError": "errors",
    "Authenticator": "authenticators",
    "ConfigChangedError": "errors",
    "ConfigError": "errors",
    "Credential": "credentials",
    "Diagnosis": "diagnosis.report",
    "DiscoveryError": "errors",
    "DockerConfig": "config.file",
    "ExportReport": "logins.export",
    "Exported": "logins.export",
    "Finding": "credentials",
    "Found": "discovery",
    "ImageDiagnosis": "diagnosis.report",
    "Incomplete": "discovery",
    "InvalidRegistryError": "errors",
    "LoginError": "report",
    "LoginReport": "report",
    "Observer": "observer",
    "Outcome": "report",
    "PluginError": "errors",
    "Registry": "registry",
    "RegistryError": "errors",
    "RegistrySecret": "credentials",
    "RetryPolicy": "logins.asking",
    "Secret": "credentials",
    "Standing": "logins.status",
    "StatusReport": "logins.status",
    "Step": "diagnosis.report",
    "ThrottledError": "errors",
    "TransientError": "errors",
    "UnknownSetError": "logins.candidates",
    "UnreachableError": "errors",
    "diagnose": "diagnosis.diagnose",
    "discover": "discovery",
    "export": "logins.export",
    "logging_observer": "observer",
    "login": "logins.login",
    "logout": "logins.logout",
    "resolve": "keychain.resolve",
    "status": "logins.status",
}

__all__ = sorted(_HOMES)  # noqa: PLE0605  (a list, and the same one)


def __getattr__(name: str) -> object:
    """
    Import a public name at its first use.
    """
    if name == "__version__":
        from importlib.metadata import version  # 20 ms and more

        value: object = version("devcontainer-registry")
    elif name in _HOMES:
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """
    Return the public names, including those not imported yet.
    """
    return sorted({*globals(), *__all__, "__version__"})
