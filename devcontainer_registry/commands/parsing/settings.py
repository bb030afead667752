# SPDX-License-Identifier: MIT
"""
Settings: variables that stand for an option, and misspelled ones.
"""

from __future__ import annotations

import argparse

from ...discovery.nearest import edits, nearest

TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

STEPS = ("onCreate", "updateContent", "postCreate", "postStart", "postAttach")

# A container start waits for the hook, and an editor for each time that it attaches.
TIMEOUT = 15.0  # seconds
ATTACH_TIMEOUT = 5.0  # seconds

PREFIX = "DEVCONTAINER_REGISTRY_"
NAMES = ("CACHE_DIR", "LOG_LEVEL", "SECRETS_FILE", "STORE", "TIMEOUT", "VERIFY")

_EDITS_MAX = 2


class Setting(str):
    """
    What a variable says, until the command line says otherwise.
    """

    __slots__ = ("variable",)
    variable: str


def setting(environ: Mapping[str, str], name: str, default: str) -> Setting:
    """
    Return the value of the setting *name*, which knows its variable, or *default*.
    """
    value = Setting(environ.get(PREFIX + name) or default)
    value.variable = PREFIX + name if environ.get(PREFIX + name) else ""
    return value


def misspelled(environ: Mapping[str, str]) -> str:
    """
    Return what is wrong with the name of a setting in *environ*, or "".

    A name within two edits of a setting's is meant to be it; others are not this tool's.
    """
    known = [PREFIX + name for name in NAMES]
    for name in sorted(environ):
        written = name.upper()
        if name in known or not written.startswith(PREFIX[:8]) or not environ[name]:
            continue
        for one in known:
            if edits(written, one) <= _EDITS_MAX:
                # The name may be unprintable; the right one is enough to find it by.
                shown = name if name.isprintable() else "a variable"
                return f"{shown} is not a setting; did you mean {one}?"
    return ""


def one_of(
    choices: Sequence[str], *, any_case: bool = False, shown: Sequence[str] = ()
) -> Callable[[str], str]:
    """
    Return a type for argparse that takes *choices* only, in any case if told so.

    An error names those of *shown*.
    Not argparse's `choices` alone: those don't check what a variable set.
    """
    by_case = {one.casefold(): one for one in choices}

    def choice(text: str) -> str:
        if text in choices:
            return text
        if any_case and text.casefold() in by_case:
            return by_case[text.casefold()]
        names = shown or choices
        raise _expected(either(names), text, nearest(text, names))

    return choice


def seconds(text: str) -> float:
    """
    Parse a timeout, for argparse.
    """
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 3600:
        raise _expected("seconds, above 0 and up to 3600", text, None)
    return value


def lenient(
    parse: Callable[[str], Any],
    option: str,
    default: str,
    warnings: list[str],
    *,
    by_step: bool = False,
) -> Callable[[str], Any]:
    """
    Return *parse* as it is for a hook: a wrong value is a warning, and the default is used.

    Args:
        parse: For a right value.
        option: What the value is for.
        default: The default, in words if it depends on the step.
        warnings: Where a warning is added.
        by_step: Whether the default depends on the step, and is None here.
    """

    def parse_or_warn(text: str) -> Any:
        try:
            return parse(text)
        except argparse.ArgumentTypeError as exc:
            warnings.append(f"{option}: {exc}; using {default}")
            return None if by_step else parse(default)

    return parse_or_warn


def either(choices: Sequence[str]) -> str:
    """
    Return *choices* in words: `a, b or c`.
    """
    return f"{', '.join(choices[:-1])} or {choices[-1]}"


def _expected(what: str, text: str, meant: str | None) -> argparse.ArgumentTypeError:
    # Without *text*: whatever stands in the wrong place may be a secret.
    variable = getattr(text, "variable", "")
    where = variable and f" in {variable}"
    if meant:
        return argparse.ArgumentTypeError(f"unknown value{where}; did you mean {meant}?")
    return argparse.ArgumentTypeError(f"expected {what}{where}")
