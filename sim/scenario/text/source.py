"""A hardened reader for a small, predictable part of YAML: mappings, lists and scalars of one document.

YAML as commonly loaded lets nine lines of aliases fill the memory, nested brackets exhaust the stack, `no` mean false,
`010` mean eight and a repeated key win silently. Here the parser's events are checked as they come, the first breach
ends the reading, and a scalar is a number only if it plainly looks like one.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml

from sim.scenario.text.errors import Path, Problem, ScenarioError, dotted, escaped, found
from sim.scenario.text.files import UnreadableFile, read_regular
from sim.scenario.text.syntax import Place, in_plain_words

MOST_BYTES = 1 << 20
MOST_NODES = 50_000
MOST_DEPTH = 20
MOST_SCALAR = 65_536

# Categories Cc and Cs of Unicode but for tab and line ends: NUL, escape codes, half characters.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_KEY = re.compile("[a-z][a-z0-9_]{0,63}")
_VARIANT_KEY = re.compile("[a-z][a-z0-9_-]{0,63}")
_NAME_KEY = re.compile("[A-Za-z0-9][A-Za-z0-9._/:-]{0,63}")
_ALLOWED_KEYS = {
    _KEY: "small letters, digits and _, from a letter on",
    _VARIANT_KEY: "small letters, digits, _ and -, from a letter on",
    _NAME_KEY: "letters, digits and . _ - / :, from a letter or digit on",
}
# Twenty digits hold every 64-bit seed.
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,19})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]{0,19})?(\.[0-9]{1,40})?([eE][-+]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Source:
    """A document as plain data (dict, tuple, str, int, float, bool, None), with the place of everything in it."""

    name: str
    """The file as the user named it."""
    data: Any
    keys: dict[Path, Place] = field(default_factory=dict)
    """Where each key of a mapping is written."""
    values: dict[Path, Place] = field(default_factory=dict)
    """Where each value begins."""


def read_file(path: FilePath) -> Source:
    """Read a scenario file; ScenarioError if it is not a small regular UTF-8 file of plain YAML."""
    name = escaped(str(path))
    try:
        content = read_regular(path, MOST_BYTES)
    except UnreadableFile as error:
        raise ScenarioError([Problem(name, "", str(error))]) from None
    return read_bytes(content, name)


def read_bytes(content: bytes, name: str) -> Source:
    """Read a document from memory; ScenarioError as for a file. `name` stands for the file in messages."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - (before.rfind(b"\n") + 1) + 1
        raise _refusal(name, (line, column), "found bytes that are not UTF-8; allowed: UTF-8 text") from None
    if bad := _CONTROL.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        column = bad.start() - (text.rfind("\n", 0, bad.start()) + 1) + 1
        wrong = f"found the control character {bad.group()!r}; allowed: printable text"
        raise _refusal(name, (line, column), wrong)
    return _Builder(name, text).build()


