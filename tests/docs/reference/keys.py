"""Tables of the keys of a scenario file, from its JSON Schema."""

from collections.abc import Iterator, Mapping
from typing import Any

from sim.scenario.json_schema import json_schema

Schema = Mapping[str, Any]

SCHEMA: Schema = json_schema()
HEAD = ("| Key | Value | Without it | What it says |", "| --- | --- | --- | --- |")


def table(spec: Schema) -> str:
    """A row for each key of a mapping."""
    required = spec.get("required", ())
    rows = (_row(key, one, is_required=key in required) for key, one in spec["properties"].items())
    return "\n".join((*HEAD, *rows, ""))


def sections(spec: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the key and the schema of each mapping below, an outer one before those in it."""
    for key, one in spec["properties"].items():
        for inner in _mappings(one):
            yield key, inner
            yield from ((f"{key}.{deeper}", schema) for deeper, schema in sections(inner))


def definition(name: str) -> Schema:
    """The mapping of that name."""
    return next(_mappings({"$ref": f"#/$defs/{name}"}))


def sentences(text: str) -> str:
    """A description as one paragraph."""
    return " ".join(text.split())


def _row(key: str, one: Schema, *, is_required: bool) -> str:
    default = "required" if is_required else _default(one)
    return f"| `{key}` | {_value(one)} | {default} | {sentences(one.get('description', ''))} |"


def _mappings(one: Schema) -> Iterator[Schema]:
    """Find the mappings with keys of their own that a value may be."""
    if "$ref" in one:
        yield from _mappings(SCHEMA["$defs"][one["$ref"].rpartition("/")[2]])
    elif "properties" in one and "description" in one:
        yield one
    for way in ("anyOf", "oneOf"):
        for choice in one.get(way, ()):
            yield from _mappings(choice)
    if isinstance(one.get("items"), Mapping):
        yield from _mappings(one["items"])


def _value(one: Schema) -> str:
    """Say what may be written, in a few words."""
    if "$ref" in one:
        return _value(SCHEMA["$defs"][one["$ref"].rpartition("/")[2]])
    choices = [choice for way in ("anyOf", "oneOf") for choice in one.get(way, ()) if choice.get("type") != "null"]
    if choices:
        return " or ".join(dict.fromkeys(map(_value, choices)))
    if "enum" in one:
        return ", ".join(f"`{name}`" for name in one["enum"])
    if "const" in one:
        return f"`{one['const']}`"
    if one.get("type") == "array":
        return f"a list: {_value(one['items'])}"
    if "pattern" in one and one.get("examples"):
        return f"as `{one['examples'][0]}`"
    return {"object": "a mapping", "string": "text", "boolean": "`true`, `false`"}.get(one["type"], _number(one))


def _number(one: Schema) -> str:
    kind = "whole number" if one["type"] == "integer" else "number"
    low, high = one.get("minimum", one.get("exclusiveMinimum")), one.get("maximum", one.get("exclusiveMaximum"))
    bounds = [f"from {low}"] if low is not None else []
    bounds += [f"to {high}"] if high is not None else []
    return " ".join([kind, *bounds])


def _default(one: Schema) -> str:
    default = one.get("default")
    if default is None or isinstance(default, Mapping):
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`" if default != "" else ""
