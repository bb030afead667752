# SPDX-License-Identifier: MIT
"""
Sets before a login: chosen, incomplete, or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import authenticators as plugins
from ..causes.plugins import NO_USER_AND_PASSWORD, NO_USER_AND_PASSWORD_HERE
from ..discovery import Found
from ..errors import PluginError
from ..naming import variable
from ..observer import ignore
from ..report import LoginReport, Outcome
from .outcomes import not_kept

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Collection

    from ..authenticators import Authenticator, Installed
    from ..credentials import RegistrySecret
    from ..errors import ConfigError
    from ..observer import Observer


_CHOICES = {"verify": ("changed", "always", "never"), "store": ("auto", "auths", "helper")}


class UnknownSetError(ValueError):
    """
    A set was named that is not there.

    Its text has the names that are, never the one that was given: that may be anything.

    Attributes:
        known: The ids that are there.
    """

    def __init__(self, known: Collection[str]) -> None:
        self.known = frozenset(known)
        names = ", ".join(sorted(known)) or "none"
        super().__init__(f"no set is called that; there are: {names}")


def survey(
    found: Found, *, authenticators: Installed | None = None, config: str = ""
) -> LoginReport:
    """
    What a login would start from: nobody is asked, and nothing is read but *found*.
    """
    installed = plugins.installed_for(found.secrets, authenticators)
    outcomes = [chosen(secret, installed)[0] for secret in found.secrets]
    return LoginReport(
        config=config,
        changed=False,
        # Two statuses are enough before anybody is asked: usable, or not.
        outcomes=tuple(
            outcome if outcome.status == "found" else replace(outcome, status="incomplete")
            for outcome in (*outcomes, *incomplete(found))
        ),
        findings=found.findings,
    )


def refuse_mistakes(
    secrets: object, *, only: object, config: object, **chosen_words: object
) -> None:
    """
    Say what was meant, to a script that no type checker has seen.

    A word that nobody knows would else count as the default, and what is no secret would fail
    somewhere deep, perhaps with the others half done.

    Raises:
        TypeError: For what is no such thing.
        ValueError: For a word that is none of those there are; it isn't quoted.
    """
    if isinstance(secrets, (Mapping, str, Found)):
        msg = "secrets are those of discover(...).secrets; variables go into environ="
        raise TypeError(msg)
    if isinstance(only, str):
        msg = "only takes several ids: write only=['ACR']"
        raise TypeError(msg)
    if config is not None and not hasattr(config, "edit"):
        msg = "config is a DockerConfig: write config=DockerConfig(path)"
        raise TypeError(msg)
    for name, word in chosen_words.items():
        if word not in _CHOICES[name]:
            msg = f"{name} is one of {', '.join(_CHOICES[name])}"
            raise ValueError(msg)


def only(found: Found, ids: Collection[str]) -> Found:
    """
    What of *found* is called one of *ids*; all of it where there are none.

    Raises:
        UnknownSetError: One of them is not there.
    """
    if not ids:
        return found
    known = {s.id for s in found.secrets} | {i.id for i in found.incomplete}
    if set(ids) - known:
        raise UnknownSetError(known)
    return Found(
        secrets=tuple(s for s in found.secrets if s.id in ids),
        incomplete=tuple(i for i in found.incomplete if i.id in ids),
        findings=found.findings,
    )


def chosen(
    secret: RegistrySecret, installed: Installed, *, observe: Observer = ignore
) -> tuple[Outcome, Authenticator | None]:
    """
    The outcome before anybody is asked, and who would be.
    """
    outcome = Outcome(
        id=secret.id,
        registry=secret.registry,
        source=secret.source,
        # Not what the variable says: only what turns out to be a kind.
        kind=None,
        status="found",
        implicit=secret.implicit,
    )
    try:
        kind, authenticator = plugins.choose(secret, installed, observe=observe)
        ambient = plugins.is_ambient(authenticator)
    except PluginError as exc:
        kind_named = secret.kind if secret.kind in installed else None
        return (
            replace(outcome, status="failed", kind=kind_named, code=exc.code, error=exc),
            None,
        )
    outcome = replace(outcome, kind=kind)
    if secret.secret is None and not ambient:
        missing = NO_USER_AND_PASSWORD.with_fix(NO_USER_AND_PASSWORD_HERE).error(
            source=secret.source,
            host=secret.registry,
            user=variable(secret.id, "USER"),
            password=variable(secret.id, "PASSWORD"),
        )
        return replace(outcome, status="incomplete", code=missing.code, error=missing), None
    return outcome, authenticator


def incomplete(found: Found) -> list[Outcome]:
    """
    The outcomes of what can't be used.
    """
    return [
        Outcome(
            id=broken.id,
            registry=broken.registry,
            source=broken.source,
            kind=None,
            status="skipped" if broken.empty else "incomplete",
            code=broken.error.code,
            error=broken.error,
            implicit=broken.implicit,
        )
        for broken in found.incomplete
    ]


def nowhere(
    found: Found, installed: Installed, error: ConfigError, *, observe: Observer
) -> LoginReport:
    """
    The report where there is no place to write to, so that nobody need be asked.
    """
    outcomes = []
    for secret in found.secrets:
        outcome, authenticator = chosen(secret, installed, observe=observe)
        outcomes.append(outcome if authenticator is None else not_kept(outcome))
    return LoginReport(
        config="",
        changed=False,
        outcomes=(*outcomes, *incomplete(found)),
        findings=found.findings,
        error=error if found.secrets else None,
    )
