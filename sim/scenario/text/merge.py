"""A scenario in layers: the file's base, a variant's changes over it, and overrides from the command line on top.

Mappings merge key by key; lists and plain values replace what is below. Two exceptions: a variant that names a router
profile starts its router from that profile, so what the base says under `router` does not reach it; and a variant that
names a policy does not inherit the keys of the base's policy. Faults are reported where they were written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sim.scenario.text.errors import Path, Problem, dotted, escaped, found
from sim.scenario.text.source import MOST_DEPTH, Source, has_control_characters, resolve_plain

OF_THE_FILE = ("variants", "expect", "regression")
"""Keys of a file that are no part of any variant."""
_POLICY: Path = ("router", "policy")


@dataclass(frozen=True, slots=True)
class Override:
    """One `key=value` from the command line."""

    path: Path
    written: str
    value: Any

    @property
    def place(self) -> str:
        """How messages refer to it."""
        return f"--set {self.written}"


def merged(below: Any, above: Any) -> Any:
    """Return the upper value laid over the lower one."""
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    return {**below, **{key: merged(below[key], value) if key in below else value for key, value in above.items()}}


def names_profile(changes: Any) -> bool:
    """Tell whether a variant's changes name a router profile, from which its router then starts."""
    router = changes.get("router") if isinstance(changes, dict) else None
    return isinstance(router, dict) and "profile" in router


def names_policy(changes: Any) -> bool:
    """Tell whether a variant's changes name a policy, which has none of the keys of another one."""
    policy = _policy_in(changes)
    return isinstance(policy, str) or (isinstance(policy, dict) and "name" in policy)


def _policy_in(document: Any) -> Any:
    router = document.get("router") if isinstance(document, dict) else None
    return router.get("policy") if isinstance(router, dict) else None


def variant_document(base: dict[str, Any], changes: dict[str, Any]) -> Any:
    """Return a variant's document: its changes over the base, or over the base without its router or its policy."""
    if names_profile(changes):
        base = _without(base, "router")
    elif names_policy(changes) and isinstance(base.get("router"), dict):
        base = {**base, "router": _without(base["router"], "policy")}
    return merged(base, changes)


def _without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    return {other: value for other, value in mapping.items() if other != key}


def parse_override(text: str) -> Override:
    """Read `router.probe.ttl=5s`; list items go by index. The value is one scalar, read as in the file.

    ValueError says what is wrong with it.
    """
    written, equals, value = text.partition("=")
    steps = written.split(".")
    if not equals or not all(steps) or has_control_characters(text):
        raise ValueError(f"found {found(text)}; allowed: KEY=VALUE, such as router.probe.ttl=5s")
    if len(steps) > MOST_DEPTH:
        raise ValueError(f"found a key of {len(steps):,} steps; allowed: {MOST_DEPTH}")
    if steps[0] in OF_THE_FILE:
        text = "allowed: a key of the scenario itself, which changes in every variant that --variant chooses"
        raise ValueError(f"found {found(written)}; {text}")
    if value[:1] in ("[", "{"):
        raise ValueError(f"found the value {found(value)}; allowed: one plain value, no list or mapping")
    indexes = (int(step) if step.isascii() and step.isdigit() and len(step) < 6 else step for step in steps)
    return Override(tuple(indexes), escaped(written), resolve_plain(value))


def overridden(document: Any, path: Path, value: Any) -> Any:
    """Return the document with the value at the path; missing mappings are added.

    A policy that is written as a name is a mapping with that name, so that its own keys can be set. ValueError if the
    path leads into something that is neither mapping nor list, or past the end of a list.
    """
    if path[:2] == _POLICY and len(path) > len(_POLICY):
        document = _with_policy_as_mapping(document)
    return _with_value(document, path, value)


def _with_policy_as_mapping(document: Any) -> Any:
    policy = _policy_in(document)
    return merged(document, {"router": {"policy": {"name": policy}}}) if isinstance(policy, str) else document


def _with_value(document: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(document, tuple):
        if not isinstance(step, int) or step >= len(document):
            raise ValueError(f"found {found(step)} for a list of {len(document)}; allowed: an index from 0")
        return (*document[:step], _with_value(document[step], rest, value), *document[step + 1 :])
    if document is not None and not isinstance(document, dict):
        raise ValueError(f"leads into {found(document)}; allowed: a key of a mapping or an index of a list")
    below = document or {}
    return {**below, str(step): _with_value(below.get(str(step)), rest, value)}


@dataclass(frozen=True, slots=True)
class Locator:
    """Knows where each value of one merged document was written."""

    source: Source
    document: Any
    """The merged document."""
    prefixes: Sequence[Path] = ((),)
    """Where the layers lie in the file, topmost first: `("variants", name)`, then the base `()`."""
    overrides: Mapping[Path, Override] | None = None

    def problem(
        self, path: Path, text: str, *, at_key: bool = False, word: str = "", known: tuple[str, ...] = ()
    ) -> Problem:
        """Return a problem about the value at the path, or about its key."""
        override = self._override(path)
        if override is not None:
            key = "" if override.path[: len(path)] == path else dotted(path)
            return Problem(override.place, key, text, word, known)
        prefix = next(prefix for prefix in self.prefixes if not prefix or _writes(self._layer(prefix), path))
        full = (*prefix, *path)
        line, column = self._place(full, at_key)
        return Problem(f"{self.source.name}:{line}:{column}", dotted(full), text, word, known, (line, column))

    def is_written(self, path: Path) -> bool:
        """Tell whether the value at the path is written anywhere, in the file or on the command line."""
        return self._override(path) is not None or any(
            (*prefix, *path) in self.source.values for prefix in self.prefixes
        )

    def _override(self, path: Path) -> Override | None:
        """Return the override that set the value at the path, or made the mapping there."""
        overrides = self.overrides or {}
        above = (overrides[path[:end]] for end in range(len(path), 0, -1) if path[:end] in overrides)
        if (nearest := next(above, None)) or any((*prefix, *path) in self.source.values for prefix in self.prefixes):
            return nearest
        return next((override for made, override in overrides.items() if made[: len(path)] == path), None)

    def _layer(self, prefix: Path) -> Any:
        layer = self.source.data
        for step in prefix:
            layer = layer[step]
        return layer

    def _place(self, full: Path, at_key: bool) -> tuple[int, int]:
        if at_key and full in self.source.keys:
            return self.source.keys[full]
        while full and full not in self.source.values:
            full = full[:-1]
        return self.source.values[full]


def _writes(layer: Any, path: Path) -> bool:
    """Tell whether the layer holds the value at the path, or a list or plain value above it."""
    within_list = False
    for step in path:
        if isinstance(layer, tuple):
            within_list = True
            if not isinstance(step, int) or step >= len(layer):
                return True
            layer = layer[step]
        elif isinstance(layer, dict):
            if step not in layer:
                return within_list
            layer = layer[str(step)]
        else:
            return True
    return bool(path)
