# SPDX-License-Identifier: MIT
"""
The fenced blocks of README.md and docs/**.

A block is run or parsed, by its language.
An HTML comment on the line before its fence changes that:

    <!-- not run: REASON -->    it cannot run here, and why
    <!-- status 4 -->           its last command exits with this status
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# By scripts, which have tests of their own.
MADE = {"docs/codes.md", "docs/beside.md", "docs/events.md"}

_COMMENT = re.compile(
    r"<!--\s*(?:not run: (?P<reason>.+?)|status (?P<status>\d+))\s*-->\s*", re.DOTALL
)
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n", re.MULTILINE | re.DOTALL)
# A command of ours in a shell line, in a JSON text or between backquotes.
_OURS = re.compile(r"(?<![\w/.-])devcontainer-registry (?=[a-z-])([^\n`\"|;)&>]*)")


@dataclass(frozen=True, kw_only=True)
class Block:
    page: str
    line: int
    language: str
    text: str
    reason: str | None = None
    status: int = 0

    def __str__(self):
        return f"{self.page}:{self.line}"

    @property
    def commands(self):
        """
        Return the shell's input: in a console, the lines after a prompt.
        """
        if self.language != "console":
            return self.text
        return "\n".join(line[2:] for line in self.text.splitlines() if line.startswith("$ "))

    @property
    def output(self):
        """
        Return the output in a console.
        """
        return "\n".join(line for line in self.text.splitlines() if not line.startswith("$ "))


def pages():
    """
    README.md and the pages, by their paths.
    """
    paths = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
    names = [path.relative_to(ROOT).as_posix() for path in paths if "_build" not in path.parts]
    return [name for name in names if name not in MADE]


def text_of(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks_of(page):
    # Blank lines in its place keep the numbers of the lines.
    text = _FRONT_MATTER.sub(lambda found: "\n" * found[0].count("\n"), text_of(page))
    before = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type == "fence":
            comment = _COMMENT.fullmatch(before) if before else None
            yield Block(
                page=page,
                line=token.map[0] + 1,
                language=token.info.strip(),
                text=token.content,
                reason=comment["reason"] if comment else None,
                status=int(comment["status"] or 0) if comment else 0,
            )
        before = token.content if token.type == "html_block" else None


BLOCKS = [block for page in pages() for block in blocks_of(page)]


def of(*languages):
    """
    The blocks in *languages* that are run or parsed.
    """
    return [block for block in BLOCKS if block.language in languages and block.reason is None]


def our_commands(page):
    """
    Return each of our commands on *page*, in a block or backquotes, without the program's name.
    """
    for line in text_of(page).replace("\\\n", " ").splitlines():
        for found in _OURS.findall(line):
            # `[IMAGE...]` is a usage line, `--store …` an elision, STEP a placeholder.
            if not re.search(r"[\[\]…]|\.\.\.|\bSTEP\b", found):
                yield found.split(" #")[0].strip()
