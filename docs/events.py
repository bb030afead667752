# SPDX-License-Identifier: MIT
"""
Print docs/events.md, the page of all events, from `devcontainer_registry/events.py`.
"""

from __future__ import annotations

from devcontainer_registry.events import EVENTS, FIELDS, REASONS

HEAD = """\
---
myst:
  html_meta:
    description: "Every event of the debug log, with its fields."
---

# Events

`--log-level debug` writes each step to stderr as it happens, without secrets.
`--log-format json` writes the same as one JSON object on each line.
Every object has `timestamp` (UTC), `level`, `event` and its fields.
A field that does not apply is `null` or absent.
The Python API passes the same events to `observe`.
The credential helper logs to stderr if Docker runs with `DEVCONTAINER_REGISTRY_LOG_LEVEL=debug`.
This page is made from the source by `./dev docs`.
"""


def page() -> str:
    """
    The page, as Markdown.
    """
    lines = [HEAD, "| event | level | what happened | fields |", "|---|---|---|---|"]
    for name, event in sorted(EVENTS.items()):
        fields = ", ".join(f"`{field}`" for field in event.fields.split())
        lines.append(f"| `{name}` | {event.level} | {event.meaning} | {fields} |")
    lines += ["", "## Reasons", "", "| event | `why` |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in sorted(REASONS.items())]
    lines += ["", "## Fields", "", "| field | holds |", "|---|---|"]
    lines += [f"| `{name}` | {meaning} |" for name, meaning in sorted(FIELDS.items())]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(page(), end="")
