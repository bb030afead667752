# SPDX-License-Identifier: MIT
"""
Make docs/pictures/terminal.svg from a real run of `login` and `doctor`.

The registries are played on loopback, under their own names: see `PlayedInternet`.
What differs from run to run (times, the days of a certificate) is replaced by something as wide,
and what lands at the same time is sorted.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from doubles.documents import ACR, GHCR, QUAY  # noqa: E402  (the folder comes first)
from doubles.internet import DENIED, PlayedInternet  # noqa: E402
from rich.console import Console  # noqa: E402
from rich.terminal_theme import TerminalTheme  # noqa: E402
from rich.text import Text  # noqa: E402

PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
TITLE = "devcontainer-registry"
_COLUMNS = 80

# Both backgrounds of a code host are far from this one.
_THEME = TerminalTheme(
    (24, 27, 33),
    (222, 226, 233),
    [
        (24, 27, 33),
        (240, 113, 120),
        (126, 211, 133),
        (229, 192, 107),
        (110, 168, 254),
        (198, 146, 233),
        (98, 206, 206),
        (222, 226, 233),
    ],
)

# rich's own template loads a font from elsewhere.
_FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-label="devcontainer-registry login and doctor in a terminal">
<!-- Made by docs/picture.py from a real run: ./dev docs -->
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""

# As wide as what it replaces.
_CHANGING = (
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "2026-03-02T21:12:00Z"),
    (re.compile(r"\b\d\d:\d\d\b(?!:)"), "09:12"),
    (re.compile(r"127\.0\.0\.1:\d+|localhost:\d+"), "proxy.corp:3128"),
    (re.compile(r"valid \d days"), "valid 7 days"),
    (re.compile(r"clock [+-]\d s"), "clock +0 s"),
)

_LANDED = "logged in\x1b"


def main() -> None:
    """
    Write the picture.
    """
    PICTURE.write_text(picture(), encoding="utf-8")


def picture() -> str:
    """
    Return the picture: two commands, and what they print on a terminal.
    """
    console = Console(
        record=True,
        width=_COLUMNS,
        file=io.StringIO(),
        color_system="standard",
        force_terminal=True,
    )
    for command, output in run():
        console.print(Text(f"$ {command}", style="bold"))
        console.print(Text.from_ansi(output))
        console.print()
    return console.export_svg(title=TITLE, theme=_THEME, code_format=_FORMAT, unique_id="terminal")


def run() -> list[tuple[str, str]]:
    """
    Return each command with what it printed.
    """
    with tempfile.TemporaryDirectory() as home, PlayedInternet(ACR, GHCR, QUAY) as internet:
        environ = {
            "HOME": home,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            "AWS_EC2_METADATA_DISABLED": "true",
            **internet.environ,
            **a_set("ACR", ACR),
            **a_set("GHCR", GHCR),
            **a_set("QUAY", replace(QUAY, password="expired")),
        }
        return [
            (command, steady(on_terminal(command.split(), environ, home)))
            for command in (
                f"{TITLE} login",
                f"{TITLE} doctor {GHCR.host}/{DENIED}:1",
            )
        ]


def a_set(name: str, registry: object) -> dict[str, str]:
    """
    Return the three variables of the set *name*.
    """
    prefix = f"{name}_CONTAINER_REGISTRY"
    return {
        f"{prefix}_SERVER": registry.server,
        f"{prefix}_USER": registry.username,
        f"{prefix}_PASSWORD": registry.password,
    }


def on_terminal(command: list[str], environ: dict[str, str], home: str) -> str:
    """
    Return what *command* prints on a terminal, without its progress on stderr.
    """
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command, env=environ, cwd=home, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # the process has ended
            break
        if not piece:
            break
        written += piece
    os.close(ours)
    process.wait()
    return written.decode().replace("\r\n", "\n").rstrip()


def steady(text: str) -> str:
    """
    Return *text* with the same times and the same order in every run.
    """
    landed = sorted(line for line in text.splitlines(keepends=True) if _LANDED in line)
    text = re.sub(rf"^.*{_LANDED}.*\n", lambda _: landed.pop(0), text, flags=re.MULTILINE)
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


if __name__ == "__main__":
    main()
