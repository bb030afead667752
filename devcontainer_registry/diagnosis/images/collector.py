# SPDX-License-Identifier: MIT
"""
Reads files, and collects the images and findings in them.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import Literal

from ...causes.workspace import configuration as causes
from ...credentials import Finding
from ...discovery.jsonc import plain_json
from ...errors import ConfigError, InvalidRegistryError, printable
from ...files import read_regular
from ...registry import split_image
from .variables.devcontainer import CONTAINER_ENV
from .variables.text import Text, plain

TYPE_CHECKING = False

if TYPE_CHECKING:
    from ...causes.cause import Cause

Origin = Literal["image", "dockerfile", "compose", "feature"]

SIZE_MAX = 1024 * 1024
FILES_MAX = 500
# Characters of a file that a message quotes.
_QUOTED_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImage:
    """
    An image that a configuration makes docker, or the dev container CLI, pull.

    Attributes:
        reference: As docker pull takes it.
        origin: What kind of file or member names it.
        where: File, line or member that names it; the path is relative to the workspace.
    """

    reference: str
    origin: Origin
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundImages:
    """
    The images of a workspace.

    Attributes:
        images: Each reference of each origin once, in the order of the files.
        findings: What could not be read or resolved.
    """

    images: tuple[FoundImage, ...]
    findings: tuple[Finding, ...]


class Collector:
    """
    Collects images and findings.

    Args:
        workspace: The workspace folder; paths in messages are relative to it.
    """

    def __init__(self, workspace: str) -> None:
        self.workspace = workspace
        self._images: dict[tuple[str, str], FoundImage] = {}
        self._findings: dict[Finding, None] = {}
        self._read = 0

    @property
    def found(self) -> FoundImages:
        """
        All that was collected.
        """
        return FoundImages(images=tuple(self._images.values()), findings=tuple(self._findings))

    def name(self, path: str) -> str:
        """
        Return *path* as messages show it: relative to the workspace.
        """
        return printable(os.path.relpath(path, self.workspace))

    def add(self, text: Text, origin: Origin, where: str) -> None:
        """
        Add the image that *text* names; if it names none, add the finding that says so.
        """
        if self.is_unresolved(text, where):
            return
        try:
            split_image(text.value or "")
        except InvalidRegistryError:
            self.say(causes.MALFORMED, where=where, image=_quoted(text.written))
            return
        reference = text.value or ""
        image = FoundImage(reference=reference, origin=origin, where=where)
        self._images.setdefault((reference, origin), image)

    def is_unresolved(self, text: Text, where: str) -> bool:
        """
        Whether *text* needs variables without a value; each of them is a finding then.
        """
        for variable in text.unset:
            if variable.startswith(CONTAINER_ENV):
                self._unresolved(causes.CONTAINER_ONLY, text, f"${{{variable}}}", where)
            else:
                self._unresolved(causes.UNSET, text, printable(variable), where, name=variable)
        return bool(text.unset)

    def add_unexpanded(self, written: str, origin: Origin, where: str) -> None:
        """
        Add the image *written* at a place where docker replaces no variables.
        """
        if "$" in written:
            self._unresolved(causes.NOT_EXPANDED, plain(written), _quoted(written), where)
        else:
            self.add(plain(written), origin, where)

    def say(
        self, cause: Cause[ConfigError], *, variable: str | None = None, **facts: object
    ) -> None:
        """
        Add the finding that states *cause*.
        """
        self._findings[cause.finding(variable=variable, **facts)] = None

    def damaged(self, path: str, problem: str, *, where: str | None = None) -> None:
        """
        Add a finding: the file *path* has *problem*.
        """
        file = self.name(path)
        self.say(causes.DAMAGED, where=where or file, file=file, problem=problem)

    def read(self, path: str, *, where: str, optional: bool = False) -> bytes | None:
        """
        Return the content of the file *path*; if it cannot be read, None and a finding.

        Args:
            path: Of the file.
            where: What names it, for the finding.
            optional: No finding if nothing has this name.
        """
        if self._read >= FILES_MAX:
            self.say(causes.TOO_MANY_FILES, where=where, limit=FILES_MAX)
            return None
        try:
            content, _ = read_regular(path, limit=SIZE_MAX)
        except (FileNotFoundError, NotADirectoryError, ValueError):
            # No file has a null character, or half of a surrogate pair, in its name.
            if not optional or os.path.lexists(path):
                self.say(causes.MISSING, where=where, file=self.name(path))
            return None
        except OSError as exc:
            self.unreadable(path, exc, where=where)
            return None
        self._read += 1
        return content

    def read_json(self, path: str) -> dict[str, object] | None:
        """
        Return the object in the file *path*, JSON with comments.

        None if there is none; a finding says why, unless the file does not exist.
        """
        content = self.read(path, where=self.name(path), optional=True)
        if content is None:
            return None
        # Like the dev container CLI, which does not mind a comment in another encoding.
        text = content.decode("utf-8", "replace").removeprefix("\ufeff")
        try:
            found = json.loads(plain_json(text))
        except json.JSONDecodeError as exc:
            self.damaged(path, causes.JSON_DAMAGED.say(line=exc.lineno, column=exc.colno))
        except RecursionError:
            self.damaged(path, causes.JSON_TOO_DEEP.say())
        except ValueError:
            self.damaged(path, causes.NUMBER_TOO_LONG.say())
        else:
            if isinstance(found, dict):
                return found
            self.damaged(path, causes.NOT_AN_OBJECT.say())
        return None

    def unreadable(self, path: str, exc: OSError, *, where: str) -> None:
        """
        Add a finding: *exc* happened when *path* was read.
        """
        words = exc.strerror or causes.UNKNOWN_ERROR.say()
        reason = words[:1].lower() + words[1:]
        self.say(causes.UNREADABLE, where=where, file=self.name(path), reason=reason)

    def _unresolved(
        self,
        cause: Cause[ConfigError],
        text: Text,
        needed: str,
        where: str,
        *,
        name: str | None = None,
    ) -> None:
        self.say(cause, variable=name, where=where, image=_quoted(text.written), needed=needed)


def _quoted(text: str) -> str:
    shown = text if len(text) <= _QUOTED_MAX else f"{text[:_QUOTED_MAX]}…"
    return printable(shown) if shown else '""'
