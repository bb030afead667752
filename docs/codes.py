# SPDX-License-Identifier: MIT
"""
Print docs/codes.md, the page of all codes, from the package's causes.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from typing import TYPE_CHECKING

from devcontainer_registry import causes
from devcontainer_registry.causes.cause import Cause, Fix, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

HEAD = """\
---
myst:
  html_meta:
    description: "Every message and its code, with its fix."
---

# What the messages mean

Each message has a code, which `--json` shows as `code`.
What stands in capitals here is filled in there: a host, a path, the name of a variable.
This page is made from the source by `./dev docs`.
"""

# What Markdown would take for its own.
SPECIAL = re.compile(r"[*~$|<]|(?<!\w)_")


def main() -> None:
    """
    Print the page.
    """
    print(page(), end="")


def page() -> str:
    """
    Return the page: for each step its causes, the fixes that know more, and the reasons.
    """
    return "\n".join([HEAD, *(line for module in modules() for line in section(module))])


def modules() -> list[ModuleType]:
    """
    Return the modules with causes, by name.
    """
    found = pkgutil.walk_packages(causes.__path__, f"{causes.__name__}.")
    names = sorted(module.name for module in found if not module.ispkg)
    return [module for module in map(importlib.import_module, names) if any(words_in(module))]


def words_in(module: ModuleType) -> list[Cause | Fix | Reason]:
    """
    Return the causes, fixes and reasons of *module*, each once, as they are defined.
    """
    found = {id(each): each for value in vars(module).values() for each in flat(value)}
    return list(found.values())


def flat(value: object) -> Iterator[Cause | Fix | Reason]:
    """
    Yield *value* if it is words, or what of it is, if it is a table.
    """
    if isinstance(value, (Cause, Fix, Reason)):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from flat(each)


def section(module: ModuleType) -> Iterator[str]:
    """
    Yield the lines about *module*.
    """
    words = words_in(module)
    title = (module.__doc__ or "").strip().splitlines()[0]
    yield f"## {shown(title.removesuffix('.'))}\n"
    rows = [(code(each.code), shown(each.message), shown(each.fix)) for each in of(words, Cause)]
    yield from table(("code", "what you see", "fix"), rows)
    rows = [(code(each.code), shown(each.where), shown(each.text)) for each in of(words, Fix)]
    if rows:
        yield "Where more is known, the fix says more:\n"
        yield from table(("code", "where", "fix"), rows)
    reasons: dict[str, list[str]] = {}
    for reason in of(words, Reason):
        reasons.setdefault(reason.fills, []).append(f"- {shown(reason.text)}")
    for name, lines in reasons.items():
        yield f"{name.upper()} may be:\n"
        yield from lines
        yield ""


def of(words: list, kind: type) -> list:
    """
    Return those of *words* that are of *kind*.
    """
    return [each for each in words if isinstance(each, kind)]


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """
    Yield the lines of a table, and an empty one.
    """
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"
    yield ""


def code(name: str) -> str:
    """
    Return the cell of the code *name*.
    """
    return f"`{name}`" if name else "any"


def shown(text: str) -> str:
    """
    Return *text* with its placeholders in capitals, as Markdown.
    """
    parts = string.Formatter().parse(text)
    plain = "".join(literal + (name or "").upper() for literal, name, _, _ in parts)
    return SPECIAL.sub(lambda match: "&lt;" if match[0] == "<" else f"\\{match[0]}", plain)


if __name__ == "__main__":
    main()
