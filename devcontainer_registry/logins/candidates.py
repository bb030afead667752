# SPDX-License-Identifier: MIT
"""
Sets before a login: usable, incomplete or invalid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .. import authenticators as plugins
from ..causes.plugins import NO_USER_AND_PASSWORD, NO_USER_AND_PASSWORD_HERE
from ..discovery import Found
from ..discovery.nearest import nearest
from ..errors import PluginError
from ..identities.named import problem
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
    An unknown set was named.

    The message lists the known ids, never the given one, which may be a secret, unless it is a
    known id in another case.

    Attributes:
        known: Known ids.
        meant: The known id that was probably meant, or None.
    """

    def __init__(self, known: Collection[str], unknown: str = "") -> None:
        self.known = frozenset(known)
        self.meant = nearest(unknown, sorted(known))
        if self.meant and self.meant.casefold() == unknown.casefold():
            said = f'no set "{unknown}"; did you mean {self.meant}?'
        elif self.meant:
            said = f"no such set; did you mean {self.meant}?"
        else:
            said = f"no such set; there are: {', '.join(sorted(known)) or 'none'}"
        super().__init__(said)


def survey(
    found: Found, *, authenticators: Installed | None = None, config: str = ""
) -> LoginReport:
    """
    Return the report before a login: no requests, and nothing is read but *found*.
    """
    installed = plugins.installed_for(found.secrets, authenticators)
    outcomes = [chosen(secret, installed)[0] for secret in found.secrets]
    return LoginReport(
        config=config,
        changed=False,
        # Before any request there are two statuses: usable or not.
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
    Raise for invalid arguments of `login`.

    Otherwise an unknown word would count as the default, and a wrong type would fail after some
    logins.

    Raises:
        TypeError: An argument has the wrong type.
        ValueError: A word is unknown; it is not quoted.
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
    Return the sets of *found* in *ids*; all if *ids* is empty.

    Raises:
        UnknownSetError: An id is unknown.
    """
    if not ids:
        return found
    known = {s.id for s in found.secrets} | {i.id for i in found.incomplete}
    for unknown in ids:
        if unknown not in known:
            raise UnknownSetError(known, unknown)
    return Found(
        secrets=tuple(s for s in found.secrets if s.id in ids),
        incomplete=tuple(i for i in found.incomplete if i.id in ids),
        findings=found.findings,
    )


def chosen(
    secret: RegistrySecret, installed: Installed, *, observe: Observer = ignore
) -> tuple[Outcome, Authenticator | None]:
    """
    Return the outcome before any request, and the authenticator.
    """
    outcome = Outcome(
        id=secret.id,
        registry=secret.registry,
        source=secret.source,
        # Not the variable's value, unless it is a known kind.
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
    trouble = problem(secret, kind)
    if trouble is not None:
        return replace(outcome, status="incomplete", code=trouble.code, error=trouble), None
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
    Return the outcomes of incomplete sets.
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
    Return the report if there is no place to write to; no request is sent.
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
