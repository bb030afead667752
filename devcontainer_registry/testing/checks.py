# SPDX-License-Identifier: MIT
"""
Mistakes in a contract's test, and what to write instead.
"""

from __future__ import annotations

import importlib

from ..errors import InvalidRegistryError
from ..registry import Registry

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any

_EXAMPLE = 'target = "my_package.registry:MyAuthenticator"'


def target(contract: object) -> str:
    """
    Return the `target` of *contract*.

    Raises:
        AssertionError: It is not set, or has not the form `module:Class`.
    """
    owner, given = type(contract).__name__, getattr(contract, "target", "")
    if isinstance(given, type):
        msg = f'{owner}.target is a class: write target = "{given.__module__}:{given.__qualname__}"'
        raise AssertionError(msg)  # noqa: TRY004  (a test fails)
    if not given:
        msg = f"{owner}.target is not set: write {_EXAMPLE}, as in the entry point"
        raise AssertionError(msg)
    module, _, name = given.partition(":") if isinstance(given, str) else ("", "", "")
    if not module or not name:
        msg = f"{owner}.target is {given!r}, not module:Class: write {_EXAMPLE}"
        raise AssertionError(msg)
    return str(given)


def instance(contract: object) -> Any:
    """
    Return a new instance of the class that the `target` of *contract* names.

    Raises:
        AssertionError: There is no such module or class, or it is no authenticator.
    """
    named = target(contract)
    module_name, _, name = named.partition(":")
    said = f"{type(contract).__name__}.target names"
    try:
        module = importlib.import_module(module_name)
    except ImportError as exc:
        msg = (
            f"{said} the module {module_name}, which cannot be imported: {exc}. "
            "Install your package in this environment, or correct the name"
        )
        raise AssertionError(msg) from exc
    found = getattr(module, name, None)
    if not isinstance(found, type):
        there = [n for n, value in vars(module).items() if hasattr(value, "authenticate")]
        rest = f"; it has {', '.join(there)}" if there else ""
        msg = f"{said} the class {name}, which {module_name} does not have{rest}"
        raise AssertionError(msg)  # noqa: TRY004
    lacking = [n for n in ("matches", "authenticate") if not callable(getattr(found, n, None))]
    if lacking:
        msg = f"{said} {named}, which has no method {' and no method '.join(lacking)}"
        raise AssertionError(msg)
    try:
        return found()
    except TypeError as exc:
        msg = f"{named} cannot be made without arguments, as the entry point's is: {exc}"
        raise AssertionError(msg) from exc


def texts(contract: object, member: str) -> tuple[str, ...]:
    """
    Return the tuple of texts *member* of *contract*.

    Raises:
        AssertionError: It is one text, or holds anything else.
    """
    given = getattr(contract, member)
    owner = f"{type(contract).__name__}.{member}"
    if isinstance(given, str):
        msg = f"{owner} is one text, not a tuple: write {member} = ({given!r},)"
        raise AssertionError(msg)  # noqa: TRY004
    if not isinstance(given, (tuple, list)) or not all(isinstance(each, str) for each in given):
        msg = f'{owner} is not a tuple of texts: write {member} = ("...",)'
        raise AssertionError(msg)
    return tuple(given)


def hosts(contract: object, member: str) -> tuple[Registry, ...]:
    """
    Return the registries in *member* of *contract*.

    Raises:
        AssertionError: It is no tuple, or one of it is not the name of a registry.
    """
    found = []
    for each in texts(contract, member):
        try:
            found.append(Registry(each))
        except InvalidRegistryError as exc:  # noqa: PERF203
            msg = f"{type(contract).__name__}.{member} has {each!r}: {exc.message}; {exc.hint}"
            raise AssertionError(msg) from None
    return tuple(found)


def lacks_situation(contract: object, member: str) -> str:
    """
    Return what to write for the method *member*, which is missing or no context manager.
    """
    meant = {"refusal": "refuses the secret", "outage": "is busy or down"}[member]
    return (
        f"{type(contract).__name__} needs a method {member}(self), with @contextmanager, that "
        f"yields self.secret() while a cloud of your test's {meant}; without such a cloud, let "
        "exchanges return False"
    )


def yields_no_secret(member: str) -> str:
    """
    Return what to write where *member* yields something else than a set.
    """
    return f"{member} has to yield a RegistrySecret: write yield self.secret()"