def resolve_plain(text: str) -> Any:
    """Return what an unquoted scalar stands for: null, true, false, a decimal number, or else the text itself.

    A number that is not finite, or is written otherwise (`010`, `0x10`, `1_000`, `.inf`), stays text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > 80:
        return text
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and text[-1].isdigit() and text.lstrip("+-")[0] in "0123456789.":
        number = float(text)
        return number if math.isfinite(number) else text
    return text


_WORDS = {"": None, "null": None, "true": True, "false": False}


def has_control_characters(text: str) -> bool:
    """Tell whether the text holds anything that cannot be printed as it is."""
    return "\r" in text or _CONTROL.search(text) is not None


def _refusal(name: str, place: Place, text: str, path: Path = ()) -> ScenarioError:
    return ScenarioError([Problem(f"{name}:{place[0]}:{place[1]}", dotted(path), text)])


def _place(event: yaml.Event) -> Place:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


class _Builder:
    """Builds one document from the parser's events, each checked before it is used."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.source = Source(name, None)
        self.events = self._checked(text)

    def build(self) -> Source:
        next(self.events)
        start = next(self.events)
        if isinstance(start, yaml.StreamEndEvent):
            raise _refusal(self.name, (1, 1), "found an empty file; allowed: a mapping that starts with 'name:'")
        data = self._value(next(self.events), ())
        next(self.events)
        end = next(self.events)
        if not isinstance(end, yaml.StreamEndEvent):
            raise _refusal(self.name, _place(end), "found a second document; allowed: one in a file")
        return Source(self.name, data, self.source.keys, self.source.values)

    def _checked(self, text: str) -> Iterator[yaml.Event]:
        """Yield events until the first that breaks a rule. The parser looks at most 1,024 characters ahead."""
        nodes = depth = 0
        for event in self._parsed(text):
            nodes += isinstance(event, yaml.NodeEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if wrong := _breach(event, nodes, depth):
                raise _refusal(self.name, _place(event), wrong)
            yield event

    def _parsed(self, text: str) -> Iterator[yaml.Event]:
        try:
            # The Python parser: it is driven event by event, and unlike the C one does not crash on hostile input.
            yield from yaml.parse(text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            raise _refusal(self.name, *in_plain_words(error)) from None
        except (yaml.YAMLError, ValueError, OverflowError):
            # A version or an escape with a number out of range. The parser does not say where.
            raise _refusal(self.name, (1, 1), "found a number that YAML cannot hold; allowed: plain values") from None

    def _value(self, event: yaml.Event, path: Path) -> Any:
        self.source.values[path] = _place(event)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        if not isinstance(event, yaml.ScalarEvent):
            raise TypeError(f"the parser gave {type(event).__name__} for a value")
        if has_control_characters(event.value):
            wrong = f"found {found(event.value)}; allowed: text without control characters"
            raise _refusal(self.name, _place(event), wrong, path)
        return resolve_plain(event.value) if event.implicit[0] else event.value

    def _sequence(self, path: Path) -> tuple[Any, ...]:
        items: list[Any] = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            items.append(self._value(event, (*path, len(items))))
        return tuple(items)

    def _mapping(self, path: Path) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            key = self._key(event, path)
            if key in entries:
                line, column = self.source.keys[*path, key]
                wrong = f"found the key twice; allowed: once (it is first at {line}:{column})"
                raise _refusal(self.name, _place(event), wrong, (*path, key))
            self.source.keys[*path, key] = _place(event)
            entries[key] = self._value(next(self.events), (*path, key))
        return entries

    def _key(self, event: yaml.Event, path: Path) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _refusal(self.name, _place(event), "found a list or mapping as a key; allowed: a plain word", path)
        if event.value == "<<":
            raise _refusal(self.name, _place(event), "found a merge key; allowed: the keys written out", path)
        if not _key_pattern(path).fullmatch(event.value):
            wrong = f"found the key {found(event.value)}; allowed: {_ALLOWED_KEYS[_key_pattern(path)]}"
            raise _refusal(self.name, _place(event), wrong, path)
        return str(event.value)


def _key_pattern(path: Path) -> re.Pattern[str]:
    """Return what the keys of the mapping at this path may look like."""
    if path == ("variants",):
        return _VARIANT_KEY
    # A key of a policy's own may have a value for each node, whose names are freer.
    return _NAME_KEY if path[-3:-1] == ("router", "policy") else _KEY


def _breach(event: yaml.Event, nodes: int, depth: int) -> str:
    """Return which rule the event breaks, if any."""
    if isinstance(event, yaml.DocumentStartEvent) and (event.version or event.tags):
        return "found a % directive; allowed: none"
    if isinstance(event, yaml.AliasEvent):
        return f"found the alias {found(f'*{event.anchor}')}; allowed: the value written out"
    if not isinstance(event, yaml.NodeEvent):
        return ""
    if event.anchor is not None:
        return f"found the anchor {found(f'&{event.anchor}')}; allowed: no anchors"
    if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent)) and event.tag is not None:
        return f"found the tag {found(event.tag)}; allowed: no tags"
    return _excess(event, nodes, depth)


def _excess(event: yaml.NodeEvent, nodes: int, depth: int) -> str:
    if nodes > MOST_NODES:
        return f"found more than {MOST_NODES:,} values; allowed: a smaller file"
    if depth > MOST_DEPTH:
        return f"found more than {MOST_DEPTH} levels of nesting; allowed: {MOST_DEPTH}"
    if isinstance(event, yaml.ScalarEvent) and len(event.value) > MOST_SCALAR:
        return f"found a text of {len(event.value):,} characters; allowed: {MOST_SCALAR:,}"
    return ""
