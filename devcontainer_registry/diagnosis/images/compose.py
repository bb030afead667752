# SPDX-License-Identifier: MIT
"""
Reads the YAML of Compose files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ...causes.workspace import configuration as causes

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TypeAlias

    import yaml

    # A scalar, `dict[str, Value]`, `list[Value]`, `RESET` or `Override`.
    Value: TypeAlias = object

# Compose has the same limit: https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/reset.go
NODES_MAX = 100_000
DEPTH_MAX = 100

_STRING = "tag:yaml.org,2002:str"
_OCTAL = re.compile(r"[-+]?0[0-7]+")
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BOOLEANS = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_DIGITS_MAX = 300


class YamlError(ValueError):
    """
    A text that Compose rejects as well; the message says why.
    """


@dataclass(frozen=True, slots=True)
class Reset:
    """
    What `!reset` marks: a value that earlier files set is removed.
    """


@dataclass(frozen=True, slots=True)
class Override:
    """
    What `!override` marks: it replaces the value of earlier files, where others are merged.
    """

    value: Value


@dataclass(slots=True)
class _Open:
    """
    A list or mapping that is being read.
    """

    anchor: str | None
    tag: str | None
    items: list[Value] | None
    pairs: dict[str, Value] = field(default_factory=dict)
    merged: list[Value] = field(default_factory=list)
    key: str | None = None
    is_merge: bool = False
    size: int = 1


RESET = Reset()


def documents(text: str) -> list[Value]:
    """
    Return the values of the YAML documents in *text*.

    Each use of an alias counts, so that a small file cannot fill the memory.

    Raises:
        YamlError: It is not YAML, or too large.
    """
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    reader = _Reader()
    try:
        for event in yaml.parse(text, Loader=loader):
            reader.take(event)
    except yaml.MarkedYAMLError as exc:
        line = exc.problem_mark.line + 1 if exc.problem_mark else 1
        raise YamlError(causes.YAML_DAMAGED.say(line=line)) from None
    except (yaml.YAMLError, ValueError, OverflowError) as exc:
        if isinstance(exc, YamlError):
            raise
        raise YamlError(causes.YAML_UNREADABLE.say()) from None
    return reader.documents


class _Reader:
    """
    Makes values of the events of a YAML parser, without recursion.
    """

    def __init__(self) -> None:
        self.documents: list[Value] = []
        self._stack: list[_Open] = []
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._nodes = 0

    def take(self, event: yaml.Event) -> None:
        """
        Take the next event.

        Raises:
            YamlError: The file is too large, or Compose rejects it.
        """
        import yaml

        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors.clear()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise YamlError(causes.ALIAS_UNKNOWN.say(line=line))
            self._put(*self._anchors[event.anchor], line)
        elif isinstance(event, yaml.ScalarEvent):
            value = _scalar(event.value, event.tag, plain=event.implicit[0])
            self._close(value, 1, event.anchor, event.tag, line)
        elif isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            if len(self._stack) >= DEPTH_MAX:
                raise YamlError(causes.YAML_TOO_DEEP.say(line=line))
            items: list[Value] | None = [] if isinstance(event, yaml.SequenceStartEvent) else None
            self._stack.append(_Open(anchor=event.anchor, tag=event.tag, items=items))
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            done = self._stack.pop()
            value = _with_merged(done) if done.items is None else done.items
            self._close(value, done.size, done.anchor, done.tag, line)

    def _close(
        self, value: Value, size: int, anchor: str | None, tag: str | None, line: int
    ) -> None:
        if tag == "!reset":
            value = RESET
        elif tag == "!override":
            value = Override(value)
        if anchor is not None:
            self._anchors[anchor] = value, size
        self._put(value, size, line)

    def _put(self, value: Value, size: int, line: int) -> None:
        self._nodes += 1
        if not self._stack:
            self.documents.append(value)
            return
        top = self._stack[-1]
        top.size += size
        if top.size > NODES_MAX or self._nodes > NODES_MAX:
            raise YamlError(causes.YAML_TOO_LARGE.say(limit=NODES_MAX, line=line))
        if top.items is not None:
            top.items.append(value)
        elif top.key is None:
            top.key = _key(value, line)
        else:
            if top.key == "<<":
                top.merged.extend(value if isinstance(value, list) else [value])
            elif top.key in top.pairs:
                raise YamlError(causes.KEY_TWICE.say(key=ascii(top.key), line=line))
            else:
                top.pairs[top.key] = value
            top.key = None


def _with_merged(mapping: _Open) -> dict[str, Value]:
    merged = dict(mapping.pairs)
    for other in mapping.merged:
        if isinstance(other, dict):
            for key, value in other.items():
                merged.setdefault(key, value)
    return merged


def _key(value: Value, line: int) -> str:
    if isinstance(value, (dict, list, Reset, Override)):
        raise YamlError(causes.KEY_NO_STRING.say(line=line))
    return shown(value)


def shown(value: Value) -> str:
    """
    Return the scalar *value* as Compose writes it into a string.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        # As Go's %v: the version 3.10 becomes 3.1, and 3.0 becomes 3.
        return repr(value).removesuffix(".0")
    return "" if value is None else str(value)


def _scalar(text: str, tag: str | None, *, plain: bool) -> Value:
    if not plain or tag == _STRING:
        return text
    if text in _NULLS:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if len(text) > _DIGITS_MAX:
        return text
    digits = text if text.startswith("_") else text.replace("_", "")
    if _OCTAL.fullmatch(digits):
        return int(digits, 8)
    if _INTEGER.fullmatch(digits):
        return int(digits, 0)
    if _FLOAT.fullmatch(digits):
        return float(digits)
    return text
